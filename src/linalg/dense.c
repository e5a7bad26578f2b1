#include "linalg/dense.h"

#include <cblas.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/kernel.h"

enum { GRAM_CHUNK = 4096 };

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

void product_doubles(double *out, const double *a, const double *b, size_t rows, size_t inner, size_t columns)
{
    kernel_start();
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, (int)columns, (int)inner, 1, a, (int)inner, b,
                (int)columns, 1, out, (int)columns);
}
