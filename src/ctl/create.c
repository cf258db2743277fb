/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "ctl/actions.h"
#include "ctl/call.h"
#include "ctl/created.h"

int verb_create(Ctl *ctl)
{
    const Connection *connection = &ctl->connection;
    const char *name = option_argument(&ctl->options, 0), *path;
    g_autoptr(GError) error = NULL;
    g_autoptr(sd_bus_message)
        message = call_new(connection, MANAGER_PATH, MANAGER_INTERFACE, "CreateInstance");
    g_autoptr(sd_bus_message) reply = NULL;

    must(sd_bus_message_append(message, "s", name));
    settings_flags_append(&ctl->options.settings, message);
    reply = call_send(connection, message, &error);
    if (!reply || !reply_read(reply, &error, "o", &path))
        return ctl_fail(error);
    created_print(ctl, name, path);
    if (!option_given(&ctl->options, OPTION_START))
        return STATUS_OK;

    const char *id = path_id(path);

    return actions_run(ctl, &action_start, &id, 1);
}
