/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of resources/ share. A rung of the ladder is one const record of functions in one
 * file; backend.c chooses among them and passes calls on, and knows nothing of any. */

#include "resources/backend.h"
#include "resources/cgroupfs.h"
#include "systemd/manager.h"
#include "util/event.h"
#include "util/fd.h"

/* What systemd spends on a scope grows with the scopes in the same slice: 1 ms at a hundred, 11 ms
 * at 5000 (systemd 252). Beyond this many an owner's further shard is opened. */
#define SLICE_SCOPES_MAX 128

typedef struct Placing Placing;

struct Backend {
    const char *name;
    BackendChoice choice;

    /* NULL: always */
    bool (*probe)(Resources *resources, char **ret_reason);

    /* Fills the Placement; its backend, cgroup_fd -1 and reason are set. NULL: nothing to do. */
    bool (*prepare)(Resources *resources, Placement *placement, const PlacementRequest *request,
                    GError **error);

    /* True: it is in place, and the Placing is of no more use. NULL: it always is. False: ends with
     * placing_done(). */
    bool (*place)(Placing *placing, const PlacementRequest *request);

    /* Is this the cgroup of this launch on this rung and in this realm? Fills unit and slice if so.
     * NULL: any process will do. */
    bool (*adopt)(Resources *resources, Placement *placement, const char *control_group,
                  const char *launch_id);

    /* False and an error, and nothing is changed; true: done, or limits_update_done() follows.
     * NULL: there is nothing to change. */
    bool (*update)(LimitsUpdate *update, GError **error);

    /* NULL: nothing to do */
    void (*release)(Resources *resources, Placement *placement);

    /* Opens the cgroup whose cgroup.controllers are what a new cgroup can be given; -errno. NULL:
     * there is none. */
    int (*open_parent)(Resources *resources);
};

extern const Backend backend_scope, backend_cgroup, backend_monitor;

/* A process on its way into its cgroup. */
struct Placing {
    Resources *resources;
    Placement *placement;
    pid_t pid;
    int pidfd; /* the caller's */
    PlacedCallback callback;
    void *userdata;
    Job *job;                /* scope */
    sd_event_source *source; /* an error that is known already is told by the loop */
    GError *error;
};

/* From the event loop only. Takes the error; the Placing is gone afterwards. */
void placing_done(Placing *placing, GError *error);

/* The same, from anywhere: by the event loop. */
void placing_fail_later(Placing *placing, GError *error);

/* Limits on their way into a cgroup, update.c. The placement outlives it. */
struct LimitsUpdate {
    Resources *resources;
    const Placement *placement;
    Limits present, wanted; /* of the same kinds: those that change */
    UpdatedCallback callback;
    void *userdata;
    UnitChange *change;      /* scope: systemd was asked */
    sd_event_source *source; /* the end, or another look at the files */
    uint64_t wait_usec;
    GError *error;
};

/* From the event loop only; takes the error, and the update is gone afterwards. */
void limits_update_done(LimitsUpdate *update, GError *error);

/* systemd has taken them: done when they are in the files. */
void limits_update_settle(LimitsUpdate *update);

/* Where the cgroup rung makes its cgroups. */
typedef struct DirectBase {
    char *control_group; /* NULL: not (yet) to be had */
    int fd;
    bool made;                       /* by us: ours to remove when it is empty */
    int refusals[_CONTROLLER_COUNT]; /* of the controllers it lacks, if the kernel said why */
} DirectBase;

typedef struct Holding Holding;

struct Resources {
    sd_event *event;
    char *realm;
    char *service_unit;
    char *mount;  /* of cgroup v2; NULL: none */
    bool systemd; /* runs this host, whether or not we may talk to it */
    bool user_manager;
    Manager *manager;     /* or NULL, with: */
    char *manager_reason; /* why not */

    GHashTable *placing; /* Placement -> Placing */
    GHashTable *slices;  /* name -> number of live scopes */
    unsigned slice_scopes_max;

    DirectBase direct;
    Holding *holding; /* the holder scope in the making */

    GHashTable *leftovers;  /* set of Leftover, clean-up.c */
    GHashTable *sweep_keep; /* of the sweep's second pass */
    sd_event_source *sweep_timer;
};

/* ---- scope.c --------------------------------------------------------------------------------- */

/* The slice for one more scope of this owner; counted from here on. */
char *scope_slice_take(Resources *resources, uid_t owner);
void scope_slice_drop(Resources *resources, const char *slice);

/* The launch id in the name of a scope of this realm; g_free, NULL if it is none. */
char *scope_launch_id(const char *realm, const char *unit);

/* At most SCOPE_PROPERTIES_MAX are filled in; strings stay the Resources', Placement's, request's.
 * The number of them. */
#define SCOPE_PROPERTIES_MAX (13 + _LIMIT_COUNT)
size_t scope_properties(const Resources *resources, const Placement *placement,
                        const PlacementRequest *request, UnitProperty *properties);

/* The cgroup that a process has been put into by systemd, opened; both are for the unit of this
 * name or an error. `pidfd` proves that the pid is still the same process. */
bool scope_open_cgroup(Resources *resources, const char *unit, pid_t pid, int pidfd,
                       char **ret_control_group, int *ret_fd, GError **error);

/* The cgroup below which systemd makes our slices: its path (g_free), and opened or -errno. */
char *scope_root(const Resources *resources);
int scope_open_root(Resources *resources);

/* ---- placement.c ----------------------------------------------------------------------------- */

/* Its limits hold for the instance, and what it counts is the instance's. */
static inline bool placement_holds(const Placement *placement)
{
    return placement->cgroup_fd >= 0 && !placement->lost;
}

/* Why nothing holds any more, for one that was found in `path`; g_free. */
char *placement_lost_reason(const char *path, const char *left);

/* ---- cgroup.c, holder.c ---------------------------------------------------------------------- */

bool direct_open(Resources *resources, char **ret_reason);
void direct_close(Resources *resources);
void direct_remove_empty(Resources *resources); /* the levels between the base and instances */
char *holder_unit(const Resources *resources);
char *holder_control_group(const Resources *resources);
void holding_free(Holding *holding);

/* ---- clean-up.c ------------------------------------------------------------------------------ */

/* Removes the cgroup, now if it is empty, else in a while; what is in it is killed. */
void clean_up_cgroup(Resources *resources, const char *control_group);

/* Looks in a while whether systemd has removed the scope, as it does with an empty one; if not, it
 * has not noticed that it is empty and is told to stop it. */
void clean_up_scope(Resources *resources, const char *unit, const char *control_group);
void clean_up_emptied(Resources *resources, const char *control_group); /* as soon as it is empty */
void clean_up_last(Resources *resources); /* one more try for all, before they are forgotten */
void leftover_free(void *userdata);

/* An absolute path split at its last slash: the opened parent, and the name in the path. */
int cgroup_open_parent(const Resources *resources, const char *control_group,
                       const char **ret_name);
