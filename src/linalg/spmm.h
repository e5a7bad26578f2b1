/* A sparse matrix times a block of dense columns, and the k leading singular vectors of a matrix that is known by such
 * products only. */
#ifndef TAILOR_LINALG_SPMM_H
#define TAILOR_LINALG_SPMM_H

#include "base/job.h"
#include "linalg/sparse.h"

/* out[r * width + c] = scale[r] * sum over the entries e of row r of value[e] * x[index[e] * width + c], c < width;
 * scale NULL means all ones. Every sum is one chain of fused multiply-adds in the order of the entries, so that a
 * column has the same bits whatever the width and its place. x: a->cols x width, out: a->rows x width, aligned to 64
 * bytes. Runs on all threads, or on the calling one inside a parallel loop; out is garbage when the job (may be NULL)
 * was cancelled. */
void sparse_times_block(const struct csr *a, const float *scale, const float *x, size_t width, float *out,
                        const struct job *job);
/* The same by plain loops in double on one thread: what tests and benchmarks compare with. */
void sparse_times_block_reference(const struct csr *a, const float *scale, const float *x, size_t width, float *out);

/* A matrix, or what acts like one, by its products with blocks (row-major, `width` columns, aligned to 64 bytes). */
struct linear {
    size_t rows, cols;
    const void *context;
    void (*times)(const void *context, const float *x, size_t width, float *y, const struct job *job); /* y = A x */
    void (*transposed)(const void *context, const float *y, size_t width, float *x,
                       const struct job *job); /* x = A'y */
};

struct svd {
    size_t k, cols;
    double *sigma; /* k singular values, largest first */
    float *v;      /* cols x k: the right singular vectors are its columns, each with its largest entry positive */
};

/* The k leading singular values and right singular vectors, or as many as there are above the noise of float32 (about a
 * thousandth of the largest value): out->k may be smaller, and is 0 for a matrix of zeros.
 *
 * Block Lanczos with full reorthogonalization and thick restarts on the shorter side of A (Golub and Underwood 1977; Wu
 * and Simon 2000), until |A'A v - sigma^2 v| <= 1e-5 sigma_1^2 for all of them; then once more from a random block, so
 * that no copy of a multiple value is missed. float32, small matrices in double; the same bits with any number of
 * threads. The job sees the progress (`what` names it) and may cancel. */
MUST_CHECK enum status svd_truncated(const struct linear *a, size_t k, uint64_t seed, struct job *job, const char *what,
                                     struct svd *out, struct error *err);
/* Bytes that svd_truncated takes at most. */
size_t svd_bytes(size_t rows, size_t cols, size_t k);
/* Of a dense matrix (rows x cols, row-major) by LAPACK in double, for tests: all min(rows, cols) of them. */
MUST_CHECK enum status svd_reference(const float *a, size_t rows, size_t cols, struct svd *out, struct error *err);
void svd_clear(struct svd *s);

#endif
