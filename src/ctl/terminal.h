/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the place we print to can show: colours, characters beyond ASCII, how many columns. */

#include <stdbool.h>

#include <glib.h>

typedef enum Color {
    COLOR_NONE,
    COLOR_GREEN,
    COLOR_YELLOW,
    COLOR_RED,
    COLOR_GREY,
    COLOR_BOLD,
    COLOR_UNDERLINE,
    _COLOR_COUNT,
} Color;

typedef struct Terminal {
    bool tty;
    bool color;
    bool utf8;
    unsigned columns; /* 0: as many as wanted */
} Terminal;

/* Colours only on a terminal, and not with NO_COLOR, TERM=dumb or SYSTEMD_COLORS=0. */
Terminal terminal_detect(int fd);

/* The sequences around a coloured word; "" where there is no colour. */
const char *terminal_color(const Terminal *terminal, Color color);
const char *terminal_reset(const Terminal *terminal, Color color);

const char *terminal_ellipsis(const Terminal *terminal);

/* How many columns a text takes. */
unsigned text_width(const char *text);

/* The text, safe to be printed on a terminal: what others named or wrote must not move our cursor.
 * Control characters become '?', invalid UTF-8 U+FFFD. g_free. */
char *text_safe(const char *text);

/* At most `width` columns of a valid text, with an ellipsis in its middle if it had more; g_free.
 */
char *text_ellipsize(const char *text, unsigned width, const char *ellipsis);
