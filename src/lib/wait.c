/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The end of a run. The instance is not claimed meanwhile, so that another thread may stop it. */

#include <stdio.h>

#include "lib/handle.h"

#define USEC_PER_MSEC 1000

static ConstellationError wait_for_end(const char *id, int timeout_msec, InstanceExit *end)
{
    auto_message call = NULL;
    auto_message reply = NULL;
    const char *result_name;
    uint32_t run;
    int32_t code, status;

    int r = link_message(library.link, object_path(id).text, INTERFACE_INSTANCE, "Wait", &call);
    if (r >= 0)
        r = timeout_msec < 0 ? sd_bus_message_append(call, "a{sv}", 0)
                             : sd_bus_message_append(call, "a{sv}", 1, "TimeoutUSec", "t",
                                                     (uint64_t)timeout_msec * USEC_PER_MSEC);
    if (r < 0)
        return fail_errno(r, "Wait");
    ConstellationError result = link_call(library.link, call, UINT64_MAX, &reply);
    if (result != CONSTELLATION_OK)
        return result;
    r = sd_bus_message_read(reply, "usii", &run, &result_name, &code, &status);
    if (r < 0)
        return fail_errno(r, "the answer to Wait");
    *end = (InstanceExit){ .run = run, .code = code, .status = status };
    (void)snprintf(end->result, sizeof end->result, "%s", result_name);
    return CONSTELLATION_OK;
}

ConstellationError constellation_instance_wait(Instance *instance, int timeout_msec,
                                               InstanceExit *end)
{
    InstanceExit unused;
    Handle *handle;
    char id[sizeof instance->id];

    ConstellationError result = handle_enter(instance, &handle);
    if (result != CONSTELLATION_OK)
        return result;
    (void)snprintf(id, sizeof id, "%s", instance->id);
    handle->busy = false;
    pthread_cond_broadcast(&library.changed);
    result = wait_for_end(id, timeout_msec, end ? end : &unused);
    handle = handle_find(id);
    if (!handle || handle->busy) {
        library_leave();
        return result;
    }
    handle->busy = true; /* or it might be destroyed under us */
    snapshot_refresh_quietly(handle);
    handle_leave(handle);
    return result;
}
