/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Prepare: the first half of a start, and what can be done with it. */

#include <signal.h>
#include <string.h>

#include "bus/world.h"

#define PATIENCE_MSEC 5000

static const char *prepared(const char *name)
{
    const char *path = bus_create(client, name, "sleep 100");

    (void)bus_call(client, path, "Prepare", NO_OPTIONS);
    ck_assert_str_eq(bus_text(client, path, "State"), "STARTING");
    ck_assert_str_eq(bus_text(client, path, "SubState"), "prepared");
    return path;
}

START_TEST(prepared_it_has_an_init_and_no_payload)
{
    const char *path = prepared("web");

    ck_assert_uint_ne(bus_number(client, path, "InitPID"), 0);
    ck_assert_uint_eq(bus_number(client, path, "MainPID"), 0);
    ck_assert_uint_eq(bus_number(client, path, "Run"), 1);
}
END_TEST

START_TEST(a_start_goes_on_from_there)
{
    const char *path = prepared("web");
    uint32_t init = bus_number(client, path, "InitPID");

    (void)bus_call(client, path, "Start", NO_OPTIONS);
    ck_assert_str_eq(bus_text(client, path, "State"), "RUNNING");
    ck_assert_uint_eq(bus_number(client, path, "InitPID"), init);
    ck_assert_uint_ne(bus_number(client, path, "MainPID"), 0);
    ck_assert_uint_eq(bus_number(client, path, "Run"), 1);
}
END_TEST

START_TEST(a_second_prepare_is_answered_at_once)
{
    const char *path = prepared("web");
    uint32_t init = bus_number(client, path, "InitPID");

    (void)bus_call(client, path, "Prepare", NO_OPTIONS);
    ck_assert_uint_eq(bus_number(client, path, "InitPID"), init);
}
END_TEST

START_TEST(a_start_that_comes_while_it_is_prepared_is_joined)
{
    const char *path = bus_create(client, "web", "sleep 100");
    Pending *prepare = bus_begin(client, path, "Prepare", NO_OPTIONS);

    (void)bus_call(client, path, "Start", NO_OPTIONS);
    ck_assert_str_eq(bus_text(client, path, "State"), "RUNNING");
    ck_assert_str_eq(pending_finish(prepare), "");
}
END_TEST

START_TEST(a_stop_undoes_it)
{
    const char *path = prepared("web");
    const pid_t init[] = { (pid_t)bus_number(client, path, "InitPID"), 0 };

    (void)bus_call(client, path, "Stop", NO_OPTIONS);
    ck_assert_str_eq(bus_text(client, path, "State"), "STOPPED");
    ck_assert(processes_are_gone(init, PATIENCE_MSEC));
    (void)bus_call(client, path, "Prepare", NO_OPTIONS);
    ck_assert_uint_eq(bus_number(client, path, "Run"), 2);
}
END_TEST

START_TEST(a_destroy_by_force_undoes_it)
{
    const char *path = prepared("web");
    const pid_t init[] = { (pid_t)bus_number(client, path, "InitPID"), 0 };

    (void)bus_refuse(client, "InvalidState", path, "Destroy", NO_OPTIONS);
    (void)bus_call(client, path, "Destroy", "a{sv}", 1, "Force", "b", 1);
    ck_assert(processes_are_gone(init, PATIENCE_MSEC));
}
END_TEST

START_TEST(what_runs_cannot_be_prepared)
{
    const char *path = bus_run(client, "web", "sleep 100");

    ck_assert_ptr_nonnull(
        strstr(bus_refuse(client, "InvalidState", path, "Prepare", NO_OPTIONS), "prepare"));
    (void)bus_refuse(client, "InvalidArgs", path, "Prepare", "a{sv}", 1, "NoWait", "b", 1);
}
END_TEST

START_TEST(an_init_that_is_killed_is_a_start_that_failed)
{
    const char *path = prepared("web");

    ck_assert_int_eq(kill((pid_t)bus_number(client, path, "InitPID"), SIGKILL), 0);
    bus_await(client, path, "State", "FAILED");
    ck_assert_uint_eq(bus_number(client, path, "InitPID"), 0);
    (void)bus_call(client, path, "Start", NO_OPTIONS);
}
END_TEST

START_TEST(many_can_be_prepared_at_once)
{
    const char *paths[40];

    for (unsigned i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *name = g_strdup_printf("web-%u", i);
        paths[i] = prepared(name);
    }
    (void)bus_run(client, "other", "sleep 100");
    for (unsigned i = 0; i < G_N_ELEMENTS(paths); i++)
        (void)bus_call(client, paths[i], "Start", NO_OPTIONS);
}
END_TEST

WORLD_MAIN("bus/prepare", world_inherit, prepared_it_has_an_init_and_no_payload,
           a_start_goes_on_from_there, a_second_prepare_is_answered_at_once,
           a_start_that_comes_while_it_is_prepared_is_joined, a_stop_undoes_it,
           a_destroy_by_force_undoes_it, what_runs_cannot_be_prepared,
           an_init_that_is_killed_is_a_start_that_failed, many_can_be_prepared_at_once)
