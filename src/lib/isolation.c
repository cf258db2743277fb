/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The two halves of a start. Namespaces and control group are made by the service in one go, so
 * setting up either prepares the instance; it is undone when neither is wanted any more. */

#include "lib/handle.h"

static ConstellationError prepare(Handle *handle, unsigned what)
{
    (void)context_make(handle);
    ConstellationError result = handle_call(handle, "Prepare", UINT64_MAX, "a{sv}", 0);

    /* What runs has all of it. */
    if (result == CONSTELLATION_ERR_INVALID_PARAM &&
        handle->instance.state == INSTANCE_STATE_RUNNING)
        return CONSTELLATION_OK;
    if (result == CONSTELLATION_OK)
        handle->set_up |= what;
    return result;
}

static ConstellationError undo(Handle *handle, unsigned what)
{
    ConstellationError result = snapshot_refresh(handle);

    if (result != CONSTELLATION_OK)
        return result;
    if (handle->instance.state == INSTANCE_STATE_RUNNING)
        return fail(CONSTELLATION_ERR_INVALID_PARAM,
                    "'%s' runs: stop it, and nothing of it is left", handle->instance.name);
    handle->set_up &= ~what;
    if (handle->set_up || !handle->prepared)
        return CONSTELLATION_OK;
    result = handle_call(handle, "Stop", UINT64_MAX, "a{sv}", 0);
    if (result == CONSTELLATION_OK)
        context_free(handle);
    return result;
}

static int with_handle(Instance *instance, unsigned what,
                       ConstellationError (*function)(Handle *handle, unsigned what))
{
    Handle *handle;

    if (handle_enter(instance, &handle) != CONSTELLATION_OK)
        return -1;
    ConstellationError result = function(handle, what);
    handle_leave(handle);
    return result == CONSTELLATION_OK ? 0 : -1;
}

int isolation_setup_namespaces(Instance *instance)
{
    return with_handle(instance, SET_UP_NAMESPACES, prepare);
}

int isolation_teardown_namespaces(Instance *instance)
{
    return with_handle(instance, SET_UP_NAMESPACES, undo);
}

int resources_setup_cgroups(Instance *instance)
{
    return with_handle(instance, SET_UP_CGROUP, prepare);
}

int resources_teardown_cgroups(Instance *instance)
{
    return with_handle(instance, SET_UP_CGROUP, undo);
}
