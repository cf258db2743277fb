/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "ctl/fields.h"

#define LABEL_WIDTH 12

void field_print(const char *label, const char *text)
{
    g_autofree char *safe = text_safe(text);

    if (*text)
        printf("%*s%c %s\n", LABEL_WIDTH, label, *label ? ':' : ' ', safe);
}

void field_printf(const char *label, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    field_print(label, text);
}
