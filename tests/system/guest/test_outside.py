# SPDX-License-Identifier: LGPL-2.1-or-later
"""Others at work: systemctl on a scope, kills of our processes, restarts of ours and of the bus."""

import os
import signal
import time

from gi.repository import GLib

import host
from bus import BusError
from service import OURS, PROBE
from tap import between, check, equal, eventually, test

SLEEP = ["sleep", "100"]
DAEMON = "constellationd.service"
LAUNCHER = "constellation-launcher.service"


def back(world, seconds=1.0):
    """Waits until the name is there again, and uses it from then on; how long it took."""
    # More restarts than systemd takes for a coincidence.
    host.sh("systemctl", "reset-failed", DAEMON, LAUNCHER, check=False)
    begin = time.monotonic()

    def answers():
        try:
            world.reconnect()
            return world.property("Version")
        except (BusError, GLib.Error):
            return None

    eventually(answers, f"the service is back after {seconds} s", seconds=seconds)
    return time.monotonic() - begin


def restart_daemon(world):
    host.sh("systemctl", "restart", DAEMON)
    back(world)


def kill_unit(unit):
    host.sh("systemctl", "kill", "--signal=KILL", "--kill-whom=main", unit)


def kill_daemon(world):
    kill_unit(DAEMON)
    back(world)


def kill_launcher(world):
    kill_unit(LAUNCHER)
    back(world)


def kill_both(world):
    kill_unit(LAUNCHER)
    kill_unit(DAEMON)
    back(world)


def restart_bus(world):
    host.sh("systemctl", "restart", "dbus.service", check=False)
    back(world, seconds=3.0)


# ---- stopped by others ---------------------------------------------------------------------------


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


# ---- restarts ------------------------------------------------------------------------------------


def remembered(web):
    return {name: web[name] for name in (
        "Id", "Name", "State", "SubState", "MainPID", "InitPID", "Run", "Unit", "Slice",
        "ControlGroup", "Backend", "Isolation", "Degraded", "CreatedTimestamp", "StartedTimestamp",
        "Owner")}


def expect_same_after(world, way):
    web = world.run("web", Command=SLEEP, Labels=["l"], Environment=["A=1"])
    before, settings = remembered(web), web.all("org.rads.Constellation.Settings")
    way(world)
    web = world.get("web")
    after = remembered(web)
    equal({key: after[key] for key in after if after[key] != before[key]}, {}, "what has changed")
    equal(web.all("org.rads.Constellation.Settings"), settings, "the settings")
    equal(web.ask("GetEnvironment"), ["A=1"])
    web.stop()
    equal((web["State"], web["Result"]), ("STOPPED", "success"))


@test
def a_restart_of_the_daemon_changes_nothing_for_what_runs(world):
    expect_same_after(world, restart_daemon)


@test
def a_kill_of_the_daemon_changes_nothing_for_what_runs(world):
    expect_same_after(world, kill_daemon)


@test
def a_kill_of_the_launcher_changes_nothing_for_what_runs(world):
    expect_same_after(world, kill_launcher)


@test
def a_kill_of_both_changes_nothing_for_what_runs(world):
    expect_same_after(world, kill_both)


@test
def what_is_frozen_stays_frozen_over_a_restart(world):
    web = world.run("web", Command=SLEEP)
    web.freeze()
    restart_daemon(world)
    web = world.get("web")
    equal((web["State"], web["SubState"]), ("RUNNING", "frozen"))
    web.thaw()
    web.stop()


def expect_ends_after(world, down, up):
    """What ended while the daemon was away is told as it was."""
    go = world.path("go")
    wait = f"until [ -e {go} ]; do sleep 0.01; done; "
    world.run("seven", Command=["sh", "-c", wait + "exit 7"])
    world.run("well", Command=["sh", "-c", wait + "exit 0"])
    world.run("signal", Command=["sh", "-c", wait + "kill -USR1 $$"])
    pids = [world.get(name)["InitPID"] for name in ("seven", "well", "signal")]
    down()
    world.write("go", "")
    eventually(lambda: not any(host.is_alive(pid) for pid in pids), "all have ended")
    up()
    back(world)
    found = {name: world.get(name) for name in ("seven", "well", "signal")}
    equal({name: (web["State"], *web.wait()[1:]) for name, web in found.items()},
          {"seven": ("FAILED", "exit-code", 1, 7), "well": ("STOPPED", "success", 1, 0),
           "signal": ("FAILED", "signal", 2, 10)})


@test
def exit_codes_from_while_the_daemon_was_stopped_are_right(world):
    expect_ends_after(world, lambda: host.sh("systemctl", "stop", DAEMON),
                      lambda: host.sh("systemctl", "start", DAEMON))


@test
def exit_codes_from_while_daemon_and_launcher_were_stopped_are_right(world):
    expect_ends_after(world, lambda: host.sh("systemctl", "stop", DAEMON, LAUNCHER),
                      lambda: host.sh("systemctl", "start", DAEMON))


@test
def a_created_instance_is_there_after_a_restart_and_a_destroyed_one_is_not(world):
    world.create("kept", Command=SLEEP)
    world.create("gone", Command=SLEEP).destroy()
    world.run("ran", Command=[PROBE, "exit", "5"]).wait()
    restart_daemon(world)
    equal(world.list(), ["kept", "ran"])
    equal(world.get("ran")["ExitCode"], 5)
    world.get("kept").start()
    equal(world.get("kept")["Run"], 1)


@test
def a_created_instance_survives_a_reboot_and_a_run_one_does_not(world):
    world.create("kept", Command=SLEEP)
    world.get("kept").start()
    world.get("kept").stop()
    world.run("transient", Command=["true"]).wait()
    world.reboot()
    equal(world.list(), ["kept"])
    equal((world.get("kept")["State"], world.get("kept")["Run"]), ("STOPPED", 1))


@test
def a_damaged_file_is_set_aside_and_hinders_nobody(world):
    world.run("web", Command=SLEEP)
    host.sh("systemctl", "stop", DAEMON)
    broken = "/run/constellation/instances/i0123456789abc.instance"
    with open(broken, "w", encoding="utf-8") as file:
        file.write("\0garbage")
    host.sh("systemctl", "start", DAEMON)
    back(world)
    equal((world.list(), world.get("web")["State"]), (["web"], "RUNNING"))
    equal(world.property("Quarantined"), [os.path.basename(broken) + ".bad"])
    os.unlink(broken + ".bad")


@test
def starts_under_way_during_a_kill_of_the_launcher_all_get_their_answer(world):
    calls = [world.begin_run(f"web-{n}", Command=SLEEP) for n in range(20)]
    kill_unit(LAUNCHER)
    outcomes = []
    for call in calls:
        try:
            call.result()
            outcomes.append("ok")
        except BusError as error:
            outcomes.append(error.name)
    check(set(outcomes) <= {"ok", OURS + "SpawnFailed"}, f"the outcomes are {outcomes}")
    equal(world.run("last", Command=[PROBE, "exit", "2"]).status(), 2)


@test
def starts_under_way_during_a_kill_of_the_daemon_leave_no_halves(world):
    for n in range(20):
        world.begin_run(f"web-{n}", Command=SLEEP)
    kill_daemon(world)
    states = {name: world.get(name)["State"] for name in world.list()}
    check(set(states.values()) <= {"PENDING", "RUNNING", "FAILED", "STOPPED"}, f"{states}")
    running = [name for name, state in states.items() if state == "RUNNING"]
    eventually(lambda: len(host.inits()) == len(running),
               lambda: f"there is an init for each that runs: {host.inits()} for {states}")
    for name in running:
        check(host.is_alive(world.get(name)["MainPID"]), f"{name} has a payload")


# ---- the bus -------------------------------------------------------------------------------------


@test
def a_restart_of_the_bus_ends_nothing_and_the_name_is_back_soon(world):
    web = world.run("web", Command=SLEEP)
    before, daemon = remembered(web), world.pid()
    host.sh("systemctl", "restart", "dbus.service", check=False)
    between(back(world, seconds=3.0), 0, 1.0, "the time until the name is back")
    equal(remembered(world.get("web")), before)
    equal(host.unit_pid(DAEMON), daemon, "the daemon")


@test
def after_a_restart_of_the_bus_everything_works_as_before(world):
    world.run("web", Command=SLEEP)
    restart_bus(world)
    web = world.get("web")
    signals = world.signals()
    web.stop()
    eventually(lambda: len(signals.of("StateChanged", web.path)) == 2, "the signals come")
    web.start()
    host.sh("systemctl", "stop", web["Unit"])
    expect_stopped_outside(web)
