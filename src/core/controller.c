/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>

#include "core/controller.h"
#include "core/holder.h"
#include "core/host.h"
#include "core/layers.h"
#include "core/registry.h"
#include "core/start.h"
#include "core/own-limits.h"
#include "core/store.h"
#include "util/crash-point.h"
#include "util/event.h"
#include "util/file.h"
#include "util/log.h"
#include "util/timer.h"

#define ID_MAP_FILE_MAX 65536 /* bytes; the kernel takes a page */
/* Starts between the launcher and the exec at a time. PID 1 is single-threaded and more only
 * queue there; the launcher's socket holds some hundred requests. */
#define STARTS_IN_FLIGHT 16

/* How long the launcher may take to try all namespaces: some milliseconds, on an idle machine. */

const char *mode_to_string(Mode mode)
{
    static const char *const names[] = { "system", "user", "private" };

    return names[mode];
}

/* user_namespaces(7): where an ordinary user made the namespace, groups cannot be dropped. */
static bool groups_are_denied(void)
{
    g_autofree char *text = NULL;

    return read_small_file_at(AT_FDCWD, "/proc/self/setgroups", 64, &text) == 0 &&
           g_str_has_prefix(text, "deny");
}

/* What services know of all instances: the system's, and this one where it keeps its own. */
static char **make_masks(const ControllerOptions *options)
{
    g_autoptr(GStrvBuilder) masks = g_strv_builder_new();

    g_strv_builder_add_many(masks, "/run/constellation", "/var/lib/constellation", NULL);
    if (options->mode == MODE_USER)
        g_strv_builder_add_many(masks, options->runtime_dir, options->state_dir, NULL);
    return g_strv_builder_end(masks);
}

Controller *controller_new(const ControllerOptions *options, GError **error)
{
    Store *store = store_new(options->runtime_dir, options->state_dir, error);
    if (!store)
        return NULL;

    Controller *controller = g_new0(Controller, 1);
    controller->event = sd_event_ref(options->event);
    controller->mode = options->mode;
    controller->uid = options->uid;
    controller->realm = g_strdup(options->realm);
    controller->node_name = g_strdup(options->node_name);
    controller->cluster_name = g_strdup(options->cluster_name);
    controller->interpreter = g_strdup(options->interpreter);
    controller->max_instances = options->max_instances;
    controller->log_size = options->log_size;
    controller->masks = make_masks(options);
    if (options->state_dir)
        controller->layers = g_build_filename(options->state_dir, "overlays", NULL);
    own_limits_read(&controller->own_limits);
    controller->last_capability = last_capability_read();
    controller->groups_denied = groups_are_denied();
    (void)read_small_file_at(AT_FDCWD, "/proc/self/uid_map", ID_MAP_FILE_MAX,
                             &controller->own_uids);
    (void)read_small_file_at(AT_FDCWD, "/proc/self/gid_map", ID_MAP_FILE_MAX,
                             &controller->own_gids);
    controller->launcher = options->launcher;
    controller->resources = options->resources;
    controller->store = store;
    controller->registry = registry_new();
    controller->garbage = g_ptr_array_new_with_free_func((GDestroyNotify)instance_free);
    const UserLimits unlimited = { 0 };
    controller->users = users_new(options->mode == MODE_SYSTEM ? &options->user_limits
                                                               : &unlimited);
    controller_reprobe(controller);
    return controller;
}

void controller_free(Controller *controller)
{
    if (!controller)
        return;
    g_autoptr(GPtrArray) instances = registry_list(controller->registry);

    controller->observer = NULL;
    host_forget(controller);
    holder_free(controller->holder);
    users_free(controller->users);
    for (guint i = 0; i < instances->len; i++) {
        registry_remove(controller->registry, g_ptr_array_index(instances, i));
        instance_free(g_ptr_array_index(instances, i));
    }
    sd_event_source_disable_unref(controller->garbage_source);
    sd_event_source_disable_unref(controller->pump_source);
    g_ptr_array_unref(controller->garbage);
    registry_free(controller->registry);
    stop_all_free(controller->stop_all);
    store_free(controller->store);
    g_free(controller->realm);
    g_free(controller->node_name);
    g_free(controller->cluster_name);
    g_free(controller->interpreter);
    g_free(controller->own_uids);
    g_free(controller->own_gids);
    g_strfreev(controller->masks);
    g_free(controller->layers);
    sd_event_unref(controller->event);
    g_free(controller);
}

/* ---- instances ------------------------------------------------------------------------------- */

static void make_id(Controller *controller, char id[static INSTANCE_ID_LENGTH + 1])
{
    uint32_t random;

    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        random = g_random_int();
    id_make(timestamp_now().realtime_usec, random,
            *controller->last_id ? controller->last_id : NULL, id);
    g_strlcpy(controller->last_id, id, sizeof controller->last_id);
}

/* Root can always make some more, to see what the others are doing. */
#define RESERVED_FOR_ROOT(max) ((max) / 20)

static bool has_room(Controller *controller, uid_t owner, GError **error)
{
    uint64_t max = controller->max_instances,
             mine = users_limits(controller->users, owner)->instances;

    if (controller->shutting_down)
        return error_set(error, CONSTELLATION_ERROR_LIMITS_EXCEEDED,
                         "the service is shutting down");
    if (owner != 0 && controller->mode == MODE_SYSTEM)
        max -= RESERVED_FOR_ROOT(max);
    if (registry_count(controller->registry) >= max)
        return error_set(error, CONSTELLATION_ERROR_LIMITS_EXCEEDED,
                         "there are %u instances, as many as MaxInstances allows: destroy some",
                         registry_count(controller->registry));
    if (mine != 0 && registry_count_of(controller->registry, owner) >= mine)
        return error_set(error, CONSTELLATION_ERROR_LIMITS_EXCEEDED,
                         "uid %u has %" G_GUINT64_FORMAT
                         " instances, as many as MaxInstancesPerUser allows: destroy some",
                         owner, mine);
    return true;
}

bool controller_take(Controller *controller, uid_t uid, GError **error)
{
    return users_take(controller->users, uid, timestamp_now().monotonic_usec) ||
           error_set(
               error, CONSTELLATION_ERROR_LIMITS_EXCEEDED,
               "uid %u creates, starts or changes more than StartRatePerUser allows: wait a second",
               uid);
}

Instance *controller_create(Controller *controller, const char *name, uid_t owner, const Spec *spec,
                            bool for_a_run, GError **error)
{
    char id[INSTANCE_ID_LENGTH + 1];

    if (!name_is_valid(name, error) || !spec_validate(spec, error))
        return NULL;
    if (!has_room(controller, owner, error))
        return NULL;
    g_autoptr(Spec) copy = spec_copy(spec);
    if (!spec_is_set(copy, SETTING_PERSISTENT) &&
        !spec_set_uint(copy, SETTING_PERSISTENT, !for_a_run, error))
        return NULL;
    make_id(controller, id);
    Instance *instance = instance_new(controller, id, name, owner, g_steal_pointer(&copy));
    instance->created = timestamp_now();
    instance->tentative = for_a_run && !spec_get_uint(instance->spec, SETTING_PERSISTENT);
    if (!registry_add(controller->registry, instance, error)) {
        instance_free(instance);
        return NULL;
    }
    crash_point(CRASH_CREATE_ACCEPTED);
    if (!store_save(controller->store, instance, error)) {
        store_remove(controller->store, instance);
        registry_remove(controller->registry, instance);
        instance_free(instance);
        return NULL;
    }
    crash_point(CRASH_CREATE_STORED);
    controller->changes++;
    if (controller->observer && controller->observer->added)
        controller->observer->added(instance, controller->observer_userdata);
    return instance;
}

Instance *controller_find_id(Controller *controller, const char *id)
{
    return registry_by_id(controller->registry, id);
}

Instance *controller_find_name(Controller *controller, uid_t owner, const char *name)
{
    return registry_by_name(controller->registry, owner, name);
}

GPtrArray *controller_list(Controller *controller)
{
    return registry_list(controller->registry);
}

unsigned controller_count(Controller *controller, int state)
{
    if (state < 0)
        return registry_count(controller->registry);

    g_autoptr(GPtrArray) instances = registry_list(controller->registry);
    unsigned count = 0;
    for (guint i = 0; i < instances->len; i++)
        count += ((const Instance *)g_ptr_array_index(instances, i))->state == (State)state;
    return count;
}

unsigned controller_count_of(Controller *controller, uid_t owner)
{
    return registry_count_of(controller->registry, owner);
}

const char *const *controller_quarantined(Controller *controller)
{
    return store_quarantined(controller->store);
}

static int on_garbage(sd_event_source *source, void *userdata)
{
    Controller *controller = userdata;

    (void)source;
    controller->garbage_source = sd_event_source_disable_unref(controller->garbage_source);
    g_ptr_array_set_size(controller->garbage, 0);
    return 0;
}

void controller_remove(Controller *controller, Instance *instance)
{
    g_autoptr(GError) gone = NULL;

    if (registry_by_id(controller->registry, instance->id) != instance)
        return;
    crash_point(CRASH_DESTROY_BEGUN);
    store_remove(controller->store, instance);
    layers_remove(controller, instance);
    crash_point(CRASH_DESTROY_DONE);
    /* While it can still be found: the signal lists the interfaces that the object had. */
    if (controller->observer && controller->observer->removed)
        controller->observer->removed(instance, controller->observer_userdata);
    registry_remove(controller->registry, instance);
    controller->changes++;
    /* It is freed from the loop, and its timer might be due before: it would start again. */
    restart_forget(instance);
    waiters_tell(&instance->waiters, WAIT_DESTROYED, instance, NULL);
    error_set(&gone, CONSTELLATION_ERROR_NO_SUCH_INSTANCE, "'%s' was destroyed", instance->name);
    waiters_tell_all(&instance->waiters, instance, gone);
    g_ptr_array_add(controller->garbage, instance);
    if (!controller->garbage_source)
        (void)sd_event_add_defer(controller->event, &controller->garbage_source, on_garbage,
                                 controller);
}

/* ---- starts ---------------------------------------------------------------------------------- */

static uid_t start_owner(const Start *start)
{
    return start->instance->owner;
}

void controller_queue_start(Controller *controller, Start *start)
{
    users_line_up(controller->users, start_owner(start), start);
    controller_refresh_features(controller);
    controller_pump(controller);
}

void controller_pump(Controller *controller)
{
    /* Without an answer about the namespaces nothing can be planned; it comes soon. */
    while (!host_is_being_asked(controller) && controller->starts_running < STARTS_IN_FLIGHT) {
        Start *start = users_next(controller->users);
        if (!start)
            return;
        controller->starts_running++;
        start_admit(start);
    }
}

static int on_pump(sd_event_source *source, void *userdata)
{
    Controller *controller = userdata;

    (void)source;
    controller->pump_source = sd_event_source_disable_unref(controller->pump_source);
    controller_pump(controller);
    return 0;
}

void controller_start_over(Controller *controller, Start *start)
{
    if (!start->admitted) {
        users_leave_line(controller->users, start_owner(start), start);
        return;
    }
    start->admitted = false;
    controller->starts_running--;
    users_started(controller->users, start_owner(start));
    /* From the loop: the next start begins when this one has told everybody. */
    if (!controller->pump_source)
        (void)sd_event_add_defer(controller->event, &controller->pump_source, on_pump, controller);
}
