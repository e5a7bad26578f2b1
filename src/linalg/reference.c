#include "linalg/factor.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

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
