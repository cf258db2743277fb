/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A process of the caller's in an instance's control group. The caller writes the file itself, so
 * it can move what the kernel lets it move and nothing else. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cgroup.h"
#include "util/fd.h"

#define MOUNTINFO_LINE_MAX 8192

/* "36 35 98:0 / /mnt rw,noatime shared:1 - cgroup2 none rw": where a file system of this type is
 * mounted whole. */
static bool parse_mount(char *line, char *ret, size_t size)
{
    char *type = strstr(line, " - ");
    char *field = line;
    char root[8];

    if (!type || strncmp(type + 3, "cgroup2 ", 8) != 0)
        return false;
    for (int i = 0; field && i < 3; i++)
        field = strchr(field + (i > 0), ' ');
    if (!field || sscanf(field, " %7s", root) != 1 || strcmp(root, "/") != 0)
        return false;
    field = strchr(field + 1, ' ');
    int length = field ? (int)strcspn(field + 1, " ") : 0;
    return length > 0 && snprintf(ret, size, "%.*s", length, field + 1) < (int)size;
}

static int find_mount(char *ret, size_t size)
{
    char line[MOUNTINFO_LINE_MAX];
    FILE *file = fopen("/proc/self/mountinfo", "re");
    int r = -ENOENT;

    if (!file)
        return -errno;
    while (r < 0 && fgets(line, sizeof line, file))
        if (parse_mount(line, ret, size))
            r = 0;
    (void)fclose(file);
    return r;
}

ConstellationError cgroup_open(const Handle *handle, int *ret_fd)
{
    const IsolationContext *context = handle->instance.isolation_context;
    char mount[512], path[sizeof mount + sizeof context->control_group + 32];

    if (!context || !*context->control_group)
        return fail(CONSTELLATION_ERR_CGROUP_FAILED, "'%s' has no control group%s%s",
                    handle->instance.name, context && *context->backend_reason ? ": " : "",
                    context ? context->backend_reason : "");
    int r = find_mount(mount, sizeof mount);
    if (r < 0)
        return fail_errno(r, "looking for the cgroup v2 hierarchy in /proc/self/mountinfo");
    (void)snprintf(path, sizeof path, "%s%s/cgroup.procs", mount, context->control_group);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(errno, "opening %s", path);
    *ret_fd = fd;
    return CONSTELLATION_OK;
}

int cgroup_enter(int procs_fd, pid_t pid)
{
    char text[16];
    int length = snprintf(text, sizeof text, "%d", pid);

    return write(procs_fd, text, (size_t)length) < 0 ? -errno : 0;
}

static ConstellationError add_process(Handle *handle, pid_t pid)
{
    auto_fd fd = -1;

    ConstellationError result = snapshot_refresh(handle);
    if (result == CONSTELLATION_OK)
        result = cgroup_open(handle, &fd);
    if (result != CONSTELLATION_OK)
        return result;
    int r = cgroup_enter(fd, pid);
    return r < 0 ? fail_errno(r, "moving process %d into the control group of '%s'", pid,
                              handle->instance.name)
                 : CONSTELLATION_OK;
}

int resources_add_process_to_cgroup(Instance *instance, pid_t pid)
{
    Handle *handle;

    if (pid <= 0) {
        (void)fail(CONSTELLATION_ERR_INVALID_PARAM, "%d: is no process id", pid);
        return -1;
    }
    if (handle_enter(instance, &handle) != CONSTELLATION_OK)
        return -1;
    ConstellationError result = add_process(handle, pid);
    handle_leave(handle);
    return result == CONSTELLATION_OK ? 0 : -1;
}
