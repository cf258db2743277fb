/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Wait(): a call that is held until the run has ended. Bounded in number for each caller, and
 * dropped when the caller leaves or the time is over. */

#include <string.h>

#include "bus/authorize.h"
#include "bus/errors.h"
#include "bus/properties.h"
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

static int hold(sd_bus_message *message, Target target, bool final, uint64_t timeout_usec)
{
    HeldWait *held = g_new0(HeldWait, 1);

    held->connection = target.connection;
    held->message = sd_bus_message_ref(message);
    g_strlcpy(held->id, target.instance->id, sizeof held->id);
    g_ptr_array_add(target.connection->waits, held);
    (void)timer_start(target.connection->face->event, &held->timer, timeout_usec, on_timeout, held,
                      "wait");
    instance_wait(target.instance, final, on_ended, held);
    return 1;
}

int method_wait(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Target target = *(Target *)userdata;
    const char *until = "final";
    uint64_t timeout_usec = UINT64_MAX;
    uid_t uid;
    g_autoptr(GError) failure = NULL;
    Option options[] = {
        { "Until", 's', &until, false },
        { "TimeoutUSec", 't', &timeout_usec, false },
    };

    if (!options_read(message, options, G_N_ELEMENTS(options), &failure))
        return bus_fail(error, failure);
    bool final = strcmp(until, "final") == 0;
    if (!final && strcmp(until, "exit") != 0)
        return bus_fail_code(error, CONSTELLATION_ERROR_INVALID_ARGS,
                             "Until: must be exit or final");
    int r = authorize(target.connection, message, target.instance, &uid, error);
    if (r < 0)
        return r;
    if (!state_is_active(target.instance->state) &&
        (!final || target.instance->restart_boot_usec == 0))
        return answer(message, target.instance);
    if (count_held(target.connection, sd_bus_message_get_sender(message)) >= WAITS_PER_CALLER)
        return bus_fail_code(error, CONSTELLATION_ERROR_LIMITS_EXCEEDED,
                             "%u calls of Wait are held for this caller already: watch the signal "
                             "Exited instead",
                             WAITS_PER_CALLER);
    return hold(message, target, final, timeout_usec);
}

void waits_drop(Connection *connection, const char *unique_name)
{
    for (guint i = connection->waits->len; i > 0; i--) {
        HeldWait *held = g_ptr_array_index(connection->waits, i - 1);
        if (!unique_name || g_strcmp0(sd_bus_message_get_sender(held->message), unique_name) == 0)
            drop(held);
    }
}
