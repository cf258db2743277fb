# SPDX-License-Identifier: LGPL-2.1-or-later
"""What instances write: in the journal where there is one, else in a log of bounded size."""

import os
import signal
import subprocess
import time

from gi.repository import GLib

import host
from journal import sync, without_journald
from restarts import kill_daemon, kill_launcher
from service import Service, refused
from tap import between, check, contains, equal, eventually, test
from world import SYSTEM_BUS, UIDS

END = 2**64 - 1
WINDOW = 256 * 1024


def page(web, cursor=0, **options):
    """(next, data, lost)"""
    following, data, lost = web.begin("GetLog", GLib.Variant("t", cursor), **options).result()
    return following, bytes(data), lost


def whole(web, cursor=0):
    """All that is there from the cursor on, and the next one."""
    text = b""
    while True:
        cursor, data, _ = page(web, cursor)
        if not data:
            return text, cursor
        text += data


def ctl(*arguments):
    return host.sh("constellationctl", *arguments)


@test
def with_a_journal_logs_are_read_from_there(world):
    web = world.run("speaker", Command=["sh", "-c", "echo hello; echo trouble >&2; sleep 100"])
    equal((web["LogTarget"], web["Degraded"]), ("journal", []))
    sync()
    contains(ctl("logs", "--no-pager", "speaker"), "hello", "what it wrote")
    contains(ctl("logs", "--no-pager", "-n", "2", "speaker"), "trouble", "the last of it")
    with refused("NotSupported", "journalctl -t speaker"):
        page(web)
    equal(sorted(key for key in web.ask("GetUsage") if key.startswith("Log")), [])


@test
def with_a_journal_the_init_is_not_in_the_way(world):
    web = world.run("web", Command=["sleep", "100"])
    check(os.readlink(f"/proc/{web['MainPID']}/fd/1").startswith("socket:"), "it is a stream")
    equal(os.listdir("/run/constellation/logs"), [])


@test
def without_a_journal_a_short_run_is_complete_and_kept_from_run_to_run(world):
    with without_journald():
        web = world.create("web", Command=["sh", "-c", "echo out; echo err >&2"])
        for _ in range(3):
            web.start()
            web.wait()
    equal(web["LogTarget"], "ring")
    equal(whole(web)[0], b"out\nerr\n" * 3)
    equal(ctl("logs", "web"), "out\nerr\n" * 3)
    equal(ctl("logs", "--lines=1", "web"), "err\n")
    web.destroy()
    equal(os.listdir("/run/constellation/logs"), [])


@test
def nothing_is_lost_while_the_service_is_away(world):
    script = "n=0; while [ $n -lt 2000 ]; do n=$((n+1)); echo line $n; done; sleep 1; echo end"
    with without_journald():
        web = world.run("web", Command=["sh", "-c", f"sleep 0.2; {script}"])
        for way in (kill_daemon, kill_launcher, kill_daemon):
            way(world)
        web = world.get("web")
        equal(web["LogTarget"], "ring")
        equal(web.wait()[1], "success")
    lines = whole(web)[0].decode().splitlines()
    equal(lines, [f"line {n}" for n in range(1, 2001)] + ["end"])


@test
def a_flood_is_bounded_and_bothers_nobody(world):
    with without_journald():
        flood = world.run("flood", Command=["sh", "-c", "exec yes 0123456789"])
        pid = world.pid()
        kill_daemon(world)
        check(world.pid() != pid, "another service runs")
        flood = world.get("flood")
        eventually(lambda: flood.ask("GetUsage")["LogWrittenBytes"] > 10**8, "it writes",
                   seconds=20)
        begin = time.monotonic()
        other = world.run("other", Command=["true"])
        other.wait()
        between(time.monotonic() - begin, 0, 1, "the time of another's life")
        begin = time.monotonic()
        flood.stop()
        between(time.monotonic() - begin, 0, 1, "the time of the stop")
    equal(flood["Result"], "success")
    check(os.stat(f"/run/constellation/logs/{flood['Id']}").st_size < WINDOW + 10000, "it is small")
    text, cursor = whole(flood)
    between(len(text), WINDOW - 1, WINDOW + 1, "what is kept")
    equal(cursor, flood.ask("GetUsage")["LogWrittenBytes"])
    equal(set(text.decode().splitlines()[1:-1]), {"0123456789"})


@test
def a_reader_that_keeps_up_misses_nothing(world):
    with without_journald():
        script = "while [ $n -lt $1 ]; do n=$((n+1)); echo line $n; done; sleep 0.01"
        script = f"n=0; for i in $(seq 500 500 30000); do set -- $i; {script}; done; sleep 100"
        web = world.run("web", Command=["sh", "-c", script])
        text, cursor = b"", 0
        end = time.monotonic() + 20
        while b"line 30000\n" not in text[-20:] and time.monotonic() < end:
            cursor, data, lost = page(web, cursor)
            equal(lost, 0)
            text += data
    equal(text.decode().splitlines(), [f"line {n}" for n in range(1, 30001)])


@test
def who_follows_hears_it_soon(world):
    with without_journald():
        world.run("web", Command=["sh", "-c", "echo early; sleep 1; date +%s.%N; sleep 100"])
        reader = subprocess.Popen(  # pylint: disable=consider-using-with
            ["constellationctl", "logs", "--follow", "web"], stdout=subprocess.PIPE, text=True)
        equal(reader.stdout.readline(), "early\n")
        written = float(reader.stdout.readline())
        between(time.time() - written, 0, 0.6, "the time until it is heard")
        reader.send_signal(signal.SIGINT)
        reader.wait(5)


@test
def the_log_is_for_its_owner_and_root(world):
    with without_journald():
        web = world.run("web", Command=["echo", "secret"])
        web.wait()
    status = os.stat(f"/run/constellation/logs/{web['Id']}")
    equal((status.st_mode & 0o777, status.st_uid), (0o600, 0))
    bob = Service(SYSTEM_BUS, UIDS["bob"])
    try:
        with refused("InteractiveAuthorizationRequired", "read-secrets"):
            bob.call(web.path, "org.rads.Constellation.Instance", "GetLog", GLib.Variant("t", 0),
                     GLib.Variant("a{sv}", {})).result()
    finally:
        bob.close()


@test
def what_a_crash_in_a_destroy_leaves_is_swept_up(world):
    left = "/run/constellation/logs/i0000000000000"
    with open(left, "wb") as file:
        file.write(b"x")
    kill_daemon(world)
    eventually(lambda: not os.path.exists(left), "it is gone")
