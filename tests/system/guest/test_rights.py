# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a payload may do: groups, capabilities, limits; each setting compared with what is seen
inside, as root, as root with User=alice, and in the service of alice."""

import os
import re

import host
from service import PROBE, refused
from tap import check, contains, equal, matches, test
from test_user_service import UID, alice

BOTH = ("container", "vm")
SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
CHOWN, KILL, SETPCAP, NET_BIND_SERVICE, SYS_RESOURCE = (1 << n for n in (0, 5, 8, 10, 24))
MIB = 1 << 20
LIMITS = {
    "LimitCPU": ("10s:1min", "10 60"),
    "LimitFSIZE": ("64M:65M", f"{64 * MIB} {65 * MIB}"),
    "LimitDATA": ("1G", f"{1024 * MIB} {1024 * MIB}"),
    "LimitSTACK": ("4M:8M", f"{4 * MIB} {8 * MIB}"),
    "LimitCORE": ("0:1M", f"0 {MIB}"),
    "LimitRSS": ("infinity", "unlimited unlimited"),
    "LimitNOFILE": ("100:200", "100 200"),
    "LimitAS": ("2G:infinity", f"{2048 * MIB} unlimited"),
    "LimitNPROC": ("500", "500 500"),
    "LimitMEMLOCK": ("64K", "65536 65536"),
    "LimitLOCKS": ("7:8", "7 8"),
    "LimitSIGPENDING": ("30:40", "30 40"),
    "LimitMSGQUEUE": ("1000:2000", "1000 2000"),
    "LimitRTPRIO": ("0", "0 0"),
    "LimitRTTIME": ("5ms:1s", "5000 1000000"),
}


def may_raise():
    """Whether root is the machine's: in a container it may lack CAP_SYS_RESOURCE."""
    effective = re.search(r"^CapEff:\s*(\w+)", host.read("/proc/self/status"), re.MULTILINE)
    return int(effective[1], 16) & SYS_RESOURCE != 0


def sets(seen):
    return [int(seen[name], 16) for name in SETS]


def degraded(instance):
    return {feature: (code, reason) for feature, code, reason in instance["Degraded"]}


# ---- groups --------------------------------------------------------------------------------------


@test(beds=BOTH)
def group_and_supplementary_groups_are_the_payloads(world):
    seen = world.probe("report", User="alice", Group="audio", SupplementaryGroups=["video", "4242"])
    equal([seen[key] for key in ("gid", "egid", "sgid")], ["29"] * 3)
    groups = seen["groups"].split()
    check({"44", "4242", "1000"} <= set(groups), f"the groups are {groups}")
    equal(world.probe("report", Group="4294967294")["gid"], "4294967294")
    equal(world.probe("report", User="4294967294")["uid"], "4294967294")


@test
def who_does_not_exist_is_refused_before_anything_is_made(world):
    for setting, value in (("User", "nobody-such"), ("Group", "nobody-such"),
                           ("SupplementaryGroups", ["nobody-such"])):
        with refused("InvalidArgs", f"^{setting}=nobody-such: there is no such (user|group)"):
            world.run("web", Command=["true"], **{setting: value})
    for value in ("65535", "4294967295", "4294967296", "01", "-1"):
        for setting in ("User", "Group", "SupplementaryGroups"):
            with refused("InvalidArgs", f"^{setting}="):
                world.run("web", Command=["true"], **{setting: value})
    equal(world.list(), [])


@test
def an_ordinary_service_keeps_its_groups(world):
    service = alice(world)
    with refused("AccessDenied", "^Group=audio: the owner is not a member"):
        service.run("web", Command=["true"], Group="audio")
    equal(world.probe("report", by=service, Group="alice")["gid"], str(UID))
    web = service.run("web", Command=["sleep", "100"], SupplementaryGroups=["alice"])
    contains(degraded(web)["SupplementaryGroups"][1], "the service is not root")
    with refused("IsolationFailed", "^SupplementaryGroups is required: the service is not root"):
        service.run("strict", Command=["true"], SupplementaryGroups=["alice"],
                    Require=["SupplementaryGroups"])


@test(beds=BOTH)
def the_umask_is_the_one_asked_for(world):
    for service in (None, alice(world)):
        for text, shown in (("0077", "0077"), ("0", "0000"), ("777", "0777")):
            equal(world.probe("report", by=service, UMask=text,
                              StandardOutput="journal")["umask"], shown)
    web = world.create("web", Command=["true"], UMask=0o27)
    equal(web.all("org.rads.Constellation.Settings")["UMask"], 0o27)


# ---- capabilities --------------------------------------------------------------------------------


@test(beds=BOTH)
def the_bounding_set_is_what_root_has(world):
    for words, expected in ((["CAP_CHOWN", "CAP_KILL"], CHOWN | KILL), ([], 0)):
        equal(sets(world.probe("report", CapabilityBoundingSet=words)),
              [0, expected, expected, expected, 0])
    everything = sets(world.probe("report"))
    without = sets(world.probe("report", CapabilityBoundingSet=["~CAP_CHOWN", "cap_setpcap"]))
    equal([both & ~(CHOWN | SETPCAP) for both in everything], without)


@test(beds=BOTH)
def ambient_capabilities_are_what_a_user_has(world):
    given = CHOWN | NET_BIND_SERVICE
    seen = world.probe("report", User="alice",
                       AmbientCapabilities=["CAP_CHOWN", "CAP_NET_BIND_SERVICE"])
    equal(sets(seen), [given] * 5)
    equal((seen["uid"], seen["NoNewPrivs"]), ("1000", "1"))
    seen = world.probe("report", User="alice", CapabilityBoundingSet="CAP_CHOWN CAP_KILL",
                       AmbientCapabilities="CAP_CHOWN")
    equal(sets(seen), [CHOWN, CHOWN, CHOWN, CHOWN | KILL, CHOWN])


@test
def capabilities_in_a_user_namespace_are_no_capabilities_outside(world):
    service = alice(world)
    seen = world.probe("report", by=service, AmbientCapabilities=["CAP_CHOWN"])
    equal(sets(seen), [CHOWN] * 5)
    check(seen["ns_user"] != host.namespace("self", "user"), "the user namespace is the host's")
    for setting, value in (("AmbientCapabilities", ["CAP_CHOWN"]),
                           ("CapabilityBoundingSet", ["CAP_CHOWN"])):
        settings = {setting: value, "UserNamespace": "off"}
        web = service.run("web", Command=["sleep", "100"], **settings)
        equal(degraded(web)[setting][0], "refused")
        contains(degraded(web)[setting][1], "the service is not root")
        equal(service.checked("web2", Command=["true"], **settings)[setting][0], "refused")
        web.destroy(Force=True)
        with refused("IsolationFailed", f"^{setting} is required"):
            service.run("web", Command=["true"], Require=[setting], **settings)


@test
def unknown_capabilities_are_refused_by_name(world):
    for setting in ("CapabilityBoundingSet", "AmbientCapabilities"):
        with refused("InvalidArgs", f"^{setting}=.*CAP_NONSENSE is no capability"):
            world.create("web", Command=["true"], **{setting: ["CAP_CHOWN", "CAP_NONSENSE"]})
    with refused("InvalidArgs", "^AmbientCapabilities=CAP_KILL: not in CapabilityBoundingSet="):
        world.create("web", Command=["true"], CapabilityBoundingSet=["CAP_CHOWN"],
                     AmbientCapabilities=["CAP_CHOWN", "CAP_KILL"])


# ---- limits --------------------------------------------------------------------------------------


def check_limits(world, **how):
    nice = ("0:+19", "0 1") if may_raise() else ("0", "0 0")
    limits = {**LIMITS, "LimitNICE": nice}
    seen = world.probe("report", **{name: text for name, (text, _) in limits.items()}, **how)
    for name, (text, expected) in limits.items():
        equal(seen["rlimit_" + name.removeprefix("Limit").lower()], expected, f"{name}={text}")


@test(beds=BOTH)
def all_sixteen_limits_are_those_asked_for(world):
    check_limits(world)
    check_limits(world, User="alice")


@test
def an_ordinary_service_has_the_limits_that_it_may_have(world):
    service = alice(world)
    seen = world.probe("report", by=service, LimitNOFILE="100:200", LimitCORE="0", LimitCPU="1min")
    equal([seen[f"rlimit_{name}"] for name in ("nofile", "core", "cpu")], ["100 200", "0 0",
                                                                           "60 60"])
    web = service.run("web", Command=["sleep", "100"], LimitNPROC="infinity", LimitNICE="-20")
    told = service.checked("web2", Command=["true"], LimitNPROC="infinity", LimitNICE="-20")
    equal(set(degraded(web)), {row for row, (outcome, _) in told.items() if outcome == "refused"})
    contains(degraded(web)["LimitNICE"][1], "may not raise the hard limit")
    with refused("IsolationFailed", "^LimitNICE is required: the service is not root"):
        service.run("strict", Command=["true"], LimitNICE="-20", Require=["LimitNICE"])


@test
def a_limit_that_nobody_can_have_is_told_with_its_name(world):
    web = world.run("web", Command=["sleep", "100"], LimitNOFILE="infinity")
    code, reason = degraded(web)["LimitNOFILE"]
    # Whoever sees the sysctl knows it before the kernel says so.
    contains(("failed", "refused"), code)
    matches(reason, ".*(fs.nr_open|may not raise the hard limit).*")
    with refused("IsolationFailed", "^(setting )?LimitNOFILE"):
        world.run("strict", Command=["true"], LimitNOFILE="infinity", Require=["LimitNOFILE"])


@test(beds=BOTH)
def nice_and_the_oom_score_are_those_asked_for(world):
    for settings in ({}, {"User": "alice"}):
        seen = world.probe("report", Nice=-5, OOMScoreAdjust=-500, **settings)
        equal((seen["nice"], seen["oom_score_adj"]), ("-5", "-500" if may_raise() else "0"))
        seen = world.probe("report", Nice="19", OOMScoreAdjust="1000", **settings)
        equal((seen["nice"], seen["oom_score_adj"]), ("19", "1000"))
    for setting, value in (("Nice", 20), ("Nice", -21), ("OOMScoreAdjust", 1001),
                           ("OOMScoreAdjust", "-1001")):
        with refused("InvalidArgs", f"^{setting}={value}: must be from -"):
            world.create("web", Command=["true"], **{setting: value})


@test
def an_ordinary_service_can_only_be_nicer(world):
    service = alice(world)
    seen = world.probe("report", by=service, Nice=5, OOMScoreAdjust=800)
    equal((seen["nice"], seen["oom_score_adj"]), ("5", "800"))
    web = service.run("web", Command=["sleep", "100"], Nice=-5, OOMScoreAdjust=-5)
    for setting in ("Nice", "OOMScoreAdjust"):
        equal(degraded(web)[setting][0], "refused")
        contains(degraded(web)[setting][1], "the service is not root")


@test
def the_plan_names_every_step_and_what_became_of_it(world):
    web = alice(world).run("web", Command=["sleep", "100"], Nice=-5, LimitCORE="0")
    steps = {step: outcome for step, outcome, _reason in web.ask("GetPlan")}
    equal((steps["nice"], steps["limit"], steps["umask"]), ("refused", "planned", "planned"))


# ---- keys ----------------------------------------------------------------------------------------


@test
def every_payload_has_a_session_keyring_of_its_own(world):
    keyrings = [world.probe("report", **how)["keyring"]
                for how in ({}, {}, {"User": "alice"},
                            {"by": alice(world), "SystemCallFilter": "off"})]
    equal(len(set(keyrings)), 4)
    for keyring in keyrings:
        check(keyring.isdigit(), f"no keyring: {keyring}")


@test
def a_group_opens_the_file_of_that_group(world):
    path = world.write("file", "shared", 0o640)
    os.chown(path, 0, 4242)
    check(world.probe("read", path, User="alice")["errno"] == "13", "it can be read")
    equal(world.probe("read", path, User="alice", SupplementaryGroups=["4242"])["content"], "shared")
    equal(world.run("sees", Command=[PROBE, "exit", "0"], Group="4242").status(), 0)
