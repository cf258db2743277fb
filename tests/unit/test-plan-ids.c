/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who is who in the user namespace of a plan. */

#include <errno.h>

#include "plan-world.h"

static SubordinateIds subordinates;

static void prepare_ids(void)
{
    prepare();
    subordinates = (SubordinateIds){ { 100000, 65536 }, { 200000, 65536 }, NULL };
    input.subordinates = &subordinates;
    set(SETTING_USER_NAMESPACE, "required");
}

static void be_root(void)
{
    identity.uid = identity.gid = 0;
    identity.user = (char *)"root";
}

static void be_ordinary(void)
{
    be_unprivileged();
    input.service_gid = identity.gid;
}

static void refuse_ranges(void)
{
    subordinates.refusal = (char *)"/etc/subuid has no line for ann";
}

static void assert_map(uint32_t id_map, bool range, uid_t outside)
{
    ck_assert(make());
    ck_assert_uint_eq(plan->id_map, id_map);
    ck_assert_int_eq(plan->has_id_range, range);
    ck_assert_uint_eq(plan->outside_uid, outside);
}

START_TEST(roots_payload_is_nobody_outside)
{
    be_root();
    assert_map(ID_MAP_RANGES, true, 100000);
    ck_assert_str_eq(find(STEP_ID_MAP)->path,
                     "uids: 0-65535 is 100000-165535; gids: 0-65535 is 200000-265535");
    ck_assert(is_planned(STEP_UID) && is_planned(STEP_GID));
}
END_TEST

START_TEST(a_users_payload_stays_himself_and_root_does_not)
{
    uint32_t outside;

    assert_map(ID_MAP_RANGES, true, 1000);
    ck_assert(id_map_outside(&plan->uids, 0, &outside) && outside == 100000);
    ck_assert(id_map_outside(&plan->gids, 1000, &outside) && outside == 1000);
}
END_TEST

START_TEST(without_a_range_root_is_root_and_the_user_himself)
{
    refuse_ranges();
    assert_map(ID_MAP_RANGES, false, 1000);
    ck_assert_str_eq(find(STEP_ID_MAP)->path, "0 is itself, 1000 is itself");
    be_root();
    assert_map(ID_MAP_RANGES, false, 0);
    ck_assert_str_eq(find(STEP_ID_MAP)->path, "0 is itself");
}
END_TEST

START_TEST(a_range_that_was_asked_for_is_missed_or_an_error)
{
    refuse_ranges();
    set(SETTING_ID_MAPPING, "range");
    ck_assert(make());
    const PlanStep *step = find(STEP_ID_MAP);
    ck_assert_int_eq(step->outcome, OUTCOME_REFUSED);
    ck_assert_str_eq(plan_step_feature(step), "IDMapping");
    set(SETTING_REQUIRE, "IDMapping");
    ck_assert(!make());
    ck_assert_str_eq(error->message, "IDMapping is required: /etc/subuid has no line for ann");
}
END_TEST

START_TEST(asking_for_a_range_asks_for_a_user_namespace)
{
    set(SETTING_USER_NAMESPACE, "auto");
    set(SETTING_ID_MAPPING, "range");
    assert_map(ID_MAP_RANGES, true, 1000);
    ck_assert(plan_has_namespace(plan, NAMESPACE_USER));
    features.refused[NAMESPACE_USER] = ENOSPC;
    ck_assert(make());
    set(SETTING_REQUIRE, "IDMapping");
    ck_assert(!make());
    ck_assert_ptr_nonnull(strstr(error->message, "UserNamespace is required"));
}
END_TEST

START_TEST(an_ordinary_user_is_himself_unless_he_asks)
{
    be_ordinary();
    ck_assert(!plan_wants_range(&input));
    assert_map(ID_MAP_SINGLE, false, 1000);
    ck_assert(is_dropped(STEP_UID));
    set(SETTING_ID_MAPPING, "range");
    assert_map(ID_MAP_RANGES, true, 1000);
    ck_assert(is_planned(STEP_UID) && is_planned(STEP_GID) && is_dropped(STEP_GROUPS));
}
END_TEST

START_TEST(an_ordinary_users_root_is_a_subordinate_id_or_the_user)
{
    be_ordinary();
    be_root();
    assert_map(ID_MAP_RANGES, true, 100000);
    ck_assert(is_planned(STEP_GROUPS));
    set(SETTING_ID_MAPPING, "self");
    assert_map(ID_MAP_SINGLE, false, 1000);
    ck_assert_str_eq(find(STEP_ID_MAP)->path, "0 is 1000");
    set(SETTING_ID_MAPPING, "auto");
    refuse_ranges();
    assert_map(ID_MAP_SINGLE, false, 1000);
}
END_TEST

START_TEST(an_ordinary_user_must_say_that_another_id_is_a_name_only)
{
    be_ordinary();
    be_root();
    set(SETTING_USER_NAMESPACE, "auto");
    ck_assert(!make());
    ck_assert_int_eq(error->code, CONSTELLATION_ERROR_ACCESS_DENIED);
    set(SETTING_USER_NAMESPACE, "try");
    features.refused[NAMESPACE_USER] = EPERM;
    ck_assert(!make());
    ck_assert_int_eq(error->code, CONSTELLATION_ERROR_ACCESS_DENIED);
}
END_TEST

START_TEST(newuidmap_is_believed_when_it_refuses)
{
    be_ordinary();
    set(SETTING_ID_MAPPING, "range");
    features.refused_ranges = EPERM;
    features.refused_ranges_step = LAUNCH_STEP_ID_HELPER;
    assert_map(ID_MAP_SINGLE, false, 1000);
    ck_assert_ptr_nonnull(strstr(find(STEP_ID_MAP)->reason, "newuidmap or newgidmap refused"));
    features.refused_ranges = ENOENT;
    ck_assert(make());
    ck_assert_ptr_nonnull(strstr(find(STEP_ID_MAP)->reason, "not installed"));
}
END_TEST

START_TEST(ids_beyond_the_range_are_refused_with_the_reason)
{
    be_ordinary();
    set(SETTING_ID_MAPPING, "range");
    identity.uid = identity.gid = 70000; /* not the service's own */
    ck_assert(make());
    ck_assert_ptr_nonnull(strstr(find(STEP_ID_MAP)->reason, "uid 70000"));
    subordinates.uids.count = 500;
    identity.uid = identity.gid = 600;
    ck_assert(make());
    ck_assert_int_eq(find(STEP_ID_MAP)->outcome, OUTCOME_REFUSED);
}
END_TEST

START_TEST(a_user_whose_id_is_in_his_own_range_gets_none)
{
    set(SETTING_ID_MAPPING, "range");
    identity.uid = 100005;
    ck_assert(make());
    ck_assert_ptr_nonnull(strstr(find(STEP_ID_MAP)->reason, "hold one of the uids 100005"));
    identity.uid = identity.gid = 4294967294;
    ck_assert(make());
    ck_assert(is_planned(STEP_ID_MAP));
    ck_assert_uint_eq(plan->outside_uid, 4294967294);
}
END_TEST

START_TEST(an_ordinary_users_init_opens_his_paths_under_its_name_inside)
{
    be_ordinary();
    ck_assert(make());
    ck_assert_uint_eq(plan->owner.uid, 1000);
    set(SETTING_ID_MAPPING, "range");
    ck_assert(make());
    ck_assert_uint_eq(plan->owner.uid, 0);
    set(SETTING_ID_MAPPING, "self");
    be_root();
    ck_assert(make());
    ck_assert_uint_eq(plan->owner.uid, 0);
    set(SETTING_USER_NAMESPACE, "off");
    identity.uid = identity.gid = 1000;
    ck_assert(make());
    ck_assert_uint_eq(plan->owner.uid, 1000);
}
END_TEST

START_TEST(groups_that_are_not_mapped_are_left_out)
{
    gid_t groups[] = { 27, 70000, 1000 };

    identity.groups = groups;
    identity.n_groups = 3;
    ck_assert(make());
    ck_assert_uint_eq(plan->identity.n_groups, 2);
    set(SETTING_ID_MAPPING, "self");
    ck_assert(make());
    ck_assert_uint_eq(plan->identity.n_groups, 0);
}
END_TEST

START_TEST(without_a_user_namespace_nobody_is_renamed)
{
    set(SETTING_USER_NAMESPACE, "off");
    assert_map(ID_MAP_NONE, false, 1000);
    ck_assert(find(STEP_ID_MAP) == NULL);
}
END_TEST

SUITE_MAIN_WITH("isolation/plan-ids", prepare_ids, clean, roots_payload_is_nobody_outside,
                a_users_payload_stays_himself_and_root_does_not,
                without_a_range_root_is_root_and_the_user_himself,
                a_range_that_was_asked_for_is_missed_or_an_error,
                asking_for_a_range_asks_for_a_user_namespace,
                an_ordinary_user_is_himself_unless_he_asks,
                an_ordinary_users_root_is_a_subordinate_id_or_the_user,
                an_ordinary_user_must_say_that_another_id_is_a_name_only,
                newuidmap_is_believed_when_it_refuses,
                ids_beyond_the_range_are_refused_with_the_reason,
                a_user_whose_id_is_in_his_own_range_gets_none,
                an_ordinary_users_init_opens_his_paths_under_its_name_inside,
                groups_that_are_not_mapped_are_left_out, without_a_user_namespace_nobody_is_renamed)
