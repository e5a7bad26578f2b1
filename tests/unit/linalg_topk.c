/* The k best of n, and compressed rows, against brute force. */
#include "tests/unit/unit.h"

#include <math.h>

#include "base/mem.h"
#include "base/rng.h"
#include "linalg/sparse.h"
#include "linalg/topk.h"

static int by_rank(const void *pa, const void *pb)
{
    const struct scored *a = pa, *b = pb;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* Sorts everything: slow and plain. */
static size_t topk_reference(const float *score, size_t n, size_t k, struct scored *all)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++)
        if (score[i] > -INFINITY)
            all[m++] = (struct scored){(uint32_t)i, score[i]};
    qsort(all, m, sizeof *all, by_rank);
    return m < k ? m : k;
}

static void compare(const float *score, size_t n, size_t k)
{
    struct scored *want = mem_new(n + 1, sizeof *want, "reference", NULL);
    struct scored *got = mem_new(k + 1, sizeof *got, "list", NULL);
    assert_true(want && got);
    size_t m = topk_reference(score, n, k, want);
    assert_int_equal(topk(score, n, k, got), m);
    for (size_t i = 0; i < m; i++) {
        assert_int_equal(got[i].index, want[i].index);
        assert_true(got[i].score == want[i].score);
    }
    mem_free(want);
    mem_free(got);
}

static void topk_by_hand(void **state)
{
    (void)state;
    const float score[] = {1, 3, NAN, 3, -INFINITY, 2, INFINITY};
    struct scored out[7];
    assert_int_equal(topk(score, 7, 3, out), 3);
    assert_int_equal(out[0].index, 6);
    assert_int_equal(out[1].index, 1);
    assert_int_equal(out[2].index, 3);
    assert_int_equal(topk(score, 7, 7, out), 5);
    assert_int_equal(out[4].index, 0);
    assert_int_equal(topk(score, 0, 3, out), 0);
    assert_int_equal(topk(score, 7, 0, out), 0);
}

/* Every length around the width of a vector, lists longer than the input, many ties, and orders that are worst cases. */
static void topk_like_sorting(void **state)
{
    (void)state;
    enum { MOST = 3000 };
    static float score[MOST];
    static const size_t sizes[] = {1, 2, 15, 16, 17, 31, 63, 64, 65, 127, 128, 129, 1000, MOST};
    static const size_t lists[] = {1, 2, 5, 10, 20, 100, 999, 5000};
    struct rng r = rng_stream(7, "topk", 0);
    for (int kind = 0; kind < 6; kind++) {
        for (size_t a = 0; a < sizeof sizes / sizeof *sizes; a++) {
            for (size_t i = 0; i < sizes[a]; i++) {
                double u = rng_real(&r);
                score[i] = kind == 0   ? (float)rng_normal(&r)
                           : kind == 1 ? (float)(int)(u * 5)
                           : kind == 2 ? (float)i
                           : kind == 3 ? -(float)i
                           : kind == 4 ? 0
                           : u < .3    ? NAN
                           : u < .6    ? -INFINITY
                                       : (float)u;
            }
            for (size_t b = 0; b < sizeof lists / sizeof *lists; b++)
                compare(score, sizes[a], lists[b]);
        }
    }
}

/* Out of any order, with ties. */
static void best_of_like_sorting(void **state)
{
    (void)state;
    enum { MOST = 700 };
    static struct scored list[MOST], want[MOST];
    static const size_t sizes[] = {0, 1, 2, 63, 64, 65, 319, 320, 321, MOST}, lists[] = {1, 2, 20, 100, 319, 320, 321, 1000};
    struct rng r = rng_stream(7, "best of", 0);
    for (int kind = 0; kind < 4; kind++)
        for (size_t a = 0; a < sizeof sizes / sizeof *sizes; a++)
            for (size_t b = 0; b < sizeof lists / sizeof *lists; b++) {
                size_t n = sizes[a], k = n < lists[b] ? n : lists[b];
                uint32_t order[MOST];
                for (uint32_t i = 0; i < n; i++)
                    order[i] = i;
                rng_shuffle(&r, order, n);
                for (size_t i = 0; i < n; i++) {
                    double x = rng_normal(&r);
                    float score = kind == 0 ? (float)x : kind == 1 ? (float)(int)x : kind == 2 ? (x < 0 ? -0.f : 0.f) : (x < 0 ? INFINITY : -1e38f);
                    list[i] = want[i] = (struct scored){order[i], score};
                }
                qsort(want, n, sizeof *want, by_rank);
                assert_int_equal(best_of(list, n, lists[b]), k);
                for (size_t i = 0; i < k; i++) {
                    assert_int_equal(list[i].index, want[i].index);
                    assert_true(list[i].score == want[i].score);
                }
            }
}

/* Rows long enough for blocks of many vectors, in which what is gathered overflows and is cut down again and again. */
static void topk_of_long_rows(void **state)
{
    (void)state;
    enum { MOST = 150001 };
    float *score = mem_new(MOST, sizeof *score, "scores", NULL);
    struct rng r = rng_stream(7, "long rows", 0);
    assert_non_null(score);
    for (int kind = 0; kind < 5; kind++) {
        for (size_t i = 0; i < MOST; i++) {
            double u = rng_real(&r);
            score[i] = kind == 0   ? (float)rng_normal(&r)
                       : kind == 1 ? (u < .001 ? (float)u : 0)
                       : kind == 2 ? (float)(i / 7)
                       : kind == 3 ? -(float)(i / 1000)
                                   : (u < .5 ? 1.f : NAN);
        }
        for (size_t k = 1; k <= 320; k += 319 / 3)
            compare(score, MOST, k);
        compare(score, 70000, 100);
    }
    mem_free(score);
}

static void csr_transposed_twice_is_itself(void **state)
{
    (void)state;
    struct rng r = rng_stream(7, "csr", 0);
    for (int with_value = 0; with_value < 2; with_value++) {
        struct csr m, t, back;
        enum { ROWS = 37, COLS = 23 };
        static char dense[ROWS][COLS];
        size_t count = 0;
        for (size_t i = 0; i < ROWS; i++)
            for (size_t j = 0; j < COLS; j++)
                count += (size_t)(dense[i][j] = i != 5 && j != 0 && rng_below(&r, 4) == 0);
        assert_int_equal(csr_new(&m, ROWS, COLS, count, with_value, NULL), ST_OK);
        size_t at = 0;
        for (size_t i = 0; i < ROWS; i++) {
            for (size_t j = 0; j < COLS; j++) {
                if (!dense[i][j])
                    continue;
                m.index[at] = (uint32_t)j;
                if (with_value)
                    m.value[at] = (float)(i * COLS + j);
                at++;
            }
            m.begin[i + 1] = at;
        }
        assert_int_equal(csr_transpose(&m, &t, NULL), ST_OK);
        assert_int_equal(csr_transpose(&t, &back, NULL), ST_OK);
        assert_int_equal(t.rows, COLS);
        assert_int_equal(csr_count(&t), count);
        for (size_t j = 0, seen = 0; j < COLS; j++)
            for (size_t e = t.begin[j]; e < t.begin[j + 1]; e++, seen++) {
                assert_int_equal(e, seen);
                assert_true(dense[t.index[e]][j]);
                assert_true(e == t.begin[j] || t.index[e - 1] < t.index[e]);
                if (with_value)
                    assert_true(t.value[e] == (float)(t.index[e] * COLS + j));
            }
        assert_memory_equal(m.begin, back.begin, (ROWS + 1) * sizeof *m.begin);
        assert_memory_equal(m.index, back.index, count * sizeof *m.index);
        csr_clear(&m);
        csr_clear(&t);
        csr_clear(&back);
    }
}

/* By hand: the same; nothing in common; a swap at the top; a list that ends early and agreed so far. */
static void overlap_by_hand(void **state)
{
    (void)state;
    struct scored a[] = {{1, 3}, {2, 2}, {3, 1}}, swapped[] = {{2, 3}, {1, 2}, {3, 1}}, other[] = {{7, 2}, {8, 1}, {9, 0}};
    assert_true(fabs(topk_overlap(a, 3, a, 3, .9) - 1) < 1e-12);
    assert_true(topk_overlap(a, 3, other, 3, .9) == 0);
    /* depths agree 0, 1, 1: .1 / .9 * (.81 + .729) + .729 */
    assert_true(fabs(topk_overlap(a, 3, swapped, 3, .9) - .9) < 1e-12);
    assert_true(fabs(topk_overlap(a, 2, a, 3, .9) - topk_overlap(a, 3, a, 2, .9)) < 1e-15);
    assert_true(fabs(topk_overlap(a, 2, a, 3, .9) - 1) < 1e-12); /* the missing third is taken to agree */
    /* {2} against {1, 2}: 0 / 1, then 1 / 2 with nothing more to expect; past the end 1 / 2 */
    assert_true(fabs(topk_overlap(swapped, 1, a, 2, .9) - (.1 / .9 * .5 * .81 + .5 * .81)) < 1e-12);
    assert_true(topk_overlap(NULL, 0, NULL, 0, .9) == 1 && topk_overlap(a, 3, NULL, 0, .9) == 0);
}

static void csr_empty(void **state)
{
    (void)state;
    struct csr m, t;
    assert_int_equal(csr_new(&m, 0, 3, 0, 0, NULL), ST_OK);
    assert_int_equal(csr_transpose(&m, &t, NULL), ST_OK);
    assert_int_equal(t.rows, 3);
    assert_int_equal(csr_count(&t), 0);
    csr_clear(&m);
    csr_clear(&t);
}

/* Equation 32 of Webber et al. by the book. */
static double overlap_by_the_book(const uint32_t *a, size_t na, const uint32_t *b, size_t nb, double p)
{
    size_t s = na < nb ? na : nb, l = na < nb ? nb : na;
    double x[32] = {0}, first = 0, second = 0;
    for (size_t d = 1; d <= l; d++)
        for (size_t i = 0; i < d && i < na; i++)
            for (size_t j = 0; j < d && j < nb; j++)
                x[d] += a[i] == b[j];
    for (size_t d = 1; d <= l; d++)
        first += x[d] / (double)d * pow(p, (double)d);
    for (size_t d = s + 1; d <= l; d++)
        second += x[s] * (double)(d - s) / (double)(s * d) * pow(p, (double)d);
    return (1 - p) / p * (first + second) + ((x[l] - x[s]) / (double)l + x[s] / (double)s) * pow(p, (double)l);
}

static void overlap_at_random(void **state)
{
    (void)state;
    struct rng r = rng_stream(3, "overlap", 0);
    for (int round = 0; round < 200; round++) {
        uint32_t x[20], y[20];
        struct scored a[20], b[20];
        for (uint32_t i = 0; i < 20; i++)
            x[i] = y[i] = i;
        rng_shuffle(&r, x, 20);
        rng_shuffle(&r, y, 20);
        for (uint32_t i = 0; i < 20; i++) {
            a[i].index = x[i];
            b[i].index = y[i];
        }
        size_t na = 1 + rng_below(&r, 20), nb = 1 + rng_below(&r, 20);
        double got = topk_overlap(a, na, b, nb, .8);
        assert_true(fabs(got - overlap_by_the_book(x, na, y, nb, .8)) < 1e-9);
        assert_true(got == topk_overlap(b, nb, a, na, .8) && got >= 0 && got < 1 + 1e-12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topk_by_hand),
        cmocka_unit_test(topk_like_sorting),
        cmocka_unit_test(topk_of_long_rows),
        cmocka_unit_test(best_of_like_sorting),
        cmocka_unit_test(overlap_at_random),
        cmocka_unit_test(csr_transposed_twice_is_itself),
        cmocka_unit_test(csr_empty),
        cmocka_unit_test(overlap_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
