/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stop, Restart, Destroy: first the signal that asks, then SIGKILL through the init (so that the
 * record is written), then the kernel's own kill of the whole cgroup. */

#include <errno.h>
#include <signal.h>

#include "core/controller.h"
#include "core/store.h"
#include "util/crash-point.h"
#include "util/log.h"
#include "util/syscalls.h"
#include "util/timer.h"

/* How long an init that was told to kill everything may take before its cgroup is killed. */
#define KILL_GRACE_USEC (500 * 1000)
/* After the kernel was told to kill, anything still there is in uninterruptible sleep. Both times
 * together are less than the second after which somebody who waits should know. */
#define UNKILLABLE_USEC (400 * 1000)
/* How often it is looked whether those have gone that outlive the init. */
#define LINGER_USEC (10 * 1000)

/* ---- the escalation -------------------------------------------------------------------------- */

/* Without a pid namespace an init that is killed does not wait for the others. */
static bool outlives_init(const Instance *instance)
{
    return instance->placement && placement_populated(instance->placement) == 1;
}

static int on_unkillable(sd_event_source *source, uint64_t usec, void *userdata)
{
    Instance *instance = userdata;

    (void)source;
    (void)usec;
    instance->stop_timer = sd_event_source_disable_unref(instance->stop_timer);
    if (sys_pidfd_has_ended(instance->init_pidfd) && !outlives_init(instance))
        return 0; /* how, is about to be found out */
    g_autofree char *who = instance->placement
                               ? usage_unkillable(instance->placement, instance->init_pid)
                               : NULL;
    instance_set_status(instance, "unkillable: %s", who ? who : "it does not go away");
    instance_set_sub_state(instance, SUB_STATE_UNKILLABLE);
    log_error("%s (%s): %s", instance->id, instance->name, instance->status_text);
    return 0;
}

static int on_kill_grace_over(sd_event_source *source, uint64_t usec, void *userdata)
{
    Instance *instance = userdata;

    (void)source;
    (void)usec;
    if (instance->placement)
        (void)placement_kill(instance->placement);
    if (instance->init_pidfd >= 0)
        (void)sys_pidfd_send_signal(instance->init_pidfd, SIGKILL);
    (void)timer_start(instance->controller->event, &instance->stop_timer, UNKILLABLE_USEC,
                      on_unkillable, instance, "unkillable");
    return 0;
}

static int on_linger(sd_event_source *source, uint64_t usec, void *userdata)
{
    Instance *instance = userdata;

    (void)source;
    (void)usec;
    if (!stop_lingers(instance))
        instance_exit(instance);
    return 0;
}

bool stop_lingers(Instance *instance)
{
    if (instance->state != STATE_STOPPING || !instance->stop_escalated || !outlives_init(instance))
        return false;
    (void)placement_kill(instance->placement);
    return timer_start(instance->controller->event, &instance->linger_timer, LINGER_USEC, on_linger,
                       instance, "linger") >= 0;
}

/* An init that others have frozen or halted does not hear what it is told. */
static void wake_init(Instance *instance)
{
    (void)sys_pidfd_send_signal(instance->init_pidfd, SIGCONT);
    if (instance->placement)
        (void)placement_freeze(instance->placement, false);
}

static void stop_kill(Instance *instance)
{
    instance->stop_escalated = true;
    instance_set_sub_state(instance, SUB_STATE_STOP_SIGKILL);
    wake_init(instance);
    int r = sys_pidfd_send_signal(instance->init_pidfd, WIRE_SIGNAL_BASE + SIGKILL);
    (void)timer_start(instance->controller->event, &instance->stop_timer,
                      r < 0 ? 0 : KILL_GRACE_USEC, on_kill_grace_over, instance, "kill-grace");
}

static int on_stop_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    stop_kill(userdata);
    return 0;
}

static uint64_t boottime_after(uint64_t delay_usec)
{
    uint64_t now = boottime_usec();

    return delay_usec < UINT64_MAX - now ? now + delay_usec : UINT64_MAX;
}

static void stop_begin(Instance *instance, const StopOptions *options)
{
    uint64_t timeout = options->timeout_usec == STOP_TIMEOUT_SETTING
                           ? spec_get_uint(instance->spec, SETTING_TIMEOUT_STOP)
                           : options->timeout_usec;

    instance->stop_signal = options->signal
                                ? options->signal
                                : (int)spec_get_uint(instance->spec, SETTING_KILL_SIGNAL);
    instance->stop_boot_usec = boottime_after(timeout);
    instance_look(instance);
    instance_set_status(instance, "stopping");
    (void)instance_apply(instance, EVENT_STOP, SUB_STATE_STOP_SIGTERM, NULL);
    crash_point(CRASH_STOP_STORED);
    if (timeout == 0 || instance->init_pidfd < 0) {
        stop_kill(instance);
        return;
    }
    (void)sys_pidfd_send_signal(instance->init_pidfd, WIRE_SIGNAL_BASE + instance->stop_signal);
    /* A payload that stopped itself, or is frozen, must wake up to notice. */
    (void)sys_pidfd_send_signal(instance->init_pidfd, WIRE_SIGNAL_BASE + SIGCONT);
    wake_init(instance);
    if (instance->placement && placement_freezing(instance->placement) == FREEZING_ABOVE)
        instance_set_status(instance, "stopping, but it cannot hear that: a cgroup that it is part "
                                      "of is frozen");
    crash_point(CRASH_STOP_SIGNALLED);
    (void)timer_start(instance->controller->event, &instance->stop_timer, timeout, on_stop_timeout,
                      instance, "stop");
}

/* Whether the signal was sent nobody knows, so it is sent again. */
void stop_resume(Instance *instance)
{
    uint64_t now = boottime_usec(), due = instance->stop_boot_usec;
    StopOptions options = STOP_OPTIONS_DEFAULT;

    if (instance->stop_signal != 0) {
        options.signal = instance->stop_signal;
        options.timeout_usec = due == UINT64_MAX ? UINT64_MAX : due > now ? due - now : 0;
    }
    instance->told_to_end = !instance->runtime_over;
    stop_begin(instance, &options);
}

/* ---- requests -------------------------------------------------------------------------------- */

static int on_runtime_over(sd_event_source *source, uint64_t usec, void *userdata)
{
    Instance *instance = userdata;

    (void)source;
    (void)usec;
    instance->runtime_timer = sd_event_source_disable_unref(instance->runtime_timer);
    if (instance->state != STATE_RUNNING)
        return 0;
    instance->runtime_over = true;
    stop_begin(instance, &STOP_OPTIONS_DEFAULT);
    return 0;
}

void runtime_watch(Instance *instance)
{
    uint64_t max = spec_get_uint(instance->spec, SETTING_RUNTIME_MAX);
    uint64_t now = timestamp_now().monotonic_usec;
    uint64_t ran = now > instance->started.monotonic_usec ? now - instance->started.monotonic_usec
                                                          : 0;

    if (max != UINT64_MAX && instance->started.monotonic_usec != 0)
        (void)timer_start(instance->controller->event, &instance->runtime_timer,
                          max > ran ? max - ran : 0, on_runtime_over, instance, "runtime");
}

/* The last word counts: a stop after a restart leaves it stopped. */
static void forget_restart(Instance *instance)
{
    g_autoptr(GError) error = NULL;

    if (!instance->restart_after_stop)
        return;
    instance->restart_after_stop = false;
    error_set(&error, CONSTELLATION_ERROR_CANCELLED, "the restart of '%s' was cancelled by a stop",
              instance->name);
    waiters_tell(&instance->waiters, WAIT_STARTED, instance, error);
}

/* A stop that is under way, asked for again: a timeout that is given this time holds. */
static void stop_hasten(Instance *instance, const StopOptions *options)
{
    forget_restart(instance);
    if (options->timeout_usec == STOP_TIMEOUT_SETTING ||
        instance->sub_state != SUB_STATE_STOP_SIGTERM)
        return;
    instance->stop_boot_usec = boottime_after(options->timeout_usec);
    instance_save(instance);
    (void)timer_start(instance->controller->event, &instance->stop_timer, options->timeout_usec,
                      on_stop_timeout, instance, "stop");
}

bool instance_stop(Instance *instance, const StopOptions *options, WaiterCallback done,
                   void *userdata, GError **error)
{
    Answer answer = state_answer(instance->state, REQUEST_STOP);

    if (answer == ANSWER_REFUSE)
        return instance_refuse(instance, REQUEST_STOP, error);
    instance->told_to_end = true;
    if (answer == ANSWER_NOTHING) {
        restart_cancel(instance);
        if (done)
            done(instance, NULL, userdata);
        return true;
    }
    waiters_add(&instance->waiters, WAIT_ENDED, done, userdata);
    if (answer == ANSWER_CANCEL)
        start_cancel(instance, "it was told to stop");
    else if (answer == ANSWER_BEGIN)
        stop_begin(instance, options);
    else
        stop_hasten(instance, options);
    return true;
}

bool instance_restart(Instance *instance, const StopOptions *options, WaiterCallback done,
                      void *userdata, GError **error)
{
    switch (state_answer(instance->state, REQUEST_RESTART)) {
    case ANSWER_BEGIN:
        if (instance->state != STATE_RUNNING)
            return instance_start(instance, &START_OPTIONS_DEFAULT, done, userdata, error);
        instance->restart_after_stop = true;
        waiters_add(&instance->waiters, WAIT_STARTED, done, userdata);
        stop_begin(instance, options);
        return true;
    case ANSWER_REMEMBER:
        instance->restart_after_stop = true;
        waiters_add(&instance->waiters, WAIT_STARTED, done, userdata);
        return true;
    default:
        return instance_refuse(instance, REQUEST_RESTART, error);
    }
}

bool instance_destroy(Instance *instance, bool force, WaiterCallback done, void *userdata,
                      GError **error)
{
    Answer answer = state_answer(instance->state, REQUEST_DESTROY);

    if (answer == ANSWER_REFUSE || (answer == ANSWER_FORCE && !force))
        return instance_refuse(instance, REQUEST_DESTROY, error);
    waiters_add(&instance->waiters, WAIT_DESTROYED, done, userdata);
    if (!state_is_active(instance->state)) {
        controller_remove(instance->controller, instance);
        return true;
    }
    instance->told_to_end = instance->destroy_after_stop = true;
    instance->restart_after_stop = false;
    if (instance->state == STATE_STARTING) {
        start_cancel(instance, "it was destroyed");
    } else if (instance->state == STATE_STOPPING) {
        /* By force is not to wait for the timeout of a stop that is under way. */
        if (force && instance->sub_state == SUB_STATE_STOP_SIGTERM)
            stop_kill(instance);
    } else {
        const StopOptions at_once = { .timeout_usec = 0 };
        stop_begin(instance, &at_once);
    }
    return true;
}

void instance_after_stop(Instance *instance)
{
    g_autoptr(GError) error = NULL;
    bool restart = instance->restart_after_stop && !instance->destroy_after_stop;

    instance->restart_after_stop = false;
    waiters_tell(&instance->waiters, WAIT_ENDED, instance, NULL);
    if (!instance->destroy_after_stop)
        waiters_tell(&instance->waiters, WAIT_RESULT, instance, NULL);
    if (!instance->destroy_after_stop && !restart && instance->restart_boot_usec == 0)
        waiters_tell(&instance->waiters, WAIT_FINAL, instance, NULL);
    if (restart) {
        if (!instance_start(instance, &START_OPTIONS_DEFAULT, NULL, NULL, &error))
            waiters_tell(&instance->waiters, WAIT_STARTED, instance, error);
        return;
    }
    if (instance->destroy_after_stop ||
        (instance->restart_boot_usec == 0 && spec_get_uint(instance->spec, SETTING_REMOVE_ON_EXIT)))
        controller_remove(instance->controller, instance);
}
