/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A start in two halves: prepared, everything is made and the init waits at its gate, where it has
 * run nothing yet; a start opens it. What happens to the instance meanwhile is what happens to any
 * start: a stop ends it, and a service that dies takes it along. */

#include "core/controller.h"
#include "core/start.h"
#include "util/timer.h"

/* As long as somebody likes: the deadline is that of each half. */
static void stay(Start *start)
{
    Instance *instance = start->instance;

    start->phase = START_PREPARED;
    timer_stop(&start->deadline);
    controller_start_over(instance->controller, start);
    instance_set_status(instance, "prepared: it waits for its start");
    instance_set_sub_state(instance, SUB_STATE_PREPARED);
    waiters_tell(&instance->waiters, WAIT_PREPARED, instance, NULL);
}

bool start_stays_at_gate(Start *start)
{
    if (!start->prepare)
        return false;
    if (start->placed && start->waits_at_gate && start->phase == START_PLACING)
        stay(start);
    return true;
}

void start_go_on(Start *start)
{
    Instance *instance = start->instance;

    if (!start->prepare)
        return;
    start->prepare = false;
    instance_set_status(instance, "starting");
    instance_set_sub_state(instance, SUB_STATE_START);
    if (start->phase == START_PREPARED)
        start_watch_deadline(start);
    if (start->placed)
        start_open_gate(start);
}

bool instance_prepare(Instance *instance, const StartOptions *options, WaiterCallback done,
                      void *userdata, GError **error)
{
    StartOptions prepared = *options;
    Start *start = instance->start;

    if (start && start->phase == START_PREPARED) {
        if (done)
            done(instance, NULL, userdata);
        return true;
    }
    if (start && instance->state == STATE_STARTING && start->prepare) {
        waiters_add(&instance->waiters, WAIT_PREPARED, done, userdata);
        return true;
    }
    if (state_answer(instance->state, REQUEST_START) != ANSWER_BEGIN)
        return error_set(error, CONSTELLATION_ERROR_INVALID_STATE,
                         "cannot prepare '%s' while it is %s (possible when PENDING, STOPPED or "
                         "FAILED)",
                         instance->name, state_to_string(instance->state));
    waiters_add(&instance->waiters, WAIT_PREPARED, done, userdata);
    prepared.prepare = true;
    if (instance_start(instance, &prepared, NULL, NULL, error))
        return true;
    waiters_forget(&instance->waiters, userdata);
    return false;
}
