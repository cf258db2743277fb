/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of systemd/ share: the connection (manager.c), the jobs on it (job.c), and the
 * calls that are no jobs of ours (units.c). */

#include "systemd/manager.h"
#include "util/event.h"
#include "util/sdbus.h"

#define SYSTEMD_NAME      "org.freedesktop.systemd1"
#define SYSTEMD_PATH      "/org/freedesktop/systemd1"
#define SYSTEMD_INTERFACE "org.freedesktop.systemd1.Manager"

/* Calls have no deadline of sd-bus's: what waits for them has one of its own. */
#define NO_CALL_TIMEOUT UINT64_MAX

typedef enum ManagerState {
    MANAGER_DOWN,       /* no connection; the timer makes the next one */
    MANAGER_CONNECTING, /* systemd is expected to answer in a moment: jobs wait in line */
    MANAGER_ABSENT,     /* there is a bus, and no systemd that answers on it */
    MANAGER_READY,
} ManagerState;

struct Manager {
    sd_event *event;
    bool user;

    ManagerState state;
    char *reason; /* of DOWN and ABSENT */
    sd_bus *bus;
    sd_event_source *timer; /* DOWN: connect; CONNECTING: give up; ABSENT: ask again */
    uint64_t backoff_usec;
    uint64_t patience_usec; /* CLOCK_MONOTONIC: until then a lost connection is only on its way */

    char *control_group;
    GPtrArray *unknown_properties; /* NULL-terminated */
    GPtrArray *stop_later;         /* names of units */

    GHashTable *jobs;      /* set of all Jobs; owns them */
    GQueue waiting;        /* Jobs not asked for yet, oldest first */
    GHashTable *in_flight; /* unit -> Job, asked for */
    sd_event_source *check_timer;
};

typedef enum JobState {
    JOB_WAITING,
    JOB_ASKED,    /* the request is out */
    JOB_ACCEPTED, /* systemd has queued it: from here on there is a unit to stop */
    JOB_UNSURE,   /* systemd or the bus went away meanwhile; jobs_check() finds out */
    JOB_OVER,     /* only the callback is still to come */
} JobState;

struct Job {
    Manager *manager;
    JobState state;
    char *unit;
    pid_t pid;
    UnitProperty *properties;
    size_t n_properties;
    sd_bus_slot *reply;
    sd_event_source *deadline;
    sd_event_source *deferred;
    GError *error; /* JOB_OVER */
    JobCallback callback;
    void *userdata;
};

/* job.c */
void job_free(Job *job);
int job_send(Job *job);
void job_stop_unit(Job *job);          /* if there is one, or may be */
void job_end(Job *job, GError *error); /* calls back: from the event loop only; takes the error */

/* These never call back directly: errors come by the event loop. */
void jobs_pump(Manager *manager); /* ask for what waits, up to the limit */
void jobs_fail(Manager *manager, const char *reason);
void jobs_suspend(Manager *manager); /* the connection is lost, and will be there again */
int jobs_on_removed(sd_bus_message *message, void *userdata, sd_bus_error *ret_error);

/* One (sv) of an array. */
int unit_property_append(sd_bus_message *message, const UnitProperty *property);

/* units.c */
void units_stop_remembered(Manager *manager);

/* job-check.c: systemd or the bus is back; what has become of the jobs in flight? */
void jobs_check(Manager *manager);

/* manager.c: the connection is no more. */
void manager_lost(Manager *manager);

/* "words of systemd" or the errno's, of an error reply. */
const char *reply_error_text(sd_bus_message *reply);
