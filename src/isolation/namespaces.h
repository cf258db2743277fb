/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One row for each kind of namespace, and what this host allows of them. Pure. */

#include <stdbool.h>

#include "isolation/wire.h"
#include "model/settings.h"

typedef struct NamespaceInfo {
    const char *name;   /* as in Isolation and GetFeatures: "pid" */
    const char *config; /* the kernel option without which it does not exist */
    const char *sysctl; /* the limit of how many there may be: user.max_… */
    unsigned clone_flag;
    unsigned step;     /* STEP_* by which the init makes it with unshare; STEP_NONE: clone does */
    SettingId setting; /* asks for it */
} NamespaceInfo;

extern const NamespaceInfo namespace_infos[NAMESPACE_COUNT];

/* What the launcher found when it tried each kind. */
typedef struct HostFeatures {
    bool known;                   /* the launcher has answered */
    bool privileged;              /* namespaces can be had without a user namespace */
    int refused[NAMESPACE_COUNT]; /* 0, or the errno of making one */
    int refused_ranges;           /* 0, or the errno of having a map of subordinate ids written */
    unsigned refused_ranges_step; /* LAUNCH_STEP_* of that */
} HostFeatures;

/* Why a kind is refused on this host and what to do: "pid namespaces cannot be made: No space left
 * on device: the limit user.max_pid_namespaces is reached (raise it with sysctl)". g_free. */
char *namespace_refusal(unsigned kind, int error_number, bool privileged);
