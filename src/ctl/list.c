/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fnmatch.h>

#include "ctl/call.h"
#include "ctl/ctl.h"
#include "ctl/instance-text.h"
#include "ctl/table.h"

#define PAGE_ROWS 1000u

/* One row of ListInstances; the strings are the reply's. */
typedef struct Row {
    const char *id, *name, *state, *description, *path;
    uint32_t owner, main_pid;
} Row;

static const Column columns[] = {
    { "", NULL, COLUMN_TABLE_ONLY },
    { "NAME", "name", COLUMN_SHRINK },
    { "STATE", "state", 0 },
    { "MAIN PID", "main_pid", COLUMN_RIGHT },
    { "OWNER", "owner", 0 },
    { "ID", "id", 0 },
    { "PATH", "path", COLUMN_JSON_ONLY },
    { "DESCRIPTION", "description", COLUMN_SHRINK },
};

static void add_row(Table *table, const Ctl *ctl, const Row *row)
{
    State state = state_from_string(row->state);
    g_autofree char *owner = user_text(row->owner);

    table_add_string(table, state_dot(&ctl->terminal, state));
    table_color(table, state_color(state));
    table_add_string(table, row->name);
    table_add_string(table, row->state);
    table_color(table, state_color(state));
    if (row->main_pid != 0)
        table_add_uint(table, row->main_pid, NULL);
    else
        table_add_null(table);
    table_add_uint(table, row->owner, owner);
    table_add_string(table, row->id);
    table_add_string(table, row->path);
    table_add_string(table, row->description);
}

/* The service knows one pattern; of several, ours is the choice. */
static bool name_is_wanted(const Options *options, const char *name)
{
    for (unsigned i = 0; i < options->arguments->len; i++)
        if (fnmatch(option_argument(options, i), name, 0) == 0)
            return true;
    return options->arguments->len == 0;
}

static bool append_owner(const Options *options, sd_bus_message *message, GError **error)
{
    const char *owner = option_value(options, OPTION_OWNER);
    uid_t uid;

    if (!owner)
        return true;
    if (!user_from_text(owner, &uid))
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "--owner=%s: there is no such user", owner);
    must(sd_bus_message_append(message, "{sv}", "Owner", "u", (uint32_t)uid));
    return true;
}

static bool append_filter(const Options *options, sd_bus_message *message, const char *after,
                          GError **error)
{
    const char *state = option_value(options, OPTION_STATE);
    const char *label = option_value(options, OPTION_LABEL);

    must(sd_bus_message_open_container(message, 'a', "{sv}"));
    if (state) {
        g_autofree char *upper = g_ascii_strup(state, -1);

        must(sd_bus_message_append(message, "{sv}", "State", "s", upper));
    }
    if (label)
        must(sd_bus_message_append(message, "{sv}", "Label", "s", label));
    if (options->arguments->len == 1)
        must(sd_bus_message_append(message, "{sv}", "Name", "s", option_argument(options, 0)));
    if (!append_owner(options, message, error))
        return false;
    if (after)
        must(sd_bus_message_append(message, "{sv}", "After", "s", after));
    must(sd_bus_message_append(message, "{sv}", "Limit", "u", PAGE_ROWS));
    must(sd_bus_message_close_container(message));
    return true;
}

/* Adds one page to the table; *ret_rows is how many rows it had, *ret_last the id of its last. */
static bool add_page(Table *table, const Ctl *ctl, sd_bus_message *reply, unsigned *ret_rows,
                     char **ret_last, GError **error)
{
    Row row = { 0 };
    unsigned n = 0;
    int r = sd_bus_message_enter_container(reply, 'a', "(ssssuuo)");

    while (r > 0 &&
           (r = sd_bus_message_read(reply, "(ssssuuo)", &row.id, &row.name, &row.state,
                                    &row.description, &row.owner, &row.main_pid, &row.path)) > 0) {
        if (name_is_wanted(&ctl->options, row.name))
            add_row(table, ctl, &row);
        n++;
    }
    if (r < 0)
        return reply_is_odd(error, r);
    *ret_rows = n;
    g_free(*ret_last);
    *ret_last = g_strdup(row.id);
    return true;
}

int verb_list(Ctl *ctl)
{
    g_autoptr(Table) table = table_new(columns, G_N_ELEMENTS(columns));
    g_autoptr(GError) error = NULL;
    g_autofree char *last = NULL;
    unsigned rows = 0;

    /* The service may give less than a page asks for, so only an empty one is the end. */
    do {
        g_autoptr(sd_bus_message)
            message = call_new(&ctl->connection, MANAGER_PATH, MANAGER_INTERFACE, "ListInstances");
        g_autoptr(sd_bus_message) reply = NULL;

        if (!append_filter(&ctl->options, message, last, &error))
            return ctl_fail(error);
        reply = call_send(&ctl->connection, message, &error);
        if (!reply || !add_page(table, ctl, reply, &rows, &last, &error))
            return ctl_fail(error);
    } while (rows > 0);
    ctl_print_table(ctl, table, "instance");
    return STATUS_OK;
}
