/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What was asked for: a value for each row of the table of settings, or nothing. Setters check the
 * type and the range of one value; spec_validate() checks what they say together. */

#include "model/settings.h"

typedef struct Spec Spec;

Spec *spec_new(void);
Spec *spec_copy(const Spec *spec);
void spec_free(Spec *spec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Spec, spec_free)

bool spec_is_set(const Spec *spec, SettingId id);
void spec_unset(Spec *spec, SettingId id);

/* The value, or the row's default if not set; 0 or NULL where there is no default either. Wrong
 * accessor for the row's type: programming error, g_assert. Strings stay the Spec's. */
uint64_t spec_get_uint(const Spec *spec, SettingId id);
const char *spec_get_string(const Spec *spec, SettingId id);
const char *const *spec_get_strv(const Spec *spec, SettingId id);

/* Set one value; false and INVALID_ARGS naming the setting by its file name, the culprit value and
 * what would do. Nothing is changed then. A secret value is never part of the message.
 * spec_set_text takes the file's spelling for every type. An empty text is an error for numbers
 * and enums. */
bool spec_set_uint(Spec *spec, SettingId id, uint64_t value, GError **error);
bool spec_set_string(Spec *spec, SettingId id, const char *value, GError **error);
bool spec_set_strv(Spec *spec, SettingId id, const char *const *value, GError **error);
bool spec_set_text(Spec *spec, SettingId id, const char *text, GError **error);

/* The file's spelling of the value (or default), such that spec_set_text() gives the same value
 * again; g_free. */
char *spec_get_text(const Spec *spec, SettingId id);

/* What its values take, in bytes. */
size_t spec_size(const Spec *spec);

/* Contradictions and limits of the whole: Script with Command, Interpreter without Script, unknown
 * names in Require=, Hostname with UTSNamespace=off, ambient capabilities beyond the bounding set,
 * files (mount-check.h), argv and environment above 1 MiB together. */
bool spec_validate(const Spec *spec, GError **error);

/* One row per set value, in the order of the table, for the store: group [Settings], key = file
 * name, value = text. Loading refuses unknown keys and bad values (INVALID_ARGS). */
void spec_to_key_file(const Spec *spec, GKeyFile *file);
Spec *spec_from_key_file(GKeyFile *file, GError **error);
