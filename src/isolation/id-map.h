/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Maps of ids between the inside and the outside of a user namespace. Pure. */

#include <stdbool.h>
#include <stddef.h>

#include <glib.h>

#include "isolation/wire.h"

/* How many ids are mapped from a range: those that programs count on, nobody (65534) included. */
#define ID_MAP_SIZE 65536u

/* Consecutive ids of the host. */
typedef struct IdRange {
    uint32_t start;
    uint32_t count; /* 0: none */
} IdRange;

/* The ids from 0 on are those of the range in their order, as far as it goes; each of `kept` is
 * itself outside as well. root (0) is never kept. Two may be. False if the range holds one that is
 * kept: two ids cannot be one outside. */
bool id_map_make(IdRange range, const uint32_t *kept, size_t n_kept, struct IdMap *ret);

/* Each of these ids is itself, and nothing else is mapped; root (0) is allowed here. */
void id_map_keep(const uint32_t *kept, size_t n_kept, struct IdMap *ret);

/* What the id is called outside; false if it is not mapped. */
bool id_map_outside(const struct IdMap *map, uint32_t inside, uint32_t *ret);

/* Whether all ids of a range exist in the namespace of which `text` is the uid_map or gid_map
 * file. */
bool id_map_text_covers(const char *text, IdRange range);

/* "0-999 is 100000-100999, 1000 is itself, …". g_free. */
char *id_map_describe(const struct IdMap *map);
