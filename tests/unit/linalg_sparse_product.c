/* Products of sparse matrices with the best entries of each row, against plain loops. */
#include "tests/unit/unit.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "linalg/sparse_product.h"

/* Small whole numbers, so that sums and ties are exact. Row `rows / 2` is empty. */
static struct csr random_matrix(size_t rows, size_t cols, double density, bool with_value, bool with_sign, uint64_t seed)
{
    struct csr m;
    struct rng r = rng_stream(seed, "sparse product", 0);
    assert_int_equal(csr_new(&m, rows, cols, rows * cols, with_value, NULL), ST_OK);
    for (size_t i = 0; i < rows; i++) {
        m.begin[i + 1] = m.begin[i];
        for (size_t c = 0; c < cols && i != rows / 2; c++) {
            if (rng_real(&r) > density)
                continue;
            if (with_value)
                m.value[m.begin[i + 1]] = (float)(1 + rng_below(&r, 4)) * (with_sign && rng_below(&r, 2) ? -1.f : 1.f);
            m.index[m.begin[i + 1]++] = (uint32_t)c;
        }
    }
    return m;
}

static void assert_same(const struct csr *got, const struct csr *want)
{
    assert_int_equal(got->rows, want->rows);
    assert_int_equal(got->cols, want->cols);
    assert_memory_equal(got->begin, want->begin, (want->rows + 1) * sizeof *want->begin);
    if (csr_count(want))
        assert_memory_equal(got->index, want->index, csr_count(want) * sizeof *want->index);
    for (size_t i = 0; i < csr_count(want); i++)
        assert_true(fabsf(got->value[i] - want->value[i]) <= 1e-6f * fabsf(want->value[i]));
}

static void compare(const struct sparse_product *p)
{
    struct csr got, want, alone;
    int threads = omp_get_max_threads();
    omp_set_num_threads(2);
    assert_int_equal(sparse_product(p, &got, NULL, NULL), ST_OK);
    assert_int_equal(sparse_product_reference(p, &want, NULL), ST_OK);
    assert_same(&got, &want);
    omp_set_num_threads(1);
    assert_int_equal(sparse_product(p, &alone, NULL, NULL), ST_OK);
    omp_set_num_threads(threads);
    assert_int_equal(csr_count(&alone), csr_count(&got));
    if (csr_count(&got))
        assert_memory_equal(alone.value, got.value, csr_count(&got) * sizeof *got.value);
    csr_clear(&got);
    csr_clear(&want);
    csr_clear(&alone);
}

static float *scales(size_t n, const float *choice, size_t choices)
{
    float *s = mem_new(n, sizeof *s, "", NULL);
    for (size_t i = 0; i < n; i++)
        s[i] = choice[i % choices];
    return s;
}

static void test_reference(void **state)
{
    (void)state;
    static const size_t sizes[][3] = {{1, 1, 1}, {3, 2, 5}, {70, 40, 15}, {40, 60, 16}, {90, 50, 17}, {65, 30, 130}, {20, 200, 700}};
    static const size_t kept[] = {0, 1, 3, 12, 1000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const size_t *n = sizes[s];
        float *inner = scales(n[1], (const float[]){1, .5f, 2}, 3), *row = scales(n[0], (const float[]){.25f, 1}, 2);
        float *column = scales(n[2], (const float[]){2, 1, .125f, 4, 1}, 5);
        for (size_t k = 0; k < sizeof kept / sizeof *kept; k++) {
            for (int how = 0; how < 16; how++) {
                struct csr a = random_matrix(n[0], n[1], .1, how & 1, false, s + 1);
                struct csr b = random_matrix(n[1], n[2], how & 2 ? .4 : .03, how & 1, how & 4, s + 100);
                struct sparse_product p = {.a = &a, .b = &b, .kept = kept[k], .by_size = how & 4, .diagonal = how & 2};
                if (how & 8)
                    p.inner = inner, p.row = row, p.column = column, p.shrink = 3;
                compare(&p);
                csr_clear(&a);
                csr_clear(&b);
            }
        }
        mem_free(inner);
        mem_free(row);
        mem_free(column);
    }
}

/* X'X with itself: what neighbours are. */
static void test_jaccard(void **state)
{
    (void)state;
    struct csr x = random_matrix(80, 60, .15, false, false, 5), xt;
    assert_int_equal(csr_transpose(&x, &xt, NULL), ST_OK);
    float *count = mem_new(60, sizeof *count, "", NULL);
    for (size_t i = 0; i < 60; i++)
        count[i] = (float)(xt.begin[i + 1] - xt.begin[i]);
    struct sparse_product p = {.a = &xt, .b = &x, .measure = PAIR_TANIMOTO, .row = count, .column = count, .kept = 7};
    compare(&p);
    p.shrink = 2;
    compare(&p);
    p.kept = 0;
    p.diagonal = true;
    p.shrink = 0;
    struct csr all;
    assert_int_equal(sparse_product(&p, &all, NULL, NULL), ST_OK);
    for (size_t i = 0; i < 60; i++)
        for (size_t at = all.begin[i]; at < all.begin[i + 1]; at++)
            assert_true(all.value[at] <= 1 && (all.value[at] == 1 || all.index[at] != i)); /* an item is like itself */
    csr_clear(&all);
    csr_clear(&x);
    csr_clear(&xt);
    mem_free(count);
}

static void test_best_entries(void **state)
{
    (void)state;
    struct rng r = rng_stream(9, "best entries", 0);
    uint32_t index[300], space[300];
    float value[300], original[300];
    for (int turn = 0; turn < 400; turn++) {
        size_t n = rng_below(&r, 300), k = rng_below(&r, 40);
        bool by_size = turn & 1;
        for (size_t i = 0; i < n; i++) {
            double x = turn & 2 ? exp(40 * rng_real(&r) - 20) : turn & 4 ? 1 + 1e-6 * (double)rng_below(&r, 9) : (double)rng_below(&r, 5);
            original[i] = value[i] = (float)(rng_below(&r, 3) ? x : -x);
            index[i] = (uint32_t)i;
        }
        float bar = -1;
        size_t got = best_entries(index, value, n, k, by_size, &bar, space), at = 0;
        for (size_t i = 0; i < n && n > k; i++) {
            float x = by_size ? fabsf(original[i]) : original[i];
            size_t better = 0;
            for (size_t o = 0; o < n; o++) {
                float y = by_size ? fabsf(original[o]) : original[o];
                better += y > x || (y == x && o < i);
            }
            if (better + 1 == k)
                assert_true(bar == fmaxf(x, 0));
            if (better >= k || !(x > 0))
                continue;
            assert_true(at < got);
            assert_int_equal(index[at], i);
            assert_true(value[at++] == original[i]);
        }
        assert_int_equal(got, n > k ? at : n);
    }
}

/* X'DX with scales that follow from X, before and after some rows of X have changed and rows and columns were added. */
struct change {
    struct csr x[2], xt[2];
    float *inner[2], *length[2];
    struct sparse_product p[2];
};

/* The first rows and columns of x, of which every `step`-th row lacks its first entry. */
static struct csr earlier(const struct csr *x, size_t rows, size_t cols, size_t step)
{
    struct csr m;
    assert_int_equal(csr_new(&m, rows, cols, csr_count(x), x->value != NULL, NULL), ST_OK);
    for (size_t r = 0; r < rows; r++) {
        m.begin[r + 1] = m.begin[r];
        for (size_t i = x->begin[r] + (r % step == 0); i < x->begin[r + 1] && x->index[i] < cols; i++) {
            if (x->value)
                m.value[m.begin[r + 1]] = x->value[i];
            m.index[m.begin[r + 1]++] = x->index[i];
        }
    }
    return m;
}

static void change_new(struct change *c, int how, size_t kept, size_t step, uint64_t seed)
{
    c->x[1] = random_matrix(160, 150, .03, how & 1, how & 8, seed);
    c->x[0] = earlier(&c->x[1], 159, 149, step);
    for (int t = 0; t < 2; t++) {
        const struct csr *x = &c->x[t];
        assert_int_equal(csr_transpose(x, &c->xt[t], NULL), ST_OK);
        c->inner[t] = mem_new(x->rows, sizeof(float), "", NULL);
        c->length[t] = mem_new(x->cols, sizeof(float), "", NULL);
        for (size_t r = 0; r < x->rows; r++)
            c->inner[t][r] = how & 2 ? 1 / (1 + (float)(x->begin[r + 1] - x->begin[r])) : 1;
        for (size_t i = 0; i < x->cols; i++)
            for (size_t e = c->xt[t].begin[i]; e < c->xt[t].begin[i + 1]; e++)
                c->length[t][i] += 1 + 16 * c->inner[t][c->xt[t].index[e]];
        c->p[t] = (struct sparse_product){.a = &c->xt[t], .b = x, .inner = c->inner[t], .row = how & 16 ? NULL : c->length[t],
                                          .column = how & 16 ? NULL : c->length[t],
                                          .measure = how & 4 && !(how & 24) ? PAIR_TANIMOTO : PAIR_DOT, .shrink = how & 2 ? 3 : 0,
                                          .kept = kept, .by_size = how & 8, .diagonal = how & 4};
    }
}

static void change_clear(struct change *c)
{
    for (int t = 0; t < 2; t++) {
        csr_clear(&c->x[t]);
        csr_clear(&c->xt[t]);
        mem_free(c->inner[t]);
        mem_free(c->length[t]);
    }
}

/* A product that is brought up to date has the bits of the product. */
static void test_update(void **state)
{
    (void)state;
    static const size_t kept[] = {0, 1, 4, 9, 1000}, steps[] = {1, 7, 80, 1000};
    size_t updated = 0, unchanged = 0;
    for (int how = 0; how < 32; how++)
        for (size_t k = 0; k < sizeof kept / sizeof *kept; k++)
            for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
                struct change c;
                struct csr old, want, got;
                bool worth = false;
                change_new(&c, how, kept[k], steps[s], (uint64_t)how + 1);
                assert_int_equal(sparse_product(&c.p[0], &old, NULL, NULL), ST_OK);
                assert_int_equal(sparse_product(&c.p[1], &want, NULL, NULL), ST_OK);
                assert_int_equal(sparse_product_update(&c.p[0], &c.p[1], &old, &worth, &got, NULL, NULL), ST_OK);
                if (worth) {
                    assert_int_equal(csr_count(&got), csr_count(&want));
                    assert_same(&got, &want);
                    assert_memory_equal(got.value, want.value, csr_count(&want) * sizeof *want.value);
                    csr_clear(&got);
                    updated++;
                }
                assert_false(worth && steps[s] == 1); /* all rows have changed */
                assert_int_equal(sparse_product_update(&c.p[1], &c.p[1], &want, &worth, &got, NULL, NULL), ST_OK);
                assert_true(worth);
                assert_memory_equal(got.value, want.value, csr_count(&want) * sizeof *want.value);
                unchanged++;
                csr_clear(&got);
                csr_clear(&want);
                csr_clear(&old);
                change_clear(&c);
            }
    print_message("# brought up to date %zu of %zu times\n", updated, unchanged);
    assert_true(updated > unchanged / 4);
}

static int left;
static bool some(void *context, size_t bytes)
{
    (void)context;
    (void)bytes;
    return left-- > 0;
}

static void test_no_memory(void **state)
{
    (void)state;
    struct csr x = random_matrix(40, 100, .2, false, false, 5), xt, out;
    assert_int_equal(csr_transpose(&x, &xt, NULL), ST_OK);
    struct sparse_product p = {.a = &xt, .b = &x, .kept = 10};
    enum status st = ST_NOMEM;
    int threads = omp_get_max_threads(), tries = 0;
    omp_set_num_threads(1);
    for (; st; tries++) {
        struct error err;
        left = tries;
        mem_set_hook(some, NULL);
        st = sparse_product(&p, &out, NULL, &err);
        mem_set_hook(NULL, NULL);
        if (st)
            assert_int_equal(st, ST_NOMEM);
    }
    omp_set_num_threads(threads);
    assert_true(tries > 10);
    csr_clear(&out);
    struct change c;
    struct csr old;
    change_new(&c, 2, 4, 80, 3);
    assert_int_equal(sparse_product(&c.p[0], &old, NULL, NULL), ST_OK);
    for (st = ST_NOMEM, tries = 0; st; tries++) {
        bool worth = false;
        left = tries;
        mem_set_hook(some, NULL);
        st = sparse_product_update(&c.p[0], &c.p[1], &old, &worth, &out, NULL, NULL);
        mem_set_hook(NULL, NULL);
        assert_true(st ? st == ST_NOMEM : worth);
    }
    assert_true(tries > 20);
    csr_clear(&out);
    csr_clear(&old);
    change_clear(&c);
    struct job job;
    job_init(&job);
    job_cancel(&job);
    assert_int_equal(sparse_product(&p, &out, &job, NULL), ST_CANCELLED);
    job_destroy(&job);
    csr_clear(&x);
    csr_clear(&xt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference),
        cmocka_unit_test(test_jaccard),
        cmocka_unit_test(test_best_entries),
        cmocka_unit_test(test_update),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
