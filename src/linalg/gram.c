#include "linalg/factor.h"

#include <string.h>

#include "base/parallel.h"

struct gram_rows {
    const struct csr *x, *transposed;
    float *a;
    struct job *job;
};

enum { GRAM_ROWS = 64 };

/* Row i of X'X is the sum of the rows of X that have column i: one thread a row, in the order of the rows. */
static void gram_rows(void *context, size_t block, size_t begin, size_t end)
{
    (void)block;
    const struct gram_rows *w = context;
    if (job_cancelled(w->job))
        return;
    const struct csr *x = w->x, *t = w->transposed;
    for (size_t i = begin; i < end; i++) {
        float *out = w->a + i * x->cols;
        memset(out, 0, (i + 1) * sizeof *out);
        for (size_t e = t->begin[i]; e < t->begin[i + 1]; e++) {
            size_t r = t->index[e];
            float scale = t->value ? t->value[e] : 1;
            for (size_t c = x->begin[r]; c < x->begin[r + 1] && x->index[c] <= i; c++)
                out[x->index[c]] += scale * (x->value ? x->value[c] : 1);
        }
    }
    job_step(w->job, end - begin);
}

enum status sparse_gram(const struct csr *x, float *a, struct job *job, const char *what, struct error *err)
{
    struct csr t;
    enum status st = csr_transpose(x, &t, err);
    if (st)
        return st;
    job_begin(job, x->cols, "rows", "%s", what);
    struct gram_rows w = {x, &t, a, job};
    parallel_blocks(x->cols, GRAM_ROWS, gram_rows, &w);
    csr_clear(&t);
    return job_check(job, err);
}

enum { MIRROR = 64 };

struct mirror {
    float *a;
    size_t n;
};

static void mirror_rows(void *context, size_t block, size_t begin, size_t end)
{
    (void)block;
    const struct mirror *m = context;
    for (size_t left = 0; left < end; left += MIRROR)
        for (size_t i = begin; i < end; i++)
            for (size_t j = left; j < left + MIRROR && j < i; j++)
                m->a[j * m->n + i] = m->a[i * m->n + j];
}

void symmetric_mirror(float *a, size_t n)
{
    struct mirror m = {a, n};
    parallel_blocks(n, MIRROR, mirror_rows, &m);
}
