/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The end of a run. The pidfd says that it is over, the record says how. Where the init itself was
 * killed there is no end in the record: inquest.c asks around then, and if nobody knows, the result
 * is "lost" and nothing is invented. */

#include <signal.h>
#include <sys/wait.h>

#include "core/controller.h"
#include "core/events.h"
#include "core/inquest.h"
#include "core/store.h"
#include "model/syscalls.h"
#include "util/crash-point.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/parse.h"

static void set_end(Instance *instance, int cld_code, int cld_status)
{
    if (cld_code == CLD_EXITED) {
        instance->exit_code = cld_status;
        instance->exit_signal = 0;
        instance->result = RESULT_EXIT_CODE;
        instance_set_status(instance, "exited with status %d", cld_status);
    } else {
        const char *name = signal_name(cld_status);
        bool filtered = cld_status == SIGSYS && spec_is_filtered(instance->spec, instance->owner);
        instance->exit_code = -1;
        instance->exit_signal = cld_status;
        instance->result = RESULT_SIGNAL;
        instance_set_status(instance, "killed by %s%s%s", name ? name : "a signal",
                            filtered ? ": it used a system call that SystemCallFilter does not "
                                       "allow"
                                     : "",
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
        bool killed = instance->exit_signal == SIGKILL;
        instance->result = RESULT_STOPPED_OUTSIDE;
        instance_set_status(instance, "stopped from outside of this service%s",
                            killed ? ", and killed when the time for that was over"
                                   : " (systemctl stop?)");
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

/* What is said of it without a wait status. */
static void set_verdict(Instance *instance, Result verdict)
{
    instance->exit_code = -1;
    instance->result = verdict;
    if (verdict == RESULT_OOM_KILL)
        instance_set_status(instance, "the kernel killed processes of it for lack of memory, and "
                                      "its init was killed as well");
    else
        instance_set_status(instance, "its init was killed, and nobody knows how the payload "
                                      "ended");
}

void instance_exit_from_inquest(Instance *instance, const struct Record *record,
                                const InquestVerdict *verdict)
{
    if (verdict->cld_code != 0)
        set_end(instance, verdict->cld_code, verdict->cld_status);
    else
        set_verdict(instance, verdict->otherwise);
    if (verdict->reaped)
        instance->init_pid = 0;
    finish(instance, classify(instance, record));
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
