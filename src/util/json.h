/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A streaming writer of JSON: what is said is written, nothing is built in memory. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef enum JsonStyle {
    JSON_OFF,
    JSON_SHORT,  /* one line */
    JSON_PRETTY, /* indented */
    _JSON_STYLE_COUNT,
} JsonStyle;

typedef struct Json {
    FILE *out;
    JsonStyle style;
    unsigned depth;
    bool occupied;  /* the innermost container has an element */
    bool after_key; /* the value belongs to a key just written */
} Json;

/* "short", "pretty", "off"; false if it is none of them. */
bool json_style_from_string(const char *text, JsonStyle *ret);

void json_init(Json *json, FILE *out, JsonStyle style);

/* After the one outermost value: a newline. */
void json_done(Json *json);

void json_open_object(Json *json);
void json_close_object(Json *json);
void json_open_array(Json *json);
void json_close_array(Json *json);

/* Inside an object: before each value. */
void json_key(Json *json, const char *key);

void json_null(Json *json);
void json_bool(Json *json, bool value);
void json_int(Json *json, int64_t value);
void json_uint(Json *json, uint64_t value);
void json_double(Json *json, double value);      /* null if it is no finite number */
void json_string(Json *json, const char *value); /* null if NULL; invalid UTF-8 becomes U+FFFD */
