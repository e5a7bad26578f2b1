/* The User view: what its keys do. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "commands/lex.h"
#include "models/served.h"
#include "screen/app.h"
#include "screen/picker.h"
#include "screen/prompt.h"
#include "screen/view_user.h"

enum { PICKED = 40 };

/* ---- choosing by typing ---- */

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
            size_t events = d->user_begin[u + 1] - d->user_begin[u];
            snprintf(rows[n].note, sizeof rows[n].note, "%zu event%s", events, events == 1 ? "" : "s");
            rows[n++].id = u;
            str_free(&about);
        }
    return n;
}

static void choose_user(struct app *app, void *context, size_t id)
{
    struct user_view *v = context;
    app_open_user(app, dict_text(&v->bench.data->users, (uint32_t)id));
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
            snprintf(rows[n].note, sizeof rows[n].note, "%.24s%s", str_text(&kind),
                     v->bench.row_of[i] != NO_CODE ? "  seen" : "");
            rows[n++].id = i;
            str_free(&kind);
        }
    return n;
}

static void choose_item(struct app *app, void *context, size_t id)
{
    user_add(app, context, (uint32_t)id);
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
    user_ask(app, v);
}

/* "why 196 id:50 remove id:7 with ease": what of it follows is the caller's. */
static void put_question(const struct user_view *v, const char *verb, size_t list, uint32_t item, struct str *out)
{
    str_printf(out, "%s ", verb);
    bench_put_user(&v->bench, out);
    str_putc(out, ' ');
    bench_put_item(&v->bench, item, out);
    bench_put_edits(&v->bench, out);
    str_puts(out, " with ");
    lex_quote(out, v->bench.lists[list].model->name);
    bench_put_options(&v->bench, out);
}

/* A cursor that moved in a list asked a question: name it. */
static void say_why(struct app *app, const struct user_view *v)
{
    size_t list;
    uint32_t item;
    struct str command = {0};
    if (!user_list_row(v, &list, &item))
        return;
    put_question(v, "why", list, item, &command);
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
    user_ask(app, v);
    say_why(app, v);
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
    if (!chosen_item(app, v, &list, &item))
        return;
    if (model_is_served(v->bench.lists[list].model))
        app_say(app, "%s is what was served and cannot be opened: ask of the list of a model",
                v->bench.lists[list].model->name);
    else
        ask_worker(app, v, list, item, ASK_MINIMAL);
}

static void choose_missing(struct app *app, void *context, size_t id)
{
    struct user_view *v = context;
    size_t list = v->pane > 0 ? v->pane - 1 : 0;
    if (model_is_served(v->bench.lists[list].model)) /* it cannot be opened: the first model is asked instead */
        for (list = 0; list < user_lists(v) && model_is_served(v->bench.lists[list].model);)
            list++;
    if (list == user_lists(v))
        app_say(app, "what was served cannot be opened, and no model is trained that could be asked instead");
    else
        ask_worker(app, v, list, (uint32_t)id, ASK_WHYNOT);
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
        user_remember(v, item);
    }
    user_rank(app, v);
    app_say(app, "%zu %s: z undoes one at a time", n, adding ? "put in" : "taken out");
}

/* ---- the moment that is looked at ---- */

/* One step: in time, or where events have only an order by one item. False, with what is said of it, at either end. */
static bool step(struct app *app, struct user_view *v, bool before, enum status *st, struct error *err)
{
    struct bench *b = &v->bench;
    bool timed = b->data->events.time != NULL, can = before ? b->truth.n > 0 : b->back > 0;
    int64_t at = NO_TIME;
    if (timed)
        can = bench_step(b, before, &at);
    if (!can)
        app_say(app, before ? "nothing happened before" : "this is the present: < goes back through the history");
    else
        *st = timed ? bench_look_at(b, at, err) : bench_look_back(b, before ? b->back + 1 : b->back - 1, err);
    return can;
}

static void move_clock(struct app *app, struct user_view *v, bool before)
{
    struct error err;
    enum status st = ST_OK;
    if (!step(app, v, before, &st, &err))
        return;
    if (st != ST_OK || user_arrange(v, &err) != ST_OK)
        app_fail(app, &err, NULL);
    v->nundo = 0;
    user_ask(app, v);
    struct str command = {0};
    bench_command(&v->bench, &command);
    app_log(app, str_text(&command), v->bench.seconds);
    str_free(&command);
    if (v->bench.at != NO_TIME)
        app_say(
            app,
            "events before this moment, the same models: they may have learnt from later ones (`rewind` trains as of "
            "then)");
    else if (v->bench.back > 0)
        app_say(app, "events have an order and no times: without what came last, item by item; the same models");
}

static void press_space(struct app *app, struct user_view *v)
{
    size_t list;
    uint32_t item;
    if (v->pane == 0 && user_history_row(v))
        user_switch(app, v, user_history_row(v));
    else if (user_list_row(v, &list, &item))
        user_add(app, v, item);
}

static bool key_with_data(struct app *app, struct user_view *v, int32_t k)
{
    size_t n = pane_rows(v);
    if (scroll_key(&v->rows[v->pane], n, k)) {
        user_ask(app, v);
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
    case 'z': user_undo(app, v); return true;
    case 'r': user_switch_all(app, v, false); return true;
    case 'A': user_switch_all(app, v, true); return true;
    case 'w': run_why(app, v, ""); return true;
    case 'W': run_why(app, v, " steps=yes"); return true;
    case 'm': ask_minimal(app, v); return true;
    case 'o': case 'i': apply_set(app, v, k == 'i'); return true;
    case '<': case '>': move_clock(app, v, k == '<'); return true;
    case ';': search_from(v, v->rows[v->pane].cursor + 1, 1); user_ask(app, v); return true;
    case ',': search_from(v, n ? v->rows[v->pane].cursor + n - 1 : 0, n ? n - 1 : 0); user_ask(app, v); return true;
    case '/':
        prompt_open(app, &(struct prompt){.label = "/", .changed = search_typed, .done = search_typed, .context = v});
        return true;
    case '[': case ']':
        v->order = (v->order + (k == ']' ? 1u : ORDERS - 1u)) % ORDERS;
        user_ask(app, v);
        if (user_arrange(v, NULL) != ST_OK)
            v->order = ORDER_NEWEST; /* the rows on show have room already: it does not come to this */
        return true;
    case 'a':
        picker_open(app, &(struct picker){.title = "add an item to the history",
                                          .label = "title",
                                          .most = PICKED,
                                          .fill = fill_items,
                                          .chosen = choose_item,
                                          .context = v});
        return true;
    case 'n':
        if (user_lists(v) == 0)
            return false;
        picker_open(app, &(struct picker){.title = "why is it not in the list?",
                                          .label = "title",
                                          .most = PICKED,
                                          .fill = fill_items,
                                          .chosen = choose_missing,
                                          .context = v});
        return true;
    case 'u':
        picker_open(app, &(struct picker){.title = "choose a user", .label = "user", .most = PICKED, .fill = fill_users,
                                          .chosen = choose_user, .context = v});
        return true;
    default: return false;
    }
}

bool user_key(struct app *app, void *state, int32_t k)
{
    struct user_view *v = state;
    return v->bench.data && key_with_data(app, v, k);
}

bool user_back(struct app *app, void *state)
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
