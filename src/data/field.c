#include "data/field.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/order.h"

enum status fields_add(struct fields *set, const char *name, enum field_type type, struct field **out,
                       struct error *err)
{
    enum status st = mem_grow(&set->field, &set->capacity, set->n + 1, sizeof *set->field, err);
    if (st)
        return st;
    struct field *f = &set->field[set->n];
    *f = (struct field){.type = type};
    f->name = mem_strdup(name, err);
    if (!f->name)
        return ST_NOMEM;
    if (type == FIELD_LIST) {
        f->list_begin = mem_new(1, sizeof *f->list_begin, "a list column", err);
        if (!f->list_begin) {
            field_clear(f);
            return ST_NOMEM;
        }
    }
    set->n++;
    *out = f;
    return ST_OK;
}

struct field *fields_find(const struct fields *set, const char *name)
{
    for (size_t i = 0; i < set->n; i++)
        if (strcmp(set->field[i].name, name) == 0)
            return &set->field[i];
    return NULL;
}

void field_clear(struct field *f)
{
    mem_free(f->name);
    dict_clear(&f->levels);
    mem_free(f->code);
    mem_free(f->real);
    mem_free(f->integer);
    mem_free(f->list_begin);
    mem_free(f->list_code);
    memset(f, 0, sizeof *f);
}

void fields_clear(struct fields *set)
{
    for (size_t i = 0; i < set->n; i++)
        field_clear(&set->field[i]);
    mem_free(set->field);
    *set = (struct fields){0};
}

/* Room for one more row in the column that this type uses. */
static enum status more_room(struct field *f, struct error *err)
{
    size_t capacity = f->capacity;
    enum status st = ST_OK;
    switch (f->type) {
    case FIELD_TEXT:
        st = mem_grow(&f->code, &capacity, f->n + 1, sizeof *f->code, err);
        break;
    case FIELD_REAL:
        st = mem_grow(&f->real, &capacity, f->n + 1, sizeof *f->real, err);
        break;
    case FIELD_INT:
    case FIELD_TIME:
        st = mem_grow(&f->integer, &capacity, f->n + 1, sizeof *f->integer, err);
        break;
    case FIELD_LIST: {
        /* list_begin has one element more than there are rows. */
        size_t starts = f->capacity ? f->capacity + 1 : 1;
        st = mem_grow(&f->list_begin, &starts, f->n + 2, sizeof *f->list_begin, err);
        capacity = starts - 1;
        break;
    }
    }
    if (!st)
        f->capacity = capacity;
    return st;
}

enum status field_push_text(struct field *f, const char *text, size_t length, struct error *err)
{
    if (f->type == FIELD_LIST)
        return field_push_list(f, &text, &length, text != NULL, err);
    enum status st = more_room(f, err);
    uint32_t code = NO_CODE;
    if (!st && text)
        st = dict_add(&f->levels, text, length, &code, err);
    if (!st)
        f->code[f->n++] = code;
    return st;
}

enum status field_push_list(struct field *f, const char *const *text, const size_t *length, size_t n, struct error *err)
{
    enum status st = more_room(f, err);
    size_t end = f->list_begin[f->n];
    if (!st)
        st = mem_grow(&f->list_code, &f->list_capacity, end + n, sizeof *f->list_code, err);
    for (size_t i = 0; i < n && !st; i++)
        st = dict_add(&f->levels, text[i], length[i], &f->list_code[end + i], err);
    if (!st)
        f->list_begin[++f->n] = end + n;
    return st;
}

enum status field_push_real(struct field *f, double value, struct error *err)
{
    enum status st = more_room(f, err);
    if (!st)
        f->real[f->n++] = value;
    return st;
}

enum status field_push_int(struct field *f, int64_t value, struct error *err)
{
    enum status st = more_room(f, err);
    if (!st)
        f->integer[f->n++] = value;
    return st;
}

enum status field_pad(struct field *f, size_t rows, struct error *err)
{
    enum status st = ST_OK;
    while (f->n < rows && !st) {
        switch (f->type) {
        case FIELD_TEXT:
            st = field_push_text(f, NULL, 0, err);
            break;
        case FIELD_LIST:
            st = field_push_list(f, NULL, NULL, 0, err);
            break;
        case FIELD_REAL:
            st = field_push_real(f, NAN, err);
            break;
        case FIELD_INT:
        case FIELD_TIME:
            st = field_push_int(f, NO_INT, err);
            break;
        }
    }
    return st;
}

size_t field_levels(const struct field *f, size_t row, const uint32_t **codes)
{
    if (f->type == FIELD_LIST) {
        *codes = f->list_code + f->list_begin[row];
        return f->list_begin[row + 1] - f->list_begin[row];
    }
    *codes = &f->code[row];
    return f->code[row] != NO_CODE;
}

bool field_missing(const struct field *f, size_t row)
{
    switch (f->type) {
    case FIELD_TEXT:
        return f->code[row] == NO_CODE;
    case FIELD_LIST:
        return f->list_begin[row] == f->list_begin[row + 1];
    case FIELD_REAL:
        return isnan(f->real[row]);
    case FIELD_INT:
    case FIELD_TIME:
        return f->integer[row] == NO_INT;
    }
    return true;
}

void field_format(const struct field *f, size_t row, struct str *out)
{
    char text[48];
    if (field_missing(f, row))
        return;
    switch (f->type) {
    case FIELD_TEXT:
        str_append(out, dict_text(&f->levels, f->code[row]), dict_length(&f->levels, f->code[row]));
        break;
    case FIELD_LIST:
        for (size_t i = f->list_begin[row]; i < f->list_begin[row + 1]; i++) {
            if (i > f->list_begin[row])
                str_putc(out, '|');
            str_append(out, dict_text(&f->levels, f->list_code[i]), dict_length(&f->levels, f->list_code[i]));
        }
        break;
    case FIELD_REAL:
        text_real(text, sizeof text, f->real[row]);
        str_puts(out, text);
        break;
    case FIELD_INT:
        str_printf(out, "%lld", (long long)f->integer[row]);
        break;
    case FIELD_TIME: {
        bool whole_day = f->integer[row] % US_PER_DAY == 0;
        int n = time_iso(text, sizeof text, f->integer[row]);
        str_append(out, text, whole_day ? strcspn(text, "T") : (size_t)n);
        break;
    }
    }
}

static enum status permute_list(struct field *f, const uint64_t *order, size_t n, struct error *err)
{
    size_t *begin = mem_new_raw(n + 1, sizeof *begin, "a list column", err);
    uint32_t *code = mem_new_raw(f->list_begin[f->n], sizeof *code, "a list column", err);
    if (!begin || !code) {
        mem_free(begin);
        mem_free(code);
        return ST_NOMEM;
    }
    begin[0] = 0;
    for (size_t r = 0; r < n; r++) {
        size_t from = f->list_begin[order[r]], count = f->list_begin[order[r] + 1] - from;
        memcpy(code + begin[r], f->list_code + from, count * sizeof *code);
        begin[r + 1] = begin[r] + count;
    }
    mem_free(f->list_begin);
    mem_free(f->list_code);
    f->list_begin = begin;
    f->list_code = code;
    f->list_capacity = begin[n];
    f->capacity = n;
    return ST_OK;
}

enum status field_permute(struct field *f, const uint64_t *order, size_t n, struct error *err)
{
    if (f->type == FIELD_LIST)
        return permute_list(f, order, n, err);
    enum status st = f->type == FIELD_TEXT   ? order_column(&f->code, sizeof *f->code, order, n, NULL, err)
                     : f->type == FIELD_REAL ? order_column(&f->real, sizeof *f->real, order, n, NULL, err)
                                             : order_column(&f->integer, sizeof *f->integer, order, n, NULL, err);
    if (st)
        return st;
    f->capacity = n;
    return ST_OK;
}

/* Appends the row that this text says. */
static enum status push_said(struct field *f, const char *text, struct error *err)
{
    enum { VALUES = 64 }; /* of one list */
    const char *value[VALUES];
    size_t length[VALUES], n = 0;
    double real = NAN;
    int64_t integer = NO_INT;
    bool said = text[0], read = true;
    switch (f->type) {
    case FIELD_TEXT:
        return field_push_text(f, said ? text : NULL, strlen(text), err);
    case FIELD_LIST:
        for (const char *at = text; said && n < VALUES; at += length[n - 1] + 1) {
            value[n] = at;
            length[n] = strcspn(at, "|");
            if (!at[length[n++]])
                break;
        }
        return field_push_list(f, value, length, n, err);
    case FIELD_REAL:
        read = !said || text_parse_real(text, &real);
        break;
    case FIELD_INT:
        read = !said || text_parse_int(text, &integer);
        break;
    case FIELD_TIME:
        read = !said || time_parse(text, strlen(text), 0, &integer);
        break;
    }
    if (!read)
        return error_set(err, ST_USAGE, "%s is a %s, and \"%.64s\" is none", f->name,
                         f->type == FIELD_TIME  ? "time"
                         : f->type == FIELD_INT ? "whole number"
                                                : "number",
                         text);
    return f->type == FIELD_REAL ? field_push_real(f, real, err) : field_push_int(f, integer, err);
}

enum status field_put(struct field *f, size_t row, const char *text, struct error *err)
{
    size_t rows = f->n;
    uint64_t *order = mem_new_raw(rows, sizeof *order, "a changed attribute", err);
    enum status st = order ? push_said(f, text, err) : ST_NOMEM;
    for (size_t r = 0; r < rows && !st; r++)
        order[r] = r == row ? rows : r;
    if (!st)
        st = field_permute(f, order, rows, err);
    if (!st)
        f->n = rows;
    mem_free(order);
    return st;
}
