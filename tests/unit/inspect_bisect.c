/* Which event brought an item into a list: against lists made for every prefix one by one. */
#include "tests/unit/world.h"

#include "inspect/bisect.h"
#include "models/classes.h"

/* The place in the list of everything, 0 when it is in none or all scores are the same. */
static size_t place_of(const struct model *m, const struct query *q, size_t events, uint32_t item, enum seen seen)
{
    struct ranked_list l;
    struct query prefix = *q;
    size_t place = 0;
    prefix.n = events;
    assert_int_equal(rank_list(m, &prefix, m->nitems, seen, &l, NULL), ST_OK);
    for (size_t i = 0; i < l.n; i++)
        if (l.entries[i].item == item)
            place = i + 1;
    bool same = l.n == 0 || l.entries[0].score <= l.entries[l.n - 1].score;
    ranked_list_clear(&l);
    return same ? 0 : place;
}

static size_t check(const struct model *m, const struct query *q, uint32_t item, size_t k, enum seen seen, struct job *job)
{
    struct bisect b;
    size_t next = 0, before = place_of(m, q, 0, item, seen), had = 0;
    assert_int_equal(bisect_make(m, q, item, k, seen, job, &b, NULL), ST_OK);
    assert_int_equal(b.n, q->n);
    assert_int_equal(b.rank[0], before);
    for (size_t e = 0; e < q->n; e++) {
        size_t after = place_of(m, q, e + 1, item, seen);
        bool in = before && before <= k, then = after && after <= k;
        assert_int_equal(b.rank[e + 1], after);
        assert_int_equal(bisect_in(&b, e + 1), then);
        if (in != then) {
            const struct crossing *c = &b.crossings[next++];
            assert_true(next <= b.ncrossings && c->event == e && c->entered == then && c->before == before && c->after == after);
            assert_int_equal(c->had, !then && seen == SEEN_HIDE && q->events[e].item == item);
            had += c->had;
        }
        before = after;
    }
    assert_int_equal(next, b.ncrossings);
    size_t hidden = 0;
    while (hidden < q->n && q->events[hidden].item != item)
        hidden++;
    assert_int_equal(b.hidden, seen == SEEN_HIDE && hidden < q->n ? hidden + 1 : SIZE_MAX);
    bisect_clear(&b);
    return had;
}

static void test_every_prefix(void **state)
{
    (void)state;
    struct dataset *d = world_new(30, 40, 900, 3);
    const struct model_class *const classes[] = {&model_pop, &model_itemknn, &model_ials, &model_ease};
    struct selection s = {.data = d, .until = NO_TIME};
    struct job job;
    size_t had = 0;
    job_init(&job);
    for (size_t c = 0; c < 4; c++) {
        struct model *m = world_train(d, classes[c], NULL);
        for (uint32_t user = 0; user < d->users.n; user += 7) {
            struct history h;
            assert_int_equal(history_of_user(&s, user, &h, NULL), ST_OK);
            struct query q = history_query(&h);
            for (uint32_t item = 0; item < d->items.n; item += 3) {
                had += check(m, &q, item, 5, SEEN_HIDE, &job);
                check(m, &q, item, 10, SEEN_SHOW, &job);
            }
            history_clear(&h);
        }
        model_release(m);
    }
    assert_true(had > 10); /* the case is there */
    job_destroy(&job);
    dataset_release(d);
}

/* What nobody has done anything with: nothing to ask about, and the model without an opinion has no ranks. */
static void test_empty(void **state)
{
    (void)state;
    struct dataset *d = world_new(30, 40, 900, 3);
    struct model *m = world_train(d, &model_itemknn, NULL);
    struct query q = {.user = NO_USER, .as_of = NO_TIME};
    struct bisect b;
    struct job job;
    job_init(&job);
    assert_int_equal(bisect_make(m, &q, 4, 10, SEEN_HIDE, &job, &b, NULL), ST_OK);
    assert_int_equal(b.n, 0);
    assert_int_equal(b.rank[0], 0);
    assert_int_equal(b.ncrossings, 0);
    bisect_clear(&b);
    job_cancel(&job);
    assert_int_equal(bisect_make(m, &q, 4, 10, SEEN_HIDE, &job, &b, NULL), ST_CANCELLED);
    assert_null(b.rank);
    job_destroy(&job);
    model_release(m);
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_prefix), cmocka_unit_test(test_empty)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
