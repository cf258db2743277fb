/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The capabilities by their names, and sets of them as 64-bit masks: bit n is capability n. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAPABILITIES_ALL UINT64_MAX /* with those that future kernels may have */

/* "CAP_SYS_ADMIN"; NULL for a number that has no name here. */
const char *capability_name(unsigned number);

/* What the words of a setting mean: these, or with a ~ before the first all but these. Any case.
 * NULL or no words: none. False: *ret_unknown is the word that is no capability. */
bool capabilities_read(const char *const *words, uint64_t *ret, const char **ret_unknown);

/* The names of a set, separated by blanks; g_free. */
char *capabilities_print(uint64_t set);
