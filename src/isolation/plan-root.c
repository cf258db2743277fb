/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A root of the instance's own: built of the few directories that programs need
 * (Filesystem=private), or a directory of the host's (RootDirectory=), perhaps with a layer for
 * changes over it (Overlay=). Either has a /proc and a /dev of its own. */

#include <string.h>

#include "isolation/plan-internal.h"
#include "model/text.h"

/* Of the host, read-only. Where /usr holds everything, the others are links into it. */
static const struct {
    const char *path;
    uint32_t flags;
} programs[] = {
    { "/usr", 0 },
    { "/etc", 0 },
    { "/bin", MOUNT_LINK | MOUNT_OPTIONAL },
    { "/sbin", MOUNT_LINK | MOUNT_OPTIONAL },
    { "/lib", MOUNT_LINK | MOUNT_OPTIONAL },
    { "/lib32", MOUNT_LINK | MOUNT_OPTIONAL },
    { "/lib64", MOUNT_LINK | MOUNT_OPTIONAL },
    { "/libx32", MOUNT_LINK | MOUNT_OPTIONAL },
    { "/run/systemd/resolve", MOUNT_OPTIONAL }, /* what /etc/resolv.conf may be a link to */
};

static const char *root_directory(const PlanInput *input)
{
    return spec_get_string(input->spec, SETTING_ROOT_DIRECTORY);
}

static bool is_private(const PlanInput *input)
{
    return spec_get_uint(input->spec, SETTING_FILESYSTEM) == FILESYSTEM_PRIVATE;
}

static Overlay overlay_of(const PlanInput *input)
{
    return (Overlay)spec_get_uint(input->spec, SETTING_OVERLAY);
}

bool plan_has_root(const PlanInput *input)
{
    return root_directory(input) || is_private(input);
}

bool plan_add_layer(const PlanInput *input, Plan *plan, GError **error)
{
    if (overlay_of(input) != OVERLAY_PERSISTENT)
        return true;
    if (!input->layers)
        return error_set(
            error, CONSTELLATION_ERROR_ISOLATION_FAILED,
            "Overlay=persistent: this service keeps nothing on disk (Overlay=temporary "
            "does not need it to)");
    if (plan->has_id_range)
        return error_set(error, CONSTELLATION_ERROR_ISOLATION_FAILED,
                         "Overlay=persistent: with a range of subordinate ids the changes would "
                         "belong to nobody (IDMapping=self or UserNamespace=off, or "
                         "Overlay=temporary)");
    g_autofree char *path = g_build_filename(input->layers, input->id, NULL);
    plan_add_mount(plan->steps, STEP_LAYER, true, path, NULL, 0)->setting = SETTING_OVERLAY;
    return true;
}

void plan_add_root(const PlanInput *input, Plan *plan, uint32_t flags)
{
    const char *directory = root_directory(input);

    if (!plan_has_root(input))
        return;
    if (!directory)
        plan_add_mount(plan->steps, STEP_ROOT_PRIVATE, true, "/", NULL, 0)
            ->setting = SETTING_FILESYSTEM;
    else if (overlay_of(input) != OVERLAY_NO)
        plan_add_mount(plan->steps, STEP_ROOT_OVERLAY, true, directory, NULL, flags)
            ->setting = SETTING_OVERLAY;
    else
        plan_add_mount(plan->steps, STEP_ROOT_DIRECTORY, true, directory, NULL, flags)
            ->setting = SETTING_ROOT_DIRECTORY;
}

static void add_programs(GPtrArray *steps)
{
    for (size_t i = 0; i < G_N_ELEMENTS(programs); i++)
        plan_add_mount(steps, STEP_BIND, true, programs[i].path, programs[i].path,
                       programs[i].flags | MOUNT_RDONLY | MOUNT_NOSUID | MOUNT_NODEV)
            ->setting = SETTING_FILESYSTEM;
}

/* What programs write to at any time, in a root that is read-only otherwise. */
static void add_writable(GPtrArray *steps)
{
    static const struct {
        const char *path, *options;
    } rows[] = { { "/run", "mode=0755,size=10%,nr_inodes=400k" },
                 { "/tmp", PLAN_TMP_OPTIONS },
                 { "/var/tmp", PLAN_TMP_OPTIONS } };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        plan_add_mount(steps, STEP_TMPFS, true, rows[i].path, rows[i].options,
                       MOUNT_NOSUID | MOUNT_NODEV | MOUNT_OPTIONAL)
            ->setting = SETTING_FILESYSTEM;
}

void plan_add_root_entries(const PlanInput *input, const Plan *plan, GPtrArray *steps)
{
    if (!plan_has_root(input))
        return;
    if (!plan_has_namespace(plan, NAMESPACE_PID))
        plan_add_mount(steps, STEP_BIND, true, "/proc", "/proc",
                       MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC);
    if (!root_directory(input))
        add_programs(steps);
    else if (is_private(input))
        add_writable(steps);
}

void plan_leave_root(const PlanInput *input, Plan *plan)
{
    const char *home = plan->identity.home;

    if (!plan_has_root(input))
        return;
    if (!root_directory(input) && home && text_is_path(home))
        plan_add_mount(plan->steps, STEP_HOME, false, home, NULL, 0)->setting = SETTING_FILESYSTEM;
    plan_add_mount(plan->steps, STEP_ROOT_LEAVE, true, "/", NULL, 0);
}
