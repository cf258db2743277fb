/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The parts of resources/ that are words and numbers: names of units, properties, and the files of
 * cgroups and processes. */

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "resources/backend-internal.h"
#include "resources/limit-file.h"
#include "resources/process.h"
#include "unit/suite.h"

static Resources resources;

static void set_up(void)
{
    resources = (Resources){
        .realm = (char *)"system",
        .slices = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .slice_scopes_max = 2,
    };
}

static void tear_down(void)
{
    g_hash_table_destroy(resources.slices);
}

/* ---- limits ---------------------------------------------------------------------------------- */

START_TEST(limits_are_written_as_the_kernel_takes_them)
{
    const struct {
        LimitKind kind;
        uint64_t value;
        const char *text;
    } rows[] = {
        { LIMIT_CPU_QUOTA, 500000, "50000 100000" },
        { LIMIT_CPU_QUOTA, 2000000, "200000 100000" },
        { LIMIT_CPU_QUOTA, 10000, "1000 100000" },
        { LIMIT_CPU_QUOTA, 9999, "9999 1000000" },
        { LIMIT_CPU_QUOTA, 1000, "1000 1000000" },
        { LIMIT_CPU_QUOTA, UINT64_MAX, "max 100000" },
        { LIMIT_CPU_WEIGHT, 100, "100" },
        { LIMIT_MEMORY_MAX, 10u << 20, "10485760" },
        { LIMIT_MEMORY_SWAP_MAX, 0, "0" },
        { LIMIT_TASKS_MAX, UINT64_MAX, "max" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = limit_to_file(rows[i].kind, rows[i].value);
        uint64_t value;

        ck_assert_str_eq(text, rows[i].text);
        ck_assert_msg(limit_from_file(rows[i].kind, text, &value) == 0 && value == rows[i].value,
                      "%s", rows[i].text);
    }
}
END_TEST

START_TEST(a_quota_of_any_period_is_read)
{
    uint64_t value;

    ck_assert_int_eq(limit_from_file(LIMIT_CPU_QUOTA, "10000 20000", &value), 0);
    ck_assert_uint_eq(value, 500000);
}
END_TEST

START_TEST(what_is_no_limit_is_not_read_as_one)
{
    const struct {
        LimitKind kind;
        const char *text;
    } rows[] = {
        { LIMIT_CPU_QUOTA, "" },        { LIMIT_CPU_QUOTA, "max" },
        { LIMIT_CPU_QUOTA, "100 0" },   { LIMIT_CPU_QUOTA, "-1 100000" },
        { LIMIT_CPU_QUOTA, "1 2 3" },   { LIMIT_CPU_QUOTA, "18446744073709551614 100000" },
        { LIMIT_MEMORY_MAX, "" },       { LIMIT_MEMORY_MAX, "12 34" },
        { LIMIT_TASKS_MAX, "maximum" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t value = 7;

        ck_assert_msg(limit_from_file(rows[i].kind, rows[i].text, &value) < 0, "%s", rows[i].text);
        ck_assert_uint_eq(value, 7);
    }
}
END_TEST

START_TEST(limits_are_shown_as_settings_are_written)
{
    const struct {
        LimitKind kind;
        uint64_t value;
        const char *text;
    } rows[] = {
        { LIMIT_CPU_QUOTA, 500000, "50%" },
        { LIMIT_MEMORY_MAX, 64u << 20, "64M" },
        { LIMIT_MEMORY_HIGH, UINT64_MAX, "infinity" },
        { LIMIT_TASKS_MAX, 20, "20" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = limit_to_text(rows[i].kind, rows[i].value);
        ck_assert_str_eq(text, rows[i].text);
    }
}
END_TEST

START_TEST(memory_is_rounded_down_to_pages)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

    ck_assert_uint_eq(limit_rounded(LIMIT_MEMORY_MAX, 7 * page + 1), 7 * page);
    ck_assert_uint_eq(limit_rounded(LIMIT_TASKS_MAX, 4097), 4097);
    ck_assert(limit_rounded(LIMIT_MEMORY_MAX, UINT64_MAX) == UINT64_MAX);
}
END_TEST

START_TEST(a_controller_is_a_whole_word)
{
    const struct {
        const char *list;
        bool found;
    } rows[] = {
        { "cpuset cpu io", true }, { "cpu", true }, { "io cpu", true },
        { "cpuset io", false },    { "", false },   { "xcpu", false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        ck_assert_msg(controller_in(rows[i].list, CONTROLLER_CPU) == rows[i].found, "%s",
                      rows[i].list);
}
END_TEST

/* ---- scopes ---------------------------------------------------------------------------------- */

START_TEST(a_full_slice_opens_the_next_shard)
{
    const char *expected[] = { "constellation-7.slice", "constellation-7.slice",
                               "constellation-7-s1.slice", "constellation-7-s1.slice",
                               "constellation-7-s2.slice" };

    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autofree char *slice = scope_slice_take(&resources, 7);
        ck_assert_str_eq(slice, expected[i]);
    }
    g_autofree char *other = scope_slice_take(&resources, 8);
    ck_assert_str_eq(other, "constellation-8.slice");
}
END_TEST

START_TEST(a_place_that_is_free_again_is_taken_first)
{
    for (int i = 0; i < 4; i++)
        g_free(scope_slice_take(&resources, 7));
    scope_slice_drop(&resources, "constellation-7.slice");

    g_autofree char *slice = scope_slice_take(&resources, 7);
    ck_assert_str_eq(slice, "constellation-7.slice");
}
END_TEST

START_TEST(slices_without_scopes_are_forgotten)
{
    g_free(scope_slice_take(&resources, 7));
    scope_slice_drop(&resources, "constellation-7.slice");
    scope_slice_drop(&resources, "constellation-7.slice");
    ck_assert_uint_eq(g_hash_table_size(resources.slices), 0);
}
END_TEST

START_TEST(the_launch_id_is_found_in_the_names_of_our_scopes_only)
{
    const struct {
        const char *unit, *id;
    } rows[] = {
        { "constellation-system-i0abc_1.scope", "i0abc_1" },
        { "constellation-user-i0abc_1.scope", NULL },
        { "constellation-system-direct.scope", NULL },
        { "constellation-system-.scope", NULL },
        { "constellation-system-i0abc_1.service", NULL },
        { "session-1.scope", NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *id = scope_launch_id("system", rows[i].unit);
        ck_assert_msg(g_strcmp0(id, rows[i].id) == 0, "%s", rows[i].unit);
    }
}
END_TEST

static const UnitProperty *find(const UnitProperty *properties, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (g_str_equal(properties[i].name, name))
            return &properties[i];
    return NULL;
}

static size_t properties_for(const Limits *limits, uint64_t timeout_stop_usec,
                             UnitProperty *properties)
{
    static Placement placement;
    const PlacementRequest request = {
        .description = "web",
        .limits = limits,
        .timeout_stop_usec = timeout_stop_usec,
        .kill_signal = SIGINT,
    };

    placement.slice = (char *)"constellation-7.slice";
    return scope_properties(&resources, &placement, &request, properties);
}

START_TEST(only_limits_that_were_asked_for_become_properties)
{
    const Limits limits = { .set[LIMIT_MEMORY_MAX] = true, .value[LIMIT_MEMORY_MAX] = UINT64_MAX };
    UnitProperty properties[SCOPE_PROPERTIES_MAX];
    size_t n = properties_for(&limits, 1, properties);

    ck_assert_ptr_nonnull(find(properties, n, "MemoryMax"));
    ck_assert(find(properties, n, "MemoryMax")->u == UINT64_MAX);
    ck_assert_ptr_null(find(properties, n, "TasksMax"));
    ck_assert_int_eq((int)find(properties, n, "KillSignal")->u, SIGINT);
}
END_TEST

START_TEST(all_properties_fit)
{
    const Limits limits = { .set = { true, true, true, true, true, true } };
    UnitProperty properties[SCOPE_PROPERTIES_MAX];
    size_t n;

    resources.service_unit = (char *)"constellation.service";
    n = properties_for(&limits, 1, properties);
    ck_assert_uint_le(n, SCOPE_PROPERTIES_MAX);
    ck_assert_int_eq(find(properties, n, "After")->type, 'S');
    ck_assert_str_eq(find(properties, n, "After")->s, "constellation.service");
}
END_TEST

START_TEST(systemd_waits_two_seconds_longer_than_we_do)
{
    const struct {
        uint64_t ours, theirs;
    } rows[] = {
        { 0, 2000000 },
        { 90000000, 92000000 },
        { UINT64_MAX, UINT64_MAX },
        { UINT64_MAX - 1, UINT64_MAX },
    };
    const Limits limits = { 0 };
    UnitProperty properties[SCOPE_PROPERTIES_MAX];

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        size_t n = properties_for(&limits, rows[i].ours, properties);
        ck_assert(find(properties, n, "TimeoutStopUSec")->u == rows[i].theirs);
    }
}
END_TEST

START_TEST(only_root_has_the_kernel_kill_all_at_once)
{
    const Limits limits = { 0 };
    UnitProperty properties[SCOPE_PROPERTIES_MAX];
    size_t n = properties_for(&limits, 1, properties);

    ck_assert_str_eq(find(properties, n, "OOMPolicy")->s, "kill");
    resources.user_manager = true;
    n = properties_for(&limits, 1, properties);
    ck_assert_str_eq(find(properties, n, "OOMPolicy")->s, "continue");
}
END_TEST

/* ---- processes ------------------------------------------------------------------------------- */

START_TEST(a_process_name_may_look_like_the_fields_after_it)
{
    const char stat[] = "42 (a) R 1 (b)) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 30 20 20 0 3 0 "
                        "12345 1000000 25 18446744073709551615 0 0";
    uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);
    ProcessUsage usage;

    ck_assert_int_eq(process_parse_stat(stat, &usage), 0);
    ck_assert_uint_eq(usage.cpu_usec, 250 * 1000000 / ticks);
    ck_assert_uint_eq(usage.threads, 3);
    ck_assert_uint_eq(usage.resident_bytes, 25 * (uint64_t)sysconf(_SC_PAGESIZE));
}
END_TEST

START_TEST(half_a_stat_is_not_read)
{
    ProcessUsage usage;

    ck_assert_int_lt(process_parse_stat("42 (a) S 1 42", &usage), 0);
    ck_assert_int_lt(process_parse_stat("", &usage), 0);
}
END_TEST

START_TEST(a_command_line_is_shown_on_one_line)
{
    const struct {
        const char *cmdline;
        size_t size;
        const char *shown;
    } rows[] = {
        { "sleep\0"
          "10\0",
          9, "sleep 10" },
        { "", 0, "" },
        { "a\0\0b\0", 5, "a  b" },
        { "a\nb\033[31m\177", 9, "a?b?[31m?" },
        { "\303\244\0", 3, "\303\244" },
        { "\303(\377\302\205", 5, "?(??" },
        { "cut \303", 5, "cut ?" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *shown = process_format_command(rows[i].cmdline, rows[i].size);
        ck_assert_str_eq(shown, rows[i].shown);
    }
}
END_TEST

START_TEST(a_long_command_line_is_cut_between_characters)
{
    static const char euro[] = { '\342', '\202', '\254' };
    char cmdline[600];

    for (size_t i = 0; i < sizeof(cmdline); i++)
        cmdline[i] = euro[i % sizeof(euro)];
    g_autofree char *shown = process_format_command(cmdline, sizeof(cmdline));
    ck_assert_uint_eq(strlen(shown), 510);
    ck_assert(g_utf8_validate(shown, -1, NULL));
}
END_TEST

START_TEST(bytes_of_all_disks_are_added)
{
    const char io_stat[] = "254:0 rbytes=100 wbytes=20 rios=3 wios=4 dbytes=5 dios=6\n"
                           "254:16 rbytes=1000 wbytes=200 rios=3 wios=4 dbytes=5 dios=6\n"
                           "8:0\n";

    ck_assert_uint_eq(usage_io_sum(io_stat, "rbytes="), 1100);
    ck_assert_uint_eq(usage_io_sum(io_stat, "wbytes="), 220);
    ck_assert_uint_eq(usage_io_sum("", "rbytes="), 0);
}
END_TEST

START_TEST(rungs_have_names)
{
    const char *names[] = { "scope", "cgroup", "monitor" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        ck_assert_str_eq(backend_name(backend_by_name(names[i])), names[i]);
    ck_assert_ptr_null(backend_by_name("auto"));
}
END_TEST

START_TEST(a_cgroup_contains_itself_and_what_is_below)
{
    static const struct {
        const char *path;
        bool inside;
    } rows[] = {
        { "/a.slice/b.scope", true },     { "/a.slice/b.scope/sub/sub", true },
        { "/a.slice/b.scope2", false },   { "/a.slice", false },
        { "/a.slice/c.scope", false },    { "/", false },
        { "/x/a.slice/b.scope", false },  { "/a.slice/b.scope (deleted)", false },
        { "/../a.slice/b.scope", false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        ck_assert_msg(cgroup_contains("/a.slice/b.scope", rows[i].path) == rows[i].inside, "%s",
                      rows[i].path);
}
END_TEST

SUITE_MAIN_WITH("resources", set_up, tear_down, limits_are_written_as_the_kernel_takes_them,
                a_quota_of_any_period_is_read, what_is_no_limit_is_not_read_as_one,
                limits_are_shown_as_settings_are_written, memory_is_rounded_down_to_pages,
                a_controller_is_a_whole_word, a_full_slice_opens_the_next_shard,
                a_place_that_is_free_again_is_taken_first, slices_without_scopes_are_forgotten,
                the_launch_id_is_found_in_the_names_of_our_scopes_only,
                only_limits_that_were_asked_for_become_properties, all_properties_fit,
                systemd_waits_two_seconds_longer_than_we_do,
                only_root_has_the_kernel_kill_all_at_once,
                a_process_name_may_look_like_the_fields_after_it, half_a_stat_is_not_read,
                a_command_line_is_shown_on_one_line, a_long_command_line_is_cut_between_characters,
                bytes_of_all_disks_are_added, rungs_have_names,
                a_cgroup_contains_itself_and_what_is_below)
