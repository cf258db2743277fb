/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a run ended whose init was killed before it could write that down. */

#include "core/instance.h"

typedef struct InquestVerdict {
    int cld_code; /* of the init: CLD_EXITED, CLD_KILLED, CLD_DUMPED; 0: nobody knows, and: */
    int cld_status;
    Result otherwise; /* what its cgroup has to say; RESULT_LOST: nothing */
    bool reaped;      /* the init's pid is nobody's any more */
} InquestVerdict;

/* Asks whoever may know, for a second at most, and goes on with instance_exit_from_inquest(),
 * perhaps before it returns. The record is that of the run, or NULL. */
void inquest_open(Instance *instance, const struct Record *record);

/* instance-exit.c */
void instance_exit_from_inquest(Instance *instance, const struct Record *record,
                                const InquestVerdict *verdict);
