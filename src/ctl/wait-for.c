/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>

#include "ctl/call.h"
#include "ctl/wait-for.h"

#define BUS_NAME "org.freedesktop.DBus"
#define BUS_PATH "/org/freedesktop/DBus"

struct Watch {
    const Connection *connection;
    const WatchHandler *handler;
    void *userdata;
    char *owner; /* unique name of the service; NULL on a private socket, or while it is away */
    GPtrArray *slots;
};

static void slot_free(void *slot)
{
    sd_bus_slot_unref(slot);
}

/* A signal can be sent to us alone, past all match rules: its sender is what the bus vouches for.
 */
static bool is_from_service(const Watch *watch, sd_bus_message *signal)
{
    return connection_is_peer(watch->connection) ||
           g_strcmp0(watch->owner, sd_bus_message_get_sender(signal)) == 0;
}

static int on_changed(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
    Watch *watch = userdata;
    g_autoptr(Variant) properties = NULL;
    const char *interface;

    (void)error;
    if (!is_from_service(watch, signal) || !watch->handler->changed ||
        sd_bus_message_read(signal, "s", &interface) < 0 ||
        !g_str_equal(interface, INSTANCE_INTERFACE))
        return 0;
    properties = variant_read(signal, NULL);
    if (properties)
        watch->handler->changed(sd_bus_message_get_path(signal),
                                state_from_string(variant_string(properties, "State")),
                                watch->userdata);
    return 0;
}

static int on_exited(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
    Watch *watch = userdata;
    Ending ending = { 0 };
    const char *result;

    (void)error;
    if (!is_from_service(watch, signal) || !watch->handler->exited ||
        sd_bus_message_read(signal, "usii", &ending.run, &result, &ending.code, &ending.status) < 0)
        return 0;
    ending.result = (char *)result;
    watch->handler->exited(sd_bus_message_get_path(signal), &ending, watch->userdata);
    return 0;
}

static int on_removed(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
    Watch *watch = userdata;
    const char *path;

    (void)error;
    if (is_from_service(watch, signal) && watch->handler->removed &&
        sd_bus_message_read(signal, "o", &path) > 0)
        watch->handler->removed(path, watch->userdata);
    return 0;
}

static int on_owner_changed(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
    Watch *watch = userdata;
    const char *name, *from, *to;

    (void)error;
    if (!g_str_equal(sd_bus_message_get_sender(signal), BUS_NAME) ||
        sd_bus_message_read(signal, "sss", &name, &from, &to) < 0 ||
        !g_str_equal(name, SERVICE_NAME))
        return 0;
    g_free(watch->owner);
    watch->owner = *to ? g_strdup(to) : NULL;
    if (watch->handler->service_changed)
        watch->handler->service_changed(watch->owner != NULL, watch->userdata);
    return 0;
}

/* Made by sd-bus itself when the connection is gone. */
static int on_disconnected(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
    Watch *watch = userdata;

    (void)signal;
    (void)error;
    if (watch->handler->service_changed)
        watch->handler->service_changed(false, watch->userdata);
    return 0;
}

static int watch_match(Watch *watch, sd_bus_message_handler_t handler, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static int watch_match(Watch *watch, sd_bus_message_handler_t handler, const char *format, ...)
{
    sd_bus_slot *slot = NULL;
    va_list args;
    int r;

    va_start(args, format);
    g_autofree char *rule = g_strdup_vprintf(format, args);
    va_end(args);
    r = sd_bus_add_match(watch->connection->bus, &slot, rule, handler, watch);
    if (r >= 0)
        g_ptr_array_add(watch->slots, slot);
    return r;
}

static int watch_match_all(Watch *watch)
{
    const char *sender = connection_is_peer(watch->connection) ? "" : ",sender='" SERVICE_NAME "'";
    int r;

    r = watch_match(watch, on_changed,
                    "type='signal'%s,path_namespace='" INSTANCE_PATHS
                    "',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged'",
                    sender);
    if (r >= 0)
        r = watch_match(watch, on_exited,
                        "type='signal'%s,path_namespace='" INSTANCE_PATHS
                        "',interface='" INSTANCE_INTERFACE "',member='Exited'",
                        sender);
    if (r >= 0)
        r = watch_match(watch, on_removed,
                        "type='signal'%s,path='" MANAGER_PATH
                        "',interface='org.freedesktop.DBus.ObjectManager',"
                        "member='InterfacesRemoved'",
                        sender);
    if (r >= 0)
        r = watch_match(watch, on_disconnected,
                        "type='signal',interface='org.freedesktop.DBus.Local',"
                        "member='Disconnected'");
    if (r >= 0 && !connection_is_peer(watch->connection))
        r = watch_match(watch, on_owner_changed,
                        "type='signal',sender='" BUS_NAME "',path='" BUS_PATH
                        "',interface='" BUS_NAME "',member='NameOwnerChanged',arg0='" SERVICE_NAME
                        "'");
    return r;
}

/* Any call has the bus start the service where it may; the reply says who it is. */
static bool watch_find_owner(Watch *watch, GError **error)
{
    g_autoptr(sd_bus_message) reply = call(watch->connection, MANAGER_PATH,
                                           "org.freedesktop.DBus.Peer", "Ping", error, "");

    if (!reply)
        return false;
    g_free(watch->owner);
    watch->owner = g_strdup(sd_bus_message_get_sender(reply));
    return true;
}

Watch *watch_new(const Connection *connection, const WatchHandler *handler, void *userdata,
                 GError **error)
{
    g_autoptr(Watch) watch = g_new0(Watch, 1);
    int r;

    *watch = (Watch){
        .connection = connection,
        .handler = handler,
        .userdata = userdata,
        .slots = g_ptr_array_new_with_free_func(slot_free),
    };
    r = watch_match_all(watch);
    if (r < 0) {
        call_error(connection, NULL, r, error);
        return NULL;
    }
    return watch_find_owner(watch, error) ? g_steal_pointer(&watch) : NULL;
}

void watch_free(Watch *watch)
{
    if (!watch)
        return;
    g_ptr_array_unref(watch->slots);
    g_free(watch->owner);
    g_free(watch);
}
