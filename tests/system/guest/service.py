# SPDX-License-Identifier: LGPL-2.1-or-later
"""The service and its instances, as objects of Python."""

import contextlib
import re
import types

from gi.repository import GLib

from bus import BusError, Call, Recorder, connect, dictionary
from tap import Failure, check

NAME = "org.rads.Constellation"
ROOT = "/org/rads/Constellation"
MANAGER = NAME + ".Manager"
INSTANCE = NAME + ".Instance"
SETTINGS = NAME + ".Settings"
PROPERTIES = "org.freedesktop.DBus.Properties"
OURS = NAME + ".Error."
STANDARD = "org.freedesktop.DBus.Error."
PROBE = "/tests/probe"


@contextlib.contextmanager
def refused(error, regex=".*"):
    """What is in the block ends with this error ("InvalidState") and a message like that; they
    are the attributes name and text of what `as` gives."""
    seen = types.SimpleNamespace()
    try:
        yield seen
    except BusError as got:
        seen.name, seen.text = got.name, got.text
        check(got.name in (OURS + error, STANDARD + error), f"{got} instead of {error}")
        check(re.search(regex, got.text), f"the message is {got.text!r}, without {regex!r}")
        return
    raise Failure(f"it worked instead of failing with {error}")


class Service:
    """One connection to a service; a user's other connections are other Services."""

    def __init__(self, address, uid=0, name=NAME):
        self.address, self.uid, self.name = address, uid, name
        self.reconnect()

    def reconnect(self):
        self.connection = connect(self.address, self.uid, self.name is not None)

    def close(self):
        with contextlib.suppress(GLib.Error):
            self.connection.close_sync(None)

    def call(self, path, interface, method, *arguments, **how):
        return Call(self.connection, self.name, path, interface, method, arguments, **how)

    def manager(self, method, *arguments):
        return self.call(ROOT, MANAGER, method, *arguments).result()

    def property(self, name, path=ROOT, interface=MANAGER):
        arguments = GLib.Variant("s", interface), GLib.Variant("s", name)
        return self.call(path, PROPERTIES, "Get", *arguments).result()

    def begin_run(self, name, options=(), **settings):
        """RunInstance without waiting for the answer, which is a path."""
        return self.call(ROOT, MANAGER, "RunInstance", GLib.Variant("s", name),
                         dictionary(settings), dictionary(options))

    def run(self, name, options=(), **settings):
        return Instance(self, self.begin_run(name, options, **settings).result())

    def create(self, name, settings=(), **more):
        """Settings as pairs where their order or number matters."""
        entries = dictionary([*dict(settings).items(), *more.items()]
                             if isinstance(settings, dict) else [*settings, *more.items()])
        return Instance(self, self.manager("CreateInstance", GLib.Variant("s", name), entries))

    def checked(self, name, **settings):
        """CheckInstance: feature -> (outcome, reason)."""
        rows = self.manager("CheckInstance", GLib.Variant("s", name), dictionary(settings))
        return {feature: (outcome, reason) for feature, outcome, reason in rows}

    def get(self, name):
        return Instance(self, self.manager("GetInstance", GLib.Variant("s", name)))

    def list(self, **filters):
        """ListInstances: the names, in its order."""
        return [row[1] for row in self.manager("ListInstances", dictionary(filters))]

    def features(self):
        return {name: (there, why) for name, there, why in self.manager("GetFeatures")}

    def instances(self):
        return [Instance(self, row[6]) for row in self.manager("ListInstances", dictionary({}))]

    def objects(self):
        return self.call(ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects").result()

    def signals(self):
        return Recorder(self.connection, self.name)


class Instance:
    def __init__(self, service, path):
        self.service, self.path = service, path

    def __getitem__(self, name):
        return self.service.property(name, self.path, INSTANCE)

    def all(self, interface=INSTANCE):
        return self.service.call(self.path, PROPERTIES, "GetAll",
                                 GLib.Variant("s", interface)).result()

    def begin(self, method, *arguments, **options):
        return self.service.call(self.path, INSTANCE, method, *arguments, dictionary(options))

    def ask(self, method):
        """A method without arguments."""
        return self.service.call(self.path, INSTANCE, method).result()

    def start(self, **options):
        return self.begin("Start", **options).result()

    def stop(self, **options):
        return self.begin("Stop", **options).result()

    def restart(self, **options):
        return self.begin("Restart", **options).result()

    def destroy(self, **options):
        return self.begin("Destroy", **options).result()

    def freeze(self):
        return self.begin("Freeze").result()

    def thaw(self):
        return self.begin("Thaw").result()

    def kill(self, who="main", signal=15, **options):
        return self.begin("Kill", GLib.Variant("s", who), GLib.Variant("i", signal),
                          **options).result()

    def wait(self, **options):
        """(run, result, code, status)"""
        return self.begin("Wait", **options).result()

    def status(self):
        """The exit status; waits for the end."""
        return self.wait()[3]

    def isolation(self):
        """kind -> (outcome, reason)"""
        return {kind: (outcome, reason) for kind, outcome, reason in self["Isolation"]}

    def enforced(self):
        """limit -> (value, enforced, reason)"""
        return {limit: tuple(rest) for limit, *rest in self["Enforced"]}
