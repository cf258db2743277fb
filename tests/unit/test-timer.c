/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Timers on a loop of their own; the waits are a few milliseconds. */

#include <time.h>

#include <glib.h>

#include "suite.h"
#include "util/timer.h"

static sd_event *event;
static sd_event_source *timer;
static int calls;

static void make_loop(void)
{
    ck_assert_int_ge(sd_event_new(&event), 0);
    calls = 0;
}

static void drop_loop(void)
{
    timer_stop(&timer);
    event = sd_event_unref(event);
}

static int called(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    calls += *(int *)userdata;
    return 0;
}

static uint64_t monotonic_usec(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void start(uint64_t delay_usec)
{
    static int one = 1;

    ck_assert_int_eq(timer_start(event, &timer, delay_usec, called, &one, "test"), 0);
}

START_TEST(a_timer_is_on_time_and_comes_once)
{
    uint64_t began = monotonic_usec();

    start(5000);
    while (calls == 0)
        ck_assert_int_ge(sd_event_run(event, 1000000), 0);
    ck_assert_uint_ge(monotonic_usec() - began, 5000);
    ck_assert_uint_lt(monotonic_usec() - began, 200000);
    ck_assert_int_eq(sd_event_run(event, 5000), 0);
    ck_assert_int_eq(calls, 1);
}
END_TEST

START_TEST(a_stopped_timer_never_comes)
{
    start(1000);
    timer_stop(&timer);
    ck_assert_ptr_null(timer);
    ck_assert_int_eq(sd_event_run(event, 3000), 0);
    ck_assert_int_eq(calls, 0);
    timer_stop(&timer);
}
END_TEST

START_TEST(starting_again_replaces_the_timer)
{
    start(1000);
    start(3600 * UINT64_C(1000000));
    ck_assert_int_eq(sd_event_run(event, 3000), 0);
    ck_assert_int_eq(calls, 0);
}
END_TEST

START_TEST(infinity_is_no_timer)
{
    start(1000);
    start(UINT64_MAX);
    ck_assert_ptr_null(timer);
    ck_assert_int_eq(sd_event_run(event, 3000), 0);
    ck_assert_int_eq(calls, 0);
}
END_TEST

START_TEST(a_delay_beyond_all_clocks_is_a_timer_that_waits)
{
    start(UINT64_MAX - 1);
    ck_assert_ptr_nonnull(timer);
    ck_assert_int_eq(sd_event_run(event, 1000), 0);
    ck_assert_int_eq(calls, 0);
}
END_TEST

START_TEST(a_timer_without_delay_comes_at_once)
{
    start(0);
    ck_assert_int_gt(sd_event_run(event, 1000000), 0);
    ck_assert_int_eq(calls, 1);
}
END_TEST

START_TEST(a_timer_is_accurate_to_a_millisecond)
{
    uint64_t accuracy_usec = 0;

    start(1000000);
    ck_assert_int_ge(sd_event_source_get_time_accuracy(timer, &accuracy_usec), 0);
    ck_assert_uint_eq(accuracy_usec, 1000);
}
END_TEST

START_TEST(a_timer_has_its_description)
{
    const char *description = NULL;

    start(1000000);
    ck_assert_int_ge(sd_event_source_get_description(timer, &description), 0);
    ck_assert_str_eq(description, "test");
}
END_TEST

SUITE_MAIN_WITH("util/timer", make_loop, drop_loop, a_timer_is_on_time_and_comes_once,
                a_stopped_timer_never_comes, starting_again_replaces_the_timer,
                infinity_is_no_timer, a_delay_beyond_all_clocks_is_a_timer_that_waits,
                a_timer_without_delay_comes_at_once, a_timer_is_accurate_to_a_millisecond,
                a_timer_has_its_description)
