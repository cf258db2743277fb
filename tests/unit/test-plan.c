/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Plans: the steps of a start and what is executed. The namespaces are in
 * test-plan-namespaces.c. */

#include "plan-world.h"

/* ---- steps ----------------------------------------------------------------------------------- */

START_TEST(before_the_gate_the_init_prepares_and_behind_it_the_payload_drops)
{
    unsigned last = STEP_NONE;
    bool gate = false;

    ck_assert(make());
    for (guint i = 0; i < plan->steps->len; i++) {
        const PlanStep *step = g_ptr_array_index(plan->steps, i);
        ck_assert_msg(gate ? step->kind > last : step->kind <= STEP_GATE, "%s behind %s",
                      step_name(step->kind), step_name(last));
        ck_assert_msg((step->outcome == OUTCOME_PLANNED) == (step->reason == NULL), "%s",
                      step_name(step->kind));
        gate |= step->kind == STEP_GATE;
        last = step->kind;
    }
    ck_assert(gate);
    ck_assert_uint_eq(last, STEP_EXEC);
}
END_TEST

START_TEST(mounts_are_kept_in_before_anything_is_mounted)
{
    static const char *const masks[] = { "/run/secret", "/var/secret", NULL };
    unsigned mounted = 0;

    input.masks = masks;
    ck_assert(make());
    for (guint i = 0; i < plan->steps->len; i++) {
        const PlanStep *step = g_ptr_array_index(plan->steps, i);
        if (step->kind == STEP_MOUNTS_SLAVE)
            ck_assert_uint_eq(mounted, 0);
        mounted += step->kind == STEP_MASK || step->kind == STEP_PROC;
    }
    ck_assert_uint_eq(mounted, 3);
}
END_TEST

START_TEST(what_is_masked_is_required)
{
    static const char *const masks[] = { "/run/secret", NULL };

    input.masks = masks;
    ck_assert(make());
    ck_assert(is_planned(STEP_MASK) && find(STEP_MASK)->required);
    ck_assert_str_eq(find(STEP_MASK)->path, "/run/secret");
    set(SETTING_MOUNT_NAMESPACE, "off");
    ck_assert(make());
    ck_assert(!is_planned(STEP_MASK));
}
END_TEST

START_TEST(a_proc_of_its_own_takes_a_pid_and_a_mount_namespace)
{
    static const struct {
        const char *pid, *mount;
        bool expected;
    } rows[] = {
        { "try", "try", true },
        { "off", "try", false },
        { "try", "off", false },
        { "off", "off", false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        set(SETTING_PID_NAMESPACE, rows[i].pid);
        set(SETTING_MOUNT_NAMESPACE, rows[i].mount);
        ck_assert(make());
        ck_assert_msg(is_planned(STEP_PROC) == rows[i].expected, "%s %s", rows[i].pid,
                      rows[i].mount);
    }
}
END_TEST

START_TEST(orphans_need_a_subreaper_where_there_is_no_pid_namespace)
{
    ck_assert(make());
    ck_assert(!is_planned(STEP_SUBREAPER));
    set(SETTING_PID_NAMESPACE, "off");
    ck_assert(make());
    ck_assert(is_planned(STEP_SUBREAPER) && find(STEP_SUBREAPER)->required);
}
END_TEST

START_TEST(the_host_name_is_the_instances_unless_set)
{
    ck_assert(make());
    ck_assert_str_eq(find(STEP_HOSTNAME)->path, "web");
    set(SETTING_HOSTNAME, "box.example");
    ck_assert(make());
    ck_assert_str_eq(find(STEP_HOSTNAME)->path, "box.example");
    spec_unset(spec, SETTING_HOSTNAME);
    set(SETTING_UTS_NAMESPACE, "off");
    ck_assert(make());
    ck_assert(is_dropped(STEP_HOSTNAME));
}
END_TEST

START_TEST(roots_service_drops_to_the_payloads_user_unless_that_is_root)
{
    static const unsigned kinds[] = { STEP_GROUPS, STEP_GID, STEP_UID, STEP_CAPABILITIES };

    ck_assert(make());
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        ck_assert_msg(is_planned(kinds[i]) && find(kinds[i])->required, "%s", step_name(kinds[i]));
    ck_assert_uint_eq(plan->capabilities.bounding | plan->capabilities.permitted, 0);
    identity.uid = identity.gid = 0;
    ck_assert(make());
    ck_assert_uint_eq(plan->capabilities.bounding & plan->capabilities.permitted, UINT64_MAX);
    ck_assert_uint_eq(plan->capabilities.ambient, 0);
}
END_TEST

START_TEST(an_ordinary_service_has_nobody_to_become)
{
    be_unprivileged();
    ck_assert(make());
    ck_assert(is_dropped(STEP_UID));
    ck_assert(!is_planned(STEP_GID) && !is_planned(STEP_GROUPS));
    ck_assert(is_planned(STEP_CAPABILITIES));
    ck_assert(is_dropped(STEP_OOM_SCORE));
    ck_assert_ptr_null(find(STEP_PAYLOAD_OOM_SCORE));
}
END_TEST

START_TEST(an_ordinary_service_runs_nothing_as_another_user)
{
    be_unprivileged();
    identity.uid = 1001;
    ck_assert(!make());
    ck_assert_int_eq(error->code, CONSTELLATION_ERROR_ACCESS_DENIED);
    identity.uid = 0;
    ck_assert(!make());
}
END_TEST

START_TEST(groups_do_not_exist_where_two_ids_are_mapped)
{
    gid_t groups[] = { 4, 27 };

    identity.groups = groups;
    identity.n_groups = 2;
    ck_assert(make());
    ck_assert_uint_eq(plan->identity.n_groups, 2);
    ck_assert_uint_eq(plan->identity.groups[1], 27);
    set(SETTING_USER_NAMESPACE, "required");
    ck_assert(make());
    ck_assert_uint_eq(plan->identity.n_groups, 0);
}
END_TEST

START_TEST(privileges_are_gained_by_roots_payload_only)
{
    ck_assert(make());
    ck_assert(is_planned(STEP_NO_NEW_PRIVILEGES) && find(STEP_NO_NEW_PRIVILEGES)->required);
    set(SETTING_NO_NEW_PRIVILEGES, "no");
    ck_assert(make());
    ck_assert(is_dropped(STEP_NO_NEW_PRIVILEGES));
    spec_unset(spec, SETTING_NO_NEW_PRIVILEGES);
    identity.uid = 0;
    ck_assert(make());
    ck_assert(is_dropped(STEP_NO_NEW_PRIVILEGES));
    set(SETTING_NO_NEW_PRIVILEGES, "yes");
    ck_assert(make());
    ck_assert(is_planned(STEP_NO_NEW_PRIVILEGES));
}
END_TEST

START_TEST(a_sandbox_has_no_payload)
{
    spec_unset(spec, SETTING_COMMAND);
    ck_assert(make());
    ck_assert_ptr_null(plan->argv);
    for (guint i = 0; i < plan->steps->len; i++)
        ck_assert_uint_lt(((const PlanStep *)g_ptr_array_index(plan->steps, i))->kind,
                          STEP_SESSION);
}
END_TEST

/* ---- payload --------------------------------------------------------------------------------- */

START_TEST(a_command_is_executed_as_it_stands)
{
    ck_assert(make());
    ck_assert_str_eq(plan->executable, "sleep");
    ck_assert_str_eq(plan->argv[1], "100");
    ck_assert_str_eq(find(STEP_EXEC)->path, "sleep");
    ck_assert_str_eq(find(STEP_WORKING_DIRECTORY)->path, "/");
}
END_TEST

START_TEST(a_script_has_an_interpreter)
{
    spec_unset(spec, SETTING_COMMAND);
    set(SETTING_SCRIPT, "/srv/web.rads");
    ck_assert(make());
    ck_assert_str_eq(plan->executable, "rads");
    ck_assert_str_eq(plan->argv[1], "/srv/web.rads");
    ck_assert_str_eq(plan->script, "/srv/web.rads");
    set(SETTING_INTERPRETER, "/usr/bin/lua");
    ck_assert(make());
    ck_assert_str_eq(plan->executable, "/usr/bin/lua");
    ck_assert_str_eq(find(STEP_EXEC)->path, "/srv/web.rads");
}
END_TEST

START_TEST(an_empty_program_is_refused)
{
    spec_unset(spec, SETTING_COMMAND);
    set(SETTING_SCRIPT, "/srv/web.rads");
    input.interpreter = "";
    ck_assert(!make());
    ck_assert_int_eq(error->code, CONSTELLATION_ERROR_INVALID_ARGS);
}
END_TEST

START_TEST(the_environment_is_the_users_and_the_instances)
{
    static const struct {
        const char *name, *value;
    } rows[] = {
        { "HOME", "/home/ann" },
        { "USER", "ann" },
        { "LOGNAME", "ann" },
        { "SHELL", "/bin/zsh" },
        { "CONSTELLATION_INSTANCE", "web" },
        { "CONSTELLATION_ID", "i0000000000001" },
    };

    ck_assert(make());
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        ck_assert_str_eq(g_environ_getenv(plan->environment, rows[i].name), rows[i].value);
    ck_assert_str_eq(g_environ_getenv(plan->environment, "PATH"), plan->search_path);
    ck_assert_uint_eq(g_strv_length(plan->environment), G_N_ELEMENTS(rows) + 1);
}
END_TEST

START_TEST(settings_override_the_environment)
{
    set(SETTING_ENVIRONMENT, "PATH=/opt HOME=/tmp A= B=x=y");
    ck_assert(make());
    ck_assert_str_eq(plan->search_path, "/opt");
    ck_assert_str_eq(g_environ_getenv(plan->environment, "HOME"), "/tmp");
    ck_assert_str_eq(g_environ_getenv(plan->environment, "A"), "");
    ck_assert_str_eq(g_environ_getenv(plan->environment, "B"), "x=y");
}
END_TEST

SUITE_MAIN_WITH("isolation/plan", prepare, clean,
                before_the_gate_the_init_prepares_and_behind_it_the_payload_drops,
                mounts_are_kept_in_before_anything_is_mounted, what_is_masked_is_required,
                a_proc_of_its_own_takes_a_pid_and_a_mount_namespace,
                orphans_need_a_subreaper_where_there_is_no_pid_namespace,
                the_host_name_is_the_instances_unless_set,
                roots_service_drops_to_the_payloads_user_unless_that_is_root,
                an_ordinary_service_has_nobody_to_become,
                an_ordinary_service_runs_nothing_as_another_user,
                groups_do_not_exist_where_two_ids_are_mapped,
                privileges_are_gained_by_roots_payload_only, a_sandbox_has_no_payload,
                a_command_is_executed_as_it_stands, a_script_has_an_interpreter,
                an_empty_program_is_refused, the_environment_is_the_users_and_the_instances,
                settings_override_the_environment)
