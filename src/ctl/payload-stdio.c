/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sys/stat.h>
#include <unistd.h>

#include "ctl/call.h"
#include "ctl/payload-stdio.h"
#include "util/fd.h"

/* The message keeps a copy of its own. */
static void append_fd(sd_bus_message *message, const char *key, int fd)
{
    must(sd_bus_message_append(message, "{sv}", key, "h", fd));
}

static bool append_relayed(Relay **relay, sd_event *event, int terminal_fd, sd_bus_message *message,
                           const char *key, int *ret_pipe_fd, GError **error)
{
    *relay = relay_new(event, terminal_fd, ret_pipe_fd, error);
    if (!*relay)
        return false;
    append_fd(message, key, *ret_pipe_fd);
    return true;
}

static bool is_same_terminal(int a, int b)
{
    struct stat stat_a, stat_b;

    return fstat(a, &stat_a) == 0 && fstat(b, &stat_b) == 0 && stat_a.st_rdev == stat_b.st_rdev;
}

bool payload_stdio_append(PayloadStdio *stdio, sd_event *event, const SettingsFlags *settings,
                          sd_bus_message *message, GError **error)
{
    bool out = !settings_flags_given(settings, SETTING_STANDARD_OUTPUT);
    bool err = !settings_flags_given(settings, SETTING_STANDARD_ERROR);
    auto_fd out_pipe = -1, err_pipe = -1;

    if (!isatty(STDIN_FILENO))
        append_fd(message, "Stdin", STDIN_FILENO);
    if (out && !isatty(STDOUT_FILENO))
        append_fd(message, "Stdout", STDOUT_FILENO);
    else if (out && !append_relayed(&stdio->relays[0], event, STDOUT_FILENO, message, "Stdout",
                                    &out_pipe, error))
        return false;
    if (err && !isatty(STDERR_FILENO))
        append_fd(message, "Stderr", STDERR_FILENO);
    else if (err && out_pipe >= 0 && is_same_terminal(STDOUT_FILENO, STDERR_FILENO))
        append_fd(message, "Stderr", out_pipe); /* one pipe keeps the order of both */
    else if (err && !append_relayed(&stdio->relays[1], event, STDERR_FILENO, message, "Stderr",
                                    &err_pipe, error))
        return false;
    return true;
}

void payload_stdio_drain(PayloadStdio *stdio)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(stdio->relays); i++)
        if (stdio->relays[i])
            relay_drain(stdio->relays[i]);
}

void payload_stdio_done(PayloadStdio *stdio)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(stdio->relays); i++)
        g_clear_pointer(&stdio->relays[i], relay_free);
}
