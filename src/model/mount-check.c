/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Contradictions among the settings about files. */

#include <string.h>

#include "model/mount-check.h"
#include "model/mount-text.h"
#include "model/setting-check.h"
#include "util/error.h"

/* Every setting that takes a mount namespace. */
static const SettingId all[] = {
    SETTING_FILESYSTEM,           SETTING_BIND_PATHS,
    SETTING_BIND_READ_ONLY_PATHS, SETTING_TEMPORARY_FILE_SYSTEM,
    SETTING_READ_WRITE_PATHS,     SETTING_INACCESSIBLE_PATHS,
    SETTING_PRIVATE_TMP,          SETTING_PRIVATE_DEVICES,
    SETTING_ROOT_DIRECTORY,       SETTING_OVERLAY,
};

static bool asks_for_something(const Spec *spec, SettingId id)
{
    switch (setting_kind(setting_get(id))) {
    case VALUE_NUMBER:
        return spec_get_uint(spec, id) != 0;
    case VALUE_STRING:
        return spec_is_set(spec, id);
    default: {
        const char *const *words = spec_get_strv(spec, id);
        return words && words[0];
    }
    }
}

static bool refuse(const Spec *spec, SettingId id, GError **error, const char *reason)
{
    g_autofree char *text = spec_get_text(spec, id);

    return setting_refuse(setting_get(id), text, error, "%s", reason);
}

static bool validate_namespace(const Spec *spec, GError **error)
{
    if (spec_get_uint(spec, SETTING_MOUNT_NAMESPACE) != CHOICE_OFF)
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        if (asks_for_something(spec, all[i])) {
            return refuse(spec, all[i], error,
                          "needs a mount namespace, and MountNamespace=off was asked for");
        }
    return true;
}

static bool validate_root(const Spec *spec, GError **error)
{
    bool has_root = spec_is_set(spec, SETTING_ROOT_DIRECTORY);
    uint64_t filesystem = spec_get_uint(spec, SETTING_FILESYSTEM);

    if (has_root && strcmp(spec_get_string(spec, SETTING_ROOT_DIRECTORY), "/") == 0)
        return refuse(spec, SETTING_ROOT_DIRECTORY, error,
                      "this is the host's root: leave the setting out");
    if (has_root && spec_is_set(spec, SETTING_FILESYSTEM) && filesystem == FILESYSTEM_HOST)
        return refuse(spec, SETTING_FILESYSTEM, error,
                      "contradicts RootDirectory=, which shows another root: unset one of them");
    if (spec_get_uint(spec, SETTING_OVERLAY) == OVERLAY_NO)
        return true;
    if (!has_root)
        return refuse(spec, SETTING_OVERLAY, error, "needs a RootDirectory= to lie over");
    if (filesystem == FILESYSTEM_READ_ONLY)
        return refuse(spec, SETTING_OVERLAY, error,
                      "is for changes, and Filesystem=read-only forbids them: unset one of them");
    return true;
}

static bool validate_read_write(const Spec *spec, GError **error)
{
    uint64_t filesystem = spec_get_uint(spec, SETTING_FILESYSTEM);

    if (!asks_for_something(spec, SETTING_READ_WRITE_PATHS) || filesystem == FILESYSTEM_READ_ONLY)
        return true;
    if (filesystem == FILESYSTEM_PRIVATE)
        return refuse(spec, SETTING_READ_WRITE_PATHS, error,
                      "is an exception from Filesystem=read-only: with Filesystem=private, "
                      "BindPaths= shows what is to be written to");
    return refuse(spec, SETTING_READ_WRITE_PATHS, error,
                  "is an exception from Filesystem=read-only, which was not asked for");
}

/* /proc is how the first process of the instance knows itself and the others. */
static bool path_is_open(SettingId id, const char *word, const char *path, GError **error)
{
    if (strcmp(path, "/") == 0)
        return setting_refuse(setting_get(id), word, error,
                              "nothing can be put in the place of / by this setting");
    if (id != SETTING_INACCESSIBLE_PATHS &&
        (strcmp(path, "/proc") == 0 || g_str_has_prefix(path, "/proc/")))
        return setting_refuse(setting_get(id), word, error,
                              "/proc and what is below it cannot be replaced");
    return true;
}

static bool add_paths(const Spec *spec, SettingId id, GHashTable *taken, GError **error)
{
    const char *const *words = spec_get_strv(spec, id);

    for (size_t i = 0; words && words[i]; i++) {
        g_auto(MountText) text = { 0 };

        (void)mount_text_parse(setting_get(id)->type, words[i], &text);
        if (!path_is_open(id, words[i], text.path, error))
            return false;
        if (!g_hash_table_add(taken, g_steal_pointer(&text.path)))
            return setting_refuse(setting_get(id), words[i], error,
                                  "something else is to be at this path already");
    }
    return true;
}

/* Each path is one thing; what is hidden may be anything else besides. */
static bool validate_paths(const Spec *spec, GError **error)
{
    static const SettingId placing[] = { SETTING_BIND_PATHS, SETTING_BIND_READ_ONLY_PATHS,
                                         SETTING_TEMPORARY_FILE_SYSTEM, SETTING_READ_WRITE_PATHS };
    g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) hidden = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    if (spec_get_uint(spec, SETTING_PRIVATE_TMP)) {
        g_hash_table_add(taken, g_strdup("/tmp"));
        g_hash_table_add(taken, g_strdup("/var/tmp"));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(placing); i++)
        if (!add_paths(spec, placing[i], taken, error))
            return false;
    return add_paths(spec, SETTING_INACCESSIBLE_PATHS, hidden, error);
}

bool mounts_validate(const Spec *spec, GError **error)
{
    return validate_namespace(spec, error) && validate_root(spec, error) &&
           validate_read_write(spec, error) && validate_paths(spec, error);
}
