# SPDX-License-Identifier: LGPL-2.1-or-later
"""The journal, and how to be without it."""

import contextlib
import subprocess

import host
from tap import eventually

JOURNALD = "systemd-journald.service"
SOCKETS = ("systemd-journald.socket", "systemd-journald-dev-log.socket",
           "systemd-journald-audit.socket")


def sync():
    """Everything that was written is in the journal."""
    eventually(lambda: not subprocess.run(["journalctl", "--sync"], capture_output=True,
                                          check=False).returncode, "journald answers")


@contextlib.contextmanager
def without_journald():
    host.sh("systemctl", "stop", *SOCKETS, JOURNALD, check=False)
    try:
        yield
    finally:
        # Tests do that more often than systemd takes for a coincidence.
        host.sh("systemctl", "reset-failed", *SOCKETS, JOURNALD, check=False)
        host.sh("systemctl", "start", *SOCKETS, JOURNALD)
