/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Starting the payload. Its process borrows our memory and we are suspended until it has executed
 * or failed (vfork), so that a failure is simply there to be read when we go on, and success is
 * known without another message. It has a stack of its own, with what it has to say at the far end
 * of it, which is given back afterwards. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/init.h"
#include "util/fd.h"
#include "util/syscalls.h"

#define STACK_SIZE 32768u /* two paths and 1024 groups, never at the same time, fit four times */

struct Payload {
    struct Init *init;
    struct Fault fault;
    pid_t parent;
    bool reached_exec;
};

static int perform_session(const struct Init *init)
{
    if (setsid() < 0)
        return errno;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (dup2(init->stdio[fd], fd) < 0)
            return errno;
    return 0;
}

/* Where a file cannot be written to at once, as a fifo without a reader, that is an error and no
 * reason to wait. */
static int perform_output(const char *path, uint32_t number, int to)
{
    const int flags = O_WRONLY | O_CREAT | O_NOCTTY | O_CLOEXEC | O_NONBLOCK |
                      (number == OUTPUT_APPEND ? O_APPEND : O_TRUNC);
    auto_fd fd = -1;

    if (number == OUTPUT_SAME)
        return dup2(STDOUT_FILENO, to) < 0 ? errno : 0;
    fd = open(path, flags, 0666);
    if (fd < 0 || fcntl(fd, F_SETFL, flags & O_APPEND) < 0 || dup2(fd, to) < 0)
        return errno;
    return 0;
}

/* A working directory outside of the root that we see shows as "(unreachable)…": it would be a way
 * out. */
static int perform_working_directory(const char *path)
{
    char now[PATH_MAX];

    if (chdir(path) < 0 || syscall(SYS_getcwd, now, sizeof now) < 0)
        return errno;
    return now[0] == '/' ? 0 : EPERM;
}

static int perform(const struct Init *init, const struct WireStep *step)
{
    switch (step->kind) {
    case STEP_SESSION:
        return perform_session(init);
    case STEP_KEYRING:
        return keyring_make();
    case STEP_SIGPIPE:
        return signal(SIGPIPE, SIG_IGN) == SIG_ERR ? errno : 0;
    case STEP_UMASK:
        return umask_set(step->number);
    case STEP_NICE:
        return nice_set(step->number);
    case STEP_LIMIT:
        return limit_set(&plan_limits(init->plan)[step->number]);
    case STEP_PAYLOAD_OOM_SCORE:
        return oom_score_write(init, step->number);
    case STEP_GROUPS:
        return drop_groups(init->plan);
    case STEP_GID:
        return drop_gid(init->plan);
    case STEP_UID:
        return drop_uid(init->plan);
    case STEP_CAPABILITIES:
        return drop_capabilities(init->plan);
    case STEP_NO_NEW_PRIVILEGES:
        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? errno : 0;
    case STEP_STDOUT:
        return perform_output(plan_text(init->plan, step->path), step->number, STDOUT_FILENO);
    case STEP_STDERR:
        return perform_output(plan_text(init->plan, step->path), step->number, STDERR_FILENO);
    case STEP_WORKING_DIRECTORY:
        return perform_working_directory(plan_text(init->plan, step->path));
    default:
        return 0;
    }
}

/* Whatever the plan says: nothing is executed with more rights than it was meant to have. */
static bool is_required(const struct WireStep *step)
{
    return (step->flags & WIRE_STEP_REQUIRED) != 0 ||
           (step->kind >= STEP_GROUPS && step->kind <= STEP_NO_NEW_PRIVILEGES);
}

static bool perform_steps(struct Payload *payload)
{
    const struct Init *init = payload->init;
    const struct WireStep *steps = plan_steps(init->plan);

    for (uint32_t i = 0; i < init->plan->step_count; i++) {
        const char *path = plan_string(init->plan, steps[i].path);
        int error = steps[i].kind >= STEP_SESSION ? perform(init, &steps[i]) : 0;

        if (error == 0)
            continue;
        if (is_required(&steps[i])) {
            fault_set(&payload->fault, steps[i].kind, error, path);
            return false;
        }
        ctl_send_fault(init, steps[i].kind, error, false, path);
    }
    return true;
}

static int payload_main(void *arg)
{
    static const struct WireMessage about_to_execute = { .type = WIRE_PAYLOAD };
    struct Payload *payload = arg;
    int error;

    if (!perform_steps(payload))
        return EXIT_NOT_STARTED;
    /* In a pid namespace the end of the init is the end of all; elsewhere the payload would live
     * on, unseen. A change of the uid clears it, so it comes after the drops. */
    if (!payload->init->own_pid_namespace)
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    /* The init may have been killed while it waited for us, before that call. */
    if (!payload->init->own_pid_namespace && getppid() != payload->parent)
        return EXIT_NOT_STARTED;
    error = -sys_close_range_cloexec(STDERR_FILENO + 1);
    if (error != 0) {
        fault_set(&payload->fault, STEP_EXEC, error, NULL);
        return EXIT_NOT_STARTED;
    }
    /* The kernel adds who sends this: the proof that the drop has happened. */
    ctl_send(payload->init, &about_to_execute);
    payload->reached_exec = true;
    signals_unblock();
    exec_payload(payload->init, &payload->fault);
    return EXIT_NOT_STARTED;
}

/* 0 if it has been executed. A process that enters a time namespace may not borrow memory from one
 * outside of it (kernels before 6.3 refuse the clone): it gets a copy of ours then, and only what
 * it has to say is in memory of both. */
static int payload_clone(struct Init *init, struct Payload *payload)
{
    const int flags = CLONE_VFORK | SIGCHLD | (init->own_time_namespace ? 0 : CLONE_VM);
    char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                       MAP_ANONYMOUS | (init->own_time_namespace ? MAP_SHARED : MAP_PRIVATE), -1,
                       0);
    struct Payload *shared = (struct Payload *)(void *)stack;
    int error = 0;

    if (stack == MAP_FAILED)
        return errno;
    *shared = *payload;
    init->payload = clone(payload_main, stack + STACK_SIZE, flags, shared);
    if (init->payload < 0)
        error = errno;
    *payload = *shared;
    (void)munmap(stack, STACK_SIZE);
    return error;
}

void payload_start(struct Init *init)
{
    static const struct WireMessage executed = { .type = WIRE_EXECUTED };
    struct Payload payload = { .init = init, .parent = getpid() };

    if (init->plan->argc > 0) {
        int error = payload_clone(init, &payload);

        if (error != 0)
            ctl_give_up(init, STEP_FORK, error, NULL);
        if (payload.fault.error != 0)
            ctl_give_up(init, payload.fault.step, payload.fault.error, payload.fault.path);
        if (!payload.reached_exec) /* somebody has killed it on the way */
            ctl_give_up(init, STEP_FORK, ECANCELED, NULL);
    }
    record_executed(init);
    ctl_send(init, &executed);
    plan_drop(init);
    init->ctl = fd_close(init->ctl);
    /* Without a pid namespace everybody has to be looked for at the end. */
    if (init->own_pid_namespace)
        init->proc = fd_close(init->proc);
    for (int i = 0; i < 3; i++)
        init->stdio[i] = fd_close(init->stdio[i]);
}
