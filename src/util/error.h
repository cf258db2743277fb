/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The errors of Constellation: one code for each row of the table in API terms (bus name, C code,
 * exit status). Layers from model/ upwards return bool and a GError of this domain; util/ and the
 * freestanding programs return -errno. bus/bus-errors.c is the only place that knows bus names. */

#include <stdbool.h>

#include <glib.h>

typedef enum ErrorCode {
    CONSTELLATION_ERROR_INVALID_ARGS,
    CONSTELLATION_ERROR_NO_MEMORY,
    CONSTELLATION_ERROR_ACCESS_DENIED,
    CONSTELLATION_ERROR_LIMITS_EXCEEDED,
    CONSTELLATION_ERROR_NOT_SUPPORTED,
    CONSTELLATION_ERROR_TIMEOUT,
    CONSTELLATION_ERROR_NO_SUCH_INSTANCE,
    CONSTELLATION_ERROR_INSTANCE_EXISTS,
    CONSTELLATION_ERROR_INVALID_STATE,
    CONSTELLATION_ERROR_SPAWN_FAILED,
    CONSTELLATION_ERROR_ISOLATION_FAILED,
    CONSTELLATION_ERROR_CGROUP_FAILED,
    CONSTELLATION_ERROR_NAMESPACE_FAILED,
    CONSTELLATION_ERROR_STALE,
    CONSTELLATION_ERROR_CANCELLED,
    CONSTELLATION_ERROR_NODE_UNAVAILABLE,
    CONSTELLATION_ERROR_AUTHORIZATION_REQUIRED, /* somebody has to authenticate for it */
    _CONSTELLATION_ERROR_COUNT,
} ErrorCode;

#define CONSTELLATION_ERROR (constellation_error_quark())
GQuark constellation_error_quark(void);

/* Sets *error to "what: text of errno". error_number is positive or negative, as it comes.
 * Returns false, so that a caller can write `return error_from_errno(...)`. */
bool error_from_errno(GError **error, ErrorCode code, int error_number, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* g_set_error of our domain that returns false. */
bool error_set(GError **error, ErrorCode code, const char *format, ...) G_GNUC_PRINTF(3, 4);
