/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* After a restart of the service: what is stored, against what the records and their locks say.
 * The lock proves life and gives the pid; nothing else is believed. */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/controller.h"
#include "core/events.h"
#include "core/outside.h"
#include "core/layers.h"
#include "core/registry.h"
#include "core/store.h"
#include "util/crash-point.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/parse.h"
#include "util/procfs.h"
#include "util/syscalls.h"
#include "util/timer.h"

/* A payload is executed some hundred microseconds after the gate was opened. */
#define LOOK_AGAIN_USEC (5 * 1000)

/* The holder of the lock, as a pidfd that is certainly its: asked again after the opening, the
 * lock still has the same holder, so the pid was not used by somebody else in between. */
static int open_holder(int record_fd, pid_t *ret_pid)
{
    pid_t pid, again;

    int r = record_holder(record_fd, &pid);
    if (r < 0)
        return r;
    if (pid <= 0)
        return -ESRCH;
    auto_fd pidfd = sys_pidfd_open(pid);
    if (pidfd < 0)
        return pidfd;
    r = record_holder(record_fd, &again);
    if (r < 0)
        return r;
    if (again != pid)
        return -ESRCH;
    *ret_pid = pid;
    return fd_steal(&pidfd);
}

static void adopt_placement(Instance *instance, pid_t pid)
{
    g_autoptr(GError) error = NULL;
    Placement *stored = g_steal_pointer(&instance->placement);
    g_autofree char *launch_id = instance_launch_id(instance);

    instance->placement = backend_adopt(instance->controller->resources, stored, launch_id, pid,
                                        instance->backend_reason, &error);
    placement_free(stored);
    if (instance->placement)
        return;
    log_warning("%s (%s): its cgroup: %s", instance->id, instance->name, error->message);
    instance->placement = placement_monitor(error->message);
}

static void take_payload(Instance *instance, const struct Record *record)
{
    if (procfs_first_child(instance->init_pid, &instance->main_pid) < 0)
        instance->main_pid = 0;
    if (instance->started.realtime_usec == 0)
        instance->started = (Timestamp){ record->executed_realtime_usec,
                                         record->executed_monotonic_usec };
}

static void look_later(Instance *instance);

static int on_look(sd_event_source *source, uint64_t usec, void *userdata)
{
    Instance *instance = userdata;
    auto_fd fd = store_record_open(instance->controller->store, instance);
    struct Record record;

    (void)source;
    (void)usec;
    instance->look_timer = sd_event_source_disable_unref(instance->look_timer);
    if (fd < 0 || record_read(fd, &record) < 0)
        return 0;
    if (record.phase < RECORD_EXECUTED) {
        look_later(instance);
        return 0;
    }
    take_payload(instance, &record);
    runtime_watch(instance);
    instance_changed(instance);
    return 0;
}

/* Its gate is open and the payload not executed yet: which process that is, and since when, the
 * record tells in a moment. If it never does, the init ends, and that is seen. */
static void look_later(Instance *instance)
{
    (void)timer_start(instance->controller->event, &instance->look_timer, LOOK_AGAIN_USEC, on_look,
                      instance, "look");
}

static void adopt_running(Instance *instance, int pidfd, pid_t pid, const struct Record *record)
{
    g_autoptr(GError) error = NULL;

    adopt_placement(instance, pid);
    if (!instance_watch_init(instance, pidfd, pid, &error)) {
        log_error("%s (%s): %s", instance->id, instance->name, error->message);
        return;
    }
    take_payload(instance, record);
    if (record->phase < RECORD_EXECUTED)
        look_later(instance);
    bool stopping = instance->state == STATE_STOPPING;
    instance->state = instance->lost_sight ? STATE_UNKNOWN : STATE_RUNNING;
    instance->sub_state = SUB_STATE_RUNNING;
    outside_adopt(instance);
    instance->tentative = false;
    event_tell(instance, EVENT_LOG_ADOPTED);
    if (stopping) {
        stop_resume(instance);
        return;
    }
    runtime_watch(instance);
    instance_save(instance);
}

/* It ended while the service was away. Without a record there was a reboot, or the start never got
 * that far. */
static void adopt_ended(Instance *instance, const struct Record *record)
{
    placement_free(g_steal_pointer(&instance->placement));
    bool started = record ? record->phase >= RECORD_EXECUTED : instance->state != STATE_STARTING;
    bool told = instance->state == STATE_STOPPING;
    instance->told_to_end = told && !instance->runtime_over;
    /* What has run is kept, as if it had ended a moment later. */
    if (record && (record->phase == RECORD_EXECUTED || record->phase == RECORD_ENDED))
        instance->tentative = false;
    instance->state = told ? STATE_STOPPING : STATE_RUNNING; /* where the end is possible from */
    if (record && (record->phase == RECORD_ENDED || record->phase == RECORD_EXEC_FAILED)) {
        instance_exit_from_record(instance, record);
    } else if (record && record->phase == RECORD_EXECUTED) {
        instance_exit(instance);
    } else {
        if (!started)
            instance->state = STATE_STARTING;
        instance->result = started ? RESULT_LOST : RESULT_RESOURCES;
        instance_set_status(instance, started ? "it was running when the machine went down"
                                              : "the start was interrupted");
        store_record_remove(instance->controller->store, instance);
        /* A start that somebody asked for is asked for again; one of the policy's own counts as a
         * run, or it would be the last. */
        StateEvent event = started ? EVENT_ENDED_WELL : EVENT_START_FAILED;
        SubState sub_state = !started && instance->history.restarts > 0
                                 ? instance_judge_end(instance, &event)
                                 : SUB_STATE_DEAD;
        (void)instance_apply(instance, event, sub_state, NULL);
    }
}

/* One that does not run: what was to follow, follows; a restart that was pending goes on. After a
 * reboot, or if it was stopped with the service before, AutoStart= begins. */
static void adopt_ready(Instance *instance)
{
    g_autoptr(GError) error = NULL;

    if (!instance->rebooted && !instance->stopped_with_service) {
        /* The end is stored before what follows from it is done. */
        if (instance->run > 0)
            instance_after_stop(instance);
        restart_resume(instance);
        return;
    }
    instance->restart_boot_usec = 0;
    if (instance->rebooted) /* these were times of a clock that has begun anew */
        instance->history.interval_start_usec = instance->history.interval_restarts = 0;
    if (spec_get_uint(instance->spec, SETTING_AUTO_START) &&
        !instance_start(instance, &START_OPTIONS_DEFAULT, NULL, NULL, &error))
        log_error("%s (%s): AutoStart: %s", instance->id, instance->name, error->message);
}

/* An init at its gate. The gate may be open all the same: what the old service sent is there to be
 * read although the sender is gone. So it is killed; and one that has not come to its lock yet
 * finds a record without content and gives up. */
static void adopt_unreleased(int record_fd, int pidfd)
{
    pid_t pid;
    auto_fd first = pidfd;

    if (first >= 0)
        (void)sys_pidfd_send_signal(first, SIGKILL);
    (void)!ftruncate(record_fd, 0);
    auto_fd second = open_holder(record_fd, &pid);
    if (second >= 0)
        (void)sys_pidfd_send_signal(second, SIGKILL);
}

/* In place of a record that cannot be read: its name tells whose it is, and the lock on it who
 * lives. The init knows the rest, and writes all of it anew when the payload ends. */
static bool record_by_name(const char *name, uid_t owner, struct Record *ret)
{
    g_autofree char *id = g_strndup(name, INSTANCE_ID_LENGTH);
    struct Record record = { .phase = RECORD_EXECUTED, .owner = owner };

    if (!id_is_valid(id) || name[INSTANCE_ID_LENGTH] != '_' ||
        parse_uint64(name + INSTANCE_ID_LENGTH + 1, &record.run) < 0)
        return false;
    g_strlcpy(record.id, id, sizeof record.id);
    *ret = record;
    return true;
}

/* Not of a start: what this service itself has emptied is a record, too (adopt_unreleased()). */
static bool adopt_by_lock(Instance *instance, int record_fd)
{
    g_autofree char *name = instance_launch_id(instance);
    struct Record record;
    pid_t pid;

    if (record_fd < 0 || instance->state == STATE_STARTING)
        return false;
    int pidfd = open_holder(record_fd, &pid);
    if (pidfd < 0)
        return false;
    log_warning("%s (%s): its record cannot be read, but it runs", instance->id, instance->name);
    (void)record_by_name(name, instance->owner, &record);
    adopt_running(instance, pidfd, pid, &record);
    return true;
}

static void adopt_instance(Instance *instance)
{
    struct Record record;
    pid_t pid;

    instance->sub_state = SUB_STATE_DEAD;
    auto_fd fd = store_record_open(instance->controller->store, instance);
    bool sound = fd >= 0 && record_read(fd, &record) == 0;
    if (!state_is_active(instance->state)) {
        placement_free(g_steal_pointer(&instance->placement));
        if (fd >= 0)
            store_record_remove(instance->controller->store, instance);
        adopt_ready(instance);
        return;
    }
    if (!sound && adopt_by_lock(instance, fd))
        return;
    int pidfd = sound ? open_holder(fd, &pid) : -ESRCH;
    if (pidfd >= 0 && record.phase < RECORD_RELEASED) {
        adopt_unreleased(fd, pidfd);
        pidfd = -ESRCH;
    }
    if (pidfd >= 0) {
        adopt_running(instance, pidfd, pid, &record);
        return;
    }
    if (sound)
        sound = record_read(fd, &record) == 0; /* it may have ended between the two looks */
    if (sound && record.phase < RECORD_RELEASED)
        adopt_unreleased(fd, -1);
    adopt_ended(instance, sound ? &record : NULL);
}

/* A living init of an instance of which only an older state is known: its latest file was lost. */
static void adopt_newer(Instance *instance, int pidfd, pid_t pid, const struct Record *record)
{
    if (state_is_active(instance->state) || instance->owner != record->owner) {
        log_error("%s (%s): process %d says it is this, too", instance->id, instance->name, pid);
        fd_close(pidfd);
        return;
    }
    restart_forget(instance);
    instance->run = record->run;
    instance_set_status(instance, "running still; what is stored of it is older");
    adopt_running(instance, pidfd, pid, record);
}

/* A living init of which the store knows nothing: it must stay visible, and be stoppable. */
static void adopt_orphan(Controller *controller, const char *record_name)
{
    auto_fd fd = store_record_open_name(controller->store, record_name);
    struct Record record;
    pid_t pid;
    g_autoptr(GError) error = NULL;

    if (fd < 0)
        return;
    bool sound = (record_read(fd, &record) == 0 && id_is_valid(record.id)) ||
                 record_by_name(record_name, controller->uid, &record);
    int pidfd = sound ? open_holder(fd, &pid) : -ESRCH;
    if (pidfd < 0) {
        store_record_remove_name(controller->store, record_name);
        return;
    }
    Instance *known = registry_by_id(controller->registry, record.id);
    if (known) {
        adopt_newer(known, pidfd, pid, &record);
        return;
    }
    g_autofree char *name = g_strconcat("lost-", record.id, NULL);
    Instance *instance = instance_new(controller, record.id, name, record.owner, spec_new());
    instance->run = record.run;
    instance->lost_sight = true;
    if (!registry_add(controller->registry, instance, &error)) {
        fd_close(pidfd);
        instance_free(instance);
        return;
    }
    instance_set_status(instance, "running, but what it is was lost: its file is missing or was "
                                  "set aside");
    adopt_running(instance, pidfd, pid, &record);
}

/* A record belongs to the current run of an instance; the others are left over. */
static bool is_claimed(Controller *controller, const char *record_name)
{
    g_autofree char *id = g_strndup(record_name, INSTANCE_ID_LENGTH);
    Instance *instance = registry_by_id(controller->registry, id);
    g_autofree char *launch_id = instance ? instance_launch_id(instance) : NULL;

    return g_strcmp0(launch_id, record_name) == 0;
}

/* Of instances that were being destroyed when the service died. */
static void sweep_logs(Controller *controller)
{
    g_autoptr(GPtrArray) logs = store_list_logs(controller->store);

    for (guint i = 0; i < logs->len; i++)
        if (!registry_by_id(controller->registry, g_ptr_array_index(logs, i)))
            store_log_remove_name(controller->store, g_ptr_array_index(logs, i));
}

static void sweep(Controller *controller)
{
    g_autoptr(GHashTable) keep = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) instances = registry_list(controller->registry);

    for (guint i = 0; i < instances->len; i++) {
        const Instance *instance = g_ptr_array_index(instances, i);
        if (state_is_active(instance->state))
            g_hash_table_add(keep, instance_launch_id(instance));
    }
    resources_sweep(controller->resources, keep);
    /* What was set aside may be put right by hand, and would want its files then. */
    if (!*controller_quarantined(controller))
        layers_sweep(controller);
}

void controller_adopt(Controller *controller)
{
    g_autoptr(GPtrArray) instances = store_load(controller->store, controller);
    g_autoptr(GPtrArray) records = store_list_records(controller->store);

    crash_point(CRASH_ADOPT_BEGUN);
    for (guint i = 0; i < instances->len; i++) {
        Instance *instance = g_ptr_array_index(instances, i);
        g_autoptr(GError) error = NULL;
        if (!registry_add(controller->registry, instance, &error)) {
            log_error("store: %s: %s", instance->id, error->message);
            instance_free(instance);
            continue;
        }
        if (strcmp(instance->id, controller->last_id) > 0)
            g_strlcpy(controller->last_id, instance->id, sizeof controller->last_id);
        adopt_instance(instance);
        /* Of a RunInstance that was never answered: nothing is left of it, as of one that failed.
         */
        if (instance->tentative && !state_is_active(instance->state))
            controller_remove(controller, instance);
        crash_point(CRASH_ADOPT_HALF);
    }
    for (guint i = 0; i < records->len; i++)
        if (!is_claimed(controller, g_ptr_array_index(records, i)))
            adopt_orphan(controller, g_ptr_array_index(records, i));
    crash_point(CRASH_ADOPT_DONE);
    sweep(controller);
    sweep_logs(controller);
}
