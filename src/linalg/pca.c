#include "linalg/pca.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "linalg/kernel.h"

enum { CHUNK = 1024 };

/* c (k x k, row-major, upper triangle) = the scatter of y around mean. */
static void scatter(const float *y, size_t rows, size_t k, const double *mean, double *chunk, double *c)
{
    memset(c, 0, k * k * sizeof *c);
    for (size_t from = 0; from < rows; from += CHUNK) {
        size_t n = rows - from < CHUNK ? rows - from : CHUNK;
        for (size_t i = 0; i < n * k; i++)
            chunk[i] = y[from * k + i] - mean[i % k];
        cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, (int)k, (int)n, 1, chunk, (int)k, 1, c, (int)k);
    }
}

static void place(const float *y, size_t rows, size_t k, size_t wanted, const double *mean, double *axis, double *at)
{
    for (size_t a = 0; a < wanted; a++) {
        double farthest = 0;
        for (size_t r = 0; r < rows; r++) {
            double sum = 0;
            for (size_t f = 0; f < k; f++)
                sum += (y[r * k + f] - mean[f]) * axis[a * k + f];
            at[r * wanted + a] = sum;
            farthest = fabs(sum) > fabs(farthest) ? sum : farthest;
        }
        for (size_t f = 0; f < k && farthest < 0; f++)
            axis[a * k + f] = -axis[a * k + f];
        for (size_t r = 0; r < rows && farthest < 0; r++)
            at[r * wanted + a] = -at[r * wanted + a];
    }
}

enum status pca(const float *y, size_t rows, size_t k, size_t wanted, double *axis, double *at, double *share,
                struct error *err)
{
    enum status st = ST_NOMEM;
    lapack_int found = 0;
    double all = 0;
    double *mean = mem_new(k, sizeof *mean, "principal components", err);
    double *chunk = mem_new_raw(k * CHUNK, sizeof *chunk, "principal components", err);
    double *c = mem_new_raw(k * k, sizeof *c, "principal components", err);
    double *value = mem_new(k, sizeof *value, "principal components", err);
    double *vector = mem_new_raw(k * wanted, sizeof *vector, "principal components", err);
    lapack_int *support = mem_new(2 * wanted, sizeof *support, "principal components", err);
    if (!mean || !chunk || !c || !value || !vector || !support)
        goto out;
    kernel_start();
    for (size_t i = 0; i < rows * k; i++)
        mean[i % k] += y[i];
    for (size_t f = 0; f < k && rows; f++)
        mean[f] /= (double)rows;
    scatter(y, rows, k, mean, chunk, c);
    for (size_t f = 0; f < k; f++)
        all += c[f * k + f];
    /* Eigenvalues ascend: the last ones are wanted. */
    if (LAPACKE_dsyevr(LAPACK_ROW_MAJOR, 'V', 'I', 'U', (lapack_int)k, c, (lapack_int)k, 0, 0,
                       (lapack_int)(k - wanted + 1), (lapack_int)k, 0, &found, value, vector, (lapack_int)wanted,
                       support) ||
        (size_t)found != wanted) {
        st = error_set(err, ST_FORMAT, "these vectors have no principal components: some are not finite");
        goto out;
    }
    for (size_t a = 0; a < wanted; a++) {
        share[a] = all > 0 ? fmax(value[wanted - 1 - a], 0) / all : 0;
        for (size_t f = 0; f < k; f++)
            axis[a * k + f] = vector[f * wanted + wanted - 1 - a];
    }
    place(y, rows, k, wanted, mean, axis, at);
    st = ST_OK;
out:
    mem_free(mean);
    mem_free(chunk);
    mem_free(c);
    mem_free(value);
    mem_free(vector);
    mem_free(support);
    return st;
}
