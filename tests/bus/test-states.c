/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of states and requests, row by row, as a caller meets it. */

#include <signal.h>
#include <string.h>

#include "bus/world.h"

#define SLOW_TO_STOP "trap 'sleep 0.3; exit' TERM; echo; while :; do sleep 0.01; done"

static void check_state(const char *path, const char *state)
{
    ck_assert_str_eq(bus_text(client, path, "State"), state);
}

/* Every message of InvalidState says which states would do. */
static void check_refused(const char *path, const char *const *methods, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *message = bus_refuse(client, "InvalidState", path, methods[i], NO_OPTIONS);
        ck_assert_msg(strstr(message, "possible when"), "%s: %s", methods[i], message);
    }
    (void)bus_number(client, path, "Run"); /* it is still there */
}

/* A held start that is under way, and its call. */
static const char *begin_held(Pending **ret)
{
    const char *path = bus_create_held(client, "web");

    *ret = bus_begin(client, path, "Start", NO_OPTIONS);
    bus_await(client, path, "State", "STARTING");
    return path;
}

/* ---- PENDING --------------------------------------------------------------------------------- */

START_TEST(pending_stop_has_nothing_to_do)
{
    const char *path = bus_create(client, "web", "sleep 100");

    (void)bus_call(client, path, "Stop", NO_OPTIONS);
    check_state(path, "PENDING");
}
END_TEST

START_TEST(pending_restart_is_a_start)
{
    const char *path = bus_create(client, "web", "sleep 100");

    (void)bus_call(client, path, "Restart", NO_OPTIONS);
    check_state(path, "RUNNING");
    ck_assert_uint_eq(bus_number(client, path, "Run"), 1);
}
END_TEST

START_TEST(what_does_not_run_cannot_be_killed_or_frozen)
{
    static const char *const methods[] = { "Freeze", "Thaw" };
    const char *path = bus_create(client, "web", "true");

    check_refused(path, methods, G_N_ELEMENTS(methods));
    (void)bus_refuse(client, "InvalidState", path, "Kill", "sia{sv}", "all", SIGTERM, 0);
    (void)bus_call(client, path, "Start", NO_OPTIONS);
    bus_await(client, path, "State", "STOPPED");
    check_refused(path, methods, G_N_ELEMENTS(methods));
    (void)bus_refuse(client, "InvalidState", path, "Kill", "sia{sv}", "main", SIGTERM, 0);
}
END_TEST

/* ---- STARTING -------------------------------------------------------------------------------- */

START_TEST(starting_answers_all_who_start)
{
    Pending *first, *second;
    const char *path = begin_held(&first);

    second = bus_begin(client, path, "Start", NO_OPTIONS);
    client_run(client, 20);
    ck_assert(!first->over && !second->over);
    program_release();
    ck_assert_str_eq(pending_finish(first), "");
    ck_assert_str_eq(pending_finish(second), "");
    check_state(path, "RUNNING");
    ck_assert_uint_eq(bus_number(client, path, "Run"), 1);
}
END_TEST

START_TEST(starting_stop_cancels_the_start)
{
    Pending *start;
    const char *path = begin_held(&start);

    (void)bus_call(client, path, "Stop", NO_OPTIONS);
    ck_assert_str_eq(pending_finish(start), "Cancelled");
    check_state(path, "STOPPED");
    ck_assert_str_eq(bus_text(client, path, "Result"), "success");
    ck_assert_uint_eq(bus_number(client, path, "InitPID"), 0);
}
END_TEST

START_TEST(starting_again_after_a_cancelled_start_works)
{
    Pending *start;
    const char *path = begin_held(&start);

    (void)bus_call(client, path, "Stop", NO_OPTIONS);
    program_release();
    (void)bus_call(client, path, "Start", NO_OPTIONS);
    check_state(path, "RUNNING");
    ck_assert_uint_eq(bus_number(client, path, "Run"), 2);
}
END_TEST

START_TEST(starting_refuses_the_rest)
{
    static const char *const methods[] = { "Restart", "Destroy", "Freeze", "Thaw" };
    Pending *start;
    const char *path = begin_held(&start);

    check_refused(path, methods, G_N_ELEMENTS(methods));
    (void)bus_refuse(client, "InvalidState", path, "Kill", "sia{sv}", "all", SIGTERM, 0);
    ck_assert(!start->over);
    program_release();
    ck_assert_str_eq(pending_finish(start), "");
}
END_TEST

START_TEST(starting_destroy_by_force_cancels_the_start)
{
    Pending *start;
    const char *path = begin_held(&start);

    (void)bus_call(client, path, "Destroy", "a{sv}", 1, "Force", "b", 1);
    ck_assert_str_eq(pending_finish(start), "Cancelled");
    ck_assert_uint_eq(bus_number(client, BUS_PATH, "InstanceCount"), 0);
}
END_TEST

START_TEST(a_start_that_takes_too_long_has_failed)
{
    sd_bus_message *reply = bus_call(client, BUS_PATH, "CreateInstance", "sa{sv}", "web", 2,
                                     "Command", "as", 1, program_hold(), "TimeoutStartSec", "s",
                                     "100ms");
    const char *path;

    ck_assert_int_ge(sd_bus_message_read(reply, "o", &path), 0);
    path = g_intern_string(path);
    (void)bus_refuse(client, "Timeout", path, "Start", NO_OPTIONS);
    check_state(path, "FAILED");
    ck_assert_str_eq(bus_text(client, path, "Result"), "timeout");
}
END_TEST

/* ---- RUNNING --------------------------------------------------------------------------------- */

START_TEST(running_refuses_another_start)
{
    static const char *const methods[] = { "Start", "Destroy" };
    const char *path = bus_run(client, "web", "sleep 100");

    check_refused(path, methods, G_N_ELEMENTS(methods));
    check_state(path, "RUNNING");
    ck_assert_uint_eq(bus_number(client, path, "Run"), 1);
}
END_TEST

/* ---- STOPPING -------------------------------------------------------------------------------- */

START_TEST(stopping_answers_all_who_stop)
{
    const char *path = bus_run_ready(client, "web", SLOW_TO_STOP);
    Pending *first = bus_begin(client, path, "Stop", NO_OPTIONS);
    Pending *second = bus_begin(client, path, "Stop", NO_OPTIONS);

    check_state(path, "STOPPING");
    ck_assert_str_eq(bus_text(client, path, "SubState"), "stop-sigterm");
    ck_assert_str_eq(pending_finish(first), "");
    ck_assert_str_eq(pending_finish(second), "");
    check_state(path, "STOPPED");
}
END_TEST

START_TEST(stopping_remembers_a_restart)
{
    const char *path = bus_run_ready(client, "web", SLOW_TO_STOP);
    Pending *stop = bus_begin(client, path, "Stop", NO_OPTIONS);
    Pending *restart = bus_begin(client, path, "Restart", NO_OPTIONS);

    check_state(path, "STOPPING");
    ck_assert_str_eq(pending_finish(stop), "");
    ck_assert_str_eq(pending_finish(restart), "");
    check_state(path, "RUNNING");
    ck_assert_uint_eq(bus_number(client, path, "Run"), 2);
}
END_TEST

START_TEST(a_stop_after_a_restart_has_the_last_word)
{
    const char *path = bus_run_ready(client, "web", SLOW_TO_STOP);
    Pending *restart = bus_begin(client, path, "Restart", NO_OPTIONS);
    Pending *stop = bus_begin(client, path, "Stop", NO_OPTIONS);

    ck_assert_str_eq(pending_finish(restart), "Cancelled");
    ck_assert_str_eq(pending_finish(stop), "");
    check_state(path, "STOPPED");
    ck_assert_uint_eq(bus_number(client, path, "Run"), 1);
}
END_TEST

START_TEST(stopping_joins_a_destroy)
{
    const char *path = bus_run_ready(client, "web", SLOW_TO_STOP);
    Pending *stop = bus_begin(client, path, "Stop", NO_OPTIONS);
    Pending *destroy = bus_begin(client, path, "Destroy", NO_OPTIONS);

    ck_assert_str_eq(pending_finish(stop), "");
    ck_assert_str_eq(pending_finish(destroy), "");
    ck_assert_uint_eq(bus_number(client, BUS_PATH, "InstanceCount"), 0);
}
END_TEST

START_TEST(a_destroy_overrides_a_remembered_restart)
{
    const char *path = bus_run_ready(client, "web", SLOW_TO_STOP);
    Pending *restart = bus_begin(client, path, "Restart", NO_OPTIONS);
    Pending *destroy = bus_begin(client, path, "Destroy", NO_OPTIONS);

    ck_assert_str_eq(pending_finish(destroy), "");
    ck_assert_str_ne(pending_finish(restart), "");
    ck_assert_uint_eq(bus_number(client, BUS_PATH, "InstanceCount"), 0);
}
END_TEST

START_TEST(stopping_takes_signals_and_refuses_the_rest)
{
    static const char *const methods[] = { "Start", "Freeze", "Thaw" };
    const char *path = bus_run_ready(client, "web",
                                     "trap '' TERM; echo; while :; do sleep 1; done");
    Pending *stop = bus_begin(client, path, "Stop", NO_OPTIONS);

    check_refused(path, methods, G_N_ELEMENTS(methods));
    (void)bus_call(client, path, "Kill", "sia{sv}", "main", SIGKILL, 0);
    ck_assert_str_eq(pending_finish(stop), "");
    check_state(path, "STOPPED");
}
END_TEST

/* ---- STOPPED and FAILED ---------------------------------------------------------------------- */

START_TEST(stopped_begins_again)
{
    const char *path = bus_run(client, "web", "sleep 100");

    (void)bus_call(client, path, "Stop", NO_OPTIONS);
    (void)bus_call(client, path, "Stop", NO_OPTIONS);
    (void)bus_call(client, path, "Start", NO_OPTIONS);
    (void)bus_call(client, path, "Stop", NO_OPTIONS);
    (void)bus_call(client, path, "Restart", NO_OPTIONS);
    ck_assert_uint_eq(bus_number(client, path, "Run"), 3);
    check_state(path, "RUNNING");
}
END_TEST

START_TEST(failed_begins_again_and_can_be_destroyed)
{
    const char *path = bus_create(client, "web", "exit 3");

    for (unsigned run = 1; run <= 2; run++) {
        (void)bus_call(client, path, run == 1 ? "Start" : "Restart", NO_OPTIONS);
        bus_await(client, path, "State", "FAILED");
        ck_assert_str_eq(bus_text(client, path, "Result"), "exit-code");
        ck_assert_str_eq(bus_text(client, path, "StatusText"), "exited with status 3");
        ck_assert_uint_eq(bus_number(client, path, "Run"), run);
    }
    (void)bus_call(client, path, "Stop", NO_OPTIONS);
    check_state(path, "FAILED");
    (void)bus_call(client, path, "Destroy", NO_OPTIONS);
}
END_TEST

/* ---- many at once ---------------------------------------------------------------------------- */

/* More than are let into a start at a time. */
START_TEST(starts_beyond_the_limit_wait_for_their_turn)
{
    enum { COUNT = 40 };
    Pending *starts[COUNT];

    for (unsigned i = 0; i < COUNT; i++) {
        g_autofree char *name = g_strdup_printf("web-%u", i);
        starts[i] = bus_begin(client, bus_create(client, name, "sleep 100"), "Start", NO_OPTIONS);
    }
    for (unsigned i = 0; i < COUNT; i++)
        ck_assert_str_eq(pending_finish(starts[i]), "");
    ck_assert_uint_eq(bus_number(client, BUS_PATH, "RunningCount"), COUNT);
}
END_TEST

START_TEST(a_start_that_waits_for_its_turn_can_be_cancelled)
{
    enum { COUNT = 20 };
    Pending *starts[COUNT];
    const char *paths[COUNT];

    paths[0] = bus_create_held(client, "web-0");
    for (unsigned i = 1; i < COUNT; i++) {
        g_autofree char *name = g_strdup_printf("web-%u", i);
        g_autofree char *program = g_build_filename(directory, "program", NULL);
        sd_bus_message *reply = bus_call(client, BUS_PATH, "CreateInstance", "sa{sv}", name, 1,
                                         "Command", "as", 1, program);
        ck_assert_int_ge(sd_bus_message_read(reply, "o", &paths[i]), 0);
        paths[i] = g_intern_string(paths[i]);
    }
    for (unsigned i = 0; i < COUNT; i++)
        starts[i] = bus_begin(client, paths[i], "Start", NO_OPTIONS);
    (void)bus_call(client, paths[COUNT - 1], "Stop", NO_OPTIONS);
    ck_assert_str_eq(pending_finish(starts[COUNT - 1]), "Cancelled");
    check_state(paths[COUNT - 1], "STOPPED");
    program_release();
    for (unsigned i = 0; i < COUNT - 1; i++)
        ck_assert_str_eq(pending_finish(starts[i]), "");
}
END_TEST

WORLD_MAIN("bus/states", world_inherit, pending_stop_has_nothing_to_do, pending_restart_is_a_start,
           what_does_not_run_cannot_be_killed_or_frozen, starting_answers_all_who_start,
           starting_stop_cancels_the_start, starting_again_after_a_cancelled_start_works,
           starting_refuses_the_rest, starting_destroy_by_force_cancels_the_start,
           a_start_that_takes_too_long_has_failed, running_refuses_another_start,
           stopping_answers_all_who_stop, stopping_remembers_a_restart,
           a_stop_after_a_restart_has_the_last_word, stopping_joins_a_destroy,
           a_destroy_overrides_a_remembered_restart, stopping_takes_signals_and_refuses_the_rest,
           stopped_begins_again, failed_begins_again_and_can_be_destroyed,
           starts_beyond_the_limit_wait_for_their_turn,
           a_start_that_waits_for_its_turn_can_be_cancelled)
