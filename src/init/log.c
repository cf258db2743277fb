/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The log of an instance where there is no journal; wire.h describes the file. We are in the way of
 * the data because we are there for exactly as long as it comes: the service may be killed at any
 * time. A payload that writes without end gets one chunk carried between two looks at the signals,
 * and waits, as at any pipe. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/init.h"
#include "util/fd.h"

static int log_pipe = -1;
static int log_file = -1;
static uint64_t log_size;
static struct LogCounters counters;

int log_take(int file, int pipe)
{
    struct LogHeader header;
    struct stat status;

    if (fstat(file, &status) < 0 || pread(file, &header, sizeof header, 0) != sizeof header ||
        header.magic != LOG_MAGIC || header.version != LOG_VERSION || header.size <= LOG_CHUNK ||
        header.size > INT64_MAX - LOG_DATA || (uint64_t)status.st_size != LOG_DATA + header.size)
        return EBADMSG;
    if (fcntl(pipe, F_SETFL, O_NONBLOCK) < 0)
        return errno;
    log_file = file;
    log_pipe = pipe;
    log_size = header.size;
    counters = header.counters;
    return 0;
}

/* At most `max` bytes, and no further than to the end of the ring. */
static size_t read_chunk(char chunk[LOG_CHUNK], size_t max)
{
    uint64_t before_end = log_size - counters.written % log_size;
    size_t size = max < LOG_CHUNK ? max : LOG_CHUNK;
    ssize_t length = read(log_pipe, chunk, size < before_end ? size : (size_t)before_end);

    if (length < 0 && errno == EAGAIN)
        return 0;
    if (length <= 0) /* nobody has the other end any more */
        log_pipe = fd_close(log_pipe);
    return length > 0 ? (size_t)length : 0;
}

static size_t move(size_t max)
{
    char chunk[LOG_CHUNK]; /* where paths were before the payload ran: no page more */
    size_t size = read_chunk(chunk, max);
    ssize_t written;

    if (size == 0)
        return 0;
    written = pwrite(log_file, chunk, size, (off_t)(LOG_DATA + counters.written % log_size));
    if (written < 0)
        written = 0;
    counters.written += (size_t)written;
    counters.discarded += size - (size_t)written;
    counters.written_again = counters.written;
    (void)!pwrite(log_file, &counters, sizeof counters, offsetof(struct LogHeader, counters));
    return size;
}

bool log_wait(const struct Init *init)
{
    struct pollfd polled[] = { { .fd = init->signals, .events = POLLIN },
                               { .fd = log_pipe, .events = POLLIN } };

    if (log_pipe < 0)
        return true; /* to read is to wait */
    (void)poll(polled, 2, -1);
    if (polled[1].revents != 0)
        (void)move(LOG_CHUNK);
    return polled[0].revents != 0;
}

void log_drain(void)
{
    int left = 0;

    if (log_pipe < 0 || ioctl(log_pipe, FIONREAD, &left) < 0)
        return;
    while (left > 0) {
        size_t moved = move((size_t)left);

        if (moved == 0)
            return;
        left -= (int)moved;
    }
}
