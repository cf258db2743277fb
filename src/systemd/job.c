/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Scopes in the making. A Job waits in line, is asked for with StartTransientUnit, and is over when
 * JobRemoved names its unit: the method's reply means only that systemd has taken note. Units have
 * names that are never used twice, so the name is all it takes to find the Job.
 *
 * A callback never runs inside a function that somebody called: what fails at once is told by a
 * deferred event source, so callers need not be ready for an answer before the question is out. */

#include <errno.h>
#include <string.h>

#include "systemd/manager-internal.h"
#include "util/timer.h"

void job_free(Job *job)
{
    sd_bus_slot_unref(job->reply);
    timer_stop(&job->deadline);
    sd_event_source_disable_unref(job->deferred);
    for (size_t i = 0; i < job->n_properties; i++) {
        g_free((char *)job->properties[i].name);
        g_free((char *)job->properties[i].s);
    }
    g_free(job->properties);
    g_clear_error(&job->error);
    g_free(job->unit);
    g_free(job);
}

/* ---- how a job ends -------------------------------------------------------------------------- */

/* Takes it off the line and out of flight; what systemd says of it from now on is not heard. */
static void job_withdraw(Job *job)
{
    Manager *manager = job->manager;

    if (job->state == JOB_WAITING)
        g_queue_remove(&manager->waiting, job);
    if (g_hash_table_lookup(manager->in_flight, job->unit) == job)
        g_hash_table_remove(manager->in_flight, job->unit);
    job->reply = sd_bus_slot_unref(job->reply);
    timer_stop(&job->deadline);
    job->state = JOB_OVER;
}

void job_end(Job *job, GError *error)
{
    Manager *manager = job->manager;
    JobCallback callback = job->callback;
    void *userdata = job->userdata;

    job_withdraw(job);
    g_hash_table_remove(manager->jobs, job);
    jobs_pump(manager);
    callback(error, userdata);
    g_clear_error(&error);
}

static int on_deferred(sd_event_source *source, void *userdata)
{
    Job *job = userdata;

    (void)source;
    job_end(job, g_steal_pointer(&job->error));
    return 0;
}

/* Takes the error. */
static void job_fail(Job *job, GError *error)
{
    int r;

    job_withdraw(job);
    g_clear_error(&job->error);
    job->error = error;
    if (job->deferred)
        return;
    r = sd_event_add_defer(job->manager->event, &job->deferred, on_deferred, job);
    g_assert(r >= 0 || r == -ESTALE); /* memory, or a loop that has ended and calls nobody */
}

void job_stop_unit(Job *job)
{
    if (job->state == JOB_ASKED || job->state == JOB_ACCEPTED || job->state == JOB_UNSURE)
        manager_stop_unit(job->manager, job->unit);
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
    Job *job = userdata;
    const char *what = job->state == JOB_WAITING ? "was busy with other units" : "did not make it";

    (void)source, (void)usec;
    job_stop_unit(job);
    job_fail(job, g_error_new(CONSTELLATION_ERROR, CONSTELLATION_ERROR_TIMEOUT,
                              "no %s within the time for starting: systemd %s", job->unit, what));
    return 0;
}

void job_cancel(Job *job)
{
    Manager *manager = job->manager;

    job_stop_unit(job);
    job_withdraw(job);
    g_hash_table_remove(manager->jobs, job);
    jobs_pump(manager);
}

void jobs_fail(Manager *manager, const char *reason)
{
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, manager->jobs);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        Job *job = key;

        if (job->state == JOB_OVER)
            continue;
        job_stop_unit(job);
        job_fail(job, g_error_new(CONSTELLATION_ERROR, CONSTELLATION_ERROR_CGROUP_FAILED,
                                  "no %s: %s", job->unit, reason));
    }
}

/* systemd may have read the request or not, and what it says of the job's end goes to a connection
 * that there is no more. */
void jobs_suspend(Manager *manager)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, manager->in_flight);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Job *job = value;

        job->reply = sd_bus_slot_unref(job->reply);
        job->state = JOB_UNSURE;
    }
}

int jobs_on_removed(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
    Manager *manager = userdata;
    const char *unit, *result;
    GError *error = NULL;
    uint32_t id;
    Job *job;

    (void)ret_error;
    if (sd_bus_message_read(message, "uoss", &id, NULL, &unit, &result) < 0)
        return 0;
    job = g_hash_table_lookup(manager->in_flight, unit);
    if (!job)
        return 0;
    if (!g_str_equal(result, "done")) {
        job_stop_unit(job);
        error = g_error_new(CONSTELLATION_ERROR, CONSTELLATION_ERROR_CGROUP_FAILED,
                            "systemd did not make %s: its job ended with \"%s\"", unit, result);
    }
    job_end(job, error);
    return 0;
}

/* ---- the request ----------------------------------------------------------------------------- */

static bool property_is_unknown(Manager *manager, const char *name)
{
    return g_strv_contains(manager_unknown_properties(manager), name);
}

int unit_property_append(sd_bus_message *message, const UnitProperty *property)
{
    switch (property->type) {
    case 't':
        return sd_bus_message_append(message, "(sv)", property->name, "t", property->u);
    case 'b':
        return sd_bus_message_append(message, "(sv)", property->name, "b", (int)property->u);
    case 'i':
        return sd_bus_message_append(message, "(sv)", property->name, "i", (int32_t)property->u);
    case 's':
        return sd_bus_message_append(message, "(sv)", property->name, "s", property->s);
    case 'S':
        return sd_bus_message_append(message, "(sv)", property->name, "as", 1u, property->s);
    default:
        return -EINVAL;
    }
}

static int append_properties(sd_bus_message *message, const Job *job)
{
    int r;

    r = sd_bus_message_open_container(message, 'a', "(sv)");
    if (r < 0)
        return r;
    r = sd_bus_message_append(message, "(sv)", "PIDs", "au", 1u, (uint32_t)job->pid);
    for (size_t i = 0; r >= 0 && i < job->n_properties; i++) {
        if (!property_is_unknown(job->manager, job->properties[i].name))
            r = unit_property_append(message, &job->properties[i]);
    }
    if (r < 0)
        return r;
    return sd_bus_message_close_container(message);
}

/* The name in "Cannot set property NAME, or unknown property."; g_free, NULL if it is none. */
static char *unknown_property_name(const sd_bus_error *error)
{
    static const char prefix[] = "Cannot set property ";
    const char *start, *end;

    if (!sd_bus_error_has_name(error, SD_BUS_ERROR_PROPERTY_READ_ONLY) || !error->message ||
        !g_str_has_prefix(error->message, prefix))
        return NULL;
    start = error->message + strlen(prefix);
    end = strchr(start, ',');
    return end ? g_strndup(start, (gsize)(end - start)) : NULL;
}

/* True if the request is on its way again, without the property that was refused. */
static bool job_retry_without(Job *job, const sd_bus_error *error)
{
    g_autofree char *name = unknown_property_name(error);
    GPtrArray *unknown = job->manager->unknown_properties;
    bool ours = false;

    for (size_t i = 0; name && i < job->n_properties; i++)
        ours = ours || g_str_equal(job->properties[i].name, name);
    if (!ours)
        return false;
    /* Requests that were out already come back with the same complaint. */
    if (!property_is_unknown(job->manager, name))
        g_ptr_array_insert(unknown, (int)unknown->len - 1, g_steal_pointer(&name));
    return job_send(job) >= 0;
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    Job *job = userdata;
    const sd_bus_error *error = sd_bus_message_get_error(reply);

    (void)ret_error;
    job->reply = sd_bus_slot_unref(job->reply);
    if (!error) {
        job->state = JOB_ACCEPTED;
    } else if (!sd_bus_is_open(job->manager->bus)) {
        manager_lost(job->manager);
    } else if (sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY)) {
        job->state = JOB_UNSURE;
    } else if (!job_retry_without(job, error)) {
        job_end(job,
                g_error_new(CONSTELLATION_ERROR, CONSTELLATION_ERROR_CGROUP_FAILED,
                            "systemd refused to make %s: %s", job->unit, reply_error_text(reply)));
    }
    return 0;
}

int job_send(Job *job)
{
    g_autoptr(sd_bus_message) message = NULL;
    Manager *manager = job->manager;
    int r;

    r = sd_bus_message_new_method_call(manager->bus, &message, SYSTEMD_NAME, SYSTEMD_PATH,
                                       SYSTEMD_INTERFACE, "StartTransientUnit");
    if (r < 0)
        return r;
    r = sd_bus_message_append(message, "ss", job->unit, "fail");
    if (r < 0)
        return r;
    r = append_properties(message, job);
    if (r < 0)
        return r;
    r = sd_bus_message_append(message, "a(sa(sv))", 0u);
    if (r < 0)
        return r;
    r = sd_bus_call_async(manager->bus, &job->reply, message, on_reply, job, NO_CALL_TIMEOUT);
    if (r < 0)
        return r;
    job->state = JOB_ASKED;
    g_hash_table_replace(manager->in_flight, job->unit, job);
    return 0;
}

void jobs_pump(Manager *manager)
{
    while (manager->state == MANAGER_READY &&
           g_hash_table_size(manager->in_flight) < MANAGER_JOBS_IN_FLIGHT) {
        Job *job = g_queue_peek_head(&manager->waiting);
        int r;

        if (!job)
            return;
        r = job_send(job);
        if (r >= 0)
            g_queue_pop_head(&manager->waiting);
        else if (!sd_bus_is_open(manager->bus))
            manager_lost(manager); /* what waits goes on waiting */
        else
            job_fail(job, g_error_new(CONSTELLATION_ERROR, CONSTELLATION_ERROR_CGROUP_FAILED,
                                      "cannot ask systemd for %s: %s", job->unit, g_strerror(-r)));
    }
}

static UnitProperty *properties_copy(const UnitProperty *properties, size_t n)
{
    UnitProperty *copy = g_new0(UnitProperty, n);

    for (size_t i = 0; i < n; i++) {
        copy[i] = properties[i];
        copy[i].name = g_strdup(properties[i].name);
        copy[i].s = g_strdup(properties[i].s);
    }
    return copy;
}

Job *manager_start_scope(Manager *manager, const char *unit, pid_t pid,
                         const UnitProperty *properties, size_t n_properties, uint64_t timeout_usec,
                         JobCallback callback, void *userdata)
{
    Job *job = g_new0(Job, 1);
    g_autofree char *reason = NULL;
    int r;

    job->manager = manager;
    job->unit = g_strdup(unit);
    job->pid = pid;
    job->properties = properties_copy(properties, n_properties);
    job->n_properties = n_properties;
    job->callback = callback;
    job->userdata = userdata;
    g_hash_table_add(manager->jobs, job);
    g_queue_push_tail(&manager->waiting, job);

    r = timer_start(manager->event, &job->deadline, timeout_usec, on_deadline, job, "scope job");
    if (r < 0)
        job_fail(job, g_error_new(CONSTELLATION_ERROR, CONSTELLATION_ERROR_CGROUP_FAILED,
                                  "cannot set a deadline for %s: %s", unit, g_strerror(-r)));
    else if (!manager_is_connected(manager, &reason))
        job_fail(job, g_error_new(CONSTELLATION_ERROR, CONSTELLATION_ERROR_CGROUP_FAILED,
                                  "cannot ask systemd for %s: %s", unit, reason));
    jobs_pump(manager);
    return job;
}
