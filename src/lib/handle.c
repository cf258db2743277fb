/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The instances that were handed out. A pointer is looked up before it is followed: what was freed,
 * or never was ours, is an error of the caller's that must not become one of the memory. */

#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/handle.h"

/* So many dropped handles keep their memory, and with it their address. */
#define GRAVES 256

static void *by_pointer, *by_id; /* trees of Handle, see tsearch(3) */
static Handle *graves[GRAVES];
static size_t next_grave;

static int compare_pointers(const void *a, const void *b)
{
    return (a > b) - (a < b);
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(((const Handle *)a)->instance.id, ((const Handle *)b)->instance.id);
}

ObjectPath object_path(const char *id)
{
    ObjectPath path;

    (void)snprintf(path.text, sizeof path.text, BUS_PATH "/instance/%s", id);
    return path;
}

bool handle_is_live(const Instance *instance)
{
    return instance && tfind(instance, &by_pointer, compare_pointers);
}

Handle *handle_find(const char *id)
{
    Handle key;

    (void)snprintf(key.instance.id, sizeof key.instance.id, "%s", id);
    Handle *const *found = (Handle *const *)tfind(&key, &by_id, compare_ids);
    return found ? *found : NULL;
}

Handle *handle_new(const char *id, const char *name)
{
    Handle *handle = calloc(1, sizeof *handle);

    if (!handle)
        return NULL;
    (void)snprintf(handle->instance.id, sizeof handle->instance.id, "%s", id);
    (void)snprintf(handle->instance.name, sizeof handle->instance.name, "%s", name);
    handle->instance.exit_code = -1;
    if (!tsearch(handle, &by_pointer, compare_pointers) || !tsearch(handle, &by_id, compare_ids)) {
        (void)tdelete(handle, &by_pointer, compare_pointers);
        free(handle);
        return NULL;
    }
    handle->previous = library.last;
    *(library.last ? &library.last->next : &library.first) = handle;
    library.last = handle;
    return handle;
}

void handle_drop(Handle *handle)
{
    (void)tdelete(handle, &by_pointer, compare_pointers);
    (void)tdelete(handle, &by_id, compare_ids);
    *(handle->previous ? &handle->previous->next : &library.first) = handle->next;
    *(handle->next ? &handle->next->previous : &library.last) = handle->previous;
    context_free(handle);
    free(graves[next_grave]);
    graves[next_grave] = handle;
    next_grave = (next_grave + 1) % GRAVES;
}

void handles_drop_all(void)
{
    while (library.first)
        handle_drop(library.first);
    for (size_t i = 0; i < GRAVES; i++) {
        free(graves[i]);
        graves[i] = NULL;
    }
}

void handles_forget(void)
{
    by_pointer = by_id = NULL;
    library.first = library.last = NULL;
}

/* ---- in a call ------------------------------------------------------------------------------- */

ConstellationError handle_enter(Instance *instance, Handle **ret)
{
    ConstellationError result = library_enter();

    if (result != CONSTELLATION_OK)
        return result;
    while (handle_is_live(instance) && ((Handle *)instance)->busy)
        pthread_cond_wait(&library.changed, &library.lock);
    if (!handle_is_live(instance)) {
        library_leave();
        return fail(CONSTELLATION_ERR_INVALID_PARAM,
                    instance ? "this is no instance of the library's, or not any more"
                             : "the instance is NULL");
    }
    *ret = (Handle *)instance;
    (*ret)->busy = true;
    return CONSTELLATION_OK;
}

void handle_leave(Handle *handle)
{
    if (handle_is_live(&handle->instance))
        handle->busy = false;
    pthread_cond_broadcast(&library.changed);
    library_leave();
}

static ConstellationError call_it(const Handle *handle, const char *method, uint64_t timeout_usec,
                                  const char *types, va_list args)
{
    auto_message message = NULL;

    int r = link_message(library.link, object_path(handle->instance.id).text, INTERFACE_INSTANCE,
                         method, &message);
    if (r >= 0)
        r = sd_bus_message_appendv(message, types, args);
    if (r < 0)
        return fail_errno(r, "%s", method);
    return link_call(library.link, message, timeout_usec, NULL);
}

ConstellationError handle_call(Handle *handle, const char *method, uint64_t timeout_usec,
                               const char *types, ...)
{
    va_list args;

    va_start(args, types);
    ConstellationError result = call_it(handle, method, timeout_usec, types, args);
    va_end(args);
    if (result == CONSTELLATION_OK)
        return snapshot_refresh(handle);
    snapshot_refresh_quietly(handle);
    return result;
}

ConstellationError handle_call_only(Handle *handle, const char *method, uint64_t timeout_usec,
                                    const char *types, ...)
{
    va_list args;

    va_start(args, types);
    ConstellationError result = call_it(handle, method, timeout_usec, types, args);
    va_end(args);
    return result;
}
