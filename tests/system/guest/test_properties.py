# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is told to those who listen, and what is not told to those who may not know."""

from gi.repository import GLib

import host
from bus import dictionary, spin
from service import INSTANCE, MANAGER, PROPERTIES, ROOT, SETTINGS, refused
from tap import check, contains, equal, eventually, test

SLEEP = ["sleep", "100"]
PUBLIC = {"Id", "Name", "State", "Owner", "Node"}
EMPTY = ("", 0, False, [], {})


def recorded(world, body):
    """The signals that the body causes, after all has been said."""
    signals = world.signals()
    outcome = body()
    world.property("Version")
    host.sh("sleep", "0.05")
    spin()
    return signals, outcome


def changes(signals, instance):
    """(values, invalidated names) of each PropertiesChanged of the instance."""
    return [(values, names) for interface, values, names
            in signals.of("PropertiesChanged", instance.path) if interface == INSTANCE]


@test
def only_the_public_properties_ever_carry_values_in_a_signal(world):
    def body():
        web = world.run("web", Command=SLEEP)
        web.freeze()
        web.thaw()
        web.stop()
        return web

    signals, web = recorded(world, body)
    for values, names in changes(signals, web):
        check(set(values) <= {"State"}, f"values of {set(values)}")
        check(not set(names) & PUBLIC, f"public ones without value: {names}")


@test
def what_happens_in_one_turn_is_one_signal(world):
    signals, web = recorded(world, lambda: world.run("web", Command=SLEEP))
    counted = changes(signals, web)
    equal([values.get("State") for values, _ in counted if values][-1], "RUNNING")
    check(len(counted) <= 2, f"{len(counted)} signals for a start")
    running = next(set(names) for values, names in counted if values.get("State") == "RUNNING")
    for name in ("MainPID", "SubState", "StatusText", "StartedTimestamp"):
        contains(running, name)


@test
def a_property_that_did_not_change_is_not_signalled(world):
    _, web = recorded(world, lambda: world.run("web", Command=SLEEP))
    signals, _ = recorded(world, web.freeze)
    equal([sorted(names) for _, names in changes(signals, web)], [["StatusText", "SubState"]])


@test
def every_change_of_state_is_told_with_the_one_before(world):
    def body():
        web = world.run("web", Command=SLEEP)
        web.stop()
        return web

    signals, web = recorded(world, body)
    equal(signals.of("StateChanged", web.path),
          [("PENDING", "STARTING"), ("STARTING", "RUNNING"), ("RUNNING", "STOPPING"),
           ("STOPPING", "STOPPED")])


@test
def every_end_is_told_once_with_the_run_and_the_status(world):
    def body():
        web = world.run("web", Command=["sh", "-c", "exit 3"])
        web.wait()
        web.start()
        web.wait()
        return web

    signals, web = recorded(world, body)
    equal(signals.of("Exited", web.path), [(1, "exit-code", 1, 3), (2, "exit-code", 1, 3)])


@test
def a_failed_start_is_told_as_a_change_of_state(world):
    _, web = recorded(world, lambda: world.create("web", Command=["/opt/none"]))

    def body():
        with refused("SpawnFailed"):
            web.start()

    signals, _ = recorded(world, body)
    equal(signals.of("StateChanged", web.path), [("PENDING", "STARTING"), ("STARTING", "FAILED")])


@test
def added_and_removed_objects_are_told_with_their_interfaces(world):
    signals, web = recorded(world, lambda: world.create("web", Command=SLEEP))
    (path, interfaces), = signals.of("InterfacesAdded", ROOT)
    equal(path, web.path)
    contains(interfaces, INSTANCE)
    contains(interfaces, SETTINGS)
    equal(interfaces[INSTANCE]["State"], "PENDING")
    signals, _ = recorded(world, web.destroy)
    (path, interfaces), = signals.of("InterfacesRemoved", ROOT)
    equal(path, web.path)
    contains(interfaces, INSTANCE)


@test
def an_added_object_tells_everybody_only_what_everybody_may_know(world):
    signals, _ = recorded(world, lambda: world.create("web", Command=["sleep", "987"],
                                                      Environment=["TOKEN=hidden-thing"]))
    (_, interfaces), = signals.of("InterfacesAdded", ROOT)
    expect_public(interfaces[INSTANCE])
    equal([key for key, value in interfaces[SETTINGS].items() if value not in EMPTY], [])


@test
def the_managed_objects_are_all_instances_with_their_properties(world):
    world.create("a", Command=SLEEP)
    world.run("b", Command=SLEEP)
    objects = world.objects()
    found = {interfaces[INSTANCE]["Name"]: interfaces[INSTANCE]["State"]
             for path, interfaces in objects.items() if INSTANCE in interfaces}
    equal(found, {"a": "PENDING", "b": "RUNNING"})


@test
def the_manager_counts_its_instances(world):
    world.create("a", Command=SLEEP)
    world.run("b", Command=SLEEP)
    world.run("c", Command=["false"]).wait()
    counts = [world.property(f"{what}Count") for what in ("Instance", "Running", "Failed")]
    equal(counts, [3, 1, 1])
    equal([world.property(name) for name in ("Mode", "Realm")], ["system", "system"])


# ---- others --------------------------------------------------------------------------------------


def expect_public(properties):
    for name, value in properties.items():
        check(name in PUBLIC or value in EMPTY, f"{name} is shown: {value!r}")


@test
def bob_sees_of_roots_instance_its_name_and_state_and_nothing_else(world):
    web = world.run("web", Command=SLEEP, Description="secret plans")
    bob = world.another("bob")
    seen = {interface: bob.call(web.path, PROPERTIES, "GetAll",
                                GLib.Variant("s", interface)).result()
            for interface in (INSTANCE, SETTINGS)}
    expect_public(seen[INSTANCE])
    equal([seen[INSTANCE][name] for name in ("Name", "State", "Owner")], ["web", "RUNNING", 0])
    equal([key for key, value in seen[SETTINGS].items() if value not in EMPTY], [])
    equal(bob.property("MainPID", web.path, INSTANCE), 0)


@test
def the_managed_objects_do_not_fail_for_bob(world):
    web = world.run("web", Command=SLEEP)
    world.create("other", Command=SLEEP)
    objects = world.another("bob").objects()
    expect_public(objects[web.path][INSTANCE])
    equal(len(objects), 2)


@test
def signals_reach_bob_without_anything_private_in_them(world):
    bob = world.another("bob")
    signals = bob.signals()
    web = world.run("web", Command=SLEEP)
    web.stop()
    eventually(lambda: len(signals.of("StateChanged", web.path)) == 4, "bob hears of it")
    for interface, values, _ in signals.of("PropertiesChanged", web.path):
        check(interface == INSTANCE and set(values) <= {"State"}, f"he is told {values}")
