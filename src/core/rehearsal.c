/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <unistd.h>

#include "core/identity.h"
#include "core/output.h"
#include "core/rehearsal.h"
#include "isolation/conversation.h"
#include "isolation/plan-wire.h"
#include "isolation/record.h"
#include "util/event.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/timer.h"

#define REHEARSAL_USEC (5 * G_USEC_PER_SEC)

struct Rehearsal {
    Controller *controller;
    bool in_user_namespace;
    RehearsalCallback done;
    void *userdata;
    Conversation *conversation;
    LaunchCall *launch;
    sd_event_source *deadline;
    sd_event_source *over; /* tells from the loop, never from inside a callback */
    int pidfd;
    pid_t pid;
};

/* Everything that an init does on the host's behalf and that a setting can ask for; paths that are
 * somebody's own are not among it. */
static const struct {
    SettingId id;
    const char *text;
} everything[] = {
    { SETTING_ID_MAPPING, "self" }, { SETTING_TIME_NAMESPACE, "try" },
    { SETTING_NETWORK, "none" },    { SETTING_FILESYSTEM, "read-only" },
    { SETTING_PRIVATE_TMP, "yes" }, { SETTING_OOM_SCORE_ADJUST, "-5" },
    { SETTING_NICE, "-5" },         { SETTING_LIMIT_MEMLOCK, "infinity" },
    { SETTING_COMMAND, "/" }, /* which nobody can execute: so far and no further */
};

#define SOMEBODY_ELSE 65534u /* to whom root's service turns his payload; nobody's own id */

static Spec *make_spec(bool in_user_namespace)
{
    Spec *spec = spec_new();

    for (size_t i = 0; i < G_N_ELEMENTS(everything); i++)
        (void)spec_set_text(spec, everything[i].id, everything[i].text, NULL);
    (void)spec_set_text(spec, SETTING_USER_NAMESPACE, in_user_namespace ? "try" : "off", NULL);
    return spec;
}

static uid_t whom_to_be(const Controller *controller, bool in_user_namespace)
{
    bool may_map = controller->features.privileged || !in_user_namespace;
    const IdRange somebody = { SOMEBODY_ELSE, 1 };
    bool exists = (!controller->own_uids || id_map_text_covers(controller->own_uids, somebody)) &&
                  (!controller->own_gids || id_map_text_covers(controller->own_gids, somebody));

    return controller->uid == 0 && may_map && exists ? SOMEBODY_ELSE : controller->uid;
}

/* No step is required: those behind a refused one are to be tried as well. */
static Plan *make_plan(const Rehearsal *rehearsal, GError **error)
{
    Controller *controller = rehearsal->controller;
    g_autoptr(Spec) spec = make_spec(rehearsal->in_user_namespace);
    g_auto(Identity) identity = { 0 };

    if (!identity_lookup(
            &(IdentityRequest){ .owner = whom_to_be(controller, rehearsal->in_user_namespace) },
            &identity, error))
        return NULL;
    const PlanInput input = {
        .spec = spec,
        .name = "rehearsal",
        .id = "rehearsal",
        .owner_uid = controller->uid,
        .service_uid = controller->uid,
        .service_gid = getegid(),
        .own_limits = &controller->own_limits,
        .own_uids = controller->own_uids,
        .own_gids = controller->own_gids,
        .last_capability = controller->last_capability,
        .identity = &identity,
        .features = &controller->features,
        .masks = (const char *const *)controller->masks,
        .layers = controller->layers,
        .has_cgroup = true,
        .groups_denied = controller->groups_denied,
    };
    Plan *plan = plan_make(&input, error);
    for (guint i = 0; plan && i < plan->steps->len; i++)
        ((PlanStep *)g_ptr_array_index(plan->steps, i))->required = false;
    return plan;
}

static int on_over(sd_event_source *source, void *userdata)
{
    Rehearsal *rehearsal = userdata;

    (void)source;
    rehearsal->done(rehearsal->userdata);
    return 0;
}

/* When the init has been taken note of as well, so that it is not left to be reaped by nobody. */
static void finish(Rehearsal *rehearsal)
{
    g_clear_pointer(&rehearsal->conversation, conversation_free);
    if (!rehearsal->launch && !rehearsal->over)
        (void)sd_event_add_defer(rehearsal->controller->event, &rehearsal->over, on_over,
                                 rehearsal);
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
    Rehearsal *rehearsal = userdata;

    (void)source;
    (void)usec;
    log_warning("the rehearsal of a start does not come to an end: starts may turn out otherwise "
                "than CheckInstance says");
    launch_call_cancel(rehearsal->launch);
    rehearsal->launch = NULL;
    finish(rehearsal);
    return 0;
}

static void on_said(uint32_t type, const struct WireMessage *message, pid_t pid, uid_t uid,
                    void *userdata)
{
    Rehearsal *rehearsal = userdata;
    HostFeatures *features = &rehearsal->controller->features;

    (void)pid;
    (void)uid;
    if (type == WIRE_FAULT && message->step < STEP_COUNT && message->error > 0)
        features->refused_steps[rehearsal->in_user_namespace][message->step] = message->error;
    else if (type == WIRE_EXECUTED || type == 0)
        finish(rehearsal);
}

static void on_launched(const struct LaunchReply *reply, int pidfd, GError *error, void *userdata)
{
    Rehearsal *rehearsal = userdata;

    (void)error;
    rehearsal->launch = NULL;
    if (reply && reply->error == 0) {
        rehearsal->pidfd = pidfd;
        rehearsal->pid = reply->pid;
    }
    if (pidfd < 0 || !rehearsal->conversation)
        finish(rehearsal);
}

static bool launch(Rehearsal *rehearsal, const Plan *plan, int init_end, GError **error)
{
    const struct LaunchRequest request = {
        .verb = LAUNCH_SPAWN,
        .namespaces = plan->clone_flags,
        .id_map = plan->id_map,
        .uid = plan->identity.uid,
        .gid = plan->identity.gid,
        .uids = plan->uids,
        .gids = plan->gids,
    };

    rehearsal->launch = launcher_call(rehearsal->controller->launcher, request, &init_end, 1,
                                      on_launched, rehearsal, error);
    return rehearsal->launch != NULL;
}

static bool send_plan(Rehearsal *rehearsal, const Plan *plan, GError **error)
{
    const struct Record empty = {
        .magic = RECORD_MAGIC, .version = RECORD_VERSION, .id = "rehearsal", .phase = RECORD_MADE
    };
    auto_fd sealed = plan_seal(plan, error);
    auto_fd record = sealed < 0 ? -1 : record_create(-1, "rehearsal", &empty, error);
    auto_fd null = record < 0 ? -1 : output_open_null();

    if (sealed < 0 || record < 0)
        return false;
    if (null < 0)
        return error_from_errno(error, CONSTELLATION_ERROR_SPAWN_FAILED, null, "/dev/null");
    return conversation_send_plan(rehearsal->conversation, sealed, record,
                                  (const int[]){ null, null, null }, NULL, error) &&
           conversation_open_gate(rehearsal->conversation, -1, error);
}

static bool begin(Rehearsal *rehearsal, GError **error)
{
    g_autoptr(Plan) plan = make_plan(rehearsal, error);
    int init_end;

    if (!plan)
        return false;
    rehearsal->conversation = conversation_new(rehearsal->controller->event, on_said, rehearsal,
                                               &init_end, error);
    if (!rehearsal->conversation)
        return false;
    auto_fd end = init_end;
    return launch(rehearsal, plan, end, error) && send_plan(rehearsal, plan, error);
}

Rehearsal *rehearsal_begin(Controller *controller, bool in_user_namespace, RehearsalCallback done,
                           void *userdata)
{
    Rehearsal *rehearsal = g_new0(Rehearsal, 1);
    g_autoptr(GError) error = NULL;

    rehearsal->controller = controller;
    rehearsal->in_user_namespace = in_user_namespace;
    rehearsal->done = done;
    rehearsal->userdata = userdata;
    rehearsal->pidfd = -1;
    memset(controller->features.refused_steps[in_user_namespace], 0,
           sizeof controller->features.refused_steps[in_user_namespace]);
    if (begin(rehearsal, &error)) {
        (void)timer_start(controller->event, &rehearsal->deadline, REHEARSAL_USEC, on_deadline,
                          rehearsal, "rehearsal");
        return rehearsal;
    }
    log_warning("a start cannot be rehearsed: %s", error->message);
    rehearsal_free(rehearsal);
    return NULL;
}

void rehearsal_free(Rehearsal *rehearsal)
{
    if (!rehearsal)
        return;
    conversation_free(rehearsal->conversation);
    launch_call_cancel(rehearsal->launch);
    if (rehearsal->pidfd >= 0)
        launcher_abandon(rehearsal->controller->launcher, rehearsal->pidfd, rehearsal->pid);
    sd_event_source_disable_unref(rehearsal->deadline);
    sd_event_source_disable_unref(rehearsal->over);
    g_free(rehearsal);
}
