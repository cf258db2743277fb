/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which settings ordinary users get from an administrator only. */

#include "model/privileged.h"
#include "suite.h"

static char *privileged_of(const char *name, const char *value)
{
    g_autoptr(Spec) spec = spec_new();

    if (name)
        ck_assert(spec_set_text(spec, setting_find(name)->id, value, NULL));
    g_auto(GStrv) names = privileged_settings(spec);
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

SUITE_MAIN("model/privileged", the_defaults_are_everybodys, less_isolation_is_privileged,
           as_much_isolation_or_more_is_everybodys)
