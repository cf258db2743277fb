/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A method call on its way to being done: read and validated, then authorized, then acted upon.
 *
 * A handler makes a Call, reads the message into its arguments and submits it. If a question has
 * to be asked the handler is over and the Call waits: what was read does not change meanwhile,
 * the handler is never run again, and the instance is looked up anew when the answer is there. A
 * Call whose caller leaves is forgotten, and the question taken back. */

#include "bus/authorize.h"
#include "bus/face.h"

typedef struct Call Call;

/* Does what was asked for and replies to call->message, or has that done later; else fills in
 * the error and returns a negative errno. The Call is gone when it returns. */
typedef int (*CallAct)(Call *call, sd_bus_error *error);

struct Call {
    Connection *connection;
    sd_bus_message *message; /* held: what was borrowed from it stays */
    Instance *instance;      /* NULL: it is about the service; not to be used while it waits */
    uid_t caller;            /* UID_NOBODY_KNOWN: it will be refused */
    void *args;

    /* The rest is for call.c only. */
    const AccessRow *row;
    CallAct act;
    void (*clear_args)(void *args);
    unsigned needs;     /* bits of Actions that are still to be asked for */
    GPtrArray *details; /* for polkit: key, value, key, value */
    char id[INSTANCE_ID_LENGTH + 1];
    uint64_t run;
    uint64_t revision;
    struct PolkitQuestion *question; /* NULL: it is not its turn to ask yet */
    sd_event_source *patience;       /* until it is */
    Action asked;
};

Call *call_new(Connection *connection, Instance *instance, sd_bus_message *message, CallAct act);
void call_free(Call *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Call, call_free)

/* Zeroed memory for what is read, the Call's; `clear` (may be NULL) frees what hangs on it. */
void *call_args(Call *call, size_t size, void (*clear)(void *args));

/* Needs this right besides being whose instance it is; not asked of root. Where the table asks for
 * a right to make something of one's own, this one stands in its place. */
void call_need(Call *call, Action action);

/* Something that polkit's rules and dialogs are told. */
void call_tell(Call *call, const char *key, const char *value);

/* Takes the Call. To be returned by the handler. */
int call_submit(Call *call, sd_bus_error *error);

/* Forgets those of a caller who has left; NULL: all of the connection. */
void calls_drop(Connection *connection, const char *unique_name);
