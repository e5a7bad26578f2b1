/* Within this room: Cholesky factors of 16 small systems of the same size at once, each in one lane of the vectors.
 *
 * One small system alone keeps the processor waiting: each number needs the one before it. Side by side 16 of them are
 * nothing but whole vectors. Every lane goes through the same operations in the same order, so that a system has the
 * same bits whatever stands in the others. */
#ifndef TAILOR_LINALG_LANES_H
#define TAILOR_LINALG_LANES_H

#include "base/error.h"
#include "linalg/kernel.h"

/* Unknowns, at most: more than so many are no small system, and 16 of them leave the cache. */
enum { LANES_MOST = 64 };

struct lanes {
    size_t m;  /* unknowns, to whole vectors: those that a system lacks are equations x = 0 */
    floats *a; /* m x m: lower triangles; then L, with 1 / L_jj in the diagonal */
    floats *b; /* m: right sides; then solutions */
};

/* Floats of room, aligned to 64, for systems of m unknowns. */
size_t lanes_room(size_t m);
/* Systems of m unknowns: a[lane] is a matrix (m x m, the lower triangle). Right sides are 0. */
void lanes_open(struct lanes *l, const float *const a[LANES], size_t m, float *room);
/* False when one of the matrices is not positive definite. */
MUST_CHECK bool lanes_factor(struct lanes *l);
/* l->b = A^-1 l->b, after lanes_factor, as often as one likes. */
void lanes_solve(struct lanes *l);

static inline float *lanes_right(struct lanes *l, size_t lane, size_t i)
{
    return (float *)&l->b[i] + lane;
}

#endif
