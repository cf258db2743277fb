/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which filters of system calls a payload gets: up to three programs, of which the kernel obeys the
 * strictest. The owner's own list comes on top of the default, so that it can only take away. */

#include <linux/capability.h>

#include "isolation/filter.h"
#include "isolation/plan-internal.h"

static bool add_filter(Plan *plan, GBytes *program)
{
    if (program)
        g_ptr_array_add(plan->filters, program);
    return program != NULL;
}

/* Where the default is not under it, a list holds for programs of all ABIs, as in a unit file. */
static bool add_own_list(const PlanInput *input, Plan *plan, bool on_default, GError **error)
{
    const char *const *words = spec_get_strv(input->spec, SETTING_SYSTEM_CALL_FILTER);
    const char *otherwise = spec_get_string(input->spec, SETTING_SYSTEM_CALL_ERROR_NUMBER);
    g_auto(SyscallFilter) filter = { 0 };
    g_autofree char *fault = NULL;

    if (!syscall_filter_read(words, &filter, &fault))
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "SystemCallFilter: %s", fault);
    return !filter.has_list ||
           add_filter(plan,
                      filter_compile(words, syscall_action_read(otherwise), !on_default, error));
}

bool plan_choose_filters(const PlanInput *input, Plan *plan, GError **error)
{
    bool on_default = spec_has_default_filter(input->spec, input->owner_uid);
    unsigned arguments = 0;

    if (on_default)
        arguments |= FILTER_ARGUMENTS_DEFAULT;
    if (spec_get_uint(input->spec, SETTING_LOCK_PERSONALITY))
        arguments |= FILTER_LOCK_PERSONALITY;
    if (spec_get_uint(input->spec, SETTING_RESTRICT_NAMESPACES))
        arguments |= FILTER_NAMESPACES;
    if (arguments != 0 && !add_filter(plan, filter_arguments(arguments)))
        return false;
    if (on_default && !add_filter(plan, filter_compile(filter_default_words, EPERM, false, error)))
        return false;
    return add_own_list(input, plan, on_default, error);
}

/* ---- no new privileges ----------------------------------------------------------------------- */

static bool wants_no_new_privileges(const PlanInput *input)
{
    if (spec_is_set(input->spec, SETTING_NO_NEW_PRIVILEGES))
        return spec_get_uint(input->spec, SETTING_NO_NEW_PRIVILEGES);
    return input->identity->uid != 0;
}

/* The kernel takes a filter from whoever gains no new privileges by it, or has this one. */
static bool filters_need_it(const Plan *plan)
{
    return plan->filters->len > 0 &&
           (plan->capabilities.permitted & (UINT64_C(1) << CAP_SYS_ADMIN)) == 0;
}

void plan_add_no_new_privileges_step(const PlanInput *input, Plan *plan)
{
    if (wants_no_new_privileges(input) || filters_need_it(plan))
        plan_add_step(plan, STEP_NO_NEW_PRIVILEGES, true)->setting = SETTING_NO_NEW_PRIVILEGES;
    else
        plan_add_dropped(plan, STEP_NO_NEW_PRIVILEGES,
                         "the payload is root's, or it was switched off");
}

void plan_add_filter_step(const PlanInput *input, Plan *plan)
{
    if (plan->filters->len > 0)
        plan_add_setting_step(input, plan, STEP_FILTER, SETTING_SYSTEM_CALL_FILTER)
            ->number = plan->filters->len;
    else
        plan_add_dropped(plan, STEP_FILTER, "the instance is root's, or it was switched off");
}
