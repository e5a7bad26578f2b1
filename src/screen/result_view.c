#include "screen/result_view.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "eval/cohorts.h"
#include "screen/app.h"
#include "screen/grid.h"
#include "screen/prompt.h"
#include "screen/view_compare.h"

enum {
    SMALL = 2,
    CELL = 3,
    LEAST_ROWS = 3
}; /* rows of a table that is always shown; of a cell shown whole; of a table that fills up */

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

/* The column that holds users; ncolumns: none does. */
static size_t user_column(const struct table *t)
{
    size_t c = 0;
    while (c < t->ncolumns && (t->columns[c].type != VALUE_TEXT || strcmp(t->columns[c].name, "user") != 0))
        c++;
    return c;
}

/* The user of the row under the cursor; NULL: none of the data that is open. */
static const char *user_here(struct app *app, struct result_state *v)
{
    size_t row;
    if (!v->result->ntables || !grid_row(shown(v), &row))
        return NULL;
    const struct table *t = v->result->tables[v->table];
    size_t c = user_column(t);
    const struct value *id = c < t->ncolumns ? table_value(t, row, c) : NULL;
    struct dataset *d = id && !id->null ? workbench_data(app_workbench(app)) : NULL;
    bool known = d && dict_find_text(&d->users, id->text) != NO_CODE;
    dataset_release(d);
    return known ? id->text : NULL;
}

/* The cell of a column in the row under the cursor, as text; NULL: there is none. */
static const char *cell_here(struct result_state *v, const char *column)
{
    size_t row;
    const struct table *t = v->result->ntables ? v->result->tables[v->table] : NULL;
    for (size_t c = 0; t && c < t->ncolumns && grid_row(shown(v), &row); c++)
        if (t->columns[c].type == VALUE_TEXT && strcmp(t->columns[c].name, column) == 0 &&
            !table_value(t, row, c)->null)
            return table_value(t, row, c)->text;
    return NULL;
}

static void put_quoted(struct str *out, const char *text, char quote)
{
    str_putc(out, quote);
    for (; *text; text++) {
        str_putc(out, *text);
        if (*text == quote)
            str_putc(out, quote);
    }
    str_putc(out, quote);
}

/* The segment under the cursor: what tells users (or items) apart, and its name. fairness has a column named after the
 * former. False: there is none. */
static bool segment_here(struct result_state *v, const char **by, const char **name)
{
    const struct table *t = v->result->ntables ? v->result->tables[v->table] : NULL;
    bool groups = t && (strcmp(t->name, "groups") == 0 || strcmp(t->name, "exposure") == 0) && t->ncolumns > 1;
    *by = groups ? t->columns[1].name : cell_here(v, "by");
    *name = groups ? cell_here(v, *by) : cell_here(v, "segment");
    return *by && *name;
}

/* The command that shows the users of the segment under the cursor, where an attribute of theirs makes it; "": none is.
 */
static void put_segment(struct app *app, struct result_state *v, struct str *command)
{
    const char *by, *name;
    struct dataset *d = segment_here(v, &by, &name) ? workbench_data(app_workbench(app)) : NULL;
    const struct field *f = d ? cohorts_user_field(d, by) : NULL;
    if (f && f->type == FIELD_TEXT && dict_find_text(&f->levels, name) != NO_CODE) {
        str_puts(command, "select * from users where ");
        put_quoted(command, f->name, '"');
        str_puts(command, " = ");
        put_quoted(command, name, '\'');
    }
    dataset_release(d);
}

/* All others the Compare view knows: is the segment of a result of judging? */
static bool view_has_segment(struct app *app, struct result_state *v)
{
    const char *by, *name, *command = v->result->command ? v->result->command : "";
    size_t verb = strcspn(command, " ");
    bool judged = strncmp(command, "compare", verb) == 0 || strncmp(command, "fairness", verb) == 0;
    struct dataset *d = verb && judged && segment_here(v, &by, &name) ? workbench_data(app_workbench(app)) : NULL;
    bool has = d && (cohorts_are_of_users(d, by) || cohorts_are_of_items(d, by));
    dataset_release(d);
    return has;
}

static bool open_segment(struct app *app, struct result_state *v)
{
    struct str command = {0};
    const char *by, *name;
    put_segment(app, v, &command);
    bool any = command.length && !command.failed;
    if (any) {
        app_open_result(app, str_text(&command));
    } else if (view_has_segment(app, v) && segment_here(v, &by, &name)) {
        compare_open_segment(app, by, name);
        any = true;
    }
    str_free(&command);
    return any;
}

static bool key(struct app *app, void *state, int32_t k)
{
    struct result_state *v = state;
    size_t n = v->result->ntables;
    struct grid *g = shown(v);
    const char *user = k == K_ENTER ? user_here(app, v) : NULL;
    if (user) {
        app_open_user(app, user);
        return true;
    }
    if (k == K_ENTER && open_segment(app, v))
        return true;
    if (k == K_ESCAPE || k == 'q' || k == K_BACKSPACE || k == K_ENTER)
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

/* Title, then as much of the grid as there is room for. */
static void draw_table(struct result_state *v, struct area a, size_t i)
{
    const struct table *t = v->result->tables[i];
    bool here = i == v->table, words = titled(v->result, t);
    if (words)
        area_column(a, 0, 0, a.width, LOOK_BOLD | (here && v->result->ntables > 1 ? INK_CYAN : 0u), false,
                    *t->title ? t->title : t->name);
    grid_draw(&v->grids[i], area_part(a, words, 0, table_rows(v, i) - words, -1), here, NULL);
}

/* Returns the rows taken. */
static int draw_messages(const struct result *r, struct area a)
{
    static const char *const level[] = {"", "warning: ", "hint: "};
    int y = 0;
    for (size_t i = 0; i < r->nmessages && y < a.height; i++) {
        const struct message *m = &r->messages[i];
        int x = area_text(a, y, 0, m->level == MESSAGE_WARNING ? INK_YELLOW : LOOK_DIM, level[m->level]);
        int lines = area_wrap(a, y, x, a.width - x, a.height - y, INK_DEFAULT, m->text);
        y += lines > 0 ? lines : 1;
    }
    return y;
}

static int message_rows(const struct result *r, int width, int most)
{
    struct surface probe = {.ascii = true};
    int rows = 0;
    if (r->nmessages && surface_resize(&probe, most > 0 ? most : 1, width > 0 ? width : 1, NULL) == ST_OK)
        rows = draw_messages(r, surface_area(&probe));
    surface_free(&probe);
    return rows;
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
        if (t->columns[c].flags & COLUMN_WRAP && !cell->null &&
            (int)text_width(cell->text, strlen(cell->text)) > width / 2)
            return cell->text;
    }
    return NULL;
}

/* All tables one below the other where they fit, else the small ones, the chosen one, and of those behind it what there
 * is room for. */
static void draw_tables(struct result_state *v, struct area a, bool all)
{
    size_t n = v->result->ntables;
    int y = 0, spare = a.height;
    for (size_t i = 0; i < n; i++)
        if (i == v->table || v->grids[i].n <= SMALL)
            spare -= table_rows(v, i) + 1;
    for (size_t i = 0; i < n; i++) {
        bool must = all || i == v->table || v->grids[i].n <= SMALL, fits = i > v->table && spare >= LEAST_ROWS;
        if (!must && !fits)
            continue;
        int rows = must ? table_rows(v, i) : table_rows(v, i) < spare ? table_rows(v, i) : spare;
        draw_table(v, area_part(a, y, 0, rows, -1), i);
        spare -= must ? 0 : rows + 1;
        y += rows + 1;
    }
}

/* The keys that matter here, as many as there is room for. */
static void put_keys(struct app *app, struct result_state *v, int width, struct str *out)
{
    char table[48];
    snprintf(table, sizeof table, "Tab table %zu/%zu", v->table + 1, v->result->ntables);
    struct str segment = {0};
    put_segment(app, v, &segment);
    const char *const keys[] = {user_here(app, v) ? "Enter the user"
                                : segment.length || view_has_segment(app, v) ? "Enter its users"
                                                  : NULL,
                                v->result->ntables > 1 ? table : NULL, v->result->ntables ? "[ ] sort" : NULL,
                                v->result->ntables ? "/ search" : NULL, v->result->ntables ? "& filter" : NULL};
    static const char *const last = "Esc back";
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i] && (int)(out->length + strlen(keys[i]) + 3 + strlen(last)) <= width)
            str_printf(out, "%s   ", keys[i]);
    str_puts(out, last);
    str_free(&segment);
}

static void draw(struct app *app, void *state, struct area whole)
{
    struct result_state *v = state;
    const struct result *r = v->result;
    struct str keys = {0};
    int most = whole.height - 6, messages = message_rows(r, whole.width - 4, most / 2),
        rows = messages + (messages > 0);
    const char *cell = whole.height >= 16 ? long_cell(v, whole.width) : NULL;
    int below = cell ? CELL + 1 : 0;
    rows += below;
    for (size_t i = 0; i < r->ntables; i++)
        rows += table_rows(v, i) + (i > 0);
    bool all = rows <= most;
    if (!all)
        rows = most;
    struct area box = area_part(whole, 2, 0, rows + 2, -1);
    put_keys(app, v, box.width - 8, &keys);
    area_box(box, INK_CYAN, r->command ? r->command : "", str_text(&keys));
    str_free(&keys);
    struct area in = area_part(box, 1, 2, rows, box.width - 4);
    draw_tables(v, area_part(in, 0, 0, rows - messages - (messages > 0) - below, -1), all);
    if (cell)
        area_wrap(in, rows - messages - (messages > 0) - CELL, 0, in.width, CELL, LOOK_BOLD, cell);
    draw_messages(r, area_part(in, rows - messages, 0, messages, -1));
}

static const struct overlay result_overlay = {
    .name = "result", .draw = draw, .key = key, .close = close, .stays = true};

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
