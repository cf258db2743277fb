/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "util/fd.h"
#include "util/message.h"

int message_send(int socket, const void *data, size_t size, const int *fds, size_t n_fds)
{
    union {
        struct cmsghdr header;
        char buffer[CMSG_SPACE(MESSAGE_FDS_MAX * sizeof(int))];
    } control = { 0 };
    struct iovec iov = { .iov_base = (void *)data, .iov_len = size };
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (n_fds > MESSAGE_FDS_MAX)
        return -E2BIG;
    if (n_fds > 0) {
        message.msg_control = control.buffer;
        message.msg_controllen = (socklen_t)CMSG_SPACE(n_fds * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = (socklen_t)CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(header), fds, n_fds * sizeof(int));
    }
    ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? -errno : 0;
}

void received_done(Received *received)
{
    while (received->n_fds > 0)
        fd_close(received->fds[--received->n_fds]);
}

/* The room for credentials holds further descriptors when there are none: false, and the extra
 * ones are closed. */
static bool take_fds(const struct cmsghdr *header, Received *received)
{
    size_t arrived = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    bool complete = true;

    for (size_t i = 0; i < arrived; i++) {
        int fd;

        memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
        if (received->n_fds < MESSAGE_FDS_MAX) {
            received->fds[received->n_fds++] = fd;
        } else {
            fd_close(fd);
            complete = false;
        }
    }
    return complete;
}

static bool take_control(struct msghdr *message, Received *received)
{
    bool complete = true;

    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
         header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET)
            continue;
        if (header->cmsg_type == SCM_RIGHTS) {
            complete &= take_fds(header, received);
        } else if (header->cmsg_type == SCM_CREDENTIALS) {
            memcpy(&received->creds, CMSG_DATA(header), sizeof received->creds);
            received->has_creds = true;
        }
    }
    return complete;
}

int message_receive(int socket, void *data, size_t size, Received *ret)
{
    union {
        struct cmsghdr header;
        char buffer[CMSG_SPACE(MESSAGE_FDS_MAX * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec iov = { .iov_base = data, .iov_len = size };
    struct msghdr message = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control.buffer,
        .msg_controllen = sizeof control.buffer,
    };
    Received received = { .size = 0 };

    ssize_t n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n < 0)
        return -errno;
    bool complete = take_control(&message, &received);
    if (!complete || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        received_done(&received);
        return -EBADMSG;
    }
    received.size = (size_t)n;
    *ret = received;
    return 0;
}
