# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where the crashes happen: a message bus and directories of its own, and a service that is started,
killed and started again; and what there is of processes, files and cgroups at a moment."""

import ctypes
import os
import select
import signal
import socket
import sys
import time

from bus import BUS, Bus

NAME = "org.rads.Constellation"
MANAGER = "/org/rads/Constellation"
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
PATIENCE_SECONDS = float(os.environ.get("CONSTELLATION_CRASH_PATIENCE", "5"))

BUS_CONFIG = """<busconfig><type>session</type><listen>unix:path={path}</listen>
<auth>EXTERNAL</auth><policy context="default"><allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""


# Nobody else is on it (managed.py).
whole_machine = False


class Trouble(Exception):
    """The scene itself does not play along: a finding, too."""


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def send(pid, number):
    """A signal to what may be gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def add_living(found, pid):
    state = read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    if state and state[0] not in b"ZX":
        found[pid] = read(f"/proc/{pid}/cmdline").decode(errors="replace").split("\0")


def processes():
    """pid -> command line of all that live below us, or on the machine if that is the scene."""
    found, unseen = {}, [os.getpid()]
    if whole_machine:
        for name in filter(str.isdigit, os.listdir("/proc")):
            if b"-direct.scope/" not in read(f"/proc/{name}/cgroup"):
                add_living(found, int(name))
        del found[os.getpid()]
        return found
    while unseen:
        pid = unseen.pop()
        for child in read(f"/proc/{pid}/task/{pid}/children").split():
            child = int(child)
            unseen.append(child)
            add_living(found, child)
    return found


def end_all():
    """Nothing that was started here lives any more; a whole machine ends by itself."""
    while not whole_machine:
        alive = processes()
        if not alive:
            return
        for pid in alive:
            send(pid, signal.SIGKILL)
        time.sleep(0.005)


def own_cgroup():
    """A cgroup v2 directory that we are in, or None."""
    mounts = [line.split() for line in read("/proc/self/mountinfo").decode().splitlines()]
    roots = [row[4] for row in mounts if row[row.index("-") + 1] == "cgroup2" and row[3] == "/"]
    lines = [line[3:] for line in read("/proc/self/cgroup").decode().splitlines()
             if line.startswith("0::")]
    return roots[0] + lines[0].rstrip("/") if roots and lines else None


def end_orderly():
    """At a SIGTERM, through all that is to be done at the end; the second one is too late."""
    def end(*_):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.exit(1)
    signal.signal(signal.SIGTERM, end)


def end_with_parent():
    """Whatever ends the test, nothing of it is left."""
    end_orderly()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def enter_new_cgroup(name):
    """So that the cgroups of services that run side by side are not each other's."""
    above = own_cgroup()
    try:
        path = f"{above}/{name}"
        os.mkdir(path)
        with open(f"{path}/cgroup.procs", "w", encoding="ascii") as file:
            file.write(str(os.getpid()))
        return path
    except OSError:
        return None


def cgroup_of(pid):
    """The directory of the cgroup that a process is in, if it is one of its own: an instance's."""
    mounts = [line.split() for line in read("/proc/self/mountinfo").decode().splitlines()]
    roots = [row[4] for row in mounts if row[row.index("-") + 1] == "cgroup2" and row[3] == "/"]
    lines = [line[3:] for line in read(f"/proc/{pid}/cgroup").decode().splitlines()
             if line.startswith("0::/")]
    mine = read("/proc/self/cgroup").decode().splitlines()
    return roots[0] + lines[0] if roots and lines and f"0::{lines[0]}" not in mine else None


class Squatter:
    """A process that is in somebody else's cgroup for a while, if there is one and it may."""

    def __init__(self, cgroup):
        self.pid = os.fork()
        if self.pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pause()
            os._exit(1)
        try:
            with open(f"{cgroup}/cgroup.procs", "w", encoding="ascii") as file:
                file.write(str(self.pid))
        except OSError:
            self.leave()

    def leave(self):
        send(self.pid, signal.SIGKILL)


def leave_cgroup(path):
    """Back to where enter_new_cgroup() was called, which takes what it made away."""
    with open(f"{os.path.dirname(path)}/cgroup.procs", "w", encoding="ascii") as file:
        file.write(str(os.getpid()))
    remove_cgroup(path)


def remove_cgroup(path):
    for directory, _, _ in os.walk(path, topdown=False):
        os.rmdir(directory)


def listens(path):
    with socket.socket(socket.AF_UNIX) as one:
        return one.connect_ex(path) == 0


class Scene:
    def __init__(self, directory, daemon):
        self.directory, self.daemon = directory, daemon
        self.statuses, self.service, self.owned = {}, None, False
        self.runtime, self.state = f"{directory}/run", f"{directory}/state"
        self.traces = f"{directory}/traces"
        for path in (self.runtime, self.state, self.traces):
            os.mkdir(path, 0o700)
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        # What the init of a user session does: nothing that ends here waits to be reaped.
        signal.signal(signal.SIGCHLD, self.reap)
        address = f"{directory}/bus"
        self.write("bus.conf", BUS_CONFIG.format(path=address))
        self.write("empty", "")
        self.environment = {"PATH": os.environ["PATH"], "HOME": directory,
                            "XDG_RUNTIME_DIR": self.runtime, "XDG_STATE_HOME": self.state,
                            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={address}"}
        self.bus_daemon = self.spawn(["dbus-daemon", f"--config-file={directory}/bus.conf",
                                      "--nofork", "--nopidfile"], self.environment)
        self.until(lambda: listens(address), "the message bus is there")
        self.bus = Bus(address, self.on_signal)
        self.bus.ask(BUS, "/org/freedesktop/DBus", BUS, "AddMatch", "s",
                     f"type='signal',sender='{BUS}',member='NameOwnerChanged',arg0='{NAME}'")

    def write(self, name, text):
        with open(f"{self.directory}/{name}", "w", encoding="utf-8") as file:
            file.write(text)

    # ---- processes -----------------------------------------------------------------------------

    def reap(self, *_):
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                self.statuses[pid] = status
        except ChildProcessError:
            pass

    def spawn(self, command, environment):
        log = os.open(f"{self.directory}/log", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC,
                      0o600)
        null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, log, 1),
                   (os.POSIX_SPAWN_DUP2, log, 2)]
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        try:
            pid = os.posix_spawnp(command[0], command, environment, file_actions=actions,
                                  setsigdef=range(1, 32), setsigmask=())
            self.statuses.pop(pid, None)  # of another process, before the numbers came round
            return pid
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
            os.close(log)
            os.close(null)

    def until(self, condition, what, seconds=PATIENCE_SECONDS):
        """How long it took."""
        begin = time.monotonic()
        while not condition():
            if time.monotonic() > begin + seconds:
                raise Trouble(f"not within {seconds} s: {what}")
            time.sleep(0.001)
        return time.monotonic() - begin

    # ---- the service ---------------------------------------------------------------------------

    def on_signal(self, member, _path, values):
        if member == "NameOwnerChanged":
            self.owned = bool(values[2])

    def start(self, crash_point=None):
        extra = {"CONSTELLATION_CRASH_POINT": crash_point} if crash_point else {}
        self.service = self.spawn([self.daemon, "--user", "--no-systemd", "--log-level=warning",
                                   f"--config={self.directory}/empty"],
                                  {**self.environment, **extra})

    def launcher(self):
        children = read(f"/proc/{self.service}/task/{self.service}/children")
        return [int(pid) for pid in children.split()]

    def is_dead(self):
        return self.service is None or self.service in self.statuses

    def status(self):
        """The wait status of the service, if it is dead."""
        return self.statuses.get(self.service)

    def play(self, over, seconds=PATIENCE_SECONDS):
        """Takes in what comes until it is over, the service dead, or the time; whether over."""
        end = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self.bus.socket, select.POLLIN)
        while not over() and not self.is_dead() and time.monotonic() < end:
            if poll.poll(1):
                self.bus.take()
        return over()

    def wait_until_ready(self):
        """False if it died first."""
        ready = self.play(lambda: self.owned)
        if not ready and not self.is_dead():
            raise Trouble("the service does not become ready")
        return ready

    def wait_until_dead(self):
        """And until the bus knows it, and has answered what was under way."""
        self.until(self.is_dead, "the service is dead")
        poll = select.poll()
        poll.register(self.bus.socket, select.POLLIN)
        end = time.monotonic() + PATIENCE_SECONDS
        while self.owned or self.bus.waiting:
            if poll.poll(10):
                self.bus.take()
            elif time.monotonic() > end:
                raise Trouble(f"the bus does not answer for the dead service: owned {self.owned}, "
                              f"{len(self.bus.waiting)} calls")
        self.service = None

    def kill(self):
        """Whatever it does; or finds it dead."""
        if not self.is_dead():
            send(self.service, signal.SIGKILL)
        self.wait_until_dead()

    def call(self, then, path, interface, member, signature="", *values):
        self.bus.call(then, NAME, path, f"{NAME}.{interface}", member, signature, *values)

    def properties(self, then, path, interface):
        self.bus.call(then, NAME, path, "org.freedesktop.DBus.Properties", "GetAll", "s",
                      f"{NAME}.{interface}")

    # ---- what there is ---------------------------------------------------------------------------

    def files(self):
        """All files that the service keeps, but for its lock."""
        found = set()
        for top in (self.runtime, self.state):
            for directory, _, names in os.walk(top):
                found |= {os.path.relpath(f"{directory}/{name}", self.directory) for name in names}
        return found - {"run/constellation/lock"}

    @staticmethod
    def cgroups():
        """The cgroups of instances."""
        own = own_cgroup()
        return [name for directory, _, _ in os.walk(f"{own}/constellation-user") if own
                for name in [os.path.basename(directory)] if name.startswith("i")]

    def log_tail(self, since):
        text = read(f"{self.directory}/log")[since:].decode(errors="replace")
        return text.rstrip().split("\n")[-30:] if text.strip() else []

    def log_size(self):
        return len(read(f"{self.directory}/log"))
