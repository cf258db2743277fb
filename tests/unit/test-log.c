/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What arrives on stderr, seen through a pipe that stands in for it. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "suite.h"
#include "util/fd.h"
#include "util/log.h"

#define SOME_MESSAGE_ID "0123456789abcdef0123456789abcdef"

static int saved_stderr = -1;
static int output = -1;

static void redirect(void)
{
    int pipe_fds[2];

    (void)unsetenv("JOURNAL_STREAM");
    log_set_level(LOG_INFO);
    ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK), 0);
    saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    ck_assert_int_eq(dup2(pipe_fds[1], STDERR_FILENO), STDERR_FILENO);
    (void)fd_close(pipe_fds[1]);
    output = pipe_fds[0];
}

static void restore(void)
{
    (void)dup2(saved_stderr, STDERR_FILENO);
    saved_stderr = fd_close(saved_stderr);
    output = fd_close(output);
}

static void check_output(const char *expected)
{
    char text[256];
    ssize_t n = read(output, text, sizeof(text) - 1);

    text[n < 0 ? 0 : n] = '\0';
    ck_assert_str_eq(text, expected);
}

START_TEST(a_line_carries_its_priority)
{
    log_error("no %s", "cgroup");
    check_output("<3>no cgroup\n");
    log_warning("w");
    check_output("<4>w\n");
    log_info("i");
    check_output("<6>i\n");
}
END_TEST

START_TEST(what_is_below_the_level_is_dropped)
{
    log_debug("d");
    check_output("");
    log_set_level(LOG_DEBUG);
    log_debug("d");
    check_output("<7>d\n");
    log_set_level(LOG_ERR);
    log_warning("w");
    log_event(LOG_NOTICE, SOME_MESSAGE_ID, NULL, "n");
    check_output("");
}
END_TEST

START_TEST(a_message_is_one_line_whatever_is_in_it)
{
    log_info("a\nb%s", "\n<0>forged\x1b[31m");
    check_output("<6>a b <0>forged [31m\n");
}
END_TEST

START_TEST(an_event_is_a_line_where_there_is_no_journal)
{
    log_event(LOG_NOTICE, SOME_MESSAGE_ID,
              (LogField[]){ { "INSTANCE_ID", "i0" }, { "NOTHING", NULL }, { NULL, NULL } },
              "started %s", "web");
    check_output("<5>started web\n");
}
END_TEST

START_TEST(a_stream_that_is_another_file_is_not_the_journal)
{
    ck_assert_int_eq(setenv("JOURNAL_STREAM", "1:2", 1), 0);
    log_event(LOG_NOTICE, SOME_MESSAGE_ID, NULL, "n");
    check_output("<5>n\n");
}
END_TEST

/* Says where the journal listens, in a mount namespace of this process: 0, or an errno. */
static int become_the_journal(int *ret_socket)
{
    static const struct sockaddr_un address = { .sun_family = AF_UNIX,
                                                .sun_path = "/run/systemd/journal/socket" };

    if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
        return errno;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0)
        return errno;
    if (mkdir("/run/systemd", 0700) < 0 || mkdir("/run/systemd/journal", 0700) < 0)
        return errno;
    *ret_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (*ret_socket < 0 || bind(*ret_socket, (const void *)&address, sizeof(address)) < 0)
        return errno;
    return 0;
}

/* In a process of its own: the exit status is 0 if the datagram is right, 77 if there cannot be a
 * mount namespace. */
static int send_an_event_to_the_journal(void)
{
    struct stat status;
    char stream[64], message[1024] = "";
    int journal = -1;

    if (become_the_journal(&journal) != 0)
        return 77;
    (void)fstat(STDERR_FILENO, &status);
    g_snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)status.st_dev,
               (uintmax_t)status.st_ino);
    (void)setenv("JOURNAL_STREAM", stream, 1);
    log_event(LOG_NOTICE, SOME_MESSAGE_ID,
              (LogField[]){ { "INSTANCE_ID", "i0" }, { "NOTHING", NULL }, { NULL, NULL } },
              "started %s", "web\nMESSAGE_ID=forged");
    if (recv(journal, message, sizeof(message) - 1, MSG_DONTWAIT) < 0)
        return 1;
    return strcmp(message, "MESSAGE=started web MESSAGE_ID=forged\nMESSAGE_ID=" SOME_MESSAGE_ID
                           "\nPRIORITY=5\nSYSLOG_IDENTIFIER=test-log\nINSTANCE_ID=i0\n") == 0
               ? 0
               : 2;
}

START_TEST(an_event_has_its_fields_in_the_journal)
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(send_an_event_to_the_journal());
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    ck_assert_msg(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77, "%d", WEXITSTATUS(status));
    check_output("");
}
END_TEST

START_TEST(errno_is_kept)
{
    errno = EXDEV;
    log_info("i");
    ck_assert_int_eq(errno, EXDEV);
    log_event(LOG_INFO, SOME_MESSAGE_ID, NULL, "n");
    ck_assert_int_eq(errno, EXDEV);
    check_output("<6>i\n<6>n\n");
}
END_TEST

START_TEST(levels_have_names_and_numbers)
{
    static const char *const none[] = { "", "8", "-1", "07", "ERR", "error", "all" };

    ck_assert_int_eq(log_level_from_string("emerg"), 0);
    ck_assert_int_eq(log_level_from_string("err"), LOG_ERR);
    ck_assert_int_eq(log_level_from_string("debug"), LOG_DEBUG);
    ck_assert_int_eq(log_level_from_string("7"), LOG_DEBUG);
    ck_assert_int_eq(log_level_from_string("0"), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(none); i++)
        ck_assert_msg(log_level_from_string(none[i]) == -EINVAL, "%s", none[i]);
}
END_TEST

START_TEST(the_level_comes_from_the_environment_until_it_is_set)
{
    static const struct {
        const char *value;
        int level;
    } rows[] = { { "debug", LOG_DEBUG }, { "3", LOG_ERR }, { "loud", LOG_INFO } };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        log_set_level(-1); /* as at the start of the program */
        ck_assert_int_eq(setenv("CONSTELLATION_LOG_LEVEL", rows[i].value, 1), 0);
        ck_assert_int_eq(log_get_level(), rows[i].level);
    }
    log_set_level(-1);
    ck_assert_int_eq(unsetenv("CONSTELLATION_LOG_LEVEL"), 0);
    ck_assert_int_eq(log_get_level(), LOG_INFO);
}
END_TEST

SUITE_MAIN_WITH("util/log", redirect, restore, a_line_carries_its_priority,
                what_is_below_the_level_is_dropped, a_message_is_one_line_whatever_is_in_it,
                an_event_is_a_line_where_there_is_no_journal,
                a_stream_that_is_another_file_is_not_the_journal,
                an_event_has_its_fields_in_the_journal, errno_is_kept,
                levels_have_names_and_numbers, the_level_comes_from_the_environment_until_it_is_set)
