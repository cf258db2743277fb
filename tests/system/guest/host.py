# SPDX-License-Identifier: LGPL-2.1-or-later
"""The machine around the service, looked at without its help."""

import glob
import os
import re
import subprocess

CGROUPS = "/sys/fs/cgroup"


def sh(*command, user=None, environment=None, check=True, seconds=30):
    """The standard output of a command, run as this user (a name) with a session's variables."""
    uid = {"alice": 1000, "bob": 1001}.get(user, 0)
    variables = {**os.environ, **(environment or {})}
    if user:
        command = ("setpriv", f"--reuid={uid}", f"--regid={uid}", "--init-groups", *command)
        variables |= {"HOME": f"/home/{user}", "USER": user, "XDG_RUNTIME_DIR": f"/run/user/{uid}",
                      "DBUS_SESSION_BUS_ADDRESS": f"unix:path=/run/user/{uid}/bus"}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False,
                          timeout=seconds)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit status {done.returncode}\n"
                           f"{done.stdout}{done.stderr}")
    return done.stdout


def read(path):
    """The content of a file, or None."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None


def processes(name):
    """The pids of all processes of this name (as in /proc/PID/comm, 15 characters)."""
    found = []
    for path in glob.glob("/proc/[0-9]*/comm"):
        if (read(path) or "").rstrip("\n") == name[:15]:
            found.append(int(path.split("/")[2]))
    return found


def is_alive(pid):
    state = (read(f"/proc/{pid}/stat") or ") X").rpartition(") ")[2][:1]
    return state not in ("X", "Z")


def namespace(pid, kind):
    """The inode number, as the probe reports it."""
    try:
        return str(os.stat(f"/proc/{pid}/ns/{kind}").st_ino)
    except OSError:
        return None


def cgroup_of(pid):
    for line in (read(f"/proc/{pid}/cgroup") or "").splitlines():
        if line.startswith("0::"):
            return line[3:]
    return None


def is_holder(cgroup):
    """The scope for the cgroup rung, who keeps it, and its owners' parts: they stay."""
    return bool(re.search(r"-direct\.scope(/holder|/[0-9]+)?$", cgroup))


def inits():
    """The pids of the inits of instances, also of those that wait to be reaped."""
    return [pid for pid in processes("constellation-init") if not is_holder(cgroup_of(pid) or "")]


def cgroups():
    """Of instances, wherever they are: scopes, and what the service makes itself."""
    return [directory for directory, _, _ in os.walk(CGROUPS)
            if "/constellation-" in directory and not is_holder(directory)
            and not directory.endswith((".slice", ".service", ".socket"))]


def mounts():
    """What is mounted where, without numbers."""
    lines = [line.split() for line in read("/proc/self/mountinfo").splitlines()]
    return sorted(" ".join([line[4], *line[line.index("-") + 1:]]) for line in lines)


def scopes(*manager, **how):
    """The scope units of instances that systemd knows."""
    listed = sh("systemctl", *manager, "list-units", "--all", "--plain", "--no-legend",
                "constellation-*.scope", **how)
    names = [line.split()[0] for line in listed.splitlines()]
    return [name for name in names if not is_holder(name)]


def files():
    """What the system service keeps of instances."""
    return sorted(path for directory in ("/run/constellation/instances",
                                         "/run/constellation/records",
                                         "/var/lib/constellation/instances")
                  for path in glob.glob(f"{directory}/*") + glob.glob(f"{directory}/.[!.]*"))


def unit_pid(unit):
    return int(sh("systemctl", "show", "--property=MainPID", "--value", unit))


def fds(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def cpu_seconds(pid):
    """What it has used so far."""
    user, system = read(f"/proc/{pid}/stat").rpartition(") ")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def rss_kib(pid):
    for line in read(f"/proc/{pid}/status").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0
