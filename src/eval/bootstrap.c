#include "eval/bootstrap.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "linalg/dense.h"

enum {
    BLOCK = 32,
    PIECE = 256
}; /* resamples that a thread takes at a time; users whose values are multiplied at a time */

struct drawing {
    const struct bootstrap_set *sets;
    size_t nsets, users;
    uint64_t purpose;
    struct desk {
        uint8_t *times; /* BLOCK x users: how often each was drawn. It goes around at 256, which is beyond all chance */
        double *piece;  /* BLOCK x PIECE: the same of some users, as numbers */
    } *desks;
    struct job *job;
};

/* The sums of a block of resamples are one product for each set: how often each user was drawn, times the values. */
static void draw(void *context, size_t block, size_t begin, size_t end)
{
    const struct drawing *d = context;
    const struct desk *desk = &d->desks[parallel_thread()];
    size_t n = end - begin;
    (void)block;
    if (job_cancelled(d->job))
        return;
    memset(desk->times, 0, n * d->users);
    for (const struct bootstrap_set *s = d->sets; s < d->sets + d->nsets; s++)
        memset(s->mean + begin * s->columns, 0, n * s->columns * sizeof *s->mean);
    for (size_t r = 0; r < n; r++) {
        struct rng stream = rng_nth(d->purpose, begin + r);
        for (size_t i = 0; i < d->users; i++)
            desk->times[r * d->users + rng_below(&stream, d->users)]++;
    }
    for (size_t u = 0; u < d->users; u += PIECE) {
        size_t some = d->users - u < PIECE ? d->users - u : PIECE;
        for (size_t r = 0; r < n; r++)
            for (size_t i = 0; i < some; i++)
                desk->piece[r * some + i] = desk->times[r * d->users + u + i];
        for (const struct bootstrap_set *s = d->sets; s < d->sets + d->nsets; s++)
            product_doubles(s->mean + begin * s->columns, desk->piece, s->value + u * s->columns, n, some, s->columns);
    }
    for (const struct bootstrap_set *s = d->sets; s < d->sets + d->nsets; s++)
        for (size_t i = begin * s->columns; i < end * s->columns; i++)
            s->mean[i] /= (double)d->users;
    job_step(d->job, n * d->nsets);
}

static void free_desks(struct drawing *d, size_t n)
{
    for (size_t i = 0; d->desks && i < n; i++) {
        mem_free(d->desks[i].times);
        mem_free(d->desks[i].piece);
    }
    mem_free(d->desks);
}

static enum status make_desks(struct drawing *d, size_t n, struct error *err)
{
    d->desks = mem_new(n, sizeof *d->desks, "drawn users", err);
    for (size_t i = 0; d->desks && i < n; i++) {
        d->desks[i].times = mem_new_raw(BLOCK * d->users, sizeof *d->desks->times, "drawn users", err);
        d->desks[i].piece = mem_new_raw(BLOCK * PIECE, sizeof *d->desks->piece, "drawn users", err);
        if (!d->desks[i].times || !d->desks[i].piece)
            return ST_NOMEM;
    }
    return d->desks ? ST_OK : ST_NOMEM;
}

enum status bootstrap_means(const struct bootstrap_set *sets, size_t nsets, size_t users, size_t resamples,
                            uint64_t seed, struct job *job, struct error *err)
{
    struct drawing d = {sets, nsets, users, rng_purpose(seed, "bootstrap"), NULL, job};
    size_t threads = (size_t)parallel_threads();
    if (!users)
        return error_set(err, ST_STATE, "there are no users to take a mean over");
    enum status st = make_desks(&d, threads, err);
    if (!st)
        parallel_blocks(resamples, BLOCK, draw, &d);
    free_desks(&d, threads);
    return st ? st : job_check(job, err);
}

/* ---- intervals ---- */

/* Means that differ by rounding only are the same: those of metrics with few levels often are. */
static const double slack = 1e-12;

static int by_value(const void *a, const void *b)
{
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* Between two of x[0..n), ascending, as between two quantiles of a normal distribution (Davison and Hinkley 1997,
 * eq. 5.8). */
static double quantile(const double *x, size_t n, double q)
{
    double at = q * ((double)n + 1), k = floor(at);
    if (!(k >= 1))
        return x[0];
    if (k >= (double)n)
        return x[n - 1];
    size_t i = (size_t)k - 1;
    double low = gsl_cdf_ugaussian_Pinv(k / ((double)n + 1)), high = gsl_cdf_ugaussian_Pinv((k + 1) / ((double)n + 1));
    return x[i] + (gsl_cdf_ugaussian_Pinv(q) - low) / (high - low) * (x[i + 1] - x[i]);
}

/* Those that are numbers, in order; how many. */
static size_t put_in_order(double *x, size_t n)
{
    size_t some = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i]))
            x[some++] = x[i];
    qsort(x, some, sizeof *x, by_value);
    return some;
}

struct interval percentile_interval(double *x, size_t n, double level)
{
    double tail = (1 - level) / 2;
    n = put_in_order(x, n);
    return n ? (struct interval){quantile(x, n, tail), quantile(x, n, 1 - tail)} : (struct interval){NAN, NAN};
}

/* The share of the resamples that the end belongs to which had a share `tail` if there were neither bias nor skew. */
static double corrected(double tail, double bias, double acceleration)
{
    double z = bias + gsl_cdf_ugaussian_Pinv(tail), left = 1 - acceleration * z;
    return left > 0 ? gsl_cdf_ugaussian_P(bias + z / left) : NAN;
}

struct interval bca_interval(double *x, size_t n, double estimate, double acceleration, double level)
{
    double below = 0, low = (1 - level) / 2, high = 1 - low;
    n = put_in_order(x, n);
    if (!n)
        return (struct interval){NAN, NAN};
    double same = slack * (x[n - 1] - x[0]);
    for (size_t i = 0; i < n; i++)
        below += fabs(x[i] - estimate) <= same ? .5 : x[i] < estimate;
    double bias = gsl_cdf_ugaussian_Pinv(below / (double)n), from = corrected(low, bias, acceleration),
           to = corrected(high, bias, acceleration);
    if (isfinite(bias) && !isnan(from) && !isnan(to))
        low = from, high = to;
    return (struct interval){quantile(x, n, low), quantile(x, n, high)};
}

double acceleration_of(const double *influence, size_t n)
{
    double squares = 0, cubes = 0;
    for (size_t i = 0; i < n; i++) {
        squares += influence[i] * influence[i];
        cubes += influence[i] * influence[i] * influence[i];
    }
    return squares > 0 ? cubes / (6 * pow(squares, 1.5)) : NAN;
}
