/* Two steps of counting instead of one sort of everything. First rows go to buckets of neighbouring users: few enough
 * that each thread writes to all of them at cache speed. Then each bucket, small enough for the cache, is counted out
 * by user; the runs of users are in order of their rows then, which mostly is the order of time already. */
#include "data/order.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"

enum { BUCKETS = 512, BLOCKS = 64, PERMUTE_BLOCK = 1 << 16, SHORT_RUN = 64, ROW_BITS = 40 };
#define ROW_MASK ((UINT64_C(1) << ROW_BITS) - 1)

static int64_t time_of(const struct events *e, uint64_t row)
{
    return e->time ? e->time[row] : NO_TIME;
}

bool order_holds(const struct events *e)
{
    for (size_t r = 1; r < e->n; r++) {
        if (e->user[r - 1] != e->user[r]) {
            if (e->user[r - 1] > e->user[r])
                return false;
            continue;
        }
        int64_t before = time_of(e, r - 1), now = time_of(e, r);
        if (before > now || (before == now && e->sequence[r - 1] > e->sequence[r]))
            return false;
    }
    return true;
}

/* ---- rows to buckets ---- */

struct sorter {
    const struct events *e;
    uint32_t users;
    unsigned shift; /* a bucket has 1 << shift users */
    size_t block;   /* rows of a block */
    size_t nblocks;
    size_t (*at)[BUCKETS];         /* of each block: how many rows go to the bucket, then where its next one goes */
    size_t bucket_begin[BUCKETS + 1];
    struct job *job;
    size_t *begin;
    uint64_t *order;               /* until a bucket is done: user within the bucket << ROW_BITS | row */
    bool in_sequence;              /* the sequence grows with the row */
    struct scratch {
        struct moment *moment;
        size_t capacity, *next, next_capacity;
    } *scratch; /* one a thread */
    enum status st[BUCKETS];
    struct error error[BUCKETS];
};

struct moment {
    int64_t time;
    uint64_t row;
};

static void count_block(void *context, size_t b, size_t begin, size_t end)
{
    struct sorter *s = context;
    if (job_cancelled(s->job))
        return;
    for (size_t r = begin; r < end; r++)
        s->at[b][s->e->user[r] >> s->shift]++;
}

static void scatter_block(void *context, size_t b, size_t begin, size_t end)
{
    struct sorter *s = context;
    size_t *at = s->at[b];
    if (job_cancelled(s->job))
        return;
    uint32_t within = (UINT32_C(1) << s->shift) - 1;
    for (size_t r = begin; r < end; r++) {
        uint32_t user = s->e->user[r];
        s->order[at[user >> s->shift]++] = (uint64_t)(user & within) << ROW_BITS | r;
    }
}

/* From counts to places: bucket by bucket, in each block by block, so that rows stay in their order. */
static void place_blocks(struct sorter *s)
{
    size_t at = 0;
    for (size_t k = 0; k < BUCKETS; k++) {
        s->bucket_begin[k] = at;
        for (size_t b = 0; b < s->nblocks; b++) {
            size_t n = s->at[b][k];
            s->at[b][k] = at;
            at += n;
        }
    }
    s->bucket_begin[BUCKETS] = at;
}

/* ---- one bucket ---- */

static bool later(const struct sorter *s, const struct moment *a, const struct moment *b)
{
    if (a->time != b->time)
        return a->time > b->time;
    return s->in_sequence ? a->row > b->row : s->e->sequence[a->row] > s->e->sequence[b->row];
}

static int by_moment(const void *a, const void *b, void *sorter)
{
    return later(sorter, a, b) ? 1 : later(sorter, b, a) ? -1 : 0;
}

/* Nearly sorted as a rule. */
static void sort_run(struct sorter *s, struct moment *m, size_t n)
{
    size_t i = 1;
    while (i < n && !later(s, &m[i - 1], &m[i]))
        i++;
    if (i >= n)
        return;
    if (n > SHORT_RUN) {
        qsort_r(m, n, sizeof *m, by_moment, s);
        return;
    }
    for (; i < n; i++) {
        struct moment x = m[i];
        size_t k = i;
        for (; k > 0 && later(s, &m[k - 1], &x); k--)
            m[k] = m[k - 1];
        m[k] = x;
    }
}

static void sort_bucket(void *context, size_t k, size_t ignored, size_t ignored_too)
{
    enum { AHEAD = 16 };
    struct sorter *s = context;
    struct scratch *x = &s->scratch[parallel_thread()];
    size_t first = s->bucket_begin[k], n = s->bucket_begin[k + 1] - first;
    size_t user = k << s->shift, users = user >= s->users ? 0 : s->users - user;
    uint64_t *order = s->order + first;
    (void)ignored;
    (void)ignored_too;
    if (users > (size_t)1 << s->shift)
        users = (size_t)1 << s->shift;
    s->st[k] = job_check(s->job, &s->error[k]);
    if (!s->st[k])
        s->st[k] = mem_grow(&x->moment, &x->capacity, n, sizeof *x->moment, &s->error[k]);
    if (!s->st[k])
        s->st[k] = mem_grow(&x->next, &x->next_capacity, users + 1, sizeof *x->next, &s->error[k]);
    if (s->st[k])
        return;
    memset(x->next, 0, (users + 1) * sizeof *x->next);
    for (size_t i = 0; i < n; i++)
        x->next[(order[i] >> ROW_BITS) + 1]++;
    for (size_t u = 0; u < users; u++) {
        s->begin[user + u] = first + x->next[u];
        x->next[u + 1] += x->next[u];
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t row = order[i] & ROW_MASK;
        if (s->e->time && i + AHEAD < n)
            __builtin_prefetch(&s->e->time[order[i + AHEAD] & ROW_MASK]);
        x->moment[x->next[order[i] >> ROW_BITS]++] = (struct moment){time_of(s->e, row), row};
    }
    for (size_t u = 0, from = 0; u < users; from = x->next[u++])
        sort_run(s, x->moment + from, x->next[u] - from);
    for (size_t i = 0; i < n; i++)
        order[i] = x->moment[i].row;
}

static enum status first_failure(const struct sorter *s, struct error *err)
{
    for (size_t k = 0; k < BUCKETS; k++)
        if (s->st[k]) {
            if (err)
                *err = s->error[k];
            return s->st[k];
        }
    return ST_OK;
}

enum status order_events(const struct events *e, uint32_t users, size_t *begin, uint64_t *order, struct job *job,
                         struct error *err)
{
    size_t threads = (size_t)parallel_threads();
    enum status st = ST_NOMEM;
    struct sorter *s = mem_new(1, sizeof *s, "sorting events", err);
    if (!s)
        return ST_NOMEM;
    *s = (struct sorter){.e = e, .users = users, .begin = begin, .order = order, .job = job, .in_sequence = true};
    while (users >> s->shift >= BUCKETS)
        s->shift++;
    for (size_t r = 1; r < e->n && s->in_sequence; r++)
        s->in_sequence = e->sequence[r - 1] < e->sequence[r];
    s->block = e->n / BLOCKS + 1;
    s->nblocks = parallel_count(e->n, s->block);
    s->at = mem_new(BLOCKS, sizeof *s->at, "sorting events", err);
    s->scratch = mem_new(threads, sizeof *s->scratch, "sorting events", err);
    if (!s->at || !s->scratch)
        goto out;
    parallel_blocks(e->n, s->block, count_block, s);
    st = job_check(job, err);
    if (st) /* what a cancelled pass left out has no place */
        goto out;
    place_blocks(s);
    parallel_blocks(e->n, s->block, scatter_block, s);
    st = job_check(job, err);
    if (st)
        goto out;
    parallel_blocks(BUCKETS, 1, sort_bucket, s);
    begin[users] = e->n;
    st = first_failure(s, err);
out:
    for (size_t t = 0; s->scratch && t < threads; t++) {
        mem_free(s->scratch[t].moment);
        mem_free(s->scratch[t].next);
    }
    mem_free(s->scratch);
    mem_free(s->at);
    mem_free(s);
    return st;
}

/* ---- columns ---- */

struct permutation {
    const uint64_t *order;
    const void *from;
    void *to;
    size_t size;
    struct job *job;
};

#define PERMUTE(type)                                           \
    do {                                                        \
        const type *from = p->from;                             \
        type *to = p->to;                                       \
        for (size_t r = begin; r < end; r++)                    \
            to[r] = from[p->order[r]];                          \
    } while (0)

static void permute_block(void *context, size_t i, size_t begin, size_t end)
{
    const struct permutation *p = context;
    (void)i;
    if (job_cancelled(p->job))
        return;
    if (p->size == 2)
        PERMUTE(uint16_t);
    else if (p->size == 4)
        PERMUTE(uint32_t);
    else
        PERMUTE(uint64_t);
}

enum status order_column(void *column, size_t size, const uint64_t *order, size_t n, struct job *job, struct error *err)
{
    struct permutation p = {
        .order = order, .size = size, .job = job, .to = mem_new_raw(n, size, "a sorted column", err)};
    void *old;
    if (!p.to)
        return ST_NOMEM;
    memcpy(&old, column, sizeof old);
    p.from = old;
    parallel_blocks(n, PERMUTE_BLOCK, permute_block, &p);
    mem_free(old);
    memcpy(column, &p.to, sizeof p.to);
    return job_check(job, err);
}
