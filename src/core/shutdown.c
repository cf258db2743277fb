/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The end of the service: with all of its instances, or without them. */

#include "core/controller.h"
#include "core/registry.h"
#include "util/syscalls.h"
#include "util/timer.h"

/* Between the end of a process and the news of it are milliseconds, unless somebody has moved it
 * away from where we look. */
#define SETTLE_USEC G_USEC_PER_SEC

struct StopAll {
    Controller *controller;
    unsigned waiting;
    sd_event_source *deadline;
    void (*done)(void *userdata);
    void *userdata;
};

static struct StopAll *stop_all_new(Controller *controller, void (*done)(void *userdata),
                                    void *userdata)
{
    struct StopAll *all = g_new0(struct StopAll, 1);

    all->waiting = 1; /* the caller's, so that it ends after the last request */
    all->controller = controller;
    all->done = done;
    all->userdata = userdata;
    controller->stop_all = all;
    return all;
}

void stop_all_free(struct StopAll *all)
{
    if (!all)
        return;
    sd_event_source_disable_unref(all->deadline);
    g_free(all);
}

static void on_stopped(Instance *instance, const GError *error, void *userdata)
{
    struct StopAll *all = userdata;

    (void)instance;
    (void)error;
    if (--all->waiting > 0)
        return;
    all->controller->stop_all = NULL;
    all->done(all->userdata);
    stop_all_free(all);
}

void controller_stop_all(Controller *controller, uint64_t timeout_usec,
                         void (*done)(void *userdata), void *userdata)
{
    g_autoptr(GPtrArray) instances = registry_list(controller->registry);
    struct StopAll *all = stop_all_new(controller, done, userdata);

    controller->shutting_down = true;
    for (guint i = 0; i < instances->len; i++) {
        Instance *instance = g_ptr_array_index(instances, i);
        if (!state_is_active(instance->state) && instance->restart_boot_usec == 0)
            continue;
        instance->stopped_with_service = instance->state != STATE_STOPPING;
        all->waiting++;
        const StopOptions stop = {
            .timeout_usec = MIN(timeout_usec, spec_get_uint(instance->spec, SETTING_TIMEOUT_STOP)),
        };
        if (!instance_stop(instance, &stop, on_stopped, all, NULL))
            all->waiting--;
    }
    on_stopped(NULL, NULL, all);
}

static int on_settle_over(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct StopAll *all = userdata;

    (void)source;
    (void)usec;
    all->done(all->userdata);
    return 0;
}

/* The last that a dying process does is to be seen as dead; its cgroup is left before. */
static bool is_ending(const Instance *instance)
{
    return state_is_active(instance->state) && !instance->start && instance->init_pidfd >= 0 &&
           (sys_pidfd_has_ended(instance->init_pidfd) ||
            (instance->placement && placement_populated(instance->placement) == 0));
}

/* At a shutdown of the machine systemd tells us to end in the moment in which the last scope is
 * empty. Its end would else be told by nobody: the next boot knows what was stored before. */
void controller_settle(Controller *controller, void (*done)(void *userdata), void *userdata)
{
    g_autoptr(GPtrArray) instances = registry_list(controller->registry);
    struct StopAll *all = stop_all_new(controller, done, userdata);

    for (guint i = 0; i < instances->len; i++) {
        Instance *instance = g_ptr_array_index(instances, i);
        if (!is_ending(instance))
            continue;
        all->waiting++;
        instance_wait(instance, false, on_stopped, all);
    }
    if (all->waiting > 1)
        (void)timer_start(controller->event, &all->deadline, SETTLE_USEC, on_settle_over, all,
                          "settle");
    on_stopped(NULL, NULL, all);
}
