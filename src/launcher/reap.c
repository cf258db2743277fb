/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ended inits. Until constellationd lets go of one it stays a zombie, so that its pid stands for
 * nobody else while a request to systemd that names it may still be under way. Once constellationd
 * is gone nobody will let go of anything, and all go at once. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/launcher.h"
#include "util/fd.h"

/* How long the inits may take to kill what they run: they write their records meanwhile, and one
 * without a pid namespace is the only one that can find all its processes. */
#define END_GRACE_MS 500
#define END_STEP_MS  5

void reap_one(const struct LaunchRequest *request, struct LaunchReply *reply)
{
    siginfo_t ended = { .si_pid = 0 };

    reply->pid = request->pid;
    if (waitid(P_PID, (id_t)request->pid, &ended, WEXITED | WNOHANG) < 0) {
        reply->error = errno;
    } else if (ended.si_pid == 0) {
        reply->error = EAGAIN;
    } else {
        reply->cld_code = ended.si_code;
        reply->cld_status = ended.si_status;
    }
}

void reap_all(void)
{
    siginfo_t ended;

    do
        ended.si_pid = 0;
    while (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG) == 0 && ended.si_pid != 0);
}

/* A signal to every child. They are ours and not reaped, so the numbers are certainly theirs. */
static void signal_all(int number)
{
    char text[4096];
    auto_fd fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    char *end;

    if (size <= 0)
        return;
    text[size] = '\0';
    for (char *at = text; *at != '\0'; at = *end == ' ' ? end + 1 : end) {
        long pid = strtol(at, &end, 10);
        if (end == at)
            return;
        if (*end == ' ') /* a number that the buffer cut off is not taken for a pid */
            (void)syscall(SYS_kill, (pid_t)pid, number);
    }
}

static bool has_children(void)
{
    siginfo_t ended = { .si_pid = 0 };

    return waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0;
}

void reap_end_all(void)
{
    for (int ms = 0; has_children(); ms += END_STEP_MS) {
        signal_all(ms < END_GRACE_MS ? WIRE_SIGNAL_BASE + SIGKILL : SIGKILL);
        (void)poll(NULL, 0, END_STEP_MS);
        reap_all();
    }
}
