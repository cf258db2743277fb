# SPDX-License-Identifier: LGPL-2.1-or-later
"""The service of an ordinary user, on her session bus, with her own systemd."""

import os

import host
from alice import UID, alice
from service import MANAGER, NAME, PROBE, ROOT, refused
from tap import Skip, check, contains, equal, eventually, matches, test

SLEEP = ["sleep", "100"]


def systemctl(*command, **how):
    return host.sh("systemctl", "--user", *command, user="alice", **how)


@test
def her_bus_starts_her_service(world):
    service = alice(world)
    equal([service.property(name) for name in ("Mode", "Realm")], ["user", "user"])
    equal(systemctl("is-active", "constellationd.service"), "active\n")


@test
def her_instance_runs_as_her_in_a_scope_of_her_manager(world):
    web = alice(world).run("web", Command=SLEEP)
    equal((web["State"], web["Owner"], web["Backend"]), ("RUNNING", UID, "scope"))
    contains(web["ControlGroup"], f"/user@{UID}.service/")
    equal(host.cgroup_of(web["MainPID"]), web["ControlGroup"])
    contains(host.scopes("--user", user="alice"), web["Unit"])


@test
def her_exit_codes_come_back(world):
    service = alice(world)
    for status in (0, 1, 99):
        equal(service.run(f"s{status}", Command=[PROBE, "exit", str(status)]).status(), status)
    equal(service.run("killed", Command=[PROBE, "signal", "11"]).wait()[1:], ("signal", 2, 11))


@test
def her_payload_has_her_ids_and_a_user_namespace_of_its_own(world):
    seen = world.probe("report", by=alice(world))
    equal((seen["uid"], seen["gid"]), (str(UID), str(UID)))
    for kind in ("user", "pid", "mnt", "uts", "ipc"):
        check(seen[f"ns_{kind}"] != host.namespace("self", kind), f"the {kind} namespace is shared")
    equal((seen["pid"], seen["pids"], seen["hostname"], seen["fds"]), ("2", "2", "probe", "0 1 2"))
    equal((int(seen["CapEff"], 16), int(seen["CapBnd"], 16), seen["NoNewPrivs"]), (0, 0, "1"))


@test
def she_can_do_without_the_user_namespace_and_is_told_what_that_costs(world):
    web = alice(world).run("web", Command=SLEEP, UserNamespace="off")
    for kind in ("pid", "mount", "uts"):
        outcome, reason = web.isolation()[kind]
        equal(outcome, "refused", kind)
        matches(reason, "the service is not root, so it takes a user namespace.*")


@test
def she_cannot_run_anything_as_somebody_else(world):
    service = alice(world)
    for user in ("bob", "root"):
        with refused("AccessDenied", f"^User={user}: this service runs as uid {UID}"):
            service.run("web", Command=SLEEP, User=user)
    equal(service.list(), [])


@test
def a_stop_ends_everything_and_leaves_no_scope(world):
    output = world.path("said")
    web = alice(world).run("web", Command=[PROBE, f"--output={output}", "fork", "4"])
    eventually(lambda: world.answer("said"), "it has forked")
    web.stop()
    equal(web["State"], "STOPPED")
    eventually(lambda: not host.processes("probe"), "no process is left")


@test
def a_stop_by_her_systemctl_is_one_from_outside(world):
    web = alice(world).run("web", Command=SLEEP)
    systemctl("stop", web["Unit"])
    eventually(lambda: web["State"] == "STOPPED", "it is STOPPED", seconds=0.5)
    equal(web["Result"], "stopped-outside")


def main_pid():
    return int(systemctl("show", "--property=MainPID", "--value", "constellationd.service"))


@test
def a_freeze_by_her_systemctl_is_told_and_so_is_the_thaw(world):
    web = alice(world).run("web", Command=SLEEP)
    for command, shown in (("freeze", ("frozen", "frozen from outside")),
                           ("thaw", ("running", "running"))):
        systemctl(command, web["Unit"])
        equal((web["SubState"], web["StatusText"]), shown)


@test
def her_instances_run_on_when_her_service_is_restarted_or_killed(world):
    service = alice(world)
    service.run("web", Command=SLEEP)
    before = {name: service.get("web")[name] for name in ("MainPID", "InitPID", "Unit", "Run")}
    for command in (("restart",), ("kill", "--signal=KILL", "--kill-whom=main")):
        pid = main_pid()
        systemctl(*command, "constellationd.service")
        eventually(lambda pid=pid: main_pid() not in (0, pid) and systemctl(
            "is-active", "constellationd.service", check=False) == "active\n", "it is back")
        after = service.get("web")
        equal({name: after[name] for name in before}, before, " ".join(command))
    world_exit = service.run("late", Command=[PROBE, "exit", "8"])
    equal(world_exit.status(), 8)


@test
def the_cgroup_rung_is_hers_too(world):
    service = alice(world)
    there, reason = service.features()["backend.cgroup"]
    if not there:
        raise Skip(f"backend.cgroup: {reason}")
    web = service.run("web", Command=SLEEP, Backend="cgroup")
    equal(web["Backend"], "cgroup")
    contains(web["ControlGroup"], f"/user@{UID}.service/")


@test
def her_instances_are_not_the_systems(world):
    service = alice(world)
    service.run("web", Command=SLEEP)
    equal(world.list(), [])
    with refused("NoSuchInstance"):
        world.get("alice/web")


@test
def without_any_systemd_the_bus_starts_her_service_too(world):
    """bob has not logged in: a bus of his own, no systemd of his, and whatever he may do by himself."""
    runtime = world.path("runtime")
    os.mkdir(runtime, 0o700)
    os.chown(runtime, 1001, 1001)
    script = f"""
        export XDG_RUNTIME_DIR={runtime} HOME={runtime}
        unset DBUS_SESSION_BUS_ADDRESS
        exec dbus-run-session -- sh -ec '
            constellationctl --user create web -- sleep 100 >/dev/null
            constellationctl --user start web
            constellationctl --user show web --json=short
            constellationctl --user run -- sh -c "exit 7" || echo "status $?"
            constellationctl --user destroy --force web
            busctl --user get-property {NAME} {ROOT} {MANAGER} Mode
            kill $(pgrep -u bob -x constellationd)'"""
    said = host.sh("sh", "-c", script, user="bob")
    contains(said, '"State":"RUNNING"')
    contains(said, '"Owner":1001')
    contains(said, "status 7\n")
    contains(said, 's "user"\n')
    check('"Backend":"scope"' not in said, f"there is no systemd to make a scope: {said}")
    eventually(lambda: not host.sh("pgrep", "-u", "bob", check=False), "nothing of his is left")
