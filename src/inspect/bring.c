#include "inspect/bring.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/parallel.h"

/* Gains that are kept (128 MiB), and rivals that are looked at however many elements there are. */
enum { GAINS_MOST = 1 << 25, RIVALS_LEAST = 64, ALONE_BATCH = 256 };

struct bringing {
    const struct bring *b;
    enum bring_by by;
    bool *hidden;          /* nitems */
    bool hides;            /* added items leave the list */
    uint32_t *element;     /* the items that sets are made of */
    size_t n;
    uint32_t *of_event;    /* q->n: the element that the event belongs to; BY_REMOVING */
    struct scored *room;   /* a thread: k */
    double *far;           /* of the present batch */
    size_t rank;           /* of the last set asked about */
    /* Where scores add up. */
    uint32_t *rival, *own;
    size_t nrivals;
    float *base, *lead, *gain;
    double *size;          /* n: largest absolute contribution of an element */
    size_t first;          /* element that the present batch begins with */
};

/* ---- places ---- */

void bring_hidden(const struct query *q, bool shown, bool *hidden)
{
    for (size_t i = 0; i < q->n && !shown; i++)
        if (rank_hides(q, i))
            hidden[q->events[i].item] = true;
}

static bool is_ahead(const float *scores, uint32_t i, uint32_t item)
{
    return scores[i] > scores[item] || (scores[i] == scores[item] && i < item);
}

/* Does one of the last n events of the query have item i? */
static bool is_added(const struct query *q, size_t n, uint32_t i)
{
    for (size_t e = q->n - n; e < q->n; e++)
        if (q->events[e].item == i)
            return true;
    return false;
}

/* As bring_rank, without the items of the last `added` events of q. */
static size_t rank_without(const float *scores, const bool *hidden, size_t n, uint32_t item, size_t k,
                           const struct query *q, size_t added, struct scored *room, float *kth)
{
    struct best best = {room, 0, k};
    size_t rank = 1;
    for (uint32_t i = 0; i < n; i++) {
        if (hidden[i] || i == item || !(scores[i] > -INFINITY))
            continue;
        bool ahead = is_ahead(scores, i, item), listed = scores[i] >= best_bar(&best);
        if (!(ahead || listed) || (added && is_added(q, added, i)))
            continue;
        rank += ahead;
        if (listed)
            best_offer(&best, i, scores[i]);
    }
    *kth = best_bar(&best);
    return scores[item] > -INFINITY ? rank : 0;
}

size_t bring_rank(const float *scores, const bool *hidden, size_t n, uint32_t item, size_t k, struct scored *room,
                  float *kth)
{
    return rank_without(scores, hidden, n, item, k, NULL, 0, room, kth);
}

/* ---- asking the model ---- */

struct asking {
    struct bringing *w;
    size_t size;
};

/* Off by the gap to the k-th: that tells more than places. */
static double distance(const struct bring *b, size_t rank, double score, double kth)
{
    if (b->goal == GOAL_OUT)
        return rank == 0 ? -(double)INFINITY : rank > b->k ? (double)b->k - (double)rank : fmax(score - kth, DBL_MIN);
    return rank == 0 ? (double)INFINITY : rank <= b->k ? -(double)(b->k - rank) : fmax(kth - score, DBL_MIN);
}

static void take_distance(void *context, size_t i, const struct query *q, const float *scores)
{
    const struct asking *a = context;
    struct bringing *w = a->w;
    const struct bring *b = w->b;
    float kth;
    size_t added = w->by == BY_ADDING && w->hides ? a->size : 0;
    size_t rank = rank_without(scores, w->hidden, b->m->nitems, b->item, b->k, q, added,
                               w->room + (size_t)parallel_thread() * b->k, &kth);
    w->far[i] = distance(b, rank, (double)scores[b->item], (double)kth);
    if (i == 0)
        w->rank = rank;
}

/* What is added stands in the order of items, as it is told (struct brought): a model may mind the order. */
static size_t change(const struct bringing *w, const uint32_t *set, size_t size, struct query_event *out)
{
    const struct query *q = w->b->q;
    size_t n = 0;
    for (size_t e = 0; e < q->n; e++) {
        bool removed = false;
        for (size_t j = 0; j < size && w->by == BY_REMOVING; j++)
            removed |= w->of_event[e] == set[j];
        if (!removed)
            out[n++] = q->events[e];
    }
    for (size_t j = 0; j < size && w->by == BY_ADDING; j++) {
        uint32_t item = w->element[set[j]];
        size_t at = n++;
        for (; at > n - 1 - j && out[at - 1].item > item; at--)
            out[at] = out[at - 1];
        out[at] = w->b->made_up;
        out[at].item = item;
    }
    return n;
}

static enum status ask(void *context, const uint32_t *sets, size_t n, size_t size, double *far, struct error *err)
{
    struct asking a = {context, size};
    const struct query *q = a.w->b->q;
    size_t most = q->n + size, used = 0;
    struct query_event *events = mem_new_raw(n * most, sizeof *events, "changed histories", err);
    struct query *queries = mem_new_raw(n, sizeof *queries, "changed histories", err);
    enum status st = events && queries ? ST_OK : ST_NOMEM;
    for (size_t i = 0; i < n && !st; i++) {
        queries[i] = *q;
        queries[i].events = events + used;
        queries[i].n = change(a.w, sets + i * size, size, events + used);
        used += queries[i].n;
    }
    a.w->far = far;
    if (!st)
        st = rank_each(a.w->b->m, queries, n, SEEN_SHOW, NULL, take_distance, &a, err);
    mem_free(events);
    mem_free(queries);
    return st;
}

/* ---- what each adds alone ---- */

/* Gains of element w->first + i, whose history has it alone. */
static void take_gains(void *context, size_t i, const struct query *q, const float *scores)
{
    struct bringing *w = context;
    size_t e = w->first + i;
    uint32_t item = w->b->item;
    float own = scores[item] - w->base[item], *out = w->gain + e * w->nrivals, sign = w->by == BY_REMOVING ? -1 : 1;
    double size = 0;
    (void)q;
    for (size_t r = 0; r < w->nrivals; r++)
        out[r] = sign * (own - (scores[w->rival[r]] - w->base[w->rival[r]]));
    for (size_t j = 0; j < w->b->m->nitems;
         j++) /* of what is hidden too: what is nearly 0 can be a sum of large parts */
        if (scores[j] > -INFINITY && w->base[j] > -INFINITY)
            size = fmax(size, fabs((double)scores[j] - (double)w->base[j]));
    w->size[e] = 2 * size;
}

static size_t alone(const struct bringing *w, size_t e, struct query_event *out)
{
    const struct query *q = w->b->q;
    size_t n = 0;
    if (w->by == BY_ADDING) {
        out[0] = w->b->made_up;
        out[0].item = w->element[e];
        return 1;
    }
    for (size_t i = 0; i < q->n; i++)
        if (w->of_event[i] == e)
            out[n++] = q->events[i];
    return n;
}

/* The gains of as many elements as there is time for; the others are left out. */
static enum status find_gains(struct bringing *w, double until, struct error *err)
{
    const struct query *q = w->b->q;
    struct query_event *events = mem_new_raw(q->n + ALONE_BATCH, sizeof *events, "histories of one item", err);
    struct query *queries = mem_new_raw(ALONE_BATCH, sizeof *queries, "histories of one item", err);
    enum status st = events && queries ? ST_OK : ST_NOMEM;
    while (w->first < w->n && !st && clock_seconds() < until) {
        size_t n = w->n - w->first < ALONE_BATCH ? w->n - w->first : ALONE_BATCH, used = 0;
        for (size_t i = 0; i < n; i++) {
            queries[i] = *q;
            queries[i].events = events + used;
            queries[i].n = alone(w, w->first + i, events + used);
            used += queries[i].n;
        }
        st = job_check(w->b->job, err);
        if (!st)
            st = rank_each(w->b->m, queries, n, SEEN_SHOW, NULL, take_gains, w, err);
        w->first += n;
    }
    w->n = w->first < w->n ? w->first : w->n;
    mem_free(events);
    mem_free(queries);
    return st;
}

static size_t most_rivals(const struct bringing *w)
{
    size_t n = w->b->m->nitems, most = w->n ? GAINS_MOST / w->n : n;
    return most > n ? n : most < RIVALS_LEAST && n > RIVALS_LEAST ? RIVALS_LEAST : most;
}

/* Those that could be listed, or the best of them when they are too many. */
static enum status find_rivals(struct bringing *w, float *scores, struct error *err)
{
    size_t n = w->b->m->nitems, most = most_rivals(w);
    struct scored *list = mem_new_raw(most, sizeof *list, "rivals", err);
    w->rival = mem_new_raw(most, sizeof *w->rival, "rivals", err);
    w->lead = mem_new_raw(most, sizeof *w->lead, "rivals", err);
    enum status st = list && w->rival && w->lead ? ST_OK : ST_NOMEM;
    if (!st) {
        float own = scores[w->b->item];
        for (size_t i = 0; i < n; i++)
            if (w->hidden[i] || i == w->b->item)
                scores[i] = -INFINITY;
        w->nrivals = topk(scores, n, most, list);
        for (size_t r = 0; r < w->nrivals; r++) {
            w->rival[r] = list[r].index;
            w->lead[r] = search_lead(own, list[r].score, list[r].index < w->b->item);
        }
    }
    mem_free(list);
    return st;
}

/* The rival that each element is, when adding it takes it out of the list. */
static enum status find_own(struct bringing *w, struct error *err)
{
    size_t n = w->b->m->nitems;
    uint32_t *place = mem_new_raw(n, sizeof *place, "rivals", err);
    w->own = place ? mem_new_raw(w->n, sizeof *w->own, "rivals", err) : NULL;
    if (w->own) {
        memset(place, 0xff, n * sizeof *place);
        for (size_t r = 0; r < w->nrivals; r++)
            place[w->rival[r]] = (uint32_t)r;
        for (size_t e = 0; e < w->n; e++)
            w->own[e] = place[w->element[e]];
    }
    mem_free(place);
    return w->own ? ST_OK : ST_NOMEM;
}

/* Fills the part of the search that is about sums. `known`: what the contributions of the history amount to. */
static enum status add_up(struct bringing *w, struct search *s, double known, double until, struct error *err)
{
    size_t n = w->b->m->nitems;
    struct query empty = *w->b->q;
    empty.n = 0;
    float *scores = mem_new_raw(n, sizeof *scores, "scores", err);
    w->base = mem_new_raw(n, sizeof *w->base, "scores", err);
    enum status st = scores && w->base ? model_score(w->b->m, w->b->q, 1, scores, err) : ST_NOMEM;
    if (!st)
        st = model_score(w->b->m, &empty, 1, w->base, err);
    if (!st)
        st = find_rivals(w, scores, err);
    if (!st) {
        w->gain = mem_new_raw(w->n * w->nrivals, sizeof *w->gain, "what each item adds", err);
        w->size = mem_new(w->n, sizeof *w->size, "what each item adds", err);
        st = w->gain && w->size ? find_gains(w, until, err) : ST_NOMEM;
    }
    if (!st && w->by == BY_ADDING && w->hides)
        st = find_own(w, err);
    if (!st) {
        s->lead = w->lead;
        s->gain = w->gain;
        s->own = w->own;
        s->nrivals = w->nrivals;
        s->size = known;
        double largest = 0;
        for (size_t e = 0; e < w->n; e++) {
            s->size += w->by == BY_REMOVING ? w->size[e] : 0;
            largest = fmax(largest, w->size[e]);
        }
        s->size += w->by == BY_ADDING ? largest * (double)(w->b->most ? w->b->most : w->n) : 0;
        for (size_t r = 0; r < w->nrivals; r++)
            s->size = fmax(s->size, fabs((double)w->base[w->rival[r]]) + fabs((double)w->base[w->b->item]));
    }
    mem_free(scores);
    return st;
}

/* ---- the elements ---- */

static uint32_t element_of(const struct bringing *w, uint32_t item)
{
    size_t low = 0, high = w->n;
    while (low + 1 < high) {
        size_t middle = (low + high) / 2;
        if (w->element[middle] <= item)
            low = middle;
        else
            high = middle;
    }
    return (uint32_t)low;
}

/* The items of the history, ascending. */
static enum status find_removable(struct bringing *w, struct error *err)
{
    const struct query *q = w->b->q;
    struct folded f;
    enum status st = folded_new(&f, q, 1, err);
    if (st)
        return st;
    w->n = f.begin[1];
    w->element = mem_new_raw(w->n, sizeof *w->element, "items of a history", err);
    w->of_event = mem_new_raw(q->n, sizeof *w->of_event, "items of a history", err);
    st = w->element && w->of_event ? ST_OK : ST_NOMEM;
    for (size_t i = 0; i < w->n && !st; i++)
        w->element[i] = f.items[i].item;
    for (size_t e = 0; e < q->n && !st; e++)
        w->of_event[e] = element_of(w, q->events[e].item);
    folded_clear(&f);
    return st;
}

static int by_score(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;
    return x->score > y->score ? -1 : x->score < y->score ? 1 : x->index < y->index ? -1 : x->index > y->index;
}

/* The items of the catalogue, those that are like the item first. */
static enum status find_addable(struct bringing *w, struct error *err)
{
    const struct bring *b = w->b;
    size_t n = model_trained(b->m)->nitems, found = 0;
    bool *taken = mem_new(b->m->nitems, sizeof *taken, "items to add", err);
    float *similarity = mem_new(b->m->nitems, sizeof *similarity, "similarities", err);
    struct scored *list = mem_new_raw(n, sizeof *list, "items to add", err);
    w->element = mem_new_raw(n, sizeof *w->element, "items to add", err);
    enum status st =
        taken && similarity && list && w->element ? model_similar(b->m, b->item, similarity, err) : ST_NOMEM;
    if (st == ST_UNSUPPORTED) { /* then in the order of the catalogue */
        memset(similarity, 0, b->m->nitems * sizeof *similarity);
        st = ST_OK;
    }
    for (size_t e = 0; e < b->q->n && !st; e++)
        taken[b->q->events[e].item] = true;
    for (uint32_t i = 0; i < n && !st; i++)
        if (!taken[i] && i != b->item)
            list[found++] = (struct scored){i, isnan(similarity[i]) ? -INFINITY : similarity[i]};
    if (!st)
        qsort(list, found, sizeof *list, by_score);
    for (size_t i = 0; i < found && !st; i++)
        w->element[w->n++] = list[i].index;
    mem_free(taken);
    mem_free(similarity);
    mem_free(list);
    return st;
}

/* ---- all of it ---- */

static void bringing_clear(struct bringing *w)
{
    mem_free(w->hidden);
    mem_free(w->element);
    mem_free(w->of_event);
    mem_free(w->room);
    mem_free(w->rival);
    mem_free(w->own);
    mem_free(w->base);
    mem_free(w->lead);
    mem_free(w->gain);
    mem_free(w->size);
}

/* What the contributions of the history amount to: sums of float32 are rounded by it. */
static enum status history_size(struct bringing *w, double *size, struct error *err)
{
    struct bringing own = {.b = w->b, .by = BY_REMOVING, .hidden = w->hidden};
    struct search s = {0};
    enum status st = find_removable(&own, err);
    if (!st)
        st = add_up(&own, &s, 0, (double)INFINITY, err);
    *size = s.size;
    own.hidden = NULL;
    bringing_clear(&own);
    return st;
}

static enum status keep(struct bringing *w, const struct found_set *f, struct brought *out, struct error *err)
{
    double far;
    out->late = f->late;
    out->asked = f->asked;
    out->at_least = f->at_least;
    out->none = f->none;
    out->found = f->found;
    if (!f->found)
        return ST_OK;
    out->items = mem_new_raw(f->n, sizeof *out->items, "a set", err);
    if (!out->items)
        return ST_NOMEM;
    for (size_t i = 0; i < f->n; i++) {
        size_t at = out->n++;
        uint32_t item = w->element[f->set[i]];
        for (; at > 0 && out->items[at - 1] > item; at--)
            out->items[at] = out->items[at - 1];
        out->items[at] = item;
    }
    enum status st = ask(w, f->set, 1, f->n, &far, err);
    out->rank = w->rank;
    return st;
}

static enum status work(struct bringing *w, struct brought *out, struct error *err)
{
    const struct bring *b = w->b;
    double started = clock_seconds(), known = 0, until = b->seconds > 0 ? started + b->seconds : (double)INFINITY;
    struct found_set f = {0};
    size_t all = w->n;
    struct search s = {.most = b->most, .job = b->job, .ask = ask, .context = w, .goal = b->goal, .k = b->k};
    enum status st = ST_OK;
    /* Taken out of a list an item must be by any rivals there are: none may be left aside. */
    out->additive = bring_additive(b->m, b->q) && (b->goal == GOAL_IN || most_rivals(w) == b->m->nitems);
    if (out->additive && w->by == BY_ADDING)
        st = history_size(w, &known, err);
    if (!st && out->additive)
        st = add_up(w, &s, known, until, err);
    s.nelements = w->n;
    if (b->seconds > 0)
        s.seconds = fmax(until - clock_seconds(), b->seconds / 10);
    if (!st)
        st = search_smallest(&s, &f, err);
    if (!st && w->n < all) { /* nothing is proved about those that were left out */
        f.late = true;
        f.none = false;
        f.at_least = 1;
    }
    out->tried = w->n;
    if (!st)
        st = keep(w, &f, out, err);
    found_set_clear(&f);
    return st;
}

bool bring_additive(const struct model *m, const struct query *q)
{
    unsigned can = m->class->capabilities;
    return can & ADDS_UP || (can & IGNORES_HISTORY && q->user != NO_USER);
}

enum status bring_in(const struct bring *b, enum bring_by by, struct brought *out, struct error *err)
{
    struct bringing w = {.b = b, .by = by};
    struct query_event any = b->made_up;
    struct query added = {.events = &any, .n = 1, .hides = b->q->hides};
    *out = (struct brought){.at_least = 1};
    w.hides = !b->shown && rank_hides(&added, 0);
    w.hidden = mem_new(b->m->nitems, sizeof *w.hidden, "what is hidden", err);
    w.room = mem_new_raw((size_t)parallel_threads() * b->k, sizeof *w.room, "a list", err);
    enum status st = w.hidden && w.room ? ST_OK : ST_NOMEM;
    if (!st) {
        bring_hidden(b->q, b->shown, w.hidden);
        st = by == BY_REMOVING ? find_removable(&w, err) : find_addable(&w, err);
    }
    if (!st)
        st = work(&w, out, err);
    bringing_clear(&w);
    if (st)
        brought_clear(out);
    return st;
}

void brought_clear(struct brought *b)
{
    mem_free(b->items);
    *b = (struct brought){0};
}
