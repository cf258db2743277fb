/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The objects on a connection: the Manager, and one fallback vtable for all instances, which costs
 * nothing per object and can never show one that is gone. */

#include <string.h>

#include "bus/face.h"
#include "bus/names.h"

char *instance_path(const Instance *instance)
{
    return g_strconcat(BUS_PATH_INSTANCE "/", instance->id, NULL);
}

static int find_instance(sd_bus *bus, const char *path, const char *interface, void *userdata,
                         void **ret_found, sd_bus_error *error)
{
    Connection *connection = userdata;
    const char *id = path + strlen(BUS_PATH_INSTANCE "/");

    (void)bus;
    (void)interface;
    (void)error;
    if (!g_str_has_prefix(path, BUS_PATH_INSTANCE "/"))
        return 0;
    connection->target.instance = controller_find_id(connection->face->controller, id);
    if (!connection->target.instance)
        return 0;
    connection->target.connection = connection;
    *ret_found = &connection->target;
    return 1;
}

static int enumerate_instances(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
                               sd_bus_error *error)
{
    Connection *connection = userdata;
    g_autoptr(GPtrArray) instances = controller_list(connection->face->controller);
    char **nodes = g_new0(char *, instances->len + 1);

    (void)bus;
    (void)prefix;
    (void)error;
    for (guint i = 0; i < instances->len; i++)
        nodes[i] = instance_path(g_ptr_array_index(instances, i));
    *ret_nodes = nodes; /* freed with free(), which is what g_new() takes from */
    return 0;
}

/* A client that takes the private socket for a bus says Hello first: it gets a name and goes on. */
static int method_hello(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    (void)userdata;
    (void)error;
    return sd_bus_reply_method_return(message, "s", ":1.1");
}

static const sd_bus_vtable hello_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Hello", "", "s", method_hello, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

int connection_export(Connection *connection)
{
    sd_bus *bus = connection->bus;

    int r = sd_bus_add_object_manager(bus, NULL, BUS_PATH);
    if (r >= 0)
        r = sd_bus_add_object_vtable(bus, NULL, BUS_PATH, INTERFACE_MANAGER, manager_vtable,
                                     connection);
    if (r >= 0)
        r = sd_bus_add_fallback_vtable(bus, NULL, BUS_PATH_INSTANCE, INTERFACE_INSTANCE,
                                       instance_vtable, find_instance, connection);
    if (r >= 0)
        r = sd_bus_add_fallback_vtable(bus, NULL, BUS_PATH_INSTANCE, INTERFACE_SETTINGS,
                                       settings_vtable(), find_instance, connection);
    if (r >= 0)
        r = sd_bus_add_node_enumerator(bus, NULL, BUS_PATH_INSTANCE, enumerate_instances,
                                       connection);
    if (r >= 0 && !connection->is_message_bus)
        r = sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                     hello_vtable, connection);
    return r;
}
