/* SQL at the prompt: select, tables, describe. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "commands/families.h"
#include "commands/pinned.h"

/* ---- a statement's rows as a table ---- */

/* Values looked at before the types of computed columns are settled, and handed over at a time. A result that ends
 * within the first is held; a longer one streams. */
enum { FIRST_VALUES = 1 << 18, BLOCK_VALUES = 1 << 13 };

/* Rows of the statement as they come, before the types are known. */
struct rows {
    struct sql_value *values;
    size_t n, capacity; /* values */
    struct str text;    /* of the values; they hold offsets until all are there */
};

struct statement {
    struct pinned *pinned;
    struct select *select;
    struct column *columns;
    size_t ncolumns;
    struct rows first; /* until they are handed over */
    bool ended;
    struct str text;
};

static void rows_clear(struct rows *r)
{
    mem_free(r->values);
    str_free(&r->text);
    *r = (struct rows){0};
}

static void statement_close(void *context)
{
    struct statement *s = context;
    if (!s)
        return;
    rows_clear(&s->first);
    select_close(s->select);
    pinned_free(s->pinned);
    mem_free(s->columns);
    str_free(&s->text);
    mem_free(s);
}

static enum status keep_row(struct statement *s, struct rows *r, struct error *err)
{
    enum status st = mem_grow(&r->values, &r->capacity, r->n + s->ncolumns, sizeof *r->values, err);
    for (size_t i = 0; i < s->ncolumns && !st; i++) {
        struct sql_value v = select_value(s->select, i);
        if (v.kind == SQL_IS_TEXT || v.kind == SQL_IS_BYTES) {
            v.integer = (int64_t)r->text.length;
            str_append(&r->text, v.text ? v.text : "", v.length);
            str_putc(&r->text, 0);
        }
        r->values[r->n++] = v;
    }
    if (!st && r->text.failed)
        st = error_nomem(err, r->text.length, "the rows of a statement");
    return st;
}

/* Rows of `most` values or a few more. */
static enum status take_rows(struct statement *s, struct rows *r, size_t most, struct error *err)
{
    enum status st = ST_OK;
    while (!st && !s->ended && r->n < most) {
        bool row;
        st = select_next(s->select, &row, err);
        s->ended = !st && !row;
        if (!st && row)
            st = keep_row(s, r, err);
    }
    for (size_t i = 0; i < r->n && !st; i++)
        if (r->values[i].kind == SQL_IS_TEXT || r->values[i].kind == SQL_IS_BYTES)
            r->values[i].text = r->text.data + r->values[i].integer;
    return st;
}

/* ---- types of columns ---- */

/* Whole numbers, numbers, else text: by what stands in the first rows of a computed column. */
static enum value_type type_of_rows(const struct rows *r, size_t ncolumns, size_t column)
{
    bool any = false, real = false;
    for (size_t i = column; i < r->n; i += ncolumns) {
        enum sql_kind k = r->values[i].kind;
        if (k == SQL_IS_TEXT || k == SQL_IS_BYTES)
            return VALUE_TEXT;
        any |= k != SQL_NULL;
        real |= k == SQL_IS_REAL;
    }
    return !any ? VALUE_TEXT : real ? VALUE_REAL : VALUE_INT;
}

/* Columns of one name get numbers: they are the keys of a JSON object. */
static const char *own_name(struct result *out, const struct statement *s, size_t column)
{
    const char *plain = select_name(s->select, column), *name = result_text(out, plain);
    for (size_t i = 0, n = 1; i < column; i++)
        if (strcmp(s->columns[i].name, name) == 0) {
            name = result_textf(out, "%s_%zu", plain, ++n);
            i = SIZE_MAX; /* from the first again */
        }
    return name;
}

static void settle_columns(struct statement *s, const struct rows *r, struct result *out)
{
    static const enum value_type types[] = {[SQL_TEXT] = VALUE_TEXT, [SQL_INT] = VALUE_INT, [SQL_REAL] = VALUE_REAL, [SQL_TIME] = VALUE_TIME};
    for (size_t i = 0; i < s->ncolumns; i++) {
        enum sql_type declared;
        bool known = select_type(s->select, i, &declared);
        s->columns[i] = (struct column){.name = own_name(out, s, i), .unit = "", .precision = -1};
        s->columns[i].type = known ? types[declared] : type_of_rows(r, s->ncolumns, i);
    }
}

/* ---- cells ---- */

static void put_bytes(struct str *out, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        str_printf(out, "%02x", (unsigned)(unsigned char)bytes[i]);
}

static enum status wrong_type(const struct column *c, const struct sql_value *v, struct error *err)
{
    static const char *const names[] = {"nothing", "a whole number", "a fraction", "a text", "bytes"};
    enum status st = error_set(err, ST_USAGE, "column %s holds %s in its first rows and %s later", c->name, c->type == VALUE_INT ? "whole numbers" : "numbers",
                               names[v->kind]);
    error_hint(err, "say what it is: cast(... as %s)", v->kind == SQL_IS_REAL ? "real" : "text");
    return st;
}

static enum status put_cell(struct statement *s, struct table *t, const struct column *c, const struct sql_value *v, struct error *err)
{
    int64_t time;
    char number[32];
    if (v->kind == SQL_NULL) {
        table_null(t);
    } else if (c->type == VALUE_TIME && v->kind == SQL_IS_TEXT && time_parse(v->text, v->length, 0, &time)) {
        table_time(t, time);
    } else if (c->type == VALUE_INT && v->kind == SQL_IS_INT) {
        table_int(t, v->integer);
    } else if (c->type == VALUE_REAL && (v->kind == SQL_IS_REAL || v->kind == SQL_IS_INT)) {
        table_real(t, v->real);
    } else if (c->type != VALUE_TEXT) {
        return wrong_type(c, v, err);
    } else if (v->kind == SQL_IS_TEXT) {
        table_textn(t, v->text, v->length);
    } else {
        str_clear(&s->text);
        if (v->kind == SQL_IS_BYTES)
            put_bytes(&s->text, v->text, v->length);
        else if (v->kind == SQL_IS_INT)
            str_printf(&s->text, "%lld", (long long)v->integer);
        else
            str_append(&s->text, number, (size_t)text_real(number, sizeof number, v->real));
        table_textn(t, str_text(&s->text), s->text.length);
    }
    return ST_OK;
}

static enum status put_rows(struct statement *s, const struct rows *r, struct table *t, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < r->n && !st; i++)
        st = put_cell(s, t, &t->columns[i % s->ncolumns], &r->values[i], err);
    return st;
}

/* ---- select ---- */

static enum status statement_next(void *context, struct table *block, struct error *err)
{
    struct statement *s = context;
    struct rows r = s->first;
    s->first = (struct rows){0};
    enum status st = r.n ? ST_OK : take_rows(s, &r, BLOCK_VALUES, err);
    if (!st)
        st = put_rows(s, &r, block, err);
    rows_clear(&r);
    return st;
}

/* Nothing to do while the first rows wait: a sort is not done twice. */
static enum status statement_rewind(void *context, struct error *err)
{
    struct statement *s = context;
    (void)err;
    if (s->first.n)
        return ST_OK;
    select_rewind(s->select);
    s->ended = false;
    return ST_OK;
}

static enum status statement_open(struct workbench *wb, const struct call *call, struct statement *s, struct error *err)
{
    enum status st = pinned_new(wb, &s->pinned, err);
    if (st)
        return st;
    struct sql_scope scope = pinned_scope(s->pinned);
    st = select_open(&scope, call->rest.text, call->rest.length, &s->select, err);
    if (st)
        return st;
    s->ncolumns = select_columns(s->select);
    s->columns = mem_new(s->ncolumns, sizeof *s->columns, "columns", err);
    return s->columns ? ST_OK : ST_NOMEM;
}

/* A few rows are held and the statement is done with; of more, a cursor hands over a block at a time. */
static enum status run_select(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct statement *s = mem_new(1, sizeof *s, "a statement", err);
    enum status st = s ? statement_open(wb, call, s, err) : ST_NOMEM;
    if (!st)
        st = take_rows(s, &s->first, FIRST_VALUES, err);
    if (!st) {
        settle_columns(s, &s->first, out);
        if (s->ended) {
            st = put_rows(s, &s->first, result_table(out, "rows", "", s->columns, s->ncolumns), err);
        } else {
            result_cursor(out, "rows", "", s->columns, s->ncolumns, statement_next, statement_rewind, statement_close, s);
            s = NULL;
        }
    }
    statement_close(s);
    return st;
}

/* ---- the table ---- */

static const struct argument select_args[] = {{.name = "...", .type = ARG_TEXT, .optional = true, .doc = "the rest of the statement, up to its `;`"}};

static const struct command rows[] = {
    {.name = "select",
     .group = "sql",
     .summary = "ask anything in SQL",
     .arguments = select_args,
     .narguments = 1,
     .flags = COMMAND_REST,
     .help = "A text that begins with SELECT, WITH, VALUES or EXPLAIN is SQL, over several lines up to its `;` or to the end of a -c.",
     .examples = (const char *const[]){"select type, count(*) from events group by type", NULL},
     .run = run_select},
};

const struct command_family sql_commands = {rows, sizeof rows / sizeof *rows};
