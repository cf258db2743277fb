/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ctl/call-queue.h"
#include "ctl/call.h"

#define IN_FLIGHT_MAX 64u

typedef struct QueuedCall {
    CallQueue *queue;
    sd_bus_message *message;
    sd_bus_slot *slot;
    uint64_t timeout_usec;
    CallDone done;
    void *userdata;
} QueuedCall;

struct CallQueue {
    const Connection *connection;
    GQueue waiting;
    GHashTable *in_flight; /* set of QueuedCall */
};

static void queued_call_free(void *data)
{
    QueuedCall *queued = data;

    sd_bus_slot_unref(queued->slot);
    sd_bus_message_unref(queued->message);
    g_free(queued);
}

CallQueue *call_queue_new(const Connection *connection)
{
    CallQueue *queue = g_new0(CallQueue, 1);

    queue->connection = connection;
    queue->in_flight = g_hash_table_new_full(NULL, NULL, queued_call_free, NULL);
    g_queue_init(&queue->waiting);
    return queue;
}

void call_queue_free(CallQueue *queue)
{
    if (!queue)
        return;
    g_queue_clear_full(&queue->waiting, queued_call_free);
    g_hash_table_unref(queue->in_flight);
    g_free(queue);
}

static void call_queue_pump(CallQueue *queue);

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *unused)
{
    QueuedCall *queued = userdata;
    CallQueue *queue = queued->queue;
    const sd_bus_error *bus_error = sd_bus_message_get_error(reply);
    CallDone done = queued->done;
    void *done_userdata = queued->userdata;
    g_autoptr(GError) error = NULL;

    (void)unused;
    if (bus_error)
        call_error(queue->connection, bus_error, 0, &error);
    g_hash_table_remove(queue->in_flight, queued);
    call_queue_pump(queue);
    done(error ? NULL : reply, error, done_userdata);
    return 0;
}

static void queued_call_fail(QueuedCall *queued, int r)
{
    g_autoptr(GError) error = NULL;

    call_error(queued->queue->connection, NULL, r, &error);
    queued->done(NULL, error, queued->userdata);
    queued_call_free(queued);
}

static void call_queue_pump(CallQueue *queue)
{
    while (g_hash_table_size(queue->in_flight) < IN_FLIGHT_MAX) {
        QueuedCall *queued = g_queue_pop_head(&queue->waiting);
        int r;

        if (!queued)
            return;
        r = sd_bus_call_async(queue->connection->bus, &queued->slot, queued->message, on_reply,
                              queued, queued->timeout_usec);
        if (r < 0)
            queued_call_fail(queued, r);
        else
            g_hash_table_add(queue->in_flight, queued);
    }
}

void call_queue_add(CallQueue *queue, sd_bus_message *message, uint64_t timeout_usec, CallDone done,
                    void *userdata)
{
    QueuedCall *queued = g_new0(QueuedCall, 1);

    *queued = (QueuedCall){
        .queue = queue,
        .message = message,
        .timeout_usec = timeout_usec,
        .done = done,
        .userdata = userdata,
    };
    g_queue_push_tail(&queue->waiting, queued);
    call_queue_pump(queue);
}
