/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rung "scope": systemd makes the cgroup and keeps the limits. All properties go with the one
 * StartTransientUnit, where they cost nothing; the process is put into the scope by systemd, and
 * waits at its gate until then. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "resources/backend-internal.h"
#include "resources/limit-file.h"
#include "util/procfs.h"
#include "util/syscalls.h"

/* systemd's own clock for killing starts with ours and ends after it: ours tells the instance. */
#define TIMEOUT_STOP_EXTRA_USEC (2u * 1000u * 1000u)

static bool scope_probe(Resources *resources, char **ret_reason)
{
    if (!resources->manager) {
        *ret_reason = g_strdup(resources->manager_reason);
        return false;
    }
    if (!resources->mount) {
        *ret_reason = g_strdup("cgroup v2 is not mounted on this host");
        return false;
    }
    return manager_is_connected(resources->manager, ret_reason);
}

/* ---- names ----------------------------------------------------------------------------------- */

/* systemd nests slices by their dashes: constellation-1000-s1.slice is below
 * constellation-1000.slice, and that below constellation.slice, so a limit on the owner holds for
 * all shards. */
static char *slice_name(uid_t owner, unsigned shard)
{
    return shard == 0 ? g_strdup_printf("constellation-%u.slice", owner)
                      : g_strdup_printf("constellation-%u-s%u.slice", owner, shard);
}

static unsigned slice_count(const Resources *resources, const char *slice)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(resources->slices, slice));
}

static void slice_add(Resources *resources, const char *slice)
{
    g_hash_table_replace(resources->slices, g_strdup(slice),
                         GUINT_TO_POINTER(slice_count(resources, slice) + 1));
}

char *scope_slice_take(Resources *resources, uid_t owner)
{
    for (unsigned shard = 0;; shard++) {
        g_autofree char *slice = slice_name(owner, shard);

        if (slice_count(resources, slice) >= resources->slice_scopes_max)
            continue;
        slice_add(resources, slice);
        return g_steal_pointer(&slice);
    }
}

void scope_slice_drop(Resources *resources, const char *slice)
{
    unsigned count = slice_count(resources, slice);

    if (count <= 1)
        g_hash_table_remove(resources->slices, slice);
    else
        g_hash_table_replace(resources->slices, g_strdup(slice), GUINT_TO_POINTER(count - 1));
}

char *scope_launch_id(const char *realm, const char *unit)
{
    g_autofree char *prefix = g_strdup_printf("constellation-%s-", realm);
    g_autofree char *id = NULL;

    if (!g_str_has_prefix(unit, prefix) || !g_str_has_suffix(unit, ".scope"))
        return NULL;
    id = g_strndup(unit + strlen(prefix), strlen(unit) - strlen(prefix) - strlen(".scope"));
    return *id && g_str_has_prefix(id, "i") ? g_steal_pointer(&id) : NULL;
}

/* ---- making one ------------------------------------------------------------------------------ */

static bool scope_prepare(Resources *resources, Placement *placement,
                          const PlacementRequest *request, GError **error)
{
    (void)error;
    placement->unit = g_strdup_printf("constellation-%s-%s.scope", resources->realm,
                                      request->launch_id);
    placement->slice = scope_slice_take(resources, request->owner);
    return true;
}

static uint64_t timeout_stop(uint64_t usec)
{
    return usec > UINT64_MAX - TIMEOUT_STOP_EXTRA_USEC ? UINT64_MAX
                                                       : usec + TIMEOUT_STOP_EXTRA_USEC;
}

/* No Controller: after a restart of the bus it would name nobody, or a stranger, and systemctl stop
 * would wait for that one. CollectMode: a failed scope would else stay loaded for ever.
 * OOMPolicy=kill takes the payload down as a whole and spares the init, whose oom_score_adj root
 * has lowered; nobody else can lower it, so under a user's systemd the init does that work. */
size_t scope_properties(const Resources *resources, const Placement *placement,
                        const PlacementRequest *request, UnitProperty *properties)
{
    const char *oom_policy = resources->user_manager ? "continue" : "kill";
    const UnitProperty fixed[] = {
        { "Description", 's', 0, request->description },
        { "Slice", 's', 0, placement->slice },
        { "CollectMode", 's', 0, "inactive-or-failed" },
        { "KillSignal", 'i', (uint64_t)request->kill_signal, NULL },
        { "SendSIGHUP", 'b', false, NULL },
        { "TimeoutStopUSec", 't', timeout_stop(request->timeout_stop_usec), NULL },
        { "OOMPolicy", 's', 0, oom_policy },
        { "CPUAccounting", 'b', true, NULL },
        { "MemoryAccounting", 'b', true, NULL },
        { "TasksAccounting", 'b', true, NULL },
    };
    size_t n = G_N_ELEMENTS(fixed);

    memcpy(properties, fixed, sizeof(fixed));
    /* At shutdown units stop in reverse order: the service goes last and sees its instances end. */
    if (resources->service_unit)
        properties[n++] = (UnitProperty){ "After", 'S', 0, resources->service_unit };
    for (LimitKind i = 0; i < _LIMIT_COUNT; i++)
        if (request->limits->set[i])
            properties[n++] = (UnitProperty){ limit_file(i)->property, 't',
                                              request->limits->value[i], NULL };
    g_assert(n <= SCOPE_PROPERTIES_MAX);
    return n;
}

/* systemd reports a job as done for a process that is dead, too, and its number may be somebody
 * else's by now: the pidfd has the last word, after the number has been used. */
bool scope_open_cgroup(Resources *resources, const char *unit, pid_t pid, int pidfd,
                       char **ret_control_group, int *ret_fd, GError **error)
{
    g_autofree char *control_group = NULL;
    const char *name;
    auto_fd fd = -1;
    int r;

    r = procfs_cgroup(pid, &control_group);
    if (r >= 0)
        r = fd = cgroup_open(resources->mount, control_group);
    if (sys_pidfd_has_ended(pidfd))
        return error_set(error, CONSTELLATION_ERROR_CGROUP_FAILED,
                         "the process had ended when %s was ready for it", unit);
    if (r < 0)
        return error_from_errno(error, CONSTELLATION_ERROR_CGROUP_FAILED, r,
                                "cannot open the cgroup of %s", unit);
    name = strrchr(control_group, '/');
    if (!name || !g_str_equal(name + 1, unit))
        return error_set(error, CONSTELLATION_ERROR_CGROUP_FAILED,
                         "systemd made %s, but the process is in %s", unit, control_group);
    *ret_control_group = g_steal_pointer(&control_group);
    *ret_fd = fd_steal(&fd);
    return true;
}

static void on_job_done(GError *job_error, void *userdata)
{
    Placing *placing = userdata;
    Placement *placement = placing->placement;
    GError *error = NULL;

    placing->job = NULL;
    if (job_error) {
        placing_done(placing, g_error_copy(job_error));
        return;
    }
    if (!scope_open_cgroup(placing->resources, placement->unit, placing->pid, placing->pidfd,
                           &placement->control_group, &placement->cgroup_fd, &error))
        manager_stop_unit(placing->resources->manager, placement->unit);
    placing_done(placing, error);
}

static bool scope_place(Placing *placing, const PlacementRequest *request)
{
    UnitProperty properties[SCOPE_PROPERTIES_MAX];
    Resources *resources = placing->resources;
    size_t n = scope_properties(resources, placing->placement, request, properties);

    placing->job = manager_start_scope(resources->manager, placing->placement->unit, placing->pid,
                                       properties, n, request->timeout_usec, on_job_done, placing);
    return false;
}

/* ---- changing its limits --------------------------------------------------------------------- */

static void on_unit_changed(GError *error, void *userdata)
{
    LimitsUpdate *update = userdata;

    update->change = NULL;
    if (error)
        limits_update_done(update, g_error_copy(error));
    else
        limits_update_settle(update);
}

static bool scope_update(LimitsUpdate *update, GError **error)
{
    UnitProperty properties[_LIMIT_COUNT];
    size_t n = 0;

    for (LimitKind i = 0; i < _LIMIT_COUNT; i++)
        if (update->wanted.set[i])
            properties[n++] = (UnitProperty){ limit_file(i)->property, 't', update->wanted.value[i],
                                              NULL };
    update->change = manager_change_unit(update->resources->manager, update->placement->unit,
                                         properties, n, on_unit_changed, update, error);
    return update->change;
}

/* ---- afterwards ------------------------------------------------------------------------------ */

static bool scope_adopt(Resources *resources, Placement *placement, const char *control_group,
                        const char *launch_id)
{
    g_autofree char *slice_path = g_path_get_dirname(control_group);
    g_autofree char *unit = g_path_get_basename(control_group);
    g_autofree char *found = scope_launch_id(resources->realm, unit);

    if (g_strcmp0(found, launch_id) != 0)
        return false;
    placement->unit = g_steal_pointer(&unit);
    placement->slice = g_path_get_basename(slice_path);
    slice_add(resources, placement->slice);
    return true;
}

static void scope_release(Resources *resources, Placement *placement)
{
    if (placement->slice)
        scope_slice_drop(resources, placement->slice);
    if (placement->control_group)
        clean_up_scope(resources, placement->unit, placement->control_group);
}

/* Until systemd has said where it makes its slices: where it always does. */
char *scope_root(const Resources *resources)
{
    const char *root = resources->manager ? manager_control_group(resources->manager) : NULL;

    if (root || !resources->user_manager)
        return g_strdup(root ? root : "");
    return g_strdup_printf("/user.slice/user-%u.slice/user@%u.service", getuid(), getuid());
}

int scope_open_root(Resources *resources)
{
    g_autofree char *root = scope_root(resources);

    return resources->manager && resources->mount ? cgroup_open(resources->mount, root) : -ENODATA;
}

const Backend backend_scope = {
    .name = "scope",
    .choice = BACKEND_SCOPE,
    .probe = scope_probe,
    .prepare = scope_prepare,
    .place = scope_place,
    .update = scope_update,
    .adopt = scope_adopt,
    .release = scope_release,
    .open_parent = scope_open_root,
};
