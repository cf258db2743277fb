/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Booleans, counts, sizes and CPU quotas as text. The spelling is systemd's, so that what people
 * know from unit files holds here: see parse-time.c for time spans, parse-signal.c and
 * parse-words.c for the rest. Strict where a guess could hurt: "10m" is not ten megabytes. */

#include <errno.h>
#include <string.h>

#include <glib.h>

#include "util/decimal.h"
#include "util/parse.h"

#define CPU_USEC_PER_PERCENT 10000u /* microseconds of CPU time a second */

/* Largest first: the printer takes the first that divides the value. */
static const struct {
    char letter;
    uint64_t bytes;
} size_units[] = {
    { 'P', UINT64_C(1) << 50 }, { 'T', UINT64_C(1) << 40 }, { 'G', UINT64_C(1) << 30 },
    { 'M', UINT64_C(1) << 20 }, { 'K', UINT64_C(1) << 10 }, { 'B', 1 },
};

int parse_bool(const char *text, bool *ret)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {
        { "yes", true }, { "no", false },  { "true", true }, { "false", false },
        { "on", true },  { "off", false }, { "1", true },    { "0", false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(text, words[i].word) == 0) {
            *ret = words[i].value;
            return 0;
        }
    return -EINVAL;
}

int parse_uint64(const char *text, uint64_t *ret)
{
    Decimal decimal;

    if (strcmp(text, "infinity") == 0) {
        *ret = UINT64_MAX;
        return 0;
    }
    if (decimal_scan(&text, &decimal) < 0 || decimal.fraction_length > 0 || *text != '\0')
        return -EINVAL;
    return decimal_whole(&decimal, ret);
}

int parse_int64(const char *text, int64_t *ret)
{
    bool negative = *text == '-';
    uint64_t number;

    if (negative || *text == '+')
        text++;
    if (!g_ascii_isdigit(*text))
        return -EINVAL;
    int r = parse_uint64(text, &number);
    if (r < 0)
        return r;
    if (number > INT64_MAX)
        return -ERANGE;
    *ret = negative ? -(int64_t)number : (int64_t)number;
    return 0;
}

int parse_octal(const char *text, uint64_t *ret)
{
    uint64_t number = 0;

    if (*text == '\0')
        return -EINVAL;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '7')
            return -EINVAL;
        if (number > UINT64_MAX >> 3)
            return -ERANGE;
        number = number << 3 | (uint64_t)(*text - '0');
    }
    *ret = number;
    return 0;
}

int parse_bytes(const char *text, uint64_t *ret)
{
    Decimal decimal;
    uint64_t unit = 1;

    if (strcmp(text, "infinity") == 0) {
        *ret = UINT64_MAX;
        return 0;
    }
    if (decimal_scan(&text, &decimal) < 0)
        return -EINVAL;
    for (size_t i = 0; i < G_N_ELEMENTS(size_units); i++)
        if (*text == size_units[i].letter) {
            unit = size_units[i].bytes;
            text++;
            break;
        }
    if (*text != '\0')
        return -EINVAL;
    return decimal_scale(&decimal, unit, ret);
}

int parse_cpu_quota(const char *text, uint64_t *ret)
{
    Decimal decimal;

    if (strcmp(text, "infinity") == 0) {
        *ret = UINT64_MAX;
        return 0;
    }
    if (decimal_scan(&text, &decimal) < 0 || strcmp(text, "%") != 0)
        return -EINVAL;
    return decimal_scale(&decimal, CPU_USEC_PER_PERCENT, ret);
}

char *format_bytes(uint64_t bytes)
{
    if (bytes == UINT64_MAX)
        return g_strdup("infinity");
    for (size_t i = 0; i < G_N_ELEMENTS(size_units); i++)
        if (bytes > 0 && size_units[i].bytes > 1 && bytes % size_units[i].bytes == 0)
            return g_strdup_printf("%" G_GUINT64_FORMAT "%c", bytes / size_units[i].bytes,
                                   size_units[i].letter);
    return g_strdup_printf("%" G_GUINT64_FORMAT, bytes);
}

char *format_bytes_human(uint64_t bytes)
{
    if (bytes == UINT64_MAX)
        return g_strdup("infinity");
    if (bytes < 1024)
        return g_strdup_printf("%" G_GUINT64_FORMAT "B", bytes);
    for (size_t i = G_N_ELEMENTS(size_units) - 1; i-- > 0;) {
        uint64_t unit = size_units[i].bytes;
        uint64_t tenths = bytes / unit * 10 + (bytes % unit * 10 + unit / 2) / unit;

        /* Judged after rounding: one byte below 1M is 1M and not 1024K. */
        if (tenths >= 10240 && i > 0)
            continue;
        if (tenths % 10 == 0)
            return g_strdup_printf("%" G_GUINT64_FORMAT "%c", tenths / 10, size_units[i].letter);
        return g_strdup_printf("%" G_GUINT64_FORMAT ".%u%c", tenths / 10, (unsigned)(tenths % 10),
                               size_units[i].letter);
    }
    g_assert_not_reached();
}

char *format_cpu_quota(uint64_t usec_per_sec)
{
    char fraction[8];
    size_t length;

    if (usec_per_sec == UINT64_MAX)
        return g_strdup("infinity");

    g_snprintf(fraction, sizeof(fraction), ".%04u",
               (unsigned)(usec_per_sec % CPU_USEC_PER_PERCENT));
    length = strlen(fraction);
    while (fraction[length - 1] == '0')
        fraction[--length] = '\0';
    if (length == 1)
        fraction[0] = '\0';
    return g_strdup_printf("%" G_GUINT64_FORMAT "%s%%", usec_per_sec / CPU_USEC_PER_PERCENT,
                           fraction);
}
