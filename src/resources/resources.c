/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The state that the rungs share: what kind of host this is, the connection to systemd, and what
 * is on its way in or out. */

#include <unistd.h>

#include "resources/backend-internal.h"
#include "util/procfs.h"

static void connect_systemd(Resources *resources, const ResourcesOptions *options)
{
    g_autoptr(GError) error = NULL;

    if (options->no_systemd) {
        resources->manager_reason = g_strdup("the service was told to do without systemd");
        return;
    }
    resources->manager = manager_new(options->event, options->user_manager, &error);
    if (!resources->manager)
        resources->manager_reason = g_strdup(error->message);
}

static void placing_destroy(void *userdata)
{
    Placing *placing = userdata;

    if (placing->job)
        job_cancel(placing->job);
    sd_event_source_disable_unref(placing->source);
    g_clear_error(&placing->error);
    g_free(placing);
}

Resources *resources_new(const ResourcesOptions *options)
{
    Resources *resources = g_new0(Resources, 1);

    resources->event = sd_event_ref(options->event);
    resources->realm = g_strdup(options->realm);
    resources->service_unit = g_strdup(options->service_unit);
    resources->user_manager = options->user_manager;
    resources->systemd = access("/run/systemd/system", F_OK) == 0;
    resources->slice_scopes_max = SLICE_SCOPES_MAX;
    resources->placing = g_hash_table_new_full(NULL, NULL, NULL, placing_destroy);
    resources->slices = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    resources->leftovers = g_hash_table_new_full(NULL, NULL, leftover_free, NULL);
    resources->direct.fd = -1;
    if (procfs_cgroup2_mount(&resources->mount) < 0)
        resources->mount = NULL;
    connect_systemd(resources, options);
    return resources;
}

void resources_free(Resources *resources)
{
    if (!resources)
        return;
    g_hash_table_destroy(resources->placing);
    holding_free(resources->holding);
    sd_event_source_disable_unref(resources->sweep_timer);
    g_clear_pointer(&resources->sweep_keep, g_hash_table_unref);
    clean_up_last(resources);
    g_hash_table_destroy(resources->leftovers);
    direct_remove_empty(resources);
    direct_close(resources);
    manager_free(resources->manager);
    g_hash_table_destroy(resources->slices);
    sd_event_unref(resources->event);
    g_free(resources->manager_reason);
    g_free(resources->mount);
    g_free(resources->service_unit);
    g_free(resources->realm);
    g_free(resources);
}
