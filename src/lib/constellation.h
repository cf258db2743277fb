/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONSTELLATION_H
#define CONSTELLATION_H

/* RADS Constellation for C programs: instances, which are scripts and commands in namespaces and
 * control groups of their own. See constellation(3).
 *
 * Everything a pointer of this library leads to belongs to the library: an Instance until it is
 * destroyed or constellation_shutdown(), the array of constellation_instance_list() until the same
 * thread's next one or constellation_shutdown(). The fields of an Instance are a snapshot that each
 * call on that instance refreshes. All functions may be called from any thread; two threads must
 * not use one Instance at once. What is not ours, or not any more, is refused and never touched.
 *
 * The library starts no thread, installs no signal handler, prints nothing and never aborts. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef enum InstanceState {
    INSTANCE_STATE_PENDING,
    INSTANCE_STATE_STARTING,
    INSTANCE_STATE_RUNNING,
    INSTANCE_STATE_STOPPING,
    INSTANCE_STATE_STOPPED,
    INSTANCE_STATE_FAILED,
    INSTANCE_STATE_UNKNOWN,
} InstanceState;

typedef enum ConstellationError {
    CONSTELLATION_OK,
    CONSTELLATION_ERR_INVALID_PARAM,
    CONSTELLATION_ERR_NO_MEMORY,
    CONSTELLATION_ERR_SPAWN_FAILED,
    CONSTELLATION_ERR_NOT_FOUND,
    CONSTELLATION_ERR_ALREADY_EXISTS,
    CONSTELLATION_ERR_PERMISSION_DENIED,
    CONSTELLATION_ERR_RESOURCE_EXHAUSTED,
    CONSTELLATION_ERR_ISOLATION_FAILED,
    CONSTELLATION_ERR_CGROUP_FAILED,
    CONSTELLATION_ERR_NAMESPACE_FAILED,
    CONSTELLATION_ERR_UNKNOWN = 99,
} ConstellationError;

/* 0: no limit. */
typedef struct ResourceLimits {
    uint32_t cpu_percent; /* of one core; may exceed 100 */
    uint64_t ram_mb;      /* MiB */
    uint64_t disk_mb;     /* MiB */
    uint32_t network_mbps;
} ResourceLimits;

typedef struct ResourceUsage {
    double cpu_percent; /* of one core, between this sample and the one before */
    uint64_t ram_mb;    /* MiB */
    uint64_t disk_mb;   /* MiB */
    uint64_t network_in_mbps;
    uint64_t network_out_mbps;
    time_t last_update; /* 0: never */
} ResourceUsage;

typedef struct InstanceConfig {
    char name[256];        /* [A-Za-z0-9][A-Za-z0-9_.-]{0,63} */
    char script_path[512]; /* run by its #! line or by the service's interpreter; "": a sandbox */
    char **env_vars;       /* "NAME=VALUE" */
    int env_count;
    ResourceLimits limits;
    bool enable_networking; /* false: no network but a loopback of its own */
    bool enable_filesystem; /* false: files of its own, nothing of the host's */
} InstanceConfig;

typedef struct Instance {
    char id[64];
    char name[256];
    pid_t pid; /* of the payload, or of a sandbox's init; 0: it does not run */
    InstanceState state;
    time_t created_at, started_at, stopped_at; /* 0: never */
    int exit_code; /* of the last run; 128 + N if signal N ended it; -1: there is none */
    ResourceLimits limits;
    ResourceUsage usage;
    void *isolation_context; /* an IsolationContext, or NULL */
} Instance;

typedef struct ControllerConfig {
    char node_name[256]; /* "": the service's */
    char cluster_name[256];
    uint16_t control_port, data_port; /* kept, and read back */
    uint32_t max_instances;           /* 0: the service's */
    bool enable_clustering;           /* must be false */
} ControllerConfig;

/* ---- the controller -------------------------------------------------------------------------- */

/* Connects to a service: as root to the system's, as another user to that of the session bus, and
 * if there is none, or it is not the one that the config describes, to one of its own ("embedded"),
 * which ends with this program. 0, or -1. */
int constellation_init(ControllerConfig *config);

/* Stops and destroys the instances that this program has made, and forgets the others. 0, or -1. */
int constellation_shutdown(void);

bool constellation_is_running(void);

/* ---- instances ------------------------------------------------------------------------------- */

ConstellationError constellation_instance_create(const InstanceConfig *config, Instance **instance);
/* Returns when the payload has been executed, or with what kept it from that. */
ConstellationError constellation_instance_start(Instance *instance);
/* Returns when every process is gone. */
ConstellationError constellation_instance_stop(Instance *instance);
/* Also one that runs: it is killed. The pointer is invalid afterwards. */
ConstellationError constellation_instance_destroy(Instance *instance);

/* Also one that another program has made, if the service shows it. NULL: there is none. */
Instance *constellation_instance_get(const char *id);
/* Those that this program has made, by creation; NULL if there are none. */
Instance **constellation_instance_list(int *count);

InstanceState constellation_instance_state(Instance *instance);
ConstellationError constellation_instance_update_stats(Instance *instance);
ResourceUsage constellation_instance_get_usage(Instance *instance);

/* A few words, for every value. */
const char *constellation_error_string(ConstellationError error);

/* ---- isolation and resources: 0, or -1 ------------------------------------------------------- */

/* What the service really made of the isolation that was asked for. */
typedef struct IsolationKind {
    char kind[24];    /* user, pid, mount, uts, ipc, cgroup, ...; or a setting's name */
    char outcome[16]; /* private, shared or refused */
    char reason[216]; /* "" if it is as it was asked for */
} IsolationKind;

typedef struct IsolationContext {
    char backend[16];         /* who made the control group: scope, cgroup or monitor */
    char backend_reason[240]; /* why not a better one */
    char control_group[512];  /* below the mount of cgroup v2; "": none */
    int count;
    IsolationKind kinds[16];
} IsolationContext;

/* Either makes the namespaces and the control group, with the payload still to come: a later start
 * goes on from there. Teardown undoes it, when both are undone. */
int isolation_setup_namespaces(Instance *instance);
int isolation_teardown_namespaces(Instance *instance);

/* Runs function(instance) in a child of the caller, inside a running or prepared instance: in its
 * namespaces and control group, with its payload's rights. What it returns is the exit status; the
 * pid, for waitpid(2), or -1. As after fork(2), the library is not initialized there. */
pid_t isolation_clone_process(Instance *instance, int (*function)(void *));

int resources_setup_cgroups(Instance *instance);

/* For this run and the next ones: all of them, or none and -1. */
int resources_update_limits(Instance *instance, ResourceLimits *limits);

/* For a process of the caller's; it may use no more than the instance from then on. */
int resources_add_process_to_cgroup(Instance *instance, pid_t pid);
int resources_collect_stats(Instance *instance, ResourceUsage *usage);
int resources_teardown_cgroups(Instance *instance);

/* ---- beyond the original --------------------------------------------------------------------- */

/* The sentence of this thread's last failed call: what failed, on what, and what to do. "" if there
 * was none. Valid until the thread's next call. */
const char *constellation_last_error(void);
ConstellationError constellation_last_error_code(void);

/* Before constellation_init():
 *     Service      auto, system, user, embedded, or the path of a private service's socket
 *     TimeoutSec   how long a call may take beyond what the service itself allows for it
 * The environment variable CONSTELLATION_SERVICE is heard where Service is auto. */
ConstellationError constellation_set_option(const char *name, const char *value);

/* "system", "user", "socket" or "embedded"; NULL: not initialized. */
const char *constellation_service(void);
/* What is in force: the service's names and maximum, and the ports that were given. */
ConstellationError constellation_get_config(ControllerConfig *config);

/* Any setting of constellation.settings(7), by name and text. */
typedef struct ConstellationSetting {
    const char *name;  /* "Command" */
    const char *value; /* "sleep 100" */
} ConstellationSetting;

/* What is set here goes before what follows from the config. */
ConstellationError constellation_instance_create_with(const InstanceConfig *config,
                                                      const ConstellationSetting *settings,
                                                      size_t count, Instance **instance);

typedef struct InstanceExit {
    uint32_t run;    /* which start it was */
    char result[32]; /* success, exit-code, signal, oom-kill, timeout, ... */
    int code;        /* CLD_EXITED, CLD_KILLED, or 0 if nobody knows */
    int status;      /* exit status or signal */
} InstanceExit;

/* Returns when the run has ended and no restart follows; at once if there is none. Other threads
 * may use the instance meanwhile. timeout_msec below 0: no limit. `end` may be NULL. */
ConstellationError constellation_instance_wait(Instance *instance, int timeout_msec,
                                               InstanceExit *end);
ConstellationError constellation_instance_restart(Instance *instance);
/* As resources_update_limits(); or any setting under Resources, by name and text. */
ConstellationError constellation_instance_update_limits(Instance *instance,
                                                        const ResourceLimits *limits);
ConstellationError constellation_instance_update_settings(Instance *instance,
                                                          const ConstellationSetting *settings,
                                                          size_t count);
/* To the payload, or to every process of the instance. */
ConstellationError constellation_instance_kill(Instance *instance, int signal, bool all);

/* ---- events ---------------------------------------------------------------------------------- */

typedef enum ConstellationEventType {
    CONSTELLATION_EVENT_STATE,  /* from one state to another */
    CONSTELLATION_EVENT_EXITED, /* a run has ended */
    CONSTELLATION_EVENT_LOST,   /* the connection was lost, or too many events were not fetched */
} ConstellationEventType;

/* Of an instance that this program knows. */
typedef struct ConstellationEvent {
    ConstellationEventType type;
    char id[64];
    InstanceState from, to;
    InstanceExit end;
} ConstellationEvent;

/* For poll(2) or the like: readable when there may be events; the library's. From the first use on
 * events are kept; -1: an error. */
int constellation_event_fd(void);

/* 1: one event; 0: there is none; -1: an error. */
int constellation_event_next(ConstellationEvent *event);

/* Or by a function, which constellation_dispatch() calls in the thread that calls it, after it has
 * waited for at most so long (below 0: without limit). How many events there were, or -1. */
typedef void (*ConstellationEventCallback)(const ConstellationEvent *event, void *userdata);
ConstellationError constellation_set_event_callback(ConstellationEventCallback callback,
                                                    void *userdata);
int constellation_dispatch(int timeout_msec);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
