/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The init that instances run, as a copy in sealed memory.
 *
 * Root inside an instance can open /proc/1/exe for writing as soon as nobody executes it any more,
 * and what it would write to is the file that the next instance runs as its first process. A memfd
 * that is sealed against every change leaves it nothing to write to; it also works when the
 * package is upgraded while we run, and in a root directory that does not hold the file. All inits
 * share the pages of this one copy. */

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/launcher.h"
#include "util/fd.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010u
#endif

#define IMAGE_SIZE_MAX (8 << 20)
#define IMAGE_SEALS    (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Kernels before 6.3 make every memfd executable and do not know the flag. */
static int image_create(void)
{
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    long fd = syscall(SYS_memfd_create, "constellation-init", flags | MFD_EXEC);

    if (fd < 0 && errno == EINVAL)
        fd = syscall(SYS_memfd_create, "constellation-init", flags);
    return (int)fd;
}

int image_load(const char *path, int *ret_fd)
{
    auto_fd source = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    auto_fd copy = -1;
    struct stat status;
    off_t left;

    if (source < 0 || fstat(source, &status) < 0)
        return errno;
    if (!S_ISREG(status.st_mode) || status.st_size == 0 || status.st_size > IMAGE_SIZE_MAX)
        return ENOEXEC;
    copy = image_create();
    if (copy < 0)
        return errno;
    for (left = status.st_size; left > 0;) {
        ssize_t moved = sendfile(copy, source, NULL, (size_t)left);

        if (moved < 0)
            return errno;
        if (moved == 0)
            return EIO; /* it shrank under our hands */
        left -= moved;
    }
    /* Not to be read by a process to whom root outside is a stranger: the kernel then lets nobody
     * look into the init who has no capability outside, whatever he has inside. */
    if (fchmod(copy, S_IXUSR | S_IXGRP | S_IXOTH) < 0 || fcntl(copy, F_ADD_SEALS, IMAGE_SEALS) < 0)
        return errno;
    *ret_fd = fd_steal(&copy);
    return 0;
}
