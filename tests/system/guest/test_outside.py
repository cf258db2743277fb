# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stopped and killed by others: systemctl on a scope, signals from anywhere."""

import os
import signal
import time

import host
from restarts import kill_both, kill_daemon, kill_launcher, restart_daemon
from service import PROBE
from tap import between, equal, eventually, test

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
