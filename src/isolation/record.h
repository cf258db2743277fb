/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The record of one run: a small file that constellationd makes and the init fills in. Its POSIX
 * lock is held by the init for as long as it lives, which proves life without a pid; the kernel
 * lets go of it at death, so there is no stale state. */

#include <sys/types.h>

#include "isolation/wire.h"
#include "util/error.h"

/* In the directory, or in memory only (dirfd -1: a service that leaves nothing on disk). The fd is
 * the caller's. -1 and an error. */
int record_create(int dirfd, const char *name, const struct Record *record, GError **error);

/* 0, -ENODATA too short, -EBADMSG not a record of this version, -errno. */
int record_read(int fd, struct Record *ret);

/* Opens without following links; -errno. */
int record_open(int dirfd, const char *name);

/* The pid (in our pid namespace) of the process that holds the lock, 0 if nobody does, -errno.
 * The process may end right after: open a pidfd, then ask again. */
int record_holder(int fd, pid_t *ret);
