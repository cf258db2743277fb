/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The object itself: made, freed, and moved from state to state. What it does is in
 * instance-start.c, instance-stop.c and instance-exit.c. */

#include <signal.h>
#include <time.h>

#include "core/controller.h"
#include "core/outside.h"
#include "core/set-limits.h"
#include "core/store.h"
#include "util/crash-point.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/syscalls.h"

static uint64_t clock_usec(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * G_USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000;
}

Timestamp timestamp_now(void)
{
    return (Timestamp){ clock_usec(CLOCK_REALTIME), clock_usec(CLOCK_MONOTONIC) };
}

uint64_t boottime_usec(void)
{
    return clock_usec(CLOCK_BOOTTIME);
}

static const char *const log_targets[_LOG_TARGET_COUNT] = { "", "journal", "ring", "none" };

const char *log_target_to_string(LogTarget target)
{
    return log_targets[target];
}

LogTarget log_target_from_string(const char *string)
{
    for (LogTarget target = 0; target < _LOG_TARGET_COUNT; target++)
        if (g_strcmp0(string, log_targets[target]) == 0)
            return target;
    return LOG_TARGET_UNKNOWN;
}

static void degradation_free(Degradation *degradation)
{
    g_free(degradation->feature);
    g_free(degradation->code);
    g_free(degradation->reason);
    g_free(degradation);
}

Instance *instance_new(Controller *controller, const char *id, const char *name, uid_t owner,
                       Spec *spec)
{
    Instance *instance = g_new0(Instance, 1);

    instance->controller = controller;
    g_strlcpy(instance->id, id, sizeof instance->id);
    instance->name = g_strdup(name);
    instance->owner = owner;
    instance->spec = spec;
    instance->state = STATE_PENDING;
    instance->sub_state = SUB_STATE_DEAD;
    instance->exit_code = -1;
    instance->status_text = g_strdup("");
    instance->backend_reason = g_strdup("");
    instance->restart_reason = g_strdup("");
    instance->init_pidfd = -1;
    instance->record_fd = instance->log_fd = -1;
    instance->degraded = g_ptr_array_new_with_free_func((GDestroyNotify)degradation_free);
    instance->enforced = g_ptr_array_new_with_free_func((GDestroyNotify)enforced_free);
    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++) {
        instance->isolation[kind].outcome = ISOLATION_SHARED;
        instance->isolation[kind].reason = g_strdup("");
    }
    return instance;
}

void instance_free(Instance *instance)
{
    if (!instance)
        return;
    limits_change_forget(instance);
    start_free(instance->start);
    sd_event_source_disable_unref(instance->stop_timer);
    sd_event_source_disable_unref(instance->restart_timer);
    sd_event_source_disable_unref(instance->runtime_timer);
    g_free(instance->restart_reason);
    instance_forget_init(instance);
    placement_free(instance->placement);
    fd_close(instance->record_fd);
    fd_close(instance->log_fd);
    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++)
        g_free(instance->isolation[kind].reason);
    g_clear_pointer(&instance->degraded, g_ptr_array_unref);
    g_clear_pointer(&instance->enforced, g_ptr_array_unref);
    g_clear_pointer(&instance->steps, g_ptr_array_unref);
    waiters_done(&instance->waiters);
    spec_free(instance->spec);
    g_free(instance->name);
    g_free(instance->status_text);
    g_free(instance->backend_reason);
    g_free(instance);
}

/* ---- state ----------------------------------------------------------------------------------- */

void instance_changed(Instance *instance)
{
    const ControllerObserver *observer = instance->controller->observer;

    if (observer && observer->changed)
        observer->changed(instance, instance->controller->observer_userdata);
}

void instance_set_sub_state(Instance *instance, SubState sub_state)
{
    instance->sub_state = sub_state;
    instance_changed(instance);
}

void instance_set_status(Instance *instance, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_free(instance->status_text);
    instance->status_text = g_strdup_vprintf(format, args);
    va_end(args);
}

void instance_degrade(Instance *instance, const char *feature, const char *code, const char *reason)
{
    Degradation *degradation = g_new0(Degradation, 1);

    degradation->feature = g_strdup(feature);
    degradation->code = g_strdup(code);
    degradation->reason = g_strdup(reason);
    g_ptr_array_add(instance->degraded, degradation);
}

void instance_save(Instance *instance)
{
    g_autoptr(GError) error = NULL;

    if (!store_save(instance->controller->store, instance, &error))
        log_error("%s (%s): %s", instance->id, instance->name, error->message);
}

bool instance_apply(Instance *instance, StateEvent event, SubState sub_state, GError **error)
{
    Controller *controller = instance->controller;
    State from = instance->state;
    State to = state_next(from, event);

    g_return_val_if_fail(to != _STATE_INVALID, true);
    instance->state = to;
    instance->sub_state = sub_state;
    controller->changes++;
    log_debug("%s (%s): %s -> %s", instance->id, instance->name, state_to_string(from),
              state_to_string(to));

    g_autoptr(GError) failure = NULL;
    bool stored = store_save(controller->store, instance, &failure);
    if (!stored)
        log_error("%s (%s): %s", instance->id, instance->name, failure->message);
    if (controller->observer && controller->observer->state_changed && from != to)
        controller->observer->state_changed(instance, from, to, controller->observer_userdata);
    instance_changed(instance);
    if (failure)
        g_propagate_error(error, g_steal_pointer(&failure));
    return stored;
}

void instance_release_placement(Instance *instance)
{
    limits_change_end(instance);
    /* Without a pid namespace an init that was killed leaves its payload behind. */
    if (instance->placement && placement_populated(instance->placement) > 0)
        (void)placement_kill(instance->placement);
    backend_release(instance->controller->resources, instance->placement);
    instance->placement = NULL;
}

/* ---- the init -------------------------------------------------------------------------------- */

static int on_init_ended(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    Instance *instance = userdata;

    (void)source;
    (void)fd;
    (void)revents;
    crash_point(CRASH_EXIT_SEEN);
    sd_event_source_set_enabled(instance->init_source, SD_EVENT_OFF);
    if (instance->start)
        start_init_ended(instance);
    else if (!stop_lingers(instance))
        instance_exit(instance);
    return 0;
}

bool instance_watch_init(Instance *instance, int pidfd, pid_t pid, GError **error)
{
    instance_forget_init(instance);
    int r = sd_event_add_io(instance->controller->event, &instance->init_source, pidfd, EPOLLIN,
                            on_init_ended, instance);
    if (r < 0) {
        fd_close(pidfd);
        return error_from_errno(error, CONSTELLATION_ERROR_SPAWN_FAILED, r, "watching process %d",
                                pid);
    }
    /* An end is looked at after everything that the init still said. */
    (void)sd_event_source_set_priority(instance->init_source, SD_EVENT_PRIORITY_NORMAL + 10);
    instance->init_pidfd = pidfd;
    instance->init_pid = pid;
    return true;
}

void instance_forget_init(Instance *instance)
{
    instance->init_source = sd_event_source_disable_unref(instance->init_source);
    instance->look_timer = sd_event_source_disable_unref(instance->look_timer);
    instance->linger_timer = sd_event_source_disable_unref(instance->linger_timer);
    outside_unwatch(instance);
    instance->init_pidfd = fd_close(instance->init_pidfd);
    instance->init_pid = 0;
    instance->main_pid = 0;
}

/* ---- requests that need no story of their own ------------------------------------------------ */

char *instance_launch_id(const Instance *instance)
{
    return g_strdup_printf("%s_%" G_GUINT64_FORMAT, instance->id, instance->run);
}

bool instance_refuse(const Instance *instance, Request request, GError **error)
{
    g_autofree char *sentence = state_refusal(instance->state, request, instance->name);

    return error_set(error, CONSTELLATION_ERROR_INVALID_STATE, "%s", sentence);
}

void instance_wait(Instance *instance, bool final, WaiterCallback done, void *userdata)
{
    if (state_is_active(instance->state) || (final && instance->restart_boot_usec != 0))
        waiters_add(&instance->waiters, final ? WAIT_FINAL : WAIT_RESULT, done, userdata);
    else
        done(instance, NULL, userdata);
}

bool instance_kill(Instance *instance, bool all, int signal, GError **error)
{
    if (state_answer(instance->state, REQUEST_KILL) != ANSWER_BEGIN)
        return instance_refuse(instance, REQUEST_KILL, error);
    if (signal < 1 || signal > 31)
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "signal %d: must be 1 to 31",
                         signal);
    if (!all && instance->main_pid == 0)
        return error_set(error, CONSTELLATION_ERROR_INVALID_STATE,
                         "'%s' is a sandbox and has no main process: signal 'all', or stop it",
                         instance->name);
    int r = all ? sys_pidfd_send_signal(instance->init_pidfd, WIRE_SIGNAL_ALL) : 0;
    if (r == 0)
        r = sys_pidfd_send_signal(instance->init_pidfd, WIRE_SIGNAL_BASE + signal);
    return r == 0 || error_from_errno(error, CONSTELLATION_ERROR_SPAWN_FAILED, r, "signalling '%s'",
                                      instance->name);
}

const GPtrArray *instance_plan(Instance *instance, GError **error)
{
    if (!instance->steps)
        error_set(error, CONSTELLATION_ERROR_INVALID_STATE,
                  "'%s' was not started since the service runs: there is no plan yet (ask "
                  "CheckInstance)",
                  instance->name);
    return instance->steps;
}
