/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Shapes of strings: what each takes and what it must not take. */

#include <string.h>

#include <glib.h>

#include "model/text.h"
#include "suite.h"

static void check_all(bool (*question)(const char *), bool expected, const char *const *texts)
{
    for (size_t i = 0; texts[i]; i++)
        ck_assert_msg(question(texts[i]) == expected, "'%s'", texts[i]);
}

/* prefix, then the letter count times */
static char *filled(const char *prefix, char letter, size_t count)
{
    g_autofree char *fill = g_strnfill(count, letter);

    return g_strconcat(prefix, fill, NULL);
}

static void check_length(bool (*question)(const char *), const char *prefix, size_t longest)
{
    g_autofree char *fits = filled(prefix, 'a', longest - strlen(prefix));
    g_autofree char *too_long = filled(prefix, 'a', longest + 1 - strlen(prefix));

    ck_assert(question(fits));
    ck_assert(!question(too_long));
}

START_TEST(what_is_shown_is_one_line_of_utf8)
{
    static const char *const shown[] = { "",
                                         " ",
                                         "grün",
                                         "日本語",
                                         "\xf0\x9f\x91\xa9\xe2\x80\x8d"
                                         "\xf0\x9f\x92\xbb",
                                         NULL };
    static const char *const hidden[] = {
        "a\nb",         "\t",       "\x7f",         "\x1b[31m",
        "\xff",         "\xc0\x80", "\xed\xa0\x80", /* a surrogate */
        "\xc2\x85",                                 /* next line */
        "\xe2\x80\xa8",                             /* line separator */
        "\xe2\x80\xa9",                             /* paragraph separator */
        "\xe2\x80\xae",                             /* right-to-left override */
        "\xe2\x81\xa6",                             /* isolate */
        NULL,
    };

    check_all(text_is_shown, true, shown);
    check_all(text_is_shown, false, hidden);
}
END_TEST

START_TEST(a_user_is_a_name_or_a_uid)
{
    static const char *const users[] = { "root",  "_apt",     "www-data",   "a",
                                         "x_1-",  "machine$", "0",          "1000",
                                         "65534", "65536",    "4294967294", NULL };
    static const char *const not_users[] = {
        "",    "-a", "Root",      "a b",        "a/b",        "ä",
        "a$b", "$",  "1000a",     "+5",         "-1",         "0x1",
        "01",  "00", "65535",     "4294967295", "4294967296", "18446744073709551616",
        "1.0", " 1", "infinity ", NULL,
    };

    check_all(text_is_user, true, users);
    check_all(text_is_user, false, not_users);
    check_length(text_is_user, "", 32);
}
END_TEST

START_TEST(a_host_name_is_labels_of_rfc_1123)
{
    static const char *const names[] = { "a", "web", "Web-1.example.ORG", "1", "3com.com", NULL };
    static const char *const not_names[] = { "",     ".",   "a.",  ".a", "a..b", "-a", "a-",
                                             "a.-b", "a_b", "a b", "ä",  "a/b",  NULL };

    check_all(text_is_hostname, true, names);
    check_all(text_is_hostname, false, not_names);
    check_length(text_is_hostname, "", 63); /* one label */
    check_length(text_is_hostname, "web.", 64);
}
END_TEST

START_TEST(a_path_is_absolute_and_written_in_the_one_way)
{
    static const char *const paths[] = { "/", "/a", "/a b/ü", "/...", "/.a/..b/c..", NULL };
    static const char *const not_paths[] = { "",      "a",     "./a",   "//",     "/a/",
                                             "/a//b", "/.",    "/..",   "/a/./b", "/a/..",
                                             "/../a", "/a\nb", "/\xff", "~/a",    NULL };

    check_all(text_is_path, true, paths);
    check_all(text_is_path, false, not_paths);
    check_length(text_is_path, "/", 4095);
}
END_TEST

START_TEST(an_output_is_one_of_four)
{
    static const char *const outputs[] = { "journal", "null", "file:/a", "append:/a b", NULL };
    static const char *const not_outputs[] = { "",        "Journal",     "file:",        "file:a",
                                               "append:", "truncate:/a", "file:/a/../b", "null ",
                                               "tty",     NULL };

    check_all(text_is_output, true, outputs);
    check_all(text_is_output, false, not_outputs);
}
END_TEST

START_TEST(an_assignment_has_a_name_before_it)
{
    static const struct {
        const char *text;
        size_t length;
    } rows[] = {
        { "A=1", 1 }, { "_a9=", 3 }, { "PATH==", 4 }, { "", 0 },      { "=", 0 },
        { "A", 0 },   { "9A=1", 0 }, { "A B=1", 0 },  { "A-B=1", 0 }, { "Ä=1", 0 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        ck_assert_msg(text_assignment_name(rows[i].text) == rows[i].length, "%s", rows[i].text);
}
END_TEST

START_TEST(a_quotable_text_is_one_short_line)
{
    g_autofree char *as_it_is = text_quotable("grün 50%");
    g_autofree char *cleaned = text_quotable("a\nb\x1b[m\xff");
    g_autofree char *million = g_strnfill(1000000, 'x');
    g_autofree char *cut = text_quotable(million);

    ck_assert_str_eq(as_it_is, "grün 50%");
    ck_assert_str_eq(cleaned, "a?b?[m\xef\xbf\xbd");
    ck_assert_uint_eq((size_t)g_utf8_strlen(cut, -1), 65);
    ck_assert(g_str_has_suffix(cut, "x…"));
}
END_TEST

START_TEST(a_text_of_wide_characters_is_cut_between_them)
{
    g_autoptr(GString) wide = g_string_new(NULL);

    for (int i = 0; i < 64; i++)
        g_string_append(wide, "😀");
    g_autofree char *whole = text_quotable(wide->str);
    ck_assert_str_eq(whole, wide->str);

    g_string_append(wide, "😀");
    g_autofree char *cut = text_quotable(wide->str);
    ck_assert(g_utf8_validate(cut, -1, NULL));
    ck_assert(g_str_has_suffix(cut, "😀…"));
}
END_TEST

SUITE_MAIN("model/text", what_is_shown_is_one_line_of_utf8, a_user_is_a_name_or_a_uid,
           a_host_name_is_labels_of_rfc_1123, a_path_is_absolute_and_written_in_the_one_way,
           an_output_is_one_of_four, an_assignment_has_a_name_before_it,
           a_quotable_text_is_one_short_line, a_text_of_wide_characters_is_cut_between_them)
