# SPDX-License-Identifier: LGPL-2.1-or-later
"""A thousand starts, while systemd and the bus are reloaded, re-executed and restarted under them."""

import subprocess
import threading
import time

import host
from bus import BusError, dictionary, in_parallel
from restarts import DAEMON, back
from service import INSTANCE, PROBE
from tap import between, check, comment, count, equal, eventually, test

AT_ONCE = 32
STUCK_SECONDS = 10.0  # for one start, whatever goes on


class Upheaval(threading.Thread):
    """Does these commands one after the other, with a pause between, until it has done all."""

    def __init__(self, commands, pause=0.0):
        super().__init__()
        self.commands, self.pause, self.done, self.failed = commands, pause, 0, []

    def run(self):
        for command in self.commands:
            # Of a bus that goes away systemctl may not get its answer.
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
            if done.returncode != 0:
                self.failed.append(f"{' '.join(command)}: {done.stderr}")
            self.done += 1
            time.sleep(self.pause)


class Starts:
    """Starts that are under way, and what became of each."""

    def __init__(self, world):
        self.world, self.calls, self.number = world, [], 0
        self.running, self.failed, self.slowest = [], [], 0.0

    def begin(self):
        self.number += 1
        name = f"web-{self.number}"
        ends = self.number % 4 == 0
        call = self.world.begin_run(name, Command=[PROBE, "exit", "0"] if ends else
                                    ["sleep", "1000"])
        self.calls.append((name, time.monotonic(), call))

    def finish(self, name, begun, call):
        try:
            path = call.result()
        except BusError as error:
            check(error.text, f"{name}: {error.name} without a reason")
            self.failed.append((name, str(error)))
        else:
            self.running.append((name, path))
        self.slowest = max(self.slowest, time.monotonic() - begun)
        check(self.slowest < STUCK_SECONDS, f"{name} took {self.slowest:.1f} s")

    def do(self, total):
        while self.number < total or self.calls:
            while self.number < total and len(self.calls) < AT_ONCE:
                self.begin()
            self.finish(*self.calls.pop(0))

    def clear_away(self):
        for name, path in self.running:
            state = self.world.property("State", path, INSTANCE)
            expected = ("STOPPED",) if int(name.split("-")[1]) % 4 == 0 else ("RUNNING",)
            check(state in (*expected, "RUNNING"), f"{name} is {state}")
        self.destroy([path for _, path in self.running])
        self.running = []

    def destroy(self, paths):
        in_parallel(paths, lambda path: self.world.call(path, INSTANCE, "Destroy",
                                                        dictionary({"Force": True})))


def expect_none_stuck(world, upheaval, total):
    daemon = world.pid()
    starts = Starts(world)
    upheaval.start()
    # In groups, so that there are never more than some hundred at a time.
    while starts.number < total or upheaval.is_alive():
        starts.do(min(starts.number + 200, max(total, starts.number + 50)))
        starts.clear_away()
    upheaval.join()
    equal(upheaval.failed, [])
    comment(f"{starts.number} starts, {len(starts.failed)} refused, the slowest in "
            f"{starts.slowest:.2f} s; {upheaval.done} times {' '.join(upheaval.commands[0])}")
    for name, error in starts.failed[:3]:
        comment(f"{name}: {error}")
    equal(world.list(), [])
    equal(world.pid(), daemon, "the daemon")
    eventually(lambda: not world.left(), lambda: f"left: {world.left()[:10]}", seconds=15)


@test
def reloads_of_systemd_during_starts_leave_none_stuck(world):
    expect_none_stuck(world, Upheaval([["systemctl", "daemon-reload"]] * (count(100) // 10)),
                      count(100))


@test
def re_executions_of_systemd_during_starts_leave_none_stuck(world):
    expect_none_stuck(world, Upheaval([["systemctl", "daemon-reexec"]] * max(count(100) // 50, 2),
                                      pause=0.2), count(100))


@test
def restarts_of_the_bus_under_load_leave_everything_running(world):
    kept = [world.run(f"kept-{number}", Command=["sleep", "1000"]) for number in range(20)]
    before = [(one["MainPID"], one["Run"]) for one in kept]
    daemon, slowest = world.pid(), 0.0
    for round_number in range(20 if count(1) > 1 else 3):
        calls = [world.begin_run(f"web-{round_number}-{number}", Command=["sleep", "1000"])
                 for number in range(AT_ONCE)]
        # It is restarted more often than systemd lets pass.
        host.sh("systemctl", "reset-failed", "dbus.service", "dbus.socket", check=False)
        host.sh("systemctl", "restart", "dbus.service", check=False)
        slowest = max(slowest, back(world, seconds=3.0))
        for call in calls:
            try:
                call.result()
            except BusError as error:
                check(error.text, f"{error.name} without a reason")
        # What was under way goes on, and is there, or nothing of it is.
        eventually(lambda: not world.list(State="STARTING"), "no start goes on",
                   seconds=STUCK_SECONDS)
        names = [name for name in world.list() if name.startswith("web-")]
        equal({world.get(name)["State"] for name in names} - {"RUNNING"}, set(), "their states")
        for name in names:
            world.get(name).destroy(Force=True)
    comment(f"the name was back after {slowest:.2f} s at most")
    between(slowest, 0, 1.0, "the time until the name is back")
    equal([(one["MainPID"], one["Run"]) for one in
           (world.get(f"kept-{number}") for number in range(20))], before, "those that ran before")
    equal(host.unit_pid(DAEMON), daemon, "the daemon")
