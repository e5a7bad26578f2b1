/* Test sets and evaluations: hand-worked protocols, everything against brute force, and the published anchor. */
#include "tests/unit/rows.h"

#include <math.h>
#include <omp.h>

#include "base/rng.h"
#include "eval/evaluation.h"
#include "models/classes.h"
#include "models/driver.h"
#include "models/snapshot.h"
#include "ranking/ranking.h"
#include "tests/unit/memory.h"
#include "tests/unit/world.h"

/* ---- a model whose scores are anybody's guess, with many ties and a few items it cannot score ---- */

static float guess(const struct query *q, uint32_t item)
{
    uint64_t h = hash_bytes(&item, sizeof item, q->n);
    if (h % 23 == 0)
        return h % 2 ? NAN : -INFINITY;
    return (float)(h % 7);
}

static enum status fake_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                              struct error *err)
{
    (void)err;
    for (size_t q = 0; q < n; q++)
        for (uint32_t i = 0; i < m->nitems; i++)
            scores[q * m->nitems + i] = guess(&queries[q], i);
    return ST_OK;
}

static void fake_free(struct model *m)
{
    m->state = NULL;
}

static const struct model_class fake_class = {.name = "fake", .score = fake_score, .free = fake_free};

static struct model *fake_model(const struct dataset *d)
{
    static int state;
    struct model *m = model_new(&fake_class, "fake", NULL, d->users.n, d->items.n, NULL);
    m->state = &state;
    return m;
}

/* ---- helpers ---- */

static struct split *split_of(const struct dataset *d, struct split_spec spec)
{
    struct split *s = NULL;
    assert_int_equal(split_new(d, &spec, &s, NULL), ST_OK);
    return s;
}

static struct test_set *set_of(const struct dataset *d, const struct split *s, struct protocol p)
{
    struct test_set *t = NULL;
    struct error err;
    if (test_set_new(d, s, &p, &t, &err))
        fail_msg("%s", err.message);
    return t;
}

/* "a: x y > z w" for each query, '|' between them. */
static const char *questions(const struct dataset *d, const struct test_set *t)
{
    static char text[1024];
    size_t n = 0;
    text[0] = 0;
    for (size_t u = 0; u < t->nusers; u++) {
        for (size_t q = t->query_begin[u]; q < t->query_begin[u + 1]; q++) {
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s%s:", n ? "|" : "", dict_text(&d->users, t->user[u]),
                                  t->warm[u] ? "" : "*");
            for (size_t i = 0; i < t->query[q].n; i++)
                n += (size_t)snprintf(text + n, sizeof text - n, " %s", dict_text(&d->items, t->query[q].events[i].item));
            n += (size_t)snprintf(text + n, sizeof text - n, " >");
            for (size_t i = t->right_begin[q]; i < t->right_begin[q + 1]; i++)
                n += (size_t)snprintf(text + n, sizeof text - n, " %s", dict_text(&d->items, t->right[i]));
        }
    }
    return text;
}

static void expect(const struct dataset *d, struct split_spec spec, struct protocol p, const char *expected)
{
    struct split *s = split_of(d, spec);
    struct test_set *t = set_of(d, s, p);
    assert_string_equal(questions(d, t), expected);
    test_set_free(t);
    split_release(s);
}

/* ---- protocols by hand ---- */

static const struct row log_rows[] = {
    {"a", "x", NULL, 1, NULL}, {"a", "y", NULL, 2, NULL}, {"a", "z", NULL, 5, NULL}, {"a", "x", NULL, 6, NULL},
    {"a", "w", NULL, 6, NULL}, {"a", "v", NULL, 7, NULL}, {"b", "x", NULL, 5, NULL}, {"b", "y", NULL, 6, NULL},
    {"c", "x", NULL, 1, NULL}, {"c", "x", NULL, 5, NULL}, {"d", "w", "impression", 6, NULL},
};

static void test_fixed(void **state)
{
    (void)state;
    struct dataset *d = rows_dataset(ROWS(log_rows), true);
    struct split_spec spec = {.kind = SPLIT_TIME, .at = 5};
    /* x is no news to a, so it is not asked for; c would have nothing left; b is cold; items stand in index order */
    expect(d, spec, (struct protocol){.on = PART_TEST, .hide_seen = true}, "a: x y > z w v|b*: > x y");
    expect(d, spec, (struct protocol){.on = PART_TEST, .hide_seen = false}, "a: x y > x z w v|b*: > x y|c: x > x");
    spec.valid_share = .3;
    spec.at = 6;
    expect(d, spec, (struct protocol){.on = PART_VALID, .hide_seen = true}, "a: x y > z|b*: > x");
    expect(d, spec, (struct protocol){.on = PART_TEST, .hide_seen = true}, "a: x y z > w v|b: x > y");
    dataset_release(d);
}

/* What will be bought: looking hides nothing, having bought does; the fake list is without what was bought alone. */
static void test_target(void **state)
{
    (void)state;
    static const struct row shop[] = {{"a", "x", "buy", 1, NULL},  {"a", "y", "click", 2, NULL}, {"a", "z", "click", 3, NULL},
                                      {"a", "y", "buy", 5, NULL},  {"a", "x", "buy", 6, NULL},   {"a", "z", "click", 7, NULL},
                                      {"b", "x", "click", 4, NULL}, {"b", "x", "buy", 5, NULL}};
    struct dataset *d = rows_dataset(ROWS(shop), true);
    struct split_spec spec = {.kind = SPLIT_TIME, .at = 5, .target = "buy"};
    expect(d, spec, (struct protocol){.on = PART_TEST, .hide_seen = true}, "a: x y z > y|b: x > x");
    expect(d, spec, (struct protocol){.on = PART_TEST, .hide_seen = false}, "a: x y z > x y|b: x > x");
    struct split *s = split_of(d, spec);
    struct test_set *t = set_of(d, s, (struct protocol){.on = PART_TEST, .hide_seen = true});
    struct model *m = fake_model(d);
    float all[3], scores[3];
    assert_int_equal(rank_scores(m, &t->query[0], SEEN_SHOW, all, NULL), ST_OK);
    assert_int_equal(rank_scores(m, &t->query[0], SEEN_HIDE, scores, NULL), ST_OK);
    assert_true(scores[0] == -INFINITY);
    assert_memory_equal(scores + 1, all + 1, 2 * sizeof(float));
    model_release(m);
    test_set_free(t);
    split_release(s);
    dataset_release(d);
}

static void test_rolling(void **state)
{
    (void)state;
    struct dataset *d = rows_dataset(ROWS(log_rows), true);
    struct split_spec spec = {.kind = SPLIT_TIME, .at = 5};
    /* x and w share an instant, so neither is known to the other */
    expect(d, spec, (struct protocol){.on = PART_TEST, .hide_seen = true, .rolling = ROLLING_IN_ORDER},
           "a: x y > z|a: x y z > w|a: x y z x w > v|b*: > x|b*: x > y");
    expect(d, spec, (struct protocol){.on = PART_TEST, .hide_seen = false, .rolling = ROLLING_IN_ORDER},
           "a: x y > z|a: x y z > x|a: x y z > w|a: x y z x w > v|b*: > x|b*: x > y|c: x > x");
    dataset_release(d);
    /* without times the order of the rows decides */
    d = rows_dataset(ROWS(log_rows), false);
    expect(d, (struct split_spec){.kind = SPLIT_LAST, .last = 3}, (struct protocol){.on = PART_TEST, .hide_seen = false, .rolling = ROLLING_IN_ORDER},
           "a: x y z > x|a: x y z x > w|a: x y z x w > v");
    dataset_release(d);
}

static void test_moments(void **state)
{
    (void)state;
    struct dataset *d = rows_dataset(ROWS(log_rows), true);
    struct split *s = split_of(d, (struct split_spec){.kind = SPLIT_TIME, .at = 4});
    struct test_set *t = set_of(d, s, (struct protocol){.on = PART_TEST, .hide_seen = true});
    for (size_t q = 0; q < t->nqueries; q++)
        assert_true(t->query[q].as_of == 4);
    assert_int_equal(t->events, 7);
    assert_int_equal(t->repeats, 2);
    test_set_free(t);
    split_release(s);
    s = split_of(d, (struct split_spec){.kind = SPLIT_LAST, .last = 1});
    t = set_of(d, s, (struct protocol){.on = PART_TEST, .hide_seen = true});
    assert_true(t->query[0].as_of == 7);
    test_set_free(t);
    split_release(s);
    dataset_release(d);
}

static void test_refused(void **state)
{
    (void)state;
    struct dataset *d = rows_dataset(ROWS(log_rows), true);
    struct split *s = split_of(d, (struct split_spec){.kind = SPLIT_RANDOM, .share = .4});
    struct test_set *t = NULL;
    struct error err;
    assert_int_equal(test_set_new(d, s, &(struct protocol){.on = PART_VALID, .hide_seen = true}, &t, &err), ST_STATE);
    assert_non_null(strstr(err.hint, "valid="));
    assert_int_equal(test_set_new(d, s, &(struct protocol){.on = PART_TEST, .hide_seen = true, .rolling = ROLLING_IN_ORDER}, &t, &err), ST_USAGE);
    assert_non_null(strstr(err.message, "order"));
    assert_null(t);
    split_release(s);
    dataset_release(d);
    static const struct row again[] = {{"a", "x", NULL, 1, NULL}, {"a", "x", NULL, 2, NULL}};
    d = rows_dataset(ROWS(again), true);
    s = split_of(d, (struct split_spec){.kind = SPLIT_LAST, .last = 1});
    assert_int_equal(test_set_new(d, s, &(struct protocol){.on = PART_TEST, .hide_seen = true}, &t, &err), ST_STATE);
    assert_non_null(strstr(err.hint, "seen=show"));
    split_release(s);
    dataset_release(d);
}

/* ---- evaluations against brute force ---- */

enum { USERS = 150, ITEMS = 160, EVENTS = 4000 };

static struct dataset *random_data(uint64_t seed)
{
    static char names[USERS + ITEMS][8];
    static struct row rows[EVENTS];
    struct rng r = rng_stream(seed, "test", 0);
    for (size_t i = 0; i < USERS + ITEMS; i++)
        snprintf(names[i], sizeof names[i], "%zu", i);
    for (size_t e = 0; e < EVENTS; e++) {
        size_t u = (size_t)(rng_real(&r) * rng_real(&r) * USERS), i = (size_t)(rng_real(&r) * rng_real(&r) * ITEMS);
        rows[e] = (struct row){names[u], names[USERS + i], rng_below(&r, 4) ? "click" : "buy", (int64_t)e / 3, NULL};
    }
    return rows_dataset(rows, EVENTS, true);
}

/* The list of a query by picking the best that is left, again and again. Returns its length. */
static size_t slow_list(const struct test_set *t, size_t q, size_t k, uint32_t *list)
{
    bool out[ITEMS] = {false};
    size_t n = 0;
    if (t->protocol.hide_seen)
        for (size_t i = 0; i < t->query[q].n; i++)
            out[t->query[q].events[i].item] = true;
    for (; n < k; n++) {
        uint32_t best = UINT32_MAX;
        for (uint32_t i = 0; i < t->nitems; i++) {
            float s = guess(&t->query[q], i);
            if (!out[i] && s > -INFINITY && (best == UINT32_MAX || s > guess(&t->query[q], best)))
                best = i;
        }
        if (best == UINT32_MAX)
            break;
        out[best] = true;
        list[n] = best;
    }
    return n;
}

static double slow_metric(const char *name, const bool *good, size_t n, size_t k, size_t relevant)
{
    double hits = 0, gain = 0, ideal = 0, precisions = 0, first = 0;
    for (size_t i = 0; i < n && i < k; i++) {
        if (!good[i])
            continue;
        hits++;
        gain += 1 / log2((double)i + 2);
        precisions += hits / (double)(i + 1);
        first = first > 0 ? first : 1 / (double)(i + 1);
    }
    for (size_t i = 0; i < relevant && i < k; i++)
        ideal += 1 / log2((double)i + 2);
    if (!strcmp(name, "ndcg"))
        return gain / ideal;
    if (!strcmp(name, "recall"))
        return hits / (double)relevant;
    if (!strcmp(name, "precision"))
        return hits / (double)k;
    if (!strcmp(name, "map"))
        return precisions / (double)relevant;
    if (!strcmp(name, "mrr"))
        return first;
    if (!strcmp(name, "rprec")) {
        size_t r = relevant < k ? relevant : k, found = 0;
        for (size_t i = 0; i < n && i < r; i++)
            found += good[i];
        return (double)found / (double)r;
    }
    if (!strcmp(name, "rbp")) {
        double sum = 0, reach = 1;
        for (size_t i = 0; i < n && i < k; i++, reach *= .8)
            sum += good[i] ? reach : 0;
        return .2 * sum;
    }
    if (strcmp(name, "hit"))
        fail_msg("%s is not counted here yet: slow_metric of %s wants a plain loop for it", name, __FILE__);
    return hits > 0;
}

struct slow {
    uint32_t item[100];
    size_t n;
};

static double slow_user(const struct test_set *t, const struct slow *lists, size_t u, const struct metric_at *m)
{
    double sum = 0;
    for (size_t q = t->query_begin[u]; q < t->query_begin[u + 1]; q++) {
        bool good[100] = {false};
        for (size_t i = 0; i < lists[q].n; i++)
            for (size_t j = t->right_begin[q]; j < t->right_begin[q + 1]; j++)
                good[i] |= lists[q].item[i] == t->right[j];
        sum += slow_metric(m->metric->name, good, lists[q].n, m->k, t->right_begin[q + 1] - t->right_begin[q]);
    }
    return sum / (double)(t->query_begin[u + 1] - t->query_begin[u]);
}

static double slow_coverage(const struct test_set *t, const struct slow *lists, size_t k)
{
    bool listed[ITEMS] = {false};
    size_t n = 0;
    for (size_t q = 0; q < t->nqueries; q++)
        for (size_t i = 0; i < lists[q].n && i < k; i++)
            listed[lists[q].item[i]] = true;
    for (size_t i = 0; i < t->nitems; i++)
        n += listed[i];
    return (double)n / (double)t->nitems;
}

static struct evaluation *run(const struct model *m, const struct test_set *t, size_t depth)
{
    struct evaluation *e = NULL;
    assert_int_equal(evaluation_run(m, t, 7, depth, NULL, &e, NULL), ST_OK);
    return e;
}

static void check_against_slow(const struct dataset *d, const struct split *s, struct protocol p)
{
    struct test_set *t = set_of(d, s, p);
    struct model *m = fake_model(d);
    struct evaluation *e = run(m, t, 100);
    static const size_t ks[] = {1, 5, 20, 100};
    struct slow *lists = mem_new(t->nqueries, sizeof *lists, "", NULL);
    for (size_t q = 0; q < t->nqueries; q++)
        lists[q].n = slow_list(t, q, 100, lists[q].item);
    double *value = mem_new(t->nusers, sizeof *value, "", NULL);
    for (size_t i = 0; metrics[i]; i++) {
        for (size_t k = 0; k < 4 && metric_of_ranks(metrics[i]); k++) {
            struct metric_at metric = {.metric = metrics[i], .k = ks[k], .parameter = metrics[i]->parameter};
            evaluation_users(e, &metric, value);
            for (size_t u = 0; u < t->nusers; u++)
                assert_near(value[u], slow_user(t, lists, u, &metric), 1e-9);
        }
    }
    assert_near(evaluation_coverage(e, 5), slow_coverage(t, lists, 5), 1e-12);
    mem_free(value);
    mem_free(lists);
    evaluation_free(e);
    model_release(m);
    test_set_free(t);
}

static void test_brute_force(void **state)
{
    (void)state;
    struct dataset *d = random_data(1);
    struct split *s = split_of(d, (struct split_spec){.kind = SPLIT_TIME, .at = NO_TIME, .share = .2});
    for (int i = 0; i < 4; i++)
        check_against_slow(d, s, (struct protocol){.on = PART_TEST, .hide_seen = i & 1, .rolling = i & 2});
    split_release(s);
    s = split_of(d, (struct split_spec){.kind = SPLIT_USERS, .share = .3, .holdout = .3});
    check_against_slow(d, s, (struct protocol){.on = PART_TEST, .hide_seen = true});
    split_release(s);
    dataset_release(d);
}

/* Metrics of ranks are the same, to the bit, where no whole lists are made; metrics of lists say that they cannot be taken. */
static void check_ranks(const struct model *m, const struct test_set *t)
{
    static const size_t ks[] = {1, 3, 10};
    struct evaluation *whole = run(m, t, 10), *ranks = NULL;
    double *a = mem_new(t->nusers, sizeof *a, "", NULL), *b = mem_new(t->nusers, sizeof *b, "", NULL);
    assert_int_equal(evaluation_ranks(m, t, 7, 10, NULL, &ranks, NULL), ST_OK);
    for (size_t i = 0; metrics[i]; i++)
        for (size_t k = 0; k < 3; k++) {
            struct metric_at metric = {.metric = metrics[i], .k = ks[k], .parameter = metrics[i]->parameter};
            if (metric_of_lists(metrics[i])) {
                assert_non_null(evaluation_lacks(ranks, &metric));
            } else if (metric_of_ranks(metrics[i])) {
                assert_null(evaluation_lacks(ranks, &metric));
                evaluation_users(whole, &metric, a);
                evaluation_users(ranks, &metric, b);
                assert_memory_equal(a, b, t->nusers * sizeof *a);
                assert_true(evaluation_value(whole, &metric, true) == evaluation_value(ranks, &metric, true));
            }
        }
    mem_free(a);
    mem_free(b);
    evaluation_free(whole);
    evaluation_free(ranks);
}

static void test_ranks(void **state)
{
    (void)state;
    static const char *const names[] = {"ials", "bpr", "puresvd", "itemknn", "pop"};
    struct dataset *d = random_data(5);
    struct split *s = split_of(d, (struct split_spec){.kind = SPLIT_TIME, .at = NO_TIME, .share = .3});
    struct model *fake = fake_model(d);
    for (size_t i = 0; i <= sizeof names / sizeof *names; i++) {
        struct model *m = i < sizeof names / sizeof *names ? world_train(d, model_class_find(names[i]), NULL) : fake;
        for (int p = 0; p < 4; p++) {
            struct test_set *t = set_of(d, s, (struct protocol){.on = PART_TEST, .hide_seen = p & 1, .rolling = p & 2 ? ROLLING_ANYHOW : ROLLING_NOT});
            check_ranks(m, t);
            test_set_free(t);
        }
        if (m != fake)
            model_release(m);
    }
    model_release(fake);
    split_release(s);
    dataset_release(d);
}

static void test_warm_and_cold(void **state)
{
    (void)state;
    struct evaluation e = {.nusers = 4, .warm = (uint8_t[]){1, 0, 1, 0}};
    static const double value[] = {.5, 1, .25, 0};
    size_t n;
    assert_near(evaluation_mean(&e, value, true, &n), .375, 1e-12);
    assert_int_equal(n, 2);
    assert_near(evaluation_mean(&e, value, false, &n), .5, 1e-12);
    e.nusers = 1;
    assert_true(isnan(evaluation_mean(&e, value, false, &n)));
    assert_int_equal(n, 0);
}

static void expect_same(const struct evaluation *a, const struct evaluation *b)
{
    assert_int_equal(a->nqueries, b->nqueries);
    assert_int_equal(a->nusers, b->nusers);
    assert_int_equal(a->depth, b->depth);
    assert_memory_equal(a->user, b->user, a->nusers * sizeof *a->user);
    assert_memory_equal(a->hit_begin, b->hit_begin, (a->nqueries + 1) * sizeof *a->hit_begin);
    assert_memory_equal(a->hit_rank, b->hit_rank, a->hit_begin[a->nqueries] * sizeof *a->hit_rank);
    assert_memory_equal(a->right_begin, b->right_begin, (a->nqueries + 1) * sizeof *a->right_begin);
    assert_memory_equal(a->right, b->right, a->right_begin[a->nqueries] * sizeof *a->right);
    assert_memory_equal(a->grade, b->grade, a->right_begin[a->nqueries] * sizeof *a->grade);
    assert_memory_equal(a->ideal, b->ideal, a->right_begin[a->nqueries] * sizeof *a->ideal);
    assert_int_equal(a->listed, b->listed);
    assert_memory_equal(a->length, b->length, a->nqueries * sizeof *a->length);
    assert_memory_equal(a->list, b->list, a->nqueries * a->listed * sizeof *a->list);
    assert_int_equal(a->won != NULL, b->won != NULL);
    if (a->won)
        assert_memory_equal(a->won, b->won, a->nqueries * sizeof *a->won);
    assert_memory_equal(a->first_rank, b->first_rank, a->nitems * sizeof *a->first_rank);
}

static void test_threads_and_saving(void **state)
{
    (void)state;
    struct dataset *d = random_data(2);
    struct split *s = split_of(d, (struct split_spec){.kind = SPLIT_LAST, .last = 2});
    struct test_set *t = set_of(d, s, (struct protocol){.on = PART_TEST, .hide_seen = true, .rolling = ROLLING_IN_ORDER});
    struct model *m = fake_model(d);
    int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    struct evaluation *one = run(m, t, 50), *back = NULL;
    assert_int_equal(evaluation_add_pairs(one, m, t, NULL, NULL), ST_OK);
    omp_set_num_threads(2);
    struct evaluation *two = run(m, t, 50);
    assert_int_equal(evaluation_add_pairs(two, m, t, NULL, NULL), ST_OK);
    omp_set_num_threads(threads);
    expect_same(one, two);

    struct snapshot blob = {0};
    struct blob_writer w = snapshot_writer(&blob);
    assert_int_equal(evaluation_save(one, &w, NULL), ST_OK);
    struct blob_reader r = snapshot_reader(&blob);
    assert_int_equal(evaluation_load(&r, &back, NULL), ST_OK);
    expect_same(one, back);
    assert_true(back->split_fingerprint == 7 && back->protocol.rolling && back->protocol.hide_seen);
    evaluation_free(back);
    size_t whole = blob.n;
    for (size_t cut = 0; cut < whole; cut += 1 + whole / 211) {
        back = NULL;
        blob.n = cut;
        blob.at = 0;
        assert_int_not_equal(evaluation_load(&r, &back, NULL), ST_OK);
        assert_null(back);
    }
    snapshot_clear(&blob);
    evaluation_free(one);
    evaluation_free(two);
    model_release(m);
    test_set_free(t);
    split_release(s);
    dataset_release(d);
}

/* ---- ratings ---- */

static enum status rate_by_item(const struct model *m, const struct query *queries, size_t n, float *scores,
                                struct error *err)
{
    (void)queries;
    (void)err;
    for (size_t i = 0; i < n * m->nitems; i++)
        scores[i] = (float[]){1.5f, 1.75f, 9}[i % m->nitems];
    return ST_OK;
}

static const struct model_class rating_class = {.name = "rater", .capabilities = CAN_RATE, .score = rate_by_item, .free = fake_free};

static double value_of(const struct evaluation *e, const char *metric, bool warm)
{
    struct metric_at m;
    assert_int_equal(metric_parse(metric, 10, &m, NULL), ST_OK);
    return evaluation_value(e, &m, warm);
}

/* Learnt from are ratings of 1 and 2, so the prediction of z, 9, is cut to 2. a rates z 5, later 1; b says no number of y;
 * nothing is known of c. Predicted x 1.5, y 1.75, z 2:
 *
 *     a: y 4 -> 2.25, z 1 -> 1      b: z 3 -> 1      c: x 5 -> 3.5 */
static void test_ratings(void **state)
{
    (void)state;
    static const struct row rows[] = {{"a", "x", NULL, 1, "train"}, {"a", "y", NULL, 2, "test"}, {"a", "z", NULL, 3, "test"},
                                      {"a", "z", NULL, 4, "test"},  {"b", "x", NULL, 1, "train"}, {"b", "y", NULL, 2, "test"},
                                      {"b", "z", NULL, 3, "test"},  {"c", "x", NULL, 1, "test"}};
    static const float value[] = {2, 4, 5, 1, 1, NAN, 3, 5};
    struct dataset *d = rows_dataset(ROWS(rows), true);
    d->events.value = mem_new(d->events.n, sizeof *d->events.value, "", NULL);
    memcpy(d->events.value, value, sizeof value);
    struct split *s = split_of(d, (struct split_spec){.kind = SPLIT_GIVEN});
    struct test_set *t = set_of(d, s, (struct protocol){.on = PART_TEST, .hide_seen = true});
    struct model *m = fake_model(d), *silent = fake_model(d);
    m->class = &rating_class;
    struct evaluation *e = run(m, t, 3), *none = run(silent, t, 3), *back = NULL;
    assert_near(value_of(e, "rmse", true), sqrt((2.25 * 2.25 + 1 + 1) / 3), 1e-12);
    assert_near(value_of(e, "mae", true), 4.25 / 3, 1e-12);
    assert_near(value_of(e, "user_rmse", true), (sqrt((2.25 * 2.25 + 1) / 2) + 1) / 2, 1e-12);
    assert_near(value_of(e, "user_mae", true), (1.625 + 1) / 2, 1e-12);
    assert_near(value_of(e, "rmse", false), 3.5, 1e-12);
    assert_true(isnan(value_of(none, "rmse", true)) && isnan(value_of(none, "user_mae", true)));
    assert_true(value_of(none, "hit@3", true) >= 0);

    struct snapshot blob = {0};
    struct blob_writer w = snapshot_writer(&blob);
    struct blob_reader r = snapshot_reader(&blob);
    assert_int_equal(evaluation_save(e, &w, NULL), ST_OK);
    assert_int_equal(evaluation_load(&r, &back, NULL), ST_OK);
    assert_near(value_of(back, "rmse", true), value_of(e, "rmse", true), 0);
    assert_near(value_of(back, "user_mae", true), value_of(e, "user_mae", true), 0);
    evaluation_free(back);
    blob.n -= 8;
    blob.at = 0;
    assert_int_not_equal(evaluation_load(&r, &back, NULL), ST_OK);
    snapshot_clear(&blob);
    evaluation_free(e);
    evaluation_free(none);
    model_release(m);
    model_release(silent);
    test_set_free(t);

    t = set_of(d, s, (struct protocol){.on = PART_TEST, .hide_seen = true, .rolling = ROLLING_ANYHOW}); /* each event asked for has its own rating */
    static const float rolling[] = {4, 5, NAN, 3, 5};
    assert_int_equal(t->right_begin[t->nqueries], 5); /* z again is a repeat */
    for (size_t i = 0; i < 5; i++)
        assert_true(t->rating[i] == rolling[i] || (isnan(t->rating[i]) && isnan(rolling[i])));
    test_set_free(t);
    split_release(s);
    dataset_release(d);
}

static void test_cancel_and_memory(void **state)
{
    (void)state;
    struct dataset *d = random_data(3);
    struct split *s = split_of(d, (struct split_spec){.kind = SPLIT_LAST, .last = 1});
    struct model *m = fake_model(d);
    struct test_set *t = set_of(d, s, (struct protocol){.on = PART_TEST, .hide_seen = true});
    struct evaluation *e = NULL;
    struct job job;
    job_init(&job);
    job_cancel(&job);
    assert_int_equal(evaluation_run(m, t, 0, 10, &job, &e, NULL), ST_CANCELLED);
    assert_null(e);
    job_destroy(&job);
    test_set_free(t);
    for (int ranks = 0; ranks < 2; ranks++) {
        enum status st = ST_NOMEM;
        for (long i = 0; i < 100 && st; i++) {
            atomic_long left = i;
            t = NULL;
            mem_set_hook(fail_from, &left);
            st = test_set_new(d, s, &(struct protocol){.on = PART_TEST, .hide_seen = true}, &t, NULL);
            if (!st)
                st = (ranks ? evaluation_ranks : evaluation_run)(m, t, 0, 10, NULL, &e, NULL);
            mem_set_hook(NULL, NULL);
            assert_true(st == ST_OK || st == ST_NOMEM);
            test_set_free(t);
        }
        assert_int_equal(st, ST_OK);
        evaluation_free(e);
    }
    model_release(m);
    split_release(s);
    dataset_release(d);
}

/* ---- the anchor: LightGCN's split of Gowalla, most popular ---- */

/* Lists of "user item item ...", one a line, appended to the columns; n goes up. */
static void read_lists(struct dataset *d, struct field *part, const char *path, const char *word)
{
    static char line[1 << 20];
    FILE *f = fopen(path, "r");
    struct events *e = &d->events;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        char *rest = NULL, *name = strtok_r(line, " \n", &rest);
        uint32_t user;
        if (!name)
            continue;
        assert_int_equal(dict_add(&d->users, name, strlen(name), &user, NULL), ST_OK);
        while ((name = strtok_r(NULL, " \n", &rest))) {
            assert_int_equal(dict_add(&d->items, name, strlen(name), &e->item[e->n], NULL), ST_OK);
            assert_int_equal(field_push_text(part, word, strlen(word), NULL), ST_OK);
            e->user[e->n] = user;
            e->sequence[e->n] = e->n;
            e->n++;
        }
    }
    fclose(f);
}

static struct dataset *gowalla(const char *folder)
{
    enum { ROOM = 1100000 };
    char path[512];
    struct dataset *d = dataset_new("gowalla", NULL);
    struct events *e = &d->events;
    struct field *part;
    uint32_t type;
    e->user = mem_new(ROOM, sizeof *e->user, "", NULL);
    e->item = mem_new(ROOM, sizeof *e->item, "", NULL);
    e->sequence = mem_new(ROOM, sizeof *e->sequence, "", NULL);
    e->type = mem_new(ROOM, sizeof *e->type, "", NULL);
    assert_int_equal(dict_add(&d->types, "event", 5, &type, NULL), ST_OK);
    assert_int_equal(fields_add(&e->context, "part", FIELD_TEXT, &part, NULL), ST_OK);
    snprintf(path, sizeof path, "%s/gowalla/train.txt", folder);
    read_lists(d, part, path, "train");
    snprintf(path, sizeof path, "%s/gowalla/test.txt", folder);
    read_lists(d, part, path, "test");
    assert_int_equal(dataset_finish(d, NULL), ST_OK);
    return d;
}

static void test_gowalla(void **state)
{
    (void)state;
    const char *folder = getenv("TAILOR_DATA");
    char path[512];
    snprintf(path, sizeof path, "%s/gowalla/train.txt", folder ? folder : "");
    FILE *there = fopen(path, "r");
    if (!there)
        skip();
    fclose(there);
    struct dataset *d = gowalla(folder);
    struct split *s = split_of(d, (struct split_spec){.kind = SPLIT_GIVEN});
    assert_int_equal(s->ntrain, 810128);
    assert_int_equal(s->ntest, 217242);
    struct selection train = {.data = d, .split = s, .parts = PART_TRAIN, .until = NO_TIME};
    struct param_value values[32];
    struct model *m = NULL;
    assert_int_equal(param_defaults(model_pop.params, model_pop.nparams, values, NULL), ST_OK);
    assert_int_equal(model_train(&model_pop, "pop", values, &train, 1, NULL, NULL, &m, NULL), ST_OK);
    struct test_set *t = set_of(d, s, (struct protocol){.on = PART_TEST, .hide_seen = true});
    assert_int_equal(t->nusers, 29858);
    assert_int_equal(t->repeats, 0);
    struct evaluation *e = run(m, t, 20);
    double *value = mem_new(t->nusers, sizeof *value, "", NULL);
    char text[400];
    static const char *const expected[] = {"recall@20 0.0416", "ndcg@20 0.0317"};
    for (size_t i = 0; i < 2; i++) {
        struct metric_at metric;
        assert_int_equal(metric_parse(i ? "ndcg@20" : "recall@20", 20, &metric, NULL), ST_OK);
        evaluation_users(e, &metric, value);
        snprintf(text, sizeof text, "%s %.4f", metric.name, evaluation_mean(e, value, true, NULL));
        assert_string_equal(text, expected[i]);
    }
    mem_free(value);
    evaluation_free(e);
    test_set_free(t);
    param_values_free(values, model_pop.nparams);
    model_release(m);
    split_release(s);
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixed),         cmocka_unit_test(test_target), cmocka_unit_test(test_rolling),
        cmocka_unit_test(test_moments),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_brute_force),   cmocka_unit_test(test_ranks), cmocka_unit_test(test_warm_and_cold),
        cmocka_unit_test(test_threads_and_saving), cmocka_unit_test(test_cancel_and_memory),
        cmocka_unit_test(test_ratings),         cmocka_unit_test(test_gowalla),
    };
    return cmocka_run_group_tests_name("eval_evaluation", tests, NULL, NULL);
}
