/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What an instance sees of the file systems. */

#include "isolation/plan-internal.h"

bool plan_add_file_steps(const PlanInput *input, Plan *plan, GError **error)
{
    (void)error;
    if (!plan_has_namespace(plan, NAMESPACE_MOUNT)) {
        plan_add_dropped(plan, STEP_MOUNTS_SLAVE, "no mount namespace");
        return true;
    }
    plan_add_step(plan, STEP_MOUNTS_SLAVE, true);
    if (plan_has_namespace(plan, NAMESPACE_PID))
        plan_add_step(plan, STEP_PROC,
                      plan_namespace_choice(input, NAMESPACE_PID) == CHOICE_REQUIRED)
            ->path = g_strdup("/proc");
    else
        plan_add_dropped(plan, STEP_PROC, "no pid namespace");
    for (size_t i = 0; input->masks && input->masks[i]; i++)
        plan_add_step(plan, STEP_MASK, true)->path = g_strdup(input->masks[i]);
    return true;
}
