# SPDX-License-Identifier: LGPL-2.1-or-later
"""An ordinary user with a service of her own."""

import host
from bus import BusError
from service import Service
from tap import check, eventually

UID = 1000


class AlicesService(Service):
    """Activated by its bus; everything is destroyed at the end."""

    def __init__(self):
        host.sh("systemctl", "start", f"user@{UID}.service")
        eventually(lambda: host.read(f"/run/user/{UID}/bus") is None and
                   host.sh("systemctl", "is-active", f"user@{UID}.service", check=False)
                   == "active\n", "her manager runs")
        super().__init__(f"unix:path=/run/user/{UID}/bus", UID)

    def close(self):
        self.reconnect()
        for instance in self.instances():
            try:
                instance.destroy(Force=True)
            except BusError as error:
                check(error.name.endswith("UnknownObject"), str(error))
        eventually(lambda: not self.left(), lambda: f"left: {self.left()}")
        super().close()

    @staticmethod
    def left():
        return host.scopes("--user", user="alice") + host.sh(
            "find", f"/run/user/{UID}/constellation", "-type", "f", "-not", "-name", "lock",
            check=False).split()


def alice(world):
    world.others.append(AlicesService())
    return world.others[-1]
