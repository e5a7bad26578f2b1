/* Data: how much there is, when it came, of what kinds, who gets the attention, and what came last. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "commands/grade.h"
#include "commands/lex.h"
#include "commands/recipe.h"
#include "screen/app.h"
#include "screen/data_facts.h"
#include "screen/grid.h"
#include "screen/plot_pane.h"
#include "screen/prompt.h"
#include "screen/views.h"

enum { LEAST_SIDE = 28, LABEL = 12 };

static const struct key_help help[] = {
    {"L", "load files: :load, with completion of paths"},
    {"a", "audit: grade the data, and what is odd about it"},
    {"j k  ↑ ↓", "the newest events; g G first and last, Ctrl-d Ctrl-u half a page"},
    {"h l  ← →", "choose a column"},
    {"[ ]", "sort by it, up or down; once more: as it was"},
    {"- +", "hide it; show all"},
    {"/ n N", "search, next, previous"},
    {"&", "only rows with a word in them"},
    {"Enter", "the user of the event, in the User view"},
    {"e", "all events of that user, by the `events` command"},
    {"r", "the recipe: the steps that shaped the data, and what each left"},
    {"u", "undo the last of them"},
    {NULL, NULL},
};

struct data_view {
    struct dataset *data;  /* counted */
    struct recipe *recipe; /* the steps that made it; a copy */
    struct data_facts *facts;
    struct grid grid;      /* the newest events */
    struct grade grade;    /* of the last audit */
};

/* ---- drawing ---- */

static void draw_facts(const struct data_view *v, struct area row)
{
    const struct dataset *d = v->data;
    const struct data_facts *f = v->facts;
    char from[40], to[40], text[64];
    double density = (double)f->pairs / ((double)d->users.n * (double)d->items.n);
    int x = area_printf(row, 0, 1, LOOK_BOLD, "%s", d->name) + 2;
    if (v->grade.letter)
        x = area_printf(row, 0, x, v->grade.serious ? INK_YELLOW | LOOK_BOLD : INK_DEFAULT, "grade %c",
                        v->grade.letter) +
            2;
    if (f->oldest != NO_TIME) {
        time_short(from, sizeof from, f->oldest);
        time_short(to, sizeof to, f->newest);
        from[10] = to[10] = 0;
        x = area_printf(row, 0, x, INK_DEFAULT, "%s to %s", from, to) + 2;
    } else {
        x = area_text(row, 0, x, INK_DEFAULT, "without times") + 2;
    }
    x = area_printf(row, 0, x, INK_DEFAULT, density < .001 ? "density %.3f %%" : "density %.2f %%", density * 100) + 2;
    x = area_printf(row, 0, x, INK_DEFAULT, "median %u a user, %u an item", f->median_user, f->median_item) + 2;
    if (d->rows_rejected) {
        text_count(text, sizeof text, (int64_t)d->rows_rejected);
        area_printf(row, 0, x, INK_YELLOW | LOOK_BOLD, "%s rejected", text);
    }
}

/* The steps, the last ones when there is no room for all. */
static void draw_recipe(const struct recipe *r, struct area row)
{
    struct str text = {0};
    size_t first = 0;
    do {
        str_clear(&text);
        str_printf(&text, "%zu step%s: %s", r->n, r->n == 1 ? "" : "s", first ? "... " : "");
        for (size_t i = first; i < r->n; i++)
            str_printf(&text, "%s%s", i > first ? "; " : "", r->step[i].text);
    } while (++first < r->n && text_width(str_text(&text), text.length) + 1 > (size_t)row.width);
    area_text(row, 0, 1, LOOK_DIM, str_text(&text));
    str_free(&text);
}

static void draw_bars(const struct data_view *v, struct area a)
{
    const struct data_facts *f = v->facts;
    int number = 8, label = a.width < 36 ? 8 : LABEL, bar = a.width - label - number - 9;
    double largest = 0;
    for (size_t i = 0; i < f->nbars; i++)
        largest = f->bars[i].n > largest ? f->bars[i].n : largest;
    for (size_t i = 0; i < f->nbars && (int)i < a.height; i++) {
        const struct data_bar *b = &f->bars[i];
        char text[32];
        area_column(a, (int)i, 0, label, INK_DEFAULT, false, b->label);
        area_bar(a, (int)i, label + 1, bar, b->n / largest, INK_CYAN);
        text_count(text, sizeof text, (int64_t)b->n);
        area_column(a, (int)i, a.width - number - 6, number, INK_DEFAULT, true, text);
        snprintf(text, sizeof text, b->share < .0995 && b->share > 0 ? "%.1f%%" : "%.0f%%", b->share * 100);
        area_column(a, (int)i, a.width - 5, 5, LOOK_DIM, true, text);
    }
}

static void draw_tail_words(const struct data_view *v, struct area a)
{
    const struct data_facts *f = v->facts;
    char items[32];
    text_count(items, sizeof items, (int64_t)f->half_items);
    area_printf(a, 0, 0, LOOK_DIM,
                a.width >= 40 ? "half of all events on %s item%s (%.1f %%)" : "half on %s item%s (%.1f %%)", items,
                f->half_items == 1 ? "" : "s", 100 * (double)f->half_items / (double)v->data->items.n);
}

static void draw_panes(struct data_view *v, struct area a)
{
    const struct data_facts *f = v->facts;
    int side = a.width * 2 / 5 < LEAST_SIDE ? LEAST_SIDE : a.width * 2 / 5, left = a.width - side, upper = a.height / 2;
    struct area when = area_part(a, 0, 0, upper, left), kinds = area_part(a, 0, left + 1, upper, -1);
    struct area tail = area_part(a, upper, 0, -1, side), newest = area_part(a, upper, side + 1, -1, -1);
    area_rule(when, 0, LOOK_DIM, f->when ? f->when->title : "no times: only their order is known", NULL);
    area_rule(kinds, 0, LOOK_DIM, f->bars_title, f->bars_note);
    area_hline(a, 0, left, 1, LOOK_DIM);
    area_rule(tail, 0, LOOK_DIM, "popularity: the long tail", NULL);
    area_hline(a, upper, side, 1, LOOK_DIM);
    char count[64];
    snprintf(count, sizeof count, "%zu of %zu", v->grid.n ? v->grid.rows.cursor + 1 : 0, v->grid.n);
    area_rule(newest, 0, LOOK_DIM, *v->grid.filter ? "newest events, filtered" : "newest events", count);
    area_vline(a, 0, left, upper + 1, LOOK_DIM);
    area_vline(a, upper, side, a.height - upper, LOOK_DIM);
    const struct series *curves[] = {f->when, f->tail};
    if (f->when)
        plot_pane(area_part(when, 1, 1, -1, when.width - 2), &curves[0], 1);
    draw_bars(v, area_part(kinds, 1, 1, -1, kinds.width - 2));
    draw_tail_words(v, area_part(tail, 1, 1, 1, tail.width - 2));
    plot_pane(area_part(tail, 2, 1, -1, tail.width - 2), &curves[1], 1);
    grid_draw(&v->grid, area_part(newest, 1, 1, -1, newest.width - 2), true, NULL);
}

static void draw(struct app *app, void *state, struct area a)
{
    struct data_view *v = state;
    (void)app;
    if (!v->data) {
        area_wrap(a, a.height / 4, 4, a.width - 8, 12, INK_DEFAULT,
                  "No data yet.\n"
                  "\n"
                  "Press : and type\n"
                  "\n"
                  "    load shop          a made-up shop that comes with tailor\n"
                  "    load FILE          CSV, TSV, JSON lines, MovieLens, ...\n"
                  "\n"
                  "Tab completes paths, Ctrl-P finds any command.");
        return;
    }
    int head = v->recipe && v->recipe->n ? 2 : 1;
    draw_facts(v, area_part(a, 0, 0, 1, -1));
    if (head == 2)
        draw_recipe(v->recipe, area_part(a, 1, 0, 1, -1));
    struct area rest = area_part(a, head, 0, -1, -1);
    if (rest.height >= 12)
        draw_panes(v, rest);
    else
        grid_draw(&v->grid, area_part(rest, 0, 1, -1, rest.width - 2), true, NULL);
}

/* ---- keys ---- */

/* The user of the event under the cursor; NULL: there is none. */
static const char *user_here(const struct data_view *v)
{
    size_t row;
    return grid_row(&v->grid, &row) ? data_facts_user(v->facts, row) : NULL;
}

static void run_events(struct app *app, const struct data_view *v)
{
    struct str command = {0};
    if (!user_here(v))
        return;
    str_puts(&command, "events user=");
    lex_quote(&command, user_here(v));
    app_run(app, str_text(&command), APP_SHOW);
    str_free(&command);
}

static bool key(struct app *app, void *state, int32_t k)
{
    struct data_view *v = state;
    if (k == 'L') {
        prompt_command(app, "load ");
        return true;
    }
    if (!v->data)
        return false;
    switch (k) {
    case K_ENTER:
        if (user_here(v))
            app_open_user(app, user_here(v));
        return true;
    case 'a': app_run(app, "audit", APP_SHOW); return true;
    case 'e': run_events(app, v); return true;
    case 'r': app_run(app, "recipe", APP_SHOW); return true;
    case 'u': app_run(app, "undo", APP_SHOW); return true;
    case '/': case '&': grid_ask(app, &v->grid, k); return true;
    default: return grid_key(&v->grid, k);
    }
}

static bool back(struct app *app, void *state)
{
    struct data_view *v = state;
    struct error err;
    if (!*v->grid.filter)
        return false;
    if (grid_filter(&v->grid, "", &err) != ST_OK)
        app_fail(app, &err, NULL);
    return true;
}

static const char *lacking(const void *state)
{
    const struct data_view *v = state;
    return v->data ? NULL : "L load   : load shop";
}

/* ---- beginning and end ---- */

static enum status open(struct app *app, void **state, struct error *err)
{
    (void)app;
    *state = mem_new(1, sizeof(struct data_view), "the Data view", err);
    return *state ? ST_OK : ST_NOMEM;
}

static void close(void *state)
{
    struct data_view *v = state;
    grid_free(&v->grid);
    data_facts_free(v->facts);
    recipe_free(v->recipe);
    dataset_release(v->data);
    mem_free(v);
}

static enum status refresh(struct app *app, void *state, struct error *err)
{
    struct data_view *v = state;
    struct dataset *d = workbench_data(app_workbench(app));
    enum status st = d ? grade_find(app_workbench(app), d, &v->grade, err) : ST_OK;
    if (st != ST_OK || d == v->data) {
        dataset_release(d);
        return st;
    }
    struct data_facts *facts = NULL;
    struct recipe *recipe = NULL;
    st = d ? data_facts_new(d, &facts, err) : ST_OK;
    if (st == ST_OK)
        st = workbench_recipe(app_workbench(app), &recipe, err);
    if (st == ST_OK)
        st = grid_set(&v->grid, facts ? facts->newest_events : NULL, err);
    if (st != ST_OK) {
        grid_forget(&v->grid);
        data_facts_free(facts);
        recipe_free(recipe);
        dataset_release(d);
        return st;
    }
    data_facts_free(v->facts);
    recipe_free(v->recipe);
    dataset_release(v->data);
    v->facts = facts;
    v->recipe = recipe;
    v->data = d;
    return ST_OK;
}

const struct view view_data = {
    .name = "data",
    .title = "Data",
    .keys = "L load   a audit   Enter the user   / search   r recipe   e events   u undo",
    .lacking = lacking,
    .help = help,
    .open = open,
    .close = close,
    .refresh = refresh,
    .draw = draw,
    .key = key,
    .back = back,
};
