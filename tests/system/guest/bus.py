# SPDX-License-Identifier: LGPL-2.1-or-later
"""D-Bus as a test wants it: Python values in, Python values out, errors with their names."""

import os

from gi.repository import Gio, GLib

SYSTEM_BUS = "unix:path=/run/dbus/system_bus_socket"
CALL_SECONDS = 20


class BusError(Exception):
    """The error that a call was answered with."""

    def __init__(self, error):
        self.name = Gio.DBusError.get_remote_error(error) or error.domain
        self.text = error.message.removeprefix(f"GDBus.Error:{self.name}: ")
        super().__init__(f"{self.name}: {self.text}")


def value(python):
    """A variant of the type that callers choose for such a value; a variant is left as it is."""
    if isinstance(python, GLib.Variant):
        return python
    if isinstance(python, bool):
        return GLib.Variant("b", python)
    if isinstance(python, int):
        return GLib.Variant("t" if python >= 0 else "x", python)
    if isinstance(python, str):
        return GLib.Variant("s", python)
    return GLib.Variant("as", list(python))


def dictionary(entries):
    """a{sv} of a dict, or of pairs, in which a key may stand twice."""
    builder = GLib.VariantBuilder(GLib.VariantType("a{sv}"))
    for key, python in entries.items() if isinstance(entries, dict) else entries:
        entry = GLib.Variant.new_dict_entry(GLib.Variant("s", key),
                                            GLib.Variant.new_variant(value(python)))
        builder.add_value(entry)
    return builder.end()


def connect(address=SYSTEM_BUS, uid=0, is_bus=True):
    """A connection of its own, opened as this user."""
    flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
    if is_bus:
        flags |= Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
    before = os.geteuid()
    os.seteuid(uid)
    try:
        return Gio.DBusConnection.new_for_address_sync(address, flags, None, None)
    finally:
        os.seteuid(before)


class Call:
    """A call that is under way."""

    def __init__(self, connection, name, path, interface, method, arguments=(),
                 seconds=CALL_SECONDS):
        self.reply = self.error = None
        body = GLib.Variant.new_tuple(*arguments)
        connection.call(name, path, interface, method, body, None, Gio.DBusCallFlags.NONE,
                        int(seconds * 1000), None, self._answered)

    def _answered(self, connection, answer):
        try:
            self.reply = connection.call_finish(answer)
        except GLib.Error as error:
            self.error = error

    @property
    def answered(self):
        spin()
        return self.reply is not None or self.error is not None

    def result(self):
        """The values of the answer: none, one, or a tuple."""
        while self.reply is None and self.error is None:
            GLib.MainContext.default().iteration(True)
        if self.error is not None:
            raise BusError(self.error)
        values = self.reply.unpack()
        return values[0] if len(values) == 1 else values or None


def spin():
    """Takes in what has arrived."""
    while GLib.MainContext.default().iteration(False):
        pass


def in_parallel(items, begin, at_once=50):
    """Begins a call for each, so many at a time, and returns the answers in order."""
    answers, calls = [], []
    for item in items:
        if len(calls) == at_once:
            answers.append(calls.pop(0).result())
        calls.append(begin(item))
    return answers + [call.result() for call in calls]


class Recorder:
    """The signals of a service, as (member, path, arguments)."""

    def __init__(self, connection, sender):
        self.signals = []
        self.connection = connection
        self.subscription = connection.signal_subscribe(
            sender, None, None, None, None, Gio.DBusSignalFlags.NONE, self._arrived)
        # The bus has taken the match when it answers what comes after it.
        if sender:
            Call(connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                 "org.freedesktop.DBus", "GetId").result()

    def _arrived(self, _connection, _sender, path, _interface, member, arguments):
        self.signals.append((member, path, arguments.unpack()))

    def of(self, member, path=None):
        """The arguments of all signals of this name so far."""
        spin()
        return [arguments for name, at, arguments in self.signals
                if name == member and path in (None, at)]

    def close(self):
        self.connection.signal_unsubscribe(self.subscription)
