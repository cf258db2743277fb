# SPDX-License-Identifier: LGPL-2.1-or-later
"""What may be called when: every call in every state, against the documented table."""

import host
from service import PROBE, refused
from tap import check, contains, equal, eventually, test

SLEEP = ["sleep", "100"]

# What the refusal says would do, for each call.
START = "PENDING, STARTING, STOPPED or FAILED"
RUNNING = "RUNNING"
KILL = "RUNNING or STOPPING"
RESTART = "PENDING, RUNNING, STOPPING, STOPPED or FAILED"
DESTROY = "PENDING, STOPPING, STOPPED or FAILED, or by force"


def stuck_in_starting(world):
    """A start that goes on until go_on(): the launcher stands still."""
    host.sh("kill", "-STOP", str(host.processes("constellation-l")[0]))
    web = world.create("web", Command=SLEEP)
    return web, web.begin("Start")


def go_on():
    host.sh("kill", "-CONT", str(host.processes("constellation-l")[0]))


def starting(world, body):
    """Runs the body with an instance whose start hangs in a launcher that stands still."""
    world.run("warm-up", Command=["true"]).wait()
    web, start = stuck_in_starting(world)
    try:
        eventually(lambda: web["State"] == "STARTING", "it is starting")
        return body(web, start)
    finally:
        go_on()


def stopping(world, **settings):
    output = world.path("ignores")
    web = world.run("web", Command=[PROBE, f"--output={output}", "ignore-term"], **settings)
    eventually(lambda: world.answer("ignores"), "it ignores the signal")
    return web, web.begin("Stop")


def failed(world):
    web = world.run("web", Command=[PROBE, "exit", "1"])
    web.wait()
    return web


def expect_refusals(instance, state, **refusals):
    for method, possible in refusals.items():
        words = {"Start": "start", "Restart": "restart", "Destroy": "destroy", "Freeze": "freeze",
                 "Thaw": "thaw", "Kill": "send a signal to"}[method]
        with refused("InvalidState",
                     f"^cannot {words} 'web' while it is {state} \\(possible when {possible}\\)$"):
            instance.kill() if method == "Kill" else instance.begin(method).result()


# ---- PENDING -------------------------------------------------------------------------------------


@test
def pending_refuses_what_needs_processes(world):
    web = world.create("web", Command=SLEEP)
    expect_refusals(web, "PENDING", Kill=KILL, Freeze=RUNNING, Thaw=RUNNING)
    equal(web["State"], "PENDING")


@test
def a_stop_of_what_is_pending_does_nothing(world):
    web = world.create("web", Command=SLEEP)
    web.stop()
    equal((web["State"], web["Run"]), ("PENDING", 0))


@test
def a_restart_of_what_is_pending_is_a_start(world):
    web = world.create("web", Command=SLEEP)
    web.restart()
    equal((web["State"], web["Run"]), ("RUNNING", 1))


@test
def a_wait_for_what_never_ran_answers_with_run_zero(world):
    equal(world.create("web", Command=SLEEP).wait(), (0, "success", 0, 0))


# ---- STARTING ------------------------------------------------------------------------------------


@test
def starting_refuses_everything_but_start_and_stop(world):
    def body(web, _start):
        expect_refusals(web, "STARTING", Restart=RESTART, Kill=KILL, Freeze=RUNNING, Thaw=RUNNING,
                        Destroy=DESTROY)
    starting(world, body)


@test
def a_second_start_joins_the_first(world):
    web, calls = starting(world, lambda web, start: (web, [start, web.begin("Start")]))
    for call in calls:
        call.result()
    equal((web["State"], web["Run"]), ("RUNNING", 1))


@test
def a_stop_cancels_a_start(world):
    web, start, stop = starting(world, lambda web, start: (web, start, web.begin("Stop")))
    with refused("Cancelled", "told to stop"):
        start.result()
    stop.result()
    equal(web["State"], "STOPPED")


@test
def a_destroy_by_force_cancels_a_start(world):
    web, start, end = starting(
        world, lambda web, start: (web, start, web.begin("Destroy", Force=True)))
    with refused("Cancelled", "destroyed"):
        start.result()
    end.result()
    with refused("UnknownObject"):
        web["State"]  # pylint: disable=pointless-statement


@test
def a_start_ends_at_its_timeout(world):
    def body(_web, _start):
        slow = world.create("slow", Command=SLEEP, TimeoutStartUSec=200000)
        with refused("Timeout", "start of 'slow' took longer than TimeoutStartSec"):
            slow.start()
        equal((slow["State"], slow["Result"]), ("FAILED", "timeout"))
    starting(world, body)


# ---- RUNNING -------------------------------------------------------------------------------------


@test
def running_refuses_a_start_and_a_destroy_without_force(world):
    web = world.run("web", Command=SLEEP)
    expect_refusals(web, "RUNNING", Start=START, Destroy=DESTROY)
    equal((web["State"], web["Run"]), ("RUNNING", 1))


@test
def a_signal_out_of_range_is_refused(world):
    web = world.run("web", Command=SLEEP)
    for number in (0, 32, 64, -1, 1000):
        with refused("InvalidArgs", f"^signal {number}: must be 1 to 31"):
            web.kill("main", number)
    equal(web["State"], "RUNNING")


@test
def a_signal_to_nobody_in_particular_is_refused(world):
    web = world.run("web", Command=SLEEP)
    for who in ("", "everybody", "MAIN"):
        with refused("InvalidArgs", "^who: must be main or all"):
            web.kill(who)


@test
def a_sandbox_has_no_main_process_to_signal(world):
    box = world.run("box")
    with refused("InvalidState", "'box' is a sandbox and has no main process"):
        box.kill("main")


# ---- STOPPING ------------------------------------------------------------------------------------


@test
def stopping_refuses_a_start_and_a_freeze(world):
    web, _stop = stopping(world)
    equal((web["State"], web["SubState"]), ("STOPPING", "stop-sigterm"))
    expect_refusals(web, "STOPPING", Start=START, Freeze=RUNNING, Thaw=RUNNING)


@test
def a_second_stop_joins_the_first(world):
    web, first = stopping(world, TimeoutStopUSec=200000)
    second = web.begin("Stop")
    first.result()
    second.result()
    equal(web["Result"], "timeout")


@test
def a_signal_may_end_what_is_stopping(world):
    web, stop = stopping(world)
    web.kill("main", 9)
    stop.result()
    equal((web["State"], web["ExitSignal"]), ("STOPPED", 9))


@test
def a_restart_is_remembered_until_the_stop_is_over(world):
    web, stop = stopping(world, TimeoutStopUSec=200000)
    restart = web.begin("Restart")
    stop.result()
    restart.result()
    equal((web["State"], web["Run"]), ("RUNNING", 2))


@test
def a_stop_after_a_restart_is_the_last_word(world):
    web, stop = stopping(world, TimeoutStopUSec=200000)
    restart, last = web.begin("Restart"), web.begin("Stop")
    with refused("Cancelled", "restart of 'web' was cancelled by a stop"):
        restart.result()
    stop.result()
    last.result()
    equal((web["State"], web["Run"]), ("STOPPED", 1))


@test
def a_destroy_joins_a_stop_and_needs_no_force(world):
    web, stop = stopping(world, TimeoutStopUSec=200000)
    destroy = web.begin("Destroy")
    stop.result()
    destroy.result()
    with refused("NoSuchInstance"):
        world.get("web")


# ---- STOPPED and FAILED --------------------------------------------------------------------------


@test
def stopped_refuses_what_needs_processes(world):
    web = world.run("web", Command=["true"])
    web.wait()
    expect_refusals(web, "STOPPED", Kill=KILL, Freeze=RUNNING, Thaw=RUNNING)


@test
def failed_refuses_what_needs_processes(world):
    expect_refusals(failed(world), "FAILED", Kill=KILL, Freeze=RUNNING, Thaw=RUNNING)


@test
def a_stop_of_what_has_ended_does_nothing(world):
    web = failed(world)
    web.stop()
    equal((web["State"], web["ExitCode"]), ("FAILED", 1))


@test
def what_has_failed_can_be_started_restarted_and_destroyed(world):
    web = failed(world)
    web.start()
    web.wait()
    web.restart()
    web.wait()
    equal((web["State"], web["Run"]), ("FAILED", 3))
    web.destroy()


@test
def there_is_a_plan_only_after_a_start(world):
    web = world.create("web", Command=SLEEP)
    with refused("InvalidState", "'web' was not started since the service runs"):
        web.ask("GetPlan")
    web.start()
    steps = [step for step, _outcome, _reason in web.ask("GetPlan")]
    contains(steps, "mount-proc")
    check(steps.index("gate") < steps.index("exec"), "the gate comes before the exec")


@test
def there_is_no_usage_of_what_does_not_run(world):
    web = world.create("web", Command=SLEEP)
    equal(web.ask("GetUsage"), {})
    equal(web.ask("GetProcesses"), [])
