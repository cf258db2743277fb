/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any text for any setting: the first byte picks the setting, the rest is the text. What is taken
 * must come back the same from its own spelling and from the store; what is refused must leave
 * nothing and say why in valid UTF-8. */

#include <string.h>

#include <glib.h>

#include "model/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const Spec *a, const Spec *b, SettingId id)
{
    g_autofree char *text_a = spec_get_text(a, id);
    g_autofree char *text_b = spec_get_text(b, id);

    g_assert_true(spec_is_set(b, id));
    g_assert_cmpstr(text_a, ==, text_b);
}

static void check_round_trip(const Spec *spec, SettingId id)
{
    g_autofree char *text = spec_get_text(spec, id);
    g_autoptr(Spec) again = spec_new();

    g_assert_true(spec_set_text(again, id, text, NULL));
    check_same(spec, again, id);
}

static void check_store(const Spec *spec, SettingId id)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GKeyFile) loaded = g_key_file_new();
    g_autoptr(Spec) again = NULL;
    gsize length;

    spec_to_key_file(spec, file);
    g_autofree char *data = g_key_file_to_data(file, &length, NULL);
    g_assert_true(g_key_file_load_from_data(loaded, data, length, G_KEY_FILE_NONE, NULL));
    again = spec_from_key_file(loaded, NULL);
    g_assert_nonnull(again);
    check_same(spec, again, id);
}

static void check_refusal(const Spec *spec, SettingId id, const GError *error)
{
    g_assert_nonnull(error);
    g_assert_true(g_utf8_validate(error->message, -1, NULL));
    g_assert_null(strchr(error->message, '\n'));
    g_assert_true(g_str_has_prefix(error->message, setting_get(id)->name));
    g_assert_false(spec_is_set(spec, id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;

    SettingId id = data[0] % _SETTING_COUNT;
    g_autofree char *text = g_strndup((const char *)data + 1, size - 1);
    g_autoptr(Spec) spec = spec_new();
    g_autoptr(GError) error = NULL;

    if (spec_set_text(spec, id, text, &error)) {
        check_round_trip(spec, id);
        check_store(spec, id);
        (void)spec_validate(spec, NULL);
    } else {
        check_refusal(spec, id, error);
    }
    return 0;
}
