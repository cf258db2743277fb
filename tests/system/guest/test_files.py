# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an instance sees of files: as root, as root for a user, and in a user's own service."""

import os

import host
from service import PROBE, refused
from tap import check, contains, equal, test
from test_user_service import alice

BOTH = ("container", "vm")
EROFS, EACCES = "30", "13"


def ways(world):
    """Whose service it is, and as whom the payload runs there."""
    yield "root", {}, None
    yield "root for alice", {"User": "alice"}, None
    yield "alice", {}, alice(world)


def seen(world, settings, by, *verb, **more):
    """A probe that can write its answer wherever it is."""
    more.setdefault("BindPaths", []).append(f"{world.directory}:{world.directory}")
    return world.probe(*verb, by=by, **settings, **more)


@test(beds=BOTH)
def read_only_is_read_only_for_everybody(world):
    for who, settings, by in ways(world):
        place = {"Filesystem": "read-only", **settings}
        equal(seen(world, place, by, "write", "/tmp/x", "x")["errno"], EROFS, who)
        equal(seen(world, place, by, "write", "/dev/null", "x")["errno"], "0", who)
        equal(seen(world, place, by, "write", "/dev/shm/x", "x")["errno"], "0", who)
        os.unlink("/dev/shm/x")


@test
def what_is_excepted_stays_as_writable_as_it_was(world):
    os.mkdir(world.path("open"))
    os.chmod(world.path("open"), 0o777)
    for who, settings, by in ways(world):
        place = {"Filesystem": "read-only", "ReadWritePaths": [world.path("open")], **settings}
        file = f"{world.path('open')}/{who.replace(' ', '-')}"
        equal(seen(world, place, by, "write", file, "x")["errno"], "0", who)
        equal(host.read(file), "x", who)


@test(beds=BOTH)
def a_private_tmp_is_empty_and_gone_afterwards(world):
    for who, settings, by in ways(world):
        place = {"PrivateTmp": True, **settings}
        equal(seen(world, place, by, "write", "/tmp/mine", "x")["errno"], "0", who)
        equal(seen(world, place, by, "write", "/var/tmp/mine", "x")["errno"], "0", who)
        equal(seen(world, place, by, "list", "/var/tmp")["entries"], "0", who)
        check(not os.path.exists("/tmp/mine") and not os.path.exists("/var/tmp/mine"), who)


@test(beds=BOTH)
def binds_show_what_is_elsewhere(world):
    os.mkdir(world.path("source"))
    os.mkdir(world.path("target"))
    world.write("source/file", "content", 0o666)
    place = f"{world.path('source')}:{world.path('target')}"
    for who, settings, by in ways(world):
        target = f"{world.path('target')}/file"
        # The directory of the answers, with the target in it, is bound as well: parents come first.
        equal(seen(world, settings, by, "read", target, BindPaths=[place])["errno"], "0", who)
        told = seen(world, settings, by, "write", target, "x", BindReadOnlyPaths=[place])
        equal(told["errno"], EROFS, who)
    equal(host.read(world.path("source/file")), "content")


@test
def what_is_hidden_cannot_be_seen(world):
    for who, settings, by in ways(world):
        place = {"InaccessiblePaths": ["/etc/passwd", "/usr/share", "-/nothing/here"], **settings}
        equal(seen(world, place, by, "read", "/etc/passwd")["errno"], EACCES, who)
        check(seen(world, place, by, "read", "/usr/share/dict")["errno"] != "0", who)


@test
def a_failure_names_the_path_and_what_to_do(world):
    with refused("IsolationFailed", "opening the source of a bind /nothing: No such file or "
                                    "directory: there is no such file on the host"):
        world.run("web", Command=["true"], BindPaths=["/nothing:/mnt"])
    with refused("IsolationFailed", "binding to /mnt: Is a directory: both ends"):
        world.run("web", Command=["true"], BindPaths=["/etc/passwd:/mnt"])
    with refused("IsolationFailed", "binding to /srv/made: No such file or directory: "):
        world.run("web", Command=["true"], BindPaths=["/etc:/srv/made"])
    check(not os.path.exists("/srv/made"), "the host's files were added to")


@test
def what_is_no_setting_is_refused_before_anything_is_made(world):
    for settings, message in (
            ({"BindPaths": ["a:/b"]}, "^BindPaths=a:/b: word 1 must be an absolute path"),
            ({"BindPaths": ["/a/../b"]}, "word 1 must be an absolute path"),
            ({"BindPaths": ["/a:/proc/self"]}, "/proc and what is below it cannot be replaced"),
            ({"TemporaryFileSystem": ["/x:huge=1"]}, "has an option that is none of"),
            ({"PrivateTmp": True, "MountNamespace": "off"}, "needs a mount namespace"),
            ({"ReadWritePaths": ["/srv"]}, "is an exception from Filesystem=read-only")):
        with refused("InvalidArgs", message):
            world.run("web", Command=["true"], **settings)


@test
def a_refusal_of_the_kernel_is_told_or_fatal(world):
    """There is no /var/tmp to put a private one on: optional. There is no /tmp: told."""
    bare = {"TemporaryFileSystem": ["/mnt"], "BindPaths": ["/usr:/mnt/usr"]}
    web = world.run("web", Command=["sleep", "100"], **bare, PrivateTmp=True)
    equal(web["Degraded"], [])
    steps = {(name, outcome) for name, outcome, _reason in web.ask("GetPlan")}
    contains(steps, ("mount-tmpfs", "planned"))


@test
def nothing_of_it_shows_on_the_host(world):
    before = host.mounts()
    world.run("web", Command=[PROBE, "sleep", "100"], Filesystem="read-only", PrivateTmp=True,
              TemporaryFileSystem=["/srv"], InaccessiblePaths=["/media"])
    equal(host.mounts(), before)


@test
def what_the_host_mounts_later_shows_below_a_source(world):
    os.mkdir(world.path("source"))
    os.mkdir(world.path("source/later"))
    point, target = world.path("source/later"), "/mnt/later"
    script = f"until [ -e {target}/here ]; do sleep 0.01; done; touch {target}/seen; sleep 100"
    world.run("web", Command=["sh", "-c", script], BindPaths=[f"{world.path('source')}:/mnt"])
    host.sh("mount", "-t", "tmpfs", "outside", point)
    try:
        host.sh("touch", f"{point}/here")
        host.sh("sh", "-c", f"for i in $(seq 500); do [ -e {point}/seen ] && exit; sleep 0.01; "
                            "done; exit 1")
    finally:
        host.sh("umount", point)
