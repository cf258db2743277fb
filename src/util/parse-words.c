/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A command line as words, quoted as for a POSIX shell and without anything else of a shell: no
 * variables, no patterns, no comments, so that what stands there is what is run.
 *
 *   'single'   all of it literally          \x    the x literally
 *   "double"   \" \\ \$ \` are escapes      \ at the end of a line joins it with the next
 */

#include <errno.h>
#include <string.h>

#include <glib.h>

#include "util/parse.h"

#define BLANKS " \t\n\r"

/* In double quotes a backslash stays, except before one of these. */
#define ESCAPED_IN_DOUBLE_QUOTES "\"\\$`\n"

/* Each part of a word moves the cursor behind itself; -EINVAL if the text ends within it. */

static int single_quoted_scan(const char **cursor, GString *word)
{
    const char *start = *cursor + 1;
    const char *end = strchr(start, '\'');

    if (!end)
        return -EINVAL;
    g_string_append_len(word, start, end - start);
    *cursor = end + 1;
    return 0;
}

static int escape_scan(const char **cursor, GString *word)
{
    char escaped = (*cursor)[1];

    if (escaped == '\0')
        return -EINVAL;
    if (escaped != '\n')
        g_string_append_c(word, escaped);
    *cursor += 2;
    return 0;
}

static int double_quoted_scan(const char **cursor, GString *word)
{
    const char *c = *cursor + 1;

    while (*c != '"') {
        if (*c == '\0')
            return -EINVAL;
        if (*c == '\\' && c[1] != '\0' && strchr(ESCAPED_IN_DOUBLE_QUOTES, c[1])) {
            (void)escape_scan(&c, word);
            continue;
        }
        g_string_append_c(word, *c++);
    }
    *cursor = c + 1;
    return 0;
}

static int word_scan(const char **cursor, GString *word)
{
    int r = 0;

    while (r == 0 && **cursor != '\0' && !strchr(BLANKS, **cursor)) {
        if (**cursor == '\'')
            r = single_quoted_scan(cursor, word);
        else if (**cursor == '"')
            r = double_quoted_scan(cursor, word);
        else if (**cursor == '\\')
            r = escape_scan(cursor, word);
        else
            g_string_append_c(word, *(*cursor)++);
    }
    return r;
}

/* Blanks, and line ends that a backslash takes away: neither begins a word. */
static const char *blanks_skip(const char *text)
{
    for (;;) {
        text += strspn(text, BLANKS);
        if (!g_str_has_prefix(text, "\\\n"))
            return text;
        text += strlen("\\\n");
    }
}

int parse_words(const char *text, char ***ret)
{
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();

    for (text = blanks_skip(text); *text != '\0'; text = blanks_skip(text)) {
        g_autoptr(GString) word = g_string_new(NULL);
        int r = word_scan(&text, word);

        if (r < 0)
            return r;
        g_strv_builder_add(words, word->str);
    }
    *ret = g_strv_builder_end(words);
    return 0;
}

static bool word_is_plain(const char *word)
{
    if (*word == '\0')
        return false;
    for (const char *c = word; *c != '\0'; c++)
        if (!g_ascii_isalnum(*c) && (unsigned char)*c < 0x80 && !strchr("_-./:=@%+,^", *c))
            return false;
    return true;
}

static void word_append_quoted(GString *text, const char *word)
{
    g_string_append_c(text, '\'');
    for (const char *c = word; *c != '\0'; c++)
        if (*c == '\'')
            g_string_append(text, "'\\''");
        else
            g_string_append_c(text, *c);
    g_string_append_c(text, '\'');
}

char *format_words(const char *const *words)
{
    GString *text = g_string_new(NULL);

    for (size_t i = 0; words && words[i]; i++) {
        if (i > 0)
            g_string_append_c(text, ' ');
        if (word_is_plain(words[i]))
            g_string_append(text, words[i]);
        else
            word_append_quoted(text, words[i]);
    }
    return g_string_free(text, FALSE);
}
