/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is left of an instance after its last process. The kernel lets a cgroup go only when its
 * last dead process has been reaped, which takes a moment that nobody waits for here: what cannot
 * be removed at once is a Leftover with a timer. */

#include <errno.h>
#include <string.h>

#include "resources/backend-internal.h"
#include "util/log.h"
#include "util/timer.h"

#define RETRY_USEC (10u * 1000u)
#define RETRIES    200 /* two seconds */

/* systemd removes an empty scope within 20 ms, more when it is busy (the kernel holds the event
 * back for up to 10 ms; measured with systemd 252). */
#define SCOPE_GRACE_USEC (5u * 1000u * 1000u)

typedef struct Leftover {
    Resources *resources;
    char *control_group;
    char *unit; /* of a scope */
    unsigned retries;
    sd_event_source *timer;
} Leftover;

void leftover_free(void *userdata)
{
    Leftover *leftover = userdata;

    timer_stop(&leftover->timer);
    g_free(leftover->control_group);
    g_free(leftover->unit);
    g_free(leftover);
}

static void leftover_add(Resources *resources, const char *control_group, const char *unit,
                         uint64_t delay_usec, sd_event_time_handler_t handler)
{
    Leftover *leftover = g_new0(Leftover, 1);
    int r;

    leftover->resources = resources;
    leftover->control_group = g_strdup(control_group);
    leftover->unit = g_strdup(unit);
    g_hash_table_add(resources->leftovers, leftover);
    r = timer_start(resources->event, &leftover->timer, delay_usec, handler, leftover, "leftover");
    if (r < 0) {
        log_warning("cannot see to the end of the cgroup %s: %s", control_group, g_strerror(-r));
        g_hash_table_remove(resources->leftovers, leftover);
    }
}

/* ---- cgroups of our own ---------------------------------------------------------------------- */

int cgroup_open_parent(const Resources *resources, const char *control_group, const char **ret_name)
{
    const char *slash = strrchr(control_group, '/');
    g_autofree char *parent = NULL;

    if (!slash || !slash[1])
        return -EINVAL;
    parent = g_strndup(control_group, (gsize)(slash - control_group));
    *ret_name = slash + 1;
    return cgroup_open(resources->mount, parent);
}

static int remove_cgroup(const Resources *resources, const char *control_group)
{
    const char *name;
    auto_fd parent = cgroup_open_parent(resources, control_group, &name);

    if (parent < 0)
        return parent == -ENOENT ? 0 : parent;
    return cgroup_remove(parent, name);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
    Leftover *leftover = userdata;
    Resources *resources = leftover->resources;
    int r;

    (void)source, (void)usec;
    r = remove_cgroup(resources, leftover->control_group);
    if (r == -EBUSY && ++leftover->retries < RETRIES)
        r = timer_start(resources->event, &leftover->timer, RETRY_USEC, on_retry, leftover,
                        "leftover");
    else if (r < 0)
        log_warning("cannot remove the cgroup %s: %s", leftover->control_group, g_strerror(-r));
    else
        r = -ESRCH; /* done */
    if (r < 0)
        g_hash_table_remove(resources->leftovers, leftover);
    return 0;
}

static void kill_all(const Resources *resources, const char *control_group)
{
    auto_fd fd = cgroup_open(resources->mount, control_group);

    if (fd >= 0 && cgroup_populated(fd) > 0)
        (void)cgroup_write(fd, "cgroup.kill", "1");
}

void clean_up_cgroup(Resources *resources, const char *control_group)
{
    int r;

    r = remove_cgroup(resources, control_group);
    if (r == -EBUSY) {
        kill_all(resources, control_group);
        leftover_add(resources, control_group, NULL, RETRY_USEC, on_retry);
    } else if (r < 0) {
        log_warning("cannot remove the cgroup %s: %s", control_group, g_strerror(-r));
    }
}

void clean_up_emptied(Resources *resources, const char *control_group)
{
    leftover_add(resources, control_group, NULL, RETRY_USEC, on_retry);
}

void clean_up_last(Resources *resources)
{
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, resources->leftovers);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        const Leftover *leftover = key;

        if (!leftover->unit)
            (void)remove_cgroup(resources, leftover->control_group);
    }
}

/* ---- scopes ---------------------------------------------------------------------------------- */

static int on_scope_grace_over(sd_event_source *source, uint64_t usec, void *userdata)
{
    Leftover *leftover = userdata;
    Resources *resources = leftover->resources;
    auto_fd fd = cgroup_open(resources->mount, leftover->control_group);

    (void)source, (void)usec;
    if (fd >= 0 && resources->manager) {
        log_debug("%s is still there: asking systemd to stop it", leftover->unit);
        manager_stop_unit(resources->manager, leftover->unit);
    }
    g_hash_table_remove(resources->leftovers, leftover);
    return 0;
}

void clean_up_scope(Resources *resources, const char *unit, const char *control_group)
{
    leftover_add(resources, control_group, unit, SCOPE_GRACE_USEC, on_scope_grace_over);
}
