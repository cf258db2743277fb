/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ctl/actions.h"
#include "ctl/call.h"

/* Only its absence is the end. */
static Verdict destroy_judge(const Sight *sight, char **ret_why)
{
    return sight_is_unkillable(sight, ret_why) ? VERDICT_FAILED : VERDICT_WAIT;
}

static void destroy_append(const Ctl *ctl, sd_bus_message *message)
{
    if (option_given(&ctl->options, OPTION_FORCE))
        must(sd_bus_message_append(message, "a{sv}", 2, "NoWait", "b", true, "Force", "b", true));
    else
        action_append_no_wait(ctl, message);
}

int verb_destroy(Ctl *ctl)
{
    static const ActionKind kind = {
        .member = "Destroy",
        .append = destroy_append,
        .judge = destroy_judge,
        .gone_is_done = true,
    };

    return actions_run_arguments(ctl, &kind);
}
