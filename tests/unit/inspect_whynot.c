/* Why not, against asking the model about every change there is. */
#include "tests/unit/every_model.h"

#include "inspect/whynot.h"
#include "models/classes.h"
#include "tests/unit/memory.h"

enum { ITEMS = 12, MOST_ADDED = 3, K = 3 };

/* One question, and the answer by force. */
struct force {
    const struct model *m;
    struct query q;
    uint32_t item;
    bool shown;
    struct query_event made_up;
    struct query_event room[64];
    float scores[64];
};

static bool in_history(const struct query *q, uint32_t item)
{
    for (size_t e = 0; e < q->n; e++)
        if (q->events[e].item == item)
            return true;
    return false;
}

/* The place of the item for a changed history: rivals are what neither the history as it was nor the change hides. */
static size_t place(struct force *f, const struct query *changed)
{
    size_t rank = 1;
    assert_int_equal(model_score(f->m, changed, 1, f->scores, NULL), ST_OK);
    for (uint32_t i = 0; i < f->m->nitems; i++) {
        if (i == f->item || (!f->shown && (in_history(&f->q, i) || in_history(changed, i))))
            continue;
        rank += f->scores[i] > f->scores[f->item] || (f->scores[i] == f->scores[f->item] && i < f->item);
    }
    return f->scores[f->item] > -INFINITY ? rank : 0;
}

/* The place with the items of `bits` taken out, or put in. */
static size_t place_with(struct force *f, enum bring_by by, uint32_t bits)
{
    struct query changed = f->q;
    changed.events = f->room;
    changed.n = 0;
    for (size_t e = 0; e < f->q.n; e++)
        if (by == BY_ADDING || !(bits >> f->q.events[e].item & 1))
            f->room[changed.n++] = f->q.events[e];
    for (uint32_t i = 0; i < f->m->nitems && by == BY_ADDING; i++) {
        if (bits >> i & 1) {
            f->room[changed.n] = f->made_up;
            f->room[changed.n++].item = i;
        }
    }
    return place(f, &changed);
}

/* Size of the smallest change, 0 when there is none. */
static size_t by_force(struct force *f, enum bring_by by, size_t most)
{
    uint32_t may = 0;
    size_t best = 0;
    for (uint32_t i = 0; i < f->m->nitems; i++)
        if (by == BY_REMOVING ? in_history(&f->q, i) : i != f->item && !in_history(&f->q, i))
            may |= 1U << i;
    for (uint32_t bits = may; bits; bits = (bits - 1) & may) {
        size_t n = (size_t)__builtin_popcount(bits), rank;
        if (n > most || (best && n >= best))
            continue;
        rank = place_with(f, by, bits);
        if (rank && rank <= K)
            best = n;
    }
    return best;
}

static void check_change(struct force *f, enum bring_by by, size_t *found, size_t *larger)
{
    struct bring b = {.m = f->m, .q = &f->q, .item = f->item, .k = K, .shown = f->shown, .made_up = f->made_up,
                      .most = by == BY_ADDING ? MOST_ADDED : 0};
    struct brought x;
    struct error err;
    if (bring_in(&b, by, &x, &err))
        fail_msg("%s: %s", f->m->name, err.message);
    size_t best = by_force(f, by, by == BY_ADDING ? MOST_ADDED : 32);
    if (x.n != best)
        fail_msg("%s, item %u, %s: %zu found, %zu by force (additive %d)", f->m->name, f->item, by == BY_ADDING ? "adding" : "removing", x.n, best,
                 x.additive);
    assert_int_equal(x.found, best > 0);
    assert_int_equal(x.none, best == 0);
    assert_int_equal(x.additive, bring_additive(f->m, &f->q));
    if (x.found) {
        uint32_t bits = 0;
        for (size_t i = 0; i < x.n; i++)
            bits |= 1U << x.items[i];
        assert_int_equal(__builtin_popcount(bits), x.n);
        assert_int_equal(place_with(f, by, bits), x.rank);
        assert_true(x.rank && x.rank <= K && brought_smallest(&x));
    }
    *found += x.found;
    *larger += x.n > 1;
    brought_clear(&x);
}

/* A model that goes by the order of a history: its last event moves items a little. */
static enum status last_score(const struct model *m, const struct query *queries, size_t n, float *scores, struct error *err)
{
    (void)err;
    for (size_t q = 0; q < n; q++)
        for (uint32_t i = 0; i < m->nitems; i++) {
            const uint32_t pair[] = {i, queries[q].n ? queries[q].events[queries[q].n - 1].item : NO_ITEM};
            scores[q * m->nitems + i] = (float)(i * 5 % 12 + hash_bytes(pair, sizeof pair, *(const uint64_t *)m->state) % 4);
        }
    return ST_OK;
}

static void last_free(struct model *m)
{
    m->state = NULL;
}

static const struct model_class last_class = {.name = "last", .score = last_score, .free = last_free};

/* Several users, every item that is not in; returns how many cases. */
static size_t check_model(const struct model *m, const struct dataset *d, size_t *found, size_t *larger)
{
    struct force f = {.m = m};
    struct history h = {.as_of = NO_TIME};
    struct query_event room[64];
    size_t cases = 0;
    assert_int_equal(history_add(&h, d, 0, NULL), ST_OK);
    f.made_up = h.events[0];
    for (uint32_t u = 0; u < 2; u++) {
        f.q = world_query(d, u + 4, room);
        f.shown = u == 1;
        for (f.item = 0; f.item < ITEMS; f.item++) {
            size_t rank = place(&f, &f.q);
            if (!rank || rank <= K || (!f.shown && in_history(&f.q, f.item)))
                continue;
            check_change(&f, BY_REMOVING, found, larger);
            check_change(&f, BY_ADDING, found, larger);
            cases += 2;
        }
    }
    history_clear(&h);
    return cases;
}

/* Every class. */
static void test_smallest(void **state)
{
    (void)state;
    struct dataset *d = every_world(30, ITEMS, 190, ODD_NOT);
    size_t cases = 0, found = 0, larger = 0, additive = 0;
    for (const struct model_class *const *c = model_classes; *c; c++) {
        struct model *m = every_model(*c, d);
        size_t n = check_model(m, d, &found, &larger);
        cases += n;
        additive += (*c)->capabilities & ADDS_UP ? n : 0;
        model_release(m);
    }
    printf("%zu cases (%zu additive), %zu found, %zu of them larger than one\n", cases, additive, found, larger);
    assert_true(cases >= 800 && additive >= 300 && found >= 300 && larger >= 100);
    dataset_release(d);
}

/* Items are added in the order in which they are told, where that matters. */
static void test_order(void **state)
{
    (void)state;
    struct dataset *d = every_world(30, ITEMS, 190, ODD_NOT);
    struct model *m = model_new(&last_class, "last", NULL, d->users.n, d->items.n, NULL);
    size_t cases = 0, found = 0, larger = 0;
    uint64_t salt;
    assert_non_null(m);
    m->state = &salt;
    for (salt = 0; salt < 20; salt++)
        cases += check_model(m, d, &found, &larger);
    printf("%zu cases, %zu found, %zu of them larger than one\n", cases, found, larger);
    assert_true(cases >= 400 && found >= 100 && larger >= 40);
    model_release(m);
    dataset_release(d);
}

/* Every claim about the place is checked by making the list. */
static void check_facts(const struct dataset *d, const struct model *m, uint32_t user, uint32_t item, enum seen seen, size_t *ties)
{
    struct query_event room[64];
    struct whynot_asked a = {.data = d, .k = K, .seen = seen, .seconds = -1};
    struct force f = {.m = m, .q = world_query(d, user, room), .item = item};
    struct whynot w;
    struct ranked_list l;
    assert_int_equal(whynot_make(m, &f.q, item, &a, &w, NULL), ST_OK);
    assert_int_equal(w.seen, in_history(&f.q, item));
    f.shown = seen == SEEN_SHOW || w.seen;
    assert_int_equal(w.shown, f.shown);
    size_t rank = place(&f, &f.q);
    assert_int_equal(w.rank, rank);
    assert_false(w.searched);
    assert_int_equal(rank_list(m, &f.q, m->nitems, f.shown ? SEEN_SHOW : SEEN_HIDE, &l, NULL), ST_OK);
    assert_int_equal(w.ranked, l.n);
    size_t above = rank ? rank - 1 : 0, events = 0;
    assert_int_equal(w.nabove, above < K ? above : K);
    for (size_t i = 0; i < w.nabove; i++)
        assert_true(w.above[i].item == l.entries[i].item && w.above[i].score == l.entries[i].score);
    if (rank) {
        assert_true(w.score == l.entries[rank - 1].score);
        assert_true(w.kth == l.entries[rank <= K ? K : K - 1].score);
        assert_int_equal(whynot_tied(&w), l.entries[rank - 1].score == l.entries[rank <= K ? K : K - 1].score);
        *ties += whynot_tied(&w);
    }
    for (size_t e = 0; e < d->events.n; e++)
        events += d->events.item[e] == item;
    assert_true(w.learnt_known && w.events == events && w.learnt == events);
    assert_int_equal(w.knows, events ? rank ? KNOWS : GIVES_NO_SCORE : KNOWS_NO_EVENT);
    for (size_t i = 0; i < w.npulls; i++) {
        assert_int_equal(place_with(&f, BY_REMOVING, 1U << w.pulls[i].item), w.pulls[i].rank_without);
        assert_true(w.pulls[i].gap_without < (double)w.kth - (double)w.score);
        assert_true(i == 0 || w.pulls[i - 1].gap_without <= w.pulls[i].gap_without);
    }
    ranked_list_clear(&l);
    whynot_clear(&w);
}

static void test_facts(void **state)
{
    (void)state;
    size_t ties = 0;
    struct dataset *d = every_world(30, ITEMS, 190, ODD_NOT);
    for (const struct model_class *const *c = model_classes; *c; c++) {
        struct model *m = every_model(*c, d);
        for (uint32_t item = 0; item < d->items.n; item++)
            check_facts(d, m, item % 5, item, item % 2 ? SEEN_SHOW : SEEN_HIDE, &ties);
        model_release(m);
    }
    assert_true(ties > 0);
    dataset_release(d);
}

/* What came after training has no place, and nothing is searched for. */
static void test_later(void **state)
{
    (void)state;
    struct dataset *d = world_tiny();
    struct model *m = world_train(d, &model_itemknn, NULL), *wide = model_widen(m, d->users.n, d->items.n + 1, NULL);
    struct query_event room[8];
    struct query q = world_query(d, 0, room);
    struct whynot_asked a = {.data = d, .k = 1, .seen = SEEN_HIDE, .seconds = 0};
    struct whynot w;
    assert_int_equal(whynot_make(wide, &q, (uint32_t)d->items.n, &a, &w, NULL), ST_OK);
    assert_true(w.knows == CAME_LATER && w.rank == 0 && !w.searched && !w.nabove);
    whynot_clear(&w);
    model_release(wide);
    model_release(m);
    dataset_release(d);
}

/* Lots are drawn whatever the history: nothing is looked for in it, and what can be said is proved at once. For nobody every history
 * draws anew, so there is nothing to look for. */
static void test_ignores(void **state)
{
    (void)state;
    struct dataset *d = every_world(30, 400, 900, ODD_NOT);
    struct model *m = every_model(&model_random, d);
    struct query_event room[128];
    struct query q = world_query(d, 3, room);
    for (uint32_t item = 0; item < 40; item++) {
        struct whynot_asked a = {.data = d, .k = 5, .seen = SEEN_HIDE, .seconds = 0};
        struct whynot w;
        q.user = item % 2 ? NO_USER : 3;
        assert_int_equal(whynot_make(m, &q, item, &a, &w, NULL), ST_OK);
        assert_true(w.ignores && w.npulls == 0);
        assert_int_equal(w.searched, w.rank > 5 && q.user != NO_USER);
        if (w.searched) {
            assert_true(w.removing.none && w.removing.additive && !w.removing.late && !w.adding.late);
            /* What is added leaves the list: so many must go as stand between it and the first 5. */
            assert_true(w.rank - 5 > 8 ? w.adding.none : brought_smallest(&w.adding) && w.adding.n == w.rank - 5);
        }
        whynot_clear(&w);
    }
    model_release(m);
    dataset_release(d);
}

/* By popularity the order is a b, c d e f h, g; a to d are of one category. */
static void test_category(void **state)
{
    (void)state;
    struct dataset *d = world_tiny();
    struct field *f;
    assert_int_equal(fields_add(&d->item_fields, "category", FIELD_TEXT, &f, NULL), ST_OK);
    for (uint32_t i = 0; i < d->items.n; i++)
        assert_int_equal(field_push_text(f, dict_text(&d->items, i)[0] <= 'd' ? "early" : "late", dict_text(&d->items, i)[0] <= 'd' ? 5 : 4, NULL), ST_OK);
    struct model *m = world_train(d, &model_pop, NULL);
    struct query_event room[8];
    struct query q = world_query(d, 0, room);
    static const struct {
        char id;
        size_t rank, early;
    } expected[] = {{'c', 3, 0}, {'d', 4, 3}, {'e', 5, 4}, {'g', 8, 4}};
    for (size_t i = 0; i < 4; i++) {
        struct whynot_asked a = {.data = d, .k = 2, .seen = SEEN_SHOW, .seconds = -1};
        struct whynot w;
        uint32_t item;
        assert_int_equal(dataset_find_item(d, (char[]){expected[i].id, 0}, &item, NULL), ST_OK);
        assert_int_equal(whynot_make(m, &q, item, &a, &w, NULL), ST_OK);
        assert_int_equal(w.rank, expected[i].rank);
        assert_int_equal(w.of_category, expected[i].early);
        assert_true(expected[i].early ? strcmp(w.category, "early") == 0 : !w.category);
        whynot_clear(&w);
    }
    model_release(m);
    dataset_release(d);
}

/* Without memory, and cancelled: an error, no leak. */
static void test_failures(void **state)
{
    (void)state;
    struct dataset *d = world_tiny();
    const struct model_class *const classes[] = {&model_itemknn, &model_userknn};
    for (size_t c = 0; c < 2; c++) {
        struct model *m = world_train(d, classes[c], NULL);
        struct query_event room[8];
        struct query q = world_query(d, 0, room);
        struct whynot_asked a = {.data = d, .k = 1, .seen = SEEN_HIDE, .seconds = 0};
        struct whynot w;
        struct error err = {0};
        enum status st = ST_NOMEM;
        for (size_t fail = 0; st && fail < 2000; fail++) {
            atomic_long left = (long)fail;
            mem_set_hook(fail_one, &left);
            st = whynot_make(m, &q, 6, &a, &w, &err);
            mem_set_hook(NULL, NULL);
            assert_true(st == ST_OK || st == ST_NOMEM);
            whynot_clear(&w);
        }
        assert_int_equal(st, ST_OK);
        struct job job;
        job_init(&job);
        job_cancel(&job);
        a.job = &job;
        assert_int_equal(whynot_make(m, &q, 6, &a, &w, &err), ST_CANCELLED);
        whynot_clear(&w);
        job_destroy(&job);
        model_release(m);
    }
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_later),
        cmocka_unit_test(test_ignores),
        cmocka_unit_test(test_category),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_smallest),
        cmocka_unit_test(test_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
