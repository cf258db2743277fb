# SPDX-License-Identifier: LGPL-2.1-or-later
"""The scene of a whole machine with a systemd, which is there for this test alone: the installed
service, started by it, with a launcher that is a unit of its own, and instances in scopes."""

import os
import select
import subprocess

import scene
from bus import BUS, Bus, BusError

SYSTEMD = "org.freedesktop.systemd1"
UNIT, LAUNCHER = "constellationd.service", "constellation-launcher.service"
UNITS = "/run/systemd/system"
CRASH_POINT_FILE = "/run/crash-point"
SLICE = "/sys/fs/cgroup/constellation.slice"
# They are the service's, and no instance's.
KEPT = {"lock", "launcher"}

# systemd would start it again, without the point at which it is to die next.
DROP_IN = f"[Service]\nRestart=no\nEnvironmentFile=-{CRASH_POINT_FILE}\n"
# It is killed more often than anything else ever is.
LAUNCHER_DROP_IN = "[Unit]\nStartLimitIntervalSec=0\n"


def write_drop_in(unit, text):
    os.makedirs(f"{UNITS}/{unit}.d", exist_ok=True)
    with open(f"{UNITS}/{unit}.d/crash.conf", "w", encoding="ascii") as file:
        file.write(text)


class Scene(scene.Scene):
    def __init__(self, directory, _daemon):
        self.directory = directory
        self.runtime, self.state = "/run/constellation", "/var/lib/constellation"
        self.traces = f"{directory}/traces"
        os.mkdir(self.traces, 0o700)
        self.statuses, self.service, self.owned, self.pidfd = {}, None, False, -1
        write_drop_in(UNIT, DROP_IN)
        write_drop_in(LAUNCHER, LAUNCHER_DROP_IN)
        subprocess.run(["systemctl", "daemon-reload"], check=True)
        self.bus = Bus("/run/dbus/system_bus_socket", self.on_signal)
        self.bus.ask(BUS, "/org/freedesktop/DBus", BUS, "AddMatch", "s",
                     f"type='signal',sender='{BUS}',member='NameOwnerChanged',arg0='{scene.NAME}'")

    # ---- systemd -------------------------------------------------------------------------------

    def systemd(self, member, signature="", *values):
        return self.bus.ask(SYSTEMD, "/org/freedesktop/systemd1", f"{SYSTEMD}.Manager", member,
                            signature, *values)

    def property(self, unit, interface, name):
        path = self.systemd("LoadUnit", "s", unit)
        return self.bus.ask(SYSTEMD, path, "org.freedesktop.DBus.Properties", "Get", "ss",
                            f"{SYSTEMD}.{interface}", name)

    # ---- the service ---------------------------------------------------------------------------

    def start(self, crash_point=None):
        with open(CRASH_POINT_FILE, "w", encoding="ascii") as file:
            file.write(f"CONSTELLATION_CRASH_POINT={crash_point}\n" if crash_point else "")
        before = self.property(UNIT, "Service", "ExecMainStartTimestampMonotonic")
        self.systemd("StartUnit", "ss", UNIT, "replace")
        self.until(lambda: self.property(UNIT, "Service", "ExecMainStartTimestampMonotonic") !=
                   before, "systemd starts the service")
        self.service = self.property(UNIT, "Service", "ExecMainPID")
        try:
            self.pidfd = os.pidfd_open(self.service)
        except ProcessLookupError:
            self.pidfd = -1

    def is_dead(self):
        if self.service is None or self.pidfd < 0:
            return True
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        return bool(poll.poll(0))

    def status(self):
        return self.property(UNIT, "Service", "Result")

    def wait_until_dead(self):
        if self.service is None:
            return
        super().wait_until_dead()
        # It would take a service of which it has not seen the end for one that runs.
        self.until(lambda: self.property(UNIT, "Unit", "ActiveState") in ("failed", "inactive"),
                   "systemd has seen the end of the service")
        if self.pidfd >= 0:
            os.close(self.pidfd)
        self.pidfd = -1

    def launcher(self):
        pid = self.property(LAUNCHER, "Service", "MainPID")
        return [pid] if pid else []

    # ---- what there is -------------------------------------------------------------------------

    def files(self):
        return {path for path in super().files() if os.path.basename(path) not in KEPT}

    def cgroups(self):
        """Scopes of instances: what is in the tree of cgroups, and what systemd still knows."""
        found = {os.path.basename(directory) for directory, _, _ in os.walk(SLICE)
                 if directory.endswith(".scope")}
        try:
            found |= {row[0] for row in self.systemd("ListUnitsByPatterns", "asas", [],
                                                     ["constellation-system-*.scope"])}
        except BusError:
            pass
        return sorted(name for name in found if not name.endswith("-direct.scope"))

    def log_tail(self, since):
        done = subprocess.run(["journalctl", "--quiet", "--no-pager", "--output=short-monotonic",
                               "--lines=30", f"--cursor={since}", f"--unit={UNIT}"],
                              capture_output=True, text=True, check=False)
        return done.stdout.rstrip().split("\n")

    def log_size(self):
        done = subprocess.run(["journalctl", "--quiet", "--no-pager", "--lines=1", "--output=json",
                               "--output-fields=__CURSOR"],
                              capture_output=True, text=True, check=False)
        return done.stdout.partition('"__CURSOR":"')[2].partition('"')[0]
