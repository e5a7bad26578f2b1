/* The normal equations of one side of implicit alternating least squares, a row at a time:
 *
 *     A_r x_r = b_r,   A_r = G + ridge_r E + sum over j of w_rj y_j y_j',   b_r = sum over j of w_rj y_j
 *
 * where j runs over the entries of row r of a sparse matrix and G is what all rows share. Three ways to solve them:
 * exactly, by some steps of conjugate gradients from where x_r stands, or by a sweep over blocks of its components. A
 * row has the same bits whatever rows are solved with it. All run on the calling thread, on rows of their caller's
 * choice. */
#ifndef TAILOR_LINALG_NORMAL_H
#define TAILOR_LINALG_NORMAL_H

#include "linalg/dense.h"
#include "linalg/sparse.h"

/* What is fixed. */
struct normal {
    size_t k;
    const float *y;     /* k components a row; as many rows as the matrix has columns */
    const float *g;     /* G, k x k, both triangles */
    struct dots packed; /* G once more; only conjugate gradients and sweeps need it: dots_pack(&packed, g, k, k) */
};

/* What is solved. */
struct normal_rows {
    const struct csr *rows; /* w_rj; without values: all ones */
    const float *ridge;     /* one a row */
    float *x;               /* rows x k; a row without entries becomes 0 */
};

enum { NORMAL_BLOCK = 36 }; /* rows at a time that suit the kernels: a multiple of the tile of `dots_score` */

/* Floats of scratch, aligned to 64 bytes, for any of the functions below, when no row has more than `longest` entries.
 */
size_t normal_scratch(size_t k, size_t longest);

/* Each solves the rows begin .. end - 1 and adds to *explained the sum over them of b.x + x.(b - A x): what the row's
 * part of the squared error, sum of w (1 - x.y)^2 + x'(G + ridge E) x, falls short of the sum of w. */

/* By Cholesky. False when a system is not positive definite. */
MUST_CHECK bool normal_exact(const struct normal *s, const struct normal_rows *r, size_t begin, size_t end,
                             float *scratch, double *explained);
/* Hestenes and Stiefel's steps for all rows together, so that G meets a block of rows at once; without A itself
 * (Takacs, Pilaszy, Tikk: Applications of the conjugate gradient method for implicit feedback collaborative filtering,
 * RecSys 2011). */
void normal_conjugate(const struct normal *s, const struct normal_rows *r, size_t begin, size_t end, size_t steps,
                      float *scratch, double *explained);
/* A Newton step for each block of `width` components in turn, the products with y kept up to date (Rendle, Krichene,
 * Zhang, Koren: iALS++: speeding up matrix factorization with subspace optimization, 2021). False as normal_exact. */
MUST_CHECK bool normal_sweep(const struct normal *s, const struct normal_rows *r, size_t begin, size_t end,
                             size_t width, float *scratch, double *explained);

#endif
