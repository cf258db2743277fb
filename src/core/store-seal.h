/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The last line of a file of the store, a comment to its format, which says that what is before it
 * is whole: a text that breaks off between two lines is one that parses, and an instance that has
 * lost its User= or its limits must not be taken for one that never had any. Against accidents of
 * disks and people, not against those who can write there anyway. */

#include <stdbool.h>
#include <stdint.h>

/* The sum over a text: of two texts that are not the same it is as good as never the same. */
uint64_t store_sum(const char *text);

/* The text with its seal; g_free. */
char *store_seal(const char *text);

/* Whether text is what store_seal() gave. */
bool store_seal_holds(const char *text);
