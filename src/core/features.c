/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What this host allows, as rows, and what a start with given settings would get here. The second
 * is made by the same functions as a real start, so the two cannot disagree by construction. */

#include <errno.h>

#include "core/controller.h"
#include "core/holder.h"
#include "core/identity.h"
#include "core/start.h"
#include "core/subordinate-ids.h"

static const char *const rungs[] = { "scope", "cgroup", "monitor" };

void feature_row_free(FeatureRow *row)
{
    g_free(row->feature);
    g_free(row->reason);
    g_free(row);
}

void check_row_free(CheckRow *row)
{
    g_free(row->feature);
    g_free(row->outcome);
    g_free(row->reason);
    g_free(row);
}

static void add_feature(GPtrArray *rows, const char *kind, const char *name, char *refusal)
{
    FeatureRow *row = g_new0(FeatureRow, 1);

    row->feature = g_strdup_printf("%s.%s", kind, name);
    row->available = refusal == NULL;
    row->reason = refusal ? refusal : g_strdup("");
    g_ptr_array_add(rows, row);
}

static void add_namespaces(Controller *controller, GPtrArray *rows)
{
    const HostFeatures *features = &controller->features;

    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++) {
        char *refusal = NULL;
        if (!features->known)
            refusal = g_strdup("the launcher has not answered yet");
        else if (features->refused[kind] == ENOTCONN)
            refusal = g_strdup("the launcher cannot be reached");
        else if (!features->privileged && kind != NAMESPACE_USER &&
                 features->refused[NAMESPACE_USER] != 0)
            refusal = g_strdup("the service is not root, so it takes a user namespace, and there "
                               "is none");
        else if (features->refused[kind] != 0)
            refusal = namespace_refusal(kind, features);
        add_feature(rows, "namespace", namespace_infos[kind].name, refusal);
    }
}

/* For an instance of the service's own user; others have lines of their own. */
static void add_id_ranges(Controller *controller, GPtrArray *rows)
{
    const HostFeatures *features = &controller->features;
    g_auto(SubordinateIds) ids = { 0 };
    char *refusal = NULL;

    subordinate_ids_read(controller->uid, &ids);
    if (!features->known || features->refused[NAMESPACE_USER] != 0)
        refusal = g_strdup("there are no user namespaces");
    else if (ids.refusal)
        refusal = g_steal_pointer(&ids.refusal);
    else if (features->refused_ranges != 0)
        refusal = id_range_refusal(features->refused_ranges_step, features->refused_ranges);
    add_feature(rows, "id-mapping", "range", refusal);
}

/* What an init could do when a start was rehearsed. */
static void add_steps(Controller *controller, GPtrArray *rows)
{
    static const unsigned steps[] = { STEP_MASK,  STEP_PROC,     STEP_READ_ONLY,
                                      STEP_TMPFS, STEP_HOSTNAME, STEP_LOOPBACK };
    const HostFeatures *features = &controller->features;

    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        int outside = features->refused_steps[0][steps[i]];
        int inside = features->refused_steps[1][steps[i]];
        char *refusal = NULL;
        if (outside != 0 || (inside != 0 && !features->privileged))
            refusal = step_failure(steps[i], outside != 0 ? outside : inside, "");
        else if (inside != 0) {
            g_autofree char *why = step_failure(steps[i], inside, "");
            refusal = g_strdup_printf("in a user namespace: %s", why);
        }
        add_feature(rows, "step", step_name(steps[i]), refusal);
    }
}

bool controller_has_backend(Controller *controller, const char *name, char **ret_reason)
{
    const Backend *backend = backend_by_name(name);

    /* The scope that the cgroup rung needs is made by the first start on it. */
    if (backend == backend_by_name("cgroup") && holder_is_wanted(controller))
        return true;
    return backend_probe(controller->resources, backend, ret_reason);
}

static void add_controllers(Controller *controller, GPtrArray *rows)
{
    static const char *const names[] = { "cpu", "memory", "pids", "io", "cpuset" };
    const Backend *best = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(rungs) && !best; i++) {
        g_autofree char *reason = NULL;
        const Backend *backend = backend_by_name(rungs[i]);
        if (backend_probe(controller->resources, backend, &reason))
            best = backend;
    }
    g_autofree char *controllers = best ? backend_controllers(controller->resources, best)
                                        : g_strdup("");
    g_auto(GStrv) present = g_strsplit(controllers, " ", -1);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        char *refusal = NULL;
        if (!g_strv_contains((const char *const *)present, names[i]))
            refusal = g_strdup_printf("the %s backend has no %s controller on this host",
                                      best ? backend_name(best) : "best", names[i]);
        add_feature(rows, "controller", names[i], refusal);
    }
}

GPtrArray *controller_features(Controller *controller)
{
    GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify)feature_row_free);

    controller_refresh_features(controller);
    add_namespaces(controller, rows);
    add_id_ranges(controller, rows);
    add_steps(controller, rows);
    for (size_t i = 0; i < G_N_ELEMENTS(rungs); i++) {
        char *reason = NULL;
        if (controller_has_backend(controller, rungs[i], &reason))
            g_clear_pointer(&reason, g_free);
        add_feature(rows, "backend", rungs[i], reason);
    }
    add_controllers(controller, rows);
    return rows;
}

/* ---- check ----------------------------------------------------------------------------------- */

static void add_check(GPtrArray *rows, const char *feature, const char *outcome, const char *reason)
{
    CheckRow *row = g_new0(CheckRow, 1);

    row->feature = g_strdup(feature);
    row->outcome = g_strdup(outcome);
    row->reason = g_strdup(reason);
    g_ptr_array_add(rows, row);
}

static void add_plan_rows(GPtrArray *rows, const Plan *plan, const Spec *spec)
{
    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++)
        add_check(rows, setting_get(namespace_infos[kind].setting)->name,
                  isolation_outcome_to_string(plan->isolation[kind].outcome),
                  plan->isolation[kind].reason);
    for (guint i = 0; i < plan->steps->len; i++) {
        const PlanStep *step = g_ptr_array_index(plan->steps, i);
        if (plan_step_is_missed(step) ||
            (step->setting >= 0 && spec_is_set(spec, (SettingId)step->setting)))
            add_check(rows, plan_step_feature(step), outcome_to_string(step->outcome),
                      step->reason ? step->reason : "");
    }
}

static void add_limit_rows(GPtrArray *rows, Controller *controller, const Backend *backend,
                           const Limits *limits)
{
    g_autoptr(GPtrArray) predicted = backend_predict(controller->resources, backend, limits);

    for (guint i = 0; i < predicted->len; i++) {
        const Enforced *row = g_ptr_array_index(predicted, i);
        add_check(rows, row->limit, row->enforced ? "enforced" : "refused", row->reason);
    }
}

/* A start that is planned and never begun, of an instance that is in no registry. */
GPtrArray *controller_check(Controller *controller, const char *name, uid_t owner, const Spec *spec,
                            GError **error)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify)check_row_free);

    if (!name_is_valid(name, error) || !spec_validate(spec, error))
        return NULL;
    Instance *instance = instance_new(controller, "i0000000000000", name, owner, spec_copy(spec));
    Start start = { .instance = instance, .stdio = { -1, -1, -1 } };
    bool planned = start_plan(&start, error);
    if (planned) {
        add_check(rows, "Backend", backend_name(start.backend), instance->backend_reason);
        add_plan_rows(rows, start.plan, spec);
        add_limit_rows(rows, controller, start.backend, &start.limits);
    }
    plan_free(start.plan);
    instance_free(instance);
    return planned ? g_steal_pointer(&rows) : NULL;
}
