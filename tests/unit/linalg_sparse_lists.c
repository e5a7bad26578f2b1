/* Lists by what sums of sparse rows reach are those of adding, masking and topk, to the bit, however the numbers lie. */
#include "tests/unit/unit.h"

#include <float.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#include "linalg/sparse_lists.h"
#include "tests/unit/item_lists.h"
#include "tests/unit/memory.h"

enum kind {
    NORMAL,     /* of either sign */
    POSITIVE,
    FEW_VALUES, /* many ties, and sums that come back to 0 */
    EQUAL,
    ZERO,       /* 0 and -0 */
    OPPOSITE,   /* negative only */
    HUGE,       /* sums that overflow, some to NaN */
    TINY,       /* products below the smallest normal number */
    KINDS
};

static float number(struct rng *r, enum kind kind)
{
    double n = rng_normal(r);
    switch (kind) {
    case POSITIVE:
        return (float)fabs(n);
    case FEW_VALUES:
        return (float)rng_below(r, 3) - 1;
    case EQUAL:
        return .1f;
    case ZERO:
        return rng_below(r, 2) ? 0.f : -0.f;
    case OPPOSITE:
        return (float)-fabs(n);
    case HUGE:
        return rng_below(r, 2) ? FLT_MAX : -FLT_MAX;
    case TINY:
        return (float)(n * 1e-40);
    default:
        return (float)n;
    }
}

/* Rows with up to `most` entries each; every fifth is empty. */
static struct csr some_rows(struct rng *r, size_t rows, size_t cols, size_t most, bool values, enum kind kind)
{
    struct item_sets s = some_items(r, rows, cols, most < cols ? most : cols);
    struct csr m;
    assert_int_equal(csr_new(&m, rows, cols, s.begin[rows], values, NULL), ST_OK);
    memcpy(m.begin, s.begin, (rows + 1) * sizeof *m.begin);
    memcpy(m.index, s.item, s.begin[rows] * sizeof *m.index);
    for (size_t e = 0; values && e < s.begin[rows]; e++)
        m.value[e] = number(r, kind);
    free_items(&s);
    return m;
}

static size_t reference(const struct csr *w, const struct csr *h, size_t q, const struct item_sets *hidden, size_t length, float *scores,
                        struct scored *out)
{
    memset(scores, 0, w->cols * sizeof *scores);
    for (size_t e = h->begin[q]; e < h->begin[q + 1]; e++)
        for (size_t i = w->begin[h->index[e]]; i < w->begin[h->index[e] + 1]; i++)
            scores[w->index[i]] += (h->value ? h->value[e] : 1) * w->value[i];
    for (size_t i = hidden->begin[q]; i < hidden->begin[q + 1]; i++)
        if (hidden->item[i] < w->cols)
            scores[hidden->item[i]] = -INFINITY;
    return topk(scores, w->cols, length, out);
}

struct shape {
    size_t items, queries, length, neighbours, events;
    bool weigh; /* histories have values */
};

static void compare(struct shape s, enum kind kind)
{
    struct rng r = rng_stream(7, "sparse lists", s.items * 1000 + s.length);
    struct csr w = some_rows(&r, s.items, s.items, s.neighbours, true, kind);
    struct csr h = some_rows(&r, s.queries, s.items, s.events, s.weigh, POSITIVE);
    /* Sets may hold items that came later. */
    struct item_sets hidden = some_items(&r, s.queries, s.items + 3, s.items / 8 + 1),
                     wanted = some_items(&r, s.queries, s.items + 3, s.items < 12 ? s.items : 12);
    float *scores = mem_new(s.items, sizeof *scores, "", NULL);
    struct scored *got = mem_new(s.queries * s.length, sizeof *got, "", NULL), *want = mem_new(s.length, sizeof *want, "", NULL);
    size_t *counts = mem_new(s.queries, sizeof *counts, "", NULL);
    for (int some = 0; some < 2; some++) {
        memset(got, 0xee, s.queries * s.length * sizeof *got);
        assert_int_equal(sparse_lists_take(&w, &h, s.length, &hidden, some ? &wanted : NULL, got, counts, NULL), ST_OK);
        for (size_t q = 0; q < s.queries; q++) {
            size_t n = reference(&w, &h, q, &hidden, s.length, scores, want);
            bool right = some ? is_enough(&wanted, q, got + q * s.length, counts[q], want, n)
                              : counts[q] == n && !memcmp(got + q * s.length, want, n * sizeof *want);
            if (!right)
                fail_msg("kind %d, %zu items, length %zu, %zu neighbours, query %zu, wanted %d", kind, s.items, s.length, s.neighbours, q,
                         some);
        }
    }
    csr_clear(&w);
    csr_clear(&h);
    free_items(&hidden);
    free_items(&wanted);
    mem_free(scores);
    mem_free(got);
    mem_free(want);
    mem_free(counts);
}

static void test_shapes(void **state)
{
    static const size_t items[] = {1, 2, 15, 16, 17, 100, 1000}, lengths[] = {1, 5, 20, 100, 400};
    (void)state;
    for (size_t i = 0; i < 7; i++)
        for (size_t l = 0; l < 5; l++)
            for (int weigh = 0; weigh < 2; weigh++)
                compare((struct shape){items[i], 40, lengths[l] < items[i] ? lengths[l] : items[i], 30, 8, weigh}, NORMAL);
}

/* Few items reached: zeros in the list; most of them: the row as a whole; in between. */
static void test_kinds(void **state)
{
    static const size_t neighbours[] = {2, 40, 400}, events[] = {3, 10, 60};
    (void)state;
    for (enum kind kind = NORMAL; kind < KINDS; kind++)
        for (size_t i = 0; i < 3; i++)
            for (size_t j = 0; j < 3; j++)
                for (int weigh = 0; weigh < 2; weigh++)
                    compare((struct shape){900, 30, 20, neighbours[i], events[j], weigh}, kind);
}

static void test_threads(void **state)
{
    int threads = omp_get_max_threads();
    (void)state;
    for (int n = 1; n <= 3; n++) {
        omp_set_num_threads(n);
        compare((struct shape){2000, 300, 10, 30, 10, false}, POSITIVE);
    }
    omp_set_num_threads(threads);
}

/* Histories and items by hand: 0 -> {1: .5, 2: .25}, 1 -> {2: .5, 3: 1}. */
static void test_by_hand(void **state)
{
    size_t wbegin[] = {0, 2, 4, 4, 4, 4}, hbegin[] = {0, 2, 2}, none[] = {0, 0, 0}, one[] = {0, 1, 1}, counts[2];
    uint32_t windex[] = {1, 2, 2, 3}, hindex[] = {0, 1}, hide[] = {2};
    float wvalue[] = {.5f, .25f, .5f, 1};
    struct csr w = {5, 5, wbegin, windex, wvalue}, h = {2, 5, hbegin, hindex, NULL};
    struct item_sets nothing = {none, NULL}, hidden = {one, hide}, right = {one, (uint32_t[]){3}}, wrong = {one, (uint32_t[]){0}};
    struct scored out[6];
    (void)state;
    assert_int_equal(sparse_lists_take(&w, &h, 3, &nothing, NULL, out, counts, NULL), ST_OK);
    assert_true(counts[0] == 3 && out[0].index == 3 && out[1].index == 2 && out[2].index == 1);
    assert_true(fabsf(out[0].score - 1) < 1e-7f && fabsf(out[1].score - .75f) < 1e-7f && fabsf(out[2].score - .5f) < 1e-7f);
    assert_true(counts[1] == 3 && out[3].index == 0 && out[5].index == 2); /* all score 0 */
    assert_int_equal(sparse_lists_take(&w, &h, 3, &hidden, NULL, out, counts, NULL), ST_OK);
    assert_true(counts[0] == 3 && out[0].index == 3 && out[1].index == 1 && out[2].index == 0);
    assert_int_equal(sparse_lists_take(&w, &h, 2, &nothing, &right, out, counts, NULL), ST_OK);
    assert_true(counts[0] == 2 && out[0].index == 3);
    assert_int_equal(sparse_lists_take(&w, &h, 2, &nothing, &wrong, out, counts, NULL), ST_OK);
    assert_int_equal(counts[0], 0); /* what is asked for is not reached: there is no list to make */
    assert_int_equal(sparse_lists_take(&w, &h, 0, &nothing, NULL, out, counts, NULL), ST_OK);
    assert_true(counts[0] == 0 && counts[1] == 0);
}

static void test_no_memory(void **state)
{
    struct rng r = rng_stream(7, "sparse lists without memory", 0);
    struct csr w = some_rows(&r, 50, 50, 5, true, POSITIVE), h = some_rows(&r, 4, 50, 5, false, POSITIVE);
    size_t begin[5] = {0}, counts[4];
    struct item_sets none = {begin, NULL};
    struct scored out[4 * 5];
    enum status st = ST_NOMEM;
    (void)state;
    for (long n = 0; st; n++) {
        atomic_long left = n;
        assert_true(n < 1000 && st == ST_NOMEM);
        mem_set_hook(fail_one, &left);
        st = sparse_lists_take(&w, &h, 5, &none, NULL, out, counts, NULL);
        mem_set_hook(NULL, NULL);
    }
    csr_clear(&w);
    csr_clear(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),  cmocka_unit_test(test_kinds),     cmocka_unit_test(test_threads),
        cmocka_unit_test(test_by_hand), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
