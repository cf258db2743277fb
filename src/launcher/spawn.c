/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* LAUNCH_SPAWN: a clone with the namespaces asked for, which becomes an init.
 *
 * All signals are blocked from before the clone until the init itself decides about them: a
 * SIGTERM that arrives between its birth and its first instruction would be lost where it is
 * PID 1, and kill it unnoticed where it is not. Dispositions are the default ones already, since
 * main() sets them once and the launcher has no handler. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/clone.h"
#include "launcher/launcher.h"
#include "util/fd.h"
#include "util/syscalls.h"
#include "util/text.h"

struct Child {
    const struct Launcher *launcher;
    const struct LaunchRequest *request;
    int ctl;
    struct Held held; /* ID_MAP_RANGES */
};

static int all_signals(int how, uint64_t *old)
{
    static const uint64_t all = UINT64_MAX;

    /* Not sigprocmask(): a libc keeps its own signals out of it. */
    return (int)syscall(SYS_rt_sigprocmask, how, &all, old, sizeof all);
}

static int child_map_ids(struct Child *child)
{
    int error;

    switch (child->request->id_map) {
    case ID_MAP_SINGLE:
        error = idmap_write_single(child->launcher, child->request->uid, child->request->gid);
        return error != 0 ? error : idmap_keep_capabilities();
    case ID_MAP_RANGES:
        return held_become_root(child->launcher, &child->held);
    default:
        return 0;
    }
}

static int child_exec(const struct Child *child)
{
    const struct Launcher *launcher = child->launcher;
    char *const argv[] = { (char[]){ "constellation-init" }, NULL };
    char *const env[] = { NULL };

    (void)setsid();
    if (setrlimit(RLIMIT_NOFILE, &launcher->files) < 0)
        return errno;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (dup2(launcher->null, fd) < 0)
            return errno;
    if (dup2(child->ctl, WIRE_CTL_FD) < 0)
        return errno;
    /* Everything of ours is close-on-exec already; this is the second lock on that door. */
    if (sys_close_range_cloexec(WIRE_CTL_FD + 1) < 0)
        return errno;
    (void)syscall(SYS_execveat, launcher->image, "", argv, env, AT_EMPTY_PATH);
    return errno;
}

static int child_main(void *arg)
{
    struct Child *child = arg;
    struct Outcome *outcome = child->launcher->outcome;
    int error = child_map_ids(child);

    outcome->step = LAUNCH_STEP_ID_MAP;
    if (error == 0) {
        outcome->step = LAUNCH_STEP_EXEC_INIT;
        error = child_exec(child);
    }
    outcome->error = error;
    return EXIT_FAILURE;
}

static pid_t child_clone(struct clone_args *args, struct Child *child)
{
    const struct LaunchRequest *request = child->request;

    *child->launcher->outcome = (struct Outcome){ .step = LAUNCH_STEP_NONE, .error = 0 };
    return request->id_map == ID_MAP_RANGES
               ? held_clone(child->launcher, request, args, &child->held, child_main, child)
               : clone_vfork(args, child_main, child);
}

/* Where clone3() cannot be had: it waits for its plan meanwhile, and has done nothing yet. */
static pid_t clone_and_move(struct clone_args *args, struct Child *child, int cgroup)
{
    char text[sizeof "4294967295"];
    auto_fd members = openat(cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    size_t length;
    pid_t pid;

    if (members < 0)
        return -errno;
    args->flags &= ~(uint64_t)CLONE_INTO_CGROUP;
    pid = child_clone(args, child);
    if (pid <= 0 || child->launcher->outcome->error != 0)
        return pid;
    length = (size_t)(text_append_number(text, (uint32_t)pid) - text);
    if (write(members, text, length) == (ssize_t)length)
        return pid;
    *child->launcher->outcome = (struct Outcome){ .step = LAUNCH_STEP_CLONE, .error = errno };
    (void)kill(pid, SIGKILL);
    return pid;
}

void spawn_init(const struct Launcher *launcher, const struct LaunchRequest *request, int ctl,
                int cgroup, struct LaunchReply *reply, int *ret_pidfd)
{
    struct Child child = { .launcher = launcher, .request = request, .ctl = ctl };
    auto_fd pidfd = -1;
    struct clone_args args = { .flags = request->namespaces | CLONE_PIDFD,
                               .pidfd = (uint64_t)(uintptr_t)&pidfd,
                               .exit_signal = SIGCHLD };
    struct Outcome *outcome = launcher->outcome;
    uint64_t mask;
    pid_t pid;

    if (cgroup >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)cgroup;
    }
    (void)all_signals(SIG_BLOCK, &mask);
    pid = child_clone(&args, &child);
    if (pid == -ENOSYS && cgroup >= 0)
        pid = clone_and_move(&args, &child, cgroup);
    (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask);
    if (pid < 0) {
        reply->step = LAUNCH_STEP_CLONE;
        reply->error = -pid;
        return;
    }
    if (outcome->error != 0) {
        siginfo_t ended;

        (void)waitid(P_PID, (id_t)pid, &ended, WEXITED);
        reply->step = outcome->step;
        reply->error = outcome->error;
        return;
    }
    reply->pid = pid;
    *ret_pidfd = fd_steal(&pidfd);
}
