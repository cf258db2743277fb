/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Calls to the service, and the errors that come back. */

#include <stdint.h>

#include "ctl/connection.h"
#include "ctl/variant.h"
#include "util/error.h"
#include "util/sdbus.h"

#define SERVICE_NAME       "org.rads.Constellation"
#define MANAGER_PATH       "/org/rads/Constellation"
#define INSTANCE_PATHS     MANAGER_PATH "/instance"
#define MANAGER_INTERFACE  SERVICE_NAME ".Manager"
#define INSTANCE_INTERFACE SERVICE_NAME ".Instance"
#define SETTINGS_INTERFACE SERVICE_NAME ".Settings"

/* How long a call may take that does something: somebody may have to be asked for a password. */
#define CALL_TIMEOUT_USEC (5 * 60 * (uint64_t)1000000)

/* Building a message of valid strings fails for lack of memory only, and then GLib ends us, too. */
static inline void must(int r)
{
    g_assert(r >= 0);
}

/* A call without arguments so far. */
sd_bus_message *call_new(const Connection *connection, const char *path, const char *interface,
                         const char *member);

/* The reply, or NULL. */
sd_bus_message *call_send(const Connection *connection, sd_bus_message *message, GError **error);

/* Both in one, with arguments as for sd_bus_message_append(). */
sd_bus_message *call(const Connection *connection, const char *path, const char *interface,
                     const char *member, GError **error, const char *types, ...);

/* The service's error as one of ours; false. `r` counts where the error is not set. */
bool call_error(const Connection *connection, const sd_bus_error *bus_error, int r, GError **error);

/* The service was not there, and may come back: on a bus it is perhaps just being restarted. */
bool call_failed_in_passing(const Connection *connection, const GError *error);

/* sd_bus_message_read() with an error. */
bool reply_read(sd_bus_message *reply, GError **error, const char *types, ...);

/* The error for a reply that cannot be read; false. */
bool reply_is_odd(GError **error, int r);

/* The object of the instance that a user names; g_free. */
char *instance_path(const Connection *connection, const char *name, GError **error);

/* The instance's id is the last part of its path. */
const char *path_id(const char *path);

/* All properties of an interface, as a VARIANT_DICT. */
Variant *properties_get(const Connection *connection, const char *path, const char *interface,
                        GError **error);
