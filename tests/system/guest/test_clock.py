# SPDX-License-Identifier: LGPL-2.1-or-later
"""Somebody sets the clock, by decades and by moments, while the service waits for a time: nothing
happens sooner or later for it."""

import contextlib
import threading
import time

import host
from restarts import kill_daemon_for_long, start_daemon
from service import PROBE, refused
from tap import between, comment, equal, eventually, test

VM = ("vm",)
THIRTY_YEARS = 30 * 365.25 * 86400
STEPS = (THIRTY_YEARS, -THIRTY_YEARS, 0.5, -0.5, 3600, -3600, 0)
STEP_SECONDS = 0.1
LATE_SECONDS = 3.0  # of an emulated machine that does all of this at once


@contextlib.contextmanager
def jumping_clock():
    """The clock is set to another time again and again, and at the end to what it should be."""
    right = time.time() - time.monotonic()
    over = threading.Event()

    def jump():
        number = 0
        while not over.is_set():
            time.clock_settime(time.CLOCK_REALTIME,
                               right + time.monotonic() + STEPS[number % len(STEPS)])
            number += 1
            over.wait(STEP_SECONDS)
    thread = threading.Thread(target=jump)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        time.clock_settime(time.CLOCK_REALTIME, right + time.monotonic())


def starts(world, name):
    """Seconds since the boot of each start of what beats()."""
    return [float(line.split()[0]) for line in (host.read(world.path(name)) or "").splitlines()]


def beats(world, name, seconds, **settings):
    """Fails at once, and is restarted after so many seconds."""
    return world.run(name, Command=["sh", "-c", f"cat /proc/uptime >>{world.path(name)}; exit 1"],
                     Restart="on-failure", RestartUSec=int(seconds * 1e6),
                     RestartMaxDelayUSec=int(seconds * 1e6), **settings)


def expect_on_time(took, due, what):
    comment(f"{what}: {took:.3f} s where {due} s was asked for")
    between(took, due - 0.02, due + LATE_SECONDS, what)  # /proc/uptime has hundredths


def expect_restarts_on_time(world, name, seconds):
    times = starts(world, name)
    for before, after in zip(times, times[1:]):
        expect_on_time(after - before, seconds, f"{name}: the restart")


@test(beds=VM)
def everything_happens_at_its_time_whatever_the_clock_says(world):
    with jumping_clock():
        again = beats(world, "again", 1.5)
        # Decades do not pass between them, so the fourth within the minute is one too many ...
        limited = beats(world, "limited", 0.2, StartLimitBurst=3, StartLimitIntervalUSec=60000000)
        # ... and where there are two in each such time, three are never too many.
        rare = beats(world, "rare", 0.7, StartLimitBurst=2, StartLimitIntervalUSec=1000000)
        long = world.run("long", Command=["sleep", "100"], RuntimeMaxUSec=1500000)
        deaf = world.run("deaf", Command=[PROBE, f"--output={world.path('said')}", "ignore-term"],
                         TimeoutStopUSec=1500000)
        eventually(lambda: world.answer("said"), "it ignores the signal", seconds=10)
        begin = time.monotonic()
        stop, wait = deaf.begin("Stop"), again.begin("Wait", Until="final", TimeoutUSec=1000000)
        with refused("Timeout"):
            wait.result()
        expect_on_time(time.monotonic() - begin, 1, "the timeout of Wait")
        stop.result()
        expect_on_time(time.monotonic() - begin, 1.5, "TimeoutStopSec")
        equal(long.wait()[1], "timeout")
        eventually(lambda: len(starts(world, "again")) >= 3, "it is restarted twice", seconds=20)
        eventually(lambda: limited["Result"] == "start-limit", "it is given up", seconds=20)
        eventually(lambda: len(starts(world, "rare")) >= 4, "it is not given up", seconds=20)
        again.stop()
        rare.stop()
    expect_on_time((long["StoppedTimestampMonotonic"] - long["StartedTimestampMonotonic"]) / 1e6,
                   1.5, "RuntimeMaxSec")
    expect_restarts_on_time(world, "again", 1.5)
    equal((limited["State"], len(starts(world, "limited"))), ("FAILED", 4))


@test(beds=VM)
def a_restart_that_is_due_after_the_service_was_away_comes_at_its_time(world):
    with jumping_clock():
        web = beats(world, "web", 3)
        eventually(lambda: web["SubState"] == "auto-restart", "it waits for its restart")
        kill_daemon_for_long()
        start_daemon(world)
        eventually(lambda: len(starts(world, "web")) == 2, "it is restarted", seconds=20)
        world.get("web").stop()
    expect_restarts_on_time(world, "web", 3)
