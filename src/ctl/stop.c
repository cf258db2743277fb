/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ctl/actions.h"
#include "ctl/call.h"

static Verdict stop_judge(const Sight *sight, char **ret_why)
{
    if (sight->state != STATE_UNKNOWN && !state_is_active(sight->state))
        return VERDICT_DONE;
    return sight_is_unkillable(sight, ret_why) ? VERDICT_FAILED : VERDICT_WAIT;
}

static void stop_append(const Ctl *ctl, sd_bus_message *message)
{
    const Options *options = &ctl->options;

    must(sd_bus_message_open_container(message, 'a', "{sv}"));
    must(sd_bus_message_append(message, "{sv}", "NoWait", "b", true));
    if (options->signal != 0)
        must(sd_bus_message_append(message, "{sv}", "Signal", "i", options->signal));
    if (option_given(options, OPTION_TIMEOUT))
        must(sd_bus_message_append(message, "{sv}", "TimeoutUSec", "t", options->timeout_usec));
    must(sd_bus_message_close_container(message));
}

int verb_stop(Ctl *ctl)
{
    static const ActionKind kind = {
        .member = "Stop",
        .append = stop_append,
        .judge = stop_judge,
        .gone_is_done = true,
    };

    return actions_run_arguments(ctl, &kind);
}
