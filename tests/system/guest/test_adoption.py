# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many instances that run on while the service is killed: taken back at once, and none of them
notices."""

import os

import host
from bus import dictionary, in_parallel
from restarts import kill_daemon_for_long, start_daemon
from service import INSTANCE, PROBE
from tap import TRIAL_COUNT, between, comment, count, equal, eventually, test

KILLS = 3
BUSY_SECONDS = 3.0  # where other tests run beside


def lives(pid):
    """What tells a process from every other one that will ever have its number."""
    return (host.read(f"/proc/{pid}/stat") or "").rpartition(") ")[2].split()[19:20]


@test
def those_that_run_are_taken_back_at_once_and_hear_nothing_of_it(world):
    number = count(300)
    names = [f"web-{n:05}" for n in range(number)]
    said = world.path("said")  # of all of them: a line each, and one for every signal
    paths = in_parallel(names, lambda name: world.begin_run(
        name, Command=[PROBE, f"--output={said}", "tell-signals"]))
    pids = [world.property("MainPID", path, INSTANCE) for path in paths]
    eventually(lambda: len((host.read(said) or "").splitlines()) == number, "all listen", 20)
    before = [lives(pid) for pid in pids]
    slowest = busiest = 0.0
    for _ in range(KILLS):
        kill_daemon_for_long()
        slowest = max(slowest, start_daemon(world))
        busiest = max(busiest, host.cpu_seconds(world.pid()))
        equal(len(world.list(State="RUNNING")), number, "those that run")
    comment(f"{number} were taken back in {slowest:.2f} s at most, from systemctl start to the "
            f"first answer, with {busiest:.2f} s of a processor")
    between(slowest, 0, 1.0 if TRIAL_COUNT else BUSY_SECONDS, "the time until they were taken back")
    equal([world.property("MainPID", path, INSTANCE) for path in paths], pids, "their processes")
    equal([lives(pid) for pid in pids], before, "when these began")
    equal(set(host.read(said).splitlines()), {"listening=1"}, "what they have heard")
    in_parallel(paths, lambda path: world.call(path, INSTANCE, "Destroy",
                                               dictionary({"Force": True})))
    os.unlink(said)
    eventually(lambda: not world.left(), lambda: f"left: {world.left()[:10]}", seconds=15)
