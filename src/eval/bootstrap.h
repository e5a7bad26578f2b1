/* Intervals for means over users.
 *
 * Users are drawn with replacement, the same ones for every column, so that differences between models are paired.
 * Draws come from one stream a resample: the same bits with any number of threads. */
#ifndef TAILOR_EVAL_BOOTSTRAP_H
#define TAILOR_EVAL_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/job.h"

enum { BOOTSTRAP_RESAMPLES = 1000 };

struct interval {
    double low, high;
};

/* value: users x columns. mean: resamples x columns, the mean of each column over each resample (Efron 1979). */
struct bootstrap_set {
    const double *value;
    size_t columns;
    double *mean;
};

/* Fills in the means of all sets, which are of the same users: they are drawn once for all. A set has the same bits in
 * whatever company. The caller begins the job: a step is a resample of a set. */
MUST_CHECK enum status bootstrap_means(const struct bootstrap_set *sets, size_t nsets, size_t users, size_t resamples,
                                       uint64_t seed, struct job *job, struct error *err);

/* The middle `level` (.95) of x[0..n), which is put in order; between two of them it goes as between normal quantiles.
 * NaN among them (a resample in which nobody has a value) are left out; NaN when nothing is left. type="perc" of R's
 * boot::boot.ci. */
struct interval percentile_interval(double *x, size_t n, double level);
/* The same, shifted for the bias and the skew of the statistic: `estimate` is its value, `acceleration` that of
 * acceleration_of (BCa: Efron, Better bootstrap confidence intervals, JASA 1987). Resamples as large as the estimate
 * count half below it. Where one of the two cannot be had (acceleration NaN, all resamples on one side) it is the
 * percentile interval. type="bca" of boot::boot.ci. */
struct interval bca_interval(double *x, size_t n, double estimate, double acceleration, double level);
/* How skew a statistic is: influence[0..n) holds how far it moves with the weight of each user, times any positive
 * number: value less mean for a mean. NaN when nobody moves it. */
double acceleration_of(const double *influence, size_t n);

#endif
