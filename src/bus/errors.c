/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/errors.h"
#include "bus/names.h"

static const char *const names[_CONSTELLATION_ERROR_COUNT] = {
    [CONSTELLATION_ERROR_INVALID_ARGS] = SD_BUS_ERROR_INVALID_ARGS,
    [CONSTELLATION_ERROR_NO_MEMORY] = SD_BUS_ERROR_NO_MEMORY,
    [CONSTELLATION_ERROR_ACCESS_DENIED] = SD_BUS_ERROR_ACCESS_DENIED,
    [CONSTELLATION_ERROR_LIMITS_EXCEEDED] = SD_BUS_ERROR_LIMITS_EXCEEDED,
    [CONSTELLATION_ERROR_NOT_SUPPORTED] = SD_BUS_ERROR_NOT_SUPPORTED,
    [CONSTELLATION_ERROR_TIMEOUT] = SD_BUS_ERROR_TIMEOUT,
    [CONSTELLATION_ERROR_NO_SUCH_INSTANCE] = BUS_ERROR_PREFIX "NoSuchInstance",
    [CONSTELLATION_ERROR_INSTANCE_EXISTS] = BUS_ERROR_PREFIX "InstanceExists",
    [CONSTELLATION_ERROR_INVALID_STATE] = BUS_ERROR_PREFIX "InvalidState",
    [CONSTELLATION_ERROR_SPAWN_FAILED] = BUS_ERROR_PREFIX "SpawnFailed",
    [CONSTELLATION_ERROR_ISOLATION_FAILED] = BUS_ERROR_PREFIX "IsolationFailed",
    [CONSTELLATION_ERROR_CGROUP_FAILED] = BUS_ERROR_PREFIX "CgroupFailed",
    [CONSTELLATION_ERROR_NAMESPACE_FAILED] = BUS_ERROR_PREFIX "NamespaceFailed",
    [CONSTELLATION_ERROR_STALE] = BUS_ERROR_PREFIX "Stale",
    [CONSTELLATION_ERROR_CANCELLED] = BUS_ERROR_PREFIX "Cancelled",
    [CONSTELLATION_ERROR_NODE_UNAVAILABLE] = BUS_ERROR_PREFIX "NodeUnavailable",
    [CONSTELLATION_ERROR_AUTHORIZATION_REQUIRED] = SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
};

const char *bus_error_name(const GError *error)
{
    if (error->domain == CONSTELLATION_ERROR && error->code >= 0 &&
        error->code < _CONSTELLATION_ERROR_COUNT)
        return names[error->code];
    return SD_BUS_ERROR_FAILED;
}

int bus_fail(sd_bus_error *ret, const GError *error)
{
    return sd_bus_error_set(ret, bus_error_name(error), error->message);
}

int bus_fail_code(sd_bus_error *ret, ErrorCode code, const char *format, ...)
{
    va_list args;
    g_autoptr(GError) error = NULL;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    error_set(&error, code, "%s", text);
    return bus_fail(ret, error);
}
