/* json and jsonl: deterministic bytes; keys in the order of the columns. */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "result/writer.h"

static void put_value(struct str *out, const struct column *c, const struct value *v)
{
    char time[64];
    if (v->null)
        str_puts(out, "null");
    else if (c->type == VALUE_TEXT)
        json_string(out, v->text, strlen(v->text));
    else if (c->type == VALUE_REAL)
        json_real(out, v->real);
    else if (c->type == VALUE_TIME)
        json_string(out, time, (size_t)time_iso(time, sizeof time, v->integer));
    else
        cell_raw(c, v, out);
}

static void put_row(struct str *out, const struct table *t, const struct value *row, const char *name)
{
    str_putc(out, '{');
    if (name) {
        str_puts(out, "\"table\":");
        json_string(out, name, strlen(name));
    }
    for (size_t c = 0; c < t->ncolumns; c++) {
        if (c || name)
            str_putc(out, ',');
        json_string(out, t->columns[c].name, strlen(t->columns[c].name));
        str_putc(out, ':');
        put_value(out, &t->columns[c], &row[c]);
    }
    str_putc(out, '}');
}

/* All rows with `between` two of them and `after` each. */
static enum status put_rows(struct writer *w, struct table *t, const char *name, const char *between, const char *after,
                            struct error *err)
{
    struct walk walk;
    const struct value *row = NULL;
    enum status st = walk_begin(&walk, t, w->job, err);
    while (!st && !(st = walk_next(&walk, &row, err)) && row) {
        if (walk.rows > 1)
            str_puts(&w->text, between);
        put_row(&w->text, t, row, name);
        str_puts(&w->text, after);
        st = writer_spill(w, err);
    }
    return st;
}

enum status render_json_tables(struct writer *w, struct table *const *tables, size_t n, bool named, struct error *err)
{
    enum status st = ST_OK;
    str_puts(&w->text, named ? "{" : n == 0 ? "[]" : "");
    for (size_t i = 0; !st && i < n; i++) {
        if (i)
            str_putc(&w->text, ',');
        if (named) {
            json_string(&w->text, tables[i]->name, strlen(tables[i]->name));
            str_putc(&w->text, ':');
        }
        str_putc(&w->text, '[');
        st = put_rows(w, tables[i], NULL, ",", "", err);
        str_putc(&w->text, ']');
    }
    str_puts(&w->text, named ? "}\n" : "\n");
    return st;
}

enum status render_jsonl_tables(struct writer *w, struct table *const *tables, size_t n, bool named, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; !st && i < n; i++)
        st = put_rows(w, tables[i], named ? tables[i]->name : NULL, "", "\n", err);
    return st;
}
