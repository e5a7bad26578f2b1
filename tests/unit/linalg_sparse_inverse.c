/* Sparse factors and inverses against dense ones, and the refinement against plain loops. */
#include "tests/unit/unit.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "linalg/sparse_cholesky.h"

enum { N = 90 };

/* Half of a symmetric matrix with ones on its diagonal, which a stays without: an entry stands in one of its rows, or in both. */
static struct csr random_half(double density, float size, uint64_t seed, float *dense)
{
    struct csr a;
    struct rng r = rng_stream(seed, "sparse inverse", 0);
    bool here[N][N] = {{0}};
    memset(dense, 0, N * N * sizeof *dense);
    for (size_t i = 0; i < N; i++) {
        dense[i * N + i] = 1;
        for (size_t j = 0; j < i && i != N / 2; j++) {
            if (j == N / 2 || rng_real(&r) > density)
                continue;
            dense[i * N + j] = dense[j * N + i] = size * (float)(rng_real(&r) - .3);
            here[i][j] = rng_below(&r, 3) > 0;
            here[j][i] = !here[i][j] || rng_below(&r, 2);
        }
    }
    assert_int_equal(csr_new(&a, N, N, N * N, true, NULL), ST_OK);
    for (size_t i = 0; i < N; i++) {
        a.begin[i + 1] = a.begin[i];
        for (size_t j = 0; j < N; j++)
            if (here[i][j]) {
                a.index[a.begin[i + 1]] = (uint32_t)j;
                a.value[a.begin[i + 1]++] = dense[i * N + j];
            }
    }
    return a;
}

/* |L D L' - Q A Q' - shift I|, largest entry; and that no column of L has more than `kept`. */
static double factor_error(const struct sparse_factor *f, const float *dense, size_t kept)
{
    static double l[N][N];
    double worst = 0;
    memset(l, 0, sizeof l);
    for (size_t j = 0; j < N; j++) {
        assert_true(f->d[j] > 0 && f->rank[f->item[j]] == j && f->l.begin[j + 1] - f->l.begin[j] <= kept);
        l[j][j] = 1;
        for (size_t e = f->l.begin[j]; e < f->l.begin[j + 1]; e++) {
            assert_true(f->l.index[e] > j && (e == f->l.begin[j] || f->l.index[e] > f->l.index[e - 1]));
            l[f->l.index[e]][j] = (double)f->l.value[e];
        }
    }
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            double got = 0, want = (double)dense[f->item[i] * N + f->item[j]] + (i == j ? (double)f->shift : 0);
            for (size_t k = 0; k < N; k++)
                got += l[i][k] * (double)f->d[k] * l[j][k];
            worst = fmax(worst, fabs(got - want));
        }
    return worst;
}

static void test_factor(void **state)
{
    (void)state;
    static float dense[N * N];
    struct sparse_factor f;
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct csr a = random_half(.2, .3F, seed, dense);
        assert_int_equal(sparse_factorize(&a, N, &f, NULL, "", NULL), ST_OK);
        assert_true(!(f.shift > 0) && factor_error(&f, dense, N) < 1e-5);
        sparse_factor_clear(&f);
        assert_int_equal(sparse_factorize(&a, 6, &f, NULL, "", NULL), ST_OK);
        double dropped = factor_error(&f, dense, 6);
        assert_true(dropped > 1e-5 && dropped < .3);
        sparse_factor_clear(&f);
        csr_clear(&a);
    }
}

/* What is not positive definite has its diagonal raised, and is factorized with that. */
static void test_shift(void **state)
{
    (void)state;
    static float dense[N * N];
    struct sparse_factor f;
    struct csr a = random_half(.5, 2, 9, dense);
    assert_int_equal(sparse_factorize(&a, N, &f, NULL, "", NULL), ST_OK);
    assert_true(f.shift > .5F && factor_error(&f, dense, N) < 1e-3);
    sparse_factor_clear(&f);
    struct error err;
    a.value[3] = NAN;
    assert_int_equal(sparse_factorize(&a, N, &f, NULL, "", &err), ST_FORMAT);
    sparse_factor_clear(&f);
    csr_clear(&a);
}

static double residual(const struct sparse_factor *f, const struct csr *m)
{
    double worst = 0;
    for (size_t r = 0; r < N; r++) {
        double y[N] = {0};
        for (size_t e = m->begin[r]; e < m->begin[r + 1]; e++) {
            size_t k = m->index[e];
            y[k] += (double)m->value[e];
            for (size_t p = f->l.begin[k]; p < f->l.begin[k + 1]; p++)
                y[f->l.index[p]] += (double)m->value[e] * (double)f->l.value[p];
        }
        for (size_t i = 0; i < N; i++)
            worst = fmax(worst, fabs(y[i] - (i == f->rank[r])));
    }
    return worst;
}

static void test_inverse(void **state)
{
    (void)state;
    static float dense[N * N];
    static double want[N];
    struct sparse_factor f;
    struct csr a = random_half(.2, .3F, 4, dense), m, alone;
    assert_int_equal(sparse_factorize(&a, N, &f, NULL, "", NULL), ST_OK);
    double before = INFINITY;
    for (size_t sweeps = 0; sweeps < 16; sweeps += 5) {
        assert_int_equal(sparse_invert(&f, N, sweeps, &m, NULL, "", NULL), ST_OK);
        double after = residual(&f, &m);
        assert_true(after < before);
        before = after;
        csr_clear(&m);
    }
    assert_true(before < 1e-4);
    for (size_t kept = 3; kept <= N; kept *= 3) {
        int threads = omp_get_max_threads();
        omp_set_num_threads(2);
        assert_int_equal(sparse_invert(&f, kept, 3, &m, NULL, "", NULL), ST_OK);
        omp_set_num_threads(1);
        assert_int_equal(sparse_invert(&f, kept, 3, &alone, NULL, "", NULL), ST_OK);
        omp_set_num_threads(threads);
        assert_memory_equal(m.begin, alone.begin, (N + 1) * sizeof *m.begin);
        assert_memory_equal(m.value, alone.value, csr_count(&m) * sizeof *m.value);
        for (size_t r = 0; r < N; r++) {
            double sum = 0, got = 0;
            assert_int_equal(sparse_invert_reference(&f, r, kept, 3, want, NULL), ST_OK);
            assert_true(m.begin[r + 1] - m.begin[r] <= kept + 1);
            for (size_t i = 0; i < N; i++)
                sum += fabs(want[i]);
            for (size_t e = m.begin[r]; e < m.begin[r + 1]; e++) {
                got += fabs((double)m.value[e]);
                assert_true(fabs((double)m.value[e] - want[m.index[e]]) < 1e-5);
            }
            assert_true(fabs(got - sum) < 1e-4);
        }
        csr_clear(&m);
        csr_clear(&alone);
    }
    sparse_factor_clear(&f);
    csr_clear(&a);
}

/* ---- the complete factor ---- */

static struct csr whole(const float *dense)
{
    struct csr a;
    assert_int_equal(csr_new(&a, N, N, N * N, true, NULL), ST_OK);
    for (size_t i = 0; i < N; i++) {
        a.begin[i + 1] = a.begin[i];
        for (size_t j = 0; j < N; j++)
            if (i != j && fabsf(dense[i * N + j]) > 0) {
                a.index[a.begin[i + 1]] = (uint32_t)j;
                a.value[a.begin[i + 1]++] = dense[i * N + j];
            }
    }
    return a;
}

/* Column j of `few` has the largest entries of that of `all`, and no others. */
static void check_cut(const struct sparse_factor *all, const struct sparse_factor *few, size_t j, size_t kept)
{
    const struct csr *l = &all->l, *cut = &few->l;
    size_t n = l->begin[j + 1] - l->begin[j], e = cut->begin[j];
    double smallest = INFINITY;
    assert_int_equal(cut->begin[j + 1] - e, n < kept ? n : kept);
    for (size_t i = cut->begin[j]; i < cut->begin[j + 1]; i++)
        smallest = fmin(smallest, fabs((double)cut->value[i]));
    for (size_t i = l->begin[j]; i < l->begin[j + 1]; i++) {
        if (e < cut->begin[j + 1] && cut->index[e] == l->index[i])
            assert_true(cut->value[e++] == l->value[i]);
        else
            assert_true(fabs((double)l->value[i]) <= smallest);
    }
    assert_int_equal(e, cut->begin[j + 1]);
}

static void test_complete(void **state)
{
    (void)state;
    static float dense[N * N];
    struct sparse_factor all, few;
    if (!sparse_cholesky_can())
        skip();
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct csr half = random_half(.2, .3F, seed, dense), a = whole(dense);
        assert_int_equal(sparse_cholesky(&a, N, SIZE_MAX, &all, NULL, "", NULL), ST_OK);
        assert_true(!(all.shift > 0) && factor_error(&all, dense, N) < 1e-5);
        assert_int_equal(sparse_cholesky(&a, 6, SIZE_MAX, &few, NULL, "", NULL), ST_OK);
        assert_memory_equal(all.item, few.item, N * sizeof *all.item);
        assert_memory_equal(all.d, few.d, N * sizeof *all.d);
        for (size_t j = 0; j < N; j++)
            check_cut(&all, &few, j, 6);
        sparse_factor_clear(&all);
        sparse_factor_clear(&few);
        csr_clear(&half);
        csr_clear(&a);
    }
}

/* A raised diagonal, no room, what is no number, and a cancel. */
static void test_complete_hard(void **state)
{
    (void)state;
    static float dense[N * N];
    struct sparse_factor f;
    struct error err = {0};
    struct job job;
    if (!sparse_cholesky_can())
        skip();
    struct csr half = random_half(.5, 2, 9, dense), a = whole(dense);
    assert_int_equal(sparse_cholesky(&a, N, SIZE_MAX, &f, NULL, "", NULL), ST_OK);
    assert_true(f.shift > .5F && factor_error(&f, dense, N) < 1e-3);
    sparse_factor_clear(&f);
    assert_int_equal(sparse_cholesky(&a, N, 1000, &f, NULL, "", &err), ST_NOMEM);
    assert_non_null(strstr(err.message, "the complete factor of 90 rows needs "));
    assert_non_null(strstr(err.message, "KiB; there are 1000 B free"));
    sparse_factor_clear(&f);
    job_init(&job);
    job_cancel(&job);
    assert_int_equal(sparse_cholesky(&a, N, SIZE_MAX, &f, &job, "", &err), ST_CANCELLED);
    job_destroy(&job);
    sparse_factor_clear(&f);
    a.value[3] = NAN;
    assert_int_equal(sparse_cholesky(&a, N, SIZE_MAX, &f, NULL, "", &err), ST_FORMAT);
    sparse_factor_clear(&f);
    csr_clear(&half);
    csr_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_factor), cmocka_unit_test(test_shift), cmocka_unit_test(test_inverse),
                                       cmocka_unit_test(test_complete), cmocka_unit_test(test_complete_hard)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
