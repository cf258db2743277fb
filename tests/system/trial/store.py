# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files of the store that are damaged while the service is away: it comes back at once, knows all
the others, lists the damaged ones, and loses sight of nothing that runs."""

import os
import random
import re

from scene import MANAGER, Trouble, processes

SHORT_COUNT = 60
DAMAGES_A_ROUND = 6
READY_SECONDS = 1.0
SEAL = re.compile(rb"# whole: [0-9a-f]{16}\n\Z")
SLEEP = ["sleep", "10000"]


# ---- damages -------------------------------------------------------------------------------------


def sealed(text):
    """As the service does it (src/core/store-seal.c): what is wrong is in what it says."""
    bare, total = SEAL.sub(b"", text), 0xcbf29ce484222325
    for byte in bare:
        total = (total ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return bare + b"# whole: %016x\n" % total


def flipped(text, dice):
    at = dice.randrange(len(text))
    return text[:at] + bytes([text[at] ^ 1 << dice.randrange(8)]) + text[at + 1:]


def shortened(text, dice):
    at = dice.randrange(len(text))
    return text[:at] + text[at + dice.randrange(1, 50):]


def swapped(text, dice):
    lines = text.splitlines(keepends=True)
    one, other = dice.sample(range(len(lines)), 2)
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


CONTENTS = {
    "flipped": flipped,
    "shortened": shortened,
    "swapped": swapped,
    "broken off": lambda text, dice: text[:dice.randrange(len(text))],
    "broken off between lines": lambda text, dice: b"".join(
        text.splitlines(keepends=True)[:dice.randrange(1, 12)]),
    "longer": lambda text, dice: text + text,
    "empty": lambda text, dice: b"",
    "zeros": lambda text, dice: bytes(len(text)),
    "noise": lambda text, dice: dice.randbytes(2000),
    "of the future": lambda text, dice: sealed(text.replace(b"Version=1", b"Version=2")),
    "of another id": lambda text, dice: sealed(re.sub(rb"\nId=.*", b"\nId=i0000000000001", text)),
    "of the neighbour": lambda text, dice: sealed(re.sub(rb"\nName=.*", b"\nName=neighbour", text)),
    "of nobody": lambda text, dice: sealed(re.sub(rb"\nOwner=.*", b"\nOwner=4294967295", text)),
    "without a state": lambda text, dice: sealed(re.sub(rb"\nState=.*", b"", text)),
}


def make_huge(path):
    with open(path, "wb") as file:
        file.truncate(1 << 30)


def make_foreign(path):
    with open(path, "wb") as file:
        os.fchown(file.fileno(), 12345, 12345)


KINDS = {
    "a directory": os.mkdir,
    "a FIFO": os.mkfifo,
    "a link": lambda path: os.symlink("/dev/zero", path),
    "a link to nowhere": lambda path: os.symlink("nowhere", path),
    "huge": make_huge,
    "somebody else's": make_foreign,
}


def damage(path, dice):
    """What was done; something in any case."""
    way = dice.choice([*CONTENTS, *KINDS])
    with open(path, "rb") as file:
        text = file.read()
    if way in KINDS:
        os.unlink(path)
        KINDS[way](path)
        return way
    changed = text
    while changed == text:
        changed = CONTENTS[way](text, dice)
    with open(path, "wb") as file:
        file.write(changed)
    return way


def sleepers():
    return sorted(pid for pid, command in processes().items() if command[:2] == SLEEP)


# ---- a round -------------------------------------------------------------------------------------


class Round:
    """Some instances of each kind, and first the neighbour, who is not touched; id -> (name, whether it is kept on disk, whether it runs)."""

    def __init__(self, scene, dice):
        self.scene, self.dice, self.instances = scene, dice, {}
        self.runtime = f"{scene.runtime}/constellation/instances"
        self.make("neighbour", True, True)
        for number in range(4):
            self.make(f"kept-{number}", True, False)
            self.make(f"kept-and-runs-{number}", True, True)
            self.make(f"runs-{number}", False, True)

    def ask(self, path, interface, member, signature="", *values):
        answer = []
        self.scene.call(lambda *both: answer.append(both), path, interface, member, signature,
                        *values)
        if not self.scene.play(lambda: answer, 10):
            raise Trouble(f"{member} is not answered")
        values, error = answer[0]
        if error:
            raise Trouble(f"{member}: {error}")
        return values[0] if values else None

    def make(self, name, kept, runs):
        settings = {"Command": ("as", SLEEP)}
        if kept:
            path = self.ask(MANAGER, "Manager", "CreateInstance", "sa{sv}", name, settings)
            if runs:
                self.ask(path, "Instance", "Start", "a{sv}", {})
        else:
            path = self.ask(MANAGER, "Manager", "RunInstance", "sa{sv}a{sv}", name, settings, {})
        self.instances[os.path.basename(path)] = (name, kept, runs)

    def play(self):
        # A process has no command line for a moment while it is being executed.
        count = sum(runs for _, _, runs in self.instances.values())
        self.scene.until(lambda: len(sleepers()) == count, f"{count} run")
        before = sleepers()
        self.scene.kill()
        damaged = {one: damage(f"{self.runtime}/{one}.instance", self.dice)
                   for one in self.dice.sample(sorted(self.instances)[1:], DAMAGES_A_ROUND)}
        self.scene.start()
        took = self.scene.until(self.is_ready, "the service is back", 10)
        after = sleepers()
        wrong = self.wrong(damaged)
        if after != before:
            wrong.append(f"{len(before)} ran before and {len(after)} run now")
        if took > READY_SECONDS:
            wrong.append(f"it took {took:.2f} s")
        if wrong:
            raise Trouble("\n".join([str(damaged), *wrong]))
        self.clear_away()
        return took

    def is_ready(self):
        if self.scene.is_dead():
            raise Trouble(f"the service died: {self.scene.status()}\n" +
                          "\n".join(self.scene.log_tail(0)))
        self.scene.play(lambda: self.scene.owned, 0.01)
        return self.scene.owned

    def wrong(self, damaged):
        """What is not as it must be."""
        rows = {os.path.basename(row[6]): row for row in
                self.ask(MANAGER, "Manager", "ListInstances", "a{sv}", {})}
        aside = self.scene.bus.ask("org.rads.Constellation", MANAGER,
                                   "org.freedesktop.DBus.Properties", "Get", "ss",
                                   "org.rads.Constellation.Manager", "Quarantined")
        found = [f"set aside: {aside}"] if sorted(aside) != sorted(
            f"{one}.instance.bad" for one in damaged) else []
        for one, (name, kept, runs) in self.instances.items():
            expected = (name, "RUNNING" if runs else "PENDING")
            if one in damaged and not kept:
                # Only the record knows of it.
                expected = (f"lost-{one}", "UNKNOWN")
            got = tuple(rows[one][1:3]) if one in rows else None
            if got != expected:
                found.append(f"{one}, {damaged.get(one, 'not damaged')}: {got} and not {expected}")
        return found

    def clear_away(self):
        for row in self.ask(MANAGER, "Manager", "ListInstances", "a{sv}", {}):
            self.ask(row[6], "Instance", "Destroy", "a{sv}", {"Force": ("b", True)})
        for name in os.listdir(self.runtime):
            path = f"{self.runtime}/{name}"
            (os.rmdir if os.path.isdir(path) and not os.path.islink(path) else os.unlink)(path)


def trial(scene, count):
    count = count or SHORT_COUNT
    dice = random.Random(os.environ.get("CONSTELLATION_TRIAL_SEED", "1"))
    if os.geteuid() != 0:
        del KINDS["somebody else's"]
    scene.start()
    scene.wait_until_ready()
    slowest, rounds = 0.0, max(1, count // DAMAGES_A_ROUND)
    for _ in range(rounds):
        slowest = max(slowest, Round(scene, dice).play())
    print(f"# {rounds * DAMAGES_A_ROUND} files damaged, the service back after {slowest:.2f} s at most")
