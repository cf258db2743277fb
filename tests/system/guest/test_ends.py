# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every way in which a payload can end, told exactly: while the service looks on, and while there
is none."""

import os
import signal

import host
from bus import in_parallel
from restarts import kill_daemon_for_long, start_daemon
from service import PROBE
from tap import TRIAL_COUNT, equal, eventually, test

BEDS = ("container", "vm")
# By default they stop a process, wake it up, or do nothing at all.
HARMLESS = {signal.SIGCHLD, signal.SIGCONT, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN,
            signal.SIGTTOU, signal.SIGURG, signal.SIGWINCH}
SIGNALS = [number for number in range(1, 65) if number not in HARMLESS]

# name -> what the probe is told, and (state, result, code, signal)
ALL_ENDS = {"exit-0": (["exit", "0"], ("STOPPED", "success", 0, 0))}
ALL_ENDS |= {f"exit-{code}": (["exit", str(code)], ("FAILED", "exit-code", code, 0))
         for code in range(1, 256)}
ALL_ENDS |= {f"signal-{number}": (["signal", str(number)], ("FAILED", "signal", -1, number))
         for number in SIGNALS}
# The emulated machine takes half a minute for all of them.
ENDS = {name: end for number, (name, end) in enumerate(ALL_ENDS.items())
        if os.environ["CONSTELLATION_BED"] != "vm" or TRIAL_COUNT or number % 13 == 0}


def told(world, name):
    everything = world.get(name).all()
    return tuple(everything[key] for key in ("State", "Result", "ExitCode", "ExitSignal"))


def expect_all_told(world):
    eventually(lambda: not world.list(State="RUNNING"), "all have ended", seconds=20)
    wrong = {name: (told(world, name), expected) for name, (_, expected) in ENDS.items()
             if told(world, name) != expected}
    equal(wrong, {}, "what is told, and what should be")


def expect_waits_told(world):
    """What Wait says of them: run, result, CLD_ code, status."""
    waits = in_parallel(ENDS, lambda name: world.get(name).begin("Wait"), 16)
    for (name, (_, (_, result, code, number))), wait in zip(ENDS.items(), waits):
        equal(wait[:2], (1, result), name)
        equal((wait[2] == os.CLD_EXITED, wait[3]), (number == 0, number or code), name)


def expect_exact(world, **settings):
    in_parallel(ENDS, lambda name: world.begin_run(name, Command=[PROBE, *ENDS[name][0]],
                                                   **settings))
    expect_all_told(world)
    expect_waits_told(world)


def expect_exact_after_downtime(world, **settings):
    gate = world.path("gate")
    os.mkfifo(gate)
    in_parallel(ENDS, lambda name: world.begin_run(
        name, Command=["sh", "-c", f'read line <{gate}; exec "$@"', "sh", PROBE, *ENDS[name][0]],
        **settings))
    equal(len(world.list(State="RUNNING")), len(ENDS), "those that run")
    kill_daemon_for_long()
    writing = os.open(gate, os.O_RDWR)
    os.write(writing, b"\n" * len(ENDS))  # a line for each
    eventually(lambda: not any(host.is_alive(pid) for pid in host.inits()), "all have ended",
               seconds=20)
    os.close(writing)
    start_daemon(world)
    expect_all_told(world)
    expect_waits_told(world)


@test(beds=BEDS)
def every_exit_status_and_signal_is_told_exactly(world):
    expect_exact(world)


@test
def every_exit_status_and_signal_is_told_exactly_without_a_pid_namespace(world):
    expect_exact(world, PIDNamespace="off")


@test
def every_exit_status_and_signal_is_told_exactly_on_the_cgroup_rung(world):
    expect_exact(world, Backend="cgroup")


@test(beds=BEDS)
def what_ended_while_the_service_was_killed_is_told_exactly(world):
    expect_exact_after_downtime(world)


@test
def what_ended_meanwhile_without_a_pid_namespace_is_told_exactly(world):
    expect_exact_after_downtime(world, PIDNamespace="off")
