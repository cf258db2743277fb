/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Widths are those of Unicode, as GLib knows them: a name in Chinese takes two columns a
 * character, a combining accent none. Bytes and characters are both wrong for a table. */

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl/terminal.h"

static const char *const color_sequences[_COLOR_COUNT] = {
    [COLOR_NONE] = "",
    [COLOR_GREEN] = "\033[0;1;32m",
    [COLOR_YELLOW] = "\033[0;1;33m",
    [COLOR_RED] = "\033[0;1;31m",
    [COLOR_GREY] = "\033[0;38;5;245m",
    [COLOR_BOLD] = "\033[0;1m",
    [COLOR_UNDERLINE] = "\033[0;4m",
};

static bool colors_wanted(void)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    const char *systemd = getenv("SYSTEMD_COLORS");

    if (no_color && *no_color)
        return false;
    if (!term || g_str_equal(term, "dumb"))
        return false;
    return !systemd || !(g_str_equal(systemd, "0") || g_str_equal(systemd, "no"));
}

static unsigned columns_of(int fd)
{
    const char *variable = getenv("COLUMNS");
    struct winsize size = { 0 };

    if (variable) {
        unsigned long columns = strtoul(variable, NULL, 10);

        if (columns > 0 && columns <= 10000)
            return (unsigned)columns;
    }
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

Terminal terminal_detect(int fd)
{
    bool tty = isatty(fd);

    return (Terminal){
        .tty = tty,
        .color = tty && colors_wanted(),
        .utf8 = g_str_equal(nl_langinfo(CODESET), "UTF-8"),
        .columns = tty ? columns_of(fd) : 0,
    };
}

const char *terminal_color(const Terminal *terminal, Color color)
{
    return terminal->color ? color_sequences[color] : "";
}

const char *terminal_reset(const Terminal *terminal, Color color)
{
    return terminal->color && color != COLOR_NONE ? "\033[0m" : "";
}

const char *terminal_ellipsis(const Terminal *terminal)
{
    return terminal->utf8 ? "…" : "...";
}

static unsigned char_width(gunichar c)
{
    if (g_unichar_iszerowidth(c))
        return 0;
    return g_unichar_iswide(c) ? 2 : 1;
}

unsigned text_width(const char *text)
{
    unsigned width = 0;

    for (const char *p = text; *p; p = g_utf8_next_char(p))
        width += char_width(g_utf8_get_char(p));
    return width;
}

char *text_safe(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *safe = g_string_sized_new(strlen(valid));

    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        /* Overrides of the writing direction belong to "format", as harmless joiners do. */
        bool direction = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);

        g_string_append_unichar(safe, g_unichar_iscntrl(c) || direction ? '?' : c);
    }
    return g_string_free(safe, false);
}

/* The longest tail of at most `width` columns. */
static const char *text_tail(const char *text, unsigned width)
{
    const char *tail = text + strlen(text);
    unsigned used = 0;

    while (tail > text) {
        const char *before = g_utf8_prev_char(tail);

        used += char_width(g_utf8_get_char(before));
        if (used > width)
            break;
        tail = before;
    }
    return tail;
}

/* The end of the longest head of at most `width` columns. */
static const char *text_head(const char *text, unsigned width)
{
    unsigned used = 0;
    const char *end = text;

    while (*end) {
        used += char_width(g_utf8_get_char(end));
        if (used > width)
            break;
        end = g_utf8_next_char(end);
    }
    return end;
}

char *text_ellipsize(const char *text, unsigned width, const char *ellipsis)
{
    unsigned ellipsis_width = text_width(ellipsis);

    if (text_width(text) <= width)
        return g_strdup(text);
    if (width <= ellipsis_width)
        return g_strndup(text, (gsize)(text_head(text, width) - text));

    unsigned rest = width - ellipsis_width;
    unsigned tail_width = rest / 3; /* the head says more than the tail */
    const char *head = text_head(text, rest - tail_width);
    const char *tail = text_tail(text, tail_width);

    return g_strdup_printf("%.*s%s%s", (int)(head - text), text, ellipsis, tail);
}
