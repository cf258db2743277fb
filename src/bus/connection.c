/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sys/socket.h>

#include "bus/caller.h"
#include "bus/connection.h"
#include "bus/names.h"
#include "bus/call.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/timer.h"

/* Messages of some hundred bytes each. */
#define QUEUED_MAX   4096u
#define GOODBYE_USEC (200 * 1000)

/* Within which a private client says who it is, or is taken for one that only holds a place. */
#define GREETING_USEC (5 * G_USEC_PER_SEC)

static void connection_done(Connection *connection)
{
    waits_drop(connection, NULL);
    calls_drop(connection, NULL);
    sd_event_source_disable_unref(connection->nudge);
    timer_stop(&connection->patience);
    sd_event_source_disable_unref(connection->after);
    budgets_free(connection->budgets);
    g_hash_table_unref(connection->callers);
    g_ptr_array_unref(connection->waits);
    g_ptr_array_unref(connection->calls);
    sd_bus_close_unref(connection->bus);
    g_free(connection);
}

void connection_free(Connection *connection)
{
    if (connection)
        connection_done(connection);
}

static int on_garbage(sd_event_source *source, void *userdata)
{
    sd_event_source_disable_unref(source);
    connection_done(userdata);
    return 0;
}

/* The bus calls this from inside its own dispatch: freed from the loop. */
static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Connection *connection = userdata;
    Face *face = connection->face;

    (void)message;
    (void)error;
    if (!g_ptr_array_remove_fast(face->connections, connection))
        return 0;
    connection->nudge = sd_event_source_disable_unref(connection->nudge);
    connection->after = sd_event_source_disable_unref(connection->after);
    timer_stop(&connection->patience);
    waits_drop(connection, NULL);
    calls_drop(connection, NULL);
    /* The handler drops the source: one without an owner would last as long as the loop. */
    sd_event_source *source;
    if (sd_event_add_defer(face->event, &source, on_garbage, connection) < 0)
        log_error("bus: a connection that ended cannot be freed");
    face_connection_lost(face, connection->is_message_bus);
    return 0;
}

static int on_name_owner_changed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const char *name, *old, *new;

    (void)error;
    if (sd_bus_message_read(message, "sss", &name, &old, &new) >= 0 && !*new)
        caller_left(userdata, name);
    return 0;
}

/* A client that takes the socket for a bus waits for the answer to its Hello and takes any other
 * message for a breach of the protocol. */
static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Connection *connection = userdata;

    (void)message;
    (void)error;
    connection->greeted = true;
    timer_stop(&connection->patience);
    if (connection->nudge)
        (void)sd_event_source_set_enabled(connection->nudge, SD_EVENT_OFF);
    /* One that asks and does not read the answers is cut, and what it asked for last not done. */
    return connection_hears(connection) ? 0 : 1;
}

/* The turn in which a message was handled is over, and the user's time with it. */
static int on_after(sd_event_source *source, void *userdata)
{
    Connection *connection = userdata;

    (void)source;
    budget_end(connection->budgets, timestamp_now().monotonic_usec);
    return 0;
}

static int on_never_greeted(sd_event_source *source, uint64_t usec, void *userdata)
{
    Connection *connection = userdata;

    (void)source;
    (void)usec;
    if (sd_bus_is_ready(connection->bus) <= 0)
        (void)shutdown(sd_bus_get_fd(connection->bus), SHUT_RDWR);
    return 0;
}

/* As a server, sd-bus (252) leaves a message that came in one read with the end of the handshake in
 * its buffer until more bytes come; a client that waits for the answer sends none. So it is asked
 * again after each turn of the loop, until the first message. */
static int on_nudge(sd_event_source *source, void *userdata)
{
    Connection *connection = userdata;
    int r = 1;

    (void)source;
    while (!connection->greeted && r > 0)
        r = sd_bus_process(connection->bus, NULL);
    /* Whatever it sent, it was no message: the end of the connection is seen by the loop. */
    if (r < 0)
        (void)shutdown(sd_bus_get_fd(connection->bus), SHUT_RDWR);
    return 0;
}

/* A private client that does not read what it is told is cut off: it would pile up here. */
bool connection_hears(const Connection *connection)
{
    uint64_t queued = 0;

    if (connection->is_message_bus)
        return true;
    if (sd_bus_get_n_queued_write(connection->bus, &queued) >= 0 && queued > QUEUED_MAX) {
        (void)shutdown(sd_bus_get_fd(connection->bus), SHUT_RDWR);
        return false;
    }
    return connection->greeted;
}

void connection_say_goodbye(Connection *connection)
{
    uint64_t queued, end = timestamp_now().monotonic_usec + GOODBYE_USEC;

    while (sd_bus_get_n_queued_write(connection->bus, &queued) >= 0 && queued > 0) {
        uint64_t now = timestamp_now().monotonic_usec;
        if (now >= end || sd_bus_wait(connection->bus, end - now) <= 0 ||
            sd_bus_process(connection->bus, NULL) < 0)
            return;
    }
}

static int watch(Connection *connection)
{
    int r = sd_bus_match_signal_async(connection->bus, NULL, "org.freedesktop.DBus.Local",
                                      "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local",
                                      "Disconnected", on_disconnected, NULL, connection);

    if (r >= 0 && !connection->is_message_bus)
        r = sd_event_add_post(connection->face->event, &connection->nudge, on_nudge, connection);
    if (r >= 0 && !connection->is_message_bus)
        r = timer_start(connection->face->event, &connection->patience, GREETING_USEC,
                        on_never_greeted, connection, "greeting");
    if (r >= 0 && !connection->is_message_bus)
        r = sd_bus_add_filter(connection->bus, NULL, on_message, connection);
    if (r >= 0 && connection->is_message_bus)
        r = sd_bus_add_filter(connection->bus, NULL, callers_filter, connection);
    if (r >= 0 && connection->is_message_bus)
        r = sd_event_add_post(connection->face->event, &connection->after, on_after, connection);
    if (r >= 0 && connection->is_message_bus)
        r = sd_bus_add_match_async(connection->bus, NULL,
                                   "type='signal',sender='org.freedesktop.DBus',"
                                   "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
                                   "path='/org/freedesktop/DBus',arg2=''",
                                   on_name_owner_changed, NULL, connection);
    return r;
}

Connection *connection_new(Face *face, sd_bus *bus, bool is_message_bus, uid_t peer_uid)
{
    Connection *connection = g_new0(Connection, 1);

    connection->face = face;
    connection->bus = bus;
    connection->is_message_bus = is_message_bus;
    connection->peer_uid = peer_uid;
    connection->callers = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                                (GDestroyNotify)caller_free);
    connection->budgets = budgets_new();
    connection->waits = g_ptr_array_new();
    connection->calls = g_ptr_array_new();
    int r = sd_bus_attach_event(bus, face->event, SD_EVENT_PRIORITY_NORMAL);
    if (r >= 0)
        r = connection_export(connection);
    if (r >= 0)
        r = watch(connection);
    if (r < 0) {
        log_error("bus: exporting the objects: %s", g_strerror(-r));
        connection_done(connection);
        return NULL;
    }
    g_ptr_array_add(face->connections, connection);
    return connection;
}

static bool peer_is_allowed(const Face *face, int fd, uid_t *ret_uid)
{
    struct ucred peer = { .uid = (uid_t)-1 };
    socklen_t size = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid == (uid_t)-1)
        return false;
    *ret_uid = peer.uid;
    return peer.uid == 0 || peer.uid == face->controller->uid;
}

Connection *connection_accept(Face *face, int socket)
{
    auto_fd fd = socket;
    sd_bus *bus = NULL;
    sd_id128_t id;
    uid_t uid;

    if (!peer_is_allowed(face, fd, &uid)) {
        log_warning("bus: a client of another user was refused");
        return NULL;
    }
    int r = sd_bus_new(&bus);
    if (r >= 0)
        r = sd_bus_set_fd(bus, fd, fd);
    if (r >= 0)
        (void)fd_steal(&fd); /* the bus closes it */
    if (r >= 0)
        r = sd_id128_randomize(&id);
    if (r >= 0)
        r = sd_bus_set_server(bus, true, id);
    if (r >= 0)
        r = sd_bus_negotiate_fds(bus, true);
    if (r >= 0)
        r = sd_bus_start(bus);
    if (r < 0) {
        log_warning("bus: a client could not be served: %s", g_strerror(-r));
        sd_bus_unref(bus);
        return NULL;
    }
    return connection_new(face, bus, false, uid);
}
