/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What one instance costs without constellationd and systemd: memory of its init, time from the
 * request to the executed payload. Prints the figures; wants root. */

#include "system/init-harness.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "unit/suite.h"

static long pss_kib(pid_t pid)
{
    char path[64], text[4096], *at;

    (void)snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    file_text(path, text, sizeof text);
    at = strstr(text, "Pss:");
    return at ? strtol(at + 4, NULL, 10) : -1;
}

static void check_memory(bool with_log)
{
    enum { COUNT = 100 };
    Run *runs[COUNT];
    long total = 0;

    for (int i = 0; i < COUNT; i++) {
        runs[i] = run_new_shell("echo; exec sleep 30");
        if (with_log)
            run_with_log(runs[i], memfd_create("log", MFD_CLOEXEC), 65536);
        run_start(runs[i]);
    }
    (void)poll(NULL, 0, 100); /* all have written their line */
    for (int i = 0; i < COUNT; i++)
        total += pss_kib(runs[i]->pid);
    for (int i = 0; i < COUNT; i++) {
        run_signal(runs[i], WIRE_SIGNAL_BASE + SIGKILL);
        ck_assert_int_eq(run_wait(runs[i]), 128 + SIGKILL);
        run_free(runs[i]);
    }
    fprintf(stderr, "# PSS: init %s log %.1f KiB (of %d), launcher %ld KiB\n",
            with_log ? "with a" : "without", (double)total / COUNT, COUNT, pss_kib(launcher_pid));
    ck_assert_int_le(total, 24 * COUNT);
}

START_TEST(an_init_takes_at_most_24_kib)
{
    check_memory(false);
}
END_TEST

START_TEST(an_init_with_a_log_takes_at_most_24_kib)
{
    check_memory(true);
}
END_TEST

static int by_value(const void *a, const void *b)
{
    return *(const long *)a < *(const long *)b ? -1 : 1;
}

static long now_usec(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

START_TEST(a_start_is_a_matter_of_a_millisecond)
{
    enum { COUNT = 200 };
    long usec[COUNT];

    for (int i = 0; i < COUNT; i++) {
        Run *run = run_new((const char *const[]){ "/bin/true", NULL });

        usec[i] = -now_usec();
        run_start(run);
        usec[i] += now_usec();
        ck_assert_int_eq(run_wait(run), 0);
        run_free(run);
    }
    qsort(usec, COUNT, sizeof usec[0], by_value);
    fprintf(stderr, "# spawn to executed: median %ld us, 90 %% %ld us\n", usec[COUNT / 2],
            usec[COUNT * 9 / 10]);
    ck_assert_int_lt(usec[COUNT / 2], 100000);
}
END_TEST

SUITE_MAIN_WITH("system/start-cost", launcher_start, launcher_stop, an_init_takes_at_most_24_kib,
                an_init_with_a_log_takes_at_most_24_kib, a_start_is_a_matter_of_a_millisecond)
