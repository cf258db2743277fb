/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Namespaces, planned for hosts that allow this and forbid that. */

#include <errno.h>
#include <sched.h>

#include "plan-world.h"

static void turn_off(unsigned kind)
{
    set(namespace_infos[kind].setting, kind == NAMESPACE_NETWORK ? "host" : "off");
}

/* One kind under one choice on one host; the other kinds are off. */
static void check_namespace(unsigned kind, const char *choice, bool privileged, int refused)
{
    g_autofree char *row = g_strdup_printf("%s=%s privileged=%d errno=%d",
                                           namespace_infos[kind].name, choice, privileged, refused);
    bool required = strcmp(choice, "required") == 0;
    bool off = strcmp(choice, "off") == 0 || (strcmp(choice, "auto") == 0 && privileged);
    /* Without privilege nothing but the user namespace itself can be had without one. */
    bool possible = refused == 0 && (privileged || kind == NAMESPACE_USER);

    features = (HostFeatures){ .known = true,
                               .privileged = privileged,
                               .capabilities = UINT64_MAX };
    features.refused[kind] = refused;
    input.service_uid = privileged ? 0 : identity.uid;
    for (unsigned other = 0; other < NAMESPACE_COUNT; other++)
        turn_off(other);
    set(namespace_infos[kind].setting, choice);

    if (!make()) {
        ck_assert_msg(required && !possible, "%s: %s", row, error->message);
        ck_assert_msg(error->code == CONSTELLATION_ERROR_NAMESPACE_FAILED, "%s", row);
        ck_assert_msg(strstr(error->message, setting_get(namespace_infos[kind].setting)->name),
                      "%s: %s", row, error->message);
        return;
    }
    const Isolation *isolation = &plan->isolation[kind];
    ck_assert_msg(off || possible || !required, "%s: planned", row);
    ck_assert_msg(isolation->outcome == (off        ? ISOLATION_SHARED
                                         : possible ? ISOLATION_PRIVATE
                                                    : ISOLATION_REFUSED),
                  "%s: %s", row, isolation_outcome_to_string(isolation->outcome));
    ck_assert_msg((isolation->outcome == ISOLATION_REFUSED) == (*isolation->reason != '\0'), "%s",
                  row);
    unsigned expected = !off && possible && namespace_infos[kind].step == STEP_NONE
                            ? namespace_infos[kind].clone_flag
                            : 0;
    ck_assert_msg(plan->clone_flags == expected, "%s: %#x", row, plan->clone_flags);
}

START_TEST(every_namespace_under_every_choice_on_every_host)
{
    static const char *const choices[] = { "required", "try", "off", "auto" };
    static const int errnos[] = { 0, EPERM, ENOSPC, EUSERS, EINVAL, ENOTCONN };

    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++)
        for (size_t c = 0; c < G_N_ELEMENTS(choices); c++)
            for (size_t e = 0; e < G_N_ELEMENTS(errnos); e++) {
                if (kind == NAMESPACE_NETWORK ||
                    (kind != NAMESPACE_USER && strcmp(choices[c], "auto") == 0))
                    continue;
                check_namespace(kind, choices[c], true, errnos[e]);
                check_namespace(kind, choices[c], false, errnos[e]);
            }
}
END_TEST

START_TEST(no_network_is_a_network_namespace_with_a_loopback_device)
{
    ck_assert(make());
    ck_assert(!plan_has_namespace(plan, NAMESPACE_NETWORK) && is_dropped(STEP_LOOPBACK));
    set(SETTING_NETWORK, "none");
    ck_assert(make());
    ck_assert_uint_ne(plan->clone_flags & CLONE_NEWNET, 0);
    ck_assert(is_planned(STEP_LOOPBACK) && !find(STEP_LOOPBACK)->required);
    set(SETTING_REQUIRE, "Network");
    ck_assert(make());
    ck_assert(find(STEP_LOOPBACK)->required);
}
END_TEST

START_TEST(a_network_that_cannot_be_taken_away_is_told_or_an_error)
{
    features.refused[NAMESPACE_NETWORK] = EPERM;
    set(SETTING_NETWORK, "none");
    ck_assert(make());
    ck_assert_int_eq(plan->isolation[NAMESPACE_NETWORK].outcome, ISOLATION_REFUSED);
    set(SETTING_REQUIRE, "Network");
    ck_assert(!make());
    ck_assert_ptr_nonnull(strstr(error->message, "Network is required: network namespaces"));
}
END_TEST

START_TEST(the_time_namespace_is_the_payloads)
{
    ck_assert(make());
    ck_assert(is_dropped(STEP_TIME_NAMESPACE));
    set(SETTING_TIME_NAMESPACE, "required");
    ck_assert(make());
    ck_assert(is_planned(STEP_TIME_NAMESPACE) && find(STEP_TIME_NAMESPACE)->required);
    ck_assert_uint_eq(plan->clone_flags & namespace_infos[NAMESPACE_TIME].clone_flag, 0);
}
END_TEST

START_TEST(what_is_required_is_had_or_refused_in_the_words_of_the_error)
{
    set(SETTING_PID_NAMESPACE, "required");
    ck_assert(make());
    ck_assert(find(STEP_PROC)->required);
    features.refused[NAMESPACE_PID] = ENOSPC;
    ck_assert(!make());
    ck_assert_ptr_nonnull(strstr(error->message, "PIDNamespace is required"));
    ck_assert_ptr_nonnull(strstr(error->message, "No space left on device"));
    ck_assert_ptr_nonnull(strstr(error->message, "user.max_pid_namespaces"));
}
END_TEST

START_TEST(without_privilege_the_user_namespace_opens_the_others)
{
    be_unprivileged();
    ck_assert(make());
    for (unsigned kind = NAMESPACE_USER; kind <= NAMESPACE_CGROUP; kind++)
        ck_assert_msg(plan_has_namespace(plan, kind), "%s", namespace_infos[kind].name);
    ck_assert_uint_eq(plan->id_map, ID_MAP_SINGLE);
    ck_assert_uint_eq(plan->clone_flags,
                      CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC);
}
END_TEST

START_TEST(where_the_user_namespace_is_refused_the_others_say_so)
{
    be_unprivileged();
    features.refused[NAMESPACE_USER] = EPERM;
    ck_assert(make());
    ck_assert_uint_eq(plan->clone_flags, 0);
    ck_assert_uint_eq(plan->id_map, ID_MAP_NONE);
    ck_assert_ptr_nonnull(strstr(plan->isolation[NAMESPACE_PID].reason, "user namespaces"));
}
END_TEST

START_TEST(root_needs_no_user_namespace)
{
    ck_assert(make());
    ck_assert_uint_eq(plan->id_map, ID_MAP_NONE);
    set(SETTING_USER_NAMESPACE, "try");
    ck_assert(make());
    ck_assert_uint_eq(plan->id_map, ID_MAP_RANGES);
}
END_TEST

START_TEST(a_cgroup_namespace_takes_a_cgroup)
{
    input.has_cgroup = false;
    ck_assert(make());
    ck_assert_int_eq(plan->isolation[NAMESPACE_CGROUP].outcome, ISOLATION_REFUSED);
    ck_assert(is_dropped(STEP_CGROUP_NAMESPACE));
    set(SETTING_CGROUP_NAMESPACE, "required");
    ck_assert(!make());
    ck_assert_int_eq(error->code, CONSTELLATION_ERROR_NAMESPACE_FAILED);
}
END_TEST

START_TEST(what_is_required_by_name_must_be_had)
{
    features.refused[NAMESPACE_UTS] = EPERM;
    set(SETTING_REQUIRE, "PIDNamespace");
    ck_assert(make());
    set(SETTING_REQUIRE, "PIDNamespace UTSNamespace");
    ck_assert(!make());
    ck_assert_ptr_nonnull(strstr(error->message, "UTSNamespace"));
}
END_TEST

START_TEST(what_must_not_degrade_must_be_had)
{
    features.refused[NAMESPACE_IPC] = EPERM;
    input.no_degrade = true;
    ck_assert(!make());
    ck_assert_ptr_nonnull(strstr(error->message, "IPCNamespace"));
    set(SETTING_IPC_NAMESPACE, "off");
    ck_assert(make());
}
END_TEST

SUITE_MAIN_WITH("isolation/plan-namespaces", prepare, clean,
                every_namespace_under_every_choice_on_every_host,
                no_network_is_a_network_namespace_with_a_loopback_device,
                a_network_that_cannot_be_taken_away_is_told_or_an_error,
                the_time_namespace_is_the_payloads,
                what_is_required_is_had_or_refused_in_the_words_of_the_error,
                without_privilege_the_user_namespace_opens_the_others,
                where_the_user_namespace_is_refused_the_others_say_so, root_needs_no_user_namespace,
                a_cgroup_namespace_takes_a_cgroup, what_is_required_by_name_must_be_had,
                what_must_not_degrade_must_be_had)
