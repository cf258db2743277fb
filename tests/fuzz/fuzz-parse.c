/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The parsers of util/parse.h and model/names.h on any text: the first byte picks one. What a
 * parser takes, its printer must write so that it is taken as the same again. */

#include <errno.h>
#include <string.h>

#include <glib.h>

#include "model/names.h"
#include "model/settings.h"
#include "util/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    int (*parse)(const char *text, uint64_t *ret);
    char *(*format)(uint64_t value);
} numbers[] = {
    { parse_bytes, format_bytes },
    { parse_usec, format_usec },
    { parse_cpu_quota, format_cpu_quota },
};

static void check_number(size_t kind, const char *text)
{
    uint64_t value = 0, again = 0;
    int r = numbers[kind].parse(text, &value);

    g_assert_true(r == 0 || r == -EINVAL || r == -ERANGE);
    if (r < 0) {
        g_assert_cmpuint(value, ==, 0);
        return;
    }
    g_autofree char *printed = numbers[kind].format(value);
    g_assert_cmpint(numbers[kind].parse(printed, &again), ==, 0);
    g_assert_cmpuint(value, ==, again);
}

static void check_words(const char *text)
{
    g_auto(GStrv) words = NULL;
    g_auto(GStrv) again = NULL;

    if (parse_words(text, &words) < 0)
        return;
    g_autofree char *printed = format_words((const char *const *)words);
    g_assert_cmpint(parse_words(printed, &again), ==, 0);
    g_assert_true(g_strv_equal((const char *const *)words, (const char *const *)again));
}

static void check_plain(const char *text)
{
    uint64_t number = 0;
    bool flag;
    int signal;

    (void)parse_bool(text, &flag);
    if (parse_uint64(text, &number) == 0) {
        g_autofree char *human = format_bytes_human(number);

        g_assert_cmpuint(strlen(human), <, 10);
    }
    if (parse_signal(text, &signal) == 0)
        g_assert_true(signal >= 1 && signal <= 64);
    (void)setting_guess(text);
}

static void check_reference(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_auto(Reference) reference = { 0 };

    if (!reference_parse(text, &reference, &error)) {
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
        return;
    }
    g_assert_true((reference.kind == REFERENCE_ID) != name_is_valid(reference.name, NULL));
    g_assert_true((reference.kind == REFERENCE_FOREIGN) == (reference.user != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;

    g_autofree char *text = g_strndup((const char *)data + 1, size - 1);
    size_t kind = data[0] % (G_N_ELEMENTS(numbers) + 3);

    if (kind < G_N_ELEMENTS(numbers))
        check_number(kind, text);
    else if (kind == G_N_ELEMENTS(numbers))
        check_words(text);
    else if (kind == G_N_ELEMENTS(numbers) + 1)
        check_plain(text);
    else
        check_reference(text);
    return 0;
}
