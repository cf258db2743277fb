/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ctl/actions.h"

/* What was seen of the run before does not count. The service goes from its end to the new start in
 * one step, so at rest with the old run number means that nothing follows. */
static Verdict restart_judge(const Sight *sight, char **ret_why)
{
    bool begun = variant_uint(sight->properties, "Run", 0) > sight->run_before;
    Sight fresh = *sight;

    fresh.ran = false;
    if (begun)
        return action_start.judge(&fresh, ret_why);
    if (state_is_active(sight->state) && sight->state != STATE_UNKNOWN)
        return sight_is_unkillable(sight, ret_why) ? VERDICT_FAILED : VERDICT_WAIT;
    *ret_why = g_strdup("it was stopped, and not started again");
    return VERDICT_FAILED;
}

int verb_restart(Ctl *ctl)
{
    static const ActionKind kind = {
        .member = "Restart",
        .append = action_append_no_wait,
        .look_first = true,
        .judge = restart_judge,
    };

    return actions_run_arguments(ctl, &kind);
}
