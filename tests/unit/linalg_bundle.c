/* Sums of many lists at once: the bits of each list alone. */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "base/rng.h"
#include "linalg/bundle.h"
#include "linalg/dense.h"
#include "tests/unit/memory.h"

enum { ITEMS = 203, LISTS = 45, LONGEST = 120, WIDTH = ITEMS };

/* Lists [0, 16): one of LONGEST after each of its last items; [16, 32): nothing in common; the rest: two different turns of the first. */
static struct csr make_lists(bool with_values)
{
    struct rng g = rng_stream(7, "lists", with_values);
    struct csr x;
    uint8_t has[LISTS][ITEMS] = {{0}};
    size_t n = 0;
    for (size_t l = 0; l < LISTS; l++) {
        size_t most = l < 16 ? LONGEST - 16 + l : l < 32 ? 12 : LONGEST;
        for (uint32_t i = 0; i < ITEMS; i++)
            has[l][i] = l < 16 || l >= 32 ? (i * 7 + (l >= 32 ? l % 2 * 3 : 0)) % ITEMS < most : rng_below(&g, ITEMS) < most;
        for (size_t i = 0; i < ITEMS; i++)
            n += has[l][i];
    }
    assert_int_equal(csr_new(&x, LISTS, ITEMS, n, with_values, NULL), ST_OK);
    for (size_t l = 0, at = 0; l < LISTS; l++) {
        for (uint32_t i = 0; i < ITEMS; i++)
            if (has[l][i]) {
                x.index[at] = i;
                if (with_values)
                    x.value[at] = (float)rng_real(&g) * 3;
                at++;
            }
        x.begin[l + 1] = at;
    }
    return x;
}

/* A square matrix with about a quarter of its entries. */
static struct csr make_rows(void)
{
    struct rng g = rng_stream(8, "rows", 0);
    struct csr x;
    assert_int_equal(csr_new(&x, ITEMS, ITEMS, ITEMS * ITEMS, true, NULL), ST_OK);
    for (size_t r = 0, at = 0; r < ITEMS; r++) {
        for (uint32_t c = 0; c < ITEMS; c++)
            if (rng_below(&g, 4) == 0) {
                x.index[at] = c;
                x.value[at++] = (float)rng_real(&g) - 0.5F;
            }
        x.begin[r + 1] = at;
    }
    return x;
}

static const float *values_of(const struct csr *x, size_t l)
{
    return x->value ? x->value + x->begin[l] : NULL;
}

static void check_dense(const struct bundle *b, const struct csr *lists, const float *y)
{
    float out[BUNDLE][WIDTH], want[ITEMS];
    size_t whole = ITEMS / BUNDLE_COLUMNS * BUNDLE_COLUMNS;
    bundle_sum_rows(b, y, ITEMS, whole, out[0], WIDTH);
    for (size_t l = 0; l < b->lists; l++) {
        size_t at = lists->begin[b->first + l], n = lists->begin[b->first + l + 1] - at;
        rows_sum_stride(want, ITEMS, y, ITEMS, lists->index + at, values_of(lists, b->first + l), n);
        assert_memory_equal(out[l], want, whole * sizeof *want);
        rows_sum_panel(out[l], y + 3, ITEMS, lists->index + at, values_of(lists, b->first + l), n);
        assert_memory_equal(out[l], want + 3, SUM_PANEL * sizeof *want);
    }
}

static void check_sparse(const struct bundle *b, const struct csr *lists, const struct csr *rows)
{
    float out[BUNDLE * ITEMS], sums[BUNDLE * ITEMS];
    bundle_sum_sparse(b, rows, sums, out);
    for (size_t l = 0; l < b->lists; l++) {
        float want[ITEMS] = {0};
        for (size_t e = lists->begin[b->first + l]; e < lists->begin[b->first + l + 1]; e++)
            for (size_t n = rows->begin[lists->index[e]]; n < rows->begin[lists->index[e] + 1]; n++) {
                volatile float product = (lists->value ? lists->value[e] : 1) * rows->value[n]; /* rounded before it is added */
                want[rows->index[n]] += product;
            }
        assert_memory_equal(out + l * ITEMS, want, sizeof want);
    }
}

static void sums_have_the_bits_of_each_list_alone(void **state)
{
    (void)state;
    struct rng g = rng_stream(9, "dense", 0);
    float *y = mem_new(ITEMS * ITEMS, sizeof *y, "rows", NULL);
    struct csr rows = make_rows();
    for (size_t i = 0; i < ITEMS * ITEMS; i++)
        y[i] = (float)rng_real(&g) - 0.5F;
    for (int valued = 0; valued < 2; valued++) {
        struct csr lists = make_lists(valued);
        struct bundles b;
        assert_int_equal(bundles_new(&lists, &b, NULL), ST_OK);
        assert_int_equal(b.n, 3);
        assert_true(b.any);
        assert_int_equal(b.list[0].n, LONGEST - 1); /* what the longest has */
        assert_int_equal(b.list[1].n, 0);           /* too different */
        assert_int_equal(b.list[2].lists, LISTS - 32);
        assert_true(b.list[2].n > LONGEST);         /* two turns */
        for (size_t i = 0; i < b.n; i++)
            if (b.list[i].n) {
                check_dense(&b.list[i], &lists, y);
                check_sparse(&b.list[i], &lists, &rows);
            }
        bundles_clear(&b);
        csr_clear(&lists);
    }
    csr_clear(&rows);
    mem_free(y);
}

/* Few lists are not looked at, and none are no bundle. */
static void few_lists_are_left_alone(void **state)
{
    (void)state;
    struct csr few = {0};
    struct bundles b;
    assert_int_equal(csr_new(&few, 3, ITEMS, 3, false, NULL), ST_OK);
    for (size_t l = 0; l < 3; l++)
        few.begin[l + 1] = l + 1;
    assert_int_equal(bundles_new(&few, &b, NULL), ST_OK);
    assert_int_equal(b.n, 1);
    assert_false(b.any);
    bundles_clear(&b);
    csr_clear(&few);
}

static void without_memory_nothing_is_left(void **state)
{
    (void)state;
    struct csr lists = make_lists(true);
    struct bundles b;
    struct error err;
    for (long fail = 0; fail < 3; fail++) {
        atomic_long left = fail;
        mem_set_hook(fail_one, &left);
        enum status st = bundles_new(&lists, &b, &err);
        mem_set_hook(NULL, NULL);
        assert_int_equal(st, ST_NOMEM);
        assert_null(b.list);
    }
    csr_clear(&lists);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_have_the_bits_of_each_list_alone),
        cmocka_unit_test(few_lists_are_left_alone),
        cmocka_unit_test(without_memory_nothing_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
