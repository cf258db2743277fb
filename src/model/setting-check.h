/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether a value may be the value of a setting: of the right shape and within its range. Each
 * check returns false and INVALID_ARGS in the words of the setting. */

#include "model/settings.h"
#include "model/value.h"

/* Which kind of value a setting has. */
ValueKind setting_kind(const Setting *setting);

/* Range of a number, be it a bool, a choice or a size. The culprit is the text that it was read
 * from, or NULL: then the number is printed. */
bool setting_check_number(const Setting *setting, uint64_t number, const char *culprit,
                          GError **error);
bool setting_check_string(const Setting *setting, const char *string, GError **error);
bool setting_check_strv(const Setting *setting, const char *const *strv, GError **error);

/* "NAME=CULPRIT: REASON" as INVALID_ARGS, or "NAME: REASON" for a secret; returns false. */
bool setting_refuse(const Setting *setting, const char *culprit, GError **error, const char *reason,
                    ...) G_GNUC_PRINTF(4, 5);
