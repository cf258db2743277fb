/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a run ended, and the exit status that tells it. */

#include "ctl/variant.h"

typedef struct Ending {
    uint32_t run;
    char *result; /* as on the bus: success, exit-code, signal … */
    int code;     /* CLD_EXITED, CLD_KILLED, CLD_DUMPED; else it is not known */
    int status;   /* exit code or signal */
} Ending;

Ending *ending_copy(const Ending *ending);
void ending_free(Ending *ending);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ending, ending_free)

/* Of an instance at rest. Free of its own memory: valid as long as the properties. */
Ending ending_from_properties(const Variant *properties);

/* The payload's exit code, 128 + the signal, or STATUS_OURS if nobody knows. */
int ending_status(const Ending *ending);

/* What is worth a note: "killed by SIGKILL (oom-kill)"; NULL if the exit status says all. g_free.
 */
char *ending_note(const Ending *ending);

/* The exit status for a start that failed: whether the payload could not be found, not be executed,
 * or something before it went wrong. */
int start_failure_status(const GError *error);
