/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Plans, made for hosts that allow this and forbid that. */

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "isolation/plan.h"
#include "suite.h"

static Spec *spec;
static Identity identity;
static HostFeatures features;
static PlanInput input;
static Plan *plan;
static GError *error;

/* root's service on a host that allows everything, a payload of uid 1000 */
static void prepare(void)
{
    spec = spec_new();
    identity = (Identity){ .uid = 1000,
                           .gid = 1000,
                           .user = (char *)"ann",
                           .home = (char *)"/home/ann",
                           .shell = (char *)"/bin/zsh" };
    features = (HostFeatures){ .known = true, .privileged = true };
    input = (PlanInput){ .spec = spec,
                         .name = "web",
                         .id = "i0000000000001",
                         .identity = &identity,
                         .features = &features,
                         .interpreter = "rads",
                         .has_cgroup = true };
    ck_assert(spec_set_text(spec, SETTING_COMMAND, "sleep 100", NULL));
}

static void forget(void)
{
    g_clear_pointer(&plan, plan_free);
    g_clear_error(&error);
}

static void clean(void)
{
    forget();
    g_clear_pointer(&spec, spec_free);
}

static void set(SettingId id, const char *text)
{
    ck_assert_msg(spec_set_text(spec, id, text, &error), "%s", error ? error->message : "");
}

static bool make(void)
{
    forget();
    plan = plan_make(&input, &error);
    ck_assert((plan != NULL) == (error == NULL));
    return plan != NULL;
}

static void be_unprivileged(void)
{
    features.privileged = false;
    input.service_uid = identity.uid;
}

static const PlanStep *find(unsigned kind)
{
    for (guint i = 0; i < plan->steps->len; i++) {
        const PlanStep *step = g_ptr_array_index(plan->steps, i);
        if (step->kind == kind)
            return step;
    }
    return NULL;
}

static bool is_planned(unsigned kind)
{
    const PlanStep *step = find(kind);

    return step && step->outcome == OUTCOME_PLANNED;
}

static bool is_dropped(unsigned kind)
{
    const PlanStep *step = find(kind);

    return step && step->outcome == OUTCOME_DROPPED && step->reason && *step->reason;
}

/* ---- namespaces ------------------------------------------------------------------------------ */

/* One kind under one choice on one host; the other kinds are off. */
static void check_namespace(unsigned kind, const char *choice, bool privileged, int refused)
{
    g_autofree char *row = g_strdup_printf("%s=%s privileged=%d errno=%d",
                                           namespace_infos[kind].name, choice, privileged, refused);
    bool required = strcmp(choice, "required") == 0;
    bool off = strcmp(choice, "off") == 0 || (strcmp(choice, "auto") == 0 && privileged);
    /* Without privilege nothing but the user namespace itself can be had without one. */
    bool possible = refused == 0 && (privileged || kind == NAMESPACE_USER);

    features = (HostFeatures){ .known = true, .privileged = privileged };
    features.refused[kind] = refused;
    input.service_uid = privileged ? 0 : identity.uid;
    for (unsigned other = 0; other < NAMESPACE_COUNT; other++)
        if (namespace_infos[other].setting >= 0)
            set((SettingId)namespace_infos[other].setting, "off");
    set((SettingId)namespace_infos[kind].setting, choice);

    if (!make()) {
        ck_assert_msg(required && !possible, "%s: %s", row, error->message);
        ck_assert_msg(error->code == CONSTELLATION_ERROR_NAMESPACE_FAILED, "%s", row);
        ck_assert_msg(
            strstr(error->message, setting_get((SettingId)namespace_infos[kind].setting)->name),
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
    unsigned expected = !off && possible && namespace_infos[kind].by_clone
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
                if (namespace_infos[kind].setting < 0 ||
                    (kind != NAMESPACE_USER && strcmp(choices[c], "auto") == 0))
                    continue;
                check_namespace(kind, choices[c], true, errnos[e]);
                check_namespace(kind, choices[c], false, errnos[e]);
            }
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
    ck_assert_uint_eq(plan->id_map, ID_MAP_PAIR);
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
    ck_assert_uint_eq(find(STEP_CAPABILITIES)->number, 1);
    identity.uid = identity.gid = 0;
    ck_assert(make());
    ck_assert_uint_eq(find(STEP_CAPABILITIES)->number, 0);
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

SUITE_MAIN_WITH("isolation/plan", prepare, clean, every_namespace_under_every_choice_on_every_host,
                what_is_required_is_had_or_refused_in_the_words_of_the_error,
                without_privilege_the_user_namespace_opens_the_others,
                where_the_user_namespace_is_refused_the_others_say_so, root_needs_no_user_namespace,
                a_cgroup_namespace_takes_a_cgroup, what_is_required_by_name_must_be_had,
                what_must_not_degrade_must_be_had,
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
