# SPDX-License-Identifier: LGPL-2.1-or-later
"""Taken out of its cgroup by others, or having its limits changed by them."""

import os
import signal
import time

import host
from restarts import restart_daemon
from service import PROBE, refused
from tap import between, check, contains, equal, eventually, test

SLEEP = ["sleep", "100"]
RUNGS = ("scope", "cgroup")
VM = ("vm",)
MIB = 1 << 20
LOST = "its first process was moved to the cgroup {} from outside"


class Elsewhere:
    """A cgroup that has nothing to do with the service, and a stranger who lives there."""

    def __init__(self, world, name="elsewhere"):
        self.path = f"/{name}"
        os.makedirs(host.CGROUPS + self.path)
        self.stranger = os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "100")
        self.take(self.stranger)
        self.world = world

    def take(self, *pids):
        for pid in pids:
            with open(f"{host.CGROUPS}{self.path}/cgroup.procs", "w", encoding="utf-8") as file:
                file.write(str(pid))

    def take_all(self, instance):
        self.take(*(row[0] for row in instance.ask("GetProcesses")))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        check(os.waitpid(self.stranger, os.WNOHANG) == (0, 0), "the stranger lives")
        os.kill(self.stranger, signal.SIGKILL)
        os.waitpid(self.stranger, 0)
        eventually(self.is_removed, "the cgroup of the stranger is empty")

    def is_removed(self):
        try:
            os.rmdir(host.CGROUPS + self.path)
            return True
        except OSError:
            return False


def degraded(instance):
    return {feature: reason for feature, _, reason in instance["Degraded"]}


def expect_lost(web, path, what):
    contains(degraded(web).get("ControlGroup", "no row"), LOST.format(path), what)
    equal((web["State"], web["ControlGroup"]), ("RUNNING", ""), what)
    value, enforced, reason = web.enforced()["TasksMax"]
    equal((value, enforced), ("", False), what)
    contains(reason, LOST.format(path), what)


@test
def all_moved_away_is_told_by_itself_on_both_rungs(world):
    for rung in RUNGS:
        with Elsewhere(world) as elsewhere:
            web = world.run(rung, Command=SLEEP, Backend=rung, TasksMax=50)
            signals = world.signals()
            elsewhere.take_all(web)
            eventually(lambda at=web, of=signals: of.of("PropertiesChanged", at.path), "it is told")
            expect_lost(web, elsewhere.path, rung)
            equal(web["StatusText"], "running, moved out of its cgroup from outside")
            usage = web.ask("GetUsage")
            equal((usage["Source"], usage["TasksCurrent"]), ("proc", 2))
            web.stop()
            equal((web["State"], web["Result"]), ("STOPPED", "success"))


@test
def an_init_moved_away_alone_is_seen_by_whoever_asks(world):
    for rung in RUNGS:
        with Elsewhere(world) as elsewhere:
            web = world.run(rung, Command=SLEEP, Backend=rung, TasksMax=50)
            elsewhere.take(web["InitPID"])
            expect_lost(web, elsewhere.path, rung)
            equal([row[0] for row in web.ask("GetProcesses")], [web["InitPID"], web["MainPID"]])
            web.stop()
            equal(web["State"], "STOPPED")


@test
def a_cgroup_that_was_removed_is_told_and_the_instance_can_be_stopped(world):
    with Elsewhere(world) as elsewhere:
        web = world.run("web", Command=SLEEP, Backend="cgroup", TasksMax=50)
        group = host.CGROUPS + web["ControlGroup"]
        elsewhere.take_all(web)
        eventually(lambda: elsewhere_rmdir(group), "it is empty")
        expect_lost(web, elsewhere.path, "removed")
        web.stop()
        equal(web["State"], "STOPPED")


def elsewhere_rmdir(path):
    try:
        os.rmdir(path)
        return True
    except OSError:
        return False


@test
def a_payload_elsewhere_that_does_not_listen_is_killed_and_its_neighbours_are_not(world):
    for namespace in ("try", "off"):
        with Elsewhere(world) as elsewhere:
            output = world.path(f"said-{namespace}")
            web = world.run(namespace, Command=[PROBE, f"--output={output}", "ignore-term"],
                            PIDNamespace=namespace, TasksMax=50)
            eventually(lambda at=namespace: world.answer(f"said-{at}"), "it ignores the signal")
            payload = web["MainPID"]
            elsewhere.take_all(web)
            begin = time.monotonic()
            web.stop(TimeoutUSec=100000)
            between(time.monotonic() - begin, 0.1, 2, "the time of the stop")
            check(not host.is_alive(payload), "the payload is gone")
            equal(web["Result"], "timeout")


@test
def one_moved_into_the_scope_of_another_does_not_take_that_one_along(world):
    other = world.run("other", Command=SLEEP)
    there = Elsewhere.__new__(Elsewhere)
    there.path = other["ControlGroup"]
    web = world.run("web", Command=SLEEP, TasksMax=50)
    there.take_all(web)
    restart_daemon(world)
    web, other = world.get("web"), world.get("other")
    expect_lost(web, there.path, "moved to another's scope")
    web.stop(TimeoutUSec=0)
    equal((web["State"], other["State"]), ("STOPPED", "RUNNING"))
    check(host.is_alive(other["MainPID"]), "the other's payload lives")


@test
def one_moved_while_the_service_was_away_is_found_out_and_stopped(world):
    for rung in RUNGS:
        with Elsewhere(world) as elsewhere:
            web = world.run(rung, Command=SLEEP, Backend=rung, TasksMax=50)
            pids = [row[0] for row in web.ask("GetProcesses")]
            host.sh("systemctl", "stop", "constellationd")
            elsewhere.take(*pids)
            host.sh("systemctl", "start", "constellationd")
            world.reconnect()
            web = world.get(rung)
            expect_lost(web, elsewhere.path, rung)
            equal(web["Backend"], rung)
            web.stop()
            equal(web["State"], "STOPPED")


@test
def one_that_was_moved_on_and_back_is_where_it_was(world):
    with Elsewhere(world) as elsewhere, Elsewhere(world, "elsewhere-2") as further:
        web = world.run("web", Command=SLEEP, TasksMax=50)
        group, enforced, before = web["ControlGroup"], web.enforced(), web["Degraded"]
        for place in (elsewhere, further):
            place.take(web["InitPID"])
            expect_lost(web, place.path, place.path)
        with open(f"{host.CGROUPS}{group}/cgroup.procs", "w", encoding="utf-8") as file:
            file.write(str(web["InitPID"]))
        equal((web["ControlGroup"], web.enforced(), web["Degraded"]), (group, enforced, before))


@test
def one_that_was_moved_can_not_be_frozen_and_says_why(world):
    with Elsewhere(world) as elsewhere:
        web = world.run("web", Command=SLEEP)
        elsewhere.take_all(web)
        with refused("CgroupFailed", LOST.format(elsewhere.path)):
            web.freeze()
        web.stop()


@test
def the_next_run_of_one_that_was_moved_is_in_its_own_place_again(world):
    with Elsewhere(world) as elsewhere:
        web = world.run("web", Command=SLEEP)
        elsewhere.take_all(web)
        web.restart()
        equal((degraded(web), web["StatusText"]), ({}, "running"))
        equal(host.cgroup_of(web["MainPID"]), web["ControlGroup"])


@test
def the_end_of_one_that_was_moved_is_told_as_it_was(world):
    with Elsewhere(world) as elsewhere:
        go = world.path("go")
        web = world.run("web", Command=["sh", "-c",
                                        f"until [ -e {go} ]; do sleep 0.01; done; exit 7"])
        # Its children of the moment stay behind and end there.
        elsewhere.take(web["InitPID"], web["MainPID"])
        eventually(lambda: "ControlGroup" in degraded(web), "it is seen")
        world.write("go", "")
        equal(web.wait()[1:], ("exit-code", os.CLD_EXITED, 7))


# ---- limits --------------------------------------------------------------------------------------


@test(beds=VM)
def a_limit_changed_by_systemctl_is_told_with_both_values(world):
    web = world.run("web", Command=SLEEP, MemoryMax=128 * MIB, TasksMax=50)
    equal(web.enforced()["MemoryMax"], ("128M", True, ""))
    host.sh("systemctl", "set-property", "--runtime", web["Unit"], "MemoryMax=64M")
    equal(web.enforced(), {"MemoryMax": ("64M", False, "changed from outside: 64M instead of 128M"),
                           "TasksMax": ("50", True, "")})
    restart_daemon(world)
    web = world.get("web")
    equal(web.enforced()["MemoryMax"],
          ("64M", False, "changed from outside: 64M instead of 128M"))
    host.sh("systemctl", "set-property", "--runtime", web["Unit"], "MemoryMax=128M")
    equal(web.enforced()["MemoryMax"], ("128M", True, ""))


@test(beds=VM)
def a_limit_changed_in_its_file_is_told_on_both_rungs(world):
    for rung in RUNGS:
        web = world.run(rung, Command=SLEEP, Backend=rung, TasksMax=50)
        with open(f"{host.CGROUPS}{web['ControlGroup']}/pids.max", "w", encoding="utf-8") as file:
            file.write("max")
        equal(web.enforced()["TasksMax"],
              ("infinity", False, "changed from outside: infinity instead of 50"), rung)
