/* Intervals against independent computations. */
#include "tests/unit/unit.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "eval/bootstrap.h"
#include "tests/unit/bootstrap.h"

enum { USERS = 300, COLUMNS = 3, RESAMPLES = 400 };

static void fill(double *value)
{
    struct rng r = rng_stream(5, "values", 0);
    for (size_t u = 0; u < USERS; u++) {
        double taste = rng_normal(&r);
        for (size_t c = 0; c < COLUMNS; c++)
            value[u * COLUMNS + c] = .3 + .1 * (double)c + taste + .5 * rng_normal(&r);
    }
}

/* The means of the resamples, one column at a time and drawn anew. */
static void test_means(void **state)
{
    (void)state;
    static double value[USERS * COLUMNS], mean[RESAMPLES * COLUMNS];
    fill(value);
    assert_int_equal(bootstrap_means(&(struct bootstrap_set){value, COLUMNS, mean}, 1, USERS, RESAMPLES, 9, NULL, NULL), ST_OK);
    for (size_t c = 0; c < COLUMNS; c++) {
        for (size_t b = 0; b < RESAMPLES; b++) {
            struct rng r = rng_stream(9, "bootstrap", b);
            size_t drawn[USERS] = {0};
            double sum = 0;
            for (size_t i = 0; i < USERS; i++)
                drawn[rng_below(&r, USERS)]++;
            for (size_t u = 0; u < USERS; u++)
                sum += (double)drawn[u] * value[u * COLUMNS + c];
            assert_near(mean[b * COLUMNS + c], sum / USERS, 1e-9);
        }
    }
}

/* For means of many users the percentile interval is the normal one, mean +- 1.96 sd / sqrt(n). */
static void test_against_theory(void **state)
{
    (void)state;
    static double value[USERS * COLUMNS], mean[4000 * COLUMNS], one[4000];
    double m = 0, v = 0;
    fill(value);
    assert_int_equal(bootstrap_means(&(struct bootstrap_set){value, COLUMNS, mean}, 1, USERS, 4000, 1, NULL, NULL), ST_OK);
    for (size_t u = 0; u < USERS; u++)
        m += value[u * COLUMNS] / USERS;
    for (size_t u = 0; u < USERS; u++)
        v += pow(value[u * COLUMNS] - m, 2) / USERS;
    for (size_t b = 0; b < 4000; b++)
        one[b] = mean[b * COLUMNS];
    struct interval x = percentile_interval(one, 4000, .95);
    double half = 1.96 * sqrt(v / USERS);
    assert_near(x.low, m - half, .08 * half);
    assert_near(x.high, m + half, .08 * half);
}

static void test_threads(void **state)
{
    (void)state;
    static double value[USERS * COLUMNS], a[RESAMPLES * COLUMNS], b[RESAMPLES * COLUMNS];
    int threads = omp_get_max_threads();
    fill(value);
    omp_set_num_threads(1);
    assert_int_equal(bootstrap_means(&(struct bootstrap_set){value, COLUMNS, a}, 1, USERS, RESAMPLES, 9, NULL, NULL), ST_OK);
    omp_set_num_threads(2);
    assert_int_equal(bootstrap_means(&(struct bootstrap_set){value, COLUMNS, b}, 1, USERS, RESAMPLES, 9, NULL, NULL), ST_OK);
    omp_set_num_threads(threads);
    assert_memory_equal(a, b, sizeof a);
}

/* Sets of the same users have, together, the bits that each has alone. */
static void test_company(void **state)
{
    (void)state;
    static double value[USERS * COLUMNS], squared[USERS * COLUMNS], first[USERS], alone[3][RESAMPLES * COLUMNS], mean[3][RESAMPLES * COLUMNS];
    fill(value);
    for (size_t i = 0; i < USERS * COLUMNS; i++)
        squared[i] = value[i] * value[i];
    for (size_t u = 0; u < USERS; u++)
        first[u] = value[u * COLUMNS];
    struct bootstrap_set sets[] = {{value, COLUMNS, mean[0]}, {first, 1, mean[1]}, {squared, COLUMNS, mean[2]}};
    assert_int_equal(bootstrap_means(sets, 3, USERS, RESAMPLES, 9, NULL, NULL), ST_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(bootstrap_means(&(struct bootstrap_set){sets[i].value, sets[i].columns, alone[i]}, 1, USERS, RESAMPLES, 9, NULL, NULL), ST_OK);
        assert_memory_equal(alone[i], mean[i], RESAMPLES * sets[i].columns * sizeof(double));
    }
}

static void assert_like_r(const char *name, const char *what, double x, double r, double slack)
{
    if (!(fabs(x - r) <= slack * fmax(1, fabs(r))))
        fail_msg("%s, %s: %.12g, R says %.12g", name, what, x, r);
}

/* Ratios sum x / sum y, and what was made of them: the influence of a user is x - ratio * y. */
static void test_r(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof r_intervals / sizeof *r_intervals; i++) {
        const struct r_interval *r = &r_intervals[i];
        double influence[R_N], resampled[R_RESAMPLES], sum[2] = {0};
        for (size_t u = 0; u < R_N; u++)
            sum[0] += r->x[u], sum[1] += r->y[u];
        for (size_t u = 0; u < R_N; u++)
            influence[u] = r->x[u] - sum[0] / sum[1] * r->y[u];
        assert_like_r(r->name, "acceleration", acceleration_of(influence, R_N), r->acceleration, 1e-6);
        memcpy(resampled, r->resampled, sizeof resampled);
        struct interval plain = percentile_interval(resampled, R_RESAMPLES, .95),
                        bca = bca_interval(resampled, R_RESAMPLES, r->estimate, r->acceleration, .95);
        assert_like_r(r->name, "percentile, low", plain.low, r->percentile[0], 1e-9);
        assert_like_r(r->name, "percentile, high", plain.high, r->percentile[1], 1e-9);
        assert_like_r(r->name, "bca, low", bca.low, r->bca[0], 1e-9);
        assert_like_r(r->name, "bca, high", bca.high, r->bca[1], 1e-9);
    }
}

static void test_percentiles(void **state)
{
    (void)state;
    double x[] = {5, 1, 4, 2, 3};
    struct interval i = percentile_interval(x, 5, 1. / 3); /* places 2 and 4 of 6 */
    assert_near(i.low, 2, 1e-12);
    assert_near(i.high, 4, 1e-12);
    i = percentile_interval(x, 5, .5); /* between the first two, and the last two */
    assert_near(i.low, 2 - i.high + 4, 1e-12);
    assert_true(i.low > 1.5 && i.low < 2);
    i = percentile_interval(x, 5, .95); /* beyond the ends */
    assert_near(i.low, 1, 0);
    assert_near(i.high, 5, 0);
    assert_true(isnan(percentile_interval(x, 0, .95).low));
    double gaps[] = {NAN, 5, NAN, 1, 4, 2, NAN, 3, NAN};
    i = percentile_interval(gaps, 9, 1. / 3);
    assert_near(i.low, 2, 1e-12);
    assert_near(i.high, 4, 1e-12);
    assert_true(isnan(percentile_interval((double[]){NAN, NAN}, 2, .95).high));
}

static void test_corrections(void **state)
{
    (void)state;
    double x[999], none[3] = {0, 0, 0}, even[4] = {-1, 1, -2, 2}, skew[4] = {-1, -1, -1, 3};
    for (size_t i = 0; i < 999; i++)
        x[i] = (double)i + 1;
    struct interval plain = percentile_interval(x, 999, .95), i = bca_interval(x, 999, 500, 0, .95); /* the middle one */
    assert_near(i.low, plain.low, 1e-9);
    assert_near(i.high, plain.high, 1e-9);
    i = bca_interval(x, 999, 500, .05, .95);
    assert_true(i.low > plain.low && i.high > plain.high);
    i = bca_interval(x, 999, 400, 0, .95); /* most are above it: they lie too high */
    assert_true(i.low < plain.low && i.high < plain.high);
    for (int beyond = 0; beyond < 3; beyond++) { /* where nothing can be corrected */
        i = bca_interval(x, 999, beyond == 0 ? 0 : beyond == 1 ? 1000 : 500, beyond == 2 ? (double)NAN : .05, .95);
        assert_near(i.low, plain.low, 0);
        assert_near(i.high, plain.high, 0);
    }
    assert_true(isnan(acceleration_of(none, 3)));
    assert_near(acceleration_of(even, 4), 0, 0);
    assert_near(acceleration_of(skew, 4), 24 / (6 * pow(12, 1.5)), 1e-15);
}

/* How often the mean of 25 draws of a skew distribution misses its interval, which is meant to be one time of 20. */
static void test_coverage(void **state)
{
    enum { TIMES = 2000, DRAWN = 25, ANEW = 999 };
    size_t plain = 0, bca = 0, above = 0, bca_above = 0;
    double value[DRAWN], influence[DRAWN], mean[ANEW];
    (void)state;
    for (uint64_t t = 0; t < TIMES; t++) {
        struct rng r = rng_stream(6, "skew", t);
        double m = 0;
        for (size_t u = 0; u < DRAWN; u++)
            m += (value[u] = -log(1 - rng_real(&r))) / DRAWN;
        for (size_t u = 0; u < DRAWN; u++)
            influence[u] = value[u] - m;
        assert_int_equal(bootstrap_means(&(struct bootstrap_set){value, 1, mean}, 1, DRAWN, ANEW, t, NULL, NULL), ST_OK);
        struct interval p = percentile_interval(mean, ANEW, .95), b = bca_interval(mean, ANEW, m, acceleration_of(influence, DRAWN), .95);
        plain += p.low > 1 || p.high < 1, above += p.high < 1;
        bca += b.low > 1 || b.high < 1, bca_above += b.high < 1;
    }
    if (getenv("VERBOSE"))
        print_message("misses among %d: percentile %zu (too low %zu), bca %zu (too low %zu)\n", TIMES, plain, above, bca, bca_above);
    assert_true(bca < plain && bca_above < above);
    assert_true(bca < .09 * TIMES);
}

static void test_nobody(void **state)
{
    (void)state;
    double mean[8] = {0};
    assert_int_equal(bootstrap_means(&(struct bootstrap_set){mean, 1, mean}, 1, 0, 8, 1, NULL, NULL), ST_STATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_means),         cmocka_unit_test(test_against_theory), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_percentiles),   cmocka_unit_test(test_r),              cmocka_unit_test(test_corrections),
        cmocka_unit_test(test_coverage),      cmocka_unit_test(test_nobody),         cmocka_unit_test(test_company),
    };
    return cmocka_run_group_tests_name("eval_bootstrap", tests, NULL, NULL);
}
