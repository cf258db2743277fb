/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What each user may take, and the line of starts. */

#include "core/users.h"
#include "suite.h"

#define ALICE  1000
#define BOB    1001
#define SECOND G_USEC_PER_SEC

static Users *users;
static const UserLimits limits = { .instances = 5, .starts = 2, .rate = 10, .burst = 3 };

static void setup(void)
{
    users = users_new(&limits);
}

static void teardown(void)
{
    users_free(users);
}

static Start *start(unsigned number)
{
    return GUINT_TO_POINTER(number);
}

START_TEST(root_has_no_limits)
{
    ck_assert_uint_eq(users_limits(users, 0)->instances, 0);
    ck_assert_uint_eq(users_limits(users, ALICE)->instances, 5);
    for (unsigned i = 0; i < 1000; i++)
        ck_assert(users_take(users, 0, SECOND));
}
END_TEST

START_TEST(a_burst_is_allowed_and_then_the_rate)
{
    for (unsigned i = 0; i < 3; i++)
        ck_assert(users_take(users, ALICE, SECOND));
    ck_assert(!users_take(users, ALICE, SECOND));
    ck_assert(!users_take(users, ALICE, SECOND + SECOND / 10 - 1));
    ck_assert(users_take(users, ALICE, SECOND + SECOND / 10));
    ck_assert(!users_take(users, ALICE, SECOND + SECOND / 10));
    ck_assert(users_take(users, BOB, SECOND));
}
END_TEST

START_TEST(a_long_pause_allows_one_burst_and_no_more)
{
    ck_assert(users_take(users, ALICE, SECOND));
    for (unsigned i = 0; i < 3; i++)
        ck_assert(users_take(users, ALICE, UINT64_MAX));
    ck_assert(!users_take(users, ALICE, UINT64_MAX));
}
END_TEST

START_TEST(a_clock_that_goes_back_gives_nothing)
{
    for (unsigned i = 0; i < 3; i++)
        ck_assert(users_take(users, ALICE, 10 * SECOND));
    ck_assert(!users_take(users, ALICE, SECOND));
}
END_TEST

START_TEST(without_a_rate_there_is_no_end)
{
    const UserLimits none = { .instances = 1 };
    Users *free_ones = users_new(&none);

    for (unsigned i = 0; i < 1000; i++)
        ck_assert(users_take(free_ones, ALICE, SECOND));
    users_free(free_ones);
}
END_TEST

START_TEST(users_are_served_in_turns)
{
    for (unsigned i = 1; i <= 3; i++)
        users_line_up(users, ALICE, start(i));
    users_line_up(users, BOB, start(11));
    users_line_up(users, 0, start(21));
    static const unsigned order[] = { 1, 11, 21, 2 };
    for (unsigned i = 0; i < G_N_ELEMENTS(order); i++)
        ck_assert_ptr_eq(users_next(users), start(order[i]));
}
END_TEST

START_TEST(one_who_has_enough_under_way_waits)
{
    for (unsigned i = 1; i <= 3; i++)
        users_line_up(users, ALICE, start(i));
    ck_assert_ptr_eq(users_next(users), start(1));
    ck_assert_ptr_eq(users_next(users), start(2));
    ck_assert_ptr_null(users_next(users));
    users_line_up(users, BOB, start(11));
    ck_assert_ptr_eq(users_next(users), start(11));
    users_started(users, ALICE);
    ck_assert_ptr_eq(users_next(users), start(3));
    ck_assert_ptr_null(users_next(users));
}
END_TEST

START_TEST(root_may_have_any_number_under_way)
{
    for (unsigned i = 1; i <= 100; i++)
        users_line_up(users, 0, start(i));
    for (unsigned i = 1; i <= 100; i++)
        ck_assert_ptr_eq(users_next(users), start(i));
}
END_TEST

START_TEST(one_who_leaves_the_line_is_not_served)
{
    users_line_up(users, ALICE, start(1));
    users_line_up(users, BOB, start(11));
    users_leave_line(users, ALICE, start(1));
    users_leave_line(users, ALICE, start(1));
    ck_assert_ptr_eq(users_next(users), start(11));
    ck_assert_ptr_null(users_next(users));
    users_line_up(users, ALICE, start(2));
    ck_assert_ptr_eq(users_next(users), start(2));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        root_has_no_limits,
        a_burst_is_allowed_and_then_the_rate,
        a_long_pause_allows_one_burst_and_no_more,
        a_clock_that_goes_back_gives_nothing,
        without_a_rate_there_is_no_end,
        users_are_served_in_turns,
        one_who_has_enough_under_way_waits,
        root_may_have_any_number_under_way,
        one_who_leaves_the_line_is_not_served,
    };

    return suite_run("core/users", setup, teardown, tests, G_N_ELEMENTS(tests));
}
