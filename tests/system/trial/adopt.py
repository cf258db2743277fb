# SPDX-License-Identifier: LGPL-2.1-or-later
"""Very many instances that run on while the service is killed: all are taken back, soon, and each
is the process that it was."""

import os
import resource
import time

from scene import MANAGER, Trouble, read

SHORT_COUNT = 200
KILLS = 3
AT_ONCE = 64
SECONDS_PER_INSTANCE = 5 / 10000
SECONDS_AT_LEAST = 1.0


def raise_limits(scene, count):
    """How many can be had: two descriptors and two processes for each."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    pids = int(read("/proc/sys/kernel/pid_max"))
    if count + 1000 > hard or 2 * count + 2000 > pids:
        raise Trouble(f"{count} instances need more than {hard} files (at first {soft}) or {pids} "
                      "processes")
    scene.write("empty", f"[Constellation]\nMaxInstances={count + 10}\n")


def birth(pid):
    """What tells a process from every other one that will ever have its number."""
    return read(f"/proc/{pid}/stat").rpartition(b") ")[2].split()[19:20]


def start_all(scene, count):
    """The paths, in order."""
    paths, errors, begun = {}, [], 0
    settings = {"Command": ("as", ["sleep", "10000"]), "Backend": ("s", "monitor")}

    def begin(number):
        def then(values, error):
            paths[number] = values[0] if values and not error else None
            if error:
                errors.append(str(error))
        scene.call(then, MANAGER, "Manager", "RunInstance", "sa{sv}a{sv}", f"web-{number:05}",
                   settings, {})
    while len(paths) < count:
        while begun < count and begun - len(paths) < AT_ONCE:
            begin(begun)
            begun += 1
        seen = len(paths)
        if not scene.play(lambda seen=seen: len(paths) > seen):
            raise Trouble(f"{len(paths)} of {begun} starts are answered")
        if errors:
            raise Trouble(errors[0])
    return [paths[number] for number in range(count)]


def rows(scene):
    """ListInstances."""
    answer = []
    scene.call(lambda values, error: answer.append(error or values[0]), MANAGER, "Manager",
               "ListInstances", "a{sv}", {})
    if not scene.play(lambda: answer, 30):
        raise Trouble("ListInstances is not answered")
    if isinstance(answer[0], Exception):
        raise Trouble(str(answer[0]))
    return answer[0]


def births():
    """pid -> birth of all that run below the service's launcher, or did."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and read(f"/proc/{name}/cmdline") == b"sleep\x0010000\x00":
            found[int(name)] = birth(name)
    return found


def destroy_all(scene, paths):
    waiting, begun, answered = list(paths), 0, []
    while len(answered) < len(paths):
        while waiting and begun - len(answered) < AT_ONCE:
            scene.call(lambda _values, error: answered.append(error), waiting.pop(), "Instance",
                       "Destroy", "a{sv}", {"Force": ("b", True)})
            begun += 1
        seen = len(answered)
        if not scene.play(lambda seen=seen: len(answered) > seen):
            raise Trouble("Destroy is not answered")
    wrong = [str(error) for error in answered if error]
    if wrong:
        raise Trouble(wrong[0])


def trial(scene, count):
    count = count or SHORT_COUNT
    raise_limits(scene, count)
    scene.start()
    scene.wait_until_ready()
    begin = time.monotonic()
    paths = start_all(scene, count)
    print(f"# {count} started in {time.monotonic() - begin:.1f} s", flush=True)
    # A process has no command line for a moment while it is being executed.
    scene.until(lambda: len(births()) >= count, f"{count} run")
    before = births()
    slowest = 0.0
    for _ in range(KILLS):
        scene.kill()
        begin = time.monotonic()
        scene.start()
        scene.wait_until_ready()
        slowest = max(slowest, time.monotonic() - begin)
        states = [row[2] for row in rows(scene)]
        if states != ["RUNNING"] * count:
            raise Trouble(f"{len(states)} are there, {states.count('RUNNING')} of them RUNNING")
    print(f"# {count} taken back in {slowest:.2f} s at most, from the start of the service to its "
          "name on the bus")
    if births() != before or len(before) < count:
        raise Trouble(f"of {len(before)} processes {len(set(before) & set(births()))} are left")
    begin = time.monotonic()
    destroy_all(scene, paths)
    print(f"# {count} destroyed in {time.monotonic() - begin:.1f} s")
    scene.until(lambda: not births(), "no process is left", 20)
    if slowest > max(SECONDS_AT_LEAST, count * SECONDS_PER_INSTANCE):
        raise Trouble("that is too slow")
