/* Ridge regressions that share a matrix: against Gauss in double, on matrices as ill-conditioned as they come, with few rows and with
 * many; what the parts of a product sum to; bits that do not depend on what is solved together. */
#include "tests/unit/unit.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "linalg/ridge.h"

enum { ROWS = 700, SETS = 150 }; /* sets of several blocks, some of them long */

struct problem {
    struct ridge r;
    struct csr sets;
    float *y;
    double all, lambda;
};

static double pull(const void *context, size_t n)
{
    const struct problem *p = context;
    return p->lambda * ((double)n + 3);
}

/* Columns of lengths from 1 to `least`, turned among each other so that none is short by itself. */
static struct problem problem_new(size_t k, bool weigh, double all, double lambda, double least)
{
    struct problem p = {.y = mem_new(ROWS * k, sizeof *p.y, "", NULL), .all = all, .lambda = lambda};
    struct rng r = rng_stream(3, "ridge", k);
    double row[256];
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t f = 0; f < k; f++)
            row[f] = rng_normal(&r) * pow(least, k > 1 ? (double)f / (double)(k - 1) : 0);
        for (size_t f = 1; f < k; f++) {
            double a = row[f - 1], b = row[f];
            row[f - 1] = .6 * a + .8 * b;
            row[f] = .6 * b - .8 * a;
        }
        for (size_t f = 0; f < k; f++)
            p.y[i * k + f] = (float)row[f];
    }
    assert_int_equal(ridge_set(&p.r, p.y, ROWS, k, NULL), ST_OK);
    assert_int_equal(csr_new(&p.sets, SETS, ROWS, SETS * ROWS, weigh, NULL), ST_OK);
    size_t at = 0;
    for (size_t s = 0; s < SETS; s++) {
        for (uint32_t j = 0; j < ROWS && s % 7 != 3; j++) { /* some are empty, some hold nearly all rows */
            if (rng_real(&r) > (double)(s % 10 + 1) * .1)
                continue;
            if (weigh)
                p.sets.value[at] = (float)(.5 + rng_real(&r));
            p.sets.index[at++] = j;
        }
        p.sets.begin[s + 1] = at;
    }
    return p;
}

static void problem_free(struct problem *p)
{
    ridge_clear(&p->r);
    csr_clear(&p->sets);
    mem_free(p->y);
}

static void solved(const struct problem *p, float *x)
{
    assert_int_equal(ridge_solve_rows(&p->r, &(struct ridge_rows){&p->sets, pull, p, p->all}, x, NULL, NULL), ST_OK);
}

static double weight_at(const struct problem *p, size_t e)
{
    return p->sets.value ? p->sets.value[e] : 1;
}

/* By the book, in long double with pivots: what the rows of Y get, w_j y_j summed over the set. */
static void by_gauss(const struct problem *p, size_t set, long double *x)
{
    static long double a[128][129];
    size_t k = p->r.k, begin = p->sets.begin[set], end = p->sets.begin[set + 1];
    memset(a, 0, sizeof a);
    for (size_t f = 0; f < k; f++) {
        a[f][f] = pull(p, end - begin);
        for (size_t c = 0; c < k; c++)
            for (size_t i = 0; i < ROWS; i++)
                a[f][c] += (long double)p->all * p->y[i * k + f] * p->y[i * k + c];
        for (size_t e = begin; e < end; e++) {
            const float *y = p->y + p->sets.index[e] * k;
            a[f][k] += (long double)weight_at(p, e) * y[f];
            for (size_t c = 0; c < k; c++)
                a[f][c] += (long double)weight_at(p, e) * y[f] * y[c];
        }
    }
    for (size_t c = 0; c < k; c++) {
        size_t best = c;
        for (size_t r = c; r < k; r++)
            best = fabsl(a[r][c]) > fabsl(a[best][c]) ? r : best;
        for (size_t j = 0; j <= k; j++) {
            long double t = a[c][j];
            a[c][j] = a[best][j];
            a[best][j] = t;
        }
        for (size_t r = 0; r < k; r++) {
            long double times = r == c ? 0 : a[r][c] / a[c][c];
            for (size_t j = c; j <= k && times != 0; j++)
                a[r][j] -= times * a[c][j];
        }
    }
    for (size_t c = 0; c < k; c++)
        x[c] = a[c][k] / a[c][c];
}

static long double product(const float *y, const long double *x, size_t k)
{
    long double sum = 0;
    for (size_t f = 0; f < k; f++)
        sum += y[f] * x[f];
    return sum;
}

/* Scores of all rows by all sets, and their parts, as shares of the largest score of the set. */
static void check(size_t k, bool weigh, double all, double lambda, double least, double within)
{
    struct problem p = problem_new(k, weigh, all, lambda, least);
    float *x = mem_new(SETS * k, sizeof *x, "", NULL);
    long double want[128];
    double part[ROWS];
    char *scratch = mem_new(ridge_scratch(k, ROWS), 1, "", NULL);
    solved(&p, x);
    for (size_t s = 0; s < SETS; s += 1 + k / 16) {
        size_t at = p.sets.begin[s], n = p.sets.begin[s + 1] - at;
        double most = 0, miss = 0, apart = 0;
        by_gauss(&p, s, want);
        struct ridge_set set = {p.sets.index + at, p.sets.value ? p.sets.value + at : NULL, n, all, pull(&p, n)};
        for (size_t i = 0; i < ROWS; i++) {
            double got = 0, sum = 0, meant = (double)product(p.y + i * k, want, k);
            for (size_t f = 0; f < k; f++)
                got += (double)x[s * k + f] * (double)p.y[i * k + f];
            most = fmax(most, fabs(meant));
            miss = fmax(miss, fabs(got - meant));
            if (!n || i % 10)
                continue;
            assert_true(ridge_parts(&p.r, &set, i, part, scratch));
            for (size_t j = 0; j < n; j++)
                sum += part[j];
            apart = fmax(apart, fabs(sum - meant));
        }
        assert_true(n || most == 0);
        assert_true(miss <= within * most);
        assert_true(apart <= 3e-6 * most);
    }
    mem_free(x);
    mem_free(scratch);
    problem_free(&p);
}

static void test_solutions(void **state)
{
    (void)state;
    const size_t widths[] = {1, 3, 16, 21, 64, 100};
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        check(widths[w], false, .1, .01, .3, 3e-6);
        check(widths[w], true, .02, .3, .3, 3e-6);
    }
}

/* Nothing pulls, next to nothing is said of all rows, and Y'Y has a condition of 1e8: more than float32 can solve. The parts hold still;
 * a product with x in float32 loses what x is longer in the short directions. */
static void test_ill_conditioned(void **state)
{
    (void)state;
    check(32, false, .001, 0, 1e-4, 1e-3);
    check(64, true, .001, 0, 1e-4, 1e-3);
}

/* Rows that fill fewer dimensions than they have: what lies in none of them is left alone. */
static void test_flat(void **state)
{
    (void)state;
    enum { K = 12 };
    struct problem p = problem_new(K, false, .01, 0, 1);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t f = K / 2; f < K; f++)
            p.y[i * K + f] = 2 * p.y[i * K + f - K / 2];
    assert_int_equal(ridge_set(&p.r, p.y, ROWS, K, NULL), ST_OK);
    float *x = mem_new(SETS * K, sizeof *x, "", NULL);
    solved(&p, x);
    for (size_t s = 0; s < SETS; s++)
        for (size_t f = K / 2; f < K; f++)
            assert_true(fabsf(x[s * K + f] - 2 * x[s * K + f - K / 2]) <= 1e-5F * fabsf(x[s * K + f]));
    for (size_t i = 0; i < ROWS * K; i++)
        p.y[i] = 0;
    assert_int_equal(ridge_set(&p.r, p.y, ROWS, K, NULL), ST_OK);
    solved(&p, x);
    for (size_t i = 0; i < SETS * K; i++)
        assert_true(x[i] == 0);
    p.y[5] = NAN;
    assert_int_equal(ridge_set(&p.r, p.y, ROWS, K, NULL), ST_FORMAT);
    mem_free(x);
    problem_free(&p);
}

/* A set among others is a set alone, whether systems are small or large. */
static void test_bits(void **state)
{
    (void)state;
    static const size_t ks[] = {5, 33, 64, 80};
    for (size_t c = 0; c < sizeof ks / sizeof *ks; c++) {
        size_t k = ks[c];
        struct problem p = problem_new(k, true, .1, .1, .5);
        float *x = mem_new(SETS * k, sizeof *x, "", NULL), *z = mem_new(k, sizeof *z, "", NULL), *alone = mem_new(k, sizeof *alone, "", NULL);
        char *scratch = mem_new(ridge_scratch(k, ROWS), 1, "", NULL);
        solved(&p, x);
        for (size_t s = 0; s < SETS; s++) {
            size_t at = p.sets.begin[s], n = p.sets.begin[s + 1] - at;
            struct ridge_set set = {p.sets.index + at, p.sets.value + at, n, p.all, pull(&p, n)};
            assert_true(ridge_solve(&p.r, &set, z, scratch));
            ridge_back(&p.r, z, 1, alone);
            assert_memory_equal(alone, x + s * k, k * sizeof *x);
        }
        mem_free(x);
        mem_free(z);
        mem_free(alone);
        mem_free(scratch);
        problem_free(&p);
    }
}

/* One set that cannot be solved is told of, and does not stand in the way of the others' bits. */
static void test_refused(void **state)
{
    (void)state;
    enum { K = 20 };
    struct problem p = problem_new(K, true, .1, .1, .5);
    float *x = mem_new(SETS * K, sizeof *x, "", NULL), *again = mem_new(SETS * K, sizeof *again, "", NULL);
    struct error err;
    solved(&p, x);
    for (size_t s = 0; s < SETS; s += 37) {
        float *weight = &p.sets.value[p.sets.begin[s]], kept = *weight;
        if (p.sets.begin[s] == p.sets.begin[s + 1])
            continue;
        *weight = INFINITY;
        assert_int_equal(ridge_solve_rows(&p.r, &(struct ridge_rows){&p.sets, pull, &p, p.all}, again, NULL, &err), ST_FORMAT);
        *weight = kept;
        solved(&p, again);
        assert_memory_equal(again, x, SETS * K * sizeof *x);
    }
    mem_free(x);
    mem_free(again);
    problem_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_solutions),
        cmocka_unit_test(test_ill_conditioned),
        cmocka_unit_test(test_flat),
        cmocka_unit_test(test_bits),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
