/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The restart that follows by itself. When is decided in model/restart.c; here are the timer, what
 * of it outlives the service, and what cancels it. All on CLOCK_BOOTTIME: setting the wall clock
 * changes nothing, and time that the machine sleeps counts. */

#include "core/controller.h"
#include "util/crash-point.h"
#include "util/log.h"
#include "util/timer.h"

RestartVerdict restart_judge(Instance *instance, uint64_t *ret_delay_usec)
{
    uint64_t ran = instance->started.monotonic_usec != 0 &&
                           instance->stopped.monotonic_usec > instance->started.monotonic_usec
                       ? instance->stopped.monotonic_usec - instance->started.monotonic_usec
                       : 0;

    if (instance->told_to_end || instance->destroy_after_stop || instance->restart_after_stop ||
        instance->lost_sight || instance->controller->shutting_down)
        return RESTART_NEVER;
    return restart_decide(instance->spec, instance->result, ran, boottime_usec(),
                          &instance->history, ret_delay_usec);
}

static int on_restart(sd_event_source *source, uint64_t usec, void *userdata)
{
    Instance *instance = userdata;
    g_autoptr(GError) error = NULL;
    const StartOptions options = { .automatic = true, .stdio = { -1, -1, -1 } };

    (void)source;
    (void)usec;
    crash_point(CRASH_RESTART_DUE);
    restart_forget(instance);
    if (!instance_start(instance, &options, NULL, NULL, &error))
        log_error("%s (%s): restarting: %s", instance->id, instance->name, error->message);
    return 0;
}

static void arm(Instance *instance)
{
    uint64_t now = boottime_usec();

    (void)timer_start(instance->controller->event, &instance->restart_timer,
                      instance->restart_boot_usec > now ? instance->restart_boot_usec - now : 0,
                      on_restart, instance, "restart");
}

void restart_schedule(Instance *instance, uint64_t delay_usec)
{
    const Setting *setting = setting_get(SETTING_RESTART);

    g_free(instance->restart_reason);
    instance->restart_reason = g_strdup_printf(
        "Restart=%s after result %s: %s",
        setting->choices[spec_get_uint(instance->spec, SETTING_RESTART)],
        result_to_string(instance->result), instance->status_text);
    instance->restart_boot_usec = boottime_usec() + delay_usec;
    arm(instance);
    crash_point(CRASH_RESTART_SCHEDULED);
}

void restart_resume(Instance *instance)
{
    if (instance->restart_boot_usec == 0)
        return;
    instance->sub_state = SUB_STATE_AUTO_RESTART;
    arm(instance);
}

void restart_forget(Instance *instance)
{
    instance->restart_timer = sd_event_source_disable_unref(instance->restart_timer);
    instance->restart_boot_usec = 0;
}

void restart_cancel(Instance *instance)
{
    if (instance->restart_boot_usec == 0)
        return;
    restart_forget(instance);
    instance_set_sub_state(instance, SUB_STATE_DEAD);
    instance_save(instance);
    waiters_tell(&instance->waiters, WAIT_FINAL, instance, NULL);
}

uint64_t restart_next_realtime_usec(const Instance *instance)
{
    uint64_t now = boottime_usec();

    if (instance->restart_boot_usec == 0)
        return 0;
    return timestamp_now().realtime_usec +
           (instance->restart_boot_usec > now ? instance->restart_boot_usec - now : 0);
}
