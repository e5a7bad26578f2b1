/* SANSA against EASE with either factorizer, its bounds, and its refinement against plain loops. */
#include "tests/unit/world.h"

#include "linalg/sparse_cholesky.h"
#include "models/classes.h"
#include "models/item_weights.h"

/* With nothing dropped and the inverse refined to the end it is EASE. */
static void check_ease(const char *factorizer, const char *sweeps, const char *passes)
{
    struct dataset *d = world_new(150, 200, 2500, 2);
    d->type_weight[0] = 1.5F;
    size_t n = d->items.n;
    float *got = mem_new(n, sizeof *got, "", NULL), *want = mem_new(n, sizeof *want, "", NULL);
    struct query_event *room = mem_new(d->events.n, sizeof *room, "", NULL);
    for (int weigh = 0; weigh < 2; weigh++) {
        const char *values = weigh ? "values=weight" : "values=binary";
        struct model *ease = world_train(d, &model_ease, (const char *[]){"lambda=40", values, NULL});
        struct model *sansa = world_train(d, &model_sansa, (const char *[]){"lambda=40", "neighbours=1000", sweeps, passes, factorizer,
                                                                           values, NULL});
        for (uint32_t u = 0; u < d->users.n; u++) {
            struct query q = world_query(d, u, room);
            assert_int_equal(model_score(ease, &q, 1, want, NULL), ST_OK);
            assert_int_equal(model_score(sansa, &q, 1, got, NULL), ST_OK);
            for (size_t i = 0; i < n; i++)
                assert_true(fabsf(got[i] - want[i]) < 1e-4F);
        }
        model_release(ease);
        model_release(sansa);
    }
    mem_free(got);
    mem_free(want);
    mem_free(room);
    dataset_release(d);
}

static void test_ease(void **state)
{
    (void)state;
    check_ease("factorizer=icf", "sweeps=40", "passes=5");
    check_ease("factorizer=icf", "sweeps=40", "passes=0");
}

static void test_ease_complete(void **state)
{
    (void)state;
    if (!sparse_cholesky_can())
        skip();
    check_ease("factorizer=cholmod", "sweeps=40", "passes=0");
}

/* Cosine of what is kept to the same weights of EASE. No row has more than `kept`. */
static double likeness(const struct dataset *d, const char *setting, size_t kept)
{
    size_t n = d->items.n;
    struct model *ease = world_train(d, &model_ease, (const char *[]){"lambda=40", NULL});
    struct model *sansa = world_train(d, &model_sansa, (const char *[]){"lambda=40", setting, NULL});
    const struct csr *rows = &((const struct item_weights *)sansa->state)->rows;
    float *want = mem_new(n, sizeof *want, "", NULL);
    double product = 0, square = 0, own = 0;
    for (uint32_t j = 0; j < n; j++) {
        struct query q = {.events = &(struct query_event){.item = j, .weight = 1, .time = NO_TIME}, .n = 1, .as_of = NO_TIME};
        assert_int_equal(model_score(ease, &q, 1, want, NULL), ST_OK);
        assert_true(rows->begin[j + 1] - rows->begin[j] <= kept);
        for (size_t e = rows->begin[j]; e < rows->begin[j + 1]; e++) {
            double w = (double)rows->value[e], other = (double)want[rows->index[e]];
            product += w * other;
            own += w * w;
            square += other * other;
        }
    }
    mem_free(want);
    model_release(ease);
    model_release(sansa);
    return product / sqrt(square * own);
}

static void test_bound(void **state)
{
    (void)state;
    struct dataset *d = world_new(400, 300, 6000, 3);
    double few = likeness(d, "neighbours=15", 15), many = likeness(d, "neighbours=100", 100);
    assert_true(few > .85 && many > .98);
    dataset_release(d);
}

/* x_j'(x_i - X b) - lambda b_j for all items j that have a weight for item i, by plain loops: the largest size. Refined to the end
 * it is 0, whatever the pattern. */
static double slope(const struct dataset *d, const char *setting, double lambda, size_t *weights)
{
    size_t n = d->items.n, users = d->users.n;
    struct model *m = world_train(d, &model_sansa, (const char *[]){"lambda=40", "neighbours=8", setting, NULL});
    const struct csr *rows = &((const struct item_weights *)m->state)->rows;
    double *x = mem_new(users * n, sizeof *x, "", NULL), *b = mem_new(n * n, sizeof *b, "", NULL), worst = 0;
    double *rest = mem_new(users, sizeof *rest, "", NULL);
    struct query_event *room = mem_new(d->events.n, sizeof *room, "", NULL);
    for (uint32_t u = 0; u < users; u++) {
        struct query q = world_query(d, u, room);
        for (size_t e = 0; e < q.n; e++)
            x[u * n + q.events[e].item] = 1;
    }
    for (size_t j = 0; j < n; j++)
        for (size_t e = rows->begin[j]; e < rows->begin[j + 1]; e++)
            b[j * n + rows->index[e]] = (double)rows->value[e];
    *weights = csr_count(rows);
    for (size_t i = 0; i < n; i++) {
        for (size_t u = 0; u < users; u++) {
            rest[u] = x[u * n + i];
            for (size_t j = 0; j < n; j++)
                rest[u] -= x[u * n + j] * b[j * n + i];
        }
        for (size_t j = 0; j < n; j++) {
            double g = -lambda * b[j * n + i];
            for (size_t u = 0; u < users; u++)
                g += x[u * n + j] * rest[u];
            if (fabs(b[j * n + i]) > 0)
                worst = fmax(worst, fabs(g));
        }
    }
    mem_free(x);
    mem_free(b);
    mem_free(rest);
    mem_free(room);
    model_release(m);
    return worst;
}

static void test_refinement(void **state)
{
    (void)state;
    struct dataset *d = world_new(120, 90, 1500, 7);
    size_t weights[3];
    double none = slope(d, "passes=0", 40, &weights[0]), some = slope(d, "passes=2", 40, &weights[1]);
    double all = slope(d, "passes=100", 40, &weights[2]);
    assert_true(none > some && some > all && all < 1e-3);
    assert_true(weights[0] == weights[1] && weights[1] == weights[2]);
    dataset_release(d);
}

static void test_contract(void **state)
{
    (void)state;
    struct dataset *d = world_new(200, 300, 4000, 5);
    world_check_model(d, &model_sansa, NULL);
    world_check_model(d, &model_sansa, (const char *[]){"lambda=0.001", "neighbours=3", "sweeps=0", "passes=0", "values=weight", NULL});
    if (sparse_cholesky_can())
        world_check_model(d, &model_sansa, (const char *[]){"neighbours=20", "factorizer=cholmod", "passes=0", "values=weight", NULL});
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ease), cmocka_unit_test(test_ease_complete), cmocka_unit_test(test_bound), cmocka_unit_test(test_refinement),
                                       cmocka_unit_test(test_contract)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
