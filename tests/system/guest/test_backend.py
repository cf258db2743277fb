# SPDX-License-Identifier: LGPL-2.1-or-later
"""The ladder: who makes the cgroup, who is asked next, and why."""

import os
import socket

from gi.repository import Gio

import host
from service import PROBE, ROOT, refused
from tap import check, contains, equal, eventually, matches, test

SLEEP = ["sleep", "100"]


def rung(instance):
    return instance["Backend"], instance["BackendReason"]


@test
def the_system_service_takes_a_scope_of_systemd(world):
    web = world.run("web", Command=SLEEP)
    equal(rung(web), ("scope", ""))
    equal(host.cgroup_of(web["MainPID"]), web["ControlGroup"])
    equal(web["ControlGroup"], f"/constellation.slice/{web['Slice']}/{web['Unit']}")
    equal(web["Slice"], "constellation-0.slice")


@test
def all_processes_of_an_instance_are_in_its_cgroup(world):
    output = world.path("said")
    for backend in ("scope", "cgroup"):
        web = world.run(backend, Command=[PROBE, f"--output={output}-{backend}", "fork", "3"],
                        Backend=backend)
        eventually(lambda name=backend: world.answer(f"said-{name}"), "it has forked")
        inside = host.read(f"{host.CGROUPS}{web['ControlGroup']}/cgroup.procs").split()
        equal(sorted(map(int, inside)), sorted(row[0] for row in web.ask("GetProcesses")))
        equal(len(inside), 5)


@test
def the_cgroup_rung_can_be_asked_for(world):
    web = world.run("web", Command=SLEEP, Backend="cgroup")
    equal(web["Backend"], "cgroup")
    equal(host.cgroup_of(web["MainPID"]), web["ControlGroup"])
    contains(web["ControlGroup"], "constellation-system-direct.scope/")
    path = host.CGROUPS + web["ControlGroup"]
    web.stop()
    check(not os.path.exists(path), "its cgroup is removed")


@test
def the_cgroup_rung_freezes_kills_and_counts(world):
    web = world.run("web", Command=["sh", "-c", "while :; do :; done"], Backend="cgroup")
    web.freeze()
    equal(web["SubState"], "frozen")
    web.thaw()
    eventually(lambda: web.ask("GetUsage")["CPUUsageUSec"] > 10000, "it uses the CPU")
    web.stop()
    equal(web["State"], "STOPPED")


@test
def the_monitor_rung_can_be_asked_for(world):
    web = world.run("web", Command=SLEEP, Backend="monitor")
    equal((web["Backend"], web["Unit"], web["ControlGroup"]), ("monitor", "", ""))
    equal(web.isolation()["cgroup"][0], "refused")
    with refused("CgroupFailed", "freezing 'web' .it has no cgroup of its own"):
        web.freeze()
    web.stop()
    equal(web["State"], "STOPPED")


@test
def the_monitor_rung_ends_all_processes_too(world):
    output = world.path("said")
    for name, pid_namespace in (("with", "try"), ("without", "off")):
        web = world.run(name, Command=[PROBE, f"--output={output}-{name}", "fork", "4"],
                        Backend="monitor", PIDNamespace=pid_namespace)
        eventually(lambda at=name: world.answer(f"said-{at}"), "it has forked")
        web.destroy(Force=True)
        eventually(lambda: not host.processes("probe"), f"all are gone {name} a pid namespace")


@test
def a_required_limit_is_refused_on_the_monitor_rung(world):
    with refused("CgroupFailed", "^TasksMax is required and cannot be enforced: the rung "
                 "\"monitor\" has no cgroup"):
        world.run("web", Command=SLEEP, Backend="monitor", TasksMax=10, Require=["TasksMax"])


@test
def the_features_name_each_rung_and_why_not(world):
    world.run("warm-up", Command=["true"], Backend="cgroup").wait()
    features = world.features()
    for name in ("scope", "cgroup", "monitor"):
        equal(features[f"backend.{name}"], (True, ""), name)
    equal(world.property("Backends"), ["scope", "cgroup", "monitor"])


@test
def the_features_do_not_change_by_the_first_use_of_a_rung(world):
    host.sh("systemctl", "stop", "constellationd", "constellation-system-direct.scope",
            check=False)
    equal(world.features()["backend.cgroup"][0], True, "before any use, backend.cgroup")


# ---- without systemd -----------------------------------------------------------------------------


@test
def where_systemd_must_not_be_asked_the_monitor_rung_is_left_and_says_why(world):
    for user in ("root", "alice"):
        web = world.private("--no-systemd", user=user).run("web", Command=SLEEP)
        equal(web["Backend"], "monitor")
        matches(web["BackendReason"], "scope: the service was told to do without systemd; cgroup: "
                "systemd keeps the cgroups of this host and cannot be asked.*")


@test
def a_users_instance_has_a_user_namespace_and_the_others_by_it(world):
    web = world.private("--no-systemd", user="alice").run("web", Command=SLEEP)
    told = web.isolation()
    for kind in ("user", "pid", "mount", "uts", "ipc"):
        equal(told[kind], ("private", ""), kind)
    equal(told["cgroup"][0], "refused")


@test
def without_systemd_a_scope_that_is_asked_for_is_refused(world):
    for user in ("root", "alice"):
        private = world.private("--no-systemd", user=user)
        with refused("NotSupported", "^Backend=scope cannot be had: "):
            private.run("web", Command=SLEEP, Backend="scope")
        equal(private.list(), [])


@test
def a_user_runs_as_themselves_and_as_nobody_else(world):
    private = world.private("--no-systemd", user="alice")
    equal(world.probe("report", by=private)["uid"], "1000")
    with refused("AccessDenied", "^User=bob: this service runs as uid 1000"):
        private.run("web", Command=SLEEP, User="bob")


@test
def exit_codes_and_stops_are_the_same_on_every_rung(world):
    for user in ("root", "alice"):
        private = world.private("--no-systemd", user=user)
        equal(private.run("exits", Command=[PROBE, "exit", "42"]).wait()[1:], ("exit-code", 1, 42))
        equal(private.run("dies", Command=[PROBE, "signal", "11"]).wait()[1:], ("signal", 2, 11))
        web = private.run("web", Command=[PROBE, "ignore-term"], TimeoutStopUSec=100000)
        web.stop()
        equal(web["State"], "STOPPED", user)


@test
def a_private_service_takes_its_instances_with_it(world):
    for user in ("root", "alice"):
        private = world.private("--no-systemd", user=user)
        pid = private.run("web", Command=SLEEP)["MainPID"]
        private.process.terminate()
        equal(private.process.wait(10), 0)
        check(not host.is_alive(pid), f"{user}'s payload is gone")


@test
def a_private_service_that_is_killed_takes_its_instances_with_it(world):
    for user in ("root", "alice"):
        private = world.private("--no-systemd", user=user)
        pid = private.run("web", Command=SLEEP)["MainPID"]
        private.process.kill()
        private.process.wait()
        private.process.returncode = 0
        eventually(lambda process=pid: not host.is_alive(process), f"{user}'s payload is gone")


@test
def nobody_else_is_let_in_to_a_private_socket(world):
    private = world.private(user="alice")
    equal(os.stat(private.socket).st_mode & 0o777, 0o600)
    equal(os.stat(private.socket).st_uid, 1000)
    done = host.sh("busctl", f"--address=unix:path={private.socket}", "call", "x", "/", "y", "z",
                   user="bob", check=False)
    equal(done, "")


@test
def a_private_service_of_root_uses_scopes_where_systemd_runs(world):
    web = world.private().run("web", Command=SLEEP)
    equal(web["Backend"], "scope")
    matches(web["Unit"], "constellation-p[0-9]+-[0-9a-f]+-i[0-9a-v]{13}_1.scope")


@test
def a_first_message_that_comes_together_with_the_handshake_is_answered(world):
    private = world.private("--no-systemd")
    ping = Gio.DBusMessage.new_method_call(None, ROOT, "org.freedesktop.DBus.Peer", "Ping")
    ping.set_serial(1)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(private.socket)
        client.sendall(b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n"
                       + bytes(ping.to_blob(Gio.DBusCapabilityFlags.NONE)))
        said = client.recv(4096)
        while b"\r\nl\2" not in said:  # the end of the handshake, the start of a reply
            said += client.recv(4096)
