# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a test acts in: the system service, other people's connections, services of its own, a
directory; and at its end the proof that nothing of it is left."""

import os
import shutil
import signal
import subprocess
import tempfile

from gi.repository import GLib

import host
from bus import SYSTEM_BUS, BusError
from service import PROBE, Service
from tap import check, eventually

DAEMON = "/usr/lib/constellation/constellationd"
UIDS = {"root": 0, "alice": 1000, "bob": 1001, "carol": 1002}


class PrivateService(Service):
    """A service on a socket, which is its starter's; ends with the world."""

    def __init__(self, directory, user, *arguments):
        self.socket = f"{directory}/socket"
        os.makedirs(directory)
        os.chown(directory, UIDS[user], UIDS[user])
        identity = [f"--reuid={UIDS[user]}", f"--regid={UIDS[user]}", "--init-groups"]
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            ["systemd-cat", "--identifier=constellationd", "setpriv", *identity, DAEMON,
             f"--private={self.socket}", "--log-level=warning", *arguments],
            env={"PATH": os.environ["PATH"], "HOME": "/"}, stdin=subprocess.DEVNULL)
        eventually(lambda: os.path.exists(self.socket) or self.process.poll() is not None,
                   "the private service listens")
        super().__init__(f"unix:path={self.socket}", UIDS[user], name=None)

    def close(self):
        super().close()
        self.process.send_signal(signal.SIGTERM)
        check(self.process.wait(10) == 0, "the private service does not end well")


class World(Service):
    """The system service as root sees it, and everything else."""

    def __init__(self):
        super().__init__(SYSTEM_BUS)
        self.others = []
        self.before = set(self.traces())
        self.directory = tempfile.mkdtemp(prefix="world-")
        os.chmod(self.directory, 0o1777)

    # ---- others ------------------------------------------------------------------------------

    def another(self, user="root"):
        """One more connection to the system service, of this user."""
        self.others.append(Service(SYSTEM_BUS, UIDS[user]))
        return self.others[-1]

    def private(self, *arguments, user="root"):
        directory = f"{self.directory}/private-{len(self.others)}"
        self.others.append(PrivateService(directory, user, *arguments))
        return self.others[-1]

    # ---- files and probes ----------------------------------------------------------------------

    def path(self, name):
        return f"{self.directory}/{name}"

    def write(self, name, content, mode=0o755):
        """A file for instances to see; its path."""
        with open(self.path(name), "w", encoding="utf-8", newline="") as file:
            file.write(content)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def answer(self, name):
        """What a probe with --output of this name has said so far."""
        lines = (host.read(self.path(name)) or "").splitlines()
        return dict(line.split("=", 1) for line in lines)

    def probe(self, *verb, by=None, **settings):
        """Runs the probe to its end, and tells what it answered and its exit status."""
        output = f"probe-{len(os.listdir(self.directory))}"
        command = [PROBE, f"--output={self.path(output)}", *verb]
        instance = (by or self).run("probe", Command=command, **settings)
        status = instance.status()
        instance.destroy()
        return {**self.answer(output), "status": status}

    # ---- the service under test ------------------------------------------------------------------

    def pid(self):
        """Of the daemon; started by asking it something."""
        self.property("Version")
        return host.unit_pid("constellationd.service")

    def reboot(self):
        """As far as the service can tell: what it kept in /run is gone."""
        host.sh("systemctl", "stop", "constellationd.service")
        host.sh("find", "/run/constellation/instances", "/run/constellation/records", "-type", "f",
                "-delete")
        host.sh("systemctl", "reset-failed", "constellationd.service", check=False)
        host.sh("systemctl", "start", "constellationd.service")
        self.reconnect()

    # ---- the end ---------------------------------------------------------------------------------

    def close(self):
        for service in self.others:
            service.close()
        self.reconnect()
        for instance in self.instances():
            self.remove(instance)
        eventually(lambda: not self.left(), lambda: f"nothing is left: {self.left()}")
        super().close()
        shutil.rmtree(self.directory)

    @staticmethod
    def remove(instance):
        try:
            if instance["State"] == "STOPPING":
                instance.kill("all", signal.SIGKILL)
            instance.destroy(Force=True)
        except BusError as error:
            check(error.name.endswith(("NoSuchInstance", "UnknownObject")), str(error))

    @staticmethod
    def traces():
        """All that an instance can leave on the machine."""
        inits = [f"init {(host.read(f'/proc/{pid}/stat') or '')[:32]}" for pid in host.inits()]
        mounts = [line for line in host.mounts() if not line.startswith("/run/user/")]
        return inits + host.cgroups() + host.files() + mounts + host.scopes()

    def left(self):
        """What was not there before."""
        return [trace for trace in self.traces() if trace not in self.before]


def variant(signature, python):
    return GLib.Variant(signature, python)
