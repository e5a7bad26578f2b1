#include "data/runs.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* ---- rows ---- */

enum status runs_add(struct runs *r, bool late, size_t begin, size_t end, struct error *err)
{
    if (begin == end)
        return ST_OK;
    r->rows += end - begin;
    struct run *last = r->n ? &r->run[r->n - 1] : NULL;
    if (last && last->late == late && last->end == begin) {
        last->end = end;
        return ST_OK;
    }
    enum status st = mem_grow(&r->run, &r->capacity, r->n + 1, sizeof *r->run, err);
    if (!st)
        r->run[r->n++] = (struct run){late, begin, end};
    return st;
}

void runs_clear(struct runs *r)
{
    mem_free(r->run);
    *r = (struct runs){0};
}

enum status runs_column(void *out, const struct runs *r, const void *base, const void *batch, size_t size,
                        const void *missing, struct error *err)
{
    char *column = mem_new_raw(r->rows, size, "a column", err), *at = column;
    if (!column)
        return ST_NOMEM;
    for (size_t i = 0; i < r->n; i++) {
        const char *from = r->run[i].late ? batch : base;
        size_t rows = r->run[i].end - r->run[i].begin;
        if (from)
            memcpy(at, from + r->run[i].begin * size, rows * size);
        for (size_t k = 0; !from && k < rows; k++)
            memcpy(at + k * size, missing, size);
        at += rows * size;
    }
    memcpy(out, &column, sizeof column);
    return ST_OK;
}

/* ---- ids ---- */

enum status runs_dict(struct dict *to, const struct dict *base, const struct dict *batch, uint32_t **map,
                      struct error *err)
{
    enum status st = dict_copy(to, base, err);
    *map = mem_new_raw(batch->n, sizeof **map, "a map of ids", err);
    if (!*map)
        return ST_NOMEM;
    for (uint32_t i = 0; i < batch->n && !st; i++)
        st = dict_add(to, dict_text(batch, i), dict_length(batch, i), &(*map)[i], err);
    return st;
}

enum status runs_codes(const uint32_t *codes, size_t n, const uint32_t *map, uint32_t **out, struct error *err)
{
    *out = mem_new_raw(n, sizeof **out, "a column", err);
    if (!*out)
        return ST_NOMEM;
    for (size_t i = 0; i < n; i++)
        (*out)[i] = codes[i] == NO_CODE ? NO_CODE : map[codes[i]];
    return ST_OK;
}

/* ---- fields ---- */

/* The type that holds values of both. */
static enum field_type common_type(enum field_type a, enum field_type b)
{
    if (a == b)
        return a;
    if (a == FIELD_LIST || b == FIELD_LIST)
        return FIELD_LIST;
    bool numbers = (a == FIELD_REAL || a == FIELD_INT) && (b == FIELD_REAL || b == FIELD_INT);
    return numbers ? FIELD_REAL : FIELD_TEXT;
}

/* `out` = the field with another type, one that common_type gave. */
static enum status convert(const struct field *f, enum field_type type, struct fields *out, struct error *err)
{
    struct field *to;
    struct str text = {0};
    enum status st = fields_add(out, f->name, type, &to, err);
    for (size_t row = 0; row < f->n && !st; row++) {
        bool missing = field_missing(f, row);
        str_clear(&text);
        if (type == FIELD_REAL) {
            st = field_push_real(to, missing ? NAN : (double)f->integer[row], err);
            continue;
        }
        field_format(f, row, &text);
        st = text.failed ? error_nomem(err, text.length, "a value")
                         : field_push_text(to, missing ? NULL : str_text(&text), text.length, err);
    }
    str_free(&text);
    return st;
}

static size_t list_end(const struct field *f, const struct run *r)
{
    return f ? f->list_begin[r->end] : 0;
}

static size_t list_start(const struct field *f, const struct run *r)
{
    return f ? f->list_begin[r->begin] : 0;
}

static enum status join_lists(struct field *to, const struct runs *r, const struct field *base,
                              const struct field *batch, const uint32_t *map, struct error *err)
{
    size_t total = 0, row = 0;
    for (size_t i = 0; i < r->n; i++) {
        const struct field *from = r->run[i].late ? batch : base;
        total += list_end(from, &r->run[i]) - list_start(from, &r->run[i]);
    }
    mem_free(to->list_begin);
    to->list_begin = mem_new_raw(r->rows + 1, sizeof *to->list_begin, "a list column", err);
    to->list_code = mem_new_raw(total, sizeof *to->list_code, "a list column", err);
    if (!to->list_begin || !to->list_code)
        return ST_NOMEM;
    to->list_capacity = total;
    to->list_begin[0] = total = 0;
    for (size_t i = 0; i < r->n; i++) {
        const struct field *from = r->run[i].late ? batch : base;
        for (size_t k = r->run[i].begin; k < r->run[i].end; k++) {
            for (size_t l = from ? from->list_begin[k] : 0; from && l < from->list_begin[k + 1]; l++)
                to->list_code[total++] = r->run[i].late ? map[from->list_code[l]] : from->list_code[l];
            to->list_begin[++row] = total;
        }
    }
    return ST_OK;
}

static enum status join_texts(struct field *to, const struct runs *r, const struct field *base,
                              const struct field *batch, const uint32_t *map, struct error *err)
{
    static const uint32_t missing = NO_CODE;
    uint32_t *codes = NULL;
    enum status st = batch ? runs_codes(batch->code, batch->n, map, &codes, err) : ST_OK;
    if (!st)
        st = runs_column(&to->code, r, base ? base->code : NULL, codes, sizeof *to->code, &missing, err);
    mem_free(codes);
    return st;
}

/* Both sides, where there are two, have the type of `to`, which is empty. */
static enum status join_same(struct field *to, const struct runs *r, const struct field *base,
                             const struct field *batch, struct error *err)
{
    static const double no_real = NAN;
    static const int64_t no_int = NO_INT;
    static const struct dict nothing = {0};
    uint32_t *map = NULL;
    enum status st = ST_OK;
    if (to->type == FIELD_TEXT || to->type == FIELD_LIST)
        st = runs_dict(&to->levels, base ? &base->levels : &nothing, batch ? &batch->levels : &nothing, &map, err);
    if (!st && to->type == FIELD_TEXT)
        st = join_texts(to, r, base, batch, map, err);
    else if (!st && to->type == FIELD_LIST)
        st = join_lists(to, r, base, batch, map, err);
    else if (!st && to->type == FIELD_REAL)
        st = runs_column(&to->real, r, base ? base->real : NULL, batch ? batch->real : NULL, sizeof *to->real, &no_real,
                         err);
    else if (!st)
        st = runs_column(&to->integer, r, base ? base->integer : NULL, batch ? batch->integer : NULL,
                         sizeof *to->integer, &no_int, err);
    mem_free(map);
    if (!st)
        to->n = to->capacity = r->rows;
    return st;
}

enum status runs_field(struct fields *out, const struct runs *r, const struct field *base,
                       const struct field *batch, struct error *err)
{
    const struct field *any = base ? base : batch;
    enum field_type type = base && batch ? common_type(base->type, batch->type) : any->type;
    struct fields converted = {0};
    struct field *to;
    enum status st = fields_add(out, any->name, type, &to, err);
    if (!st && base && base->type != type)
        st = convert(base, type, &converted, err);
    if (!st && base && base->type != type)
        base = &converted.field[0];
    else if (!st && batch && batch->type != type && !(st = convert(batch, type, &converted, err)))
        batch = &converted.field[0];
    if (!st && batch && batch->type != type) { /* neither has it: an integer and a moment become text */
        struct fields other = {0};
        st = convert(batch, type, &other, err);
        if (!st)
            st = join_same(to, r, base, &other.field[0], err);
        fields_clear(&other);
    } else if (!st) {
        st = join_same(to, r, base, batch, err);
    }
    fields_clear(&converted);
    return st;
}
