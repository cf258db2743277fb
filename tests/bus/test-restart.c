/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The restart that follows by itself: when it does, what is told of it, and what cancels it. */

#include <signal.h>
#include <string.h>

#include "bus/world.h"

/* `sh -c script`, started, with a policy and a delay. */
static const char *run_with(const char *policy, const char *delay, const char *script)
{
    sd_bus_message *reply = bus_call(client, BUS_PATH, "RunInstance", "sa{sv}a{sv}", "web", 3,
                                     "Command", "as", 3, "sh", "-c", script, "Restart", "s", policy,
                                     "RestartSec", "s", delay, 0);
    const char *path;

    ck_assert_int_ge(sd_bus_message_read(reply, "o", &path), 0);
    return g_intern_string(path);
}

static const char *run_and_fail(void)
{
    const char *path = run_with("on-failure", "1h", "exit 3");

    bus_await(client, path, "SubState", "auto-restart");
    return path;
}

static uint64_t next_restart(const char *path)
{
    sd_bus_message *reply = bus_call(client, path, "org.freedesktop.DBus.Properties.Get", "ss",
                                     INTERFACE_INSTANCE, "NextRestartTimestamp");
    uint64_t value;

    ck_assert_int_ge(sd_bus_message_read(reply, "v", "t", &value), 0);
    return value;
}

static void check_no_restart(const char *path)
{
    ck_assert_str_eq(bus_text(client, path, "SubState"), "dead");
    ck_assert_uint_eq(next_restart(path), 0);
}

START_TEST(the_policy_decides_by_the_end)
{
    static const struct {
        const char *policy, *script;
        bool restarts;
    } rows[] = {
        { "no", "exit 3", false },          { "always", "exit 0", true },
        { "on-failure", "exit 0", false },  { "on-failure", "exit 3", true },
        { "on-success", "exit 0", true },   { "on-success", "exit 3", false },
        { "on-abnormal", "exit 3", false }, { "on-abnormal", "kill -KILL $$", true },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *path = run_with(rows[i].policy, "1h", rows[i].script);
        (void)bus_call(client, path, "Wait", "a{sv}", 1, "Until", "s", "exit");
        const char *sub_state = bus_text(client, path, "SubState");
        ck_assert_msg((strcmp(sub_state, "auto-restart") == 0) == rows[i].restarts, "%s, %s: %s",
                      rows[i].policy, rows[i].script, sub_state);
        (void)bus_call(client, path, "Destroy", NO_OPTIONS);
    }
}
END_TEST

START_TEST(it_is_started_again_and_again_until_the_limit)
{
    const char *path = run_with("always", "1ms", "exit 3");

    bus_await(client, path, "Result", "start-limit");
    ck_assert_str_eq(bus_text(client, path, "State"), "FAILED");
    ck_assert_uint_eq(bus_number(client, path, "Run"), 6);
    ck_assert_uint_eq(bus_number(client, path, "Restarts"), 5);
    ck_assert_ptr_nonnull(strstr(bus_text(client, path, "RestartReason"), "Restart=always"));
    check_no_restart(path);
}
END_TEST

START_TEST(what_is_due_is_told)
{
    uint64_t hour = UINT64_C(3600000000), now = (uint64_t)g_get_real_time();
    const char *path = run_and_fail();

    ck_assert_uint_gt(next_restart(path), now + hour / 2);
    ck_assert_uint_lt(next_restart(path), now + hour * 2);
    ck_assert_str_eq(bus_text(client, path, "State"), "FAILED");
    ck_assert_uint_eq(bus_number(client, path, "InitPID"), 0);
}
END_TEST

START_TEST(a_start_does_not_wait_for_it)
{
    const char *path = run_and_fail();

    (void)bus_call(client, path, "Start", NO_OPTIONS);
    ck_assert_uint_eq(bus_number(client, path, "Run"), 2);
}
END_TEST

START_TEST(a_restart_does_not_wait_for_it)
{
    const char *path = run_and_fail();

    (void)bus_call(client, path, "Restart", NO_OPTIONS);
    ck_assert_uint_eq(bus_number(client, path, "Run"), 2);
}
END_TEST

START_TEST(a_stop_cancels_it)
{
    const char *path = run_and_fail();

    (void)bus_call(client, path, "Stop", NO_OPTIONS);
    check_no_restart(path);
    ck_assert_str_eq(bus_text(client, path, "State"), "FAILED");
}
END_TEST

START_TEST(a_destroy_cancels_it)
{
    const char *path = run_with("always", "20ms", "exit 3");

    bus_await(client, path, "SubState", "auto-restart");
    (void)bus_call(client, path, "Destroy", "a{sv}", 1, "Force", "b", 1);
    client_run(client, 50);
    ck_assert_uint_eq(bus_number(client, BUS_PATH, "InstanceCount"), 0);
}
END_TEST

START_TEST(what_was_told_to_stop_is_not_started_again)
{
    const char *path = run_with("always", "1ms", "sleep 100");

    (void)bus_call(client, path, "Stop", NO_OPTIONS);
    client_run(client, 30);
    ck_assert_str_eq(bus_text(client, path, "State"), "STOPPED");
    check_no_restart(path);
}
END_TEST

START_TEST(a_wait_for_the_final_end_skips_what_is_due)
{
    const char *path = run_with("on-failure", "1h", "exit 3");
    Pending *exit = bus_begin(client, path, "Wait", "a{sv}", 1, "Until", "s", "exit");
    Pending *final = bus_begin(client, path, "Wait", NO_OPTIONS);

    ck_assert_str_eq(pending_finish(exit), "");
    bus_await(client, path, "SubState", "auto-restart");
    client_run(client, 20);
    ck_assert(!final->over);
    (void)bus_call(client, path, "Stop", NO_OPTIONS);
    ck_assert_str_eq(pending_finish(final), "");
}
END_TEST

START_TEST(what_runs_too_long_has_failed)
{
    sd_bus_message *reply = bus_call(client, BUS_PATH, "RunInstance", "sa{sv}a{sv}", "web", 2,
                                     "Command", "as", 2, "sleep", "100", "RuntimeMaxSec", "s",
                                     "50ms", 0);
    const char *path;

    ck_assert_int_ge(sd_bus_message_read(reply, "o", &path), 0);
    path = g_intern_string(path);
    bus_await(client, path, "State", "FAILED");
    ck_assert_str_eq(bus_text(client, path, "Result"), "timeout");
}
END_TEST

START_TEST(a_status_can_count_as_success)
{
    sd_bus_message *reply = bus_call(client, BUS_PATH, "RunInstance", "sa{sv}a{sv}", "web", 2,
                                     "Command", "as", 3, "sh", "-c", "exit 42", "SuccessExitStatus",
                                     "s", "42 SIGUSR1", 0);
    const char *path;

    ck_assert_int_ge(sd_bus_message_read(reply, "o", &path), 0);
    path = g_intern_string(path);
    bus_await(client, path, "State", "STOPPED");
    ck_assert_str_eq(bus_text(client, path, "Result"), "success");
}
END_TEST

WORLD_MAIN("bus/restart", world_inherit, the_policy_decides_by_the_end,
           it_is_started_again_and_again_until_the_limit, what_is_due_is_told,
           a_start_does_not_wait_for_it, a_restart_does_not_wait_for_it, a_stop_cancels_it,
           a_destroy_cancels_it, what_was_told_to_stop_is_not_started_again,
           a_wait_for_the_final_end_skips_what_is_due, what_runs_too_long_has_failed,
           a_status_can_count_as_success)
