/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Events are signals of the service, kept in a queue from whichever thread has read them to the one
 * that asks for them. What that one polls is an epoll descriptor of two: the socket, for what has
 * not been read, and a counter, for what has. */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/events.h"
#include "lib/handle.h"
#include "util/fd.h"

/* Whoever does not ask for so long loses the oldest, and is told. */
#define QUEUE_MAX 4096

typedef struct Queued {
    struct Queued *next;
    ConstellationEvent event;
} Queued;

static struct {
    int epoll_fd, counter_fd; /* -1: nobody listens */
    Queued *first, **last;
    unsigned count;
    ConstellationEventCallback callback;
    void *userdata;
} events = { .epoll_fd = -1, .counter_fd = -1, .last = &events.first };

/* ---- queue ----------------------------------------------------------------------------------- */

static void count_up(void)
{
    const uint64_t one = 1;

    if (write(events.counter_fd, &one, sizeof one) < 0)
        return; /* it is far above zero */
}

static void count_to_zero(void)
{
    uint64_t count;

    if (read(events.counter_fd, &count, sizeof count) < 0)
        return; /* it is zero */
}

static bool take(ConstellationEvent *ret)
{
    Queued *queued = events.first;

    if (!queued)
        return false;
    *ret = queued->event;
    events.first = queued->next;
    if (!events.first)
        events.last = &events.first;
    events.count--;
    free(queued);
    if (events.count == 0)
        count_to_zero();
    return true;
}

static void put(const ConstellationEvent *event)
{
    Queued *queued = malloc(sizeof *queued);
    ConstellationEvent dropped;

    if (queued) {
        *queued = (Queued){ .event = *event };
        *events.last = queued;
        events.last = &queued->next;
        events.count++;
    }
    if (events.count > QUEUE_MAX && take(&dropped))
        events.first->event.type = CONSTELLATION_EVENT_LOST;
    count_up();
}

/* ---- signals --------------------------------------------------------------------------------- */

static int read_event(sd_bus_message *message, ConstellationEvent *event)
{
    const char *from, *to, *result;
    InstanceExit *end = &event->end;
    int r;

    if (sd_bus_message_is_signal(message, INTERFACE_INSTANCE, "StateChanged")) {
        event->type = CONSTELLATION_EVENT_STATE;
        r = sd_bus_message_read(message, "ss", &from, &to);
        if (r > 0) {
            event->from = state_from_string(from);
            event->to = state_from_string(to);
        }
        return r;
    }
    if (!sd_bus_message_is_signal(message, INTERFACE_INSTANCE, "Exited"))
        return 0;
    event->type = CONSTELLATION_EVENT_EXITED;
    r = sd_bus_message_read(message, "usii", &end->run, &result, &end->code, &end->status);
    if (r > 0)
        (void)snprintf(end->result, sizeof end->result, "%s", result);
    return r;
}

static int on_signal(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const char *path = sd_bus_message_get_path(message);
    const char *slash = path ? strrchr(path, '/') : NULL;
    ConstellationEvent event = { 0 };

    (void)userdata;
    (void)error;
    if (events.epoll_fd < 0 || !slash || !handle_find(slash + 1))
        return 0;
    (void)snprintf(event.id, sizeof event.id, "%s", slash + 1);
    if (read_event(message, &event) > 0)
        put(&event);
    return 0;
}

/* ---- listening ------------------------------------------------------------------------------- */

void events_follow(Link *link)
{
    static const char rule[] = "type='signal',interface='" INTERFACE_INSTANCE "'";
    struct epoll_event readable = { .events = EPOLLIN };
    bool is_peer = link->kind == SERVICE_SOCKET || link->kind == SERVICE_EMBEDDED;

    if (events.epoll_fd < 0)
        return;
    (void)epoll_ctl(events.epoll_fd, EPOLL_CTL_ADD, sd_bus_get_fd(link->bus), &readable);
    int r = sd_bus_add_match_async(link->bus, NULL,
                                   is_peer ? rule
                                           : "sender='" BUS_NAME "',type='signal',"
                                             "interface='" INTERFACE_INSTANCE "'",
                                   on_signal, NULL, NULL);
    if (r < 0)
        link_lose(link);
}

void events_unfollow(const Link *link)
{
    ConstellationEvent event = { .type = CONSTELLATION_EVENT_LOST };

    if (events.epoll_fd < 0)
        return;
    (void)epoll_ctl(events.epoll_fd, EPOLL_CTL_DEL, sd_bus_get_fd(link->bus), NULL);
    put(&event);
}

void events_forget(void)
{
    ConstellationEvent event;

    /* First, so that the counter is not read: in a child it is the parent's as well. */
    events.epoll_fd = fd_close(events.epoll_fd);
    events.counter_fd = fd_close(events.counter_fd);
    while (take(&event))
        continue;
    events.callback = NULL;
}

static ConstellationError listen_once(void)
{
    struct epoll_event readable = { .events = EPOLLIN };

    if (events.epoll_fd >= 0)
        return CONSTELLATION_OK;
    events.counter_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    events.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (events.counter_fd < 0 || events.epoll_fd < 0 ||
        epoll_ctl(events.epoll_fd, EPOLL_CTL_ADD, events.counter_fd, &readable) < 0) {
        ConstellationError result = fail_errno(errno, "listening to events");
        events_forget();
        return result;
    }
    events_follow(library.link);
    return CONSTELLATION_OK;
}

/* ---- for the caller -------------------------------------------------------------------------- */

int constellation_event_fd(void)
{
    int fd = -1;

    if (library_enter() != CONSTELLATION_OK)
        return -1;
    if (listen_once() == CONSTELLATION_OK)
        fd = events.epoll_fd;
    library_leave();
    return fd;
}

int constellation_event_next(ConstellationEvent *event)
{
    if (!event) {
        (void)fail(CONSTELLATION_ERR_INVALID_PARAM, "constellation_event_next: event is NULL");
        return -1;
    }
    if (library_enter() != CONSTELLATION_OK)
        return -1;
    ConstellationError result = listen_once();
    if (result == CONSTELLATION_OK && !library.link->reading)
        link_read(library.link);
    int count = result != CONSTELLATION_OK ? -1 : take(event);
    library_leave();
    return count;
}

ConstellationError constellation_set_event_callback(ConstellationEventCallback callback,
                                                    void *userdata)
{
    ConstellationError result = library_enter();

    if (result != CONSTELLATION_OK)
        return result;
    result = listen_once();
    if (result == CONSTELLATION_OK) {
        events.callback = callback;
        events.userdata = userdata;
    }
    library_leave();
    return result;
}

int constellation_dispatch(int timeout_msec)
{
    struct pollfd readable = { .fd = constellation_event_fd(), .events = POLLIN };
    ConstellationEvent event;
    int count = 0, r;

    if (readable.fd < 0)
        return -1;
    (void)poll(&readable, 1, timeout_msec);
    while ((r = constellation_event_next(&event)) > 0) {
        library_lock();
        ConstellationEventCallback callback = events.callback;
        void *userdata = events.userdata;
        library_unlock();
        if (callback)
            callback(&event, userdata);
        count++;
    }
    return r < 0 && count == 0 ? -1 : count;
}
