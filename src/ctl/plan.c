/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ctl/call.h"
#include "ctl/reasons.h"

int verb_plan(Ctl *ctl)
{
    const Connection *connection = &ctl->connection;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = instance_path(connection, option_argument(&ctl->options, 0), &error);
    g_autoptr(sd_bus_message)
        reply = path ? call(connection, path, INSTANCE_INTERFACE, "GetPlan", &error, "") : NULL;

    if (!reply || !reasons_print(ctl, reply, "STEP", &error))
        return ctl_fail(error);
    return STATUS_OK;
}
