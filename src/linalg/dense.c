#include "linalg/dense.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/kernel.h"

enum { GRAM_CHUNK = 4096, GRAM_GATHER = 64 };

struct gram_work {
    const float *y;
    float *partial;
    size_t k;
};

static void gram_chunk(void *context, size_t i, size_t begin, size_t end)
{
    struct gram_work *w = context;
    int k = (int)w->k;
    cblas_ssyrk(CblasRowMajor, CblasLower, CblasTrans, k, (int)(end - begin), 1, w->y + begin * w->k, k, 0,
                w->partial + i * w->k * w->k, k);
}

enum status gram(const float *y, size_t rows, size_t k, float *out, struct error *err)
{
    kernel_start();
    size_t chunks = parallel_count(rows, GRAM_CHUNK);
    struct gram_work w = {y, mem_new(chunks, k * k * sizeof *out, "partial sums", err), k};
    if (!w.partial)
        return ST_NOMEM;
    parallel_blocks(rows, GRAM_CHUNK, gram_chunk, &w);
    memset(out, 0, k * k * sizeof *out);
    for (size_t c = 0; c < chunks; c++)
        for (size_t e = 0; e < k * k; e++)
            out[e] += w.partial[c * k * k + e];
    mem_free(w.partial);
    return ST_OK;
}

size_t gram_scratch(size_t k)
{
    return GRAM_GATHER * k;
}

void gram_add(float *out, size_t k, const float *y, const uint32_t *index, const float *weight, size_t n, float *scratch)
{
    kernel_start();
    for (size_t begin = 0; begin < n; begin += GRAM_GATHER) {
        size_t m = n - begin < GRAM_GATHER ? n - begin : GRAM_GATHER;
        for (size_t j = 0; j < m; j++) {
            float scale = weight ? sqrtf(weight[begin + j]) : 1;
            const float *row = y + (size_t)index[begin + j] * k;
            for (size_t f = 0; f < k; f++)
                scratch[j * k + f] = scale * row[f];
        }
        cblas_ssyrk(CblasRowMajor, CblasLower, CblasTrans, (int)k, (int)m, 1, scratch, (int)k, 1, out, (int)k);
    }
}

bool cholesky_factor(float *a, size_t k)
{
    kernel_start();
    /* The lower triangle by rows is the upper one by columns. */
    if (LAPACKE_spotrf_work(LAPACK_COL_MAJOR, 'U', (int)k, a, (int)k) != 0)
        return false;
    for (size_t i = 0; i < k; i++)
        if (!(a[i * k + i] > 0)) /* LAPACK lets NaN pass */
            return false;
    return true;
}

void cholesky_apply(const float *l, size_t k, float *b)
{
    cblas_strsv(CblasRowMajor, CblasLower, CblasNoTrans, CblasNonUnit, (int)k, l, (int)k, b, 1);
    cblas_strsv(CblasRowMajor, CblasLower, CblasTrans, CblasNonUnit, (int)k, l, (int)k, b, 1);
}

bool cholesky_solve(float *a, size_t k, float *b)
{
    if (!cholesky_factor(a, k))
        return false;
    cholesky_apply(a, k, b);
    return true;
}
