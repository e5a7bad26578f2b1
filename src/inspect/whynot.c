#include "inspect/whynot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"

/* Items of the history that are left out one at a time, and sets of items to add. */
enum { TRIED_MOST = 200, ADDED_MOST = 8 };

/* ---- what the model knows ---- */

static void find_knowledge(const struct model *m, const struct query *q, const struct whynot_asked *a, struct whynot *w)
{
    const struct dataset *d = a->data;
    uint64_t split = m->record.split_fingerprint;
    bool same = split && a->split && a->split->fingerprint == split;
    struct selection s = {.data = d, .split = same ? a->split : NULL, .parts = PART_TRAIN, .until = NO_TIME};
    const struct data_stage *stage = NULL;
    for (size_t i = 0; i < d->nstages && !split; i++)
        if (d->stages[i].fingerprint == m->record.data_fingerprint)
            stage = &d->stages[i];
    if (m->record.trained_until != NO_TIME) /* a model of the past (rewind) learnt nothing later */
        s.until = m->record.trained_until + 1;
    w->learnt_known = !split || same;
    for (size_t e = 0; e < d->events.n; e++) {
        if (d->events.item[e] != w->item || !(d->type_weight[d->events.type[e]] > 0))
            continue;
        w->events += event_before(d, e, q->as_of);
        w->learnt += selection_has(&s, e) && !(stage && d->events.sequence[e] >= stage->sequence);
    }
    bool later = w->item >= model_trained(m)->nitems, scored = w->score > -INFINITY;
    w->knows = later ? CAME_LATER : w->learnt_known && !w->learnt ? KNOWS_NO_EVENT : scored ? KNOWS : GIVES_NO_SCORE;
}

/* ---- the place ---- */

static enum status find_above(const float *scores, size_t n, struct whynot *w, struct error *err)
{
    size_t most = w->rank ? w->rank - 1 : 0;
    most = most < w->k ? most : w->k;
    struct scored *list = mem_new_raw(most, sizeof *list, "what stands above", err);
    w->above = mem_new_raw(most, sizeof *w->above, "what stands above", err);
    if (!list || !w->above) {
        mem_free(list);
        return ST_NOMEM;
    }
    w->nabove = topk(scores, n, most, list);
    for (size_t i = 0; i < w->nabove; i++)
        w->above[i] = (struct whynot_above){list[i].index, list[i].score};
    mem_free(list);
    return ST_OK;
}

static void count_levels(const struct field *f, uint32_t item, size_t *count)
{
    if (f->type == FIELD_TEXT && f->code[item] != NO_CODE)
        count[f->code[item]]++;
    for (size_t l = f->type == FIELD_LIST ? f->list_begin[item] : 0;
         f->type == FIELD_LIST && l < f->list_begin[item + 1]; l++)
        count[f->list_code[l]]++;
}

/* The category that most of those above are of; scores: what is hidden has none. */
static enum status find_category(const struct dataset *d, const float *scores, struct whynot *w, struct error *err)
{
    const struct field *f = dataset_item_category(d);
    if (!f || (f->type != FIELD_TEXT && f->type != FIELD_LIST) || !w->rank)
        return ST_OK;
    size_t *count = mem_new(f->levels.n, sizeof *count, "categories", err), best = 0;
    if (!count)
        return ST_NOMEM;
    for (uint32_t i = 0; i < d->items.n; i++)
        if (scores[i] > scores[w->item] || (scores[i] == scores[w->item] && i < w->item))
            count_levels(f, i, count);
    for (size_t l = 1; l < f->levels.n; l++)
        best = count[l] > count[best] ? l : best;
    if (f->levels.n && count[best] >= 3 && 2 * count[best] > w->rank - 1) {
        w->category = dict_text(&f->levels, (uint32_t)best);
        w->of_category = count[best];
    }
    mem_free(count);
    return ST_OK;
}

static enum status find_place(const struct model *m, const struct query *q, const struct whynot_asked *a,
                              struct whynot *w, struct error *err)
{
    size_t n = m->nitems;
    float *scores = mem_new_raw(n, sizeof *scores, "scores", err);
    bool *hidden = mem_new(n, sizeof *hidden, "what is hidden", err);
    struct scored *room = mem_new_raw(w->k, sizeof *room, "a list", err);
    enum status st = scores && hidden && room ? model_score(m, q, 1, scores, err) : ST_NOMEM;
    if (st)
        goto out;
    bring_hidden(q, w->shown, hidden);
    w->score = scores[w->item];
    w->rank = bring_rank(scores, hidden, n, w->item, w->k, room, &w->kth);
    for (size_t i = 0; i < n; i++) {
        if (hidden[i])
            scores[i] = -INFINITY;
        w->ranked += scores[i] > -INFINITY;
    }
    find_knowledge(m, q, a, w);
    st = find_above(scores, n, w, err);
    if (!st)
        st = find_category(a->data, scores, w, err);
out:
    mem_free(scores);
    mem_free(hidden);
    mem_free(room);
    return st;
}

/* ---- what pulls it down ---- */

struct pulling {
    const struct whynot *w;
    struct whynot_pull *pulls;
    const bool *hidden;
    struct scored *room; /* a thread: k */
    size_t nitems;
};

static void take_pull(void *context, size_t i, const struct query *q, const float *scores)
{
    struct pulling *p = context;
    float kth;
    (void)q;
    size_t k = p->w->k;
    p->pulls[i].rank_without =
        bring_rank(scores, p->hidden, p->nitems, p->w->item, k, p->room + (size_t)parallel_thread() * k, &kth);
    p->pulls[i].gap_without = (double)kth - (double)scores[p->w->item];
}

static int by_time(const void *a, const void *b)
{
    const struct query_item *x = a, *y = b;
    return x->time > y->time ? -1 : x->time < y->time ? 1 : x->item < y->item ? -1 : x->item > y->item;
}

static int by_gap(const void *a, const void *b)
{
    const struct whynot_pull *x = a, *y = b;
    return x->gap_without < y->gap_without   ? -1
           : x->gap_without > y->gap_without ? 1
           : x->item < y->item               ? -1
                                             : x->item > y->item;
}

static size_t copy_without(const struct query *q, uint32_t item, struct query_event *out)
{
    size_t n = 0;
    for (size_t i = 0; i < q->n; i++)
        if (q->events[i].item != item)
            out[n++] = q->events[i];
    return n;
}

/* Differences that rounding makes are no pull. */
static void keep_strong(struct whynot *w)
{
    double gap = (double)w->kth - (double)w->score, least = 1e-5 * (fabs((double)w->kth) + fabs((double)w->score));
    size_t n = 0;
    for (size_t i = 0; i < w->npulls; i++)
        if (w->pulls[i].rank_without && w->pulls[i].gap_without < gap - least)
            w->pulls[n++] = w->pulls[i];
    w->npulls = n;
    qsort(w->pulls, n, sizeof *w->pulls, by_gap);
}

static enum status find_pulls(const struct model *m, const struct query *q, struct whynot *w, struct error *err)
{
    struct folded f;
    enum status st = folded_new(&f, q, 1, err);
    if (st)
        return st;
    size_t n = f.begin[1] < TRIED_MOST ? f.begin[1] : TRIED_MOST;
    struct query *queries = mem_new_raw(n, sizeof *queries, "histories", err);
    struct query_event *events = mem_new_raw(n * q->n, sizeof *events, "histories", err);
    bool *hidden = mem_new(m->nitems, sizeof *hidden, "what is hidden", err);
    struct pulling p = {w, NULL, hidden, mem_new_raw((size_t)parallel_threads() * w->k, sizeof *p.room, "lists", err),
                        m->nitems};
    p.pulls = w->pulls = mem_new(n, sizeof *w->pulls, "what pulls it down", err);
    st = queries && events && hidden && p.room && w->pulls ? ST_OK : ST_NOMEM;
    if (!st) {
        bring_hidden(q, w->shown, hidden);
        qsort(f.items, f.begin[1], sizeof *f.items, by_time);
        for (size_t i = 0; i < n; i++) {
            queries[i] = *q;
            queries[i].events = events + i * q->n;
            queries[i].n = copy_without(q, f.items[i].item, events + i * q->n);
            w->pulls[i] = (struct whynot_pull){.item = f.items[i].item, .time = f.items[i].time};
        }
        st = rank_each(m, queries, n, SEEN_SHOW, NULL, take_pull, &p, err);
        w->tried = w->npulls = n;
        keep_strong(w);
    }
    mem_free(queries);
    mem_free(events);
    mem_free(hidden);
    mem_free(p.room);
    folded_clear(&f);
    return st;
}

/* ---- what would bring it in ---- */

static enum status find_changes(const struct model *m, const struct query *q, const struct whynot_asked *a,
                                struct whynot *w, struct error *err)
{
    struct history h = {.as_of = q->as_of};
    enum status st = history_add(&h, a->data, w->item, err);
    if (!st) {
        struct bring b = {.m = m,
                          .q = q,
                          .item = w->item,
                          .k = w->k,
                          .shown = w->shown,
                          .made_up = h.events[0],
                          .seconds = a->seconds,
                          .job = a->job};
        st = bring_in(&b, BY_REMOVING, &w->removing, err);
        b.most = ADDED_MOST;
        if (a->seconds == 0 && w->removing.late)
            b.seconds = BRING_AFTER_STOP;
        if (!st)
            st = bring_in(&b, BY_ADDING, &w->adding, err);
        w->searched = true;
    }
    history_clear(&h);
    return st;
}

enum status whynot_make(const struct model *m, const struct query *q, uint32_t item, const struct whynot_asked *a,
                        struct whynot *out, struct error *err)
{
    *out = (struct whynot){.item = item, .k = a->k < m->nitems ? a->k : m->nitems, .seen_at = NO_TIME};
    out->seen = rank_seen(q, item, &out->seen_at, &out->seen_times);
    out->shown = a->seen == SEEN_SHOW || out->seen;
    out->ignores = m->class->capabilities & IGNORES_HISTORY;
    enum status st = find_place(m, q, a, out, err);
    if (!st && out->rank > out->k && !out->ignores)
        st = find_pulls(m, q, out, err);
    if (!st && out->rank > out->k && a->seconds >= 0 && (!out->ignores || bring_additive(m, q)))
        st = find_changes(m, q, a, out, err);
    if (st)
        whynot_clear(out);
    return st;
}

void whynot_clear(struct whynot *w)
{
    mem_free(w->above);
    mem_free(w->pulls);
    brought_clear(&w->removing);
    brought_clear(&w->adding);
    *w = (struct whynot){.item = NO_ITEM};
}
