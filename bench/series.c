/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "series.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

_Noreturn void fail(int error_number, const char *what)
{
    (void)fprintf(stderr, "bench: %s: %s\n", what, strerror(error_number));
    exit(1);
}

void series_add(Series *series, uint64_t usec)
{
    if (series->count == series->capacity) {
        series->capacity = series->capacity > 0 ? 2 * series->capacity : 256;
        series->usec = reallocarray(series->usec, series->capacity, sizeof *series->usec);
        if (series->usec == NULL)
            fail(ENOMEM, "series");
    }
    series->usec[series->count++] = usec;
}

void series_done(Series *series)
{
    free(series->usec);
    *series = (Series){ 0 };
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

uint64_t series_percentile(const Series *series, unsigned percent)
{
    if (series->count == 0)
        return 0;

    uint64_t *sorted = reallocarray(NULL, series->count, sizeof *sorted);
    if (sorted == NULL)
        fail(ENOMEM, "series");
    memcpy(sorted, series->usec, series->count * sizeof *sorted);
    qsort(sorted, series->count, sizeof *sorted, compare);

    size_t rank = (series->count * percent + 99) / 100;
    uint64_t value = sorted[rank > 0 ? rank - 1 : 0];
    free(sorted);
    return value;
}

uint64_t now_nsec(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void pause_msec(unsigned msec)
{
    struct timespec rest = { .tv_sec = msec / 1000, .tv_nsec = (long)(msec % 1000) * 1000000 };

    if (msec == 0)
        return;
    while (nanosleep(&rest, &rest) < 0 && errno == EINTR)
        ;
}
