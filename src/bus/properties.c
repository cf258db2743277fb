/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <string.h>

#include "bus/access.h"
#include "bus/properties.h"

#define GETTER_UNUSED \
    (void)bus;        \
    (void)path;       \
    (void)interface;  \
    (void)error

/* ---- values ---------------------------------------------------------------------------------- */

/* Others may have changed it since the last event. */
static bool is_made_by_others(const char *property)
{
    static const char *const names[] = { "SubState", "StatusText", "ControlGroup", NULL };

    return g_strv_contains(names, property);
}

const char *property_text(const Instance *instance, const char *property)
{
    const Placement *placement = instance->placement;
    const struct {
        const char *name, *value;
    } rows[] = {
        { "Id", instance->id },
        { "Name", instance->name },
        { "State", state_to_string(instance->state) },
        { "Node", instance->controller->node_name },
        { "SubState", sub_state_to_string(instance->sub_state) },
        { "Result", result_to_string(instance->result) },
        { "StatusText", instance->status_text },
        { "BackendReason", instance->backend_reason },
        { "RestartReason", instance->restart_reason },
        { "LogTarget", log_target_to_string(instance->log_target) },
        { "Unit", placement ? placement->unit : NULL },
        { "Slice", placement ? placement->slice : NULL },
        { "ControlGroup", placement && !placement->lost ? placement->control_group : NULL },
        { "Backend", placement ? backend_name(placement->backend) : NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].name, property) == 0)
            return rows[i].value ? rows[i].value : "";
    return NULL;
}

uint64_t property_number(const Instance *instance, const char *property)
{
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        { "Owner", instance->owner },
        { "MainPID", (uint64_t)instance->main_pid },
        { "InitPID", (uint64_t)instance->init_pid },
        { "Run", instance->run },
        { "Restarts", instance->history.restarts },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].name, property) == 0)
            return rows[i].value;
    return 0;
}

uint64_t property_timestamp(const Instance *instance, const char *property)
{
    const Timestamp *timestamp = &instance->stopped;

    if (strcmp(property, "NextRestartTimestamp") == 0)
        return restart_next_realtime_usec(instance);
    if (g_str_has_prefix(property, "Created"))
        timestamp = &instance->created;
    else if (g_str_has_prefix(property, "Started"))
        timestamp = &instance->started;
    return g_str_has_suffix(property, "Monotonic") ? timestamp->monotonic_usec
                                                   : timestamp->realtime_usec;
}

void property_end(const Instance *instance, int *ret_code, int *ret_status)
{
    if (instance->exit_signal != 0) {
        *ret_code = CLD_KILLED;
        *ret_status = instance->exit_signal;
    } else if (instance->exit_code >= 0) {
        *ret_code = CLD_EXITED;
        *ret_status = instance->exit_code;
    } else {
        *ret_code = *ret_status = 0;
    }
}

/* ---- getters --------------------------------------------------------------------------------- */

int get_text(sd_bus *bus, const char *path, const char *interface, const char *property,
             sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Target *target = userdata;
    bool visible = access_is_public(property) || viewer_may_inspect(target);

    GETTER_UNUSED;
    if (visible && is_made_by_others(property))
        instance_look(target->instance);
    return sd_bus_message_append(reply, "s",
                                 visible ? property_text(target->instance, property) : "");
}

int get_number(sd_bus *bus, const char *path, const char *interface, const char *property,
               sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Target *target = userdata;
    bool visible = access_is_public(property) || viewer_may_inspect(target);

    GETTER_UNUSED;
    return sd_bus_message_append(
        reply, "u", visible ? (uint32_t)property_number(target->instance, property) : 0);
}

int get_exit(sd_bus *bus, const char *path, const char *interface, const char *property,
             sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Target *target = userdata;
    int32_t value = strcmp(property, "ExitCode") == 0 ? target->instance->exit_code
                                                      : target->instance->exit_signal;

    GETTER_UNUSED;
    return sd_bus_message_append(reply, "i", viewer_may_inspect(target) ? value : 0);
}

int get_timestamp(sd_bus *bus, const char *path, const char *interface, const char *property,
                  sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Target *target = userdata;

    GETTER_UNUSED;
    return sd_bus_message_append(
        reply, "t",
        viewer_may_inspect(target) ? property_timestamp(target->instance, property) : (uint64_t)0);
}

int get_isolation(sd_bus *bus, const char *path, const char *interface, const char *property,
                  sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Target *target = userdata;
    bool visible = viewer_may_inspect(target);

    GETTER_UNUSED;
    (void)property;
    int r = sd_bus_message_open_container(reply, 'a', "(sss)");
    /* Before the first start nothing has been decided. */
    visible = visible && target->instance->run > 0;
    for (unsigned kind = 0; r >= 0 && visible && kind < NAMESPACE_COUNT; kind++) {
        const Isolation *isolation = &target->instance->isolation[kind];
        r = sd_bus_message_append(reply, "(sss)", namespace_infos[kind].name,
                                  isolation_outcome_to_string(isolation->outcome),
                                  isolation->reason);
    }
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

int get_enforced(sd_bus *bus, const char *path, const char *interface, const char *property,
                 sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Target *target = userdata;
    bool visible = viewer_may_inspect(target);
    const GPtrArray *rows = visible ? instance_enforced(target->instance) : NULL;

    GETTER_UNUSED;
    (void)property;
    int r = sd_bus_message_open_container(reply, 'a', "(ssbs)");
    for (guint i = 0; r >= 0 && visible && i < rows->len; i++) {
        const Enforced *row = g_ptr_array_index(rows, i);
        r = sd_bus_message_append(reply, "(ssbs)", row->limit, row->value, row->enforced,
                                  row->reason);
    }
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

int get_degraded(sd_bus *bus, const char *path, const char *interface, const char *property,
                 sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Target *target = userdata;
    const GPtrArray *rows = target->instance->degraded;
    bool visible = viewer_may_inspect(target);

    GETTER_UNUSED;
    instance_look(target->instance);
    (void)property;
    int r = sd_bus_message_open_container(reply, 'a', "(sss)");
    for (guint i = 0; r >= 0 && visible && i < rows->len; i++) {
        const Degradation *row = g_ptr_array_index(rows, i);
        r = sd_bus_message_append(reply, "(sss)", row->feature, row->code, row->reason);
    }
    return r < 0 ? r : sd_bus_message_close_container(reply);
}
