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
    s->y = y;
    s->items = items;
    s->k = k;
    s->unit = sum / ((double)items * (double)k);
    return st;
}

void least_squares_clear(struct least_squares *s)
{
    mem_free(s->gram);
    *s = (struct least_squares){0};
}

/* One system: room for a matrix and for gram_add. */
static size_t room(size_t k)
{
    return (k * k + 15) / 16 * 16 + gram_scratch(k);
}

/* In `a` the matrix of the history, then solves for b in place. */
static bool solve(const struct least_squares *s, const uint32_t *index, size_t n, float *a, float *b)
{
    size_t k = s->k;
    float alpha0 = (float)s->alpha0;
    for (size_t i = 0; i < k; i++) {
        for (size_t j = 0; j <= i; j++)
            a[i * k + j] = alpha0 * s->gram[i * k + j];
        a[i * k + i] += (float)(s->lambda * s->unit * ((double)n + s->alpha0 * (double)s->items));
    }
    gram_add(a, k, s->y, index, NULL, n, a + (k * k + 15) / 16 * 16);
    return cholesky_solve(a, k, b);
}

static enum status unsolved(const struct least_squares *s, struct error *err)
{
    error_set(err, ST_FORMAT, "the least squares of a history cannot be solved: fold_lambda=%g is too small for these item vectors",
              s->lambda);
    error_hint(err, "try a larger fold_lambda");
    return ST_FORMAT;
}

struct fold {
    const struct least_squares *s;
    const struct csr *rows;
    float *x;
    float **scratch; /* one a thread */
    bool *failed;    /* one a block */
};

enum { FOLD_BLOCK = 32 };

static void fold_block(void *context, size_t block, size_t begin, size_t end)
{
    struct fold *f = context;
    const struct least_squares *s = f->s;
    float *a = f->scratch[parallel_thread()];
    for (size_t r = begin; r < end; r++) {
        const uint32_t *index = f->rows->index + f->rows->begin[r];
        size_t n = f->rows->begin[r + 1] - f->rows->begin[r];
        float *x = f->x + r * s->k;
        rows_sum(x, s->k, s->y, index, NULL, n);
        bool zero = true; /* nothing to learn from, and a matrix that may be zero */
        for (size_t c = 0; c < s->k && zero; c++)
            zero = x[c] == 0;
        if (!zero && !solve(s, index, n, a, x))
            f->failed[block] = true;
    }
}

enum status least_squares_solve(const struct least_squares *s, const struct csr *rows, float *x, struct error *err)
{
    int threads = parallel_threads();
    size_t blocks = parallel_count(rows->rows, FOLD_BLOCK);
    float **scratch = mem_new((size_t)threads, sizeof *scratch, "least squares", err);
    bool *failed = mem_new(blocks, sizeof *failed, "least squares", err);
    enum status st = scratch && failed ? ST_OK : ST_NOMEM;
    for (int t = 0; t < threads && !st; t++)
        if (!(scratch[t] = mem_new_raw(room(s->k), sizeof **scratch, "least squares", err)))
            st = ST_NOMEM;
    if (!st) {
        struct fold f = {s, rows, x, scratch, failed};
        parallel_blocks(rows->rows, FOLD_BLOCK, fold_block, &f);
        for (size_t b = 0; b < blocks && !st; b++)
            st = failed[b] ? unsolved(s, err) : ST_OK;
    }
    for (int t = 0; scratch && t < threads; t++)
        mem_free(scratch[t]);
    mem_free(scratch);
    mem_free(failed);
    return st;
}

enum status least_squares_fold(const struct least_squares *s, const struct query *queries, size_t n, float *x, struct error *err)
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

/* With z = A^-1 y_item the score is the sum over the history of y_j.z (Hu, Koren, Volinsky 2008, section 5). */
enum status least_squares_explain(const struct least_squares *s, const struct model *m, const struct query *q, uint32_t item,
                                  struct explanation *out, struct error *err)
{
    struct csr row = {0};
    size_t k = s->k;
    float *z = mem_new_raw(k, sizeof *z, "an explanation", err);
    float *a = mem_new_raw(room(k), sizeof *a, "least squares", err);
    float *scores = mem_new_raw(m->nitems, sizeof *scores, "scores", err);
    enum status st = z && a && scores ? folded_rows(q, 1, m->nitems, false, &row, err) : ST_NOMEM;
    if (!st)
        st = m->class->score(m, q, 1, scores, err);
    if (!st)
        st = explanation_new(out, csr_count(&row), err);
    if (st)
        goto out;
    memcpy(z, s->y + item * k, k * sizeof *z);
    if (!solve(s, row.index, csr_count(&row), a, z))
        memset(z, 0, k * sizeof *z); /* only for vectors of zeros: score and parts are zero */
    for (size_t j = 0; j < csr_count(&row); j++)
        explanation_add(out, row.index[j], factors_product(s->y + row.index[j] * k, z, k));
    explanation_sort(out);
    explanation_score(out, scores, m->nitems, item);
    out->exact = true;
    out->method = "least squares taken apart by history item (exact; Hu et al. 2008, section 5)";
out:
    csr_clear(&row);
    mem_free(z);
    mem_free(a);
    mem_free(scores);
    return st;
}
