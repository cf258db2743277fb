/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The widths are known only when all rows are there, so cells are kept as text and printed at the
 * end. A table narrower than its terminal is never padded to it, and the last column not at all:
 * trailing blanks are a nuisance for those who copy. */

#include "ctl/table.h"

#define GAP        2u /* blanks between columns */
#define SHRINK_MIN 8u /* what a shrunk column keeps */

typedef enum CellKind {
    CELL_NULL,
    CELL_STRING,
    CELL_UINT,
    CELL_BOOL,
} CellKind;

typedef struct Cell {
    CellKind kind;
    char *shown; /* safe to be printed */
    char *text;  /* CELL_STRING, as it came */
    uint64_t number;
    Color color;
} Cell;

struct Table {
    const Column *columns;
    unsigned n_columns;
    GArray *cells;
};

static void cell_clear(void *data)
{
    Cell *cell = data;

    g_free(cell->shown);
    g_free(cell->text);
}

Table *table_new(const Column *columns, unsigned n_columns)
{
    Table *table = g_new0(Table, 1);

    *table = (Table){
        .columns = columns,
        .n_columns = n_columns,
        .cells = g_array_new(false, true, sizeof(Cell)),
    };
    g_array_set_clear_func(table->cells, cell_clear);
    return table;
}

void table_free(Table *table)
{
    if (!table)
        return;
    g_array_unref(table->cells);
    g_free(table);
}

static void table_add(Table *table, Cell cell)
{
    g_array_append_val(table->cells, cell);
}

void table_add_string(Table *table, const char *text)
{
    if (!text) {
        table_add_null(table);
        return;
    }
    table_add(table, (Cell){ .kind = CELL_STRING,
                             .shown = *text ? text_safe(text) : g_strdup("-"),
                             .text = g_strdup(text) });
}

void table_add_uint(Table *table, uint64_t number, const char *shown)
{
    table_add(table, (Cell){ .kind = CELL_UINT,
                             .shown = shown ? text_safe(shown)
                                            : g_strdup_printf("%" G_GUINT64_FORMAT, number),
                             .number = number });
}

void table_add_bool(Table *table, bool value)
{
    table_add(
        table,
        (Cell){ .kind = CELL_BOOL, .shown = g_strdup(value ? "yes" : "no"), .number = value });
}

void table_add_null(Table *table)
{
    table_add(table, (Cell){ .kind = CELL_NULL, .shown = g_strdup("-") });
}

void table_color(Table *table, Color color)
{
    g_assert(table->cells->len > 0);
    g_array_index(table->cells, Cell, table->cells->len - 1).color = color;
}

unsigned table_rows(const Table *table)
{
    g_assert(table->cells->len % table->n_columns == 0);
    return table->cells->len / table->n_columns;
}

static const Cell *table_cell(const Table *table, unsigned row, unsigned column)
{
    return &g_array_index(table->cells, Cell, row * table->n_columns + column);
}

static bool column_in_table(const Column *column)
{
    return !(column->flags & COLUMN_JSON_ONLY);
}

static void table_measure(const Table *table, bool legend, unsigned *widths)
{
    for (unsigned c = 0; c < table->n_columns; c++) {
        widths[c] = legend ? text_width(table->columns[c].title) : 0;
        for (unsigned r = 0; r < table_rows(table); r++)
            widths[c] = MAX(widths[c], text_width(table_cell(table, r, c)->shown));
    }
}

/* Takes from the widest column that may lose something until all fit, or nothing is left to take.
 */
static void table_shrink(const Table *table, unsigned columns, unsigned *widths)
{
    for (;;) {
        unsigned total = 0, n = 0, widest = UINT_MAX;

        for (unsigned c = 0; c < table->n_columns; c++) {
            if (!column_in_table(&table->columns[c]))
                continue;
            total += widths[c];
            n++;
            if (table->columns[c].flags & COLUMN_SHRINK && widths[c] > SHRINK_MIN &&
                (widest == UINT_MAX || widths[c] > widths[widest]))
                widest = c;
        }
        if (n > 0)
            total += (n - 1) * GAP;
        if (total <= columns || widest == UINT_MAX)
            return;
        widths[widest]--;
    }
}

static unsigned last_column(const Table *table)
{
    unsigned last = 0;

    for (unsigned c = 0; c < table->n_columns; c++)
        if (column_in_table(&table->columns[c]))
            last = c;
    return last;
}

typedef struct Printer {
    const Table *table;
    const Terminal *terminal;
    const unsigned *widths;
    unsigned last;
    FILE *out;
} Printer;

static void print_cell(const Printer *printer, unsigned column, const char *text, Color color)
{
    unsigned width = printer->widths[column];
    g_autofree char *fitted = text_ellipsize(text, width, terminal_ellipsis(printer->terminal));
    unsigned blanks = width - text_width(fitted);
    bool right = printer->table->columns[column].flags & COLUMN_RIGHT;
    bool last = column == printer->last;

    if (!*fitted)
        color = COLOR_NONE;
    fprintf(printer->out, "%*s%s%s%s%*s", right ? (int)blanks : 0, "",
            terminal_color(printer->terminal, color), fitted,
            terminal_reset(printer->terminal, color), right || last ? 0 : (int)blanks, "");
    fprintf(printer->out, "%*s", last ? 0 : (int)GAP, "");
}

void table_print(const Table *table, const Terminal *terminal, bool legend, FILE *out)
{
    g_autofree unsigned *widths = g_new0(unsigned, table->n_columns);
    Printer printer = { table, terminal, widths, last_column(table), out };

    table_measure(table, legend, widths);
    if (terminal->columns > 0)
        table_shrink(table, terminal->columns, widths);
    if (legend) {
        for (unsigned c = 0; c < table->n_columns; c++)
            if (column_in_table(&table->columns[c]))
                print_cell(&printer, c, table->columns[c].title, COLOR_UNDERLINE);
        fputc('\n', out);
    }
    for (unsigned r = 0; r < table_rows(table); r++) {
        for (unsigned c = 0; c < table->n_columns; c++) {
            const Cell *cell = table_cell(table, r, c);

            if (column_in_table(&table->columns[c]))
                print_cell(&printer, c, cell->shown, cell->color);
        }
        fputc('\n', out);
    }
}

static void cell_print_json(const Cell *cell, Json *json)
{
    switch (cell->kind) {
    case CELL_NULL:
        json_null(json);
        return;
    case CELL_STRING:
        json_string(json, cell->text);
        return;
    case CELL_UINT:
        json_uint(json, cell->number);
        return;
    case CELL_BOOL:
        json_bool(json, cell->number);
        return;
    }
    g_assert_not_reached();
}

void table_print_json(const Table *table, Json *json)
{
    json_open_array(json);
    for (unsigned r = 0; r < table_rows(table); r++) {
        json_open_object(json);
        for (unsigned c = 0; c < table->n_columns; c++) {
            if (table->columns[c].flags & COLUMN_TABLE_ONLY)
                continue;
            json_key(json, table->columns[c].key);
            cell_print_json(table_cell(table, r, c), json);
        }
        json_close_object(json);
    }
    json_close_array(json);
}
