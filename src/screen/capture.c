#include "screen/capture.h"

#include <string.h>

#include "base/mem.h"

static void put_value(struct table *t, const struct column *c, const struct value *v)
{
    if (v->null) {
        table_null(t);
        return;
    }
    switch (c->type) {
    case VALUE_TEXT: table_text(t, v->text); break;
    case VALUE_INT: table_int(t, v->integer); break;
    case VALUE_REAL: table_real(t, v->real); break;
    case VALUE_TIME: table_time(t, v->integer); break;
    case VALUE_BOOL: table_bool(t, v->integer != 0); break;
    }
}

static enum status copy_rows(struct table *from, struct table *to, size_t most, bool *more, struct error *err)
{
    size_t rows = 0;
    *more = false;
    for (;;) {
        if (from->next) {
            enum status st = table_next(from, err);
            if (st != ST_OK)
                return st;
            if (from->nrows == 0)
                return ST_OK;
        }
        for (size_t r = 0; r < from->nrows; r++) {
            if (rows++ == most) {
                *more = true;
                return ST_OK;
            }
            for (size_t c = 0; c < from->ncolumns; c++)
                put_value(to, &to->columns[c], table_value(from, r, c));
        }
        if (!from->next)
            return ST_OK;
    }
}

static enum status copy_table(struct table *from, struct result *to, size_t most, struct error *err)
{
    struct column *columns = result_room(to, from->ncolumns, sizeof *columns);
    if (!columns)
        return result_status(to, err);
    for (size_t c = 0; c < from->ncolumns; c++) {
        columns[c] = from->columns[c];
        columns[c].name = result_text(to, from->columns[c].name);
        columns[c].unit = result_text(to, from->columns[c].unit ? from->columns[c].unit : "");
    }
    struct table *t =
        result_table(to, result_text(to, from->name), result_text(to, from->title), columns, from->ncolumns);
    bool more;
    enum status st = copy_rows(from, t, most, &more, err);
    if (st == ST_OK && more)
        result_message(to, MESSAGE_HINT, "only the first %zu rows are held here; add `> FILE` to the command for all",
                       most);
    return st;
}

static void copy_series(const struct series *from, struct result *to)
{
    struct series *s = result_series(to, result_text(to, from->name), result_text(to, from->title), from->x_type,
                                     from->n, from->low != NULL);
    if (!s)
        return;
    s->x_label = from->x_label ? result_text(to, from->x_label) : NULL;
    s->y_label = from->y_label ? result_text(to, from->y_label) : NULL;
    s->style = from->style ? result_text(to, from->style) : NULL;
    size_t bytes = from->n * sizeof *from->x;
    memcpy(s->x, from->x, bytes);
    memcpy(s->y, from->y, bytes);
    if (s->low) {
        memcpy(s->low, from->low, bytes);
        memcpy(s->high, from->high, bytes);
    }
    for (size_t i = 0; s->labels && i < from->n; i++)
        s->labels[i] = result_text(to, from->labels[i]);
}

enum status result_capture(struct result *r, size_t most, struct result **out, struct error *err)
{
    struct result *copy = result_new(err);
    if (!copy)
        return ST_NOMEM;
    enum status st = ST_OK;
    for (size_t i = 0; i < r->ntables && st == ST_OK; i++)
        st = copy_table(r->tables[i], copy, most, err);
    for (size_t i = 0; i < r->nseries; i++)
        copy_series(r->series[i], copy);
    for (size_t i = 0; i < r->nmessages; i++)
        result_message(copy, r->messages[i].level, "%s", r->messages[i].text);
    copy->seconds = r->seconds;
    if (r->command && st == ST_OK) {
        copy->command = mem_strdup(r->command, err);
        st = copy->command ? ST_OK : ST_NOMEM;
    }
    if (st == ST_OK)
        st = result_status(copy, err);
    if (st != ST_OK) {
        result_free(copy);
        return st;
    }
    *out = copy;
    return ST_OK;
}
