/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who waits for something to happen to an instance. A waiter is told exactly once: when it has
 * happened, when it cannot happen any more, or when the instance goes away. */

#include <glib.h>

typedef struct Instance Instance;

/* error NULL: it has happened. The error is the caller's of the callback. */
typedef void (*WaiterCallback)(Instance *instance, const GError *error, void *userdata);

typedef enum WaitFor {
    WAIT_PREPARED, /* ... has come to its gate, or is over */
    WAIT_STARTED,  /* the start that is under way is over */
    WAIT_ENDED,    /* the run is over, and everything of it gone: who asked for that */
    WAIT_RESULT,   /* the same: who wants to know how it ended, of one that is still there */
    WAIT_FINAL,    /* the same, and no restart follows */
    WAIT_DESTROYED,
} WaitFor;

typedef struct Waiters {
    GArray *entries;
    guint round; /* of telling: who comes later is not told in it */
} Waiters;

void waiters_add(Waiters *waiters, WaitFor what, WaiterCallback callback, void *userdata);

/* Nobody with this userdata is told any more. */
void waiters_forget(Waiters *waiters, void *userdata);

/* Tells those who wait for `what`. New waiters may be added meanwhile; they are not told. */
void waiters_tell(Waiters *waiters, WaitFor what, Instance *instance, const GError *error);
void waiters_tell_all(Waiters *waiters, Instance *instance, const GError *error);
void waiters_done(Waiters *waiters);
