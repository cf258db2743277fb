/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Text to value and back, by the type of the setting. What util/parse.h reads is read the same way
 * everywhere; this file adds the types, the choices and the sentences. */

#include <errno.h>
#include <string.h>

#include "model/setting-check.h"
#include "model/setting-text.h"
#include "util/parse.h"

static int parse_bool_number(const char *text, uint64_t *ret)
{
    bool value;
    int r = parse_bool(text, &value);

    if (r == 0)
        *ret = value;
    return r;
}

static int parse_signal_number(const char *text, uint64_t *ret)
{
    int signal;
    int r = parse_signal(text, &signal);

    if (r == 0)
        *ret = (uint64_t)signal;
    return r;
}

static int parse_int_number(const char *text, uint64_t *ret)
{
    int64_t number;
    int r = parse_int64(text, &number);

    if (r == 0)
        *ret = (uint64_t)number;
    return r;
}

static char *print_bool(uint64_t number)
{
    return g_strdup(number ? "yes" : "no");
}

static char *print_uint64(uint64_t number)
{
    if (number == UINT64_MAX)
        return g_strdup("infinity");
    return g_strdup_printf("%" G_GUINT64_FORMAT, number);
}

static char *print_int(uint64_t number)
{
    return g_strdup_printf("%" G_GINT64_FORMAT, (int64_t)number);
}

static char *print_mode(uint64_t number)
{
    return g_strdup_printf("%04" G_GINT64_MODIFIER "o", number);
}

static char *print_signal(uint64_t number)
{
    const char *name = number <= INT32_MAX ? signal_name((int)number) : NULL;

    return name ? g_strdup(name) : print_uint64(number);
}

/* The numeric types; a choice is read by its setting's own list. */
static const struct {
    int (*parse)(const char *text, uint64_t *ret);
    char *(*print)(uint64_t number);
    const char *not_one;
} numbers[_SETTING_TYPE_COUNT] = {
    [SETTING_TYPE_BOOL] = { parse_bool_number, print_bool, "must be yes or no" },
    [SETTING_TYPE_UINT64] = { parse_uint64, print_uint64, "not a number (examples: 100, 4096)" },
    [SETTING_TYPE_BYTES] = { parse_bytes, format_bytes,
                             "not a size (examples: 512K, 1.5G, infinity)" },
    [SETTING_TYPE_USEC] = { parse_usec, format_usec,
                            "not a time span (examples: 30s, 1min 30s, infinity)" },
    [SETTING_TYPE_CPU_QUOTA] = { parse_cpu_quota, format_cpu_quota,
                                 "not a share of one core (examples: 50%, 150%, infinity)" },
    [SETTING_TYPE_SIGNAL] = { parse_signal_number, print_signal,
                              "not a signal (examples: SIGTERM, INT, 15)" },
    [SETTING_TYPE_INT] = { parse_int_number, print_int, "not a number (examples: 5, -5)" },
    [SETTING_TYPE_MODE] = { parse_octal, print_mode, "not an octal number (examples: 0022, 077)" },
};

char *setting_print_number(const Setting *setting, uint64_t number)
{
    if (setting->type != SETTING_TYPE_ENUM)
        return numbers[setting->type].print(number);
    if (number < g_strv_length((char **)setting->choices))
        return g_strdup(setting->choices[number]);
    return print_uint64(number);
}

static char *expected_choices(const char *const *choices)
{
    size_t count = g_strv_length((char **)choices);
    GString *text = g_string_new(choices[0]);

    for (size_t i = 1; i < count; i++)
        g_string_append_printf(text, "%s%s", i + 1 < count ? ", " : " or ", choices[i]);
    return g_string_free(text, FALSE);
}

/* A limit of the range as the setting is written, but signals by number: they are ordered so. */
static char *print_bound(const Setting *setting, uint64_t bound)
{
    if (setting->type == SETTING_TYPE_SIGNAL)
        return print_uint64(bound);
    return setting_print_number(setting, bound);
}

char *setting_expected(const Setting *setting)
{
    if (setting->type == SETTING_TYPE_BOOL)
        return g_strdup("yes or no");
    if (setting->type == SETTING_TYPE_ENUM)
        return expected_choices(setting->choices);

    g_autofree char *minimum = print_bound(setting, setting->minimum);
    g_autofree char *maximum = print_bound(setting, setting->maximum);
    if (setting->maximum == UINT64_MAX && setting->type != SETTING_TYPE_INT)
        return g_strdup_printf("at least %s", minimum);
    return g_strdup_printf("from %s to %s", minimum, maximum);
}

static bool parse_choice(const Setting *setting, const char *text, uint64_t *ret, GError **error)
{
    for (size_t i = 0; setting->choices[i]; i++)
        if (strcmp(setting->choices[i], text) == 0) {
            *ret = i;
            return true;
        }

    g_autofree char *expected = setting_expected(setting);
    return setting_refuse(setting, text, error, "must be %s", expected);
}

static bool parse_number(const Setting *setting, const char *text, Value *ret, GError **error)
{
    uint64_t number = 0;

    if (setting->type == SETTING_TYPE_ENUM) {
        if (!parse_choice(setting, text, &number, error))
            return false;
    } else {
        int r = numbers[setting->type].parse(text, &number);

        if (r == -ERANGE) {
            g_autofree char *expected = setting_expected(setting);

            return setting_refuse(setting, text, error, "too large, must be %s", expected);
        }
        if (r < 0)
            return setting_refuse(setting, text, error, "%s", numbers[setting->type].not_one);
        if (!setting_check_number(setting, number, text, error))
            return false;
    }
    *ret = (Value){ .kind = VALUE_NUMBER, .number = number };
    return true;
}

static bool parse_strv(const Setting *setting, const char *text, Value *ret, GError **error)
{
    g_auto(GStrv) strv = NULL;

    if (parse_words(text, &strv) < 0)
        return setting_refuse(setting, text, error,
                              "a quotation mark has no partner, or a backslash nothing to quote");
    if (!setting_check_strv(setting, (const char *const *)strv, error))
        return false;
    *ret = (Value){ .kind = VALUE_STRV, .strv = g_steal_pointer(&strv) };
    return true;
}

bool setting_parse(const Setting *setting, const char *text, Value *ret, GError **error)
{
    switch (setting_kind(setting)) {
    case VALUE_NUMBER:
        return parse_number(setting, text, ret, error);
    case VALUE_STRV:
        return parse_strv(setting, text, ret, error);
    case VALUE_STRING:
        if (!setting_check_string(setting, text, error))
            return false;
        *ret = (Value){ .kind = VALUE_STRING, .string = g_strdup(text) };
        return true;
    case VALUE_NONE:
        break;
    }
    g_assert_not_reached();
}

char *setting_print(const Setting *setting, const Value *value)
{
    switch (value->kind) {
    case VALUE_NONE:
        return g_strdup("");
    case VALUE_NUMBER:
        return setting_print_number(setting, value->number);
    case VALUE_STRING:
        return g_strdup(value->string);
    case VALUE_STRV:
        return format_words((const char *const *)value->strv);
    }
    g_assert_not_reached();
}
