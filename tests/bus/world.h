/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A constellationd for each test, told to do without systemd, and clients of it in the test's own
 * process: no message bus, no privilege needed. Calls are made and answers awaited by one line
 * each, so that a test reads as a script. What is not being tested is asserted here.
 *
 * Run as root with the argument --as-user, a test program goes on as an ordinary user. */

#include <stdbool.h>
#include <sys/types.h>

#include "bus/names.h"
#include "suite.h"
#include "util/sdbus.h"

typedef struct Client {
    sd_bus *bus;
    sd_bus_message *reply; /* of the last call; NULL if it was refused */
    sd_bus_error error;    /* of the last call */
    GString *signals;      /* a line each: "Member object argument argument…" */
    GPtrArray *pending;
} Client;

typedef struct Pending {
    Client *client;
    bool over;
    char *error; /* "" or as in bus_refuse() */
} Pending;

extern Client *client; /* the first one */
extern pid_t service;
extern char *directory; /* of this test only */

#define WORLD_MAIN(name, setup, ...)                                          \
    int main(int argc, char **argv)                                           \
    {                                                                         \
        const TTest *const tests[] = { __VA_ARGS__ };                         \
                                                                              \
        world_init(argc, argv);                                               \
        return suite_run(name, setup, world_end, tests, G_N_ELEMENTS(tests)); \
    }

void world_init(int argc, char **argv);

/* Fixtures: a service on an inherited socket, or one that listens on `socket` in the directory. */
void world_inherit(void);
void world_listen(void);
void world_end(void); /* the service must end well */

/* The service has to be gone within this time; true if it ended by itself with success. */
bool service_is_over(unsigned msec);

Client *client_new(void); /* of a world that listens */
void client_leave(Client *leaving);
int raw_connect(void); /* a connected socket without a word of D-Bus */

/* ---- calls ----------------------------------------------------------------------------------- */

#define NO_OPTIONS "a{sv}", 0

/* The interface is the object's own, or stands before the method: "org.freedesktop.DBus.Peer.Ping".
 * The reply stays the client's until its next call. */
sd_bus_message *bus_call(Client *from, const char *path, const char *method, const char *types,
                         ...);
/* The call must fail with the error whose name ends in ".<error>"; gives its message. */
const char *bus_refuse(Client *from, const char *error, const char *path, const char *method,
                       const char *types, ...);
Pending *bus_begin(Client *from, const char *path, const char *method, const char *types, ...);
const char *pending_finish(Pending *pending);

const char *bus_text(Client *from, const char *path, const char *property);
uint32_t bus_number(Client *from, const char *path, const char *property);
int32_t bus_integer(Client *from, const char *path, const char *property);
/* Waits until the text property has this value. */
void bus_await(Client *from, const char *path, const char *property, const char *value);
/* Lets the client work for a while. */
void client_run(Client *from, unsigned msec);
/* Waits until a line of the signals begins like this. */
void signal_await(Client *from, const char *line);

/* ---- instances ------------------------------------------------------------------------------- */

/* RunInstance of `sh -c script`; the object's path. _ready: returns when the script has printed a
 * line. */
const char *bus_run(Client *from, const char *name, const char *script);
const char *bus_run_ready(Client *from, const char *name, const char *script);
const char *bus_create(Client *from, const char *name, const char *script);

/* A program that cannot be executed before program_release(): the start of it hangs in its exec. */
const char *program_hold(void);
void program_release(void);
const char *bus_create_held(Client *from, const char *name);

/* Every process of the instance, as pids of ours; ends with 0. g_free. */
pid_t *bus_processes(Client *from, const char *path);
bool processes_are_gone(const pid_t *pids, unsigned msec);
