/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Signals are read from a descriptor, never caught. The kernel drops a signal for PID 1 of a
 * namespace that has no handler for it, unless it is blocked; a blocked one waits until it is read,
 * and who sent it can be seen. All calls are raw: a libc keeps signals 32 and up to itself. */

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "init/init.h"
#include "util/syscalls.h"

#define SIGNALS 64 /* of the kernel's interface, on all architectures that we build for */

static const uint64_t all_signals = UINT64_MAX;
static const uint64_t no_signals = 0;

int signals_take(struct Init *init)
{
    static const char default_action[64]; /* all zero: SIG_DFL, no flags, an empty mask */

    if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all_signals, NULL, sizeof all_signals) < 0)
        return errno;
    /* An ignored SIGCHLD, inherited through exec, would lose every exit status, and the payload
     * would inherit every other one. SIGKILL and SIGSTOP refuse, rightly. */
    for (int number = 1; number <= SIGNALS; number++)
        (void)syscall(SYS_rt_sigaction, number, default_action, NULL, sizeof no_signals);
    init->signals = (int)syscall(SYS_signalfd4, -1, &all_signals, sizeof all_signals, SFD_CLOEXEC);
    return init->signals < 0 ? errno : 0;
}

void signals_unblock(void)
{
    (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &no_signals, NULL, sizeof no_signals);
}

void signals_next(const struct Init *init, struct Signal *ret)
{
    struct signalfd_siginfo taken;

    while (read(init->signals, &taken, sizeof taken) != (ssize_t)sizeof taken)
        ;
    *ret = (struct Signal){ .number = (int)taken.ssi_signo,
                            .code = taken.ssi_code,
                            .pid = (pid_t)taken.ssi_pid,
                            .uid = taken.ssi_uid };
}

bool signals_poll(const struct Init *init, struct Signal *ret)
{
    struct pollfd polled = { .fd = init->signals, .events = POLLIN };

    if (poll(&polled, 1, 0) != 1)
        return false;
    signals_next(init, ret);
    return true;
}

/* A process inside can send us any signal with any payload, but it cannot make the kernel say that
 * it has no pid in our namespace (sigqueue() lets it write the pid, and shows in the code).
 * Without a pid namespace the uid is all there is to tell by: our real one is constellationd's. */
bool signal_is_command(const struct Init *init, const struct Signal *signal)
{
    if (signal->number <= WIRE_SIGNAL_BASE - 2 || signal->code != SI_USER)
        return false;
    if (init->own_pid_namespace)
        return signal->pid == 0;
    return signal->uid == 0 || signal->uid == getuid();
}

bool signal_is_stop(const struct Init *init, const struct Signal *signal)
{
    return (signal->number == SIGTERM || signal->number == init->kill_signal) &&
           signal->code == SI_USER && (!init->own_pid_namespace || signal->pid == 0);
}
