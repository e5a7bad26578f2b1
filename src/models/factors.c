#include "models/factors.h"

#include <math.h>

#include "base/mem.h"

enum status factors_new(struct factors *f, size_t nitems, size_t k, bool bias, struct error *err)
{
    *f = (struct factors){.nitems = nitems, .k = k, .bias = bias};
    f->y = mem_new_raw(nitems * k, sizeof *f->y, "item vectors", err);
    return f->y ? ST_OK : ST_NOMEM;
}

void factors_clear(struct factors *f)
{
    mem_free(f->y);
    dots_clear(&f->panels);
    *f = (struct factors){0};
}

enum status factors_pack(struct factors *f, struct error *err)
{
    dots_clear(&f->panels);
    return dots_pack(&f->panels, f->y, f->nitems, f->k, err);
}

enum status factors_score(const struct factors *f, const struct model *m, const struct query *queries, size_t n,
                          float *scores, struct error *err)
{
    float *x = mem_new_raw(n * f->k, sizeof *x, "vectors of histories", err);
    enum status st = x ? m->class->fold(m, queries, n, x, err) : ST_NOMEM;
    if (!st)
        dots_score(&f->panels, x, n, scores);
    mem_free(x);
    return st;
}

enum status factors_explain(const struct ridge *r, const struct ridge_set *set, const struct model *m,
                            const struct query *q, uint32_t item, struct explanation *out, struct error *err)
{
    float *scores = mem_new_raw(m->nitems, sizeof *scores, "scores", err);
    double *part = mem_new_raw(set->n, sizeof *part, "an explanation", err);
    void *scratch = mem_new_raw(ridge_scratch(r->k, set->n), 1, "least squares", err);
    enum status st = scores && part && scratch ? m->class->score(m, q, 1, scores, err) : ST_NOMEM;
    if (!st && set->n && !ridge_parts(r, set, item, part, scratch))
        st = error_set(err, ST_FORMAT, "the least squares of %s cannot be solved for this history", m->name);
    if (!st)
        st = explanation_new(out, set->n, err);
    if (st)
        goto out;
    for (size_t j = 0; j < set->n; j++)
        explanation_add(out, set->index[j], part[j]);
    explanation_sort(out);
    explanation_score(out, scores, m->nitems, item);
    out->exact = true;
    out->method = "least squares taken apart by history item (exact; Hu et al. 2008, section 5)";
out:
    mem_free(scores);
    mem_free(part);
    mem_free(scratch);
    return st;
}

static double scaled_product(const float *a, const float *b, const float *scale, size_t k)
{
    double s = 0;
    for (size_t f = 0; f < k; f++)
        s += (double)a[f] * b[f] * scale[f] * scale[f];
    return s;
}

static double likeness(const float *a, const float *b, const float *scale, size_t k)
{
    return scale ? scaled_product(a, b, scale, k) : factors_product(a, b, k);
}

void factors_similar(const struct factors *f, const float *scale, uint32_t item, float *similarity)
{
    size_t k = f->k - f->bias;
    const float *y = f->y + item * f->k;
    double length = sqrt(likeness(y, y, scale, k));
    for (size_t i = 0; i < f->nitems; i++) {
        const float *other = f->y + i * f->k;
        double both = length * sqrt(likeness(other, other, scale, k));
        similarity[i] = both > 0 ? (float)(likeness(y, other, scale, k) / both) : -INFINITY;
    }
}

enum status factors_save(const struct factors *f, struct blob_writer *w, struct error *err)
{
    return blob_put(w, "item-vectors", BLOB_F32, f->y, f->nitems * f->k, err);
}

enum status factors_load(struct factors *f, const struct model *m, size_t k, bool bias, struct blob_reader *r,
                         struct error *err)
{
    void *y = NULL;
    size_t n = 0;
    *f = (struct factors){.nitems = m->nitems, .k = k, .bias = bias};
    enum status st = blob_get_new(r, "item-vectors", BLOB_F32, m->nitems * k, &y, &n, err);
    f->y = y;
    if (!st && n != m->nitems * k)
        st = error_set(err, ST_CORRUPT, "the item vectors of model %s are damaged", m->name);
    return st ? st : factors_pack(f, err);
}

enum status factors_pause(const float *x, size_t users, size_t width, struct blob_writer *w, struct error *err)
{
    return blob_put(w, "user-vectors", BLOB_F32, x, users * width, err);
}

enum status factors_resume(float *x, const struct model *m, size_t width, struct blob_reader *r, struct error *err)
{
    enum status st = blob_get(r, "user-vectors", BLOB_F32, x, m->nusers * width, err);
    for (size_t i = 0; i < m->nusers * width && !st; i++)
        if (!isfinite(x[i]))
            st = error_set(err, ST_CORRUPT, "the user vectors that the training of %s goes on from are damaged",
                           m->name);
    return st;
}
