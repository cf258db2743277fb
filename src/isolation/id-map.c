/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "isolation/id-map.h"

static void add_extent(struct IdMap *map, uint32_t inside, uint32_t outside, uint32_t count)
{
    if (count == 0)
        return;
    g_assert(map->count < ID_EXTENTS_MAX);
    map->extents[map->count++] = (struct IdExtent){ inside, outside, count };
}

static int compare_ids(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* Ascending and each once. */
static size_t sort_ids(const uint32_t *ids, size_t count, uint32_t *ret)
{
    size_t unique = 0;

    for (size_t i = 0; i < count; i++)
        ret[i] = ids[i];
    qsort(ret, count, sizeof *ret, compare_ids);
    for (size_t i = 0; i < count; i++)
        if (unique == 0 || ret[unique - 1] != ret[i])
            ret[unique++] = ret[i];
    return unique;
}

bool id_map_make(IdRange range, const uint32_t *kept, size_t n_kept, struct IdMap *ret)
{
    uint32_t sorted[2] = { 0 }, inside = 0, outside = range.start;
    uint32_t left = MIN(range.count, ID_MAP_SIZE), count;
    struct IdMap map = { .count = 0 };

    g_assert(n_kept <= G_N_ELEMENTS(sorted));
    n_kept = sort_ids(kept, n_kept, sorted);
    for (size_t i = 0; i < n_kept; i++) {
        if (sorted[i] == 0)
            continue;
        if (sorted[i] >= range.start && sorted[i] - range.start < range.count)
            return false;
        count = MIN(MIN(sorted[i], ID_MAP_SIZE) - inside, left);
        add_extent(&map, inside, outside, count);
        add_extent(&map, sorted[i], sorted[i], 1);
        outside += count;
        left -= count;
        inside = MIN(sorted[i] + 1, ID_MAP_SIZE);
    }
    add_extent(&map, inside, outside, MIN(ID_MAP_SIZE - inside, left));
    *ret = map;
    return true;
}

void id_map_keep(const uint32_t *kept, size_t n_kept, struct IdMap *ret)
{
    uint32_t sorted[ID_EXTENTS_MAX] = { 0 };

    g_assert(n_kept <= G_N_ELEMENTS(sorted));
    *ret = (struct IdMap){ .count = 0 };
    n_kept = sort_ids(kept, n_kept, sorted);
    for (size_t i = 0; i < n_kept; i++)
        add_extent(ret, sorted[i], sorted[i], 1);
}

bool id_map_outside(const struct IdMap *map, uint32_t inside, uint32_t *ret)
{
    for (uint32_t i = 0; i < map->count; i++) {
        const struct IdExtent *extent = &map->extents[i];
        if (inside < extent->inside || inside - extent->inside >= extent->count)
            continue;
        *ret = extent->outside + (inside - extent->inside);
        return true;
    }
    return false;
}

static GArray *parse_extents(const char *text)
{
    GArray *extents = g_array_new(FALSE, FALSE, sizeof(struct IdExtent));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    struct IdExtent extent;

    for (size_t i = 0; lines[i]; i++)
        if (sscanf(lines[i], "%u %u %u", &extent.inside, &extent.outside, &extent.count) == 3)
            g_array_append_val(extents, extent);
    return extents;
}

bool id_map_text_covers(const char *text, IdRange range)
{
    g_autoptr(GArray) extents = parse_extents(text);
    uint64_t next = range.start, end = (uint64_t)range.start + range.count;

    /* Each round gets to the end of one extent at least, or there is none that holds the next. */
    for (guint round = 0; round < extents->len && next < end; round++)
        for (guint i = 0; i < extents->len; i++) {
            const struct IdExtent *extent = &g_array_index(extents, struct IdExtent, i);
            if (next >= extent->inside && next - extent->inside < extent->count)
                next = (uint64_t)extent->inside + extent->count;
        }
    return next >= end;
}

static void describe_ids(GString *text, uint32_t first, uint32_t count)
{
    g_string_append_printf(text, "%u", first);
    if (count > 1)
        g_string_append_printf(text, "-%u", first + count - 1);
}

char *id_map_describe(const struct IdMap *map)
{
    GString *text = g_string_new(NULL);

    for (uint32_t i = 0; i < map->count; i++) {
        const struct IdExtent *extent = &map->extents[i];
        g_string_append(text, i > 0 ? ", " : "");
        describe_ids(text, extent->inside, extent->count);
        g_string_append(text, " is ");
        if (extent->inside == extent->outside)
            g_string_append(text, "itself");
        else
            describe_ids(text, extent->outside, extent->count);
    }
    return g_string_free(text, FALSE);
}
