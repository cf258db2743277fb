/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Changing the limits of an instance that runs. The rungs differ in who writes the files; when the
 * change is over, and that it is told from the loop, is the same. */

#include <errno.h>

#include "resources/backend-internal.h"
#include "resources/limit-file.h"
#include "util/timer.h"

/* systemd writes to the cgroup after it has answered, in the next turn of its loop. */
#define SETTLE_FIRST_USEC 500u
#define SETTLE_LAST_USEC  (500u * 1000u)

/* What the kernel and systemd begin with. */
#define DEFAULT_WEIGHT 100u

void limits_update_cancel(LimitsUpdate *update)
{
    if (!update)
        return;
    unit_change_cancel(update->change);
    sd_event_source_disable_unref(update->source);
    g_clear_error(&update->error);
    g_free(update);
}

void limits_update_done(LimitsUpdate *update, GError *error)
{
    UpdatedCallback callback = update->callback;
    void *userdata = update->userdata;

    limits_update_cancel(update);
    if (callback)
        callback(error, userdata);
    g_clear_error(&error);
}

static bool is_settled(const LimitsUpdate *update)
{
    g_autoptr(GPtrArray)
        rows = placement_enforced(update->resources, update->placement, &update->wanted);

    for (guint i = 0; i < rows->len; i++)
        if (((const Enforced *)rows->pdata[i])->differs)
            return false;
    return true;
}

static int on_look(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    limits_update_settle(userdata);
    return 0;
}

/* What is still different after that is what somebody else has written: the rows say so. */
void limits_update_settle(LimitsUpdate *update)
{
    update->wait_usec = update->wait_usec ? update->wait_usec * 2 : SETTLE_FIRST_USEC;
    if (is_settled(update) || update->wait_usec > SETTLE_LAST_USEC ||
        timer_start(update->resources->event, &update->source, update->wait_usec, on_look, update,
                    "limits") < 0)
        limits_update_done(update, NULL);
}

static int on_over(sd_event_source *source, void *userdata)
{
    LimitsUpdate *update = userdata;

    (void)source;
    limits_update_done(update, g_steal_pointer(&update->error));
    return 0;
}

/* Of the kinds that change, what they are now. */
static Limits present_of(const Limits *present, const Limits *wanted)
{
    Limits limits = { 0 };

    for (LimitKind i = 0; i < _LIMIT_COUNT; i++) {
        limits.set[i] = wanted->set[i];
        limits.value[i] = present->set[i]            ? present->value[i]
                          : limit_file(i)->is_weight ? DEFAULT_WEIGHT
                                                     : UINT64_MAX;
    }
    return limits;
}

LimitsUpdate *limits_update(Resources *resources, const Placement *placement, const Limits *present,
                            const Limits *wanted, UpdatedCallback callback, void *userdata)
{
    LimitsUpdate *update = g_new0(LimitsUpdate, 1);
    const Backend *backend = placement->backend;

    *update = (LimitsUpdate){
        .resources = resources,
        .placement = placement,
        .present = present_of(present, wanted),
        .wanted = *wanted,
        .callback = callback,
        .userdata = userdata,
    };
    if (placement->cgroup_fd >= 0 && backend->update)
        (void)backend->update(update, &update->error);
    if (!update->change) {
        int r = sd_event_add_defer(resources->event, &update->source, on_over, update);
        g_assert(r >= 0 || r == -ESTALE); /* memory, or a loop that has ended and calls nobody */
    }
    return update;
}
