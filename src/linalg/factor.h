/* Large symmetric matrices: sparse Gram products and tiled Cholesky inversion, in place, float32, on all threads.
 *
 * The work on tiles is OpenMP tasks of one-thread BLAS, in an order per tile that does not depend on the threads: same
 * bits with 1 thread or 16. `job` sees the progress (`what` names the phase) and may cancel between tiles; the matrix
 * is garbage then. Only the lower triangle a[i * n + j], j <= i, is read and written. */
#ifndef TAILOR_LINALG_FACTOR_H
#define TAILOR_LINALG_FACTOR_H

#include "base/job.h"
#include "linalg/sparse.h"

/* a (n x n with n = x->cols) = X'X. */
MUST_CHECK enum status sparse_gram(const struct csr *x, float *a, struct job *job, const char *what, struct error *err);

/* a becomes its inverse. ST_FORMAT when it is not positive definite. */
MUST_CHECK enum status symmetric_inverse(float *a, size_t n, struct job *job, const char *what, struct error *err);

/* About how long that takes here, in seconds: the time of one with n = 2048, thrice some 30 ms, times the cube; 0 below
 * that. */
MUST_CHECK enum status symmetric_inverse_seconds(size_t n, double *seconds, struct error *err);

/* p = G^-1 (n x n, both triangles read and written) becomes the inverse of G + sum over r in rows[0..nrows) of
 * after_r after_r' - before_r before_r', where before_r and after_r are row r of the matrices, empty past their last;
 * no row comes twice and columns are below n. Costs n^2 times the rank of the change; takes 512 more rows of n. Same
 * bits on any number of threads. ST_FORMAT when the result is not positive definite; p is garbage after any failure. */
MUST_CHECK enum status symmetric_inverse_update(float *p, size_t n, const struct csr *before, const struct csr *after,
                                                const uint32_t *rows, size_t nrows, struct job *job, const char *what,
                                                struct error *err);
/* The rank of that change, which tells what it costs: below n / 4 the update is quicker than symmetric_inverse. */
size_t symmetric_inverse_update_rank(const struct csr *before, const struct csr *after, const uint32_t *rows,
                                     size_t nrows);

/* Copies the lower triangle to the upper one. */
void symmetric_mirror(float *a, size_t n);

/* The same by plain loops on one thread, the inverse in double: what tests and benchmarks compare with. */
void sparse_gram_reference(const struct csr *x, float *a);
MUST_CHECK enum status symmetric_inverse_reference(float *a, size_t n, struct error *err);

#endif
