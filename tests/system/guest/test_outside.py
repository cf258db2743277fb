# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stopped and killed by others: systemctl on a scope, signals from anywhere."""

import os
import signal
import time

import host
from restarts import kill_both, kill_daemon, kill_launcher, restart_daemon
from service import PROBE, refused
from tap import between, contains, equal, eventually, test

SLEEP = ["sleep", "100"]


def expect_stopped_outside(web):
    eventually(lambda: web["State"] == "STOPPED", "it is STOPPED", seconds=0.5)
    equal((web["Result"], web["ExitSignal"]), ("stopped-outside", signal.SIGTERM))


@test
def a_stop_by_systemctl_is_told_at_once_as_one_from_outside(world):
    web = world.run("web", Command=SLEEP)
    begin = time.monotonic()
    host.sh("systemctl", "stop", web["Unit"])
    between(time.monotonic() - begin, 0, 1, "the time of systemctl stop")
    expect_stopped_outside(web)


@test
def a_stop_by_systemctl_after_each_kind_of_restart_is_one_from_outside(world):
    for way in (restart_daemon, kill_daemon, kill_launcher, kill_both):
        web = world.run("web", Command=SLEEP)
        way(world)
        web = world.get("web")
        host.sh("systemctl", "stop", web["Unit"])
        expect_stopped_outside(web)
        world.remove(web)


@test
def a_stop_of_the_slice_stops_all_of_them(world):
    webs = [world.run(f"web-{n}", Command=SLEEP) for n in range(5)]
    host.sh("systemctl", "stop", "constellation-0.slice")
    for web in webs:
        expect_stopped_outside(web)


@test
def a_kill_of_the_payload_by_others_is_its_death_by_signal(world):
    web = world.run("web", Command=SLEEP)
    os.kill(web["MainPID"], signal.SIGKILL)
    equal(web.wait()[1:], ("signal", os.CLD_KILLED, signal.SIGKILL))


@test
def a_kill_of_the_init_ends_the_instance_and_is_told(world):
    for backend in ("scope", "monitor"):
        web = world.run(backend, Command=SLEEP, Backend=backend)
        payload = web["MainPID"]
        os.kill(web["InitPID"], signal.SIGKILL)
        equal(web.wait()[1:], ("signal", os.CLD_KILLED, signal.SIGKILL))
        equal(web["State"], "FAILED")
        eventually(lambda pid=payload: not host.is_alive(pid), "the payload is gone")


@test
def a_kill_by_systemctl_of_the_whole_scope_is_told(world):
    web = world.run("web", Command=SLEEP)
    host.sh("systemctl", "kill", "--signal=KILL", web["Unit"])
    equal(web.wait()[1:], ("signal", os.CLD_KILLED, signal.SIGKILL))


@test
def a_payload_that_hears_a_stop_by_systemctl_may_end_in_its_own_way(world):
    output = world.path("said")
    web = world.run("web", Command=[PROBE, f"--output={output}", "obey-term"])
    eventually(lambda: world.answer("said"), "it waits for the signal")
    host.sh("systemctl", "stop", web["Unit"])
    eventually(lambda: web["State"] == "STOPPED", "it is STOPPED", seconds=0.5)
    equal((web["Result"], web["ExitCode"]), ("stopped-outside", 0))
    equal(world.answer("said")["caught"], "15")


@test
def what_others_halted_by_a_signal_can_be_stopped(world):
    web = world.run("web", Command=SLEEP)
    host.sh("systemctl", "kill", "--signal=STOP", web["Unit"])
    begin = time.monotonic()
    web.stop(TimeoutUSec=5000000)
    between(time.monotonic() - begin, 0, 1, "the time of the stop")
    equal((web["State"], web["Result"]), ("STOPPED", "success"))


# ---- frozen and thawed ---------------------------------------------------------------------------

RUNGS = ("scope", "cgroup")


def cgroup_file(instance, name):
    return f"{host.CGROUPS}{instance['ControlGroup']}/{name}"


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def shown(instance):
    return instance["State"], instance["SubState"], instance["StatusText"]


FROZEN = ("RUNNING", "frozen", "frozen from outside")
RUNNING = ("RUNNING", "running", "running")


@test
def a_freeze_by_systemctl_is_told_and_so_is_the_thaw(world):
    web = world.run("web", Command=SLEEP)
    signals = world.signals()
    host.sh("systemctl", "freeze", web["Unit"])
    eventually(lambda: signals.of("PropertiesChanged", web.path), "the change is told by itself")
    equal(shown(web), FROZEN)
    told = len(signals.of("PropertiesChanged", web.path))
    host.sh("systemctl", "thaw", web["Unit"])
    eventually(lambda: len(signals.of("PropertiesChanged", web.path)) > told, "the thaw, too")
    equal(shown(web), RUNNING)


@test
def a_freeze_by_writing_the_file_is_told_on_both_rungs(world):
    for rung in RUNGS:
        web = world.run(rung, Command=SLEEP, Backend=rung)
        signals = world.signals()
        write(cgroup_file(web, "cgroup.freeze"), "1")
        equal(shown(web), FROZEN, rung)
        eventually(lambda at=web, of=signals: of.of("PropertiesChanged", at.path), "it is told")
        write(cgroup_file(web, "cgroup.freeze"), "0")
        equal(shown(web), RUNNING, rung)


@test
def a_freeze_without_a_watch_is_seen_by_whoever_asks(world):
    world.run("warm-up", Command=["true"], Backend="cgroup").wait()
    limit = "/proc/sys/fs/inotify/max_user_watches"
    before = host.read(limit)
    write(limit, "1")
    try:
        web = world.run("web", Command=SLEEP, Backend="cgroup")
        freezer = cgroup_file(web, "cgroup.freeze")
        time.sleep(0.3)  # after the look that every start is followed by
        signals = world.signals()
        write(freezer, "1")
        time.sleep(0.1)
        equal(signals.of("PropertiesChanged", web.path), [])
        equal(shown(web), FROZEN)
        write(freezer, "0")
        equal(shown(web), RUNNING)
    finally:
        write(limit, before)


@test
def a_thaw_by_others_of_what_the_service_froze_is_told(world):
    web = world.run("web", Command=SLEEP)
    web.freeze()
    equal(shown(web), ("RUNNING", "frozen", "frozen"))
    write(cgroup_file(web, "cgroup.freeze"), "0")
    equal(shown(web), ("RUNNING", "running", "running, thawed from outside"))


@test
def what_was_frozen_by_others_is_thawed_by_the_service(world):
    web = world.run("web", Command=SLEEP)
    host.sh("systemctl", "freeze", web["Unit"])
    web.thaw()
    equal(shown(web), RUNNING)


@test
def who_froze_it_is_known_after_a_restart_of_the_service(world):
    ours, theirs, meanwhile = (world.run(name, Command=SLEEP)
                               for name in ("ours", "theirs", "meanwhile"))
    freezer = cgroup_file(meanwhile, "cgroup.freeze")
    ours.freeze()
    write(cgroup_file(theirs, "cgroup.freeze"), "1")
    equal(shown(theirs), FROZEN)
    host.sh("systemctl", "stop", "constellationd")
    write(freezer, "1")
    host.sh("systemctl", "start", "constellationd")
    world.reconnect()
    equal(shown(world.get("ours")), ("RUNNING", "frozen", "frozen"))
    equal(shown(world.get("theirs")), FROZEN)
    equal(shown(world.get("meanwhile")), FROZEN)


@test
def a_freeze_of_the_slice_is_told_and_a_stop_does_not_hang_in_it(world):
    web = world.run("web", Command=SLEEP)
    above = f"{host.CGROUPS}/constellation.slice/constellation-0.slice/cgroup.freeze"
    write(above, "1")
    try:
        eventually(lambda: web["SubState"] == "frozen", "it is told")
        equal(web["StatusText"], "frozen from outside, with a cgroup that it is part of")
        with refused("CgroupFailed", "stays frozen"):
            web.thaw()
        begin = time.monotonic()
        web.stop(TimeoutUSec=200000)
        between(time.monotonic() - begin, 0.2, 2, "the time of the stop")
        equal((web["State"], web["Result"]), ("STOPPED", "timeout"))
    finally:
        write(above, "0")


@test
def what_others_froze_can_be_stopped(world):
    web = world.run("web", Command=SLEEP)
    host.sh("systemctl", "freeze", web["Unit"])
    web.stop()
    equal((web["State"], web["Result"]), ("STOPPED", "success"))


# ---- nobody knows --------------------------------------------------------------------------------

VM = ("vm",)  # a kernel that forgets how a process ended when its parent did not ask


@test(beds=VM)
def of_an_init_that_was_killed_after_its_launcher_nobody_knows_how_it_ended(world):
    web = world.run("web", Command=SLEEP)
    kill_launcher(world)
    os.kill(web["InitPID"], signal.SIGKILL)
    equal(web.wait()[1:], ("lost", 0, 0))
    equal((web["State"], web["StatusText"]),
          ("FAILED", "its init was killed, and nobody knows how the payload ended"))


@test(beds=VM)
def lack_of_memory_is_told_by_the_cgroup_where_nobody_else_knows(world):
    go = world.path("go")
    script = f"until [ -e {go} ]; do sleep 0.05; done; exec {PROBE} eat-memory 100000000"
    web = world.run("web", Command=["sh", "-c", script], Backend="cgroup", MemoryMax=32 << 20,
                    MemorySwapMax=0)
    init, payload = web["InitPID"], web["MainPID"]
    kill_launcher(world)
    os.kill(init, signal.SIGSTOP)
    world.write("go", "")
    eventually(lambda: not host.is_alive(payload), "the payload is killed", seconds=20)
    os.kill(init, signal.SIGKILL)
    equal(web.wait()[1], "oom-kill")
    contains(web["StatusText"], "for lack of memory")


# ---- a stop that is not listened to --------------------------------------------------------------


@test
def a_kill_by_systemd_at_the_end_of_its_stop_is_told(world):
    output = world.path("said")
    web = world.run("web", Command=[PROBE, f"--output={output}", "ignore-term"],
                    TimeoutStopUSec=100000)
    eventually(lambda: world.answer("said"), "it ignores the signal")
    host.sh("systemctl", "stop", web["Unit"])
    equal(web.wait()[1:], ("stopped-outside", os.CLD_KILLED, signal.SIGKILL))
    equal((web["State"], web["StatusText"]),
          ("STOPPED", "stopped from outside of this service, and killed when the time for that "
           "was over"))
