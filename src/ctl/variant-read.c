/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Walks a message by the types it says it has; D-Bus limits how deep they may be nested. */

#include <errno.h>
#include <string.h>

#include "ctl/call.h"
#include "ctl/variant.h"

static Variant *variant_new(VariantKind kind)
{
    Variant *value = g_new0(Variant, 1);

    value->kind = kind;
    if (kind >= VARIANT_LIST)
        value->items = g_ptr_array_new_with_free_func((GDestroyNotify)variant_free);
    return value;
}

static int read_any(sd_bus_message *message, Variant **ret);

/* The elements up to the end of the container that was entered. */
static int read_items(sd_bus_message *message, GPtrArray *items)
{
    int r;

    for (;;) {
        Variant *item = NULL;

        r = sd_bus_message_at_end(message, false);
        if (r != 0)
            return MIN(r, 0);
        r = read_any(message, &item);
        if (r < 0)
            return r;
        g_ptr_array_add(items, item);
    }
}

/* Key and value of each entry become two items. */
static int read_entries(sd_bus_message *message, const char *contents, GPtrArray *items)
{
    g_autofree char *entry = g_strndup(contents + 1, strlen(contents) - 2);
    int r;

    while ((r = sd_bus_message_enter_container(message, 'e', entry)) > 0) {
        r = read_items(message, items);
        if (r >= 0)
            r = sd_bus_message_exit_container(message);
        if (r < 0)
            return r;
    }
    return r;
}

static int read_container(sd_bus_message *message, char type, const char *contents, Variant **ret)
{
    bool dict = type == 'a' && *contents == '{';
    g_autoptr(Variant) value = variant_new(dict          ? VARIANT_DICT
                                           : type == 'a' ? VARIANT_LIST
                                                         : VARIANT_STRUCT);
    /* The string is the message's, and valid only until the next step into it. */
    g_autofree char *inner = g_strdup(contents);
    int r = sd_bus_message_enter_container(message, type, inner);

    if (r < 0)
        return r;
    r = dict ? read_entries(message, inner, value->items) : read_items(message, value->items);
    if (r < 0)
        return r;
    r = sd_bus_message_exit_container(message);
    if (r < 0)
        return r;
    *ret = g_steal_pointer(&value);
    return 0;
}

static int read_variant(sd_bus_message *message, const char *contents, Variant **ret)
{
    g_autofree char *inner = g_strdup(contents);
    g_autoptr(Variant) value = NULL;
    int r = sd_bus_message_enter_container(message, 'v', inner);

    if (r < 0)
        return r;
    r = read_any(message, &value);
    if (r < 0)
        return r;
    r = sd_bus_message_exit_container(message);
    if (r < 0)
        return r;
    *ret = g_steal_pointer(&value);
    return 0;
}

static Variant *variant_from_basic(char type, const void *data)
{
    static const struct {
        char type;
        VariantKind kind;
    } kinds[] = {
        { 'b', VARIANT_BOOL },   { 'y', VARIANT_UINT },   { 'n', VARIANT_INT },
        { 'q', VARIANT_UINT },   { 'i', VARIANT_INT },    { 'u', VARIANT_UINT },
        { 'x', VARIANT_INT },    { 't', VARIANT_UINT },   { 'h', VARIANT_INT },
        { 'd', VARIANT_DOUBLE }, { 's', VARIANT_STRING }, { 'o', VARIANT_STRING },
        { 'g', VARIANT_STRING },
    };
    Variant *value = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (kinds[i].type == type)
            value = variant_new(kinds[i].kind);
    g_assert(value);
    switch (type) {
    case 'b':
        value->boolean = *(const int *)data;
        break;
    case 'y':
        value->number = *(const uint8_t *)data;
        break;
    case 'n':
        value->integer = *(const int16_t *)data;
        break;
    case 'q':
        value->number = *(const uint16_t *)data;
        break;
    case 'i':
    case 'h':
        value->integer = *(const int32_t *)data;
        break;
    case 'u':
        value->number = *(const uint32_t *)data;
        break;
    case 'x':
        value->integer = *(const int64_t *)data;
        break;
    case 't':
        value->number = *(const uint64_t *)data;
        break;
    case 'd':
        value->real = *(const double *)data;
        break;
    default:
        value->string = g_strdup(*(const char *const *)data);
        break;
    }
    return value;
}

static int read_any(sd_bus_message *message, Variant **ret)
{
    union {
        uint64_t number;
        double real;
        const char *string;
    } data = { 0 };
    const char *contents;
    char type;
    int r = sd_bus_message_peek_type(message, &type, &contents);

    if (r <= 0)
        return r < 0 ? r : -ENODATA;
    if (type == 'v')
        return read_variant(message, contents, ret);
    if (type == 'a' || type == 'r')
        return read_container(message, type, contents, ret);
    r = sd_bus_message_read_basic(message, type, &data);
    if (r < 0)
        return r;
    *ret = variant_from_basic(type, &data);
    return 0;
}

Variant *variant_read(sd_bus_message *message, GError **error)
{
    Variant *value = NULL;
    int r = read_any(message, &value);

    if (r < 0)
        reply_is_odd(error, r);
    return value;
}
