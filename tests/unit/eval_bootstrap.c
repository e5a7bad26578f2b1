/* Intervals against independent computations. */
#include "tests/unit/unit.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/rng.h"
#include "eval/bootstrap.h"

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
    assert_int_equal(bootstrap_means(value, USERS, COLUMNS, RESAMPLES, 9, mean, NULL, NULL), ST_OK);
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
    assert_int_equal(bootstrap_means(value, USERS, COLUMNS, 4000, 1, mean, NULL, NULL), ST_OK);
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
    assert_int_equal(bootstrap_means(value, USERS, COLUMNS, RESAMPLES, 9, a, NULL, NULL), ST_OK);
    omp_set_num_threads(2);
    assert_int_equal(bootstrap_means(value, USERS, COLUMNS, RESAMPLES, 9, b, NULL, NULL), ST_OK);
    omp_set_num_threads(threads);
    assert_memory_equal(a, b, sizeof a);
}

static void test_percentiles(void **state)
{
    (void)state;
    double x[] = {5, 1, 4, 2, 3};
    struct interval i = percentile_interval(x, 5, .5);
    assert_near(i.low, 2, 1e-12);
    assert_near(i.high, 4, 1e-12);
    i = percentile_interval(x, 5, .95); /* positions .1 and 3.9 */
    assert_near(i.low, 1.1, 1e-12);
    assert_near(i.high, 4.9, 1e-12);
    assert_true(isnan(percentile_interval(x, 0, .95).low));
    double gaps[] = {NAN, 5, NAN, 1, 4, 2, NAN, 3, NAN};
    i = percentile_interval(gaps, 9, .95);
    assert_near(i.low, 1.1, 1e-12);
    assert_near(i.high, 4.9, 1e-12);
    assert_true(isnan(percentile_interval((double[]){NAN, NAN}, 2, .95).high));
}

static void test_nobody(void **state)
{
    (void)state;
    double mean[8] = {0};
    assert_int_equal(bootstrap_means(mean, 0, 1, 8, 1, mean, NULL, NULL), ST_STATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_means),         cmocka_unit_test(test_against_theory), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_percentiles),   cmocka_unit_test(test_nobody),
    };
    return cmocka_run_group_tests_name("eval_bootstrap", tests, NULL, NULL);
}
