/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The long part of an init's life: sleep until a child ends or somebody outside says something, and
 * where there is no journal, carry what the payload writes to its log. */

#include <signal.h>
#include <sys/wait.h>

#include "init/init.h"

struct Supervision {
    const struct Init *init;
    bool all; /* the next command is for everybody */
    bool over;
    struct End end;
};

static void reap(struct Supervision *supervision)
{
    siginfo_t ended;

    for (;;) {
        ended.si_pid = 0;
        if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG) < 0 || ended.si_pid == 0)
            return;
        if (ended.si_pid == supervision->init->payload) {
            supervision->over = true;
            supervision->end = (struct End){ .code = ended.si_code, .status = ended.si_status };
        }
    }
}

static void obey(struct Supervision *supervision, int number)
{
    const struct Init *init = supervision->init;

    if (number == WIRE_SIGNAL_ALL) {
        supervision->all = true;
        return;
    }
    if (supervision->all)
        (void)everyone_signal(init, number - WIRE_SIGNAL_BASE);
    else if (init->payload == 0)
        supervision->over = true;
    else if (!supervision->over) /* until we reap it, its pid is its own */
        (void)kill(init->payload, number - WIRE_SIGNAL_BASE);
    supervision->all = false;
}

static void handle(struct Supervision *supervision, const struct Signal *signal)
{
    if (signal->number == SIGCHLD) {
        reap(supervision);
    } else if (signal_is_stop(supervision->init, signal)) {
        /* From systemd, which has told the payload as well. */
        record_stopped_outside(supervision->init);
        if (supervision->init->payload == 0)
            supervision->over = true;
    } else if (signal_is_command(supervision->init, signal)) {
        obey(supervision, signal->number);
    }
}

/* The payload's status is ours. */
int supervise(const struct Init *init)
{
    struct Supervision supervision = { .init = init, .end = { .code = CLD_EXITED } };
    struct Signal signal;

    while (!supervision.over) {
        if (!log_wait(init))
            continue;
        signals_next(init, &signal);
        handle(&supervision, &signal);
    }
    everyone_end(init);
    log_drain();
    /* A payload that dies of the same SIGTERM can be seen first. */
    while (signals_poll(init, &signal))
        if (signal_is_stop(init, &signal))
            record_stopped_outside(init);
    record_ended(init, &supervision.end);
    return supervision.end.code == CLD_EXITED ? supervision.end.status
                                              : 128 + supervision.end.status;
}
