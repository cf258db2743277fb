/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "stamps.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "series.h"

/* Removed on every way out, also when something fails; a copy, for the caller's may be gone then.
 */
static Stamps opened;

static void remove_directory(void)
{
    (void)unlink(opened.path);
    (void)rmdir(opened.directory);
}

void stamps_open(Stamps *stamps)
{
    const char *base = getenv("TMPDIR");

    *stamps = (Stamps){ .fd = -1 };
    (void)snprintf(stamps->directory, sizeof stamps->directory, "%s/constellation-bench-XXXXXX",
                   base != NULL && base[0] == '/' ? base : P_tmpdir);
    if (mkdtemp(stamps->directory) == NULL)
        fail(errno, stamps->directory);
    (void)snprintf(stamps->path, sizeof stamps->path, "%s/stamps", stamps->directory);
    opened = *stamps;
    (void)atexit(remove_directory);
    if (mkfifo(stamps->path, 0600) < 0)
        fail(errno, stamps->path);
    /* Also for writing: it never comes to its end, and payloads never wait for a reader. */
    stamps->fd = open(stamps->path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (stamps->fd < 0)
        fail(errno, stamps->path);
}

/* Takes the first line off what has been read. */
static uint64_t take_line(Stamps *stamps)
{
    char *end = strchr(stamps->rest, '\n');

    if (end == NULL)
        return 0;
    uint64_t stamp = strtoull(stamps->rest, NULL, 10);
    memmove(stamps->rest, end + 1, strlen(end + 1) + 1);
    return stamp;
}

uint64_t stamps_next(Stamps *stamps, int timeout_msec)
{
    for (;;) {
        uint64_t stamp = take_line(stamps);
        size_t have = strlen(stamps->rest);
        struct pollfd pollfd = { .fd = stamps->fd, .events = POLLIN };

        if (stamp != 0)
            return stamp;
        ssize_t n = read(stamps->fd, stamps->rest + have, sizeof stamps->rest - 1 - have);
        if (n > 0)
            stamps->rest[have + (size_t)n] = '\0';
        else if (errno != EINTR && (errno != EAGAIN || poll(&pollfd, 1, timeout_msec) <= 0))
            return 0;
    }
}
