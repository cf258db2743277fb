# SPDX-License-Identifier: LGPL-2.1-or-later
"""Payloads that do not want to end, and machines that do not let them."""

import contextlib
import os
import time

import host
from service import PROBE
from tap import TRIAL_COUNT, between, check, comment, count, equal, eventually, test

VM = ("vm",)
TIMEOUT_USEC = 300000
# Of a machine where other tests run beside; an idle one takes a tenth of a second.
SLACK_SECONDS = 1.0 if TRIAL_COUNT else 3.0


def expect_gone_at_timeout(world, verb, before=None, slack=SLACK_SECONDS, **settings):
    """Stops what runs the probe with this verb, and looks that nothing is left when it should."""
    output = world.path("said")
    web = world.run("web", Command=[PROBE, f"--output={output}", *verb],
                    TimeoutStopUSec=TIMEOUT_USEC, **settings)
    eventually(lambda: world.answer("said"), "it has begun", seconds=20)
    if before:
        before(web)
    pids = [row[0] for row in web.ask("GetProcesses")]
    begin = time.monotonic()
    web.stop()
    took = time.monotonic() - begin
    comment(f"{len(pids)} processes were gone after {took:.3f} s")
    equal([pid for pid in pids if host.is_alive(pid)], [])
    equal((web["State"], web["Result"]), ("STOPPED", "timeout"))
    between(took, TIMEOUT_USEC / 1e6, TIMEOUT_USEC / 1e6 + slack, "the time of the stop")
    web.destroy()
    os.unlink(output)


@test
def a_thousand_processes_that_ignore_sigterm_are_gone_at_the_timeout(world):
    for settings in ({}, {"PIDNamespace": "off"}, {"Backend": "cgroup"}):
        expect_gone_at_timeout(world, ["fork", str(count(1000)), "stubborn"], **settings)


@test
def without_any_cgroup_they_are_gone_at_the_timeout_too(world):
    for settings in ({}, {"PIDNamespace": "off"}):
        expect_gone_at_timeout(world, ["fork", "200", "stubborn"], Backend="monitor", **settings)


@test
def what_stops_itself_again_and_again_is_gone_at_the_timeout(world):
    for settings in ({}, {"PIDNamespace": "off"}, {"Backend": "monitor"}):
        expect_gone_at_timeout(world, ["stand-still"], **settings)


@test
def what_is_frozen_and_ignores_sigterm_is_gone_at_the_timeout(world):
    for settings in ({}, {"PIDNamespace": "off"}, {"Backend": "cgroup"}):
        expect_gone_at_timeout(world, ["fork", "50", "stubborn"], before=lambda web: web.freeze(),
                               **settings)


@test(beds=VM)
def a_fork_bomb_stays_within_its_limit_hinders_nobody_and_can_be_stopped(world):
    def burns(web):
        eventually(lambda: web.ask("GetUsage")["TasksCurrent"] == 100, "it is at its limit", 30)
        equal(world.probe("exit", "3")["status"], 3)  # others start and end meanwhile

    for rung in ("scope", "cgroup"):
        expect_gone_at_timeout(world, ["fork-bomb"], before=burns, slack=5, TasksMax=100,
                               Backend=rung)


# ---- uninterruptible sleep -----------------------------------------------------------------------


@contextlib.contextmanager
def frozen_disk(world):
    """The path of a file on a file system that can be frozen, and the function that thaws it."""
    image, where = world.path("image"), world.path("disk")
    os.mkdir(where)
    host.sh("modprobe", "loop")
    host.sh("truncate", "--size=16M", image)
    host.sh("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", image)
    host.sh("mount", "-o", "loop", image, where)
    try:
        yield f"{where}/file", lambda freeze: host.sh("fsfreeze", "-f" if freeze else "-u", where)
    finally:
        host.sh("umount", where)


def expect_unkillable_is_told(world, **settings):
    with frozen_disk(world) as (file, freeze):
        web = world.run("web", Command=["sh", "-c", f"while :; do echo >{file}; done"],
                        TimeoutStopUSec=TIMEOUT_USEC, **settings)
        eventually(lambda: os.path.exists(file), "it writes")
        freeze(True)
        try:
            expect_told_and_the_rest_works(world, web)
        finally:
            freeze(False)
        web.wait()
        equal((web["State"], web["SubState"], web["Result"]), ("STOPPED", "dead", "timeout"))
        web.destroy()
    os.rmdir(world.path("disk"))


def expect_told_and_the_rest_works(world, web):
    pid = web["MainPID"]
    eventually(lambda: (host.read(f"/proc/{pid}/stat") or "").split(") ")[-1][:1] == "D",
               "it is in uninterruptible sleep")
    begin = time.monotonic()
    stop = web.begin("Stop")
    eventually(lambda: web["SubState"] == "stop-sigkill", "SIGKILL was sent", 5)
    between(time.monotonic() - begin, TIMEOUT_USEC / 1e6, 2, "the time until SIGKILL")
    killed = time.monotonic()
    eventually(lambda: web["SubState"] == "unkillable", "it is told", seconds=5)
    comment(f"told {time.monotonic() - killed:.2f} s after SIGKILL: {web['StatusText']}")
    between(time.monotonic() - killed, 0, 0.2 + SLACK_SECONDS, "the time until it is told")
    check("uninterruptible sleep" in web["StatusText"] and str(pid) in web["StatusText"],
          web["StatusText"])
    equal(web["State"], "STOPPING")
    equal(world.probe("exit", "3")["status"], 3)
    check(not stop.answered and host.is_alive(pid), "the stop goes on")


@test(beds=VM)
def what_sleeps_uninterruptibly_is_told_as_unkillable_and_ends_after_the_thaw(world):
    expect_unkillable_is_told(world)


@test(beds=VM)
def it_is_told_without_a_pid_namespace_too(world):
    expect_unkillable_is_told(world, PIDNamespace="off")


@test(beds=VM)
def it_is_told_on_the_cgroup_rung_too(world):
    expect_unkillable_is_told(world, Backend="cgroup")
