/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The part of constellationd, played by the tests: it starts a launcher, has it clone an init,
 * hands the plan over and watches. A Run is one instance. Everything asserts: what is not tested
 * here has to work. Programs: $CONSTELLATION_LAUNCHER and $CONSTELLATION_INIT. With
 * $CONSTELLATION_TEST_DENY the newer calls about mounts fail with that errno. */

#include <check.h>
#include <linux/filter.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "isolation/wire.h"

#define PATIENCE_MS     10000 /* for what has to happen */
#define RUN_STEPS_MAX   64
#define RUN_LIMITS_MAX  4
#define RUN_STRINGS_MAX 16384

/* ---- launcher -------------------------------------------------------------------------------- */

extern int launcher; /* our end of its socket, -1 if there is none */
extern pid_t launcher_pid;

void launcher_start(void);         /* as we are */
void launcher_start_as(uid_t uid); /* with no capability, uid and gid */
void launcher_stop(void);          /* waits for it; a fixture */
struct LaunchReply launcher_call(const struct LaunchRequest *request, const int *fds,
                                 size_t fd_count, int *ret_pidfd);
struct LaunchRequest launch_request(uint32_t verb);

/* ---- one instance ---------------------------------------------------------------------------- */

typedef struct Run {
    struct LaunchRequest request;
    struct WirePlan header;
    struct WireStep steps[RUN_STEPS_MAX]; /* path: offset into strings, 0 none */
    uint32_t step_count;
    const char *argv[8];
    const char *env[8];
    uint32_t groups[4], owner_groups[4];
    struct WireLimit limits[RUN_LIMITS_MAX];
    const struct sock_filter *programs[WIRE_FILTERS_MAX]; /* header.filter_count of them */
    uint32_t program_sizes[WIRE_FILTERS_MAX];             /* in instructions */
    const char *executable, *search_path, *script;
    char strings[RUN_STRINGS_MAX]; /* of the steps */
    size_t strings_used;
    void (*damage)(struct WirePlan *plan); /* spoils the plan before it is sealed */
    bool unsealed;
    int cgroup; /* to be born in and to be sent with the gate, or -1 */

    int ctl, pidfd, record, output;
    int log;         /* run_with_log(), or -1 */
    int log_pipe;    /* the end to write to, or -1 */
    bool keeps_pipe; /* the test writes to it, too */
    pid_t pid;
    struct WireMessage message; /* the last one received, and who sent it */
    struct ucred sender;
    struct LaunchReply end;
} Run;

/* With pid, mount, UTS and IPC namespaces, root, stdout and stderr into run->output. */
Run *run_new(const char *const *argv);
/* `sh -c script` */
Run *run_new_shell(const char *script);
Run *run_new_sandbox(void);
void run_free(Run *run);
/* Steps are put into order by their kind. */
void run_step(Run *run, uint32_t kind, uint32_t number, const char *path);
void run_step_optional(Run *run, uint32_t kind, uint32_t number, const char *path);
/* A step with a source, whatever that is to it. */
void run_mount(Run *run, uint32_t kind, uint32_t number, const char *path, const char *source);
void run_drop_step(Run *run, uint32_t kind);
/* Drops the namespaces, and the steps that are for them, and becomes a subreaper instead. */
void run_without_namespaces(Run *run);
void run_as(Run *run, uid_t uid, gid_t gid);
/* The outputs go through a pipe into this file, with a ring of this size in it. */
void run_with_log(Run *run, int file, uint64_t size);

int run_plan_fd(const Run *run);
struct LaunchReply run_spawn(Run *run);
void run_send(Run *run, uint32_t type, const int *fds, size_t fd_count);
void run_send_plan(Run *run);
void run_open_gate(Run *run);
/* The next message, 0 at end of file. */
uint32_t run_receive(Run *run);
/* All of the above up to WIRE_EXECUTED. */
void run_start(Run *run);
/* All of the above up to the fault, which is in run->message. */
void run_start_in_vain(Run *run);
void run_signal(const Run *run, int signal);
/* Waits for the init, lets go of it: the exit code, or 1000 + signal. */
int run_wait(Run *run);
int run_complete(Run *run); /* start and wait */

struct Record run_record(const Run *run);
const char *run_output(const Run *run);
/* The counters of the log, and the last of what is in it: as much as there is room for. */
struct LogCounters run_log(const Run *run, char *text, size_t size);
/* Waits until the output holds this text. */
void run_await(const Run *run, const char *text);
pid_t run_lock_holder(const Run *run);

/* ---- host ------------------------------------------------------------------------------------ */

/* Ends the test with a word why. */
#define SKIP(reason)                                              \
    do {                                                          \
        fprintf(stderr, "# skipped: %s: %s\n", __func__, reason); \
        return;                                                   \
    } while (0)

/* A cgroup of our own below the cgroup2 mount: its directory, or -1. */
int cgroup_make(char path[256]);
void file_text(const char *path, char *text, size_t size);

/* It runs to its end and has said this; it ends at this step, before the payload. Both free it. */
void run_assert_output(Run *run, const char *output);
void run_assert_fault(Run *run, uint32_t step, int error, const char *path);
