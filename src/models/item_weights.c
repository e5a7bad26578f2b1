#include "models/item_weights.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/bundle.h"
#include "linalg/sparse_lists.h"
#include "models/sparse_blob.h"

enum status item_weights_new(struct model *m, struct error *err)
{
    struct item_weights *s = mem_new(1, sizeof *s, "item weights", err);
    if (!s)
        return ST_NOMEM;
    s->weigh = param_index(m->class->params, m->class->nparams, "values") < m->class->nparams &&
               model_int(m, "values") == VALUES_WEIGHT;
    m->state = s;
    return ST_OK;
}

void item_weights_free(struct model *m)
{
    struct item_weights *s = m->state;
    if (s)
        csr_clear(&s->rows);
    mem_free(s);
    m->state = NULL;
}

enum status item_weights_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    const struct csr *x = &t->interactions->matrix;
    size_t kept = (size_t)model_int(m, "neighbours"), rows = 0;
    size_t *pairs = mem_new(m->nitems, sizeof *pairs, "pairs of items", err);
    if (!pairs)
        return ST_NOMEM;
    if (kept >= m->nitems)
        kept = m->nitems - 1;
    for (size_t u = 0; u < x->rows; u++)
        for (size_t e = x->begin[u]; e < x->begin[u + 1]; e++)
            pairs[x->index[e]] += x->begin[u + 1] - x->begin[u] - 1;
    for (size_t j = 0; j < m->nitems; j++)
        rows += pairs[j] < kept ? pairs[j] : kept;
    mem_free(pairs);
    /* The rows as they are made, in pieces that grow by halves, and joined; the matrix both ways. */
    *bytes = rows * 5 / 2 * (sizeof(uint32_t) + sizeof(float)) + csr_count(x) * 4 * sizeof(float) +
             sparse_product_bytes(m->nitems);
    return ST_OK;
}

/* ---- products of the matrix with itself ---- */

static void item_product_clear(struct item_product *p)
{
    csr_clear(&p->x);
    csr_clear(&p->xt);
    mem_free(p->user);
    mem_free(p->source);
    mem_free(p->target);
}

enum status item_product_copy(const struct interactions *in, bool with_values, struct item_product *p,
                              struct error *err)
{
    const struct csr *from = &in->matrix;
    enum status st = csr_new(&p->x, from->rows, from->cols, csr_count(from), with_values, err);
    if (st)
        return st;
    memcpy(p->x.begin, from->begin, (from->rows + 1) * sizeof *from->begin);
    memcpy(p->x.index, from->index, csr_count(from) * sizeof *from->index);
    if (with_values)
        memcpy(p->x.value, from->value, csr_count(from) * sizeof *from->value);
    return ST_OK;
}

enum status item_weights_train(struct model *m, const struct training *t, item_product_maker *make, struct error *err)
{
    struct item_weights *s = m->state;
    struct item_product p = {0};
    enum status st = make(m, t->interactions, &p, err);
    if (!st)
        st = sparse_product(&p.product, &s->rows, t->job, err);
    item_product_clear(&p);
    return st;
}

/* Would the rows of what changed users have be more than half of all products? Said before anything is made. */
static enum status too_many(const struct update *u, bool *many, struct error *err)
{
    const struct csr *x = &u->after->interactions->matrix;
    size_t all = 0, part = 0;
    uint8_t *item = mem_new(x->cols, sizeof *item, "changed items", err);
    for (size_t c = 0; item && c < u->nusers; c++)
        for (size_t e = x->begin[u->users[c]]; e < x->begin[u->users[c] + 1]; e++)
            item[x->index[e]] = 1;
    for (size_t r = 0; item && r < x->rows; r++)
        for (size_t e = x->begin[r], n = x->begin[r + 1] - e; e < x->begin[r + 1]; e++) {
            all += n;
            part += item[x->index[e]] ? n : 0;
        }
    mem_free(item);
    *many = part > all / 2;
    return item ? ST_OK : ST_NOMEM;
}

enum status item_weights_update(struct model *m, const struct update *u, item_product_maker *make, bool *worth,
                                struct error *err)
{
    const struct item_weights *old = u->from->state;
    struct item_product before = {0}, after = {0};
    bool many;
    enum status st = too_many(u, &many, err);
    *worth = !many;
    if (st || many)
        return st;
    st = item_weights_new(m, err);
    struct item_weights *s = m->state;
    if (!st)
        st = make(m, u->before->interactions, &before, err);
    if (!st)
        st = make(m, u->after->interactions, &after, err);
    if (!st) {
        job_begin(u->after->job, m->nitems, "items", "update %s: rows that change", m->name);
        st = sparse_product_update(&before.product, &after.product, &old->rows, worth, &s->rows, u->after->job, err);
    }
    item_product_clear(&before);
    item_product_clear(&after);
    if (!st && !*worth)
        item_weights_free(m);
    return st;
}

/* ---- answering ---- */

struct answers {
    const struct item_weights *s;
    const struct csr *h; /* the histories */
    float *scores;
    const struct bundle *bundles; /* of h; NULL: each alone */
    float *sums;                  /* room for one bundle, for each thread */
};

static void score_one(const struct answers *a, size_t q)
{
    float *out = a->scores + q * a->h->cols;
    memset(out, 0, a->h->cols * sizeof *out);
    sparse_sum(&a->s->rows, a->h, q, out);
}

enum { SCORE_BLOCK = 8 }; /* a few histories are not worth waking a second thread for */

static void score_block(void *context, size_t block, size_t begin, size_t end)
{
    (void)block;
    for (size_t q = begin; q < end; q++)
        score_one(context, q);
}

static void score_bundle(void *context, size_t i, size_t begin, size_t end)
{
    const struct answers *a = context;
    size_t cols = a->h->cols;
    if (a->bundles[i].n)
        bundle_sum_sparse(&a->bundles[i], &a->s->rows, a->sums + (size_t)parallel_thread() * cols * BUNDLE,
                          a->scores + begin * cols);
    else
        score_block(context, i, begin, end);
}

/* Histories that are much alike read the same rows: once for all of them. */
static enum status score_bundles(struct answers *a, struct error *err)
{
    struct bundles bundles;
    enum status st = bundles_new(a->h, &bundles, err);
    if (st)
        return st;
    if (bundles.any) {
        a->bundles = bundles.list;
        a->sums =
            mem_new_raw((size_t)parallel_threads() * a->h->cols * BUNDLE, sizeof *a->sums, "sums of histories", err);
        st = a->sums ? ST_OK : ST_NOMEM;
    }
    if (!st)
        parallel_blocks(a->h->rows, bundles.any ? BUNDLE : SCORE_BLOCK, bundles.any ? score_bundle : score_block, a);
    mem_free(a->sums);
    bundles_clear(&bundles);
    return st;
}

enum status item_weights_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                               struct error *err)
{
    const struct item_weights *s = m->state;
    struct csr h;
    enum status st = folded_rows(queries, n, m->nitems, s->weigh, &h, err);
    if (st)
        return st;
    struct answers a = {.s = s, .h = &h, .scores = scores};
    if (n > SCORE_BLOCK)
        st = score_bundles(&a, err);
    else
        score_block(&a, 0, 0, n);
    csr_clear(&h);
    return st;
}

const struct csr *item_weights_rows(const struct model *m, bool *weigh)
{
    const struct item_weights *s = m->state;
    *weigh = s->weigh;
    return &s->rows;
}

static float value_of(const struct item_weights *s, const struct query_item *h)
{
    return s->weigh ? h->weight : 1;
}

/* W[j][i] */
static float weight_of(const struct csr *rows, uint32_t j, uint32_t i)
{
    size_t at = csr_find(rows, j, i);
    return at == SIZE_MAX ? 0 : rows->value[at];
}

enum status item_weights_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                                 struct error *err)
{
    const struct item_weights *s = m->state;
    struct folded f;
    enum status st = folded_new(&f, q, 1, err);
    if (!st)
        st = explanation_new(out, f.begin[1], err);
    float score = 0;
    for (size_t h = 0; !st && h < f.begin[1]; h++) {
        float v = value_of(s, &f.items[h]), weight = weight_of(&s->rows, f.items[h].item, item);
        score += v * weight;
        struct contribution *c = explanation_add(out, f.items[h].item, (double)v * weight);
        if (!(fabsf(weight) > 0))
            snprintf(c->label, sizeof c->label, "not a neighbour");
    }
    if (!st) {
        explanation_sort(out);
        out->score = score;
        out->exact = true;
        out->method = "weight of each item of the history (exact)";
    }
    folded_clear(&f);
    return st;
}

enum status item_weights_similar(const struct model *m, uint32_t item, float *similarity, struct error *err)
{
    (void)err;
    const struct csr *rows = &((const struct item_weights *)m->state)->rows;
    for (size_t i = 0; i < m->nitems; i++)
        similarity[i] = -INFINITY;
    for (size_t n = rows->begin[item]; n < rows->begin[item + 1]; n++)
        similarity[rows->index[n]] = rows->value[n];
    return ST_OK;
}

/* ---- keeping ---- */

enum status item_weights_save(const struct model *m, struct blob_writer *w, struct error *err)
{
    return sparse_save(&((const struct item_weights *)m->state)->rows, w, err);
}

enum status item_weights_load(struct model *m, struct blob_reader *r, struct error *err)
{
    enum status st = item_weights_new(m, err);
    if (st)
        return st;
    struct item_weights *s = m->state;
    return sparse_load(&s->rows, m->nitems, m->nitems, true, m->name, r, err);
}
