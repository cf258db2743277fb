/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether a comma is due is all that a writer has to remember about what came before: leaving a
 * container makes the outer one occupied in any case, so there is no stack. */

#include <inttypes.h>
#include <math.h>

#include <glib.h>

#include "util/json.h"

static const char *const style_names[_JSON_STYLE_COUNT] = {
    [JSON_OFF] = "off",
    [JSON_SHORT] = "short",
    [JSON_PRETTY] = "pretty",
};

bool json_style_from_string(const char *text, JsonStyle *ret)
{
    for (unsigned style = 0; style < _JSON_STYLE_COUNT; style++)
        if (g_str_equal(text, style_names[style])) {
            *ret = (JsonStyle)style;
            return true;
        }
    return false;
}

void json_init(Json *json, FILE *out, JsonStyle style)
{
    *json = (Json){ .out = out, .style = style };
}

void json_done(Json *json)
{
    g_assert(json->depth == 0 && !json->after_key);
    fputc('\n', json->out);
}

static void json_newline(Json *json)
{
    if (json->style == JSON_PRETTY)
        fprintf(json->out, "\n%*s", (int)json->depth * 4, "");
}

/* What stands between the one before and the next value or key. */
static void json_separate(Json *json)
{
    if (json->after_key) {
        json->after_key = false;
        return;
    }
    if (json->occupied)
        fputc(',', json->out);
    if (json->depth > 0)
        json_newline(json);
    json->occupied = true;
}

static void json_open(Json *json, char bracket)
{
    json_separate(json);
    fputc(bracket, json->out);
    json->depth++;
    json->occupied = false;
}

static void json_close(Json *json, char bracket)
{
    g_assert(json->depth > 0 && !json->after_key);
    json->depth--;
    if (json->occupied)
        json_newline(json);
    fputc(bracket, json->out);
    json->occupied = true;
}

void json_open_object(Json *json)
{
    json_open(json, '{');
}

void json_close_object(Json *json)
{
    json_close(json, '}');
}

void json_open_array(Json *json)
{
    json_open(json, '[');
}

void json_close_array(Json *json)
{
    json_close(json, ']');
}

static void json_quote(Json *json, const char *text)
{
    fputc('"', json->out);
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;

        if (c == '"' || c == '\\')
            fprintf(json->out, "\\%c", c);
        else if (c == '\n')
            fputs("\\n", json->out);
        else if (c == '\t')
            fputs("\\t", json->out);
        else if (c < 0x20 || c == 0x7f)
            fprintf(json->out, "\\u%04x", c);
        else
            fputc(c, json->out);
    }
    fputc('"', json->out);
}

void json_key(Json *json, const char *key)
{
    g_assert(json->depth > 0 && !json->after_key);
    json_separate(json);
    json_quote(json, key);
    fputs(json->style == JSON_PRETTY ? ": " : ":", json->out);
    json->after_key = true;
}

void json_null(Json *json)
{
    json_separate(json);
    fputs("null", json->out);
}

void json_bool(Json *json, bool value)
{
    json_separate(json);
    fputs(value ? "true" : "false", json->out);
}

void json_int(Json *json, int64_t value)
{
    json_separate(json);
    fprintf(json->out, "%" PRIi64, value);
}

void json_uint(Json *json, uint64_t value)
{
    json_separate(json);
    fprintf(json->out, "%" PRIu64, value);
}

void json_double(Json *json, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    if (!isfinite(value)) {
        json_null(json);
        return;
    }
    json_separate(json);
    fputs(g_ascii_dtostr(text, sizeof text, value), json->out);
}

void json_string(Json *json, const char *value)
{
    if (!value) {
        json_null(json);
        return;
    }

    g_autofree char *valid = g_utf8_make_valid(value, -1);

    json_separate(json);
    json_quote(json, valid);
}
