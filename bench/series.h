/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A series of measured times and what is told of it. Medians and 90th percentiles, not means: one
 * start that met a page-out or a cron job says nothing about the others. */

#include <stddef.h>
#include <stdint.h>

typedef struct Series {
    uint64_t *usec;
    size_t count;
    size_t capacity;
} Series;

void series_add(Series *series, uint64_t usec);
void series_done(Series *series);

/* Nearest rank: the smallest value that at least `percent` of the values do not exceed. 0 if the
 * series is empty. */
uint64_t series_percentile(const Series *series, unsigned percent);

/* Ends the program with "what: text of errno": a figure that is not true is worse than none. */
_Noreturn void fail(int error_number, const char *what);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t now_nsec(void);

/* Returns at once for 0. */
void pause_msec(unsigned msec);
