/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "lib/library.h"
#include "lib/properties.h"

int property_text(sd_bus_message *message, char *ret, size_t size)
{
    const char *text;
    int r = sd_bus_message_read(message, "v", "s", &text);

    if (r > 0)
        (void)snprintf(ret, size, "%s", text);
    return r;
}

int property_u32(sd_bus_message *message, uint32_t *ret)
{
    return sd_bus_message_read(message, "v", "u", ret);
}

int property_i32(sd_bus_message *message, int32_t *ret)
{
    return sd_bus_message_read(message, "v", "i", ret);
}

int property_u64(sd_bus_message *message, uint64_t *ret)
{
    return sd_bus_message_read(message, "v", "t", ret);
}

int property_strv(sd_bus_message *message, char ***ret)
{
    int r = sd_bus_message_enter_container(message, 'v', "as");

    if (r > 0)
        r = sd_bus_message_read_strv(message, ret);
    if (r >= 0)
        r = sd_bus_message_exit_container(message);
    return r < 0 ? r : 1;
}

int properties_read(sd_bus_message *message, PropertyReader reader, void *userdata)
{
    const char *name;
    int r = sd_bus_message_enter_container(message, 'a', "{sv}");

    while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
        r = sd_bus_message_read(message, "s", &name);
        if (r >= 0)
            r = reader(message, name, userdata);
        if (r == 0)
            r = sd_bus_message_skip(message, "v");
        if (r >= 0)
            r = sd_bus_message_exit_container(message);
    }
    return r < 0 ? r : sd_bus_message_exit_container(message);
}

ConstellationError properties_get(Link *link, const char *path, const char *interface,
                                  PropertyReader reader, void *userdata)
{
    auto_message call = NULL;
    auto_message reply = NULL;

    int r = link_message(link, path, "org.freedesktop.DBus.Properties", "GetAll", &call);
    if (r >= 0)
        r = sd_bus_message_append(call, "s", interface);
    if (r < 0)
        return fail_errno(r, "making a message");
    ConstellationError result = link_call(link, call, 0, &reply);
    if (result != CONSTELLATION_OK)
        return result;
    r = properties_read(reply, reader, userdata);
    return r < 0 ? fail_errno(r, "reading what the service says of %s", path) : CONSTELLATION_OK;
}
