/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where the service is reached: a name on a message bus, which it comes back to for as long as it
 * runs, or a private socket. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "bus/connection.h"
#include "bus/names.h"
#include "util/event.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/timer.h"

/* A bus that restarts is back within 50 ms: look soon, then ever more rarely. */
#define RECONNECT_MIN_USEC (50 * 1000)
#define NAME_IS_OURS       1u /* DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER */
#define NAME_WAS_OURS      4u /* ..._ALREADY_OWNER: the answer to an earlier request came too late */
#define RECONNECT_MAX_USEC (5 * G_USEC_PER_SEC)
#define BACKLOG            64
#define CLIENTS_MAX        128u
#define ACCEPT_PAUSE_USEC  G_USEC_PER_SEC

/* ---- message bus ----------------------------------------------------------------------------- */

static void tell_ready(Face *face)
{
    if (face->ready)
        face->ready(face->userdata);
    face->ready = NULL;
}

static int on_name_again(sd_event_source *source, uint64_t usec, void *userdata);

static int on_name(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Face *face = userdata;

    uint32_t result = 0;

    (void)error;
    /* That another has it is no error to the bus, but a number. */
    if (sd_bus_message_is_method_error(message, NULL) ||
        sd_bus_message_read(message, "u", &result) < 0 ||
        (result != NAME_IS_OURS && result != NAME_WAS_OURS)) {
        const sd_bus_error *why = sd_bus_message_get_error(message);
        log_error("bus: the name %s cannot be had: %s; trying again", BUS_NAME,
                  why ? why->message : "another service has it");
        (void)timer_start(face->event, &face->reconnect_source, face->reconnect_usec, on_name_again,
                          face, "name");
        face->reconnect_usec = MIN(face->reconnect_usec * 2, RECONNECT_MAX_USEC);
        return 0;
    }
    tell_ready(face);
    face->reconnect_usec = RECONNECT_MIN_USEC;
    log_info("bus: here as %s", BUS_NAME);
    return 0;
}

static int request_name(Face *face, sd_bus *bus)
{
    return sd_bus_request_name_async(bus, NULL, BUS_NAME, 0, on_name, face);
}

static int on_name_again(sd_event_source *source, uint64_t usec, void *userdata)
{
    Face *face = userdata;
    Connection *connection = face->connections->len > 0 ? g_ptr_array_index(face->connections, 0)
                                                        : NULL;

    (void)source;
    (void)usec;
    if (connection && connection->is_message_bus)
        (void)request_name(face, connection->bus);
    return 0;
}

static int connect_bus(Face *face)
{
    sd_bus *bus;

    int r = face->controller->mode == MODE_USER
                ? sd_bus_open_user_with_description(&bus, "clients")
                : sd_bus_open_system_with_description(&bus, "clients");
    if (r < 0)
        return r;
    if (!connection_new(face, bus, true, (uid_t)-1))
        return -EIO;
    return request_name(face, bus);
}

static int on_reconnect(sd_event_source *source, uint64_t usec, void *userdata);

static void reconnect_later(Face *face)
{
    (void)timer_start(face->event, &face->reconnect_source, face->reconnect_usec, on_reconnect,
                      face, "reconnect");
    face->reconnect_usec = MIN(face->reconnect_usec * 2, RECONNECT_MAX_USEC);
}

static int on_reconnect(sd_event_source *source, uint64_t usec, void *userdata)
{
    Face *face = userdata;

    (void)source;
    (void)usec;
    face->reconnect_source = sd_event_source_disable_unref(face->reconnect_source);
    int r = connect_bus(face);
    if (r < 0) {
        log_debug("bus: not there yet: %s", g_strerror(-r));
        reconnect_later(face);
    }
    return 0;
}

void face_connection_lost(Face *face, bool was_message_bus)
{
    if (was_message_bus) {
        log_warning("bus: the connection is lost; instances run on");
        face->reconnect_usec = RECONNECT_MIN_USEC;
        reconnect_later(face);
    } else if (face->peer_gone && face->connections->len == 0) {
        face->peer_gone(face->userdata);
    }
}

/* ---- private socket -------------------------------------------------------------------------- */

static int on_accept_again(sd_event_source *source, uint64_t usec, void *userdata)
{
    Face *face = userdata;

    (void)source;
    (void)usec;
    sd_event_source_set_enabled(face->listen_source, SD_EVENT_ON);
    return 0;
}

static int on_client(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    Face *face = userdata;

    (void)source;
    (void)revents;
    int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client >= 0 && face->connections->len >= CLIENTS_MAX) {
        log_warning("bus: there are %u clients already, one more was refused", CLIENTS_MAX);
        fd_close(client);
    } else if (client >= 0) {
        (void)connection_accept(face, client);
    } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
        /* No descriptors, or no memory: the client would wake us again at once, and for nothing. */
        log_warning("bus: accepting a client: %s", g_strerror(errno));
        sd_event_source_set_enabled(face->listen_source, SD_EVENT_OFF);
        (void)timer_start(face->event, &face->reconnect_source, ACCEPT_PAUSE_USEC, on_accept_again,
                          face, "accept");
    }
    return 0;
}

static bool listen_on(Face *face, const char *path, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    auto_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "%s: too long for a socket",
                         path);
    /* Nobody but the owner and root may connect, from the first moment on. */
    mode_t mask = umask(0177);
    int r = fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
                    listen(fd, BACKLOG) < 0
                ? -errno
                : 0;
    umask(mask);
    if (r == 0)
        r = sd_event_add_io(face->event, &face->listen_source, fd, EPOLLIN, on_client, face);
    if (r < 0)
        return error_from_errno(error, CONSTELLATION_ERROR_ACCESS_DENIED, r, "listening on %s%s",
                                path,
                                r == -EADDRINUSE ? " (another service's? else remove it)" : "");
    (void)sd_event_source_set_io_fd_own(face->listen_source, true);
    (void)fd_steal(&fd);
    face->socket_path = g_strdup(path);
    return true;
}

/* ---- face ------------------------------------------------------------------------------------ */

static bool face_open(Face *face, const FaceOptions *options, GError **error)
{
    if (options->socket_path || options->socket_fd >= 0) {
        bool open = options->socket_path
                        ? listen_on(face, options->socket_path, error)
                        : connection_accept(face, options->socket_fd) ||
                              error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                                        "the file descriptor of --private is not a connected "
                                        "socket of this user");
        if (open)
            tell_ready(face);
        return open;
    }
    int r = connect_bus(face);
    if (r < 0) {
        log_warning("bus: not there: %s; trying again until it is", g_strerror(-r));
        reconnect_later(face);
        tell_ready(face);
    }
    return true;
}

Face *face_new(const FaceOptions *options, GError **error)
{
    g_autoptr(Face) face = g_new0(Face, 1);

    face->event = sd_event_ref(options->event);
    face->controller = options->controller;
    face->ready = options->ready;
    face->peer_gone = options->peer_gone;
    face->userdata = options->userdata;
    face->reconnect_usec = RECONNECT_MIN_USEC;
    face->connections = g_ptr_array_new();
    face->dirty = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    face->shown = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (!face_open(face, options, error))
        return NULL;
    options->controller->observer = &face_observer;
    options->controller->observer_userdata = face;
    changes_begin(face);
    return g_steal_pointer(&face);
}

void face_free(Face *face)
{
    if (!face)
        return;
    if (face->controller->observer_userdata == face)
        face->controller->observer = NULL;
    while (face->connections->len > 0) {
        Connection *connection = g_ptr_array_index(face->connections, 0);
        g_ptr_array_remove_index_fast(face->connections, 0);
        connection_say_goodbye(connection);
        connection_free(connection);
    }
    sd_event_source_disable_unref(face->listen_source);
    sd_event_source_disable_unref(face->reconnect_source);
    changes_forget(face);
    if (face->socket_path)
        (void)unlink(face->socket_path);
    g_free(face->socket_path);
    g_ptr_array_unref(face->connections);
    sd_event_unref(face->event);
    g_free(face);
}
