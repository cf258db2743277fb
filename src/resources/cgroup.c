/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rung "cgroup": this service makes the cgroup itself, and the process is born in it
 * (CLONE_INTO_CGROUP), so there is nothing to wait for.
 *
 *   BASE/UID/LAUNCH-ID
 *
 * On a host without systemd BASE is constellation-REALM in the cgroup of the service. Where systemd
 * runs, the tree is systemd's: neither its root nor the cgroup of a service (which would take the
 * instances with it when it stops) is ours to write to, and BASE is the holder scope, which was
 * delegated to us (holder.c). */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "resources/backend-internal.h"
#include "resources/limit-file.h"
#include "util/log.h"
#include "util/procfs.h"

/* ---- the base -------------------------------------------------------------------------------- */

void direct_close(Resources *resources)
{
    DirectBase *base = &resources->direct;

    base->fd = fd_close(base->fd);
    g_clear_pointer(&base->control_group, g_free);
    base->made = false;
}

static void direct_set(Resources *resources, const char *control_group, int fd, bool made)
{
    int refusals[_CONTROLLER_COUNT];

    direct_close(resources);
    resources->direct.control_group = g_strdup(control_group);
    resources->direct.fd = fd;
    resources->direct.made = made;
    cgroup_enable_controllers(fd, refusals);
    for (Controller i = 0; i < _CONTROLLER_COUNT; i++)
        if (refusals[i] < 0)
            resources->direct.refusals[i] = refusals[i];
}

void resources_set_direct_base(Resources *resources, const char *control_group, int dirfd)
{
    int fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);

    memset(resources->direct.refusals, 0, sizeof(resources->direct.refusals));
    if (fd < 0)
        log_warning("cannot keep the cgroup %s: %s", control_group, g_strerror(errno));
    else
        direct_set(resources, control_group, fd, false);
}

static char *making_failed(const char *path, int r)
{
    const char *advice = "";

    if (r == -EACCES || r == -EPERM)
        advice = " (run the service as root, or give it a cgroup that it may write to)";
    else if (r == -EROFS)
        advice = " (this container has no cgroup tree of its own)";
    return g_strdup_printf("cannot make the cgroup %s: %s%s", path, g_strerror(-r), advice);
}

/* A private service that was killed could not remove its cgroup, and as its realm is its own nobody
 * comes back for it. The realm begins with its pid. Only what is empty goes; should the pid belong
 * to another pid namespace, its service makes the directory again when it needs it. */
static void remove_orphaned_bases(int dirfd)
{
    static const char prefix[] = "constellation-p";
    g_autoptr(GPtrArray) names = cgroup_children(dirfd);

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        char *end;
        if (!g_str_has_prefix(name, prefix))
            continue;
        long pid = strtol(name + strlen(prefix), &end, 10);
        if (*end != '-' || pid <= 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH)
            continue;
        auto_fd fd = cgroup_open_at(dirfd, name);
        if (fd >= 0 && cgroup_populated(fd) == 0)
            (void)cgroup_remove(dirfd, name);
    }
}

/* Where nobody else keeps order. Controllers that the kernel does not let us have here (a cgroup
 * with processes cannot have children with controllers, except the root) are done without. */
static bool open_below_own(Resources *resources, char **ret_reason)
{
    g_autofree char *name = g_strdup_printf("constellation-%s", resources->realm);
    g_autofree char *path = NULL;
    g_autofree char *own = NULL;
    auto_fd own_fd = -1;
    int r;

    r = procfs_cgroup(getpid(), &own);
    if (r >= 0 && g_str_equal(own, "/"))
        own[0] = '\0';
    if (r >= 0)
        r = own_fd = cgroup_open(resources->mount, own);
    if (r < 0) {
        *ret_reason = g_strdup_printf("cannot open the cgroup of this service: %s", g_strerror(-r));
        return false;
    }
    remove_orphaned_bases(own_fd);
    cgroup_enable_controllers(own_fd, resources->direct.refusals);
    path = g_strconcat(own, "/", name, NULL);
    r = cgroup_make(own_fd, name);
    if (r < 0) {
        *ret_reason = making_failed(path, r);
        return false;
    }
    direct_set(resources, path, r, true);
    return true;
}

/* One that an earlier service of this realm made will do. */
static bool open_holder(Resources *resources, char **ret_reason)
{
    g_autofree char *control_group = holder_control_group(resources);
    g_autofree char *unit = holder_unit(resources);
    int fd = cgroup_open(resources->mount, control_group);

    if (fd >= 0 && cgroup_populated(fd) > 0) {
        memset(resources->direct.refusals, 0, sizeof(resources->direct.refusals));
        direct_set(resources, control_group, fd, false);
        return true;
    }
    fd_close(fd);
    *ret_reason = resources->manager
                      ? g_strdup_printf("it needs the scope %s, which there is not yet", unit)
                      : g_strdup_printf(
                            "systemd keeps the cgroups of this host and cannot be asked for one "
                            "to make others in: %s",
                            resources->manager_reason);
    return false;
}

/* systemd removes a holder that nobody holds any more. */
static bool base_is_there(const DirectBase *base)
{
    char events[64];

    return base->fd >= 0 && cgroup_read(base->fd, "cgroup.events", events, sizeof(events)) > 0;
}

bool direct_open(Resources *resources, char **ret_reason)
{
    if (base_is_there(&resources->direct))
        return true;
    direct_close(resources);
    if (!resources->mount) {
        *ret_reason = g_strdup("cgroup v2 is not mounted on this host");
        return false;
    }
    return resources->systemd ? open_holder(resources, ret_reason)
                              : open_below_own(resources, ret_reason);
}

void direct_remove_empty(Resources *resources)
{
    DirectBase *base = &resources->direct;
    g_autoptr(GPtrArray) owners = NULL;
    const char *name;
    auto_fd parent = -1;

    if (base->fd < 0)
        return;
    owners = cgroup_children(base->fd);
    for (guint i = 0; i < owners->len; i++)
        (void)unlinkat(base->fd, owners->pdata[i], AT_REMOVEDIR);
    if (!base->made)
        return;
    parent = cgroup_open_parent(resources, base->control_group, &name);
    if (parent >= 0)
        (void)unlinkat(parent, name, AT_REMOVEDIR);
}

/* ---- making one ------------------------------------------------------------------------------ */

/* What the kernel does not take is seen when the limits are read back, and reported from there. */
static void write_limits(int fd, const Limits *limits)
{
    for (LimitKind i = 0; i < _LIMIT_COUNT; i++) {
        g_autofree char *text = NULL;
        int r;

        if (!limits->set[i])
            continue;
        text = limit_to_file(i, limits->value[i]);
        r = cgroup_write(fd, limit_file(i)->file, text);
        if (r < 0)
            log_debug("cannot write %s to %s: %s", text, limit_file(i)->file, g_strerror(-r));
    }
}

/* No such file: there is no controller for it, and nothing that could be refused. */
static int write_limit(int fd, LimitKind kind, uint64_t value)
{
    g_autofree char *text = limit_to_file(kind, value);
    int r = cgroup_write(fd, limit_file(kind)->file, text);

    return r == -ENOENT ? 0 : r;
}

static bool direct_update(LimitsUpdate *update, GError **error)
{
    int fd = update->placement->cgroup_fd;

    for (LimitKind i = 0; i < _LIMIT_COUNT; i++) {
        int r = update->wanted.set[i] ? write_limit(fd, i, update->wanted.value[i]) : 0;
        if (r >= 0)
            continue;
        g_autofree char *text = limit_to_text(i, update->wanted.value[i]);
        error_from_errno(error, CONSTELLATION_ERROR_CGROUP_FAILED, r, "%s=%s: writing %s",
                         setting_get(limit_setting(i))->name, text, limit_file(i)->file);
        while (i-- > 0)
            if (update->present.set[i])
                (void)write_limit(fd, i, update->present.value[i]);
        return false;
    }
    return true;
}

/* For a scope systemd does these two: OOMPolicy=kill where the init can be spared, and a tree that
 * can be removed again. */
static void write_fixed(int fd)
{
    if (geteuid() == 0)
        (void)cgroup_write(fd, "memory.oom.group", "1");
    (void)cgroup_write(fd, "cgroup.max.depth", G_STRINGIFY(CGROUP_DEPTH_MAX));
}

static int make_leaf(Resources *resources, const char *owner, const char *launch_id)
{
    int refusals[_CONTROLLER_COUNT];
    auto_fd owner_fd = cgroup_make(resources->direct.fd, owner);

    if (owner_fd < 0)
        return owner_fd;
    cgroup_enable_controllers(owner_fd, refusals);
    return cgroup_make(owner_fd, launch_id);
}

static bool cgroup_prepare(Resources *resources, Placement *placement,
                           const PlacementRequest *request, GError **error)
{
    g_autofree char *owner = g_strdup_printf("%u", request->owner);
    g_autofree char *reason = NULL;
    int fd;

    if (!direct_open(resources, &reason))
        return error_set(error, CONSTELLATION_ERROR_CGROUP_FAILED, "no cgroup: %s", reason);
    placement->control_group = g_strdup_printf("%s/%s/%s", resources->direct.control_group, owner,
                                               request->launch_id);
    fd = make_leaf(resources, owner, request->launch_id);
    if (fd < 0) {
        /* The base itself is gone: the next start looks for a new one. */
        if (fd == -ENOENT || fd == -ENODEV)
            direct_close(resources);
        return error_from_errno(error, CONSTELLATION_ERROR_CGROUP_FAILED, fd,
                                "cannot make the cgroup %s", placement->control_group);
    }
    placement->cgroup_fd = fd;
    write_fixed(fd);
    write_limits(fd, request->limits);
    return true;
}

/* Normally the process was born in its cgroup; one that was not is moved. */
static bool cgroup_place(Placing *placing, const PlacementRequest *request)
{
    const Placement *placement = placing->placement;
    g_autofree char *control_group = NULL;
    char pid[16];
    int r;

    (void)request;
    if (procfs_cgroup(placing->pid, &control_group) == 0 &&
        g_str_equal(control_group, placement->control_group))
        return true;
    g_snprintf(pid, sizeof(pid), "%d", placing->pid);
    r = cgroup_write(placement->cgroup_fd, "cgroup.procs", pid);
    if (r >= 0)
        return true;
    placing_fail_later(placing, g_error_new(CONSTELLATION_ERROR, CONSTELLATION_ERROR_CGROUP_FAILED,
                                            "cannot move process %s into the cgroup %s: %s", pid,
                                            placement->control_group, g_strerror(-r)));
    return false;
}

/* ---- afterwards ------------------------------------------------------------------------------ */

static bool is_number(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text);
}

static bool cgroup_adopt(Resources *resources, Placement *placement, const char *control_group,
                         const char *launch_id)
{
    g_autofree char *below_own = g_strdup_printf("constellation-%s", resources->realm);
    g_autofree char *holder = holder_unit(resources);
    g_auto(GStrv) names = g_strsplit(control_group, "/", -1);
    guint n = g_strv_length(names);

    (void)placement;
    return n >= 4 && g_str_equal(names[n - 1], launch_id) && is_number(names[n - 2]) &&
           (g_str_equal(names[n - 3], below_own) || g_str_equal(names[n - 3], holder));
}

static void cgroup_release(Resources *resources, Placement *placement)
{
    if (placement->cgroup_fd >= 0)
        clean_up_cgroup(resources, placement->control_group);
}

static int cgroup_open_base(Resources *resources)
{
    g_autofree char *reason = NULL;

    if (!direct_open(resources, &reason))
        return -ENODATA;
    return fcntl(resources->direct.fd, F_DUPFD_CLOEXEC, 3);
}

const Backend backend_cgroup = {
    .name = "cgroup",
    .choice = BACKEND_CGROUP,
    .probe = direct_open,
    .prepare = cgroup_prepare,
    .place = cgroup_place,
    .update = direct_update,
    .adopt = cgroup_adopt,
    .release = cgroup_release,
    .open_parent = cgroup_open_base,
};
