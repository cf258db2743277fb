/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which settings ordinary users get from an administrator only. */

#include <sys/resource.h>

#include "model/privileged.h"
#include "suite.h"

static uint64_t hard_limits[RLIMIT_COUNT];

static void prepare(void)
{
    for (size_t i = 0; i < RLIMIT_COUNT; i++)
        hard_limits[i] = 1000;
    hard_limits[RLIMIT_CORE] = UINT64_MAX;
}

static char *privileged_of(const char *name, const char *value)
{
    g_autoptr(Spec) spec = spec_new();

    if (name)
        ck_assert(spec_set_text(spec, setting_find(name)->id, value, NULL));
    g_auto(GStrv) names = privileged_settings(spec, hard_limits);
    return g_strjoinv(" ", names);
}

START_TEST(the_defaults_are_everybodys)
{
    g_autofree char *names = privileged_of(NULL, NULL);

    ck_assert_str_eq(names, "");
}
END_TEST

START_TEST(less_isolation_is_privileged)
{
    static const char *const rows[][2] = {
        { "PIDNamespace", "off" }, { "MountNamespace", "off" },  { "UTSNamespace", "off" },
        { "IPCNamespace", "off" }, { "CgroupNamespace", "off" }, { "NoNewPrivileges", "no" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *names = privileged_of(rows[i][0], rows[i][1]);
        ck_assert_str_eq(names, rows[i][0]);
    }
}
END_TEST

START_TEST(as_much_isolation_or_more_is_everybodys)
{
    static const char *const rows[][2] = {
        { "PIDNamespace", "required" },  { "MountNamespace", "try" },  { "UserNamespace", "off" },
        { "UserNamespace", "required" }, { "NoNewPrivileges", "yes" }, { "MemoryMax", "10M" },
        { "Command", "sleep 1" },        { "User", "root" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *names = privileged_of(rows[i][0], rows[i][1]);
        ck_assert_msg(!*names, "%s=%s", rows[i][0], rows[i][1]);
    }
}
END_TEST

START_TEST(what_raises_counts_and_what_takes_away_does_not)
{
    static const struct {
        const char *name, *value;
        bool raises;
    } rows[] = {
        { "AmbientCapabilities", "", false },
        { "AmbientCapabilities", "CAP_NET_RAW", true },
        { "CapabilityBoundingSet", "", false },
        { "CapabilityBoundingSet", "CAP_CHOWN", true },
        { "CapabilityBoundingSet", "~CAP_CHOWN", true },
        { "Nice", "-1", true },
        { "Nice", "0", false },
        { "Nice", "19", false },
        { "OOMScoreAdjust", "-1", true },
        { "OOMScoreAdjust", "1000", false },
        { "LimitNOFILE", "1000", false },
        { "LimitNOFILE", "10:1001", true },
        { "LimitNOFILE", "infinity", true },
        { "LimitCORE", "infinity", false },
        { "LimitNICE", "-20", false },
        { "SystemCallFilter", "off", true },
        { "SystemCallFilter", "off @system-service", true },
        { "SystemCallFilter", "~mount", false },
        { "SystemCallFilter", "@known", false },
        { "SystemCallFilter", "", false },
        { "SystemCallErrorNumber", "EPERM", false },
        { "LockPersonality", "yes", false },
        { "LockPersonality", "no", false },
        { "Backend", "monitor", true },
        { "Backend", "cgroup", false },
        { "Backend", "auto", false },
        { "IDMapping", "range", false },
        { "IgnoreSIGPIPE", "no", false },
        { "UMask", "0", false },
        { "Group", "root", false },
        { "SupplementaryGroups", "root", false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *names = privileged_of(rows[i].name, rows[i].value);
        ck_assert_msg(g_str_equal(names, rows[i].raises ? rows[i].name : ""), "%s=%s: %s",
                      rows[i].name, rows[i].value, names);
    }
}
END_TEST

START_TEST(every_limit_of_a_process_is_compared)
{
    for (size_t i = 0; i < RLIMIT_COUNT; i++) {
        const Setting *setting = setting_get(rlimit_infos[i].setting);
        bool any = rlimit_infos[i].resource == RLIMIT_CORE;
        g_autofree char *names = NULL;

        hard_limits[rlimit_infos[i].resource] = any ? UINT64_MAX : 5;
        names = privileged_of(setting->name, "6");
        ck_assert_msg(g_str_equal(names, any ? "" : setting->name), "%s: %s", setting->name, names);
    }
}
END_TEST

SUITE_MAIN_WITH("model/privileged", prepare, NULL, what_raises_counts_and_what_takes_away_does_not,
                every_limit_of_a_process_is_compared, the_defaults_are_everybodys,
                less_isolation_is_privileged, as_much_isolation_or_more_is_everybodys)
