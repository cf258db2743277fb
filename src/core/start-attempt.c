/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One attempt at a start: from the settings to an init that is being cloned. The launcher is asked
 * as early as can be; what else is needed is made while it works. */

#include <unistd.h>

#include "core/holder.h"
#include "core/identity.h"
#include "core/start.h"
#include "core/store.h"
#include "core/subordinate-ids.h"
#include "isolation/plan-wire.h"
#include "util/crash-point.h"
#include "util/fd.h"

bool start_requires(const Start *start, const char *setting)
{
    const char *const *required = spec_get_strv(start->instance->spec, SETTING_REQUIRE);

    return start->no_degrade || (required && g_strv_contains(required, setting));
}

static BackendChoice wanted_backend(const Start *start)
{
    return (BackendChoice)spec_get_uint(start->instance->spec, SETTING_BACKEND);
}

bool start_wants_holder(const Start *start)
{
    Controller *controller = start->instance->controller;
    BackendChoice wanted = wanted_backend(start);

    return holder_is_wanted(controller) &&
           (wanted == BACKEND_CGROUP ||
            (wanted == BACKEND_AUTO && (start->excluded & (1u << BACKEND_SCOPE)) != 0 &&
             (start->excluded & (1u << BACKEND_CGROUP)) == 0));
}

static bool choose_backend(Start *start, GError **error)
{
    Instance *instance = start->instance;
    BackendChoice wanted = wanted_backend(start);
    g_autofree char *reason = NULL;

    /* Only a plan is made here, and the holder would be there by the time of a start. */
    if (start_wants_holder(start)) {
        start->backend = backend_by_name("cgroup");
        return true;
    }
    start->backend = backend_choose(instance->controller->resources, wanted, start->excluded,
                                    &reason, error);
    if (!start->backend)
        return false;
    g_free(instance->backend_reason);
    instance->backend_reason = g_steal_pointer(&reason);
    return true;
}

/* A required limit is refused here, before anything is made. */
static bool check_limits(Start *start, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;

    start->limits = limits_from_spec(start->instance->spec);
    if (!limits_any(&start->limits))
        return true;
    rows = backend_predict(start->instance->controller->resources, start->backend, &start->limits);
    for (guint i = 0; i < rows->len; i++) {
        const Enforced *row = g_ptr_array_index(rows, i);
        if (!row->enforced && start_requires(start, row->limit))
            return error_set(error, CONSTELLATION_ERROR_CGROUP_FAILED,
                             "%s is required and cannot be enforced: %s", row->limit, row->reason);
    }
    return true;
}

static void take_isolation(Start *start)
{
    Instance *instance = start->instance;

    g_ptr_array_set_size(instance->degraded, 0);
    for (guint i = 0; i < start->plan->steps->len; i++) {
        const PlanStep *step = g_ptr_array_index(start->plan->steps, i);
        if (plan_step_is_missed(step))
            instance_degrade(instance, plan_step_feature(step), "refused", step->reason);
    }
    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++) {
        Isolation *to = &instance->isolation[kind];
        const Isolation *from = &start->plan->isolation[kind];
        to->outcome = from->outcome;
        g_free(to->reason);
        to->reason = g_strdup(from->reason);
        if (from->outcome == ISOLATION_REFUSED)
            instance_degrade(instance, setting_get(namespace_infos[kind].setting)->name, "refused",
                             from->reason);
    }
    g_clear_pointer(&instance->steps, g_ptr_array_unref);
    instance->steps = g_ptr_array_ref(start->plan->steps);
}

static bool make_plan(Start *start, GError **error)
{
    Instance *instance = start->instance;
    Controller *controller = instance->controller;
    g_auto(Identity) identity = { 0 };
    g_auto(Identity) owner = { 0 };

    const IdentityRequest request = {
        .user = spec_get_string(instance->spec, SETTING_USER),
        .group = spec_get_string(instance->spec, SETTING_GROUP),
        .groups = spec_get_strv(instance->spec, SETTING_SUPPLEMENTARY_GROUPS),
        .owner = instance->owner,
        .confined = instance->owner != 0,
    };
    if (!identity_lookup(&request, &identity, error))
        return false;
    bool for_another = controller->uid == 0 && instance->owner != 0;
    if (for_another &&
        !identity_lookup(&(IdentityRequest){ .owner = instance->owner }, &owner, error))
        return false;
    g_auto(SubordinateIds) subordinates = { 0 };
    PlanInput input = {
        .spec = instance->spec,
        .name = instance->name,
        .id = instance->id,
        .owner_uid = instance->owner,
        .service_uid = controller->uid,
        .service_gid = getegid(),
        .own_limits = &controller->own_limits,
        .own_uids = controller->own_uids,
        .own_gids = controller->own_gids,
        .last_capability = controller->last_capability,
        .identity = &identity,
        .owner = for_another ? &owner : NULL,
        .features = &controller->features,
        .interpreter = controller->interpreter,
        .masks = (const char *const *)controller->masks,
        .layers = controller->layers,
        .has_cgroup = start->backend != backend_by_name("monitor"),
        .no_degrade = start->no_degrade,
        .tell_at_gate = start->prepare,
        .groups_denied = controller->groups_denied,
        .given_stdout = start->stdio[1] >= 0,
        .given_stderr = start->stdio[2] >= 0,
    };
    if (plan_wants_range(&input)) {
        subordinate_ids_read(instance->owner, &subordinates);
        input.subordinates = &subordinates;
    }
    plan_free(start->plan);
    start->plan = plan_make(&input, error);
    if (!start->plan)
        return false;
    take_isolation(start);
    return true;
}

PlacementRequest start_placement_request(const Start *start)
{
    const Instance *instance = start->instance;

    return (PlacementRequest){
        .realm = instance->controller->realm,
        .launch_id = start->launch_id,
        .description = instance->name,
        .owner = instance->owner,
        .limits = &start->limits,
        .timeout_stop_usec = spec_get_uint(instance->spec, SETTING_TIMEOUT_STOP),
        .timeout_usec = spec_get_uint(instance->spec, SETTING_TIMEOUT_START),
        .kill_signal = (int)spec_get_uint(instance->spec, SETTING_KILL_SIGNAL),
    };
}

static bool place_and_launch(Start *start, int init_end, LaunchCallback launched, GError **error)
{
    Instance *instance = start->instance;
    Controller *controller = instance->controller;
    const PlacementRequest request = start_placement_request(start);

    instance->placement = backend_prepare(controller->resources, start->backend, &request, error);
    if (!instance->placement)
        return false;
    const int fds[] = { init_end, instance->placement->cgroup_fd };
    const struct LaunchRequest launch = {
        .verb = LAUNCH_SPAWN,
        .namespaces = start->plan->clone_flags,
        .id_map = start->plan->id_map,
        .uid = start->plan->identity.uid,
        .gid = start->plan->identity.gid,
        .uids = start->plan->uids,
        .gids = start->plan->gids,
        .into_cgroup = fds[1] >= 0,
    };
    start->launch = launcher_call(controller->launcher, launch, fds, fds[1] >= 0 ? 2 : 1, launched,
                                  start, error);
    crash_point(CRASH_START_ASKED);
    return start->launch != NULL;
}

static bool send_plan(Start *start, GError **error)
{
    Instance *instance = start->instance;
    auto_fd plan = plan_seal(start->plan, error);
    if (plan < 0)
        return false;
    auto_fd record = store_record_create(instance->controller->store, instance, error);
    if (record < 0)
        return false;
    crash_point(CRASH_START_RECORDED);
    g_auto(StartOutput) output = START_OUTPUT_NONE;
    if (!start_open_output(start, &output, error))
        return false;
    bool sent = conversation_send_plan(start->conversation, plan, record, output.stdio,
                                       output.log[0] >= 0 ? output.log : NULL, error);
    crash_point(CRASH_START_PLANNED);
    return sent;
}

bool start_plan(Start *start, GError **error)
{
    return choose_backend(start, error) && check_limits(start, error) && make_plan(start, error);
}

bool start_attempt(Start *start, LaunchCallback launched, ConversationCallback said, GError **error)
{
    int init_end;

    if (!start_plan(start, error))
        return false;
    start->conversation = conversation_new(start->instance->controller->event, said, start,
                                           &init_end, error);
    if (!start->conversation)
        return false;
    auto_fd end = init_end;
    return place_and_launch(start, end, launched, error) && send_plan(start, error);
}

void start_abandon_attempt(Start *start)
{
    start->placed = start->waits_at_gate = false;
    Instance *instance = start->instance;
    Controller *controller = instance->controller;

    /* The init sees the end of the conversation at its gate and is gone by itself. */
    g_clear_pointer(&start->conversation, conversation_free);
    if (start->placing)
        backend_abandon(controller->resources, instance->placement);
    start->placing = false;
}
