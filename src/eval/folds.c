#include "eval/folds.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

/* Mean and variance (n - 1) of those of x - y that are numbers; y NULL: of x. */
static size_t moments(const double *x, const double *y, size_t n, double *mean, double *variance)
{
    size_t count = 0;
    double sum = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        double d = y ? x[i] - y[i] : x[i];
        count += isnan(d) ? 0U : 1U;
        sum += isnan(d) ? 0 : d;
    }
    *mean = count ? sum / (double)count : NAN;
    for (size_t i = 0; i < n; i++) {
        double d = (y ? x[i] - y[i] : x[i]) - *mean;
        square += isnan(d) ? 0 : d * d;
    }
    *variance = count > 1 ? square / (double)(count - 1) : NAN;
    return count;
}

void folds_summarize(const double *x, size_t n, double ratio, struct fold_summary *out)
{
    double variance;
    out->n = moments(x, NULL, n, &out->mean, &variance);
    out->sd = sqrt(variance);
    out->interval = (struct interval){NAN, NAN};
    if (out->n < 2)
        return;
    double reach = gsl_cdf_tdist_Pinv(.975, (double)(out->n - 1)) * out->sd * sqrt(1 / (double)out->n + ratio);
    out->interval = (struct interval){out->mean - reach, out->mean + reach};
}

double folds_paired(const double *a, const double *b, size_t n, double ratio)
{
    double mean, variance;
    size_t count = moments(a, b, n, &mean, &variance);
    if (count < 2)
        return NAN;
    double error = sqrt(variance * (1 / (double)count + ratio));
    if (!(error > 0))
        return fabs(mean) > 0 ? 0 : 1;
    return 2 * gsl_cdf_tdist_Q(fabs(mean) / error, (double)(count - 1));
}
