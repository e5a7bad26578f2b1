#include "eval/bootstrap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/rng.h"

enum { BLOCK = 8 }; /* resamples a thread takes at a time */

struct drawing {
    const double *value;
    size_t users, columns;
    uint64_t seed;
    double *mean;
    struct job *job;
};

static void draw(void *context, size_t block, size_t begin, size_t end)
{
    const struct drawing *d = context;
    (void)block;
    if (job_cancelled(d->job))
        return;
    for (size_t r = begin; r < end; r++) {
        struct rng stream = rng_stream(d->seed, "bootstrap", r);
        double *sum = d->mean + r * d->columns;
        memset(sum, 0, d->columns * sizeof *sum);
        for (size_t i = 0; i < d->users; i++) {
            const double *row = d->value + rng_below(&stream, d->users) * d->columns;
            for (size_t c = 0; c < d->columns; c++)
                sum[c] += row[c];
        }
        for (size_t c = 0; c < d->columns; c++)
            sum[c] /= (double)d->users;
    }
    job_step(d->job, end - begin);
}

enum status bootstrap_means(const double *value, size_t users, size_t columns, size_t resamples, uint64_t seed,
                            double *mean, struct job *job, struct error *err)
{
    struct drawing d = {value, users, columns, seed, mean, job};
    if (!users)
        return error_set(err, ST_STATE, "there are no users to take a mean over");
    parallel_blocks(resamples, BLOCK, draw, &d);
    return job_check(job, err);
}

static int by_value(const void *a, const void *b)
{
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static double quantile(const double *x, size_t n, double q)
{
    double at = q * (double)(n - 1);
    size_t i = (size_t)floor(at);
    if (i + 1 >= n)
        return x[n - 1];
    return x[i] + (at - (double)i) * (x[i + 1] - x[i]);
}

struct interval percentile_interval(double *x, size_t n, double level)
{
    if (!n)
        return (struct interval){NAN, NAN};
    qsort(x, n, sizeof *x, by_value);
    double tail = (1 - level) / 2;
    return (struct interval){quantile(x, n, tail), quantile(x, n, 1 - tail)};
}
