#include "models/fold_in.h"

#include <math.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "linalg/topk.h"
#include "models/history.h"

enum { DEPTH = 20, USERS_MOST = 1000, USERS_LEAST = 100, BATCH = 32 };
/* Scores that the sample may take: a measurement costs a small part of an epoch. */
enum { SCORES_MOST = 16 << 20 };

/* The users with a history, in an order of the seed's; *n of them are wanted. */
static enum status draw_users(const struct training *t, size_t nitems, uint32_t **out, size_t *n, struct error *err)
{
    const struct csr *seen = &t->interactions->matrix;
    uint32_t *users = mem_new_raw(seen->rows, sizeof *users, "a sample of users", err);
    if (!users)
        return ST_NOMEM;
    size_t all = 0, most = SCORES_MOST / nitems;
    for (size_t u = 0; u < seen->rows; u++)
        if (seen->begin[u + 1] > seen->begin[u])
            users[all++] = (uint32_t)u;
    struct rng r = rng_stream(t->seed, "fold in", 0);
    rng_shuffle(&r, users, all);
    most = most < USERS_LEAST ? USERS_LEAST : most > USERS_MOST ? USERS_MOST : most;
    *n = all < most ? all : most;
    *out = users;
    return ST_OK;
}

/* A batch of users on its way from scores to overlaps. */
struct closeness {
    const struct model *m;
    const struct query *queries;
    float *folded, *native; /* BATCH x nitems */
    double *overlap;        /* one a user */
    enum status *failed;    /* one a user: memory, if anything */
};

/* The best items of `scores` (spoilt) but those of the history. */
static size_t best_new(float *scores, size_t nitems, const struct query *q, struct scored *out)
{
    for (size_t i = 0; i < q->n; i++)
        scores[q->events[i].item] = -INFINITY;
    return topk(scores, nitems, DEPTH, out);
}

static void compare_user(void *context, size_t i, size_t begin, size_t end)
{
    (void)begin;
    (void)end;
    const struct closeness *c = context;
    const struct query *q = &c->queries[i];
    size_t nitems = c->m->nitems;
    struct scored folded[DEPTH], native[DEPTH];
    struct error ignored;
    c->failed[i] = c->m->class->native(c->m, q->user, c->native + i * nitems, &ignored);
    if (c->failed[i])
        return;
    size_t n = best_new(c->folded + i * nitems, nitems, q, folded);
    c->overlap[i] = topk_overlap(folded, n, native, best_new(c->native + i * nitems, nitems, q, native), .9);
}

static enum status measure_batch(struct closeness *c, size_t n, struct job *job, struct error *err)
{
    enum status st = job_check(job, err);
    if (!st)
        st = c->m->class->score(c->m, c->queries, n, c->folded, err);
    if (st)
        return st;
    parallel_blocks(n, 1, compare_user, c);
    for (size_t i = 0; i < n && !st; i++)
        if ((st = c->failed[i]))
            error_set(err, st, "the native scores of %s for its user number %u cannot be computed", c->m->name,
                      c->queries[i].user);
    return st;
}

enum status fold_in_measure(const struct model *m, const struct training *t, double *overlap, struct error *err)
{
    *overlap = NAN;
    if (!m->class->native)
        return ST_OK;
    struct histories h = {0};
    uint32_t *users = NULL;
    size_t n = 0;
    double shares[BATCH], sum = 0;
    enum status failed[BATCH];
    struct closeness c = {.m = m, .overlap = shares, .failed = failed};
    c.folded = mem_new_raw(BATCH * m->nitems, sizeof *c.folded, "scores", err);
    c.native = mem_new_raw(BATCH * m->nitems, sizeof *c.native, "scores", err);
    enum status st = c.folded && c.native ? draw_users(t, m->nitems, &users, &n, err) : ST_NOMEM;
    if (!st)
        st = histories_of_users(t->selection, users, n, &h, err);
    for (size_t first = 0; first < n && !st; first += BATCH) {
        size_t some = n - first < BATCH ? n - first : BATCH;
        c.queries = h.queries + first;
        st = measure_batch(&c, some, t->job, err);
        for (size_t i = 0; i < some && !st; i++)
            sum += shares[i];
    }
    if (!st && n)
        *overlap = sum / (double)n;
    histories_clear(&h);
    mem_free(users);
    mem_free(c.folded);
    mem_free(c.native);
    return st;
}
