/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Ownership of file descriptors, without any library: also for the launcher and the init. */

#include <errno.h>
#include <unistd.h>

/* Closes an fd that may be -1, keeps errno, returns -1: fd = fd_close(fd); */
static inline int fd_close(int fd)
{
    int saved = errno;

    if (fd >= 0)
        (void)close(fd);
    errno = saved;
    return -1;
}

static inline void fd_closep(int *fd)
{
    *fd = fd_close(*fd);
}

/* Takes the fd out of the variable: the caller of fd_steal owns it. */
static inline int fd_steal(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

#define auto_fd __attribute__((cleanup(fd_closep))) int
