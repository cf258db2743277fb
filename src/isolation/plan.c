/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Makes the plan of a start. Read plan_make() first: namespaces are decided, then the steps follow
 * from them in the order in which the init performs them. Nothing here looks at the host; what it
 * allows comes in as HostFeatures. */

#include <string.h>

#include "isolation/plan-internal.h"

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

void plan_step_free(PlanStep *step)
{
    g_free(step->path);
    g_free(step->source);
    g_free(step->reason);
    g_free(step);
}

Plan *plan_new(void)
{
    Plan *plan = g_new0(Plan, 1);

    plan->filters = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    plan->limits = g_array_new(FALSE, FALSE, sizeof(struct WireLimit));
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
    g_clear_pointer(&plan->limits, g_array_unref);
    g_clear_pointer(&plan->filters, g_ptr_array_unref);
    g_strfreev(plan->argv);
    /* They may hold secrets. */
    for (size_t i = 0; plan->environment && plan->environment[i]; i++)
        explicit_bzero(plan->environment[i], strlen(plan->environment[i]));
    g_strfreev(plan->environment);
    g_free(plan->executable);
    g_free(plan->script);
    g_free(plan->search_path);
    identity_done(&plan->identity);
    identity_done(&plan->owner);
    g_free(plan);
}

/* A path that came from the init may be cut. */
static bool step_is_about(const PlanStep *step, const char *path)
{
    return !step->path || g_str_has_prefix(step->path, path);
}

const PlanStep *plan_step_refused(Plan *plan, unsigned kind, const char *path, const char *reason)
{
    for (guint i = 0; i < plan->steps->len; i++) {
        PlanStep *step = g_ptr_array_index(plan->steps, i);
        if (step->kind != kind || step->outcome != OUTCOME_PLANNED || !step_is_about(step, path))
            continue;
        step->outcome = OUTCOME_REFUSED;
        step->reason = g_strdup(reason);
        return step;
    }
    return NULL;
}

const char *plan_step_feature(const PlanStep *step)
{
    return step->setting >= 0 ? setting_get((SettingId)step->setting)->name : step_name(step->kind);
}

bool plan_step_is_missed(const PlanStep *step)
{
    if (step->outcome != OUTCOME_REFUSED || !plan_step_is_asked_for(step))
        return false;
    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++)
        if (namespace_infos[kind].step == step->kind)
            return false;
    return true;
}

bool plan_step_is_asked_for(const PlanStep *step)
{
    return step->setting >= 0 ||
           (step->kind != STEP_OOM_SCORE && step->kind != STEP_PAYLOAD_OOM_SCORE &&
            step->kind != STEP_KEYRING);
}

bool plan_has_namespace(const Plan *plan, unsigned kind)
{
    return plan->isolation[kind].outcome == ISOLATION_PRIVATE;
}

/* ---- steps ----------------------------------------------------------------------------------- */

bool plan_is_required(const PlanInput *input, SettingId id)
{
    const char *const *names = spec_get_strv(input->spec, SETTING_REQUIRE);

    return input->no_degrade || (names && g_strv_contains(names, setting_get(id)->name));
}

PlanStep *plan_add_step(Plan *plan, unsigned kind, bool required)
{
    PlanStep *step = g_new0(PlanStep, 1);

    step->kind = kind;
    step->required = required;
    step->setting = -1;
    g_ptr_array_add(plan->steps, step);
    return step;
}

void plan_add_dropped(Plan *plan, unsigned kind, const char *reason)
{
    PlanStep *step = plan_add_step(plan, kind, false);

    step->outcome = OUTCOME_DROPPED;
    step->reason = g_strdup(reason);
}

PlanStep *plan_add_setting_step(const PlanInput *input, Plan *plan, unsigned kind, SettingId id)
{
    PlanStep *step = plan_add_step(plan, kind, plan_is_required(input, id));

    step->setting = (int)id;
    return step;
}

bool plan_add_refused(const PlanInput *input, Plan *plan, unsigned kind, SettingId id,
                      GError **error, const char *reason, ...)
{
    PlanStep *step = plan_add_setting_step(input, plan, kind, id);
    va_list args;

    va_start(args, reason);
    step->reason = g_strdup_vprintf(reason, args);
    va_end(args);
    step->outcome = OUTCOME_REFUSED;
    return !step->required || error_set(error, CONSTELLATION_ERROR_ISOLATION_FAILED,
                                        "%s is required: %s", setting_get(id)->name, step->reason);
}

/* A host's root can move oom_score_adj both ways, an ordinary user only up. */
static bool may_set_oom_score(const PlanInput *input, const Plan *plan)
{
    return input->service_uid == 0 && plan->id_map == ID_MAP_NONE;
}

static bool add_init_steps(const PlanInput *input, Plan *plan, GError **error)
{
    if (!plan_has_namespace(plan, NAMESPACE_PID))
        plan_add_step(plan, STEP_SUBREAPER, true);
    if (may_set_oom_score(input, plan))
        plan_add_step(plan, STEP_OOM_SCORE, false)->number = OOM_SCORE_NEVER;
    else
        plan_add_dropped(plan, STEP_OOM_SCORE, "only root may lower it");
    if (!plan_add_file_steps(input, plan, error))
        return false;
    plan_add_namespace_steps(input, plan);
    plan_add_gate_steps(input, plan);
    return true;
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

/* A namespace that is not made is not private, whoever would have made it. */
static void refuse_namespace(Plan *plan, const PlanStep *step)
{
    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++) {
        if (namespace_infos[kind].step != step->kind)
            continue;
        plan->isolation[kind].outcome = ISOLATION_REFUSED;
        g_free(plan->isolation[kind].reason);
        plan->isolation[kind].reason = g_strdup(step->reason);
    }
}

/* Some are refused for certain values and users only; who adds the step has looked. */
static bool is_refused(const PlanInput *input, const Plan *plan, const PlanStep *step)
{
    bool inside = plan_has_namespace(plan, NAMESPACE_USER);

    if (step->outcome != OUTCOME_PLANNED || input->features->refused_steps[inside][step->kind] == 0)
        return false;
    switch (step->kind) {
    case STEP_NICE:
    case STEP_LIMIT:
    case STEP_PAYLOAD_OOM_SCORE:
        return false;
    case STEP_CAPABILITIES:
        return input->identity->uid != 0;
    default:
        return step->kind < STEP_EXEC;
    }
}

/* What this host is known to refuse, in the words that the refusal itself would have. */
static bool apply_refusals(const PlanInput *input, Plan *plan, GError **error)
{
    const int *refused = input->features->refused_steps[plan_has_namespace(plan, NAMESPACE_USER)];

    for (guint i = 0; i < plan->steps->len; i++) {
        PlanStep *step = g_ptr_array_index(plan->steps, i);
        if (!is_refused(input, plan, step))
            continue;
        g_autofree char *why = step_failure(step->kind, refused[step->kind],
                                            step->path ? step->path : "");
        if (step->required || (input->no_degrade && plan_step_is_asked_for(step)))
            return error_set(error, step_error_code(step->kind), "%s", why);
        step->outcome = OUTCOME_REFUSED;
        step->reason = g_steal_pointer(&why);
        refuse_namespace(plan, step);
    }
    return true;
}

Plan *plan_make(const PlanInput *input, GError **error)
{
    g_autoptr(Plan) plan = plan_new();

    copy_identity(input->identity, &plan->identity);
    plan->kill_signal = (int)spec_get_uint(input->spec, SETTING_KILL_SIGNAL);
    if (input->owner)
        copy_identity(input->owner, &plan->owner);
    else
        plan->owner.uid = plan->owner.gid = input->service_uid;
    if (!plan_decide_namespaces(input, plan, error) || !plan_set_payload(input, plan, error) ||
        !add_init_steps(input, plan, error))
        return NULL;
    if ((plan->argv && !plan_add_payload_steps(input, plan, error)) ||
        !apply_refusals(input, plan, error))
        return NULL;
    return g_steal_pointer(&plan);
}
