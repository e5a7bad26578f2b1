/* Item-based nearest neighbours: an item is what its users are.
 *
 *     score(h, i) = sum over j in h of  v_j * S[j][i]        v_j: 1, or the weight in the history
 *
 * Items are documents and users their terms: x_ui is 1 (or the weight of the interaction), weighted by one of
 *
 *     none    x
 *     rows    x / |x_u|                          users with many items say less about each
 *     tfidf   sqrt(x) idf_u                      idf_u = log(I / (1 + n_u))
 *     bm25    x (k1 + 1) / (x + k1 ((1 - b) + b n_i / mean n)) idf_u
 *
 * and S[j][i] = dot(x_j, x_i), divided by |x_j|^(2 (1-alpha)) |x_i|^(2 alpha) when cosine (alpha 1/2: the usual one), times
 * c / (c + shrink) for c users in common. Each row j keeps its `neighbours` largest. Rows are made by sparse
 * accumulation, one item at a time: no dense items x items matrix is ever held. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/sparse.h"
#include "linalg/topk.h"
#include "models/classes.h"

enum { WEIGHT_NONE, WEIGHT_ROWS, WEIGHT_TFIDF, WEIGHT_BM25 };
enum { BY_COSINE, BY_DOT };
enum { VALUES_BINARY, VALUES_WEIGHT };

static const struct param params[] = {
    {.name = "neighbours", .type = PARAM_INT, .initial = "200", .min = 1, .max = 1e6, .tune_min = 20, .tune_max = 1000, .log_scale = true,
     .doc = "most similar items kept for each item"},
    {.name = "weighting", .type = PARAM_ENUM, .initial = "rows", .choices = "none|rows|tfidf|bm25",
     .doc = "how much a user says about an item: all the same, by the length of their history, TF-IDF, BM25"},
    {.name = "similarity", .type = PARAM_ENUM, .initial = "cosine", .choices = "cosine|dot", .doc = "divide by the lengths of the items' vectors, or not"},
    {.name = "alpha", .type = PARAM_REAL, .initial = "0.5", .min = 0, .max = 1, .tune_min = .1, .tune_max = .9,
     .doc = "cosine: share of the division that falls on the recommended item; 0.5 is the usual cosine"},
    {.name = "shrink", .type = PARAM_REAL, .initial = "5", .min = 0, .max = 1e9, .tune_min = .1, .tune_max = 100, .log_scale = true,
     .doc = "draws similarities that rest on few common users towards 0"},
    {.name = "values", .type = PARAM_ENUM, .initial = "binary", .choices = "binary|weight",
     .doc = "count an item of a history once, or by the summed weight of its events"},
    {.name = "k1", .type = PARAM_REAL, .initial = "1.2", .min = 0, .max = 1e6, .doc = "bm25: how slowly repeats saturate"},
    {.name = "b", .type = PARAM_REAL, .initial = "0.75", .min = 0, .max = 1, .doc = "bm25: how much popular items are damped"},
};

struct knn {
    struct csr similar; /* items x items: row j, the neighbours of j */
    bool weigh;         /* values=weight */
};

static void knn_free(struct model *m)
{
    struct knn *s = m->state;
    csr_clear(&s->similar);
    mem_free(s);
    m->state = NULL;
}

static enum status knn_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    (void)err;
    size_t kept = (size_t)model_int(m, "neighbours"), entries = csr_count(&t->interactions->matrix);
    if (kept > m->nitems)
        kept = m->nitems;
    *bytes = m->nitems * kept * 2 * sizeof(float) + entries * 4 * sizeof(float) + (size_t)parallel_threads() * m->nitems * 4 * sizeof(float);
    return ST_OK;
}

static enum status knn_begin(struct model *m, const struct training *t, struct error *err)
{
    (void)t;
    struct knn *s = mem_new(1, sizeof *s, "item-kNN", err);
    if (!s)
        return ST_NOMEM;
    s->weigh = model_int(m, "values") == VALUES_WEIGHT;
    m->state = s;
    return ST_OK;
}

/* ---- weighting ---- */

static float weigh_bm25(const struct model *m, float x, double length, double mean)
{
    double k1 = model_real(m, "k1"), b = model_real(m, "b");
    return (float)(x * (k1 + 1) / (x + k1 * ((1 - b) + b * length / mean)));
}

/* x, weighted, in place; item_count[i] is the number of users of item i. */
static void weigh(const struct model *m, const struct interactions *in, struct csr *x, const uint32_t *item_count)
{
    int64_t how = model_int(m, "weighting");
    double mean = (double)csr_count(x) / (double)(in->items ? in->items : 1);
    for (size_t u = 0; u < x->rows; u++) {
        size_t n = x->begin[u + 1] - x->begin[u];
        double norm = 0, idf = log((double)in->items / (1 + (double)n));
        for (size_t i = x->begin[u]; i < x->begin[u + 1]; i++)
            norm += (double)x->value[i] * x->value[i];
        for (size_t i = x->begin[u]; i < x->begin[u + 1]; i++) {
            float *v = &x->value[i];
            if (how == WEIGHT_ROWS)
                *v = (float)(*v / sqrt(norm));
            else if (how == WEIGHT_TFIDF)
                *v = (float)(sqrt(*v) * (idf > 0 ? idf : 0));
            else if (how == WEIGHT_BM25)
                *v = weigh_bm25(m, *v, item_count[x->index[i]], mean) * (float)(idf > 0 ? idf : 0);
        }
    }
}

/* The weighted matrix, users x items, and its transpose. */
static enum status weighted(const struct model *m, const struct interactions *in, struct csr *x, struct csr *xt,
                            struct error *err)
{
    const struct csr *from = &in->matrix;
    const struct knn *s = m->state;
    uint32_t *count = mem_new(m->nitems, sizeof *count, "item counts", err);
    if (!count)
        return ST_NOMEM;
    enum status st = csr_new(x, from->rows, from->cols, csr_count(from), 1, err);
    if (st)
        goto out;
    memcpy(x->begin, from->begin, (from->rows + 1) * sizeof *x->begin);
    memcpy(x->index, from->index, csr_count(from) * sizeof *x->index);
    for (size_t i = 0; i < csr_count(from); i++) {
        x->value[i] = s->weigh ? from->value[i] : 1;
        count[from->index[i]]++;
    }
    weigh(m, in, x, count);
    st = csr_transpose(x, xt, err);
out:
    mem_free(count);
    return st;
}

/* ---- neighbours ---- */

enum { ROWS_PER_BLOCK = 64 };

/* What one thread accumulates a row in. `touched` has one bit an item, so that its items come out in ascending order. */
struct scratch {
    float *dot;
    uint32_t *common;
    uint64_t *touched;
    uint32_t *item;      /* candidates, ascending */
    float *value;        /* their similarities */
    struct scored *best; /* `neighbours` of them */
};

/* The rows of one block, until all blocks are done. */
struct piece {
    uint32_t *index;
    float *value;
    size_t n, index_capacity, value_capacity;
};

struct work {
    const struct csr *x, *xt;
    const double *source, *target; /* S[j][i] is multiplied by source[j] * target[i] */
    size_t kept;
    double shrink;
    struct scratch *scratch; /* one a thread */
    struct piece *piece;     /* one a block */
    size_t *row_count;       /* items + 1: row i at i + 1 */
    struct job *job;
    enum status *status;     /* one a block */
};

static double similarity(const struct work *w, uint32_t j, uint32_t i, float dot, uint32_t common)
{
    double s = dot * w->source[j] * w->target[i];
    return w->shrink > 0 ? s * common / (common + w->shrink) : s;
}

/* dot and common of row j with all items, through the users of j in ascending order. */
static void accumulate(const struct work *w, uint32_t j, struct scratch *s)
{
    for (size_t a = w->xt->begin[j]; a < w->xt->begin[j + 1]; a++) {
        size_t u = w->xt->index[a];
        float v = w->xt->value[a];
        for (size_t b = w->x->begin[u]; b < w->x->begin[u + 1]; b++) {
            uint32_t i = w->x->index[b];
            s->dot[i] += v * w->x->value[b];
            s->common[i]++;
            s->touched[i >> 6] |= UINT64_C(1) << (i & 63);
        }
    }
}

/* Moves what was touched into item[] and value[], ascending, and clears the accumulators. */
static size_t collect(const struct work *w, uint32_t j, struct scratch *s)
{
    size_t n = 0, words = w->xt->rows / 64 + 1;
    for (size_t k = 0; k < words; k++) {
        uint64_t bits = s->touched[k];
        s->touched[k] = 0;
        for (; bits; bits &= bits - 1) {
            uint32_t i = (uint32_t)(k * 64 + (size_t)__builtin_ctzll(bits));
            double value = i == j ? 0 : similarity(w, j, i, s->dot[i], s->common[i]);
            s->dot[i] = 0;
            s->common[i] = 0;
            if (value > 0) {
                s->item[n] = i;
                s->value[n++] = (float)value;
            }
        }
    }
    return n;
}

/* Keeps the best of the n candidates, ascending by item, as the next row of the piece. */
static enum status keep(const struct work *w, size_t n, struct scratch *s, struct piece *p, size_t *count,
                        struct error *err)
{
    size_t best = topk(s->value, n, w->kept, s->best);
    for (size_t b = 0; b < best; b++)
        s->touched[s->best[b].index >> 6] |= UINT64_C(1) << (s->best[b].index & 63);
    enum status st = mem_grow(&p->index, &p->index_capacity, p->n + best, sizeof *p->index, err);
    if (!st)
        st = mem_grow(&p->value, &p->value_capacity, p->n + best, sizeof *p->value, err);
    for (size_t c = 0; c < n; c++) {
        if (!st && s->touched[c >> 6] >> (c & 63) & 1) {
            p->index[p->n] = s->item[c];
            p->value[p->n++] = s->value[c];
        }
    }
    memset(s->touched, 0, (n / 64 + 1) * sizeof *s->touched);
    *count = best;
    return st;
}

static void make_rows(void *context, size_t block, size_t begin, size_t end)
{
    struct work *w = context;
    struct scratch *s = &w->scratch[parallel_thread()];
    for (size_t j = begin; j < end && !w->status[block]; j++) {
        if (job_cancelled(w->job))
            return;
        accumulate(w, (uint32_t)j, s);
        size_t n = collect(w, (uint32_t)j, s);
        w->status[block] = keep(w, n, s, &w->piece[block], &w->row_count[j + 1], NULL);
    }
    job_step(w->job, end - begin);
}

static enum status new_scratch(struct scratch *s, size_t items, size_t kept, struct error *err)
{
    s->dot = mem_new(items, sizeof *s->dot, "item-kNN scratch", err);
    s->common = mem_new(items, sizeof *s->common, "item-kNN scratch", err);
    s->touched = mem_new(items / 64 + 1, sizeof *s->touched, "item-kNN scratch", err);
    s->item = mem_new_raw(items, sizeof *s->item, "item-kNN scratch", err);
    s->value = mem_new_raw(items, sizeof *s->value, "item-kNN scratch", err);
    s->best = mem_new_raw(kept, sizeof *s->best, "item-kNN scratch", err);
    return s->dot && s->common && s->touched && s->item && s->value && s->best ? ST_OK : ST_NOMEM;
}

static void free_scratch(struct scratch *s)
{
    mem_free(s->dot);
    mem_free(s->common);
    mem_free(s->touched);
    mem_free(s->item);
    mem_free(s->value);
    mem_free(s->best);
}

/* Puts the pieces one after the other. */
static enum status join(const struct work *w, size_t blocks, struct csr *out, struct error *err)
{
    size_t items = w->xt->rows;
    for (size_t i = 0; i < items; i++)
        w->row_count[i + 1] += w->row_count[i];
    enum status st = csr_new(out, items, items, w->row_count[items], 1, err);
    if (st)
        return st;
    memcpy(out->begin, w->row_count, (items + 1) * sizeof *out->begin);
    size_t at = 0;
    for (size_t b = 0; b < blocks; b++) {
        const struct piece *p = &w->piece[b];
        if (p->n) {
            memcpy(out->index + at, p->index, p->n * sizeof *p->index);
            memcpy(out->value + at, p->value, p->n * sizeof *p->value);
        }
        at += p->n;
    }
    return ST_OK;
}

static enum status find_neighbours(struct work *w, struct csr *out, struct error *err)
{
    size_t items = w->xt->rows, blocks = parallel_count(items, ROWS_PER_BLOCK);
    int threads = parallel_threads();
    enum status st = ST_NOMEM;
    w->scratch = mem_new((size_t)threads, sizeof *w->scratch, "item-kNN scratch", err);
    w->piece = mem_new(blocks, sizeof *w->piece, "item-kNN rows", err);
    w->status = mem_new(blocks, sizeof *w->status, "item-kNN rows", err);
    w->row_count = mem_new(items + 1, sizeof *w->row_count, "item-kNN rows", err);
    if (!w->scratch || !w->piece || !w->status || !w->row_count)
        goto out;
    st = ST_OK;
    for (int t = 0; t < threads && !st; t++)
        st = new_scratch(&w->scratch[t], items, w->kept, err);
    if (st)
        goto out;
    parallel_blocks(items, ROWS_PER_BLOCK, make_rows, w);
    st = job_check(w->job, err);
    for (size_t b = 0; b < blocks && !st; b++)
        if (w->status[b])
            st = error_nomem(err, items * w->kept * 2 * sizeof(float), "the item neighbours");
    if (!st)
        st = join(w, blocks, out, err);
out:
    for (int t = 0; w->scratch && t < threads; t++)
        free_scratch(&w->scratch[t]);
    for (size_t b = 0; w->piece && b < blocks; b++) {
        mem_free(w->piece[b].index);
        mem_free(w->piece[b].value);
    }
    mem_free(w->scratch);
    mem_free(w->piece);
    mem_free(w->status);
    mem_free(w->row_count);
    return st;
}

/* 1 / |x_i|^power for each item, 0 for one without users; all ones for the dot product. */
static double *item_scales(const struct csr *xt, bool cosine, double power, struct error *err)
{
    double *scale = mem_new(xt->rows, sizeof *scale, "item lengths", err);
    for (size_t i = 0; scale && i < xt->rows; i++) {
        double square = 0;
        for (size_t a = xt->begin[i]; a < xt->begin[i + 1]; a++)
            square += (double)xt->value[a] * xt->value[a];
        scale[i] = !cosine ? 1 : square > 0 ? pow(square, -power / 2) : 0;
    }
    return scale;
}

static enum status knn_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                             struct error *err)
{
    (void)epoch;
    (void)loss;
    struct knn *s = m->state;
    struct csr x = {0}, xt = {0};
    double *source = NULL, *target = NULL, alpha = model_real(m, "alpha");
    bool cosine = model_int(m, "similarity") == BY_COSINE;
    size_t kept = (size_t)model_int(m, "neighbours");
    job_begin(t->job, m->nitems, "items", "train %s: finding neighbours", m->name);
    enum status st = weighted(m, t->interactions, &x, &xt, err);
    if (st)
        goto out;
    source = item_scales(&xt, cosine, 2 * (1 - alpha), err);
    target = item_scales(&xt, cosine, 2 * alpha, err);
    st = source && target ? ST_OK : ST_NOMEM;
    if (st)
        goto out;
    struct work w = {.x = &x, .xt = &xt, .source = source, .target = target, .kept = kept < m->nitems ? kept : m->nitems,
                     .shrink = model_real(m, "shrink"), .job = t->job};
    st = find_neighbours(&w, &s->similar, err);
    *done = true;
out:
    csr_clear(&x);
    csr_clear(&xt);
    mem_free(source);
    mem_free(target);
    return st;
}

/* ---- answering ---- */

struct answers {
    const struct knn *s;
    const struct folded *f;
    float *scores;
    size_t nitems;
};

static float value_of(const struct knn *s, const struct query_item *h)
{
    return s->weigh ? h->weight : 1;
}

enum { SCORE_BLOCK = 8 }; /* a few histories are not worth waking a second thread for */

static void score_block(void *context, size_t block, size_t begin, size_t end)
{
    struct answers *a = context;
    const struct csr *similar = &a->s->similar;
    (void)block;
    memset(a->scores + begin * a->nitems, 0, (end - begin) * a->nitems * sizeof *a->scores);
    for (size_t q = begin; q < end; q++) {
        float *out = a->scores + q * a->nitems;
        for (size_t h = a->f->begin[q]; h < a->f->begin[q + 1]; h++) {
            uint32_t j = a->f->items[h].item;
            float v = value_of(a->s, &a->f->items[h]);
            for (size_t n = similar->begin[j]; n < similar->begin[j + 1]; n++)
                out[similar->index[n]] += v * similar->value[n];
        }
    }
}

static enum status knn_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                             struct error *err)
{
    struct folded f;
    enum status st = folded_new(&f, queries, n, err);
    if (st)
        return st;
    struct answers a = {m->state, &f, scores, m->nitems};
    parallel_blocks(n, SCORE_BLOCK, score_block, &a);
    folded_clear(&f);
    return ST_OK;
}

/* S[j][i], by bisection. */
static float similarity_of(const struct csr *similar, uint32_t j, uint32_t i)
{
    size_t low = similar->begin[j], high = similar->begin[j + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (similar->index[middle] < i)
            low = middle + 1;
        else
            high = middle;
    }
    return low < similar->begin[j + 1] && similar->index[low] == i ? similar->value[low] : 0;
}

static enum status knn_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                               struct error *err)
{
    const struct knn *s = m->state;
    struct folded f;
    enum status st = folded_new(&f, q, 1, err);
    if (!st)
        st = explanation_new(out, f.begin[1], err);
    float score = 0;
    for (size_t h = 0; !st && h < f.begin[1]; h++) {
        float v = value_of(s, &f.items[h]), similar = similarity_of(&s->similar, f.items[h].item, item);
        score += v * similar;
        struct contribution *c = explanation_add(out, f.items[h].item, (double)v * similar);
        if (!(similar > 0))
            snprintf(c->label, sizeof c->label, "not a neighbour");
    }
    if (!st) {
        explanation_sort(out);
        out->score = score;
        out->exact = true;
        out->method = "similarity to each item of the history (exact)";
    }
    folded_clear(&f);
    return st;
}

static enum status knn_similar(const struct model *m, uint32_t item, float *similarity, struct error *err)
{
    (void)err;
    const struct csr *similar = &((const struct knn *)m->state)->similar;
    for (size_t i = 0; i < m->nitems; i++)
        similarity[i] = -INFINITY;
    for (size_t n = similar->begin[item]; n < similar->begin[item + 1]; n++)
        similarity[similar->index[n]] = similar->value[n];
    return ST_OK;
}

static enum status knn_save(const struct model *m, struct blob_writer *w, struct error *err)
{
    const struct csr *similar = &((const struct knn *)m->state)->similar;
    enum status st = blob_put(w, "begin", BLOB_U64, similar->begin, similar->rows + 1, err);
    if (!st)
        st = blob_put(w, "neighbour", BLOB_U32, similar->index, csr_count(similar), err);
    return st ? st : blob_put(w, "similarity", BLOB_F32, similar->value, csr_count(similar), err);
}

static bool rows_good(const struct csr *m)
{
    bool good = m->begin[0] == 0;
    for (size_t r = 0; r < m->rows && good; r++) {
        good = m->begin[r] <= m->begin[r + 1] && m->begin[r + 1] <= m->begin[m->rows];
        for (size_t i = m->begin[r]; good && i < m->begin[r + 1]; i++)
            good = m->index[i] < m->cols && (i == m->begin[r] || m->index[i - 1] < m->index[i]);
    }
    return good;
}

static enum status knn_load(struct model *m, struct blob_reader *r, struct error *err)
{
    enum status st = knn_begin(m, NULL, err);
    if (st)
        return st;
    struct csr *similar = &((struct knn *)m->state)->similar;
    void *index = NULL, *value = NULL;
    size_t nindex = 0, nvalue = 0;
    similar->rows = similar->cols = m->nitems;
    similar->begin = mem_new(m->nitems + 1, sizeof *similar->begin, "item-kNN rows", err);
    st = similar->begin ? blob_get(r, "begin", BLOB_U64, similar->begin, m->nitems + 1, err) : ST_NOMEM;
    if (st)
        return st;
    size_t count = csr_count(similar);
    st = blob_get_new(r, "neighbour", BLOB_U32, count, &index, &nindex, err);
    similar->index = index;
    if (!st)
        st = blob_get_new(r, "similarity", BLOB_F32, count, &value, &nvalue, err);
    similar->value = value;
    if (!st && (nindex != count || nvalue != count || !rows_good(similar)))
        st = error_set(err, ST_CORRUPT, "the neighbours of model %s are damaged", m->name);
    return st;
}

const struct model_class model_itemknn = {
    .name = "itemknn",
    .summary = "items whose users are those of the history's items",
    .reference = "Deshpande, Karypis: Item-based top-N recommendation algorithms, ACM TOIS 22(1), 2004; asymmetric cosine: "
                 "Aiolli: Efficient top-n recommendation for very large scale binary rated datasets, RecSys 2013",
    .fold_in = "scores any history the same way as a known one: exactly the native score",
    .params = params,
    .nparams = sizeof params / sizeof *params,
    .check = knn_check,
    .begin = knn_begin,
    .epoch = knn_epoch,
    .score = knn_score,
    .explain = knn_explain,
    .similar = knn_similar,
    .save = knn_save,
    .load = knn_load,
    .free = knn_free,
};
