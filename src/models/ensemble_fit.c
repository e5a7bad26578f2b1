/* The weights of an ensemble, fitted to lists that should have been.
 *
 * What the parts say of a history is asked once and kept for the few items that matter, the pool:
 *
 *   history h   items item[begin[h] .. begin[h + 1]), ascending; z[i * parts + p]: what part p gives item i; right[i]:
 * was it one of the relevant[h] right ones?
 *
 * A choice of weights is then judged in milliseconds, and the ascent tries many. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "linalg/topk.h"
#include "models/ensemble.h"

struct pools {
    const struct fitting *f;
    size_t parts, n;
    uint32_t *query; /* n: which of the fitting's */
    size_t *begin;   /* n + 1 */
    uint32_t *item;
    uint8_t *right;
    float *z;
    size_t item_capacity, right_capacity, z_capacity;
};

static void pools_clear(struct pools *x)
{
    mem_free(x->query);
    mem_free(x->begin);
    mem_free(x->item);
    mem_free(x->right);
    mem_free(x->z);
}

/* ---- filling ---- */

static int by_number(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* Items of the history that cannot be recommended leave the lists. */
static void hide(const struct fitting *f, const struct query *q, float *scores)
{
    for (size_t e = 0; f->hide_seen && e < q->n; e++)
        if (!q->hides || q->events[e].type == q->hides - 1)
            scores[q->events[e].item] = -INFINITY;
}

enum { ASKED_TOGETHER = 32 };

/* Room for what some histories need. */
struct scratch {
    size_t nitems, pool;
    struct query query[ASKED_TOGETHER];
    float *scores;      /* parts x ASKED_TOGETHER x nitems */
    float *kept;        /* the longest history */
    struct scored *best; /* pool */
    uint32_t *item;     /* parts x pool */
    struct line line[PARTS_MAX];
};

static enum status scratch_new(struct scratch *s, const struct pools *x, struct error *err)
{
    size_t longest = 0;
    for (size_t i = 0; i < x->n; i++)
        if (x->f->queries[x->query[i]].n > longest)
            longest = x->f->queries[x->query[i]].n;
    s->scores = mem_new_raw(x->parts * ASKED_TOGETHER * s->nitems, sizeof *s->scores, "the scores of the parts", err);
    s->kept = mem_new_raw(longest, sizeof *s->kept, "a history", err);
    s->best = mem_new_raw(s->pool, sizeof *s->best, "lists of the parts", err);
    s->item = mem_new_raw(x->parts * s->pool, sizeof *s->item, "lists of the parts", err);
    return s->scores && s->kept && s->best && s->item ? ST_OK : ST_NOMEM;
}

static void scratch_clear(struct scratch *s)
{
    mem_free(s->scores);
    mem_free(s->kept);
    mem_free(s->best);
    mem_free(s->item);
}

static float *scores_of(const struct scratch *s, size_t part, size_t slot)
{
    return s->scores + (part * ASKED_TOGETHER + slot) * s->nitems;
}

/* The union of the lists of all parts, ascending; returns how many. */
static size_t unite(struct scratch *s, size_t parts, size_t slot)
{
    size_t n = 0, kept = 0;
    for (size_t p = 0; p < parts; p++) {
        size_t best = topk(scores_of(s, p, slot), s->nitems, s->pool, s->best);
        for (size_t b = 0; b < best; b++)
            s->item[n++] = s->best[b].index;
    }
    qsort(s->item, n, sizeof *s->item, by_number);
    for (size_t i = 0; i < n; i++)
        if (!kept || s->item[kept - 1] != s->item[i])
            s->item[kept++] = s->item[i];
    return kept;
}

static enum status add_pool(struct pools *x, const struct scratch *s, size_t h, size_t slot, size_t n,
                            struct error *err)
{
    const struct fitting *f = x->f;
    uint32_t query = x->query[h];
    const uint32_t *right = f->right + f->right_begin[query];
    size_t nright = f->right_begin[query + 1] - f->right_begin[query], at = x->begin[h];
    enum status st = mem_grow(&x->item, &x->item_capacity, at + n, sizeof *x->item, err);
    if (!st)
        st = mem_grow(&x->right, &x->right_capacity, at + n, sizeof *x->right, err);
    if (!st)
        st = mem_grow(&x->z, &x->z_capacity, (at + n) * x->parts, sizeof *x->z, err);
    for (size_t i = 0; i < n && !st; i++) {
        uint32_t item = s->item[i];
        x->item[at + i] = item;
        x->right[at + i] = bsearch(&item, right, nright, sizeof item, by_number) != NULL;
        for (size_t p = 0; p < x->parts; p++) {
            float score = scores_of(s, p, slot)[item];
            const struct line *line = &s->line[p];
            x->z[(at + i) * x->parts + p] = score > -INFINITY ? line->scale * score + line->offset : line->lowest;
        }
    }
    x->begin[h + 1] = at + n;
    return st;
}

static enum status fill_one(struct pools *x, struct scratch *s, enum normalizer how, size_t h, size_t slot,
                            struct error *err)
{
    const struct query *q = &s->query[slot];
    for (size_t p = 0; p < x->parts; p++) {
        float *scores = scores_of(s, p, slot);
        history_take_out(q, scores, s->kept);
        s->line[p] = normalizer_line(how, scores, s->nitems);
        history_put_back(q, scores, s->kept);
        hide(x->f, q, scores);
    }
    return add_pool(x, s, h, slot, unite(s, x->parts, slot), err);
}

/* The pools of histories [begin, end). */
static enum status fill_some(struct pools *x, const struct model *m, enum normalizer how, struct scratch *s,
                             size_t begin, size_t end, struct error *err)
{
    enum status st = ST_OK;
    for (size_t h = begin; h < end; h++)
        s->query[h - begin] = x->f->queries[x->query[h]];
    for (size_t p = 0; p < x->parts && !st; p++)
        st = model_score(x->f->parts ? x->f->parts[p] : m->parts[p].model, s->query, end - begin, scores_of(s, p, 0),
                         err);
    for (size_t h = begin; h < end && !st; h++)
        st = fill_one(x, s, how, h, h - begin, err);
    return st;
}

/* Some of the fitting's histories, ascending. */
static enum status draw(struct pools *x, size_t most, uint64_t seed, struct error *err)
{
    size_t n = x->f->n;
    struct rng r = rng_stream(seed, "ensemble histories", 0);
    if (!(x->query = mem_new_raw(n, sizeof *x->query, "histories", err)))
        return ST_NOMEM;
    for (size_t i = 0; i < n; i++)
        x->query[i] = (uint32_t)i;
    x->n = n < most ? n : most;
    if (n > most) {
        rng_shuffle(&r, x->query, n);
        qsort(x->query, x->n, sizeof *x->query, by_number);
    }
    x->begin = mem_new(x->n + 1, sizeof *x->begin, "histories", err);
    return x->begin ? ST_OK : ST_NOMEM;
}

static enum status fill(struct pools *x, const struct model *m, const struct training *t, enum normalizer how,
                        size_t pool, size_t most, struct error *err)
{
    struct scratch s = {.nitems = m->nitems, .pool = pool};
    enum status st = draw(x, most, t->seed, err);
    if (!st)
        st = scratch_new(&s, x, err);
    job_begin(t->job, x->n, "histories", "train %s: asking its models", m->name);
    for (size_t h = 0; h < x->n && !st; h += ASKED_TOGETHER) {
        size_t end = h + ASKED_TOGETHER < x->n ? h + ASKED_TOGETHER : x->n;
        st = job_check(t->job, err);
        if (!st)
            st = fill_some(x, m, how, &s, h, end, err);
        job_step(t->job, end - h);
    }
    scratch_clear(&s);
    return st;
}

/* ---- judging weights ---- */

enum { JUDGED_TOGETHER = 64 };

struct judging {
    const struct pools *x;
    const float *weight;
    double *part; /* one a block */
};

static float mixed(const struct pools *x, const float *weight, size_t i)
{
    float s = 0;
    for (size_t p = 0; p < x->parts; p++)
        s += weight[p] * x->z[i * x->parts + p];
    return s;
}

/* The metric of one history. Ranks are counted: right items are few. */
static double judge_one(const struct pools *x, const float *weight, size_t h)
{
    enum { MOST = 256 };
    const struct fitting *f = x->f;
    uint32_t rank[MOST], query = x->query[h];
    size_t hits = 0;
    for (size_t r = x->begin[h]; r < x->begin[h + 1]; r++) {
        if (!x->right[r])
            continue;
        float score = mixed(x, weight, r);
        uint32_t above = 0;
        for (size_t i = x->begin[h]; i < x->begin[h + 1] && above < f->k; i++) {
            float other = mixed(x, weight, i);
            above += other > score || (other == score && i < r);
        }
        if (above < f->k && hits < MOST)
            rank[hits++] = above;
    }
    qsort(rank, hits, sizeof *rank, by_number);
    return f->judge(f->metric, rank, hits, f->right_begin[query + 1] - f->right_begin[query]);
}

static void judge_block(void *context, size_t block, size_t begin, size_t end)
{
    struct judging *j = context;
    double sum = 0;
    for (size_t h = begin; h < end; h++)
        sum += judge_one(j->x, j->weight, h);
    j->part[block] = sum;
}

static double judge(const struct pools *x, const float *weight, double *part)
{
    struct judging j = {x, weight, part};
    double sum = 0;
    parallel_blocks(x->n, JUDGED_TOGETHER, judge_block, &j);
    for (size_t b = 0; b < parallel_count(x->n, JUDGED_TOGETHER); b++)
        sum += part[b];
    return sum / (double)x->n;
}

/* ---- the ascent ---- */

struct ascent {
    const struct pools *x;
    double *part; /* scratch of judge */
    struct job *job;
    float weight[PARTS_MAX];
    double value;
};

static void make_sum_one(float *weight, size_t n)
{
    float sum = 0;
    for (size_t p = 0; p < n; p++)
        sum += weight[p];
    for (size_t p = 0; p < n; p++)
        weight[p] /= sum;
}

/* Weight p moved by `step` of the whole, when the metric likes it. */
static bool try_step(struct ascent *a, size_t p, float step)
{
    float tried[PARTS_MAX];
    float to = a->weight[p] + step;
    memcpy(tried, a->weight, sizeof tried);
    tried[p] = to > 0 ? to : 0;
    if (tried[p] == a->weight[p] || (to <= 0 && a->weight[p] > 0.999F))
        return false;
    make_sum_one(tried, a->x->parts);
    double value = judge(a->x, tried, a->part);
    if (!(value > a->value))
        return false;
    a->value = value;
    memcpy(a->weight, tried, sizeof tried);
    return true;
}

/* Steps get smaller when no part wants one. Every accepted step makes the value larger, so this ends. */
static enum status climb(struct ascent *a, struct error *err)
{
    static const float steps[] = {.4F, .2F, .1F, .05F, .025F, .0125F};
    a->value = judge(a->x, a->weight, a->part);
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
        bool moved = true;
        while (moved) {
            enum status st = job_check(a->job, err);
            if (st)
                return st;
            moved = false;
            for (size_t p = 0; p < a->x->parts; p++)
                moved |= try_step(a, p, steps[s]) || try_step(a, p, -steps[s]);
        }
    }
    return ST_OK;
}

static enum status ascend(struct ascent *a, struct error *err)
{
    size_t parts = a->x->parts, best = 0;
    double best_value = -INFINITY;
    struct ascent other = *a;
    for (size_t p = 0; p < parts; p++) {
        float alone[PARTS_MAX] = {0};
        alone[p] = 1;
        double value = judge(a->x, alone, a->part);
        if (value > best_value) {
            best = p;
            best_value = value;
        }
    }
    for (size_t p = 0; p < parts; p++) {
        a->weight[p] = 1 / (float)parts;
        other.weight[p] = p == best;
    }
    enum status st = climb(a, err);
    if (!st)
        st = climb(&other, err);
    if (!st && other.value > a->value)
        *a = other;
    return st;
}

enum status ensemble_fit(const struct model *m, const struct training *t, enum normalizer how, size_t pool,
                         size_t users, float *weight, double *value, struct error *err)
{
    struct pools x = {.f = t->fitting, .parts = m->nparts};
    struct ascent a = {.x = &x, .job = t->job};
    enum status st = fill(&x, m, t, how, pool < m->nitems ? pool : m->nitems, users, err);
    if (!st && !x.n)
        st = error_set(err, ST_STATE,
                       "the validation part has no user with something to find: no weights can be fitted");
    if (!st && !(a.part = mem_new(parallel_count(x.n, JUDGED_TOGETHER), sizeof *a.part, "fitting weights", err)))
        st = ST_NOMEM;
    if (!st) {
        job_begin(t->job, 0, "", "train %s: fitting weights", m->name);
        st = ascend(&a, err);
    }
    if (!st) {
        memcpy(weight, a.weight, m->nparts * sizeof *weight);
        *value = a.value;
    }
    mem_free(a.part);
    pools_clear(&x);
    return st;
}
