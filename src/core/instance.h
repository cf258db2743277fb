/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One instance: what was asked, what it is now, and what it may be told to do. Its fields are for
 * reading by bus/; only core/ writes them, and its state only instance_set_state(). */

#include <sys/types.h>
#include <systemd/sd-event.h>

#include "core/waiters.h"
#include "isolation/output-log.h"
#include "isolation/plan.h"
#include "model/names.h"
#include "model/restart.h"
#include "model/spec.h"
#include "model/state.h"
#include "resources/usage.h"
#include "util/error.h"

typedef struct Controller Controller;
typedef struct Start Start;
typedef struct Instance Instance;

typedef struct Timestamp {
    uint64_t realtime_usec; /* 0: never */
    uint64_t monotonic_usec;
} Timestamp;

Timestamp timestamp_now(void);

/* CLOCK_BOOTTIME, which nobody can set and which counts while the machine sleeps: what has to be
 * known after a restart of the service, and means nothing after one of the machine. */
uint64_t boottime_usec(void);

/* Something asked for that this run does without. */
typedef struct Degradation {
    char *feature; /* a setting's name, or what else it is about: "StandardOutput" */
    char *code;    /* "refused", "unsupported", "failed": for programs */
    char *reason;
} Degradation;

/* Where what the payload of the last run writes can be read. */
typedef enum LogTarget {
    LOG_TARGET_UNKNOWN, /* there was no run yet */
    LOG_TARGET_JOURNAL,
    LOG_TARGET_RING, /* store_log_open() */
    LOG_TARGET_NONE, /* a file, a descriptor of the caller, nowhere */
    _LOG_TARGET_COUNT,
} LogTarget;

const char *log_target_to_string(LogTarget target);
LogTarget log_target_from_string(const char *string);

struct Instance {
    Controller *controller;
    char id[INSTANCE_ID_LENGTH + 1];
    char *name;
    uid_t owner;
    Spec *spec;
    uint64_t revision; /* of the settings: counts their changes */

    State state;
    SubState sub_state;
    Result result;
    int exit_code;     /* of the last run; -1 if it did not exit */
    int exit_signal;   /* or 0 */
    char *status_text; /* why it is as it is; "" */
    uint64_t run;
    Timestamp created, started, stopped;
    uint64_t loaded_sum; /* of its file in the runtime directory, if that was not written since */

    pid_t init_pid; /* 0: none */
    pid_t main_pid; /* the payload; 0 in a sandbox */
    int init_pidfd;
    int record_fd; /* only where records are in memory; else -1 and the file is opened when needed
                    */
    int log_fd;    /* the same of its log */
    LogTarget log_target;
    sd_event_source *init_source;
    sd_event_source *look_timer;   /* adopted before its payload was executed: looked at again */
    sd_event_source *linger_timer; /* the init is gone and others that were killed are not */
    sd_event_source *cgroup_watch; /* or the timer for it; NULL: cannot be had */
    uint64_t looked_turn;          /* of the loop, when others' doings were last looked for */
    bool freeze_asked;             /* the last freeze was by this service */
    Placement *placement;
    char *backend_reason;
    Isolation isolation[NAMESPACE_COUNT];
    GPtrArray *degraded; /* Degradation */
    GPtrArray *enforced; /* Enforced */
    GPtrArray *steps;    /* PlanStep of the last start, or NULL */

    struct LimitsChange *limits_change; /* while limits change */
    Start *start;                       /* while STARTING */
    sd_event_source *stop_timer;
    int stop_signal;         /* of the stop that is under way; 0: none is */
    uint64_t stop_boot_usec; /* when it kills, on CLOCK_BOOTTIME; UINT64_MAX: never */
    bool stop_escalated;     /* SIGKILL was needed */
    bool told_to_end;        /* by a stop, not by itself */
    bool runtime_over;       /* RuntimeMaxSec= */
    sd_event_source *runtime_timer;

    RestartHistory history;
    sd_event_source *restart_timer; /* while sub_state is auto-restart */
    uint64_t restart_boot_usec;     /* when, on CLOCK_BOOTTIME; 0: no restart is pending */
    char *restart_reason;           /* of the last restart; "" */

    bool stopped_with_service; /* OnShutdown=stop: with AutoStart= it comes back with the next */
    bool restart_after_stop;
    bool destroy_after_stop;
    bool tentative;  /* made by a start, and to be gone if that fails */
    bool lost_sight; /* adopted without a spec */
    bool rebooted;   /* loaded from the state directory only: the machine came up since */
    Waiters waiters;
};

typedef struct StartOptions {
    bool no_degrade;
    bool automatic; /* by the restart policy: the history goes on */
    bool prepare;   /* see instance_prepare() */
    int stdio[3];   /* -1: as the settings say; dup'ed */
} StartOptions;
#define START_OPTIONS_DEFAULT ((StartOptions){ .stdio = { -1, -1, -1 } })

typedef struct StopOptions {
    uint64_t timeout_usec; /* UINT64_MAX - 1: as the setting says */
    int signal;            /* 0: as the setting says */
} StopOptions;
#define STOP_TIMEOUT_SETTING (UINT64_MAX - 1)
#define STOP_OPTIONS_DEFAULT ((StopOptions){ .timeout_usec = STOP_TIMEOUT_SETTING })

/* Each: false and an error, and `done` will not be called; or true, and `done` is called exactly
 * once, perhaps before the function returns. `done` may be NULL. */
bool instance_start(Instance *instance, const StartOptions *options, WaiterCallback done,
                    void *userdata, GError **error);
/* The first half of a start: everything but the payload; instance_start() goes on from there. It
 * is STARTING meanwhile, and prepared. */
bool instance_prepare(Instance *instance, const StartOptions *options, WaiterCallback done,
                      void *userdata, GError **error);
bool instance_stop(Instance *instance, const StopOptions *options, WaiterCallback done,
                   void *userdata, GError **error);
bool instance_restart(Instance *instance, const StopOptions *options, WaiterCallback done,
                      void *userdata, GError **error);
bool instance_destroy(Instance *instance, bool force, WaiterCallback done, void *userdata,
                      GError **error);

/* `done` when the current run has ended, at once if none is going on; `final`: when no restart
 * follows either. */
void instance_wait(Instance *instance, bool final, WaiterCallback done, void *userdata);

/* A signal to the payload, or to every process but the init. */
bool instance_kill(Instance *instance, bool all, int signal, GError **error);
bool instance_freeze(Instance *instance, bool freeze, GError **error);

/* Looks what others have done to it: for whoever is about to read SubState, StatusText, Degraded,
 * or its usage. */
void instance_look(Instance *instance);

/* The limits as the kernel's files say now, or said last; Enforced, the instance's. */
const GPtrArray *instance_enforced(Instance *instance);

/* Changes limits, those that are set in `changes`, for this run and the next ones: all or none, and
 * stored before it is told. INVALID_ARGS for settings that are no limits, CGROUP_FAILED for what
 * is required and cannot be enforced, or is refused by the kernel or systemd. */
bool instance_set_limits(Instance *instance, const Spec *changes, WaiterCallback done,
                         void *userdata, GError **error);

/* What the payload writes, where there is no journal: what follows the cursor; the cursor so many
 * lines before the end; and how many bytes there were over all runs, and were not to be kept.
 * Before the first run there is nothing; NOT_SUPPORTED, or false, where it goes somewhere else. */
bool instance_read_log(Instance *instance, uint64_t cursor, OutputLogPage *ret, GError **error);
bool instance_seek_log(Instance *instance, uint64_t lines, uint64_t *ret_cursor, GError **error);
bool instance_log_usage(Instance *instance, uint64_t *ret_written, uint64_t *ret_discarded);

/* How the last start was planned, or how the next one would be: PlanStep array of the instance. */
const GPtrArray *instance_plan(Instance *instance, GError **error);

/* ---- for core/ only -------------------------------------------------------------------------- */

Instance *instance_new(Controller *controller, const char *id, const char *name, uid_t owner,
                       Spec *spec);
void instance_free(Instance *instance);

/* "<id>_<run>": names this run, its record and its cgroup, and never another; g_free. */
char *instance_launch_id(const Instance *instance);

/* Sets INVALID_STATE with the sentence of state_refusal(); false. */
bool instance_refuse(const Instance *instance, Request request, GError **error);

/* The only writer of state: looks the event up in the table, stores, and tells the observer. False
 * if it could not be stored, which is logged; the state is the new one all the same. */
bool instance_apply(Instance *instance, StateEvent event, SubState sub_state, GError **error);

/* When the init is gone: kills what it may have left, and gives the cgroup back. */
void instance_release_placement(Instance *instance);
void instance_set_sub_state(Instance *instance, SubState sub_state);
void instance_set_status(Instance *instance, const char *format, ...) G_GNUC_PRINTF(2, 3);
void instance_degrade(Instance *instance, const char *feature, const char *code,
                      const char *reason);
void instance_changed(Instance *instance);

/* Stores what has changed besides the state; that it could not be is logged. */
void instance_save(Instance *instance);

/* Takes over a living init (its pidfd is the instance's from now on) and watches for its end. */
bool instance_watch_init(Instance *instance, int pidfd, pid_t pid, GError **error);
void instance_forget_init(Instance *instance);

/* instance-start.c: a stop while it starts; the start-queue's turn; the init's end while starting
 */
void start_cancel(Instance *instance, const char *why);
void start_admit(Start *start);
void start_proceed(Start *start);
void start_init_ended(Instance *instance);
void start_free(Start *start);

/* instance-exit.c: the init has ended; also for runs that ended while the service was away. */
void instance_exit(Instance *instance);
void instance_exit_from_record(Instance *instance, const struct Record *record);

/* What the restart policy makes of an end, also of a start's: the sub-state to go with the event,
 * which may have become a worse one. */
SubState instance_judge_end(Instance *instance, StateEvent *event);

/* instance-restart.c. Judge: what the policy says of the run that has just ended. Schedule: the
 * restart is part of the state that is stored next. Cancel: somebody does not want it any more;
 * forget: it begins. Resume: after an adoption, with what is left of the delay. */
RestartVerdict restart_judge(Instance *instance, uint64_t *ret_delay_usec);
void restart_schedule(Instance *instance, uint64_t delay_usec);
void restart_cancel(Instance *instance);
void restart_forget(Instance *instance);
void restart_resume(Instance *instance);

/* When the restart that is pending is due, on the wall clock as it is now; 0: none is. */
uint64_t restart_next_realtime_usec(const Instance *instance);

/* instance-stop.c: RuntimeMaxSec=, counted from the start of the run. */
void runtime_watch(Instance *instance);

/* instance-stop.c: a stop that another service had begun, with its signal and what is left of its
 * time. */
void stop_resume(Instance *instance);

/* The init of a stop has ended. True if others have not, though they were killed: then
 * instance_exit() is called when they have. */
bool stop_lingers(Instance *instance);

/* instance-stop.c: what waited for the end of a run goes on. */
void instance_after_stop(Instance *instance);
