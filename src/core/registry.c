/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "core/registry.h"

struct Registry {
    GHashTable *by_id;   /* the instance's id -> Instance */
    GHashTable *by_name; /* "OWNER/NAME" -> Instance */
    GHashTable *counts;  /* owner -> how many */
};

static char *name_key(uid_t owner, const char *name)
{
    return g_strdup_printf("%u/%s", owner, name);
}

Registry *registry_new(void)
{
    Registry *registry = g_new0(Registry, 1);

    registry->by_id = g_hash_table_new(g_str_hash, g_str_equal);
    registry->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    registry->counts = g_hash_table_new(NULL, NULL);
    return registry;
}

void registry_free(Registry *registry)
{
    if (!registry)
        return;
    g_assert(g_hash_table_size(registry->by_id) == 0);
    g_hash_table_unref(registry->by_id);
    g_hash_table_unref(registry->by_name);
    g_hash_table_unref(registry->counts);
    g_free(registry);
}

guint registry_count_of(Registry *registry, uid_t owner)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(registry->counts, GUINT_TO_POINTER(owner)));
}

static void change_count(Registry *registry, uid_t owner, int by)
{
    guint count = registry_count_of(registry, owner) + (guint)by;

    if (count > 0)
        g_hash_table_insert(registry->counts, GUINT_TO_POINTER(owner), GUINT_TO_POINTER(count));
    else
        g_hash_table_remove(registry->counts, GUINT_TO_POINTER(owner));
}

bool registry_add(Registry *registry, Instance *instance, GError **error)
{
    g_autofree char *key = name_key(instance->owner, instance->name);

    if (g_hash_table_contains(registry->by_name, key) ||
        g_hash_table_contains(registry->by_id, instance->id))
        return error_set(error, CONSTELLATION_ERROR_INSTANCE_EXISTS,
                         "there is an instance '%s' already: choose another name, or destroy it "
                         "first",
                         instance->name);
    g_hash_table_insert(registry->by_id, instance->id, instance);
    g_hash_table_insert(registry->by_name, g_steal_pointer(&key), instance);
    change_count(registry, instance->owner, 1);
    return true;
}

void registry_remove(Registry *registry, Instance *instance)
{
    g_autofree char *key = name_key(instance->owner, instance->name);

    if (g_hash_table_lookup(registry->by_id, instance->id) != instance)
        return;
    g_hash_table_remove(registry->by_id, instance->id);
    g_hash_table_remove(registry->by_name, key);
    change_count(registry, instance->owner, -1);
}

Instance *registry_by_id(Registry *registry, const char *id)
{
    return g_hash_table_lookup(registry->by_id, id);
}

Instance *registry_by_name(Registry *registry, uid_t owner, const char *name)
{
    g_autofree char *key = name_key(owner, name);

    return g_hash_table_lookup(registry->by_name, key);
}

guint registry_count(Registry *registry)
{
    return g_hash_table_size(registry->by_id);
}

static gint compare_ids(gconstpointer a, gconstpointer b)
{
    const Instance *const *left = a, *const *right = b;

    return strcmp((*left)->id, (*right)->id);
}

GPtrArray *registry_list(Registry *registry)
{
    GPtrArray *list = g_ptr_array_sized_new(g_hash_table_size(registry->by_id));
    GHashTableIter iterator;
    gpointer instance;

    g_hash_table_iter_init(&iterator, registry->by_id);
    while (g_hash_table_iter_next(&iterator, NULL, &instance))
        g_ptr_array_add(list, instance);
    g_ptr_array_sort(list, compare_ids);
    return list;
}
