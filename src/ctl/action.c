/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* GetInstance, (GetAll,) the call itself with NoWait, then GetAll after each change. */

#include <errno.h>

#include "ctl/action.h"
#include "ctl/call.h"

static void action_over(Action *action, GError *error)
{
    g_assert(action->phase != PHASE_OVER);
    action->phase = PHASE_OVER;
    action->error = error;
    action->over(action->userdata);
}

static void action_gone(Action *action)
{
    GError *error = NULL;

    if (!action->kind->gone_is_done && !action->ran)
        error_set(&error, CONSTELLATION_ERROR_NO_SUCH_INSTANCE,
                  "it is gone: destroyed, or removed before it was seen to run");
    action_over(action, error);
}

static void action_call(Action *action, const char *path, const char *interface, const char *member,
                        const char *argument, CallDone done)
{
    sd_bus_message *message = call_new(&action->ctl->connection, path, interface, member);

    if (argument)
        must(sd_bus_message_append(message, "s", argument));
    call_queue_add(action->queue, message, CALL_TIMEOUT_USEC, done, action);
}

static void action_look(Action *action);

static void action_judge(Action *action, const Variant *properties)
{
    const Sight sight = {
        .properties = properties,
        .state = state_from_string(variant_string(properties, "State")),
        .ran = action->ran,
        .run_before = action->run_before,
    };
    g_autofree char *why = NULL;
    GError *error = NULL;

    switch (action->kind->judge(&sight, &why)) {
    case VERDICT_DONE:
        action_over(action, NULL);
        return;
    case VERDICT_FAILED:
        error_set(&error, CONSTELLATION_ERROR_INVALID_STATE, "%s", why);
        action_over(action, error);
        return;
    case VERDICT_WAIT:
        if (action->look_again)
            action_look(action);
        return;
    }
}

static void on_looked(sd_bus_message *reply, const GError *error, void *userdata)
{
    Action *action = userdata;
    g_autoptr(GError) odd = NULL;
    g_autoptr(Variant) properties = reply ? variant_read(reply, &odd) : NULL;
    const GError *failure = error ? error : odd;

    action->looking = false;
    if (action->phase != PHASE_SETTLING)
        return;
    if (!failure)
        action_judge(action, properties);
    else if (failure->code == CONSTELLATION_ERROR_NO_SUCH_INSTANCE)
        action_gone(action);
    else if (!call_failed_in_passing(&action->ctl->connection, failure))
        action_over(action, g_error_copy(failure));
    /* Else action_on_service() looks again. */
}

static void action_look(Action *action)
{
    action->look_again = action->looking;
    if (action->looking)
        return;
    action->looking = true;
    action_call(action, action->path, "org.freedesktop.DBus.Properties", "GetAll",
                INSTANCE_INTERFACE, on_looked);
}

static void on_told(sd_bus_message *reply, const GError *error, void *userdata)
{
    Action *action = userdata;

    (void)reply;
    if (action->phase == PHASE_OVER)
        return;
    if (error || !action->kind->judge || option_given(&action->ctl->options, OPTION_NO_WAIT)) {
        action_over(action, error ? g_error_copy(error) : NULL);
        return;
    }
    action->phase = PHASE_SETTLING;
    action_look(action);
}

static void action_tell(Action *action)
{
    const ActionKind *kind = action->kind;
    sd_bus_message *message = call_new(&action->ctl->connection, action->path, INSTANCE_INTERFACE,
                                       kind->member);

    kind->append(action->ctl, message);
    call_queue_add(action->queue, message, CALL_TIMEOUT_USEC, on_told, action);
}

static void on_looked_first(sd_bus_message *reply, const GError *error, void *userdata)
{
    Action *action = userdata;
    GError *odd = NULL;
    g_autoptr(Variant) properties = reply ? variant_read(reply, &odd) : NULL;

    if (action->phase == PHASE_OVER) {
        g_clear_error(&odd);
    } else if (!properties) {
        action_over(action, odd ? odd : g_error_copy(error));
    } else {
        action->run_before = variant_uint(properties, "Run", 0);
        action_tell(action);
    }
}

static void on_resolved(sd_bus_message *reply, const GError *error, void *userdata)
{
    Action *action = userdata;
    GError *odd = NULL;
    const char *path;

    if (action->phase == PHASE_OVER)
        return;
    if (!reply || !reply_read(reply, &odd, "o", &path)) {
        action_over(action, odd ? odd : g_error_copy(error));
        return;
    }
    action->path = g_strdup(path);
    if (action->kind->look_first)
        action_call(action, action->path, "org.freedesktop.DBus.Properties", "GetAll",
                    INSTANCE_INTERFACE, on_looked_first);
    else
        action_tell(action);
}

void action_begin(Action *action)
{
    action_call(action, MANAGER_PATH, MANAGER_INTERFACE, "GetInstance", action->name, on_resolved);
}

void action_done(Action *action)
{
    g_clear_pointer(&action->path, g_free);
    g_clear_error(&action->error);
}

void action_on_changed(Action *action, const char *path)
{
    if (action->phase == PHASE_SETTLING && g_str_equal(action->path, path))
        action_look(action);
}

void action_on_exited(Action *action, const char *path)
{
    if (g_strcmp0(action->path, path) == 0)
        action->ran = true;
    action_on_changed(action, path);
}

void action_on_removed(Action *action, const char *path)
{
    if (action->phase == PHASE_SETTLING && g_str_equal(action->path, path))
        action_gone(action);
}

void action_on_service(Action *action, bool present)
{
    GError *error = NULL;

    if (present && action->phase == PHASE_SETTLING)
        action_look(action);
    if (present || action->phase == PHASE_OVER || !connection_is_peer(&action->ctl->connection))
        return;
    call_error(&action->ctl->connection, NULL, -ENOTCONN, &error);
    action_over(action, error);
}
