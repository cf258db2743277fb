/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What stands behind an Instance that was handed out. */

#include "lib/library.h"

/* What was asked for by settings that the service does not know. */
typedef struct Without {
    unsigned count;
    const char *settings[8];
} Without;

enum {
    SET_UP_NAMESPACES = 1u << 0,
    SET_UP_CGROUP = 1u << 1,
};

struct Handle {
    Instance instance; /* first: the caller's pointer is that of the handle */
    Handle *next, *previous;
    bool ours;       /* made through this library */
    bool busy;       /* a thread is in a call on it */
    bool listed;     /* while all are looked at: the service has it */
    bool prepared;   /* its init waits at its gate */
    unsigned set_up; /* SET_UP_*: what the program asked to be prepared */
    pid_t init_pid, main_pid;
    uint32_t owner;
    Without without;
    uint64_t sampled_usec; /* CLOCK_MONOTONIC of the last sample of usage; 0: none */
    uint64_t sampled_cpu_usec;
};

/* The object of an instance. */
typedef struct ObjectPath {
    char text[128];
} ObjectPath;
ObjectPath object_path(const char *id);

/* Locks, connects, and claims the handle of an Instance that is ours and alive. On failure nothing
 * is held. */
ConstellationError handle_enter(Instance *instance, Handle **ret);
void handle_leave(Handle *handle);

/* The rest with the library locked. */
Handle *handle_new(const char *id, const char *name);
Handle *handle_find(const char *id);
bool handle_is_live(const Instance *instance);
/* The pointer is dead from now on; the memory is kept a while, so that no new instance has the
 * same pointer soon. */
void handle_drop(Handle *handle);
void handles_drop_all(void);
void handles_drop_lists(void);
/* Without freeing: a child after fork() may still read the fields. */
void handles_forget(void);

/* A call of the instance's: its arguments as for sd_bus_message_append(). Afterwards the fields are
 * those of now, also if it failed. */
ConstellationError handle_call(Handle *handle, const char *method, uint64_t timeout_usec,
                               const char *types, ...);
/* The same without a look at the fields. */
ConstellationError handle_call_only(Handle *handle, const char *method, uint64_t timeout_usec,
                                    const char *types, ...);

/* snapshot.c: fills the fields anew. */
ConstellationError snapshot_refresh(Handle *handle);
/* Beside a failure, whose sentence stays. */
void snapshot_refresh_quietly(Handle *handle);
ConstellationError snapshot_limits(Handle *handle);
InstanceState state_from_string(const char *text);

/* settings.c: the dictionary of CreateInstance. */
ConstellationError settings_append(sd_bus_message *message, const Link *link,
                                   const InstanceConfig *config,
                                   const ConstellationSetting *settings, size_t count,
                                   Without *ret_without);

/* The first dictionary of SetLimits: of these limits, or if they are NULL of these settings. */
ConstellationError changes_append(sd_bus_message *message, const Link *link,
                                  const ResourceLimits *limits,
                                  const ConstellationSetting *settings, size_t count);

/* context.c: what is behind isolation_context. */
bool context_make(Handle *handle);
void context_free(Handle *handle);
int context_read(sd_bus_message *message, const char *name, Handle *handle);
void context_add_without(Handle *handle);
