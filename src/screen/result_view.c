#include "screen/result_view.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "screen/app.h"
#include "screen/grid.h"
#include "screen/prompt.h"

enum { SMALL = 2, CELL = 3 }; /* rows of a table that is always shown; of a cell shown whole */

struct result_state {
    const struct result *result;
    struct grid *grids; /* one a table */
    size_t table;       /* on show */
};

bool result_view_worth(const struct result *r)
{
    for (size_t i = 0; i < r->ntables; i++)
        if (r->tables[i]->nrows > 0)
            return true;
    return r->nmessages > 1;
}

static void close(void *state)
{
    struct result_state *v = state;
    for (size_t i = 0; v->grids && i < v->result->ntables; i++)
        grid_free(&v->grids[i]);
    mem_free(v->grids);
    mem_free(v);
}

static struct grid *shown(struct result_state *v)
{
    return v->result->ntables ? &v->grids[v->table] : NULL;
}

static bool key(struct app *app, void *state, int32_t k)
{
    struct result_state *v = state;
    size_t n = v->result->ntables;
    struct grid *g = shown(v);
    if (k == K_ESCAPE || k == 'q' || k == K_ENTER)
        return false;
    if (n > 1 && (k == K_TAB || k == K_BACKTAB)) {
        v->table = (v->table + n + (k == K_TAB ? 1 : n - 1)) % n;
        return true;
    }
    if (k == ':')
        prompt_command(app, NULL);
    else if (g && (k == '/' || k == '&'))
        grid_ask(app, g, k);
    else if (g)
        grid_key(g, k);
    return true;
}

static bool titled(const struct result *r, const struct table *t)
{
    return r->ntables > 1 || *t->title;
}

/* Rows that a table takes with its title and header. */
static int table_rows(const struct result_state *v, size_t i)
{
    return (int)titled(v->result, v->result->tables[i]) + 1 + (int)v->grids[i].n;
}

/* Title, then as much of the grid as there is room for; returns the rows taken. */
static int draw_table(struct result_state *v, struct area a, size_t i)
{
    const struct table *t = v->result->tables[i];
    bool here = i == v->table, words = titled(v->result, t);
    if (words)
        area_column(a, 0, 0, a.width, LOOK_BOLD | (here && v->result->ntables > 1 ? INK_CYAN : 0u), false, *t->title ? t->title : t->name);
    grid_draw(&v->grids[i], area_part(a, words, 0, table_rows(v, i) - words, -1), here, NULL);
    return table_rows(v, i);
}

static void draw_messages(const struct result *r, struct area a)
{
    static const char *const level[] = {"", "warning: ", "hint: "};
    for (int y = 0; y < a.height && (size_t)y < r->nmessages; y++) {
        const struct message *m = &r->messages[y];
        int x = area_text(a, y, 0, m->level == MESSAGE_WARNING ? INK_YELLOW : LOOK_DIM, level[m->level]);
        area_column(a, y, x, a.width - x, INK_DEFAULT, false, m->text);
    }
}

/* The cell under the cursor that people should see the whole of, when the grid has to cut it; else NULL. */
static const char *long_cell(struct result_state *v, int width)
{
    size_t row;
    if (!v->result->ntables || !grid_row(shown(v), &row))
        return NULL;
    const struct table *t = v->result->tables[v->table];
    for (size_t c = 0; c < t->ncolumns; c++) {
        const struct value *cell = table_value(t, row, c);
        if (t->columns[c].flags & COLUMN_WRAP && !cell->null && (int)text_width(cell->text, strlen(cell->text)) > width / 2)
            return cell->text;
    }
    return NULL;
}

/* All tables one below the other where they fit, else the small ones and the chosen one. */
static void draw(struct app *app, void *state, struct area whole)
{
    struct result_state *v = state;
    const struct result *r = v->result;
    char foot[96];
    int most = whole.height - 6, messages = (int)r->nmessages < most / 2 ? (int)r->nmessages : most / 2, rows = messages + (messages > 0);
    const char *cell = whole.height >= 16 ? long_cell(v, whole.width) : NULL;
    int below = cell ? CELL + 1 : 0;
    (void)app;
    rows += below;
    for (size_t i = 0; i < r->ntables; i++)
        rows += table_rows(v, i) + (i > 0);
    bool all = rows <= most;
    if (!all)
        rows = most;
    struct area box = area_part(whole, 2, 0, rows + 2, -1);
    snprintf(foot, sizeof foot, "%s[ ] sort   / search   & filter   Esc back", r->ntables > 1 ? "Tab next table   " : "");
    area_box(box, INK_CYAN, r->command ? r->command : "", foot);
    struct area in = area_part(box, 1, 2, rows, box.width - 4);
    struct area tables = area_part(in, 0, 0, rows - messages - (messages > 0) - below, -1);
    int y = 0;
    for (size_t i = 0; i < r->ntables; i++)
        if (all || i == v->table || v->grids[i].n <= SMALL)
            y += draw_table(v, area_part(tables, y, 0, -1, -1), i) + 1;
    if (cell)
        area_wrap(in, rows - messages - (messages > 0) - CELL, 0, in.width, CELL, LOOK_BOLD, cell);
    draw_messages(r, area_part(in, rows - messages, 0, messages, -1));
}

static const struct overlay result_overlay = {.name = "result", .draw = draw, .key = key, .close = close};

void result_view_open(struct app *app, const struct result *r)
{
    struct error err;
    struct result_state *v = mem_new(1, sizeof *v, "a result", &err);
    enum status st = v ? ST_OK : ST_NOMEM;
    if (v) {
        v->result = r;
        v->grids = mem_new(r->ntables, sizeof *v->grids, "a result", &err);
        st = v->grids ? ST_OK : ST_NOMEM;
    }
    for (size_t i = 0; st == ST_OK && i < r->ntables; i++)
        st = grid_set(&v->grids[i], r->tables[i], &err);
    if (st != ST_OK) {
        if (v)
            close(v);
        app_fail(app, &err, NULL);
        return;
    }
    while (v->table + 1 < r->ntables && v->grids[v->table].n <= SMALL) /* begin with what there is to scroll in */
        v->table++;
    app_push(app, &result_overlay, v);
}
