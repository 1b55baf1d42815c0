#include "client/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "client/decimal.h"

/* First and last code points of what terminals show in two columns (the blocks of Unicode's East
 * Asian Width W and F that people write names and 标识 with). */
static const uint32_t wide[][2] = {
    {0x1100, 0x115f}, {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0x9fff},
    {0xa000, 0xa4cf}, {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe4f},   {0xff00, 0xff60},
    {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x2fffd}, {0x30000, 0x3fffd},
};

/* Decodes one code point; what is not UTF-8 counts as one byte, one column. */
static uint32_t code_point(const unsigned char **at)
{
    const unsigned char *text = *at;
    uint32_t extra = text[0] >= 0xf0 ? 3 : text[0] >= 0xe0 ? 2 : text[0] >= 0xc0 ? 1 : 0;
    uint32_t point = extra == 0 ? text[0] : text[0] & (0x3fU >> extra);
    for (uint32_t i = 1; i <= extra; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            *at = text + 1;
            return text[0];
        }
        point = point << 6 | (text[i] & 0x3f);
    }
    *at = text + extra + 1;
    return point;
}

uint32_t table_width(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    uint32_t width = 0;
    while (*at != '\0') {
        uint32_t point = code_point(&at);
        bool combining = point >= 0x300 && point <= 0x36f;
        width += combining ? 0 : 1;
        for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
            width += point >= wide[i][0] && point <= wide[i][1];
        }
    }
    return width;
}

static void cell_list(const json_t *value, char text[TABLE_CELL_SIZE])
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *item = json_string_value(json_array_get(value, i));
        used += (size_t)snprintf(text + used, TABLE_CELL_SIZE - used, "%s%s", i == 0 ? "" : ",",
                                 item != NULL ? item : "");
        if (used >= TABLE_CELL_SIZE) {
            return;
        }
    }
}

void table_cell(const struct table_column *column, const json_t *row, char text[TABLE_CELL_SIZE])
{
    const json_t *value = json_object_get(row, column->key);
    text[0] = '\0';
    if (json_is_array(value)) {
        cell_list(value, text);
    } else if (json_is_string(value)) {
        (void)snprintf(text, TABLE_CELL_SIZE, "%s", json_string_value(value));
    } else if (json_is_boolean(value)) {
        (void)snprintf(text, TABLE_CELL_SIZE, "%s", json_is_true(value) ? "yes" : "");
    } else if (json_is_integer(value)) {
        json_int_t number = json_integer_value(value);
        if (column->kind == TABLE_MONEY) {
            char decimal[DECIMAL_TEXT_SIZE];
            decimal_format(number, DECIMAL_E4_PLACES, 2, decimal);
            memcpy(text, decimal, sizeof(decimal));
        } else if (column->kind == TABLE_TIME) {
            char utc[CLOCK_TEXT_SIZE];
            clock_format_utc(number, utc);
            (void)snprintf(text, TABLE_CELL_SIZE, "%.23sZ", utc);
        } else {
            (void)snprintf(text, TABLE_CELL_SIZE, "%lld", (long long)number);
        }
    }
    /* What came from elsewhere must not steer the terminal. */
    for (char *c = text; *c != '\0'; c++) {
        *c = (unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c;
    }
}

void table_begin(struct table *table, FILE *out, enum table_form form,
                 const struct table_column *columns, uint32_t column_count)
{
    CHECK(column_count <= TABLE_COLUMNS_MAX);
    *table =
        (struct table){.out = out, .form = form, .columns = columns, .column_count = column_count};
    if (form != TABLE_CSV) {
        return;
    }
    for (uint32_t i = 0; i < column_count; i++) {
        (void)fprintf(out, "%s", i == 0 ? "" : ",");
        for (const char *c = columns[i].title; *c != '\0'; c++) {
            (void)fputc(*c == ' ' ? '_' : *c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c, out);
        }
    }
    (void)fputc('\n', out);
}

static void csv_cell(FILE *out, const char *text)
{
    if (strpbrk(text, ",\" ") == NULL) {
        (void)fputs(text, out);
        return;
    }
    (void)fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            (void)fputc('"', out);
        }
        (void)fputc(*text, out);
    }
    (void)fputc('"', out);
}

void table_row(struct table *table, json_t *row)
{
    char text[TABLE_CELL_SIZE];
    table->row_count++;
    if (table->form == TABLE_JSON) {
        json_dumpf(row, table->out, JSON_COMPACT);
        (void)fputc('\n', table->out);
        return;
    }
    for (uint32_t i = 0; i < table->column_count; i++) {
        table_cell(&table->columns[i], row, text);
        if (table->form == TABLE_CSV) {
            (void)fprintf(table->out, "%s", i == 0 ? "" : ",");
            csv_cell(table->out, text);
            continue;
        }
        if (table->cell_count == table->cell_capacity) {
            table->cell_capacity = table->cell_capacity == 0 ? 256 : table->cell_capacity * 2;
            table->cells = realloc(table->cells, table->cell_capacity * sizeof(table->cells[0]));
            CHECK(table->cells != NULL);
        }
        table->cells[table->cell_count] = strdup(text);
        CHECK(table->cells[table->cell_count] != NULL);
        table->cell_count++;
    }
    if (table->form == TABLE_CSV) {
        (void)fputc('\n', table->out);
    }
}

static bool column_right(const struct table_column *column)
{
    return column->kind == TABLE_NUMBER || column->kind == TABLE_MONEY;
}

/* Decimals behind the full stop of a money cell. */
static uint32_t decimals(const char *text)
{
    const char *point = strchr(text, '.');
    return point != NULL ? (uint32_t)strlen(point) : 0;
}

/* What a column needs so that all its cells fit. */
struct shape {
    uint32_t width;
    uint32_t decimals; /* of money, the full stop counted, so that the stops stand in one line */
    bool shown;        /* some row has something to say */
};

static struct shape column_shape(const struct table *table, uint32_t column)
{
    struct shape shape = {.width = 0};
    bool money = table->columns[column].kind == TABLE_MONEY;
    uint32_t whole = 0;
    for (uint32_t at = column; at < table->cell_count; at += table->column_count) {
        const char *text = table->cells[at];
        uint32_t behind = money ? decimals(text) : 0;
        uint32_t before = table_width(text) - behind;
        shape.decimals = behind > shape.decimals ? behind : shape.decimals;
        whole = before > whole ? before : whole;
        shape.shown = shape.shown || *text != '\0';
    }
    uint32_t title = table_width(table->columns[column].title);
    shape.width = whole + shape.decimals > title ? whole + shape.decimals : title;
    return shape;
}

static void people_line(const struct table *table, const struct shape *shapes, char *const *cells)
{
    uint32_t blanks = 0; /* owed before the next text, so that no line ends in blanks */
    bool first = true;
    for (uint32_t i = 0; i < table->column_count; i++) {
        const char *text = cells != NULL ? cells[i] : table->columns[i].title;
        if (!shapes[i].shown) {
            continue;
        }
        bool money = cells != NULL && table->columns[i].kind == TABLE_MONEY;
        uint32_t behind = money ? shapes[i].decimals - decimals(text) : 0;
        uint32_t fill = shapes[i].width - table_width(text) - behind;
        bool right = column_right(&table->columns[i]);
        blanks += (first ? 0 : 2) + (right ? fill : 0);
        first = false;
        if (*text != '\0') {
            (void)fprintf(table->out, "%*s%s", (int)blanks, "", text);
            blanks = 0;
        }
        blanks += behind + (right ? 0 : fill);
    }
    (void)fputc('\n', table->out);
}

void table_end(struct table *table, const char *nothing)
{
    struct shape shapes[TABLE_COLUMNS_MAX] = {{0}};
    if (table->form == TABLE_PEOPLE && table->row_count == 0) {
        (void)fprintf(table->out, "%s\n", nothing);
    }
    if (table->form == TABLE_PEOPLE && table->row_count > 0) {
        for (uint32_t i = 0; i < table->column_count; i++) {
            shapes[i] = column_shape(table, i);
        }
        people_line(table, shapes, NULL);
        for (uint32_t at = 0; at < table->cell_count; at += table->column_count) {
            people_line(table, shapes, &table->cells[at]);
        }
    }
    for (uint32_t at = 0; at < table->cell_count; at++) {
        free(table->cells[at]);
    }
    free(table->cells);
    table->cells = NULL;
    (void)fflush(table->out);
}
