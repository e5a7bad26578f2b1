#include "models/ease_body.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/bundle.h"
#include "linalg/dense.h"
#include "linalg/factor.h"
#include "models/item_weights.h"

enum { BAND = 256 }; /* rows that are saved together */

void ease_body_free(struct model *m)
{
    struct ease *s = m->state;
    mem_free(s->p);
    mem_free(s->scale);
    mem_free(s);
    m->state = NULL;
}

size_t ease_body_bytes(size_t nitems, size_t entries)
{
    size_t square;
    if (__builtin_mul_overflow(nitems * sizeof(float), nitems, &square))
        square = SIZE_MAX / 2;
    return square + nitems * sizeof(float) + entries * 2 * sizeof(float);
}

/* The Gram matrix is little beside its inverse. */
enum status ease_body_estimate(const struct model *m, double *seconds, struct error *err)
{
    return symmetric_inverse_seconds(m->nitems, seconds, err);
}

enum status ease_body_new(struct model *m, struct error *err)
{
    struct ease *s = mem_new(1, sizeof *s, "EASE", err);
    if (!s)
        return ST_NOMEM;
    m->state = s;
    s->weigh = model_int(m, "values") == VALUES_WEIGHT;
    s->scale = mem_new(m->nitems, sizeof *s->scale, "the item scales", err);
    s->p = mem_new_raw(m->nitems * m->nitems, sizeof *s->p, "the item weights of EASE", err);
    return s->scale && s->p ? ST_OK : ST_NOMEM;
}

bool ease_body_scale(struct ease *s, size_t n)
{
    bool good = true;
    for (size_t i = 0; i < n; i++) {
        float *diagonal = &s->p[i * n + i];
        good = good && *diagonal > 0 && isfinite(*diagonal);
        s->scale[i] = -1 / *diagonal;
        *diagonal = 0;
    }
    return good;
}

static enum status not_inverted(const struct model *m, struct error *err)
{
    error_set(err, ST_FORMAT, "the item-item matrix cannot be inverted with lambda=%g in float32",
              model_real(m, "lambda"));
    error_hint(err, "raise lambda, or use values=binary");
    return ST_FORMAT;
}

enum status ease_body_fit(struct model *m, const struct csr *x, struct job *job, struct error *err)
{
    struct ease *s = m->state;
    char what[96];
    size_t n = m->nitems;
    float lambda = (float)model_real(m, "lambda");
    snprintf(what, sizeof what, "train %s: counting pairs", m->name);
    enum status st = sparse_gram(x, s->p, job, what, err);
    if (st)
        return st;
    for (size_t i = 0; i < n; i++)
        s->p[i * n + i] += lambda;
    snprintf(what, sizeof what, "train %s: inverting", m->name);
    job_expect(job, 0); /* it is all that is left, and its tiles tell better how long that takes */
    st = symmetric_inverse(s->p, n, job, what, err);
    if (st == ST_FORMAT || (!st && !ease_body_scale(s, n)))
        return not_inverted(m, err);
    if (!st)
        symmetric_mirror(s->p, n);
    return st;
}

/* ---- answering ---- */

/* Scores of items [begin, begin + count) out of their sums. The zero turns -0 into 0. */
static void scale_sums(const struct ease *s, size_t begin, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = s->scale[begin + i] * out[i] + 0.0F;
}

/* Scores of these items for history q. */
static void score_items(const struct ease *s, const struct csr *h, size_t q, size_t begin, size_t count, float *out)
{
    size_t first = h->begin[q], n = h->begin[q + 1] - first;
    const float *value = h->value ? h->value + first : NULL;
    if (count == SUM_PANEL)
        rows_sum_panel(out, s->p + begin, h->cols, h->index + first, value, n);
    else
        rows_sum_stride(out, count, s->p + begin, h->cols, h->index + first, value, n);
    scale_sums(s, begin, count, out);
}

/* Columns whose sums stay in the first-level cache while rows stream through. */
enum { COLUMNS = 4096 };
/* Weights to be read from which it is quicker to wake the other threads: about a third of a millisecond's. */
enum { WORTH_THREADS = 1 << 21 };
/* Many histories read the same rows: all of them look at few columns, then at the next ones, and find these in the
 * cache. From so many reads of each row on. */
enum { WORTH_PANELS = 2 };

struct answers {
    const struct ease *s;
    const struct csr *h;
    const struct bundles *bundles; /* of h; none where there are few */
    size_t pieces;                 /* pieces of COLUMNS in one row of scores */
    float *scores;
};

static void score_pieces(void *context, size_t block, size_t begin, size_t end)
{
    (void)block;
    const struct answers *a = context;
    for (size_t i = begin; i < end; i++) {
        size_t q = i / a->pieces, first = i % a->pieces * COLUMNS, left = a->h->cols - first;
        score_items(a->s, a->h, q, first, left < COLUMNS ? left : COLUMNS, a->scores + q * a->h->cols + first);
    }
}

/* Items [first, first + count) for the histories of a bundle. */
static void score_bundle(const struct answers *a, const struct bundle *b, size_t first, size_t count)
{
    size_t whole = b->n ? count / BUNDLE_COLUMNS * BUNDLE_COLUMNS : 0, nitems = a->h->cols;
    float *out = a->scores + b->first * nitems + first;
    if (whole)
        bundle_sum_rows(b, a->s->p + first, nitems, whole, out, nitems);
    for (size_t l = 0; l < b->lists; l++, out += nitems) {
        scale_sums(a->s, first, whole, out);
        if (whole < count)
            score_items(a->s, a->h, b->first + l, first + whole, count - whole, out + whole);
    }
}

static void score_panels(void *context, size_t block, size_t begin, size_t end)
{
    (void)block;
    const struct answers *a = context;
    for (size_t i = begin; i < end; i++) {
        size_t first = i * SUM_PANEL, left = a->h->cols - first;
        for (size_t b = 0; b < a->bundles->n; b++)
            score_bundle(a, &a->bundles->list[b], first, left < SUM_PANEL ? left : SUM_PANEL);
    }
}

static enum status score_many(struct answers *a, struct error *err)
{
    struct bundles bundles;
    enum status st = bundles_new(a->h, &bundles, err);
    if (st)
        return st;
    a->bundles = &bundles;
    parallel_blocks(parallel_count(a->h->cols, SUM_PANEL), 1, score_panels, a);
    bundles_clear(&bundles);
    return ST_OK;
}

enum status ease_body_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                              struct error *err)
{
    const struct ease *s = m->state;
    struct csr h;
    enum status st = folded_rows(queries, n, m->nitems, s->weigh, &h, err);
    if (st)
        return st;
    struct answers a = {.s = s, .h = &h, .pieces = parallel_count(m->nitems, COLUMNS), .scores = scores};
    size_t all = n * a.pieces;
    if (n > 1 && csr_count(&h) >= WORTH_PANELS * m->nitems)
        st = score_many(&a, err);
    else
        parallel_blocks(all, csr_count(&h) * m->nitems < WORTH_THREADS ? all : 1, score_pieces, &a);
    csr_clear(&h);
    return st;
}

enum status ease_body_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                                struct error *err)
{
    const struct ease *s = m->state;
    struct csr h;
    enum status st = folded_rows(q, 1, m->nitems, s->weigh, &h, err);
    if (st)
        return st;
    size_t n = h.begin[1];
    float score;
    st = explanation_new(out, n, err);
    if (st)
        goto out;
    for (size_t i = 0; i < n; i++) {
        double weight = (double)s->p[h.index[i] * m->nitems + item] * (double)s->scale[item];
        struct contribution *c = explanation_add(out, h.index[i], (h.value ? (double)h.value[i] : 1) * weight + 0.0);
        if (h.index[i] == item)
            snprintf(c->label, sizeof c->label, "says nothing about itself");
    }
    explanation_sort(out);
    score_items(s, &h, 0, item, 1, &score);
    out->score = (double)score;
    out->exact = true;
    out->method = "learned weight of each item of the history (exact)";
out:
    csr_clear(&h);
    return st;
}

enum status ease_body_similar(const struct model *m, uint32_t item, float *similarity, struct error *err)
{
    (void)err;
    const struct ease *s = m->state;
    const float *row = s->p + item * m->nitems;
    for (size_t i = 0; i < m->nitems; i++)
        similarity[i] = row[i] != 0 ? row[i] * s->scale[i] : -INFINITY;
    return ST_OK;
}

/* ---- saving ---- */

/* Elements of rows [begin, end) of the strict lower triangle. */
static size_t band_count(size_t begin, size_t end)
{
    return (end * (end - 1) - begin * (begin - 1)) / 2;
}

enum status ease_body_save(const struct model *m, struct blob_writer *w, struct error *err)
{
    const struct ease *s = m->state;
    size_t n = m->nitems;
    float *band = mem_new_raw(BAND * n, sizeof *band, "a band of item weights", err);
    if (!band)
        return ST_NOMEM;
    enum status st = blob_put(w, "scale", BLOB_F32, s->scale, n, err);
    for (size_t begin = 0; begin < n && !st; begin += BAND) {
        size_t end = begin + BAND < n ? begin + BAND : n, at = 0;
        for (size_t i = begin; i < end; at += i++)
            memcpy(band + at, s->p + i * n, i * sizeof *band);
        st = blob_put(w, "band", BLOB_F32, band, at, err);
    }
    mem_free(band);
    return st;
}

static enum status get_band(struct ease *s, size_t n, size_t begin, float *band, struct blob_reader *r,
                            struct error *err)
{
    size_t end = begin + BAND < n ? begin + BAND : n, at = 0;
    enum status st = blob_get(r, "band", BLOB_F32, band, band_count(begin, end), err);
    for (size_t i = begin; i < end && !st; at += i++) {
        memcpy(s->p + i * n, band + at, i * sizeof *band);
        s->p[i * n + i] = 0;
    }
    return st;
}

enum status ease_body_load(struct model *m, struct blob_reader *r, struct error *err)
{
    enum status st = ease_body_new(m, err);
    if (st)
        return st;
    struct ease *s = m->state;
    size_t n = m->nitems;
    float *band = mem_new_raw(BAND * n, sizeof *band, "a band of item weights", err);
    st = band ? blob_get(r, "scale", BLOB_F32, s->scale, n, err) : ST_NOMEM;
    for (size_t begin = 0; begin < n && !st; begin += BAND)
        st = get_band(s, n, begin, band, r, err);
    mem_free(band);
    if (!st)
        symmetric_mirror(s->p, n);
    return st;
}
