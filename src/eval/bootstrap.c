#include "eval/bootstrap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/rng.h"

enum { BLOCK = 8 }; /* resamples a thread takes at a time, side by side */

struct drawing {
    const double *value;
    size_t users, columns;
    uint64_t purpose;
    double *mean;
    double *room; /* threads x (users + columns) x BLOCK */
    struct job *job;
};

/* Drawn users are counted first, so that the values are gone through in order, once for all resamples of a block. */
static void draw(void *context, size_t block, size_t begin, size_t end)
{
    const struct drawing *d = context;
    double *times = d->room + (size_t)parallel_thread() * (d->users + d->columns) * BLOCK, *sum = times + d->users * BLOCK;
    (void)block;
    if (job_cancelled(d->job))
        return;
    memset(times, 0, (d->users + d->columns) * BLOCK * sizeof *times);
    for (size_t r = begin; r < end; r++) {
        struct rng stream = rng_nth(d->purpose, r);
        for (size_t i = 0; i < d->users; i++)
            times[rng_below(&stream, d->users) * BLOCK + (r - begin)]++;
    }
    for (size_t u = 0; u < d->users; u++)
        for (size_t c = 0; c < d->columns; c++)
            for (size_t r = 0; r < BLOCK; r++)
                sum[c * BLOCK + r] += times[u * BLOCK + r] * d->value[u * d->columns + c];
    for (size_t r = begin; r < end; r++)
        for (size_t c = 0; c < d->columns; c++)
            d->mean[r * d->columns + c] = sum[c * BLOCK + (r - begin)] / (double)d->users;
    job_step(d->job, end - begin);
}

enum status bootstrap_means(const double *value, size_t users, size_t columns, size_t resamples, uint64_t seed,
                            double *mean, struct job *job, struct error *err)
{
    struct drawing d = {value, users, columns, rng_purpose(seed, "bootstrap"), mean, NULL, job};
    if (!users)
        return error_set(err, ST_STATE, "there are no users to take a mean over");
    d.room = mem_new_raw((size_t)parallel_threads() * BLOCK * (users + columns), sizeof *d.room, "drawn users", err);
    if (!d.room)
        return ST_NOMEM;
    parallel_blocks(resamples, BLOCK, draw, &d);
    mem_free(d.room);
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
    size_t some = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i]))
            x[some++] = x[i];
    n = some;
    if (!n)
        return (struct interval){NAN, NAN};
    qsort(x, n, sizeof *x, by_value);
    double tail = (1 - level) / 2;
    return (struct interval){quantile(x, n, tail), quantile(x, n, 1 - tail)};
}
