# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a payload sees of the world, against what was asked for."""

import os
import signal

import host
from service import PROBE, refused
from tap import Skip, check, contains, equal, eventually, matches, test

BOTH = ("container", "vm")
KINDS = {"PIDNamespace": "pid", "MountNamespace": "mnt", "UTSNamespace": "uts",
         "IPCNamespace": "ipc", "CgroupNamespace": "cgroup"}
NAMES = {"pid": "pid", "mnt": "mount", "uts": "uts", "ipc": "ipc", "cgroup": "cgroup",
         "user": "user"}


@test(beds=BOTH)
def every_namespace_is_its_own_by_default(world):
    seen = world.probe("report")
    for kind in KINDS.values():
        check(seen[f"ns_{kind}"] != host.namespace("self", kind), f"the {kind} namespace is shared")


@test(beds=BOTH)
def the_namespaces_that_are_not_isolated_are_the_hosts(world):
    seen = world.probe("report")
    for kind in ("net", "user", "time"):
        equal(seen[f"ns_{kind}"], host.namespace("self", kind), f"the {kind} namespace")


@test
def each_namespace_can_be_switched_off_alone(world):
    for setting, kind in KINDS.items():
        seen = world.probe("report", **{setting: "off"})
        equal(seen[f"ns_{kind}"], host.namespace("self", kind), f"the {kind} namespace")
        for other in set(KINDS.values()) - {kind}:
            check(seen[f"ns_{other}"] != host.namespace("self", other), f"{other} with {setting}")


@test
def with_all_namespaces_off_everything_is_the_hosts(world):
    seen = world.probe("report", **dict.fromkeys(KINDS, "off"))
    for kind in KINDS.values():
        equal(seen[f"ns_{kind}"], host.namespace("self", kind), f"the {kind} namespace")
    equal(seen["hostname"], os.uname().nodename)


@test
def the_property_isolation_says_what_the_payload_has(world):
    web = world.run("web", Command=["sleep", "100"], IPCNamespace="off", UserNamespace="required")
    told = web.isolation()
    for kind, name in NAMES.items():
        own = host.namespace(web["MainPID"], kind) != host.namespace("self", kind)
        equal(told[name], ("private" if own else "shared", ""), name)


@test
def two_instances_share_no_namespace(world):
    one, other = (world.run(name, Command=["sleep", "100"])["MainPID"] for name in ("a", "b"))
    for kind in KINDS.values():
        check(host.namespace(one, kind) != host.namespace(other, kind), f"{kind} is shared")


@test(beds=BOTH)
def the_payload_is_a_child_of_process_one_and_sees_only_its_own(world):
    seen = world.probe("report")
    equal((seen["pid"], seen["ppid"], seen["pids"]), ("2", "1", "2"))


@test
def without_a_pid_namespace_all_processes_are_seen(world):
    seen = world.probe("report", PIDNamespace="off")
    check(int(seen["pids"]) > 4 and int(seen["pid"]) > 2, f"it sees {seen['pids']} processes")


@test
def without_a_pid_namespace_orphans_are_ended_all_the_same(world):
    output = world.path("said")
    web = world.run("web", Command=[PROBE, f"--output={output}", "fork", "5"], PIDNamespace="off")
    eventually(lambda: world.answer("said"), "it has forked")
    web.stop()
    check(not host.processes("probe"), "no process is left")


@test
def the_payload_leads_a_session_of_its_own(world):
    seen = world.probe("report")
    equal((seen["sid"], seen["pgid"]), (seen["pid"], seen["pid"]))


@test(beds=BOTH)
def the_host_name_is_the_instances_name_or_what_is_asked_for(world):
    equal(world.probe("report")["hostname"], "probe")
    equal(world.probe("report", Hostname="other.example")["hostname"], "other.example")


@test
def a_host_name_that_is_set_inside_stays_inside(world):
    before = os.uname().nodename
    equal(world.probe("set-hostname", "intruder")["errno"], "0")
    equal(os.uname().nodename, before)


@test
def the_cgroup_looks_like_the_root_from_inside(world):
    equal(world.probe("report")["cgroup"], "/")
    matches(world.probe("report", CgroupNamespace="off")["cgroup"],
            "/constellation.slice/constellation-0.slice/constellation-system-.*_1.scope")


# ---- files ---------------------------------------------------------------------------------------


@test
def mounts_made_inside_do_not_show_outside(world):
    os.mkdir(world.path("point"))
    output = world.path("said")
    script = f"{PROBE} --output={output} mount {world.path('point')} && sleep 100"
    world.run("web", Command=["sh", "-c", script])
    eventually(lambda: world.answer("said"), "it has mounted")
    equal(world.answer("said")["errno"], "0")
    check(not os.path.ismount(world.path("point")), "the mount shows outside")


@test
def mounts_made_outside_show_inside_and_go_again(world):
    point = world.path("point")
    os.mkdir(point)
    script = f"until [ -e {point}/here ]; do sleep 0.01; done; touch {point}/seen; sleep 100"
    web = world.run("web", Command=["sh", "-c", script])
    host.sh("mount", "-t", "tmpfs", "outside", point)
    try:
        host.sh("touch", f"{point}/here")
        eventually(lambda: os.path.exists(f"{point}/seen"), "it is seen inside")
    finally:
        host.sh("umount", point)
    check(point not in host.read(f"/proc/{web['MainPID']}/mountinfo"), "it is still there inside")


@test
def what_the_service_keeps_is_hidden_from_the_payload(world):
    for directory in ("/run/constellation", "/var/lib/constellation"):
        check(os.listdir(directory), f"there is something in {directory}")
        equal(world.probe("list", directory)["entries"], "0", directory)
        check(world.probe("write", f"{directory}/x", "x")["errno"] != "0", "it can be written to")


@test
def without_a_mount_namespace_the_proc_of_the_host_stays(world):
    before = host.mounts()
    seen = world.probe("report", MountNamespace="off", PIDNamespace="off")
    equal(int(seen["mounts"]), len(before))
    equal(host.mounts(), before)


@test
def the_payload_starts_in_the_root_or_where_it_is_told(world):
    equal(world.probe("report")["cwd"], "/")
    equal(world.probe("report", WorkingDirectory="/usr")["cwd"], "/usr")
    with refused("SpawnFailed", "^entering the working directory /nowhere: No such file"):
        world.run("web", Command=["true"], WorkingDirectory="/nowhere")


# ---- rights --------------------------------------------------------------------------------------


@test(beds=BOTH)
def nothing_but_standard_input_and_outputs_is_open(world):
    for settings in ({}, {"User": "alice"}, dict.fromkeys(KINDS, "off")):
        equal(world.probe("report", **settings)["fds"], "0 1 2")


@test
def standard_input_is_empty_and_the_outputs_go_to_the_journal(world):
    seen = world.probe("report")
    equal(seen["fd_0"], "/dev/null")
    matches(seen["fd_1"] + seen["fd_2"], "socket.*socket.*")
    equal(world.probe("report", StandardOutput="null")["fd_1"], "/dev/null")


@test(beds=BOTH)
def a_users_payload_has_the_users_ids_and_groups_and_nothing_else(world):
    seen = world.probe("report", User="alice")
    for key in ("uid", "euid", "suid", "gid", "egid", "sgid"):
        equal(seen[key], "1000", key)
    equal(sorted(seen["groups"].split()), sorted(host.sh("id", "-G", "alice").split()))
    for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        equal(int(seen[key], 16), 0, key)
    equal(seen["NoNewPrivs"], "1")


@test
def a_user_may_be_given_by_number_even_without_a_name(world):
    equal(world.probe("report", User="1001")["uid"], "1001")
    seen = world.probe("report", User="4242")
    equal((seen["uid"], seen["gid"], seen["groups"]), ("4242", "4242", ""))


@test
def no_way_leads_from_a_users_payload_back_to_root(world):
    equal(world.probe("setuid", "0", User="alice")["errno"], "1")
    for verb in (("read", "/etc/shadow"), ("kill", "1", "9"), ("set-hostname", "x"),
                 ("mount", "/mnt"), ("unmount", "/proc")):
        check(world.probe(*verb, User="alice")["errno"] in ("1", "13"), f"{verb} was allowed")


@test
def roots_payload_keeps_roots_capabilities_unless_told_otherwise(world):
    seen = world.probe("report")
    equal((seen["uid"], seen["NoNewPrivs"]), ("0", "0"))
    check(int(seen["CapEff"], 16) != 0, "root has no capabilities")
    equal(world.probe("report", NoNewPrivileges=True)["NoNewPrivs"], "1")
    equal(world.probe("report", User="alice", NoNewPrivileges=False)["NoNewPrivs"], "0")


@test
def a_user_namespace_for_root_maps_root_and_gives_no_right_over_the_host(world):
    seen = world.probe("report", UserNamespace="required")
    check(seen["ns_user"] != host.namespace("self", "user"), "the user namespace is shared")
    equal(seen["uid"], "0")
    seen = world.probe("report", UserNamespace="required", User="alice")
    equal((seen["uid"], seen["gid"]), ("1000", "1000"))


@test
def signals_are_neither_blocked_nor_ignored_but_sigpipe_of_the_journals_streams(world):
    rows = (({}, True), ({"IgnoreSIGPIPE": False}, False), ({"StandardOutput": "null"}, True),
            ({"StandardOutput": "null", "StandardError": "null"}, False),
            ({"StandardOutput": "null", "StandardError": "null", "IgnoreSIGPIPE": True}, True))
    for settings, ignored in rows:
        seen = world.probe("report", **settings)
        equal(int(seen["SigBlk"], 16), 0, "SigBlk")
        equal(int(seen["SigIgn"], 16), 1 << signal.SIGPIPE - 1 if ignored else 0, f"{settings}")


@test
def process_one_cannot_be_fooled_by_forged_signals(world):
    for number in (33 + 15, 33 + 9, 32 + 1):
        seen = world.probe("forge-signal", str(number), "0")
        check(seen["status"] in (0, 1), f"signal {number} ended it: {seen}")


@test
def the_environment_is_the_users_and_the_settings_and_nothing_of_the_service(world):
    seen = world.probe("report", Environment=["A=1", "PATH=/bin"], User="alice")
    equal(sorted(seen["env"].split()), sorted(["A", "CONSTELLATION_ID", "CONSTELLATION_INSTANCE",
                                               "HOME", "LOGNAME", "PATH", "SHELL", "USER"]))
    equal(world.probe("variable", "PATH", Environment=["PATH=/opt"])["value"], "/opt")
    equal(world.probe("variable", "HOME", User="alice")["value"], "/home/alice")


@test
def the_umask_the_limits_and_the_oom_score_are_the_usual_ones(world):
    seen = world.probe("report")
    equal(seen["umask"], "0022")
    equal(seen["rlimit_nofile"].split()[0], "1024")
    equal((seen["oom_score_adj"], seen["nice"]), ("0", "0"))


@test
def what_could_not_be_had_is_said_in_the_property_degraded(world):
    web = world.run("web", Command=["sleep", "100"], MemoryMax="1G")
    degraded = {feature: code for feature, code, _reason in web["Degraded"]}
    if "memory" in host.read("/sys/fs/cgroup/cgroup.controllers"):
        raise Skip("there is a memory controller")
    equal(degraded["MemoryMax"], "unsupported")
    equal(web["StatusText"], "running, degraded")
    with refused("CgroupFailed", "MemoryMax is required and cannot be enforced: there is no "):
        world.run("strict", Command=["true"], MemoryMax="1G", Require=["MemoryMax"])


@test
def a_check_tells_beforehand_what_a_start_gets(world):
    told = world.checked("web", Command=["sleep", "100"], IPCNamespace="off", MemoryMax="1G")
    web = world.run("web", Command=["sleep", "100"], IPCNamespace="off", MemoryMax="1G")
    equal(told["Backend"][0], web["Backend"])
    for setting, kind in KINDS.items():
        equal(told[setting], web.isolation()[NAMES[kind]], setting)
    equal(told["MemoryMax"][0] == "enforced", web.enforced()["MemoryMax"][1])
    contains(told["MemoryMax"][1], web.enforced()["MemoryMax"][2])
