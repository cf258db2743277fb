/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What was asked for, in the key file of the store and back. */

#include <string.h>

#include <glib.h>

#include "model/spec.h"
#include "suite.h"
#include "util/error.h"

static Spec *spec;

static void make_spec(void)
{
    spec = spec_new();
}

static void drop_spec(void)
{
    g_clear_pointer(&spec, spec_free);
}

static void set(SettingId id, const char *text)
{
    g_autoptr(GError) error = NULL;

    ck_assert_msg(spec_set_text(spec, id, text, &error), "%s", error ? error->message : "");
}

static GKeyFile *key_file_from(const char *text)
{
    g_autoptr(GError) error = NULL;
    GKeyFile *file = g_key_file_new();

    ck_assert_msg(g_key_file_load_from_data(file, text, strlen(text), G_KEY_FILE_NONE, &error),
                  "%s", error ? error->message : "");
    return file;
}

/* Through the text of the file, as the store does. */
static Spec *store_and_load(const Spec *stored)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) error = NULL;

    spec_to_key_file(stored, file);
    g_autofree char *text = g_key_file_to_data(file, NULL, NULL);
    g_autoptr(GKeyFile) again = key_file_from(text);
    Spec *loaded = spec_from_key_file(again, &error);
    ck_assert_msg(loaded != NULL, "%s", error ? error->message : "");
    return loaded;
}

START_TEST(what_was_stored_is_loaded)
{
    set(SETTING_DESCRIPTION, " leading, trailing; #=[x] \\n ü ");
    set(SETTING_COMMAND, "sh -c 'a\n\tb  \\ \"' '' ' '");
    set(SETTING_ENVIRONMENT, "A='x\ny' B=\\\\");
    set(SETTING_MEMORY_MAX, "1.5G");
    set(SETTING_TIMEOUT_STOP, "infinity");
    g_autoptr(Spec) loaded = store_and_load(spec);

    for (SettingId id = 0; id < _SETTING_COUNT; id++) {
        g_autofree char *before = spec_get_text(spec, id);
        g_autofree char *after = spec_get_text(loaded, id);

        ck_assert_str_eq(before, after);
        ck_assert_int_eq(spec_is_set(spec, id), spec_is_set(loaded, id));
    }
}
END_TEST

START_TEST(a_store_of_nothing_is_a_spec_of_defaults)
{
    g_autoptr(Spec) loaded = store_and_load(spec);

    for (SettingId id = 0; id < _SETTING_COUNT; id++)
        ck_assert(!spec_is_set(loaded, id));
}
END_TEST

START_TEST(a_set_default_is_stored_all_the_same)
{
    set(SETTING_TIMEOUT_STOP, "90s");
    g_autoptr(Spec) loaded = store_and_load(spec);
    ck_assert(spec_is_set(loaded, SETTING_TIMEOUT_STOP));
}
END_TEST

START_TEST(a_store_with_anything_unknown_is_refused)
{
    static const struct {
        const char *text;
        const char *sentence;
    } rows[] = {
        { "[Settings]\nColour=red\n", "Colour: no such setting" },
        { "[Settings]\nTimeoutStopUSec=1\n", "TimeoutStopUSec: no such setting" },
        { "[Settings]\nMemoryMax=1\n", "MemoryMax=1: must be at least 4M" },
        { "[Settings]\nUser=\n",
          "User=: must be a user name or a uid (0 to 4294967294, not 65535)" },
        { "[Settings]\nDescription=\\q\n", "Description: not UTF-8 or a broken escape sequence" },
        { "[Settings]\nDescription=\xff\n", "Description: not UTF-8 or a broken escape sequence" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GKeyFile) file = key_file_from(rows[i].text);
        g_autoptr(GError) error = NULL;

        ck_assert_ptr_null(spec_from_key_file(file, &error));
        ck_assert_int_eq(error->code, CONSTELLATION_ERROR_INVALID_ARGS);
        ck_assert_str_eq(error->message, rows[i].sentence);
    }
}
END_TEST

START_TEST(other_groups_of_the_store_are_not_settings)
{
    g_autoptr(GKeyFile) file = key_file_from("[Instance]\nId=i\n[Settings]\nUser=root\n");
    g_autoptr(Spec) loaded = spec_from_key_file(file, NULL);

    ck_assert_str_eq(spec_get_string(loaded, SETTING_USER), "root");
}
END_TEST

SUITE_MAIN_WITH("model/spec-file", make_spec, drop_spec, what_was_stored_is_loaded,
                a_store_of_nothing_is_a_spec_of_defaults, a_set_default_is_stored_all_the_same,
                a_store_with_anything_unknown_is_refused,
                other_groups_of_the_store_are_not_settings)
