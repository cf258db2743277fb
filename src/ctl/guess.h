/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The word that was probably meant. */

/* Whether `word` may be a slip of the keyboard for `candidate`: the number of letters to add, drop,
 * change or swap, or UINT_MAX if that is more than a slip. */
unsigned guess_distance(const char *word, const char *candidate);

/* Keeps the nearer of the best candidate so far (NULL at first) and this one. */
const char *guess_better(const char *word, const char *best, const char *candidate);
