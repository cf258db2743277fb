/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/procs.h"
#include "util/fd.h"
#include "util/text.h"

#define STAT_MAX 256 /* bytes of /proc/PID/stat; the parent stands behind a name of at most 64 */

/* What getdents64() gives; a libc shows it only through a readdir() that allocates. */
struct DirectoryEntry {
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[];
};

/* The next thread of the process that has a list of children. */
static bool open_next_task(struct Procs *procs)
{
    for (;;) {
        const struct DirectoryEntry *entry;
        char path[64];

        if (procs->task_at >= procs->task_length) {
            long length = syscall(SYS_getdents64, procs->tasks, procs->task_entries,
                                  sizeof procs->task_entries);

            if (length <= 0)
                return false;
            procs->task_at = 0;
            procs->task_length = (uint16_t)length;
        }
        entry = (const void *)(procs->task_entries + procs->task_at);
        procs->task_at = (uint16_t)(procs->task_at + entry->size);
        if (entry->name[0] == '.')
            continue;
        (void)text_append(text_append(path, entry->name), "/children");
        procs->fd = openat(procs->tasks, path, O_RDONLY | O_CLOEXEC);
        if (procs->fd >= 0)
            return true;
    }
}

static int proc = -1;

void procs_read_from(int directory)
{
    proc = directory;
}

/* A file of the process; never by the path /proc, for what is there may be the payload's work. */
static int process_open(pid_t process, const char *rest, int flags)
{
    char path[64];

    text_proc_path(path, process, rest);
    return openat(proc, path + strlen("/proc/"), flags | O_RDONLY | O_CLOEXEC);
}

bool procs_open_children(struct Procs *procs, pid_t process)
{
    *procs = (struct Procs){ .fd = -1 };
    procs->tasks = process_open(process, "/task", O_DIRECTORY);
    return procs->tasks >= 0;
}

bool procs_open_file(struct Procs *procs, int directory, const char *name)
{
    *procs = (struct Procs){ .tasks = -1 };
    procs->fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
    return procs->fd >= 0;
}

void procs_close(struct Procs *procs)
{
    procs->fd = fd_close(procs->fd);
    procs->tasks = fd_close(procs->tasks);
}

/* The next byte of this list, or -1 at its end. */
static int next_byte(struct Procs *procs)
{
    if (procs->at >= procs->length) {
        ssize_t length = procs->fd >= 0 ? read(procs->fd, procs->buffer, sizeof procs->buffer) : 0;

        if (length <= 0)
            return -1;
        procs->at = 0;
        procs->length = (uint16_t)length;
    }
    return procs->buffer[procs->at++];
}

pid_t procs_next(struct Procs *procs)
{
    pid_t pid = 0;

    for (;;) {
        int byte = next_byte(procs);

        if (byte >= '0' && byte <= '9') {
            pid = pid * 10 + (byte - '0');
        } else if (pid > 0) {
            return pid;
        } else if (byte < 0) {
            procs->fd = fd_close(procs->fd);
            if (procs->tasks < 0 || !open_next_task(procs))
                return 0;
        }
    }
}

bool procs_children_are_listed(void)
{
    return faccessat(proc, "thread-self/children", F_OK, 0) == 0;
}

pid_t procs_parent(pid_t process)
{
    char text[STAT_MAX], *end;
    pid_t parent = 0;
    auto_fd fd = -1;
    ssize_t length;

    fd = process_open(process, "/stat", 0);
    if (fd < 0 || (length = read(fd, text, sizeof text - 1)) <= 0)
        return -1;
    text[length] = '\0';
    /* "1234 (name) S 567 ": the name may hold anything, brackets too. */
    end = strrchr(text, ')');
    if (end == NULL || strlen(end) < sizeof ") S 1" - 1)
        return -1;
    for (end += 4; *end >= '0' && *end <= '9'; end++)
        parent = parent * 10 + (*end - '0');
    return parent;
}
