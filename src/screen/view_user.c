/* User: a history, every model's list side by side, and why. */
#include "screen/view_user.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/grow.h"
#include "models/served.h"
#include "screen/app.h"
#include "screen/picker.h"
#include "screen/prompt.h"
#include "screen/views.h"

enum { LEAST_LIST = 22, LEAST_HISTORY = 28, WHY_ROWS = 6, DEFAULT_USER_EVENTS = 10, PICKED = 40 };

static const struct key_help help[] = {
    {"Space", "in the history: switch the item off or on, and every list ranks anew; in a list: put the item into the history"},
    {"a", "add an item to the history by typing a part of its title"},
    {"z  r", "undo the last switch; back to the true history"},
    {"A", "switch the whole history off, or on again"},
    {"u", "another user"},
    {"Tab  h l", "next pane; the pane to the left, to the right"},
    {"Enter", "give the why pane the room of the lists, and back"},
    {"w W", "all contributions to the item, by the `why` command; the arithmetic of its score, step by step"},
    {"n", "why not: type a part of a title; says what stands above it and the smallest changes that bring it into the first 10"},
    {"m", "the smallest part of the history without which the item is not among the first 10"},
    {"o i", "apply the set that was found: take out, put in; z undoes"},
    {"< >", "one step back or on through the history: what comes later does not count, as with at="},
    {"[ ]", "order of the history: newest, title, value, contribution"},
    {"/ ; ,", "search titles in the pane; the next one, the one before"},
    {"↑3 ↓1 new", "places won and lost since the true history; new: was not to be had before"},
    {"◇", "an item you switched off, or that comes later: it may be recommended now, and its place says how well the model knew"},
    {NULL, NULL},
};

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

static enum status arrange(struct user_view *v, struct error *err)
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

/* Brings the lower pane up to date with the cursor. */
static void ask(struct app *app, struct user_view *v)
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
        st = arrange(v, &err);
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

static void rank(struct app *app, struct user_view *v)
{
    struct error err;
    if (bench_rank(&v->bench, &err) != ST_OK || arrange(v, &err) != ST_OK)
        app_fail(app, &err, NULL);
    ask(app, v);
    say_whatif(app, v);
}

static void remember(struct user_view *v, uint32_t item)
{
    if (v->nundo == UNDO_STEPS)
        memmove(v->undo, v->undo + 1, --v->nundo * sizeof *v->undo);
    v->undo[v->nundo++] = item;
}

static void switch_item(struct app *app, struct user_view *v, struct bench_item *it)
{
    if (it->later) {
        app_say(app, "%s comes later than the moment that is looked at: > moves on in time", dataset_item_title(v->bench.data, it->item));
        return;
    }
    it->on = !it->on;
    remember(v, it->item);
    rank(app, v);
}

static void add_item(struct app *app, struct user_view *v, uint32_t item)
{
    struct error err;
    struct bench_item *known = v->bench.row_of[item] == NO_CODE ? NULL : &v->bench.items[v->bench.row_of[item]];
    if (known && known->later) {
        switch_item(app, v, known);
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
    remember(v, item);
    rank(app, v);
    app_say(app, "%s is in the history now: every list ranks anew", dataset_item_title(v->bench.data, item));
}

static void undo(struct app *app, struct user_view *v)
{
    if (v->nundo == 0) {
        app_say(app, "nothing to undo");
        return;
    }
    uint32_t row = v->bench.row_of[v->undo[--v->nundo]];
    if (row != NO_CODE && !v->bench.items[row].later)
        v->bench.items[row].on = !v->bench.items[row].on;
    rank(app, v);
}

/* The true history again; or, `all`, everything off, and on when all was off. */
static void switch_all(struct app *app, struct user_view *v, bool all)
{
    bool any = false;
    for (size_t i = 0; i < v->bench.nitems; i++)
        any |= v->bench.items[i].on;
    for (size_t i = 0; i < v->bench.nitems; i++)
        v->bench.items[i].on = !v->bench.items[i].later && (all ? !any : !v->bench.items[i].added);
    v->nundo = 0;
    rank(app, v);
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

static enum status load(struct app *app, struct user_view *v, struct error *err)
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
    if (grown && same && (v->bench.at != NO_TIME || bench_touched(&v->bench))) /* what if: events that come in must not sweep away what was tried */
        return ST_OK;
    why_clear(&v->why);
    user_question_clear(&v->question);
    if (!same) {
        memset(v->rows, 0, sizeof v->rows);
        v->nundo = 0;
    }
    v->user = user;
    enum status st = bench_load(&v->bench, wb, user, err);
    order_lists(v);
    if (st == ST_OK)
        st = arrange(v, err);
    if (v->pane > user_lists(v))
        v->pane = 0;
    if (st != ST_OK) { /* nothing rather than a half */
        bench_clear(&v->bench);
        v->nshown = v->pane = 0;
        return st;
    }
    ask(app, v);
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
    if (load(app, v, &err) != ST_OK)
        app_fail(app, &err, NULL);
}

static size_t fill_users(struct app *app, void *context, const char *typed, struct picker_row *rows, size_t most)
{
    struct user_view *v = context;
    const struct dataset *d = v->bench.data;
    size_t n = 0;
    (void)app;
    for (int exact = 1; exact >= 0; exact--) /* the id itself before those that have it inside */
        for (uint32_t u = 0; u < d->users.n && n < most; u++) {
            const char *id = dict_text(&d->users, u);
            if ((strcmp(id, typed) == 0) != (exact == 1) || !text_find(id, typed))
                continue;
            struct str about = {0};
            for (size_t f = 0; f < d->user_fields.n && f < 3; f++) {
                str_puts(&about, f ? " " : "");
                field_format(&d->user_fields.field[f], u, &about);
            }
            snprintf(rows[n].text, sizeof rows[n].text, "%-12s %s", id, str_text(&about));
            snprintf(rows[n].note, sizeof rows[n].note, "%zu events", d->user_begin[u + 1] - d->user_begin[u]);
            rows[n++].id = u;
            str_free(&about);
        }
    return n;
}

static void choose_user(struct app *app, void *context, size_t id)
{
    struct user_view *v = context;
    struct str command = {0};
    struct bench named = v->bench;
    named.user = (uint32_t)id;
    str_puts(&command, "user ");
    bench_put_user(&named, &command);
    app_run(app, str_text(&command), APP_QUIET);
    str_free(&command);
}

static size_t fill_items(struct app *app, void *context, const char *typed, struct picker_row *rows, size_t most)
{
    struct user_view *v = context;
    const struct dataset *d = v->bench.data;
    const struct field *category = dataset_item_category(d);
    size_t n = 0;
    (void)app;
    for (int start = 1; start >= 0; start--) /* titles that begin with it first */
        for (uint32_t i = 0; i < d->items.n && n < most; i++) {
            const char *title = dataset_item_title(d, i);
            bool begins = text_starts(title, typed);
            if (begins != (start == 1) || (!begins && !text_find(title, typed)))
                continue;
            struct str kind = {0};
            if (category)
                field_format(category, i, &kind);
            snprintf(rows[n].text, sizeof rows[n].text, "%s", title);
            snprintf(rows[n].note, sizeof rows[n].note, "%.24s%s", str_text(&kind), v->bench.row_of[i] != NO_CODE ? "  seen" : "");
            rows[n++].id = i;
            str_free(&kind);
        }
    return n;
}

static void choose_item(struct app *app, void *context, size_t id)
{
    add_item(app, context, (uint32_t)id);
}

/* ---- keys ---- */

static size_t pane_rows(const struct user_view *v)
{
    return v->pane == 0 ? v->nshown : v->bench.lists[v->pane - 1].n;
}

static const char *title_at(const struct user_view *v, size_t at)
{
    uint32_t item = v->pane == 0 ? v->bench.items[v->shown[at]].item : v->bench.lists[v->pane - 1].top[at].index;
    return dataset_item_title(v->bench.data, item);
}

static void search_from(struct user_view *v, size_t from, size_t step)
{
    size_t n = pane_rows(v);
    for (size_t i = 0; i < n && *v->search; i++) {
        size_t at = (from + i * step) % n;
        if (text_find(title_at(v, at), v->search)) {
            v->rows[v->pane].cursor = at;
            return;
        }
    }
}

static void search_typed(struct app *app, void *context, const char *text)
{
    struct user_view *v = context;
    snprintf(v->search, sizeof v->search, "%s", text ? text : "");
    search_from(v, v->rows[v->pane].cursor, 1);
    ask(app, v);
}

/* A cursor that moved in a list asked a question: name it. */
static void say_why(struct app *app, const struct user_view *v)
{
    size_t list;
    uint32_t item;
    if (!user_list_row(v, &list, &item) || bench_touched(&v->bench))
        return;
    struct str command = {0};
    str_puts(&command, "why ");
    bench_put_user(&v->bench, &command);
    str_putc(&command, ' ');
    bench_put_item(&v->bench, item, &command);
    str_printf(&command, " with %s", v->bench.lists[list].model->name);
    bench_put_at(&v->bench, &command);
    app_log(app, str_text(&command), v->why_seconds);
    str_free(&command);
}

static void move_pane(struct app *app, struct user_view *v, size_t step, bool around)
{
    size_t n = user_lists(v) + 1, to = v->pane + step;
    if (around)
        to = (to + n) % n;
    else if (to >= n) /* past the last, or wrapped below the first */
        return;
    v->pane = to;
    ask(app, v);
    say_why(app, v);
}

/* "why 196 id:50 with ease": what of it follows is the caller's. */
static void put_question(const struct user_view *v, const char *verb, size_t list, uint32_t item, struct str *out)
{
    str_printf(out, "%s ", verb);
    bench_put_user(&v->bench, out);
    str_putc(out, ' ');
    bench_put_item(&v->bench, item, out);
    str_printf(out, " with %s", v->bench.lists[list].model->name);
    bench_put_at(&v->bench, out);
}

static bool chosen_item(struct app *app, const struct user_view *v, size_t *list, uint32_t *item)
{
    bool chosen = user_list_row(v, list, item);
    if (!chosen)
        app_say(app, "choose an item of a list first: Tab goes there");
    return chosen;
}

static void run_why(struct app *app, const struct user_view *v, const char *more)
{
    size_t list;
    uint32_t item;
    struct str command = {0};
    if (!chosen_item(app, v, &list, &item))
        return;
    put_question(v, "why", list, item, &command);
    str_puts(&command, more);
    app_run(app, str_text(&command), APP_SHOW);
    str_free(&command);
}

/* ---- questions that the worker answers ---- */

static enum status work_on_question(void *question, struct error *err)
{
    return user_question_work(question, err);
}

static void take_question(struct app *app, void *question, enum status st)
{
    struct user_view *v = app_view_state(app, "user");
    struct user_question *q = question;
    if (v && st == ST_OK && q->data == v->bench.data) {
        user_question_clear(&v->question);
        v->question = *q;
    } else {
        user_question_clear(q);
    }
    mem_free(q);
}

static void ask_worker(struct app *app, struct user_view *v, size_t list, uint32_t item, enum user_asks kind)
{
    struct error err;
    struct str command = {0};
    struct user_question *q = mem_new(1, sizeof *q, "a question", &err);
    if (!q || user_question_ask(app_workbench(app), &v->bench, list, item, kind, q, &err) != ST_OK) {
        app_fail(app, &err, NULL);
        mem_free(q);
        return;
    }
    put_question(v, kind == ASK_MINIMAL ? "why" : "whynot", list, item, &command);
    if (kind == ASK_MINIMAL)
        str_puts(&command, " minimal=yes");
    app_work(app, str_text(&command), (struct app_work){work_on_question, take_question, q});
    str_free(&command);
}

static void ask_minimal(struct app *app, struct user_view *v)
{
    size_t list;
    uint32_t item;
    if (chosen_item(app, v, &list, &item))
        ask_worker(app, v, list, item, ASK_MINIMAL);
}

static void choose_missing(struct app *app, void *context, size_t id)
{
    struct user_view *v = context;
    ask_worker(app, v, v->pane > 0 ? v->pane - 1 : 0, (uint32_t)id, ASK_WHYNOT);
}

/* Takes out, or puts in, what the answer names. */
static void apply_set(struct app *app, struct user_view *v, bool adding)
{
    struct error err;
    const struct brought *b = user_question_set(&v->question, adding);
    size_t n = b ? b->n : 0;
    if (!b) {
        app_say(app, "n asks why an item is missing, m what holds one in the list: then this key applies the set");
        return;
    }
    for (size_t i = 0; i < b->n; i++) {
        uint32_t item = b->items[i], row = v->bench.row_of[item];
        if (adding && bench_add(&v->bench, item, &err) != ST_OK) {
            app_fail(app, &err, NULL);
            break;
        }
        if (!adding && row == NO_CODE)
            continue;
        if (!adding)
            v->bench.items[row].on = false;
        remember(v, item);
    }
    rank(app, v);
    app_say(app, "%zu %s: z undoes one at a time", n, adding ? "put in" : "taken out");
}

/* ---- the moment that is looked at ---- */

static void move_clock(struct app *app, struct user_view *v, bool before)
{
    struct error err;
    int64_t at;
    if (!bench_step(&v->bench, before, &at)) {
        app_say(app, before ? "nothing happened before" : "this is the present: < goes back through the history");
        return;
    }
    if (bench_look_at(&v->bench, at, &err) != ST_OK || arrange(v, &err) != ST_OK)
        app_fail(app, &err, NULL);
    v->nundo = 0;
    ask(app, v);
    struct str command = {0};
    str_puts(&command, "recommend ");
    bench_put_user(&v->bench, &command);
    bench_put_at(&v->bench, &command);
    app_log(app, str_text(&command), v->bench.seconds);
    str_free(&command);
    if (at != NO_TIME)
        app_say(app, "events before this moment, the same models: they may have learnt from later ones (`rewind` trains as of then)");
}

static void press_space(struct app *app, struct user_view *v)
{
    size_t list;
    uint32_t item;
    if (v->pane == 0 && user_history_row(v))
        switch_item(app, v, user_history_row(v));
    else if (user_list_row(v, &list, &item))
        add_item(app, v, item);
}

static bool key_with_data(struct app *app, struct user_view *v, int32_t k)
{
    size_t n = pane_rows(v);
    if (scroll_key(&v->rows[v->pane], n, k)) {
        ask(app, v);
        say_why(app, v);
        return true;
    }
    switch (k) {
    case K_SPACE: press_space(app, v); return true;
    case K_TAB: move_pane(app, v, 1, true); return true;
    case K_BACKTAB: move_pane(app, v, user_lists(v), true); return true;
    case 'l': case K_RIGHT: move_pane(app, v, 1, false); return true;
    case 'h': case K_LEFT: move_pane(app, v, (size_t)-1, false); return true;
    case K_ENTER: v->zoomed = !v->zoomed; return true;
    case 'z': undo(app, v); return true;
    case 'r': switch_all(app, v, false); return true;
    case 'A': switch_all(app, v, true); return true;
    case 'w': run_why(app, v, ""); return true;
    case 'W': run_why(app, v, " steps=yes"); return true;
    case 'm': ask_minimal(app, v); return true;
    case 'o': case 'i': apply_set(app, v, k == 'i'); return true;
    case '<': case '>': move_clock(app, v, k == '<'); return true;
    case ';': search_from(v, v->rows[v->pane].cursor + 1, 1); ask(app, v); return true;
    case ',': search_from(v, n ? v->rows[v->pane].cursor + n - 1 : 0, n ? n - 1 : 0); ask(app, v); return true;
    case '/':
        prompt_open(app, &(struct prompt){.label = "/", .changed = search_typed, .done = search_typed, .context = v});
        return true;
    case '[': case ']':
        v->order = (v->order + (k == ']' ? 1u : ORDERS - 1u)) % ORDERS;
        ask(app, v);
        if (arrange(v, NULL) != ST_OK)
            v->order = ORDER_NEWEST; /* the rows on show have room already: it does not come to this */
        return true;
    case 'a':
        picker_open(app, &(struct picker){.title = "add an item to the history", .label = "title", .most = PICKED, .fill = fill_items,
                                          .chosen = choose_item, .context = v});
        return true;
    case 'n':
        if (user_lists(v) == 0)
            return false;
        picker_open(app, &(struct picker){.title = "why is it not in the list?", .label = "title", .most = PICKED, .fill = fill_items,
                                          .chosen = choose_missing, .context = v});
        return true;
    case 'u':
        picker_open(app, &(struct picker){.title = "choose a user", .label = "user", .most = PICKED, .fill = fill_users,
                                          .chosen = choose_user, .context = v});
        return true;
    default: return false;
    }
}

static bool key(struct app *app, void *state, int32_t k)
{
    struct user_view *v = state;
    return v->bench.data && key_with_data(app, v, k);
}

static bool back(struct app *app, void *state)
{
    struct user_view *v = state;
    bool was = v->zoomed || v->question.item != NO_ITEM;
    (void)app;
    if (v->question.item != NO_ITEM)
        user_question_clear(&v->question);
    else
        v->zoomed = false;
    return was;
}

/* ---- drawing ---- */

/* How many lists fit beside the history, and which: the focused one is among them. */
static size_t fit_lists(struct user_view *v, int room)
{
    size_t lists = user_lists(v), fit = room / LEAST_LIST > 0 ? (size_t)(room / LEAST_LIST) : 1, n = lists < fit ? lists : fit;
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
    area_wrap(in, 2, 3, in.width - 5, 5, INK_DEFAULT, "No model is trained yet. Press : and type\n\ntrain pop itemknn ease ials");
}

/* The last row of `a` is the rule below, into which the lines between the panes run. */
static void draw_lists(struct user_view *v, struct area a)
{
    size_t lists = user_lists(v);
    int history = lists == 0 ? a.width / 2 : a.width / 4 > LEAST_HISTORY ? a.width / 4 : LEAST_HISTORY, x = history, rows = a.height - 1;
    size_t n = fit_lists(v, a.width - history);
    user_draw_history(v, area_part(a, 0, 0, rows, history));
    for (size_t i = 0; i < n; i++) {
        int width = (a.width - x) / (int)(n - i);
        area_hline(a, 0, x, 1, LOOK_DIM);
        area_vline(a, 0, x, a.height, LOOK_DIM);
        user_draw_list(v, area_part(a, 0, x + 1, rows, width - 1), v->first + i, i == 0 ? v->first : 0, i + 1 == n ? lists - v->first - n : 0);
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
        area_wrap(a, a.height / 3, 4, a.width - 8, 5, INK_DEFAULT, "No data yet. Press : and type\n\n    load shop\n\nor load FILE.");
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
    mem_free(v->shown);
    mem_free(v);
}

static enum status refresh(struct app *app, void *state, struct error *err)
{
    return load(app, state, err);
}

static bool finished(struct app *app, void *state, const char *command, struct result *r)
{
    struct user_view *v = state;
    struct workbench *wb = app_workbench(app);
    struct error err;
    bool made_up = wb->user == NO_USER && wb->nmade_up > 0;
    (void)command;
    if (made_up || (wb->user != NO_USER && wb->user != v->user)) /* what was made up may be another history each time */
        if (load(app, v, &err) != ST_OK)
            app_fail(app, &err, NULL);
    return r->command && strncmp(r->command, "user ", 5) == 0;
}

const struct view view_user = {
    .name = "user",
    .title = "User",
    .keys = "Space switch   a add   n why not   m minimal   < > time",
    .help = help,
    .open = open,
    .close = close,
    .refresh = refresh,
    .draw = draw,
    .key = key,
    .place = place,
    .finished = finished,
    .back = back,
};
