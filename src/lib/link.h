/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The connection to the service, shared by all threads of the program. Everything here is called
 * with the library locked; whoever waits for an answer lets go of the lock meanwhile, and whichever
 * thread waits first reads for all of them. */

#include <stdint.h>

#include "lib/error.h"

typedef enum ServiceKind {
    SERVICE_SYSTEM,
    SERVICE_USER,
    SERVICE_SOCKET,
    SERVICE_EMBEDDED,
} ServiceKind;

const char *service_kind_name(ServiceKind kind);

/* What the service says of itself. */
typedef struct ServiceFacts {
    char node_name[256];
    char cluster_name[256];
    uint32_t max_instances;
    char **settings; /* the names of those it knows; NULL-terminated */
} ServiceFacts;

typedef struct Call Call;

typedef struct Link {
    unsigned references;
    ServiceKind kind;
    ServiceFacts facts;
    sd_bus *bus;
    int wake_fd;    /* for the thread that reads: look again */
    int service_fd; /* embedded: pidfd of the service, or -1 */
    bool reading;   /* a thread does, or sleeps over it */
    bool delivered; /* an answer for another thread than the one that reads */
    bool lost;
    Call *calls;
} Link;

/* A call that is under way; it stays where it is until link_finish(). */
struct Call {
    Call *next;
    Link *link;
    sd_bus_slot *slot;
    sd_bus_message *reply;
    int error; /* -errno: there was no answer */
    bool over;
};

/* Takes the bus. NULL: out of memory, and the bus is gone. */
Link *link_new(sd_bus *bus, ServiceKind kind);
Link *link_unref(Link *link);

/* Ends it: what is under way fails, and an embedded service ends; link_close_wait() returns when it
 * has. */
void link_lose(Link *link);
void link_close_wait(Link *link);

/* A call of the service at this object. The message is the caller's. */
int link_message(Link *link, const char *path, const char *interface, const char *member,
                 sd_bus_message **ret);

/* Begins; the message must not be touched afterwards. Each must be finished. 0: as long as calls
 * usually take. */
void link_begin(Link *link, sd_bus_message *message, uint64_t timeout_usec, Call *call);

/* Waits for the answer, which is the caller's; ret_reply may be NULL. */
ConstellationError link_finish(Call *call, sd_bus_message **ret_reply);

/* Instead: nobody wants to know any more. */
void link_abandon(Call *call);

ConstellationError link_call(Link *link, sd_bus_message *message, uint64_t timeout_usec,
                             sd_bus_message **ret_reply);

/* Reads what has come, and nothing else. */
void link_read(Link *link);

/* Asks the service what it is. */
ConstellationError link_learn(Link *link);
bool link_knows_setting(const Link *link, const char *name);
