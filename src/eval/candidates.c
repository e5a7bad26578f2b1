#include "eval/candidates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "base/text.h"
#include "models/served.h"
#include "ranking/ranking.h"

static int by_number(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static uint64_t mark_of(const char *kind, uint64_t a, uint64_t b)
{
    const uint64_t both[] = {a, b};
    uint64_t mark = hash_bytes(both, sizeof both, hash_bytes(kind, strlen(kind), 0));
    return mark ? mark : 1;
}

uint64_t candidates_drawn_mark(size_t n, uint64_t seed)
{
    return mark_of("drawn", n, seed);
}

uint64_t candidates_listed_mark(const struct model *served)
{
    return mark_of("listed", (uint64_t)served->record.created, 0);
}

static size_t right_of(const struct test_set *t, size_t q)
{
    return t->right_begin[q + 1] - t->right_begin[q];
}

/* ---- drawn ---- */

struct drawing {
    const struct test_set *t;
    size_t n;
    uint64_t purpose;
    uint32_t *taken; /* per item: query + 1 that cannot draw it, or has */
    uint32_t *rest;  /* items that are left to draw, where they are few */
};

/* Takes what query q must not draw; how many items are left. */
static size_t take_out(struct drawing *d, size_t q)
{
    const struct test_set *t = d->t;
    const struct query *query = &t->query[q];
    uint32_t mark = (uint32_t)q + 1;
    size_t left = t->nitems;
    for (size_t e = 0; t->protocol.hide_seen && e < query->n; e++)
        if (rank_hides(query, e) && d->taken[query->events[e].item] != mark) {
            d->taken[query->events[e].item] = mark;
            left--;
        }
    for (size_t r = t->right_begin[q]; r < t->right_begin[q + 1]; r++)
        if (d->taken[t->right[r]] != mark) {
            d->taken[t->right[r]] = mark;
            left--;
        }
    return left;
}

/* Most of what is left: writes it down and shuffles its beginning. */
static size_t draw_many(struct drawing *d, size_t q, size_t left, struct rng *r, uint32_t *out)
{
    size_t n = 0, wanted = d->n < left ? d->n : left;
    for (uint32_t item = 0; item < d->t->nitems; item++)
        if (d->taken[item] != (uint32_t)q + 1)
            d->rest[n++] = item;
    for (size_t i = 0; i < wanted; i++) {
        size_t at = i + rng_below(r, left - i);
        out[i] = d->rest[at];
        d->rest[at] = d->rest[i];
    }
    return wanted;
}

/* Little of what is left: what was drawn before is drawn again. */
static size_t draw_few(struct drawing *d, size_t q, struct rng *r, uint32_t *out)
{
    for (size_t n = 0; n < d->n;) {
        uint32_t item = (uint32_t)rng_below(r, d->t->nitems);
        if (d->taken[item] == (uint32_t)q + 1)
            continue;
        d->taken[item] = (uint32_t)q + 1;
        out[n++] = item;
    }
    return d->n;
}

/* The candidates of query q, ascending; how many. */
static size_t draw(struct drawing *d, size_t q, uint32_t *out)
{
    const struct test_set *t = d->t;
    struct rng r = rng_nth(d->purpose, q);
    size_t nright = right_of(t, q), left = take_out(d, q), n;
    if (nright)
        memcpy(out, t->right + t->right_begin[q], nright * sizeof *out);
    n = nright + (d->n > left / 2 ? draw_many(d, q, left, &r, out + nright) : draw_few(d, q, &r, out + nright));
    qsort(out, n, sizeof *out, by_number);
    return n;
}

enum status candidates_draw(struct test_set *t, size_t n, uint64_t seed, struct error *err)
{
    struct drawing d = {.t = t, .n = n < t->nitems ? n : t->nitems, .purpose = rng_purpose(seed, "candidates")};
    size_t room = t->right_begin[t->nqueries] + t->nqueries * d.n;
    d.taken = mem_new(t->nitems, sizeof *d.taken, "item marks", err);
    d.rest = mem_new_raw(t->nitems, sizeof *d.rest, "item marks", err);
    t->among_begin = mem_new_raw(t->nqueries + 1, sizeof *t->among_begin, "candidates", err);
    t->among = mem_new_raw(room, sizeof *t->among, "candidates", err);
    enum status st = d.taken && d.rest && t->among_begin && t->among ? ST_OK : ST_NOMEM;
    for (size_t q = 0, at = 0; q <= t->nqueries && !st; q++) {
        t->among_begin[q] = at;
        if (q < t->nqueries)
            at += draw(&d, q, t->among + at);
    }
    t->protocol.among = candidates_drawn_mark(n, seed);
    mem_free(d.taken);
    mem_free(d.rest);
    return st;
}

/* ---- listed ---- */

/* Which items the list holds that counts for a query. */
struct holding {
    const struct test_set *t;
    const struct model *served;
    size_t of;        /* the query whose list is marked */
    uint32_t *listed; /* per item: `of` + 1 when its list holds it */
};

static bool holds(void *context, size_t q, uint32_t item)
{
    struct holding *h = context;
    struct served_list l = {.n = 0};
    if (q != h->of && served_find(h->served, h->t->query[q].user, h->t->query[q].as_of, &l))
        for (size_t i = 0; i < l.n; i++)
            h->listed[l.item[i]] = (uint32_t)q + 1;
    h->of = q;
    return h->listed[item] == (uint32_t)q + 1;
}

/* The lists of all queries that are left, one behind the other. */
static enum status copy_lists(struct test_set *t, const struct model *served, struct error *err)
{
    struct served_list l = {.n = 0};
    t->among_begin = mem_new(t->nqueries + 1, sizeof *t->among_begin, "candidates", err);
    for (size_t q = 0; t->among_begin && q < t->nqueries; q++)
        t->among_begin[q + 1] =
            t->among_begin[q] + (served_find(served, t->query[q].user, t->query[q].as_of, &l) ? l.n : 0);
    if (t->among_begin)
        t->among = mem_new_raw(t->among_begin[t->nqueries], sizeof *t->among, "candidates", err);
    if (!t->among)
        return ST_NOMEM;
    for (size_t q = 0; q < t->nqueries; q++)
        if (served_find(served, t->query[q].user, t->query[q].as_of, &l) && l.n)
            memcpy(t->among + t->among_begin[q], l.item, l.n * sizeof *l.item);
    return ST_OK;
}

enum status candidates_of_lists(struct test_set *t, const struct model *served, struct candidates_left_out *out,
                                struct error *err)
{
    struct holding h = {.t = t, .served = served, .of = SIZE_MAX};
    size_t users = t->nusers, right = t->right_begin[t->nqueries];
    h.listed = mem_new(t->nitems, sizeof *h.listed, "item marks", err);
    if (!h.listed)
        return ST_NOMEM;
    test_set_keep(t, holds, &h);
    mem_free(h.listed);
    if (!t->nusers) {
        error_set(err, ST_STATE, "among=%s: no list that was served by then holds an item that would have been right",
                  served->name);
        error_hint(err, "repeats are not asked for unless seen=show; `recommend USER with %s at=TIME` shows a list",
                   served->name);
        return ST_STATE;
    }
    t->protocol.among = candidates_listed_mark(served);
    *out = (struct candidates_left_out){users - t->nusers, right - t->right_begin[t->nqueries]};
    return copy_lists(t, served, err);
}

/* ---- ranked ---- */

struct entry {
    float score;
    uint32_t at; /* among the candidates */
};

struct ranking {
    const struct test_set *t;
    size_t first, depth;
    struct entry **desk; /* per thread: as long as the most candidates */
    struct scored *lists;
    size_t *counts;
};

static int best_first(const void *pa, const void *pb)
{
    const struct entry *a = pa, *b = pb;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return a->at < b->at ? -1 : 1;
}

static void visit(void *context, size_t i, const struct query *query, const float *scores)
{
    struct ranking *r = context;
    const struct test_set *t = r->t;
    const uint32_t *among = t->among + t->among_begin[r->first + i];
    size_t of = t->among_begin[r->first + i + 1] - t->among_begin[r->first + i], n = 0;
    struct entry *desk = r->desk[parallel_thread()];
    (void)query;
    for (size_t c = 0; c < of; c++)
        if (scores[among[c]] > -INFINITY)
            desk[n++] = (struct entry){scores[among[c]], (uint32_t)c};
    qsort(desk, n, sizeof *desk, best_first);
    r->counts[i] = n < r->depth ? n : r->depth;
    for (size_t c = 0; c < r->counts[i]; c++)
        r->lists[i * r->depth + c] = (struct scored){among[desk[c].at], desk[c].score};
}

enum status candidates_rank(const struct test_set *t, const struct model *m, size_t first, size_t n, size_t depth,
                            struct job *job, struct scored *lists, size_t *counts, struct error *err)
{
    struct ranking r = {.t = t, .first = first, .depth = depth, .lists = lists, .counts = counts};
    size_t threads = (size_t)parallel_threads(), most = 0;
    for (size_t q = first; q < first + n; q++)
        if (t->among_begin[q + 1] - t->among_begin[q] > most)
            most = t->among_begin[q + 1] - t->among_begin[q];
    r.desk = mem_new(threads, sizeof *r.desk, "candidates", err);
    enum status st = r.desk ? ST_OK : ST_NOMEM;
    for (size_t i = 0; i < threads && !st; i++)
        if (!(r.desk[i] = mem_new_raw(most, sizeof **r.desk, "candidates", err)))
            st = ST_NOMEM;
    if (!st)
        st = rank_each(m, t->query + first, n, t->protocol.hide_seen ? SEEN_HIDE : SEEN_SHOW, job, visit, &r, err);
    for (size_t i = 0; r.desk && i < threads; i++)
        mem_free(r.desk[i]);
    mem_free(r.desk);
    return st;
}
