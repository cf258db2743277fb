/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Directories of cgroup v2 and the small files in them. Read with one pread into a buffer on the
 * stack: these files are made up anew by the kernel for each first read, and usage figures are
 * asked for often. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "resources/cgroupfs.h"
#include "util/fd.h"
#include "util/parse.h"

static const char *const controller_names[_CONTROLLER_COUNT] = {
    [CONTROLLER_CPU] = "cpu",
    [CONTROLLER_MEMORY] = "memory",
    [CONTROLLER_PIDS] = "pids",
};

const char *controller_name(Controller controller)
{
    return controller_names[controller];
}

bool controller_in(const char *list, Controller controller)
{
    const char *name = controller_names[controller];
    size_t length = strlen(name);

    for (const char *word = list; *word; word += strspn(word, " ")) {
        size_t n = strcspn(word, " ");

        if (n == length && memcmp(word, name, n) == 0)
            return true;
        word += n;
    }
    return false;
}

bool cgroup_contains(const char *control_group, const char *path)
{
    size_t length = strlen(control_group);

    return strncmp(path, control_group, length) == 0 &&
           (path[length] == '\0' || path[length] == '/');
}

/* ---- files ----------------------------------------------------------------------------------- */

int cgroup_read(int dirfd, const char *file, char *buffer, size_t size)
{
    auto_fd fd = openat(dirfd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n;

    if (fd < 0)
        return -errno;
    n = pread(fd, buffer, size - 1, 0);
    if (n < 0)
        return -errno;
    if (n > 0 && buffer[n - 1] == '\n')
        n--;
    buffer[n] = '\0';
    return (int)n;
}

int cgroup_read_uint64(int dirfd, const char *file, uint64_t *ret)
{
    char text[32];
    int r;

    r = cgroup_read(dirfd, file, text, sizeof(text));
    if (r < 0)
        return r;
    return parse_uint64(g_str_equal(text, "max") ? "infinity" : text, ret);
}

int cgroup_read_key(int dirfd, const char *file, const char *key, uint64_t *ret)
{
    size_t length = strlen(key);
    char text[4096];
    int r;

    r = cgroup_read(dirfd, file, text, sizeof(text));
    if (r < 0)
        return r;
    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        if (strncmp(line, key, length) == 0 && line[length] == ' ')
            return parse_uint64(line + length + 1, ret);
    }
    return -ENODATA;
}

int cgroup_write(int dirfd, const char *file, const char *text)
{
    auto_fd fd = openat(dirfd, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return -errno;
    return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* ---- directories ----------------------------------------------------------------------------- */

int cgroup_open_at(int dirfd, const char *name)
{
    int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    return fd < 0 ? -errno : fd;
}

int cgroup_open(const char *mount, const char *control_group)
{
    g_autofree char *path = g_strconcat(mount, control_group, NULL);

    return cgroup_open_at(AT_FDCWD, path);
}

int cgroup_populated(int dirfd)
{
    uint64_t populated;
    int r;

    r = cgroup_read_key(dirfd, "cgroup.events", "populated", &populated);
    if (r == -ENOENT || r == -ENODEV)
        return 0;
    return r < 0 ? r : populated != 0;
}

int cgroup_make(int dirfd, const char *name)
{
    if (mkdirat(dirfd, name, 0755) < 0 && errno != EEXIST)
        return -errno;
    return cgroup_open_at(dirfd, name);
}

void cgroup_enable_controllers(int dirfd, int refusals[static _CONTROLLER_COUNT])
{
    char offered[512], enabled[512], text[32];

    memset(refusals, 0, _CONTROLLER_COUNT * sizeof(refusals[0]));
    if (cgroup_read(dirfd, "cgroup.controllers", offered, sizeof(offered)) < 0 ||
        cgroup_read(dirfd, "cgroup.subtree_control", enabled, sizeof(enabled)) < 0)
        return;
    for (Controller i = 0; i < _CONTROLLER_COUNT; i++) {
        if (!controller_in(offered, i) || controller_in(enabled, i))
            continue;
        snprintf(text, sizeof(text), "+%s", controller_names[i]);
        refusals[i] = cgroup_write(dirfd, "cgroup.subtree_control", text);
    }
}

GPtrArray *cgroup_children(int dirfd)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    int fd = cgroup_open_at(dirfd, ".");
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    if (!dir) {
        fd_close(fd);
        return names;
    }
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            g_ptr_array_add(names, g_strdup(entry->d_name));
    closedir(dir);
    return names;
}

static int remove_below(int parent_fd, const char *name, unsigned depth)
{
    g_autoptr(GPtrArray) children = NULL;
    auto_fd fd = -1;
    int r;

    /* Nearly always there is nothing below. */
    if (unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return 0;
    if (errno != EBUSY && errno != ENOTEMPTY)
        return -errno;
    if (depth == 0)
        return -ELOOP;
    fd = cgroup_open_at(parent_fd, name);
    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    children = cgroup_children(fd);
    for (guint i = 0; i < children->len; i++) {
        r = remove_below(fd, children->pdata[i], depth - 1);
        if (r < 0)
            return r;
    }
    return unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -errno;
}

int cgroup_remove(int parent_fd, const char *name)
{
    return remove_below(parent_fd, name, CGROUP_DEPTH_MAX);
}
