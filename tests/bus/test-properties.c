/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every property of every object: readable, of its type, and what it says of an instance in its
 * various states. */

#include <string.h>
#include <time.h>

#include "bus/world.h"

typedef struct Row {
    const char *property, *type;
} Row;

static const Row manager_rows[] = {
    { "Version", "s" },       { "NodeName", "s" },     { "ClusterName", "s" },
    { "Mode", "s" },          { "Realm", "s" },        { "MaxInstances", "u" },
    { "InstanceCount", "u" }, { "RunningCount", "u" }, { "FailedCount", "u" },
    { "Backends", "as" },     { "Quarantined", "as" },
};

static const Row instance_rows[] = {
    { "Id", "s" },
    { "Name", "s" },
    { "State", "s" },
    { "Owner", "u" },
    { "Node", "s" },
    { "SubState", "s" },
    { "Result", "s" },
    { "StatusText", "s" },
    { "ExitCode", "i" },
    { "ExitSignal", "i" },
    { "MainPID", "u" },
    { "InitPID", "u" },
    { "Run", "u" },
    { "Restarts", "u" },
    { "RestartReason", "s" },
    { "NextRestartTimestamp", "t" },
    { "Unit", "s" },
    { "Slice", "s" },
    { "ControlGroup", "s" },
    { "Backend", "s" },
    { "BackendReason", "s" },
    { "Isolation", "a(sss)" },
    { "Enforced", "a(ssbs)" },
    { "Degraded", "a(sss)" },
    { "CreatedTimestamp", "t" },
    { "CreatedTimestampMonotonic", "t" },
    { "StartedTimestamp", "t" },
    { "StartedTimestampMonotonic", "t" },
    { "StoppedTimestamp", "t" },
    { "StoppedTimestampMonotonic", "t" },
};

static sd_bus_message *get(const char *path, const char *interface, const char *property)
{
    return bus_call(client, path, "org.freedesktop.DBus.Properties.Get", "ss", interface, property);
}

static sd_bus_message *enter(const char *path, const char *property, const char *type)
{
    sd_bus_message *reply = get(path, INTERFACE_INSTANCE, property);

    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'v', type), 0);
    return reply;
}

/* The properties in the reply of GetAll. */
static unsigned count_all(const char *path, const char *interface)
{
    sd_bus_message *reply = bus_call(client, path, "org.freedesktop.DBus.Properties.GetAll", "s",
                                     interface);
    unsigned count = 0;

    ck_assert_int_ge(sd_bus_message_enter_container(reply, 'a', "{sv}"), 0);
    for (; sd_bus_message_at_end(reply, 0) == 0; count++)
        ck_assert_int_ge(sd_bus_message_skip(reply, "{sv}"), 0);
    return count;
}

static void check_rows(const char *path, const char *interface, const Row *rows, size_t count)
{
    const char *type;

    for (size_t i = 0; i < count; i++) {
        sd_bus_message *reply = get(path, interface, rows[i].property);
        ck_assert_int_gt(sd_bus_message_peek_type(reply, NULL, &type), 0);
        ck_assert_msg(strcmp(type, rows[i].type) == 0, "%s: %s", rows[i].property, type);
    }
    ck_assert_uint_ge(count_all(path, interface), count);
}

static void check_instance(const char *path)
{
    check_rows(path, INTERFACE_INSTANCE, instance_rows, G_N_ELEMENTS(instance_rows));
    ck_assert_uint_gt(count_all(path, INTERFACE_SETTINGS), 20);
}

static uint64_t timestamp(const char *path, const char *property)
{
    uint64_t value;

    ck_assert_int_ge(sd_bus_message_read(enter(path, property, "t"), "t", &value), 0);
    return value;
}

START_TEST(the_managers_properties_have_their_types)
{
    check_rows(BUS_PATH, INTERFACE_MANAGER, manager_rows, G_N_ELEMENTS(manager_rows));
    ck_assert_str_eq(bus_text(client, BUS_PATH, "Mode"), "private");
    ck_assert_str_eq(bus_text(client, BUS_PATH, "NodeName"), "node-1");
    ck_assert_str_eq(bus_text(client, BUS_PATH, "ClusterName"), "stars");
}
END_TEST

START_TEST(an_instances_properties_have_their_types_in_every_state)
{
    const char *path = bus_create_held(client, "web");

    check_instance(path);
    Pending *start = bus_begin(client, path, "Start", NO_OPTIONS);
    bus_await(client, path, "State", "STARTING");
    check_instance(path);
    program_release();
    ck_assert_str_eq(pending_finish(start), "");
    check_instance(path);
    (void)bus_call(client, path, "Stop", NO_OPTIONS);
    check_instance(path);
}
END_TEST

START_TEST(nothing_can_be_written)
{
    const char *path = bus_create(client, "web", "true");

    (void)bus_refuse(client, "PropertyReadOnly", path, "org.freedesktop.DBus.Properties.Set", "ssv",
                     INTERFACE_INSTANCE, "State", "s", "RUNNING");
    (void)bus_refuse(client, "PropertyReadOnly", BUS_PATH, "org.freedesktop.DBus.Properties.Set",
                     "ssv", INTERFACE_MANAGER, "MaxInstances", "u", 1);
}
END_TEST

START_TEST(an_unknown_property_is_none)
{
    const char *path = bus_create(client, "web", "true");

    (void)bus_refuse(client, "UnknownProperty", path, "org.freedesktop.DBus.Properties.Get", "ss",
                     INTERFACE_INSTANCE, "Colour");
}
END_TEST

START_TEST(timestamps_follow_each_other)
{
    const char *path = bus_run(client, "web", "sleep 0.01");
    uint64_t now = (uint64_t)time(NULL) * 1000000;

    bus_await(client, path, "State", "STOPPED");
    uint64_t made = timestamp(path, "CreatedTimestamp");
    uint64_t started = timestamp(path, "StartedTimestamp");
    uint64_t stopped = timestamp(path, "StoppedTimestamp");
    ck_assert(made + 60000000 > now && made < now + 60000000);
    ck_assert(made <= started && started <= stopped);
    ck_assert_uint_le(timestamp(path, "StartedTimestampMonotonic"),
                      timestamp(path, "StoppedTimestampMonotonic"));
}
END_TEST

START_TEST(a_new_run_has_not_stopped_yet)
{
    const char *path = bus_create(client, "web", "sleep 100");

    ck_assert_uint_eq(timestamp(path, "StartedTimestamp"), 0);
    (void)bus_call(client, path, "Start", NO_OPTIONS);
    ck_assert_uint_eq(timestamp(path, "StoppedTimestamp"), 0);
    (void)bus_call(client, path, "Restart", NO_OPTIONS);
    ck_assert_uint_eq(timestamp(path, "StoppedTimestamp"), 0);
}
END_TEST

START_TEST(the_exit_is_told)
{
    static const struct {
        const char *name, *script, *result;
        int32_t code, signal;
    } rows[] = {
        { "well", "exit 0", "success", 0, 0 },
        { "badly", "exit 42", "exit-code", 42, 0 },
        { "killed", "kill -KILL $$", "signal", -1, 9 },
    };
    int32_t code, signal;

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *path = bus_run(client, rows[i].name, rows[i].script);
        (void)bus_call(client, path, "Wait", NO_OPTIONS);
        ck_assert_str_eq(bus_text(client, path, "Result"), rows[i].result);
        ck_assert_int_ge(sd_bus_message_read(enter(path, "ExitCode", "i"), "i", &code), 0);
        ck_assert_int_ge(sd_bus_message_read(enter(path, "ExitSignal", "i"), "i", &signal), 0);
        ck_assert_msg(code == rows[i].code && signal == rows[i].signal, "%s: %d %d", rows[i].name,
                      code, signal);
    }
    ck_assert_uint_eq(bus_number(client, BUS_PATH, "FailedCount"), 2);
}
END_TEST

START_TEST(isolation_that_is_off_is_shared)
{
    const char *path, *kind, *outcome, *reason;
    sd_bus_message *reply = bus_call(client, BUS_PATH, "RunInstance", "sa{sv}a{sv}", "web", 4,
                                     "Command", "as", 2, "sleep", "100", "PIDNamespace", "s", "off",
                                     "UTSNamespace", "s", "off", "IPCNamespace", "s", "off", 0);
    unsigned shared = 0;

    ck_assert_int_ge(sd_bus_message_read(reply, "o", &path), 0);
    reply = enter(g_intern_string(path), "Isolation", "a(sss)");
    ck_assert_int_ge(sd_bus_message_enter_container(reply, 'a', "(sss)"), 0);
    while (sd_bus_message_read(reply, "(sss)", &kind, &outcome, &reason) > 0) {
        ck_assert_msg((strcmp(outcome, "refused") == 0) == (*reason != '\0'), "%s: %s", kind,
                      reason);
        shared += strcmp(outcome, "shared") == 0 &&
                  (strcmp(kind, "pid") == 0 || strcmp(kind, "uts") == 0 ||
                   strcmp(kind, "ipc") == 0);
    }
    ck_assert_uint_eq(shared, 3);
}
END_TEST

START_TEST(what_is_not_enforced_is_degraded)
{
    const char *path, *feature, *code, *value, *reason;
    sd_bus_message *reply = bus_call(client, BUS_PATH, "RunInstance", "sa{sv}a{sv}", "web", 4,
                                     "Command", "as", 2, "sleep", "100", "Backend", "s", "monitor",
                                     "MemoryMax", "s", "64M", "CgroupNamespace", "s", "off", 0);
    int enforced;

    ck_assert_int_ge(sd_bus_message_read(reply, "o", &path), 0);
    path = g_intern_string(path);
    reply = enter(path, "Enforced", "a(ssbs)");
    ck_assert_int_ge(sd_bus_message_enter_container(reply, 'a', "(ssbs)"), 0);
    ck_assert_int_gt(sd_bus_message_read(reply, "(ssbs)", &feature, &value, &enforced, &reason), 0);
    ck_assert_str_eq(feature, "MemoryMax");
    ck_assert(!enforced && *reason);
    reply = enter(path, "Degraded", "a(sss)");
    ck_assert_int_ge(sd_bus_message_enter_container(reply, 'a', "(sss)"), 0);
    bool found = false;
    while (sd_bus_message_read(reply, "(sss)", &feature, &code, &reason) > 0)
        found |= strcmp(feature, "MemoryMax") == 0 && strcmp(code, "unsupported") == 0 && *reason;
    ck_assert(found);
}
END_TEST

START_TEST(the_backend_is_told_while_it_runs)
{
    const char *path = bus_create(client, "web", "sleep 100");

    ck_assert_str_eq(bus_text(client, path, "Backend"), "");
    (void)bus_call(client, path, "Start", NO_OPTIONS);
    const char *backend = g_intern_string(bus_text(client, path, "Backend"));
    ck_assert(strcmp(backend, "cgroup") == 0 || strcmp(backend, "monitor") == 0);
    ck_assert_str_ne(bus_text(client, path, "BackendReason"), "");
    ck_assert_int_eq(*bus_text(client, path, "ControlGroup") == '/',
                     strcmp(backend, "cgroup") == 0);
}
END_TEST

WORLD_MAIN("bus/properties", world_inherit, the_managers_properties_have_their_types,
           an_instances_properties_have_their_types_in_every_state, nothing_can_be_written,
           an_unknown_property_is_none, timestamps_follow_each_other, a_new_run_has_not_stopped_yet,
           the_exit_is_told, isolation_that_is_off_is_shared, what_is_not_enforced_is_degraded,
           the_backend_is_told_while_it_runs)
