/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Instances: made, started, stopped, destroyed, found. */

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lib/handle.h"

/* The service has deadlines of its own for these, which are settings; when they are over it
 * answers. */
#define AS_LONG_AS_IT_TAKES UINT64_MAX

#define SIGNAL_EXIT 128 /* as shells have it */

/* ---- create ---------------------------------------------------------------------------------- */

static ConstellationError make_handle(const char *path, const InstanceConfig *config,
                                      const Without *without, Handle **ret)
{
    Handle *handle = handle_new(strrchr(path, '/') + 1, config->name);

    if (!handle)
        return fail(CONSTELLATION_ERR_NO_MEMORY, "creating '%s'", config->name);
    handle->ours = true;
    handle->without = *without;
    handle->instance.limits = config->limits;
    handle->instance.created_at = time(NULL);
    *ret = handle;
    return CONSTELLATION_OK;
}

static ConstellationError create(const InstanceConfig *config, const ConstellationSetting *settings,
                                 size_t count, Handle **ret)
{
    auto_message call = NULL;
    auto_message reply = NULL;
    Without without = { 0 };
    const char *path;

    int r = link_message(library.link, BUS_PATH, INTERFACE_MANAGER, "CreateInstance", &call);
    if (r >= 0)
        r = sd_bus_message_append(call, "s", config->name);
    if (r < 0)
        return fail_errno(r, "the name of the instance");
    ConstellationError result = settings_append(call, library.link, config, settings, count,
                                                &without);
    if (result == CONSTELLATION_OK)
        result = link_call(library.link, call, 0, &reply);
    if (result != CONSTELLATION_OK)
        return result;
    r = sd_bus_message_read(reply, "o", &path);
    return r < 0 ? fail_errno(r, "the answer of the service")
                 : make_handle(path, config, &without, ret);
}

ConstellationError constellation_instance_create_with(const InstanceConfig *config,
                                                      const ConstellationSetting *settings,
                                                      size_t count, Instance **instance)
{
    Handle *handle = NULL;

    if (!config || !instance)
        return fail(CONSTELLATION_ERR_INVALID_PARAM,
                    "constellation_instance_create: config and instance must not be NULL");
    ConstellationError result = library_enter();
    if (result != CONSTELLATION_OK)
        return result;
    result = create(config, settings, count, &handle);
    if (handle)
        *instance = &handle->instance;
    library_leave();
    return result;
}

ConstellationError constellation_instance_create(const InstanceConfig *config, Instance **instance)
{
    return constellation_instance_create_with(config, NULL, 0, instance);
}

/* ---- start, stop, destroy -------------------------------------------------------------------- */

static ConstellationError begin_run(Instance *instance, const char *method)
{
    Handle *handle;

    ConstellationError result = handle_enter(instance, &handle);
    if (result != CONSTELLATION_OK)
        return result;
    (void)context_make(handle);
    result = handle_call(handle, method, AS_LONG_AS_IT_TAKES, "a{sv}", 0);
    handle_leave(handle);
    return result;
}

ConstellationError constellation_instance_start(Instance *instance)
{
    return begin_run(instance, "Start");
}

static ConstellationError begin(const Handle *handle, const char *method, Call *call)
{
    auto_message message = NULL;
    int r = link_message(library.link, object_path(handle->instance.id).text, INTERFACE_INSTANCE,
                         method, &message);

    if (r >= 0)
        r = sd_bus_message_append(message, "a{sv}", 0);
    if (r < 0)
        return fail_errno(r, "%s", method);
    link_begin(library.link, message, AS_LONG_AS_IT_TAKES, call);
    return CONSTELLATION_OK;
}

/* How the run has ended is asked for beside the stop and answered with it: a look at all properties
 * afterwards would take longer. False: that look is needed. */
static bool take_end(Call *call, Instance *instance)
{
    auto_message reply = NULL;
    const char *result;
    uint32_t run;
    int32_t code, status;

    if (link_finish(call, &reply) != CONSTELLATION_OK ||
        sd_bus_message_read(reply, "usii", &run, &result, &code, &status) < 0 ||
        strcmp(result, "success") != 0 || code == 0)
        return false;
    instance->state = INSTANCE_STATE_STOPPED;
    instance->pid = 0;
    instance->stopped_at = time(NULL);
    instance->exit_code = code == CLD_EXITED ? status : SIGNAL_EXIT + status;
    return true;
}

static ConstellationError stop(Handle *handle)
{
    Instance *instance = &handle->instance;
    bool ran = instance->state == INSTANCE_STATE_RUNNING;
    LastError before = last_error_take();
    Call stop, wait;

    ConstellationError result = begin(handle, "Stop", &stop);
    if (result != CONSTELLATION_OK)
        return result;
    bool waits = ran && begin(handle, "Wait", &wait) == CONSTELLATION_OK;
    result = link_finish(&stop, NULL);
    LastError failure = last_error_take();
    bool known = waits && result == CONSTELLATION_OK && take_end(&wait, instance);
    if (waits && result != CONSTELLATION_OK)
        link_abandon(&wait);
    last_error_put(result == CONSTELLATION_OK ? &before : &failure);
    if (known)
        handle->init_pid = handle->main_pid = 0;
    else
        snapshot_refresh_quietly(handle);
    return result;
}

ConstellationError constellation_instance_stop(Instance *instance)
{
    Handle *handle;

    ConstellationError result = handle_enter(instance, &handle);
    if (result != CONSTELLATION_OK)
        return result;
    result = stop(handle);
    handle_leave(handle);
    return result;
}

ConstellationError constellation_instance_restart(Instance *instance)
{
    return begin_run(instance, "Restart");
}

ConstellationError constellation_instance_kill(Instance *instance, int signal, bool all)
{
    Handle *handle;

    ConstellationError result = handle_enter(instance, &handle);
    if (result != CONSTELLATION_OK)
        return result;
    result = handle_call(handle, "Kill", 0, "sia{sv}", all ? "all" : "main", signal, 0);
    handle_leave(handle);
    return result;
}

/* What somebody else has destroyed, or what has ended with its service, is gone as well. */
ConstellationError constellation_instance_destroy(Instance *instance)
{
    Handle *handle;

    ConstellationError result = handle_enter(instance, &handle);
    if (result != CONSTELLATION_OK)
        return result;
    result = handle_call_only(handle, "Destroy", AS_LONG_AS_IT_TAKES, "a{sv}", 1, "Force", "b", 1);
    if (result == CONSTELLATION_ERR_NOT_FOUND)
        result = CONSTELLATION_OK;
    if (result == CONSTELLATION_OK)
        handle_drop(handle);
    handle_leave(handle);
    return result;
}

/* ---- finding --------------------------------------------------------------------------------- */

static ConstellationError find(const char *id, Handle **ret)
{
    auto_message call = NULL;
    auto_message reply = NULL;
    const char *path;

    int r = link_message(library.link, BUS_PATH, INTERFACE_MANAGER, "GetInstance", &call);
    if (r >= 0)
        r = sd_bus_message_append(call, "s", id);
    if (r < 0)
        return fail_errno(r, "the id");
    ConstellationError result = link_call(library.link, call, 0, &reply);
    if (result != CONSTELLATION_OK)
        return result;
    r = sd_bus_message_read(reply, "o", &path);
    if (r < 0)
        return fail_errno(r, "the answer of the service");
    *ret = handle_find(strrchr(path, '/') + 1);
    if (!*ret)
        *ret = handle_new(strrchr(path, '/') + 1, "");
    return *ret ? CONSTELLATION_OK : fail(CONSTELLATION_ERR_NO_MEMORY, "looking for '%s'", id);
}

/* Reads what the handle tells; one that was never read and cannot be is dropped. */
static ConstellationError look_at(Handle *handle)
{
    ConstellationError result = CONSTELLATION_OK;
    bool is_new = !handle->instance.created_at;

    handle->busy = true;
    if (is_new && context_make(handle))
        result = snapshot_limits(handle);
    if (result == CONSTELLATION_OK)
        result = snapshot_refresh(handle);
    handle->busy = false;
    if (is_new && result != CONSTELLATION_OK)
        handle_drop(handle);
    pthread_cond_broadcast(&library.changed);
    return result;
}

/* One that another thread is at has been read already, or is being read for the first time. */
static ConstellationError look_or_wait(Handle *handle)
{
    const Instance *instance = &handle->instance;

    while (handle_is_live(instance) && handle->busy && !instance->created_at)
        pthread_cond_wait(&library.changed, &library.lock);
    if (!handle_is_live(instance))
        return fail(CONSTELLATION_ERR_NOT_FOUND, "it was destroyed meanwhile");
    return handle->busy ? CONSTELLATION_OK : look_at(handle);
}

Instance *constellation_instance_get(const char *id)
{
    Handle *handle = NULL;

    if (!id || !*id) {
        (void)fail(CONSTELLATION_ERR_INVALID_PARAM, "constellation_instance_get: there is no id");
        return NULL;
    }
    if (library_enter() != CONSTELLATION_OK)
        return NULL;
    ConstellationError result = find(id, &handle);
    if (handle)
        result = look_or_wait(handle);
    library_leave();
    return handle && result == CONSTELLATION_OK ? &handle->instance : NULL;
}

InstanceState constellation_instance_state(Instance *instance)
{
    Handle *handle;

    if (handle_enter(instance, &handle) != CONSTELLATION_OK)
        return INSTANCE_STATE_UNKNOWN;
    (void)snapshot_refresh(handle);
    InstanceState state = instance->state;
    handle_leave(handle);
    return state;
}
