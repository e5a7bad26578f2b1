/* The arithmetic of a score: it sums to the score, each product is its term, and the numbers are those of the model. */
#include "tests/unit/every_model.h"

#include <float.h>

#include "inspect/steps.h"
#include "models/classes.h"

static void check(const struct model *m, const struct query *q, uint32_t item, float score)
{
    struct steps s;
    assert_int_equal(steps_make(m, q, item, &s, NULL), ST_OK);
    assert_true((float)s.score == score || (isinf(score) && isinf(s.score)));
    double sum = 0, size = 0;
    for (size_t i = 0; i < s.n; i++) {
        const struct step *t = &s.terms[i];
        sum += t->value;
        size += fabs(t->value);
        assert_true(isnan(t->left) || isnan(t->right) || fabs(t->left * t->right - t->value) <= 1e-9 * (fabs(t->value) + 1));
        assert_true(t->item != NO_ITEM || t->label[0]);
        assert_true(i == 0 || fabs(t->value) <= fabs(s.terms[i - 1].value));
    }
    assert_true(sum == s.sum && s.formula && s.formula[0]);
    if (isfinite(s.score) && fabs(s.sum - s.score) > 1e-5 * size + (double)FLT_MIN) /* below it float32 has nothing */
        fail_msg("%s: the steps sum to %.9g, the score is %.9g", m->name, s.sum, s.score);
    steps_clear(&s);
}

static void test_every_class(void **state)
{
    const struct model_class *class = *state;
    struct dataset *d = every_world(60, 50, 900, ODD_NOT);
    struct model *m = every_model(class, d);
    struct every_queries s;
    every_queries_new(&s, d);
    assert_int_equal(model_score(m, s.q, EVERY_QUERIES, s.scores, NULL), ST_OK);
    for (size_t i = 0; i < EVERY_QUERIES; i++)
        for (uint32_t item = 0; item < s.nitems; item += 3)
            check(m, &s.q[i], item, s.scores[i * s.nitems + item]);
    every_queries_clear(&s);
    model_release(m);
    dataset_release(d);
}

/* itemknn on the tiny world: e for a b c: b 1 x 1 / sqrt(3 * 2), c 1 x 1 / sqrt(2 * 2), a 1 x 0. */
static void test_by_hand(void **state)
{
    (void)state;
    struct dataset *d = world_tiny();
    struct model *m = world_train(d, &model_itemknn, (const char *[]){"weighting=none", "shrink=0", "alpha=.5", NULL});
    struct query_event room[8];
    struct query q = world_query(d, 0, room);
    struct steps s;
    assert_int_equal(steps_make(m, &q, 4, &s, NULL), ST_OK);
    assert_true(s.n == 3 && s.terms[0].item == 2 && s.terms[1].item == 1 && s.terms[2].item == 0);
    assert_true(s.terms[0].left == 1 && fabs(s.terms[0].right - .5) < 1e-6);
    assert_true(fabs(s.terms[1].right - 1 / sqrt(6)) < 1e-6 && fabs(s.sum - .5 - 1 / sqrt(6)) < 1e-6);
    steps_clear(&s);
    model_release(m);
    m = world_train(d, &model_puresvd, NULL);
    size_t width;
    const float *y = m->class->vectors(m, &width);
    float x[64];
    assert_int_equal(model_fold(m, &q, 1, x, NULL), ST_OK);
    assert_int_equal(steps_make(m, &q, 4, &s, NULL), ST_OK);
    assert_int_equal(s.n, width);
    for (size_t i = 0; i < s.n; i++) {
        size_t f = (size_t)atoi(s.terms[i].label + strlen("component ")) - 1;
        assert_true(s.terms[i].left == (double)x[f] && s.terms[i].right == (double)y[4 * width + f]);
    }
    steps_clear(&s);
    model_release(m);
    dataset_release(d);
}

int main(void)
{
    static struct every_tests t;
    every_class(&t, 0, "steps sum up", test_every_class);
    t.test[t.n++] = (struct CMUnitTest)cmocka_unit_test(test_by_hand);
    return _cmocka_run_group_tests("inspect_steps", t.test, t.n, NULL, NULL);
}
