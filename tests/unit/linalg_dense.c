/* The small kernels of factor models against plain loops in double, and the promise that bits do not depend on the
 * number of threads, the size of a batch or the place in it. */
#include "tests/unit/unit.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "linalg/dense.h"
#include "linalg/lanes.h"
#include "tests/unit/memory.h"

static const size_t WIDTHS[] = {1, 2, 3, 8, 15, 16, 17, 33, 64, 100, 128, 200};
enum { NWIDTHS = sizeof WIDTHS / sizeof *WIDTHS };

static float *random_rows(size_t rows, size_t k, uint64_t seed)
{
    struct rng r = rng_stream(seed, "rows", k);
    float *y = mem_new(rows * k + 1, sizeof *y, "rows", NULL);
    assert_non_null(y);
    for (size_t i = 0; i < rows * k; i++)
        y[i] = (float)rng_normal(&r);
    return y;
}

/* Error per entry, relative to the length of the sum. */
static void assert_close(double got, double want, double scale)
{
    if (!(fabs(got - want) <= 1e-6 * (scale + 1)))
        fail_msg("%.9g is not %.9g", got, want);
}

static void kernel_has_a_name(void **state)
{
    (void)state;
    assert_non_null(strstr(linalg_kernel_name(), "OpenBLAS "));
    assert_true(strlen(linalg_kernel_name()) < 64);
    assert_ptr_equal(linalg_kernel_name(), linalg_kernel_name());
}

static void gram_like_loops(void **state)
{
    (void)state;
    enum { ROWS = 9001 };
    for (size_t a = 0; a < NWIDTHS; a += 3) {
        size_t k = WIDTHS[a];
        float *y = random_rows(ROWS, k, 1), *one = mem_new(k * k, 4, "gram", NULL), *two = mem_new(k * k, 4, "gram", NULL);
        omp_set_num_threads(1);
        assert_int_equal(gram(y, ROWS, k, one, NULL), ST_OK);
        omp_set_num_threads(2);
        assert_int_equal(gram(y, ROWS, k, two, NULL), ST_OK);
        for (size_t i = 0; i < k; i++) {
            for (size_t j = 0; j <= i; j++) {
                double want = 0;
                for (size_t r = 0; r < ROWS; r++)
                    want += (double)y[r * k + i] * (double)y[r * k + j];
                assert_close(one[i * k + j], want, ROWS);
                assert_true(one[i * k + j] == two[i * k + j]);
            }
        }
        mem_free(y);
        mem_free(one);
        mem_free(two);
    }
}

static void gram_add_like_loops(void **state)
{
    (void)state;
    enum { ROWS = 300, PICKED = 177 };
    struct rng r = rng_stream(3, "picked", 0);
    uint32_t index[PICKED];
    float weight[PICKED];
    for (size_t j = 0; j < PICKED; j++) {
        index[j] = (uint32_t)rng_below(&r, ROWS);
        weight[j] = (float)rng_real(&r) * 3;
    }
    for (size_t a = 0; a < NWIDTHS; a++) {
        size_t k = WIDTHS[a];
        float *y = random_rows(ROWS, k, 2), *out = mem_new(k * k, 4, "gram", NULL), *sum = mem_new(k, 4, "sum", NULL);
        float *scratch = mem_new(gram_scratch(k), 4, "scratch", NULL);
        for (int weighted = 0; weighted < 2; weighted++) {
            for (size_t i = 0; i < k * k; i++)
                out[i] = 0.5F;
            gram_add(out, k, y, index, weighted ? weight : NULL, PICKED, scratch);
            rows_sum(sum, k, y, index, weighted ? weight : NULL, PICKED);
            for (size_t i = 0; i < k; i++) {
                double total = 0;
                for (size_t p = 0; p < PICKED; p++)
                    total += (weighted ? (double)weight[p] : 1) * (double)y[index[p] * k + i];
                assert_close(sum[i], total, PICKED);
                for (size_t j = 0; j < k; j++) {
                    double want = 0.5;
                    for (size_t p = 0; p < PICKED && j <= i; p++)
                        want += (weighted ? (double)weight[p] : 1) * (double)y[index[p] * k + i] * (double)y[index[p] * k + j];
                    if (j <= i)
                        assert_close(out[i * k + j], want, PICKED);
                }
            }
        }
        mem_free(y);
        mem_free(out);
        mem_free(sum);
        mem_free(scratch);
    }
}

static void cholesky_solves(void **state)
{
    (void)state;
    for (size_t a = 0; a < NWIDTHS; a++) {
        size_t k = WIDTHS[a], rows = 2 * k + 5;
        float *y = random_rows(rows, k, 4), *m = mem_new(k * k, 4, "matrix", NULL), *l = mem_new(k * k, 4, "factor", NULL);
        float *x = random_rows(1, k, 5), *b = mem_new(k, 4, "right side", NULL);
        assert_int_equal(gram(y, rows, k, m, NULL), ST_OK);
        for (size_t i = 0; i < k; i++)
            m[i * k + i] += 1;
        for (size_t i = 0; i < k; i++) {
            double sum = 0;
            for (size_t j = 0; j < k; j++)
                sum += (double)(j <= i ? m[i * k + j] : m[j * k + i]) * (double)x[j];
            b[i] = (float)sum;
        }
        memcpy(l, m, k * k * sizeof *m);
        assert_true(cholesky_solve(l, k, b));
        for (size_t i = 0; i < k; i++)
            assert_true(fabs((double)b[i] - (double)x[i]) < 2e-3);
        for (size_t i = 0; i < k; i++)
            for (size_t j = 0; j <= i; j++) {
                double sum = 0;
                for (size_t f = 0; f <= j; f++)
                    sum += (double)l[f * k + i] * (double)l[f * k + j];
                assert_close(sum, (double)m[i * k + j], (double)rows * 3);
            }
        mem_free(y);
        mem_free(m);
        mem_free(l);
        mem_free(x);
        mem_free(b);
    }
}

static void cholesky_refuses(void **state)
{
    (void)state;
    float a[] = {1, 0, 2, 1}, b[] = {3, 4};
    assert_false(cholesky_solve(a, 2, b));
    assert_true(b[0] == 3 && b[1] == 4);
    float nan[] = {NAN};
    assert_false(cholesky_solve(nan, 1, b));
}

/* Systems of 16 lanes have the solutions that they have alone, and the same bits whatever stands beside them. */
static void lanes_solve_each(void **state)
{
    static const size_t sizes[] = {1, 3, 15, 16, 17, 32, 47, 48, 60, LANES_MOST};
    (void)state;
    for (size_t n = 0; n < sizeof sizes / sizeof *sizes; n++) {
        size_t m = sizes[n], rows = 2 * m + 5;
        const float *a[LANES];
        float *matrix = mem_new(LANES * m * m, sizeof *matrix, "matrices", NULL), *b = random_rows(LANES, m, 9);
        float *room = mem_new(lanes_room(m), sizeof *room, "lanes", NULL), *alone = mem_new(m * m, sizeof *alone, "matrix", NULL);
        float *x = mem_new(LANES * m, sizeof *x, "solutions", NULL);
        struct lanes l;
        for (size_t i = 0; i < LANES; i++) {
            float *y = random_rows(rows, m, 20 + i);
            a[i] = matrix + i * m * m;
            assert_int_equal(gram(y, rows, m, matrix + i * m * m, NULL), ST_OK);
            for (size_t f = 0; f < m; f++)
                matrix[i * m * m + f * m + f] += 1;
            mem_free(y);
        }
        for (int beside = 0; beside < 2; beside++) { /* all of them; the last one beside copies of the first */
            for (size_t i = 0; i < LANES && beside; i++)
                a[i] = i + 1 < LANES ? matrix : a[i];
            lanes_open(&l, a, m, room);
            assert_true(lanes_factor(&l));
            for (int again = 0; again < 2; again++) {
                for (size_t i = 0; i < LANES; i++)
                    for (size_t f = 0; f < m; f++)
                        *lanes_right(&l, i, f) = b[i * m + f];
                lanes_solve(&l);
            }
            for (size_t i = 0; i < LANES && !beside; i++) {
                for (size_t f = 0; f < m; f++)
                    x[i * m + f] = *lanes_right(&l, i, f);
                float right[LANES_MOST];
                memcpy(alone, a[i], m * m * sizeof *alone);
                memcpy(right, b + i * m, m * sizeof *right);
                assert_true(cholesky_solve(alone, m, right));
                for (size_t f = 0; f < m; f++)
                    assert_true(fabs((double)right[f] - (double)x[i * m + f]) < 1e-5);
            }
        }
        for (size_t f = 0; f < m; f++)
            assert_memory_equal(lanes_right(&l, LANES - 1, f), &x[(LANES - 1) * m + f], sizeof *x);
        a[5] = matrix + 5 * m * m;
        matrix[5 * m * m] = -1; /* one that is not positive definite is told of, wherever it stands */
        lanes_open(&l, a, m, room);
        assert_false(lanes_factor(&l));
        matrix[5 * m * m] = NAN;
        lanes_open(&l, a, m, room);
        assert_false(lanes_factor(&l));
        matrix[5 * m * m] = INFINITY;
        lanes_open(&l, a, m, room);
        assert_false(lanes_factor(&l));
        mem_free(matrix);
        mem_free(b);
        mem_free(room);
        mem_free(alone);
        mem_free(x);
    }
}

static void dots_like_loops_whatever_the_batch(void **state)
{
    (void)state;
    enum { QUERIES = 23, ITEMS = 4219 };
    for (size_t a = 0; a < NWIDTHS; a++) {
        size_t k = WIDTHS[a], items = a % 3 == 0 ? ITEMS : a % 3 == 1 ? 64 : 5;
        float *y = random_rows(items, k, 6), *x = random_rows(QUERIES, k, 7);
        float *all = mem_new(QUERIES * items, 4, "scores", NULL), *some = mem_new(QUERIES * items, 4, "scores", NULL);
        struct dots d;
        assert_int_equal(dots_pack(&d, y, items, k, NULL), ST_OK);
        omp_set_num_threads(2);
        dots_score(&d, x, QUERIES, all);
        for (size_t q = 0; q < QUERIES; q++)
            for (size_t i = 0; i < items; i++) {
                double want = 0;
                for (size_t f = 0; f < k; f++)
                    want += (double)x[q * k + f] * (double)y[i * k + f];
                assert_close(all[q * items + i], want, (double)k);
            }
        omp_set_num_threads(1);
        for (size_t batch = 1; batch <= 8; batch++)
            for (size_t q = 0; q < QUERIES; q += batch) {
                size_t n = QUERIES - q < batch ? QUERIES - q : batch;
                dots_score(&d, x + q * k, n, some);
                assert_memory_equal(some, all + q * items, n * items * sizeof *some);
            }
        dots_clear(&d);
        mem_free(y);
        mem_free(x);
        mem_free(all);
        mem_free(some);
    }
}

static void without_memory(void **state)
{
    (void)state;
    float y[4] = {0}, out[1];
    struct dots d;
    atomic_long left = 0;
    mem_set_hook(fail_from, &left);
    enum status a = gram(y, 4, 1, out, NULL), b = dots_pack(&d, y, 4, 1, NULL);
    mem_set_hook(NULL, NULL);
    assert_int_equal(a, ST_NOMEM);
    assert_int_equal(b, ST_NOMEM);
    dots_clear(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernel_has_a_name),
        cmocka_unit_test(gram_like_loops),
        cmocka_unit_test(gram_add_like_loops),
        cmocka_unit_test(cholesky_solves),
        cmocka_unit_test(cholesky_refuses),
        cmocka_unit_test(lanes_solve_each),
        cmocka_unit_test(dots_like_loops_whatever_the_batch),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
