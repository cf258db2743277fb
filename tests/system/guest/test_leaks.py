# SPDX-License-Identifier: LGPL-2.1-or-later
"""A thousand instances, and nothing to show for it."""

import time

import host
from bus import dictionary, in_parallel
from service import INSTANCE
from tap import between, comment, count, equal, eventually, test

def lives(world, count, **settings):
    """Create, start, stop and destroy so many."""
    names = [f"web-{number}" for number in range(count)]
    paths = in_parallel(names, lambda name: world.begin_run(name, Command=["sleep", "100"],
                                                            **settings))
    equal(len(world.list(State="RUNNING")), count)
    on_all(world, paths, "Stop")
    equal(len(world.list(State="STOPPED")), count)
    on_all(world, paths, "Destroy")
    equal(world.list(), [])


def on_all(world, paths, method):
    in_parallel(paths, lambda path: world.call(path, INSTANCE, method, dictionary({})))


def settled(world):
    """Whatever goes on after the last answer is over."""
    eventually(lambda: not world.left(), lambda: f"left: {world.left()[:10]}", seconds=10)


@test
def a_thousand_instances_leave_no_trace_and_cost_no_memory(world):
    hundreds = count(1000) // 100
    # It takes this long until the heap has found its shape.
    for _ in range(25):
        lives(world, 100)
    settled(world)
    pid = world.pid()
    fds, rss = host.fds(pid), host.rss_kib(pid)
    begin = time.monotonic()
    for _ in range(hundreds):
        lives(world, 100)
    settled(world)
    comment(f"{hundreds}00 lives in {time.monotonic() - begin:.1f} s, RSS {rss} then "
            f"{host.rss_kib(pid)} KiB")
    equal(world.pid(), pid, "the daemon's pid")
    equal(host.fds(pid), fds, "its open files")
    between(host.rss_kib(pid) - rss, -100000, 256, "the growth of its RSS in KiB")
    equal([entry for entry in host.processes("sleep") if host.is_alive(entry)], [])
