/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a view of its own costs: a start with Filesystem=private and Network=none by a private
 * service, against bubblewrap told to isolate the same. Neither makes a cgroup's limits here. Both
 * take turns in one run; the clock begins with the call on the bus, or with the spawn of bwrap, and
 * ends with the payload's first line. */

#include <err.h>
#include <errno.h>
#include <libgen.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "series.h"
#include "stamps.h"

enum { WARM_UP = 5, START_TIMEOUT_MSEC = 10000, DEFAULT_COUNT = 200 };

typedef struct View {
    sd_bus *bus;
    const char *probe;
    char directory[256]; /* of the probe */
    Stamps stamps;
    unsigned serial;
} View;

static void check_bus(int r, const char *what)
{
    if (r < 0)
        fail(-r, what);
}

static uint64_t usec_since(uint64_t begin, const char *who, Stamps *stamps)
{
    uint64_t stamp = stamps_next(stamps, START_TIMEOUT_MSEC);

    if (stamp <= begin)
        errx(1, "%s: no stamp of its payload", who);
    return (stamp - begin) / 1000;
}

static sd_bus_message *new_call(View *view)
{
    static const char *const wishes[][2] = {
        { "Filesystem", "private" },    { "Network", "none" },
        { "PIDNamespace", "required" }, { "UTSNamespace", "required" },
        { "IPCNamespace", "required" }, { "RemoveOnExit", "yes" },
    };
    sd_bus_message *message = NULL;
    char name[64];

    (void)snprintf(name, sizeof name, "bench-%u", view->serial++);
    check_bus(sd_bus_message_new_method_call(view->bus, &message, NULL, "/org/rads/Constellation",
                                             "org.rads.Constellation.Manager", "RunInstance"),
              "a call");
    check_bus(sd_bus_message_append(message, "s", name), "a call");
    check_bus(sd_bus_message_open_container(message, 'a', "{sv}"), "a call");
    check_bus(sd_bus_message_append(message, "{sv}{sv}{sv}", "Command", "as", 3, view->probe,
                                    "stamp", view->stamps.path, "BindPaths", "as", 1,
                                    view->stamps.directory, "BindReadOnlyPaths", "as", 1,
                                    view->directory),
              "a call");
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++)
        check_bus(sd_bus_message_append(message, "{sv}", wishes[i][0], "s", wishes[i][1]),
                  "a call");
    check_bus(sd_bus_message_close_container(message), "a call");
    check_bus(sd_bus_message_append(message, "a{sv}", 0), "a call");
    return message;
}

static uint64_t our_start(View *view)
{
    sd_bus_message *message = new_call(view), *reply = NULL;
    sd_bus_error error = SD_BUS_ERROR_NULL;
    uint64_t begin = now_nsec();
    int r = sd_bus_call(view->bus, message, 0, &error, &reply);

    if (r < 0)
        errx(1, "RunInstance: %s: %s", error.name, error.message);
    (void)sd_bus_message_unref(message);
    (void)sd_bus_message_unref(reply);
    return usec_since(begin, "RunInstance", &view->stamps);
}

static uint64_t bwrap_start(View *view)
{
    const char *argv[] = {
        "bwrap",
        "--unshare-pid",
        "--unshare-uts",
        "--unshare-ipc",
        "--unshare-net",
        "--unshare-cgroup-try",
        "--hostname",
        "bench",
        "--ro-bind",
        "/usr",
        "/usr",
        "--ro-bind",
        "/etc",
        "/etc",
        "--symlink",
        "usr/bin",
        "/bin",
        "--symlink",
        "usr/lib",
        "/lib",
        "--symlink",
        "usr/lib64",
        "/lib64",
        "--symlink",
        "usr/sbin",
        "/sbin",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--dir",
        "/tmp",
        "--dir",
        "/run",
        "--dir",
        "/home",
        "--ro-bind",
        view->directory,
        view->directory,
        "--bind",
        view->stamps.directory,
        view->stamps.directory,
        view->probe,
        "stamp",
        view->stamps.path,
        NULL,
    };
    uint64_t begin = now_nsec(), usec;
    int status;
    pid_t pid;
    int r = posix_spawnp(&pid, argv[0], NULL, NULL, (char **)argv, environ);

    if (r != 0)
        fail(r, argv[0]);
    usec = usec_since(begin, "bwrap", &view->stamps);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            fail(errno, "bwrap");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        errx(1, "bwrap failed with wait status %#x", (unsigned)status);
    return usec;
}

static void measure(View *view, unsigned pause, unsigned count)
{
    Series ours = { 0 }, theirs = { 0 };

    for (unsigned i = 0; i < count + WARM_UP; i++) {
        uint64_t usec;

        pause_msec(pause);
        usec = our_start(view);
        if (i >= WARM_UP)
            series_add(&ours, usec);
        pause_msec(pause);
        usec = bwrap_start(view);
        if (i >= WARM_UP)
            series_add(&theirs, usec);
    }
    double our_msec = (double)series_percentile(&ours, 50) / 1000;
    double their_msec = (double)series_percentile(&theirs, 50) / 1000;
    (void)printf("%6u %9.2f %8.2f %9.2f %8.2f %7.2f\n", pause, our_msec,
                 (double)series_percentile(&ours, 90) / 1000, their_msec,
                 (double)series_percentile(&theirs, 90) / 1000, our_msec / their_msec);
    series_done(&ours);
    series_done(&theirs);
}

int main(int argc, char **argv)
{
    static const unsigned pauses[] = { 0, 30, 100 };
    View view = { .probe = argc > 2 ? argv[2] : NULL };
    unsigned count = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : DEFAULT_COUNT;
    char address[512];

    if (argc < 3 || argc > 4 || argv[2][0] != '/' || count == 0)
        errx(2, "view SOCKET PROBE [COUNT]: a private service's socket, tests/probe by its path");
    (void)snprintf(view.directory, sizeof view.directory, "%s", view.probe);
    (void)dirname(view.directory);
    (void)snprintf(address, sizeof address, "unix:path=%s", argv[1]);
    stamps_open(&view.stamps);
    check_bus(sd_bus_new(&view.bus), "a bus");
    check_bus(sd_bus_set_address(view.bus, address), argv[1]);
    check_bus(sd_bus_start(view.bus), argv[1]);

    (void)printf("Start with a view of its own, to the payload's first line; ms, median and 90th "
                 "percentile of %u\n\n%6s %18s %18s %7s\n",
                 count, "pause", "constellation", "bwrap", "ratio");
    for (size_t i = 0; i < sizeof pauses / sizeof pauses[0]; i++)
        measure(&view, pauses[i], count);
    (void)sd_bus_flush_close_unref(view.bus);
    return 0;
}
