/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tables as they appear on a terminal: columns are counted as it counts them. */

#include <locale.h>
#include <stdio.h>

#include "ctl/table.h"
#include "suite.h"

static const Column columns[] = {
    { "", NULL, COLUMN_TABLE_ONLY },   { "NAME", "name", COLUMN_SHRINK },
    { "PID", "pid", COLUMN_RIGHT },    { "PATH", "path", COLUMN_JSON_ONLY },
    { "TEXT", "text", COLUMN_SHRINK },
};

static Table *table;
static char *text;
static size_t size;

static void set_up(void)
{
    table = table_new(columns, G_N_ELEMENTS(columns));
}

static void tear_down(void)
{
    table_free(table);
    free(text);
    text = NULL;
}

static void add_row(const char *name, uint64_t pid, const char *last)
{
    table_add_string(table, "*");
    table_add_string(table, name);
    if (pid != 0)
        table_add_uint(table, pid, NULL);
    else
        table_add_null(table);
    table_add_string(table, "/p");
    table_add_string(table, last);
}

static void check_print(Terminal terminal, bool legend, const char *expected)
{
    FILE *out = open_memstream(&text, &size);

    table_print(table, &terminal, legend, out);
    (void)fclose(out);
    ck_assert_str_eq(text, expected);
}

START_TEST(columns_are_as_wide_as_their_widest_cell_and_the_last_is_not_padded)
{
    add_row("web", 7, "a");
    add_row("database", 1234, "bc");
    check_print((Terminal){ .utf8 = true }, true,
                "   NAME       PID  TEXT\n"
                "*  web          7  a\n"
                "*  database  1234  bc\n");
}
END_TEST

START_TEST(without_a_legend_titles_take_no_room)
{
    add_row("x", 1, "y");
    check_print((Terminal){ .utf8 = true }, false, "*  x  1  y\n");
}
END_TEST

START_TEST(empty_and_absent_cells_show_as_a_dash)
{
    add_row("", 0, "");
    check_print((Terminal){ .utf8 = true }, false, "*  -  -  -\n");
}
END_TEST

START_TEST(wide_and_combining_characters_are_aligned_by_columns)
{
    add_row("漢字", 1, "x");
    add_row("e\xcc\x81y", 2, "x");
    check_print((Terminal){ .utf8 = true }, false,
                "*  漢字  1  x\n"
                "*  e\xcc\x81y    2  x\n");
}
END_TEST

START_TEST(control_characters_of_others_do_not_reach_the_terminal)
{
    add_row("a\033[2Jb", 1, "x\ny");
    check_print((Terminal){ .utf8 = true }, false, "*  a?[2Jb  1  x?y\n");
}
END_TEST

START_TEST(the_widest_column_loses_its_middle_where_the_terminal_is_narrow)
{
    add_row("abcdefgh", 1, "0123456789012345678901234567890");
    check_print((Terminal){ .utf8 = true, .columns = 30 }, false,
                "*  abcdefgh  1  012345678…7890\n");
}
END_TEST

START_TEST(an_ellipsis_is_three_dots_where_there_is_no_utf8)
{
    add_row("n", 1, "0123456789012345678901234567890");
    check_print((Terminal){ .columns = 20 }, false, "*  n  1  012345...90\n");
}
END_TEST

START_TEST(no_column_shrinks_beyond_use)
{
    add_row("abcdefghij", 1, "abcdefghij");
    check_print((Terminal){ .utf8 = true, .columns = 5 }, false, "*  abcde…ij  1  abcde…ij\n");
}
END_TEST

START_TEST(colours_do_not_count_as_width)
{
    table_add_string(table, "*");
    table_color(table, COLOR_GREEN);
    table_add_string(table, "a");
    table_add_uint(table, 1, "one");
    table_add_string(table, "/p");
    table_add_string(table, "z");
    check_print((Terminal){ .utf8 = true, .color = true, .columns = 12 }, false,
                "\033[0;1;32m*\033[0m  a  one  z\n");
}
END_TEST

START_TEST(json_has_keys_numbers_nulls_and_no_columns_of_the_table_only)
{
    FILE *out = open_memstream(&text, &size);
    Json json;

    add_row("web", 0, "x\ny");
    table_add_string(table, "*");
    table_add_string(table, "");
    table_add_uint(table, 5, "five");
    table_add_null(table);
    table_add_bool(table, true);
    json_init(&json, out, JSON_SHORT);
    table_print_json(table, &json);
    (void)fclose(out);
    ck_assert_str_eq(text, "[{\"name\":\"web\",\"pid\":null,\"path\":\"/p\",\"text\":\"x\\ny\"},"
                           "{\"name\":\"\",\"pid\":5,\"path\":null,\"text\":true}]");
}
END_TEST

SUITE_MAIN_WITH("ctl/table", set_up, tear_down,
                columns_are_as_wide_as_their_widest_cell_and_the_last_is_not_padded,
                without_a_legend_titles_take_no_room, empty_and_absent_cells_show_as_a_dash,
                wide_and_combining_characters_are_aligned_by_columns,
                control_characters_of_others_do_not_reach_the_terminal,
                the_widest_column_loses_its_middle_where_the_terminal_is_narrow,
                an_ellipsis_is_three_dots_where_there_is_no_utf8, no_column_shrinks_beyond_use,
                colours_do_not_count_as_width,
                json_has_keys_numbers_nulls_and_no_columns_of_the_table_only)
