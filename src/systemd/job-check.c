/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What became of the jobs in flight while systemd re-executed itself, or the bus was restarted.
 * systemd keeps its queue of jobs, but the signals of those that ended meanwhile went nowhere, and
 * requests that it had not read are gone: each unit's state tells which of these it was. Of a job
 * that is queued still, the end is told to whoever asked for it: after a restart of the bus that is
 * a connection that there is no more, so it is looked at again. */

#include "systemd/manager-internal.h"
#include "util/log.h"
#include "util/timer.h"

#define CHECK_AGAIN_USEC (50u * 1000u)

static void job_judge(Job *job, const char *active_state, uint32_t queued_job)
{
    GError *error = NULL;

    if (queued_job != 0) {
        job->state = JOB_ACCEPTED;
        return;
    }
    if (g_str_equal(active_state, "active")) {
        job_end(job, NULL);
        return;
    }
    if (job->state == JOB_UNSURE && job_send(job) >= 0)
        return;
    job_stop_unit(job);
    g_set_error(&error, CONSTELLATION_ERROR, CONSTELLATION_ERROR_CGROUP_FAILED,
                "%s did not come up while systemd re-executed itself (it is %s)", job->unit,
                active_state);
    job_end(job, error);
}

static int on_check_again(sd_event_source *source, uint64_t usec, void *userdata)
{
    Manager *manager = userdata;

    (void)source, (void)usec;
    timer_stop(&manager->check_timer);
    if (manager->state == MANAGER_READY) /* else when it is again */
        jobs_check(manager);
    return 0;
}

static int on_states(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    Manager *manager = userdata;
    const char *unit, *active_state;
    bool queued = false;
    uint32_t queued_job;
    int r;

    (void)ret_error;
    if (sd_bus_message_is_method_error(reply, NULL)) {
        log_debug("systemd does not say what became of its jobs: %s", reply_error_text(reply));
        return 0;
    }
    r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
    while (r >= 0 &&
           (r = sd_bus_message_read(reply, "(ssssssouso)", &unit, NULL, NULL, &active_state, NULL,
                                    NULL, NULL, &queued_job, NULL, NULL)) > 0) {
        Job *job = g_hash_table_lookup(manager->in_flight, unit);

        /* One that has been asked for since the question is none of its business. */
        if (!job || (job->state != JOB_ACCEPTED && job->state != JOB_UNSURE))
            continue;
        queued = queued || queued_job != 0;
        job_judge(job, active_state, queued_job);
    }
    if (queued)
        (void)timer_start(manager->event, &manager->check_timer, CHECK_AGAIN_USEC, on_check_again,
                          manager, "check jobs");
    return 0;
}

static int append_units(sd_bus_message *message, GHashTable *in_flight)
{
    GHashTableIter iter;
    gpointer unit;
    int r;

    r = sd_bus_message_open_container(message, 'a', "s");
    g_hash_table_iter_init(&iter, in_flight);
    while (r >= 0 && g_hash_table_iter_next(&iter, &unit, NULL))
        r = sd_bus_message_append(message, "s", unit);
    if (r < 0)
        return r;
    return sd_bus_message_close_container(message);
}

void jobs_check(Manager *manager)
{
    g_autoptr(sd_bus_message) message = NULL;
    int r;

    if (g_hash_table_size(manager->in_flight) == 0)
        return;
    r = sd_bus_message_new_method_call(manager->bus, &message, SYSTEMD_NAME, SYSTEMD_PATH,
                                       SYSTEMD_INTERFACE, "ListUnitsByNames");
    if (r >= 0)
        r = append_units(message, manager->in_flight);
    if (r >= 0)
        r = sd_bus_call_async(manager->bus, NULL, message, on_states, manager, NO_CALL_TIMEOUT);
    if (r < 0)
        log_debug("cannot ask systemd what became of its jobs: %s", g_strerror(-r));
}
