#include "linalg/factor.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "linalg/spmm.h"

void sparse_gram_reference(const struct csr *x, float *a)
{
    for (size_t i = 0; i < x->cols; i++)
        memset(a + i * x->cols, 0, (i + 1) * sizeof *a);
    for (size_t r = 0; r < x->rows; r++)
        for (size_t p = x->begin[r]; p < x->begin[r + 1]; p++)
            for (size_t q = x->begin[r]; q <= p; q++)
                a[x->index[p] * x->cols + x->index[q]] += (x->value ? x->value[p] : 1) * (x->value ? x->value[q] : 1);
}

/* l (n x n) = the Cholesky factor of a. */
static enum status factor(const float *a, size_t n, double *l, struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++) {
            double sum = (double)a[i * n + j];
            for (size_t k = 0; k < j; k++)
                sum -= l[i * n + k] * l[j * n + k];
            l[i * n + j] = i == j ? sqrt(sum) : sum / l[j * n + j];
        }
        if (!(l[i * n + i] > 0))
            return error_set(err, ST_FORMAT, "the matrix is not positive definite (row %zu of %zu)", i, n);
    }
    return ST_OK;
}

enum status symmetric_inverse_reference(float *a, size_t n, struct error *err)
{
    double *l = mem_new(n * n, sizeof *l, "a reference matrix", err);
    double *r = mem_new(n * n, sizeof *r, "a reference matrix", err);
    enum status st = l && r ? factor(a, n, l, err) : ST_NOMEM;
    if (st)
        goto out;
    for (size_t j = 0; j < n; j++) {
        r[j * n + j] = 1 / l[j * n + j];
        for (size_t i = j + 1; i < n; i++) {
            double sum = 0;
            for (size_t k = j; k < i; k++)
                sum -= l[i * n + k] * r[k * n + j];
            r[i * n + j] = sum / l[i * n + i];
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t k = i; k < n; k++)
                sum += r[k * n + i] * r[k * n + j];
            a[i * n + j] = (float)sum;
        }
    }
out:
    mem_free(l);
    mem_free(r);
    return st;
}

void sparse_times_block_reference(const struct csr *a, const float *scale, const float *x, size_t width, float *out)
{
    for (size_t r = 0; r < a->rows; r++) {
        for (size_t c = 0; c < width; c++) {
            double sum = 0;
            for (size_t e = a->begin[r]; e < a->begin[r + 1]; e++)
                sum += (a->value ? (double)a->value[e] : 1) * (double)x[a->index[e] * width + c];
            out[r * width + c] = (float)((scale ? (double)scale[r] : 1) * sum);
        }
    }
}

enum status svd_reference(const float *a, size_t rows, size_t cols, struct svd *out, struct error *err)
{
    size_t n = rows < cols ? rows : cols;
    *out = (struct svd){.k = n, .cols = cols, .sigma = mem_new(n, sizeof *out->sigma, "a reference", err),
                        .v = mem_new(cols * n, sizeof *out->v, "a reference", err)};
    double *copy = mem_new(rows * cols, sizeof *copy, "a reference", err),
           *v = mem_new(n * cols, sizeof *v, "a reference", err);
    double *u = mem_new(rows * n, sizeof *u, "a reference", err), *rest = mem_new(n, sizeof *rest, "a reference", err);
    enum status st = out->sigma && out->v && copy && v && u && rest ? ST_OK : ST_NOMEM;
    for (size_t e = 0; !st && e < rows * cols; e++)
        copy[e] = (double)a[e];
    if (!st && LAPACKE_dgesvd(LAPACK_ROW_MAJOR, 'S', 'S', (int)rows, (int)cols, copy, (int)cols, out->sigma, u, (int)n,
                              v, (int)cols, rest))
        st = error_set(err, ST_FORMAT, "the reference has no singular values");
    for (size_t i = 0; !st && i < n; i++) {
        size_t top = i * cols;
        for (size_t c = i * cols; c < (i + 1) * cols; c++)
            top = fabs(v[c]) > fabs(v[top]) ? c : top;
        for (size_t c = 0; c < cols; c++)
            out->v[c * n + i] = (float)(v[top] < 0 ? -v[i * cols + c] : v[i * cols + c]);
    }
    mem_free(copy);
    mem_free(v);
    mem_free(u);
    mem_free(rest);
    if (st)
        svd_clear(out);
    return st;
}
