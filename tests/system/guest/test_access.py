# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may do what on the system bus: each method and property, by each kind of caller, against a table."""

import json
import os
import subprocess

import access
import host
import polkit
from service import INSTANCE, MANAGER, ROOT, SETTINGS
from tap import check, equal, test

SLEEP = ["sleep", "100"]
GOLDEN = "/tests/access.golden"
COLUMNS = ["root, own", "root, alice's", "alice, own", "alice, root's", "bob, alice's", "carol, own",
           "carol, alice's", "inside alice's, own", "inside alice's, root's"]


def targets(owner):
    """Something to look at, and for each method an instance nobody has done anything to."""
    running = owner.run("shown", Command=SLEEP, Description="d", Labels=["l"], WorkingDirectory="/tmp",
                        RestartUSec=1, Environment=["A=b"])
    return {"shown": running.path,
            "paths": {method: owner.create(f"try-{method}", Command=["true"]).path for method in access.INSTANCE_METHODS}}


def destroy_all(world):
    for instance in world.instances():
        world.remove(instance)


def try_from_outside(world, owners, actor, by):
    seen = access.try_instances(by, **targets(owners[actor]))
    destroy_all(world)
    return seen


def try_from_inside(world, owners):
    """A program in an instance of alice's, which has her uid and the host's file system."""
    asked = {"own": targets(owners["alice"]), "root's": targets(owners["root"])}
    path = world.write("targets", json.dumps(asked), 0o644)
    output = world.write("outcome", "", 0o666)
    inside = owners["alice"].run("inside", Command=["python3", "-B", "/tests/access.py", path],
                                 StandardOutput=f"file:{output}")
    equal(inside.status(), 0, "the exit status of the program inside")
    destroy_all(world)
    return json.loads(host.read(output))


def matrix(world, alice):
    """(member, column) -> outcome"""
    owners = {"root": world.another(), "alice": alice, "carol": world.another("carol")}
    bob = world.another("bob")
    columns = {}
    for column, owner, by in (("root, own", "root", owners["root"]), ("root, alice's", "alice", owners["root"]),
                              ("alice, own", "alice", alice), ("alice, root's", "root", alice),
                              ("bob, alice's", "alice", bob), ("carol, own", "carol", owners["carol"]),
                              ("carol, alice's", "alice", owners["carol"])):
        columns[column] = try_from_outside(world, owners, owner, by)
    inside = try_from_inside(world, owners)
    columns["inside alice's, own"] = inside["own"]
    columns["inside alice's, root's"] = inside["root's"]
    for column, by in (("root, own", owners["root"]), ("alice, own", alice), ("bob, alice's", bob),
                       ("carol, own", owners["carol"])):
        columns[column] |= access.try_manager(by)
        destroy_all(world)
    columns["inside alice's, own"] |= inside["manager"]
    return columns


def cell(columns, column, member):
    """What was tried there; of a property: "shown", "hidden", or "-" if it has no value to be shown or hidden."""
    outcome = columns[column].get(member, "")
    if outcome not in ("value", "empty"):
        return outcome
    roots = columns["root, own" if "root" in column else "root, alice's"].get(member, outcome)
    return "shown" if outcome == "value" else "hidden" if roots == "value" else "-"


def lines_of(columns):
    """member -> its cells. All settings are one line: a new one is as private as the others."""
    lines = {}
    for member in sorted(set().union(*columns.values())):
        cells = [cell(columns, column, member) for column in COLUMNS]
        name = "Settings.*" if member.startswith("Settings.") else member
        before = lines.get(name, ["-"] * len(cells))
        # One that is shown where the others are hidden is seen.
        lines[name] = ["both" if {old, new} == {"shown", "hidden"} else old if new == "-" else new
                       for old, new in zip(before, cells)]
    return lines


def is_as_expected(cells, expected):
    return len(cells) == len(expected) and all(got in (wanted, "-") for got, wanted in zip(cells, expected))


@test
def everybody_may_do_what_the_table_says(world):
    with polkit.rules(world) as alice:
        seen = lines_of(matrix(world, alice))
    with open(GOLDEN, encoding="utf-8") as file:
        head, *rows = (line.rstrip("\n").split("\t") for line in file if not line.startswith("#"))
    equal(head[1:], COLUMNS, "the head of access.golden")
    expected = {name: cells for name, *cells in rows}
    wrong = ["\t".join([name, *cells]) for name, cells in seen.items()
             if not is_as_expected(cells, expected.get(name, []))]
    check(not wrong, "not as in access.golden:\n" + "\n".join(wrong))
    equal(sorted(set(expected) - set(seen)), [], "what access.golden knows and was not tried")


@test
def every_method_and_property_there_is_was_tried(world):
    web = world.create("web", Command=SLEEP)
    tried = {MANAGER: set(access.MANAGER_METHODS), INSTANCE: set(access.INSTANCE_METHODS), SETTINGS: set()}
    for path, interface in ((ROOT, MANAGER), (web.path, INSTANCE), (web.path, SETTINGS)):
        lines = host.sh("busctl", "introspect", world.name, path, interface).splitlines()
        methods = {line.split()[0].lstrip(".") for line in lines if " method " in line}
        equal(methods, tried[interface], f"the methods of {interface}")


@test
def nobody_sets_a_property(world):
    web = world.create("web", Command=SLEEP)
    for name in ("State", "Owner", "Name"):
        done = subprocess.run(["busctl", "set-property", world.name, web.path, INSTANCE, name, "s", "x"],
                              capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})
        check(done.returncode != 0, f"{name} was set")
