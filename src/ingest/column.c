/* Columns of what files say: filled cell by cell, then made into fields of the type that fits them. */
#include "ingest/column_type.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "ingest/number.h"

static void clear(struct raw_column *c)
{
    mem_free(c->name);
    dict_clear(&c->levels);
    mem_free(c->code);
    mem_free(c->real);
    mem_free(c->packed);
    memset(c, 0, sizeof *c);
}

void raw_columns_clear(struct raw_columns *set)
{
    for (size_t i = 0; i < set->n; i++)
        clear(&set->column[i]);
    mem_free(set->column);
    memset(set, 0, sizeof *set);
}

enum status raw_columns_add(struct raw_columns *set, const char *name, size_t *index, struct error *err)
{
    for (*index = 0; *index < set->n; (*index)++)
        if (strcmp(set->column[*index].name, name) == 0)
            return ST_OK;
    enum status st = mem_grow(&set->column, &set->capacity, set->n + 1, sizeof *set->column, err);
    if (st)
        return st;
    struct raw_column *c = &set->column[set->n];
    memset(c, 0, sizeof *c);
    c->comma = set->comma;
    c->time_form = set->time_form;
    c->name = mem_strdup(name, err);
    if (!c->name)
        return ST_NOMEM;
    set->n++;
    return ST_OK;
}

static enum status pad_codes(struct raw_column *c, size_t rows, struct error *err)
{
    enum status st = mem_grow(&c->code, &c->capacity, rows, sizeof *c->code, err);
    if (st)
        return st;
    while (c->n < rows)
        c->code[c->n++] = NO_CODE;
    return ST_OK;
}

static enum status pad_reals(struct raw_column *c, size_t rows, struct error *err)
{
    enum status st = mem_grow(&c->real, &c->real_capacity, rows, sizeof *c->real, err);
    if (st)
        return st;
    while (c->n < rows)
        c->real[c->n++] = NAN;
    return ST_OK;
}

enum status raw_column_set(struct raw_column *c, size_t row, const struct cell *cell, struct error *err)
{
    if (!cell->text || cell->n == 0)
        return ST_OK;
    uint32_t code;
    enum status st = raw_column_unpack(c, err);
    if (!st)
        st = dict_add(&c->levels, cell->text, cell->n, &code, err);
    if (!st && row >= c->n)
        st = pad_codes(c, row + 1, err);
    if (st)
        return st;
    c->code[row] = code;
    c->lists |= cell->list;
    c->quoted |= cell->quoted;
    return ST_OK;
}

enum status raw_column_set_real(struct raw_column *c, size_t row, double value, struct error *err)
{
    c->numeric = true;
    enum status st = row >= c->n ? pad_reals(c, row + 1, err) : ST_OK;
    if (!st)
        c->real[row] = value;
    return st;
}

enum status raw_column_extend(struct raw_column *c, size_t filled, size_t rows, struct error *err)
{
    enum status st = raw_column_unpack(c, err);
    if (!st)
        st = mem_grow(&c->code, &c->capacity, rows, sizeof *c->code, err);
    if (!st)
        st = pad_codes(c, filled, err);
    if (!st && c->n < rows)
        c->n = rows;
    return st;
}

enum status raw_column_extend_real(struct raw_column *c, size_t filled, size_t rows, struct error *err)
{
    c->numeric = true;
    enum status st = mem_grow(&c->real, &c->real_capacity, rows, sizeof *c->real, err);
    if (!st)
        st = pad_reals(c, filled, err);
    if (!st && c->n < rows)
        c->n = rows;
    return st;
}

enum status raw_column_extend_packed(struct raw_column *c, size_t filled, size_t rows, struct error *err)
{
    enum status st = mem_grow(&c->packed, &c->packed_capacity, rows, sizeof *c->packed, err);
    if (st)
        return st;
    for (; c->n < filled; c->n++)
        c->packed[c->n] = PACKED_MISSING;
    if (c->n < rows)
        c->n = rows;
    return ST_OK;
}

enum status raw_column_unpack(struct raw_column *c, struct error *err)
{
    if (!c->packed)
        return ST_OK;
    uint64_t *packed = c->packed;
    size_t n = c->n;
    enum status st = mem_grow(&c->code, &c->capacity, n, sizeof *c->code, err);
    for (size_t r = 0; r < n && !st; r++) {
        char text[PACKED_TEXT];
        c->code[r] = NO_CODE;
        if (packed[r] != PACKED_MISSING)
            st = dict_add(&c->levels, text, packed_text(packed[r], text), &c->code[r], err);
    }
    if (st)
        return st;
    mem_free(packed);
    c->packed = NULL;
    c->packed_capacity = 0;
    return ST_OK;
}

/* ---- making the field ---- */

static int64_t level_integer(const struct raw_column *c, uint32_t level, enum field_type type, bool boolean)
{
    const char *text = dict_text(&c->levels, level);
    size_t n = dict_length(&c->levels, level);
    int64_t v;
    if (boolean)
        return cell_is_missing(text, n) ? NO_INT : cell_says(text, n, "true");
    return (type == FIELD_TIME ? column_date(c, text, n, &v) : number_int(text, n, &v)) ? v : NO_INT;
}

/* Every level is read once, then rows only copy. */
static enum status settle_integers(struct raw_column *c, struct field *f, size_t rows, bool boolean, struct error *err)
{
    int64_t *value = mem_new_raw(c->levels.n, sizeof *value, "column values", err);
    f->integer = mem_new_raw(rows, sizeof *f->integer, "a column", err);
    if (value && f->integer) {
        for (uint32_t i = 0; i < c->levels.n; i++)
            value[i] = level_integer(c, i, f->type, boolean);
        for (size_t r = 0; r < rows; r++)
            f->integer[r] = c->code[r] == NO_CODE ? NO_INT : value[c->code[r]];
        f->n = f->capacity = rows;
    }
    mem_free(value);
    return f->n == rows ? ST_OK : ST_NOMEM;
}

static enum status settle_reals(struct raw_column *c, struct field *f, size_t rows, struct error *err)
{
    double *value = mem_new_raw(c->levels.n, sizeof *value, "column values", err);
    f->real = mem_new_raw(rows, sizeof *f->real, "a column", err);
    if (value && f->real) {
        for (uint32_t i = 0; i < c->levels.n; i++)
            if (!column_real(c, dict_text(&c->levels, i), dict_length(&c->levels, i), &value[i]))
                value[i] = NAN;
        for (size_t r = 0; r < rows; r++)
            f->real[r] = c->code[r] == NO_CODE ? NAN : value[c->code[r]];
        f->n = f->capacity = rows;
    }
    mem_free(value);
    return f->n == rows ? ST_OK : ST_NOMEM;
}

enum { LONGEST_LIST = 4096 };

/* Cuts "a|b|c" (or a JSON array) into its parts without blanks around them; returns how many. */
static size_t cut_list(const char *text, size_t n, char mark, const char **part, size_t *length)
{
    size_t count = 0;
    if (cell_says(text, n, "(no genres listed)"))
        return 0;
    for (size_t at = 0; at <= n && count < LONGEST_LIST;) {
        const char *bar = memchr(text + at, mark, n - at);
        size_t end = bar ? (size_t)(bar - text) : n, next = end + 1;
        while (at < end && text[at] == ' ')
            at++;
        while (end > at && text[end - 1] == ' ')
            end--;
        part[count] = text + at;
        length[count] = end - at;
        count += end > at;
        at = next;
    }
    return count;
}

static enum status settle_lists(struct raw_column *c, struct field *f, size_t rows, struct error *err)
{
    const char **part = mem_new_raw(LONGEST_LIST, sizeof *part, "a list", err);
    size_t *length = mem_new_raw(LONGEST_LIST, sizeof *length, "a list", err);
    enum status st = part && length ? ST_OK : ST_NOMEM;
    for (size_t r = 0; !st && r < rows; r++) {
        uint32_t code = c->code[r];
        size_t n =
            code == NO_CODE
                ? 0
                : cut_list(dict_text(&c->levels, code), dict_length(&c->levels, code),
                           memchr(dict_text(&c->levels, code), LIST_MARK, dict_length(&c->levels, code)) || !c->bars
                               ? LIST_MARK
                               : '|',
                           part, length);
        st = field_push_list(f, part, length, n, err);
    }
    mem_free(part);
    mem_free(length);
    return st;
}

static enum status settle_packed(struct raw_column *c, struct field *f, size_t rows, struct error *err)
{
    enum status st = raw_column_extend_packed(c, rows, rows, err);
    if (st)
        return st;
    if (f->type == FIELD_REAL)
        f->real = mem_new_raw(rows, sizeof *f->real, "a column", err);
    else
        f->integer = mem_new_raw(rows, sizeof *f->integer, "a column", err);
    if (!f->real && !f->integer)
        return ST_NOMEM;
    for (size_t r = 0; r < rows; r++) {
        bool missing = c->packed[r] == PACKED_MISSING;
        if (f->type == FIELD_REAL) {
            f->real[r] = missing ? NAN : packed_real(c->packed[r]);
        } else if (missing) {
            f->integer[r] = NO_INT;
        } else if (f->type == FIELD_INT) {
            (void)packed_int(c->packed[r], &f->integer[r]);
        } else {
            char text[PACKED_TEXT];
            (void)column_date(c, text, packed_text(c->packed[r], text), &f->integer[r]);
        }
    }
    f->n = f->capacity = rows;
    return ST_OK;
}

static enum status settle(struct raw_column *c, size_t rows, struct fields *out, struct error *err)
{
    bool boolean = false;
    enum field_type type = c->numeric ? FIELD_REAL : c->packed ? column_infer_packed(c) : column_infer(c, &boolean);
    struct field *f;
    enum status st = fields_add(out, c->name, type, &f, err);
    if (!st && c->packed)
        return settle_packed(c, f, rows, err);
    if (!st && c->n < rows)
        st = c->numeric ? pad_reals(c, rows, err) : pad_codes(c, rows, err);
    if (st)
        return st;
    if (c->numeric) { /* what was read is what is kept */
        f->real = c->real;
        f->capacity = c->real_capacity;
        f->n = rows;
        c->real = NULL;
        return ST_OK;
    }
    switch (type) {
    case FIELD_INT:
    case FIELD_TIME:
        return settle_integers(c, f, rows, boolean, err);
    case FIELD_REAL:
        return settle_reals(c, f, rows, err);
    case FIELD_LIST:
        return settle_lists(c, f, rows, err);
    case FIELD_TEXT:
        break;
    }
    f->levels = c->levels;
    f->code = c->code;
    f->capacity = c->capacity;
    f->n = rows;
    memset(&c->levels, 0, sizeof c->levels);
    c->code = NULL;
    return ST_OK;
}

enum status raw_columns_settle(struct raw_columns *set, size_t rows, struct fields *out, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; !st && i < set->n; i++) {
        st = settle(&set->column[i], rows, out, err);
        clear(&set->column[i]); /* one at a time, so that the peak is one column */
    }
    raw_columns_clear(set);
    return st;
}
