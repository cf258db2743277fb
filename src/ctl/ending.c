/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <signal.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/ending.h"
#include "util/parse.h"

Ending *ending_copy(const Ending *ending)
{
    Ending *copy = g_new(Ending, 1);

    *copy = *ending;
    copy->result = g_strdup(ending->result);
    return copy;
}

void ending_free(Ending *ending)
{
    if (!ending)
        return;
    g_free(ending->result);
    g_free(ending);
}

int ending_status(const Ending *ending)
{
    switch (ending->code) {
    case CLD_EXITED:
        return ending->status & 0xff;
    case CLD_KILLED:
    case CLD_DUMPED:
        return STATUS_SIGNAL + ending->status;
    default:
        return STATUS_OURS;
    }
}

char *ending_note(const Ending *ending)
{
    const char *signal;

    switch (ending->code) {
    case CLD_EXITED:
        return NULL;
    case CLD_KILLED:
    case CLD_DUMPED:
        signal = signal_name(ending->status);
        return g_strdup_printf("killed by %s%s (%s)", signal ? signal : "a signal",
                               ending->code == CLD_DUMPED ? ", core dumped" : "", ending->result);
    default:
        return g_strdup_printf("ended (%s), and nobody knows its exit status", ending->result);
    }
}

Ending ending_from_properties(const Variant *properties)
{
    int64_t exit_code = variant_int(properties, "ExitCode", -1);
    int64_t signal = variant_int(properties, "ExitSignal", 0);

    return (Ending){
        .run = (uint32_t)variant_uint(properties, "Run", 0),
        .result = (char *)variant_string(properties, "Result"),
        .code = signal > 0       ? CLD_KILLED
                : exit_code >= 0 ? CLD_EXITED
                                 : 0,
        .status = (int)(signal > 0 ? signal : exit_code),
    };
}

/* The step that failed and the system's words for why are in the message, which the service says in
 * no language but its own. */
int start_failure_status(const GError *error)
{
    static const char *const unexecutable[] = { ": Permission denied", ": Exec format error",
                                                ": Is a directory", ": Text file busy" };

    if (error->code != CONSTELLATION_ERROR_SPAWN_FAILED ||
        !(g_str_has_prefix(error->message, "executing ") ||
          g_str_has_prefix(error->message, "opening the script ")))
        return STATUS_OURS;
    if (strstr(error->message, ": No such file or directory"))
        return STATUS_NOT_FOUND;
    for (unsigned i = 0; i < G_N_ELEMENTS(unexecutable); i++)
        if (strstr(error->message, unexecutable[i]))
            return STATUS_NOT_EXECUTABLE;
    return STATUS_OURS;
}
