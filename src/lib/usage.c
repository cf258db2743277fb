/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What an instance uses. CPU time is a counter; what it is in percent takes two looks at it. */

#include <string.h>

#include "lib/handle.h"
#include "lib/properties.h"

#define MIB 1048576

/* Two looks that are nearer to each other say nothing; the rate of the former one stays. */
#define SAMPLE_MIN_USEC 100000

typedef struct Sample {
    uint64_t cpu_usec, memory;
    uint64_t disk, in_bits, out_bits; /* of services that measure them */
} Sample;

static uint64_t now_usec(clockid_t clock)
{
    struct timespec now;

    return clock_gettime(clock, &now) < 0
               ? 0
               : (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int read_usage(sd_bus_message *message, const char *name, void *userdata)
{
    Sample *sample = userdata;

    if (strcmp(name, "CPUUsageUSec") == 0)
        return property_u64(message, &sample->cpu_usec);
    if (strcmp(name, "MemoryCurrent") == 0)
        return property_u64(message, &sample->memory);
    if (strcmp(name, "DiskUsed") == 0)
        return property_u64(message, &sample->disk);
    return 0;
}

/* Before the first sample the run is the interval. */
static void update_rate(Handle *handle, uint64_t cpu_usec)
{
    Instance *instance = &handle->instance;
    uint64_t now = now_usec(CLOCK_MONOTONIC);
    uint64_t since = now - handle->sampled_usec, used = cpu_usec - handle->sampled_cpu_usec;

    if (handle->sampled_usec == 0 || cpu_usec < handle->sampled_cpu_usec) {
        uint64_t started = (uint64_t)instance->started_at * 1000000;
        uint64_t wall = now_usec(CLOCK_REALTIME);
        since = started > 0 && wall > started ? wall - started : 0;
        used = cpu_usec;
    }
    if (since < SAMPLE_MIN_USEC)
        return;
    instance->usage.cpu_percent = 100.0 * (double)used / (double)since;
    handle->sampled_usec = now;
    handle->sampled_cpu_usec = cpu_usec;
}

static ConstellationError usage_refresh(Handle *handle)
{
    Instance *instance = &handle->instance;
    auto_message call = NULL;
    auto_message reply = NULL;
    Sample sample = { 0 };

    int r = link_message(library.link, object_path(instance->id).text, INTERFACE_INSTANCE,
                         "GetUsage", &call);
    if (r < 0)
        return fail_errno(r, "GetUsage");
    ConstellationError result = link_call(library.link, call, 0, &reply);
    if (result != CONSTELLATION_OK)
        return result;
    r = properties_read(reply, read_usage, &sample);
    if (r < 0)
        return fail_errno(r, "the usage of '%s'", instance->name);
    if (instance->state == INSTANCE_STATE_RUNNING)
        update_rate(handle, sample.cpu_usec);
    else
        instance->usage.cpu_percent = 0;
    instance->usage.ram_mb = (sample.memory + MIB / 2) / MIB;
    instance->usage.disk_mb = (sample.disk + MIB / 2) / MIB;
    instance->usage.last_update = time(NULL);
    return CONSTELLATION_OK;
}

ConstellationError constellation_instance_update_stats(Instance *instance)
{
    Handle *handle;

    ConstellationError result = handle_enter(instance, &handle);
    if (result != CONSTELLATION_OK)
        return result;
    result = snapshot_refresh(handle);
    if (result == CONSTELLATION_OK)
        result = usage_refresh(handle);
    handle_leave(handle);
    return result;
}

ResourceUsage constellation_instance_get_usage(Instance *instance)
{
    ResourceUsage usage = { 0 };

    (void)resources_collect_stats(instance, &usage);
    return usage;
}

int resources_collect_stats(Instance *instance, ResourceUsage *usage)
{
    Handle *handle;

    if (!usage) {
        (void)fail(CONSTELLATION_ERR_INVALID_PARAM, "resources_collect_stats: usage is NULL");
        return -1;
    }
    if (handle_enter(instance, &handle) != CONSTELLATION_OK)
        return -1;
    ConstellationError result = snapshot_refresh(handle);
    if (result == CONSTELLATION_OK)
        result = usage_refresh(handle);
    if (result == CONSTELLATION_OK)
        *usage = instance->usage;
    handle_leave(handle);
    return result == CONSTELLATION_OK ? 0 : -1;
}
