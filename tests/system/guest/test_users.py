# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many users of one service: their names, their limits, and what they hear of each other."""

import contextlib
import fcntl
import os
import signal
import time

import host
import polkit
from bus import dictionary
from service import PROBE, refused
from tap import between, check, equal, eventually, test
from world import UIDS, variant

SLEEP = ["sleep", "100"]
CONFIG = "/etc/constellation/constellation.conf"
BOB_TOO = 'if (subject.user === "bob" && action.id === "org.rads.constellation.run") return polkit.Result.YES;'


def restart_service():
    host.sh("systemctl", "restart", "constellationd.service")


@contextlib.contextmanager
def configured(world, *lines):
    """The service with this configuration."""
    os.makedirs(os.path.dirname(CONFIG), exist_ok=True)
    with open(CONFIG, "w", encoding="utf-8") as file:
        file.write("\n".join(["[Constellation]", *lines, ""]))
    restart_service()
    world.reconnect()
    try:
        yield
    finally:
        os.unlink(CONFIG)
        restart_service()


def usage(service, user):
    return service.manager("GetUserUsage", variant("u", UIDS[user]))


@test
def everybody_has_names_of_their_own(world):
    with polkit.rules(world, BOB_TOO) as alice:
        bob = world.another("bob")
        for service, uid in ((world, 0), (alice, UIDS["alice"]), (bob, UIDS["bob"])):
            equal(service.run("web", Command=SLEEP)["Owner"], uid)
        for service, uid in ((world, 0), (alice, UIDS["alice"]), (bob, UIDS["bob"])):
            equal(service.get("web")["Owner"], uid)
        equal(bob.get("alice/web").path, alice.get("web").path)
        equal(bob.get("1000/web").path, alice.get("web").path)
        for name in ("alice/db", "nobody/web", "no-such-user/web"):
            with refused("NoSuchInstance", f"^there is no instance '{name}'$"):
                bob.get(name)
        equal(len(world.list()), 3)


@test
def what_is_not_public_is_neither_shown_nor_searched(world):
    with polkit.rules(world) as alice:
        web = alice.run("web", Command=SLEEP, Description="plans", Labels=["secret"])
        bob = world.another("bob")
        rows = {service.uid: service.manager("ListInstances", variant("a{sv}", {}))[0] for service in (alice, bob)}
        equal(rows[UIDS["alice"]][3:6], ("plans", UIDS["alice"], web["MainPID"]))
        equal(rows[UIDS["bob"]][3:6], ("", UIDS["alice"], 0))
        equal((alice.list(Label="secret"), bob.list(Label="secret"), world.list(Label="secret")), (["web"], [], ["web"]))


@test
def how_a_run_ended_is_told_to_its_owner_and_root(world):
    with polkit.rules(world) as alice:
        bob, other = world.another("bob"), world.another("alice")
        heard = {}
        for name, service in (("alice", alice), ("other", other), ("root", world), ("bob", bob)):
            service.property("Version")
            heard[name] = service.signals()
        web = alice.run("web", Command=[PROBE, "exit", "7"])
        web.wait()
        for name in ("alice", "other", "root"):
            eventually(lambda name=name: heard[name].of("Exited", web.path) == [(1, "exit-code", 1, 7)], f"{name} hears it")
        eventually(lambda: ("RUNNING", "FAILED") in heard["bob"].of("StateChanged", web.path), "bob hears of the state")
        equal(heard["bob"].of("Exited"), [])


@test
def a_user_has_no_more_instances_than_the_limit(world):
    with polkit.rules(world, BOB_TOO), configured(world, "MaxInstancesPerUser=5"):
        alice, bob = world.another("alice"), world.another("bob")
        made = [alice.create(f"i{number}", Command=SLEEP) for number in range(5)]
        with refused("LimitsExceeded", "uid 1000 has 5 instances, as many as MaxInstancesPerUser allows"):
            alice.create("more", Command=SLEEP)
        with refused("LimitsExceeded"):
            alice.run("more", Command=SLEEP)
        equal((usage(alice, "alice")["Instances"], usage(alice, "alice")["MaxInstances"]), (5, 5))
        bob.create("mine", Command=SLEEP)
        for number in range(6):
            world.create(f"r{number}", Command=SLEEP)
        made[0].destroy()
        alice.create("more", Command=SLEEP)
        restart_service()
        world.reconnect()
        equal(usage(world, "alice")["Instances"], 5, "what a new service counts")


@test
def the_last_of_all_instances_are_roots(world):
    with polkit.rules(world), configured(world, "MaxInstances=20", "MaxInstancesPerUser=0"):
        alice = world.another("alice")
        for number in range(19):
            alice.create(f"i{number}", Command=SLEEP)
        with refused("LimitsExceeded", "there are 19 instances"):
            alice.create("more", Command=SLEEP)
        world.create("roots", Command=SLEEP)
        with refused("LimitsExceeded", "there are 20 instances"):
            world.create("more", Command=SLEEP)


@test
def too_many_starts_a_second_are_refused_and_root_is_not(world):
    with polkit.rules(world, BOB_TOO), configured(world, "StartRatePerUser=1", "StartBurstPerUser=5"):
        alice = world.another("alice")
        web = alice.create("web", Command=SLEEP)
        for _ in range(4):
            web.start()
            web.stop()
        for method in (web.start, web.restart, lambda: web.begin("Prepare").result(),
                       lambda: alice.create("x", Command=SLEEP),
                       lambda: alice.run("x", Command=SLEEP)):
            with refused("LimitsExceeded", "uid 1000 creates, starts or changes more than StartRatePerUser allows"):
                method()
        world.another("bob").create("mine", Command=SLEEP)
        time.sleep(1.1)
        web.start()
        for _ in range(10):
            world.run("roots", Command=SLEEP).destroy(Force=True)


@test
def an_instance_of_a_user_has_a_limit_on_its_tasks(world):
    with polkit.rules(world) as alice:
        equal(alice.create("web", Command=SLEEP).all("org.rads.Constellation.Settings")["TasksMax"], 1024)
        few = alice.create("few", Command=SLEEP, TasksMax=10)
        equal(few.all("org.rads.Constellation.Settings")["TasksMax"], 10)
        with refused("InteractiveAuthorizationRequired", ".*privileged"):
            alice.create("many", Command=SLEEP, TasksMax=1025)
        few.begin("SetLimits", dictionary({"TasksMax": 1024})).result()
        with refused("InteractiveAuthorizationRequired", "SetLimits .*privileged"):
            few.begin("SetLimits", dictionary({"TasksMax": 1025})).result()
        type(few)(world, few.path).begin("SetLimits", dictionary({"TasksMax": 1025})).result()
        world.another("carol").create("many", Command=SLEEP, TasksMax=1025)
        unlimited = world.create("roots", Command=SLEEP).all("org.rads.Constellation.Settings")["TasksMax"]
        equal(unlimited, 2**64 - 1)


@test
def large_settings_are_refused_to_users(world):
    large = ["A=" + "x" * 70000]
    with polkit.rules(world) as alice:
        with refused("LimitsExceeded", "the settings have more than 65536 bytes"):
            alice.create("web", Command=SLEEP, Environment=large)
        world.create("web", Command=SLEEP, Environment=large)


@test
def a_user_who_asks_for_a_hundred_starts_does_not_hold_up_another(world):
    with polkit.rules(world, BOB_TOO) as alice:
        bob = world.another("bob")
        calls = [alice.begin_run(f"i{number}", Command=SLEEP) for number in range(100)]
        start = time.monotonic()
        bob.run("mine", Command=SLEEP)
        bobs = time.monotonic() - start
        for call in calls:
            call.result()
        alices = time.monotonic() - start
        check(bobs < alices / 2, f"bob waited {bobs:.3f} s of {alices:.3f} s")


@test
def starts_that_hang_in_their_exec_hold_up_nobody(world):
    program = world.write("program", "#!/bin/sh\nexit 0\n")
    # A lease holds up whoever opens the file; that somebody does is told by SIGIO.
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    with open(program, "rb") as file, polkit.rules(world, BOB_TOO) as alice:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        calls = [alice.begin_run(f"i{number}", Command=[program]) for number in range(20)]
        bob = world.another("bob")
        start = time.monotonic()
        bob.run("mine", Command=SLEEP)
        between(time.monotonic() - start, 0, 2, "the time bob waited")
        equal(sum(call.answered for call in calls), 0, "the number of starts that did not hang")
        eventually(lambda: len(world.list(State="STARTING")) == 20, "all of them hang in their exec")
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        for call in calls:
            call.result()


@test
def what_a_user_takes_is_his_own_and_the_administrators_to_know(world):
    with polkit.rules(world):
        alice, bob, carol = (world.another(name) for name in ("alice", "bob", "carol"))
        alice.create("web", Command=SLEEP)
        for service in (alice, carol, world):
            equal(usage(service, "alice")["Instances"], 1)
        with refused("InteractiveAuthorizationRequired", "GetUserUsage needs the right org.rads.constellation.inspect"):
            usage(bob, "alice")
        equal(usage(world, "root")["MaxInstances"], 2**64 - 1)
