/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The D-Bus face of the service: connections (one to a message bus, or one for each client of the
 * private socket), the objects exported on each, and the signals. It translates, authorizes and
 * replies; what happens is core's. */

#include "bus/budget.h"
#include "core/controller.h"
#include "util/sdbus.h"

typedef struct Face Face;
typedef struct Connection Connection;

/* What a handler of an instance's interface gets: valid until it returns. */
typedef struct Target {
    Connection *connection;
    Instance *instance;
} Target;

struct Connection {
    Face *face;
    sd_bus *bus;
    bool is_message_bus; /* else a peer, and peer_uid says whose */
    uid_t peer_uid;
    Target target;
    bool greeted;        /* it has said something: before, a signal would be taken for an answer */
    bool emitting;       /* a signal is being made: whoever reads properties now is everybody */
    GHashTable *callers; /* message bus: unique name -> Caller, caller.c */
    sd_event_source *nudge;    /* until it has greeted: see connection.c */
    sd_event_source *patience; /* private: until it has greeted */
    GPtrArray *waits;          /* Wait calls that are held */
    Budgets *budgets;          /* of the users of a message bus */
    sd_event_source *after;    /* each turn of the loop in which something happened */
    GPtrArray *calls;          /* those that polkit is being asked about */
};

typedef struct FaceOptions {
    sd_event *event;
    Controller *controller;
    const char *socket_path;           /* private: where to listen; or NULL */
    int socket_fd;                     /* private: a connected socket; or -1 */
    void (*ready)(void *userdata);     /* reachable for the first time, or waiting for the bus */
    void (*peer_gone)(void *userdata); /* private with socket_fd: the starter has left */
    void *userdata;
} FaceOptions;

struct Face {
    sd_event *event;
    Controller *controller;
    GPtrArray *connections;
    GHashTable *shown; /* instance id -> what its properties looked like when last signalled */
    GHashTable *dirty; /* ids of instances to be looked at before the loop sleeps */
    sd_event_source *flush_source;
    uint64_t dirty_since_usec;
    sd_event_source *listen_source;
    sd_event_source *reconnect_source;
    char *socket_path;
    uint64_t reconnect_usec;
    void (*ready)(void *userdata); /* until it was called */
    void (*peer_gone)(void *userdata);
    void *userdata;
};

/* Connects, exports and takes the name (or listens). A bus that is not there is tried again for
 * ever; only what cannot get better is an error. */
Face *face_new(const FaceOptions *options, GError **error);
void face_free(Face *face);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Face, face_free)

/* ---- inside bus/ ----------------------------------------------------------------------------- */

/* export.c: all objects on this connection. 0 or -errno. */
int connection_export(Connection *connection);
char *instance_path(const Instance *instance);
extern const sd_bus_vtable manager_vtable[];
extern const sd_bus_vtable instance_vtable[];
const sd_bus_vtable *settings_vtable(void);

/* face.c: a connection has ended. */
void face_connection_lost(Face *face, bool was_message_bus);

/* Signals go to those who have greeted. */
bool connection_hears(const Connection *connection);

/* changes.c: the observer that core gets; and what it starts from: the adopted instances. */
extern const ControllerObserver face_observer;
void changes_begin(Face *face);
void changes_forget(Face *face);

/* caller.c: who asks. False if that could not be found out: then the answer is no. */
bool caller_uid(Connection *connection, sd_bus_message *message, uid_t *ret);

/* May whoever reads properties now see more of the instance than its name and state; and what is
 * for administrators only? */
bool viewer_may_inspect(Target *target);
bool viewer_is_trusted(Connection *connection);
void caller_left(Connection *connection, const char *unique_name);

/* wait.c */
int method_wait(sd_bus_message *message, void *userdata, sd_bus_error *error);
void waits_drop(Connection *connection, const char *unique_name /* NULL: all */);
