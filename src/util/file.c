/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading and replacing small files. */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "util/crash-point.h"
#include "util/fd.h"
#include "util/file.h"

#define READ_START 4096u /* bytes: one page, which is all that most of these files have */

/* O_NONBLOCK is for the open of a FIFO, before fstat() can tell that it is one. */
#define READ_FLAGS (O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK)

static int open_regular(int dirfd, const char *path)
{
    auto_fd fd = openat(dirfd, path, READ_FLAGS);
    struct stat status;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &status) < 0)
        return -errno;
    if (S_ISDIR(status.st_mode))
        return -EISDIR;
    if (!S_ISREG(status.st_mode))
        return -EBADFD;
    return fd_steal(&fd);
}

static ssize_t read_retry(int fd, void *buffer, size_t size)
{
    ssize_t n;

    do
        n = read(fd, buffer, size);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int read_small_file_at(int dirfd, const char *path, size_t max, char **ret_text)
{
    auto_fd fd = open_regular(dirfd, path);
    g_autofree char *text = NULL;
    size_t length = 0, size = 0;

    g_assert(max < SIZE_MAX - 1);
    if (fd < 0)
        return fd;
    for (;;) {
        ssize_t n;

        /* Until the end is seen there is room for one byte more than may come, and for the NUL. */
        if (length + 1 >= size) {
            size = MIN(size ? size * 2 : READ_START, max + 2);
            text = g_realloc(text, size);
        }
        n = read_retry(fd, text + length, size - 1 - length);
        if (n < 0)
            return (int)n;
        if (n == 0)
            break;
        length += (size_t)n;
        if (length > max)
            return -EFBIG;
    }
    text[length] = '\0';
    if (strlen(text) != length)
        return -EBADMSG;
    *ret_text = g_steal_pointer(&text);
    return 0;
}

static int write_all(int fd, const void *data, size_t size)
{
    const char *next = data;

    while (size > 0) {
        ssize_t n = write(fd, next, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        next += n;
        size -= (size_t)n;
    }
    return 0;
}

/* A new file, even where a crash left one of this name. */
static int create_fresh(int dirfd, const char *name)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY;
    int fd = openat(dirfd, name, flags, 0600);

    if (fd < 0 && errno == EEXIST && unlinkat(dirfd, name, 0) == 0)
        fd = openat(dirfd, name, flags, 0600);
    return fd < 0 ? -errno : fd;
}

static int write_content(int dirfd, const char *name, const void *data, size_t size, mode_t mode,
                         bool durable)
{
    auto_fd fd = create_fresh(dirfd, name);
    int r;

    if (fd < 0)
        return fd;
    crash_point(CRASH_FILE_EMPTY);
    r = write_all(fd, data, size);
    if (r < 0)
        return r;
    if (fchmod(fd, mode) < 0)
        return -errno;
    if (durable && fsync(fd) < 0)
        return -errno;
    return 0;
}

static bool is_one_component(const char *name)
{
    return *name != '\0' && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

int write_file_atomic_at(int dirfd, const char *name, const void *data, size_t size, mode_t mode,
                         bool durable)
{
    g_autofree char *temporary = g_strdup_printf(".%s.new", name);
    int r;

    if (!is_one_component(name))
        return -EINVAL;
    r = write_content(dirfd, temporary, data, size, mode, durable);
    crash_point(CRASH_FILE_WRITTEN);
    if (r == 0 && renameat(dirfd, temporary, dirfd, name) < 0)
        r = -errno;
    if (r < 0) {
        (void)unlinkat(dirfd, temporary, 0);
        return r;
    }
    crash_point(CRASH_FILE_RENAMED);
    if (durable && fsync(dirfd) < 0)
        return -errno;
    return 0;
}

int remove_file_at(int dirfd, const char *name, bool durable)
{
    if (unlinkat(dirfd, name, 0) < 0)
        return -errno;
    if (durable && fsync(dirfd) < 0)
        return -errno;
    return 0;
}
