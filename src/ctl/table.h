/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Rows of cells, printed for people as an aligned table or for programs as JSON: one list of
 * columns says both. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <glib.h>

#include "util/json.h"
#include "ctl/terminal.h"

enum {
    COLUMN_RIGHT = 1u << 0,      /* numbers */
    COLUMN_SHRINK = 1u << 1,     /* loses its middle where the terminal is too narrow */
    COLUMN_TABLE_ONLY = 1u << 2, /* not in JSON */
    COLUMN_JSON_ONLY = 1u << 3,  /* not in the table */
};

typedef struct Column {
    const char *title; /* of the table */
    const char *key;   /* in JSON */
    unsigned flags;
} Column;

typedef struct Table Table;

/* The columns must outlive the table. */
Table *table_new(const Column *columns, unsigned n_columns);
void table_free(Table *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Table, table_free)

/* Cells are added from left to right, row after row. Empty and absent ones show as "-"; an absent
 * one is null in JSON. `shown` is what people see instead of the number, or NULL. */
void table_add_string(Table *table, const char *text);
void table_add_uint(Table *table, uint64_t number, const char *shown);
void table_add_bool(Table *table, bool value);
void table_add_null(Table *table);

/* Colours the cell that was added last. */
void table_color(Table *table, Color color);

unsigned table_rows(const Table *table);

/* `legend`: with a line of titles. */
void table_print(const Table *table, const Terminal *terminal, bool legend, FILE *out);

/* An array of objects. */
void table_print_json(const Table *table, Json *json);
