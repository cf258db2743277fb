/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The methods of an Instance: what each does, and what it says to what is wrong. */

#include <signal.h>
#include <string.h>

#include "bus/world.h"

static bool has_cgroup(const char *path)
{
    return strcmp(bus_text(client, path, "Backend"), "monitor") != 0;
}

START_TEST(start_answers_when_the_payload_was_executed)
{
    const char *path = bus_create(client, "web", "sleep 100");

    (void)bus_call(client, path, "Start", NO_OPTIONS);
    ck_assert_str_eq(bus_text(client, path, "State"), "RUNNING");
    ck_assert_uint_eq(bus_number(client, path, "Run"), 1);
}
END_TEST

START_TEST(a_start_that_fails_names_the_step)
{
    sd_bus_message *reply = bus_call(client, BUS_PATH, "CreateInstance", "sa{sv}", "web", 2,
                                     "Command", "as", 1, "true", "WorkingDirectory", "s",
                                     "/nonexistent");
    const char *path, *message;

    ck_assert_int_ge(sd_bus_message_read(reply, "o", &path), 0);
    path = g_intern_string(path);
    message = bus_refuse(client, "SpawnFailed", path, "Start", NO_OPTIONS);
    ck_assert_ptr_nonnull(strstr(message, "WorkingDirectory"));
    ck_assert_str_eq(bus_text(client, path, "State"), "FAILED");
    ck_assert_str_eq(bus_text(client, path, "Result"), "exec");
    ck_assert_uint_eq(bus_number(client, path, "InitPID"), 0);
}
END_TEST

START_TEST(a_start_that_must_not_degrade_is_refused_where_it_would)
{
    sd_bus_message *reply = bus_call(client, BUS_PATH, "CreateInstance", "sa{sv}", "web", 3,
                                     "Command", "as", 2, "sleep", "100", "Backend", "s", "monitor",
                                     "MemoryMax", "t", UINT64_C(64) << 20);
    const char *path;

    ck_assert_int_ge(sd_bus_message_read(reply, "o", &path), 0);
    path = g_intern_string(path);
    (void)bus_refuse(client, "CgroupFailed", path, "Start", "a{sv}", 1, "NoDegrade", "b", 1);
    ck_assert_str_eq(bus_text(client, path, "State"), "FAILED");
    (void)bus_call(client, path, "Start", NO_OPTIONS);
    ck_assert_str_eq(bus_text(client, path, "StatusText"), "running, degraded");
}
END_TEST

START_TEST(stop_answers_when_everything_is_gone)
{
    const char *path = bus_run_ready(client, "web", "sleep 100 & sleep 100 & echo; wait");
    g_autofree pid_t *pids = bus_processes(client, path);

    (void)bus_call(client, path, "Stop", NO_OPTIONS);
    ck_assert(processes_are_gone(pids, 0));
    ck_assert_str_eq(bus_text(client, path, "State"), "STOPPED");
    ck_assert_str_eq(bus_text(client, path, "Result"), "success");
    ck_assert_uint_eq(bus_number(client, path, "MainPID"), 0);
}
END_TEST

START_TEST(a_payload_that_does_not_listen_is_killed_after_the_timeout)
{
    const char *path = bus_run_ready(client, "web",
                                     "trap '' TERM; echo; while :; do sleep 1; done");
    g_autofree pid_t *pids = bus_processes(client, path);

    (void)bus_call(client, path, "Stop", "a{sv}", 1, "TimeoutUSec", "t", UINT64_C(100000));
    ck_assert(processes_are_gone(pids, 0));
    ck_assert_str_eq(bus_text(client, path, "State"), "STOPPED");
    ck_assert_str_eq(bus_text(client, path, "Result"), "timeout");
}
END_TEST

START_TEST(stop_uses_the_signal_it_is_given)
{
    const char *path = bus_run_ready(
        client, "web", "trap '' TERM; trap 'exit 7' USR1; echo; while :; do sleep 0.01; done");

    (void)bus_call(client, path, "Stop", "a{sv}", 1, "Signal", "i", SIGUSR1);
    ck_assert_str_eq(bus_text(client, path, "Result"), "success");
}
END_TEST

START_TEST(a_stop_without_time_kills_at_once)
{
    const char *path = bus_run_ready(client, "web",
                                     "trap '' TERM; echo; while :; do sleep 1; done");

    (void)bus_call(client, path, "Stop", "a{sv}", 1, "TimeoutUSec", "u", 0);
    ck_assert_str_eq(bus_text(client, path, "State"), "STOPPED");
}
END_TEST

START_TEST(restart_is_a_new_run)
{
    const char *path = bus_run(client, "web", "sleep 100");
    uint32_t pid = bus_number(client, path, "InitPID");

    (void)bus_call(client, path, "Restart", NO_OPTIONS);
    ck_assert_str_eq(bus_text(client, path, "State"), "RUNNING");
    ck_assert_uint_eq(bus_number(client, path, "Run"), 2);
    ck_assert_uint_ne(bus_number(client, path, "InitPID"), pid);
}
END_TEST

START_TEST(destroy_takes_the_object_away)
{
    const char *path = bus_create(client, "web", "true");

    (void)bus_call(client, path, "Destroy", NO_OPTIONS);
    (void)bus_refuse(client, "UnknownObject", path, "Start", NO_OPTIONS);
    ck_assert_uint_eq(bus_number(client, BUS_PATH, "InstanceCount"), 0);
}
END_TEST

START_TEST(destroy_by_force_takes_the_processes_along)
{
    const char *path = bus_run_ready(client, "web",
                                     "trap '' TERM; echo; while :; do sleep 1; done");
    g_autofree pid_t *pids = bus_processes(client, path);

    (void)bus_call(client, path, "Destroy", "a{sv}", 1, "Force", "b", 1);
    ck_assert(processes_are_gone(pids, 0));
    ck_assert_uint_eq(bus_number(client, BUS_PATH, "InstanceCount"), 0);
}
END_TEST

START_TEST(what_is_not_waited_for_answers_before_it_is_over)
{
    const char *path = bus_run_ready(
        client, "web", "trap 'sleep 0.2; exit' TERM; echo; while :; do sleep 0.01; done");

    (void)bus_call(client, path, "Stop", "a{sv}", 1, "NoWait", "b", 1);
    ck_assert_str_eq(bus_text(client, path, "State"), "STOPPING");
    bus_await(client, path, "State", "STOPPED");
    (void)bus_call(client, path, "Start", "a{sv}", 1, "NoWait", "b", 1);
    bus_await(client, path, "State", "RUNNING");
    (void)bus_call(client, path, "Restart", "a{sv}", 1, "NoWait", "b", 1);
    bus_await(client, path, "State", "RUNNING");
    (void)bus_call(client, path, "Destroy", "a{sv}", 2, "NoWait", "b", 1, "Force", "b", 1);
    signal_await(client, "InterfacesRemoved");
}
END_TEST

START_TEST(kill_reaches_the_payload)
{
    const char *path = bus_run_ready(client, "web",
                                     "trap 'exit 7' USR1; echo; while :; do sleep 0.01; done");

    (void)bus_call(client, path, "Kill", "sia{sv}", "main", SIGUSR1, 0);
    bus_await(client, path, "State", "FAILED");
    ck_assert_str_eq(bus_text(client, path, "Result"), "exit-code");
}
END_TEST

START_TEST(kill_reaches_all_processes)
{
    const char *path = bus_run_ready(client, "web",
                                     "sleep 100 & echo; trap 'exit 7' USR1; wait; wait");

    (void)bus_call(client, path, "Kill", "sia{sv}", "all", SIGKILL, 0);
    bus_await(client, path, "State", "FAILED");
    ck_assert_str_eq(bus_text(client, path, "Result"), "signal");
}
END_TEST

START_TEST(a_wrong_kill_is_refused)
{
    const char *path = bus_run(client, "web", "sleep 100");

    (void)bus_refuse(client, "InvalidArgs", path, "Kill", "sia{sv}", "nobody", SIGTERM, 0);
    (void)bus_refuse(client, "InvalidArgs", path, "Kill", "sia{sv}", "main", 0, 0);
    (void)bus_refuse(client, "InvalidArgs", path, "Kill", "sia{sv}", "main", 32, 0);
    (void)bus_refuse(client, "InvalidArgs", path, "Kill", "sia{sv}", "main", -9, 0);
    (void)bus_refuse(client, "InvalidArgs", path, "Kill", "sia{sv}", "all", SIGTERM, 1, "Hard", "b",
                     1);
    ck_assert_str_eq(bus_text(client, path, "State"), "RUNNING");
}
END_TEST

START_TEST(a_sandbox_has_no_main_process)
{
    sd_bus_message *reply = bus_call(client, BUS_PATH, "RunInstance", "sa{sv}a{sv}", "box", 0, 0);
    const char *path;

    ck_assert_int_ge(sd_bus_message_read(reply, "o", &path), 0);
    path = g_intern_string(path);
    ck_assert_str_eq(bus_text(client, path, "State"), "RUNNING");
    ck_assert_uint_eq(bus_number(client, path, "MainPID"), 0);
    (void)bus_refuse(client, "InvalidState", path, "Kill", "sia{sv}", "main", SIGTERM, 0);
    (void)bus_call(client, path, "Stop", NO_OPTIONS);
    ck_assert_str_eq(bus_text(client, path, "State"), "STOPPED");
}
END_TEST

START_TEST(freeze_and_thaw_need_a_cgroup)
{
    const char *path = bus_run(client, "web", "sleep 100");

    if (!has_cgroup(path)) {
        (void)bus_refuse(client, "CgroupFailed", path, "Freeze", NO_OPTIONS);
        ck_assert_str_eq(bus_text(client, path, "SubState"), "running");
        return;
    }
    (void)bus_call(client, path, "Freeze", NO_OPTIONS);
    ck_assert_str_eq(bus_text(client, path, "SubState"), "frozen");
    (void)bus_call(client, path, "Thaw", NO_OPTIONS);
    ck_assert_str_eq(bus_text(client, path, "SubState"), "running");
}
END_TEST

START_TEST(what_is_frozen_can_be_stopped)
{
    const char *path = bus_run(client, "web", "sleep 100");

    if (has_cgroup(path))
        (void)bus_call(client, path, "Freeze", NO_OPTIONS);
    (void)bus_call(client, path, "Stop", NO_OPTIONS);
    ck_assert_str_eq(bus_text(client, path, "State"), "STOPPED");
    ck_assert_str_eq(bus_text(client, path, "Result"), "success");
}
END_TEST

START_TEST(unknown_options_are_refused_by_name)
{
    static const char *const methods[] = { "Start",  "Stop", "Restart", "Destroy",
                                           "Freeze", "Thaw", "Wait" };
    const char *path = bus_create(client, "web", "true");

    for (size_t i = 0; i < G_N_ELEMENTS(methods); i++) {
        const char *message = bus_refuse(client, "InvalidArgs", path, methods[i], "a{sv}", 1,
                                         "Fast", "b", 1);
        ck_assert_msg(strstr(message, "Fast"), "%s: %s", methods[i], message);
    }
    ck_assert_str_eq(bus_text(client, path, "State"), "PENDING");
}
END_TEST

START_TEST(options_of_other_types_or_given_twice_are_refused)
{
    const char *path = bus_create(client, "web", "true");

    (void)bus_refuse(client, "InvalidArgs", path, "Start", "a{sv}", 1, "NoWait", "s", "yes");
    (void)bus_refuse(client, "InvalidArgs", path, "Start", "a{sv}", 2, "NoWait", "b", 1, "NoWait",
                     "b", 1);
    (void)bus_refuse(client, "InvalidArgs", path, "Start", "a{sv}", 1, "Stdout", "u", 1);
    (void)bus_refuse(client, "InvalidArgs", path, "Stop", "a{sv}", 1, "TimeoutUSec", "i", -1);
    (void)bus_refuse(client, "InvalidArgs", path, "Stop", "a{sv}", 1, "Signal", "i", 0);
    (void)bus_refuse(client, "InvalidArgs", path, "Stop", "a{sv}", 1, "Signal", "u", 64);
    (void)bus_refuse(client, "InvalidArgs", path, "Destroy", "a{sv}", 1, "Force", "u", 1);
}
END_TEST

START_TEST(arguments_of_other_types_are_refused)
{
    static const char *const methods[] = { "Start",         "Stop",         "Restart", "Destroy",
                                           "Kill",          "Freeze",       "Thaw",    "Wait",
                                           "GetUsage",      "GetProcesses", "GetPlan", "Describe",
                                           "GetEnvironment" };
    const char *path = bus_create(client, "web", "true");

    for (size_t i = 0; i < G_N_ELEMENTS(methods); i++)
        (void)bus_refuse(client, "InvalidArgs", path, methods[i], "u", 1);
}
END_TEST

START_TEST(usage_is_told_while_it_runs)
{
    const char *path = bus_run(client, "web", "sleep 100"), *key, *type;
    sd_bus_message *reply = bus_call(client, path, "GetUsage", "");
    unsigned numbers = 0, sources = 0;

    ck_assert_int_ge(sd_bus_message_enter_container(reply, 'a', "{sv}"), 0);
    while (sd_bus_message_enter_container(reply, 'e', "sv") > 0) {
        ck_assert_int_ge(sd_bus_message_read(reply, "s", &key), 0);
        ck_assert_int_ge(sd_bus_message_peek_type(reply, NULL, &type), 0);
        numbers += strcmp(type, "t") == 0;
        sources += strcmp(key, "Source") == 0 && strcmp(type, "s") == 0;
        ck_assert_int_ge(sd_bus_message_skip(reply, "v"), 0);
        ck_assert_int_ge(sd_bus_message_exit_container(reply), 0);
    }
    ck_assert_uint_ge(numbers, 1);
    ck_assert_uint_eq(sources, 1);
}
END_TEST

START_TEST(what_does_not_run_uses_nothing)
{
    const char *path = bus_create(client, "web", "true");
    g_autofree pid_t *pids = bus_processes(client, path);
    sd_bus_message *reply = bus_call(client, path, "GetUsage", "");

    ck_assert_int_eq(pids[0], 0);
    ck_assert_int_ge(sd_bus_message_enter_container(reply, 'a', "{sv}"), 0);
    ck_assert_int_eq(sd_bus_message_at_end(reply, 0), 1);
}
END_TEST

START_TEST(processes_are_shown_from_outside_and_inside)
{
    const char *path = bus_run_ready(client, "web", "sleep 100 & echo; wait"), *command;
    pid_t main_pid = (pid_t)bus_number(client, path, "MainPID");
    sd_bus_message *reply = bus_call(client, path, "GetProcesses", "");
    uint32_t outside, inside;
    bool found = false;
    unsigned count = 0;

    ck_assert_int_ge(sd_bus_message_enter_container(reply, 'a', "(uus)"), 0);
    for (; sd_bus_message_read(reply, "(uus)", &outside, &inside, &command) > 0; count++)
        found |= (pid_t)outside == main_pid && inside > 0 && strstr(command, "sh") != NULL;
    ck_assert(found);
    ck_assert_uint_ge(count, 2);
}
END_TEST

START_TEST(the_plan_is_that_of_the_last_start)
{
    const char *path = bus_create(client, "web", "sleep 100"), *step, *outcome, *reason;
    bool executes = false;

    (void)bus_refuse(client, "InvalidState", path, "GetPlan", "");
    (void)bus_call(client, path, "Start", NO_OPTIONS);
    sd_bus_message *reply = bus_call(client, path, "GetPlan", "");
    ck_assert_int_ge(sd_bus_message_enter_container(reply, 'a', "(sss)"), 0);
    while (sd_bus_message_read(reply, "(sss)", &step, &outcome, &reason) > 0) {
        ck_assert_str_ne(step, "unknown");
        executes = strcmp(step, "exec") == 0 && strcmp(outcome, "planned") == 0;
    }
    ck_assert(executes);
}
END_TEST

START_TEST(the_environment_is_told_as_it_was_asked)
{
    sd_bus_message *reply = bus_call(client, BUS_PATH, "CreateInstance", "sa{sv}", "web", 1,
                                     "Environment", "as", 2, "A=1", "B=two words");
    g_auto(GStrv) values = NULL;
    const char *path;

    ck_assert_int_ge(sd_bus_message_read(reply, "o", &path), 0);
    reply = bus_call(client, g_intern_string(path), "GetEnvironment", "");
    ck_assert_int_ge(sd_bus_message_read_strv(reply, &values), 0);
    ck_assert_uint_eq(g_strv_length(values), 2);
    ck_assert_str_eq(values[0], "A=1");
    ck_assert_str_eq(values[1], "B=two words");
}
END_TEST

START_TEST(a_description_keeps_secrets)
{
    sd_bus_message *reply = bus_call(client, BUS_PATH, "CreateInstance", "sa{sv}", "web", 2,
                                     "Description", "s", "a \"quoted\" one", "Environment", "as", 1,
                                     "PASSWORD=hidden");
    const char *path, *json;

    ck_assert_int_ge(sd_bus_message_read(reply, "o", &path), 0);
    reply = bus_call(client, g_intern_string(path), "Describe", "");
    ck_assert_int_ge(sd_bus_message_read(reply, "s", &json), 0);
    ck_assert(json[0] == '{' && strchr(json, '\n') == NULL);
    ck_assert_ptr_nonnull(strstr(json, "\"State\":\"PENDING\""));
    ck_assert_ptr_nonnull(strstr(json, "a \\\"quoted\\\" one"));
    ck_assert_ptr_null(strstr(json, "hidden"));
}
END_TEST

START_TEST(an_instance_that_is_removed_on_exit_is_gone_with_its_run)
{
    (void)bus_call(client, BUS_PATH, "RunInstance", "sa{sv}a{sv}", "web", 2, "Command", "as", 1,
                   "true", "RemoveOnExit", "b", 1, 0);
    signal_await(client, "InterfacesRemoved");
    ck_assert_uint_eq(bus_number(client, BUS_PATH, "InstanceCount"), 0);
}
END_TEST

WORLD_MAIN("bus/instance", world_inherit, start_answers_when_the_payload_was_executed,
           a_start_that_fails_names_the_step,
           a_start_that_must_not_degrade_is_refused_where_it_would,
           stop_answers_when_everything_is_gone,
           a_payload_that_does_not_listen_is_killed_after_the_timeout,
           stop_uses_the_signal_it_is_given, a_stop_without_time_kills_at_once,
           restart_is_a_new_run, destroy_takes_the_object_away,
           destroy_by_force_takes_the_processes_along,
           what_is_not_waited_for_answers_before_it_is_over, kill_reaches_the_payload,
           kill_reaches_all_processes, a_wrong_kill_is_refused, a_sandbox_has_no_main_process,
           freeze_and_thaw_need_a_cgroup, what_is_frozen_can_be_stopped,
           unknown_options_are_refused_by_name, options_of_other_types_or_given_twice_are_refused,
           arguments_of_other_types_are_refused, usage_is_told_while_it_runs,
           what_does_not_run_uses_nothing, processes_are_shown_from_outside_and_inside,
           the_plan_is_that_of_the_last_start, the_environment_is_told_as_it_was_asked,
           a_description_keeps_secrets, an_instance_that_is_removed_on_exit_is_gone_with_its_run)
