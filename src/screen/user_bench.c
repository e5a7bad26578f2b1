#include "screen/user_bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "commands/clock.h"
#include "commands/lex.h"

/* ---- beginning and end ---- */

void bench_clear(struct bench *b)
{
    for (size_t i = 0; i < b->nlists; i++) {
        struct bench_list *l = &b->lists[i];
        model_release(l->model);
        mem_free(l->scores);
        mem_free(l->was);
    }
    mem_free(b->lists);
    mem_free(b->items);
    mem_free(b->row_of);
    profile_clear(&b->profile);
    history_clear(&b->whole);
    history_clear(&b->truth);
    history_clear(&b->changed);
    dataset_release(b->data);
    memset(b, 0, sizeof *b);
    b->user = NO_USER;
    b->at = NO_TIME;
}

static struct bench_item *find_item(const struct bench *b, uint32_t item)
{
    uint32_t row = b->row_of[item];
    return row == NO_CODE ? NULL : &b->items[row];
}

static void index_items(struct bench *b)
{
    for (size_t i = 0; i < b->nitems; i++)
        b->row_of[b->items[i].item] = (uint32_t)i;
}

/* Distinct items of the true history, newest first. */
static enum status collect_items(struct bench *b, struct error *err)
{
    b->row_of = mem_new_raw(b->data->items.n, sizeof *b->row_of, "the items of a history", err);
    if (!b->row_of || mem_grow(&b->items, &b->items_capacity, b->truth.n + 1, sizeof *b->items, err) != ST_OK)
        return ST_NOMEM;
    for (size_t i = 0; i < b->data->items.n; i++)
        b->row_of[i] = NO_CODE;
    for (size_t e = b->truth.n; e-- > 0;) {
        const struct query_event *q = &b->truth.events[e];
        struct bench_item *known = find_item(b, q->item);
        if (known) {
            known->count++;
            continue;
        }
        b->row_of[q->item] = (uint32_t)b->nitems;
        b->items[b->nitems++] = (struct bench_item){.item = q->item, .count = 1, .value = q->value, .time = q->time,
                                                    .type = q->type, .on = true, .part = NAN};
    }
    return ST_OK;
}

static enum status load_lists(struct bench *b, struct workbench *wb, struct error *err)
{
    struct model **models = NULL;
    size_t n = 0;
    enum status st = workbench_models(wb, NULL, 0, &models, &n, err);
    if (st != ST_OK)
        return st == ST_STATE ? ST_OK : st; /* no model yet: a history without lists */
    b->lists = mem_new(n, sizeof *b->lists, "the lists", err);
    if (!b->lists)
        st = ST_NOMEM;
    for (size_t i = 0; i < n; i++) {
        if (!b->lists) {
            model_release(models[i]);
            continue;
        }
        struct bench_list *l = &b->lists[b->nlists++];
        l->model = models[i];
        l->scores = mem_new(b->data->items.n, sizeof *l->scores, "scores", err);
        l->was = mem_new(b->data->items.n, sizeof *l->was, "scores", err);
        if (!l->scores || !l->was)
            st = ST_NOMEM;
    }
    mem_free(models);
    return st;
}

static enum status load_history(struct bench *b, struct workbench *wb, struct history *out, struct error *err)
{
    struct selection all = {.data = b->data, .until = wb->now, .hides = workbench_hides(wb)};
    if (b->user != NO_USER)
        return history_of_user(&all, b->user, out, err);
    enum status st = history_of_events(wb->made_up, wb->nmade_up, wb->now, out, err);
    out->hides = all.hides;
    return st;
}

/* Ranks, and remembers the lists as those of the true history. */
static enum status settle(struct bench *b, struct error *err)
{
    enum status st = bench_rank(b, err);
    for (size_t i = 0; i < b->nlists && st == ST_OK; i++) {
        struct bench_list *l = &b->lists[i];
        memcpy(l->was, l->scores, b->data->items.n * sizeof *l->was);
        memcpy(l->was_top, l->top, l->n * sizeof *l->top);
        l->nwas = l->n;
    }
    return st;
}

enum status bench_load(struct bench *b, struct workbench *wb, uint32_t user, struct error *err)
{
    bench_clear(b);
    b->data = workbench_data(wb);
    if (!b->data)
        return ST_OK;
    b->user = user;
    b->hides_itself = !wb->hide_seen;
    enum status st = load_history(b, wb, &b->whole, err);
    if (st == ST_OK)
        st = load_history(b, wb, &b->truth, err);
    if (st == ST_OK)
        st = collect_items(b, err);
    struct query q = history_query(&b->truth);
    if (st == ST_OK)
        st = profile_make(b->data, &q, &b->profile, err);
    if (st == ST_OK)
        st = load_lists(b, wb, err);
    return st == ST_OK ? settle(b, err) : st;
}

void bench_put_list(struct bench *b, const char *model, size_t place)
{
    size_t at = 0;
    while (at < b->nlists && strcmp(b->lists[at].model->name, model) != 0)
        at++;
    if (at == b->nlists || at < place)
        return;
    struct bench_list *list = &b->lists[at];
    struct bench_list moved = *list;
    memmove(&b->lists[place + 1], &b->lists[place], (at - place) * sizeof *list);
    b->lists[place] = moved;
}

/* ---- changing and ranking ---- */

/* b->changed = the true events whose items are on, and the added ones. */
static enum status apply(struct bench *b, struct error *err)
{
    b->changed.n = 0;
    b->changed.user = b->truth.user;
    b->changed.as_of = b->truth.as_of;
    b->changed.hides = b->truth.hides;
    if (mem_grow(&b->changed.events, &b->changed.capacity, b->truth.n, sizeof *b->changed.events, err) != ST_OK)
        return ST_NOMEM;
    for (size_t e = 0; e < b->truth.n; e++) {
        const struct bench_item *i = find_item(b, b->truth.events[e].item);
        if (i->on)
            b->changed.events[b->changed.n++] = b->truth.events[e];
    }
    for (size_t i = b->nitems; i-- > 0;)
        if (b->items[i].added && b->items[i].on) {
            enum status st = history_add(&b->changed, b->data, b->items[i].item, err);
            if (st != ST_OK)
                return st;
        }
    return ST_OK;
}

enum status bench_rank(struct bench *b, struct error *err)
{
    double begin = clock_seconds();
    enum status st = apply(b, err);
    struct query q = history_query(&b->changed);
    for (size_t i = 0; i < b->nlists && st == ST_OK; i++) {
        struct bench_list *l = &b->lists[i];
        st = rank_scores(l->model, &q, SEEN_HIDE, l->scores, err);
        if (st == ST_OK)
            l->n = topk(l->scores, b->data->items.n, BENCH_DEPTH, l->top);
    }
    b->seconds = clock_seconds() - begin;
    return st;
}

enum status bench_add(struct bench *b, uint32_t item, struct error *err)
{
    struct bench_item *known = find_item(b, item);
    if (known) {
        known->on = true;
        return ST_OK;
    }
    if (mem_grow(&b->items, &b->items_capacity, b->nitems + 1, sizeof *b->items, err) != ST_OK)
        return ST_NOMEM;
    memmove(b->items + 1, b->items, b->nitems++ * sizeof *b->items);
    b->items[0] = (struct bench_item){
        .item = item, .count = 1, .value = NAN, .time = NO_TIME, .on = true, .added = true, .part = NAN};
    index_items(b);
    return ST_OK;
}

/* ---- the moment that is looked at ---- */

bool bench_step(const struct bench *b, bool before, int64_t *at)
{
    int64_t found = NO_TIME, behind = NO_TIME;
    for (size_t e = 0; e < b->whole.n; e++) {
        int64_t time = b->whole.events[e].time;
        if (time == NO_TIME)
            continue;
        if (before && (b->at == NO_TIME || time < b->at)) /* the newest that counts: from then on it does not */
            found = found == NO_TIME || time > found ? time : found;
        if (before || b->at == NO_TIME || time < b->at)
            continue;
        if (time > b->at) /* what comes back goes up to the next time */
            behind = behind == NO_TIME || time < behind ? time : behind;
    }
    *at = before ? found : behind;
    return before ? found != NO_TIME : b->at != NO_TIME;
}

/* `now` becomes the true history, whose items are switched on. */
static enum status settle_at(struct bench *b, struct history *now, struct error *err)
{
    history_clear(&b->truth);
    b->truth = *now;
    for (size_t i = 0; i < b->nitems; i++)
        if (!b->items[i].added) {
            b->items[i].later = true;
            b->items[i].on = false;
        }
    for (size_t e = 0; e < b->truth.n; e++) {
        struct bench_item *i = find_item(b, b->truth.events[e].item);
        i->later = false;
        i->on = true;
    }
    return settle(b, err);
}

enum status bench_look_at(struct bench *b, int64_t at, struct error *err)
{
    struct history now = {0};
    struct selection some = {.data = b->data, .until = at == NO_TIME ? b->whole.as_of : at, .hides = b->whole.hides};
    if (b->user == NO_USER)
        return error_set(err, ST_STATE, "a made-up history has no times to move through");
    enum status st = history_of_user(&some, b->user, &now, err);
    if (st != ST_OK)
        return st;
    b->at = at;
    return settle_at(b, &now, err);
}

enum status bench_look_back(struct bench *b, size_t items, struct error *err)
{
    struct history now = {0};
    enum status st = history_of_events(b->whole.events, b->whole.n, b->whole.as_of, &now, err);
    if (st != ST_OK)
        return st;
    now.user = b->whole.user;
    now.hides = b->whole.hides;
    b->back = 0;
    for (size_t i = 0; i < b->nitems && b->back < items; i++) /* newest first */
        if (!b->items[i].added) {
            history_remove(&now, b->items[i].item);
            b->back++;
        }
    return settle_at(b, &now, err);
}

bool bench_is_earlier(const struct bench *b)
{
    return b->at != NO_TIME || b->back > 0;
}

/* ---- what was changed ---- */

bool bench_touched(const struct bench *b)
{
    for (size_t i = 0; i < b->nitems; i++)
        if (!b->items[i].later && b->items[i].on == b->items[i].added)
            return true;
    return false;
}

/* What was ranked: scores, and their best. Few items of a list leave the best BENCH_DEPTH: their places need no look at
 * all scores. */
struct ranked_scores {
    const float *scores;
    const struct scored *best;
    size_t n, nitems;
};

static size_t place_in(const struct ranked_scores *r, uint32_t item)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->best[i].index == item)
            return i + 1;
    return rank_of(r->scores, r->nitems, item);
}

int32_t bench_moved(const struct bench *b, size_t list, size_t place)
{
    const struct bench_list *l = &b->lists[list];
    struct ranked_scores was = {l->was, l->was_top, l->nwas, b->data->items.n};
    size_t before = place_in(&was, l->top[place].index);
    return before == 0 ? INT32_MAX : (int32_t)before - (int32_t)(place + 1);
}

/* ---- questions ---- */

enum status bench_explain(struct bench *b, size_t list, uint32_t item, struct why *out, struct error *err)
{
    struct query q = history_query(&b->changed);
    enum status st = why_make(b->lists[list].model, &q, item, SEEN_HIDE, 1, out, err);
    for (size_t i = 0; i < b->nitems; i++)
        b->items[i].part = NAN;
    for (size_t i = 0; st == ST_OK && i < out->nparts; i++) {
        const struct contribution *c = &out->parts[i].what;
        struct bench_item *known = c->item == NO_ITEM ? NULL : find_item(b, c->item);
        if (known)
            known->part = (isnan(known->part) ? 0 : known->part) + c->value;
    }
    return st;
}

static size_t distance(const struct move *m)
{
    if (m->before == 0 || m->after == 0)
        return SIZE_MAX;
    return m->before > m->after ? m->before - m->after : m->after - m->before;
}

/* Largest first; the list is short. */
static void keep_largest(struct move *out, size_t *n, size_t most, const struct move *m)
{
    size_t at = *n;
    while (at > 0 && distance(&out[at - 1]) < distance(m))
        at--;
    if (at == most)
        return;
    if (*n < most)
        (*n)++;
    memmove(&out[at + 1], &out[at], (*n - at - 1) * sizeof *out);
    out[at] = *m;
}

static void keep_move(const struct ranked_scores *before, const struct ranked_scores *after, uint32_t item,
                      struct move *out, size_t *n, size_t most)
{
    for (size_t i = 0; i < *n; i++)
        if (out[i].item == item)
            return;
    struct move m = {.item = item, .before = place_in(before, item), .after = place_in(after, item),
                     .score_before = before->scores[item], .score_after = after->scores[item]};
    if (m.before != m.after)
        keep_largest(out, n, most, &m);
}

/* The list as it is now has its scores already: only the other one is asked for. */
enum status bench_preview(struct bench *b, size_t row, size_t list, size_t top, struct move *out, size_t *n,
                          struct error *err)
{
    const struct bench_list *l = &b->lists[list];
    size_t most = *n, nitems = b->data->items.n;
    struct scored best[BENCH_DEPTH];
    *n = 0;
    float *after = mem_new_raw(nitems, sizeof *after, "scores", err);
    if (!after)
        return ST_NOMEM;
    b->items[row].on = !b->items[row].on;
    enum status st = apply(b, err);
    b->items[row].on = !b->items[row].on;
    struct query q = history_query(&b->changed);
    if (st == ST_OK)
        st = rank_scores(l->model, &q, SEEN_HIDE, after, err);
    struct ranked_scores was = {l->scores, l->top, l->n, nitems}, is = {after, best, 0, nitems};
    is.n = st == ST_OK ? topk(after, nitems, BENCH_DEPTH, best) : 0;
    for (size_t i = 0; i < top && i < is.n; i++)
        keep_move(&was, &is, best[i].index, out, n, most);
    for (size_t i = 0; st == ST_OK && i < top && i < l->n; i++)
        keep_move(&was, &is, l->top[i].index, out, n, most);
    mem_free(after);
    return st == ST_OK ? apply(b, err) : st;
}

/* ---- as a command ---- */

void bench_put_item(const struct bench *b, uint32_t item, struct str *out)
{
    struct str id = {0};
    str_printf(&id, "id:%s", dict_text(&b->data->items, item));
    lex_quote(out, str_text(&id));
    out->failed |= id.failed;
    str_free(&id);
}

void bench_put_user(const struct bench *b, struct str *out)
{
    if (b->user == NO_USER)
        str_putc(out, '.');
    else
        lex_quote(out, dict_text(&b->data->users, b->user));
}

void bench_put_edits(const struct bench *b, struct str *out)
{
    static const char *const words[] = {" remove", " add"};
    for (int added = 0; added < 2; added++) { /* there is no at= for what was stepped over in order: it is removed */
        bool any = false;
        for (size_t i = 0; i < b->nitems; i++) {
            const struct bench_item *it =
                &b->items[added ? b->nitems - 1 - i : i]; /* what was added first stands last */
            if ((it->later && !b->back) || it->added != (added == 1) || it->on != it->added)
                continue;
            if (!any)
                str_puts(out, words[added]);
            any = true;
            str_putc(out, ' ');
            bench_put_item(b, it->item, out);
        }
    }
}

void bench_command(const struct bench *b, struct str *out)
{
    str_puts(out, bench_touched(b) || b->back ? "whatif " : "recommend ");
    bench_put_user(b, out);
    bench_put_edits(b, out);
    bench_put_options(b, out);
}

void bench_put_options(const struct bench *b, struct str *out)
{
    char moment[64];
    if (b->at != NO_TIME) {
        clock_short(moment, sizeof moment, b->at);
        str_printf(out, " at=%s", moment);
    }
    if (b->hides_itself)
        str_puts(out, " seen=hide");
}
