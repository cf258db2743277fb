# SPDX-License-Identifier: LGPL-2.1-or-later
"""What people see who come with the tools they have: busctl, gdbus, systemctl, journalctl."""

import re

import host
from service import INSTANCE, MANAGER, NAME, ROOT
from tap import between, contains, equal, eventually, matches, test

SLEEP = ["sleep", "100"]


@test
def busctl_tree_shows_the_manager_and_every_instance(world):
    web = world.create("web", Command=SLEEP)
    paths = host.sh("busctl", "--list", "tree", NAME).splitlines()
    for path in (ROOT, web.path):
        contains(paths, path)


@test
def busctl_introspect_shows_names_of_arguments_and_flags(world):
    web = world.run("web", Command=SLEEP)
    shown = host.sh("busctl", "introspect", NAME, web.path, INSTANCE)
    rows = {line.split()[0]: line.split()[1:] for line in shown.splitlines()}
    equal(rows[".Start"][:3], ["method", "a{sv}", "-"])
    equal(rows[".Wait"][:3], ["method", "a{sv}", "usii"])
    equal(rows[".State"], ["property", "s", '"RUNNING"', "emits-change"])
    equal(rows[".MainPID"], ["property", "u", str(web["MainPID"]), "emits-invalidation"])
    equal(rows[".Exited"][:2], ["signal", "usii"])
    xml = host.sh("busctl", "introspect", "--xml-interface", NAME, ROOT, MANAGER)
    for name in ("name", "settings", "options", "instance", "filter"):
        contains(xml, f'name="{name}"')


@test
def busctl_calls_with_what_it_can_write(world):
    said = host.sh("busctl", "call", NAME, ROOT, MANAGER, "RunInstance", "sa{sv}a{sv}", "web", "3",
                   "Command", "as", "2", "sleep", "100", "MemoryMax", "s", "10M", "TasksMax", "u",
                   "20", "0")
    path = world.get("web").path
    equal(said, f'o "{path}"\n')
    equal(host.sh("busctl", "get-property", NAME, path, INSTANCE, "State"), 's "RUNNING"\n')
    equal(host.sh("busctl", "call", NAME, path, INSTANCE, "Stop", "a{sv}", "0"), "")


@test
def gdbus_calls_with_what_it_can_write(world):
    said = host.sh("gdbus", "call", "--system", "--dest", NAME, "--object-path", ROOT, "--method",
                   f"{MANAGER}.RunInstance", "web", "{'Command': <['sleep', '100']>}", "{}")
    equal(said, f"(objectpath '{world.get('web').path}',)\n")
    said = host.sh("gdbus", "call", "--system", "--dest", NAME, "--object-path", ROOT, "--method",
                   f"{MANAGER}.ListInstances", "{'State': <'RUNNING'>}")
    contains(said, "'web', 'RUNNING'")


@test
def gdbus_introspects_everything(world):
    web = world.create("web", Command=SLEEP)
    said = host.sh("gdbus", "introspect", "--system", "--dest", NAME, "--object-path", ROOT,
                   "--recurse")
    for part in (f"interface {MANAGER}", "interface org.freedesktop.DBus.ObjectManager",
                 f"node {web.path}", f"interface {INSTANCE}", "Wait(in  a{sv} options"):
        contains(said, part)


@test
def gdbus_shows_an_error_with_its_name_and_words(world):
    world.property("Version")
    try:
        host.sh("gdbus", "call", "--system", "--dest", NAME, "--object-path", ROOT, "--method",
                f"{MANAGER}.GetInstance", "none")
    except RuntimeError as error:
        contains(str(error), "GDBus.Error:org.rads.Constellation.Error.NoSuchInstance: there is no "
                 "instance 'none' of yours")


@test
def systemctl_status_shows_the_instances_name_and_processes(world):
    web = world.run("web", Command=SLEEP)
    said = host.sh("systemctl", "status", "--no-pager", "--full", web["Unit"])
    contains(said.splitlines()[0], "web")
    contains(said, "sleep 100")
    contains(said, "constellation-init")
    contains(said, str(web["MainPID"]))
    matches(said, ".*Active: active \\(running\\).*")


@test
def systemctl_finds_the_instance_of_a_process(world):
    web = world.run("web", Command=SLEEP)
    contains(host.sh("systemctl", "status", "--no-pager", str(web["MainPID"])), web["Unit"])


@test
def systemd_cgls_shows_instances_below_their_owner(world):
    web = world.run("web", Command=SLEEP)
    said = host.sh("systemd-cgls", "--no-pager", "--full", "/constellation.slice")
    for part in ("constellation-0.slice", web["Unit"], "sleep 100"):
        contains(said, part)


@test
def the_service_is_hardened_by_the_measure_of_systemd(world):
    world.property("Version")
    said = host.sh("systemd-analyze", "security", "--no-pager", "constellationd.service")
    exposure = float(re.search(r"service: ([0-9.]+) ", said.splitlines()[-1])[1])
    between(exposure, 0, 1.0, "the exposure")


@test
def what_is_installed_is_what_systemd_can_read(world):
    world.property("Version")
    said = host.sh("systemd-analyze", "verify", "--man=no", "constellationd.service",
                   "constellation-launcher.service", "constellation-launcher.socket",
                   "constellation.slice")
    equal(said, "")


@test
def the_service_reports_itself_ready_and_is_watched(world):
    world.property("Version")
    shown = host.sh("systemctl", "show", "-P", "Type", "-P", "WatchdogUSec", "-P", "NRestarts",
                    "constellationd.service").split()
    equal(shown[:2], ["notify", "30s"])
    eventually(lambda: host.sh("systemctl", "is-system-running") == "running\n",
               "no unit has failed")
