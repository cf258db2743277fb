/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A callback may add waiters, forget others, or tell again: so they are taken out one at a time,
 * and those that were added since the telling began belong to a later round. */

#include "core/waiters.h"

typedef struct Waiter {
    WaitFor what;
    WaiterCallback callback;
    void *userdata;
    guint round;
} Waiter;

void waiters_add(Waiters *waiters, WaitFor what, WaiterCallback callback, void *userdata)
{
    Waiter waiter = { what, callback, userdata, waiters->round };

    if (!callback)
        return;
    if (!waiters->entries)
        waiters->entries = g_array_new(FALSE, FALSE, sizeof(Waiter));
    g_array_append_val(waiters->entries, waiter);
}

void waiters_forget(Waiters *waiters, void *userdata)
{
    for (guint i = waiters->entries ? waiters->entries->len : 0; i > 0; i--)
        if (g_array_index(waiters->entries, Waiter, i - 1).userdata == userdata)
            g_array_remove_index(waiters->entries, i - 1);
}

static gboolean take_next(Waiters *waiters, gboolean all, WaitFor what, guint round, Waiter *ret)
{
    for (guint i = 0; waiters->entries && i < waiters->entries->len; i++) {
        Waiter waiter = g_array_index(waiters->entries, Waiter, i);
        if ((!all && waiter.what != what) || waiter.round >= round)
            continue;
        g_array_remove_index(waiters->entries, i);
        *ret = waiter;
        return TRUE;
    }
    return FALSE;
}

static void tell(Waiters *waiters, gboolean all, WaitFor what, Instance *instance,
                 const GError *error)
{
    guint round = ++waiters->round;
    Waiter waiter;

    while (take_next(waiters, all, what, round, &waiter))
        waiter.callback(instance, error, waiter.userdata);
}

void waiters_tell(Waiters *waiters, WaitFor what, Instance *instance, const GError *error)
{
    tell(waiters, FALSE, what, instance, error);
}

void waiters_tell_all(Waiters *waiters, Instance *instance, const GError *error)
{
    tell(waiters, TRUE, WAIT_ENDED, instance, error);
}

void waiters_done(Waiters *waiters)
{
    g_clear_pointer(&waiters->entries, g_array_unref);
}
