/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A start, read from top to bottom: queued, launched, placed, released, executed. Every
 * continuation may find that the start is over meanwhile; every way out goes through
 * start_fail(), which waits until nothing is left before it tells anybody. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "core/events.h"
#include "core/holder.h"
#include "core/outside.h"
#include "core/start.h"
#include "core/store.h"
#include "util/crash-point.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/procfs.h"
#include "util/syscalls.h"
#include "util/timer.h"

static bool step_down(Start *start, const GError *why);
static void on_launched(const struct LaunchReply *reply, int pidfd, GError *error, void *userdata);
static void on_said(uint32_t type, const struct WireMessage *message, pid_t pid, uid_t uid,
                    void *userdata);

/* ---- queued ---------------------------------------------------------------------------------- */

void start_free(Start *start)
{
    if (!start)
        return;
    launch_call_cancel(start->launch);
    conversation_free(start->conversation);
    sd_event_source_disable_unref(start->deadline);
    plan_free(start->plan);
    g_clear_error(&start->error);
    g_free(start->launch_id);
    for (size_t i = 0; i < G_N_ELEMENTS(start->stdio); i++)
        fd_close(start->stdio[i]);
    g_free(start);
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
    Start *start = userdata;
    g_autoptr(GError) error = NULL;

    (void)source;
    (void)usec;
    error_set(&error, CONSTELLATION_ERROR_TIMEOUT,
              "the start of '%s' took longer than TimeoutStartSec", start->instance->name);
    start_fail(start, g_steal_pointer(&error), RESULT_TIMEOUT, EVENT_START_FAILED);
    return 0;
}

void start_watch_deadline(Start *start)
{
    (void)timer_start(start->instance->controller->event, &start->deadline,
                      spec_get_uint(start->instance->spec, SETTING_TIMEOUT_START), on_deadline,
                      start, "start");
}

static Start *start_new(Instance *instance, const StartOptions *options)
{
    Start *start = g_new0(Start, 1);

    start->instance = instance;
    start->no_degrade = options->no_degrade;
    start->automatic = options->automatic;
    start->prepare = options->prepare;
    for (size_t i = 0; i < G_N_ELEMENTS(start->stdio); i++)
        start->stdio[i] = options->stdio[i] >= 0 ? fcntl(options->stdio[i], F_DUPFD_CLOEXEC, 3)
                                                 : -1;
    start->launch_id = instance_launch_id(instance);
    return start;
}

static bool has_stdio(const Start *start, const StartOptions *options)
{
    for (size_t i = 0; i < G_N_ELEMENTS(start->stdio); i++)
        if (options->stdio[i] >= 0 && start->stdio[i] < 0)
            return false;
    return true;
}

static void start_begin(Instance *instance, const StartOptions *options)
{
    sd_event_source_disable_unref(instance->stop_timer);
    instance->stop_timer = NULL;
    restart_forget(instance);
    if (!options->automatic)
        instance->history = (RestartHistory){ 0 };
    instance->told_to_end = instance->runtime_over = instance->stopped_with_service = false;
    instance->freeze_asked = false;
    instance->run++;
    instance->started = instance->stopped = (Timestamp){ 0 };
    instance->exit_code = -1;
    instance->exit_signal = 0;
    instance->result = RESULT_SUCCESS;
    instance->stop_escalated = false;
    instance_set_status(instance, "starting");
    g_ptr_array_set_size(instance->degraded, 0);
    g_ptr_array_set_size(instance->enforced, 0);

    Start *start = start_new(instance, options);
    instance->start = start;
    g_autoptr(GError) error = NULL;
    if (!instance_apply(instance, EVENT_START, SUB_STATE_START, &error)) {
        /* Killed now, the service would come back to a process of which it knows nothing. */
        start_fail(start, g_steal_pointer(&error), RESULT_RESOURCES, EVENT_START_FAILED);
        return;
    }
    crash_point(CRASH_START_STORED);
    if (!has_stdio(start, options)) {
        error_set(&error, CONSTELLATION_ERROR_LIMITS_EXCEEDED,
                  "no file descriptors are left for the payload's input and output");
        start_fail(start, g_steal_pointer(&error), RESULT_RESOURCES, EVENT_START_FAILED);
        return;
    }
    start_watch_deadline(start);
    controller_queue_start(instance->controller, start);
}

bool instance_start(Instance *instance, const StartOptions *options, WaiterCallback done,
                    void *userdata, GError **error)
{
    switch (state_answer(instance->state, REQUEST_START)) {
    case ANSWER_BEGIN:
        if (instance->controller->shutting_down)
            return error_set(error, CONSTELLATION_ERROR_CANCELLED, "the service is shutting down");
        waiters_add(&instance->waiters, WAIT_STARTED, done, userdata);
        start_begin(instance, options);
        return true;
    case ANSWER_JOIN:
        waiters_add(&instance->waiters, WAIT_STARTED, done, userdata);
        start_go_on(instance->start);
        return true;
    default:
        return instance_refuse(instance, REQUEST_START, error);
    }
}

void start_proceed(Start *start)
{
    g_autoptr(GError) error = NULL;

    if (!start->held && start_wants_holder(start)) {
        start->held = true;
        start->phase = START_QUEUED;
        holder_wait(start->instance->controller, start);
        return;
    }
    start->phase = START_LAUNCHING;
    if (!start_attempt(start, on_launched, on_said, &error)) {
        /* The cgroup could not be made: perhaps the next rung can do. */
        if (error->code == CONSTELLATION_ERROR_CGROUP_FAILED && !start->launch && start->plan &&
            step_down(start, error))
            return;
        Result result = error->code == CONSTELLATION_ERROR_CGROUP_FAILED ? RESULT_RESOURCES
                                                                         : RESULT_ISOLATION;
        start_fail(start, g_steal_pointer(&error), result, EVENT_START_FAILED);
    }
}

void start_admit(Start *start)
{
    start->admitted = true;
    start_proceed(start);
}

/* ---- launched -------------------------------------------------------------------------------- */

static void launch_failed(Start *start, const struct LaunchReply *reply)
{
    g_autoptr(GError) error = NULL;
    Controller *controller = start->instance->controller;

    /* A namespace that could be had a while ago: ask again what can be had now, and plan anew. */
    bool may_be_the_host = reply->step == LAUNCH_STEP_CLONE || reply->step == LAUNCH_STEP_ID_MAP ||
                           reply->step == LAUNCH_STEP_ID_HELPER;
    if (may_be_the_host && !start->probed_again) {
        start->probed_again = true;
        start->phase = START_QUEUED;
        start_abandon_attempt(start);
        instance_release_placement(start->instance);
        store_record_remove(controller->store, start->instance);
        controller_start_over(controller, start);
        controller_reprobe(controller);
        controller_queue_start(controller, start);
        return;
    }
    static const char *const steps[] = {
        [LAUNCH_STEP_NONE] = "launching",
        [LAUNCH_STEP_REQUEST] = "the launcher refused the request",
        [LAUNCH_STEP_CLONE] = "cloning with the namespaces",
        [LAUNCH_STEP_ID_MAP] = "mapping the user ids",
        [LAUNCH_STEP_ID_HELPER] = "mapping the user ids by newuidmap and newgidmap",
        [LAUNCH_STEP_EXEC_INIT] = "executing constellation-init",
    };
    const char *step = reply->step < G_N_ELEMENTS(steps) ? steps[reply->step] : "launching";
    error_from_errno(&error,
                     reply->step == LAUNCH_STEP_CLONE ? CONSTELLATION_ERROR_NAMESPACE_FAILED
                                                      : CONSTELLATION_ERROR_SPAWN_FAILED,
                     reply->error, "%s", step);
    start_fail(start, g_steal_pointer(&error), RESULT_ISOLATION, EVENT_START_FAILED);
}

static void on_placed(Placement *placement, GError *error, void *userdata);

static void start_place(Start *start)
{
    Instance *instance = start->instance;
    const PlacementRequest request = start_placement_request(start);

    crash_point(CRASH_START_LAUNCHED);
    start->phase = START_PLACING;
    start->placing = true;
    if (backend_place(instance->controller->resources, instance->placement, &request,
                      instance->init_pid, instance->init_pidfd, on_placed, start))
        on_placed(instance->placement, NULL, start);
}

static void on_launched(const struct LaunchReply *reply, int pidfd, GError *error, void *userdata)
{
    Start *start = userdata;
    g_autoptr(GError) failure = NULL;
    auto_fd fd = pidfd;
    pid_t pid;

    start->launch = NULL;
    if (error && !start->launched_again && start->phase == START_LAUNCHING) {
        start->launched_again = true;
        start_retry(start);
        return;
    }
    if (!error && reply->error != 0 && start->phase == START_LAUNCHING) {
        launch_failed(start, reply);
        return;
    }
    int r = error || reply->error != 0 ? -ESRCH : procfs_pidfd_pid(fd, &pid);
    if (r == 0 && instance_watch_init(start->instance, fd_steal(&fd), pid, &failure)) {
        if (start->phase == START_LAUNCHING)
            start_place(start);
        else
            (void)sys_pidfd_send_signal(start->instance->init_pidfd, SIGKILL);
        return;
    }
    /* Ended already, or not to be watched: nobody will see it end. */
    if (!error && reply->error == 0)
        launcher_abandon(start->instance->controller->launcher, fd_steal(&fd), reply->pid);
    if (start->phase == START_FAILING) {
        start_finish_failure(start);
        return;
    }
    if (error)
        failure = g_error_copy(error);
    else if (!failure)
        error_from_errno(&failure, CONSTELLATION_ERROR_SPAWN_FAILED, r, "the init is gone");
    start_fail(start, g_steal_pointer(&failure), RESULT_ISOLATION, EVENT_START_FAILED);
}

/* ---- placed ---------------------------------------------------------------------------------- */

/* One rung down, if the rung was not asked for by name. */
static bool step_down(Start *start, const GError *why)
{
    Instance *instance = start->instance;
    static const char *const rungs[] = { NULL, "scope", "cgroup", "monitor" };

    if (spec_get_uint(instance->spec, SETTING_BACKEND) != BACKEND_AUTO)
        return false;
    for (unsigned rung = BACKEND_SCOPE; rung < BACKEND_MONITOR; rung++)
        if (start->backend == backend_by_name(rungs[rung]))
            start->excluded |= 1u << rung;
    if (start->backend == backend_by_name("monitor"))
        return false;
    log_warning("%s (%s): %s: going on without the %s backend", instance->id, instance->name,
                why->message, backend_name(start->backend));
    start_retry(start);
    return true;
}

static void on_placed(Placement *placement, GError *error, void *userdata)
{
    Start *start = userdata;

    (void)placement;
    start->placing = false;
    /* A dead process cannot be placed anywhere, and says nothing about the rung: its end, which is
     * about to be read, tells what to do. */
    if (error && start->instance->init_pidfd >= 0 &&
        sys_pidfd_has_ended(start->instance->init_pidfd))
        return;
    if (error) {
        if (!step_down(start, error))
            start_fail(start, g_error_copy(error), RESULT_RESOURCES, EVENT_START_FAILED);
        return;
    }
    start->placed = true;
    if (!start_stays_at_gate(start))
        start_open_gate(start);
}

void start_open_gate(Start *start)
{
    int cgroup_fd = start->instance->placement->cgroup_fd;
    g_autoptr(GError) failure = NULL;

    start->phase = START_RELEASED;
    crash_point(CRASH_START_PLACED);
    /* If that cannot be sent the init has given up already: its fault, or its end, is about to be
     * read and says why. */
    if (!conversation_open_gate(start->conversation, cgroup_fd, &failure))
        log_debug("%s (%s): %s", start->instance->id, start->instance->name, failure->message);
    crash_point(CRASH_START_RELEASED);
    controller_start_over(start->instance->controller, start);
}

/* ---- released -------------------------------------------------------------------------------- */

/* What the kernel's own files say of the limits; false if one that is required does not hold. */
static bool read_limits(Start *start, GError **error)
{
    Instance *instance = start->instance;

    g_ptr_array_unref(instance->enforced);
    instance->enforced = placement_enforced(instance->controller->resources, instance->placement,
                                            &start->limits);
    for (guint i = 0; i < instance->enforced->len; i++) {
        const Enforced *row = g_ptr_array_index(instance->enforced, i);
        if (row->enforced)
            continue;
        if (start_requires(start, row->limit))
            return error_set(error, CONSTELLATION_ERROR_CGROUP_FAILED,
                             "%s is required and is not enforced: %s", row->limit, row->reason);
        instance_degrade(instance, row->limit, "unsupported", row->reason);
    }
    return true;
}

/* When it was executed, as the init has noted it: by now the run may even be over. */
static Timestamp executed_when(const Instance *instance)
{
    auto_fd fd = store_record_open(instance->controller->store, instance);
    struct Record record;

    if (fd < 0 || record_read(fd, &record) < 0)
        return timestamp_now();
    return (Timestamp){ record.executed_realtime_usec, record.executed_monotonic_usec };
}

static void start_executed(Start *start)
{
    Instance *instance = start->instance;
    Controller *controller = instance->controller;
    g_autoptr(GError) error = NULL;

    crash_point(CRASH_START_EXECUTED);
    instance->started = executed_when(instance);
    if (!read_limits(start, &error)) {
        start_fail(start, g_steal_pointer(&error), RESULT_RESOURCES, EVENT_START_FAILED);
        return;
    }
    instance_set_status(instance, instance->degraded->len > 0 ? "running, degraded" : "running");
    controller_start_over(controller, start);
    instance->start = NULL;
    instance->tentative = false;
    start_free(start);
    (void)instance_apply(instance, EVENT_EXECUTED, SUB_STATE_RUNNING, NULL);
    crash_point(CRASH_START_RUNNING);
    runtime_watch(instance);
    waiters_tell(&instance->waiters, WAIT_PREPARED, instance, NULL);
    waiters_tell(&instance->waiters, WAIT_STARTED, instance, NULL);
    event_tell(instance, EVENT_LOG_STARTED);
    outside_watch(instance);
}

/* A namespace that the init was to make is then not there, which Isolation must not claim. */
static void degrade_by_fault(Instance *instance, const PlanStep *step, const char *sentence)
{
    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++) {
        const NamespaceInfo *info = &namespace_infos[kind];
        if (info->step != step->kind)
            continue;
        instance->isolation[kind].outcome = ISOLATION_REFUSED;
        g_free(instance->isolation[kind].reason);
        instance->isolation[kind].reason = g_strdup(sentence);
        instance_degrade(instance, setting_get(info->setting)->name, "refused", sentence);
        return;
    }
    instance_degrade(instance, plan_step_feature(step), "failed", sentence);
}

static void start_fault(Start *start, const struct WireMessage *message)
{
    Instance *instance = start->instance;
    g_autofree char *sentence = step_failure(message->step, message->error, message->path);
    g_autoptr(GError) error = NULL;

    if (!message->fatal) {
        const PlanStep *step = plan_step_refused(start->plan, message->step, message->path,
                                                 sentence);
        bool is_missed = step && plan_step_is_asked_for(step);
        if (start->no_degrade && is_missed) {
            error_set(&error, step_error_code(message->step), "%s", sentence);
            start_fail(start, g_steal_pointer(&error), RESULT_ISOLATION, EVENT_START_FAILED);
            return;
        }
        if (is_missed)
            degrade_by_fault(instance, step, sentence);
        return;
    }
    ErrorCode code = step_error_code(message->step);
    error_set(&error, code, "%s", sentence);
    start_fail(start, g_steal_pointer(&error),
               code == CONSTELLATION_ERROR_SPAWN_FAILED ? RESULT_EXEC : RESULT_ISOLATION,
               EVENT_START_FAILED);
}

/* The payload attests its own pid and uid through the kernel: a uid that is not the planned one
 * means that the drop of privileges did not happen. */
static void start_payload(Start *start, pid_t pid, uid_t uid)
{
    g_autoptr(GError) error = NULL;

    if (uid != start->plan->outside_uid) {
        error_set(&error, CONSTELLATION_ERROR_ISOLATION_FAILED,
                  "the payload of '%s' came up as uid %u instead of %u", start->instance->name, uid,
                  start->plan->outside_uid);
        start_fail(start, g_steal_pointer(&error), RESULT_ISOLATION, EVENT_START_FAILED);
        return;
    }
    start->instance->main_pid = pid;
}

static void on_said(uint32_t type, const struct WireMessage *message, pid_t pid, uid_t uid,
                    void *userdata)
{
    Start *start = userdata;

    switch (type) {
    case WIRE_FAULT:
        start_fault(start, message);
        break;
    case WIRE_WAITING:
        start->waits_at_gate = true;
        (void)start_stays_at_gate(start);
        break;
    case WIRE_PAYLOAD:
        start_payload(start, pid, uid);
        break;
    case WIRE_EXECUTED:
        if (start->phase == START_RELEASED)
            start_executed(start);
        break;
    default:
        /* Closed without a word: whatever it was, the end of the init tells. */
        break;
    }
}
