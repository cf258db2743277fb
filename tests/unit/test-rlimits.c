/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Limits of processes: each resource in its own unit. */

#include <string.h>
#include <sys/resource.h>

#include "model/rlimits.h"
#include "suite.h"
#include "util/error.h"

#define NO UINT64_MAX

START_TEST(each_resource_is_read_in_its_unit)
{
    static const struct {
        SettingId setting;
        const char *text;
        uint64_t soft, hard;
    } rows[] = {
        { SETTING_LIMIT_NOFILE, "1024", 1024, 1024 },
        { SETTING_LIMIT_NOFILE, "1024:524288", 1024, 524288 },
        { SETTING_LIMIT_NOFILE, "0", 0, 0 },
        { SETTING_LIMIT_NPROC, "10:infinity", 10, NO },
        { SETTING_LIMIT_CORE, "infinity", NO, NO },
        { SETTING_LIMIT_CORE, "0:1G", 0, 1u << 30 },
        { SETTING_LIMIT_FSIZE, "1.5K", 1536, 1536 },
        { SETTING_LIMIT_STACK, "8M:64M", 8u << 20, 64u << 20 },
        { SETTING_LIMIT_CPU, "5", 5, 5 },
        { SETTING_LIMIT_CPU, "1min 30s", 90, 90 },
        { SETTING_LIMIT_CPU, "1500ms:1h", 2, 3600 },
        { SETTING_LIMIT_CPU, "infinity", NO, NO },
        { SETTING_LIMIT_RTTIME, "5000", 5000, 5000 },
        { SETTING_LIMIT_RTTIME, "5ms:1s", 5000, 1000000 },
        { SETTING_LIMIT_NICE, "0:40", 0, 40 },
        { SETTING_LIMIT_NICE, "+5", 15, 15 },
        { SETTING_LIMIT_NICE, "+19:-20", 1, 40 },
        { SETTING_LIMIT_RTPRIO, "99", 99, 99 },
        { SETTING_LIMIT_MEMLOCK, "64K", 65536, 65536 },
        { SETTING_LIMIT_LOCKS, "18446744073709551614", NO - 1, NO - 1 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const Setting *setting = setting_get(rows[i].setting);
        g_autoptr(GError) error = NULL;
        Rlimit limit;

        ck_assert_msg(rlimit_read(setting, rows[i].text, &limit, &error), "%s",
                      error ? error->message : "");
        ck_assert_msg(limit.soft == rows[i].soft && limit.hard == rows[i].hard,
                      "%s=%s: %" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, setting->name,
                      rows[i].text, limit.soft, limit.hard);
    }
}
END_TEST

START_TEST(what_is_no_limit_is_refused_by_name)
{
    static const struct {
        SettingId setting;
        const char *text, *part;
    } rows[] = {
        { SETTING_LIMIT_NOFILE, "", "NUMBER[:NUMBER]" },
        { SETTING_LIMIT_NOFILE, "-1", "NUMBER[:NUMBER]" },
        { SETTING_LIMIT_NOFILE, "1:", "NUMBER[:NUMBER]" },
        { SETTING_LIMIT_NOFILE, ":1", "NUMBER[:NUMBER]" },
        { SETTING_LIMIT_NOFILE, "1:2:3", "NUMBER[:NUMBER]" },
        { SETTING_LIMIT_NOFILE, "1K", "NUMBER[:NUMBER]" },
        { SETTING_LIMIT_NOFILE, "2:1", "soft limit" },
        { SETTING_LIMIT_NOFILE, "infinity:1", "soft limit" },
        { SETTING_LIMIT_NOFILE, "18446744073709551616", "out of range" },
        { SETTING_LIMIT_CPU, "1x", "TIME[:TIME]" },
        { SETTING_LIMIT_NICE, "41", "out of range" },
        { SETTING_LIMIT_NICE, "-21", "out of range" },
        { SETTING_LIMIT_NICE, "+20", "out of range" },
        { SETTING_LIMIT_NICE, "+", "NICE[:NICE]" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const Setting *setting = setting_get(rows[i].setting);
        g_autoptr(GError) error = NULL;

        ck_assert_msg(!rlimit_read(setting, rows[i].text, NULL, &error), "%s", rows[i].text);
        ck_assert_msg(
            g_error_matches(error, CONSTELLATION_ERROR, CONSTELLATION_ERROR_INVALID_ARGS) &&
                g_str_has_prefix(error->message, setting->name) &&
                strstr(error->message, rows[i].part),
            "%s", error->message);
    }
}
END_TEST

START_TEST(every_resource_of_the_kernel_has_one_setting)
{
    unsigned seen = 0;

    ck_assert_uint_eq(RLIMIT_COUNT, RLIM_NLIMITS);
    for (size_t i = 0; i < RLIMIT_COUNT; i++) {
        const Setting *setting = setting_get(rlimit_infos[i].setting);

        seen |= 1u << rlimit_infos[i].resource;
        ck_assert_int_eq(setting->type, SETTING_TYPE_RLIMIT);
        ck_assert(g_str_has_prefix(setting->name, "Limit"));
    }
    ck_assert_uint_eq(seen, (1u << RLIMIT_COUNT) - 1);
}
END_TEST

SUITE_MAIN("model/rlimits", each_resource_is_read_in_its_unit, what_is_no_limit_is_refused_by_name,
           every_resource_of_the_kernel_has_one_setting)
