/* EASE against a hand-worked inverse and a naive one in double. */
#include "tests/unit/world.h"

#include "models/classes.h"
#include "models/update.h"
#include "tests/unit/memory.h"

/* B of G by Gauss-Jordan elimination in double. */
static void reference(const struct interactions *in, bool weigh, double lambda, double *b)
{
    size_t n = in->matrix.cols;
    double *g = mem_new(n * 2 * n, sizeof *g, "", NULL);
    for (size_t u = 0; u < in->matrix.rows; u++)
        for (size_t p = in->matrix.begin[u]; p < in->matrix.begin[u + 1]; p++)
            for (size_t q = in->matrix.begin[u]; q < in->matrix.begin[u + 1]; q++)
                g[in->matrix.index[p] * 2 * n + in->matrix.index[q]] +=
                    weigh ? (double)in->matrix.value[p] * (double)in->matrix.value[q] : 1;
    for (size_t i = 0; i < n; i++) {
        g[i * 2 * n + i] += lambda;
        g[i * 2 * n + n + i] = 1;
    }
    for (size_t k = 0; k < n; k++) {
        double pivot = g[k * 2 * n + k];
        for (size_t c = 0; c < 2 * n; c++)
            g[k * 2 * n + c] /= pivot;
        for (size_t i = 0; i < n; i++) {
            double factor = i == k ? 0 : g[i * 2 * n + k];
            for (size_t c = 0; c < 2 * n && factor != 0; c++)
                g[i * 2 * n + c] -= factor * g[k * 2 * n + c];
        }
    }
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < n; i++)
            b[j * n + i] = i == j ? 0 : -g[j * 2 * n + n + i] / g[i * 2 * n + n + i];
    mem_free(g);
}

/* However wrong the time was that was expected, once the inverse is under way its tiles tell. */
static void test_expectation_ends(void **state)
{
    (void)state;
    struct job job;
    struct job_view view;
    struct dataset *d = world_new(40, 30, 300, 3);
    struct selection all = {.data = d, .until = NO_TIME};
    struct param_value values[16];
    struct model *m = NULL;
    assert_true(model_ease.nparams <= 16);
    assert_int_equal(param_defaults(model_ease.params, model_ease.nparams, values, NULL), ST_OK);
    job_init(&job);
    job_expect(&job, 30000);
    assert_int_equal(model_train(&model_ease, "ease", values, &all, 7, NULL, &job, &m, NULL), ST_OK);
    job_look(&job, &view);
    assert_string_equal(view.what, "train ease: inverting");
    assert_true(view.share > 0 && view.eta >= 0 && view.eta < 30);
    job_destroy(&job);
    param_values_free(values, model_ease.nparams);
    model_release(m);
    dataset_release(d);
}

/* Two items, three users: G = [2+l 1; 1 2+l], so B_01 = B_10 = 1 / (2 + l). A third item, alone with its user, is
 * unrelated to both; the fourth is only shown, never chosen. */
static void test_by_hand(void **state)
{
    (void)state;
    struct dataset *d = world_empty(8);
    world_event(d, "u", "a", "click", WORLD_START);
    world_event(d, "u", "b", "click", WORLD_START + 1);
    world_event(d, "v", "a", "click", WORLD_START);
    world_event(d, "w", "b", "click", WORLD_START);
    world_event(d, "x", "c", "click", WORLD_START);
    world_event(d, "x", "d", "impression", WORLD_START);
    assert_int_equal(dataset_finish(d, NULL), ST_OK);
    struct model *m = world_train(d, &model_ease, (const char *[]){"lambda=2", NULL});
    struct query_event h[] = {{.item = 0, .weight = 1, .time = NO_TIME}, {.item = 1, .weight = 1, .time = NO_TIME},
                              {.item = 0, .weight = 1, .time = NO_TIME}, {.item = 3, .weight = 1, .time = NO_TIME}};
    struct query a = {.events = h, .n = 1, .as_of = NO_TIME}, all = {.events = h, .n = 4, .as_of = NO_TIME};
    float score[4];
    assert_int_equal(model_score(m, &a, 1, score, NULL), ST_OK);
    assert_true(score[0] == 0 && fabsf(score[1] - .25F) < 1e-6F && score[2] == 0 && score[3] == 0);
    assert_int_equal(model_score(m, &all, 1, score, NULL), ST_OK);
    assert_true(fabsf(score[0] - .25F) < 1e-6F && fabsf(score[1] - .25F) < 1e-6F); /* a counts once, and not for itself */
    assert_true(score[2] == 0 && score[3] == 0 && !signbit(score[3]));
    struct explanation x;
    assert_int_equal(model_explain(m, &all, 1, &x, NULL), ST_OK);
    assert_int_equal(x.nparts, 3);
    assert_int_equal(x.parts[0].item, 0);
    assert_true(fabs(x.parts[0].value - .25) < 1e-6 && x.exact);
    assert_int_equal(x.parts[1].item, 1);
    assert_string_equal(x.parts[1].label, "says nothing about itself");
    explanation_clear(&x);
    assert_int_equal(model_similar(m, 0, score, NULL), ST_OK);
    assert_true(fabsf(score[1] - .25F) < 1e-6F && score[0] == -INFINITY && score[2] == -INFINITY && score[3] == -INFINITY);
    model_release(m);
    dataset_release(d);
}

static void test_reference(void **state)
{
    (void)state;
    struct dataset *d = world_new(90, 150, 2500, 2);
    d->type_weight[0] = 2.5f;
    struct selection all = world_all(d);
    struct interactions in;
    assert_int_equal(interactions_build(&all, &in, NULL), ST_OK);
    size_t n = d->items.n;
    double *b = mem_new(n * n, sizeof *b, "", NULL);
    float *score = mem_new(n, sizeof *score, "", NULL);
    struct query_event *room = mem_new(d->events.n, sizeof *room, "", NULL);
    for (int weigh = 0; weigh < 2; weigh++) {
        struct model *m = world_train(d, &model_ease, (const char *[]){"lambda=7.5", weigh ? "values=weight" : "values=binary", NULL});
        reference(&in, weigh, 7.5, b);
        for (uint32_t u = 0; u < d->users.n; u++) {
            struct query q = world_query(d, u, room);
            assert_int_equal(model_score(m, &q, 1, score, NULL), ST_OK);
            for (size_t i = 0; i < n; i++) {
                double want = 0, size = 0;
                for (size_t e = in.matrix.begin[u]; e < in.matrix.begin[u + 1]; e++) {
                    double part = (weigh ? (double)in.matrix.value[e] : 1) * b[in.matrix.index[e] * n + i];
                    want += part;
                    size += fabs(part);
                }
                assert_true(fabs((double)score[i] - want) < 1e-5 * size + 1e-6);
            }
        }
        model_release(m);
    }
    mem_free(b);
    mem_free(score);
    mem_free(room);
    interactions_clear(&in);
    dataset_release(d);
}

/* More items than one band of saved rows holds, and than one tile. */
static void test_contract(void **state)
{
    (void)state;
    struct dataset *d = world_new(200, 700, 9000, 3);
    assert_true(d->items.n > 300);
    world_check_model(d, &model_ease, NULL);
    world_check_model(d, &model_ease, (const char *[]){"lambda=20", "values=weight", NULL});
    dataset_release(d);
}

/* Updating is training anew, up to rounding, with new events, users and items; and the old model stays as it was. */
static void test_update(void **state)
{
    (void)state;
    enum { EVENTS = 9000, LATE = 150 };
    struct dataset *now = world_new(5000, 1500, EVENTS, 5), *then = world_first(now, EVENTS - LATE);
    struct selection before = world_all(then), after = world_all(now);
    size_t n = now->items.n;
    assert_true(then->items.n < n && then->users.n < now->users.n);
    struct query_event *room = mem_new(now->events.n, sizeof *room, "", NULL);
    float *got = mem_new(n, sizeof *got, "", NULL), *want = mem_new(n, sizeof *want, "", NULL);
    for (int weigh = 0; weigh < 2; weigh++) {
        const char *settings[] = {"lambda=5", weigh ? "values=weight" : "values=binary", NULL};
        struct model *old = world_train(then, &model_ease, settings), *anew = world_train(now, &model_ease, settings);
        struct model *updated = NULL;
        struct update_report report;
        assert_int_equal(model_update(old, &before, &after, NULL, &report, &updated, NULL), ST_OK);
        assert_false(report.trained);
        assert_true(report.users > 0 && report.users <= LATE);
        assert_int_equal(report.new_items, n - then->items.n);
        assert_int_equal(report.new_users, now->users.n - then->users.n);
        assert_int_equal(report.events - report.events_before, LATE);
        assert_int_equal(updated->record.data_fingerprint, now->fingerprint);
        assert_int_equal(updated->record.trained_until, anew->record.trained_until);
        for (uint32_t u = 0; u < now->users.n; u += 7) {
            struct query q = world_query(now, u, room);
            assert_int_equal(model_score(updated, &q, 1, got, NULL), ST_OK);
            assert_int_equal(model_score(anew, &q, 1, want, NULL), ST_OK);
            for (size_t i = 0; i < n; i++)
                assert_true(fabsf(got[i] - want[i]) < 5e-6F);
        }
        model_release(updated);
        struct model *again = NULL; /* so much has come that training is quicker */
        struct dataset *early = world_first(now, EVENTS / 3);
        struct selection third = world_all(early);
        struct model *tiny = world_train(early, &model_ease, settings);
        assert_int_equal(model_update(tiny, &third, &after, NULL, &report, &again, NULL), ST_OK);
        assert_true(report.trained);
        model_release(again);
        model_release(tiny);
        dataset_release(early);
        model_release(old);
        model_release(anew);
    }
    mem_free(room);
    mem_free(got);
    mem_free(want);
    dataset_release(then);
    dataset_release(now);
}

/* Every allocation of an update fails once. */
static void test_update_without_memory(void **state)
{
    (void)state;
    struct dataset *now = world_new(40, 30, 300, 5), *then = world_first(now, 295);
    struct selection before = world_all(then), after = world_all(now);
    struct model *old = world_train(then, &model_ease, NULL);
    enum status st = ST_NOMEM;
    for (int n = 0; st == ST_NOMEM && n < 1000; n++) {
        struct model *m = NULL;
        struct update_report report;
        atomic_long left = n;
        mem_set_hook(fail_one, &left);
        st = model_update(old, &before, &after, NULL, &report, &m, NULL);
        mem_set_hook(NULL, NULL);
        assert_true(st == ST_OK ? m != NULL : m == NULL);
        model_release(m);
    }
    assert_int_equal(st, ST_OK);
    model_release(old);
    dataset_release(then);
    dataset_release(now);
}

static void test_memory_is_said_before(void **state)
{
    (void)state;
    struct dataset *d = world_tiny();
    struct selection all = world_all(d);
    struct interactions in;
    size_t bytes = 0;
    assert_int_equal(interactions_build(&all, &in, NULL), ST_OK);
    struct training t = {.selection = &all, .interactions = &in};
    struct model m = {.nitems = 40981};
    assert_int_equal(model_ease.check(&m, &t, &bytes, NULL), ST_OK);
    assert_true(bytes > 6717000000 && bytes < 6719000000);
    interactions_clear(&in);
    dataset_release(d);
}

/* Every allocation of a training fails once: an error each time, and nothing is lost. */
static void test_without_memory(void **state)
{
    (void)state;
    struct dataset *d = world_tiny();
    struct selection all = world_all(d);
    struct param_value values[2];
    assert_int_equal(param_defaults(model_ease.params, model_ease.nparams, values, NULL), ST_OK);
    enum status st = ST_NOMEM;
    for (int n = 0; st == ST_NOMEM && n < 1000; n++) {
        struct model *m = NULL;
        atomic_long left = n;
        mem_set_hook(fail_one, &left);
        st = model_train(&model_ease, "ease", values, &all, 1, NULL, NULL, &m, NULL);
        mem_set_hook(NULL, NULL);
        assert_true(st == ST_OK ? m != NULL : m == NULL);
        model_release(m);
    }
    assert_int_equal(st, ST_OK);
    param_values_free(values, 2);
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expectation_ends),
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_reference),
        cmocka_unit_test(test_contract),
        cmocka_unit_test(test_update),
        cmocka_unit_test(test_update_without_memory),
        cmocka_unit_test(test_memory_is_said_before),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
