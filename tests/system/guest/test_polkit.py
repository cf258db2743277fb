# SPDX-License-Identifier: LGPL-2.1-or-later
"""Questions to polkit: what it is told, who is not asked about, what counts as a yes, and what becomes of a question
whose caller, instance, or polkit is gone before the answer."""

import os
import pty
import select
import time

from gi.repository import Gio, GLib

import host
import polkit
from bus import BusError, dictionary
from service import INSTANCE, NAME, Service, refused
from tap import between, check, contains, equal, eventually, test
from world import SYSTEM_BUS, UIDS, variant

SLEEP = ["sleep", "100"]
ACTION = "org.rads.constellation."
ROUNDS = int(os.environ.get("ROUNDS", "100"))

YES = (True, False, {})
NO = (False, False, {})


def call(service, instance, method, **options):
    """The method by this caller, under way."""
    return type(instance)(service, instance.path).begin(method, **options)


def is_run(instance, run):
    return (instance["State"], instance["Run"]) == ("RUNNING", run)


# ---- who is asked about what ---------------------------------------------------------------------


@test
def root_and_owners_are_never_asked_about(world):
    with polkit.mock() as mock:
        mock.answer = YES
        alice = world.another("alice")
        web = alice.run("web", Command=SLEEP)
        equal([question[1] for question in mock.questions], [ACTION + "run"])
        for service in (alice, world):
            mine = service.get(web.path.rpartition("/")[2])
            for method in ("GetUsage", "GetEnvironment", "Describe"):
                mine.ask(method)
            for method in ("Freeze", "Thaw", "Stop", "Start"):
                mine.begin(method).result()
        equal(len(mock.questions), 1)


@test
def polkit_is_told_who_wants_what_of_whom(world):
    with polkit.mock() as mock:
        mock.answer = YES
        alice, bob = world.another("alice"), world.another("bob")
        web = alice.run("web", Command=["sleep", "100\n"], User="bob", PIDNamespace="off")
        call(bob, web, "Stop").result()
    (subject, action, details, flags, _), second, third = mock.questions
    equal((subject, flags), (("system-bus-name", {"name": alice.connection.get_unique_name()}), 0))
    equal((action, second[1], third[1]), (ACTION + "run-as", ACTION + "privileged", ACTION + "manage"))
    equal({key: details[key] for key in ("verb", "name", "user", "options", "command")},
          {"verb": "RunInstance", "name": "web", "user": "bob", "options": "PIDNamespace", "command": "sleep 100\\n"})
    equal({key: third[2][key] for key in ("verb", "name", "owner", "instance")},
          {"verb": "Stop", "name": "web", "owner": "1000", "instance": web.path.rpartition("/")[2]})
    check(third[4] and third[4] != second[4], "each question can be taken back")


@test
def a_rule_of_polkit_can_tell_instances_apart(world):
    more = """if (action.id === "org.rads.constellation.manage" && action.lookup("name") === "web"
                  && action.lookup("owner") === "1000" && subject.user === "bob") return polkit.Result.YES;"""
    with polkit.rules(world, more) as alice:
        web, other = alice.run("web", Command=SLEEP), alice.run("other", Command=SLEEP)
        bob = world.another("bob")
        call(bob, web, "Stop").result()
        equal(web["State"], "STOPPED")
        for instance, method in ((other, "Stop"), (web, "Destroy")):
            with refused("InteractiveAuthorizationRequired"):
                call(bob, instance, method).result()


@test
def another_user_and_less_isolation_are_rights_of_their_own(world):
    with polkit.rules(world) as alice:
        for settings, right in (({"User": "bob"}, "run-as"), ({"User": "0"}, "run-as"),
                                ({"User": "no-such-user"}, "run-as"), ({"PIDNamespace": "off"}, "privileged"),
                                ({"NoNewPrivileges": False}, "privileged")):
            with refused("InteractiveAuthorizationRequired", f".* needs the right {ACTION}{right},"):
                alice.run("web", Command=SLEEP, **settings)
        equal(world.list(), [])
        alice.run("web", Command=SLEEP, User="alice", NoNewPrivileges=True)
        carol = world.another("carol")
        bobs = carol.run("job", Command=SLEEP, User="bob", CgroupNamespace="off")
        equal((bobs["Owner"], os.stat(f"/proc/{bobs['MainPID']}").st_uid), (UIDS["carol"], UIDS["bob"]))


def start_with_stdout(service, instance, fd):
    fds = Gio.UnixFDList.new_from_array([fd])
    options = GLib.Variant.new_tuple(dictionary({"Stdout": variant("h", 0)}))
    try:
        service.connection.call_with_unix_fd_list_sync(NAME, instance.path, INSTANCE, "Start", options, None, 0, -1,
                                                       fds, None)
    except GLib.Error as error:
        raise BusError(error) from error


@test
def whose_streams_are_given_to_anothers_payload_has_to_be_allowed_to_enter(world):
    more = """if (action.id === "org.rads.constellation.manage" && subject.user === "bob")
                  return polkit.Result.YES;"""
    with polkit.rules(world, more):
        web = world.create("web", Command=["true"])
        bob = world.another("bob")
        with refused("InteractiveAuthorizationRequired", f"Start needs the right {ACTION}enter"):
            start_with_stdout(bob, web, os.open("/dev/null", os.O_WRONLY))
        equal(web["State"], "PENDING")


# ---- what counts as a yes ------------------------------------------------------------------------


@test
def only_a_yes_lets_through(world):
    web = world.run("web", Command=SLEEP)
    bob = world.another("bob")
    with polkit.mock() as mock:
        for answer, error in ((NO, "AccessDenied"), ((False, True, {}), "InteractiveAuthorizationRequired"),
                              ((True, True, {}), "AccessDenied"),
                              ((True, False, {"polkit.dismissed": "true"}), "AccessDenied"),
                              ((False, True, {"polkit.dismissed": "true"}), "AccessDenied"),
                              ("org.freedesktop.PolicyKit1.Error.Failed", "AccessDenied"),
                              ("org.freedesktop.DBus.Error.NoReply", "AccessDenied"),
                              ("org.example.Yes", "AccessDenied")):
            mock.answer = answer
            with refused(error, "Stop needs the right"):
                call(bob, web, "Stop").result()
        mock.answer = YES
        call(bob, web, "Stop").result()
        equal(web["State"], "STOPPED")


@test
def an_answer_of_another_type_is_a_no(world):
    web = world.run("web", Command=SLEEP)
    bob = world.another("bob")
    for reply, answer in (("b", True), ("(bb)", (True, False)), ("s", "yes"), ("(uba{ss})", (1, False, {}))):
        with polkit.mock(reply) as mock:
            mock.answer = lambda *_, answer=answer: answer
            if reply == "s":
                continue  # a string is an error's name to the mock
            with refused("AccessDenied", ".*polkit's answer is not what it should be"):
                call(bob, web, "Stop").result()
    check(is_run(web, 1), "it runs on")


# ---- polkit is not there -------------------------------------------------------------------------


def goes_on(world, web, bob):
    """Root and the owner are served as ever, everybody else is refused with a reason."""
    start = time.monotonic()
    alice = world.another("alice")
    equal(alice.get("web")["State"], "RUNNING")
    alice.get("web").freeze()
    alice.get("web").thaw()
    world.run("roots", Command=SLEEP).destroy(Force=True)
    between(time.monotonic() - start, 0, 1, "the time for root and the owner")
    start = time.monotonic()
    with refused("AccessDenied", f"Stop needs the right {ACTION}manage.*: polkit did not answer: .*"):
        call(bob, web, "Stop").result()
    between(time.monotonic() - start, 0, 6, "the time to refuse")


@test
def without_polkit_root_and_owners_go_on(world):
    bob = world.another("bob")
    with polkit.rules(world) as alice:
        web = alice.run("web", Command=SLEEP)
    host.sh("systemctl", "mask", "--runtime", "--now", "polkit.service")
    try:
        goes_on(world, web, bob)
    finally:
        host.sh("systemctl", "unmask", "--runtime", "polkit.service")
    with polkit.hung():
        goes_on(world, web, bob)
    with refused("InteractiveAuthorizationRequired"):
        call(bob, web, "Stop").result()


@test
def a_polkit_that_dies_over_a_question_is_a_no(world):
    web = world.run("web", Command=SLEEP)
    bob = world.another("bob")
    with polkit.hung():
        asked = call(bob, web, "Stop")
        bob.property("Version")
        os.kill(polkit.polkit_pid(), 9)
    with refused("AccessDenied", "Stop needs the right .*: polkit did not answer"):
        asked.result()
    check(is_run(web, 1), "it runs on")


# ---- between the question and the answer ---------------------------------------------------------


@test
def nothing_is_done_for_a_caller_who_left_before_the_answer(world):
    with polkit.rules(world) as alice:
        web = alice.run("web", Command=SLEEP)
        witness = world.another("carol")
        for _ in range(ROUNDS):
            leaving = Service(SYSTEM_BUS, UIDS["carol"])
            with polkit.hung():
                call(leaving, web, "Stop")
                leaving.property("Version")  # answered after the call was taken in
                leaving.close()
            type(web)(witness, web.path).ask("GetUsage")  # answered after that question
            check(is_run(web, 1), "it was stopped")
        staying = world.another("carol")
        with polkit.hung():
            asked = call(staying, web, "Stop")
            staying.property("Version")
        asked.result()
        equal(web["State"], "STOPPED", "the state when the caller stays")


@test
def an_answer_does_not_hold_for_another_run(world):
    web = world.run("web", Command=SLEEP)
    bob = world.another("bob")
    with polkit.mock() as mock:
        mock.answer = lambda *_: (web.restart(), YES)[1]
        with refused("Stale", "the instance was changed or started while the authorization for Stop was asked for"):
            call(bob, web, "Stop").result()
    check(is_run(web, 2), "its second run goes on")


@test
def an_answer_does_not_hold_for_an_instance_of_the_same_name(world):
    web = world.run("web", Command=SLEEP)
    bob = world.another("bob")

    def replace(*_):
        web.destroy(Force=True)
        world.run("web", Command=SLEEP)
        return YES

    with polkit.mock() as mock:
        mock.answer = replace
        with refused("Stale", "the instance was destroyed"):
            call(bob, web, "Destroy", Force=True).result()
    equal(world.get("web")["State"], "RUNNING")


@test
def the_state_is_looked_at_again_after_the_answer(world):
    web = world.run("web", Command=SLEEP)
    bob = world.another("bob")
    with polkit.mock() as mock:
        mock.answer = lambda *_: (web.stop(), YES)[1]
        with refused("InvalidState"):
            call(bob, web, "Freeze").result()


@test
def a_question_is_taken_back_when_the_caller_leaves_and_when_its_time_is_over(world):
    web = world.run("web", Command=SLEEP)
    with polkit.mock() as mock:
        bob = Service(SYSTEM_BUS, UIDS["bob"])
        call(bob, web, "Stop")
        eventually(lambda: bob.property("Version") and mock.questions, "polkit was asked")
        bob.close()
        eventually(lambda: world.property("Version") and mock.cancelled, "it was taken back", seconds=1)
        late = world.another("bob")
        with refused("AccessDenied", ".*: polkit did not answer: .*timed out"):
            call(late, web, "Stop").result()
        eventually(lambda: world.property("Version") and len(mock.cancelled) == 2, "it was taken back")
        equal(mock.cancelled, [question[4] for question in mock.questions])
    check(is_run(web, 1), "it runs on")


# ---- many questions ------------------------------------------------------------------------------


@test
def three_hundred_dialogs_that_nobody_answers_hold_up_nobody(world):
    web = world.run("web", Command=SLEEP)
    bob = world.another("bob")
    with polkit.rules(world) as alice:
        askers = [polkit.Asker("alice", 100, web, "Stop") for _ in range(3)]
        try:
            eventually(lambda: sum(asker.count("answer LimitsExceeded") for asker in askers) == 296,
                       lambda: [asker.lines[-3:] for asker in askers], seconds=20)
            eventually(lambda: sum(asker.count("asked") for asker in askers) == 4, "4 dialogs are open")
            for _ in range(50):
                with refused("InteractiveAuthorizationRequired"):
                    call(bob, web, "Stop").result()
            start = time.monotonic()
            for service in (world, alice):
                for round_number in range(10):
                    service.manager("ListInstances", variant("a{sv}", {}))
                    if service is world:
                        service.run(f"r{round_number}", Command=["true"]).wait()
            between(time.monotonic() - start, 0, 2, "the time for ten starts")
            equal(sum(asker.count("answer") for asker in askers), 296)
        finally:
            for asker in askers:
                asker.close()
        eventually(lambda: may_ask(world, web), "alice may ask again")


def may_ask(world, web):
    try:
        call(world.another("alice"), web, "Stop").result()
    except BusError as error:
        return error.name.endswith("InteractiveAuthorizationRequired")
    return False


@test
def a_dialog_goes_away_with_its_caller(world):
    web = world.run("web", Command=SLEEP)
    asker = polkit.Asker("alice", 1, web, "Destroy")
    try:
        eventually(lambda: asker.count("asked") == 1, lambda: asker.lines, seconds=10)
        contains("\n".join(asker.lines), f"asked {ACTION}destroy Authentication is required to end the instance web")
        web.destroy(Force=True)
    finally:
        asker.close()


# ---- people --------------------------------------------------------------------------------------


def with_terminal(user, command, type_in):
    """Runs the command with an agent at a terminal, where `type_in` is given to the first prompt; all that was shown."""
    pid, terminal = pty.fork()
    if pid == 0:
        uid = UIDS[user]
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        os.execvp("bash", ["bash", "-c", f"pkttyagent --process $$ & sleep 1; exec {command}"])
    shown, typed, end = "", False, time.monotonic() + 30
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                data = os.read(terminal, 4096).decode(errors="replace")
            except OSError:
                break
            shown += data
        if not typed and "assword:" in shown:
            typed = True
            time.sleep(0.2)
            os.write(terminal, type_in)
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            pid = 0
            break
    if pid:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    os.close(terminal)
    return shown


@test
def somebody_at_a_terminal_is_asked_for_a_password(world):
    web = world.run("web", Command=SLEEP)
    command = (f"busctl call --allow-interactive-authorization=yes {NAME} {web.path} {NAME}.Instance Stop 'a{{sv}}' 0")
    for typed, stopped in ((b"wrong\n", False), (b"\x03", False), (b"root\n", True)):
        shown = with_terminal("bob", command, typed)
        contains(shown, "Authentication is required to control the instance web of another user: Stop")
        equal(web["State"], "STOPPED" if stopped else "RUNNING", f"the state after {typed!r}: {shown}")


@test
def every_action_is_there_and_none_is_anybodys(world):
    world.pid()
    listed = host.sh("pkaction", "--verbose").split("\n\n")
    actions = {block.split(":")[0].strip(): block for block in listed if block.strip().startswith(ACTION)}
    equal({name.removeprefix(ACTION) for name in actions},
          {"run", "manage", "destroy", "enter", "run-as", "privileged", "inspect", "read-secrets", "configure"})
    for name, block in actions.items():
        kept = name.removeprefix(ACTION) in ("run", "manage", "inspect", "configure")
        for who, expected in (("any", "auth_admin"), ("inactive", "auth_admin"),
                              ("active", "auth_admin_keep" if kept else "auth_admin")):
            check(f"implicit {who}:" in block, block)
            equal(block.split(f"implicit {who}:")[1].split()[0], expected, f"{name}, {who}")
