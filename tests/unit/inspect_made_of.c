/* An ensemble taken apart by its models: worked by hand on the tiny world, and summing to the score for every class of ensembles.
 *
 * u1 has a, b and c, so d to h are ranked. pop counts d 2, e 2, f 2, g 1, h 2. itemknn (cosine of 0 and 1): d is beside a and b once:
 * 2 / sqrt(6) = .8165; e beside b and c: 1 / sqrt(6) + 1 / 2 = .9082; h beside a: .4082; f and g beside none. */
#include "tests/unit/every_model.h"

#include "inspect/steps.h"
#include "inspect/why.h"
#include "models/classes.h"

enum { A, B, C, D, E, F, G, H };

struct made {
    struct dataset *d;
    struct model *knn, *pop, *random;
    struct query_event room[8];
    struct query u1;
};

static void made_new(struct made *x)
{
    x->d = world_tiny();
    x->knn = world_train(x->d, &model_itemknn, (const char *[]){"weighting=none", "shrink=0", "alpha=.5", NULL});
    x->pop = world_train(x->d, &model_pop, NULL);
    x->random = world_train(x->d, &model_random, NULL);
    x->u1 = world_query(x->d, 0, x->room);
}

static void made_clear(struct made *x)
{
    model_release(x->knn);
    model_release(x->pop);
    model_release(x->random);
    dataset_release(x->d);
}

static struct model *ensemble(const struct made *x, const struct model_class *class, struct model *first, struct model *second,
                              const char *const *settings)
{
    struct param_value values[EVERY_PARAMS];
    struct selection all = world_all(x->d);
    struct model *parts[] = {first, second}, *m = NULL;
    struct error err;
    assert_int_equal(param_defaults(class->params, class->nparams, values, &err), ST_OK);
    for (; settings && *settings; settings++) {
        char key[32];
        snprintf(key, sizeof key, "%.*s", (int)strcspn(*settings, "="), *settings);
        size_t i = param_index(class->params, class->nparams, key);
        assert_true(i < class->nparams);
        assert_int_equal(param_parse(&class->params[i], strchr(*settings, '=') + 1, &values[i], &err), ST_OK);
    }
    if (model_train_of(class, class->name, values, parts, 2, NULL, &all, 7, NULL, &m, &err))
        fail_msg("%s: %s", class->name, err.message);
    param_values_free(values, class->nparams);
    return m;
}

static void check_part(const struct made_of *x, size_t p, size_t rank, double score, double value, double weight, double adds)
{
    const struct made_part *part = &x->parts[p];
    if (part->rank != rank || !(fabs((double)part->share.score - score) < 1e-6) || !(fabs(part->share.value - value) < 1e-6) ||
        !(fabs(part->share.weight - weight) < 1e-6) || !(fabs(part->share.adds - adds) < 1e-6))
        fail_msg("%s is %zu, %g, worth %g x %g = %g", part->model->name, part->rank, (double)part->share.score, part->share.value,
                 part->share.weight, part->share.adds);
}

static void check_contribution(const struct why_part *p, uint32_t item, double value)
{
    if (p->what.item != item || !(fabs(p->what.value - value) < 1e-5))
        fail_msg("%u adds %g, not %g", p->what.item, p->what.value, value);
}

static void says(const struct why *w, const struct made *x, const char *choice, const char *sentence)
{
    struct str text = {0};
    made_of_choice(&w->made_of, "u1", &text);
    assert_string_equal(str_text(&text), choice);
    str_clear(&text);
    why_sentence(w, x->d, &text);
    if (strncmp(str_text(&text), sentence, strlen(sentence)) != 0)
        fail_msg("%s", str_text(&text));
    str_free(&text);
}

static void test_blend(void **state)
{
    (void)state;
    struct made x;
    struct why w;
    made_new(&x);
    struct model *m = ensemble(&x, &model_blend, x.knn, x.pop, (const char *[]){"normalize=max", "weights=.5,.25", NULL});
    assert_int_equal(why_make(m, &x.u1, D, SEEN_HIDE, 3, &w, NULL), ST_OK);
    double knn = 2 / sqrt(6), best = 1 / sqrt(6) + .5;
    check_part(&w.made_of, 0, 2, knn, knn / best, .5, .5 * knn / best);
    check_part(&w.made_of, 1, 1, 2, 1, .25, .25);
    assert_true(w.made_of.n == 2 && w.made_of.alone == 2 && !why_only_models(&w));
    assert_true(fabs((double)w.score - .5 * knn / best - .25) < 1e-6);
    says(&w, &x, "", "Recommended mostly because pop has it 1st; of the history a speaks for it most.");
    why_clear(&w);
    /* a is in the history: among all items pop has it first. */
    assert_int_equal(why_make(m, &x.u1, A, SEEN_HIDE, 0, &w, NULL), ST_OK);
    assert_true(w.seen && w.made_of.parts[1].rank == 1);
    why_clear(&w);
    model_release(m);
    made_clear(&x);
}

static void test_fuse(void **state)
{
    (void)state;
    struct made x;
    struct why w;
    made_new(&x);
    struct model *m = ensemble(&x, &model_fuse, x.knn, x.pop, NULL);
    assert_int_equal(why_make(m, &x.u1, D, SEEN_HIDE, 3, &w, NULL), ST_OK);
    check_part(&w.made_of, 0, 2, 2 / sqrt(6), 1. / 62, .5, .5 / 62);
    check_part(&w.made_of, 1, 1, 2, 1. / 61, .5, .5 / 61);
    assert_true(w.made_of.parts[0].share.place == 2 && w.made_of.parts[1].share.place == 1);
    /* a and b speak for it alike in itemknn, and earn its place there together. */
    assert_true(w.nparts == 3 && !w.exact && !why_only_models(&w) && w.base == 0);
    check_contribution(&w.parts[0], NO_ITEM, .5 / 61);
    check_contribution(&w.parts[1], A, .25 / 62);
    check_contribution(&w.parts[2], B, .25 / 62);
    says(&w, &x, "", "Recommended mostly because pop has it 1st; of the history a speaks for it most. Without a it would ");
    why_clear(&w);
    model_release(m);
    m = ensemble(&x, &model_fuse, x.pop, x.random, NULL);
    assert_int_equal(why_make(m, &x.u1, D, SEEN_HIDE, 3, &w, NULL), ST_OK);
    assert_true(w.exact && why_only_models(&w));
    says(&w, &x, "", "Recommended because pop has it 1st and random ");
    why_clear(&w);
    model_release(m);
    /* Lists of two: e, d and d, e. At the end of its list d is worth 1 / 3, of two with one score 1; both lists hold it: twice. */
    m = ensemble(&x, &model_fuse, x.knn, x.pop, (const char *[]){"method=combmnz", "depth=2", NULL});
    assert_int_equal(why_make(m, &x.u1, D, SEEN_HIDE, 3, &w, NULL), ST_OK);
    check_part(&w.made_of, 0, 2, 2 / sqrt(6), 2. / 3, .5, 1. / 3);
    check_part(&w.made_of, 1, 1, 2, 2, .5, 1);
    /* Two thirds of the way from d to e, times two lists, times .5: what a point of the score of itemknn counts for. */
    double point = 2. / 3 / (1 / sqrt(6) + .5 - 2 / sqrt(6));
    assert_true(w.exact && w.nparts == 4 && fabs(w.base - (1. / 3 - point * 2 / sqrt(6))) < 1e-5);
    check_contribution(&w.parts[0], A, point / sqrt(6));
    check_contribution(&w.parts[1], B, point / sqrt(6));
    check_contribution(&w.parts[2], NO_ITEM, 1);
    check_contribution(&w.parts[3], C, 0);
    why_clear(&w);
    assert_int_equal(why_make(m, &x.u1, H, SEEN_HIDE, 3, &w, NULL), ST_OK);
    check_part(&w.made_of, 0, 3, 1 / sqrt(6), 0, .5, 0);
    assert_string_equal(w.made_of.parts[0].share.note, "not among its 2 best");
    says(&w, &x, "", "It is 5th: none of the models it is made of speaks for it.");
    why_clear(&w);
    model_release(m);
    made_clear(&x);
}

static void test_switch(void **state)
{
    (void)state;
    struct made x;
    struct why w;
    struct steps s, own;
    made_new(&x);
    struct model *m = ensemble(&x, &model_switch, x.pop, x.knn, (const char *[]){"from=3", NULL});
    assert_int_equal(why_make(m, &x.u1, D, SEEN_HIDE, 3, &w, NULL), ST_OK);
    check_part(&w.made_of, 0, 1, 2, 2, 0, 0);
    check_part(&w.made_of, 1, 2, 2 / sqrt(6), 2 / sqrt(6), 1, 2 / sqrt(6));
    assert_string_equal(w.made_of.parts[0].share.note, "below 3 items");
    says(&w, &x, "u1 has 3 items in the history, so itemknn answers.", "Recommended mostly because of ");
    why_clear(&w);
    assert_int_equal(steps_make(m, &x.u1, D, &s, NULL), ST_OK);
    assert_int_equal(steps_make(x.knn, &x.u1, D, &own, NULL), ST_OK);
    assert_true(s.n == own.n && s.sum == own.sum && s.formula == own.formula);
    steps_clear(&s);
    steps_clear(&own);
    x.u1.n = 1;
    assert_int_equal(why_make(m, &x.u1, D, SEEN_HIDE, 3, &w, NULL), ST_OK);
    says(&w, &x, "u1 has 1 item in the history, so pop answers.", "Recommended because it is popular");
    why_clear(&w);
    model_release(m);
    made_clear(&x);
}

/* A blend of a blend: what the inner one says is one score, and the history reaches through both. */
static void test_nested(void **state)
{
    (void)state;
    struct made x;
    struct why w;
    made_new(&x);
    struct model *inner = ensemble(&x, &model_blend, x.knn, x.pop, (const char *[]){"normalize=max", "weights=.5,.25", NULL});
    struct model *m = ensemble(&x, &model_blend, inner, x.pop, (const char *[]){"normalize=none", "weights=1,2", NULL});
    double blended = .5 * (2 / sqrt(6)) / (1 / sqrt(6) + .5) + .25;
    assert_int_equal(why_make(m, &x.u1, D, SEEN_HIDE, 3, &w, NULL), ST_OK);
    check_part(&w.made_of, 0, 2, blended, blended, 1, blended);
    check_part(&w.made_of, 1, 1, 2, 2, 2, 4);
    assert_string_equal(w.made_of.parts[0].share.note, "made of itemknn, pop");
    double sum = w.base;
    for (size_t p = 0; p < w.nparts; p++)
        sum += w.parts[p].what.value;
    assert_true(fabs(sum - blended - 4) < 1e-5 && fabs((double)w.score - sum) < 1e-5);
    why_clear(&w);
    struct model *outer = ensemble(&x, &model_switch, inner, m, (const char *[]){"from=2", NULL});
    assert_int_equal(why_make(outer, &x.u1, D, SEEN_HIDE, 3, &w, NULL), ST_OK);
    says(&w, &x, "u1 has 3 items in the history, so blend answers.", "Recommended mostly because of ");
    why_clear(&w);
    model_release(outer);
    model_release(m);
    model_release(inner);
    made_clear(&x);
}

static void check_sum(const struct model *m, const struct query *q, uint32_t item, double score)
{
    struct made_of x;
    double sum = 0, size = 0;
    assert_int_equal(made_of_make(m, q, item, SEEN_HIDE, &x, NULL), ST_OK);
    assert_int_equal(x.n, m->nparts);
    for (size_t p = 0; p < x.n; p++) {
        sum += x.parts[p].share.adds;
        size += fabs(x.parts[p].share.adds);
    }
    if (isfinite(score) && fabs(sum - score) > 1e-5 * size)
        fail_msg("%s: the models sum to %.9g, the score is %.9g", m->name, sum, score);
    made_of_clear(&x);
}

static void test_every_ensemble(void **state)
{
    struct dataset *d = every_world(60, 50, 900, ODD_NOT);
    struct model *m = every_model(*state, d);
    struct every_queries s;
    every_queries_new(&s, d);
    assert_int_equal(model_score(m, s.q, EVERY_QUERIES, s.scores, NULL), ST_OK);
    for (size_t i = 0; i < EVERY_QUERIES; i++)
        for (uint32_t item = 0; item < s.nitems; item += 3)
            check_sum(m, &s.q[i], item, (double)s.scores[i * s.nitems + item]);
    every_queries_clear(&s);
    model_release(m);
    dataset_release(d);
}

int main(void)
{
    static struct every_tests t;
    every_class(&t, OF_MODELS, "models sum to the score", test_every_ensemble);
    t.test[t.n++] = (struct CMUnitTest)cmocka_unit_test(test_blend);
    t.test[t.n++] = (struct CMUnitTest)cmocka_unit_test(test_fuse);
    t.test[t.n++] = (struct CMUnitTest)cmocka_unit_test(test_switch);
    t.test[t.n++] = (struct CMUnitTest)cmocka_unit_test(test_nested);
    return _cmocka_run_group_tests("inspect_made_of", t.test, t.n, NULL, NULL);
}
