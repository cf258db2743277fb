/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The shapes of strings. Written out by hand rather than as regular expressions: each is a few
 * lines, none depends on the locale, and none can be made slow by its input. */

#include <string.h>

#include "model/text.h"
#include "util/parse.h"

#define USER_NAME_MAX     32   /* useradd(8) */
#define HOSTNAME_MAX      64   /* HOST_NAME_MAX of Linux */
#define HOSTNAME_LABEL    63   /* RFC 1123, RFC 1035 */
#define PATH_LENGTH_MAX   4095 /* PATH_MAX of Linux without the NUL */
#define UID_INVALID_16    UINT64_C(65535)
#define UID_INVALID       UINT64_C(4294967295)
#define QUOTED_CHARACTERS 64

static bool character_is_shown(gunichar c)
{
    GUnicodeType type = g_unichar_type(c);

    if (type == G_UNICODE_CONTROL || type == G_UNICODE_LINE_SEPARATOR ||
        type == G_UNICODE_PARAGRAPH_SEPARATOR)
        return false;
    /* The embeddings, overrides and isolates of the bidirectional algorithm. */
    return !(c >= 0x202a && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069);
}

bool text_is_shown(const char *text)
{
    if (!g_utf8_validate(text, -1, NULL))
        return false;
    for (const char *c = text; *c != '\0'; c = g_utf8_next_char(c))
        if (!character_is_shown(g_utf8_get_char(c)))
            return false;
    return true;
}

bool text_to_id(const char *text, uint32_t *ret)
{
    uint64_t id;

    if (!g_ascii_isdigit(*text) || (*text == '0' && text[1] != '\0'))
        return false;
    if (parse_uint64(text, &id) < 0 || id >= UID_INVALID || id == UID_INVALID_16)
        return false;
    *ret = (uint32_t)id;
    return true;
}

bool text_is_user(const char *text)
{
    size_t length = strlen(text);
    uint32_t id;

    if (g_ascii_isdigit(*text))
        return text_to_id(text, &id);
    if (length == 0 || length > USER_NAME_MAX || !(g_ascii_islower(*text) || *text == '_'))
        return false;
    if (text[length - 1] == '$')
        length--;
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_islower(text[i]) && !g_ascii_isdigit(text[i]) && text[i] != '_' &&
            text[i] != '-')
            return false;
    return true;
}

static bool label_is_valid(const char *label, size_t length)
{
    if (length == 0 || length > HOSTNAME_LABEL || label[0] == '-' || label[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isalnum(label[i]) && label[i] != '-')
            return false;
    return true;
}

bool text_is_hostname(const char *text)
{
    if (strlen(text) > HOSTNAME_MAX)
        return false;
    for (;;) {
        size_t length = strcspn(text, ".");

        if (!label_is_valid(text, length))
            return false;
        if (text[length] == '\0')
            return true;
        text += length + 1;
    }
}

bool text_is_path(const char *text)
{
    if (*text != '/' || strlen(text) > PATH_LENGTH_MAX || !text_is_shown(text))
        return false;
    if (text[1] == '\0')
        return true;
    while (*text == '/') {
        const char *component = text + 1;
        size_t length = strcspn(component, "/");

        if (length == 0 || (length == 1 && component[0] == '.') ||
            (length == 2 && component[0] == '.' && component[1] == '.'))
            return false;
        text = component + length;
    }
    return true;
}

bool text_is_output(const char *text)
{
    static const char *const kinds[] = { "file:", "append:" };

    if (strcmp(text, "journal") == 0 || strcmp(text, "null") == 0)
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (g_str_has_prefix(text, kinds[i]))
            return text_is_path(text + strlen(kinds[i]));
    return false;
}

size_t text_assignment_name(const char *text)
{
    size_t length = 0;

    if (g_ascii_isdigit(*text))
        return 0;
    while (g_ascii_isalnum(text[length]) || text[length] == '_')
        length++;
    return text[length] == '=' ? length : 0;
}

char *text_quotable(const char *text)
{
    /* Only what can be shown is looked at: the text may be megabytes of anything. */
    g_autofree char *start = g_strndup(text, QUOTED_CHARACTERS * 4 + 4);
    g_autofree char *valid = g_utf8_make_valid(start, -1);
    GString *quotable = g_string_new(NULL);
    size_t count = 0;

    for (const char *c = valid; *c != '\0'; c = g_utf8_next_char(c)) {
        gunichar character = g_utf8_get_char(c);

        if (count++ == QUOTED_CHARACTERS) {
            g_string_append(quotable, "…");
            break;
        }
        g_string_append_unichar(quotable, character_is_shown(character) ? character : '?');
    }
    return g_string_free(quotable, FALSE);
}
