/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which limits hold, and why not where they do not. The kernel's files are asked, never systemd:
 * it takes MemoryMax= where there is no memory controller, and says nothing. */

#include <errno.h>
#include <string.h>

#include "resources/backend-internal.h"
#include "resources/limit-file.h"

/* A CPU quota comes back a little smaller: it is whole microseconds of a period of at least 100 ms
 * (kernel's resolution, and what is written here and by systemd). */
#define CPU_QUOTA_ROUNDING_USEC 10u

void enforced_free(Enforced *enforced)
{
    if (!enforced)
        return;
    g_free(enforced->value);
    g_free(enforced->reason);
    g_free(enforced);
}

static Enforced *enforced_new(LimitKind kind)
{
    Enforced *row = g_new0(Enforced, 1);

    row->limit = setting_get(limit_setting(kind))->name;
    return row;
}

static void enforced_set(Enforced *row, bool enforced, char *value, char *reason)
{
    row->enforced = enforced;
    row->value = value ? value : g_strdup("");
    row->reason = reason ? reason : g_strdup("");
}

/* What is not there limits nothing, and that is what was asked for. */
static bool is_no_limit(LimitKind kind, uint64_t asked)
{
    return asked == UINT64_MAX && !limit_file(kind)->is_weight;
}

static bool same_value(LimitKind kind, uint64_t asked, uint64_t actual)
{
    uint64_t expected = limit_rounded(kind, asked);

    if (kind == LIMIT_CPU_QUOTA && expected != UINT64_MAX && actual <= expected)
        return expected - actual <= CPU_QUOTA_ROUNDING_USEC;
    return expected == actual;
}

static int read_limit(int dirfd, LimitKind kind, uint64_t *ret)
{
    char text[64];
    int r;

    r = cgroup_read(dirfd, limit_file(kind)->file, text, sizeof(text));
    return r < 0 ? r : limit_from_file(kind, text, ret);
}

/* ---- why a limit does not hold --------------------------------------------------------------- */

static char *controller_missing(const Resources *resources, Controller controller)
{
    int refusal = resources->direct.refusals[controller];

    if (refusal == -EBUSY)
        return g_strdup_printf("the %s controller cannot be had: the cgroup of this service has "
                               "processes in it, so its children get no controllers",
                               controller_name(controller));
    if (refusal < 0)
        return g_strdup_printf("the %s controller cannot be had: %s", controller_name(controller),
                               g_strerror(-refusal));
    return g_strdup_printf("there is no %s controller in this part of cgroup v2: cgroup v1 may "
                           "have it, or nobody has passed it on",
                           controller_name(controller));
}

static char *file_missing(const Resources *resources, const Placement *placement, LimitKind kind)
{
    const LimitFile *file = limit_file(kind);
    char controllers[512];

    if (cgroup_read(placement->cgroup_fd, "cgroup.controllers", controllers, sizeof(controllers)) <
        0)
        return g_strdup("the cgroup is gone");
    if (controller_in(controllers, file->controller))
        return g_strdup_printf("this kernel's %s controller has no %s",
                               controller_name(file->controller), file->file);
    return controller_missing(resources, file->controller);
}

/* The lowest limit above, if it is lower than this; *ret_path is where (g_free). */
static uint64_t lowest_above(const Resources *resources, const char *control_group, LimitKind kind,
                             uint64_t limit, char **ret_path)
{
    g_autofree char *path = g_strdup(control_group);
    uint64_t value;

    *ret_path = NULL;
    for (char *slash; (slash = strrchr(path, '/')) && slash != path;) {
        *slash = '\0';
        auto_fd fd = cgroup_open(resources->mount, path);
        if (fd < 0 || read_limit(fd, kind, &value) < 0 || value >= limit)
            continue;
        limit = value;
        g_free(*ret_path);
        *ret_path = g_strdup(path);
    }
    return limit;
}

static char *siblings(const Placement *placement)
{
    g_autofree char *parent = NULL;

    if (placement->slice)
        return g_strdup_printf("relative to the other units in %s", placement->slice);
    parent = g_path_get_dirname(placement->control_group);
    return g_strdup_printf("relative to the other cgroups in %s", parent);
}

/* ---- an instance that is there --------------------------------------------------------------- */

static void fill_from_file(const Resources *resources, const Placement *placement, LimitKind kind,
                           uint64_t asked, uint64_t actual, Enforced *row)
{
    g_autofree char *path = NULL;
    g_autofree char *lowest = NULL;
    uint64_t least;

    if (!same_value(kind, asked, actual)) {
        g_autofree char *text = limit_to_text(kind, asked);
        g_autofree char *value = limit_to_text(kind, actual);
        row->differs = true;
        enforced_set(row, false, g_strdup(value), g_strdup_printf("%s instead of %s", value, text));
        return;
    }
    if (limit_file(kind)->is_weight) {
        enforced_set(row, true, limit_to_text(kind, actual), siblings(placement));
        return;
    }
    least = lowest_above(resources, placement->control_group, kind, actual, &path);
    if (!path) {
        enforced_set(row, true, limit_to_text(kind, actual), NULL);
        return;
    }
    lowest = limit_to_text(kind, least);
    enforced_set(row, !is_no_limit(kind, asked), limit_to_text(kind, actual),
                 g_strdup_printf("%s, which it is part of, is limited to %s", path, lowest));
}

static void fill(const Resources *resources, const Placement *placement, LimitKind kind,
                 uint64_t asked, Enforced *row)
{
    uint64_t actual;
    int r;

    if (placement->lost) {
        enforced_set(row, is_no_limit(kind, asked), NULL, g_strdup(placement->lost));
        return;
    }
    if (placement->cgroup_fd < 0) {
        enforced_set(row, is_no_limit(kind, asked), NULL,
                     g_strdup("the rung \"monitor\" has no cgroup that could hold it"));
        return;
    }
    r = read_limit(placement->cgroup_fd, kind, &actual);
    if (r >= 0)
        fill_from_file(resources, placement, kind, asked, actual, row);
    else if (r == -ENOENT || r == -ENODEV)
        enforced_set(row, is_no_limit(kind, asked), NULL, file_missing(resources, placement, kind));
    else
        enforced_set(row, false, NULL,
                     g_strdup_printf("cannot read %s: %s", limit_file(kind)->file, g_strerror(-r)));
}

GPtrArray *placement_enforced(Resources *resources, const Placement *placement,
                              const Limits *limits)
{
    GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify)enforced_free);

    for (LimitKind i = 0; i < _LIMIT_COUNT; i++) {
        if (!limits->set[i])
            continue;
        Enforced *row = enforced_new(i);
        fill(resources, placement, i, limits->value[i], row);
        g_ptr_array_add(rows, row);
    }
    return rows;
}

/* ---- one that is not yet --------------------------------------------------------------------- */

/* NULL: this rung has no cgroup, or it is not known where. */
static char *parent_controllers(Resources *resources, const Backend *backend)
{
    auto_fd fd = backend->open_parent ? backend->open_parent(resources) : -1;
    /* It will be below a scope that systemd has yet to make. */
    if (fd < 0 && backend == backend_by_name("cgroup") && resources_wants_holder(resources))
        fd = backend_by_name("scope")->open_parent(resources);
    char controllers[512];

    if (fd < 0 || cgroup_read(fd, "cgroup.controllers", controllers, sizeof(controllers)) < 0)
        return NULL;
    return g_strdup(controllers);
}

static void predict(const Resources *resources, const Backend *backend, const char *controllers,
                    LimitKind kind, uint64_t asked, Enforced *row)
{
    Controller controller = limit_file(kind)->controller;

    if (!controllers)
        enforced_set(
            row, is_no_limit(kind, asked), NULL,
            g_strdup_printf("the rung \"%s\" has no cgroup that could hold it", backend->name));
    else if (!controller_in(controllers, controller))
        enforced_set(row, is_no_limit(kind, asked), NULL,
                     controller_missing(resources, controller));
    else
        enforced_set(row, true, limit_to_text(kind, limit_rounded(kind, asked)),
                     limit_file(kind)->is_weight
                         ? g_strdup("relative to the other instances of the owner")
                         : NULL);
}

GPtrArray *backend_predict(Resources *resources, const Backend *backend, const Limits *limits)
{
    GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify)enforced_free);
    g_autofree char *controllers = parent_controllers(resources, backend);

    for (LimitKind i = 0; i < _LIMIT_COUNT; i++) {
        if (!limits->set[i])
            continue;
        Enforced *row = enforced_new(i);
        predict(resources, backend, controllers, i, limits->value[i], row);
        g_ptr_array_add(rows, row);
    }
    return rows;
}

char *backend_controllers(Resources *resources, const Backend *backend)
{
    g_autofree char *controllers = parent_controllers(resources, backend);
    g_autoptr(GString) names = g_string_new(NULL);

    for (Controller i = 0; controllers && i < _CONTROLLER_COUNT; i++)
        if (controller_in(controllers, i))
            g_string_append_printf(names, "%s%s", names->len ? " " : "", controller_name(i));
    return g_strdup(names->str);
}
