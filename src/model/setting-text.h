/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The spelling of single values in files and flags. */

#include "model/settings.h"
#include "model/value.h"

/* Reads and checks a text; *ret is the caller's (value_clear). INVALID_ARGS in the words of the
 * setting. */
bool setting_parse(const Setting *setting, const char *text, Value *ret, GError **error);

/* The text that setting_parse() reads as this value; "" for VALUE_NONE. g_free. */
char *setting_print(const Setting *setting, const Value *value);

/* The same for the number of a numeric setting, even one out of its range. */
char *setting_print_number(const Setting *setting, uint64_t number);

/* What would do, to stand behind "must be": "from 1 to 10000", "required, try or off". */
char *setting_expected(const Setting *setting);
