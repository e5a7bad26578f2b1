#include "screen/leaderboard.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "screen/capture.h"

enum { MOST_COLUMNS = 24, HELD_ROWS = 1000 };

static void drop_rows(struct leaderboard *b)
{
    for (size_t i = 0; i < b->nmodels; i++)
        model_release(b->models[i]);
    mem_free(b->models);
    mem_free(b->mean);
    if (b->result)
        result_free(b->result);
    dataset_release(b->data);
    b->data = NULL;
    b->models = NULL;
    b->mean = b->low = b->high = NULL;
    b->result = NULL;
    b->table = NULL;
    b->nmodels = b->unjudged = 0;
    b->judged = false;
}

void leaderboard_clear(struct leaderboard *b)
{
    drop_rows(b);
    if (b->compared)
        result_free(b->compared);
    memset(b, 0, sizeof *b);
}

enum status leaderboard_keep(struct leaderboard *b, struct result *r, struct error *err)
{
    struct result *copy;
    enum status st = result_capture(r, HELD_ROWS, &copy, err);
    if (st != ST_OK)
        return st;
    if (b->compared)
        result_free(b->compared);
    b->compared = copy;
    return ST_OK;
}

/* ---- what compare said ---- */

static const struct table *judgements(const struct leaderboard *b)
{
    return b->compared ? result_find_table(b->compared, "leaderboard") : NULL;
}

/* The row of compare's table about a model, or its nrows. A model that was trained anew has other parameters or was
 * judged anew by the time this is asked: the view compares after each change. */
static size_t judged_row(const struct table *t, const struct model *m)
{
    size_t r = 0;
    while (r < t->nrows && strcmp(table_value(t, r, 0)->text, m->name) != 0)
        r++;
    return r;
}

static enum status take_models(struct leaderboard *b, struct workbench *wb, struct error *err)
{
    struct model **models = NULL;
    size_t n = 0;
    pthread_mutex_lock(&wb->lock);
    n = wb->nmodels;
    models = mem_new(n, sizeof *models, "the models", err);
    for (size_t i = 0; models && i < n; i++)
        models[i] = model_hold(wb->models[i]);
    b->split = wb->split != NULL;
    uint64_t split = b->split ? wb->split->fingerprint : 0;
    snprintf(b->note, sizeof b->note, "%s", b->split ? wb->split->description : "");
    pthread_mutex_unlock(&wb->lock);
    if (!models)
        return ST_NOMEM;
    if (b->compared && split != b->compared_split && b->compared_split) { /* judged on something else */
        result_free(b->compared);
        b->compared = NULL;
    }
    b->compared_split = split;
    const struct table *t = judgements(b);
    b->models = mem_new(n, sizeof *b->models, "the models", err);
    if (!b->models) {
        for (size_t i = 0; i < n; i++)
            model_release(models[i]);
        mem_free(models);
        return ST_NOMEM;
    }
    for (size_t r = 0; t && r < t->nrows; r++) /* in compare's order */
        for (size_t i = 0; i < n; i++)
            if (models[i] && judged_row(t, models[i]) == r) {
                b->models[b->nmodels++] = models[i];
                models[i] = NULL;
            }
    for (size_t i = 0; i < n; i++)
        if (models[i])
            b->models[b->nmodels++] = models[i];
    mem_free(models);
    return ST_OK;
}

/* ---- the table ---- */

/* Compare's columns that people see, but for those that the row of whiskers says better. */
static bool shown_column(const struct table *t, size_t c)
{
    static const char *const other[] = {"model", "low", "high"};
    if (t->columns[c].flags & COLUMN_HIDDEN)
        return false;
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (strcmp(t->columns[c].name, other[i]) == 0)
            return false;
    return true;
}

static size_t make_columns(struct leaderboard *b, const struct table *t, struct column *columns, size_t *from)
{
    size_t n = 0;
    columns[n++] = (struct column){.name = "model", .type = VALUE_TEXT, .unit = ""};
    for (size_t c = 1; t && c < t->ncolumns && n < MOST_COLUMNS - 3; c++)
        if (shown_column(t, c)) {
            from[n] = c;
            columns[n] = t->columns[c];
            columns[n].name = result_text(b->result, t->columns[c].name);
            columns[n++].unit = result_text(b->result, t->columns[c].unit);
        }
    columns[n++] = (struct column){.name = "train", .type = VALUE_TEXT, .unit = ""};
    columns[n++] = (struct column){.name = "size", .type = VALUE_TEXT, .unit = ""};
    return n;
}

static void put_row(struct leaderboard *b, const struct table *t, const struct model *m, const size_t *from,
                    size_t ncolumns)
{
    char text[32];
    size_t row = t ? judged_row(t, m) : 0;
    bool judged = t && row < t->nrows;
    table_text(b->table, m->name);
    for (size_t c = 1; c + 2 < ncolumns; c++) {
        const struct value *v = judged ? table_value(t, row, from[c]) : NULL;
        if (!v || v->null)
            table_null(b->table);
        else if (t->columns[from[c]].type == VALUE_REAL)
            table_real(b->table, v->real);
        else if (t->columns[from[c]].type == VALUE_TEXT)
            table_text(b->table, v->text);
        else
            table_int(b->table, v->integer);
    }
    text_duration(text, sizeof text, m->record.seconds);
    table_text(b->table, text);
    text_bytes(text, sizeof text, (double)model_bytes(m));
    table_text(b->table, text);
    b->judged |= judged;
    b->unjudged += !judged;
}

static double cell_real(const struct table *t, size_t row, const char *column)
{
    size_t c = table_column(t, column);
    if (c == t->ncolumns || t->columns[c].type != VALUE_REAL || table_value(t, row, c)->null)
        return NAN;
    return table_value(t, row, c)->real;
}

static void take_intervals(struct leaderboard *b, const struct table *t)
{
    b->left = INFINITY;
    b->right = -INFINITY;
    for (size_t i = 0; i < b->nmodels; i++) {
        size_t row = t ? judged_row(t, b->models[i]) : 0;
        bool judged = t && row < t->nrows;
        b->mean[i] = judged ? table_value(t, row, 1)->null ? NAN : table_value(t, row, 1)->real : NAN;
        b->low[i] = judged ? cell_real(t, row, "low") : NAN;
        b->high[i] = judged ? cell_real(t, row, "high") : NAN;
        b->left = fmin(b->left, fmin(b->mean[i], b->low[i]));
        b->right = fmax(b->right, fmax(b->mean[i], b->high[i]));
    }
    b->metric = t && t->ncolumns > 1 ? t->columns[1].name : "";
}

enum status leaderboard_fill(struct leaderboard *b, struct workbench *wb, struct error *err)
{
    struct column columns[MOST_COLUMNS];
    size_t from[MOST_COLUMNS] = {0};
    drop_rows(b);
    b->data = workbench_data(wb);
    enum status st = take_models(b, wb, err);
    const struct table *t = judgements(b);
    b->result = result_new(err);
    b->mean = mem_new(3 * b->nmodels, sizeof *b->mean, "the leaderboard", err);
    if (st != ST_OK || !b->result || !b->mean)
        return ST_NOMEM;
    b->low = b->mean + b->nmodels;
    b->high = b->low + b->nmodels;
    size_t n = make_columns(b, t, columns, from);
    b->table = result_table(b->result, "leaderboard", "", columns, n);
    for (size_t i = 0; i < b->nmodels; i++)
        put_row(b, t, b->models[i], from, n);
    take_intervals(b, t);
    if (t)
        snprintf(b->note, sizeof b->note, "%s", t->title);
    else if (b->nmodels > 0)
        snprintf(b->note, sizeof b->note, "%s",
                 b->split ? "not judged yet: c compares" : "no split, nothing to judge on: s");
    return result_status(b->result, err);
}

bool leaderboard_standing(const struct leaderboard *b, size_t row, size_t column, struct standing *out)
{
    const struct column *c = &b->table->columns[column];
    const struct value *v = table_value(b->table, row, column);
    bool metric = c->type == VALUE_REAL && (strchr(c->name, '@') || strcmp(c->name, "coverage") == 0);
    if (!metric || v->null)
        return false;
    *out = (struct standing){.metric = c->name, .value = v->real, .best = v->real, .place = 1};
    for (size_t r = 0; r < b->table->nrows; r++) {
        const struct value *other = table_value(b->table, r, column);
        if (other->null)
            continue;
        out->of++;
        out->place += other->real > v->real;
        out->best = fmax(out->best, other->real);
    }
    return true;
}

/* ---- whiskers ---- */

static int column_of(const struct leaderboard *b, double v, int width)
{
    double share = b->right > b->left ? (v - b->left) / (b->right - b->left) : .5;
    return (int)lround(share * (width - 1));
}

void leaderboard_draw_interval(const struct leaderboard *b, size_t row, struct area cell, unsigned look)
{
    int width = cell.width;
    if (row >= b->nmodels || isnan(b->mean[row]) || width < 8)
        return;
    unsigned ink = look | (row == 0 ? INK_GREEN : INK_CYAN);
    if (!isnan(b->low[row]) && !isnan(b->high[row])) {
        int from = column_of(b, b->low[row], width), to = column_of(b, b->high[row], width);
        for (int x = from; x <= to; x++)
            area_text(cell, 0, x, ink,
                      x == from ? area_glyph(cell, "├", "|")
                      : x == to ? area_glyph(cell, "┤", "|")
                                : area_glyph(cell, "─", "-"));
    }
    area_text(cell, 0, column_of(b, b->mean[row], width), ink | LOOK_BOLD, area_glyph(cell, "●", "o"));
}
