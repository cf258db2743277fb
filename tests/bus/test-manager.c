/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The methods of the Manager: what each does, and what it says to what is wrong. */

#include <fcntl.h>
#include <string.h>

#include "bus/world.h"

static unsigned count(void)
{
    return bus_number(client, BUS_PATH, "InstanceCount");
}

/* The names in the reply of ListInstances, joined. */
static char *names_in(sd_bus_message *reply)
{
    GString *names = g_string_new(NULL);
    const char *id, *name, *state, *description, *path;
    uint32_t owner, pid;

    ck_assert_int_ge(sd_bus_message_enter_container(reply, 'a', "(ssssuuo)"), 0);
    while (sd_bus_message_read(reply, "(ssssuuo)", &id, &name, &state, &description, &owner, &pid,
                               &path) > 0)
        g_string_append_printf(names, "%s%s", names->len > 0 ? " " : "", name);
    return g_string_free(names, FALSE);
}

static void check_list(const char *expected, sd_bus_message *reply)
{
    g_autofree char *names = names_in(reply);

    ck_assert_str_eq(names, expected);
}

START_TEST(a_created_instance_waits_to_be_started)
{
    const char *path = bus_create(client, "web", "sleep 100");

    ck_assert_str_eq(bus_text(client, path, "State"), "PENDING");
    ck_assert_str_eq(bus_text(client, path, "Name"), "web");
    ck_assert_uint_eq(bus_number(client, path, "Owner"), geteuid());
    ck_assert_uint_eq(bus_number(client, path, "MainPID"), 0);
    ck_assert_uint_eq(bus_number(client, path, "Run"), 0);
    ck_assert_uint_eq(count(), 1);
}
END_TEST

START_TEST(the_path_ends_in_the_id)
{
    const char *path = bus_create(client, "web", "true");

    ck_assert_str_eq(path + strlen(BUS_PATH_INSTANCE "/"), bus_text(client, path, "Id"));
}
END_TEST

START_TEST(a_name_is_given_once)
{
    (void)bus_create(client, "web", "true");
    (void)bus_refuse(client, "InstanceExists", BUS_PATH, "CreateInstance", "sa{sv}", "web", 0);
    ck_assert_uint_eq(count(), 1);
}
END_TEST

START_TEST(a_bad_name_is_refused)
{
    static const char *const names[] = { "", "-x", "a b", "a/b", "i38g92rdnmr1og", "\xc3\xa4" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        (void)bus_refuse(client, "InvalidArgs", BUS_PATH, "CreateInstance", "sa{sv}", names[i], 0);
        (void)bus_refuse(client, "InvalidArgs", BUS_PATH, "CheckInstance", "sa{sv}", names[i], 0);
        (void)bus_refuse(client, "InvalidArgs", BUS_PATH, "RunInstance", "sa{sv}a{sv}", names[i], 0,
                         0);
    }
    ck_assert_uint_eq(count(), 0);
}
END_TEST

START_TEST(run_creates_and_starts)
{
    const char *path = bus_run(client, "web", "sleep 100");

    ck_assert_str_eq(bus_text(client, path, "State"), "RUNNING");
    ck_assert_str_eq(bus_text(client, path, "SubState"), "running");
    ck_assert_uint_gt(bus_number(client, path, "MainPID"), 0);
    ck_assert_uint_gt(bus_number(client, path, "InitPID"), 0);
    ck_assert_uint_eq(bus_number(client, path, "Run"), 1);
    ck_assert_uint_eq(bus_number(client, BUS_PATH, "RunningCount"), 1);
}
END_TEST

START_TEST(a_run_that_fails_leaves_nothing)
{
    const char *message = bus_refuse(client, "SpawnFailed", BUS_PATH, "RunInstance", "sa{sv}a{sv}",
                                     "web", 1, "Command", "as", 1, "/nonexistent/program", 0);

    ck_assert_ptr_nonnull(strstr(message, "/nonexistent/program"));
    ck_assert_ptr_nonnull(strstr(message, "No such file or directory"));
    ck_assert_uint_eq(count(), 0);
    (void)bus_refuse(client, "NoSuchInstance", BUS_PATH, "GetInstance", "s", "web");
    ck_assert_str_eq(bus_text(client, bus_run(client, "web", "sleep 100"), "State"), "RUNNING");
}
END_TEST

START_TEST(a_run_with_a_wrong_setting_leaves_nothing)
{
    (void)bus_refuse(client, "InvalidArgs", BUS_PATH, "RunInstance", "sa{sv}a{sv}", "web", 1,
                     "Comand", "s", "sleep 1", 0);
    (void)bus_refuse(client, "InvalidArgs", BUS_PATH, "RunInstance", "sa{sv}a{sv}", "web", 1,
                     "Command", "s", "sleep 1", 1, "Wait", "b", 1);
    ck_assert_uint_eq(count(), 0);
}
END_TEST

START_TEST(a_run_that_is_not_waited_for_answers_before_the_start_is_over)
{
    const char *path;

    sd_bus_message *reply = bus_call(client, BUS_PATH, "RunInstance", "sa{sv}a{sv}", "web", 1,
                                     "Command", "as", 1, program_hold(), 1, "NoWait", "b", 1);
    ck_assert_int_ge(sd_bus_message_read(reply, "o", &path), 0);
    path = g_intern_string(path);
    ck_assert_str_eq(bus_text(client, path, "State"), "STARTING");
    program_release();
    bus_await(client, path, "State", "RUNNING");
}
END_TEST

START_TEST(the_output_goes_where_the_caller_says)
{
    int ends[2];
    char text[16];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    (void)bus_call(client, BUS_PATH, "RunInstance", "sa{sv}a{sv}", "web", 1, "Command", "as", 3,
                   "sh", "-c", "echo out; echo err >&2", 2, "Stdout", "h", ends[1], "Stderr", "h",
                   ends[1]);
    (void)close(ends[1]);
    size_t size = 0;
    for (ssize_t n; (n = read(ends[0], text + size, sizeof text - size)) > 0;)
        size += (size_t)n;
    (void)close(ends[0]);
    ck_assert_uint_eq(size, 8);
    ck_assert_mem_eq(text, "out\nerr\n", 8);
}
END_TEST

START_TEST(a_check_tells_and_creates_nothing)
{
    sd_bus_message *reply = bus_call(client, BUS_PATH, "CheckInstance", "sa{sv}", "web", 1,
                                     "Command", "as", 1, "true");
    const char *feature, *outcome, *reason;
    unsigned namespaces = 0, backends = 0;

    ck_assert_int_ge(sd_bus_message_enter_container(reply, 'a', "(sss)"), 0);
    while (sd_bus_message_read(reply, "(sss)", &feature, &outcome, &reason) > 0) {
        namespaces += g_str_has_suffix(feature, "Namespace");
        backends += strcmp(feature, "Backend") == 0;
    }
    ck_assert_uint_eq(namespaces, 7);
    ck_assert_uint_eq(backends, 1);
    ck_assert_uint_eq(count(), 0);
}
END_TEST

START_TEST(a_check_fails_as_the_start_would)
{
    (void)bus_refuse(client, "CgroupFailed", BUS_PATH, "CheckInstance", "sa{sv}", "web", 3,
                     "Backend", "s", "monitor", "MemoryMax", "t", UINT64_C(64) << 20, "Require",
                     "as", 1, "MemoryMax");
    (void)bus_refuse(client, "NotSupported", BUS_PATH, "CheckInstance", "sa{sv}", "web", 1,
                     "Backend", "s", "scope");
}
END_TEST

START_TEST(an_instance_is_found_by_name_by_id_and_by_owner_and_name)
{
    const char *path = bus_create(client, "web", "true"), *found;
    g_autofree char *id = g_strdup(bus_text(client, path, "Id"));
    g_autofree char *foreign = g_strdup_printf("%u/web", geteuid());
    const char *const names[] = { "web", id, foreign };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        sd_bus_message *reply = bus_call(client, BUS_PATH, "GetInstance", "s", names[i]);
        ck_assert_int_ge(sd_bus_message_read(reply, "o", &found), 0);
        ck_assert_msg(strcmp(found, path) == 0, "%s", names[i]);
    }
}
END_TEST

START_TEST(what_is_not_there_is_not_found)
{
    static const char *const names[] = { "web", "i0000000000000", "4242/web", "nobody-at-all/web" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        (void)bus_refuse(client, "NoSuchInstance", BUS_PATH, "GetInstance", "s", names[i]);
    (void)bus_refuse(client, "InvalidArgs", BUS_PATH, "GetInstance", "s", "a b");
    (void)bus_refuse(client, "InvalidArgs", BUS_PATH, "GetInstance", "s", "");
}
END_TEST

START_TEST(the_list_is_in_order_of_creation)
{
    static const char *const names[] = { "c", "a", "b" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        (void)bus_create(client, names[i], "true");
    check_list("c a b", bus_call(client, BUS_PATH, "ListInstances", NO_OPTIONS));
}
END_TEST

START_TEST(the_list_has_pages)
{
    const char *first = bus_create(client, "a", "true");

    (void)bus_create(client, "b", "true");
    (void)bus_create(client, "c", "true");
    check_list("a b", bus_call(client, BUS_PATH, "ListInstances", "a{sv}", 1, "Limit", "u", 2));
    check_list("b", bus_call(client, BUS_PATH, "ListInstances", "a{sv}", 2, "Limit", "t",
                             UINT64_C(1), "After", "s", strrchr(first, '/') + 1));
    check_list("", bus_call(client, BUS_PATH, "ListInstances", "a{sv}", 1, "Limit", "u", 0));
}
END_TEST

START_TEST(the_list_is_filtered)
{
    (void)bus_run(client, "web-1", "sleep 100");
    (void)bus_call(client, BUS_PATH, "CreateInstance", "sa{sv}", "web-2", 1, "Labels", "as", 2,
                   "blue", "old");
    check_list("web-1",
               bus_call(client, BUS_PATH, "ListInstances", "a{sv}", 1, "State", "s", "running"));
    check_list("web-2",
               bus_call(client, BUS_PATH, "ListInstances", "a{sv}", 1, "Label", "s", "old"));
    check_list("web-1",
               bus_call(client, BUS_PATH, "ListInstances", "a{sv}", 1, "Name", "s", "*[13]"));
    check_list("", bus_call(client, BUS_PATH, "ListInstances", "a{sv}", 1, "Owner", "u", 4242));
    check_list("web-1 web-2",
               bus_call(client, BUS_PATH, "ListInstances", "a{sv}", 1, "Owner", "u", geteuid()));
}
END_TEST

START_TEST(a_wrong_filter_is_refused)
{
    const char *const list = "ListInstances";

    (void)bus_refuse(client, "InvalidArgs", BUS_PATH, list, "a{sv}", 1, "State", "s", "ASLEEP");
    (void)bus_refuse(client, "InvalidArgs", BUS_PATH, list, "a{sv}", 1, "State", "u", 3);
    (void)bus_refuse(client, "InvalidArgs", BUS_PATH, list, "a{sv}", 1, "Colour", "s", "red");
    (void)bus_refuse(client, "InvalidArgs", BUS_PATH, list, "a{sv}", 1, "After", "s", "web");
    (void)bus_refuse(client, "InvalidArgs", BUS_PATH, list, "a{sv}", 1, "Owner", "i", -1);
}
END_TEST

/* Matching a class of a million characters with many names would take seconds. */
START_TEST(a_long_pattern_is_refused)
{
    char pattern[300] = "[";

    memset(pattern + 1, 'b', 256);
    pattern[257] = ']';
    (void)bus_refuse(client, "InvalidArgs", BUS_PATH, "ListInstances", "a{sv}", 1, "Name", "s",
                     pattern);
}
END_TEST

START_TEST(every_feature_that_is_not_to_be_had_says_why)
{
    sd_bus_message *reply = bus_call(client, BUS_PATH, "GetFeatures", "");
    const char *feature, *reason;
    int available;
    unsigned namespaces = 0;

    ck_assert_int_ge(sd_bus_message_enter_container(reply, 'a', "(sbs)"), 0);
    while (sd_bus_message_read(reply, "(sbs)", &feature, &available, &reason) > 0) {
        ck_assert_msg(available == (*reason == '\0'), "%s: '%s'", feature, reason);
        namespaces += g_str_has_prefix(feature, "namespace.");
    }
    ck_assert_uint_eq(namespaces, 8);
}
END_TEST

/* A call of another signature never reaches the service's own code. */
START_TEST(arguments_of_other_types_are_refused)
{
    static const char *const methods[] = { "CreateInstance", "RunInstance",   "CheckInstance",
                                           "GetInstance",    "ListInstances", "GetFeatures" };

    for (size_t i = 0; i < G_N_ELEMENTS(methods); i++)
        (void)bus_refuse(client, "InvalidArgs", BUS_PATH, methods[i], "u", 1);
}
END_TEST

START_TEST(what_is_no_method_is_unknown)
{
    (void)bus_refuse(client, "UnknownMethod", BUS_PATH, "Explode", "");
    (void)bus_refuse(client, "UnknownObject", BUS_PATH_INSTANCE "/i0000000000000", "Start",
                     NO_OPTIONS);
}
END_TEST

START_TEST(managed_objects_are_the_instances)
{
    (void)bus_create(client, "a", "true");
    (void)bus_create(client, "b", "true");
    sd_bus_message *reply = bus_call(client, BUS_PATH,
                                     "org.freedesktop.DBus.ObjectManager.GetManagedObjects", "");
    unsigned objects = 0;
    const char *path;

    ck_assert_int_ge(sd_bus_message_enter_container(reply, 'a', "{oa{sa{sv}}}"), 0);
    while (sd_bus_message_enter_container(reply, 'e', "oa{sa{sv}}") > 0) {
        ck_assert_int_ge(sd_bus_message_read(reply, "o", &path), 0);
        objects += g_str_has_prefix(path, BUS_PATH_INSTANCE "/");
        ck_assert_int_ge(sd_bus_message_skip(reply, "a{sa{sv}}"), 0);
        ck_assert_int_ge(sd_bus_message_exit_container(reply), 0);
    }
    ck_assert_uint_eq(objects, 2);
}
END_TEST

WORLD_MAIN("bus/manager", world_inherit, a_created_instance_waits_to_be_started,
           the_path_ends_in_the_id, a_name_is_given_once, a_bad_name_is_refused,
           run_creates_and_starts, a_run_that_fails_leaves_nothing,
           a_run_with_a_wrong_setting_leaves_nothing,
           a_run_that_is_not_waited_for_answers_before_the_start_is_over,
           the_output_goes_where_the_caller_says, a_check_tells_and_creates_nothing,
           a_check_fails_as_the_start_would,
           an_instance_is_found_by_name_by_id_and_by_owner_and_name, what_is_not_there_is_not_found,
           the_list_is_in_order_of_creation, the_list_has_pages, the_list_is_filtered,
           a_wrong_filter_is_refused, a_long_pattern_is_refused,
           every_feature_that_is_not_to_be_had_says_why, arguments_of_other_types_are_refused,
           what_is_no_method_is_unknown, managed_objects_are_the_instances)
