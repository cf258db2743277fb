# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the units take from the service, from the launcher, and from instances with it; and what they do not take."""

import contextlib
import glob
import os
import re
import shutil
import stat

import host
import polkit
from tap import between, check, equal, test

DROP_IN = "/etc/systemd/system/constellation-launcher.service.d"
STRICT = "/usr/share/doc/constellation/constellation-launcher-strict.conf"


def exposure(unit):
    said = host.sh("systemd-analyze", "security", "--no-pager", unit)
    return float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", said).group(1))


def reload_launcher():
    host.sh("systemctl", "daemon-reload")
    host.sh("systemctl", "restart", "constellation-launcher.service")


@contextlib.contextmanager
def strict():
    os.makedirs(DROP_IN)
    shutil.copy(STRICT, DROP_IN)
    reload_launcher()
    try:
        yield
    finally:
        shutil.rmtree(DROP_IN)
        reload_launcher()


@test
def the_units_are_as_exposed_as_the_documents_say(world):
    world.pid()
    between(exposure("constellationd.service"), 0, 0.9, "the service's exposure")
    between(exposure("constellation-launcher.service"), 0, 7.9, "the launcher's exposure")
    with strict():
        between(exposure("constellation-launcher.service"), 0, 6.6, "the strict launcher's exposure")


@test
def no_program_of_ours_has_rights_by_its_file(_world):
    programs = glob.glob("/usr/lib/constellation/*") + glob.glob("/usr/bin/constellation*")
    check(len(programs) >= 4, "the programs are there")
    for path in programs:
        mode = os.stat(path)
        equal((mode.st_uid, stat.S_IMODE(mode.st_mode) & 0o7022), (0, 0), path)
        check("security.capability" not in os.listxattr(path), f"{path} has capabilities")


@test
def what_the_service_keeps_is_roots_alone(world):
    world.create("web", Command=["true"])
    world.run("other", Command=["sleep", "100"])
    for top in ("/run/constellation", "/var/lib/constellation"):
        equal(stat.S_IMODE(os.stat(top).st_mode), 0o700, top)
        for directory, _, names in os.walk(top):
            for path in (directory, *(os.path.join(directory, name) for name in names)):
                status = os.lstat(path)
                equal((status.st_uid, stat.S_IMODE(status.st_mode) & 0o077), (0, 0), path)


@test
def an_instance_of_roots_can_do_what_the_launcher_leaves(world):
    script = world.write("allowed", """#!/bin/sh -e
mount -t tmpfs none /mnt; umount /mnt
mknod /tmp/null-of-ours c 1 3; rm /tmp/null-of-ours
cp /bin/true /tmp/set-uid; chmod 4755 /tmp/set-uid; test -u /tmp/set-uid; rm /tmp/set-uid
chroot / true
nice -n -5 true
setpriv --reuid=1000 --regid=1000 --clear-groups su -c true alice </dev/null 2>&1 | grep -q assword
strace -o /dev/null true
setarch -R true
""")
    output = world.write("said", "", 0o666)
    web = world.run("web", Script=script, StandardOutput=f"file:{output}", StandardError=f"append:{output}")
    equal(web.status(), 0, host.read(output))


@test
def no_instance_changes_what_there_is_one_of_on_the_machine(world):
    script = world.write("forbidden", """#!/usr/bin/python3
import ctypes, os, time
libc = ctypes.CDLL(None, use_errno=True)
def refused(number, *args):
    ctypes.set_errno(0)
    return libc.syscall(number, *args) < 0 and ctypes.get_errno() == 1
try:
    time.clock_settime(time.CLOCK_REALTIME, time.time())
    print("the clock was set")
except PermissionError:
    pass
for name, number in (("init_module", 175), ("reboot", 169), ("swapon", 167), ("kexec_load", 246)):
    if not refused(number, 0, 0, 0, 0):
        print(name, "is not refused", ctypes.get_errno())
""")
    output = world.write("said", "", 0o666)
    web = world.run("web", Script=script, StandardOutput=f"file:{output}", StandardError=f"append:{output}")
    equal((web.status(), host.read(output)), (0, ""))


@test
def ordinary_instances_miss_nothing_with_the_strict_launcher(world):
    with polkit.rules(world) as alice, strict():
        for settings in ({}, {"UserNamespace": "required"}, {"Network": "none"}):
            seen = world.probe("report", by=alice, **settings)
            equal((seen["status"], seen["NoNewPrivs"]), (0, "1"), str(settings))
            equal(int(seen["CapBnd"], 16), 0, "the bounding set")
