# SPDX-License-Identifier: LGPL-2.1-or-later
"""Filters of system calls, by the calls that a payload then can and cannot make."""

import functools
import platform

import host
from alice import alice
from polkit import rules
from service import PROBE, refused
from tap import Skip, check, contains, equal, matches, test
from test_rights import degraded

BOTH = ("container", "vm")
ENOANO = 55  # which no call of the probe gives by itself
EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97
SYSTEM_CALLS = {"personality": 135, "socket": 41, "clone3": 435, "unshare": 272, "clone": 56,
                "setns": 308, "mount": 165, "ioctl": 16, "getpid": 39}


@functools.cache
def groups():
    """Group -> all calls in it and in the groups in it, as systemd prints them."""
    members, name = {}, None
    for line in host.sh("systemd-analyze", "syscall-filter", "--no-pager").splitlines():
        if line.startswith("@"):
            name = line.strip()
            members[name] = set()
        elif line.strip() and not line.strip().startswith("#"):
            members[name].add(line.strip())

    def closure(group):
        return set().union(*(closure(member) if member.startswith("@") else {member}
                             for member in members[group]))
    return {group: closure(group) for group in members}


def refused_calls(world, words, **settings):
    """The names of the sample calls that the filter refuses."""
    seen = world.probe("calls", User="alice", SystemCallFilter=words,
                       SystemCallErrorNumber="ENOANO", **settings)
    equal(seen.pop("status"), 0, f"{words}: the status")
    check(len(seen) > 30, f"it has made {len(seen)} calls")
    return {name for name, error in seen.items() if error == str(ENOANO)}, set(seen)


def call(world, name, *arguments, **settings):
    if platform.machine() != "x86_64":
        raise Skip("the numbers of calls are those of x86_64")
    words = [str(SYSTEM_CALLS[name]), *(str(word) for word in arguments)]
    return int(world.probe("call", *words, **settings)["errno"])


@test(beds=BOTH)
def each_group_takes_away_the_calls_in_it_and_no_other(world):
    checked = 0
    for group, members in groups().items():
        if group in ("@default", "@known"):
            continue
        if {"write", "openat"} & members:
            continue  # the probe could not tell
        got, samples = refused_calls(world, [f"~{group}"])
        equal(got, members & samples, group)
        checked += bool(got)
    check(checked > 15, f"only {checked} groups have a sample")


@test
def each_group_gives_the_calls_in_it_and_no_other(world):
    base = {"@basic-io", "@file-system", "@process", "@signal"}
    always = set().union(*(groups()[group] for group in base | {"@default"}))
    for group, members in groups().items():
        if group == "@known":
            continue
        got, samples = refused_calls(world, [*sorted(base), group])
        equal(got, samples - members - always, group)


@test(beds=BOTH)
def what_is_given_can_be_taken_away_again(world):
    got, samples = refused_calls(world, ["@system-service", "~@keyring", "kill"])
    equal(got, samples - (groups()["@system-service"] - groups()["@keyring"] - {"kill"}))
    seen = world.probe("calls", User="alice", SystemCallFilter="~keyctl:EXDEV kill:5 fsync")
    equal(seen["status"], 31)
    seen = world.probe("calls", User="alice", SystemCallFilter="~keyctl:EXDEV kill:7 fsync",
                       SystemCallErrorNumber="EOWNERDEAD")
    equal((seen["keyctl"], seen["kill"], seen["fsync"]), ("18", "7", "130"))


@test(beds=BOTH)
def a_payload_that_the_filter_kills_is_told_so(world):
    web = world.run("web", Command=[PROBE, "mount", "/mnt"], SystemCallFilter=["~@mount"])
    equal(web.wait()[1:], ("signal", 2, 31))
    equal((web["ExitSignal"], web["Result"]), (31, "signal"))
    matches(web["StatusText"], "killed by SIGSYS: it used a system call that SystemCallFilter does "
                               "not allow.*")
    other = world.run("other", Command=[PROBE, "signal", "31"])
    other.wait()
    check("SystemCallFilter" not in other["StatusText"], other["StatusText"])


@test
def unknown_calls_groups_and_errors_are_refused_by_name(world):
    for words, regex in ((["read", "nonsense"], "nonsense is no system call"),
                         (["@nonsense"], "@nonsense is no group of system calls"),
                         (["~read:EWRONG"], "read: behind the colon"),
                         (["~execve"], "execve cannot be taken away")):
        with refused("InvalidArgs", f"^SystemCallFilter=.*{regex}"):
            world.create("web", Command=["true"], SystemCallFilter=words)
    with refused("InvalidArgs", "^SystemCallErrorNumber=EWRONG: must be kill"):
        world.create("web", Command=["true"], SystemCallErrorNumber="EWRONG")


@test
def a_filter_goes_with_no_new_privileges_unless_the_payload_is_roots(world):
    seen = world.probe("report", User="alice", NoNewPrivileges=False, SystemCallFilter="~@mount")
    equal((seen["NoNewPrivs"], seen["Seccomp"]), ("1", "2"))
    seen = world.probe("report", SystemCallFilter="~@mount")
    equal((seen["NoNewPrivs"], seen["Seccomp"]), ("0", "2"))
    seen = world.probe("report", SystemCallFilter="~@mount",
                       CapabilityBoundingSet=["~CAP_SYS_ADMIN"])
    equal(seen["NoNewPrivs"], "1")


@test
def scripts_and_programs_that_are_not_there_are_told_under_a_filter_too(world):
    script = world.write("script", "#!/bin/sh\nexit 5\n")
    settings = {"SystemCallFilter": ["@system-service"], "SystemCallErrorNumber": "EPERM"}
    equal(world.run("script", Script=script, **settings).status(), 5)
    equal(world.run("path", Command=["true"], **settings).status(), 0)
    for more in ({}, {"TimeNamespace": "try"}):
        with refused("SpawnFailed", "no-such-program: No such file"):
            world.run("none", Command=["/no-such-program"], **settings, **more)
    with refused("SpawnFailed", "no-such-program: No such file"):
        world.run("none", Command=["/no-such-program"], SystemCallFilter=["exit"])


@test
def programs_of_other_abis_are_filtered_or_killed(world):
    if platform.machine() != "x86_64":
        raise Skip("this machine has no other ABI that is tested")
    if world.probe("int80", by=world.private())["status"] != 0:
        raise Skip("the kernel runs no programs of 32 bits")
    service = world.private()
    equal(world.probe("int80", by=service, SystemCallFilter="~@mount")["status"], 0)
    equal(world.probe("int80", by=alice(world))["status"], 31)


@test(beds=BOTH)
def a_locked_personality_cannot_be_changed(world):
    for how in ({}, {"User": "alice"}):
        equal(call(world, "personality", 8, **how), 0)
        equal(call(world, "personality", 8, LockPersonality=True, **how), EPERM)
        equal(call(world, "personality", 0xffffffff, LockPersonality=True, **how), 0)


# ---- the default ---------------------------------------------------------------------------------


@test(beds=BOTH)
def ordinary_users_have_a_filter_and_root_has_none(world):
    def filters(by, **settings):
        return int(world.probe("report", by=by, **settings)["Seccomp_filters"])

    # The units of the services may have some of their own.
    for service, default in ((world, 0), (alice(world), 2)):
        none = filters(service, SystemCallFilter="off")
        equal(filters(service) - none, default)
        equal(filters(service, SystemCallFilter="~@mount") - none, default + 1)
        equal(filters(service, SystemCallFilter="off ~@mount") - none, 1)
    with rules(world) as user:
        equal(filters(user) - filters(world, SystemCallFilter="off"), 2)
        with refused("InteractiveAuthorizationRequired", "org.rads.constellation.privileged"):
            user.run("web", Command=["true"], SystemCallFilter="off")


@test(beds=BOTH)
def the_default_refuses_what_opens_the_kernel_and_allows_what_services_do(world):
    seen = world.probe("calls", by=alice(world))
    for name in ("bpf", "chroot", "delete_module", "io_uring_setup", "iopl", "kcmp", "keyctl",
                 "mount", "perf_event_open", "reboot", "swapoff", "umount2", "userfaultfd"):
        equal(seen[name], str(EPERM), name)
    for name in ("alarm", "getpid", "munlock"):
        equal(seen[name], "0", name)
    for name, error in (("read", 9), ("epoll_create1", 22), ("socket", EAFNOSUPPORT), ("kill", 3)):
        equal(seen[name], str(error), name)


@test(beds=BOTH)
def the_default_looks_at_arguments(world):
    service = alice(world)
    high = 1 << 32
    for name, arguments, error in (
            ("clone3", (0, 0), ENOSYS), ("unshare", (0x10000000,), EPERM),
            ("unshare", (high | 0x10000000,), EPERM), ("unshare", (0,), 0),
            ("clone", (0x10000000,), EPERM), ("setns", (0, 0), EPERM),
            ("socket", (38, 5, 0), EAFNOSUPPORT), ("socket", (high | 38, 5, 0), EAFNOSUPPORT),
            ("socket", (16, 3, 0), 0), ("socket", (16, 3, 9), 93), ("socket", (1, 1, 0), 0),
            ("ioctl", (0, 0x5412, 0), EPERM), ("ioctl", (0, high | 0x5412, 0), EPERM),
            ("ioctl", (0, 0x541c, 0), EPERM), ("ioctl", (0, 0x5413, 0), 25),
            ("personality", (0x40000,), EPERM), ("personality", (8,), 0)):
        equal(call(world, name, *arguments, by=service), error, f"{name}{arguments}")


@test
def the_plan_and_the_check_tell_of_the_filter(world):
    service = alice(world)
    web = service.run("web", Command=["sleep", "100"], SystemCallFilter="~@mount")
    steps = {step: outcome for step, outcome, _reason in web.ask("GetPlan")}
    equal(steps["system-call-filter"], "planned")
    equal(service.checked("x", Command=["true"], SystemCallFilter="~@mount")["SystemCallFilter"],
          ("planned", ""))
    equal(degraded(web), {})
    root = world.run("root", Command=["sleep", "100"])
    reasons = {step: (outcome, reason) for step, outcome, reason in root.ask("GetPlan")}
    equal(reasons["system-call-filter"][0], "dropped")


def run_to_end(service, command):
    web = service.run("web", Command=command)
    status = web.status()
    web.destroy()
    return status


@test
def ordinary_programs_run_under_the_default(world):
    service = alice(world)
    for command in (["sh", "-c", "ls / | sort | head -1; date; id; ps"], ["python3", "-c",
                    "import subprocess, threading, socket; socket.socket();"
                    "threading.Thread(target=print).start(); subprocess.run(['true'], check=True)"],
                    ["ip", "link"], ["stat", "/"], ["dd", "if=/dev/zero", "of=/dev/null", "count=9"],
                    ["strace", "-f", "-o", "/dev/null", "true"]):
        equal(run_to_end(service, command), 0, " ".join(command))
