/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How much of the service's time one user takes. */

#include <glib.h>

#include "bus/budget.h"
#include "suite.h"

#define ALICE  1000
#define BOB    1001
#define SECOND ((uint64_t)G_USEC_PER_SEC)
#define ALL    (SECOND / 4) /* that is there at once */

static Budgets *budgets;

static void setup(void)
{
    budgets = budgets_new();
}

static void teardown(void)
{
    budgets_free(budgets);
}

static void serve(uid_t uid, uint64_t from, uint64_t usec)
{
    budget_begin(budgets, uid, from);
    budget_end(budgets, from + usec);
}

START_TEST(who_has_taken_too_much_is_refused_and_the_others_are_not)
{
    ck_assert(budget_is_left(budgets, ALICE, SECOND));
    serve(ALICE, SECOND, ALL);
    ck_assert(!budget_is_left(budgets, ALICE, SECOND));
    ck_assert(budget_is_left(budgets, BOB, SECOND));
}
END_TEST

START_TEST(a_fifth_of_the_time_comes_back)
{
    serve(ALICE, SECOND, ALL);
    serve(ALICE, SECOND, SECOND / 10);
    ck_assert(!budget_is_left(budgets, ALICE, SECOND + SECOND * 2 / 5));
    ck_assert(budget_is_left(budgets, ALICE, SECOND + SECOND * 3 / 5));
}
END_TEST

START_TEST(looking_often_gives_nothing_more_and_nothing_less)
{
    serve(ALICE, SECOND, ALL);
    serve(ALICE, SECOND, SECOND / 10);
    for (uint64_t now = SECOND; now < SECOND + SECOND / 2; now += 3)
        ck_assert(!budget_is_left(budgets, ALICE, now));
    ck_assert(budget_is_left(budgets, ALICE, SECOND + SECOND / 2 + 400));
}
END_TEST

START_TEST(the_next_beginning_is_the_end)
{
    budget_begin(budgets, ALICE, SECOND);
    budget_begin(budgets, BOB, 3 * SECOND);
    budget_end(budgets, 3 * SECOND + 1);
    budget_end(budgets, 100 * SECOND);
    ck_assert(!budget_is_left(budgets, ALICE, SECOND));
    ck_assert(budget_is_left(budgets, BOB, 3 * SECOND));
}
END_TEST

START_TEST(a_long_time_is_no_end_of_time)
{
    serve(ALICE, SECOND, 1000 * SECOND);
    ck_assert(budget_is_left(budgets, ALICE, 1001 * SECOND + 11 * SECOND));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        who_has_taken_too_much_is_refused_and_the_others_are_not,
        a_fifth_of_the_time_comes_back,
        looking_often_gives_nothing_more_and_nothing_less,
        the_next_beginning_is_the_end,
        a_long_time_is_no_end_of_time,
    };

    return suite_run("bus/budget", setup, teardown, tests, G_N_ELEMENTS(tests));
}
