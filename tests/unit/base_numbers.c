/* Numbers in order, by whichever way their count asks for, against the C library's sort. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/numbers.h"
#include "base/rng.h"

static int by_number(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static void test_sort(void **state)
{
    static const size_t counts[] = {0, 1, 2, 63, 64, 65, 100, 1023, 1024, 1025, 3000};
    static const uint32_t most[] = {1, 255, 256, 65537, UINT32_MAX};
    static uint32_t x[3000], y[3000];
    struct rng r = rng_stream(3, "numbers", 0);
    (void)state;
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (size_t m = 0; m < sizeof most / sizeof *most; m++) {
            for (size_t i = 0; i < counts[c]; i++)
                x[i] = y[i] = (uint32_t)rng_below(&r, most[m]);
            numbers_sort(x, counts[c]);
            qsort(y, counts[c], sizeof *y, by_number);
            assert_memory_equal(x, y, counts[c] * sizeof *x);
        }
}

/* Keys that are alike above stay in the order of what they hold below. */
static void test_keys(void **state)
{
    enum { N = 5000 };
    static uint64_t from[N], to[N];
    struct rng r = rng_stream(4, "numbers", 0);
    (void)state;
    for (uint32_t largest = 1; largest; largest = largest < 1U << 31 ? largest * 300 + 1 : 0) {
        for (size_t i = 0; i < N; i++)
            from[i] = (uint64_t)rng_below(&r, largest < 40 ? largest : 40) << 32 | i;
        from[N / 2] = (uint64_t)largest << 32 | N / 2;
        const uint64_t *sorted = numbers_sort_keys(from, to, N, largest);
        for (size_t i = 1; i < N; i++)
            assert_true(sorted[i - 1] < sorted[i]);
        assert_true(sorted[N - 1] >> 32 == largest);
        if (largest > UINT32_MAX / 300)
            break;
    }
}

static void test_have(void **state)
{
    const uint32_t some[] = {2, 3, 5, 7, 11};
    (void)state;
    for (uint32_t i = 0; i < 13; i++)
        assert_true(numbers_have(some, 5, i) == (i == 2 || i == 3 || i == 5 || i == 7 || i == 11));
    assert_false(numbers_have(some, 0, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sort), cmocka_unit_test(test_keys), cmocka_unit_test(test_have)};
    return cmocka_run_group_tests_name("base_numbers", tests, NULL, NULL);
}
