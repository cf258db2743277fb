/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "ctl/call.h"

/* Error names of the contract, and what they are here. What is not listed failed for a reason that
 * only its message tells. */
static const struct {
    const char *name;
    ErrorCode code;
} error_names[] = {
    { SD_BUS_ERROR_INVALID_ARGS, CONSTELLATION_ERROR_INVALID_ARGS },
    { SD_BUS_ERROR_NO_MEMORY, CONSTELLATION_ERROR_NO_MEMORY },
    { SD_BUS_ERROR_ACCESS_DENIED, CONSTELLATION_ERROR_ACCESS_DENIED },
    { SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, CONSTELLATION_ERROR_ACCESS_DENIED },
    { SD_BUS_ERROR_LIMITS_EXCEEDED, CONSTELLATION_ERROR_LIMITS_EXCEEDED },
    { SD_BUS_ERROR_NOT_SUPPORTED, CONSTELLATION_ERROR_NOT_SUPPORTED },
    { SD_BUS_ERROR_UNKNOWN_METHOD, CONSTELLATION_ERROR_NOT_SUPPORTED },
    { SD_BUS_ERROR_UNKNOWN_INTERFACE, CONSTELLATION_ERROR_NOT_SUPPORTED },
    { SD_BUS_ERROR_TIMEOUT, CONSTELLATION_ERROR_TIMEOUT },
    { SD_BUS_ERROR_UNKNOWN_OBJECT, CONSTELLATION_ERROR_NO_SUCH_INSTANCE },
    { SERVICE_NAME ".Error.NoSuchInstance", CONSTELLATION_ERROR_NO_SUCH_INSTANCE },
    { SERVICE_NAME ".Error.InstanceExists", CONSTELLATION_ERROR_INSTANCE_EXISTS },
    { SERVICE_NAME ".Error.InvalidState", CONSTELLATION_ERROR_INVALID_STATE },
    { SERVICE_NAME ".Error.SpawnFailed", CONSTELLATION_ERROR_SPAWN_FAILED },
    { SERVICE_NAME ".Error.IsolationFailed", CONSTELLATION_ERROR_ISOLATION_FAILED },
    { SERVICE_NAME ".Error.CgroupFailed", CONSTELLATION_ERROR_CGROUP_FAILED },
    { SERVICE_NAME ".Error.NamespaceFailed", CONSTELLATION_ERROR_NAMESPACE_FAILED },
    { SERVICE_NAME ".Error.Stale", CONSTELLATION_ERROR_STALE },
    { SERVICE_NAME ".Error.Cancelled", CONSTELLATION_ERROR_CANCELLED },
};

/* Nobody was there to answer. */
static bool is_absence(const sd_bus_error *error)
{
    static const char *const names[] = {
        SD_BUS_ERROR_SERVICE_UNKNOWN, SD_BUS_ERROR_NAME_HAS_NO_OWNER, SD_BUS_ERROR_NO_SERVER,
        SD_BUS_ERROR_DISCONNECTED,    "System.Error.ECONNRESET",      "System.Error.ECONNREFUSED",
        "System.Error.ENOTCONN",      "System.Error.ENOENT",          "System.Error.EPIPE",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        if (sd_bus_error_has_name(error, names[i]))
            return true;
    return g_str_has_prefix(error->name, "org.freedesktop.DBus.Error.Spawn.");
}

bool call_error(const Connection *connection, const sd_bus_error *bus_error, int r, GError **error)
{
    g_auto(sd_bus_error) made = SD_BUS_ERROR_NULL;
    ErrorCode code = CONSTELLATION_ERROR_NODE_UNAVAILABLE;

    if (!bus_error || !sd_bus_error_is_set(bus_error)) {
        (void)sd_bus_error_set_errno(&made, r);
        bus_error = &made;
    }
    if (is_absence(bus_error)) {
        g_autofree char *advice = connection_advice(connection);

        return error_set(error, code, "the service does not answer: %s", advice);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(error_names); i++)
        if (sd_bus_error_has_name(bus_error, error_names[i].name))
            code = error_names[i].code;
    return error_set(error, code, "%s",
                     bus_error->message && *bus_error->message ? bus_error->message
                                                               : bus_error->name);
}

bool call_failed_in_passing(const Connection *connection, const GError *error)
{
    return error->code == CONSTELLATION_ERROR_NODE_UNAVAILABLE && !connection_is_peer(connection);
}

sd_bus_message *call_new(const Connection *connection, const char *path, const char *interface,
                         const char *member)
{
    sd_bus_message *message = NULL;

    must(sd_bus_message_new_method_call(connection->bus, &message,
                                        connection_is_peer(connection) ? NULL : SERVICE_NAME, path,
                                        interface, member));
    return message;
}

sd_bus_message *call_send(const Connection *connection, sd_bus_message *message, GError **error)
{
    g_auto(sd_bus_error) bus_error = SD_BUS_ERROR_NULL;
    sd_bus_message *reply = NULL;
    int r = sd_bus_call(connection->bus, message, CALL_TIMEOUT_USEC, &bus_error, &reply);

    if (r < 0) {
        call_error(connection, &bus_error, r, error);
        return NULL;
    }
    return reply;
}

sd_bus_message *call(const Connection *connection, const char *path, const char *interface,
                     const char *member, GError **error, const char *types, ...)
{
    g_autoptr(sd_bus_message) message = call_new(connection, path, interface, member);
    va_list args;

    va_start(args, types);
    must(sd_bus_message_appendv(message, types, args));
    va_end(args);
    return call_send(connection, message, error);
}

bool reply_is_odd(GError **error, int r)
{
    return error_from_errno(error, CONSTELLATION_ERROR_NOT_SUPPORTED, r,
                            "the service's reply is not what it should be");
}

bool reply_read(sd_bus_message *reply, GError **error, const char *types, ...)
{
    va_list args;
    int r;

    va_start(args, types);
    r = sd_bus_message_readv(reply, types, args);
    va_end(args);
    return r > 0 || reply_is_odd(error, r < 0 ? r : -ENODATA);
}

char *instance_path(const Connection *connection, const char *name, GError **error)
{
    g_autoptr(sd_bus_message)
        reply = call(connection, MANAGER_PATH, MANAGER_INTERFACE, "GetInstance", error, "s", name);
    const char *path;

    if (!reply || !reply_read(reply, error, "o", &path))
        return NULL;
    return g_strdup(path);
}

const char *path_id(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

Variant *properties_get(const Connection *connection, const char *path, const char *interface,
                        GError **error)
{
    g_autoptr(sd_bus_message) reply = call(connection, path, "org.freedesktop.DBus.Properties",
                                           "GetAll", error, "s", interface);

    return reply ? variant_read(reply, error) : NULL;
}
