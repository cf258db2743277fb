/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What instances write where there is no journal, as it is read over the bus. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bus/world.h"

#define END      UINT64_MAX
#define MEGABYTE (1000u * 1000u)

/* Of the last answer. */
static uint64_t next, lost;
static size_t size;
static char data[65536 + 1];

static void take(sd_bus_message *reply)
{
    const void *bytes;

    ck_assert_int_ge(sd_bus_message_read(reply, "t", &next), 0);
    ck_assert_int_ge(sd_bus_message_read_array(reply, 'y', &bytes, &size), 0);
    ck_assert_int_ge(sd_bus_message_read(reply, "t", &lost), 0);
    ck_assert_uint_lt(size, sizeof data);
    memcpy(data, bytes, size);
    data[size] = '\0';
}

static const char *log_from(const char *path, uint64_t cursor)
{
    take(bus_call(client, path, "GetLog", "ta{sv}", cursor, 0));
    return data;
}

static const char *log_lines(const char *path, uint64_t lines)
{
    take(bus_call(client, path, "GetLog", "ta{sv}", (uint64_t)0, 1, "Lines", "t", lines));
    return data;
}

static void run_over(const char *path)
{
    (void)bus_call(client, path, "Wait", NO_OPTIONS);
}

static bool journal_is_here(void)
{
    if (access("/run/systemd/journal/stdout", F_OK) < 0)
        return false;
    fprintf(stderr, "# skipped: there is a journal\n");
    return true;
}

START_TEST(what_a_short_run_wrote_is_there_when_it_is_over)
{
    if (journal_is_here())
        return;
    for (int i = 0; i < 10; i++) {
        g_autofree char *name = g_strdup_printf("web-%d", i);
        const char *path = bus_run(client, name, "echo out; echo err >&2");

        run_over(path);
        ck_assert_str_eq(log_from(path, 0), "out\nerr\n");
        ck_assert_uint_eq(next, 8);
    }
}
END_TEST

START_TEST(it_says_where_the_output_is)
{
    const char *path = bus_create(client, "web", "true");

    ck_assert_str_eq(bus_text(client, path, "LogTarget"), "");
    (void)bus_call(client, path, "Start", NO_OPTIONS);
    ck_assert_str_eq(bus_text(client, path, "LogTarget"),
                     access("/run/systemd/journal/stdout", F_OK) < 0 ? "ring" : "journal");
}
END_TEST

START_TEST(before_the_first_run_there_is_nothing)
{
    const char *path = bus_create(client, "web", "echo hello");

    ck_assert_str_eq(log_from(path, 0), "");
    ck_assert_str_eq(log_from(path, END), "");
    ck_assert_uint_eq(next, 0);
}
END_TEST

START_TEST(a_reader_goes_on_where_it_was)
{
    const char *path;

    if (journal_is_here())
        return;
    path = bus_run_ready(client, "web", "echo; read line; echo second; exec sleep 100");
    ck_assert_str_eq(log_from(path, END), "");
    (void)log_lines(path, 1);
    uint64_t cursor = next;
    ck_assert_str_eq(log_from(path, cursor), "");
    ck_assert_uint_eq(next, cursor);
}
END_TEST

START_TEST(the_last_lines_can_be_had)
{
    const char *path;

    if (journal_is_here())
        return;
    path = bus_run(client, "web", "for i in 1 2 3 4; do echo $i; done");
    run_over(path);
    ck_assert_str_eq(log_lines(path, 2), "3\n4\n");
    ck_assert_str_eq(log_lines(path, 100), "1\n2\n3\n4\n");
    ck_assert_str_eq(log_lines(path, 0), "");
    ck_assert_uint_eq(next, 8);
}
END_TEST

START_TEST(it_holds_all_runs_and_goes_with_the_instance)
{
    const char *path;

    if (journal_is_here())
        return;
    path = bus_create(client, "web", "echo run");
    for (int i = 0; i < 3; i++) {
        (void)bus_call(client, path, "Start", NO_OPTIONS);
        run_over(path);
    }
    ck_assert_str_eq(log_from(path, 0), "run\nrun\nrun\n");
    (void)bus_call(client, path, "Destroy", NO_OPTIONS);
    path = bus_create(client, "web", "true");
    ck_assert_str_eq(log_from(path, 0), "");
}
END_TEST

START_TEST(of_a_flood_the_last_is_kept)
{
    const char *path;

    if (journal_is_here())
        return;
    path = bus_run(client, "web", "yes 0123456789 2>/dev/null | head -c 100000000; echo the end");
    run_over(path);
    ck_assert_str_eq(log_lines(path, 1), "0the end\n");
    ck_assert_uint_eq(next, 100 * MEGABYTE + 8);
    uint64_t kept = 0;
    for (uint64_t cursor = 0; log_from(path, cursor)[0] != '\0'; cursor = next) {
        ck_assert_uint_eq(lost, cursor == 0 ? 100 * MEGABYTE + 8 - (256u << 10) : 0);
        kept += size;
    }
    ck_assert_uint_eq(kept, 256u << 10);
}
END_TEST

START_TEST(who_floods_is_stopped_at_once_and_bothers_nobody)
{
    const char *path = bus_run(client, "web", "exec yes"), *other;
    gint64 begin = g_get_monotonic_time();

    other = bus_run(client, "other", "true");
    run_over(other);
    ck_assert_int_lt(g_get_monotonic_time() - begin, 1000 * 1000);
    begin = g_get_monotonic_time();
    (void)bus_call(client, path, "Stop", NO_OPTIONS);
    ck_assert_int_lt(g_get_monotonic_time() - begin, 1000 * 1000);
    ck_assert_str_eq(bus_text(client, path, "Result"), "success");
}
END_TEST

START_TEST(what_goes_elsewhere_is_not_in_a_log)
{
    g_autofree char *output = g_strdup_printf("file:%s/output", directory);
    const char *path = NULL;

    (void)sd_bus_message_read(bus_call(client, BUS_PATH, "RunInstance", "sa{sv}a{sv}", "web", 3,
                                       "Command", "as", 2, "echo", "hello", "StandardOutput", "s",
                                       output, "StandardError", "s", "null", 0),
                              "o", &path);
    path = g_intern_string(path);
    ck_assert_str_eq(bus_text(client, path, "LogTarget"), "none");
    ck_assert_ptr_nonnull(strstr(
        bus_refuse(client, "NotSupported", path, "GetLog", "ta{sv}", (uint64_t)0, 0), "web"));
}
END_TEST

START_TEST(an_option_that_is_none_is_refused)
{
    const char *path = bus_create(client, "web", "true");

    ck_assert_ptr_nonnull(strstr(bus_refuse(client, "InvalidArgs", path, "GetLog", "ta{sv}",
                                            (uint64_t)0, 1, "Pages", "t", (uint64_t)1),
                                 "Pages"));
}
END_TEST

WORLD_MAIN("bus/get-log", world_inherit, what_a_short_run_wrote_is_there_when_it_is_over,
           it_says_where_the_output_is, before_the_first_run_there_is_nothing,
           a_reader_goes_on_where_it_was, the_last_lines_can_be_had,
           it_holds_all_runs_and_goes_with_the_instance, of_a_flood_the_last_is_kept,
           who_floods_is_stopped_at_once_and_bothers_nobody, what_goes_elsewhere_is_not_in_a_log,
           an_option_that_is_none_is_refused)
