# SPDX-License-Identifier: LGPL-2.1-or-later
"""What runs and what ended meanwhile, when the service, its launcher or the bus comes back."""

import os
import signal
import time

from gi.repository import GLib

import host
from bus import BusError, Call, connect
from restarts import (DAEMON, LAUNCHER, back, kill_both, kill_daemon, kill_daemon_for_long,
                      kill_launcher, kill_unit, restart_bus, restart_daemon, start_daemon)
from service import NAME, OURS, PROBE, refused
from tap import between, check, equal, eventually, test

SLEEP = ["sleep", "100"]


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
def a_damaged_record_hides_nothing_that_runs_and_tells_how_that_ends(world):
    for damage in (b"", b"noise", bytes(600)):
        script = "trap 'exit 7' TERM; while :; do sleep 0.01; done"
        web = world.run("web", Command=["sh", "-c", script])
        pid, identity = web["MainPID"], os.path.basename(web.path)
        kill_daemon_for_long()
        with open(f"/run/constellation/records/{identity}_1", "r+b") as record:
            record.truncate()
            record.write(damage)
        start_daemon(world)
        web = world.get("web")
        equal((web["State"], web["MainPID"]), ("RUNNING", pid), f"{damage[:5]}")
        web.kill("main", int(signal.SIGTERM))
        equal(web.wait(), (1, "exit-code", os.CLD_EXITED, 7))
        web.destroy()


@test
def what_runs_is_seen_though_its_file_and_its_record_are_damaged(world):
    web = world.run("web", Command=SLEEP)
    pid, identity = web["MainPID"], os.path.basename(web.path)
    kill_daemon_for_long()
    os.truncate(f"/run/constellation/records/{identity}_1", 0)
    os.unlink(f"/run/constellation/instances/{identity}.instance")
    start_daemon(world)
    lost, = world.instances()
    equal((lost["State"], lost["Id"], lost["MainPID"]), ("UNKNOWN", identity, pid))
    lost.stop()
    check(not host.is_alive(pid), "it can be stopped")


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
    # The bus hands what had not arrived yet to the next daemon.
    eventually(lambda: not world.list(State="STARTING"), "no start goes on")
    states = {name: world.get(name)["State"] for name in world.list()}
    equal(set(states.values()) - {"RUNNING"}, set(), "what is left of runs that nobody was told of")
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
def starts_under_way_during_a_restart_of_the_bus_all_get_their_scope(world):
    for n in range(40):
        world.begin_run(f"web-{n}", Command=SLEEP)
    eventually(lambda: host.scopes(), "systemd is at work")
    restart_bus(world)
    eventually(lambda: not world.list(State="STARTING"), "no start goes on", seconds=10)
    webs = world.instances()
    check(len(webs) > 0, "some calls were heard")
    equal({(web["State"], web["Backend"]) for web in webs}, {("RUNNING", "scope")})


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
    eventually(lambda: web["State"] == "STOPPED", "it is STOPPED", seconds=0.5)
    equal(web["Result"], "stopped-outside")


@test
def a_bus_that_answers_late_does_not_keep_the_service_from_its_name(world):
    bus, other = host.unit_pid("dbus.service"), connect()
    host.sh("systemctl", "stop", DAEMON)
    Call(other, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
         "RequestName", (GLib.Variant("s", NAME), GLib.Variant("u", 4))).result()
    host.sh("systemctl", "start", "--no-block", DAEMON)
    time.sleep(0.4)  # it has been refused the name, and asks again and again
    os.kill(bus, signal.SIGSTOP)
    other.close_sync(None)
    time.sleep(2.2)  # it gave up one answer, and waits for the next
    os.kill(bus, signal.SIGCONT)
    back(world)
    eventually(lambda: host.sh("systemctl", "show", "--property=ActiveState", "--value",
                               DAEMON) == "active\n", "the unit is started")
    world.run("web", Command=SLEEP).stop()


# ---- UNKNOWN -------------------------------------------------------------------------------------


def unknown(world):
    """What runs, and of which the service has lost all but the record."""
    web = world.run("web", Command=SLEEP)
    host.sh("systemctl", "stop", "constellationd.service")
    os.unlink(f"/run/constellation/instances/{os.path.basename(web.path)}.instance")
    host.sh("systemctl", "start", "constellationd.service")
    world.reconnect()
    lost, = world.instances()
    equal((lost["State"], lost["Id"]), ("UNKNOWN", os.path.basename(web.path)))
    return lost


@test
def what_runs_and_was_forgotten_is_shown_as_unknown_with_its_processes(world):
    lost = unknown(world)
    equal(lost["Name"], f"lost-{lost['Id']}")
    equal(host.read(f"/proc/{lost['MainPID']}/comm"), "sleep\n")


@test
def unknown_refuses_everything_but_stop_and_destroy_by_force(world):
    lost = unknown(world)
    for method in ("Start", "Restart", "Destroy", "Freeze", "Thaw"):
        with refused("InvalidState", f"'{lost['Name']}' while it is UNKNOWN"):
            lost.begin(method).result()
    with refused("InvalidState", "while it is UNKNOWN"):
        lost.kill()


@test
def what_is_unknown_can_be_stopped_and_destroyed(world):
    lost = unknown(world)
    pid = lost["MainPID"]
    lost.stop()
    equal(lost["State"], "STOPPED")
    check(not host.is_alive(pid), "the payload is gone")
    lost.destroy()
    unknown(world).destroy(Force=True)
    equal(world.list(), [])
