/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SetLimits: what it changes, what it refuses, and that nothing of a refused one is left. Whether
 * limits bite is seen where there are controllers: tests/system. */

#include <string.h>

#include "bus/world.h"

#define MIB               (UINT64_C(1) << 20)
#define SET(path, n, ...) bus_call(client, path, "SetLimits", "a{sv}a{sv}", n, __VA_ARGS__, 0)
#define REFUSE(error, path, n, ...) \
    bus_refuse(client, error, path, "SetLimits", "a{sv}a{sv}", n, __VA_ARGS__, 0)

static uint64_t asked(const char *path, const char *setting)
{
    sd_bus_message *reply = bus_call(client, path, "org.freedesktop.DBus.Properties.Get", "ss",
                                     INTERFACE_SETTINGS, setting);
    uint64_t value;

    ck_assert_int_ge(sd_bus_message_read(reply, "v", "t", &value), 0);
    return value;
}

/* A row of Enforced, or NULL. */
static const char *enforced(const char *path, const char *wanted)
{
    sd_bus_message *reply = bus_call(client, path, "org.freedesktop.DBus.Properties.Get", "ss",
                                     INTERFACE_INSTANCE, "Enforced");
    const char *limit, *value, *reason;
    int holds;

    ck_assert_int_ge(sd_bus_message_enter_container(reply, 'v', "a(ssbs)"), 0);
    ck_assert_int_ge(sd_bus_message_enter_container(reply, 'a', "(ssbs)"), 0);
    while (sd_bus_message_read(reply, "(ssbs)", &limit, &value, &holds, &reason) > 0)
        if (strcmp(limit, wanted) == 0)
            return holds ? value : reason;
    return NULL;
}

START_TEST(before_a_start_it_changes_what_will_be_asked_for)
{
    const char *path = bus_create(client, "web", "sleep 100");

    (void)SET(path, 2, "MemoryMax", "s", "64M", "TasksMax", "t", UINT64_C(20));
    ck_assert_uint_eq(asked(path, "MemoryMax"), 64 * MIB);
    ck_assert_uint_eq(asked(path, "TasksMax"), 20);
    (void)bus_call(client, path, "Start", NO_OPTIONS);
    ck_assert_ptr_nonnull(enforced(path, "MemoryMax"));
}
END_TEST

START_TEST(while_it_runs_every_limit_is_told_as_it_is)
{
    const char *path = bus_run(client, "web", "sleep 100");

    ck_assert_ptr_null(enforced(path, "TasksMax"));
    (void)SET(path, 1, "TasksMax", "t", UINT64_C(20));
    ck_assert_ptr_nonnull(enforced(path, "TasksMax"));
    ck_assert_uint_eq(asked(path, "TasksMax"), 20);
    ck_assert_str_eq(bus_text(client, path, "State"), "RUNNING");
    (void)SET(path, 1, "TasksMax", "s", "infinity");
    ck_assert_uint_eq(asked(path, "TasksMax"), UINT64_MAX);
}
END_TEST

START_TEST(it_holds_for_the_next_run)
{
    const char *path = bus_run(client, "web", "sleep 100");

    (void)SET(path, 1, "MemoryMax", "s", "64M");
    (void)bus_call(client, path, "Restart", NO_OPTIONS);
    ck_assert_uint_eq(asked(path, "MemoryMax"), 64 * MIB);
    ck_assert_ptr_nonnull(enforced(path, "MemoryMax"));
}
END_TEST

START_TEST(what_is_no_limit_is_refused_and_nothing_is_changed)
{
    const char *path = bus_run(client, "web", "sleep 100");
    static const char *const others[][2] = {
        { "Hostname", "other" },
        { "Command", "true" },
        { "Restart", "always" },
        { "Nonsense", "1" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        const char *message = REFUSE("InvalidArgs", path, 2, "MemoryMax", "s", "64M", others[i][0],
                                     "s", others[i][1]);
        ck_assert_msg(strstr(message, others[i][0]), "%s", message);
    }
    ck_assert_ptr_nonnull(
        strstr(REFUSE("InvalidArgs", path, 1, "MemoryMax", "s", "1"), "MemoryMax"));
    ck_assert_uint_eq(asked(path, "MemoryMax"), UINT64_MAX);
}
END_TEST

START_TEST(what_is_required_and_cannot_be_had_is_refused)
{
    sd_bus_message *reply = bus_call(client, BUS_PATH, "RunInstance", "sa{sv}a{sv}", "web", 3,
                                     "Command", "as", 2, "sleep", "100", "Backend", "s", "monitor",
                                     "Require", "as", 1, "MemoryMax", 0);
    const char *path;

    ck_assert_int_ge(sd_bus_message_read(reply, "o", &path), 0);
    path = g_intern_string(path);
    (void)REFUSE("CgroupFailed", path, 1, "MemoryMax", "s", "64M");
    ck_assert_uint_eq(asked(path, "MemoryMax"), UINT64_MAX);
    (void)SET(path, 1, "TasksMax", "s", "64");
    ck_assert_ptr_nonnull(strstr(enforced(path, "TasksMax"), "no cgroup"));
}
END_TEST

START_TEST(a_change_is_signalled)
{
    const char *path = bus_run(client, "web", "sleep 100");
    g_autofree char *line = g_strdup_printf("PropertiesChanged %s %s", strrchr(path, '/') + 1,
                                            INTERFACE_SETTINGS);

    (void)SET(path, 1, "MemoryMax", "s", "64M");
    signal_await(client, line);
}
END_TEST

START_TEST(a_change_to_nothing_is_none)
{
    const char *path = bus_run(client, "web", "sleep 100");

    (void)bus_call(client, path, "SetLimits", "a{sv}a{sv}", 0, 0);
    (void)bus_refuse(client, "InvalidArgs", path, "SetLimits", "a{sv}a{sv}", 0, 1, "Force", "b", 1);
}
END_TEST

START_TEST(while_it_starts_it_is_refused)
{
    const char *path = bus_create_held(client, "web");

    (void)bus_begin(client, path, "Start", NO_OPTIONS);
    bus_await(client, path, "State", "STARTING");
    (void)REFUSE("InvalidState", path, 1, "MemoryMax", "s", "64M");
    program_release();
    bus_await(client, path, "State", "RUNNING");
}
END_TEST

WORLD_MAIN("bus/limits", world_inherit, before_a_start_it_changes_what_will_be_asked_for,
           while_it_runs_every_limit_is_told_as_it_is, it_holds_for_the_next_run,
           what_is_no_limit_is_refused_and_nothing_is_changed,
           what_is_required_and_cannot_be_had_is_refused, a_change_is_signalled,
           a_change_to_nothing_is_none, while_it_starts_it_is_refused)
