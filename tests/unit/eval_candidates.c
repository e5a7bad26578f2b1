/* Candidates: drawn ones are those that may be drawn, each as likely as the others; lists of them are what sorting them by score
 * gives; of lists that were served only what they hold is asked for. */
#include "tests/unit/rows.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "base/rng.h"
#include "eval/candidates.h"
#include "eval/evaluation.h"
#include "models/classes.h"
#include "models/driver.h"
#include "models/served.h"
#include "ranking/ranking.h"

/* Users 0 to 2 have two items each at the end that nobody else has. */
enum { USERS = 60, OFTEN = 50, ITEMS = OFTEN + 6, EVENTS = 12, DEPTH = 10 };

struct bench {
    struct dataset *d;
    struct split *s;
    struct test_set *set;
    struct model *m;
};

static void open_bench(struct bench *b)
{
    static struct row rows[USERS * EVENTS];
    static char users[USERS][8], items[ITEMS][8];
    struct rng r = rng_stream(7, "candidates", 0);
    struct split_spec spec = {.kind = SPLIT_LAST, .last = 2};
    const struct protocol p = {.on = PART_TEST, .hide_seen = true};
    for (size_t i = 0; i < ITEMS; i++)
        snprintf(items[i], sizeof items[i], "i%zu", i);
    for (size_t e = 0; e < USERS * EVENTS; e++) {
        size_t u = e / EVENTS, at = e % EVENTS, own = OFTEN + 2 * u + at + 2 - EVENTS;
        snprintf(users[u], sizeof users[u], "u%zu", u);
        rows[e] = (struct row){users[u], items[u < 3 && at + 2 >= EVENTS ? own : (size_t)(OFTEN * rng_real(&r) * rng_real(&r))], NULL, (int64_t)e, NULL};
    }
    b->d = rows_dataset(rows, USERS * EVENTS, true);
    assert_int_equal(split_new(b->d, &spec, &b->s, NULL), ST_OK);
    assert_int_equal(test_set_new(b->d, b->s, &p, &b->set, NULL), ST_OK);
    struct selection train = {.data = b->d, .split = b->s, .parts = PART_TRAIN, .until = NO_TIME};
    struct param_value values[32];
    assert_int_equal(param_defaults(model_itemknn.params, model_itemknn.nparams, values, NULL), ST_OK);
    assert_int_equal(model_train(&model_itemknn, "knn", values, &train, 1, NULL, NULL, &b->m, NULL), ST_OK);
    param_values_free(values, model_itemknn.nparams);
}

static void close_bench(struct bench *b)
{
    model_release(b->m);
    test_set_free(b->set);
    split_release(b->s);
    dataset_release(b->d);
}

static bool holds(const uint32_t *a, size_t n, uint32_t x)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] == x)
            return true;
    return false;
}

static bool knows(const struct query *q, uint32_t item)
{
    for (size_t e = 0; e < q->n; e++)
        if (q->events[e].item == item)
            return true;
    return false;
}

static void test_drawn(void **state)
{
    static const size_t wanted[] = {1, 5, 20, 49, 1000};
    (void)state;
    for (size_t w = 0; w < sizeof wanted / sizeof *wanted; w++) {
        struct bench b;
        open_bench(&b);
        assert_int_equal(candidates_draw(b.set, wanted[w], 3, NULL), ST_OK);
        assert_int_equal(b.set->protocol.among, candidates_drawn_mark(wanted[w], 3));
        for (size_t q = 0; q < b.set->nqueries; q++) {
            const uint32_t *among = b.set->among + b.set->among_begin[q];
            size_t n = b.set->among_begin[q + 1] - b.set->among_begin[q], nright = b.set->right_begin[q + 1] - b.set->right_begin[q], left = 0;
            const uint32_t *right = b.set->right + b.set->right_begin[q];
            for (uint32_t i = 0; i < b.d->items.n; i++)
                left += !knows(&b.set->query[q], i) && !holds(right, nright, i);
            assert_int_equal(n, nright + (wanted[w] < left ? wanted[w] : left));
            for (size_t i = 0; i < nright; i++)
                assert_true(holds(among, n, right[i]));
            for (size_t i = 0; i < n; i++) {
                assert_true(!i || among[i] > among[i - 1]);
                assert_false(knows(&b.set->query[q], among[i]));
            }
        }
        close_bench(&b);
    }
}

/* Each item that may be drawn is, in a share of the draws that its chance explains: both ways of drawing. */
static void test_fair(void **state)
{
    static const size_t wanted[] = {4, 25};
    enum { TURNS = 2000 };
    (void)state;
    for (size_t w = 0; w < 2; w++) {
        struct bench b;
        size_t times[ITEMS] = {0};
        open_bench(&b);
        const uint32_t *right = b.set->right + b.set->right_begin[0];
        size_t nright = b.set->right_begin[1] - b.set->right_begin[0], left = 0;
        for (uint32_t i = 0; i < b.d->items.n; i++)
            left += !knows(&b.set->query[0], i) && !holds(right, nright, i);
        for (uint64_t seed = 0; seed < TURNS; seed++) {
            assert_int_equal(candidates_draw(b.set, wanted[w], seed, NULL), ST_OK);
            for (size_t i = 0; i < b.set->among_begin[1]; i++)
                times[b.set->among[i]]++;
            mem_free(b.set->among);
            mem_free(b.set->among_begin);
            b.set->among = NULL;
            b.set->among_begin = NULL;
        }
        double share = (double)wanted[w] / (double)left, sigma = sqrt(share * (1 - share) / TURNS);
        for (uint32_t i = 0; i < b.d->items.n; i++)
            if (!knows(&b.set->query[0], i) && !holds(right, nright, i))
                assert_true(fabs((double)times[i] / TURNS - share) < 5 * sigma);
        close_bench(&b);
    }
}

/* Ranks by counting who stands above, with all scores. */
static void test_ranks(void **state)
{
    struct bench b;
    struct evaluation *e, *again;
    (void)state;
    open_bench(&b);
    assert_int_equal(candidates_draw(b.set, 15, 1, NULL), ST_OK);
    assert_int_equal(evaluation_run(b.m, b.set, b.s->fingerprint, DEPTH, NULL, &e, NULL), ST_OK);
    float *scores = mem_new_raw(b.d->items.n, sizeof *scores, "", NULL);
    for (size_t q = 0; q < b.set->nqueries; q++) {
        const uint32_t *among = b.set->among + b.set->among_begin[q];
        size_t n = b.set->among_begin[q + 1] - b.set->among_begin[q], hit = e->hit_begin[q];
        assert_int_equal(rank_scores(b.m, &b.set->query[q], SEEN_HIDE, scores, NULL), ST_OK);
        for (uint32_t rank = 0; rank < DEPTH; rank++)
            for (size_t i = 0; i < n; i++) {
                uint32_t above = 0;
                for (size_t j = 0; j < n; j++)
                    above += scores[among[j]] > scores[among[i]] || (scores[among[j]] == scores[among[i]] && j < i);
                if (above != rank)
                    continue;
                assert_int_equal(e->list[q * e->listed + rank], among[i]);
                if (holds(b.set->right + b.set->right_begin[q], b.set->right_begin[q + 1] - b.set->right_begin[q], among[i]))
                    assert_int_equal(e->hit_rank[hit++], rank);
            }
        assert_int_equal(hit, e->hit_begin[q + 1]);
    }
    omp_set_num_threads(1);
    assert_int_equal(evaluation_run(b.m, b.set, b.s->fingerprint, DEPTH, NULL, &again, NULL), ST_OK);
    omp_set_num_threads(omp_get_num_procs());
    assert_memory_equal(e->list, again->list, e->nqueries * e->listed * sizeof *e->list);
    mem_free(scores);
    evaluation_free(e);
    evaluation_free(again);
    close_bench(&b);
}

/* u0 was shown both of its right items and a third, in this order; u1 one of them; u2 nothing that it took; nobody else had a list. */
static void test_listed(void **state)
{
    struct bench b;
    struct candidates_left_out left;
    struct served_row rows[8];
    struct served_report report;
    struct model *served;
    struct evaluation *e;
    struct error err;
    size_t n = 0;
    (void)state;
    open_bench(&b);
    size_t right = b.set->right_begin[b.set->nqueries], users = b.set->nusers, other = 0;
    assert_true(b.set->right_begin[1] == 2 && b.set->right_begin[2] - b.set->right_begin[1] == 2);
    const uint32_t mine[] = {b.set->right[1], b.set->right[0]}, yours = b.set->right[2];
    while (knows(&b.set->query[0], (uint32_t)other) || knows(&b.set->query[2], (uint32_t)other) ||
           holds(b.set->right, b.set->right_begin[3], (uint32_t)other))
        other++;
    const uint32_t who[] = {0, 0, 0, 1, 2}, what[] = {mine[0], (uint32_t)other, mine[1], yours, (uint32_t)other};
    for (; n < 5; n++)
        rows[n] = (struct served_row){b.set->user[who[n]], what[n], what[n], NO_TIME, (double)n, NAN};
    assert_int_equal(served_new(b.d, "prod", rows, n, b.d->items.n, &served, &report, NULL), ST_OK);
    assert_int_equal(candidates_of_lists(b.set, served, &left, NULL), ST_OK);
    assert_int_equal(left.users, users - 2);
    assert_int_equal(left.right, right - 3);
    assert_int_equal(b.set->nusers, 2);
    assert_int_equal(b.set->nqueries, 2);
    assert_int_equal(b.set->right_begin[1], 2);
    assert_int_equal(b.set->right_begin[2], 3);
    assert_int_equal(b.set->right[2], yours);
    assert_int_equal(b.set->among_begin[2], 4);
    assert_memory_equal(b.set->among, what, 3 * sizeof *what);
    assert_int_equal(b.set->protocol.among, candidates_listed_mark(served));
    assert_int_equal(evaluation_run(served, b.set, b.s->fingerprint, DEPTH, NULL, &e, NULL), ST_OK);
    assert_int_equal(e->hit_rank[0], 0); /* as served: first and third */
    assert_int_equal(e->hit_rank[1], 2);
    evaluation_free(e);
    model_release(served);
    /* lists that hold nothing right */
    struct served_row nothing = {b.set->user[0], (uint32_t)other, (uint32_t)other, NO_TIME, 1, NAN};
    test_set_free(b.set);
    const struct protocol p = {.on = PART_TEST, .hide_seen = true};
    assert_int_equal(test_set_new(b.d, b.s, &p, &b.set, NULL), ST_OK);
    assert_int_equal(served_new(b.d, "prod", &nothing, 1, b.d->items.n, &served, &report, NULL), ST_OK);
    assert_int_equal(candidates_of_lists(b.set, served, &left, &err), ST_STATE);
    assert_non_null(strstr(err.message, "no list"));
    model_release(served);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drawn),
        cmocka_unit_test(test_fair),
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_listed),
    };
    return cmocka_run_group_tests_name("eval_candidates", tests, NULL, NULL);
}
