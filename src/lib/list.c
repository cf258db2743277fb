/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The array of constellation_instance_list(): one for each thread, so that no thread pulls
 * another's away under it. */

#include <stdlib.h>
#include <string.h>

#include "lib/handle.h"

typedef struct List {
    struct List *next;
    Instance **instances;
} List;

static List *lists;
static pthread_key_t key;
static bool has_key;

static void list_free(void *userdata)
{
    List *list = userdata;

    library_lock();
    for (List **link = &lists; *link; link = &(*link)->next)
        if (*link == list) {
            *link = list->next;
            break;
        }
    library_unlock();
    free(list->instances);
    free(list);
}

static void make_key(void)
{
    has_key = pthread_key_create(&key, list_free) == 0;
}

static List *list_of_this_thread(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, make_key);
    List *list = has_key ? pthread_getspecific(key) : NULL;
    if (list || !has_key)
        return list;
    list = calloc(1, sizeof *list);
    if (!list || pthread_setspecific(key, list) != 0) {
        free(list);
        return NULL;
    }
    list->next = lists;
    lists = list;
    return list;
}

/* Of a thread that is still there the node stays its own. */
void handles_drop_lists(void)
{
    List *own = has_key ? pthread_getspecific(key) : NULL;

    for (List **link = &lists; *link;) {
        List *list = *link;
        free(list->instances);
        list->instances = NULL;
        if (list == own) {
            *link = list->next;
            (void)pthread_setspecific(key, NULL);
            free(list);
        } else {
            link = &list->next;
        }
    }
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* One call for all: only what is in the row is new. */
static int read_row(sd_bus_message *message)
{
    const char *id, *name, *state, *description, *path;
    uint32_t owner, pid;
    int r = sd_bus_message_read(message, "(ssssuuo)", &id, &name, &state, &description, &owner,
                                &pid, &path);
    Handle *handle = r > 0 ? handle_find(id) : NULL;

    if (handle && !handle->busy) {
        handle->listed = true;
        handle->instance.state = state_from_string(state);
        if (pid || handle->instance.state != INSTANCE_STATE_RUNNING)
            handle->instance.pid = (pid_t)pid;
    }
    return r;
}

static ConstellationError refresh_all(void)
{
    auto_message call = NULL;
    auto_message reply = NULL;

    for (Handle *handle = library.first; handle; handle = handle->next)
        handle->listed = handle->busy;
    int r = link_message(library.link, BUS_PATH, INTERFACE_MANAGER, "ListInstances", &call);
    if (r >= 0)
        r = sd_bus_message_append(call, "a{sv}", 0);
    if (r < 0)
        return fail_errno(r, "listing");
    ConstellationError result = link_call(library.link, call, 0, &reply);
    if (result != CONSTELLATION_OK)
        return result;
    r = sd_bus_message_enter_container(reply, 'a', "(ssssuuo)");
    while (r > 0)
        r = read_row(reply);
    return r < 0 ? fail_errno(r, "the list of the service") : CONSTELLATION_OK;
}

static ConstellationError make_list(Instance ***ret, int *ret_count)
{
    size_t room = 0;

    ConstellationError result = refresh_all();
    if (result != CONSTELLATION_OK)
        return result;
    for (Handle *handle = library.first; handle; handle = handle->next)
        room += handle->ours && handle->listed;
    List *list = list_of_this_thread();
    Instance **instances = list && room ? calloc(room, sizeof(Instance *)) : NULL;
    if (!list || (room && !instances))
        return fail(CONSTELLATION_ERR_NO_MEMORY, "listing");
    free(list->instances);
    list->instances = instances;
    room = 0;
    for (Handle *handle = library.first; instances && handle; handle = handle->next)
        if (handle->ours && handle->listed)
            instances[room++] = &handle->instance;
    *ret = instances;
    *ret_count = (int)room;
    return CONSTELLATION_OK;
}

Instance **constellation_instance_list(int *count)
{
    Instance **instances = NULL;
    int room = 0;

    if (library_enter() == CONSTELLATION_OK) {
        (void)make_list(&instances, &room);
        library_leave();
    }
    if (count)
        *count = room;
    return instances;
}
