/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Messages over a pair of sockets: what goes in comes out, and nothing is left behind. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <glib.h>

#include "suite.h"
#include "util/fd.h"
#include "util/message.h"

static int ours = -1, theirs = -1;
static unsigned open_before;

static unsigned count_open(void)
{
    DIR *listing = opendir("/proc/self/fd");
    unsigned count = 0;

    while (readdir(listing))
        count++;
    closedir(listing);
    return count;
}

static void make_pair(void)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    ours = pair[0];
    theirs = pair[1];
    open_before = count_open();
}

static void close_pair(void)
{
    ours = fd_close(ours);
    theirs = fd_close(theirs);
}

static void send_fds(size_t count)
{
    int fds[MESSAGE_FDS_MAX + 1];

    for (size_t i = 0; i < count; i++)
        fds[i] = STDERR_FILENO;
    ck_assert_int_eq(message_send(ours, "x", 1, fds, count), 0);
}

START_TEST(what_goes_in_comes_out)
{
    char text[16] = { 0 };
    Received received;

    ck_assert_int_eq(message_send(ours, "hello", 5, NULL, 0), 0);
    ck_assert_int_eq(message_receive(theirs, text, sizeof text, &received), 0);
    ck_assert_uint_eq(received.size, 5);
    ck_assert_str_eq(text, "hello");
    ck_assert_uint_eq(received.n_fds, 0);
    ck_assert(!received.has_creds);
}
END_TEST

START_TEST(descriptors_arrive_in_order_and_end_at_exec)
{
    auto_fd null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    auto_fd zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    const int fds[] = { null, zero };
    struct stat sent, arrived;
    Received received;
    char byte;

    ck_assert_int_eq(message_send(ours, "x", 1, fds, 2), 0);
    ck_assert_int_eq(message_receive(theirs, &byte, 1, &received), 0);
    ck_assert_uint_eq(received.n_fds, 2);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(fstat(fds[i], &sent) | fstat(received.fds[i], &arrived), 0);
        ck_assert_uint_eq(sent.st_rdev, arrived.st_rdev);
        ck_assert_int_eq(fcntl(received.fds[i], F_GETFD), FD_CLOEXEC);
    }
    received_done(&received);
    ck_assert_uint_eq(received.n_fds, 0);
    ck_assert_uint_eq(count_open(), open_before + 2);
}
END_TEST

START_TEST(as_many_descriptors_as_allowed_arrive)
{
    Received received;
    char byte;

    send_fds(MESSAGE_FDS_MAX);
    ck_assert_int_eq(message_receive(theirs, &byte, 1, &received), 0);
    ck_assert_uint_eq(received.n_fds, MESSAGE_FDS_MAX);
    received_done(&received);
    ck_assert_uint_eq(count_open(), open_before);
}
END_TEST

START_TEST(more_descriptors_are_not_even_sent)
{
    const int fds[MESSAGE_FDS_MAX + 1] = { 0 };

    ck_assert_int_eq(message_send(ours, "x", 1, fds, MESSAGE_FDS_MAX + 1), -E2BIG);
}
END_TEST

/* By somebody who does not use message_send(). */
static void send_raw_fds(size_t count)
{
    union {
        struct cmsghdr header;
        char buffer[CMSG_SPACE(64 * sizeof(int))];
    } control = { 0 };
    struct iovec iov = { .iov_base = (char *)"x", .iov_len = 1 };
    struct msghdr message = { .msg_iov = &iov,
                              .msg_iovlen = 1,
                              .msg_control = control.buffer,
                              .msg_controllen = CMSG_SPACE(count * sizeof(int)) };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    for (size_t i = 0; i < count; i++)
        memcpy(CMSG_DATA(header) + i * sizeof(int), &(int){ STDERR_FILENO }, sizeof(int));
    ck_assert_int_eq(sendmsg(ours, &message, 0), 1);
}

START_TEST(too_many_descriptors_are_refused_and_none_is_left)
{
    Received received;
    char byte;

    for (size_t count = MESSAGE_FDS_MAX + 1; count <= 64; count++) {
        send_raw_fds(count);
        ck_assert_int_eq(message_receive(theirs, &byte, 1, &received), -EBADMSG);
        ck_assert_msg(count_open() == open_before, "%zu", count);
    }
}
END_TEST

START_TEST(too_many_descriptors_beside_credentials_are_refused_and_none_is_left)
{
    static const int on = 1;
    Received received;
    char byte;

    ck_assert_int_eq(setsockopt(theirs, SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
    for (size_t count = MESSAGE_FDS_MAX + 1; count <= 64; count++) {
        send_raw_fds(count);
        ck_assert_int_eq(message_receive(theirs, &byte, 1, &received), -EBADMSG);
        ck_assert_msg(count_open() == open_before, "%zu", count);
    }
}
END_TEST

START_TEST(credentials_are_the_kernels)
{
    static const int on = 1;
    Received received;
    char byte;

    ck_assert_int_eq(setsockopt(theirs, SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
    send_fds(MESSAGE_FDS_MAX);
    ck_assert_int_eq(message_receive(theirs, &byte, 1, &received), 0);
    ck_assert(received.has_creds);
    ck_assert_int_eq(received.creds.pid, getpid());
    ck_assert_uint_eq(received.creds.uid, geteuid());
    ck_assert_uint_eq(received.n_fds, MESSAGE_FDS_MAX);
    received_done(&received);
}
END_TEST

START_TEST(a_message_that_is_cut_off_is_refused_and_its_descriptors_closed)
{
    Received received;
    char text[4];

    ck_assert_int_eq(message_send(ours, "hello", 5, &(int){ STDERR_FILENO }, 1), 0);
    ck_assert_int_eq(message_receive(theirs, text, sizeof text, &received), -EBADMSG);
    ck_assert_uint_eq(count_open(), open_before);
}
END_TEST

START_TEST(nothing_there_is_not_waited_for)
{
    Received received = { .size = 99 };
    char byte;

    ck_assert_int_eq(message_receive(theirs, &byte, 1, &received), -EAGAIN);
    ck_assert_uint_eq(received.size, 99);
}
END_TEST

START_TEST(a_closed_end_is_a_message_of_no_size)
{
    Received received;
    char byte;

    ours = fd_close(ours);
    ck_assert_int_eq(message_receive(theirs, &byte, 1, &received), 0);
    ck_assert_uint_eq(received.size, 0);
    ck_assert_int_eq(message_send(theirs, "x", 1, NULL, 0), -EPIPE);
}
END_TEST

START_TEST(a_full_queue_is_not_waited_for)
{
    static const char block[4096];
    int r;

    for (unsigned i = 0; i < 100000; i++)
        if ((r = message_send(ours, block, sizeof block, NULL, 0)) < 0)
            break;
    ck_assert_int_eq(r, -EAGAIN);
}
END_TEST

SUITE_MAIN_WITH("util/message", make_pair, close_pair, what_goes_in_comes_out,
                descriptors_arrive_in_order_and_end_at_exec, as_many_descriptors_as_allowed_arrive,
                more_descriptors_are_not_even_sent,
                too_many_descriptors_are_refused_and_none_is_left,
                too_many_descriptors_beside_credentials_are_refused_and_none_is_left,
                credentials_are_the_kernels,
                a_message_that_is_cut_off_is_refused_and_its_descriptors_closed,
                nothing_there_is_not_waited_for, a_closed_end_is_a_message_of_no_size,
                a_full_queue_is_not_waited_for)
