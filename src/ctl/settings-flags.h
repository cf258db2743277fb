/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The settings of an instance as flags: every row of the table is --Name=VALUE. The text goes to
 * the service as it is, which parses it: there is one parser, and one place that says what is
 * wrong with a value. */

#include <stdio.h>

#include "model/settings.h"
#include "util/error.h"
#include "util/sdbus.h"

typedef struct SettingsFlags {
    char *texts[_SETTING_COUNT]; /* NULL: not given */
    char **command;              /* behind "--", the caller's, or NULL */
} SettingsFlags;

void settings_flags_done(SettingsFlags *flags);

/* A list grows by every flag and an empty text empties it; of others the last one counts. */
void settings_flags_add(SettingsFlags *flags, const Setting *setting, const char *text);

/* --setenv=NAME=VALUE, taken as it stands; without =VALUE it is ours. */
bool settings_flags_add_variable(SettingsFlags *flags, const char *variable, GError **error);

bool settings_flags_given(const SettingsFlags *flags, SettingId id);

bool settings_flags_any(const SettingsFlags *flags);

/* Appends a{sv}. */
void settings_flags_append(const SettingsFlags *flags, sd_bus_message *message);
