/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "isolation/output-log.h"
#include "util/fd.h"

/* The counters are written while we read them: how often it is worth to look again. It takes the
 * init longer to come round than us. */
#define LOOKS 100

/* ---- making ---------------------------------------------------------------------------------- */

static bool has_window(int fd, uint64_t window)
{
    struct LogHeader header;

    return output_log_read_header(fd, &header) == 0 && header.size == window + LOG_CHUNK;
}

static int write_header(int fd, uint64_t window)
{
    const struct LogHeader header = {
        .magic = LOG_MAGIC,
        .version = LOG_VERSION,
        .size = window + LOG_CHUNK,
    };

    errno = ENOSPC;
    if (pwrite(fd, &header, sizeof header, 0) != (ssize_t)sizeof header ||
        ftruncate(fd, (off_t)(LOG_DATA + header.size)) < 0)
        return -errno;
    return 0;
}

int output_log_create(int dirfd, const char *name, uint64_t window, GError **error)
{
    auto_fd fd = -1;

    if (dirfd >= 0) {
        fd = output_log_open(dirfd, name);
        if (fd >= 0 && has_window(fd, window))
            return fd_steal(&fd);
        /* Another one, and not this one cut: its reader may have it open. */
        (void)unlinkat(dirfd, name, 0);
        fd_close(fd);
        fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    } else {
        fd = memfd_create("constellation-log", MFD_CLOEXEC);
    }
    int r = fd < 0 ? -errno : write_header(fd, window);
    if (r < 0) {
        error_from_errno(error, CONSTELLATION_ERROR_LIMITS_EXCEEDED, r, "making the log %s", name);
        return -1;
    }
    return fd_steal(&fd);
}

int output_log_open(int dirfd, const char *name)
{
    int fd = openat(dirfd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    return fd < 0 ? -errno : fd;
}

/* ---- reading --------------------------------------------------------------------------------- */

static int read_all(int fd, void *buffer, size_t size, uint64_t offset)
{
    ssize_t n = pread(fd, buffer, size, (off_t)offset);

    return n < 0 ? -errno : (size_t)n == size ? 0 : -EBADMSG;
}

int output_log_read_header(int fd, struct LogHeader *ret)
{
    struct LogHeader header;

    for (unsigned look = 0; look < LOOKS; look++) {
        int r = read_all(fd, &header, sizeof header, 0);
        if (r < 0)
            return r;
        if (header.magic != LOG_MAGIC || header.version != LOG_VERSION ||
            header.size <= LOG_CHUNK || header.size > INT64_MAX - LOG_DATA)
            return -EBADMSG;
        if (header.counters.written == header.counters.written_again) {
            *ret = header;
            return 0;
        }
    }
    return -EBADMSG;
}

/* The oldest byte that nobody writes over at the moment. */
static uint64_t oldest(const struct LogHeader *header)
{
    uint64_t window = header->size - LOG_CHUNK;

    return header->counters.written > window ? header->counters.written - window : 0;
}

/* A part of the ring, around its end if need be. */
static int copy(int fd, const struct LogHeader *header, uint64_t from, char *to, size_t size)
{
    uint64_t at = from % header->size;
    size_t before_end = (size_t)MIN(size, header->size - at);

    int r = read_all(fd, to, before_end, LOG_DATA + at);
    return r < 0 || before_end == size ? r
                                       : read_all(fd, to + before_end, size - before_end, LOG_DATA);
}

int output_log_read(int fd, uint64_t cursor, OutputLogPage *ret)
{
    struct LogHeader header, after;

    int r = output_log_read_header(fd, &header);
    if (r < 0)
        return r;
    uint64_t from = cursor > header.counters.written ? 0 : cursor;
    uint64_t begin = MAX(from, oldest(&header));
    size_t size = (size_t)MIN(header.counters.written - begin, OUTPUT_LOG_PAGE);
    r = copy(fd, &header, begin, ret->data, size);
    if (r == 0)
        r = output_log_read_header(fd, &after);
    if (r < 0)
        return r;
    /* What was written over while we copied is not what it was. */
    uint64_t sound = CLAMP(oldest(&after), begin, begin + size);
    size -= (size_t)(sound - begin);
    memmove(ret->data, ret->data + (sound - begin), size);
    ret->size = size;
    ret->lost = sound - from;
    ret->next = sound + size;
    return 0;
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* Goes back from `end` past so many line feeds; the one that ends the last line does not count.
 * Whether all were found; *at is where the search has come to. */
static bool skip_lines(const char *data, size_t size, uint64_t begin, uint64_t end, uint64_t *lines,
                       uint64_t *at)
{
    for (size_t i = size; i > 0; i--) {
        *at = begin + i;
        if (data[i - 1] != '\n' || *at == end)
            continue;
        if (--*lines == 0)
            return true;
    }
    *at = begin;
    return false;
}

int output_log_seek_end(int fd, uint64_t lines, uint64_t *ret)
{
    g_autofree char *data = NULL;
    struct LogHeader header;

    int r = output_log_read_header(fd, &header);
    if (r < 0)
        return r;
    uint64_t end = header.counters.written, at = end;
    uint64_t limit = MAX(oldest(&header), end > OUTPUT_LOG_TAIL ? end - OUTPUT_LOG_TAIL : 0);
    if (lines > 0)
        data = g_malloc(OUTPUT_LOG_PAGE);
    for (bool found = lines == 0; !found && at > limit;) {
        size_t size = (size_t)MIN(at - limit, OUTPUT_LOG_PAGE);
        uint64_t begin = at - size;
        r = copy(fd, &header, begin, data, size);
        if (r < 0)
            return r;
        found = skip_lines(data, size, begin, end, &lines, &at);
    }
    *ret = at;
    return 0;
}
