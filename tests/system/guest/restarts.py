# SPDX-License-Identifier: LGPL-2.1-or-later
"""The ways in which the service and what it stands on go away and come back."""

import time

from gi.repository import GLib

import host
from bus import BusError
from tap import eventually

DAEMON = "constellationd.service"
LAUNCHER = "constellation-launcher.service"


def back(world, seconds=1.0):
    """Waits until the name is there again, and uses it from then on; how long it took."""
    # More restarts than systemd takes for a coincidence.
    host.sh("systemctl", "reset-failed", DAEMON, LAUNCHER, check=False)
    begin = time.monotonic()

    def answers():
        try:
            world.reconnect()
            return world.property("Version")
        except (BusError, GLib.Error):
            return None

    eventually(answers, f"the service is back after {seconds} s", seconds=seconds)
    return time.monotonic() - begin


def restart_daemon(world):
    host.sh("systemctl", "restart", DAEMON)
    back(world)


def kill_unit(unit):
    host.sh("systemctl", "kill", "--signal=KILL", "--kill-whom=main", unit)


def kill_daemon(world):
    kill_unit(DAEMON)
    back(world)


def kill_daemon_for_long():
    """It does not come back by itself, as systemd would have it."""
    kill_unit(DAEMON)
    host.sh("systemctl", "stop", DAEMON)


def start_daemon(world):
    """How long it takes until it answers."""
    begin = time.monotonic()
    host.sh("systemctl", "start", DAEMON)
    back(world)
    return time.monotonic() - begin


def kill_launcher(world):
    kill_unit(LAUNCHER)
    back(world)


def kill_both(world):
    kill_unit(LAUNCHER)
    kill_unit(DAEMON)
    back(world)


def restart_bus(world):
    host.sh("systemctl", "restart", "dbus.service", check=False)
    back(world, seconds=3.0)
