/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Limits of resources that hold for each process, setrlimit(2): which setting is which resource, in
 * which unit. */

#include "model/settings.h"

#define RLIMIT_COUNT 16 /* resources, numbered from 0: RLIMIT_CPU, … */

typedef struct Rlimit {
    uint64_t soft, hard; /* in the kernel's unit; UINT64_MAX: none */
} Rlimit;

typedef struct RlimitInfo {
    SettingId setting;
    unsigned resource; /* RLIMIT_* */
} RlimitInfo;

extern const RlimitInfo rlimit_infos[RLIMIT_COUNT];

/* "4096", "1024:4096", "8M:infinity", "1min", "+5:-10": as systemd.exec(5) has it. One value is
 * both. False and INVALID_ARGS in the words of the setting; ret may be NULL. */
bool rlimit_read(const Setting *setting, const char *text, Rlimit *ret, GError **error);
