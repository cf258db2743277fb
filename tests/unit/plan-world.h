/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What tests of plans start from: root's service on a host that allows everything, and a payload of
 * uid 1000. prepare() and clean() are the fixtures; what is not used by a test program is not in
 * it. */

#include <string.h>

#include "isolation/plan.h"
#include "suite.h"

static Spec *spec;
static Identity identity;
static HostFeatures features;
static PlanInput input;
static Plan *plan;
static GError *error;

static inline void prepare(void)
{
    spec = spec_new();
    identity = (Identity){ .uid = 1000,
                           .gid = 1000,
                           .user = (char *)"ann",
                           .home = (char *)"/home/ann",
                           .shell = (char *)"/bin/zsh" };
    features = (HostFeatures){ .known = true, .privileged = true, .capabilities = UINT64_MAX };
    input = (PlanInput){ .spec = spec,
                         .name = "web",
                         .id = "i0000000000001",
                         .identity = &identity,
                         .features = &features,
                         .interpreter = "rads",
                         .has_cgroup = true };
    ck_assert(spec_set_text(spec, SETTING_COMMAND, "sleep 100", NULL));
}

static inline void forget(void)
{
    g_clear_pointer(&plan, plan_free);
    g_clear_error(&error);
}

static inline void clean(void)
{
    forget();
    g_clear_pointer(&spec, spec_free);
}

static inline void set(SettingId id, const char *text)
{
    ck_assert_msg(spec_set_text(spec, id, text, &error), "%s", error ? error->message : "");
}

static inline bool make(void)
{
    forget();
    plan = plan_make(&input, &error);
    ck_assert((plan != NULL) == (error == NULL));
    return plan != NULL;
}

static inline void be_unprivileged(void)
{
    features.privileged = false;
    input.service_uid = identity.uid;
}

static inline const PlanStep *find(unsigned kind)
{
    for (guint i = 0; i < plan->steps->len; i++) {
        const PlanStep *step = g_ptr_array_index(plan->steps, i);
        if (step->kind == kind)
            return step;
    }
    return NULL;
}

static inline bool is_planned(unsigned kind)
{
    const PlanStep *step = find(kind);

    return step && step->outcome == OUTCOME_PLANNED;
}

static inline bool is_dropped(unsigned kind)
{
    const PlanStep *step = find(kind);

    return step && step->outcome == OUTCOME_DROPPED && step->reason && *step->reason;
}
