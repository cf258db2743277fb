/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of namespaces, and the words for a refusal. The kernel says only a number; who said no
 * follows from the number and the kind, and that is what an administrator needs to know. */

#include <errno.h>
#include <sched.h>

#include "isolation/namespaces.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

/* clang-format off */
const NamespaceInfo namespace_infos[NAMESPACE_COUNT] = {
    [NAMESPACE_USER] = { "user", "CONFIG_USER_NS", "user.max_user_namespaces",
                         CLONE_NEWUSER, STEP_NONE, SETTING_USER_NAMESPACE },
    [NAMESPACE_PID] = { "pid", "CONFIG_PID_NS", "user.max_pid_namespaces",
                        CLONE_NEWPID, STEP_NONE, SETTING_PID_NAMESPACE },
    [NAMESPACE_MOUNT] = { "mount", "CONFIG_NAMESPACES", "user.max_mnt_namespaces",
                          CLONE_NEWNS, STEP_NONE, SETTING_MOUNT_NAMESPACE },
    [NAMESPACE_UTS] = { "uts", "CONFIG_UTS_NS", "user.max_uts_namespaces",
                        CLONE_NEWUTS, STEP_NONE, SETTING_UTS_NAMESPACE },
    [NAMESPACE_IPC] = { "ipc", "CONFIG_IPC_NS", "user.max_ipc_namespaces",
                        CLONE_NEWIPC, STEP_NONE, SETTING_IPC_NAMESPACE },
    [NAMESPACE_CGROUP] = { "cgroup", "CONFIG_CGROUPS", "user.max_cgroup_namespaces",
                           CLONE_NEWCGROUP, STEP_CGROUP_NAMESPACE, SETTING_CGROUP_NAMESPACE },
    [NAMESPACE_NETWORK] = { "network", "CONFIG_NET_NS", "user.max_net_namespaces",
                            CLONE_NEWNET, STEP_NONE, SETTING_NETWORK },
    [NAMESPACE_TIME] = { "time", "CONFIG_TIME_NS", "user.max_time_namespaces",
                         CLONE_NEWTIME, STEP_TIME_NAMESPACE, SETTING_TIME_NAMESPACE },
};
/* clang-format on */

static char *limit_advice(const NamespaceInfo *info, int64_t limit)
{
    if (limit == 0)
        return g_strdup_printf("the limit %s is 0 (raise it with sysctl)", info->sysctl);
    if (limit > 0)
        return g_strdup_printf("the limit %s, which is %" G_GINT64_FORMAT
                               ", or that of a container "
                               "around the service is reached (raise it with sysctl)",
                               info->sysctl, limit);
    return g_strdup_printf("the limit %s is reached or 0 (raise it with sysctl)", info->sysctl);
}

/* The kernel does not tell who it was; what is found switched on is the likeliest. */
static const char *permission_advice(const HostFeatures *features)
{
    const HostClues *clues = &features->clues;

    if (!features->privileged && clues->userns_clone_off)
        return "user namespaces are for root alone here (the sysctl "
               "kernel.unprivileged_userns_clone "
               "is 0; 1 lets everybody)";
    if (!features->privileged && clues->apparmor_restricts)
        return "AppArmor keeps user namespaces from ordinary users here (the sysctl "
               "kernel.apparmor_restrict_unprivileged_userns is 1; 0, or a profile with the rule "
               "'userns,' for constellation-launcher, lets them)";
    if (clues->filtered)
        return "the service runs under a system call filter, which probably forbids it (a "
               "container's, or SystemCallFilter= or RestrictNamespaces= of its unit)";
    if (features->privileged)
        return "a security module forbids it, or a container around the service lacks "
               "CAP_SYS_ADMIN";
    return "user namespaces are forbidden for ordinary users (see the sysctls "
           "kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns), or "
           "a container around the service forbids them";
}

char *namespace_refusal(unsigned kind, const HostFeatures *features)
{
    const NamespaceInfo *info = &namespace_infos[kind];
    g_autofree char *advice = NULL;

    switch (features->refused[kind]) {
    case ENOSPC:
    case EUSERS:
        advice = limit_advice(info, features->clues.limits[kind]);
        break;
    case EINVAL:
        advice = g_strdup_printf("this kernel is built without %s", info->config);
        break;
    case EPERM:
    case EACCES:
        advice = g_strdup(permission_advice(features));
        break;
    default:
        advice = g_strdup("the kernel gives no more reason than that");
    }
    return g_strdup_printf("%s namespaces cannot be made: %s: %s", info->name,
                           g_strerror(features->refused[kind]), advice);
}
