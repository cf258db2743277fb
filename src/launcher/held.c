/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A child whose maps are written by somebody who must be able to run meanwhile: so it is a copy of
 * us that waits for our word, and we wait for its end of the socket, which closes when it has
 * executed or exited.
 *
 * The init then is root inside, and outside whoever that is; only its real uid stays ours, so that
 * constellationd, which is of the same uid, may send it signals without a capability. Where that
 * uid is the host's root it has no name inside, so that even somebody who took the init over could
 * not use it; and nobody inside can, whatever his capabilities, since the image is not readable to
 * those inside (see image.c). */

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "launcher/clone.h"
#include "launcher/launcher.h"
#include "util/fd.h"
#include "util/syscalls.h"

#define SAME ((uid_t)-1)

int held_become_root(const struct Launcher *launcher, struct Held *held)
{
    char byte;

    held->ours = fd_close(held->ours);
    if (read(held->childs, &byte, 1) != 1)
        return ECANCELED;
    /* Where leaving a group is forbidden the groups remain, as those of an ordinary user do. */
    if (launcher->privileged && syscall(SYS_setgroups, 0, NULL) < 0 && errno != EPERM)
        return errno;
    if (syscall(SYS_setresgid, SAME, 0, SAME) < 0 || syscall(SYS_setresuid, SAME, 0, SAME) < 0)
        return errno;
    return 0;
}

static void write_maps(const struct Launcher *launcher, const struct LaunchRequest *request,
                       pid_t child)
{
    struct Outcome *outcome = launcher->outcome;

    outcome->step = launcher->privileged ? LAUNCH_STEP_ID_MAP : LAUNCH_STEP_ID_HELPER;
    outcome->error = launcher->privileged ? idmap_write_ranges(child, request)
                                          : helpers_write_ranges(child, request);
}

static void let_go(const struct Launcher *launcher, const struct Held *held)
{
    const struct Outcome failure = *launcher->outcome;
    char byte = 0;

    if (failure.error == 0)
        (void)send(held->ours, &byte, 1, MSG_NOSIGNAL);
    else /* it finds the end of the file instead of the word, and goes */
        (void)shutdown(held->ours, SHUT_WR);
    while (read(held->ours, &byte, 1) < 0 && errno == EINTR)
        ;
    if (failure.error != 0)
        *launcher->outcome = failure;
}

pid_t held_clone(const struct Launcher *launcher, const struct LaunchRequest *request,
                 struct clone_args *args, struct Held *held, int (*child)(void *), void *arg)
{
    int pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    *held = (struct Held){ .ours = pair[0], .childs = pair[1] };
    pid = clone_fork(args);
    if (pid == 0)
        _exit(child(arg));
    held->childs = fd_close(held->childs);
    if (pid > 0) {
        write_maps(launcher, request, pid);
        let_go(launcher, held);
    }
    held->ours = fd_close(held->ours);
    return pid;
}
