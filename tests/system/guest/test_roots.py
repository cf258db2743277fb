# SPDX-License-Identifier: LGPL-2.1-or-later
"""Roots of an instance's own: as root, as root for a user, and in a user's own service."""

import os

import host
from service import PROBE, refused
from tap import check, contains, equal, eventually, test
from test_files import BOTH, EROFS, ways
from test_user_service import alice

DEVICES = {"fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout",
           "tty", "urandom", "zero"}


def answering(world, settings, path="/answers", **more):
    """The directory of the answers at a path of the root, and the probe beside it."""
    settings = {**settings, **more}
    settings["BindPaths"] = [*settings.get("BindPaths", []), f"{world.directory}:{path}"]
    settings["BindReadOnlyPaths"] = [*settings.get("BindReadOnlyPaths", []), "/tests:/tests"]
    return settings


def seen(world, settings, by, *verb):
    """A probe whose root may have no directory of ours but the one it is given."""
    name = f"seen-{len(os.listdir(world.directory))}"
    command = [PROBE, f"--output=/answers/{name}", *verb]
    instance = (by or world).run("probe", Command=command, **answering(world, settings))
    status = instance.status()
    instance.destroy()
    return {**world.answer(name), "status": status}


def make_root(world, name="root", owner=0):
    """Nothing but what the instance mounts on, and a file."""
    root = world.path(name)
    for directory in ("", "proc", "dev", "sys", "tmp", "answers", "tests", "opt"):
        os.mkdir(f"{root}/{directory}")
        os.chmod(f"{root}/{directory}", 0o755)
        os.chown(f"{root}/{directory}", owner, owner)
    with open(f"{root}/opt/file", "w", encoding="utf-8") as file:
        file.write("old")
    os.chmod(f"{root}/opt/file", 0o666)
    return root


def ended(instance):
    """Its exit status; it is no more."""
    status = instance.status()
    instance.destroy()
    return status


# ---- Filesystem=private --------------------------------------------------------------------------


@test(beds=BOTH)
def a_private_root_shows_programs_and_no_files_of_anybody(world):
    for who, settings, by in ways(world):
        place = {"Filesystem": "private", **settings}
        for directory in ("/srv", "/opt", "/mnt", "/sys", "/var/tmp", "/tmp"):
            equal(seen(world, place, by, "list", directory)["entries"], "0", f"{who} {directory}")
        equal(seen(world, place, by, "write", "/etc/x", "x")["errno"], EROFS, who)
        equal(seen(world, place, by, "write", "/usr/x", "x")["errno"], EROFS, who)
        equal(seen(world, place, by, "write", "/tmp/x", "x")["errno"], "0", who)
        equal(seen(world, place, by, "read", "/etc/passwd")["errno"], "0", who)
        equal(seen(world, place, by, "read", "/proc/meminfo")["errno"], "2", who)


@test(beds=BOTH)
def a_private_root_takes_few_mounts(world):
    for who, settings, by in ways(world):
        mounts = int(seen(world, {"Filesystem": "private", **settings}, by, "report")["mounts"])
        # Two of them are this test's own.
        check(mounts - 2 <= 15, f"{who}: {mounts} mounts")


@test
def set_uid_bits_do_not_count_in_a_private_root(world):
    script = f"cat /proc/self/mountinfo >{world.path('mounts')}"
    place = {"Filesystem": "private", "User": "alice",
             "BindPaths": [f"{world.directory}:{world.directory}"]}
    equal(world.run("web", Command=["sh", "-c", script], **place).status(), 0)
    for line in host.read(world.path("mounts")).splitlines():
        check("nosuid" in line.split()[5], line)


@test
def a_home_of_its_own_is_there_for_the_payloads_user(world):
    told = seen(world, {"Filesystem": "private", "User": "alice"}, None, "write",
                "/home/alice/x", "x")
    equal(told["errno"], "0")
    check(not os.path.exists("/home/alice/x"), "it is the host's home")


@test
def programs_find_their_users_libraries_and_terminals(world):
    script = ("set -e; test \"$(id -un)\" = alice; test \"$(getent passwd 0 | cut -d: -f1)\" = root;"
              "test -c /dev/ptmx; echo x >/dev/shm/x; test \"$(pwd)\" = /home/alice;"
              "python3 -c 'import os; os.openpty()'")
    web = world.run("web", Command=["sh", "-c", script], Filesystem="private", User="alice",
                    WorkingDirectory="/home/alice")
    equal(web.status(), 0)


# ---- PrivateDevices ------------------------------------------------------------------------------


@test(beds=BOTH)
def private_devices_are_few_and_work(world):
    for who, settings, by in ways(world):
        place = {"PrivateDevices": True, "BindPaths": [f"{world.directory}:{world.directory}"],
                 **settings}
        script = (f"set -e; ls /dev >{world.path('devices')}; echo x >/dev/null;"
                  "test $(head -c 5 /dev/zero | wc -c) = 5; test -n \"$(head -c 5 /dev/urandom)\";"
                  "echo x >/dev/shm/x; ls /dev/pts/ptmx; ! echo x >/dev/full")
        world.write("devices", "", 0o666)
        equal(ended((by or world).run("web", Command=["sh", "-c", script], **place)), 0, who)
        equal(set(host.read(world.path("devices")).split()) - {"log"}, DEVICES, who)


# ---- RootDirectory -------------------------------------------------------------------------------


@test(beds=BOTH)
def a_directory_is_the_root(world):
    for who, settings, by in ways(world):
        root = make_root(world, f"root-{who.replace(' ', '-')}", 1000 if by else 0)
        place = {"RootDirectory": root, **settings}
        equal(seen(world, place, by, "read", "/opt/file")["errno"], "0", who)
        equal(seen(world, place, by, "read", "/etc/passwd")["errno"], "2", who)
        equal(seen(world, place, by, "write", "/opt/file", "new")["errno"], "0", who)
        equal(host.read(f"{root}/opt/file")[:3], "new", who)
        place["Filesystem"] = "read-only"
        equal(seen(world, place, by, "write", "/opt/file", "x")["errno"], EROFS, who)
        place["ReadWritePaths"] = ["/opt"]
        equal(seen(world, place, by, "write", "/opt/file", "x")["errno"], "0", who)


@test
def a_root_without_what_it_takes_is_refused(world):
    root = make_root(world)
    os.rmdir(f"{root}/proc")
    os.symlink("/etc", f"{root}/proc")
    with refused("IsolationFailed", "^entering the root directory /proc: Not a directory: Root"):
        world.run("web", Command=["true"], RootDirectory=root)
    os.unlink(f"{root}/proc")
    with refused("IsolationFailed", "^entering the root directory /proc: No such file"):
        world.run("web", Command=["true"], RootDirectory=root)
    for path in ("/nothing", "/etc/passwd"):
        with refused("IsolationFailed", f"^entering the root directory {path}: "):
            world.run("web", Command=["true"], RootDirectory=path)
    with refused("InvalidArgs", "^RootDirectory=/: this is the host's root"):
        world.run("web", Command=["true"], RootDirectory="/")


@test
def outputs_and_scripts_are_looked_for_inside(world):
    root = make_root(world)
    with refused("SpawnFailed", "^opening the file for standard output /nowhere/x: No such file"):
        world.run("web", Command=[PROBE, "report"],
                  **answering(world, {"RootDirectory": root}, StandardOutput="file:/nowhere/x"))
    settings = answering(world, {"RootDirectory": root}, StandardOutput="file:/answers/out")
    equal(ended(world.run("web", Command=[PROBE, "report"], **settings)), 0)
    contains(host.read(world.path("out")), "cwd=/\n")
    with refused("SpawnFailed", "^opening the script /usr/bin/env: No such file"):
        world.run("script", Script="/usr/bin/env", RootDirectory=root)


# ---- Overlay -------------------------------------------------------------------------------------


@test(beds=BOTH)
def a_temporary_overlay_forgets(world):
    root = make_root(world)
    place = {"RootDirectory": root, "Overlay": "temporary"}
    if host.sh("stat", "-f", "-c", "%T", world.directory) == "overlayfs\n":
        check(True, "the layer is a tmpfs: an overlay as the lower one will do")
    equal(seen(world, place, None, "write", "/opt/file", "new")["errno"], "0")
    equal(seen(world, place, None, "write", "/new", "new")["errno"], "0")
    equal(host.read(f"{root}/opt/file"), "old")
    check(not os.path.exists(f"{root}/new"), "the root was written to")


@test
def a_persistent_overlay_remembers_until_it_is_destroyed(world):
    layers = "/var/lib/constellation/overlays"
    os.makedirs(layers, mode=0o700, exist_ok=True)
    host.sh("mount", "-t", "tmpfs", "-o", "mode=700", "layers", layers)
    try:
        root = make_root(world)
        script = f"{PROBE} --output=/answers/said read /new; {PROBE} write /new kept; true"
        world.write("sh", "", 0o666)
        settings = answering(world, {"RootDirectory": root, "Overlay": "persistent"})
        settings["BindReadOnlyPaths"] += [f"/{name}" for name in ("usr", "bin", "lib", "lib64")]
        for name in ("usr", "bin", "lib", "lib64"):
            os.makedirs(f"{root}/{name}")
        web = world.create("web", settings, Command=["sh", "-c", script])
        for expected in ("2", "0"):
            web.start()
            equal(web.status(), 0)
            equal(world.answer("said")["errno"], expected)
            os.unlink(world.path("said"))
        equal(os.listdir(layers), [web["Id"]])
        check(not os.path.exists(f"{root}/new"), "the root was written to")
        web.destroy()
        eventually(lambda: os.listdir(layers) == [], "the layer is gone")
    finally:
        host.sh("umount", layers)
        os.rmdir(layers)


@test
def a_layer_of_nobody_is_swept_when_the_service_starts(world):
    layers = "/var/lib/constellation/overlays"
    left = f"{layers}/i0000000000000/upper/deep/er"
    os.makedirs(left)
    os.chmod(layers, 0o700)
    os.chown(left, 1000, 1000)
    host.sh("touch", f"{left}/file")
    host.sh("systemctl", "restart", "constellationd.service")
    world.reconnect()
    world.pid()
    eventually(lambda: os.listdir(layers) == [], "the layer is gone")
    os.rmdir(layers)


@test
def a_user_has_layers_of_her_own(world):
    service = alice(world)
    root = make_root(world, owner=1000)
    host.sh("chown", "-R", "1000:1000", root)
    state = "/home/alice/.local/state/constellation"
    web = service.create("web", answering(world, {"RootDirectory": root, "Overlay": "persistent"}),
                         Command=[PROBE, "--output=/answers/said", "write", "/opt/file", "new"])
    try:
        web.start()
    except Exception as error:  # pylint: disable=broad-exception-caught
        contains(str(error), "does not take an overlay")
        web.destroy()
        return
    equal(web.status(), 0)
    equal(world.answer("said")["errno"], "0")
    equal(host.read(f"{root}/opt/file"), "old")
    web.destroy()
    eventually(lambda: os.listdir(f"{state}/overlays") == [], "her layer is gone")
