/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The end of a run. The pidfd says that it is over, the record says how. Where the init itself was
 * killed there is no end in the record: then its own wait status is all that is known, and if
 * nobody has that either, the result is "lost" and nothing is invented. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "core/controller.h"
#include "core/events.h"
#include "core/store.h"
#include "util/crash-point.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/parse.h"
#include "util/pidfd-info.h"
#include "util/timer.h"

static void set_end(Instance *instance, int cld_code, int cld_status)
{
    if (cld_code == CLD_EXITED) {
        instance->exit_code = cld_status;
        instance->exit_signal = 0;
        instance->result = RESULT_EXIT_CODE;
        instance_set_status(instance, "exited with status %d", cld_status);
    } else {
        const char *name = signal_name(cld_status);
        instance->exit_code = -1;
        instance->exit_signal = cld_status;
        instance->result = RESULT_SIGNAL;
        instance_set_status(instance, "killed by %s%s", name ? name : "a signal",
                            cld_code == CLD_DUMPED ? " (core dumped)" : "");
    }
    if (restart_counts_as_success(instance->spec, instance->exit_code, instance->exit_signal))
        instance->result = RESULT_SUCCESS;
}

/* What the end means: told to end and did; told to end and had to be killed; ended by itself. */
static StateEvent classify(Instance *instance, const struct Record *record)
{
    bool told = instance->state == STATE_STOPPING;

    if (record && record->phase == RECORD_ENDED && record->oom_kills != RECORD_UNKNOWN &&
        record->oom_kills > 0 && !told) {
        instance->result = RESULT_OOM_KILL;
        instance_set_status(instance, "the kernel killed it for lack of memory (MemoryMax)");
        return EVENT_ENDED_BADLY;
    }
    if (told && instance->runtime_over) {
        instance->result = RESULT_TIMEOUT;
        instance_set_status(instance, "stopped: it ran longer than RuntimeMaxSec");
        return EVENT_ENDED_BADLY;
    }
    if (told && instance->stop_escalated) {
        instance->result = RESULT_TIMEOUT;
        instance_set_status(instance, "killed: it did not end within the stop timeout");
        return EVENT_ENDED_WELL;
    }
    if (told) {
        instance->result = RESULT_SUCCESS;
        return EVENT_ENDED_WELL;
    }
    if (record && (record->flags & RECORD_STOPPED_OUTSIDE)) {
        instance->result = RESULT_STOPPED_OUTSIDE;
        instance_set_status(instance, "stopped from outside of this service (systemctl stop?)");
        return EVENT_ENDED_WELL;
    }
    return instance->result == RESULT_SUCCESS ? EVENT_ENDED_WELL : EVENT_ENDED_BADLY;
}

/* What the restart policy makes of it, as the sub-state to be stored with the end. */
SubState instance_judge_end(Instance *instance, StateEvent *event)
{
    uint64_t delay_usec = 0;

    switch (restart_judge(instance, &delay_usec)) {
    case RESTART_AFTER:
        restart_schedule(instance, delay_usec);
        event_tell(instance, EVENT_LOG_RESTART_SCHEDULED);
        return SUB_STATE_AUTO_RESTART;
    case RESTART_LIMIT: {
        g_autofree char *last = g_strdup(instance->status_text);
        instance->result = RESULT_START_LIMIT;
        instance_set_status(instance, "restarted too often (StartLimitBurst); last: %s", last);
        event_tell(instance, EVENT_LOG_START_LIMIT);
        *event = *event == EVENT_ENDED_WELL ? EVENT_ENDED_BADLY : *event;
        return SUB_STATE_DEAD;
    }
    default:
        return SUB_STATE_DEAD;
    }
}

static void finish(Instance *instance, StateEvent event)
{
    Controller *controller = instance->controller;
    const ControllerObserver *observer = controller->observer;

    instance->stop_timer = sd_event_source_disable_unref(instance->stop_timer);
    instance->runtime_timer = sd_event_source_disable_unref(instance->runtime_timer);
    if (instance->init_pid > 0)
        launcher_reap(controller->launcher, instance->init_pid);
    event_tell(instance,
               instance->result == RESULT_OOM_KILL ? EVENT_LOG_OOM_KILLED : EVENT_LOG_ENDED);
    instance_forget_init(instance);
    instance_release_placement(instance);
    if (instance->stopped.realtime_usec == 0)
        instance->stopped = timestamp_now();
    SubState sub_state = instance_judge_end(instance, &event);
    crash_point(CRASH_EXIT_READ);
    (void)instance_apply(instance, event, sub_state, NULL);
    crash_point(CRASH_EXIT_STORED);
    /* Only now that the end is stored: until then the record is all that knows of it. */
    store_record_remove(controller->store, instance);
    crash_point(CRASH_EXIT_FORGOTTEN);
    if (observer && observer->exited)
        observer->exited(instance, controller->observer_userdata);
    instance_after_stop(instance);
}

void instance_exit_from_record(Instance *instance, const struct Record *record)
{
    if (record->phase == RECORD_EXEC_FAILED) {
        g_autofree char *sentence = step_failure(record->fault_step, record->fault_error,
                                                 record->fault_path);
        instance->result = RESULT_EXEC;
        instance_set_status(instance, "%s", sentence);
        finish(instance, EVENT_ENDED_BADLY);
        return;
    }
    instance->stopped = (Timestamp){ record->ended_realtime_usec, record->ended_monotonic_usec };
    set_end(instance, record->cld_code, record->cld_status);
    finish(instance, classify(instance, record));
}

/* ---- the init was killed --------------------------------------------------------------------- */

/* Asked in this order: the launcher, if the init was its child; the kernel, as soon as whoever took
 * the init over has reaped it. */

typedef struct Inquest {
    Controller *controller;
    char id[INSTANCE_ID_LENGTH + 1];
    uint64_t run;
    struct Record record;
    bool has_record;
    LaunchCall *call;
    sd_event_source *reaped;
    sd_event_source *deadline;
} Inquest;

/* How long both may take to say how a process ended that is known to be dead. */
#define INQUEST_USEC G_USEC_PER_SEC

static void inquest_free(Inquest *inquest)
{
    launch_call_cancel(inquest->call);
    sd_event_source_disable_unref(inquest->reaped);
    sd_event_source_disable_unref(inquest->deadline);
    g_free(inquest);
}

/* The instance it is about, if that still waits for the verdict. */
static Instance *inquest_subject(const Inquest *inquest)
{
    Instance *instance = controller_find_id(inquest->controller, inquest->id);

    return instance && instance->run == inquest->run && state_is_active(instance->state) ? instance
                                                                                         : NULL;
}

/* With a cld_code of 0 nobody knows. */
static void inquest_close(Inquest *inquest, int cld_code, int cld_status)
{
    g_autofree Inquest *closed = g_memdup2(inquest, sizeof *inquest);
    Instance *instance = inquest_subject(inquest);
    const struct Record *record = closed->has_record ? &closed->record : NULL;

    inquest_free(inquest);
    if (!instance)
        return;
    if (cld_code != 0) {
        set_end(instance, cld_code, cld_status);
    } else {
        instance->exit_code = -1;
        instance->result = RESULT_LOST;
        instance_set_status(instance, "its init was killed, and nobody knows how the payload "
                                      "ended");
    }
    finish(instance, classify(instance, record));
}

static int on_init_reaped(sd_event_source *source, int fd, uint32_t revents, void *userdata);

static void inquest_ask_kernel(Inquest *inquest)
{
    const Instance *instance = inquest_subject(inquest);
    int pidfd = instance ? instance->init_pidfd : -1;
    int cld_code = 0, cld_status = 0;

    int r = pidfd_exit_status(pidfd, &cld_code, &cld_status);
    if (r == -ENODATA && !inquest->reaped) {
        auto_fd copy = fcntl(pidfd, F_DUPFD_CLOEXEC, 3);
        if (copy >= 0 && sd_event_add_io(inquest->controller->event, &inquest->reaped, copy, 0,
                                         on_init_reaped, inquest) >= 0) {
            (void)sd_event_source_set_io_fd_own(inquest->reaped, true);
            (void)fd_steal(&copy);
            return;
        }
    }
    inquest_close(inquest, cld_code, cld_status);
}

/* EPOLLHUP, which need not be asked for. */
static int on_init_reaped(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    (void)source;
    (void)fd;
    (void)revents;
    inquest_ask_kernel(userdata);
    return 0;
}

static void on_reaped(const struct LaunchReply *reply, int pidfd, GError *error, void *userdata)
{
    Inquest *inquest = userdata;
    Instance *instance = inquest_subject(inquest);

    (void)error;
    fd_close(pidfd);
    inquest->call = NULL;
    if (instance && reply && reply->error == 0 && reply->cld_code != 0) {
        instance->init_pid = 0; /* reaped by this very call */
        inquest_close(inquest, reply->cld_code, reply->cld_status);
    } else {
        inquest_ask_kernel(inquest);
    }
}

static int on_inquest_over(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    inquest_close(userdata, 0, 0);
    return 0;
}

static void inquest_open(Instance *instance, const struct Record *record)
{
    Controller *controller = instance->controller;
    Inquest *inquest = g_new0(Inquest, 1);
    const struct LaunchRequest request = { .verb = LAUNCH_REAP, .pid = instance->init_pid };

    inquest->controller = controller;
    g_strlcpy(inquest->id, instance->id, sizeof inquest->id);
    inquest->run = instance->run;
    inquest->has_record = record != NULL;
    if (record)
        inquest->record = *record;
    if (instance->init_pid <= 0) {
        inquest_close(inquest, 0, 0); /* it was dead before there was a service to see it */
        return;
    }
    (void)timer_start(controller->event, &inquest->deadline, INQUEST_USEC, on_inquest_over, inquest,
                      "inquest");
    inquest->call = launcher_call(controller->launcher, request, NULL, 0, on_reaped, inquest, NULL);
    if (!inquest->call)
        inquest_ask_kernel(inquest);
}

void instance_exit(Instance *instance)
{
    auto_fd fd = store_record_open(instance->controller->store, instance);
    struct Record record;
    bool sound = fd >= 0 && record_read(fd, &record) == 0 && record.run == instance->run &&
                 g_strcmp0(record.id, instance->id) == 0;

    if (sound && (record.phase == RECORD_ENDED || record.phase == RECORD_EXEC_FAILED)) {
        instance_exit_from_record(instance, &record);
        return;
    }
    if (!sound)
        log_warning("%s (%s): its record cannot be read", instance->id, instance->name);
    inquest_open(instance, sound ? &record : NULL);
}
