/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One SOCK_SEQPACKET message with file descriptors and the sender's credentials. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#define MESSAGE_FDS_MAX 8

/* Never blocks and never raises SIGPIPE. 0, or -errno (-EAGAIN: the queue is full). */
int message_send(int socket, const void *data, size_t size, const int *fds, size_t n_fds);

typedef struct Received {
    size_t size; /* 0: the other end is closed */
    int fds[MESSAGE_FDS_MAX];
    size_t n_fds;       /* the caller's from now on: received_done() or take them */
    bool has_creds;     /* only with SO_PASSCRED */
    struct ucred creds; /* pid in our pid namespace */
} Received;

/* 0, or -errno: -EAGAIN nothing there, -EBADMSG a message or descriptors were cut off (all
 * descriptors are closed then): a descriptor that does not fit would else vanish silently. */
int message_receive(int socket, void *data, size_t size, Received *ret);
void received_done(Received *received);
