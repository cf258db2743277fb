/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Values as they come from the bus: of whatever type the service gives a property, also one that
 * is newer than this program. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "util/json.h"
#include "util/error.h"
#include "util/sdbus.h"

typedef enum VariantKind {
    VARIANT_BOOL,
    VARIANT_INT,
    VARIANT_UINT,
    VARIANT_DOUBLE,
    VARIANT_STRING,
    VARIANT_LIST,   /* items */
    VARIANT_STRUCT, /* items */
    VARIANT_DICT,   /* items: key, value, key, value … in the order of the message */
} VariantKind;

typedef struct Variant {
    VariantKind kind;
    union {
        bool boolean;
        int64_t integer;
        uint64_t number; /* UINT64_MAX: no limit, or not known */
        double real;
        char *string;
        GPtrArray *items; /* of Variant */
    };
} Variant;

/* The next value of a message; a variant is what it holds. */
Variant *variant_read(sd_bus_message *message, GError **error);
void variant_free(Variant *value);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Variant, variant_free)

const Variant *variant_item(const Variant *value, unsigned i);
unsigned variant_n_items(const Variant *value); /* 0 for what has none */

/* Item i of a dict, i even: "" if it is no string. */
const char *variant_key(const Variant *dict, unsigned i);

/* Of a dict: NULL, "" or `fallback` if it is not there, or of another kind. */
const Variant *variant_lookup(const Variant *dict, const char *key);
const char *variant_string(const Variant *dict, const char *key);
uint64_t variant_uint(const Variant *dict, const char *key, uint64_t fallback);
int64_t variant_int(const Variant *dict, const char *key, int64_t fallback);

/* The string in this place of a struct; "" if there is none. */
const char *variant_field(const Variant *structure, unsigned i);

/* One line: words of a list or struct are quoted where needed; g_free. */
char *variant_text(const Variant *value);

void variant_print_json(const Variant *value, Json *json);
