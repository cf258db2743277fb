/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "isolation/record.h"
#include "util/fd.h"

int record_create(int dirfd, const char *name, const struct Record *record, GError **error)
{
    auto_fd fd = dirfd >= 0
                     ? openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)
                     : memfd_create("constellation-record", MFD_CLOEXEC);

    if (fd < 0) {
        error_from_errno(error, CONSTELLATION_ERROR_SPAWN_FAILED, errno, "making the record %s",
                         name);
        return -1;
    }
    errno = ENOSPC;
    if (pwrite(fd, record, sizeof *record, 0) != (ssize_t)sizeof *record) {
        error_from_errno(error, CONSTELLATION_ERROR_SPAWN_FAILED, errno, "writing the record %s",
                         name);
        if (dirfd >= 0)
            (void)unlinkat(dirfd, name, 0);
        return -1;
    }
    return fd_steal(&fd);
}

int record_open(int dirfd, const char *name)
{
    int fd = openat(dirfd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    return fd < 0 ? -errno : fd;
}

int record_read(int fd, struct Record *ret)
{
    struct Record record;
    ssize_t n = pread(fd, &record, sizeof record, 0);

    if (n < 0)
        return -errno;
    if (n != (ssize_t)sizeof record)
        return -ENODATA;
    if (record.magic != RECORD_MAGIC || record.version != RECORD_VERSION ||
        !memchr(record.id, '\0', sizeof record.id) ||
        !memchr(record.fault_path, '\0', sizeof record.fault_path))
        return -EBADMSG;
    *ret = record;
    return 0;
}

int record_holder(int fd, pid_t *ret)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    if (fcntl(fd, F_GETLK, &lock) < 0)
        return -errno;
    *ret = lock.l_type == F_UNLCK ? 0 : lock.l_pid;
    return 0;
}
