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
        const struct score_term *t = &s.terms[i];
        sum += t->value;
        size += fabs(t->value);
        assert_true(isnan(t->left) || isnan(t->right) || fabs(t->left * t->right - t->value) <= 1e-9 * (fabs(t->value) + 1));
        assert_true(t->item != NO_ITEM || t->user != NO_USER || t->label[0]);
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

/* u1: a 5, b 3, c 2; u2: a 3, b 4; u3: b 2, c 5: the mean is 24 / 7. */
static struct dataset *rated(void)
{
    static const struct {
        const char *user, *item;
        float value;
    } rows[] = {{"u1", "a", 5}, {"u1", "b", 3}, {"u1", "c", 2}, {"u2", "a", 3}, {"u2", "b", 4}, {"u3", "b", 2}, {"u3", "c", 5}};
    struct dataset *d = world_empty(8);
    d->events.value = mem_new(8, sizeof *d->events.value, "", NULL);
    for (size_t i = 0; i < 7; i++) {
        d->events.value[i] = rows[i].value;
        world_event(d, rows[i].user, rows[i].item, "rating", WORLD_START + (int64_t)i);
    }
    assert_int_equal(dataset_finish(d, NULL), ST_OK);
    return d;
}

static const struct score_term *term_of(const struct steps *s, uint32_t item, const char *label)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->terms[i].item == item && (item != NO_ITEM || strcmp(s->terms[i].label, label) == 0))
            return &s->terms[i];
    fail_msg("no term %s of item %u", label, item);
    return NULL;
}

static void check_term(const struct score_term *t, double left, double right)
{
    if (!(fabs(t->left - left) < 1e-6) || !(fabs(t->right - right) < 1e-6))
        fail_msg("%.9g x %.9g, not %.9g x %.9g", t->left, t->right, left, right);
}

/* c for u2, by slope one: from a (5 and 2 of one user) -3, from b (3 and 2, 2 and 5) +1, which two users tell:
 * (1 (3 - 3) + 2 (4 + 1)) / 3. By biases: what u2 gave beyond the mean and the bias of the item, which an empty history shows. */
static void test_ratings_by_hand(void **state)
{
    (void)state;
    enum { A, B, C };
    struct dataset *d = rated();
    struct query_event room[8];
    struct query q = world_query(d, 1, room), nobody = {.user = NO_USER, .as_of = NO_TIME};
    const double mean = 24. / 7;
    struct steps s;
    float bias[3];
    for (size_t i = 0; i < q.n; i++)
        room[i].value = d->events.value[room[i].event];
    struct model *m = world_train(d, &model_slopeone, NULL);
    assert_int_equal(steps_make(m, &q, C, &s, NULL), ST_OK);
    assert_true(s.n == 3 && fabs(s.score - 10. / 3) < 1e-6 && fabs(s.sum - 10. / 3) < 1e-6);
    assert_true(fabs(term_of(&s, NO_ITEM, "mean of all ratings")->value - mean) < 1e-6);
    check_term(term_of(&s, A, ""), 1. / 3, 3 - mean - 3);
    check_term(term_of(&s, B, ""), 2. / 3, 4 - mean + 1);
    steps_clear(&s);
    model_release(m);
    m = world_train(d, &model_bias, (const char *[]){"lambda_user=3", NULL});
    assert_int_equal(model_score(m, &nobody, 1, bias, NULL), ST_OK);
    assert_int_equal(steps_make(m, &q, C, &s, NULL), ST_OK);
    assert_true(s.n == 4 && fabs(term_of(&s, NO_ITEM, "bias of the item")->value - ((double)bias[C] - mean)) < 1e-6);
    check_term(term_of(&s, A, ""), 3 - (double)bias[A], 1. / 5);
    check_term(term_of(&s, B, ""), 4 - (double)bias[B], 1. / 5);
    steps_clear(&s);
    model_release(m);
    dataset_release(d);
}

/* Neighbours among users: u1 (a b c) asks for d, which u2 (a b d) and u4 (d e f) have; u4 has nothing in common. Binary cosines. And by
 * content: each item of the history with its cosine to the item, as `similar` has it. */
static void test_neighbours_by_hand(void **state)
{
    (void)state;
    struct dataset *d = world_tiny(), *described = every_world(30, 20, 300, ODD_NOT);
    struct query_event room[64];
    struct query q = world_query(d, 0, room);
    struct steps s;
    float alike[32];
    struct model *m = world_train(d, &model_userknn, (const char *[]){"weighting=none", "shrink=0", NULL});
    assert_int_equal(steps_make(m, &q, 3, &s, NULL), ST_OK);
    assert_true(s.n == 1 && s.terms[0].item == NO_ITEM && s.terms[0].user == 1);
    check_term(&s.terms[0], 2. / 3, 1);
    steps_clear(&s);
    model_release(m);
    m = world_train(described, &model_contentknn, NULL);
    q = world_query(described, 4, room);
    size_t terms = 0;
    for (uint32_t item = 0; item < 20; item++) {
        assert_int_equal(model_similar(m, item, alike, NULL), ST_OK);
        assert_int_equal(steps_make(m, &q, item, &s, NULL), ST_OK);
        for (size_t i = 0; i < s.n; i++)
            check_term(&s.terms[i], 1, (double)alike[s.terms[i].item]);
        terms += s.n;
        steps_clear(&s);
    }
    assert_true(terms > 20);
    model_release(m);
    dataset_release(described);
    dataset_release(d);
}

int main(void)
{
    static struct every_tests t;
    every_class(&t, 0, "steps sum up", test_every_class);
    t.test[t.n++] = (struct CMUnitTest)cmocka_unit_test(test_by_hand);
    t.test[t.n++] = (struct CMUnitTest)cmocka_unit_test(test_ratings_by_hand);
    t.test[t.n++] = (struct CMUnitTest)cmocka_unit_test(test_neighbours_by_hand);
    return _cmocka_run_group_tests("inspect_steps", t.test, t.n, NULL, NULL);
}
