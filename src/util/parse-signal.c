/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Signals by name and number. The real-time signals have numbers only: which of them is "the first"
 * differs between C libraries, and payload and service need not use the same. */

#include <errno.h>
#include <signal.h>
#include <string.h>

#include <glib.h>

#include "util/parse.h"

#define SIGNAL_MAX 64 /* of the kernel's, including the real-time signals */

/* By the names rather than in a row: the numbers differ between architectures. */
static const char *const signal_names[] = {
    [SIGHUP] = "SIGHUP",       [SIGINT] = "SIGINT",       [SIGQUIT] = "SIGQUIT",
    [SIGILL] = "SIGILL",       [SIGTRAP] = "SIGTRAP",     [SIGABRT] = "SIGABRT",
    [SIGBUS] = "SIGBUS",       [SIGFPE] = "SIGFPE",       [SIGKILL] = "SIGKILL",
    [SIGUSR1] = "SIGUSR1",     [SIGSEGV] = "SIGSEGV",     [SIGUSR2] = "SIGUSR2",
    [SIGPIPE] = "SIGPIPE",     [SIGALRM] = "SIGALRM",     [SIGTERM] = "SIGTERM",
    [SIGCHLD] = "SIGCHLD",     [SIGCONT] = "SIGCONT",     [SIGSTOP] = "SIGSTOP",
    [SIGTSTP] = "SIGTSTP",     [SIGTTIN] = "SIGTTIN",     [SIGTTOU] = "SIGTTOU",
    [SIGURG] = "SIGURG",       [SIGXCPU] = "SIGXCPU",     [SIGXFSZ] = "SIGXFSZ",
    [SIGPROF] = "SIGPROF",     [SIGVTALRM] = "SIGVTALRM", [SIGWINCH] = "SIGWINCH",
    [SIGIO] = "SIGIO",         [SIGPWR] = "SIGPWR",       [SIGSYS] = "SIGSYS",
#ifdef SIGSTKFLT
    [SIGSTKFLT] = "SIGSTKFLT",
#endif
};

const char *signal_name(int signal)
{
    if (signal < 1 || (size_t)signal >= G_N_ELEMENTS(signal_names))
        return NULL;
    return signal_names[signal];
}

int parse_signal(const char *text, int *ret)
{
    uint64_t number;

    if (g_ascii_isdigit(*text)) {
        int r = parse_uint64(text, &number);

        if (r < 0)
            return r;
        if (number < 1 || number > SIGNAL_MAX)
            return -ERANGE;
        *ret = (int)number;
        return 0;
    }
    if (g_str_has_prefix(text, "SIG"))
        text += strlen("SIG");
    for (size_t i = 1; i < G_N_ELEMENTS(signal_names); i++)
        if (signal_names[i] && strcmp(signal_names[i] + strlen("SIG"), text) == 0) {
            *ret = (int)i;
            return 0;
        }
    return -EINVAL;
}
