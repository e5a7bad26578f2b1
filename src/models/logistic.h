/* Folding histories into item vectors by the objective of logistic matrix factorization, for one user with the items
 * fixed.
 *
 * The vector x of a history S solves, over item vectors y_i with biases b_i, M being some hundred of the items not in
 * S,
 *
 *     minimal  alpha * sum over S of log(1 + exp(-(x.y_i + b_i)))  +  negatives |S| / |M| * sum over M of log(1 +
 * exp(x.y_j + b_j))
 *              +  l2 / 2 * |S| (1 + negatives) |x|^2
 *
 * which is what the gradient steps of an epoch expect for a user with this history. It is convex: Newton's method finds
 * the one minimum. There H x is a sum over S and M, so the score is one over the history and a part owed to items not
 * taken. */
#ifndef TAILOR_MODELS_LOGISTIC_H
#define TAILOR_MODELS_LOGISTIC_H

#include "models/model.h"

struct logistic {
    const float *y;      /* items x width; the caller's */
    size_t items, k, width; /* width: k, or k + 1 when the last component is the bias */
    double alpha, negatives, l2;
    uint32_t *sample;    /* items among which M is, ascending: always the same for as many items */
    size_t nsample;
};

/* Clear it also after a failure. alpha, negatives and l2 are the caller's to set. */
MUST_CHECK enum status logistic_new(struct logistic *s, const float *y, size_t items, size_t k, size_t width,
                                    struct error *err);
void logistic_clear(struct logistic *s);
/* The slot `fold`. The component of the bias is 1. */
MUST_CHECK enum status logistic_fold(const struct logistic *s, const struct query *queries, size_t n, float *x,
                                     struct error *err);
/* The slot `explain`. */
MUST_CHECK enum status logistic_explain(const struct logistic *s, const struct model *m, const struct query *q,
                                        uint32_t item, struct explanation *out, struct error *err);

#endif
