# SPDX-License-Identifier: LGPL-2.1-or-later
"""Scripts: what runs them, and the exact words when nothing does."""

import os

import host
from service import refused
from tap import check, equal, eventually, test

RADS = ("^executing the script's interpreter rads: No such file or directory: it is not installed: "
        "install it, or set another with Interpreter= \\(for all instances: DefaultInterpreter= in "
        "constellation.conf\\)$")


def outcome(world, script, **settings):
    """Runs it as a created instance; its state, result and words."""
    web = world.create("web", Script=script, **settings)
    web.start()
    web.wait()
    return web["State"], web["Result"], web["ExitCode"]


def refuse(world, script, regex, **settings):
    """The start fails in these words, and nothing is left of it but the instance, FAILED."""
    web = world.create("web", Script=script, **settings)
    with refused("SpawnFailed", regex) as got:
        web.start()
    equal((web["State"], web["Result"], web["SubState"]), ("FAILED", "exec", "dead"))
    equal(web["StatusText"], got.text)
    equal((web["Unit"], web["MainPID"], web["InitPID"]), ("", 0, 0))
    eventually(lambda: all("/instances/" in trace for trace in world.left()),
               lambda: f"nothing but the instance's file is left: {world.left()}")
    web.destroy()
    with refused("SpawnFailed", regex):
        world.run("web", Script=script, **settings)
    equal((world.list(), host.files()), ([], []))


@test
def a_script_with_a_hash_bang_and_the_x_bit_runs_as_it_is(world):
    script = world.write("script", "#!/bin/sh\nexit 6\n")
    equal(outcome(world, script), ("FAILED", "exit-code", 6))


@test
def a_script_is_run_by_the_interpreter_that_is_asked_for(world):
    script = world.write("script.lua", "os.exit(9)\n", mode=0o644)
    equal(outcome(world, script, Interpreter="lua"), ("FAILED", "exit-code", 9))
    world.get("web").destroy()
    equal(outcome(world, script, Interpreter="/usr/bin/lua5.4"), ("FAILED", "exit-code", 9))


@test
def a_script_that_only_the_user_can_read_is_run_as_the_user(world):
    script = world.write("script", "#!/bin/sh\n[ $(id -u) = 1000 ] && exit 3\n", mode=0o700)
    os.chown(script, 1000, 1000)
    equal(outcome(world, script, User="alice"), ("FAILED", "exit-code", 3))


@test
def without_any_interpreter_the_message_says_what_to_install(world):
    script = world.write("script.rads", "print 1\n", mode=0o644)
    refuse(world, script, RADS)


@test
def a_missing_interpreter_of_the_settings_is_named(world):
    script = world.write("script", "x\n", mode=0o644)
    refuse(world, script, "^executing the script's interpreter /opt/none: No such file",
           Interpreter="/opt/none")


@test
def a_missing_script_is_named(world):
    refuse(world, world.path("none"), f"^opening the script {world.path('none')}: No such file or "
           "directory: is the path of Script= right as seen inside the instance\\?$")


@test
def a_directory_is_no_script(world):
    os.mkdir(world.path("directory"))
    refuse(world, world.path("directory"), f"^opening the script {world.path('directory')}: Is a "
           "directory: Script= names a directory$")


@test
def a_fifo_is_no_script_and_holds_nobody_up(world):
    os.mkfifo(world.path("fifo"))
    refuse(world, world.path("fifo"), "^opening the script .*: Invalid argument: Script= must name "
           "an ordinary file$")


@test
def without_the_x_bit_a_hash_bang_is_not_looked_at(world):
    script = world.write("script", "#!/bin/sh\nexit 6\n", mode=0o644)
    refuse(world, script, RADS)
    equal(outcome(world, script, Interpreter="sh"), ("FAILED", "exit-code", 6))


@test
def a_script_that_the_user_may_not_read_is_refused(world):
    script = world.write("script", "#!/bin/sh\n", mode=0o600)
    refuse(world, script, "^opening the script .*: Permission denied: the user must be allowed to "
           "read it$", User="alice")


@test
def a_windows_text_file_is_recognized(world):
    script = world.write("script", "#!/bin/sh\r\nexit 0\r\n")
    refuse(world, script, "/bin/sh\\\\r: No such file or directory: the #! line ends in a carriage "
           "return")


@test
def a_missing_interpreter_of_the_hash_bang_line_is_named(world):
    script = world.write("script", "#!/opt/none -x\n")
    refuse(world, script, "^executing the interpreter of the script's #! line /opt/none: No such "
           "file or directory: it is not installed: install it, or correct the #! line$")


@test
def an_empty_script_is_handed_to_the_interpreter(world):
    script = world.write("script", "")
    equal(outcome(world, script, Interpreter="sh"), ("STOPPED", "success", 0))


@test
def a_script_whose_name_begins_with_a_hyphen_is_no_option(world):
    script = world.write("-c", "exit 8\n", mode=0o644)
    equal(outcome(world, script, Interpreter="sh"), ("FAILED", "exit-code", 8))


@test
def a_command_that_is_not_there_is_named(world):
    for name in ("/opt/none", "no-such-program"):
        with refused("SpawnFailed", f"^executing {name}: No such file or directory: is it inst"):
            world.run("web", Command=[name, "x"])
    with refused("SpawnFailed", "^executing /etc/passwd: Permission denied"):
        world.run("web", Command=["/etc/passwd"])
    with refused("SpawnFailed", "^executing .*: Exec format error"):
        world.run("web", Command=[world.write("garbage", "\x7fgarbage")])
    check(not world.list(), "nothing is left")
