/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/connection.h"
#include "util/fd.h"

char *connection_advice(const Connection *connection)
{
    static const char *const advice[] = {
        [CONNECTION_SYSTEM] = "is constellationd running? (systemctl start constellationd; "
                              "--embedded does without, for run, check and features)",
        [CONNECTION_USER] = "is constellationd running? (systemctl --user start constellationd; "
                            "--embedded does without, for run, check and features)",
        [CONNECTION_SOCKET] = "is there a constellationd --private= that listens on it?",
        [CONNECTION_EMBEDDED] = "constellationd has ended: its messages tell why",
    };

    return g_strdup(advice[connection->kind]);
}

bool connection_is_peer(const Connection *connection)
{
    return connection->kind == CONNECTION_SOCKET || connection->kind == CONNECTION_EMBEDDED;
}

static int connect_socket(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    auto_fd fd = -1;

    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return -errno;
    return fd_steal(&fd);
}

/* Without Hello: the other end is the service, not a bus. Takes the descriptor. */
static int open_peer(int fd, sd_bus **ret)
{
    g_autoptr(sd_bus) bus = NULL;
    int r = sd_bus_new(&bus);

    if (r >= 0)
        r = sd_bus_set_fd(bus, fd, fd);
    if (r < 0) {
        fd_close(fd);
        return r;
    }
    r = sd_bus_start(bus);
    if (r < 0)
        return r;
    *ret = g_steal_pointer(&bus);
    return 0;
}

static int open_bus(Connection *connection, const Options *options)
{
    if (option_given(options, OPTION_USER))
        connection->kind = CONNECTION_USER;
    else if (option_given(options, OPTION_SYSTEM) || geteuid() == 0)
        connection->kind = CONNECTION_SYSTEM;
    else if (sd_bus_open_user(&connection->bus) >= 0) {
        connection->kind = CONNECTION_USER;
        return 0;
    }
    return connection->kind == CONNECTION_USER ? sd_bus_open_user(&connection->bus)
                                               : sd_bus_open_system(&connection->bus);
}

static int open_socket(Connection *connection, const Options *options)
{
    int fd = connect_socket(option_value(options, OPTION_SOCKET));

    connection->kind = CONNECTION_SOCKET;
    return fd < 0 ? fd : open_peer(fd, &connection->bus);
}

static bool open_embedded(Connection *connection, GError **error)
{
    int fd = -1, r;

    connection->kind = CONNECTION_EMBEDDED;
    if (!embedded_start(&connection->embedded, &fd, error))
        return false;
    r = open_peer(fd, &connection->bus);
    if (r >= 0)
        return true;
    embedded_end(&connection->embedded);
    return error_from_errno(error, CONSTELLATION_ERROR_NODE_UNAVAILABLE, r,
                            "talking to the service of this call");
}

bool connection_open(Connection *ret, const Options *options, GError **error)
{
    static const char *const names[] = {
        [CONNECTION_SYSTEM] = "the system bus",
        [CONNECTION_USER] = "the user bus",
    };
    Connection connection = { .embedded = EMBEDDED_NONE };
    int r = 0;

    if (option_given(options, OPTION_EMBEDDED)) {
        if (!open_embedded(&connection, error))
            return false;
    } else {
        r = option_given(options, OPTION_SOCKET) ? open_socket(&connection, options)
                                                 : open_bus(&connection, options);
    }
    if (r < 0) {
        g_autofree char *advice = connection_advice(&connection);

        return error_set(error, CONSTELLATION_ERROR_NODE_UNAVAILABLE,
                         "cannot connect to %s: %s: %s",
                         connection.kind == CONNECTION_SOCKET ? option_value(options, OPTION_SOCKET)
                                                              : names[connection.kind],
                         g_strerror(-r), advice);
    }
    (void)sd_bus_set_allow_interactive_authorization(
        connection.bus, !option_given(options, OPTION_NO_ASK_PASSWORD));
    *ret = connection;
    return true;
}

void connection_close(Connection *connection)
{
    connection->bus = sd_bus_flush_close_unref(connection->bus);
    embedded_end(&connection->embedded);
}
