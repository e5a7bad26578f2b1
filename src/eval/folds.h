/* Means over folds, and how sure they are.
 *
 * Folds share most of what they train on, so their values are not independent, and the plain t interval is too narrow.
 * For folds that are drawn the variance of the mean is taken as sd^2 (1 / n + ratio), ratio = test / train events
 * (Nadeau and Bengio, Inference for the Generalization Error, Machine Learning 52, 2003); ratio 0 is the plain one. */
#ifndef TAILOR_EVAL_FOLDS_H
#define TAILOR_EVAL_FOLDS_H

#include "eval/bootstrap.h"

struct fold_summary {
    size_t n; /* folds with a value: NaN is none */
    double mean, sd; /* NaN without a value; sd also with one alone */
    struct interval interval; /* 95 % of Student's t; NaN with fewer than two */
};

void folds_summarize(const double *x, size_t n, double ratio, struct fold_summary *out);
/* Two-sided p of Student's t over the paired differences a - b; NaN with fewer than two pairs, 1 when none differs. */
double folds_paired(const double *a, const double *b, size_t n, double ratio);

#endif
