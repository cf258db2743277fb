# SPDX-License-Identifier: LGPL-2.1-or-later
"""CheckInstance against the start: whatever is asked for, on whatever host, both must tell the same.

Specs are drawn at random, with a seed that is told when something is found; hosts are made of this
one by taking away from it. What only the payload's own files decide (a program or a directory that
is not there) cannot be known beforehand, and is not drawn."""

import os
import random
import signal
import subprocess

import host
from alice import alice
from bus import BusError
from service import Service
from tap import check, equal, eventually, test
from world import DAEMON, UIDS

SPECS = 60
SLEEP = ["sleep", "100"]
TRY = ("required", "try", "off")
CHOICES = {
    "PIDNamespace": TRY, "MountNamespace": TRY, "UTSNamespace": TRY, "IPCNamespace": TRY,
    "CgroupNamespace": TRY, "TimeNamespace": TRY, "UserNamespace": ("auto", *TRY),
    "IDMapping": ("auto", "self", "range"), "Network": ("host", "none"), "User": ("alice", "root"),
    "Filesystem": ("host", "read-only"), "PrivateTmp": (True, False),
    "Backend": ("auto", "auto", "scope", "cgroup", "monitor"), "MemoryMax": ("64M",),
    "TasksMax": ("50",), "CPUQuota": ("50%",), "NoNewPrivileges": (True, False),
    "AmbientCapabilities": (["CAP_KILL"],), "CapabilityBoundingSet": (["CAP_CHOWN"],),
    "SupplementaryGroups": (["root"], ["alice"]), "OOMScoreAdjust": ("-5", "5"), "Nice": ("-5", "5"),
    "LimitNOFILE": ("100", "infinity"), "BindPaths": (["/usr"],), "UMask": ("0077",),
}


def draw(source):
    """Few settings or many: both have their own faults."""
    names = source.sample(sorted(CHOICES), source.choice((1, 2, 4, 8, 12)))
    spec = {name: source.choice(CHOICES[name]) for name in names}
    if source.random() < 0.4:
        spec["Require"] = source.sample(sorted(set(names) - {"User", "Backend"}) or ["PrivateTmp"], 1)
    return spec


def outcome(of):
    """What it gave, or the error as (name, message)."""
    try:
        return of(), None
    except BusError as error:
        return None, (error.name, error.text)


def compare(service, spec):
    rows, foretold = outcome(lambda: service.manager_rows("web", Command=SLEEP, **spec))
    web, happened = outcome(lambda: service.run("web", Command=SLEEP, **spec))
    equal(happened, foretold, "the error")
    if web is None:
        return "error"
    try:
        compare_rows(service, web, rows)
    finally:
        web.destroy(Force=True)
    return "degraded" if any(row[1] == "refused" for row in rows) else "full"


def compare_rows(service, web, rows):
    told = {feature: (result, reason) for feature, result, reason in rows}
    equal(told["Backend"], (web["Backend"], web["BackendReason"]), "the backend")
    for kind, setting in service.kinds.items():
        equal(web.isolation()[kind], told[setting], setting)
    refused = sorted((feature, reason) for feature, result, reason in rows
                     if result == "refused")
    equal(sorted((feature, reason) for feature, _code, reason in web["Degraded"]
                 if feature not in ("StandardOutput", "StandardError")), refused, "what is missing")
    for limit, _value, enforced, reason in web["Enforced"]:
        equal(("enforced" if enforced else "refused", "" if enforced else reason),
              (told[limit][0], "" if enforced else told[limit][1]), limit)
    plan = [row for row in web.ask("GetPlan") if row[1] == "refused"]
    for step, _outcome, reason in plan:
        check(step in ("init-oom-score", "oom-score", "keyring") or
              any(reason == known for _feature, known in refused), f"{step}: {reason}")


class Foretelling:
    """A service, with what it takes to compare."""

    kinds = {"user": "UserNamespace", "pid": "PIDNamespace", "mount": "MountNamespace",
             "uts": "UTSNamespace", "ipc": "IPCNamespace", "cgroup": "CgroupNamespace",
             "network": "Network", "time": "TimeNamespace"}

    def __init__(self, service):
        self.service = service

    def __getattr__(self, name):
        return getattr(self.service, name)

    def manager_rows(self, name, **settings):
        from bus import dictionary  # pylint: disable=import-outside-toplevel
        from gi.repository import GLib  # pylint: disable=import-outside-toplevel
        return self.service.manager("CheckInstance", GLib.Variant("s", name), dictionary(settings))


def compare_many(service, what, count=SPECS, needs=("full", "degraded", "error")):
    seed = random.randrange(1 << 32)
    seen = set()
    for number in range(count):
        spec = draw(random.Random(seed + number))
        try:
            seen.add(compare(Foretelling(service), spec))
        except Exception as error:
            raise AssertionError(f"{what}, seed {seed + number}, {spec}: {error}") from error
    check(seen >= set(needs), f"{what}: only {seen} came up")


class LessPrivilegedService(Service):
    """A private service, started by a command that takes something away from it."""

    def __init__(self, world, user, prefix):
        directory = world.path(f"less-{len(world.others)}")
        os.makedirs(directory)
        os.chown(directory, UIDS[user], UIDS[user])
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [*prefix, DAEMON, f"--private={directory}/socket", "--log-level=warning"],
            env={"PATH": os.environ["PATH"], "HOME": "/"}, stdin=subprocess.DEVNULL)
        eventually(lambda: os.path.exists(f"{directory}/socket") or
                   self.process.poll() is not None, "the service listens")
        super().__init__(f"unix:path={directory}/socket", UIDS[user], name=None)
        world.others.append(self)

    def close(self):
        super().close()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)


RUN = ("systemd-run", "--quiet", "--pipe", "--wait", "--property=Delegate=yes")
ALICE = ("setpriv", "--reuid=1000", "--regid=1000", "--init-groups")


def unsharing(*kinds, script="exec \"$@\""):
    """As root of a user namespace, after a script in it."""
    return ("unshare", "--user", "--map-root-user", *kinds, "sh", "-c", script, "sh")


def without(limit):
    """Where there may be no more namespaces of one kind."""
    return unsharing(script=f"echo 0 > /proc/sys/user/max_{limit}_namespaces; exec \"$@\"")


# ---- as it is ------------------------------------------------------------------------------------


@test
def a_check_of_roots_instances_comes_true(world):
    compare_many(world, "root", 2 * SPECS)


@test
def a_check_of_alices_instances_comes_true(world):
    compare_many(alice(world), "alice", 2 * SPECS)


@test(beds=("vm",))
def checks_come_true_on_an_older_kernel(world):
    compare_many(world, "root", 25, needs=("full", "error"))
    compare_many(alice(world), "alice", 15, needs=("error",))


# ---- with less than that -------------------------------------------------------------------------


@test
def a_check_comes_true_where_a_kind_of_namespace_is_not_to_be_had(world):
    for limit in ("user", "pid", "mnt", "uts", "ipc", "net", "cgroup", "time"):
        service = LessPrivilegedService(world, "root", without(limit))
        compare_many(service, f"max_{limit}_namespaces=0", 12, needs=("error",))


@test
def a_check_comes_true_without_any_capability(world):
    for what, prefix in {
            "no capability": ("setpriv", "--bounding-set=-all", "--inh-caps=-all"),
            "no CAP_SYS_ADMIN": ("setpriv", "--bounding-set=-sys_admin"),
            "no CAP_SETUID": ("setpriv", "--bounding-set=-setuid,-setgid"),
            "no CAP_NET_ADMIN": ("setpriv", "--bounding-set=-net_admin"),
            "no new privileges": (*ALICE, "--no-new-privs"),
            "alice without user namespaces": (*RUN, "--uid=alice", "--property=RestrictNamespaces="
                                              "~user"),
    }.items():
        user = "alice" if set(prefix) & {ALICE[1], "--uid=alice"} else "root"
        compare_many(LessPrivilegedService(world, user, prefix), what, 20, needs=("error",))


@test
def a_check_comes_true_in_a_container(world):
    """Its /proc is partly hidden, which forbids mounting another in a user namespace."""
    hidden = "mount -t tmpfs hidden /proc/sys/kernel && exec \"$@\""
    for what, prefix in {
            "a hidden /proc": ("unshare", "--mount", "sh", "-c", hidden, "sh"),
            "a hidden /proc, alice": ("unshare", "--mount", "sh", "-c", hidden, "sh", *ALICE),
            "a user namespace": unsharing("--mount"),
            "a read-only root": ("unshare", "--mount", "sh", "-c",
                                 "mount -o remount,ro,bind / && exec \"$@\"", "sh"),
    }.items():
        user = "alice" if prefix[-len(ALICE):] == ALICE else "root"
        compare_many(LessPrivilegedService(world, user, prefix), what, 30, needs=("error",))


@test
def a_check_comes_true_where_system_calls_are_filtered(world):
    for filtered in ("@mount", "unshare setns", "sethostname", "setgroups setgroups32", "keyctl",
                     "mount", "open_tree move_mount mount_setattr"):
        service = LessPrivilegedService(world, "root", (
            *RUN, f"--property=SystemCallFilter=~{filtered}",
            "--property=SystemCallErrorNumber=EPERM"))
        compare_many(service, f"without {filtered}", 15, needs=("error",))
