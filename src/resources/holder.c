/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The holder scope: where systemd runs, a part of its tree that it has delegated to us, for the
 * cgroups of the cgroup rung. It is a scope and no service, so that it stays when the service ends;
 * and as systemd removes a scope in which nobody lives, a process that does nothing holds it. That
 * process is moved one level down: controllers cannot be enabled in a cgroup with processes. */

#include <errno.h>

#include "resources/backend-internal.h"

#define HOLDER_SLICE        "constellation.slice"
#define HOLDER_TIMEOUT_USEC (30u * 1000u * 1000u)

struct Holding {
    Resources *resources;
    Job *job;
    char *unit;
    pid_t pid;
    int pidfd;
    HolderCallback callback;
    void *userdata;
};

char *holder_unit(const Resources *resources)
{
    return g_strdup_printf("constellation-%s-direct.scope", resources->realm);
}

char *holder_control_group(const Resources *resources)
{
    g_autofree char *root = scope_root(resources);
    g_autofree char *unit = holder_unit(resources);

    return g_strconcat(root, "/" HOLDER_SLICE "/", unit, NULL);
}

bool resources_wants_holder(Resources *resources)
{
    g_autofree char *reason = NULL;

    return resources->systemd && resources->manager && resources->mount && !resources->holding &&
           manager_is_connected(resources->manager, NULL) && !direct_open(resources, &reason);
}

void holding_free(Holding *holding)
{
    if (!holding)
        return;
    if (holding->job)
        job_cancel(holding->job);
    g_free(holding->unit);
    g_free(holding);
}

static bool move_down(int scope_fd, pid_t pid, GError **error)
{
    auto_fd fd = cgroup_make(scope_fd, "holder");
    char text[16];
    int r;

    g_snprintf(text, sizeof(text), "%d", pid);
    r = fd < 0 ? fd : cgroup_write(fd, "cgroup.procs", text);
    return r >= 0 || error_from_errno(error, CONSTELLATION_ERROR_CGROUP_FAILED, r,
                                      "cannot set up the scope that holds instances");
}

static void holding_finish(Holding *holding, GError **error)
{
    Resources *resources = holding->resources;
    g_autofree char *control_group = NULL;
    auto_fd fd = -1;

    if (scope_open_cgroup(resources, holding->unit, holding->pid, holding->pidfd, &control_group,
                          &fd, error) &&
        move_down(fd, holding->pid, error))
        resources_set_direct_base(resources, control_group, fd);
    else
        manager_stop_unit(resources->manager, holding->unit);
}

static void on_holder_scope(GError *job_error, void *userdata)
{
    Holding *holding = userdata;
    HolderCallback callback = holding->callback;
    void *callback_userdata = holding->userdata;
    g_autoptr(GError) error = NULL;

    holding->job = NULL;
    if (job_error)
        error = g_error_copy(job_error);
    else
        holding_finish(holding, &error);
    holding->resources->holding = NULL;
    holding_free(holding);
    callback(error, callback_userdata);
}

void resources_start_holder(Resources *resources, pid_t pid, int pidfd, HolderCallback callback,
                            void *userdata)
{
    UnitProperty properties[] = {
        { "Description", 's', 0, "Constellation instances in cgroups of the service's own" },
        { "Slice", 's', 0, HOLDER_SLICE },
        { "CollectMode", 's', 0, "inactive-or-failed" },
        { "Delegate", 'b', true, NULL },
        { "OOMPolicy", 's', 0, "continue" },
        { "After", 'S', 0, resources->service_unit },
    };
    size_t n = G_N_ELEMENTS(properties) - (resources->service_unit ? 0 : 1);
    Holding *holding;

    g_assert(resources->manager && !resources->holding);
    holding = g_new0(Holding, 1);
    *holding = (Holding){
        .resources = resources,
        .unit = holder_unit(resources),
        .pid = pid,
        .pidfd = pidfd,
        .callback = callback,
        .userdata = userdata,
    };
    resources->holding = holding;
    holding->job = manager_start_scope(resources->manager, holding->unit, pid, properties, n,
                                       HOLDER_TIMEOUT_USEC, on_holder_scope, holding);
}
