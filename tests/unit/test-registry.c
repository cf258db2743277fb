/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The registry, with instances that are in nothing else. */

#include "core/registry.h"
#include "suite.h"

static Registry *registry;
static GPtrArray *instances;

static Instance *make(const char *id, uid_t owner, const char *name)
{
    Instance *instance = instance_new(NULL, id, name, owner, spec_new());

    g_ptr_array_add(instances, instance);
    return instance;
}

static Instance *add(const char *id, uid_t owner, const char *name)
{
    Instance *instance = make(id, owner, name);

    ck_assert(registry_add(registry, instance, NULL));
    return instance;
}

static void prepare(void)
{
    registry = registry_new();
    instances = g_ptr_array_new_with_free_func((GDestroyNotify)instance_free);
}

static void clean(void)
{
    for (guint i = 0; i < instances->len; i++)
        registry_remove(registry, g_ptr_array_index(instances, i));
    g_clear_pointer(&registry, registry_free);
    g_clear_pointer(&instances, g_ptr_array_unref);
}

START_TEST(an_instance_is_found_by_id_and_by_owner_and_name)
{
    Instance *web = add("i0000000000001", 1000, "web");

    ck_assert_ptr_eq(registry_by_id(registry, "i0000000000001"), web);
    ck_assert_ptr_eq(registry_by_name(registry, 1000, "web"), web);
    ck_assert_ptr_null(registry_by_id(registry, "i0000000000002"));
    ck_assert_ptr_null(registry_by_name(registry, 0, "web"));
    ck_assert_ptr_null(registry_by_name(registry, 1000, "we"));
}
END_TEST

START_TEST(each_owner_has_names_of_its_own)
{
    Instance *ours = add("i0000000000001", 0, "web");
    Instance *theirs = add("i0000000000002", 1000, "web");

    ck_assert_ptr_eq(registry_by_name(registry, 0, "web"), ours);
    ck_assert_ptr_eq(registry_by_name(registry, 1000, "web"), theirs);
    ck_assert_uint_eq(registry_count(registry), 2);
}
END_TEST

START_TEST(a_name_is_given_once)
{
    g_autoptr(GError) error = NULL;
    Instance *first = add("i0000000000001", 0, "web");

    ck_assert(!registry_add(registry, make("i0000000000002", 0, "web"), &error));
    ck_assert_int_eq(error->code, CONSTELLATION_ERROR_INSTANCE_EXISTS);
    ck_assert_ptr_eq(registry_by_name(registry, 0, "web"), first);
    ck_assert_ptr_null(registry_by_id(registry, "i0000000000002"));
}
END_TEST

START_TEST(an_id_is_given_once)
{
    (void)add("i0000000000001", 0, "web");
    ck_assert(!registry_add(registry, make("i0000000000001", 0, "other"), NULL));
    ck_assert_ptr_null(registry_by_name(registry, 0, "other"));
}
END_TEST

START_TEST(what_was_refused_takes_nothing_away)
{
    Instance *first = add("i0000000000001", 0, "web");

    registry_remove(registry, make("i0000000000001", 0, "web"));
    ck_assert_ptr_eq(registry_by_id(registry, "i0000000000001"), first);
    ck_assert_ptr_eq(registry_by_name(registry, 0, "web"), first);
}
END_TEST

START_TEST(what_is_removed_is_gone_and_its_name_free)
{
    Instance *first = add("i0000000000001", 0, "web");

    registry_remove(registry, first);
    registry_remove(registry, first);
    ck_assert_uint_eq(registry_count(registry), 0);
    ck_assert_ptr_null(registry_by_name(registry, 0, "web"));
    (void)add("i0000000000002", 0, "web");
}
END_TEST

START_TEST(the_list_is_in_the_order_of_ids)
{
    static const char *const ids[] = { "i0000000000003", "i000000000000a", "i0000000000001",
                                       "i0000000000002" };
    static const char *const sorted[] = { "i0000000000001", "i0000000000002", "i0000000000003",
                                          "i000000000000a" };

    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++)
        (void)add(ids[i], (uid_t)i, "web");
    g_autoptr(GPtrArray) list = registry_list(registry);
    ck_assert_uint_eq(list->len, G_N_ELEMENTS(sorted));
    for (guint i = 0; i < list->len; i++)
        ck_assert_str_eq(((const Instance *)g_ptr_array_index(list, i))->id, sorted[i]);
}
END_TEST

SUITE_MAIN_WITH("core/registry", prepare, clean, an_instance_is_found_by_id_and_by_owner_and_name,
                each_owner_has_names_of_its_own, a_name_is_given_once, an_id_is_given_once,
                what_was_refused_takes_nothing_away, what_is_removed_is_gone_and_its_name_free,
                the_list_is_in_the_order_of_ids)
