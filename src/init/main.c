/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* constellation-init: the first process of an instance, and PID 1 of its pid namespace where it has
 * one. Performs the plan from the inside, runs the payload as its child, passes signals on, reaps,
 * and writes down how it ended. It needs constellationd until the payload runs and nobody after. */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "init/init.h"
#include "util/fd.h"

/* The fds of WIRE_PLAN, in this order; the last two only together. */
enum { PLAN_FD, RECORD_FD, STDIO_FDS, LOG_FD = STDIO_FDS + 3, LOG_PIPE_FD, PLAN_FD_COUNT };

static void prepare(struct Init *init)
{
    (void)prctl(PR_SET_NAME, "constellation-i", 0, 0, 0); /* 15 bytes is all there is */
    /* Neither the payload nor another process of the same uid shall look into us. */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (signals_take(init) != 0 || fcntl(init->ctl, F_SETFD, FD_CLOEXEC) < 0)
        _exit(EXIT_NOT_STARTED);
}

/* The lock is the first thing: from then on a constellationd that starts anew sees that we live,
 * and whose we are. */
static void take_record(struct Init *init)
{
    int error = record_lock(init->record);

    if (error != 0)
        ctl_give_up(init, STEP_RECORD, error, NULL);
    record_enter_phase(init, RECORD_LOCKED);
}

static void take_plan(struct Init *init)
{
    Received received = { .size = 0 };
    int error = ctl_wait(init, WIRE_PLAN, &received);

    if (error != 0 || (received.n_fds != LOG_FD && received.n_fds != PLAN_FD_COUNT))
        ctl_give_up(init, STEP_PLAN, EBADMSG, NULL);
    init->record = received.fds[RECORD_FD];
    for (int i = 0; i < 3; i++)
        init->stdio[i] = received.fds[STDIO_FDS + i];
    take_record(init);
    error = plan_load(init, received.fds[PLAN_FD]);
    if (error == 0 && received.n_fds == PLAN_FD_COUNT)
        error = log_take(received.fds[LOG_FD], received.fds[LOG_PIPE_FD]);
    if (error != 0)
        ctl_give_up(init, STEP_PLAN, error, NULL);
    (void)fd_close(received.fds[PLAN_FD]);
}

int main(void)
{
    struct Init init = { .ctl = WIRE_CTL_FD,
                         .signals = -1,
                         .record = -1,
                         .cgroup = -1,
                         .proc = -1,
                         .stdio = { -1, -1, -1 } };

    prepare(&init);
    take_plan(&init);
    steps_perform(&init);
    payload_start(&init);
    return supervise(&init);
}
