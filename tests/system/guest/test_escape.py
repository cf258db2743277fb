# SPDX-License-Identifier: LGPL-2.1-or-later
"""The escape suite: a hundred ways out of an instance, none of which may work; and the same program unconfined, where
they do."""

import contextlib
import ctypes
import os
import shutil
import struct
import subprocess

import host
import polkit
from alice import alice
from tap import check, equal, test
from test_namespaces import RANGES, granted

BOTH = ("container", "vm")
ESCAPE = "/tests/escape"
BAITS = {"/tests/escape-other": (1001, 0, 0o600), "/tests/escape-group": (0, 0, 0o640)}
COPIES = {"/tests/escape-set-uid": 0o4755, "/tests/escape-capable": 0o755}
CAP_DAC_OVERRIDE = 1
SHM_KEY, IPC_CREAT, IPC_RMID = 0x5CA9E, 0o1000, 0


@contextlib.contextmanager
def baits():
    """What some probes look for: files of others, programs with rights of their own, shared memory."""
    libc = ctypes.CDLL(None, use_errno=True)
    for path, (uid, gid, mode) in BAITS.items():
        with open(path, "w", encoding="utf-8") as file:
            file.write("bait")
        os.chown(path, uid, gid)
        os.chmod(path, mode)
    for path, mode in COPIES.items():
        shutil.copy(ESCAPE, path)
        os.chmod(path, mode)
    os.setxattr("/tests/escape-capable", "security.capability",
                struct.pack("<5I", 0x02000001, 1 << CAP_DAC_OVERRIDE, 0, 0, 0))
    memory = libc.shmget(SHM_KEY, 1024, IPC_CREAT | 0o666)
    check(memory >= 0, "there is no shared memory")
    try:
        yield
    finally:
        libc.shmctl(memory, IPC_RMID, None)
        for path in (*BAITS, *COPIES):
            os.unlink(path)


def results(text):
    return dict(line.split("=", 1) for line in text.splitlines())


def unconfined(*words, user=None):
    """With a descriptor left open, and a directory as standard input, to be found."""
    command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
    directory = os.open("/etc", os.O_RDONLY | os.O_DIRECTORY)
    try:
        done = subprocess.run([*command, ESCAPE, *words], stdin=directory, stdout=subprocess.PIPE,
                              pass_fds=[directory], check=True, text=True, timeout=60)
    finally:
        os.close(directory)
    return results(done.stdout)


def check_all_work(said, least):
    check(len(said) >= least, f"only {len(said)} probes are proven here")
    failed = {name: result for name, result in said.items() if result != "0"}
    check(not failed, f"these do not work where they should: {failed}")


def try_all(world, service, **settings):
    """Every probe in an instance of this service: name -> result; the instance ends well."""
    output = world.path(f"escapes-{len(os.listdir(world.directory))}")
    with open(output, "w", encoding="utf-8"):
        os.chmod(output, 0o666)
    instance = service.run("escape", Command=[ESCAPE, f"--output={output}", "all"], **settings)
    equal(instance.wait()[1:], ("success", 1, 0), instance["StatusText"])
    plan = instance.ask("GetPlan")
    instance.destroy()
    said = results(host.read(output))
    equal(set(said), set(unconfined("list")), "the probes")
    check(len(said) >= 60, f"there are only {len(said)} probes")
    ways = [name for name, result in said.items() if result == "0"]
    check(not ways, f"these led out: {ways}; the plan: {plan}")
    return said


# ---- they can succeed ----------------------------------------------------------------------------


@test
def unconfined_root_gets_everywhere(world):
    world.create("kept", Command=["true"])
    with baits():
        check_all_work(unconfined("prove", "root"), 60)


@test(beds=("vm",))
def unconfined_root_of_a_whole_machine_gets_everywhere_else(_world):
    with baits():
        check_all_work(unconfined("prove", "vm"), 15)


@test(beds=BOTH)
def an_unconfined_user_gets_ahead_by_programs_with_rights_of_their_own(_world):
    with baits():
        check_all_work(unconfined("prove", "user", user=1000), 2)


@test
def every_probe_that_is_not_proven_says_why(_world):
    for name, where in unconfined("list").items():
        place, _, reason = where.partition(" ")
        equal(bool(reason), place == "nowhere", name)


# ---- and do not ----------------------------------------------------------------------------------


@test(beds=BOTH)
def nothing_leads_out_of_an_instance_of_an_ordinary_user(world):
    with baits(), polkit.rules(world) as user:
        try_all(world, user)


@test(beds=BOTH)
def nothing_leads_out_of_an_instance_of_a_users_own_service(world):
    with baits():
        try_all(world, alice(world))


@test(beds=BOTH)
def nothing_leads_out_for_root_in_a_user_namespace(world):
    with baits(), granted(*RANGES):
        # One that was refused ranges just before would not ask for them again so soon.
        host.sh("systemctl", "--user", "stop", "constellationd.service", user="alice", check=False)
        service = alice(world)
        said = try_all(world, service, User="root", IDMapping="range", UserNamespace="required",
                       Require=["IDMapping"])
        check(said["become-root"] != "1", "it was not root in its namespace")
