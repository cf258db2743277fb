/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Wait: who may hold it, what answers it, what drops it. */

#include <signal.h>
#include <string.h>

#include "bus/world.h"

#define WAITS_PER_CALLER 16

static void check_end(sd_bus_message *reply, uint32_t run, const char *result, int code, int status)
{
    const char *text;
    int32_t end[2];
    uint32_t number;

    ck_assert_int_ge(sd_bus_message_read(reply, "usii", &number, &text, &end[0], &end[1]), 0);
    ck_assert_uint_eq(number, run);
    ck_assert_str_eq(text, result);
    ck_assert_int_eq(end[0], code);
    ck_assert_int_eq(end[1], status);
}

START_TEST(it_tells_how_the_payload_exited)
{
    const char *path = bus_run(client, "web", "sleep 0.05; exit 3");

    check_end(bus_call(client, path, "Wait", NO_OPTIONS), 1, "exit-code", CLD_EXITED, 3);
    check_end(bus_call(client, path, "Wait", NO_OPTIONS), 1, "exit-code", CLD_EXITED, 3);
}
END_TEST

START_TEST(it_tells_which_signal_killed_the_payload)
{
    const char *path = bus_run(client, "web", "sleep 0.05; kill -USR1 $$");

    check_end(bus_call(client, path, "Wait", NO_OPTIONS), 1, "signal", CLD_KILLED, SIGUSR1);
}
END_TEST

START_TEST(it_tells_that_nothing_was_started_yet)
{
    const char *path = bus_create(client, "web", "true");

    check_end(bus_call(client, path, "Wait", NO_OPTIONS), 0, "success", 0, 0);
}
END_TEST

START_TEST(it_is_answered_by_a_stop)
{
    const char *path = bus_run(client, "web", "sleep 100");
    Pending *wait = bus_begin(client, path, "Wait", "a{sv}", 1, "Until", "s", "exit");

    (void)bus_call(client, path, "Stop", NO_OPTIONS);
    ck_assert_str_eq(pending_finish(wait), "");
}
END_TEST

START_TEST(it_is_answered_when_the_start_was_in_vain)
{
    const char *path = bus_create_held(client, "web");
    Pending *start = bus_begin(client, path, "Start", NO_OPTIONS);
    Pending *wait = bus_begin(client, path, "Wait", NO_OPTIONS);

    bus_await(client, path, "State", "STARTING");
    (void)bus_call(client, path, "Stop", NO_OPTIONS);
    ck_assert_str_eq(pending_finish(start), "Cancelled");
    ck_assert_str_eq(pending_finish(wait), "");
}
END_TEST

START_TEST(the_end_of_one_run_answers_it_though_a_restart_follows)
{
    const char *path = bus_run(client, "web", "sleep 100");
    Pending *wait = bus_begin(client, path, "Wait", "a{sv}", 1, "Until", "s", "exit");

    (void)bus_call(client, path, "Restart", NO_OPTIONS);
    ck_assert_str_eq(pending_finish(wait), "");
    ck_assert_str_eq(bus_text(client, path, "State"), "RUNNING");
}
END_TEST

START_TEST(it_gives_up_after_the_timeout)
{
    const char *path = bus_run(client, "web", "sleep 100");
    gint64 began = g_get_monotonic_time();

    (void)bus_refuse(client, "Timeout", path, "Wait", "a{sv}", 1, "TimeoutUSec", "t",
                     UINT64_C(50000));
    ck_assert_int_ge(g_get_monotonic_time() - began, 50000);
    (void)bus_refuse(client, "Timeout", path, "Wait", "a{sv}", 1, "TimeoutUSec", "u", 0);
    (void)bus_call(client, path, "Stop", NO_OPTIONS);
}
END_TEST

START_TEST(a_destroyed_instance_answers_that_it_is_gone)
{
    const char *path = bus_run(client, "web", "sleep 100");
    Pending *wait = bus_begin(client, path, "Wait", NO_OPTIONS);

    (void)bus_call(client, path, "Destroy", "a{sv}", 1, "Force", "b", 1);
    ck_assert_str_eq(pending_finish(wait), "NoSuchInstance");
}
END_TEST

START_TEST(an_instance_that_removes_itself_answers_how_it_ended)
{
    sd_bus_message *reply = bus_call(client, BUS_PATH, "RunInstance", "sa{sv}a{sv}", "web", 2,
                                     "Command", "as", 3, "sh", "-c", "sleep 0.05; exit 3",
                                     "RemoveOnExit", "b", 1, 0);
    const char *path;

    ck_assert_int_ge(sd_bus_message_read(reply, "o", &path), 0);
    check_end(bus_call(client, g_intern_string(path), "Wait", NO_OPTIONS), 1, "exit-code",
              CLD_EXITED, 3);
}
END_TEST

START_TEST(a_caller_holds_so_many_and_no_more)
{
    const char *path = bus_run(client, "web", "sleep 100");
    Pending *waits[WAITS_PER_CALLER];

    for (unsigned i = 0; i < WAITS_PER_CALLER; i++)
        waits[i] = bus_begin(client, path, "Wait", NO_OPTIONS);
    (void)bus_refuse(client, "LimitsExceeded", path, "Wait", NO_OPTIONS);
    (void)bus_call(client, path, "Stop", NO_OPTIONS);
    for (unsigned i = 0; i < WAITS_PER_CALLER; i++)
        ck_assert_str_eq(pending_finish(waits[i]), "");
    (void)bus_call(client, path, "Wait", NO_OPTIONS);
}
END_TEST

START_TEST(a_wait_that_is_over_makes_room)
{
    const char *path = bus_run(client, "web", "sleep 100");
    Pending *waits[WAITS_PER_CALLER];

    for (unsigned i = 0; i < WAITS_PER_CALLER; i++)
        waits[i] = bus_begin(client, path, "Wait", "a{sv}", 1, "TimeoutUSec", "u", 1000);
    for (unsigned i = 0; i < WAITS_PER_CALLER; i++)
        ck_assert_str_eq(pending_finish(waits[i]), "Timeout");
    (void)bus_refuse(client, "Timeout", path, "Wait", "a{sv}", 1, "TimeoutUSec", "u", 1000);
}
END_TEST

START_TEST(callers_do_not_share_the_limit)
{
    const char *path = bus_run(client, "web", "sleep 100");
    Client *other = client_new();

    for (unsigned i = 0; i < WAITS_PER_CALLER; i++)
        (void)bus_begin(client, path, "Wait", NO_OPTIONS);
    (void)bus_refuse(client, "LimitsExceeded", path, "Wait", NO_OPTIONS);
    (void)bus_refuse(other, "Timeout", path, "Wait", "a{sv}", 1, "TimeoutUSec", "u", 1000);
}
END_TEST

START_TEST(a_caller_that_leaves_is_forgotten)
{
    const char *path = bus_run(client, "web", "sleep 100");

    for (unsigned round = 0; round < 3; round++) {
        Client *other = client_new();
        for (unsigned i = 0; i < WAITS_PER_CALLER; i++)
            (void)bus_begin(other, path, "Wait", NO_OPTIONS);
        (void)bus_number(other, path, "Run");
        client_leave(other);
    }
    (void)bus_call(client, path, "Stop", NO_OPTIONS);
    ck_assert_str_eq(bus_text(client, path, "State"), "STOPPED");
}
END_TEST

START_TEST(what_is_wrong_is_refused)
{
    const char *path = bus_run(client, "web", "sleep 100");

    (void)bus_refuse(client, "InvalidArgs", path, "Wait", "a{sv}", 1, "Until", "s", "doomsday");
    (void)bus_refuse(client, "InvalidArgs", path, "Wait", "a{sv}", 1, "Until", "u", 1);
    (void)bus_refuse(client, "InvalidArgs", path, "Wait", "a{sv}", 1, "TimeoutUSec", "s", "1s");
}
END_TEST

WORLD_MAIN("bus/wait", world_listen, it_tells_how_the_payload_exited,
           it_tells_which_signal_killed_the_payload, it_tells_that_nothing_was_started_yet,
           it_is_answered_by_a_stop, it_is_answered_when_the_start_was_in_vain,
           the_end_of_one_run_answers_it_though_a_restart_follows, it_gives_up_after_the_timeout,
           a_destroyed_instance_answers_that_it_is_gone,
           an_instance_that_removes_itself_answers_how_it_ended, a_caller_holds_so_many_and_no_more,
           a_wait_that_is_over_makes_room, callers_do_not_share_the_limit,
           a_caller_that_leaves_is_forgotten, what_is_wrong_is_refused)
