/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sd-bus is not made for several threads, so each touch of it is made under the library's lock, and
 * the lock is let go of for one thing only: to sleep until the socket has something. The first
 * thread that waits for an answer does that for all; when its own answer has come, the next one
 * takes over. So a start that takes a second keeps nobody from anything. */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/events.h"
#include "lib/library.h"
#include "util/fd.h"

/* How long an embedded service may take to end. */
#define END_MSEC 15000

const char *service_kind_name(ServiceKind kind)
{
    static const char *const names[] = {
        [SERVICE_SYSTEM] = "system",
        [SERVICE_USER] = "user",
        [SERVICE_SOCKET] = "socket",
        [SERVICE_EMBEDDED] = "embedded",
    };

    return names[kind];
}

Link *link_new(sd_bus *bus, ServiceKind kind)
{
    Link *link = calloc(1, sizeof *link);

    if (link)
        link->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!link || link->wake_fd < 0) {
        free(link);
        sd_bus_close_unref(bus);
        return NULL;
    }
    link->references = 1;
    link->kind = kind;
    link->bus = bus;
    link->service_fd = -1;
    return link;
}

Link *link_unref(Link *link)
{
    if (!link || --link->references > 0)
        return NULL;
    sd_bus_close_unref(link->bus);
    for (char **name = link->facts.settings; name && *name; name++)
        free(*name);
    free(link->facts.settings);
    fd_close(link->wake_fd);
    fd_close(link->service_fd);
    free(link);
    return NULL;
}

/* Whoever reads, or sleeps over the socket, looks again. */
static void link_wake(Link *link)
{
    const uint64_t one = 1;

    if (link->reading && write(link->wake_fd, &one, sizeof one) < 0)
        return; /* it is awake already */
}

static void call_over(Call *call, int error)
{
    Call **link = &call->link->calls;

    while (*link && *link != call)
        link = &(*link)->next;
    if (*link)
        *link = call->next;
    call->error = error;
    call->over = true;
    call->link->delivered = true;
}

/* A copy of the socket that a child of the program inherited would keep the service from seeing
 * that we are gone: the connection as such is ended, not only our end of it. */
void link_lose(Link *link)
{
    if (link->lost)
        return;
    link->lost = true;
    if (link == library.link)
        events_unfollow(link);
    (void)shutdown(sd_bus_get_fd(link->bus), SHUT_RDWR);
    while (link->calls)
        call_over(link->calls, -ECONNRESET);
    link_wake(link);
    pthread_cond_broadcast(&library.changed);
}

void link_close_wait(Link *link)
{
    struct pollfd event = { .fd = link->service_fd, .events = POLLIN };
    int r;

    link_lose(link);
    do
        r = event.fd < 0 ? 0 : poll(&event, 1, END_MSEC);
    while (r < 0 && errno == EINTR);
}

/* ---- calls ----------------------------------------------------------------------------------- */

int link_message(Link *link, const char *path, const char *interface, const char *member,
                 sd_bus_message **ret)
{
    return sd_bus_message_new_method_call(link->bus, ret, BUS_NAME, path, interface, member);
}

static int on_reply(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Call *call = userdata;

    (void)error;
    call->reply = sd_bus_message_ref(message);
    call_over(call, 0);
    return 0;
}

void link_begin(Link *link, sd_bus_message *message, uint64_t timeout_usec, Call *call)
{
    *call = (Call){ .link = link, .next = link->calls };
    link->references++;
    link->calls = call;
    int r = link->lost
                ? -ENOTCONN
                : sd_bus_call_async(link->bus, &call->slot, message, on_reply, call,
                                    timeout_usec ? timeout_usec : library_options.timeout_usec);
    if (r < 0)
        call_over(call, r);
    else
        link_wake(link);
}

static int sleep_msec(const Link *link)
{
    struct timespec now;
    uint64_t usec;

    if (sd_bus_get_timeout(link->bus, &usec) <= 0 || usec == UINT64_MAX ||
        clock_gettime(CLOCK_MONOTONIC, &now) < 0)
        return -1;
    uint64_t now_usec = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    uint64_t msec = usec > now_usec ? (usec - now_usec + 999) / 1000 : 0;
    return msec > 60000 ? 60000 : (int)msec;
}

static void link_sleep(Link *link)
{
    int events = sd_bus_get_events(link->bus), timeout = sleep_msec(link);
    struct pollfd fds[] = {
        { .fd = sd_bus_get_fd(link->bus), .events = (short)events },
        { .fd = link->wake_fd, .events = POLLIN },
    };
    uint64_t count;

    pthread_mutex_unlock(&library.lock);
    (void)poll(fds, 2, timeout);
    pthread_mutex_lock(&library.lock);
    if (read(link->wake_fd, &count, sizeof count) < 0)
        return; /* nobody woke us */
}

void link_read(Link *link)
{
    int r = 1;

    while (!link->lost && r > 0)
        r = sd_bus_process(link->bus, NULL);
    if (r < 0)
        link_lose(link);
    if (link->delivered)
        pthread_cond_broadcast(&library.changed);
    link->delivered = false;
}

static void link_wait(Link *link, const Call *call)
{
    if (link->reading) {
        pthread_cond_wait(&library.changed, &library.lock);
        return;
    }
    link->reading = true;
    link_read(link);
    while (!call->over) {
        link_sleep(link);
        link_read(link);
    }
    link->reading = false;
    pthread_cond_broadcast(&library.changed);
}

static ConstellationError fail_lost(const Link *link)
{
    if (library.phase == PHASE_CLOSING)
        return fail(CONSTELLATION_ERR_UNKNOWN, "the library was shut down during the call");
    return fail(CONSTELLATION_ERR_UNKNOWN,
                "the connection to the %s service was lost during the call: %s",
                service_kind_name(link->kind),
                link->kind == SERVICE_EMBEDDED
                    ? "its instances have ended with it; the next call starts another"
                    : "the next call connects again");
}

ConstellationError link_finish(Call *call, sd_bus_message **ret_reply)
{
    Link *link = call->link;
    ConstellationError result = CONSTELLATION_OK;

    while (!call->over)
        link_wait(link, call);
    sd_bus_slot_unref(call->slot);
    if (sd_bus_is_open(link->bus) <= 0)
        link_lose(link);
    if (link->lost && (!call->reply || sd_bus_message_is_method_error(call->reply, NULL)))
        result = fail_lost(link);
    else if (call->error < 0)
        result = fail_errno(call->error, "calling the %s service", service_kind_name(link->kind));
    else if (sd_bus_message_is_method_error(call->reply, NULL))
        result = fail_bus(sd_bus_message_get_error(call->reply));
    if (result == CONSTELLATION_OK && ret_reply)
        *ret_reply = call->reply;
    else
        sd_bus_message_unref(call->reply);
    link_unref(link);
    return result;
}

void link_abandon(Call *call)
{
    if (!call->over)
        call_over(call, -ECANCELED);
    sd_bus_slot_unref(call->slot);
    sd_bus_message_unref(call->reply);
    link_unref(call->link);
}

ConstellationError link_call(Link *link, sd_bus_message *message, uint64_t timeout_usec,
                             sd_bus_message **ret_reply)
{
    Call call;

    link_begin(link, message, timeout_usec, &call);
    return link_finish(&call, ret_reply);
}
