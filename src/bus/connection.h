/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bus/face.h"

/* Takes the bus over: attaches it to the loop, exports all objects, and adds it to the face. A
 * connection that ends removes itself. NULL, and the bus is gone. */
Connection *connection_new(Face *face, sd_bus *bus, bool is_message_bus, uid_t peer_uid);
void connection_free(Connection *connection);

/* Sends what is queued, to those who read: for GOODBYE_USEC at most. */
void connection_say_goodbye(Connection *connection);

/* A client of the private socket: only the service's own user and root are let in. */
Connection *connection_accept(Face *face, int socket);
