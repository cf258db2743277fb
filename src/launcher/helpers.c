/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* newuidmap(1) and newgidmap(1): how an ordinary user gets ids besides his own. They are set-uid
 * programs, and check /etc/subuid and /etc/subgid themselves: nothing that we say to them can give
 * more than an administrator has granted there. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/clone.h"
#include "launcher/launcher.h"
#include "util/fd.h"
#include "util/syscalls.h"
#include "util/text.h"

#define HELPER_TIMEOUT_MS 5000 /* they may ask a name service */
#define EXIT_NO_HELPER    127
#define NUMBER_SIZE       sizeof "4294967295"
#define ARGUMENTS_MAX     (2 + 3 * ID_EXTENTS_MAX)

struct Helper {
    const char *path;
    char numbers[ARGUMENTS_MAX][NUMBER_SIZE];
    char *argv[ARGUMENTS_MAX + 1];
};

static int helper_exec(void *arg)
{
    static const uint64_t none = 0;
    struct Helper *helper = arg;
    char *const environment[] = { NULL };

    (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
    (void)execve(helper->path, helper->argv, environment);
    return errno == ENOENT ? EXIT_NO_HELPER : EXIT_FAILURE;
}

/* `PROGRAM PID INSIDE OUTSIDE COUNT…` */
static void helper_prepare(struct Helper *helper, const char *path, pid_t child,
                           const struct IdMap *map)
{
    size_t count = 0;

    helper->path = path;
    helper->argv[count++] = (char *)path;
    (void)text_append_number(helper->numbers[count], (uint32_t)child);
    helper->argv[count] = helper->numbers[count];
    count++;
    for (uint32_t i = 0; i < map->count; i++) {
        const struct IdExtent *extent = &map->extents[i];
        const uint32_t numbers[] = { extent->inside, extent->outside, extent->count };

        for (size_t k = 0; k < 3; k++, count++) {
            (void)text_append_number(helper->numbers[count], numbers[k]);
            helper->argv[count] = helper->numbers[count];
        }
    }
    helper->argv[count] = NULL;
}

static int helper_run(struct Helper *helper)
{
    auto_fd pidfd = -1;
    struct clone_args args = { .flags = CLONE_PIDFD,
                               .pidfd = (uint64_t)(uintptr_t)&pidfd,
                               .exit_signal = SIGCHLD };
    pid_t pid = clone_vfork(&args, helper_exec, helper);
    struct pollfd ended = { .fd = pidfd, .events = POLLIN };
    siginfo_t info;
    bool over;

    if (pid < 0)
        return -pid;
    over = poll(&ended, 1, HELPER_TIMEOUT_MS) != 1;
    /* Its real uid is ours, whatever its effective one is. */
    if (over)
        (void)sys_pidfd_send_signal(pidfd, SIGKILL);
    if (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0)
        return errno;
    if (over)
        return ETIME;
    if (info.si_code != CLD_EXITED || info.si_status != EXIT_SUCCESS)
        return info.si_status == EXIT_NO_HELPER ? ENOENT : EPERM;
    return 0;
}

int helpers_write_ranges(pid_t child, const struct LaunchRequest *request)
{
    struct Helper helper;
    int error;

    helper_prepare(&helper, "/usr/bin/newuidmap", child, &request->uids);
    error = helper_run(&helper);
    if (error != 0)
        return error;
    helper_prepare(&helper, "/usr/bin/newgidmap", child, &request->gids);
    return helper_run(&helper);
}
