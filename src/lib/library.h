/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the library is at a time: one lock, one connection, and the instances that it has handed
 * out. */

#include <pthread.h>

#include "lib/link.h"

#define BUS_NAME           "org.rads.Constellation"
#define BUS_PATH           "/org/rads/Constellation"
#define INTERFACE_MANAGER  BUS_NAME ".Manager"
#define INTERFACE_INSTANCE BUS_NAME ".Instance"
#define INTERFACE_SETTINGS BUS_NAME ".Settings"

/* Frees at the end of the block. */
#define auto_message __attribute__((cleanup(message_unrefp))) sd_bus_message *
static inline void message_unrefp(sd_bus_message **message)
{
    sd_bus_message_unref(*message);
}

typedef struct Handle Handle;

typedef enum Phase {
    PHASE_IDLE,
    PHASE_CONNECTING, /* one thread is in constellation_init(), or reconnects */
    PHASE_READY,
    PHASE_CLOSING,
} Phase;

struct Library {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* whatever somebody may wait for */
    Phase phase;
    pid_t pid;               /* whose it is: a child after fork() has none */
    unsigned users;          /* calls inside */
    Link *link;              /* may be lost */
    ControllerConfig config; /* as given */
    Handle *first, *last;    /* by creation */
};
extern struct Library library;

/* Locks, and makes sure that there is a service to talk to: a lost one is looked for again. On
 * failure the library is not locked. */
ConstellationError library_enter(void);
void library_leave(void);

/* Without a service: whatever state the library is in. */
void library_lock(void);
void library_unlock(void);

/* service.c: connects to the service that the options and the config mean. */
ConstellationError service_connect(Link **ret);
/* For a library that was connected before: to the same kind. */
ConstellationError service_reconnect(Link **ret);

/* embedded.c: *ret_fd is our end of its socket, *ret_pidfd its process (or -1). */
ConstellationError embedded_start(const ControllerConfig *config, int *ret_fd, int *ret_pidfd);

/* service.c */
typedef struct LibraryOptions {
    char service[108]; /* "auto", "system", …, or a path */
    uint64_t timeout_usec;
} LibraryOptions;
extern LibraryOptions library_options;
