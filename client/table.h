/* Rows of JSON objects on standard output, in one of three forms: an aligned table for people
 * (numbers to the right with their full stops in one line, East Asian wide characters counted as two
 * columns, columns left out that no row fills), CSV with decimal prices,
 * or JSON as the protocol has it, one object a line. One thread. */
#ifndef KASHI_CLIENT_TABLE_H
#define KASHI_CLIENT_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum table_form { TABLE_PEOPLE = 0, TABLE_CSV = 1, TABLE_JSON = 2 };

enum table_kind {
    TABLE_TEXT,   /* also a list of texts */
    TABLE_NUMBER, /* as it is */
    TABLE_MONEY,  /* ten-thousandths of a yuan, 2 .. 4 decimals */
    TABLE_TIME,   /* nanoseconds since 1970, UTC */
    TABLE_YES,    /* true: yes; false: empty */
};

struct table_column {
    const char *title; /* also the column's name in CSV, in lower case with '_' for blanks */
    const char *key;   /* in the row's object */
    enum table_kind kind;
};

#define TABLE_COLUMNS_MAX 28

struct table {
    FILE *out;
    const struct table_column *columns;
    uint32_t column_count;
    enum table_form form;
    uint32_t row_count;
    uint32_t cell_capacity;
    uint32_t cell_count;
    char **cells; /* TABLE_PEOPLE: kept until the widths are known */
};

void table_begin(struct table *table, FILE *out, enum table_form form,
                 const struct table_column *columns, uint32_t column_count);
/* Does not keep `row`. */
void table_row(struct table *table, json_t *row);
/* Prints what is kept and frees it. `nothing` is said to people when there was no row. */
void table_end(struct table *table, const char *nothing);

/* One cell's text as a table would show it, "" where the row has no such value. */
#define TABLE_CELL_SIZE 256
void table_cell(const struct table_column *column, const json_t *row, char text[TABLE_CELL_SIZE]);
/* Columns that UTF-8 text takes on a terminal. */
uint32_t table_width(const char *text);

#endif
