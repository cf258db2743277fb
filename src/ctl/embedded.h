/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A constellationd for one call: our child, at the other end of a socket pair. It ends when that
 * is closed, and its instances with it. */

#include <sys/types.h>

#include "util/error.h"

typedef struct Embedded {
    pid_t pid; /* 0: there is none */
} Embedded;

#define EMBEDDED_NONE ((Embedded){ 0 })

/* *ret_fd is our end of the pair, the caller's. */
bool embedded_start(Embedded *ret, int *ret_fd, GError **error);

/* After our end was closed: returns when the service has ended. One that does not within 15 s is
 * killed. */
void embedded_end(Embedded *embedded);
