/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The same thing done to several instances, all at once: each is resolved, told, and waited for by
 * itself; one that fails does not keep the others from it. */

#include "ctl/action.h"

/* a{sv} of one option, NoWait: what a kind without options of its own appends. */
void action_append_no_wait(const Ctl *ctl, sd_bus_message *message);

/* Complains of each failure; the exit status of the worst. */
int actions_run(const Ctl *ctl, const ActionKind *kind, const char *const *names, unsigned n_names);

/* ... to the instances that the command line names; with --json=, the report is a table. */
int actions_run_arguments(const Ctl *ctl, const ActionKind *kind);

/* It was killed and does not go; then *ret_why. */
bool sight_is_unkillable(const Sight *sight, char **ret_why);

/* Start, also for create --start. */
extern const ActionKind action_start;
