/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Waiters: each is told once, of what it waits for, whatever the others do when they are told. */

#include "core/waiters.h"
#include "suite.h"
#include "util/error.h"

static Waiters waiters;
static unsigned told[4];
static GError *failure;

static void count(Instance *instance, const GError *error, void *userdata)
{
    unsigned *counter = userdata;

    (void)instance;
    ck_assert(error == failure);
    (*counter)++;
}

static void add_another(Instance *instance, const GError *error, void *userdata)
{
    count(instance, error, userdata);
    waiters_add(&waiters, WAIT_ENDED, count, &told[3]);
}

static void forget_another(Instance *instance, const GError *error, void *userdata)
{
    count(instance, error, userdata);
    waiters_forget(&waiters, &told[3]);
}

static void drop_all(Instance *instance, const GError *error, void *userdata)
{
    count(instance, error, userdata);
    waiters_done(&waiters);
}

static void prepare(void)
{
    waiters = (Waiters){ 0 };
    for (size_t i = 0; i < G_N_ELEMENTS(told); i++)
        told[i] = 0;
}

static void clean(void)
{
    waiters_done(&waiters);
    g_clear_error(&failure);
}

START_TEST(nobody_waits_at_first)
{
    waiters_tell(&waiters, WAIT_ENDED, NULL, NULL);
    waiters_tell_all(&waiters, NULL, NULL);
    waiters_forget(&waiters, &told[0]);
}
END_TEST

START_TEST(a_waiter_is_told_once)
{
    waiters_add(&waiters, WAIT_ENDED, count, &told[0]);
    waiters_tell(&waiters, WAIT_ENDED, NULL, NULL);
    waiters_tell(&waiters, WAIT_ENDED, NULL, NULL);
    ck_assert_uint_eq(told[0], 1);
}
END_TEST

START_TEST(a_waiter_is_told_of_what_it_waits_for)
{
    waiters_add(&waiters, WAIT_STARTED, count, &told[0]);
    waiters_add(&waiters, WAIT_ENDED, count, &told[1]);
    waiters_add(&waiters, WAIT_STARTED, count, &told[2]);
    waiters_tell(&waiters, WAIT_STARTED, NULL, NULL);
    ck_assert(told[0] == 1 && told[1] == 0 && told[2] == 1);
    waiters_tell(&waiters, WAIT_ENDED, NULL, NULL);
    ck_assert_uint_eq(told[1], 1);
}
END_TEST

START_TEST(all_are_told_of_the_end_of_everything)
{
    error_set(&failure, CONSTELLATION_ERROR_CANCELLED, "over");
    waiters_add(&waiters, WAIT_STARTED, count, &told[0]);
    waiters_add(&waiters, WAIT_ENDED, count, &told[1]);
    waiters_add(&waiters, WAIT_DESTROYED, count, &told[2]);
    waiters_tell_all(&waiters, NULL, failure);
    ck_assert(told[0] == 1 && told[1] == 1 && told[2] == 1);
}
END_TEST

START_TEST(whoever_is_forgotten_is_not_told)
{
    waiters_add(&waiters, WAIT_ENDED, count, &told[0]);
    waiters_add(&waiters, WAIT_STARTED, count, &told[0]);
    waiters_add(&waiters, WAIT_ENDED, count, &told[1]);
    waiters_forget(&waiters, &told[0]);
    waiters_tell_all(&waiters, NULL, NULL);
    ck_assert(told[0] == 0 && told[1] == 1);
}
END_TEST

START_TEST(whoever_comes_while_others_are_told_waits_for_the_next_time)
{
    waiters_add(&waiters, WAIT_ENDED, add_another, &told[0]);
    waiters_tell(&waiters, WAIT_ENDED, NULL, NULL);
    ck_assert(told[0] == 1 && told[3] == 0);
    waiters_tell(&waiters, WAIT_ENDED, NULL, NULL);
    ck_assert_uint_eq(told[3], 1);
}
END_TEST

START_TEST(a_waiter_may_forget_those_who_wait_for_something_else)
{
    waiters_add(&waiters, WAIT_STARTED, forget_another, &told[0]);
    waiters_add(&waiters, WAIT_ENDED, count, &told[3]);
    waiters_tell(&waiters, WAIT_STARTED, NULL, NULL);
    waiters_tell_all(&waiters, NULL, NULL);
    ck_assert(told[0] == 1 && told[3] == 0);
}
END_TEST

/* The callback frees its own userdata in practice: "forgotten" must hold at once. */
START_TEST(a_waiter_may_forget_one_that_is_told_in_the_same_round)
{
    waiters_add(&waiters, WAIT_ENDED, forget_another, &told[0]);
    waiters_add(&waiters, WAIT_ENDED, count, &told[3]);
    waiters_tell(&waiters, WAIT_ENDED, NULL, NULL);
    ck_assert_uint_eq(told[0], 1);
    ck_assert_uint_eq(told[3], 0);
}
END_TEST

START_TEST(a_waiter_may_end_it_all)
{
    waiters_add(&waiters, WAIT_ENDED, drop_all, &told[0]);
    waiters_add(&waiters, WAIT_STARTED, count, &told[1]);
    waiters_tell(&waiters, WAIT_ENDED, NULL, NULL);
    waiters_tell_all(&waiters, NULL, NULL);
    ck_assert(told[0] == 1 && told[1] == 0);
}
END_TEST

START_TEST(nobody_is_no_waiter)
{
    waiters_add(&waiters, WAIT_ENDED, NULL, &told[0]);
    waiters_tell(&waiters, WAIT_ENDED, NULL, NULL);
    ck_assert_ptr_null(waiters.entries);
}
END_TEST

SUITE_MAIN_WITH("core/waiters", prepare, clean, nobody_waits_at_first, a_waiter_is_told_once,
                a_waiter_is_told_of_what_it_waits_for, all_are_told_of_the_end_of_everything,
                whoever_is_forgotten_is_not_told,
                whoever_comes_while_others_are_told_waits_for_the_next_time,
                a_waiter_may_forget_those_who_wait_for_something_else,
                a_waiter_may_forget_one_that_is_told_in_the_same_round, a_waiter_may_end_it_all,
                nobody_is_no_waiter)
