# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls that must be refused, callers that leave, and a service that minds neither."""

import host
from bus import dictionary, value
from service import PROBE, refused
from tap import equal, eventually, test
from world import variant

SLEEP = ["sleep", "100"]


# ---- options -------------------------------------------------------------------------------------


@test
def every_method_refuses_an_option_it_does_not_know(world):
    web = world.run("web", Command=SLEEP)
    unknown = "^Quux: unknown option of this method"
    for method in ("Start", "Stop", "Restart", "Destroy", "Freeze", "Thaw", "Wait"):
        with refused("InvalidArgs", unknown):
            web.begin(method, Quux=1).result()
    with refused("InvalidArgs", unknown):
        web.kill(Quux=True)
    with refused("InvalidArgs", unknown):
        world.run("other", {"Quux": 1}, Command=SLEEP)
    with refused("InvalidArgs", unknown):
        world.list(Quux="x")
    equal((web["State"], world.list()), ("RUNNING", ["web"]))


@test
def an_option_of_the_wrong_type_or_twice_is_refused(world):
    web = world.run("web", Command=SLEEP)
    with refused("InvalidArgs", "^NoWait: is of type 's' and must be of type 'b'"):
        web.stop(NoWait="yes")
    with refused("InvalidArgs", "^TimeoutUSec: out of range"):
        web.stop(TimeoutUSec=-1)
    with refused("InvalidArgs", "^Signal: 64: must be 1 to 31"):
        web.stop(Signal=64)
    with refused("InvalidArgs", "^NoWait: given twice"):
        world.run("other", [("NoWait", True), ("NoWait", True)], Command=SLEEP)
    with refused("InvalidArgs", "^Until: must be exit or final"):
        web.wait(Until="never")
    equal((web["State"], world.list()), ("RUNNING", ["web"]))


@test
def a_filter_that_is_none_is_refused(world):
    with refused("InvalidArgs", "^State: must be PENDING, STARTING"):
        world.list(State="asleep")
    with refused("InvalidArgs", "^After: not an id"):
        world.list(After="web")


@test
def a_call_with_another_signature_is_refused_by_the_bus_library(world):
    web = world.create("web", Command=SLEEP)
    for arguments in ((), (value("x"),), (dictionary({}), value("x"))):
        with refused("InvalidArgs"):
            world.call(web.path, "org.rads.Constellation.Instance", "Start", *arguments).result()


@test
def objects_methods_and_properties_that_are_not_there_are_refused(world):
    web = world.create("web", Command=SLEEP)
    interface = "org.rads.Constellation.Instance"
    with refused("UnknownMethod"):
        web.ask("Explode")
    with refused("UnknownProperty"):
        world.property("Secrets", web.path, interface)
    with refused("UnknownProperty"):
        world.property("Environment", web.path, "org.rads.Constellation.Settings")
    for path in ("/org/rads/Constellation/instance/i0123456789abc",
                 "/org/rads/Constellation/instance/web", "/"):
        with refused("UnknownObject"):
            world.call(path, interface, "Start", dictionary({})).result()


@test
def no_property_can_be_written(world):
    web = world.create("web", Command=SLEEP)
    with refused("PropertyReadOnly"):
        world.call(web.path, "org.freedesktop.DBus.Properties", "Set",
                   value("org.rads.Constellation.Instance"), value("State"),
                   variant("v", value("RUNNING"))).result()


# ---- callers that leave --------------------------------------------------------------------------


@test
def a_caller_that_leaves_during_its_start_gets_its_instance_all_the_same(world):
    leaver = world.another()
    leaver.features()  # the service knows who it is
    leaver.begin_run("web", Command=SLEEP)
    leaver.connection.flush_sync(None)
    leaver.connection.close_sync(None)
    eventually(lambda: world.list(State="RUNNING") == ["web"], "it runs")


@test
def callers_that_leave_while_they_wait_are_forgotten(world):
    web = world.run("web", Command=SLEEP)
    pid = world.pid()
    before = host.fds(pid)
    for _ in range(20):
        leaver = world.another()
        leaver.call(web.path, "org.rads.Constellation.Instance", "Wait", dictionary({}))
        leaver.connection.flush_sync(None)
        leaver.connection.close_sync(None)
    web.stop()
    equal((web["State"], host.fds(pid) <= before), ("STOPPED", True))


@test
def a_flood_of_bad_calls_leaves_the_service_alive(world):
    pid = world.pid()
    for _ in range(5):
        for call in [world.begin_run("-", Command=SLEEP) for _ in range(100)]:
            with refused("InvalidArgs"):
                call.result()
    equal(world.pid(), pid)
    equal(world.run("web", Command=[PROBE, "exit", "4"]).status(), 4)
