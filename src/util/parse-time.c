/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Time spans as systemd.time(7) writes them: "1min 30s", "5h", "500ms", a bare number is seconds.
 * A month is 30.4375 days and a year 365.25, as there; the printer stops at weeks, because nobody
 * means a year that is six hours longer than a calendar's. */

#include <errno.h>
#include <string.h>

#include <glib.h>

#include "util/decimal.h"
#include "util/parse.h"

#define USEC   UINT64_C(1)
#define MSEC   UINT64_C(1000)
#define SECOND (1000 * MSEC)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define WEEK   (7 * DAY)
#define MONTH  (2629800 * SECOND)
#define YEAR   (31557600 * SECOND)

#define BLANKS " \t\n\r"

static const struct {
    const char *name;
    uint64_t usec;
} time_units[] = {
    { "us", USEC },       { "usec", USEC },      { "µs", USEC },      { "μs", USEC },
    { "ms", MSEC },       { "msec", MSEC },      { "s", SECOND },     { "sec", SECOND },
    { "second", SECOND }, { "seconds", SECOND }, { "m", MINUTE },     { "min", MINUTE },
    { "minute", MINUTE }, { "minutes", MINUTE }, { "h", HOUR },       { "hr", HOUR },
    { "hour", HOUR },     { "hours", HOUR },     { "d", DAY },        { "day", DAY },
    { "days", DAY },      { "w", WEEK },         { "week", WEEK },    { "weeks", WEEK },
    { "M", MONTH },       { "month", MONTH },    { "months", MONTH }, { "y", YEAR },
    { "year", YEAR },     { "years", YEAR },
};

/* Reads the unit at *cursor, blanks before it included. Without one the number was bare: seconds,
 * and something must set it apart from the next ("5.5.5" is not 6 seconds). */
static int unit_scan(const char **cursor, uint64_t *ret)
{
    const char *start = *cursor + strspn(*cursor, BLANKS);
    const char *end = start;

    while (g_ascii_isalpha(*end) || (unsigned char)*end >= 0x80)
        end++;
    if (end == start) {
        if (start == *cursor && *start != '\0')
            return -EINVAL;
        *ret = SECOND;
        *cursor = start;
        return 0;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(time_units); i++)
        if (strlen(time_units[i].name) == (size_t)(end - start) &&
            strncmp(time_units[i].name, start, (size_t)(end - start)) == 0) {
            *ret = time_units[i].usec;
            *cursor = end;
            return 0;
        }
    return -EINVAL;
}

int parse_usec(const char *text, uint64_t *ret)
{
    uint64_t total = 0;
    bool too_large = false;

    if (strcmp(text, "infinity") == 0) {
        *ret = UINT64_MAX;
        return 0;
    }
    text += strspn(text, BLANKS);
    do {
        Decimal decimal;
        uint64_t unit, part;

        if (decimal_scan(&text, &decimal) < 0 || unit_scan(&text, &unit) < 0)
            return -EINVAL;
        /* The rest is read all the same: a wrong form is the more useful thing to say. */
        if (decimal_scale(&decimal, unit, &part) < 0 || __builtin_add_overflow(total, part, &total))
            too_large = true;
        text += strspn(text, BLANKS);
    } while (*text != '\0');

    if (too_large || total == UINT64_MAX)
        return -ERANGE;
    *ret = total;
    return 0;
}

char *format_usec(uint64_t usec)
{
    static const struct {
        const char *name;
        uint64_t usec;
    } printed[] = {
        { "w", WEEK },   { "d", DAY },   { "h", HOUR },  { "min", MINUTE },
        { "s", SECOND }, { "ms", MSEC }, { "us", USEC },
    };
    g_autoptr(GString) text = g_string_new(NULL);

    if (usec == UINT64_MAX)
        return g_strdup("infinity");
    if (usec == 0)
        return g_strdup("0");
    for (size_t i = 0; i < G_N_ELEMENTS(printed); i++) {
        if (usec < printed[i].usec)
            continue;
        g_string_append_printf(text, "%s%" G_GUINT64_FORMAT "%s", text->len > 0 ? " " : "",
                               usec / printed[i].usec, printed[i].name);
        usec %= printed[i].usec;
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}
