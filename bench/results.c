/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "results.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

static double ratio(const Row *row)
{
    uint64_t peer = series_percentile(&row->peer, 50);

    return peer > 0 ? (double)series_percentile(&row->ours, 50) / (double)peer : 0;
}

static void print_cell(const Series *series)
{
    if (series->count == 0)
        (void)printf("%9s %8s", "-", "-");
    else
        (void)printf("%9.2f %8.2f", (double)series_percentile(series, 50) / 1000,
                     (double)series_percentile(series, 90) / 1000);
}

void results_print(const Results *results)
{
    (void)printf("Start, from the call to the payload's first line; ms, median and 90th percentile "
                 "of %u\n\n",
                 results->count);
    (void)printf("%6s %18s %18s %18s %18s %7s\n", "pause", "constellation", "its reply",
                 "systemd-run", "bare clone", "ratio");
    for (size_t i = 0; i < PAUSE_COUNT; i++) {
        (void)printf("%6u ", results->rows[i].pause_msec);
        print_cell(&results->rows[i].ours);
        (void)printf(" ");
        print_cell(&results->rows[i].reply);
        (void)printf(" ");
        print_cell(&results->rows[i].peer);
        (void)printf(" ");
        print_cell(&results->rows[i].bare);
        if (results->has_systemd)
            (void)printf(" %7.2f\n", ratio(&results->rows[i]));
        else
            (void)printf(" %7s\n", "-");
    }
    (void)printf("\n%d in flight: %.0f starts/s", IN_FLIGHT, results->ours_per_second);
    if (results->has_systemd)
        (void)printf(", systemd-run %.0f starts/s, ratio %.2f", results->peer_per_second,
                     results->ours_per_second / results->peer_per_second);
    (void)printf("\n");
}

static void write_series(FILE *file, const char *key, const Series *series)
{
    if (series->count > 0)
        (void)fprintf(file, ", \"%s\": {\"median_usec\": %" PRIu64 ", \"p90_usec\": %" PRIu64 "}",
                      key, series_percentile(series, 50), series_percentile(series, 90));
}

void results_write_json(const Results *results, const char *path)
{
    FILE *file = fopen(path, "we");
    struct utsname host;

    if (file == NULL)
        fail(errno, path);
    (void)uname(&host);
    (void)fprintf(file,
                  "{\"benchmark\": \"start\", \"kernel\": \"%s\", \"cpus\": %ld, \"count\": %u,\n",
                  host.release, sysconf(_SC_NPROCESSORS_ONLN), results->count);
    (void)fprintf(file, " \"pauses\": [\n");
    for (size_t i = 0; i < PAUSE_COUNT; i++) {
        (void)fprintf(file, "  {\"pause_msec\": %u", results->rows[i].pause_msec);
        write_series(file, "ours", &results->rows[i].ours);
        write_series(file, "reply", &results->rows[i].reply);
        write_series(file, "peer", &results->rows[i].peer);
        write_series(file, "bare", &results->rows[i].bare);
        if (results->has_systemd)
            (void)fprintf(file, ", \"ratio\": %.3f", ratio(&results->rows[i]));
        (void)fprintf(file, "}%s\n", i + 1 < PAUSE_COUNT ? "," : "");
    }
    (void)fprintf(file, " ],\n \"throughput\": {\"in_flight\": %d, \"total\": %u, \"ours\": %.1f",
                  IN_FLIGHT, results->total, results->ours_per_second);
    if (results->has_systemd)
        (void)fprintf(file, ", \"peer\": %.1f, \"ratio\": %.3f", results->peer_per_second,
                      results->ours_per_second / results->peer_per_second);
    (void)fprintf(file, "}}\n");
    if (ferror(file) || fclose(file) != 0)
        fail(errno, path);
}

void results_done(Results *results)
{
    for (size_t i = 0; i < PAUSE_COUNT; i++) {
        series_done(&results->rows[i].ours);
        series_done(&results->rows[i].reply);
        series_done(&results->rows[i].peer);
        series_done(&results->rows[i].bare);
    }
}
