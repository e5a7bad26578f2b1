#include "linalg/ridge.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/kernel.h"
#include "linalg/wide_sums.h"

/* ---- the decomposition ---- */

/* Y'Y is summed over so many strips, however many threads there are; rows are made double so many at a time. */
enum { STRIPS = 8, CHUNK = 128 };
/* Eigenvalues below this share of the largest are rounding. */
static const double noise = 1e-13;

struct making {
    struct ridge *r;
    const float *y;
    double *gram;   /* STRIPS matrices; then the first one holds the eigenvectors, one a row */
    double **chunk; /* one a thread: two times CHUNK x k */
};

static void widen(double *to, const float *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = from[i];
}

static void gram_strip(void *context, size_t strip, size_t begin, size_t end)
{
    struct making *w = context;
    size_t k = w->r->k;
    double *chunk = w->chunk[parallel_thread()];
    for (size_t at = begin; at < end; at += CHUNK) {
        size_t n = end - at < CHUNK ? end - at : CHUNK;
        widen(chunk, w->y + at * k, n * k);
        cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, (int)k, (int)n, 1, chunk, (int)k, 1, w->gram + strip * k * k,
                    (int)k);
    }
}

static void rotate_chunk(void *context, size_t block, size_t begin, size_t end)
{
    (void)block;
    struct making *w = context;
    size_t k = w->r->k, n = end - begin;
    double *chunk = w->chunk[parallel_thread()], *turned = chunk + CHUNK * k;
    float *z = w->r->z + begin * k;
    widen(chunk, w->y + begin * k, n * k);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)k, (int)k, 1, chunk, (int)k, w->gram, (int)k, 0,
                turned, (int)k);
    for (size_t i = 0; i < n; i++)
        for (size_t f = 0; f < k; f++)
            z[i * k + f] = w->r->value[f] > 0 ? (float)turned[i * k + f] : 0;
}

static enum status decompose(struct making *w, struct error *err)
{
    size_t k = w->r->k;
    double *a = w->gram, *value = w->r->value;
    bool finite = true;
    for (size_t s = 1; s < STRIPS; s++)
        for (size_t i = 0; i < k * k; i++)
            a[i] += a[s * k * k + i];
    for (size_t i = 0; i < k && finite; i++)
        finite = isfinite(a[i * k + i]);
    if (!finite || LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'L', (int)k, a, (int)k, value))
        return error_set(err, ST_FORMAT, "these vectors cannot be used: some are not finite");
    for (size_t f = 0; f < k; f++)
        if (!(value[f] > noise * value[k - 1]))
            value[f] = 0;
    return ST_OK;
}

static enum status pack_axes(struct ridge *r, const double *vectors, struct error *err)
{
    size_t k = r->k;
    float *q = mem_new_raw(k * k, sizeof *q, "ridge regression", err);
    if (!q)
        return ST_NOMEM;
    for (size_t c = 0; c < k; c++)
        for (size_t f = 0; f < k; f++)
            q[c * k + f] = (float)vectors[f * k + c];
    dots_clear(&r->axes);
    enum status st = dots_pack(&r->axes, q, k, k, err);
    mem_free(q);
    return st;
}

static enum status make_room(struct making *w, size_t threads, struct error *err)
{
    struct ridge *r = w->r;
    size_t k = r->k;
    if (!r->z)
        r->z = mem_new_raw(r->rows * k, sizeof *r->z, "ridge regression", err);
    if (!r->value)
        r->value = mem_new(k, sizeof *r->value, "ridge regression", err);
    w->gram = mem_new(STRIPS * k * k, sizeof *w->gram, "ridge regression", err);
    w->chunk = mem_new(threads, sizeof *w->chunk, "ridge regression", err);
    if (!r->z || !r->value || !w->gram || !w->chunk)
        return ST_NOMEM;
    for (size_t t = 0; t < threads; t++)
        if (!(w->chunk[t] = mem_new_raw(2 * CHUNK * k, sizeof **w->chunk, "ridge regression", err)))
            return ST_NOMEM;
    return ST_OK;
}

enum status ridge_set(struct ridge *r, const float *y, size_t rows, size_t k, struct error *err)
{
    size_t threads = (size_t)parallel_threads();
    if (r->rows != rows || r->k != k)
        ridge_clear(r);
    r->rows = rows;
    r->k = k;
    struct making w = {r, y, NULL, NULL};
    kernel_start();
    enum status st = make_room(&w, threads, err);
    if (!st) {
        parallel_blocks(rows, rows / STRIPS + 1, gram_strip, &w);
        st = decompose(&w, err);
    }
    if (!st)
        parallel_blocks(rows, CHUNK, rotate_chunk, &w);
    if (!st)
        st = pack_axes(r, w.gram, err);
    for (size_t t = 0; w.chunk && t < threads; t++)
        mem_free(w.chunk[t]);
    mem_free(w.chunk);
    mem_free(w.gram);
    return st;
}

void ridge_clear(struct ridge *r)
{
    mem_free(r->z);
    mem_free(r->value);
    dots_clear(&r->axes);
    *r = (struct ridge){0};
}

size_t ridge_bytes(size_t rows, size_t k)
{
    return rows * k * sizeof(float) + STRIPS * k * k * sizeof(double) +
           (size_t)parallel_threads() * 2 * CHUNK * k * sizeof(double);
}
