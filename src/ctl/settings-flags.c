/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>
#include <string.h>

#include "ctl/call.h"
#include "ctl/settings-flags.h"
#include "util/parse.h"

void settings_flags_done(SettingsFlags *flags)
{
    for (unsigned id = 0; id < _SETTING_COUNT; id++)
        g_clear_pointer(&flags->texts[id], g_free);
}

void settings_flags_add(SettingsFlags *flags, const Setting *setting, const char *text)
{
    char **slot = &flags->texts[setting->id];
    bool list = g_str_equal(setting_signature(setting), "as");
    char *old = *slot;

    *slot = list && old && *old && *text ? g_strdup_printf("%s %s", old, text) : g_strdup(text);
    g_free(old);
}

bool settings_flags_add_variable(SettingsFlags *flags, const char *variable, GError **error)
{
    g_autofree char *ours = NULL;

    if (!strchr(variable, '=')) {
        const char *value = getenv(variable);

        if (!value)
            return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                             "--setenv=%s: there is no such variable to pass on (give its value: "
                             "--setenv=%s=VALUE)",
                             variable, variable);
        if (!g_utf8_validate(value, -1, NULL))
            return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                             "--setenv=%s: its value is not valid UTF-8", variable);
        ours = g_strdup_printf("%s=%s", variable, value);
        variable = ours;
    }

    const char *const words[] = { variable, NULL };
    g_autofree char *quoted = format_words(words);

    settings_flags_add(flags, setting_get(SETTING_ENVIRONMENT), quoted);
    return true;
}

bool settings_flags_given(const SettingsFlags *flags, SettingId id)
{
    return flags->texts[id] || (id == SETTING_COMMAND && flags->command);
}

bool settings_flags_any(const SettingsFlags *flags)
{
    for (unsigned id = 0; id < _SETTING_COUNT; id++)
        if (settings_flags_given(flags, (SettingId)id))
            return true;
    return false;
}

void settings_flags_append(const SettingsFlags *flags, sd_bus_message *message)
{
    must(sd_bus_message_open_container(message, 'a', "{sv}"));
    for (unsigned id = 0; id < _SETTING_COUNT; id++)
        if (flags->texts[id])
            must(sd_bus_message_append(message, "{sv}", setting_get((SettingId)id)->name, "s",
                                       flags->texts[id]));
    if (flags->command) {
        must(sd_bus_message_open_container(message, 'e', "sv"));
        must(sd_bus_message_append(message, "s", setting_get(SETTING_COMMAND)->name));
        must(sd_bus_message_open_container(message, 'v', "as"));
        must(sd_bus_message_append_strv(message, flags->command));
        must(sd_bus_message_close_container(message));
        must(sd_bus_message_close_container(message));
    }
    must(sd_bus_message_close_container(message));
}
