/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What arrives on stderr, seen through a pipe that stands in for it. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
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
#include "util/journal.h"
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

/* Stderr as it is now is a stream to the journal. */
static void pose_as_stream(void)
{
    struct stat status;
    char stream[64];

    (void)fstat(STDERR_FILENO, &status);
    g_snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)status.st_dev,
               (uintmax_t)status.st_ino);
    (void)setenv("JOURNAL_STREAM", stream, 1);
}

static bool journal_has(int journal, const char *expected)
{
    char message[1024] = "";

    return recv(journal, message, sizeof(message) - 1, MSG_DONTWAIT) >= 0 &&
           strcmp(message, expected) == 0;
}

static bool send_an_event(int journal)
{
    log_event(LOG_NOTICE, SOME_MESSAGE_ID,
              (LogField[]){ { "INSTANCE_ID", "i0" }, { "NOTHING", NULL }, { NULL, NULL } },
              "started %s", "web\nMESSAGE_ID=forged");
    return journal_has(journal, "MESSAGE=started web MESSAGE_ID=forged\nMESSAGE_ID=" SOME_MESSAGE_ID
                                "\nPRIORITY=5\nSYSLOG_IDENTIFIER=test-log\nINSTANCE_ID=i0\n");
}

/* More than any queue holds; whoever waited would wait for ever. */
static bool overflow_the_journal(int journal)
{
    char message[1024];
    unsigned got = 0;

    for (unsigned i = 0; i < 5000; i++)
        log_event(LOG_INFO, SOME_MESSAGE_ID, NULL, "n");
    while (recv(journal, message, sizeof(message), MSG_DONTWAIT) >= 0)
        got++;
    log_event(LOG_INFO, SOME_MESSAGE_ID, NULL, "n");
    g_snprintf(message, sizeof(message), "<4>%u messages before this were lost\n", 5000 - got);
    check_output(message);
    return got > 0 && got < 5000;
}

static bool lose_the_stream(int journal)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return false;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)dup2(pair[0], STDERR_FILENO);
    pose_as_stream();
    (void)fd_close(pair[1]);
    log_info("i");
    return journal_has(journal, "MESSAGE=i\nPRIORITY=6\nSYSLOG_IDENTIFIER=test-log\n");
}

/* In a process of its own, where there cannot be a mount namespace not at all. */
static void with_a_journal(bool (*story)(int journal))
{
    int status, journal = -1;
    pid_t pid = fork();

    if (pid == 0) {
        if (become_the_journal(&journal) != 0)
            _exit(77);
        pose_as_stream();
        _exit(story(journal) ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    ck_assert_msg(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77, "%d", WEXITSTATUS(status));
    check_output("");
}

START_TEST(an_event_has_its_fields_in_the_journal)
{
    with_a_journal(send_an_event);
}
END_TEST

START_TEST(a_journal_that_does_not_read_is_not_waited_for)
{
    with_a_journal(overflow_the_journal);
}
END_TEST

START_TEST(a_line_goes_to_the_journal_when_its_stream_is_closed)
{
    with_a_journal(lose_the_stream);
}
END_TEST

START_TEST(a_reader_who_does_not_read_is_not_waited_for)
{
    char text[4096];

    for (unsigned i = 0; i < 5000; i++)
        log_info("0123456789 0123456789 0123456789 0123456789");
    while (read(output, text, sizeof(text)) > 0)
        ;
    log_info("i");
    ssize_t n = read(output, text, sizeof(text) - 1);
    text[MAX(n, 0)] = '\0';
    ck_assert(g_str_has_prefix(text, "<6>i\n<4>"));
    ck_assert(g_str_has_suffix(text, " messages before this were lost\n"));
}
END_TEST

START_TEST(a_field_of_several_lines_has_its_length_before_it)
{
    static const char expected[] = "A=b\nC\n\3\0\0\0\0\0\0\0d\ne\n";
    g_autoptr(GString) entry = g_string_new(NULL);

    journal_field(entry, "A", "b");
    journal_field(entry, "C", "d\ne");
    ck_assert_uint_eq(entry->len, sizeof(expected) - 1);
    ck_assert_mem_eq(entry->str, expected, entry->len);
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
                an_event_has_its_fields_in_the_journal,
                a_journal_that_does_not_read_is_not_waited_for,
                a_line_goes_to_the_journal_when_its_stream_is_closed,
                a_reader_who_does_not_read_is_not_waited_for,
                a_field_of_several_lines_has_its_length_before_it, errno_is_kept,
                levels_have_names_and_numbers, the_level_comes_from_the_environment_until_it_is_set)
