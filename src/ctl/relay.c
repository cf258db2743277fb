/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "ctl/relay.h"
#include "util/fd.h"

#define CHUNK_BYTES 65536 /* a whole pipe */

struct Relay {
    int read_fd; /* non-blocking; -1 when there is nothing more to come */
    int terminal_fd;
    sd_event_source *source;
};

/* Others may have made the terminal non-blocking, so waiting for it is our task. */
static bool write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);

        if (n >= 0) {
            data += n;
            size -= (size_t)n;
        } else if (errno == EAGAIN) {
            struct pollfd event = { .fd = fd, .events = POLLOUT };

            (void)poll(&event, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* With our end closed, the payload is told of a terminal that went away by SIGPIPE. */
static void relay_close(Relay *relay)
{
    relay->source = sd_event_source_disable_unref(relay->source);
    relay->read_fd = fd_close(relay->read_fd);
}

/* False when there is nothing to read now, or nothing more. */
static bool relay_copy(Relay *relay)
{
    static char chunk[CHUNK_BYTES];
    ssize_t n;

    if (relay->read_fd < 0)
        return false;
    n = read(relay->read_fd, chunk, sizeof chunk);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return errno == EINTR;
    if (n > 0 && write_all(relay->terminal_fd, chunk, (size_t)n))
        return true;
    relay_close(relay);
    return false;
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    (void)source;
    (void)fd;
    (void)events;
    (void)relay_copy(userdata);
    return 0;
}

Relay *relay_new(sd_event *event, int terminal_fd, int *ret_write_fd, GError **error)
{
    g_autoptr(Relay) relay = g_new0(Relay, 1);
    int ends[2], r;

    relay->read_fd = -1;
    relay->terminal_fd = terminal_fd;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        error_from_errno(error, CONSTELLATION_ERROR_NODE_UNAVAILABLE, errno, "pipe");
        return NULL;
    }

    auto_fd write_fd = ends[1];

    relay->read_fd = ends[0];
    r = fcntl(relay->read_fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
    if (r >= 0)
        r = sd_event_add_io(event, &relay->source, relay->read_fd, EPOLLIN, on_readable, relay);
    if (r < 0) {
        error_from_errno(error, CONSTELLATION_ERROR_NODE_UNAVAILABLE, r, "watching a pipe");
        return NULL;
    }
    *ret_write_fd = fd_steal(&write_fd);
    return g_steal_pointer(&relay);
}

void relay_drain(Relay *relay)
{
    while (relay_copy(relay))
        ;
}

void relay_free(Relay *relay)
{
    if (!relay)
        return;
    relay_close(relay);
    g_free(relay);
}
