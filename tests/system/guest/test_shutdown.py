# SPDX-License-Identifier: LGPL-2.1-or-later
"""The end of the service and of the machine: who is stopped, in which order, and what is known of
it afterwards."""

import contextlib
import os
import signal
import time

import host
from restarts import DAEMON, kill_daemon
from service import PROBE
from tap import between, check, equal, eventually, test

SLEEP = ["sleep", "100"]
CONFIG = "/etc/constellation/constellation.conf"
SLOW = ["sh", "-c", "trap 'sleep 1; exit 0' TERM; while :; do sleep 0.05; done"]


@contextlib.contextmanager
def configured(world, *lines):
    """The service with this configuration."""
    os.makedirs(os.path.dirname(CONFIG), exist_ok=True)
    with open(CONFIG, "w", encoding="utf-8") as file:
        file.write("\n".join(["[Constellation]", *lines, ""]))
    try:
        host.sh("systemctl", "restart", DAEMON)
        world.reconnect()
        yield
    finally:
        os.unlink(CONFIG)
        host.sh("systemctl", "restart", DAEMON)
        world.reconnect()


def end_and_begin(world, while_down=lambda: None):
    """The time that the end took."""
    begin = time.monotonic()
    host.sh("systemctl", "stop", DAEMON, seconds=60)
    took = time.monotonic() - begin
    while_down()
    equal(host.sh("systemctl", "show", "--property=Result", "--value", DAEMON).strip(), "success")
    host.sh("systemctl", "start", DAEMON)
    world.reconnect()
    return took


def status_text():
    return host.sh("systemctl", "show", "--property=StatusText", "--value", DAEMON).strip()


def machine_goes_down(world):
    """All that a shutdown does to us, in one transaction as there; then the boot."""
    host.sh("systemctl", "stop", "constellation.slice", DAEMON, "constellation-launcher.service",
            "constellation-launcher.socket", seconds=60)
    world.reboot()


@test
def the_status_says_how_many_run(world):
    world.run("one", Command=SLEEP)
    world.run("two", Command=SLEEP)
    three = world.run("three", Command=["false"])
    three.wait()
    eventually(lambda: status_text() == "Running 2 of 3 instances; 1 failed", status_text)
    world.get("one").stop()
    eventually(lambda: status_text() == "Running 1 of 3 instances; 1 failed", status_text)


@test
def instances_are_left_where_nothing_is_said(world):
    web = world.run("web", Command=SLEEP)
    pid = web["MainPID"]
    end_and_begin(world, lambda: check(host.is_alive(pid), "it runs without the service"))
    equal((world.get("web")["State"], world.get("web")["MainPID"]), ("RUNNING", pid))


@test
def with_on_shutdown_stop_all_are_stopped_side_by_side(world):
    with configured(world, "OnShutdown=stop"):
        names = [f"web-{n}" for n in range(5)]
        pids = [world.run(name, Command=SLOW, Restart="always")["MainPID"] for name in names]

        def all_gone():
            equal([pid for pid in pids if host.is_alive(pid)], [], "who lives")

        between(end_and_begin(world, all_gone), 0.9, 4, "the time of the end")
        for name in names:
            web = world.get(name)
            equal((web["State"], web["Result"], web["ExitCode"], web["Run"]),
                  ("STOPPED", "success", 0, 1))


@test
def the_end_takes_as_long_as_the_timeouts_of_the_instances(world):
    drop_in = "/run/systemd/system/constellationd.service.d"
    os.makedirs(drop_in, exist_ok=True)
    with open(f"{drop_in}/short.conf", "w", encoding="utf-8") as file:
        file.write("[Service]\nTimeoutStopSec=1s\n")
    host.sh("systemctl", "daemon-reload")
    try:
        with configured(world, "OnShutdown=stop"):
            output = world.path("said")
            world.run("web", Command=[PROBE, f"--output={output}", "ignore-term"],
                      TimeoutStopUSec=3000000)
            eventually(lambda: world.answer("said"), "it ignores the signal")
            between(end_and_begin(world), 3, 6, "the time of the end")
            web = world.get("web")
            equal((web["State"], web["Result"], web["ExitSignal"]), ("STOPPED", "timeout", 9))
    finally:
        os.unlink(f"{drop_in}/short.conf")
        host.sh("systemctl", "daemon-reload")


@test
def what_was_stopped_with_the_service_comes_back_with_it_if_it_starts_by_itself(world):
    with configured(world, "OnShutdown=stop"):
        for name, auto in (("auto", True), ("manual", False), ("stopped", True)):
            world.create(name, Command=SLEEP, AutoStart=auto).start()
        world.get("stopped").stop()
        end_and_begin(world)
        eventually(lambda: world.get("auto")["State"] == "RUNNING", "it runs again")
        equal((world.get("auto")["Run"], world.get("manual")["State"],
               world.get("stopped")["State"]), (2, "STOPPED", "STOPPED"))


@test
def a_restart_that_is_pending_is_called_off_with_the_service(world):
    with configured(world, "OnShutdown=stop"):
        web = world.run("web", Command=["false"], Restart="always", RestartUSec=1000000)
        eventually(lambda: web["SubState"] == "auto-restart", "a restart is pending")
        end_and_begin(world)
        time.sleep(1.2)
        web = world.get("web")
        equal((web["State"], web["SubState"], web["Run"]), ("FAILED", "dead", 1))


@test
def a_shutdown_of_the_machine_stops_them_before_the_service(world):
    endings = {"plain": ({"Command": SLEEP}, ("STOPPED", "stopped-outside")),
               "slow": ({"Command": SLOW}, ("STOPPED", "stopped-outside")),
               "stubborn": ({"Command": [PROBE, "ignore-term"], "TimeoutStopUSec": 500000},
                            ("STOPPED", "stopped-outside")),
               "by-int": ({"Command": SLEEP, "KillSignal": "SIGINT"},
                          ("STOPPED", "stopped-outside")),
               "always": ({"Command": SLEEP, "Restart": "always"}, ("STOPPED", "stopped-outside")),
               "direct": ({"Command": SLEEP, "Backend": "cgroup"}, ("STOPPED", "stopped-outside"))}
    for name, (settings, _) in endings.items():
        world.create(name, **settings).start()
    world.create("auto", Command=SLEEP, AutoStart=True).start()
    machine_goes_down(world)
    for name, (_, expected) in endings.items():
        web = world.get(name)
        equal((web["State"], web["Result"]), expected, name)
    eventually(lambda: world.get("auto")["State"] == "RUNNING", "AutoStart= begins")
    equal(world.get("auto")["Run"], 2)


@test
def the_watchdog_ends_a_service_that_hangs_and_instances_live(world):
    drop_in = "/run/systemd/system/constellationd.service.d"
    os.makedirs(drop_in, exist_ok=True)
    with open(f"{drop_in}/watchdog.conf", "w", encoding="utf-8") as file:
        file.write("[Service]\nWatchdogSec=1s\n")
    host.sh("systemctl", "daemon-reload")
    try:
        kill_daemon(world)  # the new limit holds from the next start on
        web = world.run("web", Command=SLEEP)
        payload, daemon = web["MainPID"], world.pid()
        os.kill(daemon, signal.SIGSTOP)
        eventually(lambda: host.unit_pid(DAEMON) not in (0, daemon), "systemd has restarted it",
                   seconds=10)
        world.reconnect()
        equal((world.get("web")["State"], world.get("web")["MainPID"]), ("RUNNING", payload))
    finally:
        os.unlink(f"{drop_in}/watchdog.conf")
        host.sh("systemctl", "daemon-reload")
        kill_daemon(world)


@test
def a_stop_goes_on_with_its_own_time_and_signal_after_a_kill_of_the_service(world):
    script = f"trap '' INT; echo ready=1 >{world.path('said')}; while :; do sleep 0.05; done"
    web = world.run("web", Command=["sh", "-c", script], TimeoutStopUSec=60000000)
    eventually(lambda: world.answer("said"), "it ignores the signal")
    begin = time.monotonic()
    web.stop(Signal=int(signal.SIGINT), TimeoutUSec=2000000, NoWait=True)
    kill_daemon(world)
    web = world.get("web")
    equal(web["State"], "STOPPING")
    eventually(lambda: web["State"] == "STOPPED", "it is STOPPED", seconds=5)
    between(time.monotonic() - begin, 1.9, 3.0, "the time of the stop")
    equal((web["Result"], web["ExitSignal"]), ("timeout", 9))


@test
def the_limit_on_starts_counts_over_a_kill_of_the_service(world):
    web = world.run("web", Command=["sh", "-c", "sleep 0.2; exit 1"], Restart="always",
                    RestartUSec=1000, RestartMaxDelayUSec=1000, StartLimitBurst=4,
                    StartLimitIntervalUSec=60000000)
    for _ in range(3):
        kill_daemon(world)
        web = world.get("web")
    eventually(lambda: web["Result"] == "start-limit", "it is given up", seconds=10)
    equal(web["Run"], 5)
