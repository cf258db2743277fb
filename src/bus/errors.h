/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one table from our error codes to names on the bus. */

#include "util/error.h"
#include "util/sdbus.h"

const char *bus_error_name(const GError *error);

/* Fills the sd_bus_error and returns its negative errno, as a handler returns it. */
int bus_fail(sd_bus_error *ret, const GError *error);

/* The same for an error made on the spot. */
int bus_fail_code(sd_bus_error *ret, ErrorCode code, const char *format, ...) G_GNUC_PRINTF(3, 4);
