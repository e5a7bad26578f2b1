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

/* value: users x columns. mean: resamples x columns, the mean of each column over each resample (Efron 1979). The caller
 * begins the job: a step is a resample. */
MUST_CHECK enum status bootstrap_means(const double *value, size_t users, size_t columns, size_t resamples,
                                       uint64_t seed, double *mean, struct job *job, struct error *err);

/* The middle `level` (.95) of x[0..n), which is put in order; quantiles by linear interpolation (type 7 of Hyndman and
 * Fan 1996). NaN among them (a resample in which nobody has a value) are left out; NaN when nothing is left. */
struct interval percentile_interval(double *x, size_t n, double level);

#endif
