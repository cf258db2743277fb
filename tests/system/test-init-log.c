/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The log that the init writes where there is no journal: complete, bounded, and nobody's brake.
 * Wants root. */

#include "system/init-harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "unit/suite.h"
#include "util/fd.h"

#define RING (64u << 10)

static char text[RING];

static Run *new_run(const char *script)
{
    Run *run = run_new_shell(script);

    run_with_log(run, memfd_create("log", MFD_CLOEXEC), RING);
    return run;
}

static long now_msec(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool ends_with(const char *end)
{
    size_t length = strlen(text), wanted = strlen(end);

    return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

START_TEST(what_a_short_payload_writes_is_complete)
{
    for (int i = 0; i < 20; i++) {
        Run *run = new_run("echo out; echo err >&2; exit 3");

        ck_assert_int_eq(run_complete(run), 3);
        ck_assert_uint_eq(run_log(run, text, sizeof text).written, 8);
        ck_assert_str_eq(text, "out\nerr\n");
        run_free(run);
    }
}
END_TEST

START_TEST(a_log_goes_on_where_the_last_run_ended)
{
    Run *first = new_run("echo one"), *second = run_new_shell("echo two");

    ck_assert_int_eq(run_complete(first), 0);
    second->log = first->log;
    first->log = -1;
    ck_assert_int_eq(run_complete(second), 0);
    (void)run_log(second, text, sizeof text);
    ck_assert_str_eq(text, "one\ntwo\n");
    run_free(first);
    run_free(second);
}
END_TEST

START_TEST(of_a_flood_the_last_is_kept_and_the_file_does_not_grow)
{
    Run *run = new_run(
        "yes 0123456789abcdefghijklmnopqrs 2>/dev/null | head -c 30000000; echo the end");
    struct stat status;

    ck_assert_int_eq(run_complete(run), 0);
    ck_assert_uint_eq(run_log(run, text, 1000).written, 30000000 + sizeof "the end");
    ck_assert(ends_with("pqrs\n0123456789abcdefghijklmnopqrs\nthe end\n"));
    ck_assert_int_eq(fstat(run->log, &status), 0);
    ck_assert_int_eq(status.st_size, LOG_DATA + RING);
    run_free(run);
}
END_TEST

START_TEST(who_floods_hears_a_command_at_once)
{
    Run *run = new_run("exec yes");
    long begin;

    run_start(run);
    (void)poll(NULL, 0, 100);
    begin = now_msec();
    run_signal(run, WIRE_SIGNAL_BASE + SIGTERM);
    ck_assert_int_eq(run_wait(run), 128 + SIGTERM);
    ck_assert_int_lt(now_msec() - begin, 500);
    ck_assert_uint_gt(run_log(run, text, 3).written, 1u << 20);
    run_free(run);
}
END_TEST

START_TEST(what_is_written_at_the_last_moment_is_kept)
{
    Run *run = new_run("trap 'echo caught; exit 4' TERM; echo ready; while :; do sleep 0.01; done");

    run_start(run);
    while (run_log(run, text, sizeof text).written == 0)
        (void)poll(NULL, 0, 1);
    run_signal(run, WIRE_SIGNAL_BASE + SIGTERM);
    ck_assert_int_eq(run_wait(run), 4);
    (void)run_log(run, text, sizeof text);
    ck_assert_str_eq(text, "ready\ncaught\n");
    run_free(run);
}
END_TEST

START_TEST(a_payload_may_close_its_outputs)
{
    Run *run = new_run("echo before; exec >&- 2>&-; sleep 0.1; exit 7");

    ck_assert_int_eq(run_complete(run), 7);
    (void)run_log(run, text, sizeof text);
    ck_assert_str_eq(text, "before\n");
    run_free(run);
}
END_TEST

static void check_end_with_children(bool own_namespace)
{
    Run *run = new_run("sleep 100 & setsid sleep 100 & echo done; exit 5");
    long begin = now_msec();

    if (!own_namespace)
        run_without_namespaces(run);
    ck_assert_int_eq(run_complete(run), 5);
    ck_assert_int_lt(now_msec() - begin, 3000);
    (void)run_log(run, text, sizeof text);
    ck_assert_str_eq(text, "done\n");
    run_free(run);
}

START_TEST(who_still_holds_the_pipe_does_not_delay_the_end)
{
    check_end_with_children(true);
    check_end_with_children(false);
}
END_TEST

/* A full pipe at the end, and somebody outside who fills it again and again. */
START_TEST(who_goes_on_writing_from_outside_does_not_delay_the_end)
{
    Run *run = new_run("exec sleep 0.2");
    static char flood[4096];
    pid_t writer;
    long begin;

    run->keeps_pipe = true;
    run_start(run);
    writer = fork();
    while (writer == 0)
        if (write(run->log_pipe, flood, sizeof flood) < 0)
            _exit(0);
    run->log_pipe = fd_close(run->log_pipe);
    begin = now_msec();
    ck_assert_int_eq(run_wait(run), 0);
    ck_assert_int_lt(now_msec() - begin, 2000);
    (void)kill(writer, SIGKILL);
    run_free(run);
}
END_TEST

START_TEST(what_has_no_room_is_discarded_and_counted)
{
    char directory[] = "/tmp/constellation-log-XXXXXX", path[64];
    struct LogCounters counters;
    Run *run;

    ck_assert_ptr_nonnull(mkdtemp(directory));
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", directory, "tmpfs", 0, "size=20k") < 0) {
        (void)rmdir(directory);
        SKIP("no right to mount");
    }
    (void)snprintf(path, sizeof path, "%s/log", directory);
    run = run_new_shell("head -c 1000000 /dev/zero; exit 6");
    run_with_log(run, open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), RING);
    ck_assert_int_eq(run_complete(run), 6);
    counters = run_log(run, text, 2);
    ck_assert_uint_eq(counters.written, 16384);
    ck_assert_uint_eq(counters.written + counters.discarded, 1000000);
    run_free(run);
    (void)umount2(directory, MNT_DETACH);
    (void)rmdir(directory);
}
END_TEST

START_TEST(a_log_that_is_none_is_a_fault)
{
    Run *run = run_new_shell("exit 0");

    run->log = memfd_create("log", MFD_CLOEXEC);
    run_start_in_vain(run);
    ck_assert_uint_eq(run->message.step, STEP_PLAN);
    ck_assert_int_eq(run->message.error, EBADMSG);
    run_free(run);
}
END_TEST

START_TEST(neither_the_log_nor_its_pipe_is_the_payloads)
{
    Run *run = new_run("ls -l /proc/self/fd | grep -c -e memfd -e 'pipe:'");

    ck_assert_int_eq(run_complete(run), 0);
    (void)run_log(run, text, sizeof text);
    /* Standard error; standard output is the pipe to grep, and there is a descriptor of the
     * directory. */
    ck_assert_str_eq(text, "2\n");
    run_free(run);
}
END_TEST

SUITE_MAIN_WITH("system/init-log", launcher_start, launcher_stop,
                what_a_short_payload_writes_is_complete, a_log_goes_on_where_the_last_run_ended,
                of_a_flood_the_last_is_kept_and_the_file_does_not_grow,
                who_floods_hears_a_command_at_once, what_is_written_at_the_last_moment_is_kept,
                a_payload_may_close_its_outputs, who_still_holds_the_pipe_does_not_delay_the_end,
                who_goes_on_writing_from_outside_does_not_delay_the_end,
                what_has_no_room_is_discarded_and_counted, a_log_that_is_none_is_a_fault,
                neither_the_log_nor_its_pipe_is_the_payloads)
