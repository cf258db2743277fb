/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The words of the settings about paths, and what those settings say together. */

#include <string.h>

#include "model/mount-text.h"
#include "model/spec.h"
#include "suite.h"
#include "util/error.h"

static MountText text;

static const char *parse(SettingType type, const char *word)
{
    mount_text_done(&text);
    return mount_text_parse(type, word, &text);
}

static void assert_taken(SettingType type, const char *word)
{
    const char *fault = parse(type, word);

    ck_assert_msg(!fault, "%s: %s", word, fault);
}

START_TEST(a_bind_has_a_source_and_perhaps_a_path_and_options)
{
    assert_taken(SETTING_TYPE_BINDS, "/a");
    ck_assert_str_eq(text.source, "/a");
    ck_assert_str_eq(text.path, "/a");
    ck_assert(!text.optional && text.options == 0);
    assert_taken(SETTING_TYPE_BINDS, "-/a:/b:rbind,noexec,dev");
    ck_assert_str_eq(text.source, "/a");
    ck_assert_str_eq(text.path, "/b");
    ck_assert(text.optional);
    ck_assert_uint_eq(text.options, MOUNT_OPTION_NOEXEC | MOUNT_OPTION_DEV);
}
END_TEST

START_TEST(a_colon_in_a_path_is_escaped)
{
    assert_taken(SETTING_TYPE_BINDS, "/a\\:b:/c\\\\d");
    ck_assert_str_eq(text.source, "/a:b");
    ck_assert_str_eq(text.path, "/c\\d");
    assert_taken(SETTING_TYPE_PATHS, "-/a\\:b");
    ck_assert_str_eq(text.path, "/a:b");
}
END_TEST

START_TEST(a_temporary_file_system_has_bounds_by_itself)
{
    assert_taken(SETTING_TYPE_TEMPORARY, "/x");
    ck_assert_str_eq(text.data, "mode=0755,size=10%,nr_inodes=400k");
    assert_taken(SETTING_TYPE_TEMPORARY, "/x:size=64M,mode=1777,ro,uid=1000,noexec");
    ck_assert_str_eq(text.data, "mode=1777,size=64M,nr_inodes=400k,uid=1000");
    ck_assert_uint_eq(text.options, MOUNT_OPTION_READ_ONLY | MOUNT_OPTION_NOEXEC);
}
END_TEST

START_TEST(what_is_no_such_word_is_refused)
{
    static const struct {
        SettingType type;
        const char *word;
    } rows[] = {
        { SETTING_TYPE_PATHS, "" },
        { SETTING_TYPE_PATHS, "-" },
        { SETTING_TYPE_PATHS, "a" },
        { SETTING_TYPE_PATHS, "/a/../b" },
        { SETTING_TYPE_PATHS, "/a:/b" },
        { SETTING_TYPE_PATHS, "/a//b" },
        { SETTING_TYPE_PATHS, "/a/" },
        { SETTING_TYPE_PATHS, "+/a" },
        { SETTING_TYPE_BINDS, ":" },
        { SETTING_TYPE_BINDS, "/a:" },
        { SETTING_TYPE_BINDS, ":/a" },
        { SETTING_TYPE_BINDS, "/a:b" },
        { SETTING_TYPE_BINDS, "/a:/b:" },
        { SETTING_TYPE_BINDS, "/a:/b:norbind" },
        { SETTING_TYPE_BINDS, "/a:/b:ro" },
        { SETTING_TYPE_BINDS, "/a:/b:rbind:x" },
        { SETTING_TYPE_BINDS, "/a:/b:size=1" },
        { SETTING_TYPE_TEMPORARY, "/a:/b" },
        { SETTING_TYPE_TEMPORARY, "/a:" },
        { SETTING_TYPE_TEMPORARY, "/a:size=" },
        { SETTING_TYPE_TEMPORARY, "/a:size=101%" },
        { SETTING_TYPE_TEMPORARY, "/a:size=-1" },
        { SETTING_TYPE_TEMPORARY, "/a:mode=9" },
        { SETTING_TYPE_TEMPORARY, "/a:mode=17777" },
        { SETTING_TYPE_TEMPORARY, "/a:uid=65535" },
        { SETTING_TYPE_TEMPORARY, "/a:uid=root" },
        { SETTING_TYPE_TEMPORARY, "/a:huge=always" },
        { SETTING_TYPE_TEMPORARY, "/a:size=1M:x" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        ck_assert_msg(parse(rows[i].type, rows[i].word) != NULL, "%s", rows[i].word);
}
END_TEST

/* ---- together -------------------------------------------------------------------------------- */

typedef struct Pair {
    SettingId id;
    const char *text;
} Pair;

static char *validate(const Pair *pairs)
{
    g_autoptr(Spec) spec = spec_new();
    g_autoptr(GError) error = NULL;

    for (; pairs->text; pairs++)
        ck_assert_msg(spec_set_text(spec, pairs->id, pairs->text, &error), "%s", error->message);
    return spec_validate(spec, &error) ? NULL : g_strdup(error->message);
}

START_TEST(contradictions_are_named)
{
    static const struct {
        Pair pairs[4];
        const char *message;
    } rows[] = {
        { { { SETTING_PRIVATE_TMP, "yes" }, { SETTING_MOUNT_NAMESPACE, "off" } },
          "PrivateTmp=yes: needs a mount namespace, and MountNamespace=off" },
        { { { SETTING_FILESYSTEM, "read-only" }, { SETTING_MOUNT_NAMESPACE, "off" } },
          "Filesystem=read-only: needs a mount namespace" },
        { { { SETTING_READ_WRITE_PATHS, "/srv" } },
          "ReadWritePaths=/srv: is an exception from Filesystem=read-only" },
        { { { SETTING_READ_WRITE_PATHS, "/srv" }, { SETTING_FILESYSTEM, "private" } },
          "with Filesystem=private, BindPaths= shows what is to be written to" },
        { { { SETTING_ROOT_DIRECTORY, "/srv/x" }, { SETTING_FILESYSTEM, "host" } },
          "Filesystem=host: contradicts RootDirectory=" },
        { { { SETTING_ROOT_DIRECTORY, "/" } }, "RootDirectory=/: this is the host's root" },
        { { { SETTING_OVERLAY, "temporary" } }, "Overlay=temporary: needs a RootDirectory=" },
        { { { SETTING_OVERLAY, "persistent" },
            { SETTING_ROOT_DIRECTORY, "/srv/x" },
            { SETTING_FILESYSTEM, "read-only" } },
          "Overlay=persistent: is for changes, and Filesystem=read-only forbids" },
        { { { SETTING_ROOT_DIRECTORY, "/srv/x" }, { SETTING_MOUNT_NAMESPACE, "off" } },
          "RootDirectory=/srv/x: needs a mount namespace" },
        { { { SETTING_BIND_PATHS, "/srv:/" } }, "BindPaths=/srv:/: nothing can be put" },
        { { { SETTING_INACCESSIBLE_PATHS, "/" } }, "InaccessiblePaths=/: nothing" },
        { { { SETTING_TEMPORARY_FILE_SYSTEM, "/proc/sys" } }, "/proc and what is below it" },
        { { { SETTING_BIND_PATHS, "/a:/x" }, { SETTING_BIND_READ_ONLY_PATHS, "/b:/x" } },
          "BindReadOnlyPaths=/b:/x: something else is to be at this path" },
        { { { SETTING_PRIVATE_TMP, "yes" }, { SETTING_TEMPORARY_FILE_SYSTEM, "/tmp" } },
          "TemporaryFileSystem=/tmp: something else" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *message = validate(rows[i].pairs);
        ck_assert_msg(message && strstr(message, rows[i].message), "%s instead of %s",
                      message ? message : "nothing", rows[i].message);
    }
}
END_TEST

START_TEST(what_goes_together_is_taken)
{
    static const Pair rows[][5] = {
        { { SETTING_FILESYSTEM, "read-only" }, { SETTING_READ_WRITE_PATHS, "/srv" } },
        { { SETTING_TEMPORARY_FILE_SYSTEM, "/var" }, { SETTING_BIND_PATHS, "/var/lib/x" } },
        { { SETTING_BIND_PATHS, "/a:/x" }, { SETTING_INACCESSIBLE_PATHS, "/x /proc/kcore" } },
        { { SETTING_FILESYSTEM, "host" }, { SETTING_MOUNT_NAMESPACE, "off" } },
        { { SETTING_PRIVATE_TMP, "no" }, { SETTING_BIND_PATHS, "/a:/tmp" } },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *message = validate(rows[i]);
        ck_assert_msg(!message, "row %zu: %s", i, message);
    }
}
END_TEST

START_TEST(a_list_of_paths_has_an_end)
{
    g_autoptr(GString) words = g_string_new(NULL);
    g_autoptr(Spec) spec = spec_new();

    for (unsigned i = 0; i < 64; i++)
        g_string_append_printf(words, "/p%u ", i);
    ck_assert(spec_set_text(spec, SETTING_INACCESSIBLE_PATHS, words->str, NULL));
    g_string_append(words, "/p64");
    ck_assert(!spec_set_text(spec, SETTING_INACCESSIBLE_PATHS, words->str, NULL));
}
END_TEST

SUITE_MAIN("model/mount-text", a_bind_has_a_source_and_perhaps_a_path_and_options,
           a_colon_in_a_path_is_escaped, a_temporary_file_system_has_bounds_by_itself,
           what_is_no_such_word_is_refused, contradictions_are_named, what_goes_together_is_taken,
           a_list_of_paths_has_an_end)
