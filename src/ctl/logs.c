/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What an instance wrote, and what the service said of it: where there is a journal all of it is in
 * there, and journalctl reads that better than we could. It takes our place by exec, so that
 * following, paging and the exit status are its own. */

#include <errno.h>
#include <unistd.h>

#include "ctl/call.h"
#include "ctl/ctl.h"
#include "ctl/log-ring.h"
#include "ctl/variant.h"

/* The payload's lines carry the instance's name as identifier, over all its runs; the service's
 * own messages the id. */
static char **journalctl_command(const Ctl *ctl, const char *name, const char *id)
{
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    const char *lines = option_value(&ctl->options, OPTION_LINES);
    g_autofree char *by_name = g_strconcat("SYSLOG_IDENTIFIER=", name, NULL);
    g_autofree char *by_id = g_strconcat("CONSTELLATION_ID=", id, NULL);

    g_strv_builder_add(words, "journalctl");
    if (option_given(&ctl->options, OPTION_FOLLOW))
        g_strv_builder_add(words, "--follow");
    if (lines) {
        g_autofree char *option = g_strconcat("--lines=", lines, NULL);
        g_strv_builder_add(words, option);
    }
    if (option_given(&ctl->options, OPTION_NO_PAGER))
        g_strv_builder_add(words, "--no-pager");
    if (option_given(&ctl->options, OPTION_QUIET))
        g_strv_builder_add(words, "--quiet");
    if (ctl->options.json != JSON_OFF)
        g_strv_builder_add(words, ctl->options.json == JSON_PRETTY ? "--output=json-pretty"
                                                                   : "--output=json");
    g_strv_builder_add(words, by_name);
    g_strv_builder_add(words, "+");
    g_strv_builder_add(words, by_id);
    return g_strv_builder_end(words);
}

int verb_logs(Ctl *ctl)
{
    const Connection *connection = &ctl->connection;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = instance_path(connection, option_argument(&ctl->options, 0), &error);
    g_autoptr(Variant)
        properties = path ? properties_get(connection, path, INSTANCE_INTERFACE, &error) : NULL;

    if (!properties)
        return ctl_fail(error);
    if (g_str_equal(variant_string(properties, "LogTarget"), "ring"))
        return log_ring_print(ctl, path);
    g_auto(GStrv)
        command = journalctl_command(ctl, variant_string(properties, "Name"), path_id(path));
    (void)execvp(command[0], command);
    error_from_errno(&error, CONSTELLATION_ERROR_NOT_SUPPORTED, errno,
                     "cannot run journalctl, which reads the journal (this host has none? then "
                     "StandardOutput=file:PATH keeps what an instance writes)");
    return ctl_fail(error);
}
