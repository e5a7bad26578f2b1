/* SLIM: each item as a sparse, non-negative sum of others.
 *
 *     min over w >= 0 of  1/2 |x_i - X w|^2 + l2/2 |w|^2 + l1 sum w    with w_i = 0, one regression an item
 *     score(h, i) = sum over j in h of  v_j * W[j][i]                  column i of W is that w
 *
 * Only X'X is looked at, and of it only what shares users with i: others have weight 0 anyway. Of those the
 * `neighbours` with the largest cosine may have a weight (fsSLIM in the paper); their part of X'X is small and dense,
 * and coordinate descent runs in the cache. Items are independent of each other, so the bits do not depend on threads.
 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/elastic_net.h"
#include "linalg/sparse_product.h"
#include "models/classes.h"
#include "models/item_weights.h"

static const struct param params[] = {
    {.name = "l2",
     .type = PARAM_REAL,
     .initial = "50",
     .min = 0,
     .max = 1e9,
     .tune_min = 1,
     .tune_max = 1000,
     .log_scale = true,
     .doc = "ridge penalty: draws all weights towards 0"},
    {.name = "l1",
     .type = PARAM_REAL,
     .initial = "0.03",
     .min = 0,
     .max = 1e9,
     .tune_min = .01,
     .tune_max = 10,
     .log_scale = true,
     .doc = "lasso penalty: how many weights become 0"},
    {.name = "neighbours",
     .type = PARAM_INT,
     .initial = "500",
     .min = 1,
     .max = 20000,
     .tune_min = 50,
     .tune_max = 1000,
     .log_scale = true,
     .doc = "items by cosine that may have a weight for an item"},
    {.name = "sweeps",
     .type = PARAM_INT,
     .initial = "50",
     .min = 1,
     .max = 10000,
     .doc = "most turns of coordinate descent for an item"},
    VALUES_PARAM,
};

/* A weight that moves by less than this has settled. */
static const float tolerance = 1e-4F;

static size_t candidates_of(const struct model *m)
{
    size_t n = (size_t)model_int(m, "neighbours");
    return n < m->nitems ? n : m->nitems;
}

/* X'X has at most as many entries in a row as users of the item have items. */
static enum status slim_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    const struct csr *x = &t->interactions->matrix;
    size_t n = candidates_of(m), pairs = 0, *row = mem_new(m->nitems, sizeof *row, "pairs of items", err);
    if (!row)
        return ST_NOMEM;
    for (size_t u = 0; u < x->rows; u++)
        for (size_t e = x->begin[u]; e < x->begin[u + 1]; e++)
            row[x->index[e]] += x->begin[u + 1] - x->begin[u];
    for (size_t j = 0; j < m->nitems; j++)
        pairs += row[j] < m->nitems ? row[j] : m->nitems;
    mem_free(row);
    *bytes = pairs * 2 * (sizeof(float) + sizeof(uint32_t)) +
             (size_t)parallel_threads() * (n * (n + 8) + 2 * m->nitems) * sizeof(float) +
             csr_count(x) * 4 * sizeof(float) + sparse_product_bytes(m->nitems);
    return ST_OK;
}

static enum status slim_begin(struct model *m, const struct training *t, struct error *err)
{
    (void)t;
    return item_weights_new(m, err);
}

/* ---- regressions ---- */

/* What one thread works in. */
struct bench {
    uint32_t *item, *space; /* nitems: candidates, ascending */
    float *cosine;          /* nitems */
    uint32_t *place;        /* nitems: 1 + the place of a candidate, 0 for others */
    float *gram;            /* n x n */
    float *b, *w, *rest;    /* n */
};

struct regressions {
    const struct csr *gram; /* X'X, all of it */
    const float *square;    /* its diagonal */
    size_t n, sweeps;
    float l1, l2;
    struct bench *bench;
    struct csr_parts parts; /* row i: the weights that others have for item i */
    struct job *job;
};

static void bench_clear(struct bench *b)
{
    mem_free(b->item);
    mem_free(b->space);
    mem_free(b->cosine);
    mem_free(b->place);
    mem_free(b->gram);
    mem_free(b->b);
    mem_free(b->w);
    mem_free(b->rest);
}

static enum status bench_new(struct bench *b, size_t nitems, size_t n, struct error *err)
{
    static const char what[] = "regressions";
    b->item = mem_new_raw(nitems, sizeof *b->item, what, err);
    b->space = mem_new_raw(nitems, sizeof *b->space, what, err);
    b->cosine = mem_new_raw(nitems, sizeof *b->cosine, what, err);
    b->place = mem_new(nitems, sizeof *b->place, what, err);
    b->gram = mem_new_raw(n * n, sizeof *b->gram, what, err);
    b->b = mem_new_raw(n, sizeof *b->b, what, err);
    b->w = mem_new_raw(n, sizeof *b->w, what, err);
    b->rest = mem_new_raw(n, sizeof *b->rest, what, err);
    return b->item && b->space && b->cosine && b->place && b->gram && b->b && b->w && b->rest ? ST_OK : ST_NOMEM;
}

/* The candidates for item i, ascending; returns how many. */
static size_t choose(const struct regressions *r, size_t i, struct bench *b)
{
    size_t n = 0;
    float bar = 0;
    for (size_t e = r->gram->begin[i]; e < r->gram->begin[i + 1]; e++) {
        uint32_t j = r->gram->index[e];
        if (j == i || !(r->gram->value[e] > 0))
            continue;
        b->item[n] = j;
        b->cosine[n++] = r->gram->value[e] / sqrtf(r->square[i] * r->square[j]);
    }
    return best_entries(b->item, b->cosine, n, r->n, false, &bar, b->space);
}

/* The candidates' part of X'X, and their products with item i. */
static void gather(const struct regressions *r, size_t i, size_t n, struct bench *b)
{
    for (size_t c = 0; c < n; c++)
        b->place[b->item[c]] = (uint32_t)c + 1;
    memset(b->gram, 0, n * n * sizeof *b->gram);
    for (size_t c = 0; c < n; c++) {
        float *row = b->gram + c * n;
        for (size_t e = r->gram->begin[b->item[c]]; e < r->gram->begin[b->item[c] + 1]; e++) {
            uint32_t place = b->place[r->gram->index[e]];
            if (place)
                row[place - 1] = r->gram->value[e];
        }
    }
    for (size_t e = r->gram->begin[i]; e < r->gram->begin[i + 1]; e++) {
        uint32_t place = b->place[r->gram->index[e]];
        if (place)
            b->b[place - 1] = r->gram->value[e];
    }
    for (size_t c = 0; c < n; c++)
        b->place[b->item[c]] = 0;
}

enum { ITEMS_TOGETHER = 32 };

static void regress(void *context, size_t block, size_t begin, size_t end)
{
    struct regressions *r = context;
    struct bench *b = &r->bench[parallel_thread()];
    (void)block;
    for (size_t i = begin; i < end; i++) {
        if (job_cancelled(r->job))
            return;
        size_t n = choose(r, i, b), kept = 0;
        gather(r, i, n, b);
        elastic_net(b->gram, b->b, n, r->l1, r->l2, tolerance, r->sweeps, b->w, b->rest);
        for (size_t c = 0; c < n; c++) {
            b->item[kept] = b->item[c];
            b->w[kept] = b->w[c];
            kept += b->w[c] > 0;
        }
        csr_parts_add(&r->parts, i, b->item, b->w, kept);
    }
    job_step(r->job, end - begin);
}

static enum status solve(struct model *m, const struct csr *gram, const float *square, struct job *job,
                         struct error *err)
{
    struct item_weights *s = m->state;
    struct regressions r = {.gram = gram,
                            .square = square,
                            .n = candidates_of(m),
                            .sweeps = (size_t)model_int(m, "sweeps"),
                            .l1 = (float)model_real(m, "l1"),
                            .l2 = (float)model_real(m, "l2"),
                            .job = job};
    struct csr columns = {0};
    int threads = parallel_threads();
    enum status st = csr_parts_new(&r.parts, m->nitems, m->nitems, ITEMS_TOGETHER, err);
    if (!st && !(r.bench = mem_new((size_t)threads, sizeof *r.bench, "regressions", err)))
        st = ST_NOMEM;
    for (int t = 0; t < threads && !st; t++)
        st = bench_new(&r.bench[t], m->nitems, r.n, err);
    if (!st) {
        job_begin(job, m->nitems, "items", "train %s: one regression an item", m->name);
        parallel_blocks(m->nitems, ITEMS_TOGETHER, regress, &r);
        st = job_check(job, err);
    }
    if (!st)
        st = csr_parts_join(&r.parts, &columns, err);
    if (!st)
        st = csr_transpose(&columns, &s->rows, err);
    for (int t = 0; r.bench && t < threads; t++)
        bench_clear(&r.bench[t]);
    mem_free(r.bench);
    csr_parts_clear(&r.parts);
    csr_clear(&columns);
    return st;
}

static void diagonal(const struct csr *gram, float *square)
{
    for (size_t i = 0; i < gram->rows; i++)
        for (size_t e = gram->begin[i]; e < gram->begin[i + 1]; e++)
            if (gram->index[e] == i)
                square[i] = gram->value[e];
}

static enum status slim_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                              struct error *err)
{
    (void)epoch;
    (void)loss;
    struct csr x = t->interactions->matrix, xt = {0}, gram = {0};
    float *square = mem_new(m->nitems, sizeof *square, "item lengths", err);
    if (!((const struct item_weights *)m->state)->weigh)
        x.value = NULL;
    enum status st = square ? csr_transpose(&x, &xt, err) : ST_NOMEM;
    if (!st) {
        struct sparse_product all = {.a = &xt, .b = &x, .diagonal = true};
        job_begin(t->job, m->nitems, "items", "train %s: counting pairs", m->name);
        st = sparse_product(&all, &gram, t->job, err);
    }
    if (!st) {
        diagonal(&gram, square);
        st = solve(m, &gram, square, t->job, err);
    }
    *done = true;
    mem_free(square);
    csr_clear(&xt);
    csr_clear(&gram);
    return st;
}

const struct model_class model_slim = {
    .name = "slim",
    .summary = "each item as a sparse sum of others, by elastic nets",
    .reference = "Ning, Karypis: SLIM: sparse linear methods for top-n recommender systems, ICDM 2011",
    .fold_in = "scores any history the same way as a known one: exactly the native score",
    .capabilities = SCORES_APART | ADDS_UP,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    .check = slim_check,
    .begin = slim_begin,
    .epoch = slim_epoch,
    .score = item_weights_score,
    .rows = item_weights_rows,
    .explain = item_weights_explain,
    .similar = item_weights_similar,
    .save = item_weights_save,
    .load = item_weights_load,
    .free = item_weights_free,
};
