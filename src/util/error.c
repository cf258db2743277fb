/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdbool.h>
#include <stdlib.h>

#include "util/error.h"

/* clang-format off */
G_DEFINE_QUARK(constellation-error-quark, constellation_error)
/* clang-format on */

bool error_set(GError **error, ErrorCode code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, CONSTELLATION_ERROR, (int)code, text);
    return false;
}

bool error_from_errno(GError **error, ErrorCode code, int error_number, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);
    return error_set(error, code, "%s: %s", what, g_strerror(abs(error_number)));
}
