/* How much a parameter matters: which share of the variance of a metric over trials its value explains.
 *
 * The trials are put in order of the parameter and cut into bins with as many trials each (a value of a list is a bin);
 * the share is that of the variance of the bins' means, the correlation ratio: the first-order index of Plischke,
 * Borgonovo and Smith (Global sensitivity measures from given data, EJOR 226, 2013). Bins of few trials explain
 * something by chance: the mean share over permutations of the metric is taken off and the rest scaled so that 1
 * stays 1. p is how often a permutation explains as much. What two parameters do only together is in neither share, and
 * a search that has settled shows less of what it settled. */
#ifndef TAILOR_EVAL_TUNE_EFFECT_H
#define TAILOR_EVAL_TUNE_EFFECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct tune_effect {
    double share; /* 0..1, what is beyond chance; NaN with too few trials or none that differ */
    double p;
    size_t n;     /* trials that have both a value and a metric */
};

enum { EFFECT_ROUNDS = 1000, EFFECT_FEWEST = 6 };

/* x[i]: the parameter in trial i, NaN where it told nothing; y[i]: the metric, NaN where there is none. `list`: equal x
 * are a bin. */
MUST_CHECK enum status tune_effect(const double *x, const double *y, size_t n, bool list, uint64_t seed,
                                   struct tune_effect *out, struct error *err);

#endif
