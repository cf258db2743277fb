/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which namespaces an instance gets: what is asked for each kind, against what this host allows. */

#include <linux/capability.h>

#include "isolation/plan-internal.h"

/* What it takes to write a map that has more than one's own id, root among them. */
#define MAPPER (UINT64_C(1) << CAP_SETUID | UINT64_C(1) << CAP_SETGID | UINT64_C(1) << CAP_SETFCAP)

TryChoice plan_namespace_choice(const PlanInput *input, unsigned kind)
{
    SettingId setting = namespace_infos[kind].setting;
    TryChoice choice = (TryChoice)spec_get_uint(input->spec, setting);

    if (kind == NAMESPACE_NETWORK)
        choice = spec_get_uint(input->spec, setting) == NETWORK_HOST ? CHOICE_OFF : CHOICE_TRY;
    bool wants_range = kind == NAMESPACE_USER &&
                       spec_get_uint(input->spec, SETTING_ID_MAPPING) == ID_MAPPING_RANGE;
    if (choice == CHOICE_AUTO)
        choice = input->features->privileged && !wants_range ? CHOICE_OFF : CHOICE_TRY;
    if (choice == CHOICE_TRY && (plan_is_required(input, setting) ||
                                 (wants_range && plan_is_required(input, SETTING_ID_MAPPING))))
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
    if (kind == NAMESPACE_USER && !features->privileged && input->service_uid == 0 &&
        input->identity->uid != 0)
        return g_strdup("the service is root without CAP_SYS_ADMIN, so it could only map its own "
                        "id, and User= is another");
    if (kind == NAMESPACE_USER && features->privileged &&
        (features->capabilities & MAPPER) != MAPPER)
        return g_strdup("the service lacks CAP_SETUID, CAP_SETGID or CAP_SETFCAP, without which it "
                        "cannot map ids");
    if (features->refused[kind] != 0)
        return namespace_refusal(kind, features);
    if (kind == NAMESPACE_CGROUP && !input->has_cgroup)
        return g_strdup("the instance has no cgroup of its own on this rung (see Backend)");
    return NULL;
}

static bool decide_namespace(const PlanInput *input, Plan *plan, unsigned kind, GError **error)
{
    Isolation *isolation = &plan->isolation[kind];
    TryChoice choice = plan_namespace_choice(input, kind);

    isolation->reason = g_strdup("");
    if (choice == CHOICE_OFF) {
        isolation->outcome = ISOLATION_SHARED;
        return true;
    }
    g_autofree char *refusal = refusal_of(input, plan, kind);
    if (!refusal) {
        isolation->outcome = ISOLATION_PRIVATE;
        if (namespace_infos[kind].step == STEP_NONE)
            plan->clone_flags |= namespace_infos[kind].clone_flag;
        return true;
    }
    if (choice == CHOICE_REQUIRED)
        return error_set(error, CONSTELLATION_ERROR_NAMESPACE_FAILED, "%s is required: %s",
                         setting_get(namespace_infos[kind].setting)->name, refusal);
    isolation->outcome = ISOLATION_REFUSED;
    g_free(isolation->reason);
    isolation->reason = g_steal_pointer(&refusal);
    return true;
}

bool plan_decide_namespaces(const PlanInput *input, Plan *plan, GError **error)
{
    /* The user namespace first: whether the others can be had may depend on it. */
    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++)
        if (!decide_namespace(input, plan, kind, error))
            return false;

    return plan_decide_ids(input, plan, error);
}

/* ---- steps ----------------------------------------------------------------------------------- */

static bool is_required(const PlanInput *input, unsigned kind)
{
    return plan_namespace_choice(input, kind) == CHOICE_REQUIRED;
}

/* The step that completes a namespace, or the word why there is none. */
static PlanStep *add_step(const PlanInput *input, Plan *plan, unsigned kind, unsigned step)
{
    if (plan_has_namespace(plan, kind))
        return plan_add_step(plan, step, is_required(input, kind));
    g_autofree char *reason = g_strdup_printf("no %s namespace", namespace_infos[kind].name);
    plan_add_dropped(plan, step, reason);
    return NULL;
}

void plan_add_namespace_steps(const PlanInput *input, Plan *plan)
{
    const char *hostname = spec_get_string(input->spec, SETTING_HOSTNAME);
    PlanStep *step = add_step(input, plan, NAMESPACE_UTS, STEP_HOSTNAME);

    if (step)
        step->path = g_strdup(hostname && *hostname ? hostname : input->name);
    (void)add_step(input, plan, NAMESPACE_NETWORK, STEP_LOOPBACK);
    (void)add_step(input, plan, NAMESPACE_TIME, STEP_TIME_NAMESPACE);
}

void plan_add_gate_steps(const PlanInput *input, Plan *plan)
{
    plan_add_step(plan, STEP_GATE, true)->number = input->tell_at_gate;
    (void)add_step(input, plan, NAMESPACE_CGROUP, STEP_CGROUP_NAMESPACE);
}
