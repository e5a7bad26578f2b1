#include "eval/significance.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/rng.h"

/* ---- randomization ---- */

enum { ROUNDS = 256, WORD = 64, BYTES = 8, LEVELS = 256, STAGE = 4 };

/* Sums that differ by rounding only are equally far. */
static const double slack = 1e-12;

struct tossing {
    const double *d; /* those that differ from 0 */
    size_t n;
    uint64_t purpose;
    double limit;  /* sums at least this far from 0 count */
    size_t first;  /* rounds before this one are done */
    size_t *count; /* per block */
};

/* sum[bits] of d[0..n <= 8): added where the bit is set, taken off elsewhere. */
static void sign_sums(const double *d, size_t n, double sum[LEVELS])
{
    sum[0] = 0;
    for (size_t i = 0; i < n; i++)
        sum[0] -= d[i];
    for (size_t i = 0; i < n; i++)
        for (size_t bits = 0; bits < (size_t)1 << i; bits++)
            sum[bits | (size_t)1 << i] = sum[bits] + 2 * d[i];
    for (size_t bits = (size_t)1 << n; bits < LEVELS; bits++)
        sum[bits] = sum[bits & (((size_t)1 << n) - 1)];
}

/* One sign a bit. The sums of eight differences under all their signs are made once for the rounds of a block, so that
 * a round looks up a number for each byte it draws. */
static void toss_block(void *context, size_t block, size_t begin, size_t end)
{
    const struct tossing *t = context;
    struct rng stream[ROUNDS];
    double sum[ROUNDS] = {0}, table[BYTES][LEVELS];
    for (size_t r = begin; r < end; r++)
        stream[r - begin] = rng_nth(t->purpose, t->first + r);
    for (size_t i = 0; i < t->n; i += WORD) {
        size_t bytes = 0;
        for (size_t j = i; j < t->n && bytes < BYTES; j += 8)
            sign_sums(t->d + j, t->n - j < 8 ? t->n - j : 8, table[bytes++]);
        for (size_t r = 0; r < end - begin; r++) {
            uint64_t bits = rng_next(&stream[r]);
            for (size_t b = 0; b < bytes; b++, bits >>= 8)
                sum[r] += table[b][bits & 0xff];
        }
    }
    for (size_t r = 0; r < end - begin; r++)
        t->count[block] += fabs(sum[r]) >= t->limit;
}

/* All 2^n ways: the sums of one half under all signs against those of the other. */
static enum status toss_all(const double *d, size_t n, double limit, double *p, struct error *err)
{
    size_t half = n / 2, nlow = (size_t)1 << half, nhigh = (size_t)1 << (n - half), far = 0;
    double *sum = mem_new_raw(nlow + nhigh, sizeof *sum, "sums of differences", err), *high = sum + nlow;
    if (!sum)
        return ST_NOMEM;
    for (size_t bits = 0; bits < nlow + nhigh; bits++) {
        bool upper = bits >= nlow;
        size_t signs = upper ? bits - nlow : bits, first = upper ? half : 0, last = upper ? n : half;
        sum[bits] = 0;
        for (size_t i = first; i < last; i++)
            sum[bits] += signs >> (i - first) & 1 ? d[i] : -d[i];
    }
    for (size_t i = 0; i < nlow; i++)
        for (size_t j = 0; j < nhigh; j++)
            far += fabs(sum[i] + high[j]) >= limit;
    *p = (double)far / ((double)nlow * (double)nhigh);
    mem_free(sum);
    return ST_OK;
}

/* More than the share of all ways to toss whose sum is as far from 0 as this one: 2 c P(normal >= z), c the least that
 * holds for any weights. */
static double bound_of_chance(const double *d, size_t n, double limit)
{
    double squares = 0, c = 1 / (4 * gsl_cdf_ugaussian_Q(M_SQRT2));
    for (size_t i = 0; i < n; i++)
        squares += d[i] * d[i];
    return 2 * c * gsl_cdf_ugaussian_Q(limit / sqrt(squares));
}

/* Far sums among rounds t->first to `end`. */
static size_t toss(struct tossing *t, size_t end)
{
    size_t rounds = end - t->first, far = 0;
    memset(t->count, 0, parallel_count(rounds, ROUNDS) * sizeof *t->count);
    parallel_blocks(rounds, ROUNDS, toss_block, t);
    for (size_t i = 0; i < parallel_count(rounds, ROUNDS); i++)
        far += t->count[i];
    t->first = end;
    return far;
}

/* In stages, until enough sums were far. That is a test at any level: let j be the first stage at which stopping can
 * give a p of at most the level. No earlier stop does, and what goes on from j had such a p there; so the final p is at
 * most the level only where that of stage j is, whose rounds were fixed beforehand. */
static double toss_in_stages(struct tossing *t, size_t least, size_t most)
{
    size_t far = toss(t, least);
    while (far < RANDOMIZATION_FAR && t->first < most)
        far += toss(t, most / STAGE < t->first ? most : STAGE * t->first);
    return (1 + (double)far) / (1 + (double)t->first);
}

enum status paired_randomization(const double *d, size_t n, size_t least, size_t most, uint64_t seed, double *p,
                                 struct error *err)
{
    size_t some = 0;
    double sum = 0, size = 0;
    enum status st = ST_OK;
    double *differs = mem_new_raw(n, sizeof *differs, "differences", err);
    size_t *count = mem_new(parallel_count(most, ROUNDS), sizeof *count, "counts", err);
    if (!differs || !count) {
        st = ST_NOMEM;
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        differs[some] = d[i];
        sum += d[i];
        size += fabs(d[i]);
        some += d[i] != 0;
    }
    struct tossing t = {differs, some, rng_purpose(seed, "randomization"), fabs(sum) - slack * size, 0, count};
    if (some <= RANDOMIZATION_EXACT) {
        st = toss_all(differs, some, t.limit, p, err);
        goto out;
    }
    *p = bound_of_chance(differs, some, t.limit);
    if (*p * (1 + (double)most) >= 1) /* else no number of tosses would say less */
        *p = toss_in_stages(&t, least, most);
out:
    mem_free(differs);
    mem_free(count);
    return st;
}

/* ---- t ---- */

/* Mean and standard deviation (n - 1). */
static double moments(const double *d, size_t n, double *deviation)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        mean += d[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (d[i] - mean) * (d[i] - mean);
    *deviation = sqrt(squares / ((double)n - 1));
    return mean;
}

double paired_t(const double *d, size_t n)
{
    double deviation, mean;
    if (n < 2)
        return NAN;
    mean = moments(d, n, &deviation);
    if (mean == 0)
        return 1;
    return 2 * gsl_cdf_tdist_Q(fabs(mean) / (deviation / sqrt((double)n)), (double)n - 1);
}

/* ---- ranks ---- */

struct ranks {
    size_t n;            /* differences that are not 0 */
    double above, below; /* sums of the ranks of those above and below 0 */
    double ties;         /* sum over groups of ties of t^3 - t */
    bool tied;
};

static int by_size(const void *a, const void *b)
{
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    x = fabs(x), y = fabs(y);
    return (x > y) - (x < y);
}

static enum status rank_signs(const double *d, size_t n, struct ranks *out, struct error *err)
{
    double *x = mem_new_raw(n, sizeof *x, "ranks", err);
    *out = (struct ranks){0};
    if (!x)
        return ST_NOMEM;
    for (size_t i = 0; i < n; i++)
        if (d[i] != 0)
            x[out->n++] = d[i];
    qsort(x, out->n, sizeof *x, by_size);
    for (size_t i = 0, end; i < out->n; i = end) {
        for (end = i + 1; end < out->n && fabs(x[end]) == fabs(x[i]); end++)
            ;
        double same = (double)(end - i), rank = ((double)i + 1 + (double)end) / 2;
        out->ties += same * same * same - same;
        out->tied |= end - i > 1;
        for (size_t j = i; j < end; j++)
            *(x[j] > 0 ? &out->above : &out->below) += rank;
    }
    mem_free(x);
    return ST_OK;
}

/* Chance of a sum of at most `sum` when each rank 1..n is in it or not by the toss of a coin. */
static enum status chance_of_ranks(size_t n, double sum, double *p, struct error *err)
{
    size_t most = n * (n + 1) / 2;
    double *ways = mem_new(most + 1, sizeof *ways, "sums of ranks", err), few = 0;
    if (!ways)
        return ST_NOMEM;
    ways[0] = 1;
    for (size_t rank = 1; rank <= n; rank++)
        for (size_t s = rank * (rank + 1) / 2; s >= rank; s--)
            ways[s] += ways[s - rank];
    for (size_t s = 0; (double)s <= sum; s++)
        few += ways[s];
    *p = ldexp(few, -(int)n);
    mem_free(ways);
    return ST_OK;
}

enum status paired_wilcoxon(const double *d, size_t n, double *p, struct error *err)
{
    struct ranks r;
    enum status st = rank_signs(d, n, &r, err);
    double count = (double)r.n;
    if (st)
        return st;
    *p = n ? 1 : NAN;
    if (!r.n)
        return ST_OK;
    if (r.n == n && !r.tied && n < WILCOXON_EXACT) {
        st = chance_of_ranks(n, fmin(r.above, r.below), p, err);
        *p = fmin(2 * *p, 1);
        return st;
    }
    double z = fabs(r.above - count * (count + 1) / 4);
    double deviation = sqrt(count * (count + 1) * (2 * count + 1) / 24 - r.ties / 48);
    *p = z > 0 ? fmin(2 * gsl_cdf_ugaussian_Q((z - .5) / deviation), 1) : 1;
    return ST_OK;
}

enum status paired_test(enum paired_test test, const double *d, size_t n, uint64_t seed, double *p, struct error *err)
{
    switch (test) {
    case TEST_T:
        *p = paired_t(d, n);
        return ST_OK;
    case TEST_WILCOXON:
        return paired_wilcoxon(d, n, p, err);
    case TEST_RANDOMIZATION:
        break;
    }
    *p = NAN;
    if (!n)
        return ST_OK;
    size_t most = RANDOMIZATION_TOSSES / n;
    most = most < RANDOMIZATIONS ? RANDOMIZATIONS : most > RANDOMIZATIONS_MOST ? RANDOMIZATIONS_MOST : most;
    return paired_randomization(d, n, RANDOMIZATIONS, most, seed, p, err);
}

/* ---- how large ---- */

enum status effect_of(const double *d, size_t n, struct effect *out, struct error *err)
{
    struct ranks r;
    enum status st = rank_signs(d, n, &r, err);
    double deviation = NAN, mean = moments(d, n, &deviation);
    size_t above = 0, below = 0;
    for (size_t i = 0; i < n; i++)
        above += d[i] > 0, below += d[i] < 0;
    out->d = n > 1 && deviation > 0 ? mean / deviation : NAN;
    out->rank_biserial = (r.above - r.below) / (r.above + r.below);
    out->above = (double)above / (double)n;
    out->below = (double)below / (double)n;
    out->equal = (double)(n - above - below) / (double)n;
    return st;
}

/* ---- several tests at once ---- */

struct place {
    double p;
    size_t at;
};

static int by_p(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return x->p != y->p ? (x->p > y->p) - (x->p < y->p) : (x->at > y->at) - (x->at < y->at);
}

enum status adjust_p(enum adjustment how, const double *p, size_t n, size_t family, double *adjusted, struct error *err)
{
    struct place *order = mem_new_raw(n, sizeof *order, "p-values", err);
    size_t tests = 0;
    double bound = how == ADJUST_BH ? 1 : 0;
    if (!order)
        return ST_NOMEM;
    for (size_t i = 0; i < n; i++) {
        adjusted[i] = p[i];
        if (!isnan(p[i]))
            order[tests++] = (struct place){p[i], i};
    }
    double all = (double)(family > tests ? family : tests);
    qsort(order, tests, sizeof *order, by_p);
    for (size_t i = 0; i < tests && how == ADJUST_HOLM; i++) { /* never below that of a smaller p */
        bound = fmax(bound, (all - (double)i) * order[i].p);
        adjusted[order[i].at] = fmin(bound, 1);
    }
    for (size_t i = tests; i > 0 && how == ADJUST_BH; i--) { /* never above that of a larger p */
        bound = fmin(bound, all / (double)i * order[i - 1].p);
        adjusted[order[i - 1].at] = bound;
    }
    mem_free(order);
    return ST_OK;
}
