/* Test sets against one plain loop over each user's events, over enough users that many blocks leave gaps. */
#include "tests/unit/rows.h"

#include <math.h>
#include <omp.h>

#include "base/mem.h"
#include "base/rng.h"
#include "eval/protocol.h"
#include "tests/unit/memory.h"

enum { USERS = 1100, ITEMS = 25, EVENTS = 9000, LONGEST = 400 };

/* Many repeats, most events with few items; users with one event or none that counts, three events at each instant. */
static struct dataset *random_data(uint64_t seed, bool rated, size_t items)
{
    static char names[USERS + ITEMS][8];
    static struct row rows[EVENTS];
    struct rng r = rng_stream(seed, "protocol", 0);
    for (size_t i = 0; i < USERS + ITEMS; i++)
        snprintf(names[i], sizeof names[i], "%zu", i);
    for (size_t e = 0; e < EVENTS; e++) {
        size_t u = (size_t)(rng_real(&r) * rng_real(&r) * USERS), i = (size_t)(rng_real(&r) * rng_real(&r) * (double)items);
        static const char *const types[] = {"click", "click", "buy", "impression"};
        rows[e] = (struct row){names[u], names[USERS + i], types[rng_below(&r, 4)], (int64_t)e / 3, NULL};
    }
    struct dataset *d = rows_dataset(rows, EVENTS, true);
    if (rated) {
        d->events.value = mem_new(d->events.n, sizeof *d->events.value, "", NULL);
        for (size_t e = 0; e < d->events.n; e++)
            d->events.value[e] = rng_below(&r, 5) ? (float)rng_below(&r, 5) : NAN;
    }
    return d;
}

/* What is expected of one user: questions one after the other. */
struct expected {
    size_t nqueries, known, right; /* so far, in the whole test set */
    size_t users, events, repeats;
};

static void check_right(const struct dataset *d, const struct test_set *t, size_t q, size_t r, uint32_t item, const size_t *events,
                        size_t n)
{
    float rating = NAN, weight = 0;
    for (size_t i = 0; i < n; i++) {
        size_t e = events[i];
        if (d->events.item[e] != item)
            continue;
        if (d->events.value && !isnan(d->events.value[e]))
            rating = d->events.value[e];
        weight = fmaxf(weight, d->type_weight[d->events.type[e]]);
    }
    assert_true(r < t->right_begin[q + 1] && t->right[r] == item);
    if (t->rating)
        assert_true(t->rating[r] == rating || (isnan(t->rating[r]) && isnan(rating)));
    else
        assert_true(t->weight[r] == weight);
}

/* One question: known events, and what is asked for. Nothing is asked when all was seen before. */
static void check_query(const struct dataset *d, const struct test_set *t, struct expected *x, const size_t *known, size_t nknown,
                        const size_t *asked, size_t nasked, uint32_t hides)
{
    bool seen[ITEMS] = {false}, right[ITEMS] = {false};
    size_t q = x->nqueries, r = x->right, n = 0;
    for (size_t i = 0; i < nknown; i++)
        if (!hides || d->events.type[known[i]] == hides - 1)
            seen[d->events.item[known[i]]] = true;
    for (size_t i = 0; i < nasked; i++) {
        bool repeat = t->protocol.hide_seen && seen[d->events.item[asked[i]]];
        x->events++;
        x->repeats += repeat;
        if (!repeat && !right[d->events.item[asked[i]]]) {
            right[d->events.item[asked[i]]] = true;
            n++;
        }
    }
    if (!n)
        return;
    assert_true(q < t->nqueries && t->right_begin[q] == r && t->query[q].n == nknown && t->query[q].hides == hides);
    for (size_t i = 0; i < nknown; i++) {
        const struct query_event *e = &t->query[q].events[i];
        assert_true(e->event == known[i] && e->item == d->events.item[known[i]] && e->type == d->events.type[known[i]] &&
                    e->time == d->events.time[known[i]]);
    }
    for (uint32_t item = 0; item < ITEMS; item++)
        if (right[item])
            check_right(d, t, q, r++, item, asked, nasked);
    assert_int_equal(t->right_begin[q + 1], r);
    x->right = r;
    x->nqueries++;
}

static void check_user(const struct dataset *d, const struct split *s, const struct test_set *t, uint32_t user, struct expected *x)
{
    size_t known[LONGEST], asked[LONGEST], nknown = 0, nasked = 0, first = x->nqueries;
    size_t begin = d->user_begin[user], end = d->user_begin[user + 1];
    unsigned history = split_history(s, user, t->protocol.on);
    uint32_t hides = split_hides(s, d);
    assert_true(end - begin <= LONGEST);
    for (size_t e = begin; e < end; e++) {
        if (s->part[e] == t->protocol.on)
            asked[nasked++] = e;
        if (s->part[e] & history)
            known[nknown++] = e;
    }
    bool warm = nknown > 0;
    if (!t->protocol.rolling && nasked)
        check_query(d, t, x, known, nknown, asked, nasked, hides);
    for (size_t a = 0; t->protocol.rolling && a < nasked; a++) {
        nknown = 0; /* of the history what stands before the first that is asked for; from there on all of earlier instants */
        for (size_t e = begin; e < asked[a]; e++)
            if (e < asked[0] ? (s->part[e] & history) != 0
                             : d->type_weight[d->events.type[e]] > 0 && d->events.time[e] < d->events.time[asked[a]])
                known[nknown++] = e;
        check_query(d, t, x, known, nknown, &asked[a], 1, hides);
    }
    if (x->nqueries == first)
        return;
    assert_true(x->users < t->nusers && t->user[x->users] == user && t->warm[x->users] == warm);
    assert_int_equal(t->query_begin[x->users], first);
    assert_int_equal(t->query_begin[++x->users], x->nqueries);
}

/* How many events were left out as repeats. */
static size_t check(const struct dataset *d, struct split_spec spec, struct protocol p)
{
    struct split *s = NULL;
    struct test_set *t = NULL;
    struct error err;
    struct expected x = {0};
    if (split_new(d, &spec, &s, &err) || test_set_new(d, s, &p, &t, &err))
        fail_msg("%s", err.message);
    for (uint32_t u = 0; u < d->users.n; u++)
        check_user(d, s, t, u, &x);
    assert_int_equal(t->nusers, x.users);
    assert_int_equal(t->nqueries, x.nqueries);
    assert_int_equal(t->events, x.events);
    assert_int_equal(t->repeats, x.repeats);
    assert_true(x.users > 100);
    test_set_free(t);
    split_release(s);
    return x.repeats;
}

static void test_all_protocols(void **state)
{
    static const struct split_spec specs[] = {
        {.kind = SPLIT_TIME, .at = NO_TIME, .share = .3, .valid_share = .2},
        {.kind = SPLIT_LAST, .last = 2, .at = NO_TIME, .valid_share = .2},
        {.kind = SPLIT_RANDOM, .share = .3, .at = NO_TIME, .seed = 3, .valid_share = .3},
        {.kind = SPLIT_TIME, .at = NO_TIME, .share = .4, .valid_share = .3, .target = "buy"},
    };
    size_t repeats = 0;
    (void)state;
    for (unsigned way = 0; way < 4; way++) {
        struct dataset *d = random_data(way, way & 1, way & 2 ? 3 : ITEMS);
        for (size_t i = 0; i < sizeof specs / sizeof *specs; i++)
            for (int hide = 0; hide < 2; hide++)
                for (int rolling = 0; rolling < 2; rolling++)
                    for (int valid = 0; valid < 2; valid++)
                        repeats += check(d, specs[i], (struct protocol){.on = valid ? PART_VALID : PART_TEST, .hide_seen = hide,
                                                                        .rolling = rolling ? ROLLING_ANYHOW : ROLLING_NOT});
        dataset_release(d);
    }
    assert_true(repeats > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_protocols)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
