/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The methods of an Instance object that do something. Each has two parts: one reads and validates,
 * the other acts once the caller has been authorized; an answer that comes later is parked. */

#include <string.h>

#include "bus/errors.h"
#include "bus/face.h"
#include "bus/inspect.h"
#include "bus/names.h"
#include "bus/properties.h"
#include "bus/reply.h"
#include "bus/rights.h"
#include "bus/call.h"
#include "bus/settings-read.h"

/* Starts one of core's stories with a parked answer, or with the answer at once if the caller does
 * not want to wait. */
typedef bool (*Story)(Instance *instance, const void *options, WaiterCallback done, void *userdata,
                      GError **error);

static int tell_story(Call *call, Story story, const void *options, bool no_wait,
                      sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;
    Instance *instance = call->instance;
    Reply *reply = reply_park(call->message, REPLY_EMPTY);

    if (!story(instance, options, no_wait ? NULL : reply_waiter, reply, &failure)) {
        reply_drop(reply);
        return bus_fail(error, failure);
    }
    if (no_wait)
        reply_waiter(instance, NULL, reply);
    return 1;
}

static bool story_start(Instance *instance, const void *options, WaiterCallback done,
                        void *userdata, GError **error)
{
    return instance_start(instance, options, done, userdata, error);
}

static bool story_prepare(Instance *instance, const void *options, WaiterCallback done,
                          void *userdata, GError **error)
{
    return instance_prepare(instance, options, done, userdata, error);
}

static bool story_stop(Instance *instance, const void *options, WaiterCallback done, void *userdata,
                       GError **error)
{
    return instance_stop(instance, options, done, userdata, error);
}

static bool story_restart(Instance *instance, const void *options, WaiterCallback done,
                          void *userdata, GError **error)
{
    return instance_restart(instance, options, done, userdata, error);
}

static bool story_destroy(Instance *instance, const void *options, WaiterCallback done,
                          void *userdata, GError **error)
{
    return instance_destroy(instance, *(const bool *)options, done, userdata, error);
}

/* ---- Start ----------------------------------------------------------------------------------- */

typedef struct StartArgs {
    StartOptions start;
    bool no_wait;
} StartArgs;

static int act_start(Call *call, sd_bus_error *error)
{
    const StartArgs *args = call->args;
    g_autoptr(GError) failure = NULL;

    if (!controller_take(call->connection->face->controller, call->caller, &failure))
        return bus_fail(error, failure);
    return tell_story(call, story_start, &args->start, args->no_wait, error);
}

static int method_start(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Target target = *(Target *)userdata;
    g_autoptr(Call) call = call_new(target.connection, target.instance, message, act_start);
    StartArgs *args = call_args(call, sizeof *args, NULL);
    g_autoptr(GError) failure = NULL;
    Option options[] = {
        { "Stdin", 'h', &args->start.stdio[0], false },
        { "Stdout", 'h', &args->start.stdio[1], false },
        { "Stderr", 'h', &args->start.stdio[2], false },
        { "NoDegrade", 'b', &args->start.no_degrade, false },
        { "NoWait", 'b', &args->no_wait, false },
    };

    args->start = START_OPTIONS_DEFAULT;
    if (!options_read(message, options, G_N_ELEMENTS(options), &failure))
        return bus_fail(error, failure);
    /* Whoever holds the other ends of the payload's streams is inside, in a way. */
    if ((options[0].given || options[1].given || options[2].given) &&
        target.instance->owner != call->caller)
        call_need(call, ACTION_ENTER);
    return call_submit(g_steal_pointer(&call), error);
}

/* ---- Prepare --------------------------------------------------------------------------------- */

static int act_prepare(Call *call, sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;

    if (!controller_take(call->connection->face->controller, call->caller, &failure))
        return bus_fail(error, failure);
    return tell_story(call, story_prepare, call->args, false, error);
}

static int method_prepare(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Target target = *(Target *)userdata;
    g_autoptr(Call) call = call_new(target.connection, target.instance, message, act_prepare);
    StartOptions *start = call_args(call, sizeof *start, NULL);
    g_autoptr(GError) failure = NULL;
    Option options[] = { { "NoDegrade", 'b', &start->no_degrade, false } };

    *start = START_OPTIONS_DEFAULT;
    if (!options_read(message, options, G_N_ELEMENTS(options), &failure))
        return bus_fail(error, failure);
    return call_submit(g_steal_pointer(&call), error);
}

/* ---- Stop, Restart, Destroy ------------------------------------------------------------------ */

typedef struct StopArgs {
    Story story;
    StopOptions stop;
    bool no_wait;
} StopArgs;

static int act_stop(Call *call, sd_bus_error *error)
{
    const StopArgs *args = call->args;
    g_autoptr(GError) failure = NULL;

    if (args->story == story_restart &&
        !controller_take(call->connection->face->controller, call->caller, &failure))
        return bus_fail(error, failure);
    return tell_story(call, args->story, &args->stop, args->no_wait, error);
}

static int stop_or_restart(sd_bus_message *message, Target target, Story story, sd_bus_error *error)
{
    g_autoptr(Call) call = call_new(target.connection, target.instance, message, act_stop);
    StopArgs *args = call_args(call, sizeof *args, NULL);
    g_autoptr(GError) failure = NULL;
    Option options[] = {
        { "TimeoutUSec", 't', &args->stop.timeout_usec, false },
        { "Signal", 'i', &args->stop.signal, false },
        { "NoWait", 'b', &args->no_wait, false },
    };

    args->story = story;
    args->stop = STOP_OPTIONS_DEFAULT;
    if (!options_read(message, options, G_N_ELEMENTS(options), &failure))
        return bus_fail(error, failure);
    if (options[1].given && (args->stop.signal < 1 || args->stop.signal > 31))
        return bus_fail_code(error, CONSTELLATION_ERROR_INVALID_ARGS, "Signal: %d: must be 1 to 31",
                             args->stop.signal);
    return call_submit(g_steal_pointer(&call), error);
}

static int method_stop(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    return stop_or_restart(message, *(Target *)userdata, story_stop, error);
}

static int method_restart(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    return stop_or_restart(message, *(Target *)userdata, story_restart, error);
}

typedef struct DestroyArgs {
    bool force, no_wait;
} DestroyArgs;

static int act_destroy(Call *call, sd_bus_error *error)
{
    const DestroyArgs *args = call->args;

    return tell_story(call, story_destroy, &args->force, args->no_wait, error);
}

static int method_destroy(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Target target = *(Target *)userdata;
    g_autoptr(Call) call = call_new(target.connection, target.instance, message, act_destroy);
    DestroyArgs *args = call_args(call, sizeof *args, NULL);
    g_autoptr(GError) failure = NULL;
    Option options[] = {
        { "Force", 'b', &args->force, false },
        { "NoWait", 'b', &args->no_wait, false },
    };

    if (!options_read(message, options, G_N_ELEMENTS(options), &failure))
        return bus_fail(error, failure);
    return call_submit(g_steal_pointer(&call), error);
}

/* ---- Kill, Freeze, Thaw ---------------------------------------------------------------------- */

typedef struct KillArgs {
    bool all;
    int32_t signal;
} KillArgs;

static int act_kill(Call *call, sd_bus_error *error)
{
    const KillArgs *args = call->args;
    g_autoptr(GError) failure = NULL;

    if (!instance_kill(call->instance, args->all, args->signal, &failure))
        return bus_fail(error, failure);
    return sd_bus_reply_method_return(call->message, NULL);
}

static int method_kill(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Target target = *(Target *)userdata;
    g_autoptr(Call) call = call_new(target.connection, target.instance, message, act_kill);
    KillArgs *args = call_args(call, sizeof *args, NULL);
    const char *who;
    g_autoptr(GError) failure = NULL;

    int r = sd_bus_message_read(message, "si", &who, &args->signal);
    if (r < 0)
        return r;
    if (!options_read(message, NULL, 0, &failure))
        return bus_fail(error, failure);
    args->all = strcmp(who, "all") == 0;
    if (!args->all && strcmp(who, "main") != 0)
        return bus_fail_code(error, CONSTELLATION_ERROR_INVALID_ARGS, "who: must be main or all");
    return call_submit(g_steal_pointer(&call), error);
}

static int act_freeze(Call *call, sd_bus_error *error)
{
    const bool *freeze = call->args;
    g_autoptr(GError) failure = NULL;

    if (!instance_freeze(call->instance, *freeze, &failure))
        return bus_fail(error, failure);
    return sd_bus_reply_method_return(call->message, NULL);
}

static int freeze_or_thaw(sd_bus_message *message, Target target, bool freeze, sd_bus_error *error)
{
    g_autoptr(Call) call = call_new(target.connection, target.instance, message, act_freeze);
    g_autoptr(GError) failure = NULL;

    *(bool *)call_args(call, sizeof freeze, NULL) = freeze;
    if (!options_read(message, NULL, 0, &failure))
        return bus_fail(error, failure);
    return call_submit(g_steal_pointer(&call), error);
}

static int method_freeze(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    return freeze_or_thaw(message, *(Target *)userdata, true, error);
}

static int method_thaw(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    return freeze_or_thaw(message, *(Target *)userdata, false, error);
}

/* ---- SetLimits ------------------------------------------------------------------------------- */

static void clear_spec(void *args)
{
    g_clear_pointer((Spec **)args, spec_free);
}

static bool story_set_limits(Instance *instance, const void *options, WaiterCallback done,
                             void *userdata, GError **error)
{
    return instance_set_limits(instance, options, done, userdata, error);
}

static int act_set_limits(Call *call, sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;

    /* Each is written to the disk, and told to systemd. */
    if (!controller_take(call->connection->face->controller, call->caller, &failure))
        return bus_fail(error, failure);
    return tell_story(call, story_set_limits, *(Spec *const *)call->args, false, error);
}

static int method_set_limits(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Target target = *(Target *)userdata;
    g_autoptr(Call) call = call_new(target.connection, target.instance, message, act_set_limits);
    Spec **spec = call_args(call, sizeof *spec, clear_spec);
    g_autoptr(GError) failure = NULL;

    *spec = spec_new();
    if (!settings_read(message, *spec, &failure) || !options_read(message, NULL, 0, &failure))
        return bus_fail(error, failure);
    rights_need(call, *spec, target.instance->owner);
    return call_submit(g_steal_pointer(&call), error);
}

const sd_bus_vtable instance_vtable[] = {
    SD_BUS_VTABLE_START(0),
    ACCESS_METHOD(INSTANCE, Start, "a{sv}", SD_BUS_PARAM(options), "", , method_start),
    ACCESS_METHOD(INSTANCE, Prepare, "a{sv}", SD_BUS_PARAM(options), "", , method_prepare),
    ACCESS_METHOD(INSTANCE, Stop, "a{sv}", SD_BUS_PARAM(options), "", , method_stop),
    ACCESS_METHOD(INSTANCE, Restart, "a{sv}", SD_BUS_PARAM(options), "", , method_restart),
    ACCESS_METHOD(INSTANCE, Destroy, "a{sv}", SD_BUS_PARAM(options), "", , method_destroy),
    ACCESS_METHOD(INSTANCE, Kill, "sia{sv}",
                  SD_BUS_PARAM(who) SD_BUS_PARAM(signal) SD_BUS_PARAM(options), "", , method_kill),
    ACCESS_METHOD(INSTANCE, Freeze, "a{sv}", SD_BUS_PARAM(options), "", , method_freeze),
    ACCESS_METHOD(INSTANCE, Thaw, "a{sv}", SD_BUS_PARAM(options), "", , method_thaw),
    ACCESS_METHOD(INSTANCE, SetLimits, "a{sv}a{sv}", SD_BUS_PARAM(settings) SD_BUS_PARAM(options),
                  "", , method_set_limits),
    ACCESS_METHOD(INSTANCE, Wait, "a{sv}", SD_BUS_PARAM(options), "usii",
                  SD_BUS_PARAM(run) SD_BUS_PARAM(result) SD_BUS_PARAM(code) SD_BUS_PARAM(status),
                  method_wait),
    ACCESS_METHOD(INSTANCE, GetUsage, "", , "a{sv}", SD_BUS_PARAM(usage), method_get_usage),
    ACCESS_METHOD(INSTANCE, GetProcesses, "", , "a(uus)", SD_BUS_PARAM(processes),
                  method_get_processes),
    ACCESS_METHOD(INSTANCE, GetPlan, "", , "a(sss)", SD_BUS_PARAM(steps), method_get_plan),
    ACCESS_METHOD(INSTANCE, GetEnvironment, "", , "as", SD_BUS_PARAM(environment),
                  method_get_environment),
    ACCESS_METHOD(INSTANCE, GetLog, "ta{sv}", SD_BUS_PARAM(cursor) SD_BUS_PARAM(options), "tayt",
                  SD_BUS_PARAM(next) SD_BUS_PARAM(data) SD_BUS_PARAM(lost), method_get_log),
    ACCESS_METHOD(INSTANCE, Describe, "", , "s", SD_BUS_PARAM(json), method_describe),
    ACCESS_PUBLIC(INSTANCE, Id, "s", get_text),
    ACCESS_PUBLIC(INSTANCE, Name, "s", get_text),
    ACCESS_PUBLIC(INSTANCE, State, "s", get_text),
    ACCESS_PUBLIC(INSTANCE, Owner, "u", get_number),
    ACCESS_PUBLIC(INSTANCE, Node, "s", get_text),
    ACCESS_PRIVATE(INSTANCE, SubState, "s", get_text),
    ACCESS_PRIVATE(INSTANCE, Result, "s", get_text),
    ACCESS_PRIVATE(INSTANCE, StatusText, "s", get_text),
    ACCESS_PRIVATE(INSTANCE, ExitCode, "i", get_exit),
    ACCESS_PRIVATE(INSTANCE, ExitSignal, "i", get_exit),
    ACCESS_PRIVATE(INSTANCE, MainPID, "u", get_number),
    ACCESS_PRIVATE(INSTANCE, InitPID, "u", get_number),
    ACCESS_PRIVATE(INSTANCE, Run, "u", get_number),
    ACCESS_PRIVATE(INSTANCE, Restarts, "u", get_number),
    ACCESS_PRIVATE(INSTANCE, RestartReason, "s", get_text),
    ACCESS_PRIVATE(INSTANCE, NextRestartTimestamp, "t", get_timestamp),
    ACCESS_PRIVATE(INSTANCE, Unit, "s", get_text),
    ACCESS_PRIVATE(INSTANCE, Slice, "s", get_text),
    ACCESS_PRIVATE(INSTANCE, ControlGroup, "s", get_text),
    ACCESS_PRIVATE(INSTANCE, Backend, "s", get_text),
    ACCESS_PRIVATE(INSTANCE, BackendReason, "s", get_text),
    ACCESS_PRIVATE(INSTANCE, LogTarget, "s", get_text),
    ACCESS_PRIVATE(INSTANCE, Isolation, "a(sss)", get_isolation),
    ACCESS_PRIVATE(INSTANCE, Enforced, "a(ssbs)", get_enforced),
    ACCESS_PRIVATE(INSTANCE, Degraded, "a(sss)", get_degraded),
    ACCESS_PRIVATE(INSTANCE, CreatedTimestamp, "t", get_timestamp),
    ACCESS_PRIVATE(INSTANCE, CreatedTimestampMonotonic, "t", get_timestamp),
    ACCESS_PRIVATE(INSTANCE, StartedTimestamp, "t", get_timestamp),
    ACCESS_PRIVATE(INSTANCE, StartedTimestampMonotonic, "t", get_timestamp),
    ACCESS_PRIVATE(INSTANCE, StoppedTimestamp, "t", get_timestamp),
    ACCESS_PRIVATE(INSTANCE, StoppedTimestampMonotonic, "t", get_timestamp),
    SD_BUS_SIGNAL_WITH_NAMES("StateChanged", "ss", SD_BUS_PARAM(from) SD_BUS_PARAM(to), 0),
    SD_BUS_SIGNAL_WITH_NAMES(
        "Exited", "usii",
        SD_BUS_PARAM(run) SD_BUS_PARAM(result) SD_BUS_PARAM(code) SD_BUS_PARAM(status), 0),
    SD_BUS_VTABLE_END,
};
