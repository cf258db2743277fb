/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* LAUNCH_REMOVE: what a persistent overlay has changed, once its instance is destroyed. The files
 * belong to whoever the payload was, so the service may not remove them; and they may be many, so
 * a process of its own does that, of which nobody needs to hear again: what it leaves behind is
 * asked for anew when the service starts.
 *
 * It goes down into the first directory that is not empty and up again by "..", so that neither
 * depth nor number of files takes memory or descriptors. The tree is nobody's any more and lies in
 * a directory of the service's own, so nothing moves under it. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/launcher.h"
#include "util/fd.h"
#include "util/syscalls.h"

#define REMOVER_NICE 10

/* What getdents64() gives. */
struct DirectoryEntry {
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[];
};

/* One made unreadable by its owner, or by the overlay, is opened all the same by whose it is. */
static int directory_open(int parent, const char *name)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(parent, name, flags);

    if (fd < 0 && errno == EACCES && fchmodat(parent, name, 0700, 0) == 0)
        fd = openat(parent, name, flags);
    return fd;
}

static bool name_is_entry(const char *name)
{
    return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* Removes it, or opens it if it is a directory that is not empty. False if neither can be. */
static bool remove_one(int parent, const char *name, int *ret_child)
{
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return true;
    if (errno != EISDIR && errno != EPERM)
        return false;
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
        return true;
    if (errno != ENOTEMPTY && errno != EEXIST && errno != EACCES)
        return false;
    *ret_child = directory_open(parent, name);
    return *ret_child >= 0;
}

/* Empties the directory, or comes to one in it that is not: *ret_child. False if it cannot be. */
static bool directory_empty(int fd, int *ret_child)
{
    union {
        struct DirectoryEntry first;
        char bytes[4096];
    } entries;
    long length;

    *ret_child = -1;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return false;
    while ((length = syscall(SYS_getdents64, fd, &entries, sizeof entries)) > 0)
        for (long at = 0; at < length;) {
            const struct DirectoryEntry *entry = (const void *)(entries.bytes + at);

            if (name_is_entry(entry->name) && !remove_one(fd, entry->name, ret_child))
                return false;
            if (*ret_child >= 0)
                return true;
            at += entry->size;
        }
    return length == 0;
}

/* Everything below the directory. Takes the descriptor. */
static bool tree_empty(int fd)
{
    unsigned long depth = 0;
    bool can = true;

    while (can) {
        int next = -1;

        can = directory_empty(fd, &next);
        if (can && next < 0 && depth == 0)
            break;
        if (can && next >= 0) {
            depth++;
        } else if (can) {
            depth--;
            next = directory_open(fd, "..");
            can = next >= 0;
        }
        (void)fd_close(fd);
        fd = next;
    }
    (void)fd_close(fd);
    return can;
}

/* Nothing else of the launcher's stays open: its peer is to see when it ends. */
static void remove_below(int layers, const char *name)
{
    const int parent = STDERR_FILENO + 1;
    int fd = -1;

    (void)setpriority(PRIO_PROCESS, 0, REMOVER_NICE);
    if (layers != parent && dup2(layers, parent) < 0)
        return;
    if (syscall(SYS_close_range, parent + 1, ~0u, 0) == 0)
        fd = directory_open(parent, name);
    if (fd >= 0 && tree_empty(fd))
        (void)unlinkat(parent, name, AT_REMOVEDIR);
}

/* The remover is a grandchild: it is not ours to wait for. */
int remove_layer(int layers, const char *name)
{
    pid_t child = fork();
    siginfo_t ended;

    if (child < 0)
        return errno;
    if (child == 0) {
        if (fork() == 0)
            remove_below(layers, name);
        _exit(EXIT_SUCCESS);
    }
    return waitid(P_PID, (id_t)child, &ended, WEXITED) < 0 ? errno : 0;
}

/* A directory of ours that is closed to everybody else. */
bool remove_is_allowed(const struct Launcher *launcher, int layers, const char *name)
{
    struct stat status;

    for (size_t i = 0; i < LAUNCH_NAME_MAX; i++) {
        if (name[i] == '\0')
            return i > 0 && fstat(layers, &status) == 0 && S_ISDIR(status.st_mode) &&
                   status.st_uid == launcher->uid && (status.st_mode & 077) == 0;
        if (!(name[i] >= 'a' && name[i] <= 'z') && !(name[i] >= '0' && name[i] <= '9'))
            return false;
    }
    return false;
}
