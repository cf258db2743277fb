/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The two tables about states. The first is the contract with callers, row for row as it is
 * documented; the second is what can happen to an instance. Every cell is written out: one left out
 * would be a zero, and that is a refusal in the first and PENDING in the second. */

#include <string.h>

#include <glib.h>

#include "model/state.h"

/* clang-format off */
#define NO       ANSWER_REFUSE
#define BEGIN    ANSWER_BEGIN
#define JOIN     ANSWER_JOIN
#define NOTHING  ANSWER_NOTHING
#define CANCEL   ANSWER_CANCEL
#define REMEMBER ANSWER_REMEMBER
#define FORCE    ANSWER_FORCE

static const Answer answers[_STATE_COUNT][_REQUEST_COUNT] = {
    /*                    start  stop     restart   destroy kill   freeze thaw   limits exec  */
    [STATE_PENDING]  = {  BEGIN, NOTHING, BEGIN,    BEGIN,  NO,    NO,    NO,    BEGIN, NO    },
    [STATE_STARTING] = {  JOIN,  CANCEL,  NO,       FORCE,  NO,    NO,    NO,    NO,    NO    },
    [STATE_RUNNING]  = {  NO,    BEGIN,   BEGIN,    FORCE,  BEGIN, BEGIN, BEGIN, BEGIN, BEGIN },
    [STATE_STOPPING] = {  NO,    JOIN,    REMEMBER, JOIN,   BEGIN, NO,    NO,    NO,    NO    },
    [STATE_STOPPED]  = {  BEGIN, NOTHING, BEGIN,    BEGIN,  NO,    NO,    NO,    BEGIN, NO    },
    [STATE_FAILED]   = {  BEGIN, NOTHING, BEGIN,    BEGIN,  NO,    NO,    NO,    BEGIN, NO    },
    [STATE_UNKNOWN]  = {  NO,    BEGIN,   NO,       FORCE,  NO,    NO,    NO,    NO,    NO    },
};

#undef NO
#undef BEGIN
#undef JOIN
#undef NOTHING
#undef CANCEL
#undef REMEMBER
#undef FORCE

#define NEVER    _STATE_INVALID
#define STARTING STATE_STARTING
#define RUNNING  STATE_RUNNING
#define STOPPING STATE_STOPPING
#define STOPPED  STATE_STOPPED
#define FAILED   STATE_FAILED
#define UNKNOWN  STATE_UNKNOWN

/* A start that is stopped is STOPPING until its job is over: then it was CANCELLED, or it ended
 * after all. STARTING may be followed by an end at once: what ran while the service was away is
 * found ended. */
static const State transitions[_STATE_COUNT][_EVENT_COUNT] = {
    /*                    start     executed failed  cancelled stop      well     badly   lost    */
    [STATE_PENDING]  = {  STARTING, NEVER,   NEVER,  NEVER,    NEVER,    NEVER,   NEVER,  UNKNOWN },
    [STATE_STARTING] = {  NEVER,    RUNNING, FAILED, STOPPED,  STOPPING, STOPPED, FAILED, UNKNOWN },
    [STATE_RUNNING]  = {  NEVER,    NEVER,   NEVER,  NEVER,    STOPPING, STOPPED, FAILED, UNKNOWN },
    [STATE_STOPPING] = {  NEVER,    NEVER,   FAILED, STOPPED,  NEVER,    STOPPED, FAILED, UNKNOWN },
    [STATE_STOPPED]  = {  STARTING, NEVER,   NEVER,  NEVER,    NEVER,    NEVER,   NEVER,  NEVER   },
    [STATE_FAILED]   = {  STARTING, NEVER,   NEVER,  NEVER,    NEVER,    NEVER,   NEVER,  NEVER   },
    [STATE_UNKNOWN]  = {  NEVER,    RUNNING, NEVER,  NEVER,    STOPPING, STOPPED, FAILED, NEVER   },
};

#undef NEVER
#undef STARTING
#undef RUNNING
#undef STOPPING
#undef STOPPED
#undef FAILED
#undef UNKNOWN
/* clang-format on */

static const char *const state_names[_STATE_COUNT] = {
    [STATE_PENDING] = "PENDING",   [STATE_STARTING] = "STARTING", [STATE_RUNNING] = "RUNNING",
    [STATE_STOPPING] = "STOPPING", [STATE_STOPPED] = "STOPPED",   [STATE_FAILED] = "FAILED",
    [STATE_UNKNOWN] = "UNKNOWN",
};

static const char *const sub_state_names[_SUB_STATE_COUNT] = {
    [SUB_STATE_DEAD] = "dead",
    [SUB_STATE_START] = "start",
    [SUB_STATE_PREPARED] = "prepared",
    [SUB_STATE_RUNNING] = "running",
    [SUB_STATE_FROZEN] = "frozen",
    [SUB_STATE_STOP_SIGTERM] = "stop-sigterm",
    [SUB_STATE_STOP_SIGKILL] = "stop-sigkill",
    [SUB_STATE_UNKILLABLE] = "unkillable",
    [SUB_STATE_AUTO_RESTART] = "auto-restart",
};

static const char *const result_names[_RESULT_COUNT] = {
    [RESULT_SUCCESS] = "success",     [RESULT_EXIT_CODE] = "exit-code",
    [RESULT_SIGNAL] = "signal",       [RESULT_OOM_KILL] = "oom-kill",
    [RESULT_TIMEOUT] = "timeout",     [RESULT_STOPPED_OUTSIDE] = "stopped-outside",
    [RESULT_RESOURCES] = "resources", [RESULT_ISOLATION] = "isolation",
    [RESULT_EXEC] = "exec",           [RESULT_START_LIMIT] = "start-limit",
    [RESULT_LOST] = "lost",
};

/* The name on the bus, and the words for it in a sentence. */
static const struct {
    const char *name;
    const char *verb;
} requests[_REQUEST_COUNT] = {
    [REQUEST_START] = { "start", "start" },
    [REQUEST_STOP] = { "stop", "stop" },
    [REQUEST_RESTART] = { "restart", "restart" },
    [REQUEST_DESTROY] = { "destroy", "destroy" },
    [REQUEST_KILL] = { "kill", "send a signal to" },
    [REQUEST_FREEZE] = { "freeze", "freeze" },
    [REQUEST_THAW] = { "thaw", "thaw" },
    [REQUEST_SET_LIMITS] = { "set-limits", "change the limits of" },
    [REQUEST_EXEC] = { "exec", "execute anything in" },
};

/* The name at the index, or NULL; a negative index is far behind the end. */
static const char *table_get(const char *const *names, size_t count, unsigned index)
{
    return index < count ? names[index] : NULL;
}

/* The index of the name, or -EINVAL, which is the invalid member of all our enums. */
static int table_find(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return -EINVAL;
}

Answer state_answer(State state, Request request)
{
    g_assert((unsigned)state < _STATE_COUNT && (unsigned)request < _REQUEST_COUNT);
    return answers[state][request];
}

State state_next(State state, StateEvent event)
{
    g_assert((unsigned)state < _STATE_COUNT && (unsigned)event < _EVENT_COUNT);
    return transitions[state][event];
}

static bool answer_would_do(Answer answer)
{
    return answer != ANSWER_REFUSE && answer != ANSWER_FORCE;
}

/* "PENDING, STOPPED or FAILED" */
static char *states_that_would_do(Request request)
{
    GString *text = g_string_new(NULL);
    unsigned left = 0;

    for (State state = 0; state < _STATE_COUNT; state++)
        left += answer_would_do(answers[state][request]);
    for (State state = 0; state < _STATE_COUNT; state++) {
        if (!answer_would_do(answers[state][request]))
            continue;
        g_string_append(text, state_names[state]);
        left--;
        g_string_append(text, left > 1 ? ", " : left == 1 ? " or " : "");
    }
    return g_string_free(text, FALSE);
}

char *state_refusal(State state, Request request, const char *name)
{
    bool force = state_answer(state, request) == ANSWER_FORCE;
    g_autofree char *states = states_that_would_do(request);

    return g_strdup_printf("cannot %s '%s' while it is %s (possible when %s%s)",
                           requests[request].verb, name, state_names[state], states,
                           force ? ", or by force" : "");
}

const char *state_to_string(State state)
{
    return table_get(state_names, _STATE_COUNT, (unsigned)state);
}

const char *sub_state_to_string(SubState sub_state)
{
    return table_get(sub_state_names, _SUB_STATE_COUNT, (unsigned)sub_state);
}

const char *result_to_string(Result result)
{
    return table_get(result_names, _RESULT_COUNT, (unsigned)result);
}

const char *request_to_string(Request request)
{
    return (unsigned)request < _REQUEST_COUNT ? requests[request].name : NULL;
}

State state_from_string(const char *string)
{
    return (State)table_find(state_names, _STATE_COUNT, string);
}

Result result_from_string(const char *string)
{
    return (Result)table_find(result_names, _RESULT_COUNT, string);
}

bool state_is_active(State state)
{
    return state == STATE_STARTING || state == STATE_RUNNING || state == STATE_STOPPING ||
           state == STATE_UNKNOWN;
}
