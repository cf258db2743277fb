/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* ListInstances: the compact list beside GetManagedObjects, with a filter and pages. */

#include "core/controller.h"
#include "util/sdbus.h"

typedef struct ListFilter {
    int state;         /* State, or -1 */
    uint64_t owner;    /* uid, or UINT64_MAX */
    const char *label; /* borrowed from the message */
    const char *name;  /* a glob */
    const char *after; /* an id: begin behind it */
    uint64_t limit;
} ListFilter;
#define LIST_FILTER_ALL ((ListFilter){ .state = -1, .owner = UINT64_MAX, .limit = UINT64_MAX })

bool list_filter_read(sd_bus_message *message, ListFilter *ret, GError **error);
/* Of others' instances only what is public is shown, and searched. */
int list_append(sd_bus_message *reply, Controller *controller, const ListFilter *filter,
                uid_t viewer);
