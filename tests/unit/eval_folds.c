/* Means over folds against numbers worked by hand. */
#include "tests/unit/unit.h"

#include <math.h>

#include "eval/folds.h"

static const double one_two_three[] = {1, 2, 3}, zeros[] = {0, 0, 0};

static void near(double got, double want)
{
    if (!(fabs(got - want) < 1e-9))
        fail_msg("%.12g, not %.12g", got, want);
}

static void test_summary(void **state)
{
    (void)state;
    const double t = sqrt(2 * (2 * .975 - 1) * (2 * .975 - 1) / (1 - (2 * .975 - 1) * (2 * .975 - 1))); /* two degrees of freedom */
    struct fold_summary s;
    folds_summarize(one_two_three, 3, 0, &s);
    assert_int_equal(s.n, 3);
    near(s.mean, 2);
    near(s.sd, 1);
    near(s.interval.low, 2 - t * sqrt(1. / 3));
    near(s.interval.high, 2 + t * sqrt(1. / 3));
    folds_summarize(one_two_three, 3, .25, &s); /* five folds: a quarter as much is tested as trained on */
    near(s.interval.high, 2 + t * sqrt(1. / 3 + .25));
}

static void test_missing(void **state)
{
    (void)state;
    const double gaps[] = {NAN, 4, NAN, 6}, none[] = {NAN, NAN}, one[] = {NAN, 3};
    struct fold_summary s;
    folds_summarize(gaps, 4, 0, &s);
    assert_int_equal(s.n, 2);
    near(s.mean, 5);
    near(s.sd, sqrt(2));
    folds_summarize(one, 2, 0, &s);
    near(s.mean, 3);
    assert_true(isnan(s.sd) && isnan(s.interval.low) && isnan(s.interval.high));
    folds_summarize(none, 2, 0, &s);
    assert_true(s.n == 0 && isnan(s.mean) && isnan(s.sd));
}

static void test_paired(void **state)
{
    (void)state;
    near(folds_paired(one_two_three, zeros, 3, 0), 1 - sqrt(12) / sqrt(14)); /* t = 2 sqrt(3), two degrees of freedom */
    near(folds_paired(zeros, one_two_three, 3, 0), 1 - sqrt(12) / sqrt(14));
    near(folds_paired(zeros, zeros, 3, .5), 1);
    const double two[] = {2, 2, 2};
    near(folds_paired(two, zeros, 3, .5), 0);
    assert_true(isnan(folds_paired(one_two_three, zeros, 1, 0)));
    assert_true(folds_paired(one_two_three, zeros, 3, .25) > folds_paired(one_two_three, zeros, 3, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_summary),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_paired),
    };
    return cmocka_run_group_tests_name("eval_folds", tests, NULL, NULL);
}
