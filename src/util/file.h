/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Small files, relative to a directory that is held open: what was checked about the directory
 * stays true of the file. Everything is O_CLOEXEC, nothing follows a symbolic link in the last
 * component, and only regular files are read (a FIFO would make the reader wait). -errno. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The whole of a file of at most max bytes, NUL-terminated; g_free. -EFBIG if it is larger,
 * -EBADMSG if it holds a NUL, -ELOOP for a symbolic link, -EISDIR, -EBADFD for what is neither file
 * nor directory. Also for files that have no size, as those of /proc and of cgroups. */
int read_small_file_at(int dirfd, const char *path, size_t max, char **ret_text);

/* Replaces a file or makes it, as a whole or not at all, with exactly this mode whatever the umask.
 * `name` is one component: the new content is first ".NAME.new" in the same directory, which a
 * crash may leave behind and the next write of this name takes away; so one writer a name. Durable:
 * on disk before this returns, content and name; dirfd must then be open for reading (no O_PATH,
 * no AT_FDCWD). */
int write_file_atomic_at(int dirfd, const char *name, const void *data, size_t size, mode_t mode,
                         bool durable);

/* Removes a file (not a directory); durable as above. -ENOENT if there is none. */
int remove_file_at(int dirfd, const char *name, bool durable);
