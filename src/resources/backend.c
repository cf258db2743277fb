/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The ladder as its callers see it: which rung, and from then on the same calls for all. */

#include <errno.h>
#include <unistd.h>

#include "resources/backend-internal.h"
#include "util/log.h"
#include "util/procfs.h"

/* Best first. */
static const Backend *const ladder[] = { &backend_scope, &backend_cgroup, &backend_monitor };

/* ---- the ladder ------------------------------------------------------------------------------ */

const char *backend_name(const Backend *backend)
{
    return backend->name;
}

const Backend *backend_by_name(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(ladder); i++)
        if (g_str_equal(ladder[i]->name, name))
            return ladder[i];
    return NULL;
}

bool backend_probe(Resources *resources, const Backend *backend, char **ret_reason)
{
    g_autofree char *reason = NULL;

    if (!backend->probe || backend->probe(resources, &reason))
        return true;
    if (ret_reason)
        *ret_reason = g_steal_pointer(&reason);
    return false;
}

/* Like backend_probe(), for a start that has tried some rungs already. */
static bool rung_can_be_had(Resources *resources, const Backend *backend, unsigned excluded,
                            char **ret_reason)
{
    if (excluded & (1u << backend->choice)) {
        *ret_reason = g_strdup("it failed for this start");
        return false;
    }
    return backend_probe(resources, backend, ret_reason);
}

static const Backend *choose_wanted(Resources *resources, BackendChoice wanted, unsigned excluded,
                                    GError **error)
{
    g_autofree char *reason = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(ladder); i++) {
        if (ladder[i]->choice != wanted)
            continue;
        if (rung_can_be_had(resources, ladder[i], excluded, &reason))
            return ladder[i];
        error_set(error, CONSTELLATION_ERROR_NOT_SUPPORTED, "Backend=%s cannot be had: %s",
                  ladder[i]->name, reason);
        return NULL;
    }
    g_assert_not_reached();
}

/* The first rung from the top that can be had, or is `enough`; why not is said of each before. */
static const Backend *best_rung(Resources *resources, const Backend *enough, unsigned excluded,
                                GString *refused)
{
    for (size_t i = 0; i < G_N_ELEMENTS(ladder); i++) {
        g_autofree char *reason = NULL;

        if (ladder[i] == enough || rung_can_be_had(resources, ladder[i], excluded, &reason))
            return ladder[i];
        g_string_append_printf(refused, "%s%s: %s", refused->len ? "; " : "", ladder[i]->name,
                               reason);
    }
    return NULL;
}

const Backend *backend_choose(Resources *resources, BackendChoice wanted, unsigned excluded,
                              char **ret_reason, GError **error)
{
    g_autoptr(GString) refused = g_string_new(NULL);
    const Backend *chosen;

    if (wanted != BACKEND_AUTO) {
        chosen = choose_wanted(resources, wanted, excluded, error);
    } else {
        chosen = best_rung(resources, NULL, excluded, refused);
        if (!chosen)
            error_set(error, CONSTELLATION_ERROR_NOT_SUPPORTED,
                      "there is nothing left to place the instance with: %s", refused->str);
    }
    if (chosen && ret_reason)
        *ret_reason = g_strdup(refused->str);
    return chosen;
}

/* ---- placing --------------------------------------------------------------------------------- */

static Placement *placement_new(const Backend *backend, const char *reason)
{
    Placement *placement = g_new0(Placement, 1);

    placement->backend = backend;
    placement->cgroup_fd = -1;
    placement->reason = g_strdup(reason ? reason : "");
    return placement;
}

Placement *backend_prepare(Resources *resources, const Backend *backend,
                           const PlacementRequest *request, GError **error)
{
    g_autoptr(GString) refused = g_string_new(NULL);
    Placement *placement;

    (void)best_rung(resources, backend, 0, refused);
    placement = placement_new(backend, refused->str);
    if (backend->prepare && !backend->prepare(resources, placement, request, error)) {
        backend_release(resources, placement);
        return NULL;
    }
    return placement;
}

void placing_done(Placing *placing, GError *error)
{
    PlacedCallback callback = placing->callback;
    Placement *placement = placing->placement;
    void *userdata = placing->userdata;

    g_hash_table_remove(placing->resources->placing, placement);
    callback(placement, error, userdata);
    g_clear_error(&error);
}

static int on_placing_failed(sd_event_source *source, void *userdata)
{
    Placing *placing = userdata;

    (void)source;
    placing_done(placing, g_steal_pointer(&placing->error));
    return 0;
}

void placing_fail_later(Placing *placing, GError *error)
{
    int r;

    placing->error = error;
    r = sd_event_add_defer(placing->resources->event, &placing->source, on_placing_failed, placing);
    g_assert(r >= 0 || r == -ESTALE); /* memory, or a loop that has ended and calls nobody */
}

bool backend_place(Resources *resources, Placement *placement, const PlacementRequest *request,
                   pid_t pid, int pidfd, PlacedCallback callback, void *userdata)
{
    Placing *placing;

    if (!placement->backend->place)
        return true;
    g_assert(!g_hash_table_contains(resources->placing, placement));
    placing = g_new0(Placing, 1);
    *placing = (Placing){
        .resources = resources,
        .placement = placement,
        .pid = pid,
        .pidfd = pidfd,
        .callback = callback,
        .userdata = userdata,
    };
    g_hash_table_insert(resources->placing, placement, placing);
    if (!placement->backend->place(placing, request))
        return false;
    g_hash_table_remove(resources->placing, placement);
    return true;
}

void backend_abandon(Resources *resources, Placement *placement)
{
    g_hash_table_remove(resources->placing, placement);
}

void backend_release(Resources *resources, Placement *placement)
{
    if (!placement)
        return;
    backend_abandon(resources, placement);
    if (placement->backend->release)
        placement->backend->release(resources, placement);
    placement_free(placement);
}

/* ---- after a restart ------------------------------------------------------------------------- */

static Placement *adopt_as(Resources *resources, const Backend *backend, const char *control_group,
                           const char *launch_id, const char *reason, GError **error)
{
    Placement *placement = placement_new(backend, reason);
    int fd;

    if (!backend->adopt(resources, placement, control_group, launch_id)) {
        placement_free(placement);
        return NULL;
    }
    fd = cgroup_open(resources->mount, control_group);
    if (fd < 0) {
        error_from_errno(error, CONSTELLATION_ERROR_CGROUP_FAILED, fd, "cannot open the cgroup %s",
                         control_group);
        backend_release(resources, placement);
        return NULL;
    }
    placement->cgroup_fd = fd;
    placement->control_group = g_strdup(control_group);
    return placement;
}

/* In none of the cgroups that it could be in. If one was made for it, it has been taken out of it;
 * that one, if it is still there, is its own all the same. */
static Placement *adopt_elsewhere(Resources *resources, const Placement *stored,
                                  const char *control_group, const char *launch_id,
                                  const char *reason)
{
    Placement *placement = NULL;

    if (!stored || !stored->backend->adopt)
        return placement_new(&backend_monitor, reason);
    if (stored->control_group && resources->mount)
        placement = adopt_as(resources, stored->backend, stored->control_group, launch_id, reason,
                             NULL);
    if (!placement) {
        placement = placement_new(stored->backend, reason);
        placement->unit = g_strdup(stored->unit);
    }
    placement->lost = placement_lost_reason(control_group, stored->control_group);
    return placement;
}

Placement *backend_adopt(Resources *resources, const Placement *stored, const char *launch_id,
                         pid_t pid, const char *reason, GError **error)
{
    g_autofree char *control_group = NULL;
    int r;

    r = resources->mount ? procfs_cgroup(pid, &control_group) : -ENODATA;
    if (r < 0 && r != -ENODATA) {
        error_from_errno(error, CONSTELLATION_ERROR_CGROUP_FAILED, r,
                         "cannot tell the cgroup of process %d", pid);
        return NULL;
    }
    for (size_t i = 0; control_group && i < G_N_ELEMENTS(ladder); i++) {
        GError *failure = NULL;
        Placement *placement;

        if (!ladder[i]->adopt)
            continue;
        placement = adopt_as(resources, ladder[i], control_group, launch_id, reason, &failure);
        if (failure)
            g_propagate_error(error, failure);
        if (failure || placement)
            return placement;
    }
    return adopt_elsewhere(resources, stored, control_group, launch_id, reason);
}
