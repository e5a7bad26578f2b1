/* Dense matrices, row-major, of float32 unless it says otherwise, and the small kernels of factor models.
 *
 * OpenBLAS runs on one thread here, set once before its first use; all parallelism is ours, over blocks that depend on
 * the sizes only. So results have the same bits with any number of threads, on the same build and CPU kernel.
 *
 * Symmetric matrices keep one triangle: the lower one, a[i * n + j] with j <= i. What stands above the diagonal is
 * neither read nor kept, unless a function says that it mirrors. */
#ifndef TAILOR_LINALG_DENSE_H
#define TAILOR_LINALG_DENSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* ST_NOMEM where a limit of the address space leaves OpenBLAS no room for its buffers: it would ask for them for ever.
 * To be asked before work that needs it. */
MUST_CHECK enum status linalg_room(struct error *err);
/* What the bits depend on besides the input: "OpenBLAS 0.3.21 SkylakeX, avx512, amx". For the records of models. */
const char *linalg_kernel_name(void);

/* gram = Y'Y (k x k, lower triangle) of y (rows x k): partial sums over chunks of 4096 rows, added in chunk order.
 * Runs on all threads. ST_NOMEM when there is no room for the partial sums. */
MUST_CHECK enum status gram(const float *y, size_t rows, size_t k, float *out, struct error *err);

/* gram (k x k, lower triangle) += sum over j of weight[j] * y y' with y the k floats from y[index[j] * stride], in the
 * order of j; weight NULL means all ones. Runs on the calling thread. `scratch` holds gram_scratch(k) floats, aligned
 * to 64 bytes. */
void gram_add_stride(float *out, size_t k, const float *y, size_t stride, const uint32_t *index, const float *weight,
                     size_t n, float *scratch);
/* The same for rows of k. */
static inline void gram_add(float *out, size_t k, const float *y, const uint32_t *index, const float *weight, size_t n,
                            float *scratch)
{
    gram_add_stride(out, k, y, k, index, weight, n, scratch);
}
size_t gram_scratch(size_t k);

/* Solves A x = b for a positive definite A (k x k, lower triangle; destroyed, with what stands above it) with x in
 * place of b. For the many small systems of ALS (k <= 512): runs on the calling thread and needs no memory. False when
 * A is not positive definite, with b unchanged. */
MUST_CHECK bool cholesky_solve(float *a, size_t k, float *b);
/* Once more for another b, by what cholesky_solve left in a. */
void cholesky_again(const float *a, size_t k, float *b);

/* out[c] = sum over j of weight[j] * y[index[j] * stride + c] for c < k: one chain of fused multiply-adds in the order
 * of j, so that an entry has the same bits whatever k. weight NULL means all ones. Runs on the calling thread. */
void rows_sum_stride(float *out, size_t k, const float *y, size_t stride, const uint32_t *index, const float *weight,
                     size_t n);
/* The same bits for SUM_PANEL columns, kept in registers: for many sums over the same columns one after the other. */
enum { SUM_PANEL = 128 };
void rows_sum_panel(float *out, const float *y, size_t stride, const uint32_t *index, const float *weight, size_t n);
/* The same for rows of k. */
static inline void rows_sum(float *out, size_t k, const float *y, const uint32_t *index, const float *weight, size_t n)
{
    rows_sum_stride(out, k, y, k, index, weight, n);
}

/* out[j] = x . y[index[j] * stride ..] over k components, for j < n: partial sums a lane, added in a fixed order, so
 * that a product has the same bits whatever its place. Runs on the calling thread. */
void rows_dot(float *out, size_t k, const float *y, size_t stride, const uint32_t *index, size_t n, const float *x);

/* out[i * ld + j] = v_i . v_j for j <= i < n, of rows of `stride` components: n is a multiple of 4, stride of 16, and v
 * is aligned to 64 bytes. Spoils out for i < j < i + 4. Runs on the calling thread. */
void rows_products(float *out, size_t ld, const float *v, size_t n, size_t stride);

/* out (rows x columns) += a (rows x inner) * b (inner x columns), in doubles. Runs on the calling thread. */
void product_doubles(double *out, const double *a, const double *b, size_t rows, size_t inner, size_t columns);

/* Item vectors arranged for scoring: panels of DOTS_PANEL items, each with its factors one after the other,
 *
 *   panel[(p * k + f) * DOTS_PANEL + c] = y[(p * DOTS_PANEL + c) * k + f]       zeros past the last item */
enum { DOTS_PANEL = 64 };

struct dots {
    size_t items, k;
    float *panel;
};

MUST_CHECK enum status dots_pack(struct dots *d, const float *y, size_t items, size_t k, struct error *err);
void dots_clear(struct dots *d);
/* out[q * items + i] = x[q * k ...] . y[i * k ...] for q < queries. Every product is one chain of fused multiply-adds
 * over f = 0 .. k - 1, so a row has the same bits whatever `queries` and its place among them. Runs on all threads, or
 * on the calling one inside a parallel loop. */
void dots_score(const struct dots *d, const float *x, size_t queries, float *out);
/* The same scores of one panel: out[q * DOTS_PANEL + c], aligned to 64 bytes, 0 past the last item. On the calling
 * thread. */
void dots_panel(const struct dots *d, size_t panel, const float *x, size_t queries, float *out);

#endif
