/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The life of the library: initialized, perhaps connected again, shut down; and what a fork makes
 * of it. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/events.h"
#include "lib/handle.h"

/* How long an instance may take to end by itself when the program shuts down. */
#define FAREWELL_USEC  5000000
#define CALLS_AT_ONCE  64 /* a message bus allows 128 */
#define NAME_ALLOWANCE (sizeof library.config.node_name)

struct Library library = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .changed = PTHREAD_COND_INITIALIZER,
};

/* ---- fork ------------------------------------------------------------------------------------ */

static void before_fork(void)
{
    pthread_mutex_lock(&library.lock);
}

static void after_fork_in_parent(void)
{
    pthread_mutex_unlock(&library.lock);
}

/* The connection is the parent's: the child has the memory of it and no more. What other threads
 * were at does not go on here. */
static void after_fork_in_child(void)
{
    Link *link = library.link;

    pthread_mutex_init(&library.lock, NULL);
    pthread_cond_init(&library.changed, NULL);
    if (library.phase == PHASE_IDLE)
        return;
    if (link) {
        (void)close(sd_bus_get_fd(link->bus));
        (void)close(link->wake_fd);
        if (link->service_fd >= 0)
            (void)close(link->service_fd);
    }
    handles_forget();
    events_forget();
    library.link = NULL;
    library.users = 0;
    library.phase = PHASE_IDLE;
}

static void prepare_once(void)
{
    (void)pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

/* ---- lock ------------------------------------------------------------------------------------ */

void library_lock(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, prepare_once);
    pthread_mutex_lock(&library.lock);
}

void library_unlock(void)
{
    pthread_mutex_unlock(&library.lock);
}

static ConstellationError connect_again(void)
{
    Link *link = NULL;

    library.phase = PHASE_CONNECTING;
    ConstellationError result = service_reconnect(&link);
    if (library.phase == PHASE_CONNECTING)
        library.phase = PHASE_READY;
    if (result == CONSTELLATION_OK) {
        link_unref(library.link);
        library.link = link;
        events_follow(link);
    }
    pthread_cond_broadcast(&library.changed);
    return result;
}

static ConstellationError enter_locked(void)
{
    while (library.phase == PHASE_CONNECTING)
        pthread_cond_wait(&library.changed, &library.lock);
    if (library.phase != PHASE_READY)
        return fail(CONSTELLATION_ERR_UNKNOWN,
                    "the library is not initialized in this process: call constellation_init()");
    library.users++;
    if (!library.link->lost)
        return CONSTELLATION_OK;
    ConstellationError result = connect_again();
    if (result != CONSTELLATION_OK)
        library.users--;
    return result;
}

ConstellationError library_enter(void)
{
    library_lock();
    ConstellationError result = enter_locked();
    if (result != CONSTELLATION_OK)
        library_unlock();
    return result;
}

void library_leave(void)
{
    library.users--;
    if (library.phase == PHASE_CLOSING)
        pthread_cond_broadcast(&library.changed);
    library_unlock();
}

/* ---- init and shutdown ----------------------------------------------------------------------- */

static ConstellationError check_config(const ControllerConfig *config)
{
    if (!config)
        return fail(CONSTELLATION_ERR_INVALID_PARAM, "constellation_init: config is NULL");
    if (strnlen(config->node_name, NAME_ALLOWANCE) == NAME_ALLOWANCE ||
        strnlen(config->cluster_name, NAME_ALLOWANCE) == NAME_ALLOWANCE)
        return fail(CONSTELLATION_ERR_INVALID_PARAM,
                    "constellation_init: node_name and cluster_name must end with a NUL");
    if (config->enable_clustering)
        return fail(CONSTELLATION_ERR_INVALID_PARAM,
                    "constellation_init: enable_clustering: there is no clustering yet");
    return CONSTELLATION_OK;
}

static ConstellationError init_locked(const ControllerConfig *config)
{
    while (library.phase == PHASE_CONNECTING || library.phase == PHASE_CLOSING)
        pthread_cond_wait(&library.changed, &library.lock);
    if (library.phase == PHASE_READY)
        return fail(CONSTELLATION_ERR_ALREADY_EXISTS,
                    "constellation_init: the library is initialized already");
    library.phase = PHASE_CONNECTING;
    library.config = *config;
    ConstellationError result = service_connect(&library.link);
    library.phase = result == CONSTELLATION_OK ? PHASE_READY : PHASE_IDLE;
    pthread_cond_broadcast(&library.changed);
    return result;
}

int constellation_init(ControllerConfig *config)
{
    if (check_config(config) != CONSTELLATION_OK)
        return -1;
    library_lock();
    ConstellationError result = init_locked(config);
    library_unlock();
    return result == CONSTELLATION_OK ? 0 : -1;
}

/* What could not be built is answered as if it had been sent. */
static void begin_call(const Handle *handle, const char *method, const char *option,
                       uint64_t timeout_usec, Call *call)
{
    Link *link = library.link;
    auto_message message = NULL;

    int r = link_message(link, object_path(handle->instance.id).text, INTERFACE_INSTANCE, method,
                         &message);
    if (r >= 0)
        r = timeout_usec > 0 ? sd_bus_message_append(message, "a{sv}", 1, option, "t", timeout_usec)
                             : sd_bus_message_append(message, "a{sv}", 1, option, "b", 1);
    if (r < 0)
        link_lose(link);
    link_begin(link, message, timeout_usec ? timeout_usec * 4 : 0, call);
}

/* The same call to all that this program has made, many at a time. */
static ConstellationError call_all(const char *method, const char *option, uint64_t timeout_usec)
{
    ConstellationError result = CONSTELLATION_OK;
    Handle *handle = library.first;

    while (handle && !library.link->lost) {
        Call calls[CALLS_AT_ONCE];
        size_t count = 0;

        for (; handle && count < CALLS_AT_ONCE; handle = handle->next)
            if (handle->ours)
                begin_call(handle, method, option, timeout_usec, &calls[count++]);
        for (size_t i = 0; i < count; i++) {
            ConstellationError one = link_finish(&calls[i], NULL);
            if (one != CONSTELLATION_OK && one != CONSTELLATION_ERR_NOT_FOUND)
                result = one;
        }
    }
    return result;
}

static ConstellationError shutdown_locked(void)
{
    while (library.phase == PHASE_CONNECTING)
        pthread_cond_wait(&library.changed, &library.lock);
    if (library.phase != PHASE_READY)
        return fail(CONSTELLATION_ERR_UNKNOWN, "constellation_shutdown: it is not initialized");
    ConstellationError result = CONSTELLATION_OK;

    library.phase = PHASE_CLOSING;
    if (!library.link->lost) {
        (void)call_all("Stop", "TimeoutUSec", FAREWELL_USEC);
        result = call_all("Destroy", "Force", 0);
    }
    link_lose(library.link);
    while (library.users > 0)
        pthread_cond_wait(&library.changed, &library.lock);
    link_close_wait(library.link);
    library.link = link_unref(library.link);
    events_forget();
    handles_drop_all();
    handles_drop_lists();
    library.phase = PHASE_IDLE;
    pthread_cond_broadcast(&library.changed);
    return result;
}

int constellation_shutdown(void)
{
    library_lock();
    ConstellationError result = shutdown_locked();
    library_unlock();
    return result == CONSTELLATION_OK ? 0 : -1;
}

bool constellation_is_running(void)
{
    library_lock();
    if (library.phase == PHASE_READY && !library.link->reading)
        link_read(library.link);
    bool running = library.phase == PHASE_READY && !library.link->lost;
    library_unlock();
    return running;
}

const char *constellation_service(void)
{
    library_lock();
    const char *name = library.phase == PHASE_READY ? service_kind_name(library.link->kind) : NULL;
    library_unlock();
    return name;
}

ConstellationError constellation_get_config(ControllerConfig *config)
{
    if (!config)
        return fail(CONSTELLATION_ERR_INVALID_PARAM, "constellation_get_config: config is NULL");
    ConstellationError result = library_enter();
    if (result != CONSTELLATION_OK)
        return result;
    const ServiceFacts *facts = &library.link->facts;
    *config = library.config;
    (void)snprintf(config->node_name, sizeof config->node_name, "%s", facts->node_name);
    (void)snprintf(config->cluster_name, sizeof config->cluster_name, "%s", facts->cluster_name);
    config->max_instances = facts->max_instances;
    library_leave();
    return CONSTELLATION_OK;
}
