/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Calls without waiting, not too many at once: a bus lets a connection have 128 replies pending,
 * and refuses what is more. */

#include "ctl/connection.h"

typedef struct CallQueue CallQueue;

/* Exactly one of reply and error is set. */
typedef void (*CallDone)(sd_bus_message *reply, const GError *error, void *userdata);

CallQueue *call_queue_new(const Connection *connection);

/* Nobody is called back any more. */
void call_queue_free(CallQueue *queue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CallQueue, call_queue_free)

/* `done` is called exactly once; before this returns where the connection is dead. It must not free
 * the queue. Takes the message. */
void call_queue_add(CallQueue *queue, sd_bus_message *message, uint64_t timeout_usec, CallDone done,
                    void *userdata);
