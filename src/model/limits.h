/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The limits that a cgroup holds, as numbers: what resources/ writes and reads back. */

#include "model/spec.h"

typedef enum LimitKind {
    LIMIT_CPU_QUOTA, /* microseconds of CPU time a second */
    LIMIT_CPU_WEIGHT,
    LIMIT_MEMORY_MAX, /* bytes */
    LIMIT_MEMORY_HIGH,
    LIMIT_MEMORY_SWAP_MAX,
    LIMIT_TASKS_MAX,
    _LIMIT_COUNT,
} LimitKind;

/* UINT64_MAX is "infinity": asked for, and no limit. */
typedef struct Limits {
    bool set[_LIMIT_COUNT];
    uint64_t value[_LIMIT_COUNT];
} Limits;

/* Only what was set explicitly counts as asked for. */
Limits limits_from_spec(const Spec *spec);
bool limits_any(const Limits *limits);
SettingId limit_setting(LimitKind kind);
