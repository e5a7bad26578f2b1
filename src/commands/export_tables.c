/* Exports as tables: events, pairs, items, users and vectors, streamed block by block. */
#include <string.h>

#include "base/mem.h"
#include "commands/export.h"
#include "data/interactions.h"

enum { BLOCK = 4096 };

struct column field_column(const struct field *f)
{
    static const enum value_type types[] = {[FIELD_TEXT] = VALUE_TEXT,
                                            [FIELD_LIST] = VALUE_TEXT,
                                            [FIELD_REAL] = VALUE_REAL,
                                            [FIELD_INT] = VALUE_INT,
                                            [FIELD_TIME] = VALUE_TIME};
    return (struct column){.name = f->name, .type = types[f->type], .precision = -1};
}

void field_cell(struct table *t, const struct field *f, size_t row)
{
    struct str text = {0};
    if (field_missing(f, row)) {
        table_null(t);
        return;
    }
    switch (f->type) {
    case FIELD_TEXT:
        table_textn(t, dict_text(&f->levels, f->code[row]), dict_length(&f->levels, f->code[row]));
        break;
    case FIELD_LIST:
        field_format(f, row, &text);
        table_str(t, &text);
        str_free(&text);
        break;
    case FIELD_REAL:
        table_real(t, f->real[row]);
        break;
    case FIELD_INT:
        table_int(t, f->integer[row]);
        break;
    case FIELD_TIME:
        table_time(t, f->integer[row]);
        break;
    }
}

/* ---- the cursors ---- */

/* What any of the cursors walks over. */
struct stream {
    struct export *x;
    uint64_t *order; /* events */
    struct interactions matrix;
    const struct dict *ids; /* items or users, and their fields */
    const struct fields *fields;
    const float *vectors;
    size_t width;
    size_t at, n;
    void (*row)(struct stream *s, size_t i, struct table *t);
    size_t user; /* whose row of the matrix `at` stands in */
};

static enum status stream_next(void *context, struct table *block, struct error *err)
{
    struct stream *s = context;
    size_t end = s->n - s->at < BLOCK ? s->n : s->at + BLOCK;
    job_step(&s->x->wb->job, end - s->at);
    s->x->rows += end - s->at;
    for (; s->at < end; s->at++)
        s->row(s, s->at, block);
    return job_check(&s->x->wb->job, err);
}

static enum status stream_rewind(void *context, struct error *err)
{
    struct stream *s = context;
    (void)err;
    s->at = s->user = 0;
    s->x->rows = 0;
    return ST_OK;
}

static void stream_close(void *context)
{
    struct stream *s = context;
    mem_free(s->order);
    interactions_clear(&s->matrix);
    mem_free(s);
}

static void start(struct stream *s, const char *name, const struct column *columns, size_t ncolumns, const char *unit,
                  struct result *out)
{
    job_begin(&s->x->wb->job, s->n, unit, "export %s", s->x->path);
    result_cursor(out, name, "", columns, ncolumns, stream_next, stream_rewind, stream_close, s);
}

static struct stream *stream_new(struct export *x, struct error *err)
{
    struct stream *s = mem_new(1, sizeof *s, "an export", err);
    if (s)
        s->x = x;
    return s;
}

/* ---- events ---- */

static void event_row(struct stream *s, size_t i, struct table *t)
{
    const struct dataset *d = s->x->data;
    const struct events *ev = &d->events;
    size_t e = s->order[i];
    table_text(t, dict_text(&d->users, ev->user[e]));
    table_text(t, dict_text(&d->items, ev->item[e]));
    table_text(t, dict_text(&d->types, ev->type[e]));
    if (ev->time)
        table_time(t, ev->time[e]);
    if (ev->value)
        table_real(t, real_of_single(ev->value[e]));
    for (size_t f = 0; f < ev->context.n; f++)
        field_cell(t, &ev->context.field[f], e);
    if (s->x->say_part)
        table_text(t, split_part_name(s->x->split->part[e]));
}

enum status export_events_table(struct export *x, struct result *out, struct error *err)
{
    const struct events *ev = &x->data->events;
    struct stream *s = stream_new(x, err);
    struct column *columns = mem_new(ev->context.n + 6, sizeof *columns, "columns", err);
    size_t n = 0;
    enum status st = s && columns ? export_order(x, &s->order, &s->n, err) : ST_NOMEM;
    if (st) {
        mem_free(s);
        mem_free(columns);
        return st;
    }
    columns[n++] = (struct column){.name = "user", .type = VALUE_TEXT};
    columns[n++] = (struct column){.name = "item", .type = VALUE_TEXT};
    columns[n++] = (struct column){.name = "type", .type = VALUE_TEXT};
    if (ev->time)
        columns[n++] = (struct column){.name = "time", .type = VALUE_TIME};
    if (ev->value)
        columns[n++] = (struct column){.name = "value", .type = VALUE_REAL, .precision = -1};
    for (size_t f = 0; f < ev->context.n; f++)
        columns[n++] = field_column(&ev->context.field[f]);
    if (x->say_part)
        columns[n++] = (struct column){.name = "part", .type = VALUE_TEXT};
    s->row = event_row;
    start(s, "events", columns, n, "events", out);
    mem_free(columns);
    return ST_OK;
}

/* ---- pairs ---- */

static void pair_row(struct stream *s, size_t i, struct table *t)
{
    const struct dataset *d = s->x->data;
    while (s->matrix.matrix.begin[s->user + 1] <= i)
        s->user++;
    table_text(t, dict_text(&d->users, (uint32_t)s->user));
    table_text(t, dict_text(&d->items, s->matrix.matrix.index[i]));
    table_real(t, real_of_single(s->matrix.matrix.value[i]));
    table_int(t, s->matrix.count[i]);
    if (d->events.time)
        table_time(t, s->matrix.time[i]);
}

enum status export_pairs_table(struct export *x, struct result *out, struct error *err)
{
    static const struct column columns[] = {
        {.name = "user", .type = VALUE_TEXT},
        {.name = "item", .type = VALUE_TEXT},
        {.name = "weight", .type = VALUE_REAL, .precision = -1},
        {.name = "count", .type = VALUE_INT},
        {.name = "time", .type = VALUE_TIME},
    };
    struct stream *s = stream_new(x, err);
    enum status st = s ? export_matrix(x, &s->matrix, err) : ST_NOMEM;
    if (st) {
        mem_free(s);
        return st;
    }
    s->n = csr_count(&s->matrix.matrix);
    s->row = pair_row;
    start(s, "interactions", columns, x->data->events.time ? 5 : 4, "pairs", out);
    return ST_OK;
}

/* ---- items and users, and their vectors ---- */

static void entity_row(struct stream *s, size_t i, struct table *t)
{
    table_text(t, dict_text(s->ids, (uint32_t)i));
    for (size_t f = 0; f < s->fields->n; f++)
        field_cell(t, &s->fields->field[f], i);
}

void export_entities_table(struct export *x, bool items, struct result *out)
{
    const struct fields *fields = items ? &x->data->item_fields : &x->data->user_fields;
    struct stream *s = stream_new(x, &out->failed);
    struct column *columns = result_room(out, fields->n + 1, sizeof *columns);
    if (!s || !columns) {
        mem_free(s);
        return;
    }
    columns[0] = (struct column){.name = "id", .type = VALUE_TEXT};
    for (size_t f = 0; f < fields->n; f++)
        columns[f + 1] = field_column(&fields->field[f]);
    s->ids = items ? &x->data->items : &x->data->users;
    s->fields = fields;
    s->n = s->ids->n;
    s->row = entity_row;
    start(s, items ? "items" : "users", columns, fields->n + 1, items ? "items" : "users", out);
}

static void vector_row(struct stream *s, size_t i, struct table *t)
{
    table_text(t, dict_text(s->ids, (uint32_t)i));
    for (size_t k = 0; k < s->width; k++)
        table_real(t, real_of_single(s->vectors[i * s->width + k]));
}

void export_vectors_table(struct export *x, const struct model *m, const float *vectors, size_t width,
                          struct result *out)
{
    struct stream *s = stream_new(x, &out->failed);
    struct column *columns = result_room(out, width + 1, sizeof *columns);
    if (!s || !columns) {
        mem_free(s);
        return;
    }
    columns[0] = (struct column){.name = "item", .type = VALUE_TEXT};
    for (size_t k = 0; k < width; k++)
        columns[k + 1] = (struct column){.name = result_textf(out, "v%zu", k + 1), .type = VALUE_REAL, .precision = -1};
    s->ids = &x->data->items;
    s->vectors = vectors;
    s->width = width;
    s->n = m->trained ? m->trained->nitems : m->nitems;
    s->row = vector_row;
    start(s, "vectors", columns, width + 1, "items", out);
}
