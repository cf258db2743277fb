/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From a Spec to the numbers of a cgroup. */

#include "model/limits.h"
#include "suite.h"

START_TEST(a_default_is_not_asked_for)
{
    g_autoptr(Spec) spec = spec_new();
    Limits limits = limits_from_spec(spec);

    ck_assert(!limits_any(&limits));
    for (LimitKind kind = 0; kind < _LIMIT_COUNT; kind++)
        ck_assert(!limits.set[kind]);
}
END_TEST

START_TEST(an_explicit_infinity_is_asked_for)
{
    g_autoptr(Spec) spec = spec_new();

    ck_assert(spec_set_text(spec, SETTING_MEMORY_MAX, "infinity", NULL));
    Limits limits = limits_from_spec(spec);
    ck_assert(limits_any(&limits));
    ck_assert(limits.set[LIMIT_MEMORY_MAX]);
    ck_assert_uint_eq(limits.value[LIMIT_MEMORY_MAX], UINT64_MAX);
}
END_TEST

START_TEST(every_limit_takes_the_value_of_its_setting)
{
    static const uint64_t values[_LIMIT_COUNT] = {
        [LIMIT_CPU_QUOTA] = 500000,     [LIMIT_CPU_WEIGHT] = 42,
        [LIMIT_MEMORY_MAX] = 64u << 20, [LIMIT_MEMORY_HIGH] = 48u << 20,
        [LIMIT_MEMORY_SWAP_MAX] = 0,    [LIMIT_TASKS_MAX] = 100,
    };
    g_autoptr(Spec) spec = spec_new();

    for (LimitKind kind = 0; kind < _LIMIT_COUNT; kind++)
        ck_assert(spec_set_uint(spec, limit_setting(kind), values[kind], NULL));
    Limits limits = limits_from_spec(spec);
    for (LimitKind kind = 0; kind < _LIMIT_COUNT; kind++) {
        ck_assert(limits.set[kind]);
        ck_assert_uint_eq(limits.value[kind], values[kind]);
    }
}
END_TEST

START_TEST(every_limit_has_a_resource_setting_of_its_own)
{
    bool seen[_SETTING_COUNT] = { false };

    for (LimitKind kind = 0; kind < _LIMIT_COUNT; kind++) {
        SettingId id = limit_setting(kind);

        ck_assert_int_eq(setting_get(id)->group, SETTING_GROUP_RESOURCES);
        ck_assert(!seen[id]);
        seen[id] = true;
    }
}
END_TEST

START_TEST(every_resource_setting_is_a_limit)
{
    size_t settings = 0;

    for (SettingId id = 0; id < _SETTING_COUNT; id++)
        settings += setting_get(id)->group == SETTING_GROUP_RESOURCES;
    ck_assert_uint_eq(settings, _LIMIT_COUNT);
}
END_TEST

SUITE_MAIN("model/limits", a_default_is_not_asked_for, an_explicit_infinity_is_asked_for,
           every_limit_takes_the_value_of_its_setting,
           every_limit_has_a_resource_setting_of_its_own, every_resource_setting_is_a_limit)
