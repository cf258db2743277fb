/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A decimal number with a fraction, scaled to an integer without going through floating point:
 * "1.1G" and "0.3s" mean exactly what they say on every machine. */

#include <stddef.h>
#include <stdint.h>

/* The digits before and behind the point, where they stand in the text. */
typedef struct Decimal {
    const char *whole;
    size_t whole_length;
    const char *fraction;
    size_t fraction_length;
} Decimal;

/* Reads "12", "12.5" or ".5" at *cursor and moves the cursor behind it; -EINVAL and the cursor
 * stays if there is none. */
int decimal_scan(const char **cursor, Decimal *ret);

/* The digits before the point; -ERANGE. */
int decimal_whole(const Decimal *decimal, uint64_t *ret);

/* The largest integer not above decimal * unit, for units up to 2^60. -ERANGE if it is not below
 * UINT64_MAX, which stands for infinity wherever a unit is used. */
int decimal_scale(const Decimal *decimal, uint64_t unit, uint64_t *ret);
