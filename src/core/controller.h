/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The service as such: all instances of one realm, and what they share. It tells upwards only
 * through ControllerObserver, so it runs, and is tested, without any bus. */

#include "core/instance.h"
#include "core/users.h"
#include "isolation/launcher-client.h"
#include "resources/backend.h"

typedef enum Mode {
    MODE_SYSTEM,
    MODE_USER,
    MODE_PRIVATE, /* ends with its starter, and its instances with it; nothing on disk */
} Mode;

const char *mode_to_string(Mode mode);

typedef struct ControllerOptions {
    sd_event *event;
    Mode mode;
    uid_t uid; /* the service's own */
    const char *realm;
    const char *runtime_dir; /* records and transient instances; NULL: in memory */
    const char *state_dir;   /* persistent instances; NULL: none */
    const char *node_name;
    const char *cluster_name;
    const char *interpreter; /* for scripts without a #! line */
    uint64_t max_instances;
    UserLimits user_limits; /* of those who share the system's service; else they do not hold */
    uint64_t log_size;      /* bytes of output that are kept where there is no journal; 0: none */
    Launcher *launcher;
    Resources *resources;
} ControllerOptions;

/* What core tells whoever shows it. Any may be NULL. Called after the fact; must not free. */
typedef struct ControllerObserver {
    void (*added)(Instance *instance, void *userdata);
    void (*removed)(Instance *instance, void *userdata);
    void (*changed)(Instance *instance, void *userdata);
    void (*state_changed)(Instance *instance, State from, State to, void *userdata);
    void (*exited)(Instance *instance, void *userdata);
} ControllerObserver;

struct Controller {
    sd_event *event;
    Mode mode;
    uid_t uid;
    char *realm;
    char *node_name;
    char *cluster_name;
    char *interpreter;
    char **masks; /* directories that no instance has business with */
    char *layers; /* directory of what persistent overlays have changed; NULL: none */
    uint64_t max_instances;
    uint64_t log_size;
    Launcher *launcher;
    Resources *resources;
    HostFeatures features;
    OwnLimits own_limits;
    char *own_uids, *own_gids; /* the maps of the service's own user namespace; NULL: not known */
    unsigned last_capability;
    bool groups_denied; /* setgroups(2), by the user namespace that the service is in */
    struct Store *store;
    struct Registry *registry;
    const ControllerObserver *observer;
    void *observer_userdata;
    Users *users;            /* what each takes, and the starts that wait for their turn */
    unsigned starts_running; /* whose turn it is, until their gates are open */
    sd_event_source *pump_source;
    LaunchCall *probe; /* while the launcher is asked what it can do */
    sd_event_source *probe_deadline;
    struct Rehearsal *rehearsal; /* then, while a start is rehearsed */
    gint64 features_usec;        /* when both were over, CLOCK_MONOTONIC */
    char last_id[INSTANCE_ID_LENGTH + 1];
    GPtrArray *garbage; /* Instance, freed from the loop and never inside their own callback */
    sd_event_source *garbage_source;
    struct Holder *holder; /* while it is being made */
    uint64_t changes;      /* counts what has happened to states and to the number of instances */
    bool shutting_down;
    struct StopAll *stop_all; /* while all are being stopped */
};

/* The locks and directories are taken here: a second service of the same realm is refused. */
Controller *controller_new(const ControllerOptions *options, GError **error);
void controller_free(Controller *controller);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Controller, controller_free)

/* Loads what is stored, takes back what still runs, learns what ended meanwhile. */
void controller_adopt(Controller *controller);

/* The instance belongs to the controller. Takes a copy of the spec. For a run it is transient
 * unless the spec says otherwise, and does not outlive a service that goes down before the start
 * has succeeded. */
Instance *controller_create(Controller *controller, const char *name, uid_t owner, const Spec *spec,
                            bool for_a_run, GError **error);

/* Somebody creates, starts or changes one more; LIMITS_EXCEEDED if it have been too many of late.
 */
bool controller_take(Controller *controller, uid_t uid, GError **error);

/* By id, then by name among the owner's. NULL without an error if there is none. */
Instance *controller_find_id(Controller *controller, const char *id);
Instance *controller_find_name(Controller *controller, uid_t owner, const char *name);

/* In order of creation; GPtrArray of Instance, the caller's (not the instances). */
GPtrArray *controller_list(Controller *controller);
unsigned controller_count(Controller *controller, int state /* or -1: all */);
unsigned controller_count_of(Controller *controller, uid_t owner);

/* Set-aside files of the store, NULL-terminated; the controller's. */
const char *const *controller_quarantined(Controller *controller);

/* One row of what this host allows. */
typedef struct FeatureRow {
    char *feature;
    bool available;
    char *reason;
} FeatureRow;
void feature_row_free(FeatureRow *row);
GPtrArray *controller_features(Controller *controller);

/* Can this rung of the ladder be had for an instance? If not, *ret_reason (g_free) says why. */
bool controller_has_backend(Controller *controller, const char *name, char **ret_reason);

/* What a start with these settings would get: rows (feature, outcome, reason). The error is what
 * the start would fail with. */
typedef struct CheckRow {
    char *feature;
    char *outcome;
    char *reason;
} CheckRow;
void check_row_free(CheckRow *row);
GPtrArray *controller_check(Controller *controller, const char *name, uid_t owner, const Spec *spec,
                            GError **error);

/* Stops all instances and calls off all restarts, at the end of a service that takes them along;
 * `done` when all are gone. The timeout holds for each, unless its own is shorter. */
void controller_stop_all(Controller *controller, uint64_t timeout_usec,
                         void (*done)(void *userdata), void *userdata);

/* Waits until it is known how those have ended that are dead already; `done` when all are. */
void controller_settle(Controller *controller, void (*done)(void *userdata), void *userdata);

/* ---- for core/ only -------------------------------------------------------------------------- */

/* Takes the instance out of everything and frees it from the loop. */
void controller_remove(Controller *controller, Instance *instance);

/* Queues a start, and lets the next ones begin. Over: it gives its turn back, or leaves the queue
 * if it was not its turn yet. The turn is over when the gate is open: what the payload makes of
 * its exec holds nobody up. */
void controller_queue_start(Controller *controller, Start *start);
void controller_start_over(Controller *controller, Start *start);
void controller_pump(Controller *controller);

/* shutdown.c; NULL is allowed. */
void stop_all_free(struct StopAll *all);

/* Asks again what this host allows; starts wait meanwhile. */
void controller_reprobe(Controller *controller);
/* The same if something was refused, and some time ago. */
void controller_refresh_features(Controller *controller);
