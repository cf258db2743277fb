# SPDX-License-Identifier: LGPL-2.1-or-later
"""From creation to destruction, when nothing goes wrong, and how a run's end is told."""

import json
import os
import signal
import time

import host
from service import PROBE, refused
from tap import between, check, contains, equal, eventually, matches, test

SLEEP = ["sleep", "100"]
EXITED, KILLED = os.CLD_EXITED, os.CLD_KILLED


@test(beds=("container", "vm"))
def a_run_instance_is_running_when_the_call_returns(world):
    web = world.run("web", Command=SLEEP)
    equal(web["State"], "RUNNING")
    equal(web["SubState"], "running")
    equal(host.read(f"/proc/{web['MainPID']}/comm"), "sleep\n")


@test
def a_created_instance_is_pending_and_starts_when_told(world):
    web = world.create("web", Command=SLEEP)
    equal((web["State"], web["SubState"], web["Run"], web["MainPID"]), ("PENDING", "dead", 0, 0))
    web.start()
    equal((web["State"], web["Run"]), ("RUNNING", 1))


@test(beds=("container", "vm"))
def every_exit_status_comes_back(world):
    for status in (0, 1, 42, 127, 255):
        end = world.run(f"exits-{status}", Command=[PROBE, "exit", str(status)]).wait()
        equal(end, (1, "exit-code" if status else "success", EXITED, status))


@test(beds=("container", "vm"))
def a_death_by_signal_comes_back_as_that_signal(world):
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGUSR2):
        end = world.run(f"dies-{number}", Command=[PROBE, "signal", str(int(number))]).wait()
        equal(end, (1, "signal", KILLED, int(number)))


@test
def a_failed_run_says_so_in_its_properties(world):
    web = world.run("web", Command=[PROBE, "exit", "7"])
    web.wait()
    equal((web["State"], web["Result"], web["ExitCode"], web["ExitSignal"]),
          ("FAILED", "exit-code", 7, 0))
    equal(web["StatusText"], "exited with status 7")


@test
def a_run_that_ended_well_is_stopped(world):
    web = world.run("web", Command=["true"])
    web.wait()
    equal((web["State"], web["Result"], web["ExitCode"]), ("STOPPED", "success", 0))


@test
def a_stopped_instance_starts_again_as_the_next_run(world):
    web = world.run("web", Command=SLEEP)
    web.stop()
    web.start()
    equal((web["State"], web["Run"]), ("RUNNING", 2))


@test
def a_destroyed_instance_is_not_found_any_more(world):
    web = world.create("web", Command=SLEEP)
    web.destroy()
    with refused("NoSuchInstance", "there is no instance 'web' of yours"):
        world.get("web")
    with refused("UnknownObject"):
        web["State"]  # pylint: disable=pointless-statement


@test
def the_name_of_a_destroyed_instance_is_free_again(world):
    world.create("web", Command=SLEEP).destroy()
    world.create("web", Command=SLEEP)


@test
def a_sandbox_runs_until_it_is_stopped(world):
    box = world.run("box")
    equal((box["State"], box["MainPID"]), ("RUNNING", 0))
    check(host.is_alive(box["InitPID"]), "its init is there")
    box.stop()
    equal((box["State"], box["Result"]), ("STOPPED", "success"))


@test
def the_processes_are_listed_with_both_their_pids(world):
    web = world.run("web", Command=SLEEP)
    init, main = web["InitPID"], web["MainPID"]
    # Directly after its exec a process has no command line yet.
    eventually(lambda: (main, 2, "sleep 100") in web.ask("GetProcesses"), "the payload is listed")
    contains(web.ask("GetProcesses"), (init, 1, "constellation-init"))


@test
def a_wait_gives_up_after_its_timeout(world):
    web = world.run("web", Command=SLEEP)
    begin = time.monotonic()
    with refused("Timeout", "did not end within TimeoutUSec"):
        web.wait(TimeoutUSec=100000)
    between(time.monotonic() - begin, 0.1, 1.0, "the time")
    equal(web["State"], "RUNNING")


@test
def a_wait_for_what_has_ended_answers_at_once(world):
    web = world.run("web", Command=[PROBE, "exit", "3"])
    equal(web.wait(), web.wait())


@test
def a_wait_for_what_is_destroyed_says_that_it_is_gone(world):
    web = world.run("web", Command=SLEEP)
    wait = web.begin("Wait")
    web.destroy(Force=True)
    with refused("NoSuchInstance", "'web' was destroyed"):
        wait.result()


@test
def a_caller_may_hold_sixteen_waits_and_no_more(world):
    web = world.run("web", Command=SLEEP)
    waits = [web.begin("Wait") for _ in range(16)]
    with refused("LimitsExceeded", "16 calls of Wait"):
        web.wait()
    web.stop()
    equal({wait.result() for wait in waits}, {(1, "success", KILLED, 15)})


@test
def an_instance_that_removes_itself_is_gone_after_its_end(world):
    web = world.run("web", Command=SLEEP, RemoveOnExit=True)
    web.stop()
    with refused("NoSuchInstance"):
        world.get("web")


@test
def a_start_that_need_not_be_waited_for_answers_at_once(world):
    web = world.create("web", Command=SLEEP)
    web.start(NoWait=True)
    contains(("STARTING", "RUNNING"), web["State"])
    eventually(lambda: web["State"] == "RUNNING", "it runs in the end")


@test
def what_is_written_to_the_outputs_is_in_the_journal_under_the_instances_name(world):
    web = world.run("talker", Command=["sh", "-c", "echo to-output; echo to-error >&2; sleep 100"])
    unit = web["Unit"]
    host.sh("journalctl", "--sync")
    lines = host.sh("journalctl", "--output=json", f"_SYSTEMD_UNIT={unit}").splitlines()
    said = {row["MESSAGE"]: row for row in map(json.loads, lines)}
    for message in ("to-output", "to-error"):
        contains(said, message)
        equal(said[message]["SYSLOG_IDENTIFIER"], "talker")


@test
def the_outputs_can_go_to_files_that_are_the_users(world):
    for kind, content in (("file", "new\n"), ("append", "old\nnew\n")):
        path = world.write(kind, "old\n", mode=0o666)
        world.run(kind, Command=["echo", "new"], User="alice",
                  StandardOutput=f"{kind}:{path}").wait()
        equal(host.read(path), content, kind)


@test
def the_timestamps_tell_the_story_in_order(world):
    before = int(time.time() * 1e6)
    web = world.run("web", Command=["true"])
    web.wait()
    story = [before, *(web[f"{what}Timestamp"] for what in ("Created", "Started", "Stopped")),
             int(time.time() * 1e6) + 1]
    equal(story, sorted(story))
    clock = [web[f"{what}TimestampMonotonic"] for what in ("Created", "Started", "Stopped")]
    equal(clock, sorted(clock))
    check(clock[0] > 0, "there is a monotonic time")


@test
def the_list_is_by_creation_and_can_be_filtered_and_paged(world):
    for name in ("b1", "a1", "b2"):
        world.create(name, Command=SLEEP, Labels=[name[0]], Description=f"the {name}")
    world.get("a1").start()
    equal(world.list(), ["b1", "a1", "b2"])
    equal(world.list(Name="b*"), ["b1", "b2"])
    equal(world.list(Label="a"), ["a1"])
    equal(world.list(State="running"), ["a1"])
    equal(world.list(Owner=1000), [])
    equal(world.list(After=world.get("b1")["Id"], Limit=1), ["a1"])


@test
def a_description_of_everything_is_json_without_secrets(world):
    web = world.run("web", Command=SLEEP, Environment=["TOKEN=hidden-thing"], MemoryMax="1G")
    text = web.ask("Describe")
    described = json.loads(text)
    equal((described["Name"], described["State"]), ("web", "RUNNING"))
    equal(described["Settings"]["MemoryMax"], 1 << 30)
    check("hidden-thing" not in text, "the environment is not in it")
    equal(web.ask("GetEnvironment"), ["TOKEN=hidden-thing"])


@test
def an_instance_is_found_by_name_by_id_and_by_owner_and_name(world):
    web = world.create("web", Command=SLEEP)
    matches(web["Id"], "i[0-9a-v]{13}")
    for reference in ("web", web["Id"], "root/web", "0/web"):
        equal(world.get(reference).path, web.path)


@test
def two_starts_at_once_are_one_start(world):
    web = world.create("web", Command=SLEEP)
    calls = [web.begin("Start"), web.begin("Start")]
    for call in calls:
        call.result()
    equal(web["Run"], 1)
