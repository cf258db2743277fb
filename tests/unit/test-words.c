/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Command lines as words and back. */

#include <errno.h>

#include <glib.h>

#include "suite.h"
#include "util/parse.h"

#define ROUND_TRIPS 10000

static void check_words(const char *text, const char *const *expected)
{
    g_auto(GStrv) words = NULL;

    ck_assert_msg(parse_words(text, &words) == 0, "%s", text);
    ck_assert_msg(g_strv_equal((const char *const *)words, expected), "%s", text);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

START_TEST(blanks_separate_words)
{
    check_words("a", WORDS("a"));
    check_words("  a \t b\n\rc ", WORDS("a", "b", "c"));
}
END_TEST

START_TEST(nothing_is_no_words)
{
    static const char *const none[] = { NULL };

    check_words("", none);
    check_words(" \t\n ", none);
    check_words("\\\n \\\n", none);
}
END_TEST

START_TEST(quotes_keep_blanks_and_join_with_their_neighbours)
{
    check_words("'a b'", WORDS("a b"));
    check_words("\"a b\"", WORDS("a b"));
    check_words("x'a b'\"c d\"y", WORDS("xa bc dy"));
    check_words("'' \"\"", WORDS("", ""));
    check_words("'\"' \"'\"", WORDS("\"", "'"));
}
END_TEST

START_TEST(backslashes_mean_what_they_mean_to_a_shell)
{
    check_words("a\\ b", WORDS("a b"));
    check_words("\\'\\\"\\\\", WORDS("'\"\\"));
    check_words("'a\\b'", WORDS("a\\b"));
    check_words("\"a\\\"b\\\\c\\$d\\`e\"", WORDS("a\"b\\c$d`e"));
    check_words("\"C:\\new\"", WORDS("C:\\new"));
    check_words("a\\\nb \"c\\\nd\"", WORDS("ab", "cd"));
}
END_TEST

START_TEST(nothing_else_of_a_shell_is_special)
{
    check_words("$HOME ~ *.c a|b >x # ; & `id`",
                WORDS("$HOME", "~", "*.c", "a|b", ">x", "#", ";", "&", "`id`"));
}
END_TEST

START_TEST(an_open_quote_or_a_last_backslash_is_refused)
{
    static const char *const texts[] = { "'", "\"", "a 'b", "a \"b\\\"", "a\\", "\"a\\", "'a'\"" };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        char **words = NULL;

        ck_assert_msg(parse_words(texts[i], &words) == -EINVAL, "%s", texts[i]);
        ck_assert_ptr_null(words);
    }
}
END_TEST

START_TEST(words_are_quoted_only_where_they_must_be)
{
    static const char *const words[] = {
        "/bin/sh", "-c", "echo 'hi'", "", "A=1", "grün", "$x", NULL
    };
    g_autofree char *text = format_words(words);

    ck_assert_str_eq(text, "/bin/sh -c 'echo '\\''hi'\\''' '' A=1 grün '$x'");
}
END_TEST

START_TEST(no_words_are_an_empty_text)
{
    static const char *const none[] = { NULL };
    g_autofree char *text = format_words(none);
    g_autofree char *of_null = format_words(NULL);

    ck_assert_str_eq(text, "");
    ck_assert_str_eq(of_null, "");
}
END_TEST

static char *random_word(GRand *random)
{
    static const char alphabet[] = "ab \t\n\r'\"\\$`#~*\x01\x7f\xc3\xbc=/-";
    size_t length = (size_t)g_rand_int_range(random, 0, 12);
    char *word = g_malloc0(length + 1);

    for (size_t i = 0; i < length; i++)
        word[i] = alphabet[g_rand_int_range(random, 0, sizeof(alphabet) - 1)];
    return word;
}

START_TEST(random_words_survive_a_round_trip)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(42);

    for (int i = 0; i < ROUND_TRIPS; i++) {
        size_t count = (size_t)g_rand_int_range(random, 0, 5);
        g_auto(GStrv) words = g_new0(char *, count + 1);

        for (size_t j = 0; j < count; j++)
            words[j] = random_word(random);
        g_autofree char *text = format_words((const char *const *)words);
        check_words(text, (const char *const *)words);
    }
}
END_TEST

SUITE_MAIN("util/parse-words", blanks_separate_words, nothing_is_no_words,
           quotes_keep_blanks_and_join_with_their_neighbours,
           backslashes_mean_what_they_mean_to_a_shell, nothing_else_of_a_shell_is_special,
           an_open_quote_or_a_last_backslash_is_refused, words_are_quoted_only_where_they_must_be,
           no_words_are_an_empty_text, random_words_survive_a_round_trip)
