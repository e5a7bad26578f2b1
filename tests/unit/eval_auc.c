/* auc of trained models, user by user, against every pair counted: on the bundled shop, and on MovieLens 100K where $TAILOR_DATA has it.
 * Who has seen what and what was right is read from the parts of the split alone; what has no score is below all that has one. */
#include "tests/unit/world.h"

#include <unistd.h>

#include "eval/evaluation.h"
#include "ingest/ingest.h"
#include "models/history.h"

struct judging {
    struct dataset *data;
    const char *what;
    struct split_spec split;
    struct protocol protocol;
};

/* NULL: it is not there. */
static struct dataset *load(const char *root, const char *path)
{
    char text[512];
    const char *const name = text;
    struct ingest_report report;
    struct dataset *d;
    struct error err;
    snprintf(text, sizeof text, "%s/%s", root ? root : "", path);
    if (!root || access(text, R_OK) != 0)
        return NULL;
    if (ingest_events(&name, 1, NULL, 0, "auc", NULL, NULL, &d, &report, &err))
        fail_msg("%s: %s", text, err.message);
    return d;
}

static bool counts(const struct judging *j, size_t event)
{
    const struct dataset *d = j->data;
    return !*j->split.target || !strcmp(dict_text(&d->types, d->events.type[event]), j->split.target);
}

/* Twice the pairs in order of one user by these scores, equal ones counted once; *pairs: twice how many there are. */
static uint64_t count_pairs(const struct judging *j, const struct split *s, uint32_t user, const float *scores, uint64_t *pairs)
{
    const struct dataset *d = j->data;
    size_t n = d->items.n;
    bool *seen = mem_new(n, sizeof *seen, "", NULL), *right = mem_new(n, sizeof *right, "", NULL);
    uint64_t won = 0;
    for (size_t e = d->user_begin[user]; e < d->user_begin[user + 1]; e++) {
        seen[d->events.item[e]] |= j->protocol.hide_seen && s->part[e] & (PART_TRAIN | PART_HISTORY | PART_VALID) && counts(j, e);
        right[d->events.item[e]] |= s->part[e] == PART_TEST;
    }
    *pairs = 0;
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < n && right[a] && !seen[a]; b++) {
            if (right[b] || seen[b])
                continue;
            bool none_a = isnan(scores[a]), none_b = isnan(scores[b]);
            float x = none_a ? -INFINITY : scores[a], y = none_b ? -INFINITY : scores[b];
            won += x > y ? 2 : x == y;
            *pairs += 2;
        }
    mem_free(seen);
    mem_free(right);
    return won;
}

static void check_model(const struct judging *j, const struct split *s, const struct test_set *t, const struct model *m)
{
    struct evaluation *e;
    struct metric_at auc;
    size_t warm = 0;
    double sum = 0, *value = mem_new(t->nusers, sizeof *value, "", NULL);
    float *scores = mem_new(t->nitems, sizeof *scores, "", NULL);
    assert_int_equal(evaluation_run(m, t, s->fingerprint, 10, NULL, &e, NULL), ST_OK);
    assert_int_equal(evaluation_add_pairs(e, m, t, NULL, NULL), ST_OK);
    assert_int_equal(metric_parse("auc", 10, &auc, NULL), ST_OK);
    evaluation_users(e, &auc, value);
    for (size_t u = 0; u < t->nusers; u++) {
        uint64_t pairs;
        assert_int_equal(model_score(m, &t->query[u], 1, scores, NULL), ST_OK);
        uint64_t won = count_pairs(j, s, t->user[u], scores, &pairs);
        assert_true(pairs > 0);
        if (!(fabs(value[u] - (double)won / (double)pairs) <= 1e-12))
            fail_msg("%s, %s, user %zu: %.17g, but %llu of %llu pairs are %.17g", j->what, m->name, u, value[u],
                     (unsigned long long)won, (unsigned long long)pairs, (double)won / (double)pairs);
        sum += t->warm[u] ? (double)won / (double)pairs : 0;
        warm += t->warm[u];
    }
    assert_true(fabs(evaluation_value(e, &auc, true) - sum / (double)warm) <= 1e-12);
    evaluation_free(e);
    mem_free(scores);
    mem_free(value);
}

static void check(const struct judging *j)
{
    static const char *const names[] = {"pop", "itemknn", "ease", "ials", "bpr"};
    struct split *s;
    struct test_set *t;
    assert_int_equal(split_new(j->data, &j->split, &s, NULL), ST_OK);
    assert_int_equal(test_set_new(j->data, s, &j->protocol, &t, NULL), ST_OK);
    struct selection known = {.data = j->data, .split = s, .parts = PART_TRAIN, .until = NO_TIME};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct model_class *class = model_class_find(names[i]);
        struct param_value values[64];
        struct model *m;
        assert_int_equal(param_defaults(class->params, class->nparams, values, NULL), ST_OK);
        size_t epochs = param_index(class->params, class->nparams, "epochs");
        if (epochs < class->nparams)
            assert_int_equal(param_parse(&class->params[epochs], "3", &values[epochs], NULL), ST_OK);
        assert_int_equal(model_train(class, class->name, values, &known, 7, NULL, NULL, &m, NULL), ST_OK);
        check_model(j, s, t, m);
        model_release(m);
        param_values_free(values, class->nparams);
    }
    test_set_free(t);
    split_release(s);
}

static void test_shop(void **state)
{
    struct dataset *d = load(getenv("DATASETS_DIR"), "shop/events.csv.zst");
    const struct judging all[] = {
        {d, "shop, last", {.kind = SPLIT_LAST, .last = 1}, {.on = PART_TEST, .hide_seen = true}},
        {d, "shop, purchases", {.kind = SPLIT_LAST, .last = 1, .target = "purchase"}, {.on = PART_TEST, .hide_seen = true}},
        {d, "shop, seen shown", {.kind = SPLIT_USERS, .share = .2, .holdout = .5, .seed = 3}, {.on = PART_TEST}},
    };
    (void)state;
    assert_non_null(d);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        check(&all[i]);
    dataset_release(d);
}

static void test_movies(void **state)
{
    struct dataset *d = load(getenv("TAILOR_DATA"), "ml-100k/u.data");
    const struct judging j = {d, "movies", {.kind = SPLIT_RANDOM, .share = .2, .seed = 42}, {.on = PART_TEST, .hide_seen = true}};
    (void)state;
    if (!d)
        skip();
    check(&j);
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shop), cmocka_unit_test(test_movies)};
    return cmocka_run_group_tests_name("eval_auc", tests, NULL, NULL);
}
