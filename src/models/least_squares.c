#include "models/least_squares.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/dense.h"
#include "models/factors.h"

enum status least_squares_set(struct least_squares *s, const float *y, size_t items, size_t k, struct error *err)
{
    double sum = 0;
    if (!s->gram && !(s->gram = mem_new(k * k, sizeof *s->gram, "least squares", err)))
        return ST_NOMEM;
    enum status st = gram(y, items, k, s->gram, err);
    for (size_t f = 0; f < k; f++)
        sum += s->gram[f * k + f];
    s->items = items;
    s->k = k;
    s->unit = sum / ((double)items * (double)k);
    return st ? st : ridge_set(&s->ridge, y, items, k, err);
}

void least_squares_clear(struct least_squares *s)
{
    mem_free(s->gram);
    ridge_clear(&s->ridge);
    *s = (struct least_squares){0};
}

static double pull(const void *context, size_t n)
{
    const struct least_squares *s = context;
    return s->lambda * s->unit * ((double)n + s->alpha0 * (double)s->items);
}

enum status least_squares_solve(const struct least_squares *s, const struct csr *rows, float *x, struct error *err)
{
    return ridge_solve_rows(&s->ridge, &(struct ridge_rows){rows, pull, s, s->alpha0}, x, NULL, err);
}

enum status least_squares_fold(const struct least_squares *s, const struct query *queries, size_t n, float *x,
                               struct error *err)
{
    struct csr rows = {0};
    enum status st = folded_rows(queries, n, s->items, false, &rows, err);
    if (!st)
        st = least_squares_solve(s, &rows, x, err);
    csr_clear(&rows);
    return st;
}

struct likeness {
    const struct least_squares *s;
    const float *x, *meant;
    double *cosine; /* one a row */
};

/* a'(y'y)b, the sum over all items of the products of both scores. */
static double of_scores(const struct least_squares *s, const float *a, const float *b)
{
    double sum = 0;
    for (size_t i = 0; i < s->k; i++) {
        double left = 0, right = 0;
        for (size_t j = 0; j < i; j++) {
            left += (double)s->gram[i * s->k + j] * b[j];
            right += (double)s->gram[i * s->k + j] * a[j];
        }
        sum += a[i] * (left + (double)s->gram[i * s->k + i] * b[i]) + b[i] * right;
    }
    return sum;
}

static void likeness_row(void *context, size_t block, size_t begin, size_t end)
{
    (void)block;
    struct likeness *l = context;
    for (size_t r = begin; r < end; r++) {
        const float *x = l->x + r * l->s->k, *meant = l->meant + r * l->s->k;
        double both = of_scores(l->s, x, x) * of_scores(l->s, meant, meant);
        l->cosine[r] = both > 0 ? of_scores(l->s, x, meant) / sqrt(both) : 0;
    }
}

enum status least_squares_likeness(const struct least_squares *s, const float *x, const float *meant, size_t rows,
                                   double *likeness, struct error *err)
{
    struct likeness l = {s, x, meant, mem_new(rows, sizeof(double), "likeness of vectors", err)};
    if (!l.cosine)
        return ST_NOMEM;
    parallel_blocks(rows, 8, likeness_row, &l);
    double sum = 0;
    for (size_t r = 0; r < rows; r++)
        sum += l.cosine[r];
    *likeness = rows ? sum / (double)rows : 0;
    mem_free(l.cosine);
    return ST_OK;
}

enum status least_squares_explain(const struct least_squares *s, const struct model *m, const struct query *q,
                                  uint32_t item, struct explanation *out, struct error *err)
{
    struct csr row = {0};
    enum status st = folded_rows(q, 1, m->nitems, false, &row, err);
    size_t n = st ? 0 : csr_count(&row);
    if (!st)
        st = factors_explain(&s->ridge, &(struct ridge_set){row.index, NULL, n, s->alpha0, pull(s, n)}, m, q, item, out,
                             err);
    csr_clear(&row);
    return st;
}
