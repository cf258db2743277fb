/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ctl/call.h"
#include "ctl/reasons.h"
#include "ctl/table.h"

/* The service's words for it; of a word that is newer than this program we make nothing. */
static Color outcome_color(const char *outcome)
{
    if (g_str_equal(outcome, "refused"))
        return COLOR_RED;
    if (g_str_equal(outcome, "dropped") || g_str_equal(outcome, "shared"))
        return COLOR_GREY;
    return COLOR_NONE;
}

bool reasons_print(const Ctl *ctl, sd_bus_message *reply, const char *first, GError **error)
{
    g_autofree char *key = g_ascii_strdown(first, -1);
    const Column columns[] = {
        { first, key, COLUMN_SHRINK },
        { "OUTCOME", "outcome", 0 },
        { "REASON", "reason", COLUMN_SHRINK },
    };
    g_autoptr(Table) table = table_new(columns, G_N_ELEMENTS(columns));
    const char *what, *outcome, *reason;
    int r = sd_bus_message_enter_container(reply, 'a', "(sss)");

    while (r > 0 && (r = sd_bus_message_read(reply, "(sss)", &what, &outcome, &reason)) > 0) {
        table_add_string(table, what);
        table_add_string(table, outcome);
        table_color(table, outcome_color(outcome));
        table_add_string(table, reason);
    }
    if (r < 0)
        return reply_is_odd(error, r);
    ctl_print_table(ctl, table, NULL);
    return true;
}
