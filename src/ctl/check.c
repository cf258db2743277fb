/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ctl/call.h"
#include "ctl/reasons.h"

int verb_check(Ctl *ctl)
{
    const Connection *connection = &ctl->connection;
    g_autoptr(GError) error = NULL;
    g_autoptr(sd_bus_message)
        message = call_new(connection, MANAGER_PATH, MANAGER_INTERFACE, "CheckInstance");
    g_autoptr(sd_bus_message) reply = NULL;

    must(sd_bus_message_append(message, "s", option_argument(&ctl->options, 0)));
    settings_flags_append(&ctl->options.settings, message);
    reply = call_send(connection, message, &error);
    if (!reply || !reasons_print(ctl, reply, "FEATURE", &error))
        return ctl_fail(error);
    return STATUS_OK;
}
