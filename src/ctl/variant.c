/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>

#include "ctl/variant.h"
#include "util/parse.h"

void variant_free(Variant *value)
{
    if (!value)
        return;
    if (value->kind == VARIANT_STRING)
        g_free(value->string);
    else if (value->kind >= VARIANT_LIST)
        g_ptr_array_unref(value->items);
    g_free(value);
}

const Variant *variant_item(const Variant *value, unsigned i)
{
    return g_ptr_array_index(value->items, i);
}

unsigned variant_n_items(const Variant *value)
{
    return value->kind >= VARIANT_LIST ? value->items->len : 0;
}

const char *variant_key(const Variant *dict, unsigned i)
{
    const Variant *key = variant_item(dict, i);

    return key->kind == VARIANT_STRING ? key->string : "";
}

const Variant *variant_lookup(const Variant *dict, const char *key)
{
    for (unsigned i = 0; i + 1 < variant_n_items(dict); i += 2)
        if (g_str_equal(variant_key(dict, i), key))
            return variant_item(dict, i + 1);
    return NULL;
}

const char *variant_string(const Variant *dict, const char *key)
{
    const Variant *value = variant_lookup(dict, key);

    return value && value->kind == VARIANT_STRING ? value->string : "";
}

uint64_t variant_uint(const Variant *dict, const char *key, uint64_t fallback)
{
    const Variant *value = variant_lookup(dict, key);

    return value && value->kind == VARIANT_UINT ? value->number : fallback;
}

int64_t variant_int(const Variant *dict, const char *key, int64_t fallback)
{
    const Variant *value = variant_lookup(dict, key);

    return value && value->kind == VARIANT_INT ? value->integer : fallback;
}

const char *variant_field(const Variant *structure, unsigned i)
{
    if (structure->kind != VARIANT_STRUCT || i >= variant_n_items(structure))
        return "";

    const Variant *field = variant_item(structure, i);

    return field->kind == VARIANT_STRING ? field->string : "";
}

static char *words_text(const Variant *value)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);

    for (unsigned i = 0; i < variant_n_items(value); i++)
        g_ptr_array_add(words, variant_text(variant_item(value, i)));
    g_ptr_array_add(words, NULL);
    return format_words((const char *const *)words->pdata);
}

char *variant_text(const Variant *value)
{
    char real[G_ASCII_DTOSTR_BUF_SIZE];

    switch (value->kind) {
    case VARIANT_BOOL:
        return g_strdup(value->boolean ? "yes" : "no");
    case VARIANT_INT:
        return g_strdup_printf("%" PRIi64, value->integer);
    case VARIANT_UINT:
        return value->number == UINT64_MAX ? g_strdup("infinity")
                                           : g_strdup_printf("%" PRIu64, value->number);
    case VARIANT_DOUBLE:
        return g_strdup(g_ascii_dtostr(real, sizeof real, value->real));
    case VARIANT_STRING:
        return g_strdup(value->string);
    case VARIANT_LIST:
    case VARIANT_STRUCT:
    case VARIANT_DICT:
        return words_text(value);
    }
    g_assert_not_reached();
}

static void dict_print_json(const Variant *dict, Json *json)
{
    json_open_object(json);
    for (unsigned i = 0; i + 1 < variant_n_items(dict); i += 2) {
        g_autofree char *key = variant_text(variant_item(dict, i));

        json_key(json, key);
        variant_print_json(variant_item(dict, i + 1), json);
    }
    json_close_object(json);
}

void variant_print_json(const Variant *value, Json *json)
{
    switch (value->kind) {
    case VARIANT_BOOL:
        json_bool(json, value->boolean);
        return;
    case VARIANT_INT:
        json_int(json, value->integer);
        return;
    case VARIANT_UINT:
        value->number == UINT64_MAX ? json_null(json) : json_uint(json, value->number);
        return;
    case VARIANT_DOUBLE:
        json_double(json, value->real);
        return;
    case VARIANT_STRING:
        json_string(json, value->string);
        return;
    case VARIANT_DICT:
        dict_print_json(value, json);
        return;
    case VARIANT_LIST:
    case VARIANT_STRUCT:
        json_open_array(json);
        for (unsigned i = 0; i < variant_n_items(value); i++)
            variant_print_json(variant_item(value, i), json);
        json_close_array(json);
        return;
    }
    g_assert_not_reached();
}
