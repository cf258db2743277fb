# SPDX-License-Identifier: LGPL-2.1-or-later
"""Names and settings that must be refused: by the exact error, with the culprit in the message,
and without a trace of them afterwards."""

import host
from service import refused
from tap import check, equal, test
from world import variant

SLEEP = ["sleep", "100"]
LETTERS = "letters, digits, '_', '.' and '-'"


def refuse_both(world, error, regex, name="web", **settings):
    """Neither created nor run, nor checked; and nothing is there afterwards."""
    for method in (world.create, world.run, world.checked):
        with refused(error, regex):
            method(name, **settings)
    equal(world.list(), [])
    equal(host.files(), [])


# ---- names ---------------------------------------------------------------------------------------


@test
def a_name_that_is_none_is_refused_with_the_reason(world):
    for name, regex in (("", "must not be empty"), ("a" * 65, "at most 64 characters"),
                        ("../x", "begin with a letter or a digit"), ("a/b", LETTERS),
                        ("-x", "begin with a letter or a digit"),
                        (".", "begin with a letter or a digit"), ("%n", "begin with a letter"),
                        ("a%n", LETTERS), ("a\nb", LETTERS), ("ä", "begin with a letter"),
                        ("aä", LETTERS), ("a b", LETTERS),
                        ("i0123456789abc", "looks like an id")):
        refuse_both(world, "InvalidArgs", regex, name=name, Command=SLEEP)


@test
def a_name_of_full_length_is_taken(world):
    name = "A." + "x" * 61 + "9"
    equal(world.run(name, Command=SLEEP)["Name"], name)


@test
def a_name_that_is_in_use_is_refused_and_its_holder_left_alone(world):
    web = world.run("web", Command=SLEEP)
    for method in (world.create, world.run):
        with refused("InstanceExists", "there is an instance 'web' already"):
            method("web", Command=SLEEP)
    equal((web["State"], world.list()), ("RUNNING", ["web"]))


@test
def a_reference_to_nothing_is_refused(world):
    for reference in ("web", "i0123456789abc", "root/web", "alice/web", "nobody-knows/web"):
        with refused("NoSuchInstance", f"there is no instance '{reference}'"):
            world.get(reference)
    for reference in ("", "/", "/web", "root/", "a b", "../web", "root/web/x"):
        with refused("InvalidArgs"):
            world.get(reference)


# ---- settings ------------------------------------------------------------------------------------


@test
def an_unknown_setting_is_named_and_the_right_one_guessed(world):
    refuse_both(world, "InvalidArgs", "^MemoryMx: unknown setting .do you mean MemoryMax",
                Command=SLEEP, MemoryMx=1 << 30)
    refuse_both(world, "InvalidArgs", "^Quux: unknown setting$", Command=SLEEP, Quux="x")


@test
def a_setting_of_the_wrong_type_is_named_with_both_types(world):
    for key, wrong, got, wanted in (
            ("Command", 5, "t", "as"), ("MemoryMax", True, "b", "t"), ("Script", SLEEP, "as", "s"),
            ("Persistent", 1, "t", "b"), ("Labels", 1, "t", "as"),
            ("MemoryMax", variant("d", 1.5), "d", "t"), ("KillSignal", ["x"], "as", "i"),
            ("Command", variant("ay", b"sleep"), "ay", "as"),
            ("Hostname", variant("v", variant("s", "x")), "v", "s")):
        refuse_both(world, "InvalidArgs",
                    f"^{key}: is of type '{got}' and must be of type '{wanted}'", **{key: wrong})


@test
def every_integer_type_that_fits_is_taken(world):
    for number, signature in enumerate("nqiuxt"):
        web = world.create(f"web-{number}", Command=SLEEP, TasksMax=variant(signature, 100))
        equal(world.property("TasksMax", web.path, "org.rads.Constellation.Settings"), 100)


@test
def a_negative_number_is_refused(world):
    for signature in "nix":
        refuse_both(world, "InvalidArgs", "^TasksMax: must not be negative", Command=SLEEP,
                    TasksMax=variant(signature, -1))


@test
def a_setting_twice_or_in_both_spellings_is_refused(world):
    for pairs in ([("TasksMax", 5), ("TasksMax", 5)],
                  [("CPUQuota", "50%"), ("CPUQuotaPerSecUSec", 500000)],
                  [("TimeoutStopUSec", 5), ("TimeoutStopSec", "5s")]):
        with refused("InvalidArgs", f"^{pairs[0][0].replace('USec', 'Sec')}: given twice"):
            world.create("web", [("Command", SLEEP), *pairs])
    equal(world.list(), [])


@test
def the_spelling_of_files_is_taken_too(world):
    web = world.create("web", Command="sleep 100 'a b'", MemoryMax="10M", CPUQuota="50%",
                       TimeoutStopSec="5s", Persistent="yes")
    settings = web.all("org.rads.Constellation.Settings")
    equal(settings["Command"], ["sleep", "100", "a b"])
    equal([settings[key] for key in ("MemoryMax", "CPUQuotaPerSecUSec", "TimeoutStopUSec")],
          [10 << 20, 500000, 5000000])


@test
def settings_that_contradict_each_other_are_refused(world):
    refuse_both(world, "InvalidArgs", "Script= and Command= exclude each other", Command=SLEEP,
                Script="/bin/true")
    refuse_both(world, "InvalidArgs", "Hostname=other: needs a UTS namespace", Hostname="other",
                UTSNamespace="off")
    refuse_both(world, "InvalidArgs", "Interpreter=lua: there is nothing to interpret",
                Interpreter="lua", Command=SLEEP)
    refuse_both(world, "InvalidArgs", "Require=PIDNamespace: contradicts PIDNamespace=off",
                Require=["PIDNamespace"], PIDNamespace="off", Command=SLEEP)


@test
def a_command_that_is_none_is_refused(world):
    for command, regex in (([], "begin with a program"), (["", "x"], "begin with a program"),
                           (["x"] * 1025, "at most 1024 words"),
                           (["sleep", "x" * (128 << 10)], "word 2 must be .* less than 128K"),
                           (["x" * (130 << 10)], "word 1 must be"),
                           (["x"] + ["y" * 100000] * 12, "more than 1M together")):
        refuse_both(world, "InvalidArgs", f"Command.*{regex}", Command=command)


@test
def a_command_of_full_size_is_executed(world):
    seen = world.probe("arguments", *["x"] * 1021)
    equal((seen["arg_0"], seen["arg_1021"]), ("arguments", "x"))


@test
def an_environment_that_is_none_is_refused_without_showing_it(world):
    for environment, regex in ((["=x"], "word 1 is not NAME=VALUE"),
                               (["A=1", "SECRET"], "word 2 is not NAME=VALUE"),
                               (["A-B=1"], "word 1 is not"), (["1A=1"], "word 1 is not"),
                               (["A=1", "A=2"], "A is given twice"),
                               ([f"A{i}=1" for i in range(257)], "at most 256 variables"),
                               (["A=" + "s" * (128 << 10)], "word 1 must be")):
        refuse_both(world, "InvalidArgs", f"^Environment: {regex}", Command=SLEEP,
                    Environment=environment)
    with refused("InvalidArgs") as got:
        world.create("web", Environment=["SECRET"])
    check("SECRET" not in got.text, f"the value is in the message: {got.text}")


@test
def limits_out_of_range_are_refused_with_the_range(world):
    for key, number, shown in (("MemoryMax", 0, "MemoryMax=0"),
                               ("MemoryMax", 4095, "MemoryMax=4095"),
                               ("TasksMax", 0, "TasksMax=0"), ("TasksMax", 1, "TasksMax=1"),
                               ("CPUQuotaPerSecUSec", 0, "CPUQuota="),
                               ("CPUWeight", 0, "CPUWeight=0"), ("CPUWeight", 10001, "CPUWeight="),
                               ("TimeoutStartUSec", 0, "TimeoutStartSec=")):
        refuse_both(world, "InvalidArgs", f"^{shown}.*must be (at least|from) ", Command=SLEEP,
                    **{key: number})


@test
def limits_beyond_all_machines_are_taken(world):
    web = world.run("web", Command=SLEEP, MemoryMax=(1 << 64) - 1, TasksMax=(1 << 64) - 2,
                    CPUQuotaPerSecUSec=1 << 62, MemoryHigh=1 << 63,
                    TimeoutStopUSec=(1 << 64) - 1)
    equal(web["State"], "RUNNING")
    web.stop()


@test
def a_text_limit_that_is_none_is_refused(world):
    for key, text in (("MemoryMax", "lots"), ("MemoryMax", "-1"), ("MemoryMax", "1e99"),
                      ("CPUQuota", "50"), ("TimeoutStopSec", "soon"), ("KillSignal", "SIGNOTHING"),
                      ("Backend", "best"), ("PIDNamespace", "yes"), ("Persistent", "maybe"),
                      ("StandardOutput", "file:relative"), ("Hostname", "-x"),
                      ("WorkingDirectory", "relative"), ("Script", "/a/../b"), ("User", "Al ice"),
                      ("MemoryMax", "99999999999999999999999999")):
        refuse_both(world, "InvalidArgs", f"^{key}={text[:10]}", **{key: text})


@test
def a_user_that_is_not_there_fails_the_start_and_leaves_nothing(world):
    with refused("InvalidArgs", "User=nobody-knows: there is no such user"):
        world.run("web", Command=SLEEP, User="nobody-knows")
    equal(world.list(), [])


@test
def control_characters_come_back_as_something_harmless(world):
    for name, settings in (("web", {"Description": "a\x1b[31m\nb"}), ("a\x1b[31m\nb", {}),
                           ("web", {"a\x1b[31m\nb": "x"})):
        with refused("InvalidArgs") as got:
            world.create(name, **settings)
        check("\x1b" not in got.text and "\n" not in got.text, repr(got.text))
