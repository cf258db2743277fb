/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who a message is from. On a private socket the kernel said it when the connection was made; on a
 * bus the broker is asked once for each unique name. Any failure is a no: an unknown caller has no
 * uid, and never one of zero. */

#include "bus/face.h"

bool caller_uid(Connection *connection, sd_bus_message *message, uid_t *ret)
{
    const char *sender = sd_bus_message_get_sender(message);
    sd_bus_creds *creds = NULL;
    uid_t uid;

    if (!connection->is_message_bus) {
        *ret = connection->peer_uid;
        return true;
    }
    if (!sender)
        return false;
    gpointer known = g_hash_table_lookup(connection->uids, sender);
    if (known) {
        *ret = (uid_t)(GPOINTER_TO_SIZE(known) - 1);
        return true;
    }
    /* Not augmented: what /proc says of a pid is not what the broker knows of the sender. */
    int r = sd_bus_get_name_creds(connection->bus, sender, SD_BUS_CREDS_EUID, &creds);
    if (r >= 0)
        r = sd_bus_creds_get_euid(creds, &uid);
    sd_bus_creds_unref(creds);
    if (r < 0 || uid == (uid_t)-1)
        return false;
    g_hash_table_insert(connection->uids, g_strdup(sender), GSIZE_TO_POINTER((gsize)uid + 1));
    *ret = uid;
    return true;
}

void caller_left(Connection *connection, const char *unique_name)
{
    g_hash_table_remove(connection->uids, unique_name);
    waits_drop(connection, unique_name);
}

bool viewer_may_inspect(Target *target)
{
    Connection *connection = target->connection;
    sd_bus_message *message = sd_bus_get_current_message(connection->bus);
    uid_t uid;

    if (connection->emitting || !message || !caller_uid(connection, message, &uid))
        return false;
    return uid == 0 || uid == target->instance->owner;
}
