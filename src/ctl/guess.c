/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The optimal string alignment distance, case ignored, over words that are verbs and options: three
 * rows of a small table, no allocation. */

#include <limits.h>
#include <string.h>

#include <glib.h>

#include "ctl/guess.h"

#define WORD_MAX 40 /* longer than any verb or option */

static unsigned minimum(unsigned a, unsigned b, unsigned c)
{
    return MIN(MIN(a, b), c);
}

unsigned guess_distance(const char *word, const char *candidate)
{
    size_t length = strlen(word), wanted = strlen(candidate);
    unsigned rows[3][WORD_MAX + 1];

    if (length == 0 || length > WORD_MAX || wanted > WORD_MAX)
        return UINT_MAX;
    for (size_t j = 0; j <= wanted; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= length; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= wanted; j++) {
            char a = g_ascii_tolower(word[i - 1]), b = g_ascii_tolower(candidate[j - 1]);

            row[j] = minimum(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b));
            if (i > 1 && j > 1 && a == g_ascii_tolower(candidate[j - 2]) &&
                b == g_ascii_tolower(word[i - 2]))
                row[j] = MIN(row[j], two_above[j - 2] + 1);
        }
    }

    unsigned distance = rows[length % 3][wanted];

    return distance <= MAX(1, wanted / 3) ? distance : UINT_MAX;
}

const char *guess_better(const char *word, const char *best, const char *candidate)
{
    unsigned distance = guess_distance(word, candidate);

    if (distance == UINT_MAX)
        return best;
    return !best || distance < guess_distance(word, best) ? candidate : best;
}
