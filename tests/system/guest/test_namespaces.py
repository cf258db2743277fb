# SPDX-License-Identifier: LGPL-2.1-or-later
"""Networks, clocks and users of an instance's own: as root, as root for alice, and as alice with
her own service."""

import host
from alice import alice
from service import PROBE, refused
from tap import check, equal, test

BOTH = ("container", "vm")
SLEEP = ["sleep", "100"]


def everybody(world):
    """(who, settings, service): those in whose name an instance can run."""
    return (("root", {}, world), ("root for alice", {"User": "alice"}, world),
            ("alice", {}, alice(world)))


# ---- network -------------------------------------------------------------------------------------


@test(beds=BOTH)
def without_a_network_there_is_a_loopback_device_and_it_is_up(world):
    for who, settings, service in everybody(world):
        seen = world.probe("report", by=service, Network="none", **settings)
        check(seen["ns_net"] != host.namespace("self", "net"), f"{who}: the host's network")
        equal(seen["net_devices"], "lo:up", who)


@test(beds=BOTH)
def the_network_is_the_hosts_unless_asked_for(world):
    seen = world.probe("report")
    equal(seen["ns_net"], host.namespace("self", "net"))


@test
def the_property_isolation_tells_the_network(world):
    for _who, settings, service in everybody(world):
        web = service.run("web", Command=SLEEP, Network="none", Require=["Network"], **settings)
        equal(web.isolation()["network"], ("private", ""))
        web.destroy(Force=True)


@test
def a_network_with_addresses_is_refused_as_long_as_there_is_none(world):
    with refused("InvalidArgs", "^Network=private: a network of its own with addresses is not"):
        world.run("web", Command=SLEEP, Network="private")
    with refused("InvalidArgs", "^Require=Network: contradicts Network=host"):
        world.run("web", Command=SLEEP, Require=["Network"])
    equal(world.list(), [])


@test
def nobody_inside_has_a_say_over_a_network_that_is_not_there(world):
    script = "ip link set lo down || echo refused"
    for _who, settings, service in everybody(world)[1:]:
        output = world.path("said")
        service.run("web", Command=["sh", "-c", f"({script}) > {output} 2>&1"], Network="none",
                    **settings).wait()
        check("refused" in host.read(output), f"it worked: {host.read(output)}")
        host.sh("rm", output)


# ---- clocks --------------------------------------------------------------------------------------


@test(beds=BOTH)
def a_time_namespace_is_the_payloads_and_its_clocks_go_like_the_hosts(world):
    for who, settings, service in everybody(world):
        seen = world.probe("report", by=service, TimeNamespace="required", **settings)
        check(seen["ns_time"] != host.namespace("self", "time"), f"{who}: it is the host's")


@test(beds=BOTH)
def how_a_payload_in_a_time_namespace_ends_is_known(world):
    for number in (0, 7):
        web = world.run("web", Command=[PROBE, "exit", str(number)], TimeNamespace="required")
        equal(web.status(), number)
        check(web["StartedTimestampMonotonic"] <= web["StoppedTimestampMonotonic"], "the times")
        web.destroy()
    with refused("SpawnFailed", "^executing /nonexistent: No such file"):
        world.run("web", Command=["/nonexistent"], TimeNamespace="required")
