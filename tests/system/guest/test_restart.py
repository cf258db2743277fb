# SPDX-License-Identifier: LGPL-2.1-or-later
"""Restarts by policy, and other things that happen to an instance in time."""

import os
import time

import host
from service import PROBE, refused
from tap import between, check, contains, equal, eventually, test

FAILS = [PROBE, "exit", "1"]
LATER = {"Restart": "on-failure", "RestartUSec": 60000000}


def waiting(world, **settings):
    """An instance that has failed and is going to be started again, in a minute."""
    web = world.create("web", Command=FAILS, **{**LATER, **settings})
    web.start()
    eventually(lambda: web["SubState"] == "auto-restart", "it waits for its restart")
    return web


@test
def what_fails_is_started_again_and_again_until_the_limit(world):
    web = world.create("web", Command=FAILS, Restart="on-failure", RestartUSec=1000,
                       StartLimitBurst=3)
    web.start()
    equal(web.wait(), (4, "start-limit", os.CLD_EXITED, 1))
    equal((web["State"], web["Restarts"]), ("FAILED", 3))


@test
def each_policy_restarts_after_the_ends_it_names(world):
    ends = {"well": ["true"], "badly": FAILS, "signal": [PROBE, "signal", "11"]}
    for policy, restarted in (("no", ()), ("on-success", ("well",)), ("always", tuple(ends)),
                              ("on-failure", ("badly", "signal")), ("on-abnormal", ("signal",))):
        for end, command in ends.items():
            web = world.run("web", Command=command, **{**LATER, "Restart": policy})
            web.wait(Until="exit")
            again = web["SubState"] == "auto-restart"
            equal(again, end in restarted, f"a restart with {policy} after {end}")
            web.destroy()


@test
def the_delay_doubles_with_each_failure(world):
    web = world.create("web", Command=FAILS, Restart="on-failure", RestartUSec=100000,
                       StartLimitBurst=3)
    begin = time.monotonic()
    web.start()
    web.wait()
    between(time.monotonic() - begin, 0.7, 2.0, "100, 200 and 400 ms")


@test
def a_stop_cancels_the_restart(world):
    web = waiting(world)
    web.stop()
    equal((web["State"], web["SubState"], web["NextRestartTimestamp"]), ("FAILED", "dead", 0))


@test
def a_start_does_not_wait_for_the_restart(world):
    web = waiting(world)
    web.start()
    equal(web["Run"], 2)


@test
def a_destroy_cancels_the_restart(world):
    waiting(world).destroy()
    equal(world.list(), [])


@test
def a_wait_for_the_exit_is_not_one_for_the_final_end(world):
    web = waiting(world)
    equal(web.wait(Until="exit"), (1, "exit-code", os.CLD_EXITED, 1))
    final = web.begin("Wait")
    time.sleep(0.05)
    check(not final.answered, "the final end is answered while a restart is pending")
    web.stop()
    equal(final.result()[1], "exit-code")


@test
def a_stopped_instance_is_not_restarted(world):
    web = world.run("web", Command=["sleep", "100"], Restart="always", RestartUSec=1000)
    web.stop()
    time.sleep(0.05)
    equal((web["State"], web["SubState"], web["Run"]), ("STOPPED", "dead", 1))


@test
def a_stop_by_systemctl_is_not_undone_by_a_restart(world):
    web = world.run("web", Command=["sleep", "100"], Restart="on-failure", RestartUSec=1000)
    host.sh("systemctl", "stop", web["Unit"])
    eventually(lambda: web["State"] == "STOPPED", "it is STOPPED")
    time.sleep(0.05)
    equal((web["State"], web["SubState"], web["Run"]), ("STOPPED", "dead", 1))


@test
def a_pending_restart_survives_a_restart_of_the_daemon(world):
    waiting(world, RestartUSec=1500000)
    host.sh("systemctl", "restart", "constellationd")
    world.reconnect()
    eventually(lambda: world.get("web")["Run"] == 2, "it is started again")


@test
def a_run_that_takes_too_long_is_ended(world):
    web = world.run("web", Command=["sleep", "100"], RuntimeMaxUSec=100000)
    equal(web.wait()[1], "timeout")
    equal(web["State"], "FAILED")


@test
def a_status_that_counts_as_success_is_one(world):
    web = world.run("web", Command=[PROBE, "exit", "3"], SuccessExitStatus="3 SIGUSR1")
    web.wait()
    equal((web["State"], web["Result"], web["ExitCode"]), ("STOPPED", "success", 3))


@test
def what_is_to_start_by_itself_is_started_after_a_reboot(world):
    world.create("web", Command=["sleep", "100"], AutoStart=True)
    equal(world.get("web")["State"], "PENDING")
    world.reboot()
    eventually(lambda: world.get("web")["State"] == "RUNNING", "it runs")


@test
def a_restart_setting_that_is_none_is_refused(world):
    for key, text in (("Restart", "sometimes"), ("RestartSec", "soon"), ("StartLimitBurst", "0"),
                      ("SuccessExitStatus", "256"), ("RuntimeMaxSec", "0")):
        with refused("InvalidArgs", f"^{key}"):
            world.create("web", [(key, text)])
    contains(world.create("web", Restart="always").all(
        "org.rads.Constellation.Settings")["Restart"], "always")
