/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What can be done to the processes of a Placement through its cgroup; the same on every rung that
 * has one. The directory is held open since the process was seen in it: a cgroup of the same name
 * that somebody makes later is another one. */

#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>

#include "resources/backend-internal.h"
#include "util/procfs.h"
#include "util/syscalls.h"

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
    if (freeze && placement->lost)
        return -EOPNOTSUPP;
    return write_if_there(placement, "cgroup.freeze", freeze ? "1" : "0");
}

Freezing placement_freezing(const Placement *placement)
{
    uint64_t value;

    if (!placement_holds(placement))
        return FREEZING_NONE;
    /* What was asked for first: the processes may be some milliseconds behind. */
    if (cgroup_read_uint64(placement->cgroup_fd, "cgroup.freeze", &value) == 0 && value == 1)
        return FREEZING_OWN;
    if (cgroup_read_key(placement->cgroup_fd, "cgroup.events", "frozen", &value) == 0 && value == 1)
        return FREEZING_ABOVE;
    return FREEZING_NONE;
}

/* ---- what others do to it -------------------------------------------------------------------- */

char *placement_lost_reason(const char *path, const char *left)
{
    return g_strdup_printf("its first process was moved to the cgroup %s from outside: what was "
                           "set for %s does not hold there",
                           path ? path : "of nobody", left ? left : "its own");
}

bool placement_check(Placement *placement, pid_t pid, int pidfd)
{
    g_autofree char *path = NULL;
    g_autofree char *lost = NULL;

    if (!placement->control_group || procfs_cgroup(pid, &path) < 0)
        return false;
    if (placement->cgroup_fd < 0 || !cgroup_contains(placement->control_group, path))
        lost = placement_lost_reason(path, placement->control_group);
    if (g_strcmp0(lost, placement->lost) == 0 || sys_pidfd_has_ended(pidfd))
        return false;
    g_free(placement->lost);
    placement->lost = g_steal_pointer(&lost);
    return true;
}

int placement_watch(const Placement *placement, sd_event *event, sd_event_source **ret,
                    sd_event_inotify_handler_t handler, void *userdata)
{
    if (placement->cgroup_fd < 0)
        return -EOPNOTSUPP;
    auto_fd fd = openat(placement->cgroup_fd, "cgroup.events", O_PATH | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    return sd_event_add_inotify_fd(event, ret, fd, IN_MODIFY, handler, userdata);
}

int placement_populated(const Placement *placement)
{
    return placement->cgroup_fd < 0 ? -EOPNOTSUPP : cgroup_populated(placement->cgroup_fd);
}

uint64_t placement_oom_kills(const Placement *placement)
{
    uint64_t kills;

    return placement->cgroup_fd >= 0 &&
                   cgroup_read_key(placement->cgroup_fd, "memory.events", "oom_kill", &kills) == 0
               ? kills
               : 0;
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
    g_free(placement->lost);
    g_free(placement);
}
