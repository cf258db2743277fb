# SPDX-License-Identifier: LGPL-2.1-or-later
"""A journald that is restarted, hangs, or is not there."""

import os
import signal
import time

import host
from journal import JOURNALD, sync, without_journald
from restarts import restart_daemon
from service import refused
from tap import between, check, contains, equal, eventually, test

TALK = ["sh", "-c", "n=0; while sleep 0.02; do n=$((n+1)); echo line $n; done"]


def said(identifier):
    """The last of its lines in the journal: its number."""
    sync()
    lines = host.sh("journalctl", f"--identifier={identifier}", "--output=cat", "--no-pager",
                    "--quiet").split()
    return int(lines[-1]) if lines else 0


@test
def a_restart_and_a_death_of_journald_are_not_noticed_by_what_runs(world):
    web = world.run("talks", Command=TALK)
    for way in (["restart"], ["kill", "--signal=KILL"]):
        eventually(lambda: said("talks") > 0, "it is heard")
        host.sh("systemctl", *way, JOURNALD)
        before = said("talks")
        eventually(lambda at=before: said("talks") > at + 5, f"it is heard after {way[0]}")
    equal((web["State"], web["Degraded"]), ("RUNNING", []))


@test
def without_journald_a_start_works_and_says_what_is_missing(world):
    with without_journald():
        web = world.run("web", Command=["sleep", "100"])
        equal([row[:2] for row in web["Degraded"]],
              [("StandardOutput", "unsupported"), ("StandardError", "unsupported")])
        contains(web["Degraded"][0][2], "no journal to write to")
        with refused("NotSupported", "^StandardOutput is required"):
            world.run("strict", Command=["sleep", "100"], Require=["StandardOutput"])
        web.restart()
    web.restart()
    equal(web["Degraded"], [])


@test
def a_journald_that_hangs_holds_up_nobody(world):
    begin, journald = time.monotonic(), host.unit_pid(JOURNALD)
    os.kill(journald, signal.SIGSTOP)
    try:
        for _ in range(300):
            web = world.run("brief", Command=["true"])
            equal(web.status(), 0)
            web.destroy()
    finally:
        os.kill(journald, signal.SIGCONT)
    between(time.monotonic() - begin, 0, 20, "the time of 300 lives")

    def tells():
        web = world.run("brief", Command=["true"])
        web.wait()
        web.destroy()
        sync()
        return "messages before this were lost" in host.sh(
            "journalctl", "--identifier=constellationd", "--output=cat", "--no-pager", "--quiet",
            f"--since=@{time.time() - 60:.0f}")

    eventually(tells, "what was lost is told")


@test
def the_service_goes_on_logging_after_journald_was_away(world):
    with without_journald():
        pass
    pid = world.pid()
    world.run("web", Command=["true"]).wait()
    host.sh("systemctl", "kill", "--signal=HUP", "constellationd.service")
    eventually(lambda: not host.is_alive(pid), "it has ended")
    sync()
    lines = host.sh("journalctl", f"_PID={pid}", "--output=cat", "--no-pager", "--quiet")
    contains(lines, "SIGHUP: ending", "what it wrote to its broken stream")
    restart_daemon(world)
    check(world.pid() != pid, "another one runs")


@test
def what_runs_outlives_the_end_of_journald_and_may_say_nothing_more(world):
    world.run("warm-up", Command=["true"]).wait()
    ignores = world.run("ignores", Command=["sh", "-c", TALK[2] + " 2>/dev/null; exit 3"])
    feels = world.run("feels", Command=TALK, IgnoreSIGPIPE=False)
    with without_journald():
        equal(feels.wait()[1:], ("signal", os.CLD_KILLED, signal.SIGPIPE))
        time.sleep(0.2)
        equal(ignores["State"], "RUNNING")
