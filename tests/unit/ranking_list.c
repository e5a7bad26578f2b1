/* Histories, masks, lists. */
#include "tests/unit/every_model.h"

#include <math.h>

#include "models/classes.h"
#include "ranking/lists.h"

static void test_history(void **state)
{
    (void)state;
    struct dataset *d = world_tiny();
    struct selection s = world_all(d);
    struct history h;
    assert_int_equal(history_of_user(&s, 0, &h, NULL), ST_OK);
    assert_int_equal(h.n, 3);
    assert_int_equal(h.events[2].event, 2);
    assert_int_equal(history_add(&h, d, 7, NULL), ST_OK);
    assert_int_equal(h.n, 4);
    assert_true(h.events[3].event == UINT64_MAX && h.events[3].weight == 1);
    assert_int_equal(history_remove(&h, 1), 1);
    assert_int_equal(history_remove(&h, 1), 0);
    assert_int_equal(h.events[1].item, 2);
    history_clear(&h);
    s.until = (WORLD_START + 2) * US_PER_SECOND; /* strictly before the third event */
    assert_int_equal(history_of_user(&s, 0, &h, NULL), ST_OK);
    assert_int_equal(h.n, 2);
    assert_true(history_query(&h).as_of == s.until);
    history_clear(&h);
    assert_int_equal(history_of_user(&s, 3, &h, NULL), ST_OK);
    assert_int_equal(h.n, 0);
    d->type_weight[0] = 0;
    assert_int_equal(history_add(&h, d, 7, NULL), ST_STATE);
    history_clear(&h);
    dataset_release(d);
}

/* What is added later weighs full then, and what was there by its age; after hours, as if all had happened before. */
static void test_ageing(void **state)
{
    (void)state;
    enum { HOUR = 3600 };
    struct dataset *d = world_tiny();
    d->halflife = HOUR * US_PER_SECOND;
    struct selection s = world_all(d);
    struct history h;
    assert_int_equal(history_of_user(&s, 0, &h, NULL), ST_OK);
    int64_t later = h.events[2].time + HOUR * US_PER_SECOND;
    h.as_of = later;
    assert_int_equal(history_add(&h, d, 7, NULL), ST_OK);
    history_age(&h, d, later);
    assert_true(fabsf(h.events[2].weight - .5f) < 1e-6f && h.events[3].weight == 1);
    history_age(&h, d, later + 2 * HOUR * US_PER_SECOND);
    assert_true(fabsf(h.events[2].weight - .125f) < 1e-6f && fabsf(h.events[3].weight - .25f) < 1e-6f);
    history_clear(&h);
    dataset_release(d);
}

static void test_list(void **state)
{
    (void)state;
    struct dataset *d = world_tiny();
    struct selection s = world_all(d);
    struct model *m = world_train(d, &model_pop, NULL); /* 3 3 2 2 2 2 1 2 */
    struct history h;
    struct ranked_list l;
    assert_int_equal(history_of_user(&s, 0, &h, NULL), ST_OK);
    struct query q = history_query(&h);
    assert_int_equal(rank_list(m, &q, 3, SEEN_HIDE, &l, NULL), ST_OK);
    assert_int_equal(l.n, 3);
    assert_int_equal(l.entries[0].item, 3); /* ties by index: d e f */
    assert_int_equal(l.entries[2].item, 5);
    assert_false(l.entries[0].seen);
    ranked_list_clear(&l);
    assert_int_equal(rank_list(m, &q, 100, SEEN_SHOW, &l, NULL), ST_OK);
    assert_int_equal(l.n, 8);
    assert_int_equal(l.entries[0].item, 0);
    assert_true(l.entries[0].seen && l.entries[0].seen_at == WORLD_START * US_PER_SECOND && l.entries[0].seen_times == 1);
    ranked_list_clear(&l);
    float scores[8];
    assert_int_equal(rank_scores(m, &q, SEEN_HIDE, scores, NULL), ST_OK);
    assert_int_equal(rank_of(scores, 8, 3), 1);
    assert_int_equal(rank_of(scores, 8, 6), 5);
    assert_int_equal(rank_of(scores, 8, 0), 0);
    q.hides = 2; /* a type that no event here is of */
    assert_int_equal(rank_list(m, &q, 100, SEEN_HIDE, &l, NULL), ST_OK);
    assert_int_equal(l.n, 8);
    assert_false(l.entries[0].seen);
    ranked_list_clear(&l);
    history_clear(&h);
    model_release(m);
    dataset_release(d);
}

/* Those of wanted items that stand in a list stand there when no more than their places is asked, too. */
static void check_wanted(const struct ranker *r, const struct query *queries, size_t n, const struct scored *whole, const size_t *nwhole)
{
    struct scored *got = mem_new(n * r->k, sizeof *got, "", NULL);
    size_t *counts = mem_new(n, sizeof *counts, "", NULL), *begin = mem_new(n + 1, sizeof *begin, "", NULL);
    uint32_t *item = mem_new(3 * n, sizeof *item, "", NULL);
    for (size_t q = 0; q < n; q++) { /* none, one that perhaps stands in the list, two, or one that the model does not know too */
        uint32_t first = (uint32_t)(q * 7 % 60);
        begin[q + 1] = begin[q];
        for (size_t i = 0; i < q % 4; i++)
            item[begin[q + 1]++] = i == 2 ? (uint32_t)(r->m->nitems - 1) : first + (uint32_t)i;
    }
    assert_int_equal(ranker_lists(r, queries, n, &(struct item_sets){begin, item}, NULL, got, counts, NULL), ST_OK);
    for (size_t q = 0; q < n; q++) {
        assert_true(counts[q] <= nwhole[q]);
        assert_memory_equal(got + q * r->k, whole + q * r->k, counts[q] * sizeof *got);
        for (size_t j = counts[q]; j < nwhole[q]; j++)
            for (size_t w = begin[q]; w < begin[q + 1]; w++)
                assert_true(whole[q * r->k + j].index != item[w]);
    }
    mem_free(got);
    mem_free(counts);
    mem_free(begin);
    mem_free(item);
}

/* Lists of many users are the lists of each, for every class and so by every way. Some histories know later items. */
static void test_batch(void **state)
{
    enum { USERS = 600, K = 7 };
    (void)state;
    struct dataset *d = every_world(USERS, 90, 9000, ODD_NOT);
    struct selection s = world_all(d);
    uint32_t n = d->users.n, users[USERS + LONELY_USERS];
    static struct scored out[(USERS + LONELY_USERS) * K];
    static size_t counts[USERS + LONELY_USERS];
    for (uint32_t u = 0; u < n; u++)
        users[u] = n - 1 - u;
    for (const struct model_class *const *c = model_classes; *c; c++) {
        struct model *m = every_model(*c, d);
        for (int seen = SEEN_HIDE; seen <= SEEN_SHOW; seen++) {
            assert_int_equal(rank_users(m, &s, users, n, K, seen, NULL, out, counts, NULL), ST_OK);
            for (uint32_t i = 0; i < n; i += 3) {
                struct history h;
                struct ranked_list l;
                assert_int_equal(history_of_user(&s, users[i], &h, NULL), ST_OK);
                struct query q = history_query(&h);
                assert_int_equal(rank_list(m, &q, K, seen, &l, NULL), ST_OK);
                assert_int_equal(l.n, counts[i]);
                for (size_t j = 0; j < l.n; j++)
                    if (l.entries[j].item != out[i * K + j].index || l.entries[j].score != out[i * K + j].score)
                        fail_msg("%s: rank %zu of a user among many differs from that alone", (*c)->name, j + 1);
                ranked_list_clear(&l);
                history_clear(&h);
            }
        }
        model_release(m);
    }
    dataset_release(d);
}

/* A model whose data has grown: later items are in histories, and in no list. */
static void test_grown(void **state)
{
    enum { USERS = 300, K = 5, MORE = 3 };
    (void)state;
    struct dataset *d = every_world(USERS, 60, 4000, ODD_NOT);
    uint32_t n = d->users.n;
    static struct query_event events[USERS + LONELY_USERS][2];
    static struct query queries[USERS + LONELY_USERS];
    static struct scored out[(USERS + LONELY_USERS) * K];
    static size_t counts[USERS + LONELY_USERS];
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t e = 0; e < 2; e++)
            events[i][e] = (struct query_event){.item = e ? d->items.n + i % MORE : i % 60, .value = NAN, .weight = 1, .time = NO_TIME, .event = UINT64_MAX};
        queries[i] = (struct query){.events = events[i], .n = 2, .user = NO_USER, .as_of = NO_TIME};
    }
    for (const struct model_class *const *c = model_classes; *c; c++) {
        struct model *m = every_model(*c, d), *wide = model_widen(m, n + MORE, d->items.n + MORE, NULL);
        struct ranker r;
        assert_int_equal(ranker_new(&r, wide, K, SEEN_HIDE, n, NULL), ST_OK);
        assert_int_equal(ranker_lists(&r, queries, n, NULL, NULL, out, counts, NULL), ST_OK);
        check_wanted(&r, queries, n, out, counts);
        for (uint32_t i = 0; i < n; i += 7) {
            struct ranked_list l;
            assert_int_equal(rank_list(wide, &queries[i], K, SEEN_HIDE, &l, NULL), ST_OK);
            assert_int_equal(l.n, counts[i]);
            for (size_t j = 0; j < l.n; j++)
                assert_true(l.entries[j].item == out[i * K + j].index && l.entries[j].score == out[i * K + j].score);
            ranked_list_clear(&l);
        }
        ranker_clear(&r);
        model_release(wide);
        model_release(m);
    }
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_history),
        cmocka_unit_test(test_ageing),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_batch),
        cmocka_unit_test(test_grown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
