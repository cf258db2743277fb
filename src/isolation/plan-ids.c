/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who is who in a user namespace. Two ways: the payload's user is himself ("self", systemd's word),
 * or the ids inside are a range of subordinate ids outside ("range"), in which root is nobody to
 * the host. In a range the payload's user still is himself, unless he is root: his files are his.
 *
 * A single id and a pair need nobody's leave. A range is what an administrator has granted to the
 * owner. */

#include <errno.h>

#include "isolation/plan-internal.h"

static IdMapping wanted_mapping(const PlanInput *input)
{
    return (IdMapping)spec_get_uint(input->spec, SETTING_ID_MAPPING);
}

static bool is_self(const PlanInput *input)
{
    return input->identity->uid == input->service_uid;
}

bool plan_wants_range(const PlanInput *input)
{
    if (plan_namespace_choice(input, NAMESPACE_USER) == CHOICE_OFF)
        return false;
    if (wanted_mapping(input) != ID_MAPPING_AUTO)
        return wanted_mapping(input) == ID_MAPPING_RANGE;
    /* For nothing but his own id an ordinary user need not ask newuidmap. */
    return input->features->privileged || !is_self(input);
}

char *id_range_refusal(unsigned step, int error_number)
{
    if (step != LAUNCH_STEP_ID_HELPER)
        return g_strdup_printf("a map of more than one id cannot be written: %s",
                               g_strerror(error_number));
    switch (error_number) {
    case ENOENT:
        return g_strdup("newuidmap and newgidmap are not installed (on Debian, in the package "
                        "uidmap)");
    case ETIME:
        return g_strdup("newuidmap or newgidmap did not come to an end");
    default:
        return g_strdup("newuidmap or newgidmap refused (are they set-uid root here, and may the "
                        "service gain privileges?)");
    }
}

/* Why there is no range, or NULL. */
static char *range_refusal(const PlanInput *input)
{
    const HostFeatures *features = input->features;
    const SubordinateIds *ids = input->subordinates;

    if (!ids)
        return g_strdup("subordinate ids were not looked for");
    if (ids->refusal)
        return g_strdup(ids->refusal);
    if (features->refused_ranges != 0)
        return id_range_refusal(features->refused_ranges_step, features->refused_ranges);
    return NULL;
}

static bool maps(const struct IdMap *map, uint32_t id)
{
    uint32_t outside;

    return id_map_outside(map, id, &outside);
}

/* Whoever is himself: the payload's user and the owner, or an ordinary user's service. */
typedef struct Kept {
    uint32_t uids[2];
    uint32_t gids[2];
} Kept;

static Kept kept_ids(const PlanInput *input)
{
    const Identity *identity = input->identity, *owner = input->owner;

    if (!input->features->privileged)
        return (Kept){ { input->service_uid, 0 }, { input->service_gid, 0 } };
    return (Kept){ { identity->uid, owner ? owner->uid : 0 },
                   { identity->uid != 0 ? identity->gid : 0, owner ? owner->gid : 0 } };
}

/* The maps of a range; or why they cannot be, as a sentence. */
static char *make_range(const PlanInput *input, Plan *plan)
{
    const Identity *identity = input->identity;
    char *refusal = range_refusal(input);
    Kept kept = kept_ids(input);

    if (refusal)
        return refusal;
    if (!id_map_make(input->subordinates->uids, kept.uids, 2, &plan->uids) ||
        !id_map_make(input->subordinates->gids, kept.gids, 2, &plan->gids))
        return g_strdup_printf(
            "the subordinate ids hold one of the uids %u and %u or of the gids %u "
            "and %u, which are somebody's own (correct /etc/subuid and "
            "/etc/subgid)",
            kept.uids[0], kept.uids[1], kept.gids[0], kept.gids[1]);
    if (!maps(&plan->uids, identity->uid) || !maps(&plan->gids, identity->gid) ||
        !maps(&plan->uids, 0) || !maps(&plan->gids, 0))
        return g_strdup_printf("uid %u or gid %u is beyond the ids inside, of which there are only "
                               "as many as the ranges of /etc/subuid and /etc/subgid are long, and "
                               "%u at most",
                               identity->uid, identity->gid, ID_MAP_SIZE);
    return NULL;
}

static void keep_self(const PlanInput *input, Plan *plan)
{
    const Identity *identity = input->identity;

    if (input->features->privileged) {
        Kept kept = kept_ids(input);
        plan->id_map = ID_MAP_RANGES;
        id_map_keep((uint32_t[]){ 0, kept.uids[0], kept.uids[1] }, 3, &plan->uids);
        id_map_keep((uint32_t[]){ 0, identity->gid, kept.gids[1] }, 3, &plan->gids);
        return;
    }
    plan->id_map = ID_MAP_SINGLE;
    plan->uids = (struct IdMap){ 1, { { identity->uid, input->service_uid, 1 } } };
    plan->gids = (struct IdMap){ 1, { { identity->gid, input->service_gid, 1 } } };
}

static void add_map_step(Plan *plan)
{
    g_autofree char *uids = id_map_describe(&plan->uids);
    g_autofree char *gids = id_map_describe(&plan->gids);

    PlanStep *step = plan_add_step(plan, STEP_ID_MAP, true);

    if (plan->has_id_range)
        step->setting = SETTING_ID_MAPPING;
    step->path = strcmp(uids, gids) == 0 ? g_steal_pointer(&uids)
                                         : g_strdup_printf("uids: %s; gids: %s", uids, gids);
}

static bool decide_map(const PlanInput *input, Plan *plan, GError **error)
{
    g_autofree char *refusal = plan_wants_range(input) ? make_range(input, plan) : NULL;

    plan->has_id_range = plan_wants_range(input) && !refusal;
    if (plan->has_id_range)
        plan->id_map = ID_MAP_RANGES;
    else
        keep_self(input, plan);
    if (refusal && wanted_mapping(input) == ID_MAPPING_RANGE &&
        !plan_add_refused(input, plan, STEP_ID_MAP, SETTING_ID_MAPPING, error, "%s", refusal))
        return false;
    add_map_step(plan);
    return true;
}

/* An ordinary user's service can become nobody else. That somebody else be a name inside only has
 * to be asked for in so many words. */
static bool check_identity(const PlanInput *input, const Plan *plan, GError **error)
{
    bool is_own_group = !spec_is_set(input->spec, SETTING_GROUP) ||
                        input->identity->gid == input->service_gid;

    if (input->service_uid == 0 || (is_self(input) && is_own_group))
        return true;
    if (plan_has_namespace(plan, NAMESPACE_USER) &&
        (spec_get_uint(input->spec, SETTING_USER_NAMESPACE) != CHOICE_AUTO ||
         wanted_mapping(input) == ID_MAPPING_RANGE))
        return true;
    if (is_self(input))
        return error_set(error, CONSTELLATION_ERROR_ACCESS_DENIED,
                         "Group=%s: this service runs with gid %u and can run nothing with another "
                         "(use the system service)",
                         spec_get_string(input->spec, SETTING_GROUP), input->service_gid);
    return error_set(error, CONSTELLATION_ERROR_ACCESS_DENIED,
                     "User=%s: this service runs as uid %u and can run nothing as another user "
                     "(use the system service; UserNamespace=required gives this id inside, and no "
                     "more than uid %u has outside)",
                     input->identity->user, input->service_uid, input->service_uid);
}

/* As whom the init opens the owner's paths, by the names of the inside. An ordinary user's init is
 * himself under whatever name; other groups have no names there. */
static void decide_owner(const PlanInput *input, Plan *plan)
{
    plan->owner.n_groups = 0;
    if (input->features->privileged)
        return;
    plan->owner.uid = plan->has_id_range ? 0 : plan->identity.uid;
    plan->owner.gid = plan->has_id_range ? 0 : plan->identity.gid;
}

bool plan_id_exists(const char *map, uint32_t id)
{
    return !map || id_map_text_covers(map, (IdRange){ id, 1 });
}

/* In a container whose user namespace maps but a few ids, root can become only those. */
static bool check_existence(const PlanInput *input, const Plan *plan, GError **error)
{
    const Identity *identity = input->identity;

    if (input->service_uid != 0 || plan->has_id_range ||
        (plan_id_exists(input->own_uids, identity->uid) &&
         plan_id_exists(input->own_gids, identity->gid)))
        return true;
    return error_set(error, CONSTELLATION_ERROR_ISOLATION_FAILED,
                     "User=%s: uid %u or gid %u does not exist in the user namespace that the "
                     "service is in (a container?)",
                     identity->user, identity->uid, identity->gid);
}

bool plan_decide_ids(const PlanInput *input, Plan *plan, GError **error)
{
    if (!check_identity(input, plan, error))
        return false;
    plan->outside_uid = input->identity->uid;
    if (!plan_has_namespace(plan, NAMESPACE_USER))
        return check_existence(input, plan, error);
    if (!decide_map(input, plan, error) || !check_existence(input, plan, error))
        return false;
    decide_owner(input, plan);
    (void)id_map_outside(&plan->uids, input->identity->uid, &plan->outside_uid);
    return true;
}
