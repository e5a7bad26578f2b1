/* The smallest removal that drops an item out of a list, against trying every set there is, for every class. */
#include "tests/unit/every_model.h"

#include "inspect/minimal.h"
#include "models/classes.h"

enum { MOST = 7, CASES = 500 };

/* The place with the items of `bits` taken out; what is hidden stays hidden. */
static size_t rank_without(const struct model *m, const struct query *q, uint32_t item, const struct query_item *own, size_t n, uint32_t bits,
                           bool shown)
{
    struct query_event *left = mem_new(q->n, sizeof *left, "", NULL);
    struct query fewer = *q;
    float *scores = mem_new(m->nitems, sizeof *scores, "", NULL);
    fewer.events = left;
    fewer.n = 0;
    for (size_t e = 0; e < q->n; e++) {
        bool gone = false;
        for (size_t h = 0; h < n; h++)
            gone |= own[h].item == q->events[e].item && bits >> h & 1;
        if (!gone)
            left[fewer.n++] = q->events[e];
    }
    assert_int_equal(model_score(m, &fewer, 1, scores, NULL), ST_OK);
    size_t rank = 1;
    for (uint32_t i = 0; i < m->nitems; i++) {
        int64_t at;
        uint32_t times;
        if (i == item || (!shown && rank_seen(q, i, &at, &times)))
            continue;
        rank += scores[i] > scores[item] || (scores[i] == scores[item] && i < item);
    }
    if (!(scores[item] > -INFINITY))
        rank = 0;
    mem_free(left);
    mem_free(scores);
    return rank;
}

static bool is_out(size_t rank, size_t k)
{
    return rank == 0 || rank > k;
}

static void check(const struct model *m, const struct query *q, uint32_t item, enum seen seen, size_t k, size_t *sizes)
{
    struct folded f;
    struct minimal x;
    int64_t at;
    uint32_t times;
    bool shown = seen == SEEN_SHOW || rank_seen(q, item, &at, &times);
    assert_int_equal(folded_new(&f, q, 1, NULL), ST_OK);
    size_t n = f.begin[1], best = 0;
    assert_int_equal(minimal_make(m, q, item, seen, k, 0, NULL, &x, NULL), ST_OK);
    size_t rank = rank_without(m, q, item, f.items, n, 0, shown);
    assert_int_equal(x.rank, rank);
    assert_int_equal(x.needless, is_out(rank, k));
    for (uint32_t bits = 1; bits < 1U << n && !x.needless; bits++) {
        size_t size = (size_t)__builtin_popcount(bits);
        if ((!best || size < best) && is_out(rank_without(m, q, item, f.items, n, bits, shown), k))
            best = size;
    }
    if (!x.needless) {
        const struct brought *b = &x.removed;
        if (b->found != (best > 0) || b->n != best || b->none != (best == 0))
            fail_msg("%s: found %zu, smallest %zu", m->name, b->n, best);
        assert_true(!b->late && (!best || brought_smallest(b)));
        uint32_t bits = 0;
        for (size_t i = 0; i < b->n; i++)
            for (size_t h = 0; h < n; h++)
                bits |= f.items[h].item == b->items[i] ? 1U << h : 0;
        assert_int_equal(__builtin_popcount(bits), best);
        if (best)
            assert_int_equal(b->rank, rank_without(m, q, item, f.items, n, bits, shown));
        sizes[best]++;
    }
    minimal_clear(&x);
    folded_clear(&f);
}

/* A history of so few items that every set of them can be tried. */
static bool take_small(const struct dataset *d, struct rng *r, struct query_event *room, struct query *q)
{
    struct query_item items[512];
    uint32_t user = (uint32_t)rng_below(r, d->users.n);
    *q = world_query(d, user, room);
    while (q->n && query_items(q, items) > MOST)
        q->n--;
    return q->n > 0;
}

static void test_brute_force(void **state)
{
    (void)state;
    struct dataset *d = every_world(50, 30, 400, ODD_NOT);
    struct query_event *room = mem_new(d->events.n, sizeof *room, "", NULL);
    struct rng r = rng_stream(3, "minimal", 0);
    size_t sizes[MOST + 1] = {0}, additive = 0, classes = 0;
    for (const struct model_class *const *c = model_classes; *c; c++)
        classes++;
    for (const struct model_class *const *c = model_classes; *c; c++) {
        struct model *m = every_model(*c, d);
        for (size_t done = 0; done < 2 * CASES / classes + 1;) {
            struct query q;
            struct ranked_list l;
            if (!take_small(d, &r, room, &q))
                continue;
            size_t k = 1 + rng_below(&r, 5);
            enum seen seen = rng_below(&r, 4) ? SEEN_HIDE : SEEN_SHOW;
            assert_int_equal(rank_list(m, &q, k, seen, &l, NULL), ST_OK);
            if (l.n)
                check(m, &q, l.entries[rng_below(&r, l.n)].item, seen, k, sizes);
            done++;
            additive += (m->class->capabilities & ADDS_UP) && l.n;
            ranked_list_clear(&l);
        }
        model_release(m);
    }
    print_message("sizes: none %zu, 1: %zu, 2: %zu, 3: %zu, 4 and more: %zu; %zu by bounds\n", sizes[0], sizes[1], sizes[2], sizes[3],
                  sizes[4] + sizes[5] + sizes[6] + sizes[7], additive);
    assert_true(additive > CASES / 2 && sizes[1] > 50 && sizes[2] > 20 && sizes[3] + sizes[4] + sizes[5] > 10 && sizes[0] > 10);
    mem_free(room);
    dataset_release(d);
}

/* By hand: itemknn on the tiny world, user 0 had a b c. e .91 (b .41, c .50), d .82 (a .41, b .41), h .41 (a). */
static void test_by_hand(void **state)
{
    (void)state;
    struct dataset *d = world_tiny();
    struct model *m = world_train(d, &model_itemknn, (const char *[]){"weighting=none", "shrink=0", NULL});
    struct query_event room[8];
    struct query q = world_query(d, 0, room);
    struct minimal x;
    struct str text = {0};
    assert_int_equal(minimal_make(m, &q, 4, SEEN_HIDE, 1, 0, NULL, &x, NULL), ST_OK);
    minimal_sentence(&x, d, &text);
    assert_string_equal(str_text(&text), "Without c it would be 2nd, out of the first 1. Nothing less does it.");
    minimal_clear(&x);
    str_clear(&text);
    assert_int_equal(minimal_make(m, &q, 6, SEEN_HIDE, 2, 0, NULL, &x, NULL), ST_OK);
    assert_true(x.needless);
    minimal_sentence(&x, d, &text);
    assert_string_equal(str_text(&text), "It is 5th, not among the first 2: nothing has to go.");
    minimal_clear(&x);
    str_clear(&text);
    assert_int_equal(minimal_make(m, &q, 4, SEEN_HIDE, 5, 0, NULL, &x, NULL), ST_OK);
    minimal_sentence(&x, d, &text);
    assert_string_equal(str_text(&text), "Whatever is taken out of the history, it stays among the first 5 (proved).");
    minimal_clear(&x);
    str_free(&text);
    model_release(m);
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_hand), cmocka_unit_test(test_brute_force)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
