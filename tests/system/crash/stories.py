# SPDX-License-Identifier: LGPL-2.1-or-later
"""Lives of instances: what a client asks for, what it was told, and what must therefore be true
after the service was killed and came back, whatever moment that was.

Each request is NOT_ASKED, ASKED (no answer came: it may have happened or not, but not by half), TOLD
(it has happened) or REFUSED.
"""

import os
import re
import signal

from scene import Squatter, cgroup_of, processes, read, send

NOT_ASKED, ASKED, TOLD, REFUSED = "not asked", "asked", "told", "refused"
ACTIVE = ("STARTING", "RUNNING", "STOPPING")
# Linux 6.15: what PIDFD_GET_INFO tells.
KERNEL_KEEPS_ENDS = [int(part) for part in re.findall(r"\d+", os.uname().release)[:2]] >= [6, 15]
SIGNALS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGUSR1, signal.SIGXCPU)


class Story:
    """One instance. `tell` yields requests, each after the answer to the one before."""

    settings = {}
    persistent = struck = False

    def __init__(self, scene, name, payload, random):
        self.scene, self.name, self.random = scene, name, random
        self.log, self.lock = f"{scene.traces}/{name}.log", f"{scene.traces}/{name}.lock"
        self.command = [payload, self.log, self.lock, *self.action()]
        self.created = self.started = self.stopped = self.destroyed = self.waited = NOT_ASKED
        self.path = self.result = self.main_pid = None
        self.over = False
        self.errors = []
        self.teller = self.tell()

    def action(self):
        return ["sleep"]

    def go_on(self, answer=None):
        try:
            self.ask(*self.teller.send(answer))
        except StopIteration:
            self.over = True

    def ask(self, stage, path, interface, member, signature, *values):
        for one in stage:
            setattr(self, one, ASKED)

        def then(answer, error):
            if error and error.name.startswith("org.freedesktop.DBus.Error."):
                if not error.name.endswith((".NoReply", ".ServiceUnknown", ".NameHasNoOwner",
                                            ".Disconnected")):
                    self.errors.append(f"{member}: {error}")
                return
            for one in stage:
                setattr(self, one, REFUSED if error else TOLD)
            if error:
                self.errors.append(f"{member}: {error}")
                self.over = True
                return
            self.go_on(answer)
        self.scene.call(then, path, interface, member, signature, *values)

    # ---- the requests ----------------------------------------------------------------------------

    def options(self):
        return {"Command": ("as", self.command), **self.settings}

    def create(self):
        self.path, = yield (["created"], "/org/rads/Constellation", "Manager", "CreateInstance",
                            "sa{sv}", self.name, self.options())

    def run(self):
        self.path, = yield (["created", "started"], "/org/rads/Constellation", "Manager",
                            "RunInstance", "sa{sv}a{sv}", self.name, self.options(), {})

    def request(self, stage, member, **options):
        answer = yield ([stage], self.path, "Instance", member, "a{sv}", options)
        return answer

    def begin(self):
        if self.persistent:
            yield from self.create()
            yield from self.request("started", "Start")
        else:
            yield from self.run()

    def tell(self):
        yield from self.begin()

    def while_away(self):
        """What happens to it while there is no service."""

    def when_back(self):
        """And when a new one has taken over."""

    def leave(self):
        """Whatever became of the round, nothing of the story's own stays."""

    def before_look(self):
        """What is only ever more must be read before what it is to be less than."""

    def kill_init(self):
        living = processes()
        for pid in self.alive(living):
            for parent in living:
                if str(pid).encode() in read(f"/proc/{parent}/task/{parent}/children").split():
                    send(parent, signal.SIGKILL)
                    self.struck = True

    # ---- what must be true ---------------------------------------------------------------------

    def starts(self):
        """How often the payload has begun, and how often while it ran already."""
        lines = read(self.log).split()
        return lines.count(b"started"), lines.count(b"double")

    def alive(self, processes):
        return [pid for pid, command in processes.items() if self.log in command]

    def wrong(self, shown, processes):
        """What is not as it must be: a sentence, or None. `shown`: its properties, None if there is
        no such instance; processes: what lives."""
        begun, double = self.starts()
        alive = self.alive(processes)
        if double or len(alive) > 1:
            return f"two at a time: {alive}, {double} in the log"
        if shown is None:
            return self.wrong_if_absent(begun, alive)
        if self.destroyed == TOLD:
            return f"it was destroyed and is there: {shown['State']}"
        if self.created == NOT_ASKED:
            return "nobody has asked for it"
        if shown["Command"] != self.command:
            return f"its Command is {shown['Command']}"
        if alive and shown["State"] not in ACTIVE:
            return f"it is {shown['State']} ({shown['StatusText']}) and process {alive[0]} lives"
        return self.wrong_if_there(shown, begun, alive)

    def wrong_if_absent(self, begun, alive):
        if alive:
            return f"an orphan: process {alive[0]} lives and there is no instance"
        if self.destroyed in (ASKED, TOLD):
            return None
        if self.created == TOLD:
            return "lost: it was created and is not there"
        # An init that is killed before it could note the exec leaves a start that has failed.
        if begun and not self.struck:
            return f"lost: never confirmed, but {begun} payloads have run"
        return None

    def wrong_if_there(self, shown, begun, alive):
        if begun > 1:
            return f"started {begun} times"
        if self.started == NOT_ASKED:
            return None if shown["State"] == "PENDING" and begun == 0 else \
                f"it is {shown['State']} and nobody has started it ({begun} payloads)"
        if self.started != TOLD and not alive:
            if shown["State"] == "PENDING" and begun == 0:
                return None
            if shown["State"] == "FAILED" and shown["Result"] in ("resources", "isolation"):
                return None  # the start failed, and nothing of it is left
        if self.started == REFUSED:
            return f"its start was refused and it is {described(shown)}"
        # One that is stopped at once may not come to its first line.
        if self.started == TOLD and begun != 1 and self.stopped == NOT_ASKED and not self.struck:
            return f"it was started and {begun} payloads have run"
        return self.wrong_run(shown, alive)

    def wrong_run(self, shown, alive):
        """Of one that has run, or runs."""
        return self.wrong_sleeper(shown, alive)

    def wrong_sleeper(self, shown, alive):
        if shown["State"] != "RUNNING":
            return f"it should be running and is {described(shown)}"
        if len(alive) != 1 or shown["MainPID"] != alive[0]:
            return f"its main process is {shown['MainPID']} and those alive are {alive}"
        return None

    def wrong_end(self, shown, alive, state, result, code, number):
        got = (shown["State"], shown["Result"], shown["ExitCode"], shown["ExitSignal"])
        if got != (state, result, code, number):
            return f"its end is {got} and not {(state, result, code, number)}: {shown['StatusText']}"
        return f"process {alive[0]} lives" if alive else None


def described(shown):
    return f"{shown['State']}, {shown['Result']} ({shown['StatusText']})"


class Keeper(Story):
    """Persistent, and runs on."""
    persistent = True


class Loner(Story):
    """Runs on without a pid namespace of its own."""
    settings = {"PIDNamespace": ("s", "off")}


class Leaver(Story):
    """Exits with a status by itself, sooner or later."""

    def action(self):
        self.status = self.random.choice((0, self.random.randrange(1, 256)))
        return ["exit", str(self.status), str(self.random.randrange(0, 20000))]

    def tell(self):
        yield from self.begin()
        self.result = yield from self.request("waited", "Wait")

    def wrong_run(self, shown, alive):
        wrong = self.wrong_end(shown, alive, "FAILED" if self.status else "STOPPED",
                               "exit-code" if self.status else "success", self.status, 0)
        if not wrong and self.result and self.result[1:] != [shown["Result"], 1, self.status]:
            wrong = f"its end was told as {self.result}"
        return wrong


class Persistent(Leaver):
    persistent = True


class Victim(Story):
    """Dies of a signal by itself."""

    def action(self):
        self.signal = self.random.choice(SIGNALS)
        return ["raise", str(int(self.signal)), str(self.random.randrange(0, 20000))]

    def tell(self):
        yield from self.begin()
        self.result = yield from self.request("waited", "Wait")

    def wrong_run(self, shown, alive):
        wrong = self.wrong_end(shown, alive, "FAILED", "signal", -1, self.signal)
        if not wrong and self.result and self.result[3] != self.signal:
            wrong = f"its end was told as {self.result}"
        return wrong


class Stopped(Story):
    def tell(self):
        yield from self.begin()
        yield from self.request("stopped", "Stop")

    def wrong_run(self, shown, alive):
        if self.stopped == NOT_ASKED or (self.stopped == ASKED and shown["State"] == "RUNNING"):
            return self.wrong_sleeper(shown, alive)
        if shown["State"] != "STOPPED":
            return f"it was told to stop and is {described(shown)}"
        return f"it was stopped and process {alive[0]} lives" if alive else None


class Stubborn(Stopped):
    """Does not listen to SIGTERM."""
    settings = {"TimeoutStopUSec": ("t", 10000)}

    def action(self):
        return ["stubborn"]


class Hurried(Stopped):
    """Listens to nothing either, and its own timeout is longer than anybody waits: the call's holds,
    whoever goes on with the stop."""

    def action(self):
        return ["stubborn"]

    def tell(self):
        yield from self.begin()
        yield from self.request("stopped", "Stop", TimeoutUSec=("t", 10000), Signal=("i", 28))


class Restarted(Story):
    """Is told to restart by hand: it runs before and after, whatever was answered."""

    def tell(self):
        yield from self.begin()
        self.stopped = ASKED
        yield from self.request("waited", "Restart")

    def wrong_if_there(self, shown, begun, alive):
        if begun > shown["Run"] or shown["Run"] > 2 or (self.waited == TOLD and shown["Run"] != 2):
            return f"{begun} payloads have run, in {shown['Run']} runs"
        if self.started == TOLD and shown["State"] == "FAILED" and shown["Run"] == 2 and \
                self.waited == ASKED and shown["Result"] in ("resources", "isolation"):
            return None  # its second start was interrupted, and nothing of it is left
        return super().wrong_if_there(shown, min(begun, 1), alive)


class Destroyed(Stopped):
    persistent = True

    def tell(self):
        yield from self.begin()
        self.stopped = ASKED
        yield from self.request("destroyed", "Destroy", Force=("b", True))


class Unborn(Story):
    """Made and destroyed without a start."""

    def tell(self):
        yield from self.create()
        if self.random.randrange(2):
            yield from self.request("destroyed", "Destroy")


class Guest(Leaver):
    """Goes away when it ends."""
    settings = {"RemoveOnExit": ("b", True)}

    def tell(self):
        yield from self.begin()

    def wrong_if_absent(self, begun, alive):
        return f"an orphan: process {alive[0]} lives and there is no instance" if alive else None

    def wrong_run(self, shown, alive):
        return f"it has not gone and is {described(shown)}"


class Restarter(Story):
    """Ends again and again, and is restarted each time."""
    settings = {"Restart": ("s", "always"), "RestartUSec": ("t", 1000),
                "RestartMaxDelayUSec": ("t", 2000), "StartLimitBurst": ("t", 1000000)}
    seen, noted = None, 0

    def action(self):
        self.status = self.random.randrange(0, 256)
        return ["exit", str(self.status), str(self.random.randrange(0, 3000))]

    def before_look(self):
        self.noted, _ = self.starts()

    def wrong_if_there(self, shown, begun, alive):
        if self.noted > shown["Run"]:
            return f"{self.noted} payloads have run in {shown['Run']} runs"
        if self.started != TOLD and shown["Run"] <= 1 and not alive and (
                shown["State"] == "PENDING" or shown["Result"] == "resources"):
            return None
        if self.seen is None:
            self.seen = begun
        if begun <= self.seen:
            return f"it is not restarted, but {described(shown)}, {shown['SubState']}"
        return None


class Struck(Story):
    """Its init is killed from outside while the service is away."""

    def while_away(self):
        self.kill_init()

    def wrong_run(self, shown, alive):
        if not self.struck:
            return self.wrong_sleeper(shown, alive)
        if shown["State"] in ACTIVE or shown["Result"] not in ("lost", "signal", "resources"):
            return f"its init was killed and it is {described(shown)}"
        return f"its init was killed and process {alive[0]} lives" if alive else None


class StruckLoner(Struck):
    settings = {"PIDNamespace": ("s", "off")}


class Squatted(Struck):
    """Its init is killed, and somebody is in its cgroup when a new service looks what is left over:
    what that cannot remove at once it must look at again."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.squatter = None

    def while_away(self):
        for pid in self.alive(processes()):
            self.squatter = Squatter(cgroup_of(pid))
        self.kill_init()

    def when_back(self):
        self.leave()

    def leave(self):
        if self.squatter:
            self.squatter.leave()


class Witness(Story):
    """Its init is killed from outside, and the service that sees it is not the one that started it."""

    def when_back(self):
        if self.started == TOLD:
            self.kill_init()

    def wrong_run(self, shown, alive):
        if not self.struck:
            return self.wrong_sleeper(shown, alive)
        if not KERNEL_KEEPS_ENDS and shown["Result"] == "lost":
            return f"process {alive[0]} lives" if alive else None
        return self.wrong_end(shown, alive, "FAILED", "signal", -1, signal.SIGKILL)


class WitnessLoner(Witness):
    settings = {"PIDNamespace": ("s", "off")}


ALL = (Keeper, Loner, Leaver, Persistent, Victim, Stopped, Stubborn, Hurried, Restarted, Destroyed,
       Unborn, Guest, Restarter, Struck, StruckLoner, Squatted, Witness, WitnessLoner)
