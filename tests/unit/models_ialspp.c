/* iALS++ and conjugate gradients against the exact solutions of iALS, which tests/unit/models_ials.c checks by plain loops. */
#include "tests/unit/world.h"

#include "models/als.h"
#include "linalg/topk.h"
#include "models/classes.h"
#include "models/update.h"

/* Largest difference of two models' scores of some users, against the largest score. */
static double distance(const struct dataset *d, const struct model *a, const struct model *b)
{
    size_t ni = d->items.n;
    struct query_event *events = mem_new(d->events.n, sizeof *events, "", NULL);
    float *sa = mem_new(ni, sizeof *sa, "", NULL), *sb = mem_new(ni, sizeof *sb, "", NULL);
    double most = 0, size = 0;
    for (uint32_t u = 0; u < d->users.n; u += 3) {
        struct query q = world_query(d, u, events);
        assert_int_equal(model_score(a, &q, 1, sa, NULL), ST_OK);
        assert_int_equal(model_score(b, &q, 1, sb, NULL), ST_OK);
        for (size_t i = 0; i < ni; i++) {
            most = fmax(most, fabs((double)sa[i] - (double)sb[i]));
            size = fmax(size, fabs((double)sa[i]));
        }
    }
    mem_free(events);
    mem_free(sa);
    mem_free(sb);
    return most / size;
}

static double last_loss(const struct model *m)
{
    return m->record.curve[m->record.epochs - 1];
}

static void solvers_agree(void **state)
{
    (void)state;
    struct dataset *d = world_new(150, 120, 4000, 3);
    static const char *const common[] = {"factors=24", "epochs=4"};
    struct model *exact = world_train(d, &model_ials, (const char *[]){common[0], common[1], "solver=cholesky", NULL});
    struct model *many = world_train(d, &model_ials, (const char *[]){common[0], common[1], "solver=cg", "steps=60", NULL});
    struct model *few = world_train(d, &model_ials, (const char *[]){common[0], common[1], "solver=cg", NULL});
    struct model *whole = world_train(d, &model_ialspp, (const char *[]){common[0], common[1], "block=24", NULL});
    struct model *blocks = world_train(d, &model_ialspp, (const char *[]){common[0], common[1], "block=8", NULL});
    assert_true(distance(d, exact, many) < 2e-3);
    assert_true(distance(d, exact, whole) < 2e-3);
    for (size_t e = 0; e < 4; e++) {
        assert_true(fabs(exact->record.curve[e] - many->record.curve[e]) < 1e-3 * exact->record.curve[e]);
        assert_true(fabs(exact->record.curve[e] - whole->record.curve[e]) < 1e-3 * exact->record.curve[e]);
        assert_true(!e || few->record.curve[e] < few->record.curve[e - 1]);
        assert_true(!e || blocks->record.curve[e] < blocks->record.curve[e - 1]);
    }
    assert_true(last_loss(few) < 1.05 * last_loss(exact));
    assert_true(last_loss(blocks) < 1.05 * last_loss(exact));
    struct model *all[] = {exact, many, few, whole, blocks};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        assert_true(all[i]->record.fold_in > .5 && all[i]->record.fold_in <= 1);
        model_release(all[i]);
    }
    dataset_release(d);
}

/* Where sweeps from 0 arrive, by which the paper folds in, is the exact solution that the class folds in with. */
static void sweeps_arrive(void **state)
{
    (void)state;
    enum { K = 24, FEW = 8, MANY = 100 };
    struct dataset *d = world_new(150, 120, 4000, 3);
    struct model *m = world_train(d, &model_ialspp, (const char *[]){"factors=24", "epochs=6", "block=8", NULL});
    const struct als *s = m->state;
    float g[K * K]; /* alpha0 Y'Y */
    for (size_t i = 0; i < K * K; i++) {
        double sum = 0;
        for (size_t r = 0; r < d->items.n; r++)
            sum += (double)s->items.y[r * K + i / K] * (double)s->items.y[r * K + i % K];
        g[i] = (float)(s->alpha0 * sum);
    }
    struct normal users = {.k = K, .y = s->items.y, .g = g};
    struct query_event *events = mem_new(d->events.n, sizeof *events, "", NULL);
    float *scratch = mem_new(normal_scratch(K, d->events.n), sizeof *scratch, "", NULL), exact[K];
    assert_int_equal(dots_pack(&users.packed, g, K, K, NULL), ST_OK);
    for (uint32_t u = 0; u < d->users.n; u += 5) {
        struct query q = world_query(d, u, events);
        struct csr row = {0};
        float x[K] = {0}, ridge;
        double ignored = 0, miss = 0, size = 0;
        assert_int_equal(folded_rows(&q, 1, d->items.n, false, &row, NULL), ST_OK);
        ridge = (float)(s->lambda * pow((double)csr_count(&row) + s->alpha0 * (double)d->items.n, s->nu));
        assert_int_equal(model_fold(m, &q, 1, exact, NULL), ST_OK);
        for (int t = 0; t < MANY; t++) {
            assert_true(normal_sweep(&users, &(struct normal_rows){&row, &ridge, x}, 0, 1, 8, scratch, &ignored));
            if (t + 1 != FEW && t + 1 != MANY)
                continue;
            miss = size = 0;
            for (size_t i = 0; i < K; i++) {
                miss += pow((double)x[i] - (double)exact[i], 2);
                size += pow((double)exact[i], 2);
            }
            assert_true(sqrt(miss / size) < (t + 1 == FEW ? .2 : .01));
        }
        csr_clear(&row);
    }
    dots_clear(&users.packed);
    mem_free(events);
    mem_free(scratch);
    model_release(m);
    dataset_release(d);
}

/* Mean overlap at 10 of the lists of two models. */
static double agreement(const struct dataset *d, const struct model *a, const struct model *b)
{
    size_t ni = d->items.n;
    struct query_event *events = mem_new(d->events.n, sizeof *events, "", NULL);
    float *score = mem_new(ni, sizeof *score, "", NULL);
    double sum = 0;
    for (uint32_t u = 0; u < d->users.n; u++) {
        struct scored la[10], lb[10];
        struct query q = world_query(d, u, events);
        assert_int_equal(model_score(a, &q, 1, score, NULL), ST_OK);
        size_t na = topk(score, ni, 10, la);
        assert_int_equal(model_score(b, &q, 1, score, NULL), ST_OK);
        sum += topk_overlap(la, na, lb, topk(score, ni, 10, lb), .9);
    }
    mem_free(events);
    mem_free(score);
    return sum / (double)d->users.n;
}

/* New events, users and items: the lists come near those of training anew, nearer than those of the model as it was; items
 * that nobody new has keep their bits, and the old model stays as it was. */
static void updates(void **state)
{
    (void)state;
    enum { EVENTS = 6000, LATE = 60 };
    static const char *const settings[] = {"factors=16", "epochs=25", "lambda=0.02", "solver=cholesky", NULL};
    struct dataset *now = world_new(600, 300, EVENTS, 5), *then = world_first(now, EVENTS - LATE);
    struct selection before = world_all(then), after = world_all(now);
    struct model *old = world_train(then, &model_ials, settings), *anew = world_train(now, &model_ials, settings), *m = NULL;
    struct model *wide = model_widen(old, now->users.n, now->items.n, NULL);
    struct update_report report;
    assert_int_equal(model_update(old, &before, &after, NULL, &report, &m, NULL), ST_OK);
    assert_false(report.trained);
    double mended = agreement(now, m, anew), stale = agreement(now, wide, anew);
    print_message("# overlap with training anew: updated %.4f, as it was %.4f\n", mended, stale);
    assert_true(mended > .85 && mended > stale);
    bool *touched = mem_new(now->items.n, sizeof *touched, "", NULL), *changed = mem_new(now->users.n, sizeof *changed, "", NULL);
    for (size_t u = 0; u < now->users.n; u++)
        changed[u] = u >= then->users.n ||
                     now->user_begin[u + 1] - now->user_begin[u] != then->user_begin[u + 1] - then->user_begin[u];
    for (size_t u = 0; u < now->users.n; u++)
        for (size_t e = now->user_begin[u]; e < now->user_begin[u + 1]; e++)
            touched[now->events.item[e]] |= changed[u];
    size_t k, kept = 0;
    const float *a = m->class->vectors(m, &k), *b = old->class->vectors(old, &k);
    for (size_t i = 0; i < then->items.n; i++)
        if (!touched[i]) {
            assert_memory_equal(a + i * k, b + i * k, k * sizeof *a);
            kept++;
        }
    assert_true(kept > 0 && kept < then->items.n);
    mem_free(touched);
    mem_free(changed);
    model_release(m);
    model_release(wide);
    model_release(anew);
    model_release(old);
    dataset_release(then);
    dataset_release(now);
}

static void contract(void **state)
{
    (void)state;
    struct dataset *d = world_new(150, 120, 4000, 3);
    world_check_model(d, &model_ialspp, (const char *[]){"factors=16", "epochs=4", "block=5", NULL});
    world_check_model(d, &model_ialspp, (const char *[]){"factors=7", "epochs=3", "values=weight", "nu=0", "lambda=0.5", NULL});
    world_check_model(d, &model_ials, (const char *[]){"factors=33", "epochs=3", "values=weight", NULL});
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(solvers_agree),
        cmocka_unit_test(sweeps_arrive),
        cmocka_unit_test(updates),
        cmocka_unit_test(contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
