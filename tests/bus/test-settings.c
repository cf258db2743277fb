/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Settings as they come over the bus, and as they are read back from the Settings interface. */

#include <string.h>

#include "bus/world.h"

static const char *created(sd_bus_message *reply)
{
    const char *path;

    ck_assert_int_ge(sd_bus_message_read(reply, "o", &path), 0);
    return g_intern_string(path);
}

#define CREATE_WITH(name, n, ...) \
    created(bus_call(client, BUS_PATH, "CreateInstance", "sa{sv}", name, n, __VA_ARGS__))
#define REFUSE_WITH(n, ...) \
    bus_refuse(client, "InvalidArgs", BUS_PATH, "CreateInstance", "sa{sv}", "web", n, __VA_ARGS__)

static sd_bus_message *get(const char *path, const char *setting, const char *type)
{
    sd_bus_message *reply = bus_call(client, path, "org.freedesktop.DBus.Properties.Get", "ss",
                                     INTERFACE_SETTINGS, setting);

    ck_assert_msg(sd_bus_message_enter_container(reply, 'v', type) > 0, "%s", setting);
    return reply;
}

static uint64_t get_number(const char *path, const char *setting)
{
    uint64_t value;

    ck_assert_int_ge(sd_bus_message_read(get(path, setting, "t"), "t", &value), 0);
    return value;
}

static const char *get_string(const char *path, const char *setting)
{
    const char *value;

    ck_assert_int_ge(sd_bus_message_read(get(path, setting, "s"), "s", &value), 0);
    return value;
}

START_TEST(what_was_set_is_read_back)
{
    const char *path = CREATE_WITH("web", 9, "Description", "s", "for people", "Command", "as", 2,
                                   "sleep", "100", "WorkingDirectory", "s", "/usr", "Labels", "as",
                                   1, "blue", "TimeoutStopUSec", "t", UINT64_C(1500000),
                                   "KillSignal", "i", 2, "RemoveOnExit", "b", 1, "PIDNamespace",
                                   "s", "off", "CPUQuotaPerSecUSec", "t", UINT64_C(500000));
    g_auto(GStrv) command = NULL;
    int value;

    ck_assert_str_eq(get_string(path, "Description"), "for people");
    ck_assert_str_eq(get_string(path, "WorkingDirectory"), "/usr");
    ck_assert_str_eq(get_string(path, "PIDNamespace"), "off");
    ck_assert_uint_eq(get_number(path, "TimeoutStopUSec"), 1500000);
    ck_assert_uint_eq(get_number(path, "CPUQuotaPerSecUSec"), 500000);
    ck_assert_int_ge(sd_bus_message_read(get(path, "KillSignal", "i"), "i", &value), 0);
    ck_assert_int_eq(value, 2);
    ck_assert_int_ge(sd_bus_message_read(get(path, "RemoveOnExit", "b"), "b", &value), 0);
    ck_assert_int_eq(value, 1);
    ck_assert_int_ge(sd_bus_message_read_strv(get(path, "Command", "as"), &command), 0);
    ck_assert_uint_eq(g_strv_length(command), 2);
}
END_TEST

START_TEST(what_was_not_set_has_its_default)
{
    const char *path = bus_create(client, "web", "true");

    ck_assert_str_eq(get_string(path, "PIDNamespace"), "try");
    ck_assert_str_eq(get_string(path, "StandardOutput"), "journal");
    ck_assert_str_eq(get_string(path, "Description"), "");
    ck_assert_uint_eq(get_number(path, "MemoryMax"), UINT64_MAX);
    ck_assert_uint_eq(get_number(path, "TimeoutStopUSec"), UINT64_C(90000000));
}
END_TEST

START_TEST(the_spelling_of_files_is_taken_too)
{
    const char *path = CREATE_WITH("web", 7, "TimeoutStopSec", "s", "1min 30s", "CPUQuota", "s",
                                   "50%", "MemoryMax", "s", "64M", "KillSignal", "s", "INT",
                                   "RemoveOnExit", "s", "yes", "Command", "s", "sh -c 'exit 3'",
                                   "TasksMax", "s", "infinity");

    ck_assert_uint_eq(get_number(path, "TimeoutStopUSec"), UINT64_C(90000000));
    ck_assert_uint_eq(get_number(path, "CPUQuotaPerSecUSec"), 500000);
    ck_assert_uint_eq(get_number(path, "MemoryMax"), UINT64_C(64) << 20);
    ck_assert_uint_eq(get_number(path, "TasksMax"), UINT64_MAX);
    (void)bus_call(client, path, "Start", NO_OPTIONS);
    signal_await(client, "InterfacesRemoved");
    ck_assert_ptr_nonnull(strstr(client->signals->str, "exit-code 1 3"));
}
END_TEST

/* sd-bus promotes what is smaller than an int, as printf does. */
START_TEST(any_integer_that_fits_is_taken)
{
    static const char types[] = "ynqiuxt";

    for (size_t i = 0; types[i]; i++) {
        const char type[] = { types[i], '\0' };
        g_autofree char *name = g_strdup_printf("web-%zu", i);
        const char *path = strchr("xt", types[i])
                               ? CREATE_WITH(name, 1, "TasksMax", type, UINT64_C(100))
                               : CREATE_WITH(name, 1, "TasksMax", type, 100);
        ck_assert_msg(get_number(path, "TasksMax") == 100, "%s", type);
    }
}
END_TEST

START_TEST(integers_that_do_not_fit_are_refused)
{
    (void)REFUSE_WITH(1, "TasksMax", "i", -1);
    (void)REFUSE_WITH(1, "TasksMax", "x", INT64_MIN);
    (void)REFUSE_WITH(1, "TasksMax", "u", 0);
    (void)REFUSE_WITH(1, "KillSignal", "t", UINT64_C(1) << 32 | 15);
    (void)REFUSE_WITH(1, "KillSignal", "i", 32);
    (void)REFUSE_WITH(1, "MemoryMax", "t", UINT64_C(1));
}
END_TEST

START_TEST(other_types_are_refused)
{
    (void)REFUSE_WITH(1, "TasksMax", "d", 100.0);
    (void)REFUSE_WITH(1, "TasksMax", "b", 1);
    (void)REFUSE_WITH(1, "RemoveOnExit", "u", 1);
    (void)REFUSE_WITH(1, "Description", "u", 1);
    (void)REFUSE_WITH(1, "Description", "as", 1, "x");
    (void)REFUSE_WITH(1, "Command", "o", "/bin/true");
    (void)REFUSE_WITH(1, "Command", "ay", 2, 1, 2);
    (void)REFUSE_WITH(1, "Command", "v", "s", "true");
    (void)REFUSE_WITH(1, "Labels", "a{ss}", 1, "a", "b");
    ck_assert_uint_eq(bus_number(client, BUS_PATH, "InstanceCount"), 0);
}
END_TEST

START_TEST(every_refusal_names_the_setting)
{
    const struct {
        const char *name, *value;
    } rows[] = {
        { "Comand", "true" },
        { "PIDNamespace", "maybe" },
        { "Script", "relative/path" },
        { "TimeoutStopSec", "soon" },
        { "User", "a b" },
        { "Hostname", "-" },
        { "StandardOutput", "printer" },
        { "Require", "Nothing" },
        { "CPUQuota", "much" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *message = REFUSE_WITH(1, rows[i].name, "s", rows[i].value);
        ck_assert_msg(strstr(message, rows[i].name), "%s: %s", rows[i].name, message);
    }
}
END_TEST

START_TEST(a_typing_error_gets_a_guess)
{
    ck_assert_ptr_nonnull(strstr(REFUSE_WITH(1, "Comand", "s", "true"), "Command"));
}
END_TEST

START_TEST(a_setting_given_twice_is_refused)
{
    (void)REFUSE_WITH(2, "Description", "s", "a", "Description", "s", "b");
    ck_assert_ptr_nonnull(strstr(
        REFUSE_WITH(2, "TimeoutStopSec", "s", "1s", "TimeoutStopUSec", "t", UINT64_C(1000000)),
        "TimeoutStopUSec"));
}
END_TEST

START_TEST(contradictions_are_refused)
{
    (void)REFUSE_WITH(2, "Command", "as", 1, "true", "Script", "s", "/bin/true");
    (void)REFUSE_WITH(1, "Interpreter", "s", "sh");
    (void)REFUSE_WITH(2, "Hostname", "s", "web", "UTSNamespace", "s", "off");
}
END_TEST

START_TEST(a_secret_is_in_no_message_and_no_property)
{
    const char *message = REFUSE_WITH(1, "Environment", "as", 1, "1PASSWORD=hidden");

    ck_assert_ptr_nonnull(strstr(message, "Environment"));
    ck_assert_ptr_null(strstr(message, "hidden"));
    const char *path = CREATE_WITH("web", 1, "Environment", "as", 1, "PASSWORD=hidden");
    (void)bus_refuse(client, "UnknownProperty", path, "org.freedesktop.DBus.Properties.Get", "ss",
                     INTERFACE_SETTINGS, "Environment");
}
END_TEST

START_TEST(settings_cannot_be_written_as_properties)
{
    const char *path = bus_create(client, "web", "true");

    (void)bus_refuse(client, "PropertyReadOnly", path, "org.freedesktop.DBus.Properties.Set", "ssv",
                     INTERFACE_SETTINGS, "Description", "s", "x");
}
END_TEST

START_TEST(created_instances_persist_and_run_ones_do_not)
{
    const char *made = bus_create(client, "made", "true");
    const char *run = bus_run(client, "run", "sleep 100");
    int persistent;

    ck_assert_int_ge(sd_bus_message_read(get(made, "Persistent", "b"), "b", &persistent), 0);
    ck_assert_int_eq(persistent, 1);
    ck_assert_int_ge(sd_bus_message_read(get(run, "Persistent", "b"), "b", &persistent), 0);
    ck_assert_int_eq(persistent, 0);
}
END_TEST

START_TEST(only_so_many_instances_are_kept)
{
    unsigned most = bus_number(client, BUS_PATH, "MaxInstances");

    ck_assert_uint_eq(most, 64);
    for (unsigned i = 0; i < most; i++) {
        g_autofree char *name = g_strdup_printf("web-%u", i);
        (void)bus_create(client, name, "true");
    }
    (void)bus_refuse(client, "LimitsExceeded", BUS_PATH, "CreateInstance", "sa{sv}", "web", 0);
    (void)bus_refuse(client, "LimitsExceeded", BUS_PATH, "RunInstance", "sa{sv}a{sv}", "web", 0, 0);
}
END_TEST

WORLD_MAIN("bus/settings", world_inherit, what_was_set_is_read_back,
           what_was_not_set_has_its_default, the_spelling_of_files_is_taken_too,
           any_integer_that_fits_is_taken, integers_that_do_not_fit_are_refused,
           other_types_are_refused, every_refusal_names_the_setting, a_typing_error_gets_a_guess,
           a_setting_given_twice_is_refused, contradictions_are_refused,
           a_secret_is_in_no_message_and_no_property, settings_cannot_be_written_as_properties,
           created_instances_persist_and_run_ones_do_not, only_so_many_instances_are_kept)
