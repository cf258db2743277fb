# SPDX-License-Identifier: LGPL-2.1-or-later
"""Networks, clocks and users of an instance's own: as root, as root for alice, and as alice with
her own service."""

import contextlib
import os

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


# ---- users ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def granted(*lines):
    """/etc/subuid and /etc/subgid with these lines and no others."""
    files = {name: host.read(name) for name in ("/etc/subuid", "/etc/subgid")}
    for name in files:
        with open(name, "w", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))
    try:
        yield
    finally:
        for name, text in files.items():
            with open(name, "w", encoding="utf-8") as file:
                file.write(text or "")


RANGES = "root:300000:65536", "alice:400000:65536"
KEPT = "0 {0} 1000,1000 1000 1,1001 {1} 64535"


@test(beds=BOTH)
def roots_root_in_a_user_namespace_is_nobody_outside(world):
    with granted(*RANGES):
        seen = world.probe("report", UserNamespace="required")
        equal((seen["uid"], seen["gid"], seen["uid_map"]), ("0", "0", "0 300000 65536"))
        web = world.run("web", Command=SLEEP, UserNamespace="required")
        equal(os.stat(f"/proc/{web['MainPID']}").st_uid, 300000)
        check("root" not in web["StatusText"], "it runs")
        web.stop()
        equal(web["State"], "STOPPED")


@test(beds=BOTH)
def a_user_of_roots_service_is_himself_in_a_range(world):
    with granted(*RANGES):
        seen = world.probe("report", UserNamespace="required", User="alice")
        equal((seen["uid"], seen["gid"]), ("1000", "1000"))
        equal(seen["uid_map"], KEPT.format(300000, 301000))
        equal(int(seen["CapBnd"], 16), 0)


@test(beds=BOTH)
def alice_has_all_ids_inside_where_she_asks_for_them(world):
    with granted(*RANGES):
        service = alice(world)
        there, reason = service.features()["id-mapping.range"]
        check(there, reason)
        seen = world.probe("report", by=service, IDMapping="range", Require=["IDMapping"])
        equal((seen["uid"], seen["gid"]), ("1000", "1000"))
        equal(seen["uid_map"], KEPT.format(400000, 401000))
        equal((int(seen["CapEff"], 16), seen["NoNewPrivs"]), (0, "1"))
        for uid in (0, 5, 65535 - 1):
            seen = world.probe("report", by=service, IDMapping="range", User=str(uid))
            equal((seen["uid"], seen["euid"], seen["suid"]), (str(uid),) * 3)


@test
def her_root_may_do_inside_what_root_does_and_outside_what_she_may(world):
    with granted(*RANGES):
        service = alice(world)
        output = world.path("said")
        script = (f"exec > {output} 2>&1; chown 33:33 $(mktemp); mount -t tmpfs t /mnt && echo "
                  "mounted; hostname other && hostname; cat /etc/shadow || echo no shadow")
        web = service.run("web", Command=["sh", "-c", f"touch {output}; {script}"], User="root",
                          UserNamespace="required", SystemCallFilter="off",
                          CapabilityBoundingSet="~")
        web.wait()
        said = host.read(output)
        for words in ("mounted", "other", "no shadow"):
            check(words in said, f"{words!r} is not in {said!r}")
        check(os.stat(output).st_uid == 400000, "root inside is a subordinate id outside")


@test
def without_a_range_her_root_is_she_herself(world):
    with granted("root:300000:65536"):
        service = alice(world)
        seen = world.probe("report", by=service, UserNamespace="required", User="root")
        equal((seen["uid"], seen["uid_map"]), ("0", "0 1000 1"))
        web = service.run("web", Command=SLEEP, IDMapping="range")
        equal(web["Degraded"], [("IDMapping", "refused", web["Degraded"][0][2])])
        check("/etc/subuid has no line for alice" in web["Degraded"][0][2], web["Degraded"])
        with refused("IsolationFailed", "^IDMapping is required: /etc/subuid has no line"):
            service.run("strict", Command=SLEEP, IDMapping="range", Require=["IDMapping"])


@test
def lines_that_nobody_can_have_meant_are_refused(world):
    for line, words in (("root:0:65536", "is not USER:FIRST:COUNT"), ("root:x", "is not USER"),
                        ("root:300000:65536\nbob:300000:1", "belong to bob as well"),
                        ("root:4294967290:10", "is not USER")):
        with granted(*line.split("\n")):
            with refused("IsolationFailed", words):
                world.run("web", Command=SLEEP, IDMapping="range", Require=["IDMapping"])
            seen = world.probe("report", UserNamespace="required")
            equal(seen["uid_map"], "0 0 1", line)
    equal(world.list(), [])


@test
def where_newuidmap_fails_a_single_id_does(world):
    with granted(*RANGES):
        service = alice(world)
        host.sh("chmod", "u-s", "/usr/bin/newuidmap")
        host.sh("setcap", "-r", "/usr/bin/newuidmap", check=False)
        try:
            web = service.run("web", Command=SLEEP, IDMapping="range")
            check("newuidmap or newgidmap refused" in web["Degraded"][0][2], web["Degraded"])
            equal(web.isolation()["user"][0], "private")
        finally:
            host.sh("chmod", "u+s", "/usr/bin/newuidmap")


@test
def what_root_does_as_root_of_a_range_it_does_not_do_as_root(world):
    with granted(*RANGES):
        secret = world.write("secret", "x", mode=0o600)
        own = {"UserNamespace": "required"}
        check(world.probe("read", secret, **own)["errno"] != "0", "it read root's file")
        check(world.probe("read", secret)["errno"] == "0", "root did not")
        check(world.probe("kill", "1", "9", PIDNamespace="off", **own)["errno"] != "0", "it may kill")
        equal(world.probe("setuid", "1000", **own)["errno"], "0")


@test(beds=BOTH)
def the_root_of_a_range_cannot_look_into_process_one_whose_real_user_is_root(world):
    with granted(*RANGES):
        for name in ("mem", "environ", "maps", "cwd/etc/passwd"):
            seen = world.probe("read", f"/proc/1/{name}", UserNamespace="required")
            check(seen["errno"] != "0", f"it read {name}")


@test
def a_range_goes_without_a_pid_namespace_too(world):
    with granted(*RANGES):
        for service, settings in ((world, {}), (alice(world), {"IDMapping": "range"})):
            web = service.run("web", Command=SLEEP, PIDNamespace="off", UserNamespace="required",
                              **settings)
            web.kill("main", 10)
            equal(web.wait()[1:], ("signal", 2, 10))
            web.destroy()
            web = service.run("web", Command=["sh", "-c", "sleep 100 & sleep 100"],
                              PIDNamespace="off", UserNamespace="required", **settings)
            web.stop()
            equal(web["State"], "STOPPED")
            web.destroy()


@test(beds=BOTH)
def further_namespaces_can_be_closed_to_root_and_to_the_root_of_a_range(world):
    output = world.path("said")
    script = (f"exec > {output} 2>&1; for kind in user mount net pid uts ipc cgroup time; do "
              "unshare --$kind true && echo made $kind; done; nsenter --target=1 --uts true && "
              "echo entered; echo over")
    with granted(*RANGES):
        for settings in ({}, {"UserNamespace": "required"}):
            open(output, "w", encoding="utf-8").close()
            os.chmod(output, 0o666)
            world.run("web", Command=["sh", "-c", script], RestrictNamespaces=True,
                      CapabilityBoundingSet="~", **settings).wait()
            said = host.read(output)
            check("over" in said and "made" not in said and "entered" not in said, said)
            world.get("web").destroy()
        world.run("web", Command=["sh", "-c", script], CapabilityBoundingSet="~").wait()
        check("made user" in host.read(output), host.read(output))
