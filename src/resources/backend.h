/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The ladder: who makes the instance's cgroup. scope (systemd), cgroup (this service, directly),
 * monitor (nobody). One file a rung; the reason for each refused rung is kept. Knows nothing of
 * namespaces: it is given a pid and gives back a Placement. */

#include <sys/types.h>
#include <systemd/sd-event.h>

#include "model/limits.h"
#include "util/error.h"

typedef struct Resources Resources;
typedef struct Backend Backend;

/* Where an instance is. Fields are public to read; strings the Placement's. */
typedef struct Placement {
    const Backend *backend;
    char *unit;          /* scope: constellation-<realm>-<launch id>.scope, else NULL */
    char *slice;         /* scope: the owner's slice, else NULL */
    char *control_group; /* path below the cgroup2 mount, "/…"; NULL on the monitor rung */
    int cgroup_fd;       /* O_DIRECTORY of it, or -1; stays open as long as the placement */
    char *reason;        /* why not a better rung, "" if this is the best */
    char *lost; /* somebody has moved its first process out of the cgroup: the sentence that
                 * says so; NULL: it is where it was placed. What is still in the cgroup is
                 * the instance's all the same. */
} Placement;

/* What a placement is made from; nothing is kept. */
typedef struct PlacementRequest {
    const char *realm;
    const char *launch_id;   /* never used twice: <instance id>_<run> */
    const char *description; /* of the scope: printable ASCII */
    uid_t owner;
    const Limits *limits;
    uint64_t timeout_stop_usec; /* of the instance; the scope gets two seconds more */
    uint64_t timeout_usec;      /* for placing it */
    int kill_signal;
} PlacementRequest;

typedef struct ResourcesOptions {
    sd_event *event;
    const char *realm;
    bool user_manager;        /* the caller's systemd rather than PID 1 */
    bool no_systemd;          /* do not even try (tests, --no-systemd) */
    const char *service_unit; /* our own unit for After=, or NULL */
} ResourcesOptions;

Resources *resources_new(const ResourcesOptions *options);
void resources_free(Resources *resources);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Resources, resources_free)

const char *backend_name(const Backend *backend); /* "scope", "cgroup", "monitor" */
const Backend *backend_by_name(const char *name); /* or NULL */

/* Can this rung be had now? If not, *ret_reason (g_free) says why. */
bool backend_probe(Resources *resources, const Backend *backend, char **ret_reason);

/* The best rung, or the one that is wanted (BackendChoice); rungs whose bit (1 << BackendChoice)
 * is in `excluded` were tried and failed. *ret_reason: one sentence for each better rung that is
 * refused, joined by "; ", "" if none. NULL and NOT_SUPPORTED if the wanted one cannot be had. */
const Backend *backend_choose(Resources *resources, BackendChoice wanted, unsigned excluded,
                              char **ret_reason, GError **error);

/* Where systemd runs, the cgroup rung needs a scope that systemd has delegated to us, and that
 * scope a process that holds it. If one is wanted, the caller makes a process that sleeps and gives
 * it here; the rung can be had when the callback comes with error NULL (never from inside). Not
 * while another is on its way. A holder that an earlier service made is found and used. The pidfd
 * stays the caller's, and open until the callback. */
bool resources_wants_holder(Resources *resources);
typedef void (*HolderCallback)(GError *error, void *userdata);
void resources_start_holder(Resources *resources, pid_t pid, int pidfd, HolderCallback callback,
                            void *userdata);

/* The cgroup in which the cgroup rung makes its own from now on; resources_start_holder() does this
 * by itself. It must have no processes of its own. The fd stays the caller's. */
void resources_set_direct_base(Resources *resources, const char *control_group, int dirfd);

/* Before the clone: makes the Placement. On the cgroup rung the cgroup exists afterwards, has its
 * limits, and placement->cgroup_fd is for CLONE_INTO_CGROUP. */
Placement *backend_prepare(Resources *resources, const Backend *backend,
                           const PlacementRequest *request, GError **error);

/* After the clone: true if the process is in its cgroup already and the callback will not come;
 * false: it comes exactly once, later, with error NULL and control_group and cgroup_fd set in the
 * placement, or with an error. backend_abandon() before that withdraws it. `pidfd` stays the
 * caller's; a process that is dead when the scope is ready is an error (and the scope stopped). */
typedef void (*PlacedCallback)(Placement *placement, GError *error, void *userdata);
bool backend_place(Resources *resources, Placement *placement, const PlacementRequest *request,
                   pid_t pid, int pidfd, PlacedCallback callback, void *userdata);
void backend_abandon(Resources *resources, Placement *placement);

/* After a restart of the service: the placement of a living init from what was stored (or NULL) and
 * from /proc/PID/cgroup, which is believed where they differ: it may have been moved meanwhile,
 * even into the cgroup of another instance, so that only one of this launch id is taken for its
 * own. */
Placement *backend_adopt(Resources *resources, const Placement *stored, const char *launch_id,
                         pid_t pid, const char *reason, GError **error);

/* A placement on the monitor rung, for a process whose cgroup cannot be used. */
Placement *placement_monitor(const char *reason);

/* Ends every process of the cgroup at once (cgroup.kill, thawing is not needed). 0, or -errno
 * (-EOPNOTSUPP where there is no cgroup: the caller kills by pidfd). */
int placement_kill(const Placement *placement);
int placement_freeze(const Placement *placement, bool freeze);

/* What the kernel says, whoever did it. Above: a cgroup that this one is part of is frozen, so that
 * thawing this one does not help. Where there is no cgroup it is not frozen. */
typedef enum Freezing {
    FREEZING_NONE,
    FREEZING_OWN,
    FREEZING_ABOVE,
} Freezing;
Freezing placement_freezing(const Placement *placement);

/* Looks whether the process is still in its cgroup, or somewhere below it, and sets placement->lost
 * accordingly; true if that is another one than before. `pidfd` proves that the pid is still the
 * same process; of one that has ended nothing is said. */
bool placement_check(Placement *placement, pid_t pid, int pidfd);

/* Calls the handler when the cgroup was frozen or thawed, and when it has emptied or been filled
 * (inotify on cgroup.events, IN_MODIFY; the kernel holds it back for up to 10 ms). 0, or -errno:
 * -ENOSPC when fs.inotify.max_user_watches is reached, -EOPNOTSUPP where there is no cgroup. */
int placement_watch(const Placement *placement, sd_event *event, sd_event_source **ret,
                    sd_event_inotify_handler_t handler, void *userdata);

/* 1 populated, 0 empty or gone, -errno. By pread of cgroup.events, never by waiting. */
int placement_populated(const Placement *placement);

/* Processes of it that the kernel has killed for lack of memory; 0 also if the cgroup has gone. */
uint64_t placement_oom_kills(const Placement *placement);

/* When no process is left: removes the cgroup on the cgroup rung (killing what is left of it),
 * stops a scope that is active and empty. Frees the placement. NULL is allowed. */
void backend_release(Resources *resources, Placement *placement);

/* Frees the memory only; what it describes stays (shutdown that leaves instances running). */
void placement_free(Placement *placement);

/* Removes what earlier services of this realm left: scopes and cgroups whose launch id is not in
 * `keep` (set of strings) and that hold no process. Asynchronous where systemd is asked. */
void resources_sweep(Resources *resources, GHashTable *keep);

/* ---- limits that change ---------------------------------------------------------------------- */

/* Changes those that are set in `wanted`; `present` is what was asked for before, to be taken back
 * if one is refused: it is all or nothing. What the host has no controller for is no refusal, as at
 * a start: placement_enforced() tells. The callback comes exactly once, never from inside, unless
 * the update is cancelled first; it is gone then. Without a callback nobody wants to know. */
typedef struct LimitsUpdate LimitsUpdate;
typedef void (*UpdatedCallback)(GError *error, void *userdata);
LimitsUpdate *limits_update(Resources *resources, const Placement *placement, const Limits *present,
                            const Limits *wanted, UpdatedCallback callback, void *userdata);
void limits_update_cancel(LimitsUpdate *update);

/* ---- limits as they are ---------------------------------------------------------------------- */

typedef struct Enforced {
    const char *limit; /* the setting's file name */
    char *value;       /* what the kernel's file says now, in the setting's spelling; "" if none */
    bool enforced;
    bool differs; /* the file says something else than what was asked for */
    char *reason; /* why not; for weights: what they are relative to */
} Enforced;
void enforced_free(Enforced *enforced);

/* A row for each limit that was asked for, read from the cgroup's own files; an ancestor with a
 * lower limit is named in the reason. GPtrArray of Enforced, owned by the caller. */
GPtrArray *placement_enforced(Resources *resources, const Placement *placement,
                              const Limits *limits);

/* What placement_enforced() would say for this rung on this host, before there is an instance. */
GPtrArray *backend_predict(Resources *resources, const Backend *backend, const Limits *limits);

/* Controllers that a new cgroup of this rung has, e.g. "cpu memory pids"; g_free. */
char *backend_controllers(Resources *resources, const Backend *backend);
