/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* constellation-init from the inside. It lives as long as its instance and there may be ten
 * thousand of it, so it touches as few pages as it can: no allocation, no stdio, small frames.
 * Functions return 0 or a positive errno, as the wire and the record have it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "isolation/wire.h"
#include "util/message.h"

/* For large variables that nobody needs once the payload runs. The linker puts them behind all
 * others (src/meson.build), so that what an init touches for as long as it lives is one page. */
#define BEFORE_PAYLOAD __attribute__((section(".bss.zz_before_payload")))

/* Exit code of an init that ends before its payload ran. */
#define EXIT_NOT_STARTED 125

struct Init {
    int ctl;      /* closed once the payload runs */
    int signals;  /* a signalfd of all of them, all of them being blocked */
    int record;   /* its lock ends with the first close of any descriptor of this file */
    int cgroup;   /* directory of the instance, or -1 */
    int proc;     /* a /proc that nobody inside has laid hands on, or -1 */
    int stdio[3]; /* the payload's; closed once it runs */
    struct WirePlan *plan;
    size_t plan_size;
    bool own_pid_namespace;
    bool own_time_namespace; /* the payload will have one; we do not */
    int kill_signal;         /* another than SIGTERM that systemd may stop us with */
    pid_t payload;           /* 0: a sandbox */
};

/* How the payload ended: si_code and si_status of siginfo_t. */
struct End {
    int32_t code;
    int32_t status;
};

/* ---- signals.c ------------------------------------------------------------------------------- */

struct Signal {
    int number;
    int code;  /* SI_* */
    pid_t pid; /* of the sender, 0 if it is outside of our pid namespace */
    uid_t uid;
};

/* All dispositions to default, all signals blocked. */
int signals_take(struct Init *init);
/* Waits for the next one. */
void signals_next(const struct Init *init, struct Signal *ret);
/* The next one if there is one. */
bool signals_poll(const struct Init *init, struct Signal *ret);
/* Whether the sender may command us; see wire.h. */
bool signal_is_command(const struct Init *init, const struct Signal *signal);
/* Whether somebody outside of the instance wants it to end, as systemd does. */
bool signal_is_stop(const struct Init *init, const struct Signal *signal);
/* For the payload: nothing blocked. */
void signals_unblock(void);

/* ---- ctl.c ----------------------------------------------------------------------------------- */

/* Waits for a message of this type. Exits quietly at the end of the file (constellationd is gone,
 * or wants us gone) and at a SIGTERM. EBADMSG for anything else. */
int ctl_wait(const struct Init *init, uint32_t type, Received *ret);
void ctl_send(const struct Init *init, const struct WireMessage *message);
void ctl_send_fault(const struct Init *init, uint32_t step, int error, bool fatal,
                    const char *path);
/* The record first, then the message, then the end. */
_Noreturn void ctl_give_up(const struct Init *init, uint32_t step, int error, const char *path);

/* ---- record.c -------------------------------------------------------------------------------- */

int record_lock(int fd);
void record_enter_phase(const struct Init *init, uint32_t phase);
void record_fault(const struct Init *init, uint32_t step, int error, const char *path);
void record_executed(const struct Init *init);
void record_stopped_outside(const struct Init *init);
void record_ended(const struct Init *init, const struct End *end);

/* ---- plan.c ---------------------------------------------------------------------------------- */

/* Maps the plan, checks everything that is said in wire.h about it and makes argv and env usable.
 * EBADMSG if anything is not so. */
int plan_load(struct Init *init, int fd);
void plan_drop(struct Init *init);

/* A string that is known to be there. */
static inline const char *plan_text(const struct WirePlan *plan, uint32_t offset)
{
    return (const char *)plan + offset;
}

/* NULL for offset 0. */
static inline const char *plan_string(const struct WirePlan *plan, uint32_t offset)
{
    return offset != 0 ? plan_text(plan, offset) : NULL;
}

static inline const struct WireStep *plan_steps(const struct WirePlan *plan)
{
    return (const struct WireStep *)(const void *)((const char *)plan + plan->steps);
}

static inline const struct WireLimit *plan_limits(const struct WirePlan *plan)
{
    return (const struct WireLimit *)(const void *)((const char *)plan + plan->limits);
}

static inline const struct WireFilter *plan_filters(const struct WirePlan *plan)
{
    return (const struct WireFilter *)(const void *)((const char *)plan + plan->filters);
}

static inline char **plan_pointers(struct WirePlan *plan, uint32_t offset)
{
    return (char **)(void *)((char *)plan + offset);
}

/* ---- steps.c --------------------------------------------------------------------------------- */

/* Performs the init's own steps; returns when the gate has been open. */
void steps_perform(struct Init *init);
/* Opens a file of /proc/self for writing, also where we are not dumpable. -1 and errno. */
int self_open(const struct Init *init, const char *name);
int oom_score_write(const struct Init *init, uint32_t number);

/* ---- mounts.c -------------------------------------------------------------------------------- */

/* Performs step `index` of the plan, one of STEP_LAYER to STEP_ROOT_LEAVE; *ret_path is what it
 * failed on, if that is not the step's own path. */
int mounts_perform(struct Init *init, uint32_t index, const char **ret_path);

/* ---- drops.c: in the payload's process ------------------------------------------------------- */

int drop_groups(const struct WirePlan *plan);
int drop_gid(const struct WirePlan *plan);
int drop_uid(const struct WirePlan *plan);
int drop_capabilities(const struct WirePlan *plan);

/* ---- limits.c: in the payload's process ------------------------------------------------------ */

int keyring_make(void);
int umask_set(uint32_t mask);
int nice_set(uint32_t number);
int limit_set(const struct WireLimit *limit);

/* ---- filters.c: in the payload's process ----------------------------------------------------- */

/* 0, or the errno; *ret_any tells whether some were loaded all the same. */
int filters_load(const struct WirePlan *plan, bool *ret_any);

/* ---- exec.c: in the payload's process -------------------------------------------------------- */

struct Fault {
    uint32_t step;
    int error;
    char path[WIRE_PATH_MAX];
};

void fault_set(struct Fault *fault, uint32_t step, int error, const char *path);
/* Returns only when it failed. */
void exec_payload(const struct Init *init, struct Fault *fault);

/* ---- payload.c ------------------------------------------------------------------------------- */

/* Starts the payload, if there is one; returns when it has been executed. */
void payload_start(struct Init *init);

/* ---- everyone.c ------------------------------------------------------------------------------ */

/* To every process of the instance but ourselves. False if there is no way to find them. */
bool everyone_signal(const struct Init *init, int number);
/* Kills and reaps everybody. */
void everyone_end(const struct Init *init);

/* ---- log.c ----------------------------------------------------------------------------------- */

/* From now on what comes out of the pipe goes into the log. EBADMSG if that is none. */
int log_take(int file, int pipe);
/* Sleeps until there is a signal or output, of which it carries some. Whether there is a signal. */
bool log_wait(const struct Init *init);
/* What is in the pipe now, and no more, whoever may still write to it. */
void log_drain(void);

/* ---- usage.c --------------------------------------------------------------------------------- */

void usage_read(int cgroup, struct Record *record);

/* ---- supervise.c ----------------------------------------------------------------------------- */

/* Until the instance is at its end; the exit code. */
int supervise(const struct Init *init);
