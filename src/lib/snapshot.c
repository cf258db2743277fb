/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The fields of an Instance, filled from the properties of its object. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/handle.h"
#include "lib/properties.h"

#define MIB                1048576
#define USEC_PER_PERCENT   10000 /* of CPU time a second */
#define BITS_PER_MEGABIT   1000000
#define SIGNAL_EXIT_OFFSET 128 /* as shells have it */

InstanceState state_from_string(const char *text)
{
    static const char *const names[] = {
        [INSTANCE_STATE_PENDING] = "PENDING", [INSTANCE_STATE_STARTING] = "STARTING",
        [INSTANCE_STATE_RUNNING] = "RUNNING", [INSTANCE_STATE_STOPPING] = "STOPPING",
        [INSTANCE_STATE_STOPPED] = "STOPPED", [INSTANCE_STATE_FAILED] = "FAILED",
        [INSTANCE_STATE_UNKNOWN] = "UNKNOWN",
    };

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], text) == 0)
            return (InstanceState)i;
    return INSTANCE_STATE_UNKNOWN;
}

/* ---- what it is ------------------------------------------------------------------------------ */

typedef struct Snapshot {
    Handle *handle;
    uint32_t main_pid, init_pid;
    int32_t exit_code, exit_signal;
} Snapshot;

static int read_time(sd_bus_message *message, time_t *ret)
{
    uint64_t usec;
    int r = property_u64(message, &usec);

    if (r > 0)
        *ret = (time_t)(usec / 1000000);
    return r;
}

static int read_state(sd_bus_message *message, Instance *instance)
{
    char text[32] = "";
    int r = property_text(message, text, sizeof text);

    if (r > 0)
        instance->state = state_from_string(text);
    return r;
}

static int read_sub_state(sd_bus_message *message, Handle *handle)
{
    char text[32] = "";
    int r = property_text(message, text, sizeof text);

    handle->prepared = strcmp(text, "prepared") == 0;
    return r;
}

static int read_property(sd_bus_message *message, const char *name, void *userdata)
{
    Snapshot *snapshot = userdata;
    Instance *instance = &snapshot->handle->instance;

    if (strcmp(name, "State") == 0)
        return read_state(message, instance);
    if (strcmp(name, "SubState") == 0)
        return read_sub_state(message, snapshot->handle);
    if (strcmp(name, "Owner") == 0)
        return property_u32(message, &snapshot->handle->owner);
    if (strcmp(name, "Name") == 0)
        return property_text(message, instance->name, sizeof instance->name);
    if (strcmp(name, "MainPID") == 0)
        return property_u32(message, &snapshot->main_pid);
    if (strcmp(name, "InitPID") == 0)
        return property_u32(message, &snapshot->init_pid);
    if (strcmp(name, "ExitCode") == 0)
        return property_i32(message, &snapshot->exit_code);
    if (strcmp(name, "ExitSignal") == 0)
        return property_i32(message, &snapshot->exit_signal);
    if (strcmp(name, "CreatedTimestamp") == 0)
        return read_time(message, &instance->created_at);
    if (strcmp(name, "StartedTimestamp") == 0)
        return read_time(message, &instance->started_at);
    if (strcmp(name, "StoppedTimestamp") == 0)
        return read_time(message, &instance->stopped_at);
    return context_read(message, name, snapshot->handle);
}

ConstellationError snapshot_refresh(Handle *handle)
{
    Instance *instance = &handle->instance;
    handle->prepared = false;
    Snapshot snapshot = { .handle = handle, .exit_code = -1 };

    ConstellationError result = properties_get(library.link, object_path(instance->id).text,
                                               INTERFACE_INSTANCE, read_property, &snapshot);
    if (result != CONSTELLATION_OK)
        instance->state = INSTANCE_STATE_UNKNOWN;
    else
        context_add_without(handle);
    /* Prepared, it is as before to the program: it was not started. */
    if (handle->prepared && instance->state == INSTANCE_STATE_STARTING)
        instance->state = INSTANCE_STATE_PENDING;
    handle->main_pid = (pid_t)snapshot.main_pid;
    handle->init_pid = (pid_t)snapshot.init_pid;
    instance->pid = handle->prepared
                        ? 0
                        : (pid_t)(snapshot.main_pid ? snapshot.main_pid : snapshot.init_pid);
    instance->exit_code = snapshot.exit_signal ? SIGNAL_EXIT_OFFSET + snapshot.exit_signal
                                               : snapshot.exit_code;
    return result;
}

void snapshot_refresh_quietly(Handle *handle)
{
    LastError first = last_error_take();

    (void)snapshot_refresh(handle);
    last_error_put(&first);
}

/* ---- what was asked for ---------------------------------------------------------------------- */

static int read_limit(sd_bus_message *message, uint64_t unit, uint64_t *ret)
{
    uint64_t value;
    int r = property_u64(message, &value);

    if (r > 0)
        *ret = value == UINT64_MAX ? 0 : value / unit;
    return r;
}

static int read_limits(sd_bus_message *message, const char *name, void *userdata)
{
    ResourceLimits *limits = userdata;
    uint64_t value = 0;
    int r = 0;

    if (strcmp(name, "MemoryMax") == 0)
        return read_limit(message, MIB, &limits->ram_mb);
    if (strcmp(name, "DiskQuota") == 0)
        return read_limit(message, MIB, &limits->disk_mb);
    if (strcmp(name, "CPUQuotaPerSecUSec") == 0) {
        r = read_limit(message, USEC_PER_PERCENT, &value);
        limits->cpu_percent = (uint32_t)value;
    } else if (strcmp(name, "BandwidthIn") == 0) {
        r = read_limit(message, BITS_PER_MEGABIT, &value);
        limits->network_mbps = (uint32_t)value;
    }
    return r;
}

ConstellationError snapshot_limits(Handle *handle)
{
    handle->instance.limits = (ResourceLimits){ 0 };
    return properties_get(library.link, object_path(handle->instance.id).text, INTERFACE_SETTINGS,
                          read_limits, &handle->instance.limits);
}
