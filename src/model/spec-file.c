/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A Spec in the service's own store. Only what was set is written, so that a default that changes
 * with the program changes for stored instances too. */

#include "model/spec.h"
#include "model/text.h"
#include "util/error.h"

#define GROUP "Settings"

void spec_to_key_file(const Spec *spec, GKeyFile *file)
{
    for (SettingId id = 0; id < _SETTING_COUNT; id++) {
        g_autofree char *text = NULL;

        if (!spec_is_set(spec, id))
            continue;
        text = spec_get_text(spec, id);
        g_key_file_set_string(file, GROUP, setting_get(id)->name, text);
    }
}

static bool load_key(Spec *spec, GKeyFile *file, const char *key, GError **error)
{
    g_autoptr(GError) fault = NULL;
    g_autofree char *text = g_key_file_get_string(file, GROUP, key, &fault);
    const Setting *setting = setting_find(key);
    g_autofree char *quoted = text_quotable(key);

    /* Only the one spelling: two keys for one setting would silently be decided by their order. */
    if (!setting || !g_str_equal(setting->name, key))
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "%s: no such setting", quoted);
    /* On a broken escape there is a text as well. */
    if (fault)
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "%s: not UTF-8 or a broken escape sequence", quoted);
    return spec_set_text(spec, setting->id, text, error);
}

Spec *spec_from_key_file(GKeyFile *file, GError **error)
{
    g_autoptr(Spec) spec = spec_new();
    g_auto(GStrv) keys = g_key_file_get_keys(file, GROUP, NULL, NULL);

    /* No group at all is a Spec of defaults only. */
    for (size_t i = 0; keys && keys[i]; i++)
        if (!load_key(spec, file, keys[i], error))
            return NULL;
    return g_steal_pointer(&spec);
}
