/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Limits that change while the instance is there. What will be asked for is checked as a whole
 * first; then the cgroup is changed, if there is one; then it is stored; then it is told. What
 * fails is taken back: all that was asked for is in force, or nothing of it. */

#include "core/controller.h"
#include "core/set-limits.h"
#include "core/store.h"
#include "util/log.h"
#include "util/timer.h"

/* systemd may be busy; a caller waits for 25 s by default. */
#define DEADLINE_USEC (10 * G_USEC_PER_SEC)

struct LimitsChange {
    Instance *instance;
    Spec *wanted;
    Limits changes;
    LimitsUpdate *update;
    sd_event_source *deadline;
    GError *error; /* it is being taken back: why */
    WaiterCallback done;
    void *userdata;
};

static void change_free(LimitsChange *change)
{
    limits_update_cancel(change->update);
    timer_stop(&change->deadline);
    g_clear_pointer(&change->wanted, spec_free);
    g_clear_error(&change->error);
    g_free(change);
}

static void change_over(LimitsChange *change, const GError *error)
{
    Instance *instance = change->instance;
    WaiterCallback done = change->done;
    void *userdata = change->userdata;

    instance->limits_change = NULL;
    if (done)
        done(instance, error, userdata);
    change_free(change);
}

void limits_change_end(Instance *instance)
{
    g_autoptr(GError) error = NULL;

    if (!instance->limits_change)
        return;
    error_set(&error, CONSTELLATION_ERROR_CANCELLED,
              "the run of '%s' ended while its limits were being changed", instance->name);
    change_over(instance->limits_change, error);
}

void limits_change_forget(Instance *instance)
{
    g_clear_pointer(&instance->limits_change, change_free);
}

/* ---- checking -------------------------------------------------------------------------------- */

/* The settings as they will be; NULL and an error that names the culprit. */
static Spec *merge(const Instance *instance, const Spec *changes, GError **error)
{
    g_autoptr(Spec) wanted = spec_copy(instance->spec);

    for (unsigned id = 0; id < _SETTING_COUNT; id++) {
        const Setting *setting = setting_get(id);
        if (!spec_is_set(changes, id))
            continue;
        if (setting->group != SETTING_GROUP_RESOURCES || !(setting->flags & SETTING_LIVE)) {
            error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                      "%s: is no limit that can be changed (those under Resources can)",
                      setting->name);
            return NULL;
        }
        g_autofree char *text = spec_get_text(changes, id);
        if (!spec_set_text(wanted, id, text, error))
            return NULL;
    }
    return spec_validate(wanted, error) ? g_steal_pointer(&wanted) : NULL;
}

static bool is_required(const Instance *instance, const char *limit)
{
    const char *const *required = spec_get_strv(instance->spec, SETTING_REQUIRE);

    return required && g_strv_contains(required, limit);
}

/* What is required must hold: that is known before anything is changed. */
static bool check_required(const Instance *instance, const Limits *changes, GError **error)
{
    g_autoptr(GPtrArray) rows = backend_predict(instance->controller->resources,
                                                instance->placement->backend, changes);

    for (guint i = 0; i < rows->len; i++) {
        const Enforced *row = g_ptr_array_index(rows, i);
        if (!row->enforced && is_required(instance, row->limit))
            return error_set(error, CONSTELLATION_ERROR_CGROUP_FAILED,
                             "%s is required and cannot be enforced: %s", row->limit, row->reason);
    }
    return true;
}

/* ---- storing --------------------------------------------------------------------------------- */

static bool is_among(const Limits *limits, const char *limit)
{
    for (LimitKind kind = 0; kind < _LIMIT_COUNT; kind++)
        if (g_str_equal(setting_get(limit_setting(kind))->name, limit))
            return limits->set[kind];
    return false;
}

/* Degraded as the rows of Enforced are now. */
static void judge_degraded(Instance *instance, const Limits *changes)
{
    g_ptr_array_unref(instance->enforced);
    Limits limits = limits_from_spec(instance->spec);
    instance->enforced = placement_enforced(instance->controller->resources, instance->placement,
                                            &limits);
    for (guint i = instance->degraded->len; i-- > 0;)
        if (is_among(changes, ((Degradation *)instance->degraded->pdata[i])->feature))
            g_ptr_array_remove_index(instance->degraded, i);
    for (guint i = 0; i < instance->enforced->len; i++) {
        const Enforced *row = g_ptr_array_index(instance->enforced, i);
        if (!row->enforced && is_among(changes, row->limit))
            instance_degrade(instance, row->limit, "unsupported", row->reason);
    }
}

/* Takes the settings over if they can be stored. */
static bool take_over(Instance *instance, Spec **wanted, const Limits *changes, GError **error)
{
    Spec *before = instance->spec;

    instance->spec = *wanted;
    if (instance->placement)
        judge_degraded(instance, changes);
    if (!store_save(instance->controller->store, instance, error)) {
        instance->spec = before;
        if (instance->placement)
            judge_degraded(instance, changes);
        return false;
    }
    *wanted = NULL;
    spec_free(before);
    instance->revision++;
    instance_changed(instance);
    return true;
}

/* ---- doing ----------------------------------------------------------------------------------- */

static void on_taken_back(GError *error, void *userdata)
{
    LimitsChange *change = userdata;

    change->update = NULL;
    if (error)
        log_warning("%s (%s): limits cannot be taken back: %s", change->instance->id,
                    change->instance->name, error->message);
    change_over(change, change->error);
}

static void on_updated(GError *error, void *userdata)
{
    LimitsChange *change = userdata;
    Instance *instance = change->instance;
    Limits before = limits_from_spec(instance->spec);

    change->update = NULL;
    if (error) {
        change_over(change, error);
    } else if (take_over(instance, &change->wanted, &change->changes, &change->error)) {
        change_over(change, NULL);
    } else {
        change->update = limits_update(instance->controller->resources, instance->placement,
                                       &change->changes, &before, on_taken_back, change);
    }
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
    LimitsChange *change = userdata;
    g_autoptr(GError) error = NULL;

    (void)source;
    (void)usec;
    error_set(&error, CONSTELLATION_ERROR_TIMEOUT,
              "systemd did not change the limits of '%s' in time: Enforced tells what is in force",
              change->instance->name);
    change_over(change, error);
    return 0;
}

static bool begin(Instance *instance, Spec **wanted, const Limits *changes, WaiterCallback done,
                  void *userdata, GError **error)
{
    Limits present = limits_from_spec(instance->spec);

    if (instance->limits_change)
        return error_set(error, CONSTELLATION_ERROR_INVALID_STATE,
                         "the limits of '%s' are being changed already", instance->name);
    if (!check_required(instance, changes, error))
        return false;
    LimitsChange *change = g_new0(LimitsChange, 1);
    change->instance = instance;
    change->wanted = g_steal_pointer(wanted);
    change->changes = *changes;
    change->done = done;
    change->userdata = userdata;
    instance->limits_change = change;
    (void)timer_start(instance->controller->event, &change->deadline, DEADLINE_USEC, on_deadline,
                      change, "limits");
    change->update = limits_update(instance->controller->resources, instance->placement, &present,
                                   changes, on_updated, change);
    return true;
}

bool instance_set_limits(Instance *instance, const Spec *changes, WaiterCallback done,
                         void *userdata, GError **error)
{
    if (state_answer(instance->state, REQUEST_SET_LIMITS) != ANSWER_BEGIN)
        return instance_refuse(instance, REQUEST_SET_LIMITS, error);
    g_autoptr(Spec) wanted = merge(instance, changes, error);
    Limits limits = limits_from_spec(changes);
    if (!wanted)
        return false;
    if (instance->state == STATE_RUNNING)
        return begin(instance, &wanted, &limits, done, userdata, error);
    if (!take_over(instance, &wanted, &limits, error))
        return false;
    if (done)
        done(instance, NULL, userdata);
    return true;
}
