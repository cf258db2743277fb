/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The uid and gid maps of a new user namespace.
 *
 * A child that shares our memory suspends us (CLONE_VFORK), so we cannot write its maps; it writes
 * them itself, which the kernel allows an unprivileged process for one line only: its own id onto
 * itself. It has to happen before the exec, which takes every capability from a process whose uid
 * has no name in its namespace. A map of two lines wants a writer with capabilities in the parent
 * namespace, hence a child that does not suspend us (see spawn.c). */

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/launcher.h"
#include "util/fd.h"
#include "util/text.h"

#define MAP_TEXT_MAX 80 /* two lines of two ids */

static int file_write(const char *path, const char *text)
{
    auto_fd fd = open(path, O_WRONLY | O_CLOEXEC);
    size_t length = strlen(text);
    ssize_t written;

    if (fd < 0)
        return errno;
    written = write(fd, text, length);
    if (written < 0)
        return errno;
    return (size_t)written == length ? 0 : EIO; /* a map is taken in one write or not at all */
}

static char *append_line(char *end, uint32_t id)
{
    end = text_append_number(end, id);
    end = text_append(end, " ");
    end = text_append_number(end, id);
    return text_append(end, " 1\n");
}

int idmap_write_single(uid_t uid, gid_t gid)
{
    char map[MAP_TEXT_MAX];
    int error;

    /* An unprivileged process may map its gid only once it has given up setgroups(), by which it
     * could leave a group that is denied something. */
    error = file_write("/proc/self/setgroups", "deny");
    if (error != 0)
        return error;
    (void)append_line(map, uid);
    error = file_write("/proc/self/uid_map", map);
    if (error != 0)
        return error;
    (void)append_line(map, gid);
    return file_write("/proc/self/gid_map", map);
}

int idmap_write_pair(pid_t child, uid_t uid, gid_t gid)
{
    const struct {
        const char *file;
        uint32_t id;
    } maps[] = { { "/uid_map", uid }, { "/gid_map", gid } };

    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
        char path[64], map[MAP_TEXT_MAX];
        int error;

        if (maps[i].id != 0)
            (void)append_line(append_line(map, 0), maps[i].id);
        else
            (void)append_line(map, 0);
        text_proc_path(path, child, maps[i].file);
        error = file_write(path, map);
        if (error != 0)
            return error;
    }
    return 0;
}

/* Exec takes the capabilities of a process that is not uid 0 unless they are ambient, and ambient
 * ones must be inheritable first. The init takes them from the payload again. */
int idmap_keep_capabilities(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

    if (syscall(SYS_capget, &header, sets) < 0)
        return errno;
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        sets[i].inheritable = sets[i].permitted;
    if (syscall(SYS_capset, &header, sets) < 0)
        return errno;
    for (unsigned long cap = 0; cap < 32 * _LINUX_CAPABILITY_U32S_3; cap++)
        if ((sets[cap / 32].permitted & (1u << cap % 32)) != 0 &&
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
            return errno;
    return 0;
}
