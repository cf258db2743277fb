# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a caller may do and see: each method tried, each property read. Also a program, for a caller inside of an
instance: access.py TARGETS, a JSON file with what to try; the outcome goes to its standard output, as JSON."""

import json
import os
import sys

from gi.repository import GLib

from bus import SYSTEM_BUS, BusError, dictionary
from service import INSTANCE, MANAGER, PROPERTIES, ROOT, SETTINGS, Service

EMPTY = ("", 0, [], 0.0, False)

NOTHING = dictionary({})
TEXT = GLib.Variant("s", "no-such-thing")
MANAGER_METHODS = {
    "CreateInstance": (TEXT, NOTHING),
    "RunInstance": (TEXT, dictionary({"Command": ["true"]}), NOTHING),
    "CheckInstance": (TEXT, NOTHING),
    "GetInstance": (TEXT,),
    "ListInstances": (NOTHING,),
    "GetFeatures": (),
    "GetUserUsage": (GLib.Variant("u", 0),),
}
INSTANCE_METHODS = {
    **{name: (NOTHING,) for name in ("Prepare", "Start", "Stop", "Restart", "Destroy", "Freeze", "Thaw", "Wait")},
    "SetLimits": (NOTHING, NOTHING),
    **{name: () for name in ("GetUsage", "GetProcesses", "GetPlan", "GetEnvironment", "Describe")},
    "GetLog": (GLib.Variant("t", 0), NOTHING),
    "Kill": (GLib.Variant("s", "main"), GLib.Variant("i", 9), NOTHING),
}


def verdict(service, path, interface, method, arguments):
    """Whether the caller was let through, whatever became of it then."""
    try:
        service.call(path, interface, method, *arguments).result()
    except BusError as error:
        if error.name.endswith(".InteractiveAuthorizationRequired"):
            return "ask"
        if error.name.endswith(".AccessDenied"):
            return "no"
    return "yes"


def properties(service, path, interface):
    """Which properties have a value."""
    values = service.call(path, PROPERTIES, "GetAll", GLib.Variant("s", interface)).result()
    return {name: "empty" if value in EMPTY else "value" for name, value in values.items()}


def try_manager(service):
    seen = {f"Manager.{method}": verdict(service, ROOT, MANAGER, method, arguments)
            for method, arguments in MANAGER_METHODS.items()}
    for name, value in properties(service, ROOT, MANAGER).items():
        seen[f"Manager.{name}"] = value
    for name in ("no-such-thing",):  # what it has made
        try:
            service.get(name).destroy(Force=True)
        except BusError:
            pass
    return seen


def try_instances(service, shown, paths):
    """Properties of the first, and each method on an instance of its own."""
    seen = {f"Instance.{method}": verdict(service, paths[method], INSTANCE, method, arguments)
            for method, arguments in INSTANCE_METHODS.items()}
    for interface in (INSTANCE, SETTINGS):
        for name, value in properties(service, shown, interface).items():
            seen[f"{interface.rsplit('.', 1)[1]}.{name}"] = value
    return seen


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        targets = json.load(file)
    service = Service(SYSTEM_BUS, os.geteuid())
    outcome = {whose: try_instances(service, **target) for whose, target in targets.items()}
    outcome["manager"] = try_manager(service)
    json.dump(outcome, sys.stdout)


if __name__ == "__main__":
    main()
