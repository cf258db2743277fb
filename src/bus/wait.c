/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Wait(): a call that is held until the run has ended. Bounded in number for each caller, and
 * dropped when the caller leaves or the time is over. */

#include <string.h>

#include "bus/errors.h"
#include "bus/properties.h"
#include "bus/call.h"
#include "bus/settings-read.h"
#include "util/timer.h"

#define WAITS_PER_CALLER 16

typedef struct HeldWait {
    Connection *connection;
    sd_bus_message *message;
    char id[INSTANCE_ID_LENGTH + 1];
    sd_event_source *timer;
} HeldWait;

static void held_wait_free(HeldWait *held)
{
    sd_event_source_disable_unref(held->timer);
    sd_bus_message_unref(held->message);
    g_free(held);
}

static void drop(HeldWait *held)
{
    Instance *instance = controller_find_id(held->connection->face->controller, held->id);

    if (instance)
        waiters_forget(&instance->waiters, held);
    g_ptr_array_remove_fast(held->connection->waits, held);
    held_wait_free(held);
}

static int answer(sd_bus_message *message, const Instance *instance)
{
    int code, status;

    property_end(instance, &code, &status);
    return sd_bus_reply_method_return(message, "usii", (uint32_t)instance->run,
                                      result_to_string(instance->result), code, status);
}

static void on_ended(Instance *instance, const GError *error, void *userdata)
{
    HeldWait *held = userdata;

    if (error)
        (void)sd_bus_reply_method_errorf(held->message, bus_error_name(error), "%s",
                                         error->message);
    else
        (void)answer(held->message, instance);
    g_ptr_array_remove_fast(held->connection->waits, held);
    held_wait_free(held);
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
    HeldWait *held = userdata;

    (void)source;
    (void)usec;
    (void)sd_bus_reply_method_errorf(held->message, SD_BUS_ERROR_TIMEOUT,
                                     "the run did not end within TimeoutUSec");
    drop(held);
    return 0;
}

static unsigned count_held(const Connection *connection, const char *sender)
{
    unsigned count = 0;

    for (guint i = 0; i < connection->waits->len; i++) {
        const HeldWait *held = g_ptr_array_index(connection->waits, i);
        /* The sender that a private client claims to be means nothing: there is one a connection.
         */
        count += !connection->is_message_bus ||
                 g_strcmp0(sd_bus_message_get_sender(held->message), sender) == 0;
    }
    return count;
}

typedef struct WaitArgs {
    bool final;
    uint64_t timeout_usec;
} WaitArgs;

static int hold(Call *call)
{
    const WaitArgs *args = call->args;
    HeldWait *held = g_new0(HeldWait, 1);

    held->connection = call->connection;
    held->message = sd_bus_message_ref(call->message);
    g_strlcpy(held->id, call->instance->id, sizeof held->id);
    g_ptr_array_add(held->connection->waits, held);
    (void)timer_start(held->connection->face->event, &held->timer, args->timeout_usec, on_timeout,
                      held, "wait");
    instance_wait(call->instance, args->final, on_ended, held);
    return 1;
}

static int act_wait(Call *call, sd_bus_error *error)
{
    const WaitArgs *args = call->args;
    const Instance *instance = call->instance;

    if (!state_is_active(instance->state) && (!args->final || instance->restart_boot_usec == 0))
        return answer(call->message, instance);
    if (count_held(call->connection, sd_bus_message_get_sender(call->message)) >= WAITS_PER_CALLER)
        return bus_fail_code(error, CONSTELLATION_ERROR_LIMITS_EXCEEDED,
                             "%u calls of Wait are held for this caller already: watch the signal "
                             "Exited instead",
                             WAITS_PER_CALLER);
    return hold(call);
}

int method_wait(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Target target = *(Target *)userdata;
    g_autoptr(Call) call = call_new(target.connection, target.instance, message, act_wait);
    WaitArgs *args = call_args(call, sizeof *args, NULL);
    const char *until = "final";
    g_autoptr(GError) failure = NULL;
    Option options[] = {
        { "Until", 's', &until, false },
        { "TimeoutUSec", 't', &args->timeout_usec, false },
    };

    args->timeout_usec = UINT64_MAX;
    if (!options_read(message, options, G_N_ELEMENTS(options), &failure))
        return bus_fail(error, failure);
    args->final = strcmp(until, "final") == 0;
    if (!args->final && strcmp(until, "exit") != 0)
        return bus_fail_code(error, CONSTELLATION_ERROR_INVALID_ARGS,
                             "Until: must be exit or final");
    return call_submit(g_steal_pointer(&call), error);
}

void waits_drop(Connection *connection, const char *unique_name)
{
    for (guint i = connection->waits->len; i > 0; i--) {
        HeldWait *held = g_ptr_array_index(connection->waits, i - 1);
        if (!unique_name || g_strcmp0(sd_bus_message_get_sender(held->message), unique_name) == 0)
            drop(held);
    }
}
