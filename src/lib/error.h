/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one table from the service's errors to ConstellationError, and the sentence of the last
 * failure of each thread. */

#include <systemd/sd-bus.h>

#include "lib/constellation.h"

/* Remembers the sentence and gives the code back: return fail(...). */
ConstellationError fail(ConstellationError code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "what: text of errno", with the code that errno means. error_number: of either sign. */
ConstellationError fail_errno(int error_number, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What the service answered. */
ConstellationError fail_bus(const sd_bus_error *error);

/* Set aside while something less important may fail. */
typedef struct LastError {
    ConstellationError code;
    char sentence[1024];
} LastError;
LastError last_error_take(void);
void last_error_put(const LastError *error);
