/* User: a history, every model's list side by side, and why. */
#include "screen/view_user.h"

#include <string.h>

#include "base/mem.h"
#include "screen/app.h"
#include "screen/views.h"

enum { LEAST_LIST = 22, LEAST_HISTORY = 28, WHY_ROWS = 6 };

static const struct key_help help[] = {
    {"Space",
     "in the history: switch the item off or on, and every list ranks anew; in a list: put the item into the history"},
    {"a", "add an item to the history by typing a part of its title"},
    {"z  r", "undo the last switch; back to the true history"},
    {"A", "switch the whole history off, or on again"},
    {"u", "another user"},
    {"Tab  h l", "next pane; the pane to the left, to the right"},
    {"Enter", "give the why pane the room of the lists, and back"},
    {"w W", "all contributions to the item, by the `why` command; the arithmetic of its score, step by step"},
    {"n",
     "why not: type a part of a title; says what stands above it and the smallest changes that bring it into the first "
     "10"},
    {"m", "the smallest part of the history without which the item is not among the first 10"},
    {"o i", "apply the set that was found: take out, put in; z undoes"},
    {"< >",
     "one step back or on through the history: what comes later does not count, as with at= (without times: item by "
     "item)"},
    {"[ ]", "order of the history: newest, title, value, contribution"},
    {"/ ; ,", "search titles in the pane; the next one, the one before"},
    {"↑3 ↓1 new", "places won and lost since the true history; new: was not to be had before"},
    {"◇",
     "an item you switched off, or that comes later: it may be recommended now, and its place says how well the model "
     "knew"},
    {NULL, NULL},
};

/* ---- drawing ---- */

/* How many lists fit beside the history, and which: the focused one is among them. */
static size_t fit_lists(struct user_view *v, int room)
{
    size_t lists = user_lists(v), fit = room / LEAST_LIST > 0 ? (size_t)(room / LEAST_LIST) : 1,
           n = lists < fit ? lists : fit;
    if (v->pane > 0 && v->pane - 1 < v->first)
        v->first = v->pane - 1;
    if (v->pane > v->first + n)
        v->first = v->pane - n;
    if (v->first + n > lists)
        v->first = lists - n;
    return n;
}

static void draw_no_lists(struct area a, int x)
{
    struct area in = area_part(a, 0, x, -1, -1);
    area_rule(area_part(in, 0, 1, 1, -1), 0, LOOK_DIM, "lists", NULL);
    area_hline(in, 0, 0, 1, LOOK_DIM);
    area_vline(in, 0, 0, in.height, LOOK_DIM);
    area_wrap(in, 2, 3, in.width - 5, 5, INK_DEFAULT,
              "No model is trained yet. Press : and type\n\ntrain pop itemknn ease ials");
}

/* The last row of `a` is the rule below, into which the lines between the panes run. */
static void draw_lists(struct user_view *v, struct area a)
{
    size_t lists = user_lists(v);
    int history = lists == 0                    ? a.width / 2
                  : a.width / 4 > LEAST_HISTORY ? a.width / 4
                                                : LEAST_HISTORY,
        x = history, rows = a.height - 1;
    size_t n = fit_lists(v, a.width - history);
    user_draw_history(v, area_part(a, 0, 0, rows, history));
    for (size_t i = 0; i < n; i++) {
        int width = (a.width - x) / (int)(n - i);
        area_hline(a, 0, x, 1, LOOK_DIM);
        area_vline(a, 0, x, a.height, LOOK_DIM);
        user_draw_list(v, area_part(a, 0, x + 1, rows, width - 1), v->first + i, i == 0 ? v->first : 0,
                       i + 1 == n ? lists - v->first - n : 0);
        x += width;
    }
    if (lists == 0)
        draw_no_lists(a, x);
}

static void draw(struct app *app, void *state, struct area a)
{
    struct user_view *v = state;
    (void)app;
    if (!v->bench.data) {
        area_wrap(a, a.height / 3, 4, a.width - 8, 5, INK_DEFAULT,
                  "No data yet. Press : and type\n\n    load shop\n\nor load FILE.");
        return;
    }
    user_draw_person(v, area_part(a, 0, 0, 1, -1));
    int why = a.height >= 16 ? WHY_ROWS + (a.height - 16) / 8 : a.height >= 9 ? 4 : 0;
    struct area rest = area_part(a, 1, 0, -1, -1);
    if (v->zoomed) {
        user_draw_why(v, rest);
        return;
    }
    user_draw_why(v, area_part(rest, rest.height - why, 0, why, -1));
    draw_lists(v, area_part(rest, 0, 0, rest.height - why + 1, -1));
}

static void place(struct app *app, void *state, struct str *out)
{
    struct user_view *v = state;
    size_t list;
    uint32_t item;
    if (!v->bench.data)
        return;
    str_puts(out, v->bench.user == NO_USER ? "made-up" : dict_text(&v->bench.data->users, v->bench.user));
    if (user_list_row(v, &list, &item))
        str_printf(out, "%s%s", app_ascii(app) ? " > " : " › ", v->bench.lists[list].model->name);
}

static const char *lacking(const void *state)
{
    const struct user_view *v = state;
    return !v->bench.data       ? "1 Data   : load shop"
           : user_lists(v) == 0 ? "Space switch   a add   u user   < > time   2 Models"
                                : NULL;
}

static void here(struct app *app, void *state, struct str *command)
{
    const struct user_view *v = state;
    (void)app;
    if (!v->bench.data || v->bench.user == NO_USER)
        return;
    str_puts(command, "user ");
    bench_put_user(&v->bench, command);
}

/* ---- beginning and end ---- */

static enum status open(struct app *app, void **state, struct error *err)
{
    (void)app;
    struct user_view *v = mem_new(1, sizeof *v, "the User view", err);
    if (!v)
        return ST_NOMEM;
    v->user = v->bench.user = NO_USER;
    v->why.item = v->question.item = NO_ITEM;
    *state = v;
    return ST_OK;
}

static void close(void *state)
{
    struct user_view *v = state;
    why_clear(&v->why);
    user_question_clear(&v->question);
    bench_clear(&v->bench);
    kept_clear(&v->kept);
    mem_free(v->shown);
    mem_free(v);
}

static enum status refresh(struct app *app, void *state, struct error *err)
{
    return user_load(app, state, err);
}

static bool finished(struct app *app, void *state, const char *command, struct result *r)
{
    struct user_view *v = state;
    struct workbench *wb = app_workbench(app);
    struct error err;
    bool made_up = wb->user == NO_USER && wb->nmade_up > 0;
    v->bench.hides_itself = !wb->hide_seen; /* it may have been set just now */
    if (made_up || (wb->user != NO_USER && wb->user != v->user)) /* what was made up may be another history each time */
        if (user_load(app, v, &err) != ST_OK)
            app_fail(app, &err, NULL);
    return r->command && strncmp(r->command, "user ", 5) == 0 && app_plain(app, command);
}

const struct view view_user = {
    .name = "user",
    .title = "User",
    .keys = "Space switch   a add   n why not   m minimal   < > time   u user   w why   z undo   Tab pane",
    .lacking = lacking,
    .help = help,
    .open = open,
    .close = close,
    .refresh = refresh,
    .draw = draw,
    .key = user_key,
    .place = place,
    .finished = finished,
    .here = here,
    .back = user_back,
};
