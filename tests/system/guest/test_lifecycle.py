# SPDX-License-Identifier: LGPL-2.1-or-later
"""From creation to destruction, when nothing goes wrong."""

import host
from service import PROBE, refused
from tap import between, check, contains, equal, eventually, matches, test

SLEEP = ["sleep", "100"]


@test
def a_run_instance_is_running_when_the_call_returns(world):
    web = world.run("web", Command=SLEEP)
    equal(web["State"], "RUNNING")
    equal(web["SubState"], "running")
    check(host.is_alive(web["MainPID"]), "the payload is alive")


@test
def a_created_instance_is_pending_and_starts_when_told(world):
    web = world.create("web", Command=SLEEP)
    equal(web["State"], "PENDING")
    web.start()
    equal(web["State"], "RUNNING")
