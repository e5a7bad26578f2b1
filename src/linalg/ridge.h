/* Ridge regressions on a few rows of a matrix Y (rows x k), which share what all of its rows weigh. For a set S of
 * rows,
 *
 *     minimal over x:   sum over S of w_j (1 - x.y_j)^2  +  all * sum over all rows of (x.y_i)^2  +  pull * |x|^2
 *
 * One eigendecomposition Y'Y = Q L Q' serves all sets, whatever `all` and `pull` are: with Z = Y Q, D = all L + pull
 * and U = W^1/2 Z_S D^-1/2, of n rows,
 *
 *     x  =  Q D^-1/2 U' (E + U U')^-1 w^1/2  =  Q D^-1/2 (E + U'U)^-1 U' w^1/2
 *
 * and the smaller system, of n or of k unknowns, is solved. No eigenvalue of either is below 1 or above 1 + max w /
 * all, however ill-conditioned Y is: Cholesky in float32 and one refinement in double leave no more than the rounding
 * of the result. Directions in which Y has nothing get nothing. */
#ifndef TAILOR_LINALG_RIDGE_H
#define TAILOR_LINALG_RIDGE_H

#include "linalg/dense.h"
#include "linalg/sparse.h"

struct ridge {
    size_t rows, k;
    float *z;        /* rows x k: Y Q */
    double *value;   /* L, k of them; none is negative */
    struct dots axes; /* Q, for going back: x = Q z */
};

/* Reads y and keeps nothing of it. Runs on all threads. *r is empty or was made before; clear it also after a failure.
 */
MUST_CHECK enum status ridge_set(struct ridge *r, const float *y, size_t rows, size_t k, struct error *err);
void ridge_clear(struct ridge *r);
/* About the memory that it takes, and while it is made. */
size_t ridge_bytes(size_t rows, size_t k);

/* What is solved for: n rows, their weights (NULL: all ones), and the two weights of the objective, neither of them
 * negative. */
struct ridge_set {
    const uint32_t *index;
    const float *weight;
    size_t n;
    double all, pull;
};

/* Bytes of scratch, aligned to 64, for the functions below, when no set has more than `longest` rows. */
size_t ridge_scratch(size_t k, size_t longest);
/* z (k) = Q'x. A set has the same bits whatever is solved before. False when the numbers are too large for float32. On
 * the calling thread. */
MUST_CHECK bool ridge_solve(const struct ridge *r, const struct ridge_set *set, float *z, void *scratch);
/* x = Q z, `count` of each. */
void ridge_back(const struct ridge *r, const float *z, size_t count, float *x);
/* x.y_row as a sum over the set: part[j] of its j-th row (Hu, Koren, Volinsky 2008, section 5). False as ridge_solve.
 */
MUST_CHECK bool ridge_parts(const struct ridge *r, const struct ridge_set *set, size_t row, double *part,
                            void *scratch);

/* x (sets x k): a set for each row of the matrix, on all threads. */
struct ridge_rows {
    const struct csr *rows; /* without values: all ones */
    double (*pull)(const void *context, size_t n); /* of a set of n rows */
    const void *context;
    double all;
};
struct job;
/* Sets without rows get zeros. ST_FORMAT as ridge_solve. */
MUST_CHECK enum status ridge_solve_rows(const struct ridge *r, const struct ridge_rows *sets, float *x, struct job *job,
                                        struct error *err);

#endif
