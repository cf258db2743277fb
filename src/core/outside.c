/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What others do to an instance that runs: freeze and thaw it, change its limits, take it out of
 * its cgroup. None of them asks this service, so nothing of it is remembered and believed: the
 * kernel's files are looked at when they announce a change, and again when somebody asks. */

#include <errno.h>

#include "core/controller.h"
#include "core/outside.h"
#include "util/log.h"
#include "util/syscalls.h"
#include "util/timer.h"

/* Making and removing a watch takes 70 microseconds, which is more than is to be added to a start;
 * what lives briefly is not frozen by anybody. */
#define WATCH_DELAY_USEC (100 * 1000)

const char *outside_status(Freezing freezing, bool asked, bool degraded)
{
    switch (freezing) {
    case FREEZING_OWN:
        return asked ? "frozen" : "frozen from outside";
    case FREEZING_ABOVE:
        return "frozen from outside, with a cgroup that it is part of";
    default:
        return asked ? "running, thawed from outside" : degraded ? "running, degraded" : "running";
    }
}

/* ---- frozen and thawed ----------------------------------------------------------------------- */

static void show_freezer(Instance *instance, Freezing freezing)
{
    bool frozen = freezing != FREEZING_NONE;

    /* Of what is UNKNOWN the status says why. */
    if (!instance->lost_sight)
        instance_set_status(
            instance, "%s",
            outside_status(freezing, instance->freeze_asked, instance->degraded->len > 0));
    instance->freeze_asked = instance->freeze_asked && frozen;
    instance_set_sub_state(instance, frozen ? SUB_STATE_FROZEN : SUB_STATE_RUNNING);
}

static void look_at_freezer(Instance *instance)
{
    Freezing freezing = placement_freezing(instance->placement);

    if ((freezing != FREEZING_NONE) == (instance->sub_state == SUB_STATE_FROZEN))
        return;
    show_freezer(instance, freezing);
    instance_save(instance);
    log_info("%s (%s): %s", instance->name, instance->id, instance->status_text);
}

bool instance_freeze(Instance *instance, bool freeze, GError **error)
{
    Request request = freeze ? REQUEST_FREEZE : REQUEST_THAW;

    if (state_answer(instance->state, request) != ANSWER_BEGIN)
        return instance_refuse(instance, request, error);
    instance_look(instance);
    int r = placement_freeze(instance->placement, freeze);
    if (r < 0)
        return error_from_errno(error, CONSTELLATION_ERROR_CGROUP_FAILED, r, "%s '%s' (%s)",
                                freeze ? "freezing" : "thawing", instance->name,
                                instance->placement->lost ? instance->placement->lost
                                : r == -EOPNOTSUPP        ? "it has no cgroup of its own"
                                                          : "cgroup.freeze");
    Freezing freezing = placement_freezing(instance->placement);
    instance->freeze_asked = freeze;
    if (!freeze && freezing == FREEZING_ABOVE)
        return error_set(error, CONSTELLATION_ERROR_CGROUP_FAILED,
                         "thawing '%s': it stays frozen with a cgroup that %s is part of (thaw "
                         "that one)",
                         instance->name, instance->placement->control_group);
    show_freezer(instance, freezing);
    instance_save(instance);
    return true;
}

/* ---- moved ----------------------------------------------------------------------------------- */

#define PLACE_FEATURE "ControlGroup"

static bool is_degraded(const Instance *instance, const char *feature)
{
    for (guint i = 0; i < instance->degraded->len; i++)
        if (g_str_equal(((Degradation *)instance->degraded->pdata[i])->feature, feature))
            return true;
    return false;
}

static void read_enforced(Instance *instance)
{
    Limits limits = limits_from_spec(instance->spec);

    g_ptr_array_unref(instance->enforced);
    instance->enforced = placement_enforced(instance->controller->resources, instance->placement,
                                            &limits);
}

static void forget_degradation(Instance *instance, const char *feature)
{
    for (guint i = instance->degraded->len; i-- > 0;)
        if (g_str_equal(((Degradation *)instance->degraded->pdata[i])->feature, feature))
            g_ptr_array_remove_index(instance->degraded, i);
}

/* It was moved, moved on, or moved back. */
static void show_place(Instance *instance)
{
    const char *lost = instance->placement->lost;

    forget_degradation(instance, PLACE_FEATURE);
    if (lost)
        instance_degrade(instance, PLACE_FEATURE, "failed", lost);
    read_enforced(instance);
    if (instance->state == STATE_RUNNING)
        instance_set_status(
            instance, "%s",
            lost ? "running, moved out of its cgroup from outside"
                 : outside_status(FREEZING_NONE, false, instance->degraded->len > 0));
    log_warning("%s (%s): %s", instance->name, instance->id,
                lost ? lost : "its first process was moved back to its cgroup");
    instance_changed(instance);
}

/* ---- looking --------------------------------------------------------------------------------- */

static bool can_be_looked_at(const Instance *instance)
{
    return instance->placement && instance->init_pidfd >= 0 && !instance->start &&
           !sys_pidfd_has_ended(instance->init_pidfd);
}

static void look(Instance *instance)
{
    if (placement_check(instance->placement, instance->init_pid, instance->init_pidfd)) {
        show_place(instance);
        instance_save(instance);
    }
    if (instance->state == STATE_RUNNING || instance->state == STATE_UNKNOWN)
        look_at_freezer(instance);
}

/* All properties of an object are read in one turn of the loop: one look does for them. */
void instance_look(Instance *instance)
{
    uint64_t turn = 0;

    if (sd_event_get_iteration(instance->controller->event, &turn) >= 0 &&
        turn == instance->looked_turn)
        return;
    instance->looked_turn = turn;
    if (can_be_looked_at(instance))
        look(instance);
}

const GPtrArray *instance_enforced(Instance *instance)
{
    instance_look(instance);
    if (!can_be_looked_at(instance))
        return instance->enforced;
    read_enforced(instance);
    /* What did not hold from the start is in Degraded; anything else was right then. */
    for (guint i = 0; i < instance->enforced->len; i++) {
        Enforced *row = g_ptr_array_index(instance->enforced, i);
        if (row->differs && !is_degraded(instance, row->limit)) {
            g_autofree char *values = row->reason;
            row->reason = g_strdup_printf("changed from outside: %s", values);
        }
    }
    return instance->enforced;
}

/* ---- watching -------------------------------------------------------------------------------- */

static int on_cgroup_changed(sd_event_source *source, const struct inotify_event *event,
                             void *userdata)
{
    Instance *instance = userdata;

    (void)source;
    (void)event;
    if (can_be_looked_at(instance))
        look(instance);
    return 0;
}

static int on_watch_due(sd_event_source *source, uint64_t usec, void *userdata)
{
    Instance *instance = userdata;

    (void)source;
    (void)usec;
    timer_stop(&instance->cgroup_watch);
    if (!can_be_looked_at(instance))
        return 0;
    int r = placement_watch(instance->placement, instance->controller->event,
                            &instance->cgroup_watch, on_cgroup_changed, instance);
    /* Then it is looked at when somebody asks. */
    if (r < 0 && r != -EOPNOTSUPP)
        log_debug("%s (%s): cannot watch its cgroup: %s", instance->id, instance->name,
                  g_strerror(-r));
    /* After the end of the init, which empties the cgroup, too. */
    if (r >= 0)
        (void)sd_event_source_set_priority(instance->cgroup_watch, SD_EVENT_PRIORITY_NORMAL + 20);
    look(instance);
    return 0;
}

void outside_watch(Instance *instance)
{
    (void)timer_start(instance->controller->event, &instance->cgroup_watch, WATCH_DELAY_USEC,
                      on_watch_due, instance, "watch");
}

void outside_unwatch(Instance *instance)
{
    instance->cgroup_watch = sd_event_source_disable_unref(instance->cgroup_watch);
}

void outside_adopt(Instance *instance)
{
    Freezing freezing = placement_freezing(instance->placement);

    read_enforced(instance);
    if (instance->placement->lost)
        show_place(instance);
    if (freezing != FREEZING_NONE || g_str_has_prefix(instance->status_text, "frozen"))
        show_freezer(instance, freezing);
    outside_watch(instance);
}
