# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an ordinary user may show her instances when the system's service, which is root, runs them."""

import ctypes
import os

import host
import polkit
from service import refused
from tap import check, contains, equal, test
from test_roots import ended, make_root, seen


@test
def what_she_cannot_reach_is_not_shown_to_her(world):
    with polkit.rules(world) as alice:
        for source in ("/root/.bashrc", "/root/nothing", "/var/lib/constellation/instances"):
            with refused("IsolationFailed", "^opening the source of a bind .*Permission denied: the owner"):
                alice.run("web", Command=["true"], TemporaryFileSystem=["/mnt"],
                          BindPaths=[f"{source}:/mnt/x"])
        with refused("IsolationFailed", "^binding to /root/x: Permission denied: the owner"):
            alice.run("web", Command=["true"], BindPaths=["/usr:/root/x"])
        with refused("IsolationFailed", "^entering the root directory /root.*Permission denied"):
            alice.run("web", Command=["true"], RootDirectory="/root/x")
        web = alice.run("web", Command=["sleep", "100"], TemporaryFileSystem=["/mnt"])
        equal({feature for feature, _code, _reason in web["Degraded"]} - {"TasksMax"}, set())


@test
def what_she_may_not_read_she_may_not_read_elsewhere_either(world):
    with polkit.rules(world) as alice:
        place = {"Filesystem": "private", "BindPaths": ["/etc/shadow:/srv/shadow"]}
        equal(seen(world, place, alice, "read", "/srv/shadow")["errno"], "13")
        equal(seen(world, place, alice, "write", "/srv/shadow", "x")["errno"], "13")


@test
def nothing_that_she_arranges_has_set_uid_programs(world):
    root = make_root(world, owner=1000)
    with polkit.rules(world) as alice:
        for place in ({"PrivateTmp": True}, {"Filesystem": "read-only"}, {"Filesystem": "private"},
                      {"RootDirectory": root}, {"RootDirectory": root, "Overlay": "temporary"},
                      {"PrivateDevices": True}, {"TemporaryFileSystem": ["/mnt"]}):
            here = {"TemporaryFileSystem": ["/srv"]} if "TemporaryFileSystem" not in place else {}
            own = "RootDirectory" in place or place.get("Filesystem") == "private"
            told = seen(world, place, alice, "read", "/proc/self/mountinfo") if own else world.probe(
                "read", "/proc/self/mountinfo", by=alice, **place, **here,
                BindPaths=[f"{world.directory}:{world.directory}"])
            for line in told["content"].split("\\x0a")[:-1]:
                check("nosuid" in line.split()[5], f"{place}: {line}")


@test
def devices_and_set_uid_programs_are_not_hers_to_ask_for(world):
    with polkit.rules(world) as alice:
        for option in ("dev", "suid"):
            with refused("AccessDenied", "the options suid and dev are for instances of root"):
                alice.run("web", Command=["true"], BindPaths=[f"/usr:/mnt:{option}"])


@test
def her_own_files_are_hers_to_show(world):
    root = make_root(world, owner=1000)
    with polkit.rules(world) as alice:
        equal(seen(world, {"RootDirectory": root}, alice, "write", "/opt/file", "new")["errno"], "0")
        equal(host.read(f"{root}/opt/file"), "new")
        told = seen(world, {"RootDirectory": root}, alice, "report")
        contains(told["root_options"], "nosuid,nodev")
        equal(told["uid"], "1000")


# ---- file systems that hang ----------------------------------------------------------------------


class Hang:
    """A file system that answers nothing, as a FUSE one can."""

    def __init__(self, point):
        self.point = point
        os.mkdir(point)
        self.fuse = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={self.fuse},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
        if ctypes.CDLL(None, use_errno=True).mount(b"hang", point.encode(), b"fuse", 0, options) != 0:
            raise OSError(ctypes.get_errno(), "mount")

    def close(self):
        os.close(self.fuse)
        host.sh("umount", "--lazy", self.point)
        os.rmdir(self.point)


@test
def a_file_system_that_hangs_holds_up_one_start_and_nothing_else(world):
    hang = Hang(world.path("hang"))
    try:
        begun = [world.begin_run(name, Command=["true"], TimeoutStartSec="2s", **settings)
                 for name, settings in (("bind", {"BindPaths": [f"{hang.point}/x:/mnt"]}),
                                        ("root", {"RootDirectory": f"{hang.point}/x"}))]
        for count in range(5):
            equal(ended(world.run(f"other-{count}", Command=["true"])), 0)
        for call in begun:
            with refused("Timeout", "took longer than TimeoutStartSec"):
                call.result()
        equal(ended(world.run("after", Command=["true"])), 0)
    finally:
        hang.close()
