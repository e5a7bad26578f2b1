#include "screen/grid.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "result/render.h"
#include "screen/app.h"
#include "screen/prompt.h"

enum { MEASURED_ROWS = 500, LEAST_WIDTH = 12, MOST_WIDTH = 48, GAP = 2 };

void grid_free(struct grid *g)
{
    mem_free(g->order);
    memset(g, 0, sizeof *g);
}

void grid_forget(struct grid *g)
{
    g->table = NULL;
}

static void cell_text(const struct table *t, size_t row, size_t column, struct str *out)
{
    str_clear(out);
    const struct value *v = table_value(t, row, column);
    if (!v->null)
        value_format(&t->columns[column], v, out);
}

static bool row_has(const struct table *t, size_t row, const char *text)
{
    struct str cell = {0};
    bool found = false;
    for (size_t c = 0; c < t->ncolumns && !found; c++) {
        cell_text(t, row, c, &cell);
        found = text_find(str_text(&cell), text) != NULL;
    }
    str_free(&cell);
    return found;
}

/* ---- order ---- */

static int compare_values(enum value_type type, const struct value *a, const struct value *b)
{
    if (a->null || b->null)
        return a->null == b->null ? 0 : a->null ? 2 : -2; /* missing ones stay last whichever way */
    switch (type) {
    case VALUE_TEXT: return strcmp(a->text, b->text) < 0 ? -1 : strcmp(a->text, b->text) > 0;
    case VALUE_REAL: return a->real < b->real ? -1 : a->real > b->real;
    default: return a->integer < b->integer ? -1 : a->integer > b->integer;
    }
}

static bool goes_before(const struct grid *g, size_t a, size_t b)
{
    const struct table *t = g->table;
    int c = compare_values(t->columns[g->sort].type, table_value(t, a, g->sort), table_value(t, b, g->sort));
    if (c == 2 || c == -2)
        return c < 0;
    return c * g->direction < 0;
}

/* Merge sort from the bottom: stable, so equal rows keep the order of the table. */
static void sort_order(struct grid *g, size_t *room)
{
    size_t *from = g->order, *to = room;
    for (size_t width = 1; width < g->n; width *= 2) {
        for (size_t begin = 0; begin < g->n; begin += 2 * width) {
            size_t middle = begin + width < g->n ? begin + width : g->n,
                   end = begin + 2 * width < g->n ? begin + 2 * width : g->n;
            size_t i = begin, j = middle;
            for (size_t k = begin; k < end; k++)
                to[k] = i < middle && (j >= end || !goes_before(g, from[j], from[i])) ? from[i++] : from[j++];
        }
        size_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != g->order)
        memcpy(g->order, from, g->n * sizeof *from);
}

/* Builds the order anew; the cursor stays on its row when that is still there. */
static enum status arrange(struct grid *g, struct error *err)
{
    const struct table *t = g->table;
    size_t row = 0, nrows = t ? t->nrows : 0;
    bool had = grid_row(g, &row);
    if (mem_grow(&g->order, &g->capacity, 2 * nrows, sizeof *g->order, err) != ST_OK)
        return ST_NOMEM;
    g->n = 0;
    for (size_t i = 0; i < nrows; i++)
        if (!*g->filter || row_has(t, i, g->filter))
            g->order[g->n++] = i;
    if (g->direction && g->sort < t->ncolumns)
        sort_order(g, g->order + nrows);
    for (size_t i = 0; had && i < g->n; i++)
        if (g->order[i] == row)
            g->rows.cursor = i;
    scroll_fit(&g->rows, g->n, g->rows.page);
    return ST_OK;
}

static bool shown(const struct grid *g, size_t column)
{
    return !(g->table->columns[column].flags & COLUMN_HIDDEN) && (column >= 64 || !(g->hidden >> column & 1));
}

static void choose_column(struct grid *g, int step)
{
    for (size_t c = g->column + (size_t)step; c < g->table->ncolumns; c += (size_t)step)
        if (shown(g, c)) {
            g->column = c;
            return;
        }
}

enum status grid_set(struct grid *g, const struct table *t, struct error *err)
{
    if (t && g->ncolumns != t->ncolumns) {
        g->column = g->first = 0;
        g->direction = 0;
        g->hidden = 0;
        g->ncolumns = t->ncolumns;
    }
    g->table = t;
    while (t && g->column + 1 < t->ncolumns && !shown(g, g->column))
        g->column++;
    return arrange(g, err);
}

bool grid_row(const struct grid *g, size_t *row)
{
    if (!g->table || g->rows.cursor >= g->n || g->order[g->rows.cursor] >= g->table->nrows)
        return false;
    *row = g->order[g->rows.cursor];
    return true;
}

enum status grid_filter(struct grid *g, const char *text, struct error *err)
{
    snprintf(g->filter, sizeof g->filter, "%s", text);
    return arrange(g, err);
}

static void search_on(struct grid *g, size_t from, int step)
{
    if (!*g->search)
        return;
    for (size_t i = 0; i < g->n; i++) {
        size_t at = step > 0 ? (from + i) % g->n : (from + g->n - i) % g->n;
        if (row_has(g->table, g->order[at], g->search)) {
            g->rows.cursor = at;
            return;
        }
    }
}

static void sort_by(struct grid *g, int direction)
{
    bool same = g->direction == direction && g->sort == g->column;
    g->sort = g->column;
    g->direction = same ? 0 : direction;
    if (arrange(g, NULL) != ST_OK)
        g->direction = 0; /* without memory it stays as it was */
}

bool grid_key(struct grid *g, int32_t key)
{
    if (!g->table || g->table->ncolumns == 0)
        return false;
    if (scroll_key(&g->rows, g->n, key))
        return true;
    switch (key) {
    case 'h': case K_LEFT: choose_column(g, -1); return true;
    case 'l': case K_RIGHT: choose_column(g, 1); return true;
    case '[': sort_by(g, 1); return true;
    case ']': sort_by(g, -1); return true;
    case '+': g->hidden = 0; return true;
    case 'n':
        if (g->n)
            search_on(g, g->rows.cursor + 1, 1);
        return true;
    case 'N':
        if (g->n)
            search_on(g, g->rows.cursor + g->n - 1, -1);
        return true;
    case '-':
        if (g->column < 64) {
            size_t column = g->column;
            choose_column(g, 1);
            if (g->column == column)
                choose_column(g, -1);
            if (g->column != column)
                g->hidden |= UINT64_C(1) << column;
        }
        return true;
    default: return false;
    }
}

/* Search and filter follow what is typed. */
static void search_typed(struct app *app, void *context, const char *text)
{
    struct grid *g = context;
    (void)app;
    snprintf(g->search, sizeof g->search, "%s", text ? text : "");
    if (g->table && g->n)
        search_on(g, g->rows.cursor, 1);
}

static void filter_typed(struct app *app, void *context, const char *text)
{
    struct error err;
    if (grid_filter(context, text ? text : "", &err) != ST_OK)
        app_fail(app, &err, NULL);
}

void grid_ask(struct app *app, struct grid *g, int32_t k)
{
    bool searching = k == '/';
    prompt_open(app, &(struct prompt){.label = searching ? "/" : "&",
                                      .initial = searching ? NULL : g->filter,
                                      .changed = searching ? search_typed : filter_typed,
                                      .done = searching ? search_typed : filter_typed,
                                      .context = g});
}

/* ---- drawing ---- */

static bool right_aligned(const struct column *c)
{
    return c->type == VALUE_INT || c->type == VALUE_REAL;
}

/* The widest of n cells of a column, from row `from` on. */
static size_t widest_cell(const struct grid *g, size_t column, size_t from, size_t n)
{
    size_t width = 0;
    struct str cell = {0};
    for (size_t i = from; i < g->n && i < from + n; i++) {
        cell_text(g->table, g->order[i], column, &cell);
        size_t w = text_width(str_text(&cell), cell.length);
        if (w > width)
            width = w;
    }
    str_free(&cell);
    return width;
}

/* The first rows settle the width; what is in view is never cut for the sake of rows that are not. */
static int natural_width(const struct grid *g, size_t column)
{
    const struct column *c = &g->table->columns[column];
    size_t width = text_width(c->name, strlen(c->name)) + (g->direction && g->sort == column);
    size_t first = widest_cell(g, column, 0, MEASURED_ROWS), seen = widest_cell(g, column, g->rows.top, g->rows.page);
    if (first > width)
        width = first;
    if (seen > width)
        width = seen;
    return width > MOST_WIDTH ? MOST_WIDTH : (int)width;
}

/* Widths of the columns from g->first on, narrowed where that makes them fit; returns how many fit. */
static size_t fit_columns(const struct grid *g, int room, int *width, size_t *index, size_t most)
{
    size_t n = 0;
    int sum = 0;
    for (size_t c = g->first; c < g->table->ncolumns && n < most; c++)
        if (shown(g, c)) {
            width[n] = natural_width(g, c);
            index[n] = c;
            sum += width[n++] + GAP;
        }
    sum -= GAP;
    while (sum > room) {
        size_t widest = n;
        for (size_t i = 0; i < n; i++)
            if (!right_aligned(&g->table->columns[index[i]]) && width[i] > LEAST_WIDTH &&
                (widest == n || width[i] > width[widest]))
                widest = i;
        if (widest == n)
            break;
        width[widest]--;
        sum--;
    }
    int used = 0;
    for (size_t i = 0; i < n; i++) {
        used += width[i] + (i > 0 ? GAP : 0);
        if (used > room)
            return i;
    }
    return n;
}

static void draw_header(const struct grid *g, struct area a, const int *width, const size_t *index, size_t n)
{
    int x = 0;
    for (size_t i = 0; i < n; i++) {
        const struct column *c = &g->table->columns[index[i]];
        char name[80];
        bool sorted = g->direction && g->sort == index[i];
        snprintf(name, sizeof name, "%s%s", c->name,
                 !sorted            ? ""
                 : g->direction > 0 ? area_glyph(a, "▲", "^")
                                    : area_glyph(a, "▼", "v"));
        area_column(a, 0, x, width[i], LOOK_DIM | (index[i] == g->column ? LOOK_UNDERLINE : 0u), right_aligned(c),
                    name);
        x += width[i] + GAP;
    }
}

void grid_draw(struct grid *g, struct area a, bool focused, const struct grid_extra *extra)
{
    enum { MOST_COLUMNS = 64 };
    int width[MOST_COLUMNS], extra_width = extra ? extra->width + GAP : 0;
    size_t index[MOST_COLUMNS], n = 0;
    if (!g->table || a.height < 1)
        return;
    scroll_fit(&g->rows, g->n, (size_t)(a.height - 1));
    if (g->column < g->first)
        g->first = g->column;
    for (;; g->first++) { /* scroll sideways until the chosen column shows */
        n = fit_columns(g, a.width - extra_width, width, index, MOST_COLUMNS);
        if (n == 0 || g->column <= index[n - 1] || g->first >= g->column)
            break;
    }
    draw_header(g, a, width, index, n);
    int extra_x = 0;
    for (size_t i = 0; i < n; i++)
        extra_x += width[i] + GAP;
    if (extra)
        area_column(a, 0, extra_x, a.width - extra_x, LOOK_DIM, false, extra->title);
    struct str cell = {0};
    for (int y = 1; y < a.height && g->rows.top + (size_t)y - 1 < g->n; y++) {
        size_t at = g->rows.top + (size_t)y - 1, row = g->order[at];
        unsigned look = at == g->rows.cursor ? (focused ? LOOK_REVERSE : LOOK_BOLD) : 0u;
        area_blank(area_part(a, y, 0, 1, -1), look & LOOK_REVERSE);
        int x = 0;
        for (size_t i = 0; i < n; i++) {
            cell_text(g->table, row, index[i], &cell);
            area_column(a, y, x, width[i], look, right_aligned(&g->table->columns[index[i]]), str_text(&cell));
            x += width[i] + GAP;
        }
        if (extra)
            extra->draw(extra->context, row, area_part(a, y, extra_x, 1, -1), look);
    }
    str_free(&cell);
}
