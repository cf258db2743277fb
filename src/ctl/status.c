/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>

#include "ctl/call.h"
#include "ctl/ctl.h"
#include "ctl/fields.h"
#include "ctl/status-instance.h"
#include "model/state.h"

static bool fetch(const Connection *connection, const char *name, StatusData *ret, GError **error)
{
    g_autofree char *path = instance_path(connection, name, error);
    g_autoptr(Variant) instance = path ? properties_get(connection, path, INSTANCE_INTERFACE, error)
                                       : NULL;
    g_autoptr(Variant)
        settings = instance ? properties_get(connection, path, SETTINGS_INTERFACE, error) : NULL;
    g_autoptr(sd_bus_message)
        reply = settings ? call(connection, path, INSTANCE_INTERFACE, "GetUsage", error, "") : NULL;
    g_autoptr(Variant) usage = reply ? variant_read(reply, error) : NULL;

    if (!usage)
        return false;
    *ret = (StatusData){
        .instance = g_steal_pointer(&instance),
        .settings = g_steal_pointer(&settings),
        .usage = g_steal_pointer(&usage),
    };
    return true;
}

/* 3 for what does not run, as systemctl has it. */
static int state_status(const StatusData *data)
{
    State state = state_from_string(variant_string(data->instance, "State"));

    return state == STATE_RUNNING || state == STATE_STARTING || state == STATE_STOPPING
               ? STATUS_OK
               : STATUS_NOT_RUNNING;
}

static int status_of_instances(const Ctl *ctl)
{
    bool as_json = ctl->options.json != JSON_OFF;
    int worst = STATUS_OK;
    Json json;

    json_init(&json, stdout, ctl->options.json);
    if (as_json)
        json_open_array(&json);
    for (unsigned i = 0; i < ctl->options.arguments->len; i++) {
        g_auto(StatusData) data = { 0 };
        g_autoptr(GError) error = NULL;

        if (!fetch(&ctl->connection, option_argument(&ctl->options, i), &data, &error)) {
            ctl_complain(NULL, error);
            worst = MAX(worst, error_status(error));
            continue;
        }
        if (as_json) {
            status_print_json(&data, &json);
        } else {
            if (i > 0)
                putchar('\n');
            status_print(&data, &ctl->terminal);
        }
        worst = MAX(worst, state_status(&data));
    }
    if (as_json) {
        json_close_array(&json);
        json_done(&json);
    }
    return worst;
}

static void print_service(const Variant *manager)
{
    const Variant *backends = variant_lookup(manager, "Backends");
    const Variant *quarantined = variant_lookup(manager, "Quarantined");
    g_autofree char *backends_text = backends ? variant_text(backends) : g_strdup("");
    g_autofree char *quarantined_text = quarantined ? variant_text(quarantined) : g_strdup("");

    field_print("Version", variant_string(manager, "Version"));
    field_print("Node", variant_string(manager, "NodeName"));
    field_print("Cluster", variant_string(manager, "ClusterName"));
    field_printf("Mode", "%s (realm %s)", variant_string(manager, "Mode"),
                 variant_string(manager, "Realm"));
    field_print("Backends", backends_text);
    field_printf(
        "Instances", "%" PRIu64 " of at most %" PRIu64 ": %" PRIu64 " running, %" PRIu64 " failed",
        variant_uint(manager, "InstanceCount", 0), variant_uint(manager, "MaxInstances", 0),
        variant_uint(manager, "RunningCount", 0), variant_uint(manager, "FailedCount", 0));
    field_print("Set aside", quarantined_text);
}

static int status_of_service(const Ctl *ctl)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Variant)
        manager = properties_get(&ctl->connection, MANAGER_PATH, MANAGER_INTERFACE, &error);
    Json json;

    if (!manager)
        return ctl_fail(error);
    if (ctl->options.json == JSON_OFF) {
        print_service(manager);
        return STATUS_OK;
    }
    json_init(&json, stdout, ctl->options.json);
    variant_print_json(manager, &json);
    json_done(&json);
    return STATUS_OK;
}

int verb_status(Ctl *ctl)
{
    return ctl->options.arguments->len > 0 ? status_of_instances(ctl) : status_of_service(ctl);
}
