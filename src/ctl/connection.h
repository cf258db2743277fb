/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The way to the service: a bus, or a private socket with the service at its other end. */

#include "ctl/embedded.h"
#include "ctl/options.h"
#include "util/sdbus.h"

typedef enum ConnectionKind {
    CONNECTION_SYSTEM,
    CONNECTION_USER,
    CONNECTION_SOCKET,
    CONNECTION_EMBEDDED,
} ConnectionKind;

typedef struct Connection {
    ConnectionKind kind;
    sd_bus *bus;
    Embedded embedded;
} Connection;

/* As the options say. Else root takes the system's service, and others that of their user bus where
 * there is one. NODE_UNAVAILABLE with what to do. */
bool connection_open(Connection *ret, const Options *options, GError **error);

/* Sends what is still to be sent; an embedded service has ended when this returns. */
void connection_close(Connection *connection);

/* No bus in between: no destination, no owner of a name, no match rules. */
bool connection_is_peer(const Connection *connection);

/* What to do when nobody answers: "is constellationd running? …"; g_free. */
char *connection_advice(const Connection *connection);
