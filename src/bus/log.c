/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* GetLog: what an instance wrote where there is no journal, a page at a time. */

#include "bus/call.h"
#include "bus/errors.h"
#include "bus/inspect.h"
#include "bus/settings-read.h"

typedef struct LogArgs {
    uint64_t cursor;
    uint64_t lines;
    bool from_end;
} LogArgs;

static int reply_page(sd_bus_message *message, const OutputLogPage *page)
{
    g_autoptr(sd_bus_message) reply = NULL;

    int r = sd_bus_message_new_method_return(message, &reply);
    if (r < 0)
        return r;
    (void)sd_bus_message_sensitive(reply);
    r = sd_bus_message_append(reply, "t", page->next);
    if (r >= 0)
        r = sd_bus_message_append_array(reply, 'y', page->data, page->size);
    if (r >= 0)
        r = sd_bus_message_append(reply, "t", page->lost);
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int act_get_log(Call *call, sd_bus_error *error)
{
    LogArgs *args = call->args;
    g_autofree OutputLogPage *page = g_new(OutputLogPage, 1);
    g_autoptr(GError) failure = NULL;

    if (args->from_end && !instance_seek_log(call->instance, args->lines, &args->cursor, &failure))
        return bus_fail(error, failure);
    if (!instance_read_log(call->instance, args->cursor, page, &failure))
        return bus_fail(error, failure);
    return reply_page(call->message, page);
}

/* "Lines" is where to begin instead of the cursor: so far from the end. */
int method_get_log(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Target target = *(Target *)userdata;
    g_autoptr(Call) call = call_new(target.connection, target.instance, message, act_get_log);
    LogArgs *args = call_args(call, sizeof *args, NULL);
    g_autoptr(GError) failure = NULL;
    Option options[] = { { "Lines", 't', &args->lines, false } };

    int r = sd_bus_message_read(message, "t", &args->cursor);
    if (r < 0)
        return r;
    if (!options_read(message, options, G_N_ELEMENTS(options), &failure))
        return bus_fail(error, failure);
    args->from_end = options[0].given || args->cursor == UINT64_MAX;
    return call_submit(g_steal_pointer(&call), error);
}
