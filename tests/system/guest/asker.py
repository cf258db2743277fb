# SPDX-License-Identifier: LGPL-2.1-or-later
"""asker.py COUNT PATH METHOD: a program of an ordinary user that has an agent of its own, which asks nobody anything
and never answers; and that makes so many calls which allow to ask. What happens is told line by line; ends with its
standard input."""

import os
import sys

from gi.repository import Gio, GLib

from bus import SYSTEM_BUS, dictionary
from service import INSTANCE, NAME

AGENT_PATH = "/agent"
AGENT = Gio.DBusNodeInfo.new_for_xml("""<node><interface name="org.freedesktop.PolicyKit1.AuthenticationAgent">
  <method name="BeginAuthentication"><arg type="s"/><arg type="s"/><arg type="s"/><arg type="a{ss}"/><arg type="s"/>
    <arg type="a(sa{sv})"/></method>
  <method name="CancelAuthentication"><arg type="s"/></method></interface></node>""").interfaces[0]


def say(*words):
    print(*words, flush=True)


def on_agent_call(_connection, _sender, _path, _interface, method, arguments, invocation):
    if method == "BeginAuthentication":
        say("asked", arguments.unpack()[0], arguments.unpack()[1])
    else:
        say("cancelled")
        invocation.return_value(None)


def register(connection):
    connection.register_object(AGENT_PATH, AGENT, on_agent_call, None, None)
    with open("/proc/self/stat", encoding="utf-8") as file:
        start = int(file.read().rpartition(") ")[2].split()[19])
    subject = ("unix-process", {"pid": GLib.Variant("u", os.getpid()), "start-time": GLib.Variant("t", start),
                                "uid": GLib.Variant("i", os.getuid())})
    connection.call_sync("org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
                         "org.freedesktop.PolicyKit1.Authority", "RegisterAuthenticationAgent",
                         GLib.Variant("((sa{sv})ss)", (subject, "C", AGENT_PATH)), None, 0, -1, None)


def on_answer(connection, answer):
    try:
        connection.call_finish(answer)
        say("answer ok")
    except GLib.Error as error:
        say("answer", (Gio.DBusError.get_remote_error(error) or "?").rpartition(".")[2])


def main():
    count, path, method = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
    connection = Gio.DBusConnection.new_for_address_sync(SYSTEM_BUS, flags, None, None)
    loop = GLib.MainLoop()
    register(connection)
    for _ in range(count):
        connection.call(NAME, path, INSTANCE, method, GLib.Variant.new_tuple(dictionary({})), None,
                        Gio.DBusCallFlags.ALLOW_INTERACTIVE_AUTHORIZATION, 200_000, None, on_answer)
    GLib.io_add_watch(0, GLib.PRIORITY_DEFAULT, GLib.IOCondition.HUP, loop.quit)
    say("ready")
    loop.run()


main()
