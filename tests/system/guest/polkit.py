# SPDX-License-Identifier: LGPL-2.1-or-later
"""polkit as an administrator sets it up: rules, and somebody called carol whom they allow everything."""

import contextlib
import os
import pwd
import signal
import subprocess

from gi.repository import Gio, GLib

import host
from bus import BusError, Call, connect
from tap import check, eventually

RULES = "/etc/polkit-1/rules.d/10-test.rules"
ALLOW = """
polkit.addRule(function (action, subject) {{
    if (action.id.indexOf("org.rads.constellation.") !== 0)
        return polkit.Result.NOT_HANDLED;
    if (subject.user === "carol" || (subject.user === "alice" && action.id === "org.rads.constellation.run"))
        return polkit.Result.YES;
    {more}
    return polkit.Result.NOT_HANDLED;
}});
"""


def restart():
    """As often as it takes: systemd would give up after a few."""
    host.sh("systemctl", "reset-failed", "polkit.service", check=False)
    host.sh("systemctl", "restart", "polkit.service")


def may_create(service):
    try:
        service.checked("x", Command=["true"])
        return True
    except BusError:
        return False


@contextlib.contextmanager
def rules(world, more=""):
    """While the block lasts alice may run instances, carol may do everything, and more as JavaScript has it."""
    if "carol:" not in host.read("/etc/passwd"):
        host.sh("useradd", "--uid", "1002", "carol")
    os.makedirs(os.path.dirname(RULES), exist_ok=True)
    with open(RULES, "w", encoding="utf-8") as file:
        file.write(ALLOW.format(more=more))
    os.chmod(RULES, 0o644)
    # It looks at its directories by itself, some time.
    restart()
    alice = world.another("alice")
    eventually(lambda: may_create(alice), "alice may run instances")
    try:
        yield alice
    finally:
        os.unlink(RULES)
        restart()


def polkit_pid():
    host.sh("systemctl", "start", "polkit.service")
    pid = host.unit_pid("polkit.service")
    check(pid > 1, "polkit does not run")
    return pid


@contextlib.contextmanager
def hung():
    """polkit does not answer while the block lasts."""
    pid = polkit_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


class Asker:
    """asker.py, as this user; `lines` is what it has said so far."""

    def __init__(self, user, count, instance, method):
        uid = host.sh("id", "-u", user).strip()
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--init-groups", "python3", "-B", "/tests/asker.py",
             str(count), instance.path, method], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.text = b""

    @property
    def lines(self):
        self.text += self.process.stdout.read() or b""
        return self.text.decode().split("\n")[:-1]

    def count(self, line):
        return sum(said.startswith(line) for said in self.lines)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stdin.close()


class Mock:
    """Stands in for polkit: each question gets the answer that is set, a function of the arguments to what the reply
    carries, or an exception with the error's name; None is no answer."""

    XML = """<node><interface name="org.freedesktop.PolicyKit1.Authority">
      <method name="CheckAuthorization"><arg type="(sa{sv})"/><arg type="s"/><arg type="a{ss}"/><arg type="u"/>
        <arg type="s"/><arg direction="out" type="%s"/></method>
      <method name="CancelCheckAuthorization"><arg type="s"/></method></interface></node>"""

    def __init__(self, reply="(bba{ss})"):
        self.answer, self.questions, self.cancelled, self.reply = None, [], [], reply
        host.sh("systemctl", "mask", "--runtime", "--now", "polkit.service")
        # The bus lets nobody else have the name.
        self.connection = connect(uid=pwd.getpwnam("polkitd").pw_uid)
        node = Gio.DBusNodeInfo.new_for_xml(self.XML % reply)
        self.connection.register_object("/org/freedesktop/PolicyKit1/Authority", node.interfaces[0], self._called,
                                        None, None)
        Call(self.connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName",
             (GLib.Variant("s", "org.freedesktop.PolicyKit1"), GLib.Variant("u", 0))).result()

    def _called(self, _connection, _sender, _path, _interface, method, arguments, invocation):
        if method == "CancelCheckAuthorization":
            self.cancelled.append(arguments.unpack()[0])
            return
        self.questions.append(arguments.unpack())
        answer = self.answer(*arguments.unpack()) if callable(self.answer) else self.answer
        if isinstance(answer, str):
            invocation.return_dbus_error(answer, "as the mock was told")
        elif answer is not None:
            invocation.return_value(GLib.Variant(f"({self.reply})", (answer,)))

    def close(self):
        self.connection.close_sync(None)
        host.sh("systemctl", "unmask", "--runtime", "polkit.service")


@contextlib.contextmanager
def mock(reply="(bba{ss})"):
    stand_in = Mock(reply)
    try:
        yield stand_in
    finally:
        stand_in.close()
