/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of settings as data, and finding a row in it. */

#include <string.h>

#include "model/settings.h"

#define NAME_LENGTH_MAX 64 /* longer than any name in the table, and than any typing error */
#define GUESS_EDITS_MAX 2  /* letters wrong, missing or too many */

static const char *const choices_try[] = {
    [CHOICE_REQUIRED] = "required", [CHOICE_TRY] = "try", [CHOICE_OFF] = "off", NULL
};

static const char *const choices_auto_try[] = { [CHOICE_REQUIRED] = "required",
                                                [CHOICE_TRY] = "try",
                                                [CHOICE_OFF] = "off",
                                                [CHOICE_AUTO] = "auto",
                                                NULL };

static const char *const choices_id_mapping[] = {
    [ID_MAPPING_AUTO] = "auto", [ID_MAPPING_SELF] = "self", [ID_MAPPING_RANGE] = "range", NULL
};

static const char *const choices_network[] = {
    [NETWORK_HOST] = "host", [NETWORK_NONE] = "none", [NETWORK_PRIVATE] = "private", NULL
};

static const char *const choices_filesystem[] = { [FILESYSTEM_HOST] = "host",
                                                  [FILESYSTEM_READ_ONLY] = "read-only",
                                                  [FILESYSTEM_PRIVATE] = "private",
                                                  NULL };

static const char *const choices_overlay[] = { [OVERLAY_NO] = "no",
                                               [OVERLAY_TEMPORARY] = "temporary",
                                               [OVERLAY_PERSISTENT] = "persistent",
                                               NULL };

static const char *const choices_backend[] = { [BACKEND_AUTO] = "auto",
                                               [BACKEND_SCOPE] = "scope",
                                               [BACKEND_CGROUP] = "cgroup",
                                               [BACKEND_MONITOR] = "monitor",
                                               NULL };

static const char *const choices_restart[] = { [RESTART_NO] = "no",
                                               [RESTART_ON_SUCCESS] = "on-success",
                                               [RESTART_ON_FAILURE] = "on-failure",
                                               [RESTART_ON_ABNORMAL] = "on-abnormal",
                                               [RESTART_ALWAYS] = "always",
                                               NULL };

/* How the table writes the flags. */
#define LIVE   SETTING_LIVE
#define SECRET SETTING_SECRET

/* SETTING comes first to expand NO_RANGE into two arguments. */
#define SETTING(...) SETTING_ROW(__VA_ARGS__)
#define SETTING_ROW(id_, name_, bus_name_, group_, type_, default_, flags_, minimum_, maximum_, \
                    choices_, metavar_, help_)                                                  \
    [SETTING_##id_] = { .id = SETTING_##id_,                                                    \
                        .name = name_,                                                          \
                        .bus_name = bus_name_,                                                  \
                        .group = SETTING_GROUP_##group_,                                        \
                        .type = SETTING_TYPE_##type_,                                           \
                        .default_text = default_,                                               \
                        .flags = flags_,                                                        \
                        .minimum = minimum_,                                                    \
                        .maximum = maximum_,                                                    \
                        .choices = choices_,                                                    \
                        .metavar = metavar_,                                                    \
                        .help = help_ },
static const Setting settings[_SETTING_COUNT] = {
#include "model/settings.def"
};
#undef SETTING_ROW
#undef SETTING
#undef SECRET
#undef LIVE

const Setting *setting_get(SettingId id)
{
    g_assert(id < _SETTING_COUNT);
    return &settings[id];
}

const Setting *setting_find(const char *name)
{
    for (size_t i = 0; i < _SETTING_COUNT; i++)
        if (strcmp(settings[i].name, name) == 0 || strcmp(settings[i].bus_name, name) == 0)
            return &settings[i];
    return NULL;
}

const char *setting_signature(const Setting *setting)
{
    static const char *const signatures[_SETTING_TYPE_COUNT] = {
        [SETTING_TYPE_BOOL] = "b",
        [SETTING_TYPE_ENUM] = "s",
        [SETTING_TYPE_STRING] = "s",
        [SETTING_TYPE_PATH] = "s",
        [SETTING_TYPE_USER] = "s",
        [SETTING_TYPE_HOSTNAME] = "s",
        [SETTING_TYPE_OUTPUT] = "s",
        [SETTING_TYPE_STRV] = "as",
        [SETTING_TYPE_COMMAND] = "as",
        [SETTING_TYPE_ENVIRONMENT] = "as",
        [SETTING_TYPE_UINT64] = "t",
        [SETTING_TYPE_BYTES] = "t",
        [SETTING_TYPE_USEC] = "t",
        [SETTING_TYPE_CPU_QUOTA] = "t",
        [SETTING_TYPE_SIGNAL] = "i",
        [SETTING_TYPE_STATUSES] = "as",
        [SETTING_TYPE_INT] = "i",
        [SETTING_TYPE_MODE] = "u",
        [SETTING_TYPE_GROUP] = "s",
        [SETTING_TYPE_GROUPS] = "as",
        [SETTING_TYPE_RLIMIT] = "s",
        [SETTING_TYPE_CAPABILITIES] = "as",
        [SETTING_TYPE_PATHS] = "as",
        [SETTING_TYPE_BINDS] = "as",
        [SETTING_TYPE_TEMPORARY] = "as",
        [SETTING_TYPE_SYSCALLS] = "as",
        [SETTING_TYPE_SYSCALL_ACTION] = "s",
    };

    return signatures[setting->type];
}

const char *setting_group_name(SettingGroup group)
{
    static const char *const names[_SETTING_GROUP_COUNT] = {
        [SETTING_GROUP_INSTANCE] = "Instance",
        [SETTING_GROUP_ISOLATION] = "Isolation",
        [SETTING_GROUP_RESOURCES] = "Resources",
    };

    g_assert(group < _SETTING_GROUP_COUNT);
    return names[group];
}

/* Levenshtein's distance without regard to case, one row of his matrix at a time. Both are shorter
 * than NAME_LENGTH_MAX. */
static unsigned edits_between(const char *a, const char *b)
{
    unsigned row[NAME_LENGTH_MAX + 1];
    size_t width = strlen(b);

    for (size_t j = 0; j <= width; j++)
        row[j] = (unsigned)j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        unsigned diagonal = row[0];

        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < width; j++) {
            unsigned above = row[j + 1];
            unsigned replaced = diagonal + (g_ascii_tolower(a[i]) != g_ascii_tolower(b[j]));

            row[j + 1] = MIN(replaced, MIN(above, row[j]) + 1);
            diagonal = above;
        }
    }
    return row[width];
}

const Setting *setting_guess(const char *name)
{
    const Setting *nearest = NULL;
    unsigned nearest_edits = GUESS_EDITS_MAX + 1;

    if (strlen(name) >= NAME_LENGTH_MAX)
        return NULL;
    for (size_t i = 0; i < _SETTING_COUNT; i++) {
        unsigned edits = MIN(edits_between(name, settings[i].name),
                             edits_between(name, settings[i].bus_name));

        if (edits < nearest_edits) {
            nearest = &settings[i];
            nearest_edits = edits;
        }
    }
    return nearest;
}
