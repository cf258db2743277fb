/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* News of instances, by signal: nobody holds a call for hours, and a restart of the service loses
 * nothing but a moment. Subscribe first, act then: no news is missed in between. */

#include "ctl/connection.h"
#include "ctl/ending.h"
#include "model/state.h"
#include "util/event.h"

typedef struct WatchHandler {
    /* Something about it is not as before: look. _STATE_INVALID: not its state. */
    void (*changed)(const char *path, State state, void *userdata);
    void (*exited)(const char *path, const Ending *ending, void *userdata);
    void (*removed)(const char *path, void *userdata);
    /* The service came back, or went away; then it may come back (on a bus), or not. */
    void (*service_changed)(bool present, void *userdata);
} WatchHandler;

typedef struct Watch Watch;

/* Handlers may be NULL. Only the service's signals count: on a bus anybody may send one that looks
 * like it. */
Watch *watch_new(const Connection *connection, const WatchHandler *handler, void *userdata,
                 GError **error);
void watch_free(Watch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Watch, watch_free)
