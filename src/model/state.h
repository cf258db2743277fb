/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The states of an instance and the two tables about them: what a request does in a state (the
 * contract's table), and which state an event leads to. Pure. */

#include <errno.h>
#include <stdbool.h>

typedef enum State {
    STATE_PENDING,
    STATE_STARTING,
    STATE_RUNNING,
    STATE_STOPPING,
    STATE_STOPPED,
    STATE_FAILED,
    STATE_UNKNOWN,
    _STATE_COUNT,
    _STATE_INVALID = -EINVAL,
} State;

typedef enum SubState {
    SUB_STATE_DEAD,     /* not started, or over */
    SUB_STATE_START,    /* STARTING */
    SUB_STATE_PREPARED, /* STARTING: it waits for a start, see Prepare */
    SUB_STATE_RUNNING,
    SUB_STATE_FROZEN,
    SUB_STATE_STOP_SIGTERM,
    SUB_STATE_STOP_SIGKILL,
    SUB_STATE_UNKILLABLE, /* killed, and still there: a task in uninterruptible sleep */
    SUB_STATE_AUTO_RESTART,
    _SUB_STATE_COUNT,
    _SUB_STATE_INVALID = -EINVAL,
} SubState;

/* Why the last run ended, or did not begin. */
typedef enum Result {
    RESULT_SUCCESS,
    RESULT_EXIT_CODE,
    RESULT_SIGNAL,
    RESULT_OOM_KILL,
    RESULT_TIMEOUT,         /* SIGKILL after TimeoutStop, or TimeoutStart over */
    RESULT_STOPPED_OUTSIDE, /* by systemctl stop or the like */
    RESULT_RESOURCES,       /* cgroup, fds, memory: before the payload was reached */
    RESULT_ISOLATION,       /* a namespace, mount or drop of privileges was refused */
    RESULT_EXEC,            /* the payload could not be executed */
    RESULT_START_LIMIT,
    RESULT_LOST, /* nobody knows */
    _RESULT_COUNT,
    _RESULT_INVALID = -EINVAL,
} Result;

typedef enum Request {
    REQUEST_START,
    REQUEST_STOP,
    REQUEST_RESTART,
    REQUEST_DESTROY,
    REQUEST_KILL,
    REQUEST_FREEZE,
    REQUEST_THAW,
    REQUEST_SET_LIMITS,
    REQUEST_EXEC,
    _REQUEST_COUNT,
} Request;

typedef enum Answer {
    ANSWER_REFUSE,   /* InvalidState */
    ANSWER_BEGIN,    /* do it */
    ANSWER_JOIN,     /* the same thing is under way: answer with its end */
    ANSWER_NOTHING,  /* already so: success at once */
    ANSWER_CANCEL,   /* end the start that is under way */
    ANSWER_REMEMBER, /* do it when the stop that is under way has ended */
    ANSWER_FORCE,    /* only with Force=true, else InvalidState */
} Answer;

/* The events that move an instance from one state to another. */
typedef enum StateEvent {
    EVENT_START,        /* a start begins */
    EVENT_EXECUTED,     /* the payload runs */
    EVENT_START_FAILED, /* before the payload ran */
    EVENT_CANCELLED,    /* a start was stopped before the payload ran */
    EVENT_STOP,         /* a stop begins */
    EVENT_ENDED_WELL,   /* gone: success, or because it was told to */
    EVENT_ENDED_BADLY,  /* gone by itself, not with success */
    EVENT_LOST,         /* it may run, and we know nothing of it */
    _EVENT_COUNT,
} StateEvent;

Answer state_answer(State state, Request request);

/* The state after the event, or _STATE_INVALID if the event cannot happen in that state. */
State state_next(State state, StateEvent event);

/* The sentence for ANSWER_REFUSE and for ANSWER_FORCE without force, naming the states that would
 * do: "cannot freeze 'web' while it is STOPPED (possible when RUNNING)". Caller frees (g_free). */
char *state_refusal(State state, Request request, const char *name);

/* Names as on the bus: "RUNNING", "stop-sigterm", "stopped-outside", "start". NULL if invalid. */
const char *state_to_string(State state);
const char *sub_state_to_string(SubState sub_state);
const char *result_to_string(Result result);
const char *request_to_string(Request request);
State state_from_string(const char *string);
Result result_from_string(const char *string);

/* STARTING, RUNNING, STOPPING, UNKNOWN: something may be alive. */
bool state_is_active(State state);
