/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/describe.h"
#include "bus/errors.h"
#include "bus/face.h"
#include "bus/inspect.h"
#include "bus/call.h"

/* Begins the reply, whose outermost container is an array of `contents`. */
static int begin(const Call *call, const char *contents, sd_bus_message **ret_reply)
{
    int r = sd_bus_message_new_method_return(call->message, ret_reply);

    if (r >= 0 && contents)
        r = sd_bus_message_open_container(*ret_reply, 'a', contents);
    return r;
}

static int finish(sd_bus_message *reply, int r)
{
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int append_log_usage(sd_bus_message *reply, Instance *instance)
{
    uint64_t written, discarded;

    if (!instance_log_usage(instance, &written, &discarded))
        return 0;
    int r = sd_bus_message_append(reply, "{sv}", "LogWrittenBytes", "t", written);
    return r < 0 ? r : sd_bus_message_append(reply, "{sv}", "LogDiscardedBytes", "t", discarded);
}

static int act_get_usage(Call *call, sd_bus_error *error)
{
    Instance *instance = call->instance;
    g_autoptr(sd_bus_message) reply = NULL;
    Usage usage;

    (void)error;
    int r = begin(call, "{sv}", &reply);
    if (r < 0)
        return r;
    instance_look(instance);
    if (instance->init_pid > 0) {
        usage_read(instance->placement, instance->init_pid, &usage);
        const struct {
            const char *name;
            uint64_t value;
        } rows[] = {
            { "CPUUsageUSec", usage.cpu_usec },       { "MemoryCurrent", usage.memory_current },
            { "MemoryPeak", usage.memory_peak },      { "SwapCurrent", usage.swap_current },
            { "TasksCurrent", usage.tasks },          { "IOReadBytes", usage.io_read_bytes },
            { "IOWriteBytes", usage.io_write_bytes }, { "OOMKills", usage.oom_kills },
        };
        for (size_t i = 0; r >= 0 && i < G_N_ELEMENTS(rows); i++)
            if (rows[i].value != USAGE_UNKNOWN)
                r = sd_bus_message_append(reply, "{sv}", rows[i].name, "t", rows[i].value);
        if (r >= 0)
            r = sd_bus_message_append(reply, "{sv}", "Source", "s", usage.source);
    }
    if (r >= 0)
        r = append_log_usage(reply, instance);
    return finish(reply, r);
}

static int act_get_processes(Call *call, sd_bus_error *error)
{
    Instance *instance = call->instance;
    g_autoptr(sd_bus_message) reply = NULL;

    (void)error;
    int r = begin(call, "(uus)", &reply);
    instance_look(instance);
    if (r >= 0 && instance->init_pid > 0) {
        g_autoptr(GArray) pids = usage_processes(instance->placement, instance->init_pid);
        for (guint i = 0; r >= 0 && i < pids->len; i++) {
            pid_t pid = g_array_index(pids, pid_t, i);
            g_autofree char *command = process_command(pid);
            r = sd_bus_message_append(reply, "(uus)", (uint32_t)pid,
                                      (uint32_t)process_inner_pid(pid), command);
        }
    }
    return r < 0 ? r : finish(reply, r);
}

static int act_get_plan(Call *call, sd_bus_error *error)
{
    Instance *instance = call->instance;
    g_autoptr(sd_bus_message) reply = NULL;
    g_autoptr(GError) failure = NULL;

    int r = begin(call, "(sss)", &reply);
    if (r < 0)
        return r;
    const GPtrArray *steps = instance_plan(instance, &failure);
    if (!steps)
        return bus_fail(error, failure);
    for (guint i = 0; r >= 0 && i < steps->len; i++) {
        const PlanStep *step = g_ptr_array_index(steps, i);
        r = sd_bus_message_append(reply, "(sss)", step_name(step->kind),
                                  outcome_to_string(step->outcome),
                                  step->reason ? step->reason
                                  : step->path ? step->path
                                               : "");
    }
    return finish(reply, r);
}

static int act_get_environment(Call *call, sd_bus_error *error)
{
    Instance *instance = call->instance;
    g_autoptr(sd_bus_message) reply = NULL;

    (void)error;
    int r = begin(call, NULL, &reply);
    if (r < 0)
        return r;
    (void)sd_bus_message_sensitive(reply);
    r = sd_bus_message_append_strv(reply,
                                   (char **)spec_get_strv(instance->spec, SETTING_ENVIRONMENT));
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int act_describe(Call *call, sd_bus_error *error)
{
    Instance *instance = call->instance;
    g_autoptr(sd_bus_message) reply = NULL;

    (void)error;
    int r = begin(call, NULL, &reply);
    if (r < 0)
        return r;
    g_autofree char *text = instance_describe(instance);
    r = sd_bus_message_append(reply, "s", text);
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* ---- all of them read nothing ---------------------------------------------------------------- */

static int submit(sd_bus_message *message, const Target *target, CallAct act, sd_bus_error *error)
{
    return call_submit(call_new(target->connection, target->instance, message, act), error);
}

int method_get_usage(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    return submit(message, userdata, act_get_usage, error);
}

int method_get_processes(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    return submit(message, userdata, act_get_processes, error);
}

int method_get_plan(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    return submit(message, userdata, act_get_plan, error);
}

int method_get_environment(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    return submit(message, userdata, act_get_environment, error);
}

int method_describe(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    return submit(message, userdata, act_describe, error);
}
