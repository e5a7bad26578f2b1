/* Non-negative elastic-net regression on a small Gram matrix, by coordinate descent.
 *
 *     min over w >= 0 of  1/2 w'Gw - b'w + l2/2 |w|^2 + l1 sum w
 *
 * which is 1/2 |y - Xw|^2 + ... with G = X'X and b = X'y (Friedman, Hastie, Tibshirani: Regularization paths for
 * generalized linear models via coordinate descent, Journal of Statistical Software 33(1), 2010). */
#ifndef TAILOR_LINALG_ELASTIC_NET_H
#define TAILOR_LINALG_ELASTIC_NET_H

#include <stddef.h>

/* w[0..n), from zeros. gram: n x n, row-major, symmetric, both triangles; `rest` is scratch of n floats: b - G w at the
 * end. Sweeps until no weight moves by more than `tolerance`, at most `sweeps`; returns how many it took. Runs on the
 * calling thread. */
size_t elastic_net(const float *gram, const float *b, size_t n, float l1, float l2, float tolerance, size_t sweeps,
                   float *w, float *rest);
/* The same from w as it stands, which is not negative: no sweep makes the objective larger. */
size_t elastic_net_from(const float *gram, const float *b, size_t n, float l1, float l2, float tolerance, size_t sweeps,
                        float *w, float *rest);

/* The same by plain loops in double: what tests and benchmarks compare with. */
size_t elastic_net_reference(const float *gram, const float *b, size_t n, float l1, float l2, float tolerance,
                             size_t sweeps, float *w);

#endif
