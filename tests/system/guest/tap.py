# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests as functions whose names are sentences, and their results as TAP.

    @test
    def a_stopped_instance_can_be_started_again(world):
        ...

Each gets a world of its own, which is looked through afterwards: what a test leaves behind is a
failure of that test.
"""

import faulthandler
import os
import re
import subprocess
import sys
import time
import traceback

TRIAL_COUNT = int(os.environ.get("CONSTELLATION_TRIAL_COUNT") or 0)
SECONDS_A_TEST = 3600 if TRIAL_COUNT else 150
SLOW_SECONDS = 2.0

tests = []


class Skip(Exception):
    """What the test needs is not there; the argument is the reason."""


class Failure(AssertionError):
    pass


def test(function=None, *, beds=("container",)):
    """Registers a test; beds: where it is run."""
    if function is None:
        return lambda real: test(real, beds=beds)
    tests.append((function, beds))
    return function


def count(short):
    """How often a test does what it does: so often, or as a trial asks for (`./dev trial`)."""
    return TRIAL_COUNT or short


# ---- what is expected ----------------------------------------------------------------------------


def check(condition, message):
    if not condition:
        raise Failure(message)


def equal(got, expected, what="the value"):
    check(got == expected, f"{what} is {got!r} and not {expected!r}")


def contains(whole, part, what="the text"):
    check(part in whole, f"{part!r} is not in {what}: {whole!r}")


def matches(text, regex, what="the text"):
    check(re.fullmatch(regex, text, re.S), f"{what} is {text!r} and does not match {regex!r}")


def between(value, low, high, what="the value"):
    check(low <= value <= high, f"{what} is {value!r}, not between {low!r} and {high!r}")


def eventually(condition, message, seconds=3.0):
    """The condition becomes true; its value. The message may be a function."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"not within {seconds} s: {message() if callable(message) else message}")
        time.sleep(0.005)


# ---- the run -------------------------------------------------------------------------------------


def sentence(function):
    module = function.__module__.removeprefix("test_").replace("_", " ")
    return f"{module}: {function.__name__.replace('_', ' ')}"


def comment(text):
    for line in text.rstrip().split("\n"):
        print(f"# {line}")


def run_one(function, make_world):
    """Returns (worked, reason of a skip, what went wrong)."""
    faulthandler.dump_traceback_later(SECONDS_A_TEST, exit=True)
    world, wrong = None, []
    try:
        world = make_world()
        function(world)
    except Skip as skip:
        return True, str(skip), ""
    except Exception:  # pylint: disable=broad-except
        wrong.append(traceback.format_exc())
    finally:
        try:
            if world:
                world.close()
        except Exception:  # pylint: disable=broad-except
            wrong.append("Afterwards:\n" + traceback.format_exc())
        faulthandler.cancel_dump_traceback_later()
    return not wrong, None, "\n".join(wrong)


def journal_since(start):
    command = ["journalctl", "--no-pager", "--output=short-monotonic", "--quiet", "--lines=40",
               f"--since=@{start:.6f}", "SYSLOG_IDENTIFIER=constellationd", "+",
               "_COMM=constellation-l", "+", "UNIT=constellationd.service"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def main(bed, make_world, wanted=""):
    chosen = [function for function, beds in tests
              if bed in beds and re.search(wanted, sentence(function))]
    failures = 0
    print(f"1..{len(chosen)}", flush=True)
    for number, function in enumerate(chosen, 1):
        start, begin = time.time(), time.monotonic()
        worked, skipped, wrong = run_one(function, make_world)
        took = time.monotonic() - begin
        print(f"{'ok' if worked else 'not ok'} {number} - {sentence(function)}"
              + (f" # SKIP {skipped}" if skipped else ""))
        if took > SLOW_SECONDS:
            comment(f"took {took:.1f} s")
        if not worked:
            failures += 1
            comment(wrong)
            comment(journal_since(start))
        sys.stdout.flush()
    return 1 if failures else 0
