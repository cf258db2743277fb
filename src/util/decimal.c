/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Decimal numbers with a fraction. Scanning comes apart from scaling because the unit stands behind
 * the number, and because a text of the wrong form must be told from a number that is too large. */

#include <errno.h>

#include <glib.h>

#include "util/decimal.h"

static size_t digits_length(const char *text)
{
    size_t length = 0;

    while (g_ascii_isdigit(text[length]))
        length++;
    return length;
}

int decimal_scan(const char **cursor, Decimal *ret)
{
    Decimal decimal = { .whole = *cursor, .whole_length = digits_length(*cursor) };
    const char *end = decimal.whole + decimal.whole_length;

    decimal.fraction = end;
    if (*end == '.') {
        decimal.fraction = end + 1;
        decimal.fraction_length = digits_length(decimal.fraction);
        if (decimal.fraction_length == 0)
            return -EINVAL;
        end = decimal.fraction + decimal.fraction_length;
    }
    if (end == *cursor)
        return -EINVAL;

    *cursor = end;
    *ret = decimal;
    return 0;
}

int decimal_whole(const Decimal *decimal, uint64_t *ret)
{
    uint64_t value = 0;

    for (size_t i = 0; i < decimal->whole_length; i++) {
        uint64_t digit = (uint64_t)(decimal->whole[i] - '0');

        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return -ERANGE;
    }
    *ret = value;
    return 0;
}

/* From the last digit to the first: each division rounds down, and nested like this the result is
 * the exact quotient rounded down, for any number of digits. It never exceeds the unit. */
static uint64_t fraction_scale(const Decimal *decimal, uint64_t unit)
{
    uint64_t scaled = 0;

    for (size_t i = decimal->fraction_length; i > 0; i--)
        scaled = (scaled + (uint64_t)(decimal->fraction[i - 1] - '0') * unit) / 10;
    return scaled;
}

int decimal_scale(const Decimal *decimal, uint64_t unit, uint64_t *ret)
{
    uint64_t value;
    int r = decimal_whole(decimal, &value);

    if (r < 0)
        return r;
    if (__builtin_mul_overflow(value, unit, &value) ||
        __builtin_add_overflow(value, fraction_scale(decimal, unit), &value) || value == UINT64_MAX)
        return -ERANGE;
    *ret = value;
    return 0;
}
