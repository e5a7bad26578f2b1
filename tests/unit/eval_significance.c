/* Tests of paired differences against R, against all ways to toss, and by how often they cry wolf. */
#include "tests/unit/unit.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/rng.h"
#include "eval/significance.h"
#include "tests/unit/memory.h"
#include "tests/unit/significance.h"

static double p_of(enum paired_test test, const double *d, size_t n)
{
    double p = NAN;
    assert_int_equal(paired_test(test, d, n, 1, &p, NULL), ST_OK);
    return p;
}

static void assert_like_r(const char *name, const char *what, double x, double r)
{
    if (!(fabs(x - r) <= 1e-6 && fabs(x - r) <= 1e-6 * fabs(r) + 1e-12))
        fail_msg("%s, %s: %.12g, R says %.12g", name, what, x, r);
}

static void test_r(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof r_cases / sizeof *r_cases; i++) {
        const struct r_case *c = &r_cases[i];
        struct effect e;
        assert_int_equal(effect_of(c->d, c->n, &e, NULL), ST_OK);
        assert_like_r(c->name, "t", p_of(TEST_T, c->d, c->n), c->t);
        assert_like_r(c->name, "wilcoxon", p_of(TEST_WILCOXON, c->d, c->n), c->wilcoxon);
        assert_like_r(c->name, "d_z", e.d, c->d_z);
        assert_like_r(c->name, "rank biserial", e.rank_biserial, c->rank_biserial);
    }
}

static void test_r_adjusted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof r_adjusted / sizeof *r_adjusted; i++) {
        const struct r_adjusted *r = &r_adjusted[i];
        double out[8];
        for (int how = ADJUST_HOLM; how <= ADJUST_NONE; how++) {
            const double *want = how == ADJUST_HOLM ? r->holm : how == ADJUST_BH ? r->bh : r->p;
            assert_int_equal(adjust_p((enum adjustment)how, r->p, r->n, r->family, out, NULL), ST_OK);
            for (size_t j = 0; j < r->n; j++)
                if (!isnan(want[j]) || !isnan(out[j]))
                    assert_like_r("p.adjust", how == ADJUST_HOLM ? "holm" : how == ADJUST_BH ? "BH" : "none", out[j], want[j]);
        }
    }
}

/* All 2^n ways to toss, counted one by one. */
static double all_ways(const double *d, size_t n)
{
    double observed = 0;
    size_t far = 0;
    for (size_t i = 0; i < n; i++)
        observed += d[i];
    for (size_t signs = 0; signs < (size_t)1 << n; signs++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += (signs >> i & 1 ? 1 : -1) * d[i];
        far += fabs(sum) >= fabs(observed) - 1e-9;
    }
    return (double)far / (double)((size_t)1 << n);
}

static void test_randomization(void **state)
{
    double d[RANDOMIZATION_EXACT + 2] = {.4, -.1, .6, -.2, .6, 0, .5, -.1, .3, .7}, p;
    struct rng r = rng_stream(3, "tosses", 0);
    (void)state;
    assert_near(p_of(TEST_RANDOMIZATION, d, 10), all_ways(d, 10), 1e-12);
    for (size_t n = 1; n <= 14; n++) {
        for (size_t i = 0; i < n; i++)
            d[i] = (double)rng_below(&r, 9) / 8 - .4; /* with ties */
        assert_near(p_of(TEST_RANDOMIZATION, d, n), all_ways(d, n), 1e-12);
    }
    /* One more than can be gone through: drawn, near what they are. */
    for (size_t i = 0; i < RANDOMIZATION_EXACT + 1; i++)
        d[i] = .1 + .3 * rng_normal(&r);
    assert_int_equal(paired_randomization(d, RANDOMIZATION_EXACT + 1, 200000, 200000, 1, &p, NULL), ST_OK);
    assert_near(p, all_ways(d, RANDOMIZATION_EXACT + 1), .004);
}

/* With many users it is the normal test of the sum: variance is the sum of squares. */
static void test_randomization_many(void **state)
{
    enum { N = 3001 };
    static double d[N];
    struct rng r = rng_stream(4, "tosses", 0);
    double sum = 0, squares = 0, p;
    (void)state;
    for (size_t i = 0; i < N; i++) {
        d[i] = .03 + rng_normal(&r);
        sum += d[i], squares += d[i] * d[i];
    }
    assert_int_equal(paired_randomization(d, N, 100000, 100000, 7, &p, NULL), ST_OK);
    assert_near(p, 2 * gsl_cdf_ugaussian_Q(fabs(sum) / sqrt(squares)), .006);
}

/* What nobody could toss by chance is told as such after adjustment for many models; what is proved is no less than what all ways say. */
static void test_overwhelming(void **state)
{
    enum { N = 3001, MODELS = 20 };
    static double d[N];
    struct rng r = rng_stream(5, "tosses", 0);
    double sum = 0, squares = 0, p, z;
    (void)state;
    for (size_t i = 0; i < N; i++)
        d[i] = .3 + rng_normal(&r);
    p = p_of(TEST_RANDOMIZATION, d, N);
    assert_true(p > 0 && p * MODELS * (MODELS - 1) / 2 < 1e-4);
    for (size_t n = 2; n <= RANDOMIZATION_EXACT - 4; n++) { /* all alike: as far as it can be */
        for (size_t i = 0; i < n; i++)
            d[i] = 1;
        double exact = p_of(TEST_RANDOMIZATION, d, n);
        assert_true(exact <= 3.178 * 2 * gsl_cdf_ugaussian_Q(sqrt((double)n)) * (1 + 1e-3)); /* equal where n is 2 */
    }
    /* Between the two: more rounds than at first, near the normal. */
    for (size_t i = 0; i < N; i++) {
        d[i] = .075 + rng_normal(&r);
        sum += d[i], squares += d[i] * d[i];
    }
    z = fabs(sum) / sqrt(squares);
    p = p_of(TEST_RANDOMIZATION, d, N);
    assert_true(p > 1. / RANDOMIZATIONS_MOST && p < (double)RANDOMIZATION_FAR / RANDOMIZATIONS);
    assert_near(p / (2 * gsl_cdf_ugaussian_Q(z)), 1, .3);
    assert_near(p * (1 + RANDOMIZATIONS_MOST), round(p * (1 + RANDOMIZATIONS_MOST)), 1e-6); /* of all rounds, each counted once */
}

static void test_edges(void **state)
{
    static const double none[3] = {0, 0, 0}, same[3] = {1, 1, 1}, one[1] = {.5};
    struct effect e;
    (void)state;
    for (int t = TEST_RANDOMIZATION; t <= TEST_WILCOXON; t++) {
        assert_true(isnan(p_of((enum paired_test)t, none, 0)));
        assert_true(p_of((enum paired_test)t, none, 3) == 1);
    }
    assert_true(isnan(p_of(TEST_T, one, 1)));
    assert_near(p_of(TEST_RANDOMIZATION, one, 1), 1, 0);
    assert_near(p_of(TEST_WILCOXON, one, 1), 1, 0);
    assert_near(p_of(TEST_T, same, 3), 0, 0);
    assert_near(p_of(TEST_RANDOMIZATION, same, 3), .25, 1e-15);
    assert_int_equal(effect_of(same, 3, &e, NULL), ST_OK);
    assert_true(isnan(e.d) && e.rank_biserial == 1 && e.above == 1 && e.equal == 0);
    assert_int_equal(effect_of(none, 3, &e, NULL), ST_OK);
    assert_true(isnan(e.rank_biserial) && e.equal == 1);
}

/* ---- 1,000 comparisons in which nothing differs ---- */

enum { NULLS = 1000, USERS = 120 };

/* Two models of users who differ much among each other; values as recall has them: few levels, many zeros. */
static void draw_null(double *d, uint64_t i, bool levels)
{
    struct rng r = rng_stream(11, "null", i);
    for (size_t u = 0; u < USERS; u++) {
        double easy = rng_real(&r), pair[2];
        for (size_t m = 0; m < 2; m++) {
            double x = easy * rng_real(&r) + .3 * easy * rng_normal(&r);
            pair[m] = levels ? floor(5 * fmax(x, 0)) / 5 : x;
        }
        d[u] = pair[0] - pair[1];
    }
}

/* So many of 1,000 that the share differs from 5 % by no more than chance allows 999 times of 1,000. */
static void assert_rate(const char *what, size_t claims)
{
    double below = gsl_cdf_binomial_P((unsigned)claims, .05, NULLS), above = gsl_cdf_binomial_Q((unsigned)claims - 1, .05, NULLS);
    if (below < .0005 || above < .0005)
        fail_msg("%s: %zu false claims among %d at 5 %%", what, claims, NULLS);
}

static void test_null(void **state)
{
    static const char *const name[] = {"randomization", "t", "wilcoxon"};
    double d[USERS], p;
    (void)state;
    for (int levels = 0; levels < 2; levels++) {
        size_t claims[3] = {0};
        for (uint64_t i = 0; i < NULLS; i++) {
            draw_null(d, i, levels);
            assert_int_equal(paired_randomization(d, USERS, 1000, 64000, i, &p, NULL), ST_OK);
            claims[TEST_RANDOMIZATION] += p <= .05;
            claims[TEST_T] += paired_t(d, USERS) <= .05;
            assert_int_equal(paired_wilcoxon(d, USERS, &p, NULL), ST_OK);
            claims[TEST_WILCOXON] += p <= .05;
        }
        for (int t = 0; t < 3; t++)
            assert_rate(name[t], claims[t]);
    }
}

static void test_threads(void **state)
{
    double d[USERS], one, two;
    int threads = omp_get_max_threads();
    (void)state;
    draw_null(d, 5, false);
    omp_set_num_threads(1);
    one = p_of(TEST_RANDOMIZATION, d, USERS);
    omp_set_num_threads(2);
    two = p_of(TEST_RANDOMIZATION, d, USERS);
    omp_set_num_threads(threads);
    assert_true(one == two);
}

static void test_memory(void **state)
{
    double p, adjusted[1], d[USERS];
    struct effect e;
    (void)state;
    draw_null(d, 1, false);
    for (long after = 0; after < 6; after++) {
        atomic_long left = after;
        mem_set_hook(fail_from, &left);
        enum status st = paired_randomization(d, USERS, 100, 100, 1, &p, NULL), few = paired_randomization(d, 8, 100, 100, 1, &p, NULL),
                    ranks = paired_wilcoxon(d, 8, &p, NULL), effect = effect_of(d, USERS, &e, NULL),
                    adjust = adjust_p(ADJUST_BH, d, 1, 0, adjusted, NULL);
        mem_set_hook(NULL, NULL);
        assert_int_equal(st, after < 2 ? ST_NOMEM : ST_OK);
        assert_int_equal(few, after < 5 ? ST_NOMEM : ST_OK);
        assert_int_equal(ranks, ST_NOMEM);
        assert_int_equal(effect, ST_NOMEM);
        assert_int_equal(adjust, ST_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_r),          cmocka_unit_test(test_r_adjusted), cmocka_unit_test(test_randomization), cmocka_unit_test(test_randomization_many), cmocka_unit_test(test_overwhelming),
        cmocka_unit_test(test_edges),      cmocka_unit_test(test_null),       cmocka_unit_test(test_threads),       cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests_name("eval_significance", tests, NULL, NULL);
}
