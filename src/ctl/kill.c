/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <signal.h>

#include "ctl/actions.h"
#include "ctl/call.h"

static void kill_append(const Ctl *ctl, sd_bus_message *message)
{
    int signal = ctl->options.signal != 0 ? ctl->options.signal : SIGTERM;

    must(sd_bus_message_append(message, "sia{sv}", ctl->options.who, signal, 0));
}

int verb_kill(Ctl *ctl)
{
    static const ActionKind kind = { .member = "Kill", .append = kill_append };

    return actions_run_arguments(ctl, &kind);
}
