/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The methods of an Instance object that do something. Each handler: read, validate, authorize,
 * act, reply; an answer that comes later is parked. */

#include <string.h>

#include "bus/authorize.h"
#include "bus/errors.h"
#include "bus/face.h"
#include "bus/inspect.h"
#include "bus/names.h"
#include "bus/properties.h"
#include "bus/reply.h"
#include "bus/settings-read.h"

/* Starts one of core's stories with a parked answer, or with the answer at once if the caller does
 * not want to wait. */
typedef bool (*Story)(Instance *instance, const void *options, WaiterCallback done, void *userdata,
                      GError **error);

static int tell_story(sd_bus_message *message, Instance *instance, Story story, const void *options,
                      bool no_wait, sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;
    Reply *reply = reply_park(message, REPLY_EMPTY);

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

static int method_start(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Target target = *(Target *)userdata;
    StartOptions start = START_OPTIONS_DEFAULT;
    bool no_wait = false;
    uid_t uid;
    g_autoptr(GError) failure = NULL;
    Option options[] = {
        { "NoWait", 'b', &no_wait, false },        { "NoDegrade", 'b', &start.no_degrade, false },
        { "Stdin", 'h', &start.stdio[0], false },  { "Stdout", 'h', &start.stdio[1], false },
        { "Stderr", 'h', &start.stdio[2], false },
    };

    if (!options_read(message, options, G_N_ELEMENTS(options), &failure))
        return bus_fail(error, failure);
    int r = authorize(target.connection, message, target.instance, &uid, error);
    if (r < 0)
        return r;
    return tell_story(message, target.instance, story_start, &start, no_wait, error);
}

static int stop_or_restart(sd_bus_message *message, Target target, Story story, sd_bus_error *error)
{
    StopOptions stop = STOP_OPTIONS_DEFAULT;
    bool no_wait = false;
    uid_t uid;
    g_autoptr(GError) failure = NULL;
    Option options[] = {
        { "TimeoutUSec", 't', &stop.timeout_usec, false },
        { "Signal", 'i', &stop.signal, false },
        { "NoWait", 'b', &no_wait, false },
    };

    if (!options_read(message, options, G_N_ELEMENTS(options), &failure))
        return bus_fail(error, failure);
    if (options[1].given && (stop.signal < 1 || stop.signal > 31))
        return bus_fail_code(error, CONSTELLATION_ERROR_INVALID_ARGS, "Signal: %d: must be 1 to 31",
                             stop.signal);
    int r = authorize(target.connection, message, target.instance, &uid, error);
    if (r < 0)
        return r;
    return tell_story(message, target.instance, story, &stop, no_wait, error);
}

static int method_stop(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    return stop_or_restart(message, *(Target *)userdata, story_stop, error);
}

static int method_restart(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    return stop_or_restart(message, *(Target *)userdata, story_restart, error);
}

static int method_destroy(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Target target = *(Target *)userdata;
    bool force = false, no_wait = false;
    uid_t uid;
    g_autoptr(GError) failure = NULL;
    Option options[] = {
        { "Force", 'b', &force, false },
        { "NoWait", 'b', &no_wait, false },
    };

    if (!options_read(message, options, G_N_ELEMENTS(options), &failure))
        return bus_fail(error, failure);
    int r = authorize(target.connection, message, target.instance, &uid, error);
    if (r < 0)
        return r;
    return tell_story(message, target.instance, story_destroy, &force, no_wait, error);
}

static int method_kill(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Target target = *(Target *)userdata;
    const char *who;
    int32_t signal;
    uid_t uid;
    g_autoptr(GError) failure = NULL;

    int r = sd_bus_message_read(message, "si", &who, &signal);
    if (r < 0)
        return r;
    if (!options_read(message, NULL, 0, &failure))
        return bus_fail(error, failure);
    bool all = strcmp(who, "all") == 0;
    if (!all && strcmp(who, "main") != 0)
        return bus_fail_code(error, CONSTELLATION_ERROR_INVALID_ARGS, "who: must be main or all");
    r = authorize(target.connection, message, target.instance, &uid, error);
    if (r < 0)
        return r;
    if (!instance_kill(target.instance, all, signal, &failure))
        return bus_fail(error, failure);
    return sd_bus_reply_method_return(message, NULL);
}

static int freeze_or_thaw(sd_bus_message *message, Target target, bool freeze, sd_bus_error *error)
{
    uid_t uid;
    g_autoptr(GError) failure = NULL;

    if (!options_read(message, NULL, 0, &failure))
        return bus_fail(error, failure);
    int r = authorize(target.connection, message, target.instance, &uid, error);
    if (r < 0)
        return r;
    if (!instance_freeze(target.instance, freeze, &failure))
        return bus_fail(error, failure);
    return sd_bus_reply_method_return(message, NULL);
}

static int method_freeze(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    return freeze_or_thaw(message, *(Target *)userdata, true, error);
}

static int method_thaw(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    return freeze_or_thaw(message, *(Target *)userdata, false, error);
}

#define METHOD(name, in, in_names, out, out_names, handler)               \
    SD_BUS_METHOD_WITH_NAMES(name, in, in_names, out, out_names, handler, \
                             SD_BUS_VTABLE_UNPRIVILEGED)
#define PUBLIC(name, signature, getter) \
    SD_BUS_PROPERTY(name, signature, getter, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)
/* Its new value is not for everybody who listens: the signal only says that it is another one. */
#define PRIVATE(name, signature, getter) \
    SD_BUS_PROPERTY(name, signature, getter, 0, SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION)

const sd_bus_vtable instance_vtable[] = {
    SD_BUS_VTABLE_START(0),
    METHOD("Start", "a{sv}", SD_BUS_PARAM(options), "", , method_start),
    METHOD("Stop", "a{sv}", SD_BUS_PARAM(options), "", , method_stop),
    METHOD("Restart", "a{sv}", SD_BUS_PARAM(options), "", , method_restart),
    METHOD("Destroy", "a{sv}", SD_BUS_PARAM(options), "", , method_destroy),
    METHOD("Kill", "sia{sv}", SD_BUS_PARAM(who) SD_BUS_PARAM(signal) SD_BUS_PARAM(options), "", ,
           method_kill),
    METHOD("Freeze", "a{sv}", SD_BUS_PARAM(options), "", , method_freeze),
    METHOD("Thaw", "a{sv}", SD_BUS_PARAM(options), "", , method_thaw),
    METHOD("Wait", "a{sv}", SD_BUS_PARAM(options), "usii",
           SD_BUS_PARAM(run) SD_BUS_PARAM(result) SD_BUS_PARAM(code) SD_BUS_PARAM(status),
           method_wait),
    METHOD("GetUsage", "", , "a{sv}", SD_BUS_PARAM(usage), method_get_usage),
    METHOD("GetProcesses", "", , "a(uus)", SD_BUS_PARAM(processes), method_get_processes),
    METHOD("GetPlan", "", , "a(sss)", SD_BUS_PARAM(steps), method_get_plan),
    METHOD("GetEnvironment", "", , "as", SD_BUS_PARAM(environment), method_get_environment),
    METHOD("Describe", "", , "s", SD_BUS_PARAM(json), method_describe),
    PUBLIC("Id", "s", get_text),
    PUBLIC("Name", "s", get_text),
    PUBLIC("State", "s", get_text),
    PUBLIC("Owner", "u", get_number),
    PUBLIC("Node", "s", get_text),
    PRIVATE("SubState", "s", get_text),
    PRIVATE("Result", "s", get_text),
    PRIVATE("StatusText", "s", get_text),
    PRIVATE("ExitCode", "i", get_exit),
    PRIVATE("ExitSignal", "i", get_exit),
    PRIVATE("MainPID", "u", get_number),
    PRIVATE("InitPID", "u", get_number),
    PRIVATE("Run", "u", get_number),
    PRIVATE("Restarts", "u", get_number),
    PRIVATE("RestartReason", "s", get_text),
    PRIVATE("NextRestartTimestamp", "t", get_timestamp),
    PRIVATE("Unit", "s", get_text),
    PRIVATE("Slice", "s", get_text),
    PRIVATE("ControlGroup", "s", get_text),
    PRIVATE("Backend", "s", get_text),
    PRIVATE("BackendReason", "s", get_text),
    PRIVATE("Isolation", "a(sss)", get_isolation),
    PRIVATE("Enforced", "a(ssbs)", get_enforced),
    PRIVATE("Degraded", "a(sss)", get_degraded),
    PRIVATE("CreatedTimestamp", "t", get_timestamp),
    PRIVATE("CreatedTimestampMonotonic", "t", get_timestamp),
    PRIVATE("StartedTimestamp", "t", get_timestamp),
    PRIVATE("StartedTimestampMonotonic", "t", get_timestamp),
    PRIVATE("StoppedTimestamp", "t", get_timestamp),
    PRIVATE("StoppedTimestampMonotonic", "t", get_timestamp),
    SD_BUS_SIGNAL_WITH_NAMES("StateChanged", "ss", SD_BUS_PARAM(from) SD_BUS_PARAM(to), 0),
    SD_BUS_SIGNAL_WITH_NAMES(
        "Exited", "usii",
        SD_BUS_PARAM(run) SD_BUS_PARAM(result) SD_BUS_PARAM(code) SD_BUS_PARAM(status), 0),
    SD_BUS_VTABLE_END,
};
