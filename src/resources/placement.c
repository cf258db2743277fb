/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What can be done to the processes of a Placement through its cgroup; the same on every rung that
 * has one. The directory is held open since the process was seen in it: a cgroup of the same name
 * that somebody makes later is another one. */

#include <errno.h>

#include "resources/backend-internal.h"

/* No file: the cgroup is gone, and so is everybody in it; or the kernel has no such file. */
static int write_if_there(const Placement *placement, const char *file, const char *text)
{
    char events[64];
    int r;

    if (placement->cgroup_fd < 0)
        return -EOPNOTSUPP;
    r = cgroup_write(placement->cgroup_fd, file, text);
    if (r == -ENODEV)
        return 0;
    if (r == -ENOENT)
        return cgroup_read(placement->cgroup_fd, "cgroup.events", events, sizeof(events)) < 0
                   ? 0
                   : -EOPNOTSUPP;
    return r;
}

Placement *placement_monitor(const char *reason)
{
    Placement *placement = g_new0(Placement, 1);

    placement->backend = &backend_monitor;
    placement->cgroup_fd = -1;
    placement->reason = g_strdup(reason);
    return placement;
}

int placement_kill(const Placement *placement)
{
    return write_if_there(placement, "cgroup.kill", "1");
}

int placement_freeze(const Placement *placement, bool freeze)
{
    return write_if_there(placement, "cgroup.freeze", freeze ? "1" : "0");
}

bool placement_is_frozen(const Placement *placement)
{
    char text[16];

    return placement->cgroup_fd >= 0 &&
           cgroup_read(placement->cgroup_fd, "cgroup.freeze", text, sizeof(text)) > 0 &&
           text[0] == '1';
}

int placement_populated(const Placement *placement)
{
    return placement->cgroup_fd < 0 ? -EOPNOTSUPP : cgroup_populated(placement->cgroup_fd);
}

void placement_free(Placement *placement)
{
    if (!placement)
        return;
    fd_close(placement->cgroup_fd);
    g_free(placement->unit);
    g_free(placement->slice);
    g_free(placement->control_group);
    g_free(placement->reason);
    g_free(placement);
}
