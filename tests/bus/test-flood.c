/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Clients of the private socket that mean no good: as many messages as go through, answers that
 * nobody reads, connections that come and go. The others are served, and afterwards all is as it
 * was. What is measured is compared with the same without them, with room for a busy machine. */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "bus/world.h"
#include "util/fd.h"

#define FLOODERS  4
#define SAMPLES   300
#define SLOW_MSEC 5.0 /* what nobody notices */
/* AddressSanitizer keeps what is freed for a while, up to 256 MiB. */
#ifdef __SANITIZE_ADDRESS__
#define RSS_KIB ((32 + 256) * 1024)
#else
#define RSS_KIB (32 * 1024)
#endif

static const char auth[] = "\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n";

static unsigned long service_rss_kib(void)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", service), *text = NULL;

    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    return strtoul(strstr(text, "VmRSS:") + strlen("VmRSS:"), NULL, 10);
}

static unsigned service_fds(void)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fd", service);
    g_autoptr(GDir) directory_of_fds = g_dir_open(path, 0, NULL);
    unsigned count = 0;

    while (directory_of_fds && g_dir_read_name(directory_of_fds))
        count++;
    return count;
}

static int compare(const void *a, const void *b)
{
    const double *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

/* In milliseconds: half of the calls take less; and 99 of 100. */
typedef struct AnswerTime {
    double median, p99;
} AnswerTime;

static AnswerTime answer_time(void)
{
    double samples[SAMPLES];

    for (unsigned i = 0; i < SAMPLES; i++) {
        gint64 start = g_get_monotonic_time();
        (void)bus_text(client, BUS_PATH, "Mode");
        samples[i] = (double)(g_get_monotonic_time() - start) / 1000;
    }
    qsort(samples, SAMPLES, sizeof *samples, compare);
    return (AnswerTime){ samples[SAMPLES / 2], samples[SAMPLES * 99 / 100] };
}

/* ---- who means no good ----------------------------------------------------------------------- */

typedef void (*Evil)(sd_bus *bus);

static sd_bus *evil_connect(void)
{
    sd_bus *bus = NULL;
    int fd = raw_connect();

    if (sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, fd, fd) < 0 || sd_bus_start(bus) < 0)
        _exit(1);
    return bus;
}

static pid_t evil_start(Evil evil)
{
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid > 0)
        return pid;
    /* Who of us gets the processor is the kernel's to say: it is the service that is looked at. */
    (void)setpriority(PRIO_PROCESS, 0, 19);
    /* When it is cut it begins anew. */
    for (;;) {
        sd_bus *bus = evil_connect();
        evil(bus);
        sd_bus_unref(bus);
    }
}

static void evil_end(pid_t pid)
{
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static void flood(sd_bus *bus)
{
    int r = 0;

    while (r >= 0) {
        g_autoptr(sd_bus_message) message = NULL;
        r = sd_bus_message_new_method_call(bus, &message, NULL, BUS_PATH, INTERFACE_MANAGER,
                                           "GetFeatures");
        if (r >= 0)
            r = sd_bus_message_set_expect_reply(message, false);
        if (r >= 0)
            r = sd_bus_send(bus, message, NULL);
        if (r >= 0)
            r = sd_bus_flush(bus);
    }
}

static void never_read(sd_bus *bus)
{
    int r = 0;

    while (r >= 0) {
        g_autoptr(sd_bus_message) message = NULL;
        r = sd_bus_message_new_method_call(bus, &message, NULL, BUS_PATH, INTERFACE_MANAGER,
                                           "GetFeatures");
        if (r >= 0)
            r = sd_bus_send(bus, message, NULL);
        if (r >= 0)
            r = sd_bus_flush(bus);
    }
}

/* Comes with the handshake and a call in one go, and is gone. */
static void come_and_go(sd_bus *bus)
{
    auto_fd fd = raw_connect();

    (void)bus;
    (void)send(fd, auth, sizeof auth - 1, MSG_NOSIGNAL);
}

/* ---- what becomes of the others -------------------------------------------------------------- */

static void check_service_under(const char *name, Evil evil)
{
    /* The launcher, timers and the like come with the first one. */
    (void)bus_call(client, bus_run(client, "first", "sleep 100"), "Destroy", "a{sv}", 1, "Force",
                   "b", 1);
    AnswerTime idle = answer_time();
    unsigned long rss = service_rss_kib();
    unsigned fds = service_fds();
    pid_t evils[FLOODERS];

    for (size_t i = 0; i < G_N_ELEMENTS(evils); i++)
        evils[i] = evil_start(evil);
    client_run(client, 300);
    AnswerTime busy = answer_time();
    g_autofree char *path = g_strdup(bus_run(client, "web", "sleep 100"));
    unsigned long most = service_rss_kib();
    for (size_t i = 0; i < G_N_ELEMENTS(evils); i++)
        evil_end(evils[i]);
    fprintf(stderr,
            "# %s: a call took %.2f ms (p99 %.2f), alone %.2f (%.2f); %lu KiB more at most\n", name,
            busy.median, busy.p99, idle.median, idle.p99, most > rss ? most - rss : 0);
    ck_assert_msg(busy.median < MAX(20 * idle.median, SLOW_MSEC), "%s: %.2f ms", name, busy.median);
    ck_assert_msg(most < rss + RSS_KIB, "%s: %lu KiB of %lu", name, most, rss);
    (void)bus_call(client, path, "Destroy", "a{sv}", 1, "Force", "b", 1);
    for (unsigned i = 0; i < 5000 && service_fds() > fds; i++)
        client_run(client, 1);
    ck_assert_uint_le(service_fds(), fds);
}

START_TEST(a_flood_of_calls_holds_up_nobody)
{
    check_service_under("flood", flood);
}
END_TEST

START_TEST(answers_that_nobody_reads_hold_up_nobody)
{
    check_service_under("answers that nobody reads", never_read);
}
END_TEST

START_TEST(connections_that_come_and_go_hold_up_nobody)
{
    check_service_under("connections that come and go", come_and_go);
}
END_TEST

START_TEST(whoever_never_says_who_he_is_is_cut_after_a_while)
{
    auto_fd fd = raw_connect();
    gint64 start = g_get_monotonic_time();
    char byte;

    ck_assert_int_le(recv(fd, &byte, 1, 0), 0);
    ck_assert_int_ge(g_get_monotonic_time() - start, 4 * G_USEC_PER_SEC);
    ck_assert_int_le(g_get_monotonic_time() - start, 10 * G_USEC_PER_SEC);
}
END_TEST

START_TEST(there_is_an_end_to_the_number_of_clients)
{
    int fds[200];
    char byte;

    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
        fds[i] = raw_connect();
    /* The last ones are closed at once; who was there before is served. */
    ck_assert_int_le(recv(fds[G_N_ELEMENTS(fds) - 1], &byte, 1, 0), 0);
    ck_assert_str_eq(bus_text(client, BUS_PATH, "Mode"), "private");
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
        fd_close(fds[i]);
    client_run(client, 100);
    client_leave(client_new());
}
END_TEST

WORLD_MAIN("bus/flood", world_listen, a_flood_of_calls_holds_up_nobody,
           answers_that_nobody_reads_hold_up_nobody, connections_that_come_and_go_hold_up_nobody,
           whoever_never_says_who_he_is_is_cut_after_a_while,
           there_is_an_end_to_the_number_of_clients)
