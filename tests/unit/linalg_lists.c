/* Lists without a matrix of scores are those of dots_score, mask and topk, to the bit, however the numbers lie. */
#include "tests/unit/unit.h"

#include <float.h>
#include <omp.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "linalg/lists.h"
#include "tests/unit/item_lists.h"
#include "tests/unit/memory.h"

enum kind {
    NORMAL,
    SKEWED,     /* few long items, many short ones */
    SAME_ITEMS, /* all scores of a query are equal */
    FEW_VALUES, /* many ties, and sums that are exact */
    NEARLY,     /* items that differ in the last bit alone */
    ROUNDED,    /* items that are the same after rounding to 8 bits */
    TINY,       /* products below the smallest normal number */
    DENORMAL,
    HUGE,       /* products that overflow */
    MIXED,      /* of all sizes, NaN and infinities among them */
    ZERO,       /* 0 and -0 */
    OPPOSITE,   /* negative scores only */
    CANCELLING, /* large terms that cancel: the score is all rounding */
    FARTHEST,   /* queries and items that 8 bits make longer by as much as they can, in opposite directions */
    KINDS
};

static float number(struct rng *r, enum kind kind, size_t i, size_t f)
{
    static const float strange[] = {NAN, INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, FLT_TRUE_MIN, -0.f, 1e18f};
    double n = rng_normal(r);
    switch (kind) {
    case SKEWED:
        return (float)(n / (1 + (double)(i * 7919 % 1000)));
    case SAME_ITEMS:
        return (float)f - 3.3f;
    case FEW_VALUES:
        return (float)((int)(n * 2) % 2);
    case NEARLY:
        return 1 + (rng_below(r, 2) ? FLT_EPSILON : 0);
    case ROUNDED:
        return (float)(f % 3 + 1) * (1 + (float)rng_below(r, 1000) * 1e-6f);
    case TINY:
        return (float)(n * 1e-22);
    case DENORMAL:
        return (float)(n * 1e-40);
    case HUGE:
        return (float)(n * 1e25);
    case MIXED:
        return rng_below(r, 200) == 0 ? strange[rng_below(r, 8)] : (float)(n * exp2((double)rng_below(r, 60) - 30));
    case ZERO:
        return rng_below(r, 2) ? 0.f : -0.f;
    case OPPOSITE:
        return (float)fabs(n) * (i == SIZE_MAX ? -1.f : 1.f);
    case CANCELLING:
        return (f % 2 ? -1e4f : 1e4f) * (1 + (float)rng_below(r, 3) * FLT_EPSILON);
    case FARTHEST:
        return i == SIZE_MAX ? 1 + 0x1.01p-8F : -1 - 0x1p-8F - (float)(1 + i * 7919 % 97) * FLT_EPSILON;
    default:
        return (float)n;
    }
}

/* dots_score, mask, topk. */
static size_t reference(const struct dots *d, const float *x, size_t q, const struct item_sets *hidden, size_t length, float *scores,
                        struct scored *out)
{
    dots_score(d, x + q * d->k, 1, scores);
    for (size_t h = hidden->begin[q]; h < hidden->begin[q + 1]; h++)
        scores[hidden->item[h]] = -INFINITY;
    return topk(scores, d->items, length, out);
}

static void compare(enum kind kind, enum kind asked, size_t items, size_t k, size_t queries, size_t length, enum lists_way way)
{
    struct rng r = rng_stream(5, "lists", items * 1000 + k);
    float *y = mem_new(items * k, sizeof *y, "", NULL), *x = mem_new(queries * k, sizeof *x, "", NULL);
    float *scores = mem_new(items, sizeof *scores, "", NULL);
    struct scored *got = mem_new(queries * length, sizeof *got, "", NULL), *want = mem_new(length, sizeof *want, "", NULL);
    size_t *counts = mem_new(queries, sizeof *counts, "", NULL);
    struct item_sets hidden = {mem_new(queries + 1, sizeof(size_t), "", NULL), mem_new(queries * items, sizeof(uint32_t), "", NULL)};
    struct item_sets wanted;
    struct dots d;
    struct dots_lists l;
    for (size_t i = 0; i < items * k; i++)
        y[i] = number(&r, kind, i / k, i % k);
    for (size_t i = 0; i < queries * k; i++)
        x[i] = number(&r, asked, SIZE_MAX, i % k);
    for (size_t q = 0; q < queries; q++) {
        size_t n = hidden.begin[q];
        for (uint32_t i = 0; i < items && q % 3; i++)
            if (q % 7 == 6 || rng_below(&r, 20) == 0)
                hidden.item[n++] = i;
        hidden.begin[q + 1] = n;
    }
    assert_int_equal(dots_pack(&d, y, items, k, NULL), ST_OK);
    assert_int_equal(dots_lists_new(&l, y, items, k, length, way, NULL), ST_OK);
    memset(got, 0xee, queries * length * sizeof *got);
    assert_int_equal(dots_lists_take(&l, x, queries, &hidden, NULL, got, counts, NULL), ST_OK);
    for (size_t q = 0; q < queries; q++) {
        size_t n = reference(&d, x, q, &hidden, length, scores, want);
        bool same = n == counts[q];
        for (size_t i = 0; same && i < n; i++)
            same = got[q * length + i].index == want[i].index && !memcmp(&got[q * length + i].score, &want[i].score, sizeof(float));
        if (!same)
            fail_msg("kind %d asked by %d, %zu items, k %zu, query %zu of %zu, length %zu, way %d", kind, asked, items, k, q, queries,
                     length, way);
    }
    wanted = some_items(&r, queries, items, items < 12 ? items : 12);
    assert_int_equal(dots_lists_take(&l, x, queries, &hidden, &wanted, got, counts, NULL), ST_OK);
    for (size_t q = 0; q < queries; q++) {
        size_t n = reference(&d, x, q, &hidden, length, scores, want);
        if (!is_enough(&wanted, q, got + q * length, counts[q], want, n))
            fail_msg("wanted items: kind %d asked by %d, %zu items, k %zu, query %zu of %zu, length %zu, way %d", kind, asked, items, k,
                     q, queries, length, way);
    }
    /* The second half alone: sets whose first query does not begin at 0. */
    size_t half = queries / 2, *shifted = mem_new(queries + 1, sizeof *shifted, "", NULL), *some = mem_new(queries, sizeof *some, "", NULL);
    struct scored *rest = mem_new(queries * length, sizeof *rest, "", NULL);
    for (size_t q = half; q <= queries; q++)
        shifted[q - half] = hidden.begin[q] - hidden.begin[half];
    struct item_sets hides = {shifted, hidden.item + hidden.begin[half]}, wants = {wanted.begin + half, wanted.item};
    assert_int_equal(dots_lists_take(&l, x + half * k, queries - half, &hides, &wants, rest, some, NULL), ST_OK);
    for (size_t q = half; q < queries; q++) {
        assert_int_equal(some[q - half], counts[q]);
        assert_memory_equal(rest + (q - half) * length, got + q * length, counts[q] * sizeof *rest);
    }
    mem_free(shifted);
    mem_free(some);
    mem_free(rest);
    mem_free(wanted.begin);
    mem_free(wanted.item);
    dots_lists_clear(&l);
    dots_clear(&d);
    mem_free(y);
    mem_free(x);
    mem_free(scores);
    mem_free(got);
    mem_free(want);
    mem_free(counts);
    mem_free(hidden.begin);
    mem_free(hidden.item);
}

static void test_shapes(void **state)
{
    static const size_t items[] = {1, 7, 31, 32, 33, 64, 65, 500, 1009}, ks[] = {1, 2, 31, 32, 33, 64, 65, 128, 129},
                        queries[] = {1, 3, 16, 17, 33, 128, 129, 150};
    (void)state;
    for (size_t i = 0; i < 9; i++)
        for (size_t k = 0; k < 9; k++)
            for (int way = LISTS_FAST; way <= LISTS_FLOAT; way++)
                compare(NORMAL, NORMAL, items[i], ks[k], queries[(i + k) % 8], 1 + (i + 2 * k) % 20, way);
}

static void test_kinds(void **state)
{
    (void)state;
    for (enum kind kind = NORMAL; kind < KINDS; kind++)
        for (enum kind asked = NORMAL; asked < KINDS; asked++)
            for (int way = LISTS_FAST; way <= LISTS_FLOAT; way++)
                compare(kind, asked, 700, 24, 35, 20, way);
}

/* The error of a sum is largest in few factors: rounding has a share there that the roundings of sums do not hide. */
static void test_farthest(void **state)
{
    (void)state;
    for (size_t k = 1; k <= 64; k++)
        compare(FARTHEST, FARTHEST, 700, k, 20, 3 + k % 5, LISTS_FAST);
}

static void test_lengths(void **state)
{
    static const size_t lengths[] = {1, 2, 8, 100, 124, 125, 126, 999, 1000, 1500};
    (void)state;
    for (size_t i = 0; i < 10; i++)
        for (int way = LISTS_FAST; way <= LISTS_FLOAT; way++) {
            compare(SKEWED, NORMAL, 1000, 40, 20, lengths[i], way);
            compare(FEW_VALUES, FEW_VALUES, 1000, 40, 20, lengths[i], way);
        }
}

static void test_threads(void **state)
{
    int threads = omp_get_max_threads();
    (void)state;
    for (int n = 1; n <= 3; n++) {
        omp_set_num_threads(n);
        compare(NORMAL, NORMAL, 2000, 20, 700, 10, LISTS_FAST);
        compare(NORMAL, NORMAL, 2000, 20, 700, 10, LISTS_FLOAT);
    }
    omp_set_num_threads(threads);
}

static void test_no_memory(void **state)
{
    enum { ITEMS = 500, K = 8, LENGTH = 5 };
    static float y[ITEMS * K], x[K];
    size_t begin[2] = {0}, count;
    struct scored out[LENGTH];
    struct item_sets none = {begin, NULL};
    (void)state;
    for (int way = LISTS_FAST; way <= LISTS_FLOAT; way++) {
        enum status st = ST_NOMEM;
        for (long n = 0; st; n++) {
            atomic_long left = n;
            struct dots_lists l = {0};
            assert_true(n < 100 && st == ST_NOMEM);
            mem_set_hook(fail_one, &left);
            st = dots_lists_new(&l, y, ITEMS, K, LENGTH, way, NULL);
            if (!st)
                st = dots_lists_take(&l, x, 1, &none, NULL, out, &count, NULL);
            mem_set_hook(NULL, NULL);
            dots_lists_clear(&l);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),  cmocka_unit_test(test_kinds),     cmocka_unit_test(test_farthest),
        cmocka_unit_test(test_lengths), cmocka_unit_test(test_threads),   cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
