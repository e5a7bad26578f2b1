#include "commands/held.h"

#include <string.h>

#include "base/mem.h"

/* ---- columns ---- */

enum status held_columns(void *context, const struct sql_table *table, struct sql_columns *out, struct error *err)
{
    const struct held *h = table->own;
    const struct pinned *p = context;
    enum status st = h->needs_data ? pinned_need_data(p, table->name, err) : ST_OK;
    for (size_t i = 0; i < h->ncolumns && !st; i++) {
        const struct held_column *c = &h->columns[i];
        bool user = i == h->user_column;
        double share = user ? 1 / ((double)p->data->users.n + 1) : 0;
        st = sql_columns_add(out, c->name, c->type, c->flags | (user ? SQL_PUSH | SQL_SEEK : 0), share, c->doc, err);
    }
    return st;
}

double held_rows(void *context, const struct sql_table *table)
{
    const struct held *h = table->own;
    const struct pinned *p = context;
    return h->rows > 0 ? h->rows : p->data ? (double)p->data->events.n : 0;
}

/* ---- tests ---- */

/* A copy that outlives the call of SQLite. */
static enum status keep_tests(struct held_cursor *c, const struct sql_test *tests, size_t n, struct error *err)
{
    size_t texts = 0;
    for (size_t i = 0; i < n; i++)
        texts += tests[i].ntexts;
    mem_free(c->tests);
    mem_free(c->texts);
    str_clear(&c->copies);
    c->ntests = n;
    c->tests = mem_new(n, sizeof *c->tests, "a condition", err);
    c->texts = mem_new(texts, sizeof *c->texts, "a condition", err);
    if (!c->tests || !c->texts)
        return ST_NOMEM;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < tests[i].ntexts; k++)
            str_append(&c->copies, tests[i].texts[k].text, tests[i].texts[k].length + 1);
    if (c->copies.failed)
        return error_nomem(err, texts, "a condition");
    const char *at = str_text(&c->copies);
    struct sql_text *next = c->texts;
    for (size_t i = 0; i < n; i++) {
        c->tests[i] = tests[i];
        c->tests[i].texts = next;
        for (size_t k = 0; k < tests[i].ntexts; k++) {
            *next = (struct sql_text){at, tests[i].texts[k].length};
            at += next++->length + 1;
        }
    }
    return ST_OK;
}

static bool holds(const struct held_cursor *c, const struct sql_test *t)
{
    const struct value *v = table_value(c->table, c->at, t->column);
    if (v->null)
        return false;
    switch (c->held->columns[t->column].type) {
    case SQL_TEXT:
        for (size_t i = 0; i < t->ntexts; i++)
            if (strcmp(v->text, t->texts[i].text) == 0)
                return true;
        return false;
    case SQL_REAL:
        return v->real >= t->real_low && v->real <= t->real_high;
    default:
        return v->integer >= t->low && v->integer <= t->high;
    }
}

static bool passes(const struct held_cursor *c)
{
    for (size_t i = 0; i < c->ntests; i++)
        if (!(c->held->columns[c->tests[i].column].flags & SQL_ARGUMENT) && !holds(c, &c->tests[i]))
            return false;
    return true;
}

const char *held_text(const struct held_cursor *c, size_t column)
{
    const struct sql_test *t = sql_test_of(c->tests, c->ntests, column);
    return t && t->ntexts ? t->texts[0].text : NULL;
}

bool held_wants(const struct held_cursor *c, size_t column, const char *text)
{
    const struct sql_test *t = sql_test_of(c->tests, c->ntests, column);
    for (size_t i = 0; t && i < t->ntexts; i++)
        if (strcmp(t->texts[i].text, text) == 0)
            return true;
    return !t;
}

int64_t held_int(const struct held_cursor *c, size_t column, int64_t otherwise)
{
    const struct sql_test *t = sql_test_of(c->tests, c->ntests, column);
    return t ? t->low : otherwise;
}

/* ---- pieces ---- */

static enum status choose_users(struct held_cursor *c, struct error *err)
{
    const struct dict *users = &c->pinned->data->users;
    const struct sql_test *t = sql_test_of(c->tests, c->ntests, c->held->user_column);
    mem_free(c->users);
    c->users = NULL;
    c->pieces = users->n;
    if (!t)
        return ST_OK;
    c->users = mem_new(t->ntexts, sizeof *c->users, "users", err);
    if (!c->users)
        return ST_NOMEM;
    c->pieces = 0;
    for (size_t i = 0; i < t->ntexts; i++) {
        uint32_t user = dict_find(users, t->texts[i].text, t->texts[i].length);
        if (user != NO_USER)
            c->users[c->pieces++] = user;
    }
    return ST_OK;
}

static void forget(struct held_cursor *c)
{
    result_free(c->rows);
    c->rows = NULL;
    c->table = NULL;
    if (c->held->end)
        c->held->end(c);
    c->own = NULL;
}

enum status held_open(void *context, const struct sql_table *table, void **out, struct error *err)
{
    struct held_cursor *c = mem_new(1, sizeof *c, "a look at a table", err);
    if (!c)
        return ST_NOMEM;
    c->pinned = context;
    c->held = table->own;
    *out = c;
    return ST_OK;
}

void held_close(void *cursor)
{
    struct held_cursor *c = cursor;
    forget(c);
    mem_free(c->tests);
    mem_free(c->texts);
    mem_free(c->users);
    str_free(&c->copies);
    mem_free(c);
}

enum status held_filter(void *cursor, const struct sql_test *tests, size_t n, uint64_t used, struct error *err)
{
    struct held_cursor *c = cursor;
    (void)used;
    forget(c);
    c->next_piece = 0;
    c->pieces = 1;
    enum status st = keep_tests(c, tests, n, err);
    if (!st && c->held->user_column != SIZE_MAX)
        st = choose_users(c, err);
    if (!st && c->held->begin)
        st = c->held->begin(c, &c->pieces, err);
    return st;
}

static enum status next_piece(struct held_cursor *c, struct error *err)
{
    static const enum value_type types[] = {
        [SQL_TEXT] = VALUE_TEXT, [SQL_INT] = VALUE_INT, [SQL_REAL] = VALUE_REAL, [SQL_TIME] = VALUE_TIME};
    struct column columns[32];
    enum status st = job_check(&c->pinned->wb->job, err);
    if (st)
        return st;
    result_free(c->rows);
    c->rows = result_new(err);
    if (!c->rows)
        return ST_NOMEM;
    for (size_t i = 0; i < c->held->ncolumns; i++)
        columns[i] = (struct column){.name = c->held->columns[i].name, .type = types[c->held->columns[i].type]};
    c->table = result_table(c->rows, "rows", "", columns, c->held->ncolumns);
    c->at = 0;
    size_t piece = c->users ? c->users[c->next_piece] : c->next_piece;
    c->next_piece++;
    st = c->held->fill(c, piece, c->table, err);
    return st ? st : result_status(c->rows, err);
}

enum status held_next(void *cursor, bool *row, struct error *err)
{
    struct held_cursor *c = cursor;
    for (;;) {
        for (; c->table && c->at < c->table->nrows; c->at++)
            if (passes(c)) {
                c->row = c->at++;
                *row = true;
                return ST_OK;
            }
        *row = false;
        if (c->next_piece >= c->pieces)
            return ST_OK;
        enum status st = next_piece(c, err);
        if (st)
            return st;
    }
}

enum status held_column(void *cursor, size_t column, struct sql_cell *out, struct error *err)
{
    struct held_cursor *c = cursor;
    const struct value *v = table_value(c->table, c->row, column);
    (void)err;
    if (v->null)
        return ST_OK;
    switch (c->table->columns[column].type) {
    case VALUE_TEXT:
        sql_put_text(out, v->text, strlen(v->text));
        break;
    case VALUE_REAL:
        sql_put_real(out, v->real);
        break;
    case VALUE_TIME:
        sql_put_time(out, v->integer);
        break;
    default:
        sql_put_int(out, v->integer);
    }
    return ST_OK;
}

/* Of what the row holds and what the function was asked, so that it is the same on every way to it. */
int64_t held_row(void *cursor)
{
    const struct held_cursor *c = cursor;
    uint64_t h = 0;
    for (size_t i = 0; i < c->held->ncolumns; i++) {
        const struct value *v = table_value(c->table, c->row, i);
        bool text = c->held->columns[i].type == SQL_TEXT;
        if (!v->null)
            h = hash_bytes(text ? (const void *)v->text : (const void *)&v->integer,
                           text ? strlen(v->text) : sizeof v->integer, h + i + 1);
    }
    for (size_t i = 0; i < c->ntests; i++)
        if (c->held->columns[c->tests[i].column].flags & SQL_ARGUMENT) {
            const struct sql_test *t = &c->tests[i];
            h = t->ntexts ? hash_bytes(t->texts->text, t->texts->length, h + i)
                          : hash_bytes(&t->low, sizeof t->low, h + i);
        }
    return (int64_t)h;
}
