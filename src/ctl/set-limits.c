/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ctl/actions.h"
#include "ctl/call.h"

static void limits_append(const Ctl *ctl, sd_bus_message *message)
{
    settings_flags_append(&ctl->options.settings, message);
    must(sd_bus_message_append(message, "a{sv}", 0));
}

int verb_set_limits(Ctl *ctl)
{
    static const ActionKind kind = { .member = "SetLimits", .append = limits_append };

    return actions_run_arguments(ctl, &kind);
}

bool verb_set_limits_check(const Options *options, GError **error)
{
    if (settings_flags_any(&options->settings))
        return true;
    return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                     "set-limits: which? (--MemoryMax=, --CPUQuota=, ...: see set-limits --help)");
}
