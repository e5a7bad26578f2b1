/* The User view: what is switched, and what is asked of the engine. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/grow.h"
#include "models/served.h"
#include "screen/app.h"
#include "screen/view_user.h"

enum { DEFAULT_USER_EVENTS = 10 };

/* ---- where the cursor is ---- */

size_t user_lists(const struct user_view *v)
{
    return v->bench.nlists < MOST_PANES - 1 ? v->bench.nlists : MOST_PANES - 1;
}

struct bench_item *user_history_row(const struct user_view *v)
{
    return v->rows[0].cursor < v->nshown ? &v->bench.items[v->shown[v->rows[0].cursor]] : NULL;
}

bool user_list_row(const struct user_view *v, size_t *list, uint32_t *item)
{
    if (v->pane == 0 || v->pane > user_lists(v))
        return false;
    *list = v->pane - 1;
    const struct bench_list *l = &v->bench.lists[*list];
    if (v->rows[v->pane].cursor >= l->n)
        return false;
    *item = l->top[v->rows[v->pane].cursor].index;
    return true;
}

/* ---- the order of the history ---- */

static int compare_items(const struct user_view *v, size_t a, size_t b)
{
    const struct bench_item *x = &v->bench.items[a], *y = &v->bench.items[b];
    double p = NAN, q = NAN;
    if (v->order == ORDER_TITLE) {
        int c = strcmp(dataset_item_title(v->bench.data, x->item), dataset_item_title(v->bench.data, y->item));
        if (c)
            return c;
    } else if (v->order == ORDER_VALUE) {
        p = (double)x->value, q = (double)y->value;
    } else if (v->order == ORDER_PART) {
        p = x->part, q = y->part;
    }
    if (isnan(p) != isnan(q))
        return isnan(p) ? 1 : -1;
    if (p != q && !isnan(p))
        return p > q ? -1 : 1;
    return a < b ? -1 : 1;
}

static int by_order(const void *a, const void *b, void *view)
{
    return compare_items(view, *(const size_t *)a, *(const size_t *)b);
}

enum status user_arrange(struct user_view *v, struct error *err)
{
    v->nshown = 0;
    if (mem_grow(&v->shown, &v->shown_capacity, v->bench.nitems, sizeof *v->shown, err) != ST_OK)
        return ST_NOMEM;
    for (; v->nshown < v->bench.nitems; v->nshown++)
        v->shown[v->nshown] = v->nshown;
    if (v->order != ORDER_NEWEST)
        qsort_r(v->shown, v->bench.nitems, sizeof *v->shown, by_order, v);
    return ST_OK;
}

/* ---- asking the engine ---- */

static enum status ask_preview(struct user_view *v, struct error *err)
{
    enum status st = ST_OK;
    for (size_t l = 0; l < user_lists(v) && st == ST_OK; l++) {
        v->nmoves[l] = SHOWN_MOVES;
        st = bench_preview(&v->bench, v->shown[v->rows[0].cursor], l, PREVIEW_TOP, v->moves[l], &v->nmoves[l], err);
    }
    return st;
}

void user_ask(struct app *app, struct user_view *v)
{
    struct error err;
    size_t list;
    uint32_t item;
    enum status st = ST_OK;
    double begin = clock_seconds();
    why_clear(&v->why);
    user_question_clear(&v->question); /* it was about another moment */
    if (user_list_row(v, &list, &item) && model_is_served(v->bench.lists[list].model))
        v->why.item = item; /* marked in all lists; it has no reasons */
    else if (user_list_row(v, &list, &item))
        st = bench_explain(&v->bench, list, item, &v->why, &err);
    else if (v->pane == 0 && user_history_row(v))
        st = ask_preview(v, &err);
    if (st == ST_OK && v->order == ORDER_PART)
        st = user_arrange(v, &err);
    v->why_seconds = clock_seconds() - begin;
    if (st != ST_OK)
        app_fail(app, &err, NULL);
}

static void say_whatif(struct app *app, struct user_view *v)
{
    struct str command = {0};
    bench_command(&v->bench, &command);
    app_log(app, str_text(&command), v->bench.seconds);
    str_free(&command);
}

void user_rank(struct app *app, struct user_view *v)
{
    struct error err;
    if (bench_rank(&v->bench, &err) != ST_OK || user_arrange(v, &err) != ST_OK)
        app_fail(app, &err, NULL);
    user_ask(app, v);
    say_whatif(app, v);
}

void user_remember(struct user_view *v, uint32_t item)
{
    if (v->nundo == UNDO_STEPS)
        memmove(v->undo, v->undo + 1, --v->nundo * sizeof *v->undo);
    v->undo[v->nundo++] = item;
}

void user_switch(struct app *app, struct user_view *v, struct bench_item *it)
{
    if (it->later) {
        app_say(app, "%s comes later than the moment that is looked at: > moves on in time",
                dataset_item_title(v->bench.data, it->item));
        return;
    }
    it->on = !it->on;
    user_remember(v, it->item);
    user_rank(app, v);
}

void user_add(struct app *app, struct user_view *v, uint32_t item)
{
    struct error err;
    struct bench_item *known = v->bench.row_of[item] == NO_CODE ? NULL : &v->bench.items[v->bench.row_of[item]];
    if (known && known->later) {
        user_switch(app, v, known);
        return;
    }
    if (known && known->on) {
        app_say(app, "%s is in the history already", dataset_item_title(v->bench.data, item));
        return;
    }
    if (bench_add(&v->bench, item, &err) != ST_OK) {
        app_fail(app, &err, NULL);
        return;
    }
    user_remember(v, item);
    user_rank(app, v);
    app_say(app, "%s is in the history now: every list ranks anew", dataset_item_title(v->bench.data, item));
}

void user_undo(struct app *app, struct user_view *v)
{
    if (v->nundo == 0) {
        app_say(app, "nothing to undo");
        return;
    }
    uint32_t row = v->bench.row_of[v->undo[--v->nundo]];
    if (row != NO_CODE && !v->bench.items[row].later)
        v->bench.items[row].on = !v->bench.items[row].on;
    user_rank(app, v);
}

void user_switch_all(struct app *app, struct user_view *v, bool all)
{
    bool any = false;
    for (size_t i = 0; i < v->bench.nitems; i++)
        any |= v->bench.items[i].on;
    for (size_t i = 0; i < v->bench.nitems; i++)
        v->bench.items[i].on = !v->bench.items[i].later && (all ? !any : !v->bench.items[i].added);
    v->nundo = 0;
    user_rank(app, v);
}

/* ---- which user ---- */

static uint32_t first_user(const struct dataset *d)
{
    for (uint32_t u = 0; u < d->users.n; u++)
        if (d->user_begin[u + 1] - d->user_begin[u] >= DEFAULT_USER_EVENTS)
            return u;
    return d->users.n ? 0 : NO_USER;
}

static void order_lists(struct user_view *v)
{
    for (size_t i = 0; i < 2; i++)
        bench_put_list(&v->bench, v->first_models[i], i);
}

enum status user_load(struct app *app, struct user_view *v, struct error *err)
{
    struct workbench *wb = app_workbench(app);
    struct dataset *d = workbench_data(wb);
    bool made_up = wb->user == NO_USER && wb->nmade_up > 0;
    bool grown = d && v->bench.data && d != v->bench.data && dataset_descends(d, v->bench.data->fingerprint);
    bool same_data = d == v->bench.data || grown;
    uint32_t user = wb->user;
    if (d && !made_up && (user == NO_USER || user >= d->users.n))
        user = same_data && v->user != NO_USER ? v->user : first_user(d);
    bool same = same_data && user == v->user;
    dataset_release(d);
    if (grown && same &&
        (bench_is_earlier(&v->bench) ||
         bench_touched(&v->bench))) /* what if: events that come in must not sweep away what was tried */
        return ST_OK;
    why_clear(&v->why);
    user_question_clear(&v->question);
    if (!same) {
        memset(v->rows, 0, sizeof v->rows);
        v->nundo = 0;
    }
    if (same_data)
        kept_put(&v->kept, &v->bench);
    else
        kept_clear(&v->kept);
    v->user = user;
    bool left_so = false;
    enum status st = bench_load(&v->bench, wb, user, err);
    if (st == ST_OK)
        st = kept_take(&v->kept, &v->bench, &left_so, err);
    order_lists(v);
    if (st == ST_OK)
        st = user_arrange(v, err);
    if (v->pane > user_lists(v))
        v->pane = 0;
    if (st != ST_OK) { /* nothing rather than a half */
        bench_clear(&v->bench);
        v->nshown = v->pane = 0;
        return st;
    }
    user_ask(app, v);
    if (left_so && !same)
        say_whatif(app, v);
    if (left_so && !same)
        app_say(app, "as it was left: r puts back what was switched");
    return ST_OK;
}

void user_view_put_first(struct app *app, const char *model, const char *other)
{
    struct error err;
    struct user_view *v = app_view_state(app, "user");
    if (!v)
        return;
    snprintf(v->first_models[0], sizeof v->first_models[0], "%s", model);
    snprintf(v->first_models[1], sizeof v->first_models[1], "%s", other);
    v->first = v->pane = 0;
    if (user_load(app, v, &err) != ST_OK)
        app_fail(app, &err, NULL);
}
