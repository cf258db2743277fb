/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reaching every process of the instance.
 *
 * With a pid namespace of its own that is kill(-1), and the line with it stands once, behind the
 * proof that we are PID 1 of a namespace made for this instance: anywhere else it would be
 * everybody on the machine. Without one we are a child subreaper, so that everybody is our
 * descendant; the tree is walked from the top, each pid proved to be what it was listed as. Where
 * the kernel does not list children, the cgroup's list has to do. */

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/init.h"
#include "init/procs.h"
#include "util/fd.h"
#include "util/syscalls.h"

#define DEPTH_MAX 24u /* generations per walk; what is below moves up when those above are dead */

static void tree_signal(pid_t parent, int parent_pidfd, int number, unsigned depth);

/* A pid out of a list may have ended and been given to somebody else meanwhile. It has not if,
 * with its pidfd in hand, it is still the child of its parent, and the parent has not either. */
static void descendant_signal(pid_t pid, pid_t parent, int parent_pidfd, int number, unsigned depth)
{
    auto_fd pidfd = sys_pidfd_open(pid);

    if (pidfd < 0 || procs_parent(pid) != parent ||
        (parent_pidfd >= 0 && sys_pidfd_send_signal(parent_pidfd, 0) < 0))
        return;
    if (depth < DEPTH_MAX)
        tree_signal(pid, pidfd, number, depth + 1);
    (void)sys_pidfd_send_signal(pidfd, number);
}

/* parent_pidfd -1: ourselves. */
static void tree_signal(pid_t parent, int parent_pidfd, int number, unsigned depth)
{
    struct Procs children;
    pid_t pid;

    if (!procs_open_children(&children, parent))
        return;
    while ((pid = procs_next(&children)) > 0)
        descendant_signal(pid, parent, parent_pidfd, number, depth);
    procs_close(&children);
}

static bool cgroup_signal(int cgroup, int number)
{
    struct Procs members;
    pid_t pid, self = getpid();

    if (!procs_open_file(&members, cgroup, "cgroup.procs"))
        return false;
    while ((pid = procs_next(&members)) > 0)
        if (pid != self)
            (void)kill(pid, number);
    procs_close(&members);
    return true;
}

static bool namespace_signal(const struct Init *init, int number)
{
    if (!init->own_pid_namespace || getpid() != 1)
        return false;
    (void)kill(-1, number);
    return true;
}

bool everyone_signal(const struct Init *init, int number)
{
    if (init->own_pid_namespace)
        return namespace_signal(init, number);
    if (!procs_children_are_listed())
        return cgroup_signal(init->cgroup, number);
    tree_signal(getpid(), -1, number, 0);
    return true;
}

static bool reap(int options)
{
    siginfo_t ended = { .si_pid = 0 };

    return waitid(P_ALL, 0, &ended, options) == 0 && ended.si_pid != 0;
}

/* Orphans become our children as their parents die, so it takes as many rounds as there are
 * generations out of reach, each of which waits for somebody to end. */
void everyone_end(const struct Init *init)
{
    while (everyone_signal(init, SIGKILL) && reap(WEXITED))
        while (reap(WEXITED | WNOHANG))
            ;
    while (reap(WEXITED | WNOHANG))
        ;
}
