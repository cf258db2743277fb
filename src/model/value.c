/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A tagged union with an owner: everything that depends on the kind of a value alone. */

#include <string.h>

#include "model/value.h"

Value value_copy(const Value *value)
{
    Value copy = *value;

    if (value->kind == VALUE_STRING)
        copy.string = g_strdup(value->string);
    else if (value->kind == VALUE_STRV)
        copy.strv = g_strdupv(value->strv);
    return copy;
}

bool value_equal(const Value *a, const Value *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case VALUE_NONE:
        return true;
    case VALUE_NUMBER:
        return a->number == b->number;
    case VALUE_STRING:
        return g_str_equal(a->string, b->string);
    case VALUE_STRV:
        return g_strv_equal((const char *const *)a->strv, (const char *const *)b->strv);
    }
    g_assert_not_reached();
}

/* Which of them is a secret is not known here, and it is done in no time. */
static void wipe(char *string)
{
    explicit_bzero(string, strlen(string));
}

void value_clear(Value *value)
{
    if (value->kind == VALUE_STRING)
        wipe(value->string);
    for (size_t i = 0; value->kind == VALUE_STRV && value->strv[i]; i++)
        wipe(value->strv[i]);
    if (value->kind == VALUE_STRING)
        g_free(value->string);
    else if (value->kind == VALUE_STRV)
        g_strfreev(value->strv);
    *value = (Value){ .kind = VALUE_NONE };
}
