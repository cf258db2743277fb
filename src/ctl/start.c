/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A start has succeeded when the payload was executed, whatever became of it afterwards. */

#include "ctl/actions.h"
#include "ctl/call.h"

/* Whether a run that failed had got as far as its payload. */
static bool payload_ran(Result result)
{
    switch (result) {
    case RESULT_SUCCESS:
    case RESULT_EXIT_CODE:
    case RESULT_SIGNAL:
    case RESULT_OOM_KILL:
    case RESULT_STOPPED_OUTSIDE:
        return true;
    default:
        return false;
    }
}

static Verdict start_judge(const Sight *sight, char **ret_why)
{
    const char *result = variant_string(sight->properties, "Result");
    const char *status_text = variant_string(sight->properties, "StatusText");

    if (sight->ran)
        return VERDICT_DONE;
    switch (sight->state) {
    case STATE_RUNNING:
    case STATE_STOPPED:
        return VERDICT_DONE;
    case STATE_STARTING:
    case STATE_STOPPING:
        return VERDICT_WAIT;
    case STATE_FAILED:
        if (payload_ran(result_from_string(result)))
            return VERDICT_DONE;
        *ret_why = *status_text ? g_strdup(status_text)
                                : g_strdup_printf("the start failed (%s)", result);
        return VERDICT_FAILED;
    default:
        *ret_why = g_strdup_printf("the start was given up, the state is %s",
                                   variant_string(sight->properties, "State"));
        return VERDICT_FAILED;
    }
}

static void start_append(const Ctl *ctl, sd_bus_message *message)
{
    if (option_given(&ctl->options, OPTION_NO_DEGRADE))
        must(sd_bus_message_append(message, "a{sv}", 2, "NoWait", "b", true, "NoDegrade", "b",
                                   true));
    else
        action_append_no_wait(ctl, message);
}

const ActionKind action_start = {
    .member = "Start",
    .append = start_append,
    .judge = start_judge,
};

int verb_start(Ctl *ctl)
{
    return actions_run_arguments(ctl, &action_start);
}
