/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One value of one setting, whatever its type: a number, a string or a list of strings. */

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

typedef enum ValueKind {
    VALUE_NONE, /* not set; what a zeroed Value is */
    VALUE_NUMBER,
    VALUE_STRING,
    VALUE_STRV,
} ValueKind;

/* Owns its string or list (never NULL for its kind). */
typedef struct Value {
    ValueKind kind;
    union {
        uint64_t number;
        char *string;
        char **strv;
    };
} Value;

Value value_copy(const Value *value);
bool value_equal(const Value *a, const Value *b);

/* Frees what it holds; VALUE_NONE afterwards. */
void value_clear(Value *value);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Value, value_clear)
