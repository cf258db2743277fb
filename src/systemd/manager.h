/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* PID 1, or a user's systemd: the only code that talks to it. A connection of its own, so that
 * nothing that waits on the service's other connection (dbus-daemon allows 128 pending replies per
 * connection) can starve it; everything is asynchronous. */

#include <sys/types.h>
#include <systemd/sd-event.h>

#include "util/error.h"

typedef struct Manager Manager;

/* user: the user's systemd on the session bus, else the system's. Connecting happens here, without
 * waiting for the peer; a lost connection is made again by itself (100 ms, then doubling to 5 s).
 * Jobs wait for ten seconds; what has become of those that systemd had been asked for is found out.
 * NULL and NOT_SUPPORTED with the reason where no systemd can be had: then the scope rung does not
 * exist on this host. */
Manager *manager_new(sd_event *event, bool user, GError **error);
void manager_free(Manager *manager);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Manager, manager_free)

/* Is there a manager to ask, now or in a moment? If not, *ret_reason (g_free) says why. */
bool manager_is_connected(Manager *manager, char **ret_reason);

/* The cgroup below which this manager makes its slices: "" for the root of the hierarchy, else
 * "/…". NULL until systemd has said it. */
const char *manager_control_group(Manager *manager);

/* One property of a scope. */
typedef struct UnitProperty {
    const char *name;
    char type;     /* of the bus: t, s, b, i; S is "as" with the one string */
    uint64_t u;    /* t, b, i */
    const char *s; /* s, S */
} UnitProperty;

typedef struct Job Job;

/* Called exactly once, never from inside the function that took it; error NULL: the job is done.
 * The Job is gone afterwards. (Freeing the Manager withdraws its jobs as job_cancel() does.) */
typedef void (*JobCallback)(GError *error, void *userdata);

/* StartTransientUnit(UNIT, "fail") with PIDs=[pid] and the properties; done when JobRemoved says
 * "done" (the pid is in the cgroup then, which the method's reply does not mean). At most
 * MANAGER_JOBS_IN_FLIGHT are asked for at a time, more wait in order: PID 1 is single-threaded.
 * TIMEOUT after timeout_usec (the unit is then asked to stop), CGROUP_FAILED with systemd's words
 * else. A property that this systemd does not know (PropertyReadOnly) is left out, remembered, and
 * the call made again: see manager_unknown_properties(). */
#define MANAGER_JOBS_IN_FLIGHT 12
Job *manager_start_scope(Manager *manager, const char *unit, pid_t pid,
                         const UnitProperty *properties, size_t n_properties, uint64_t timeout_usec,
                         JobCallback callback, void *userdata);

/* The callback will not be called; a unit that comes up all the same is stopped. */
void job_cancel(Job *job);

/* StopUnit("replace"), nobody waits for it; errors are logged at debug level. While there is no
 * connection it is remembered, and asked for when there is one again. */
void manager_stop_unit(Manager *manager, const char *unit);

/* SetUnitProperties, for as long as the unit is there: systemd takes all of them or none. The
 * callback as for a Job; without a connection, or if that is lost, it is an error or does not come:
 * whoever waits has a deadline. What systemd has taken is in the cgroup a moment later. */
typedef struct UnitChange UnitChange;
UnitChange *manager_change_unit(Manager *manager, const char *unit, const UnitProperty *properties,
                                size_t n_properties, JobCallback callback, void *userdata,
                                GError **error);

/* The callback will not be called. NULL is allowed. */
void unit_change_cancel(UnitChange *change);

typedef struct ManagedUnit {
    const char *name;
    const char *active_state; /* active, activating, deactivating, inactive, failed */
    uint32_t job;             /* the job that is queued for it; 0: none */
} ManagedUnit;

/* The loaded units that match the glob (ListUnitsByPatterns), for sweeping at start-up; valid
 * during the callback only. False: it cannot be asked now (no connection), and the callback
 * will not come; else it comes once, never from inside, unless the Manager is freed. */
typedef void (*UnitsCallback)(const ManagedUnit *units, size_t n_units, GError *error,
                              void *userdata);
bool manager_list_units(Manager *manager, const char *glob, UnitsCallback callback, void *userdata,
                        GError **error);

/* NULL-terminated, in order of discovery; the Manager's. */
const char *const *manager_unknown_properties(Manager *manager);
