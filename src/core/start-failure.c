/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The ways out of a start that does not succeed. Whoever waits is told when nothing of it is left:
 * no process, no cgroup, no record. */

#include <signal.h>

#include "core/events.h"
#include "core/holder.h"
#include "core/start.h"
#include "core/store.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/syscalls.h"
#include "util/timer.h"

/* How long a killed init may take to be gone before the start counts as failed all the same. */
#define CLEAR_AWAY_USEC (5 * G_USEC_PER_SEC)

static void clear_away(Start *start)
{
    Instance *instance = start->instance;
    Controller *controller = instance->controller;

    if (instance->init_pid > 0)
        launcher_abandon(controller->launcher, fd_steal(&instance->init_pidfd), instance->init_pid);
    instance_forget_init(instance);
    instance_release_placement(instance);
    store_record_remove(controller->store, instance);
}

void start_finish_failure(Start *start)
{
    Instance *instance = start->instance;
    g_autoptr(GError) error = g_steal_pointer(&start->error);
    StateEvent event = start->event;
    bool automatic = start->automatic;

    clear_away(start);
    instance->result = start->result;
    instance->stopped = timestamp_now();
    instance_set_status(instance, "%s", error->message);
    instance->start = NULL;
    controller_start_over(instance->controller, start);
    start_free(start);
    event_tell(instance, EVENT_LOG_START_FAILED);
    /* A start that somebody asked for is answered; one of the policy's own counts as a run. */
    SubState sub_state = automatic && event == EVENT_START_FAILED
                             ? instance_judge_end(instance, &event)
                             : SUB_STATE_DEAD;
    (void)instance_apply(instance, event, sub_state, NULL);
    waiters_tell(&instance->waiters, WAIT_PREPARED, instance, error);
    waiters_tell(&instance->waiters, WAIT_STARTED, instance, error);
    instance_after_stop(instance);
}

static int on_clear_away_over(sd_event_source *source, uint64_t usec, void *userdata)
{
    Start *start = userdata;

    (void)source;
    (void)usec;
    log_error("%s (%s): its init does not go away", start->instance->id, start->instance->name);
    start_finish_failure(start);
    return 0;
}

void start_fail(Start *start, GError *error, Result result, StateEvent event)
{
    Instance *instance = start->instance;

    if (start->phase == START_FAILING) {
        g_error_free(error);
        return;
    }
    start->phase = START_FAILING;
    start->error = error;
    start->result = result;
    start->event = event;
    holder_forget(instance->controller, start);
    start_abandon_attempt(start);
    start->deadline = sd_event_source_disable_unref(start->deadline);
    (void)timer_start(instance->controller->event, &start->deadline, CLEAR_AWAY_USEC,
                      on_clear_away_over, start, "clear-away");
    if (instance->init_pidfd >= 0)
        (void)sys_pidfd_send_signal(instance->init_pidfd, SIGKILL);
    else if (!start->launch)
        start_finish_failure(start);
}

static bool has_passed_gate(const Instance *instance)
{
    auto_fd fd = store_record_open(instance->controller->store, instance);
    struct Record record;

    return fd < 0 || record_read(fd, &record) < 0 || record.phase >= RECORD_RELEASED;
}

void start_init_ended(Instance *instance)
{
    Start *start = instance->start;
    g_autoptr(GError) error = NULL;

    switch (start->phase) {
    case START_RETRYING:
        clear_away(start);
        start_proceed(start);
        return;
    case START_FAILING:
        start_finish_failure(start);
        return;
    case START_PLACING:
    case START_RELEASED:
        /* Killed at its gate, where nothing has happened yet: by a restart of the launcher, say. */
        if (!start->launched_again && !has_passed_gate(instance)) {
            start->launched_again = true;
            start->phase = START_RETRYING;
            start_abandon_attempt(start);
            start_init_ended(instance);
            return;
        }
        G_GNUC_FALLTHROUGH;
    default:
        error_set(&error, CONSTELLATION_ERROR_SPAWN_FAILED,
                  "the init of '%s' ended during the start", instance->name);
        start_fail(start, g_steal_pointer(&error), RESULT_RESOURCES, EVENT_START_FAILED);
        start_finish_failure(start);
    }
}

void start_cancel(Instance *instance, const char *why)
{
    g_autoptr(GError) error = NULL;

    error_set(&error, CONSTELLATION_ERROR_CANCELLED, "the start of '%s' was cancelled: %s",
              instance->name, why);
    start_fail(instance->start, g_steal_pointer(&error), RESULT_SUCCESS, EVENT_CANCELLED);
}

/* Ends this attempt; start_init_ended() begins the next one when the init is gone. */
void start_retry(Start *start)
{
    Instance *instance = start->instance;

    start->phase = START_RETRYING;
    start_abandon_attempt(start);
    if (instance->init_pidfd >= 0)
        (void)sys_pidfd_send_signal(instance->init_pidfd, SIGKILL);
    else
        start_init_ended(instance);
}
