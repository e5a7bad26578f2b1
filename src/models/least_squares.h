/* Folding histories into item vectors by least squares, for models that learnt their item vectors in another way.
 *
 * The vector x of a history S solves, over item vectors y_i of k components (I of them, length^2 their mean squared
 * length),
 *
 *     minimal  sum over S of (1 - x.y_i)^2  +  alpha0 * sum over all items of (x.y_i)^2  +  lambda * length^2 / k *
 * (|S| + alpha0 I) |x|^2
 *
 * which is the step of implicit ALS for one user (Hu, Koren, Volinsky, ICDM 2008), with lambda relative to the size of
 * the vectors, which is another for each way to learn them. The score x.y_i is then a sum over the history: what each
 * item contributes is exact. */
#ifndef TAILOR_MODELS_LEAST_SQUARES_H
#define TAILOR_MODELS_LEAST_SQUARES_H

#include "linalg/ridge.h"
#include "models/model.h"

struct least_squares {
    size_t items, k;
    double alpha0, lambda;
    struct ridge ridge; /* of y */
    float *gram;    /* y'y, lower triangle */
    double unit;    /* length^2 / k */
};

/* Reads y; alpha0 and lambda are the caller's to set. Called again after a change of y. */
MUST_CHECK enum status least_squares_set(struct least_squares *s, const float *y, size_t items, size_t k,
                                         struct error *err);
void least_squares_clear(struct least_squares *s);
/* x (rows x k): the vectors of histories, which are the rows of a matrix; its values are not read. */
MUST_CHECK enum status least_squares_solve(const struct least_squares *s, const struct csr *rows, float *x,
                                           struct error *err);
/* The slot `fold`. No history: zeros. */
MUST_CHECK enum status least_squares_fold(const struct least_squares *s, const struct query *queries, size_t n,
                                          float *x, struct error *err);
/* How near x (rows x k) comes to what it was meant to be: the mean cosine of the scores of all items by both. */
MUST_CHECK enum status least_squares_likeness(const struct least_squares *s, const float *x, const float *meant,
                                              size_t rows, double *likeness, struct error *err);
/* The slot `explain`. */
MUST_CHECK enum status least_squares_explain(const struct least_squares *s, const struct model *m,
                                             const struct query *q, uint32_t item, struct explanation *out,
                                             struct error *err);

#endif
