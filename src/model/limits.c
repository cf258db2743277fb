/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which settings are limits of the cgroup. */

#include "model/limits.h"

static const SettingId limit_settings[_LIMIT_COUNT] = {
    [LIMIT_CPU_QUOTA] = SETTING_CPU_QUOTA,
    [LIMIT_CPU_WEIGHT] = SETTING_CPU_WEIGHT,
    [LIMIT_MEMORY_MAX] = SETTING_MEMORY_MAX,
    [LIMIT_MEMORY_HIGH] = SETTING_MEMORY_HIGH,
    [LIMIT_MEMORY_SWAP_MAX] = SETTING_MEMORY_SWAP_MAX,
    [LIMIT_TASKS_MAX] = SETTING_TASKS_MAX,
};

SettingId limit_setting(LimitKind kind)
{
    g_assert(kind < _LIMIT_COUNT);
    return limit_settings[kind];
}

Limits limits_from_spec(const Spec *spec)
{
    Limits limits = { 0 };

    for (LimitKind kind = 0; kind < _LIMIT_COUNT; kind++) {
        SettingId id = limit_setting(kind);

        limits.set[kind] = spec_is_set(spec, id);
        limits.value[kind] = limits.set[kind] ? spec_get_uint(spec, id) : UINT64_MAX;
    }
    return limits;
}

bool limits_any(const Limits *limits)
{
    for (LimitKind kind = 0; kind < _LIMIT_COUNT; kind++)
        if (limits->set[kind])
            return true;
    return false;
}
