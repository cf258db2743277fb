/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of namespaces, and the sentences for their refusal. */

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "isolation/namespaces.h"
#include "suite.h"

static HostClues clues;

static void check_refusal(unsigned kind, int error_number, bool privileged, const char *part)
{
    HostFeatures features = { .privileged = privileged, .clues = clues };
    features.refused[kind] = error_number;
    g_autofree char *sentence = namespace_refusal(kind, &features);

    ck_assert_msg(strstr(sentence, part), "'%s' is not in: %s", part, sentence);
}

START_TEST(every_kind_has_a_row)
{
    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++) {
        const NamespaceInfo *info = &namespace_infos[kind];
        ck_assert_msg(info->name && info->config && info->sysctl && info->clone_flag, "%u", kind);
        ck_assert_msg(g_str_has_prefix(info->config, "CONFIG_"), "%s", info->name);
        ck_assert_msg(g_str_has_prefix(info->sysctl, "user.max_"), "%s", info->name);
        for (unsigned other = 0; other < kind; other++) {
            ck_assert_str_ne(info->name, namespace_infos[other].name);
            ck_assert_uint_ne(info->clone_flag, namespace_infos[other].clone_flag);
        }
    }
}
END_TEST

START_TEST(settings_are_those_of_their_kind)
{
    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++) {
        const NamespaceInfo *info = &namespace_infos[kind];
        const Setting *setting = setting_get(info->setting);
        g_autofree char *name = kind == NAMESPACE_NETWORK
                                    ? g_strdup("network")
                                    : g_strconcat(info->name, "namespace", NULL);
        ck_assert_msg(g_ascii_strcasecmp(setting->name, name) == 0, "%s", setting->name);
        ck_assert_int_eq(setting->type, SETTING_TYPE_ENUM);
    }
}
END_TEST

/* clone takes flags in the low byte for the signal of the end; time has its flag there. */
START_TEST(what_clone_makes_can_be_asked_of_clone)
{
    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++)
        if (namespace_infos[kind].step == STEP_NONE)
            ck_assert_uint_eq(namespace_infos[kind].clone_flag & 0xff, 0);
    ck_assert_uint_eq(namespace_infos[NAMESPACE_CGROUP].step, STEP_CGROUP_NAMESPACE);
    ck_assert_uint_eq(namespace_infos[NAMESPACE_TIME].step, STEP_TIME_NAMESPACE);
}
END_TEST

START_TEST(every_refusal_names_the_kind_and_the_error)
{
    static const int errnos[] = { EPERM, EACCES, ENOSPC, EUSERS, EINVAL, ENOMEM, ENOTCONN };

    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++)
        for (size_t i = 0; i < G_N_ELEMENTS(errnos); i++) {
            check_refusal(kind, errnos[i], true, namespace_infos[kind].name);
            check_refusal(kind, errnos[i], false, g_strerror(errnos[i]));
        }
}
END_TEST

START_TEST(a_limit_is_named)
{
    check_refusal(NAMESPACE_PID, ENOSPC, true, "user.max_pid_namespaces");
    check_refusal(NAMESPACE_USER, EUSERS, false, "user.max_user_namespaces");
    check_refusal(NAMESPACE_MOUNT, ENOSPC, true, "user.max_mnt_namespaces is 0");
    clues.limits[NAMESPACE_MOUNT] = 7;
    check_refusal(NAMESPACE_MOUNT, ENOSPC, true, "user.max_mnt_namespaces, which is 7");
    clues.limits[NAMESPACE_MOUNT] = -1;
    check_refusal(NAMESPACE_MOUNT, ENOSPC, true, "user.max_mnt_namespaces is reached or 0");
}
END_TEST

START_TEST(a_kernel_without_it_is_named)
{
    check_refusal(NAMESPACE_USER, EINVAL, false, "CONFIG_USER_NS");
    check_refusal(NAMESPACE_TIME, EINVAL, true, "CONFIG_TIME_NS");
}
END_TEST

START_TEST(who_forbids_it_depends_on_who_asks)
{
    check_refusal(NAMESPACE_PID, EPERM, true, "CAP_SYS_ADMIN");
    check_refusal(NAMESPACE_USER, EPERM, false, "kernel.unprivileged_userns_clone");
    check_refusal(NAMESPACE_USER, EACCES, false, "kernel.apparmor_restrict_unprivileged_userns");
}
END_TEST

START_TEST(what_is_found_switched_on_is_named_and_nothing_else)
{
    clues.filtered = true;
    check_refusal(NAMESPACE_PID, EPERM, true, "under a system call filter");
    check_refusal(NAMESPACE_PID, EPERM, false, "under a system call filter");
    clues.apparmor_restricts = true;
    check_refusal(NAMESPACE_USER, EPERM, false, "_restrict_unprivileged_userns is 1;");
    clues.userns_clone_off = true;
    check_refusal(NAMESPACE_USER, EPERM, false, "kernel.unprivileged_userns_clone is 0;");
    check_refusal(NAMESPACE_PID, EPERM, true, "under a system call filter");
}
END_TEST

SUITE_MAIN("isolation/namespaces", every_kind_has_a_row, settings_are_those_of_their_kind,
           what_clone_makes_can_be_asked_of_clone, every_refusal_names_the_kind_and_the_error,
           a_limit_is_named, a_kernel_without_it_is_named, who_forbids_it_depends_on_who_asks,
           what_is_found_switched_on_is_named_and_nothing_else)
