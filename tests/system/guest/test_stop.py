# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stops, signals, freezes: how what runs comes to stand still."""

import os
import signal
import time

import host
from service import PROBE
from tap import between, check, equal, eventually, test

SLEEP = ["sleep", "100"]


@test
def a_stop_returns_when_nothing_of_the_instance_is_left(world):
    web = world.run("web", Command=["sh", "-c", "sleep 100 & sleep 100 & wait"])
    processes = [row[0] for row in web.ask("GetProcesses")]
    web.stop()
    equal([pid for pid in processes if host.is_alive(pid)], [])
    equal((web["State"], web["MainPID"], web["InitPID"], web["Unit"]), ("STOPPED", 0, 0, ""))


@test
def a_restart_is_a_new_process_and_a_new_run(world):
    web = world.run("web", Command=SLEEP)
    before = web["MainPID"]
    web.restart()
    equal((web["State"], web["Run"]), ("RUNNING", 2))
    check(web["MainPID"] != before, "the process is another one")
    check(not host.is_alive(before), "the one before is gone")


@test
def a_destroy_by_force_ends_what_runs(world):
    web = world.run("web", Command=[PROBE, "ignore-term"])
    pid = web["MainPID"]
    web.destroy(Force=True)
    check(not host.is_alive(pid), "the payload is gone")


@test
def a_payload_that_ignores_sigterm_is_killed_after_the_timeout(world):
    output = world.path("said")
    web = world.run("web", Command=[PROBE, f"--output={output}", "ignore-term"],
                    TimeoutStopUSec=300000)
    eventually(lambda: world.answer("said"), "it ignores the signal")
    begin = time.monotonic()
    web.stop()
    between(time.monotonic() - begin, 0.3, 2.0, "the time of the stop")
    equal((web["State"], web["Result"], web["ExitSignal"]), ("STOPPED", "timeout", 9))


@test
def a_stop_sends_the_kill_signal_of_the_settings(world):
    web = world.run("web", Command=SLEEP, KillSignal="SIGUSR1")
    web.stop()
    equal((web["State"], web["ExitSignal"]), ("STOPPED", signal.SIGUSR1))


@test
def a_stop_sends_the_signal_it_is_given(world):
    web = world.run("web", Command=SLEEP)
    web.stop(Signal=int(signal.SIGINT))
    equal(web["ExitSignal"], signal.SIGINT)


@test
def a_payload_may_end_in_its_own_way_when_told_to_stop(world):
    output = world.path("said")
    web = world.run("web", Command=[PROBE, f"--output={output}", "obey-term"])
    eventually(lambda: world.answer("said"), "it waits for the signal")
    web.stop()
    equal((web["State"], web["Result"], web["ExitCode"]), ("STOPPED", "success", 0))
    equal(world.answer("said")["caught"], "15")


@test
def a_stop_ends_what_left_the_payloads_session(world):
    output = world.path("said")
    web = world.run("web", Command=[PROBE, f"--output={output}", "fork", "5"])
    eventually(lambda: world.answer("said"), "it has forked")
    equal(len(web.ask("GetProcesses")), 7)
    web.stop()
    check(not host.processes("probe"), "no process is left")


@test
def the_end_of_the_payload_ends_its_orphans(world):
    web = world.run("web", Command=["sh", "-c", "setsid sleep 100 & setsid sleep 100 & exit 3"])
    equal(web.status(), 3)
    check(not host.processes("sleep"), "no process is left")


@test
def a_frozen_instance_stands_still_and_goes_on(world):
    web = world.run("web", Command=["sh", "-c", "while :; do :; done"])
    web.freeze()
    equal((web["State"], web["SubState"]), ("RUNNING", "frozen"))
    before = web.ask("GetUsage")["CPUUsageUSec"]
    time.sleep(0.1)
    between(web.ask("GetUsage")["CPUUsageUSec"] - before, 0, 2000, "CPU time while frozen")
    web.thaw()
    equal(web["SubState"], "running")
    time.sleep(0.1)
    check(web.ask("GetUsage")["CPUUsageUSec"] - before > 10000, "it goes on after the thaw")


@test
def a_frozen_instance_can_be_stopped(world):
    web = world.run("web", Command=SLEEP)
    web.freeze()
    web.stop()
    equal(web["State"], "STOPPED")


@test
def a_payload_that_stopped_itself_can_be_stopped(world):
    web = world.run("web", Command=SLEEP)
    web.kill("main", int(signal.SIGSTOP))
    web.stop()
    equal(web["State"], "STOPPED")


@test
def a_signal_to_main_spares_the_others(world):
    script = "trap 'exit 5' TERM; sleep 100 & while :; do wait; done"
    web = world.run("web", Command=["sh", "-c", script])
    eventually(lambda: len(web.ask("GetProcesses")) == 3, "all are there")
    web.kill("main", int(signal.SIGTERM))
    equal(web.status(), 5)


@test
def a_signal_to_all_reaches_every_process_but_the_init(world):
    output = world.path("said")
    web = world.run("web", Command=[PROBE, f"--output={output}", "fork", "4"])
    eventually(lambda: world.answer("said"), "it has forked")
    pids = [row[0] for row in web.ask("GetProcesses") if row[0] != web["InitPID"]]
    equal(len(pids), 5)
    web.kill("all", int(signal.SIGUSR1))
    equal(web.wait()[1:], ("signal", os.CLD_KILLED, int(signal.SIGUSR1)))
