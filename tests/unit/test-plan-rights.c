/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a payload may do, as a plan has it: for root's service, for an ordinary user's, for root in
 * a user namespace. */

#include <linux/capability.h>
#include <sys/resource.h>

#include "plan-world.h"

#define BIT(capability) (UINT64_C(1) << (capability))

static OwnLimits own;

static bool is_refused(unsigned kind, const char *part)
{
    for (guint i = 0; i < plan->steps->len; i++) {
        const PlanStep *step = g_ptr_array_index(plan->steps, i);
        if (step->kind == kind && step->outcome == OUTCOME_REFUSED)
            return strstr(step->reason, part) != NULL;
    }
    return false;
}

static void check_required(const char *name)
{
    set(SETTING_REQUIRE, name);
    ck_assert(!make());
    ck_assert_int_eq(error->code, CONSTELLATION_ERROR_ISOLATION_FAILED);
    ck_assert_msg(g_str_has_prefix(error->message, name), "%s", error->message);
}

/* ---- capabilities ---------------------------------------------------------------------------- */

START_TEST(root_keeps_what_the_bounding_set_leaves)
{
    identity.uid = identity.gid = 0;
    ck_assert(make());
    ck_assert_uint_eq(plan->capabilities.bounding, UINT64_MAX);
    set(SETTING_CAPABILITY_BOUNDING_SET, "CAP_CHOWN CAP_KILL");
    ck_assert(make());
    ck_assert_uint_eq(plan->capabilities.bounding, BIT(CAP_CHOWN) | BIT(CAP_KILL));
    ck_assert_uint_eq(plan->capabilities.permitted, BIT(CAP_CHOWN) | BIT(CAP_KILL));
    ck_assert_uint_eq(plan->capabilities.ambient, 0);
}
END_TEST

START_TEST(root_of_an_ordinary_owners_instance_has_what_containers_have)
{
    input.owner_uid = 1000;
    identity.uid = identity.gid = 0;
    ck_assert(make());
    ck_assert_int_eq(__builtin_popcountll(plan->capabilities.bounding), 11);
    ck_assert_uint_eq(plan->capabilities.bounding & BIT(CAP_SYS_ADMIN), 0);
    ck_assert_uint_eq(plan->capabilities.bounding & BIT(CAP_SYS_PTRACE), 0);
    ck_assert_uint_ne(plan->capabilities.bounding & BIT(CAP_SETUID), 0);
    set(SETTING_CAPABILITY_BOUNDING_SET, "~");
    ck_assert(make());
    ck_assert_uint_eq(plan->capabilities.bounding, UINT64_MAX);
}
END_TEST

START_TEST(a_user_has_what_he_is_given)
{
    input.last_capability = CAP_LAST_CAP;
    set(SETTING_AMBIENT_CAPABILITIES, "CAP_NET_RAW");
    ck_assert(make());
    ck_assert_uint_eq(plan->capabilities.bounding, BIT(CAP_NET_RAW));
    ck_assert_uint_eq(plan->capabilities.permitted, BIT(CAP_NET_RAW));
    ck_assert_uint_eq(plan->capabilities.ambient, BIT(CAP_NET_RAW));
}
END_TEST

START_TEST(a_capability_of_another_kernel_is_refused_by_name)
{
    input.last_capability = CAP_SYS_ADMIN;
    set(SETTING_AMBIENT_CAPABILITIES, "CAP_BPF CAP_CHOWN");
    ck_assert(make());
    ck_assert(is_refused(STEP_CAPABILITIES, "CAP_BPF"));
    ck_assert_uint_eq(plan->capabilities.ambient, 0);
    check_required("AmbientCapabilities");
}
END_TEST

START_TEST(who_has_no_capability_can_give_and_take_none)
{
    be_unprivileged();
    input.last_capability = CAP_LAST_CAP;
    set(SETTING_USER_NAMESPACE, "off");
    set(SETTING_AMBIENT_CAPABILITIES, "CAP_CHOWN");
    ck_assert(make());
    ck_assert(is_refused(STEP_CAPABILITIES, "not root"));
    spec_unset(spec, SETTING_AMBIENT_CAPABILITIES);
    set(SETTING_CAPABILITY_BOUNDING_SET, "CAP_CHOWN");
    ck_assert(make());
    ck_assert(is_refused(STEP_CAPABILITIES, "not root"));
    check_required("CapabilityBoundingSet");
}
END_TEST

/* ---- limits ---------------------------------------------------------------------------------- */

START_TEST(limits_are_steps_in_the_order_of_the_table)
{
    set(SETTING_LIMIT_NOFILE, "10:20");
    set(SETTING_LIMIT_CPU, "1min");
    ck_assert(make());
    ck_assert_uint_eq(plan->limits->len, 2);
    const struct WireLimit *first = &g_array_index(plan->limits, struct WireLimit, 0);
    const struct WireLimit *second = &g_array_index(plan->limits, struct WireLimit, 1);
    ck_assert_uint_eq(first->resource, RLIMIT_CPU);
    ck_assert_uint_eq(first->soft, 60);
    ck_assert_uint_eq(second->resource, RLIMIT_NOFILE);
    ck_assert_uint_eq(second->hard, 20);
    ck_assert_str_eq(find(STEP_LIMIT)->path, "LimitCPU");
}
END_TEST

START_TEST(an_ordinary_service_stays_below_its_own_hard_limits)
{
    be_unprivileged();
    input.own_limits = &own;
    own.hard[RLIMIT_NOFILE] = 100;
    set(SETTING_LIMIT_NOFILE, "100");
    ck_assert(make());
    ck_assert(is_planned(STEP_LIMIT));
    set(SETTING_LIMIT_NOFILE, "100:101");
    ck_assert(make());
    ck_assert(is_refused(STEP_LIMIT, "it has 100"));
    check_required("LimitNOFILE");
    input.service_uid = 0;
    ck_assert(make());
}
END_TEST

START_TEST(an_ordinary_service_lowers_the_nice_value_as_far_as_it_may)
{
    be_unprivileged();
    input.own_limits = &own;
    own.nice = 0;
    own.soft[RLIMIT_NICE] = 25; /* down to -5 */
    set(SETTING_NICE, "-5");
    ck_assert(make());
    ck_assert_uint_eq(find(STEP_NICE)->number, 15);
    set(SETTING_NICE, "-6");
    ck_assert(make());
    ck_assert(is_refused(STEP_NICE, "may not lower it"));
    set(SETTING_OOM_SCORE_ADJUST, "-1");
    ck_assert(make());
    ck_assert(is_refused(STEP_PAYLOAD_OOM_SCORE, "only root"));
}
END_TEST

/* ---- filters --------------------------------------------------------------------------------- */

START_TEST(filters_go_by_the_owner)
{
    static const struct {
        uid_t owner;
        const char *words, *lock;
        guint filters;
    } rows[] = {
        { 0, "", "no", 0 },        { 0, "~mount", "no", 1 },     { 0, "", "yes", 1 },
        { 0, "~mount", "yes", 2 }, { 1000, "", "no", 2 },        { 1000, "", "yes", 2 },
        { 1000, "off", "no", 0 },  { 1000, "~mount", "no", 3 },  { 1000, "off ~mount", "no", 1 },
        { 0, "off", "no", 0 },     { 1000, "@known", "yes", 3 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        input.owner_uid = rows[i].owner;
        set(SETTING_SYSTEM_CALL_FILTER, rows[i].words);
        set(SETTING_LOCK_PERSONALITY, rows[i].lock);
        ck_assert(make());
        ck_assert_msg(plan->filters->len == rows[i].filters, "row %zu: %u", i, plan->filters->len);
        ck_assert(is_planned(STEP_FILTER) == (rows[i].filters > 0));
        ck_assert_uint_eq(find(STEP_FILTER)->number, rows[i].filters);
    }
}
END_TEST

START_TEST(a_filter_takes_no_new_privileges_or_the_right_to_load_it)
{
    set(SETTING_NO_NEW_PRIVILEGES, "no");
    set(SETTING_SYSTEM_CALL_FILTER, "~mount");
    ck_assert(make());
    ck_assert(is_planned(STEP_NO_NEW_PRIVILEGES));
    identity.uid = identity.gid = 0;
    ck_assert(make());
    ck_assert(!is_planned(STEP_NO_NEW_PRIVILEGES));
    set(SETTING_CAPABILITY_BOUNDING_SET, "~CAP_SYS_ADMIN");
    ck_assert(make());
    ck_assert(is_planned(STEP_NO_NEW_PRIVILEGES));
}
END_TEST

/* ---- groups ---------------------------------------------------------------------------------- */

START_TEST(an_ordinary_service_has_the_groups_that_it_has)
{
    be_unprivileged();
    input.service_gid = identity.gid;
    set(SETTING_GROUP, "1000");
    ck_assert(make());
    input.service_gid = identity.gid + 1;
    ck_assert(!make());
    ck_assert_int_eq(error->code, CONSTELLATION_ERROR_ACCESS_DENIED);
    input.service_gid = identity.gid;
    set(SETTING_SUPPLEMENTARY_GROUPS, "4");
    ck_assert(make());
    ck_assert(is_refused(STEP_GROUPS, "not root"));
    check_required("SupplementaryGroups");
}
END_TEST

SUITE_MAIN_WITH("isolation/plan-rights", prepare, clean, root_keeps_what_the_bounding_set_leaves,
                root_of_an_ordinary_owners_instance_has_what_containers_have,
                a_user_has_what_he_is_given, a_capability_of_another_kernel_is_refused_by_name,
                who_has_no_capability_can_give_and_take_none,
                limits_are_steps_in_the_order_of_the_table,
                an_ordinary_service_stays_below_its_own_hard_limits,
                an_ordinary_service_lowers_the_nice_value_as_far_as_it_may, filters_go_by_the_owner,
                a_filter_takes_no_new_privileges_or_the_right_to_load_it,
                an_ordinary_service_has_the_groups_that_it_has)
