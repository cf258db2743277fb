/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Makes the plan of a start. Read plan_make() first: namespaces are decided, then the steps follow
 * from them in the order in which the init performs them. Nothing here looks at the host; what it
 * allows comes in as HostFeatures. */

#include "isolation/plan.h"

/* OOM scores travel as value + 1000: oom_score_adj goes from -1000 to 1000. */
#define OOM_SCORE_NEVER   0
#define OOM_SCORE_NEUTRAL 1000

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const char *const isolation_outcomes[] = { "private", "shared", "refused" };
static const char *const outcomes[] = { "planned", "dropped", "refused" };

const char *isolation_outcome_to_string(IsolationOutcome outcome)
{
    return isolation_outcomes[outcome];
}

const char *outcome_to_string(Outcome outcome)
{
    return outcomes[outcome];
}

void identity_done(Identity *identity)
{
    g_clear_pointer(&identity->groups, g_free);
    g_clear_pointer(&identity->user, g_free);
    g_clear_pointer(&identity->home, g_free);
    g_clear_pointer(&identity->shell, g_free);
}

static void plan_step_free(PlanStep *step)
{
    g_free(step->path);
    g_free(step->reason);
    g_free(step);
}

Plan *plan_new(void)
{
    Plan *plan = g_new0(Plan, 1);

    plan->steps = g_ptr_array_new_with_free_func((GDestroyNotify)plan_step_free);
    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++)
        plan->isolation[kind].outcome = ISOLATION_SHARED;
    return plan;
}

void plan_free(Plan *plan)
{
    if (!plan)
        return;
    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++)
        g_free(plan->isolation[kind].reason);
    g_clear_pointer(&plan->steps, g_ptr_array_unref);
    g_strfreev(plan->argv);
    g_strfreev(plan->environment);
    g_free(plan->executable);
    g_free(plan->script);
    g_free(plan->search_path);
    identity_done(&plan->identity);
    g_free(plan);
}

void plan_step_refused(Plan *plan, unsigned kind, const char *reason)
{
    for (guint i = 0; i < plan->steps->len; i++) {
        PlanStep *step = g_ptr_array_index(plan->steps, i);
        if (step->kind != kind || step->outcome != OUTCOME_PLANNED)
            continue;
        step->outcome = OUTCOME_REFUSED;
        step->reason = g_strdup(reason);
    }
}

bool plan_has_namespace(const Plan *plan, unsigned kind)
{
    return plan->isolation[kind].outcome == ISOLATION_PRIVATE;
}

/* ---- namespaces ------------------------------------------------------------------------------ */

static bool is_required(const PlanInput *input, SettingId id)
{
    const char *const *names = spec_get_strv(input->spec, SETTING_REQUIRE);

    return input->no_degrade || (names && g_strv_contains(names, setting_get(id)->name));
}

static TryChoice choice_of(const PlanInput *input, unsigned kind)
{
    int setting = namespace_infos[kind].setting;

    if (setting < 0)
        return CHOICE_OFF;
    TryChoice choice = (TryChoice)spec_get_uint(input->spec, (SettingId)setting);
    if (choice == CHOICE_AUTO)
        choice = input->features->privileged ? CHOICE_OFF : CHOICE_TRY;
    if (choice == CHOICE_TRY && is_required(input, (SettingId)setting))
        choice = CHOICE_REQUIRED;
    return choice;
}

/* Why this kind cannot be had although it is asked for, or NULL. */
static char *refusal_of(const PlanInput *input, const Plan *plan, unsigned kind)
{
    const HostFeatures *features = input->features;

    if (kind != NAMESPACE_USER && !features->privileged &&
        plan->isolation[NAMESPACE_USER].outcome != ISOLATION_PRIVATE) {
        const char *why = plan->isolation[NAMESPACE_USER].reason;
        return g_strdup_printf("the service is not root, so it takes a user namespace, and there "
                               "is none (%s)",
                               *why ? why : "UserNamespace=off");
    }
    if (features->refused[kind] != 0)
        return namespace_refusal(kind, features->refused[kind], features->privileged);
    if (kind == NAMESPACE_CGROUP && !input->has_cgroup)
        return g_strdup("the instance has no cgroup of its own on this rung (see Backend)");
    return NULL;
}

static bool decide_namespace(const PlanInput *input, Plan *plan, unsigned kind, GError **error)
{
    Isolation *isolation = &plan->isolation[kind];
    TryChoice choice = choice_of(input, kind);

    isolation->reason = g_strdup("");
    if (choice == CHOICE_OFF) {
        isolation->outcome = ISOLATION_SHARED;
        return true;
    }
    g_autofree char *refusal = refusal_of(input, plan, kind);
    if (!refusal) {
        isolation->outcome = ISOLATION_PRIVATE;
        if (namespace_infos[kind].by_clone)
            plan->clone_flags |= namespace_infos[kind].clone_flag;
        return true;
    }
    if (choice == CHOICE_REQUIRED)
        return error_set(error, CONSTELLATION_ERROR_NAMESPACE_FAILED, "%s is required: %s",
                         setting_get((SettingId)namespace_infos[kind].setting)->name, refusal);
    isolation->outcome = ISOLATION_REFUSED;
    g_free(isolation->reason);
    isolation->reason = g_steal_pointer(&refusal);
    return true;
}

static bool decide_namespaces(const PlanInput *input, Plan *plan, GError **error)
{
    /* The user namespace first: whether the others can be had may depend on it. */
    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++)
        if (!decide_namespace(input, plan, kind, error))
            return false;

    if (plan_has_namespace(plan, NAMESPACE_USER))
        plan->id_map = input->features->privileged ? ID_MAP_PAIR : ID_MAP_SINGLE;
    return true;
}

/* ---- steps ----------------------------------------------------------------------------------- */

PlanStep *plan_add_step(Plan *plan, unsigned kind, bool required)
{
    PlanStep *step = g_new0(PlanStep, 1);

    step->kind = kind;
    step->required = required;
    g_ptr_array_add(plan->steps, step);
    return step;
}

static void add_dropped(Plan *plan, unsigned kind, const char *reason)
{
    PlanStep *step = plan_add_step(plan, kind, false);

    step->outcome = OUTCOME_DROPPED;
    step->reason = g_strdup(reason);
}

/* A host's root can move oom_score_adj both ways, an ordinary user only up. */
static bool may_set_oom_score(const PlanInput *input, const Plan *plan)
{
    return input->service_uid == 0 && plan->id_map == ID_MAP_NONE;
}

static void add_mount_steps(const PlanInput *input, Plan *plan)
{
    if (!plan_has_namespace(plan, NAMESPACE_MOUNT)) {
        add_dropped(plan, STEP_MOUNTS_SLAVE, "no mount namespace");
        return;
    }
    plan_add_step(plan, STEP_MOUNTS_SLAVE, true);
    if (plan_has_namespace(plan, NAMESPACE_PID))
        plan_add_step(plan, STEP_PROC, choice_of(input, NAMESPACE_PID) == CHOICE_REQUIRED)
            ->path = g_strdup("/proc");
    else
        add_dropped(plan, STEP_PROC, "no pid namespace");
    for (size_t i = 0; input->masks && input->masks[i]; i++)
        plan_add_step(plan, STEP_MASK, true)->path = g_strdup(input->masks[i]);
}

static void add_init_steps(const PlanInput *input, Plan *plan)
{
    if (!plan_has_namespace(plan, NAMESPACE_PID))
        plan_add_step(plan, STEP_SUBREAPER, true);
    if (may_set_oom_score(input, plan))
        plan_add_step(plan, STEP_OOM_SCORE, false)->number = OOM_SCORE_NEVER;
    else
        add_dropped(plan, STEP_OOM_SCORE, "only root may lower it");
    add_mount_steps(input, plan);
    if (plan_has_namespace(plan, NAMESPACE_UTS)) {
        const char *hostname = spec_get_string(input->spec, SETTING_HOSTNAME);
        plan_add_step(plan, STEP_HOSTNAME, choice_of(input, NAMESPACE_UTS) == CHOICE_REQUIRED)
            ->path = g_strdup(hostname && *hostname ? hostname : input->name);
    } else {
        add_dropped(plan, STEP_HOSTNAME, "no UTS namespace");
    }
    plan_add_step(plan, STEP_GATE, true);
    if (plan_has_namespace(plan, NAMESPACE_CGROUP))
        plan_add_step(plan, STEP_CGROUP_NAMESPACE,
                      choice_of(input, NAMESPACE_CGROUP) == CHOICE_REQUIRED);
    else
        add_dropped(plan, STEP_CGROUP_NAMESPACE, "no cgroup namespace");
}

static void add_identity_steps(const PlanInput *input, Plan *plan)
{
    if (input->service_uid != 0) {
        add_dropped(plan, STEP_UID, "the service runs as this user already");
        return;
    }
    /* In a user namespace of two ids the other groups do not exist. */
    if (plan->id_map == ID_MAP_PAIR)
        plan->identity.n_groups = 0;
    if (input->groups_denied)
        add_dropped(plan, STEP_GROUPS, "the user namespace around the service forbids it");
    else
        plan_add_step(plan, STEP_GROUPS, true);
    plan_add_step(plan, STEP_GID, true);
    plan_add_step(plan, STEP_UID, true);
}

/* "file:PATH" and "append:PATH" are opened by the payload's process, as its user; the rest is given
 * to it. Two truncating descriptors of one file would write over each other: then it is one. */
static void add_output_step(const PlanInput *input, Plan *plan, unsigned kind, SettingId id)
{
    const char *where = spec_get_string(input->spec, id);
    const char *path = where && *where ? strchr(where, '/') : NULL;

    if (!path || (kind == STEP_STDOUT ? input->given_stdout : input->given_stderr))
        return;
    PlanStep *step = plan_add_step(plan, kind, true);
    step->path = g_strdup(path);
    step->number = g_str_has_prefix(where, "append:") ? OUTPUT_APPEND : OUTPUT_TRUNCATE;
    if (kind == STEP_STDERR && !input->given_stdout &&
        g_strcmp0(where, spec_get_string(input->spec, SETTING_STANDARD_OUTPUT)) == 0)
        step->number = OUTPUT_SAME;
}

static bool no_new_privileges(const PlanInput *input)
{
    if (spec_is_set(input->spec, SETTING_NO_NEW_PRIVILEGES))
        return spec_get_uint(input->spec, SETTING_NO_NEW_PRIVILEGES);
    return input->identity->uid != 0;
}

static void add_payload_steps(const PlanInput *input, Plan *plan)
{
    const char *directory = spec_get_string(input->spec, SETTING_WORKING_DIRECTORY);

    plan_add_step(plan, STEP_SESSION, true);
    if (input->service_uid == 0)
        plan_add_step(plan, STEP_PAYLOAD_OOM_SCORE, false)->number = OOM_SCORE_NEUTRAL;
    add_identity_steps(input, plan);
    plan_add_step(plan, STEP_CAPABILITIES, true)->number = input->identity->uid != 0;
    if (no_new_privileges(input))
        plan_add_step(plan, STEP_NO_NEW_PRIVILEGES, true);
    else
        add_dropped(plan, STEP_NO_NEW_PRIVILEGES, "the payload is root's, or it was switched off");
    add_output_step(input, plan, STEP_STDOUT, SETTING_STANDARD_OUTPUT);
    add_output_step(input, plan, STEP_STDERR, SETTING_STANDARD_ERROR);
    plan_add_step(plan, STEP_WORKING_DIRECTORY, true)->path = g_strdup(
        directory && *directory ? directory : "/");
    plan_add_step(plan, STEP_EXEC, true)->path = g_strdup(plan->script ? plan->script
                                                                       : plan->executable);
}

/* ---- payload --------------------------------------------------------------------------------- */

static bool set_payload(const PlanInput *input, Plan *plan, GError **error)
{
    const char *const *command = spec_get_strv(input->spec, SETTING_COMMAND);
    const char *script = spec_get_string(input->spec, SETTING_SCRIPT);
    const char *interpreter = spec_get_string(input->spec, SETTING_INTERPRETER);

    if (script && *script) {
        if (!interpreter || !*interpreter)
            interpreter = input->interpreter;
        plan->argv = g_strdupv((char *[]){ (char *)interpreter, (char *)script, NULL });
        plan->executable = g_strdup(interpreter);
        plan->script = g_strdup(script);
    } else if (command && command[0]) {
        plan->argv = g_strdupv((char **)command);
        plan->executable = g_strdup(command[0]);
    } else {
        return true;
    }
    if (!*plan->executable)
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "the program to execute has an empty name");
    return true;
}

/* The settings' variables go over the ones every payload gets. */
static void set_environment(const PlanInput *input, Plan *plan)
{
    const Identity *identity = input->identity;
    const char *const *wanted = spec_get_strv(input->spec, SETTING_ENVIRONMENT);
    char **environment = g_new0(char *, 1);

    environment = g_environ_setenv(environment, "PATH", DEFAULT_PATH, TRUE);
    environment = g_environ_setenv(environment, "HOME", identity->home, TRUE);
    environment = g_environ_setenv(environment, "USER", identity->user, TRUE);
    environment = g_environ_setenv(environment, "LOGNAME", identity->user, TRUE);
    environment = g_environ_setenv(environment, "SHELL", identity->shell, TRUE);
    environment = g_environ_setenv(environment, "CONSTELLATION_INSTANCE", input->name, TRUE);
    environment = g_environ_setenv(environment, "CONSTELLATION_ID", input->id, TRUE);
    for (size_t i = 0; wanted && wanted[i]; i++) {
        const char *equals = strchr(wanted[i], '=');
        g_autofree char *name = g_strndup(wanted[i], (gsize)(equals - wanted[i]));
        environment = g_environ_setenv(environment, name, equals + 1, TRUE);
    }
    plan->search_path = g_strdup(g_environ_getenv(environment, "PATH"));
    plan->environment = environment;
}

static void copy_identity(const Identity *from, Identity *to)
{
    to->uid = from->uid;
    to->gid = from->gid;
    to->n_groups = from->n_groups;
    to->groups = g_memdup2(from->groups, from->n_groups * sizeof *from->groups);
    to->user = g_strdup(from->user);
    to->home = g_strdup(from->home);
    to->shell = g_strdup(from->shell);
}

Plan *plan_make(const PlanInput *input, GError **error)
{
    g_autoptr(Plan) plan = plan_new();

    if (input->service_uid != 0 && input->identity->uid != input->service_uid) {
        error_set(error, CONSTELLATION_ERROR_ACCESS_DENIED,
                  "User=%s: this service runs as uid %u and can run nothing as another user "
                  "(use the system service)",
                  input->identity->user, input->service_uid);
        return NULL;
    }
    copy_identity(input->identity, &plan->identity);
    if (!decide_namespaces(input, plan, error) || !set_payload(input, plan, error))
        return NULL;
    set_environment(input, plan);
    add_init_steps(input, plan);
    if (plan->argv)
        add_payload_steps(input, plan);
    return g_steal_pointer(&plan);
}
