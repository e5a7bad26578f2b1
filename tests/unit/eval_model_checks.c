/* Checks of a comparison: what must be noticed is noticed (a model that looks at the test part, a metric that flips, chance in
 * training), and honest models pass. */
#include "tests/unit/rows.h"

#include <math.h>

#include "base/rng.h"
#include "eval/model_checks.h"
#include "models/classes.h"
#include "models/driver.h"

enum { USERS = 40, OWN = 10, ITEMS = USERS * OWN };

/* User u has the items 10 u .. 10 u + 9, and in the test part one that another user has. */
static uint32_t asked_for(uint32_t user)
{
    return (user * OWN + ITEMS / 2 + 3) % ITEMS;
}

static struct dataset *make_data(void)
{
    static struct row rows[USERS * (OWN + 1)];
    static char users[USERS][8], items[ITEMS][8];
    size_t n = 0;
    for (uint32_t i = 0; i < ITEMS; i++)
        snprintf(items[i], sizeof items[i], "i%u", i);
    for (uint32_t u = 0; u < USERS; u++) {
        snprintf(users[u], sizeof users[u], "u%u", u);
        for (uint32_t i = 0; i < OWN; i++)
            rows[n++] = (struct row){users[u], items[u * OWN + i], NULL, 1 + i, NULL};
    }
    for (uint32_t u = 0; u < USERS; u++)
        rows[n++] = (struct row){users[u], items[asked_for(u)], NULL, 1000 + u, NULL};
    return rows_dataset(rows, n, true);
}

/* ---- models ---- */

struct knows {
    struct dataset *d;
    const struct split *s;
    float luck; /* drawn in training */
};

static enum status begin(struct model *m, const struct training *t, struct error *err)
{
    struct knows *k = mem_new(1, sizeof *k, "what it knows", err);
    struct rng r = rng_stream(t->seed, "luck", 0);
    if (!k)
        return ST_NOMEM;
    *k = (struct knows){dataset_hold((struct dataset *)t->selection->data), t->selection->split, (float)rng_real(&r)};
    m->state = k;
    return ST_OK;
}

static enum status epoch(struct model *m, const struct training *t, size_t at, bool *done, double *loss, struct error *err)
{
    (void)m, (void)t, (void)at, (void)err;
    *done = true;
    *loss = NAN;
    return ST_OK;
}

static enum status save(const struct model *m, struct blob_writer *w, struct error *err)
{
    (void)m, (void)w, (void)err;
    return ST_OK;
}

static void forget(struct model *m)
{
    struct knows *k = m->state;
    if (k)
        dataset_release(k->d);
    mem_free(k);
    m->state = NULL;
}

static void by_index(const struct model *m, float *scores)
{
    for (size_t i = 0; i < m->nitems; i++)
        scores[i] = -(float)i;
}

/* Puts what the user will do first. */
static enum status score_leaky(const struct model *m, const struct query *queries, size_t n, float *scores, struct error *err)
{
    const struct knows *k = m->state;
    (void)err;
    for (size_t q = 0; q < n; q++, scores += m->nitems) {
        by_index(m, scores);
        for (size_t e = k->d->user_begin[queries[q].user]; e < k->d->user_begin[queries[q].user + 1]; e++)
            if (k->s->part[e] == PART_TEST)
                scores[k->d->events.item[e]] = 1;
    }
    return ST_OK;
}

/* Right for every other user, and as wrong as can be for the others. */
static enum status score_half(const struct model *m, const struct query *queries, size_t n, float *scores, struct error *err)
{
    (void)err;
    for (size_t q = 0; q < n; q++, scores += m->nitems) {
        by_index(m, scores);
        scores[asked_for(queries[q].user)] = queries[q].user % 2 ? 1 : -1e6f;
    }
    return ST_OK;
}

/* Thirty others before the right one, for everybody. */
static enum status score_thirtieth(const struct model *m, const struct query *queries, size_t n, float *scores, struct error *err)
{
    (void)err;
    for (size_t q = 0; q < n; q++, scores += m->nitems) {
        by_index(m, scores);
        scores[asked_for(queries[q].user)] = -30.5f;
    }
    return ST_OK;
}

/* Right for as many as luck has it. */
static enum status score_lucky(const struct model *m, const struct query *queries, size_t n, float *scores, struct error *err)
{
    const struct knows *k = m->state;
    (void)err;
    for (size_t q = 0; q < n; q++, scores += m->nitems) {
        by_index(m, scores);
        scores[asked_for(queries[q].user)] = (float)queries[q].user < k->luck * USERS ? 1 : -1e6f;
    }
    return ST_OK;
}

/* What ten of the users will do, first for everybody: popular in the test part, but no more a user's own than another's. */
static enum status score_trendy(const struct model *m, const struct query *queries, size_t n, float *scores, struct error *err)
{
    (void)queries, (void)err;
    for (size_t q = 0; q < n; q++, scores += m->nitems) {
        by_index(m, scores);
        for (uint32_t u = 0; u < 10; u++)
            scores[asked_for(u * USERS / 10)] = 1;
    }
    return ST_OK;
}

#define SLOTS .begin = begin, .epoch = epoch, .save = save, .free = forget
static const struct model_class leaky = {.name = "leaky", .capabilities = CLOSED_FORM, .score = score_leaky, SLOTS};
static const struct model_class half = {.name = "half", .capabilities = CLOSED_FORM, .score = score_half, SLOTS};
static const struct model_class thirtieth = {.name = "thirtieth", .capabilities = CLOSED_FORM, .score = score_thirtieth, SLOTS};
static const struct model_class trendy = {.name = "trendy", .capabilities = CLOSED_FORM, .score = score_trendy, SLOTS};
static const struct model_class lucky = {.name = "lucky", .score = score_lucky, SLOTS};

/* ---- a comparison of two ---- */

struct bench {
    struct dataset *d;
    struct split *s;
    struct test_set *set;
    struct model *models[2];
    struct evaluation *e[2];
    struct comparison c;
    struct model_checks k;
};

static void open_bench(struct bench *b, const struct model_class *x, const struct model_class *y)
{
    const struct model_class *classes[] = {x, y};
    const char *names[] = {x->name, y->name};
    struct split_spec spec = {.kind = SPLIT_TIME, .at = 500};
    struct protocol p = {.on = PART_TEST, .hide_seen = true};
    struct error err;
    *b = (struct bench){.d = make_data(), .c = {.test = TEST_T, .seed = 3}};
    assert_int_equal(split_new(b->d, &spec, &b->s, NULL), ST_OK);
    assert_int_equal(test_set_new(b->d, b->s, &p, &b->set, NULL), ST_OK);
    for (size_t i = 0; i < 2; i++) {
        struct selection train = {.data = b->d, .split = b->s, .parts = PART_TRAIN, .until = NO_TIME};
        struct param_value *values = mem_new(classes[i]->nparams, sizeof *values, "", NULL);
        assert_int_equal(param_defaults(classes[i]->params, classes[i]->nparams, values, NULL), ST_OK);
        if (model_train(classes[i], names[i], values, &train, 5, NULL, NULL, &b->models[i], &err))
            fail_msg("%s", err.message);
        assert_int_equal(evaluation_run(b->models[i], b->set, b->s->fingerprint, 100, NULL, &b->e[i], NULL), ST_OK);
        param_values_free(values, classes[i]->nparams);
        mem_free(values);
    }
    assert_int_equal(comparison_measure(&b->c, "recall", 10, true, NULL), ST_OK);
    assert_int_equal(comparison_make(&b->c, (const struct evaluation *const *)b->e, names, 2, 2, NULL, NULL), ST_OK);
    b->k = (struct model_checks){.d = b->d, .s = b->s, .set = b->set, .c = &b->c, .models = b->models, .seeds = 4};
}

static void close_bench(struct bench *b)
{
    model_checks_clear(&b->k);
    comparison_clear(&b->c);
    for (size_t i = 0; i < 2; i++) {
        evaluation_free(b->e[i]);
        model_release(b->models[i]);
    }
    test_set_free(b->set);
    split_release(b->s);
    dataset_release(b->d);
}

static void run(struct bench *b, const char *check)
{
    struct error err;
    for (const struct model_check *c = model_checks; c->name; c++)
        if (strcmp(c->name, check) == 0 && c->run(&b->k, &err))
            fail_msg("%s", err.message);
}

static void assert_verdict(const struct bench *b, const char *model, enum check_verdict verdict)
{
    for (size_t i = 0; i < b->k.n; i++)
        if ((!model && !b->k.findings[i].model) || (model && b->k.findings[i].model && strcmp(b->k.findings[i].model, model) == 0)) {
            if (b->k.findings[i].verdict != verdict)
                fail_msg("%s: verdict %d: %s", model ? model : "all", (int)b->k.findings[i].verdict, b->k.findings[i].evidence);
            return;
        }
    fail_msg("nothing is said of %s", model ? model : "all");
}

static void test_future(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b, &leaky, &model_itemknn);
    run(&b, "future");
    assert_verdict(&b, "leaky", CHECK_DOUBT);
    assert_verdict(&b, "itemknn", CHECK_HOLDS);
    assert_int_equal(b.k.n, 2);
    close_bench(&b);
}

static void test_placebo(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b, &leaky, &model_itemknn);
    run(&b, "placebo");
    assert_verdict(&b, "leaky", CHECK_DOUBT);
    assert_verdict(&b, "itemknn", CHECK_HOLDS);
    close_bench(&b);
    open_bench(&b, &half, &trendy);
    run(&b, "placebo");
    assert_verdict(&b, "half", CHECK_DOUBT);
    assert_verdict(&b, "trendy", CHECK_HOLDS);
    close_bench(&b);
}

/* Among all items half of the users find theirs with the one, nobody with the other; among a hundred others the thirtieth of
 * four hundred is about the eighth. */
static void test_sampled(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b, &half, &thirtieth);
    assert_string_equal(b.c.entries[0].name, "half");
    run(&b, "sampled");
    assert_verdict(&b, NULL, CHECK_DOUBT);
    close_bench(&b);
    open_bench(&b, &half, &leaky);
    run(&b, "sampled");
    assert_verdict(&b, NULL, CHECK_HOLDS);
    close_bench(&b);
}

static void test_seed(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b, &half, &lucky); /* a lead of a model that is right for anything from nobody to all is nothing */
    run(&b, "seed");
    assert_verdict(&b, "lucky", CHECK_DOUBT);
    assert_verdict(&b, NULL, CHECK_NOTHING);
    assert_int_equal(b.k.n, 2);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_future),
        cmocka_unit_test(test_placebo),
        cmocka_unit_test(test_sampled),
        cmocka_unit_test(test_seed),
    };
    return cmocka_run_group_tests_name("eval_model_checks", tests, NULL, NULL);
}
