/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is written is compared with what a JSON parser would want to read, byte for byte. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "suite.h"
#include "util/json.h"

static char *text;
static size_t size;
static Json json;

static void begin(JsonStyle style)
{
    FILE *out = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(out);
    json_init(&json, out, style);
}

static void expect(const char *expected)
{
    json_done(&json);
    (void)fclose(json.out);
    ck_assert_str_eq(text, expected);
    free(text);
}

static void write_nested(void)
{
    json_open_object(&json);
    json_key(&json, "a");
    json_open_array(&json);
    json_uint(&json, 1);
    json_open_object(&json);
    json_close_object(&json);
    json_open_array(&json);
    json_close_array(&json);
    json_close_array(&json);
    json_key(&json, "b");
    json_null(&json);
    json_close_object(&json);
}

START_TEST(short_style_is_one_line_without_blanks)
{
    begin(JSON_SHORT);
    write_nested();
    expect("{\"a\":[1,{},[]],\"b\":null}\n");
}
END_TEST

START_TEST(pretty_style_indents_by_four_and_keeps_empty_containers_on_one_line)
{
    begin(JSON_PRETTY);
    write_nested();
    expect("{\n    \"a\": [\n        1,\n        {},\n        []\n    ],\n    \"b\": null\n}\n");
}
END_TEST

START_TEST(a_lone_value_is_a_document)
{
    begin(JSON_PRETTY);
    json_string(&json, "x");
    expect("\"x\"\n");
}
END_TEST

START_TEST(numbers_are_exact_at_both_ends)
{
    begin(JSON_SHORT);
    json_open_array(&json);
    json_uint(&json, UINT64_MAX);
    json_int(&json, INT64_MIN);
    json_bool(&json, true);
    json_bool(&json, false);
    json_close_array(&json);
    expect("[18446744073709551615,-9223372036854775808,true,false]\n");
}
END_TEST

START_TEST(what_is_no_finite_number_is_null)
{
    begin(JSON_SHORT);
    json_open_array(&json);
    json_double(&json, 0.5);
    json_double(&json, NAN);
    json_double(&json, INFINITY);
    json_close_array(&json);
    expect("[0.5,null,null]\n");
}
END_TEST

START_TEST(an_absent_string_is_null_and_an_empty_one_is_not)
{
    begin(JSON_SHORT);
    json_open_array(&json);
    json_string(&json, NULL);
    json_string(&json, "");
    json_close_array(&json);
    expect("[null,\"\"]\n");
}
END_TEST

START_TEST(what_would_end_or_break_a_string_is_escaped)
{
    begin(JSON_SHORT);
    json_string(&json, "\"\\/\n\t\r\x01\x1b\x7f");
    expect("\"\\\"\\\\/\\n\\t\\u000d\\u0001\\u001b\\u007f\"\n");
}
END_TEST

START_TEST(utf8_passes_and_invalid_bytes_become_replacement_characters)
{
    begin(JSON_SHORT);
    json_string(&json, "ü漢\xff!");
    expect("\"ü漢\xef\xbf\xbd!\"\n");
}
END_TEST

START_TEST(keys_are_escaped_like_strings)
{
    begin(JSON_SHORT);
    json_open_object(&json);
    json_key(&json, "a\"b");
    json_int(&json, 0);
    json_close_object(&json);
    expect("{\"a\\\"b\":0}\n");
}
END_TEST

START_TEST(styles_are_known_by_name_and_others_refused)
{
    JsonStyle style = JSON_OFF;

    ck_assert(json_style_from_string("pretty", &style));
    ck_assert_int_eq(style, JSON_PRETTY);
    ck_assert(!json_style_from_string("Pretty", &style));
    ck_assert(!json_style_from_string("", &style));
    ck_assert_int_eq(style, JSON_PRETTY);
}
END_TEST

SUITE_MAIN("util/json", short_style_is_one_line_without_blanks,
           pretty_style_indents_by_four_and_keeps_empty_containers_on_one_line,
           a_lone_value_is_a_document, numbers_are_exact_at_both_ends,
           what_is_no_finite_number_is_null, an_absent_string_is_null_and_an_empty_one_is_not,
           what_would_end_or_break_a_string_is_escaped,
           utf8_passes_and_invalid_bytes_become_replacement_characters,
           keys_are_escaped_like_strings, styles_are_known_by_name_and_others_refused)
