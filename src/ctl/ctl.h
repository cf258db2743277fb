/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What every verb is given, and how every verb ends. */

#include "ctl/connection.h"
#include "ctl/options.h"
#include "ctl/terminal.h"

/* Exit statuses: those of systemctl where it has one, those of env(1) and timeout(1) for run. */
enum {
    STATUS_OK = 0,
    STATUS_FAILURE = 1,
    STATUS_USAGE = 2,
    STATUS_NOT_RUNNING = 3,
    STATUS_NO_SUCH = 4,
    STATUS_DENIED = 5,
    STATUS_TIMED_OUT = 124,      /* wait: --timeout= is over */
    STATUS_OURS = 125,           /* run, wait: we failed, not the payload */
    STATUS_NOT_EXECUTABLE = 126, /* run: it is there, and could not be executed */
    STATUS_NOT_FOUND = 127,      /* run: there is no such command */
    STATUS_SIGNAL = 128,         /* run, wait: plus the signal that ended the payload */
};

struct Ctl {
    Options options;
    Terminal terminal; /* standard output */
    Connection connection;
};

/* Prints "constellationctl: message" and returns the exit status that goes with it. */
int ctl_fail(const GError *error);

/* The same without the status, about one of several instances, or NULL. */
void ctl_complain(const char *name, const GError *error);
int error_status(const GError *error);

/* A note for people, on standard error; nothing with --quiet. */
void ctl_note(const Ctl *ctl, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The way to print a table that --json=, --no-legend and --full ask for; `noun` ("instance") for
 * the count below, or NULL for no count. */
typedef struct Table Table;
void ctl_print_table(const Ctl *ctl, const Table *table, const char *noun);
