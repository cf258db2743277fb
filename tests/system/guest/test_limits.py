# SPDX-License-Identifier: LGPL-2.1-or-later
"""Limits where the controllers are: that they bite, not that they are written down."""

import host
from bus import dictionary
from service import PROBE, refused
from tap import between, check, comment, equal, eventually, test

VM = ("vm",)
SLEEP = ["sleep", "100"]
RUNGS = ("scope", "cgroup")
MIB = 1 << 20


def limit_file(instance, name):
    return host.read(f"{host.CGROUPS}{instance['ControlGroup']}/{name}").strip()


@test(beds=VM)
def every_limit_is_enforced_and_read_back_on_both_rungs(world):
    for rung in RUNGS:
        web = world.run(rung, Command=SLEEP, Backend=rung, MemoryMax=64 * MIB, MemoryHigh=48 * MIB,
                        MemorySwapMax=0, TasksMax=20, CPUQuota="50%", CPUWeight=200)
        equal(web["Backend"], rung)
        rows = web.enforced()
        equal({limit: row[1] for limit, row in rows.items()},
              dict.fromkeys(("MemoryMax", "MemoryHigh", "MemorySwapMax", "TasksMax", "CPUQuota",
                             "CPUWeight"), True), f"enforced by {rung}: {rows}")
        equal({limit: row[0] for limit, row in rows.items()},
              {"MemoryMax": "64M", "MemoryHigh": "48M", "MemorySwapMax": "0", "TasksMax": "20",
               "CPUQuota": "50%", "CPUWeight": "200"})
        check(rows["CPUWeight"][2].startswith("relative to"), rows["CPUWeight"][2])
        equal([limit_file(web, name) for name in ("memory.max", "memory.high", "pids.max",
                                                  "cpu.max", "cpu.weight")],
              [str(64 * MIB), str(48 * MIB), "20", "50000 100000", "200"])
        equal([row for row in web["Degraded"] if row[1] == "unsupported"], [])


@test(beds=VM)
def what_takes_more_memory_than_it_may_is_killed_and_told_so_on_both_rungs(world):
    for rung in RUNGS:
        web = world.run(rung, Command=[PROBE, "eat-memory", str(200 * MIB)], Backend=rung,
                        MemoryMax=32 * MIB, MemorySwapMax=0)
        equal(web.wait()[1], "oom-kill", rung)
        equal(web["State"], "FAILED")
        equal(web["StatusText"], "the kernel killed it for lack of memory (MemoryMax)")


@test(beds=VM)
def what_stays_below_the_limit_lives(world):
    seen = world.probe("eat-memory", str(16 * MIB), MemoryMax=64 * MIB)
    equal((seen["ate"], seen["status"]), (str(16 * MIB), 0))


@test(beds=VM)
def no_more_processes_than_allowed_can_be_made_on_both_rungs(world):
    for rung in RUNGS:
        seen = world.probe("fork-until-fails", "100", TasksMax=12, Backend=rung)
        # The init and the payload itself are among the twelve.
        equal((seen["forked"], seen["errno"]), ("10", "11"), rung)


@test(beds=VM)
def half_a_processor_is_half_a_processor_on_both_rungs(world):
    for rung in RUNGS:
        seen = world.probe("spin", "2", CPUQuota="50%", Backend=rung)
        share = int(seen["cpu_usec"]) / int(seen["wall_usec"])
        comment(f"{rung}: {share:.3f} of a processor")
        between(share, 0.45, 0.55, f"the share of a processor by {rung}")


@test(beds=VM)
def usage_comes_from_the_cgroup(world):
    output = world.path("said")
    web = world.run("web", Command=[PROBE, f"--output={output}", "eat-memory", str(30 * MIB), "99"],
                    MemoryMax=64 * MIB)
    eventually(lambda: world.answer("said"), "it has eaten", seconds=10)
    usage = web.ask("GetUsage")
    between(usage["MemoryCurrent"], 30 * MIB, 64 * MIB, "MemoryCurrent")
    between(usage["TasksCurrent"], 2, 2, "TasksCurrent")
    check(usage["CPUUsageUSec"] > 0, "it used the CPU")


@test(beds=VM)
def a_required_limit_that_can_be_had_is_had(world):
    web = world.run("web", Command=SLEEP, MemoryMax="64M", TasksMax=10,
                    Require=["MemoryMax", "TasksMax"])
    equal(web["State"], "RUNNING")
    with refused("CgroupFailed", "MemoryMax is required and cannot be enforced"):
        world.run("other", Command=SLEEP, MemoryMax="64M", Require=["MemoryMax"],
                  Backend="monitor")


@test(beds=VM)
def a_limit_above_in_the_tree_is_named(world):
    host.sh("systemctl", "set-property", "--runtime", "constellation-0.slice", "MemoryMax=100M")
    world.run("warm-up", Command=SLEEP)
    try:
        web = world.run("web", Command=SLEEP, MemoryMax="200M")
        value, enforced, reason = web.enforced()["MemoryMax"]
        equal((value, enforced), ("200M", True))
        equal(reason, "/constellation.slice/constellation-0.slice, which it is part of, is limited "
              "to 100M")
    finally:
        host.sh("systemctl", "revert", "constellation-0.slice")


@test(beds=VM)
def the_features_say_that_the_controllers_are_there(world):
    features = world.features()
    for name in ("cpu", "memory", "pids"):
        equal(features[f"controller.{name}"], (True, ""), name)


@test(beds=VM)
def the_init_is_spared_by_the_oom_killer(world):
    web = world.run("web", Command=SLEEP)
    equal(host.read(f"/proc/{web['InitPID']}/oom_score_adj"), "-1000\n")
    equal(host.read(f"/proc/{web['MainPID']}/oom_score_adj"), "0\n")
    equal(web["Degraded"], [])


def set_limits(instance, **settings):
    return instance.begin("SetLimits", dictionary(settings)).result()


@test(beds=VM)
def limits_of_what_runs_change_in_the_kernel_on_both_rungs(world):
    for rung in RUNGS:
        web = world.run(rung, Command=SLEEP, Backend=rung, MemoryMax=64 * MIB)
        set_limits(web, MemoryMax=48 * MIB, TasksMax=20, CPUQuota="150%", CPUWeight=50)
        equal([limit_file(web, name) for name in ("memory.max", "pids.max", "cpu.max", "cpu.weight")],
              [str(48 * MIB), "20", "150000 100000", "50"], rung)
        equal({limit: row[:2] for limit, row in web.enforced().items()},
              {"MemoryMax": ("48M", True), "TasksMax": ("20", True), "CPUQuota": ("150%", True),
               "CPUWeight": ("50", True)})
        equal([row for row in web["Degraded"] if row[1] == "unsupported"], [])
        set_limits(web, MemoryMax="infinity")
        equal(limit_file(web, "memory.max"), "max")


@test(beds=VM)
def changed_limits_bite_and_outlast_the_service_and_the_run(world):
    web = world.run("web", Command=SLEEP)
    set_limits(web, TasksMax=12)
    host.sh("systemctl", "restart", "constellationd.service")
    world.reconnect()
    web = world.get("web")
    equal((web.enforced()["TasksMax"][:2], limit_file(web, "pids.max")), (("12", True), "12"))
    web.restart()
    equal(limit_file(web, "pids.max"), "12")


@test(beds=VM)
def a_refused_change_changes_nothing(world):
    web = world.run("web", Command=SLEEP, MemoryMax=64 * MIB)
    with refused("InvalidArgs", "Hostname"):
        set_limits(web, MemoryMax=32 * MIB, Hostname="other")
    equal(limit_file(web, "memory.max"), str(64 * MIB))
