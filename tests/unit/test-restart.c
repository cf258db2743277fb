/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The restart policy as a table, its delays, and its limit. Times are microseconds. */

#include "model/restart.h"
#include "suite.h"

#define SEC ((uint64_t)G_USEC_PER_SEC)

static Spec *spec;

static void setup(void)
{
    spec = spec_new();
}

static void teardown(void)
{
    g_clear_pointer(&spec, spec_free);
}

static void set(SettingId id, const char *text)
{
    g_autoptr(GError) error = NULL;

    ck_assert_msg(spec_set_text(spec, id, text, &error), "%s", error ? error->message : "");
}

static RestartVerdict decide(Result result, uint64_t ran, uint64_t now, RestartHistory *history,
                             uint64_t *delay)
{
    return restart_decide(spec, result, ran, now, history, delay);
}

START_TEST(each_policy_restarts_after_its_results_and_no_other)
{
    static const struct {
        const char *policy;
        Result result;
        bool restarts;
    } rows[] = {
        { "no", RESULT_EXIT_CODE, false },          { "no", RESULT_SUCCESS, false },
        { "on-success", RESULT_SUCCESS, true },     { "on-success", RESULT_EXIT_CODE, false },
        { "on-failure", RESULT_EXIT_CODE, true },   { "on-failure", RESULT_SIGNAL, true },
        { "on-failure", RESULT_EXEC, true },        { "on-failure", RESULT_SUCCESS, false },
        { "on-abnormal", RESULT_SIGNAL, true },     { "on-abnormal", RESULT_OOM_KILL, true },
        { "on-abnormal", RESULT_TIMEOUT, true },    { "on-abnormal", RESULT_LOST, true },
        { "on-abnormal", RESULT_EXIT_CODE, false }, { "always", RESULT_SUCCESS, true },
        { "always", RESULT_EXIT_CODE, true },       { "always", RESULT_STOPPED_OUTSIDE, false },
        { "always", RESULT_START_LIMIT, false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        RestartHistory history = { 0 };
        uint64_t delay;

        set(SETTING_RESTART, rows[i].policy);
        ck_assert_msg((decide(rows[i].result, 0, 1, &history, &delay) == RESTART_AFTER) ==
                          rows[i].restarts,
                      "%s after %s", rows[i].policy, result_to_string(rows[i].result));
    }
}
END_TEST

START_TEST(the_delay_doubles_up_to_its_maximum)
{
    static const uint64_t expected[] = { SEC, 2 * SEC, 4 * SEC, 5 * SEC, 5 * SEC };
    RestartHistory history = { 0 };
    uint64_t delay;

    set(SETTING_RESTART, "always");
    set(SETTING_RESTART_DELAY, "1s");
    set(SETTING_RESTART_MAX_DELAY, "5s");
    set(SETTING_START_LIMIT_INTERVAL, "0");
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        ck_assert_int_eq(decide(RESULT_SIGNAL, 0, 1, &history, &delay), RESTART_AFTER);
        ck_assert_uint_eq(delay, expected[i]);
    }
    ck_assert_uint_eq(history.restarts, G_N_ELEMENTS(expected));
}
END_TEST

START_TEST(the_delay_starts_afresh_after_a_good_run)
{
    RestartHistory history = { 0 };
    uint64_t delay;

    set(SETTING_RESTART, "on-failure");
    set(SETTING_RESTART_DELAY, "1s");
    set(SETTING_RESTART_MAX_DELAY, "8s");
    set(SETTING_START_LIMIT_INTERVAL, "0");
    decide(RESULT_SIGNAL, 0, 1, &history, &delay);
    decide(RESULT_SIGNAL, 8 * SEC - 1, 1, &history, &delay);
    ck_assert_uint_eq(delay, 2 * SEC);
    decide(RESULT_SIGNAL, 8 * SEC, 1, &history, &delay);
    ck_assert_uint_eq(delay, SEC);
}
END_TEST

START_TEST(a_delay_that_cannot_be_doubled_stays)
{
    RestartHistory history = { .failures = 200 };
    uint64_t delay;

    set(SETTING_RESTART, "always");
    set(SETTING_RESTART_MAX_DELAY, "infinity");
    set(SETTING_START_LIMIT_INTERVAL, "0");
    decide(RESULT_SIGNAL, 0, 1, &history, &delay);
    ck_assert_uint_eq(delay, UINT64_MAX);
    set(SETTING_RESTART_DELAY, "1h");
    set(SETTING_RESTART_MAX_DELAY, "1s"); /* shorter than the first: then it is the first */
    decide(RESULT_SIGNAL, 0, 1, &history, &delay);
    ck_assert_uint_eq(delay, 3600 * SEC);
}
END_TEST

START_TEST(the_limit_counts_restarts_within_its_interval)
{
    RestartHistory history = { 0 };
    uint64_t delay, now = 1000 * SEC;

    set(SETTING_RESTART, "always");
    set(SETTING_START_LIMIT_BURST, "3");
    set(SETTING_START_LIMIT_INTERVAL, "10s");
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(decide(RESULT_SIGNAL, 0, now + i * SEC, &history, &delay), RESTART_AFTER);
    ck_assert_int_eq(decide(RESULT_SIGNAL, 0, now + 9 * SEC, &history, &delay), RESTART_LIMIT);
    ck_assert_int_eq(decide(RESULT_SIGNAL, 0, now + 10 * SEC, &history, &delay), RESTART_AFTER);
}
END_TEST

START_TEST(other_statuses_count_as_success_when_they_are_listed)
{
    ck_assert(restart_counts_as_success(spec, 0, 0));
    ck_assert(!restart_counts_as_success(spec, 3, 0));
    set(SETTING_SUCCESS_EXIT_STATUS, "3 SIGHUP");
    ck_assert(restart_counts_as_success(spec, 3, 0));
    ck_assert(restart_counts_as_success(spec, -1, 1));
    ck_assert(!restart_counts_as_success(spec, 1, 0));
    ck_assert(!restart_counts_as_success(spec, -1, 3));
}
END_TEST

SUITE_MAIN_WITH("model/restart", setup, teardown,
                each_policy_restarts_after_its_results_and_no_other,
                the_delay_doubles_up_to_its_maximum, the_delay_starts_afresh_after_a_good_run,
                a_delay_that_cannot_be_doubled_stays, the_limit_counts_restarts_within_its_interval,
                other_statuses_count_as_success_when_they_are_listed)
