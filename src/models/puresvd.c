/* PureSVD: the leading singular vectors of the matrix, with nothing for unknown entries but zeros.
 *
 *     R D_I^(scaling - 1) ~ U S V'      D_I: lengths of the columns of R (users x items; ones, or weights)
 *     score(h) = h V V'
 *
 * scaling 1 is the paper's; less damps popular items, more raises them (EigenRec: Nikolakopoulos et al. 2019). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "linalg/spmm.h"
#include "models/classes.h"
#include "models/factors.h"

enum { VALUES_BINARY, VALUES_WEIGHT };

static const struct param params[] = {
    {.name = "factors",
     .type = PARAM_INT,
     .initial = "64",
     .min = 1,
     .max = 4096,
     .tune_min = 8,
     .tune_max = 512,
     .log_scale = true,
     .doc = "singular vectors kept"},
    {.name = "scaling",
     .type = PARAM_REAL,
     .initial = "1",
     .min = -2,
     .max = 2,
     .tune_min = -.2,
     .tune_max = 1.2,
     .doc = "power of the lengths of items in the matrix: 1 leaves it as it is, less damps popular items (EigenRec)"},
    {.name = "values",
     .type = PARAM_ENUM,
     .initial = "binary",
     .choices = "binary|weight",
     .doc = "count an item of a history once, or by the summed weight of its events"},
};

struct puresvd {
    struct factors items; /* V, items x k; k <= factors: what the matrix has */
    float *sigma;         /* singular values, k of them; NULL: saved before they were kept */
    bool weigh;           /* values=weight */
};

static void puresvd_free(struct model *m)
{
    struct puresvd *s = m->state;
    if (s) {
        factors_clear(&s->items);
        mem_free(s->sigma);
    }
    mem_free(s);
    m->state = NULL;
}

static enum status puresvd_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    (void)err;
    size_t k = (size_t)model_int(m, "factors");
    *bytes = svd_bytes(m->nusers, m->nitems, k) + 2 * m->nitems * k * sizeof(float) +
             4 * csr_count(&t->interactions->matrix) * sizeof(float);
    return ST_OK;
}

static enum status puresvd_begin(struct model *m, const struct training *t, struct error *err)
{
    (void)t;
    struct puresvd *s = mem_new(1, sizeof *s, "PureSVD", err);
    if (!s)
        return ST_NOMEM;
    m->state = s;
    s->weigh = model_int(m, "values") == VALUES_WEIGHT;
    return ST_OK;
}

/* ---- training ---- */

struct both {
    struct csr users, items; /* the scaled matrix and its transpose */
};

static void times(const void *context, const float *x, size_t width, float *y, const struct job *job)
{
    sparse_times_block(&((const struct both *)context)->users, NULL, x, width, y, job);
}

static void transposed(const void *context, const float *y, size_t width, float *x, const struct job *job)
{
    sparse_times_block(&((const struct both *)context)->items, NULL, y, width, x, job);
}

/* Scales the columns of R, which are the rows of `items`: in place, after which `users` is made of it. */
static enum status scaled(const struct csr *r, bool weigh, double scaling, struct both *out, struct error *err)
{
    struct csr view = *r;
    if (!weigh)
        view.value = NULL;
    enum status st = csr_transpose(&view, &out->items, err);
    if (!st && !weigh)
        st = (out->items.value = mem_new_raw(csr_count(r), sizeof *out->items.value, "matrix values", err)) ? ST_OK
                                                                                                            : ST_NOMEM;
    for (size_t i = 0; !st && i < out->items.rows; i++) {
        double square = 0;
        for (size_t e = out->items.begin[i]; e < out->items.begin[i + 1]; e++)
            square += weigh ? (double)out->items.value[e] * (double)out->items.value[e] : 1;
        double factor = square > 0 ? pow(square, (scaling - 1) / 2) : 0;
        for (size_t e = out->items.begin[i]; e < out->items.begin[i + 1]; e++)
            out->items.value[e] = (float)((weigh ? (double)out->items.value[e] : 1) * factor);
    }
    return st ? st : csr_transpose(&out->items, &out->users, err);
}

static enum status puresvd_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                                 struct error *err)
{
    (void)epoch;
    (void)loss;
    struct puresvd *s = m->state;
    struct both r = {0};
    struct svd svd = {0};
    char what[96];
    snprintf(what, sizeof what, "train %s: singular vectors", m->name);
    *done = true;
    enum status st = scaled(&t->interactions->matrix, s->weigh, model_real(m, "scaling"), &r, err);
    struct linear a = {r.users.rows, r.users.cols, &r, times, transposed};
    if (!st)
        st = svd_truncated(&a, (size_t)model_int(m, "factors"), t->seed, t->job, what, &svd, err);
    if (!st)
        st = factors_new(&s->items, m->nitems, svd.k, false, err);
    if (!st && !(s->sigma = mem_new_raw(svd.k, sizeof *s->sigma, "singular values", err)))
        st = ST_NOMEM;
    if (!st) {
        for (size_t f = 0; f < svd.k; f++)
            s->sigma[f] = (float)svd.sigma[f];
        memcpy(s->items.y, svd.v, m->nitems * svd.k * sizeof *svd.v);
        st = factors_pack(&s->items, err);
    }
    svd_clear(&svd);
    csr_clear(&r.users);
    csr_clear(&r.items);
    return st;
}

/* ---- answering ---- */

static enum status puresvd_fold(const struct model *m, const struct query *queries, size_t n, float *x,
                                struct error *err)
{
    const struct puresvd *s = m->state;
    struct csr rows;
    enum status st = folded_rows(queries, n, m->nitems, s->weigh, &rows, err);
    if (st)
        return st;
    for (size_t q = 0; q < n; q++) {
        size_t at = rows.begin[q];
        rows_sum(x + q * s->items.k, s->items.k, s->items.y, rows.index + at, rows.value ? rows.value + at : NULL,
                 rows.begin[q + 1] - at);
    }
    csr_clear(&rows);
    return ST_OK;
}

static enum status puresvd_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                                 struct error *err)
{
    const struct puresvd *s = m->state;
    return factors_score(&s->items, m, queries, n, scores, err);
}

static enum status puresvd_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                                   struct error *err)
{
    const struct puresvd *s = m->state;
    size_t k = s->items.k;
    struct csr row = {0};
    float *scores = mem_new_raw(m->nitems, sizeof *scores, "scores", err);
    enum status st = scores ? folded_rows(q, 1, m->nitems, s->weigh, &row, err) : ST_NOMEM;
    if (!st)
        st = puresvd_score(m, q, 1, scores, err);
    if (!st)
        st = explanation_new(out, csr_count(&row), err);
    if (st)
        goto out;
    for (size_t j = 0; j < csr_count(&row); j++) {
        double product = factors_product(s->items.y + row.index[j] * k, s->items.y + item * k, k);
        explanation_add(out, row.index[j], (row.value ? (double)row.value[j] : 1) * product);
    }
    explanation_sort(out);
    explanation_score(out, scores, m->nitems, item);
    out->exact = true;
    out->method = "product of the vectors of each item of the history and this one (exact)";
out:
    csr_clear(&row);
    mem_free(scores);
    return st;
}

static enum status puresvd_similar(const struct model *m, uint32_t item, float *similarity, struct error *err)
{
    (void)err;
    const struct puresvd *s = m->state;
    factors_similar(&s->items, s->sigma, item, similarity);
    return ST_OK;
}

static const float *puresvd_vectors(const struct model *m, size_t *width)
{
    return factors_vectors(&((const struct puresvd *)m->state)->items, width);
}

static enum status puresvd_scale(const struct model *m, float *scale, struct error *err)
{
    (void)err;
    const struct puresvd *s = m->state;
    for (size_t f = 0; f < s->items.k; f++)
        scale[f] = s->sigma ? s->sigma[f] : 1;
    return ST_OK;
}

/* ---- keeping ---- */

/* "rank", u64: how many vectors, and how many singular values; the second one is missing where those were not kept yet.
 * Then "item-vectors" and "singular-values", f32. */
static enum status puresvd_save(const struct model *m, struct blob_writer *w, struct error *err)
{
    const struct puresvd *s = m->state;
    uint64_t rank[2] = {s->items.k, s->items.k};
    enum status st = blob_put(w, "rank", BLOB_U64, rank, s->sigma ? 2 : 1, err);
    if (!st)
        st = factors_save(&s->items, w, err);
    return st || !s->sigma ? st : blob_put(w, "singular-values", BLOB_F32, s->sigma, s->items.k, err);
}

static enum status load_sigma(struct puresvd *s, const struct model *m, struct blob_reader *r, struct error *err)
{
    s->sigma = mem_new_raw(s->items.k, sizeof *s->sigma, "singular values", err);
    enum status st = s->sigma ? blob_get(r, "singular-values", BLOB_F32, s->sigma, s->items.k, err) : ST_NOMEM;
    for (size_t f = 0; f < s->items.k && !st; f++)
        if (!isfinite(s->sigma[f]) || s->sigma[f] < 0)
            st = error_set(err, ST_CORRUPT, "the singular values of model %s are damaged", m->name);
    return st;
}

static enum status puresvd_load(struct model *m, struct blob_reader *r, struct error *err)
{
    void *rank = NULL;
    size_t n = 0;
    enum status st = puresvd_begin(m, NULL, err);
    if (!st)
        st = blob_get_new(r, "rank", BLOB_U64, 2, &rank, &n, err);
    uint64_t k = n ? *(const uint64_t *)rank : 0;
    mem_free(rank);
    if (!st && (!n || k > (uint64_t)model_int(m, "factors")))
        st = error_set(err, ST_CORRUPT, "model %s has more vectors than its parameters say", m->name);
    struct puresvd *s = m->state;
    if (!st)
        st = factors_load(&s->items, m, (size_t)k, false, r, err);
    return st || n == 1 ? st : load_sigma(s, m, r, err);
}

const struct model_class model_puresvd = {
    .name = "puresvd",
    .summary = "leading singular vectors of the user-item matrix",
    .reference = "Cremonesi, Koren, Turrin: Performance of recommender algorithms on top-N recommendation tasks, "
                 "RecSys 2010",
    .fold_in = "scores any history the same way as a known one: exactly the native score",
    .capabilities = CLOSED_FORM | ADDS_UP,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    .check = puresvd_check,
    .begin = puresvd_begin,
    .epoch = puresvd_epoch,
    .score = puresvd_score,
    .explain = puresvd_explain,
    .similar = puresvd_similar,
    .vectors = puresvd_vectors,
    .fold = puresvd_fold,
    .scale = puresvd_scale,
    .save = puresvd_save,
    .load = puresvd_load,
    .free = puresvd_free,
};
