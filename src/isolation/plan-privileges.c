/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who the payload is and what it may do: limits of its process, ids, capabilities. The kernel would
 * refuse to an ordinary user what is refused here; said in the plan it is known before a start. */

#include <linux/capability.h>
#include <sys/resource.h>

#include "isolation/plan-internal.h"
#include "model/capabilities.h"

/* Whether only a privileged process may do this here: one that is root, and not in a user namespace
 * either, where root's rights are over what is in the namespace. */
static bool is_held_down(const PlanInput *input, const Plan *plan, unsigned step)
{
    bool inside = plan_has_namespace(plan, NAMESPACE_USER);

    return input->service_uid != 0 || input->features->refused_steps[inside][step] != 0;
}

/* ---- limits of the process ------------------------------------------------------------------- */

static bool add_oom_score_step(const PlanInput *input, Plan *plan, GError **error)
{
    int64_t score = (int64_t)spec_get_uint(input->spec, SETTING_OOM_SCORE_ADJUST);

    if (spec_is_set(input->spec, SETTING_OOM_SCORE_ADJUST)) {
        int64_t own = input->own_limits ? input->own_limits->oom_score : 0;
        if (score < own && is_held_down(input, plan, STEP_PAYLOAD_OOM_SCORE))
            return plan_add_refused(input, plan, STEP_PAYLOAD_OOM_SCORE, SETTING_OOM_SCORE_ADJUST,
                                    error,
                                    "the service is not root, and only root may lower it (it has "
                                    "%d; nor may root in a user namespace)",
                                    (int)own);
        plan_add_setting_step(input, plan, STEP_PAYLOAD_OOM_SCORE, SETTING_OOM_SCORE_ADJUST)
            ->number = (uint32_t)(score + OOM_SCORE_NEUTRAL);
    } else if (input->service_uid == 0) {
        plan_add_step(plan, STEP_PAYLOAD_OOM_SCORE, false)->number = OOM_SCORE_NEUTRAL;
    }
    return true;
}

/* 20 - nice is what RLIMIT_NICE counts. */
static bool may_have_nice(const PlanInput *input, const Plan *plan, int64_t nice)
{
    const OwnLimits *own = input->own_limits;

    return !is_held_down(input, plan, STEP_NICE) || !own || nice >= own->nice ||
           (uint64_t)(20 - nice) <= own->soft[RLIMIT_NICE];
}

static bool add_nice_step(const PlanInput *input, Plan *plan, GError **error)
{
    int64_t nice = (int64_t)spec_get_uint(input->spec, SETTING_NICE);

    if (!spec_is_set(input->spec, SETTING_NICE))
        return true;
    if (!may_have_nice(input, plan, nice))
        return plan_add_refused(input, plan, STEP_NICE, SETTING_NICE, error,
                                "the service is not root and may not lower it (it has %d; nor may "
                                "root in a user namespace)",
                                input->own_limits->nice);
    plan_add_setting_step(input, plan, STEP_NICE, SETTING_NICE)->number = (uint32_t)(nice + 20);
    return true;
}

static bool add_limit_step(const PlanInput *input, Plan *plan, const RlimitInfo *info,
                           GError **error)
{
    const Setting *setting = setting_get(info->setting);
    struct WireLimit wire = { .resource = info->resource };
    Rlimit limit;

    if (!rlimit_read(setting, spec_get_string(input->spec, info->setting), &limit, error))
        return false;
    if (info->resource == RLIMIT_NOFILE && input->features->files_max != 0 &&
        limit.hard > input->features->files_max)
        return plan_add_refused(input, plan, STEP_LIMIT, info->setting, error,
                                "it is beyond the sysctl fs.nr_open, which is %" G_GUINT64_FORMAT,
                                input->features->files_max);
    if (is_held_down(input, plan, STEP_LIMIT) && input->own_limits &&
        limit.hard > input->own_limits->hard[info->resource])
        return plan_add_refused(input, plan, STEP_LIMIT, info->setting, error,
                                "the service is not root and may not raise the hard limit (it has "
                                "%" G_GUINT64_FORMAT "; nor may root in a user namespace)",
                                input->own_limits->hard[info->resource]);
    PlanStep *step = plan_add_setting_step(input, plan, STEP_LIMIT, info->setting);
    step->path = g_strdup(setting->name);
    step->number = plan->limits->len;
    wire.soft = limit.soft;
    wire.hard = limit.hard;
    g_array_append_val(plan->limits, wire);
    return true;
}

bool plan_add_limit_steps(const PlanInput *input, Plan *plan, GError **error)
{
    if (!add_oom_score_step(input, plan, error) || !add_nice_step(input, plan, error))
        return false;
    for (size_t i = 0; i < RLIMIT_COUNT; i++)
        if (spec_is_set(input->spec, rlimit_infos[i].setting) &&
            !add_limit_step(input, plan, &rlimit_infos[i], error))
            return false;
    return true;
}

/* ---- ids ------------------------------------------------------------------------------------- */

/* In a user namespace there are only those groups that are mapped. Why some are left out, or
 * NULL. */
static const char *drop_unmapped_groups(const PlanInput *input, Plan *plan)
{
    Identity *identity = &plan->identity;
    size_t kept = 0, all = identity->n_groups;
    uint32_t outside;

    for (size_t i = 0; i < all; i++)
        if (plan->id_map == ID_MAP_NONE
                ? plan_id_exists(input->own_gids, identity->groups[i])
                : plan->has_id_range && id_map_outside(&plan->gids, identity->groups[i], &outside))
            identity->groups[kept++] = identity->groups[i];
    identity->n_groups = kept;
    return kept < all ? "not all of them exist in the user namespace" : NULL;
}

static bool add_groups_step(const PlanInput *input, Plan *plan, GError **error)
{
    const char *reason = drop_unmapped_groups(input, plan);

    if (input->groups_denied)
        reason = "the user namespace around the service forbids it";
    else
        plan_add_step(plan, STEP_GROUPS, true);
    if (!reason)
        return true;
    if (spec_is_set(input->spec, SETTING_SUPPLEMENTARY_GROUPS))
        return plan_add_refused(input, plan, STEP_GROUPS, SETTING_SUPPLEMENTARY_GROUPS, error, "%s",
                                reason);
    if (input->groups_denied)
        plan_add_dropped(plan, STEP_GROUPS, reason);
    return true;
}

/* Root in a container may have lost the right to change ids. He can go on as himself. */
static bool has_to_stay(const PlanInput *input, const Plan *plan)
{
    const int *refused = input->features->refused_steps[plan_has_namespace(plan, NAMESPACE_USER)];

    return input->identity->uid == input->service_uid &&
           input->identity->gid == input->service_gid &&
           (refused[STEP_GROUPS] != 0 || refused[STEP_GID] != 0 || refused[STEP_UID] != 0);
}

/* Of an ordinary user's service, which has the right ids from the start. */
static bool keep_identity(const PlanInput *input, Plan *plan, GError **error)
{
    if (spec_is_set(input->spec, SETTING_SUPPLEMENTARY_GROUPS) &&
        !plan_add_refused(input, plan, STEP_GROUPS, SETTING_SUPPLEMENTARY_GROUPS, error,
                          "the service is not root, so the groups stay those of the service"))
        return false;
    plan_add_dropped(plan, STEP_UID, "the service runs as this user already");
    return true;
}

bool plan_add_identity_steps(const PlanInput *input, Plan *plan, GError **error)
{
    bool is_self = input->service_uid != 0 && input->identity->uid == input->service_uid;

    if (!plan->has_id_range &&
        (input->service_uid != 0 || plan->id_map == ID_MAP_SINGLE || has_to_stay(input, plan)))
        return keep_identity(input, plan, error);
    /* His real groups have no number in the namespace: once left they are lost. */
    if (is_self && !spec_is_set(input->spec, SETTING_SUPPLEMENTARY_GROUPS))
        plan_add_dropped(plan, STEP_GROUPS, "they are those of the service");
    else if (!add_groups_step(input, plan, error))
        return false;
    plan_add_step(plan, STEP_GID, true);
    plan_add_step(plan, STEP_UID, true);
    return true;
}

/* ---- capabilities ---------------------------------------------------------------------------- */

static uint64_t read_capabilities(const PlanInput *input, SettingId id)
{
    const char *unknown;
    uint64_t set = 0;

    (void)capabilities_read(spec_get_strv(input->spec, id), &set, &unknown);
    return set;
}

/* What there is to give and to take: without a user namespace an ordinary service has none. */
static uint64_t own_capabilities(const PlanInput *input, const Plan *plan)
{
    if (plan_has_namespace(plan, NAMESPACE_USER))
        return CAPABILITIES_ALL;
    return input->service_uid == 0 ? input->features->capabilities : 0;
}

static bool decide_ambient(const PlanInput *input, Plan *plan, uint64_t ambient, GError **error)
{
    uint64_t known = input->last_capability < 63 ? (UINT64_C(2) << input->last_capability) - 1
                                                 : CAPABILITIES_ALL;

    if ((ambient & known & ~own_capabilities(input, plan)) != 0)
        return plan_add_refused(input, plan, STEP_CAPABILITIES, SETTING_AMBIENT_CAPABILITIES, error,
                                "the service is not root with all of them, and has no user "
                                "namespace to have them in");
    if ((ambient & ~known) != 0) {
        g_autofree char *unknown = capabilities_print(ambient & ~known);
        return plan_add_refused(input, plan, STEP_CAPABILITIES, SETTING_AMBIENT_CAPABILITIES, error,
                                "this kernel does not know %s", unknown);
    }
    plan->capabilities.ambient = ambient;
    return true;
}

#define BIT(capability) (UINT64_C(1) << (capability))

/* What the root of a container needs to install and run services: the set that podman gives. Not
 * among them: whatever is about the kernel, the network's hardware, or other processes' memory. */
#define CONTAINER_ROOT                                                                            \
    (BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_FSETID) | BIT(CAP_KILL) | \
     BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SETFCAP) | BIT(CAP_SETGID) | BIT(CAP_SETPCAP) |          \
     BIT(CAP_SETUID) | BIT(CAP_SYS_CHROOT))

static uint64_t default_bounding(const PlanInput *input, uint64_t ambient)
{
    if (input->identity->uid != 0)
        return ambient;
    return input->owner_uid == 0 ? CAPABILITIES_ALL : CONTAINER_ROOT | ambient;
}

/* Root's payload has what is not taken from it; everybody else's has nothing that is not given. */
bool plan_add_capability_step(const PlanInput *input, Plan *plan, GError **error)
{
    Capabilities *capabilities = &plan->capabilities;
    uint64_t ambient = read_capabilities(input, SETTING_AMBIENT_CAPABILITIES);
    bool is_root = input->identity->uid == 0;

    if (!decide_ambient(input, plan, ambient, error))
        return false;
    capabilities->bounding = default_bounding(input, capabilities->ambient);
    if (spec_is_set(input->spec, SETTING_CAPABILITY_BOUNDING_SET)) {
        if ((own_capabilities(input, plan) & UINT64_C(1) << CAP_SETPCAP) == 0) {
            if (!plan_add_refused(input, plan, STEP_CAPABILITIES, SETTING_CAPABILITY_BOUNDING_SET,
                                  error,
                                  "the service is not root with CAP_SETPCAP, and cannot shrink it "
                                  "without a user namespace; the payload has no more than the "
                                  "service all the same"))
                return false;
        } else {
            capabilities->bounding = read_capabilities(input, SETTING_CAPABILITY_BOUNDING_SET);
        }
    }
    capabilities->permitted = is_root ? capabilities->bounding : capabilities->ambient;
    plan_add_step(plan, STEP_CAPABILITIES, true);
    return true;
}
