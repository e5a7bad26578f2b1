#include "result/render.h"

#include <string.h>

#include "result/writer.h"

const char *const output_form_names[OUTPUT_FORMS] = {"box", "csv", "tsv", "json", "jsonl", "markdown", "line", "html"};

bool output_form_of_path(const char *path, enum output_form *form)
{
    static const struct {
        const char *extension;
        enum output_form form;
    } known[] = {{".csv", OUTPUT_CSV},           {".tsv", OUTPUT_TSV},      {".json", OUTPUT_JSON},
                 {".jsonl", OUTPUT_JSONL},       {".ndjson", OUTPUT_JSONL}, {".md", OUTPUT_MARKDOWN},
                 {".markdown", OUTPUT_MARKDOWN}, {".txt", OUTPUT_BOX},      {".html", OUTPUT_HTML},
                 {".htm", OUTPUT_HTML}};
    const char *name = strrchr(path, '/');
    const char *dot = strrchr(name ? name : path, '.');
    for (size_t i = 0; dot && i < sizeof known / sizeof *known; i++)
        if (text_same(dot, known[i].extension)) {
            *form = known[i].form;
            return true;
        }
    return false;
}

/* ---- writing ---- */

enum { SPILL = 32 << 10 };

static enum status flush(struct writer *w, struct error *err)
{
    if (w->text.failed)
        return error_nomem(err, w->text.capacity, "the rendered text");
    enum status st = w->text.length ? w->out->write(w->out->context, w->text.data, w->text.length, err) : ST_OK;
    str_clear(&w->text);
    return st;
}

enum status writer_spill(struct writer *w, struct error *err)
{
    return w->text.failed || w->text.length >= SPILL ? flush(w, err) : ST_OK;
}

/* ---- the one walk over rows ---- */

enum { ROWS_PER_CHECK = 1024 };

enum status walk_begin(struct walk *walk, struct table *t, struct job *job, struct error *err)
{
    *walk = (struct walk){.table = t, .job = job};
    return table_rewind(t, err);
}

enum status walk_next(struct walk *walk, const struct value **row, struct error *err)
{
    struct table *t = walk->table;
    *row = NULL;
    if (walk->row >= t->nrows && t->next && !walk->ended) {
        enum status st = job_check(walk->job, err);
        if (!st)
            st = table_next(t, err);
        if (st)
            return st;
        walk->row = 0;
        walk->ended = t->nrows == 0;
    }
    for (; walk->brief && walk->row < t->nrows && t->values[walk->row * t->ncolumns].aside; walk->row++)
        walk->left++;
    if (walk->row >= t->nrows)
        return ST_OK;
    if (walk->rows++ % ROWS_PER_CHECK == 0 && job_cancelled(walk->job))
        return job_check(walk->job, err);
    *row = t->values + walk->row++ * t->ncolumns;
    return ST_OK;
}

/* ---- series as tables ---- */

/* One coordinate of a series as cells: whole numbers and times stay what they are. */
static void put_coordinate(struct table *t, enum value_type type, double v)
{
    if (type == VALUE_INT)
        table_int(t, (int64_t)v);
    else if (type == VALUE_TIME)
        table_time(t, (int64_t)v);
    else
        table_real(t, v);
}

static void series_table(const struct series *s, struct result *r)
{
    const struct column columns[] = {{"x", s->x_type, "", -1, 0},
                                     {"y", VALUE_REAL, "", -1, 0},
                                     {"low", VALUE_REAL, "", -1, 0},
                                     {"high", VALUE_REAL, "", -1, 0}};
    struct table *t = result_table(r, s->name, s->title, columns, s->low ? 4 : 2);
    for (size_t i = 0; i < s->n; i++) {
        if (s->x_type == VALUE_TEXT)
            table_text(t, s->labels[i]);
        else
            put_coordinate(t, s->x_type, s->x[i]);
        table_real(t, s->y[i]);
        if (s->low) {
            table_real(t, s->low[i]);
            table_real(t, s->high[i]);
        }
    }
}

/* All tables to render: those of r, then its series as tables (held by *made) when `series` says so. */
static struct table **all_tables(struct result *r, bool series, struct result **made, size_t *n, struct error *err)
{
    *made = result_new(err);
    if (!*made)
        return NULL;
    for (size_t i = 0; series && i < r->nseries; i++)
        series_table(r->series[i], *made);
    if (result_status(*made, err))
        return NULL;
    *n = r->ntables + (*made)->ntables;
    struct table **tables = result_room(*made, *n, sizeof *tables);
    if (!tables) {
        *err = (*made)->failed;
        return NULL;
    }
    for (size_t i = 0; i < *n; i++)
        tables[i] = i < r->ntables ? r->tables[i] : (*made)->tables[i - r->ntables];
    return tables;
}

/* Leaves out the tables that the plots show; returns how many stay. */
static size_t without_drawn(struct table **tables, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!tables[i]->drawn)
            tables[kept++] = tables[i];
    return kept;
}

/* Dots on a plane: in words their table says more, which names them. */
static bool is_scatter(const struct result *r)
{
    for (size_t i = 0; i < r->nseries; i++)
        if (strcmp(r->series[i]->style, "points") == 0)
            return true;
    return false;
}

/* ---- a result ---- */

static enum status render_each(struct writer *w, struct table *const *tables, size_t n, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; !st && i < n; i++)
        switch (w->options->form) {
        case OUTPUT_CSV:
            st = render_csv_table(w, tables[i], i, err);
            break;
        case OUTPUT_TSV:
            st = render_tsv_table(w, tables[i], i, err);
            break;
        case OUTPUT_MARKDOWN:
            st = render_markdown_table(w, tables[i], i, err);
            break;
        case OUTPUT_LINE:
            st = render_line_table(w, tables[i], i, 0, err);
            break;
        case OUTPUT_HTML:
            st = render_html_table(w, tables[i], err);
            break;
        default:
            st = render_box_table(w, tables[i], i, err);
            break;
        }
    return st;
}

/* The series of one group from `first` on, into group; 0 when an earlier one has drawn them all. */
static size_t gather_group(const struct result *r, size_t first, const struct series **group)
{
    const char *name = r->series[first]->group;
    size_t n = 0;
    for (size_t i = 0; i < r->nseries; i++) {
        const struct series *s = r->series[i];
        if (i != first && !(name && s->group && strcmp(name, s->group) == 0))
            continue;
        if (i < first)
            return 0;
        group[n++] = s;
    }
    return n;
}

static void put_series(struct writer *w, const struct result *r, const struct series **group)
{
    for (size_t i = 0; i < r->nseries; i++) {
        size_t n = gather_group(r, i, group);
        if (!n)
            continue;
        if (w->options->form == OUTPUT_BOX && (w->text.length || r->ntables || i))
            str_putc(&w->text, '\n');
        w->options->draw(group, n, w->options, &w->text);
    }
}

static void put_messages(struct writer *w, const struct result *r)
{
    const struct render_options *o = w->options;
    for (size_t i = 0; o->form == OUTPUT_HTML && o->messages && i < r->nmessages; i++)
        render_html_message(w, &r->messages[i]);
    if (o->form == OUTPUT_HTML)
        return;
    if (o->messages && r->nmessages && (r->ntables || r->nseries))
        str_putc(&w->text, '\n');
    for (size_t i = 0; o->messages && i < r->nmessages; i++)
        if (o->form == OUTPUT_MARKDOWN)
            render_markdown_message(w, &r->messages[i]);
        else
            message_format(&r->messages[i], o->width, o->color, &w->text);
}

enum status result_render(struct result *r, const struct render_options *options, struct output *out, struct job *job,
                          struct error *err)
{
    struct error ours;
    struct writer w = {.out = out, .options = options, .job = job};
    struct result *made = NULL;
    size_t n = 0;
    bool json = options->form == OUTPUT_JSON || options->form == OUTPUT_JSONL;
    bool html = options->form == OUTPUT_HTML, page = html && !options->part;
    bool people =
        html || options->form == OUTPUT_BOX || options->form == OUTPUT_LINE || options->form == OUTPUT_MARKDOWN;
    bool drawn = (html || options->form == OUTPUT_BOX) && options->draw && !(options->plain && is_scatter(r));
    err = err ? err : &ours;
    enum status st = result_status(r, err);
    if (st)
        return st;
    if (page)
        put_html_head(&w.text, r->command ? r->command : "tailor");
    struct table **tables = all_tables(r, json || (r->ntables == 0 && !drawn), &made, &n, err);
    if (!tables)
        st = err->code;
    else if (options->form == OUTPUT_JSON)
        st = render_json_tables(&w, tables, n, r->several || n > 1, err);
    else if (options->form == OUTPUT_JSONL)
        st = render_jsonl_tables(&w, tables, n, r->several || n > 1, err);
    else
        st = render_each(&w, tables, drawn ? without_drawn(tables, n) : n, err);
    const struct series **group = drawn && !st ? result_room(made, r->nseries, sizeof *group) : NULL;
    if (group)
        put_series(&w, r, group);
    if (!st && people)
        put_messages(&w, r);
    if (page)
        put_html_tail(&w.text);
    if (!st)
        st = flush(&w, err);
    result_free(made);
    str_free(&w.text);
    return st;
}

static enum status write_to_string(void *context, const char *bytes, size_t n, struct error *err)
{
    struct str *out = context;
    str_append(out, bytes, n);
    return out->failed ? error_nomem(err, out->length + n, "the rendered text") : ST_OK;
}

enum status result_render_text(struct result *r, const struct render_options *options, struct str *out,
                               struct error *err)
{
    struct output sink = {out, write_to_string};
    return result_render(r, options, &sink, NULL, err);
}
