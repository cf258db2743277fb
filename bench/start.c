/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How long is it from asking for an instance to the first line of its program? Measured from the
 * outside, as a caller meets it: RunInstance on the bus, with four namespaces and a scope, against
 * `systemd-run --scope`, which isolates nothing.
 *
 * Both take turns in one run, so that what else the machine does hits both; and each start comes
 * after a pause, as PID 1's migration of a process into a cgroup is several times dearer after 30
 * ms of quiet than back to back: figures without pauses flatter everybody. */

#include <err.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "peers.h"
#include "results.h"
#include "series.h"
#include "stamps.h"

enum { WARM_UP = 5, START_TIMEOUT_MSEC = 10000 };

static const unsigned pauses_msec[PAUSE_COUNT] = { 0, 30, 100 };

typedef struct Bench {
    sd_bus *bus;
    const char *destination; /* NULL on a private socket */
    bool has_systemd;        /* then there is a scope, and the peer */
    bool has_bare;
    const char *probe;
    unsigned count;
    unsigned serial; /* for names that are used once */
    Stamps stamps;
} Bench;

static int append_settings(const Bench *bench, sd_bus_message *message)
{
    static const char *const isolation[] = { "PIDNamespace", "MountNamespace", "UTSNamespace",
                                             "IPCNamespace" };
    int r = sd_bus_message_open_container(message, 'a', "{sv}");

    if (r >= 0)
        r = sd_bus_message_append(message, "{sv}", "Command", "as", 3, bench->probe, "stamp",
                                  bench->stamps.path);
    for (size_t i = 0; r >= 0 && i < sizeof isolation / sizeof isolation[0]; i++)
        r = sd_bus_message_append(message, "{sv}", isolation[i], "s", "required");
    if (r >= 0 && bench->has_systemd)
        r = sd_bus_message_append(message, "{sv}", "Backend", "s", "scope");
    if (r >= 0)
        r = sd_bus_message_append(message, "{sv}", "RemoveOnExit", "s", "yes");
    return r < 0 ? r : sd_bus_message_close_container(message);
}

static sd_bus_message *new_call(Bench *bench)
{
    sd_bus_message *message = NULL;
    char name[64];
    int r = sd_bus_message_new_method_call(bench->bus, &message, bench->destination,
                                           "/org/rads/Constellation",
                                           "org.rads.Constellation.Manager", "RunInstance");

    (void)snprintf(name, sizeof name, "bench-%d-%u", getpid(), bench->serial++);
    if (r >= 0)
        r = sd_bus_message_append(message, "s", name);
    if (r >= 0)
        r = append_settings(bench, message);
    if (r >= 0)
        r = sd_bus_message_append(message, "a{sv}", 0);
    if (r < 0)
        fail(-r, "RunInstance");
    return message;
}

/* One start by itself. The message is made before the clock is read: so is systemd-run's argv. */
static uint64_t our_start(Bench *bench, uint64_t *ret_reply_usec)
{
    sd_bus_message *message = new_call(bench), *reply = NULL;
    sd_bus_error error = SD_BUS_ERROR_NULL;
    uint64_t begin = now_nsec();
    int r = sd_bus_call(bench->bus, message, 0, &error, &reply);
    uint64_t replied = now_nsec();

    if (r < 0)
        errx(1, "RunInstance: %s: %s", error.name, error.message);
    (void)sd_bus_message_unref(message);
    (void)sd_bus_message_unref(reply);

    uint64_t stamp = stamps_next(&bench->stamps, START_TIMEOUT_MSEC);
    if (stamp <= begin)
        errx(1, "RunInstance: no stamp of its payload");
    *ret_reply_usec = (replied - begin) / 1000;
    return (stamp - begin) / 1000;
}

static void measure_row(Bench *bench, Row *row)
{
    for (unsigned i = 0; i < bench->count + WARM_UP; i++) {
        bool counts = i >= WARM_UP;
        uint64_t reply_usec;

        pause_msec(row->pause_msec);
        uint64_t usec = our_start(bench, &reply_usec);
        if (counts) {
            series_add(&row->ours, usec);
            series_add(&row->reply, reply_usec);
        }
        if (bench->has_systemd) {
            pause_msec(row->pause_msec);
            usec = peer_start(bench->probe, &bench->stamps);
            if (counts)
                series_add(&row->peer, usec);
        }
        if (bench->has_bare) {
            pause_msec(row->pause_msec);
            usec = bare_start(bench->probe, &bench->stamps);
            if (counts)
                series_add(&row->bare, usec);
        }
    }
}

static int on_reply(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
    unsigned *replied = userdata;
    const sd_bus_error *error = sd_bus_message_get_error(message);

    (void)ret_error;
    if (error != NULL)
        errx(1, "RunInstance: %s: %s", error->name, error->message);
    (*replied)++;
    return 1;
}

static void call_async(Bench *bench, unsigned *replied)
{
    sd_bus_message *message = new_call(bench);
    int r = sd_bus_call_async(bench->bus, NULL, message, on_reply, replied, 0);

    if (r < 0)
        fail(-r, "RunInstance");
    (void)sd_bus_message_unref(message);
}

/* From the first call to the last payload's first line. */
static double our_throughput(Bench *bench, unsigned total)
{
    unsigned asked = 0, replied = 0;
    uint64_t begin = now_nsec(), last = begin;

    while (replied < total) {
        for (; asked < total && asked - replied < IN_FLIGHT; asked++)
            call_async(bench, &replied);

        int r = sd_bus_process(bench->bus, NULL);
        if (r == 0)
            r = sd_bus_wait(bench->bus, UINT64_MAX);
        if (r < 0)
            fail(-r, "the connection to the service");
    }
    for (unsigned i = 0; i < total; i++) {
        uint64_t stamp = stamps_next(&bench->stamps, START_TIMEOUT_MSEC);

        if (stamp == 0)
            errx(1, "RunInstance: %u payloads of %u left no stamp", total - i, total);
        last = stamp > last ? stamp : last;
    }
    return total / ((double)(last - begin) / 1e9);
}

static void measure_throughput(Bench *bench, Results *results)
{
    results->total = bench->count < 2 * IN_FLIGHT ? 2 * IN_FLIGHT : bench->count;
    results->ours_per_second = our_throughput(bench, results->total);
    if (bench->has_systemd)
        results->peer_per_second = peer_throughput(bench->probe, &bench->stamps, results->total,
                                                   IN_FLIGHT);
}

static void connect_to(Bench *bench, const char *socket_path, bool user)
{
    char address[512];
    int r;

    if (socket_path == NULL) {
        r = user ? sd_bus_open_user(&bench->bus) : sd_bus_open_system(&bench->bus);
        bench->destination = "org.rads.Constellation";
    } else {
        (void)snprintf(address, sizeof address, "unix:path=%s", socket_path);
        r = sd_bus_new(&bench->bus);
        if (r >= 0)
            r = sd_bus_set_address(bench->bus, address);
        if (r >= 0)
            r = sd_bus_start(bench->bus);
    }
    if (r < 0)
        fail(-r, socket_path != NULL ? socket_path : "the bus");
}

static unsigned count_of(const char *word)
{
    char *end;
    unsigned long value = strtoul(word, &end, 10);

    if (end == word || *end != '\0' || value < 1 || value > 100000)
        errx(2, "--count: not a number between 1 and 100000: %s", word);
    return (unsigned)value;
}

static _Noreturn void usage(int status)
{
    (void)fprintf(status == 0 ? stdout : stderr,
                  "start --probe PATH [--count N] [--json FILE] [--user | --socket PATH]\n"
                  "  --probe PATH    the payload, tests/probe (an absolute path)\n"
                  "  --count N       starts for each pause, default 200\n"
                  "  --json FILE     the figures once more, for programs\n"
                  "  --user          the service on the session bus\n"
                  "  --socket PATH   a private service: any rung, nothing to compare with\n");
    exit(status);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "probe", required_argument, NULL, 'p' },
        { "count", required_argument, NULL, 'c' },
        { "json", required_argument, NULL, 'j' },
        { "user", no_argument, NULL, 'u' },
        { "socket", required_argument, NULL, 's' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    Bench bench = { .count = 200 };
    const char *json = NULL, *socket_path = NULL;
    bool user = false;

    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) >= 0;)
        switch (option) {
        case 'p':
            bench.probe = optarg;
            break;
        case 'c':
            bench.count = count_of(optarg);
            break;
        case 'j':
            json = optarg;
            break;
        case 'u':
            user = true;
            break;
        case 's':
            socket_path = optarg;
            break;
        default:
            usage(option == 'h' ? 0 : 2);
        }
    if (bench.probe == NULL || bench.probe[0] != '/' || optind < argc ||
        (user && socket_path != NULL))
        usage(2);

    bench.has_systemd = socket_path == NULL;
    stamps_open(&bench.stamps);
    bench.has_bare = bench.has_systemd && bare_is_possible(bench.probe, &bench.stamps);
    connect_to(&bench, socket_path, user);

    Results results = { .count = bench.count, .has_systemd = bench.has_systemd };
    for (size_t i = 0; i < PAUSE_COUNT; i++) {
        results.rows[i].pause_msec = pauses_msec[i];
        measure_row(&bench, &results.rows[i]);
    }
    measure_throughput(&bench, &results);

    results_print(&results);
    if (json != NULL)
        results_write_json(&results, json);
    results_done(&results);
    (void)sd_bus_flush_close_unref(bench.bus);
    return 0;
}
