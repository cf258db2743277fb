/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <glib.h>

#include "core/store-seal.h"

#define PREFIX      "# whole: "
#define SEAL_LENGTH (sizeof PREFIX - 1 + 16 + 1)

/* FNV-1a: each step maps states one to one, so a single wrong byte is always noticed. */
static uint64_t sum(const char *text, size_t length)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return hash;
}

uint64_t store_sum(const char *text)
{
    return sum(text, strlen(text));
}

static char *seal_of(const char *text, size_t length)
{
    return g_strdup_printf(PREFIX "%016" G_GINT64_MODIFIER "x\n", sum(text, length));
}

char *store_seal(const char *text)
{
    g_autofree char *seal = seal_of(text, strlen(text));

    return g_strconcat(text, seal, NULL);
}

bool store_seal_holds(const char *text)
{
    size_t length = strlen(text);

    if (length < SEAL_LENGTH)
        return false;
    g_autofree char *seal = seal_of(text, length - SEAL_LENGTH);
    return strcmp(text + length - SEAL_LENGTH, seal) == 0;
}
