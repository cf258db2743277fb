/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Children of our own, whose end is known; a kernel that keeps no ends says so each time. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "suite.h"
#include "util/fd.h"
#include "util/pidfd-info.h"
#include "util/syscalls.h"

static int code, status;

static bool kernel_keeps_ends(void)
{
    struct utsname kernel;
    int major = 0, minor = 0;

    (void)uname(&kernel);
    (void)sscanf(kernel.release, "%d.%d", &major, &minor);
    return major > 6 || (major == 6 && minor >= 15);
}

/* The pidfd of a child that ends so, and is not reaped yet. */
static int ended_child(int exit_status, int signal_number, pid_t *ret_pid)
{
    pid_t pid = fork();

    if (pid == 0) {
        (void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
        /* Sanitizers catch some, and would exit instead. */
        (void)signal(signal_number, SIG_DFL);
        if (signal_number != 0)
            (void)raise(signal_number);
        _exit(exit_status);
    }
    int pidfd = sys_pidfd_open(pid);
    ck_assert_int_ge(pidfd, 0);
    ck_assert_int_eq(poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, 5000), 1);
    *ret_pid = pid;
    return pidfd;
}

static void check_end(int exit_status, int signal_number)
{
    pid_t pid;
    auto_fd pidfd = ended_child(exit_status, signal_number, &pid);

    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    int r = pidfd_exit_status(pidfd, &code, &status);
    if (!kernel_keeps_ends()) {
        ck_assert_int_eq(r, -EOPNOTSUPP);
        return;
    }
    ck_assert_int_eq(r, 0);
    ck_assert_int_eq(code, signal_number ? CLD_KILLED : CLD_EXITED);
    ck_assert_int_eq(status, signal_number ? signal_number : exit_status);
}

START_TEST(an_exit_status_is_kept)
{
    static const int all[] = { 0, 1, 200, 255 };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        check_end(all[i], 0);
}
END_TEST

START_TEST(the_signal_that_killed_is_kept)
{
    static const int all[] = { SIGKILL, SIGUSR1, SIGSEGV };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        check_end(0, all[i]);
}
END_TEST

START_TEST(a_living_process_has_no_end)
{
    auto_fd pidfd = sys_pidfd_open(getpid());

    ck_assert_int_lt(pidfd_exit_status(pidfd, &code, &status), 0);
}
END_TEST

START_TEST(an_end_can_be_waited_for)
{
    pid_t pid;
    auto_fd pidfd = ended_child(7, 0, &pid);
    struct pollfd reaped = { .fd = pidfd, .events = 0 };

    if (!kernel_keeps_ends())
        return;
    ck_assert_int_eq(pidfd_exit_status(pidfd, &code, &status), -ENODATA);
    ck_assert_int_eq(poll(&reaped, 1, 0), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    ck_assert_int_eq(poll(&reaped, 1, 5000), 1);
    ck_assert_int_eq(reaped.revents, POLLHUP);
    ck_assert_int_eq(pidfd_exit_status(pidfd, &code, &status), 0);
}
END_TEST

START_TEST(what_is_no_pidfd_has_no_end)
{
    auto_fd null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    ck_assert_int_eq(pidfd_exit_status(null, &code, &status), -EOPNOTSUPP);
    ck_assert_int_eq(pidfd_exit_status(-1, &code, &status), -EOPNOTSUPP);
}
END_TEST

SUITE_MAIN("util/pidfd-info", an_exit_status_is_kept, the_signal_that_killed_is_kept,
           a_living_process_has_no_end, an_end_can_be_waited_for, what_is_no_pidfd_has_no_end)
