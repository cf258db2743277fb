/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "ctl/ctl.h"
#include "ctl/table.h"

int error_status(const GError *error)
{
    g_assert(error->domain == CONSTELLATION_ERROR);
    switch ((ErrorCode)error->code) {
    case CONSTELLATION_ERROR_INVALID_ARGS:
        return STATUS_USAGE;
    case CONSTELLATION_ERROR_NO_SUCH_INSTANCE:
        return STATUS_NO_SUCH;
    case CONSTELLATION_ERROR_ACCESS_DENIED:
        return STATUS_DENIED;
    default:
        return STATUS_FAILURE;
    }
}

/* What was said before comes first, also where both streams go to the same file. */
static void say(const char *name, const char *message)
{
    g_autofree char *safe_name = text_safe(name);
    g_autofree char *safe = text_safe(message);

    (void)fflush(stdout);
    fprintf(stderr, "constellationctl: %s%s%s\n", safe_name, *name ? ": " : "", safe);
}

void ctl_complain(const char *name, const GError *error)
{
    say(name ? name : "", error->message);
}

int ctl_fail(const GError *error)
{
    ctl_complain(NULL, error);
    return error_status(error);
}

void ctl_note(const Ctl *ctl, const char *format, ...)
{
    va_list args;

    if (option_given(&ctl->options, OPTION_QUIET))
        return;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);

    say("", text);
}

void ctl_print_table(const Ctl *ctl, const Table *table, const char *noun)
{
    Terminal terminal = ctl->terminal;
    bool legend = !option_given(&ctl->options, OPTION_NO_LEGEND) &&
                  !option_given(&ctl->options, OPTION_QUIET);

    if (ctl->options.json != JSON_OFF) {
        Json json;

        json_init(&json, stdout, ctl->options.json);
        table_print_json(table, &json);
        json_done(&json);
        return;
    }
    if (option_given(&ctl->options, OPTION_FULL))
        terminal.columns = 0;
    table_print(table, &terminal, legend && table_rows(table) > 0, stdout);
    if (legend && noun)
        printf("%s%u %s%s listed.\n", table_rows(table) > 0 ? "\n" : "", table_rows(table), noun,
               table_rows(table) == 1 ? "" : "s");
}
