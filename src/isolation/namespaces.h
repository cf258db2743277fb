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

/* What may be behind a refusal, as far as the service can see it. */
typedef struct HostClues {
    int64_t limits[NAMESPACE_COUNT]; /* user.max_…, -1: cannot be read */
    bool userns_clone_off;           /* kernel.unprivileged_userns_clone is 0 */
    bool apparmor_restricts;         /* kernel.apparmor_restrict_unprivileged_userns is 1 */
    bool filtered;                   /* the service runs under a system call filter */
} HostClues;

/* What the launcher found when it tried each kind. */
typedef struct HostFeatures {
    bool known;                   /* the launcher has answered */
    bool privileged;              /* namespaces can be had without a user namespace */
    uint64_t files_max;           /* the sysctl fs.nr_open; 0: not known */
    uint64_t capabilities;        /* the launcher's; bit n is capability n */
    int refused[NAMESPACE_COUNT]; /* 0, or the errno of making one */
    int refused_ranges;           /* 0, or the errno of having a map of subordinate ids written */
    unsigned refused_ranges_step; /* LAUNCH_STEP_* of that */
    /* 0, or the errno of performing a step, outside of a user namespace and in one. */
    int refused_steps[2][STEP_COUNT];
    HostClues clues;
} HostFeatures;

/* Why a kind that is refused on this host is, by whom, and what to do: "pid namespaces cannot be
 * made: No space left on device: the limit user.max_pid_namespaces is 0 (raise it with sysctl)".
 * g_free. */
char *namespace_refusal(unsigned kind, const HostFeatures *features);
