/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Limits of an instance that is there, whether it runs or not. */

#include "lib/handle.h"

static ConstellationError set_limits(Handle *handle, const ResourceLimits *limits,
                                     const ConstellationSetting *settings, size_t count)
{
    auto_message message = NULL;

    int r = link_message(library.link, object_path(handle->instance.id).text, INTERFACE_INSTANCE,
                         "SetLimits", &message);
    if (r < 0)
        return fail_errno(r, "SetLimits");
    ConstellationError result = changes_append(message, library.link, limits, settings, count);
    if (result != CONSTELLATION_OK)
        return result;
    r = sd_bus_message_append(message, "a{sv}", 0);
    if (r < 0)
        return fail_errno(r, "SetLimits");
    result = link_call(library.link, message, 0, NULL);
    return result == CONSTELLATION_OK ? snapshot_limits(handle) : result;
}

static ConstellationError update(Instance *instance, const ResourceLimits *limits,
                                 const ConstellationSetting *settings, size_t count)
{
    Handle *handle;

    ConstellationError result = handle_enter(instance, &handle);
    if (result != CONSTELLATION_OK)
        return result;
    result = set_limits(handle, limits, settings, count);
    snapshot_refresh_quietly(handle);
    handle_leave(handle);
    return result;
}

ConstellationError constellation_instance_update_limits(Instance *instance,
                                                        const ResourceLimits *limits)
{
    if (!limits)
        return fail(CONSTELLATION_ERR_INVALID_PARAM, "the limits are NULL");
    return update(instance, limits, NULL, 0);
}

ConstellationError constellation_instance_update_settings(Instance *instance,
                                                          const ConstellationSetting *settings,
                                                          size_t count)
{
    return update(instance, NULL, settings, count);
}

int resources_update_limits(Instance *instance, ResourceLimits *limits)
{
    return constellation_instance_update_limits(instance, limits) == CONSTELLATION_OK ? 0 : -1;
}
