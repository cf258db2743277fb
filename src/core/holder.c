/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "core/holder.h"
#include "core/output.h"
#include "core/start.h"
#include "isolation/plan-wire.h"
#include "isolation/record.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/procfs.h"

struct Holder {
    Controller *controller;
    GPtrArray *waiting; /* Start */
    Conversation *conversation;
    LaunchCall *launch;
    int pidfd;
    pid_t pid;     /* as the launcher knows it */
    bool placing;  /* the scope was asked for: its answer comes in any case */
    GError *error; /* of what failed meanwhile */
};

void holder_free(Holder *holder)
{
    if (!holder)
        return;
    launch_call_cancel(holder->launch);
    conversation_free(holder->conversation);
    fd_close(holder->pidfd);
    g_ptr_array_unref(holder->waiting);
    g_clear_error(&holder->error);
    g_free(holder);
}

/* Whoever waited goes on: the ladder knows now whether the rung can be had, and if not, why. */
static void holder_finish(Holder *holder, const GError *error)
{
    Controller *controller = holder->controller;
    g_autoptr(GPtrArray) waiting = g_ptr_array_ref(holder->waiting);

    if (holder->placing) {
        if (!holder->error)
            holder->error = g_error_copy(error);
        return;
    }
    if (error)
        log_warning("the scope for direct cgroups: %s", error->message);
    if (holder->pidfd >= 0 && error)
        launcher_abandon(controller->launcher, fd_steal(&holder->pidfd), holder->pid);
    else if (holder->pidfd >= 0)
        launcher_reap_at_end(controller->launcher, fd_steal(&holder->pidfd), holder->pid);
    controller->holder = NULL;
    holder_free(holder);
    for (guint i = 0; i < waiting->len; i++)
        start_proceed(g_ptr_array_index(waiting, i));
}

static void on_said(uint32_t type, const struct WireMessage *message, pid_t pid, uid_t uid,
                    void *userdata)
{
    Holder *holder = userdata;
    g_autoptr(GError) error = NULL;

    (void)pid;
    (void)uid;
    if (type == WIRE_EXECUTED) {
        holder_finish(holder, NULL);
    } else if (type == WIRE_FAULT && message->fatal) {
        g_autofree char *sentence = step_failure(message->step, message->error, message->path);
        error_set(&error, CONSTELLATION_ERROR_CGROUP_FAILED, "%s", sentence);
        holder_finish(holder, error);
    } else if (type == 0) {
        error_set(&error, CONSTELLATION_ERROR_CGROUP_FAILED, "its process has ended");
        holder_finish(holder, error);
    }
}

static void on_scope(GError *error, void *userdata)
{
    Holder *holder = userdata;
    g_autoptr(GError) failure = g_steal_pointer(&holder->error);

    holder->placing = false;
    if (error)
        holder_finish(holder, error);
    else if (failure || !conversation_open_gate(holder->conversation, -1, &failure))
        holder_finish(holder, failure);
}

static void on_launched(const struct LaunchReply *reply, int pidfd, GError *error, void *userdata)
{
    Holder *holder = userdata;
    g_autoptr(GError) failure = NULL;
    pid_t pid;

    holder->launch = NULL;
    holder->pidfd = pidfd;
    if (error) {
        holder_finish(holder, error);
        return;
    }
    holder->pid = reply->pid;
    int r = reply->error != 0 ? -reply->error : procfs_pidfd_pid(pidfd, &pid);
    if (r < 0) {
        error_from_errno(&failure, CONSTELLATION_ERROR_SPAWN_FAILED, r, "its process");
        holder_finish(holder, failure);
        return;
    }
    holder->placing = true;
    resources_start_holder(holder->controller->resources, pid, pidfd, on_scope, holder);
}

/* A sandbox with a record that nobody will read. */
static bool send_plan(Holder *holder, GError **error)
{
    static const unsigned kinds[] = { STEP_SUBREAPER, STEP_GATE };
    const struct Record blank = {
        .magic = RECORD_MAGIC,
        .version = RECORD_VERSION,
        .phase = RECORD_MADE,
    };
    g_autoptr(Plan) plan = plan_new();

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        plan_add_step(plan, kinds[i], true);
    auto_fd plan_fd = plan_seal(plan, error);
    if (plan_fd < 0)
        return false;
    auto_fd record = record_create(-1, "holder", &blank, error);
    if (record < 0)
        return false;
    auto_fd null = output_open_null();
    return conversation_send_plan(holder->conversation, plan_fd, record,
                                  (const int[]){ null, null, null }, NULL, error);
}

static bool holder_begin(Holder *holder, GError **error)
{
    Controller *controller = holder->controller;
    const struct LaunchRequest request = { .verb = LAUNCH_SPAWN };
    int end;

    holder->conversation = conversation_new(controller->event, on_said, holder, &end, error);
    if (!holder->conversation)
        return false;
    auto_fd init_end = end;
    holder->launch = launcher_call(controller->launcher, request, &init_end, 1, on_launched, holder,
                                   error);
    return holder->launch && send_plan(holder, error);
}

bool holder_is_wanted(Controller *controller)
{
    return controller->holder || resources_wants_holder(controller->resources);
}

void holder_wait(Controller *controller, Start *start)
{
    g_autoptr(GError) error = NULL;

    if (controller->holder) {
        g_ptr_array_add(controller->holder->waiting, start);
        return;
    }
    Holder *holder = g_new0(Holder, 1);
    holder->controller = controller;
    holder->pidfd = -1;
    holder->waiting = g_ptr_array_new();
    g_ptr_array_add(holder->waiting, start);
    controller->holder = holder;
    if (!holder_begin(holder, &error))
        holder_finish(holder, error);
}

void holder_forget(Controller *controller, Start *start)
{
    if (controller->holder)
        g_ptr_array_remove_fast(controller->holder->waiting, start);
}
