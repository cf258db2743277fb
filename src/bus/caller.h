/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The senders of a message bus's connection, by unique name, for as long as they are on the bus. */

#include "bus/face.h"

typedef struct Caller Caller;

void caller_free(Caller *caller);

/* For each client of this user's, and of root's, that has called us. */
typedef void (*CallerVisitor)(Connection *connection, const char *unique_name, void *userdata);
void callers_visit(Connection *connection, uid_t uid, CallerVisitor visit, void *userdata);

/* A filter with the Connection as userdata: holds messages back until it is known who sent them. */
int callers_filter(sd_bus_message *message, void *userdata, sd_bus_error *error);
