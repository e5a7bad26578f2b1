#include "ranking/lists.h"

#include <string.h>

#include "base/mem.h"
#include "base/numbers.h"
#include "base/parallel.h"

/* Histories taken together, and their events: between two pieces a cancel is noticed. By vectors they are soon done,
 * and threads wait for each other less often. */
enum { PIECE = 512, PIECE_BY_ROWS = 2048, PIECE_BY_VECTORS = 16384, PIECE_EVENTS = 1 << 22 };
/* Preparing vectors costs as much as the lists of about so many histories. */
enum { WORTH_PREPARING = 256 };
enum { HIDE_BLOCK = 64 };

enum status ranker_new(struct ranker *r, const struct model *m, size_t k, enum seen seen, size_t expected,
                       struct error *err)
{
    const struct model_class *class = m->class;
    *r = (struct ranker){.m = m, .k = k < m->nitems ? k : m->nitems, .seen = seen};
    if (!m->later)
        r->rows = model_rows(m);
    if (!class->fold || !class->vectors || m->later || expected < WORTH_PREPARING || !model_trained(m)->state)
        return ST_OK;
    const float *y = class->vectors(model_trained(m), &r->width);
    return dots_lists_new(&r->lists, y, model_trained(m)->nitems, r->width, r->k, LISTS_FAST, err);
}

void ranker_clear(struct ranker *r)
{
    dots_lists_clear(&r->lists);
    *r = (struct ranker){0};
}

/* ---- what is hidden ---- */

struct hiding {
    const struct query *queries;
    struct item_sets *h;
};

static void hide_block(void *context, size_t block, size_t begin, size_t end)
{
    const struct hiding *x = context;
    (void)block;
    for (size_t q = begin; q < end; q++) {
        uint32_t *item = x->h->item + x->h->begin[q];
        size_t n = x->h->begin[q + 1] - x->h->begin[q], at = 0;
        for (size_t i = 0; at < n; i++)
            if (rank_hides(&x->queries[q], i))
                item[at++] = x->queries[q].events[i].item;
        numbers_sort(item, n);
    }
}

static size_t hidden_of(const struct query *q)
{
    size_t n = 0;
    if (!q->hides) /* all are: no need to look at them */
        return q->n;
    for (size_t i = 0; i < q->n; i++)
        n += rank_hides(q, i);
    return n;
}

/* What each history hides, ascending; nothing where seen items are shown. */
static enum status hidden_new(struct item_sets *h, const struct query *queries, size_t n, enum seen seen,
                              struct error *err)
{
    h->begin = mem_new(n + 1, sizeof *h->begin, "hidden items", err);
    if (!h->begin)
        return ST_NOMEM;
    for (size_t q = 0; q < n; q++)
        h->begin[q + 1] = h->begin[q] + (seen == SEEN_HIDE ? hidden_of(&queries[q]) : 0);
    h->item = mem_new_raw(h->begin[n], sizeof *h->item, "hidden items", err);
    if (!h->item)
        return ST_NOMEM;
    parallel_blocks(n, HIDE_BLOCK, hide_block, &(struct hiding){queries, h});
    return ST_OK;
}

static void hidden_clear(struct item_sets *h)
{
    mem_free(h->begin);
    mem_free(h->item);
}

/* ---- by vectors ---- */

static enum status take_by_vectors(const struct ranker *r, const struct query *queries, size_t n,
                                   const struct item_sets *wanted, struct scored *out, size_t *counts,
                                   struct error *err)
{
    struct item_sets hidden = {0};
    float *x = mem_new_raw(n * r->width, sizeof *x, "vectors of histories", err);
    enum status st = x ? hidden_new(&hidden, queries, n, r->seen, err) : ST_NOMEM;
    if (!st)
        st = model_fold(r->m, queries, n, x, err);
    if (!st)
        st = dots_lists_take(&r->lists, x, n, &hidden, wanted, out, counts, err);
    mem_free(x);
    hidden_clear(&hidden);
    return st;
}

/* ---- by rows ---- */

static enum status take_by_rows(const struct ranker *r, const struct query *queries, size_t n,
                                const struct item_sets *wanted, struct scored *out, size_t *counts, struct error *err)
{
    struct item_sets hidden = {0};
    struct csr histories = {0};
    enum status st = hidden_new(&hidden, queries, n, r->seen, err);
    if (!st)
        st = model_fold_rows(r->m, queries, n, &histories, err);
    if (!st)
        st = sparse_lists_take(r->rows, &histories, r->k, &hidden, wanted, out, counts, err);
    csr_clear(&histories);
    hidden_clear(&hidden);
    return st;
}

/* ---- by scores ---- */

/* What one thread needs: a row of scores, and what went wrong. */
struct desk {
    float *scores;
    enum status status;
    struct error err;
};

struct apart {
    const struct ranker *r;
    const struct query *queries;
    struct scored *out;
    size_t *counts;
    struct desk *desks;
};

enum { APART_BLOCK = 8 }; /* a few histories are not worth waking a second thread for */

static void apart_block(void *context, size_t block, size_t begin, size_t end)
{
    const struct apart *a = context;
    const struct ranker *r = a->r;
    struct desk *d = &a->desks[parallel_thread()];
    (void)block;
    for (size_t q = begin; q < end && !d->status; q++) {
        d->status = rank_scores(r->m, &a->queries[q], r->seen, d->scores, &d->err);
        if (!d->status)
            a->counts[q] = topk(d->scores, r->m->nitems, r->k, a->out + q * r->k);
    }
}

static enum status take_apart(const struct ranker *r, const struct query *queries, size_t n, struct scored *out,
                              size_t *counts, struct error *err)
{
    size_t threads = (size_t)parallel_threads();
    struct desk *desks = mem_new(threads, sizeof *desks, "list threads", err);
    float *scores = mem_new_raw(threads * r->m->nitems, sizeof *scores, "scores", err);
    enum status st = desks && scores ? ST_OK : ST_NOMEM;
    if (!st) {
        struct apart a = {r, queries, out, counts, desks};
        for (size_t t = 0; t < threads; t++)
            desks[t].scores = scores + t * r->m->nitems;
        parallel_blocks(n, APART_BLOCK, apart_block, &a);
        for (size_t t = 0; t < threads && !st; t++) {
            st = desks[t].status;
            if (st && err)
                *err = desks[t].err;
        }
    }
    mem_free(desks);
    mem_free(scores);
    return st;
}

struct lists {
    const struct ranker *r;
    struct scored *out;
    size_t *counts;
};

static void take_best(void *context, size_t i, const struct query *q, const float *scores)
{
    struct lists *l = context;
    (void)q;
    l->counts[i] = topk(scores, l->r->m->nitems, l->r->k, l->out + i * l->r->k);
}

/* ---- pieces ---- */

static size_t piece_of(const struct ranker *r)
{
    return r->width ? PIECE_BY_VECTORS : r->rows ? PIECE_BY_ROWS : PIECE;
}

static enum status take_piece(const struct ranker *r, const struct query *queries, size_t n,
                              const struct item_sets *wanted, struct job *job, struct scored *out, size_t *counts,
                              struct error *err)
{
    struct lists l = {r, out, counts};
    enum status st = job_check(job, err);
    if (st)
        return st;
    if (!r->width && !r->rows && !(r->m->class->capabilities & SCORES_APART))
        return rank_each(r->m, queries, n, r->seen, job, take_best, &l, err);
    st = r->width  ? take_by_vectors(r, queries, n, wanted, out, counts, err)
         : r->rows ? take_by_rows(r, queries, n, wanted, out, counts, err)
                   : take_apart(r, queries, n, out, counts, err);
    if (!st)
        job_step(job, n);
    return st;
}

/* How many of n histories make the next piece: each event of one takes room while it is looked at. */
static size_t next_piece(const struct ranker *r, const struct query *queries, size_t n)
{
    size_t most = piece_of(r), piece = 0, events = 0;
    while (piece < n && piece < most && (!piece || events + queries[piece].n <= PIECE_EVENTS))
        events += queries[piece++].n;
    return piece;
}

enum status ranker_lists(const struct ranker *r, const struct query *queries, size_t n, const struct item_sets *wanted,
                         struct job *job, struct scored *out, size_t *counts, struct error *err)
{
    enum status st = ST_OK;
    for (size_t at = 0, piece; at < n && !st; at += piece) {
        struct item_sets here = {wanted ? wanted->begin + at : NULL, wanted ? wanted->item : NULL};
        piece = next_piece(r, queries + at, n - at);
        st = take_piece(r, queries + at, piece, wanted ? &here : NULL, job, out + at * r->k, counts + at, err);
    }
    return st;
}

enum status ranker_users(const struct ranker *r, const struct selection *s, const uint32_t *users, size_t n,
                         struct job *job, struct scored *out, size_t *counts, struct error *err)
{
    size_t piece = piece_of(r);
    enum status st = ST_OK;
    for (size_t at = 0; at < n && !st; at += piece) {
        struct histories h;
        size_t here = n - at < piece ? n - at : piece;
        st = histories_of_users(s, users + at, here, &h, err);
        if (st)
            break;
        st = take_piece(r, h.queries, here, NULL, job, out + at * r->k, counts + at, err);
        histories_clear(&h);
    }
    return st;
}

enum status rank_users(const struct model *m, const struct selection *s, const uint32_t *users, size_t n, size_t k,
                       enum seen seen, struct job *job, struct scored *out, size_t *counts, struct error *err)
{
    struct ranker r;
    enum status st = ranker_new(&r, m, k, seen, n, err);
    if (!st)
        st = ranker_users(&r, s, users, n, job, out, counts, err);
    ranker_clear(&r);
    return st;
}
