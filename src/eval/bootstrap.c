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
    job_begin(job, resamples, "resamples", "confidence intervals");
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

struct tossing {
    const double *difference; /* of the users whose values differ */
    size_t n;
    uint64_t seed;
    double limit;  /* sums at least this far from 0 count */
    size_t *count; /* per block */
};

/* One sign a bit: 64 users for each number drawn. */
static double toss(const double *difference, size_t n, struct rng *stream)
{
    double sum = 0;
    for (size_t i = 0; i < n; i += 64) {
        uint64_t bits = rng_next(stream);
        size_t end = n - i < 64 ? n - i : 64;
        for (size_t j = 0; j < end; j++, bits >>= 1)
            sum += bits & 1 ? difference[i + j] : -difference[i + j];
    }
    return sum;
}

static void toss_block(void *context, size_t block, size_t begin, size_t end)
{
    const struct tossing *t = context;
    for (size_t r = begin; r < end; r++) {
        struct rng stream = rng_stream(t->seed, "randomization", r);
        t->count[block] += fabs(toss(t->difference, t->n, &stream)) >= t->limit;
    }
}

enum status paired_randomization(const double *a, const double *b, size_t users, size_t rounds, uint64_t seed,
                                 double *p, struct error *err)
{
    size_t blocks = parallel_count(rounds, BLOCK), n = 0, far = 0;
    double sum = 0, size = 0;
    double *difference = mem_new_raw(users, sizeof *difference, "differences", err);
    size_t *count = mem_new(blocks, sizeof *count, "counts", err);
    enum status st = difference && count ? ST_OK : ST_NOMEM;
    if (st)
        goto out;
    for (size_t u = 0; u < users; u++) {
        difference[n] = a[u] - b[u];
        sum += difference[n];
        size += fabs(difference[n]);
        n += difference[n] != 0;
    }
    /* Sums that differ by rounding only are equally far. */
    struct tossing t = {difference, n, seed, fabs(sum) - 1e-12 * size, count};
    parallel_blocks(rounds, BLOCK, toss_block, &t);
    for (size_t i = 0; i < blocks; i++)
        far += count[i];
    *p = n ? (1 + (double)far) / (1 + (double)rounds) : 1;
out:
    mem_free(difference);
    mem_free(count);
    return st;
}
