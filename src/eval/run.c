/* Asking a model all questions of a test set, in batches on all threads; or taking answers that somebody else gave. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/numbers.h"
#include "base/parallel.h"
#include "eval/candidates.h"
#include "eval/evaluation_parts.h"
#include "ranking/lists.h"

/* What one thread needs. */
struct desk {
    uint32_t *first_rank; /* items */
};

/* Queries whose lists are made together: at most so many, and so many entries. */
enum { PIECE = 16384, ENTRIES = 1 << 21, TAKE_BLOCK = 16, PREPARE_BLOCK = 256 };

struct run {
    const struct test_set *set;
    struct evaluation *e;
    bool ranks_only;
    struct desk *desks;   /* NULL with ranks_only */
    uint32_t *nhits;      /* per query; its hits stand from right_begin[q] on until they are moved together */
    size_t first, piece;  /* the piece that is looked at: its first query; queries of one */
    struct scored *lists; /* piece x depth */
    size_t *counts;       /* piece */
};

/* Keeps the beginning of a list, and how early each item is in any. */
static void keep(struct evaluation *e, struct desk *desk, size_t q, const struct scored *list, size_t n)
{
    uint32_t *kept = e->list + q * e->listed;
    e->length[q] = (uint32_t)(n < e->listed ? n : e->listed);
    memset(kept, 0xff, e->listed * sizeof *kept); /* NO_ITEM */
    for (uint32_t rank = 0; rank < n; rank++) {
        uint32_t item = list[rank].index;
        if (rank < e->listed)
            kept[rank] = item;
        if (item != NO_ITEM && rank < desk->first_rank[item])
            desk->first_rank[item] = rank;
    }
}

/* Notes where right items stand in a list of n. */
static void mark(struct run *r, size_t q, const struct scored *list, size_t n)
{
    const struct test_set *t = r->set;
    const uint32_t *right = t->right + t->right_begin[q];
    size_t nright = t->right_begin[q + 1] - t->right_begin[q];
    uint32_t *hit = r->e->hit_rank + t->right_begin[q], nhits = 0;
    uint64_t maybe = 0; /* a bit for the last digits of each right item: nearly all others fail to have it */
    for (size_t i = 0; i < nright; i++)
        maybe |= (uint64_t)1 << right[i] % 64;
    for (uint32_t rank = 0; rank < n && nhits < nright; rank++) {
        uint32_t item = list[rank].index; /* perhaps NO_ITEM, which is never right */
        if (maybe >> item % 64 & 1 && numbers_have(right, nright, item))
            hit[nhits++] = rank;
    }
    r->nhits[q] = nhits;
}

static void take_in(struct run *r, struct desk *desk, size_t q, const struct scored *list, size_t n)
{
    if (!r->ranks_only)
        keep(r->e, desk, q, list, n);
    mark(r, q, list, n);
}

static void take_block(void *context, size_t block, size_t begin, size_t end)
{
    struct run *r = context;
    (void)block;
    for (size_t i = begin; i < end; i++) {
        struct desk *desk = r->ranks_only ? NULL : &r->desks[parallel_thread()];
        take_in(r, desk, r->first + i, r->lists + i * r->e->depth, r->counts[i]);
    }
}

/* Makes the lists of all queries, piece by piece, and takes them in. */
static enum status take_all(struct run *r, const struct model *m, struct job *job, struct error *err)
{
    const struct test_set *t = r->set;
    struct ranker ranker = {0};
    enum status st = ST_OK;
    if (!t->among)
        st = ranker_new(&ranker, m, r->e->depth, t->protocol.hide_seen ? SEEN_HIDE : SEEN_SHOW, t->nqueries, err);
    for (r->first = 0; r->first < t->nqueries && !st; r->first += r->piece) {
        size_t n = t->nqueries - r->first < r->piece ? t->nqueries - r->first : r->piece;
        struct item_sets right = {t->right_begin + r->first, t->right};
        st = t->among ? candidates_rank(t, m, r->first, n, r->e->depth, job, r->lists, r->counts, err)
                      : ranker_lists(&ranker, t->query + r->first, n, r->ranks_only ? &right : NULL, job, r->lists,
                                     r->counts, err);
        if (!st)
            parallel_blocks(n, TAKE_BLOCK, take_block, r);
    }
    ranker_clear(&ranker);
    return st;
}

static void free_desks(struct desk *desks, size_t n)
{
    for (size_t i = 0; desks && i < n; i++)
        mem_free(desks[i].first_rank);
    mem_free(desks);
}

static enum status make_desks(struct run *r, size_t n, struct error *err)
{
    size_t items = r->set->nitems;
    r->desks = mem_new(n, sizeof *r->desks, "evaluation threads", err);
    if (!r->desks)
        return ST_NOMEM;
    for (size_t i = 0; i < n; i++) {
        struct desk *d = &r->desks[i];
        d->first_rank = mem_new_raw(items, sizeof *d->first_rank, "item marks", err);
        if (!d->first_rank)
            return ST_NOMEM;
        memset(d->first_rank, 0xff, items * sizeof *d->first_rank);
    }
    return ST_OK;
}

/* The best rank of each item over all threads: a minimum, so the order of threads does not matter. */
static void join_desks(struct run *r, size_t n)
{
    memset(r->e->first_rank, 0xff, r->set->nitems * sizeof *r->e->first_rank);
    for (size_t t = 0; t < n; t++)
        for (size_t i = 0; i < r->set->nitems; i++)
            if (r->desks[t].first_rank[i] < r->e->first_rank[i])
                r->e->first_rank[i] = r->desks[t].first_rank[i];
}

/* Moves the hits of all queries together. */
static void pack_hits(struct run *r)
{
    struct evaluation *e = r->e;
    e->hit_begin[0] = 0;
    for (size_t q = 0; q < e->nqueries; q++) {
        memmove(e->hit_rank + e->hit_begin[q], e->hit_rank + r->set->right_begin[q], r->nhits[q] * sizeof *e->hit_rank);
        e->hit_begin[q + 1] = e->hit_begin[q] + r->nhits[q];
    }
}

static struct evaluation *evaluation_new(const struct test_set *t, size_t depth, bool ranks_only, struct error *err)
{
    size_t nright = t->right_begin[t->nqueries];
    struct evaluation *e = mem_new(1, sizeof *e, "an evaluation", err);
    if (!e)
        return NULL;
    e->protocol = t->protocol;
    e->depth = depth < t->nitems ? depth : t->nitems;
    e->nitems = t->nitems;
    e->nusers = t->nusers;
    e->nqueries = t->nqueries;
    e->events = t->events;
    e->repeats = t->repeats;
    e->user = mem_new_raw(t->nusers, sizeof *e->user, "evaluated users", err);
    e->warm = mem_new_raw(t->nusers, sizeof *e->warm, "evaluated users", err);
    e->query_begin = mem_new_raw(t->nusers + 1, sizeof *e->query_begin, "evaluated users", err);
    e->listed = ranks_only ? 0 : evaluation_listed(e->depth, t->nqueries);
    e->valued = t->rating != NULL;
    e->right_begin = mem_new_raw(t->nqueries + 1, sizeof *e->right_begin, "right items", err);
    e->right = mem_new_raw(nright, sizeof *e->right, "right items", err);
    e->grade = mem_new_raw(nright, sizeof *e->grade, "right items", err);
    e->length = mem_new(t->nqueries, sizeof *e->length, "lists", err);
    e->list = mem_new_raw(t->nqueries * e->listed, sizeof *e->list, "lists", err);
    e->hit_begin = mem_new_raw(t->nqueries + 1, sizeof *e->hit_begin, "hits", err);
    e->hit_rank = mem_new_raw(nright, sizeof *e->hit_rank, "hits", err);
    if (!ranks_only)
        e->first_rank = mem_new_raw(t->nitems, sizeof *e->first_rank, "item marks", err);
    if (!e->user || !e->warm || !e->query_begin || !e->right_begin || !e->right || !e->grade || !e->length ||
        !e->list || !e->hit_begin || !e->hit_rank || (!ranks_only && !e->first_rank)) {
        evaluation_free(e);
        return NULL;
    }
    memcpy(e->user, t->user, t->nusers * sizeof *e->user);
    memcpy(e->warm, t->warm, t->nusers * sizeof *e->warm);
    memcpy(e->query_begin, t->query_begin, (t->nusers + 1) * sizeof *e->query_begin);
    memcpy(e->right_begin, t->right_begin, (t->nqueries + 1) * sizeof *e->right_begin);
    memcpy(e->right, t->right, nright * sizeof *e->right);
    memcpy(e->grade, t->rating ? t->rating : t->weight, nright * sizeof *e->grade);
    return e;
}

static int highest_first(const void *a, const void *b)
{
    float x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x < y) - (x > y);
}

static void prepare_block(void *context, size_t block, size_t begin, size_t end)
{
    struct evaluation *e = context;
    (void)block;
    for (size_t i = e->right_begin[begin]; i < e->right_begin[end]; i++)
        e->ideal[i] = (float)metric_gain(e->grade[i]);
    for (size_t q = begin; q < end; q++)
        qsort(e->ideal + e->right_begin[q], evaluation_relevant(e, q), sizeof *e->ideal, highest_first);
}

enum status evaluation_prepare(struct evaluation *e, struct error *err)
{
    size_t nright = e->right_begin[e->nqueries];
    e->ideal = mem_new_raw(nright, sizeof *e->ideal, "gains of right items", err);
    e->count = mem_new_raw(e->nitems, sizeof *e->count, "item marks", err);
    if (!e->ideal || !e->count)
        return ST_NOMEM;
    parallel_blocks(e->nqueries, PREPARE_BLOCK, prepare_block, e);
    return ST_OK;
}

/* ---- ratings ---- */

enum { RATING_BATCH = 256 };

/* Adds up the errors of the predictions for the queries of one user. */
static void add_errors(struct evaluation *e, const struct test_set *t, size_t u, const float *predicted)
{
    for (size_t i = t->right_begin[t->query_begin[u]]; i < t->right_begin[t->query_begin[u + 1]]; i++) {
        float guess = fminf(fmaxf(predicted[i], t->lowest), t->highest);
        double miss = (double)t->rating[i] - guess;
        if (isnan(t->rating[i]) || isnan(predicted[i]))
            continue;
        e->squared[u] += miss * miss;
        e->absolute[u] += fabs(miss);
        e->rated[u]++;
    }
}

static enum status judge_ratings(const struct model *m, const struct test_set *t, struct evaluation *e, struct job *job,
                                 struct error *err)
{
    float *predicted = mem_new_raw(t->right_begin[t->nqueries], sizeof *predicted, "predicted ratings", err);
    e->squared = mem_new(t->nusers, sizeof *e->squared, "errors of ratings", err);
    e->absolute = mem_new(t->nusers, sizeof *e->absolute, "errors of ratings", err);
    e->rated = mem_new(t->nusers, sizeof *e->rated, "errors of ratings", err);
    enum status st = predicted && e->squared && e->absolute && e->rated ? ST_OK : ST_NOMEM;
    for (size_t q = 0; q < t->nqueries && !st; q += RATING_BATCH) {
        size_t n = t->nqueries - q < RATING_BATCH ? t->nqueries - q : RATING_BATCH;
        st = job_check(job, err);
        if (!st)
            st = model_predict(m, t->query + q, n, t->right_begin + q, t->right, predicted, err);
    }
    for (size_t u = 0; u < t->nusers && !st; u++)
        add_errors(e, t, u, predicted);
    mem_free(predicted);
    return st;
}

/* ---- all of it ---- */

static enum status check_model(const struct model *m, const struct test_set *t, struct error *err)
{
    if (m->nitems == t->nitems)
        return ST_OK;
    error_set(err, ST_STATE, "model %s was trained on %zu items, the data has %zu", m->name, m->nitems, t->nitems);
    error_hint(err, "train it again on the data as it is now");
    return ST_STATE;
}

static void clear_run(struct run *r, size_t threads)
{
    free_desks(r->desks, threads);
    mem_free(r->nhits);
    mem_free(r->lists);
    mem_free(r->counts);
}

static enum status begin_run(struct run *r, size_t depth, uint64_t split_fingerprint, size_t threads, struct error *err)
{
    const struct test_set *t = r->set;
    r->e = evaluation_new(t, depth, r->ranks_only, err);
    if (!r->e)
        return ST_NOMEM;
    r->e->split_fingerprint = split_fingerprint;
    r->nhits = mem_new_raw(t->nqueries, sizeof *r->nhits, "hits", err);
    r->piece = r->e->depth > ENTRIES ? 1 : r->e->depth > ENTRIES / PIECE ? ENTRIES / r->e->depth : PIECE;
    r->lists = mem_new_raw(r->piece * r->e->depth, sizeof *r->lists, "lists", err);
    r->counts = mem_new_raw(r->piece, sizeof *r->counts, "lists", err);
    if (!r->nhits || !r->lists || !r->counts)
        return ST_NOMEM;
    return r->ranks_only ? ST_OK : make_desks(r, threads, err);
}

static enum status end_run(struct run *r, size_t threads, struct error *err)
{
    if (!r->ranks_only)
        join_desks(r, threads);
    pack_hits(r);
    return evaluation_prepare(r->e, err);
}

static enum status run_model(const struct model *m, const struct test_set *t, uint64_t split_fingerprint, size_t depth,
                             bool ranks_only, struct job *job, struct evaluation **out, struct error *err)
{
    struct run r = {.set = t, .ranks_only = ranks_only};
    size_t threads = (size_t)parallel_threads();
    enum status st = check_model(m, t, err);
    if (!st)
        st = begin_run(&r, depth, split_fingerprint, threads, err);
    if (st)
        goto out;
    r.e->model_created = (uint64_t)m->record.created;
    job_begin(job, t->nqueries, t->protocol.rolling ? "events" : "users", "evaluate %s", m->name);
    st = take_all(&r, m, job, err);
    if (!st)
        st = end_run(&r, threads, err);
    if (!st && t->rating && m->class->capabilities & CAN_RATE)
        st = judge_ratings(m, t, r.e, job, err);
out:
    clear_run(&r, threads);
    if (st)
        evaluation_free(r.e);
    else
        *out = r.e;
    return st;
}

enum status evaluation_run(const struct model *m, const struct test_set *t, uint64_t split_fingerprint, size_t depth,
                           struct job *job, struct evaluation **out, struct error *err)
{
    return run_model(m, t, split_fingerprint, depth, false, job, out, err);
}

enum status evaluation_ranks(const struct model *m, const struct test_set *t, uint64_t split_fingerprint, size_t depth,
                             struct job *job, struct evaluation **out, struct error *err)
{
    return run_model(m, t, split_fingerprint, depth, true, job, out, err);
}

enum status evaluation_of_lists(const struct test_set *t, uint64_t split_fingerprint, size_t depth, const size_t *begin,
                                const uint32_t *item, struct evaluation **out, struct error *err)
{
    struct run r = {.set = t};
    enum status st = begin_run(&r, depth, split_fingerprint, 1, err);
    for (size_t q = 0; q < t->nqueries && !st; q++) {
        size_t n = begin[q + 1] - begin[q] < r.e->depth ? begin[q + 1] - begin[q] : r.e->depth;
        for (size_t i = 0; i < n; i++)
            r.lists[i] = (struct scored){item[begin[q] + i], 0};
        take_in(&r, &r.desks[0], q, r.lists, n);
    }
    if (!st)
        st = end_run(&r, 1, err);
    clear_run(&r, 1);
    if (st)
        evaluation_free(r.e);
    else
        *out = r.e;
    return st;
}
