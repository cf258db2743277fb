/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The tables about states, against the contract as people read it. */

#include <glib.h>

#include "model/state.h"
#include "suite.h"

/* One letter a request, in the order of Request: Begin, Join, Nothing, Cancel, reMember, Force,
 * refuse. */
static const struct {
    State state;
    const char *answers;
} contract[] = {
    { STATE_PENDING, "BNBB---B-" }, { STATE_STARTING, "JC-F-----" },
    { STATE_RUNNING, "-BBFBBBBB" }, { STATE_STOPPING, "-JMJB----" },
    { STATE_STOPPED, "BNBB---B-" }, { STATE_FAILED, "BNBB---B-" },
    { STATE_UNKNOWN, "-B-F-----" },
};

static const char letters[] = {
    [ANSWER_REFUSE] = '-', [ANSWER_BEGIN] = 'B',    [ANSWER_JOIN] = 'J',  [ANSWER_NOTHING] = 'N',
    [ANSWER_CANCEL] = 'C', [ANSWER_REMEMBER] = 'M', [ANSWER_FORCE] = 'F',
};

START_TEST(every_request_is_answered_as_the_contract_says)
{
    ck_assert_uint_eq(G_N_ELEMENTS(contract), _STATE_COUNT);
    for (size_t i = 0; i < _STATE_COUNT; i++)
        for (Request request = 0; request < _REQUEST_COUNT; request++) {
            char letter = letters[state_answer(contract[i].state, request)];

            ck_assert_msg(letter == contract[i].answers[request], "%s while %s: %c",
                          request_to_string(request), state_to_string(contract[i].state), letter);
        }
}
END_TEST

START_TEST(a_run_goes_from_start_to_its_end)
{
    static const struct {
        StateEvent event;
        State after;
    } steps[] = {
        { EVENT_START, STATE_STARTING },     { EVENT_EXECUTED, STATE_RUNNING },
        { EVENT_STOP, STATE_STOPPING },      { EVENT_ENDED_WELL, STATE_STOPPED },
        { EVENT_START, STATE_STARTING },     { EVENT_START_FAILED, STATE_FAILED },
        { EVENT_START, STATE_STARTING },     { EVENT_CANCELLED, STATE_STOPPED },
        { EVENT_START, STATE_STARTING },     { EVENT_EXECUTED, STATE_RUNNING },
        { EVENT_ENDED_BADLY, STATE_FAILED },
    };
    State state = STATE_PENDING;

    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        state = state_next(state, steps[i].event);
        ck_assert_msg(state == steps[i].after, "step %zu led to %d", i, (int)state);
    }
}
END_TEST

START_TEST(a_start_that_is_stopped_is_stopping_until_it_is_cancelled)
{
    ck_assert_int_eq(state_next(STATE_STARTING, EVENT_STOP), STATE_STOPPING);
    ck_assert_int_eq(state_next(STATE_STOPPING, EVENT_CANCELLED), STATE_STOPPED);
}
END_TEST

START_TEST(what_is_lost_may_be_found_stopped_or_seen_to_end)
{
    ck_assert_int_eq(state_next(STATE_RUNNING, EVENT_LOST), STATE_UNKNOWN);
    ck_assert_int_eq(state_next(STATE_UNKNOWN, EVENT_EXECUTED), STATE_RUNNING);
    ck_assert_int_eq(state_next(STATE_UNKNOWN, EVENT_STOP), STATE_STOPPING);
    ck_assert_int_eq(state_next(STATE_UNKNOWN, EVENT_ENDED_BADLY), STATE_FAILED);
}
END_TEST

START_TEST(what_is_over_can_only_be_started)
{
    for (StateEvent event = 0; event < _EVENT_COUNT; event++) {
        State expected = event == EVENT_START ? STATE_STARTING : _STATE_INVALID;

        ck_assert_int_eq(state_next(STATE_STOPPED, event), expected);
        ck_assert_int_eq(state_next(STATE_FAILED, event), expected);
    }
}
END_TEST

START_TEST(no_event_leads_back_to_pending)
{
    for (State state = 0; state < _STATE_COUNT; state++)
        for (StateEvent event = 0; event < _EVENT_COUNT; event++)
            ck_assert_int_ne(state_next(state, event), STATE_PENDING);
}
END_TEST

START_TEST(an_event_never_leaves_a_state_where_it_was)
{
    for (State state = 0; state < _STATE_COUNT; state++)
        for (StateEvent event = 0; event < _EVENT_COUNT; event++)
            ck_assert_int_ne(state_next(state, event), state);
}
END_TEST

START_TEST(only_what_begins_a_start_can_be_a_start_event)
{
    for (State state = 0; state < _STATE_COUNT; state++)
        ck_assert_int_eq(state_answer(state, REQUEST_START) == ANSWER_BEGIN,
                         state_next(state, EVENT_START) == STATE_STARTING);
}
END_TEST

START_TEST(a_stop_that_begins_or_cancels_is_a_stop_event)
{
    for (State state = 0; state < _STATE_COUNT; state++) {
        Answer answer = state_answer(state, REQUEST_STOP);

        ck_assert_int_eq(answer == ANSWER_BEGIN || answer == ANSWER_CANCEL,
                         state_next(state, EVENT_STOP) == STATE_STOPPING);
    }
}
END_TEST

START_TEST(a_refusal_names_the_states_that_would_do)
{
    static const struct {
        State state;
        Request request;
        const char *sentence;
    } rows[] = {
        { STATE_STOPPED, REQUEST_FREEZE,
          "cannot freeze 'web' while it is STOPPED (possible when RUNNING)" },
        { STATE_RUNNING, REQUEST_START,
          "cannot start 'web' while it is RUNNING (possible when PENDING, STARTING, STOPPED or "
          "FAILED)" },
        { STATE_PENDING, REQUEST_KILL,
          "cannot send a signal to 'web' while it is PENDING (possible when RUNNING or STOPPING)" },
        { STATE_STARTING, REQUEST_SET_LIMITS,
          "cannot change the limits of 'web' while it is STARTING (possible when PENDING, RUNNING, "
          "STOPPED or FAILED)" },
        { STATE_RUNNING, REQUEST_DESTROY,
          "cannot destroy 'web' while it is RUNNING (possible when PENDING, STOPPING, STOPPED or "
          "FAILED, or by force)" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *sentence = state_refusal(rows[i].state, rows[i].request, "web");

        ck_assert_str_eq(sentence, rows[i].sentence);
    }
}
END_TEST

START_TEST(every_state_is_found_by_its_name)
{
    for (State state = 0; state < _STATE_COUNT; state++)
        ck_assert_int_eq(state_from_string(state_to_string(state)), state);
    ck_assert_int_eq(state_from_string("running"), _STATE_INVALID);
    ck_assert_int_eq(state_from_string(""), _STATE_INVALID);
    ck_assert_ptr_null(state_to_string(_STATE_INVALID));
    ck_assert_ptr_null(state_to_string(_STATE_COUNT));
}
END_TEST

START_TEST(every_result_is_found_by_its_name)
{
    for (Result result = 0; result < _RESULT_COUNT; result++)
        ck_assert_int_eq(result_from_string(result_to_string(result)), result);
    ck_assert_str_eq(result_to_string(RESULT_STOPPED_OUTSIDE), "stopped-outside");
    ck_assert_int_eq(result_from_string("SUCCESS"), _RESULT_INVALID);
    ck_assert_ptr_null(result_to_string(_RESULT_INVALID));
}
END_TEST

START_TEST(every_sub_state_and_request_has_a_name_of_its_own)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    for (SubState sub_state = 0; sub_state < _SUB_STATE_COUNT; sub_state++)
        ck_assert(g_hash_table_add(names, (char *)sub_state_to_string(sub_state)));
    g_hash_table_remove(names, "start");
    for (Request request = 0; request < _REQUEST_COUNT; request++)
        ck_assert(g_hash_table_add(names, (char *)request_to_string(request)));
    ck_assert_str_eq(sub_state_to_string(SUB_STATE_STOP_SIGTERM), "stop-sigterm");
    ck_assert_ptr_null(sub_state_to_string(_SUB_STATE_INVALID));
    ck_assert_ptr_null(request_to_string(_REQUEST_COUNT));
}
END_TEST

START_TEST(only_what_may_be_alive_is_active)
{
    static const bool active[_STATE_COUNT] = {
        [STATE_STARTING] = true,
        [STATE_RUNNING] = true,
        [STATE_STOPPING] = true,
        [STATE_UNKNOWN] = true,
    };

    for (State state = 0; state < _STATE_COUNT; state++)
        ck_assert_msg(state_is_active(state) == active[state], "%s", state_to_string(state));
}
END_TEST

SUITE_MAIN("model/state", every_request_is_answered_as_the_contract_says,
           a_run_goes_from_start_to_its_end,
           a_start_that_is_stopped_is_stopping_until_it_is_cancelled,
           what_is_lost_may_be_found_stopped_or_seen_to_end, what_is_over_can_only_be_started,
           no_event_leads_back_to_pending, an_event_never_leaves_a_state_where_it_was,
           only_what_begins_a_start_can_be_a_start_event,
           a_stop_that_begins_or_cancels_is_a_stop_event, a_refusal_names_the_states_that_would_do,
           every_state_is_found_by_its_name, every_result_is_found_by_its_name,
           every_sub_state_and_request_has_a_name_of_its_own, only_what_may_be_alive_is_active)
