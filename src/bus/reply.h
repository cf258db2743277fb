/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A method call whose answer comes later. It is answered exactly once: whoever answers takes it. */

#include "core/instance.h"
#include "util/sdbus.h"

/* What an answer without error carries. */
typedef enum ReplyKind {
    REPLY_EMPTY,
    REPLY_PATH, /* the instance's object path */
} ReplyKind;

typedef struct Reply Reply;

Reply *reply_park(sd_bus_message *message, ReplyKind kind);

/* A WaiterCallback with a Reply as userdata. */
void reply_waiter(Instance *instance, const GError *error, void *userdata);

/* Throws it away: somebody else answers. */
void reply_drop(Reply *reply);
