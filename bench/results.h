/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What bench/start found, as a table for people and as JSON for programs. */

#include <stdbool.h>

#include "series.h"

enum { PAUSE_COUNT = 3, IN_FLIGHT = 16 };

typedef struct Row {
    unsigned pause_msec;
    Series ours;  /* call to the payload's first line */
    Series reply; /* call to the reply */
    Series peer;  /* empty without systemd */
    Series bare;  /* empty without the right to make namespaces */
} Row;

typedef struct Results {
    unsigned count; /* starts behind each figure of a row */
    bool has_systemd;
    Row rows[PAUSE_COUNT];
    unsigned total; /* starts behind the figures of throughput */
    double ours_per_second;
    double peer_per_second;
} Results;

void results_print(const Results *results);

/* Ends the program with a message where the file cannot be written. */
void results_write_json(const Results *results, const char *path);

void results_done(Results *results);
