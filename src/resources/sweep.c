/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What earlier services of this realm left behind. A scope whose process died before systemd put it
 * there stays active and empty for ever: systemd waits for the event that it empties. Nothing that
 * has a process is touched, nor a unit that a job is queued for, which may be about to get one; for
 * those there is a second pass. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "resources/backend-internal.h"
#include "util/log.h"
#include "util/timer.h"

#define SECOND_PASS_USEC (10u * 1000u * 1000u)

/* constellation.slice, the owner's, the shard */
#define SLICES_DEPTH 3

/* ---- scopes ---------------------------------------------------------------------------------- */

/* Names of scopes below that have processes. */
static void find_populated(int dirfd, unsigned depth, GHashTable *populated)
{
    g_autoptr(GPtrArray) names = cgroup_children(dirfd);

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        bool is_scope = g_str_has_suffix(name, ".scope");
        auto_fd fd = -1;

        if (!g_str_has_prefix(name, "constellation") ||
            (!is_scope && (depth == 0 || !g_str_has_suffix(name, ".slice"))))
            continue;
        fd = cgroup_open_at(dirfd, name);
        if (fd >= 0 && !is_scope)
            find_populated(fd, depth - 1, populated);
        else if (fd >= 0 && cgroup_populated(fd) != 0)
            g_hash_table_add(populated, g_strdup(name));
    }
}

static bool is_ours_to_stop(Resources *resources, const char *unit)
{
    g_autofree char *launch_id = scope_launch_id(resources->realm, unit);
    g_autofree char *holder = holder_unit(resources);

    return launch_id ? !g_hash_table_contains(resources->sweep_keep, launch_id)
                     : g_str_equal(unit, holder) && !resources->holding;
}

static void on_units(const ManagedUnit *units, size_t n_units, GError *error, void *userdata)
{
    Resources *resources = userdata;
    g_autoptr(GHashTable) populated = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    auto_fd root = scope_open_root(resources);

    if (error || root < 0) {
        log_warning("cannot tell whether scopes were left behind: %s",
                    error ? error->message : g_strerror(-root));
        return;
    }
    find_populated(root, SLICES_DEPTH, populated);
    for (size_t i = 0; i < n_units; i++) {
        if (units[i].job != 0 || !g_str_equal(units[i].active_state, "active") ||
            !is_ours_to_stop(resources, units[i].name) ||
            g_hash_table_contains(populated, units[i].name))
            continue;
        log_info("stopping %s, which was left behind empty", units[i].name);
        manager_stop_unit(resources->manager, units[i].name);
    }
}

static void sweep_scopes(Resources *resources)
{
    g_autofree char *glob = g_strdup_printf("constellation-%s-*.scope", resources->realm);
    g_autoptr(GError) error = NULL;

    if (resources->manager && resources->mount &&
        !manager_list_units(resources->manager, glob, on_units, resources, &error))
        log_warning("cannot tell whether scopes were left behind: %s", error->message);
}

/* ---- cgroups of our own ---------------------------------------------------------------------- */

static void sweep_owner(Resources *resources, const char *owner)
{
    const DirectBase *base = &resources->direct;
    auto_fd fd = cgroup_open_at(base->fd, owner);
    g_autoptr(GPtrArray) ids = NULL;

    if (fd < 0)
        return;
    ids = cgroup_children(fd);
    for (guint i = 0; i < ids->len; i++) {
        const char *id = ids->pdata[i];
        auto_fd instance = cgroup_open_at(fd, id);

        if (id[0] != 'i' || instance < 0 || g_hash_table_contains(resources->sweep_keep, id))
            continue;
        if (cgroup_populated(instance) != 0) {
            /* Of a start that was interrupted: its init is about to see that, and go. */
            g_autofree char *path = g_strdup_printf("%s/%s/%s", base->control_group, owner, id);
            clean_up_emptied(resources, path);
            continue;
        }
        log_info("removing the cgroup %s/%s/%s, which was left behind empty", base->control_group,
                 owner, id);
        (void)cgroup_remove(fd, id);
    }
}

static void sweep_cgroups(Resources *resources)
{
    g_autofree char *reason = NULL;
    g_autoptr(GPtrArray) owners = NULL;

    if (!direct_open(resources, &reason))
        return;
    owners = cgroup_children(resources->direct.fd);
    for (guint i = 0; i < owners->len; i++)
        if (strspn(owners->pdata[i], "0123456789") == strlen(owners->pdata[i]))
            sweep_owner(resources, owners->pdata[i]);
}

/* -------------------------------------------------------------------------------------------- */

static int on_second_pass(sd_event_source *source, uint64_t usec, void *userdata)
{
    Resources *resources = userdata;

    (void)source, (void)usec;
    sweep_scopes(resources);
    return 0;
}

void resources_sweep(Resources *resources, GHashTable *keep)
{
    GHashTableIter iter;
    gpointer id;
    int r;

    g_clear_pointer(&resources->sweep_keep, g_hash_table_unref);
    resources->sweep_keep = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_iter_init(&iter, keep);
    while (g_hash_table_iter_next(&iter, &id, NULL))
        g_hash_table_add(resources->sweep_keep, g_strdup(id));
    sweep_scopes(resources);
    sweep_cgroups(resources);
    r = timer_start(resources->event, &resources->sweep_timer, SECOND_PASS_USEC, on_second_pass,
                    resources, "sweep");
    if (r < 0)
        log_warning("there will be no second look for scopes left behind: %s", g_strerror(-r));
}
