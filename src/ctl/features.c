/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ctl/call.h"
#include "ctl/ctl.h"
#include "ctl/table.h"

int verb_features(Ctl *ctl)
{
    static const Column columns[] = {
        { "FEATURE", "feature", 0 },
        { "AVAILABLE", "available", 0 },
        { "REASON", "reason", COLUMN_SHRINK },
    };
    g_autoptr(Table) table = table_new(columns, G_N_ELEMENTS(columns));
    g_autoptr(GError) error = NULL;
    g_autoptr(sd_bus_message)
        reply = call(&ctl->connection, MANAGER_PATH, MANAGER_INTERFACE, "GetFeatures", &error, "");
    const char *feature, *reason;
    int available, r;

    if (!reply)
        return ctl_fail(error);
    r = sd_bus_message_enter_container(reply, 'a', "(sbs)");
    while (r > 0 && (r = sd_bus_message_read(reply, "(sbs)", &feature, &available, &reason)) > 0) {
        table_add_string(table, feature);
        table_add_bool(table, available);
        table_color(table, available ? COLOR_GREEN : COLOR_RED);
        table_add_string(table, reason);
    }
    if (r < 0) {
        reply_is_odd(&error, r);
        return ctl_fail(error);
    }
    ctl_print_table(ctl, table, NULL);
    return STATUS_OK;
}
