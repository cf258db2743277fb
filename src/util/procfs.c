/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The few files of /proc that are read. A pid may be gone at any moment: "no such file" and "no
 * such process" are the same answer, and whoever acts on a pid looks at its pidfd afterwards. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "util/fd.h"
#include "util/file.h"
#include "util/procfs.h"

#define CGROUP_FILE_MAX (128u * 1024) /* a path of PATH_MAX for each v1 hierarchy, and more */
#define FDINFO_MAX      4096u
#define DELETED         " (deleted)" /* what the kernel appends to a cgroup that is no more */

static int read_of_process(const char *path, size_t max, char **ret)
{
    int r = read_small_file_at(AT_FDCWD, path, max, ret);

    return r == -ENOENT ? -ESRCH : r;
}

int procfs_parse_cgroup(const char *text, char **ret)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (size_t i = 0; lines[i]; i++) {
        if (!g_str_has_prefix(lines[i], "0::/"))
            continue;
        if (g_str_has_suffix(lines[i], DELETED))
            return -ENODATA;
        *ret = g_strdup(lines[i] + strlen("0::"));
        return 0;
    }
    return -ENODATA;
}

int procfs_cgroup(pid_t pid, char **ret)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/cgroup", (int)pid);
    g_autofree char *text = NULL;
    int r = read_of_process(path, CGROUP_FILE_MAX, &text);

    return r < 0 ? r : procfs_parse_cgroup(text, ret);
}

/* "ID PARENT DEVICE ROOT MOUNTPOINT OPTIONS [TAG…] - TYPE SOURCE OPTIONS". Only a mount of the
 * root counts: a bind mount of some cgroup does not have the paths that /proc/PID/cgroup tells. */
int procfs_parse_cgroup2_mount(const char *line, char **ret)
{
    enum { ROOT = 3, MOUNTPOINT = 4 };
    g_auto(GStrv) fields = g_strsplit(line, " ", -1);
    size_t separator = MOUNTPOINT + 1;
    size_t count = g_strv_length(fields);

    while (separator < count && strcmp(fields[separator], "-") != 0)
        separator++;
    if (separator + 1 >= count || strcmp(fields[separator + 1], "cgroup2") != 0 ||
        strcmp(fields[ROOT], "/") != 0)
        return -ENODATA;
    *ret = g_strcompress(fields[MOUNTPOINT]); /* blanks and backslashes are written as \ooo */
    return 0;
}

static void file_closep(FILE **file)
{
    if (*file)
        (void)fclose(*file);
}

static void line_freep(char **line)
{
    free(*line);
}

/* Line by line: hosts with ten thousand mounts exist. */
int procfs_cgroup2_mount(char **ret)
{
    __attribute__((cleanup(file_closep))) FILE *file = fopen("/proc/self/mountinfo", "re");
    __attribute__((cleanup(line_freep))) char *line = NULL;
    size_t size = 0;

    if (!file)
        return -errno;
    while (getline(&line, &size, file) > 0)
        if (procfs_parse_cgroup2_mount(line, ret) == 0)
            return 0;
    return ferror(file) ? -EIO : -ENOENT;
}

int procfs_pidfd_pid(int pidfd, pid_t *ret)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fdinfo/%d", pidfd);
    g_autofree char *text = NULL;
    const char *field;
    int pid;
    int r = read_small_file_at(AT_FDCWD, path, FDINFO_MAX, &text);

    if (r < 0)
        return r == -ENOENT ? -EBADF : r;
    field = strstr(text, "\nPid:");
    if (!field || sscanf(field, "\nPid:%d", &pid) != 1)
        return -EBADF;
    /* -1: it has ended. 0: it is not in our pid namespace, and has no number we could use. */
    if (pid <= 0)
        return -ESRCH;
    *ret = (pid_t)pid;
    return 0;
}

int procfs_first_child(pid_t pid, pid_t *ret)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", (int)pid, (int)pid);
    auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char text[32]; /* the first number; the list may be as long as the process table */
    ssize_t n;

    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    n = read(fd, text, sizeof(text) - 1);
    if (n < 0)
        return -errno;
    text[n] = '\0';
    if (n == 0)
        return -ESRCH;
    *ret = (pid_t)strtol(text, NULL, 10);
    return 0;
}
