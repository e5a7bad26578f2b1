/* Profile, why, what-if and find, against what can be said by hand or by asking the model anew. */
#include "tests/unit/every_model.h"

#include "inspect/find.h"
#include "inspect/profile.h"
#include "inspect/whatif.h"
#include "inspect/why.h"
#include "models/classes.h"

static void test_profile(void **state)
{
    (void)state;
    struct dataset *d = world_empty(8);
    world_event(d, "a", "i0", "click", 10);
    world_event(d, "a", "i4", "click", 30);
    world_event(d, "a", "i1", "buy", 20);
    world_event(d, "b", "i1", "click", 5);
    world_describe(d);
    assert_int_equal(dataset_finish(d, NULL), ST_OK);
    d->type_weight[1] = 2;
    struct query_event room[4];
    struct query q = world_query(d, 0, room);
    struct profile p;
    assert_int_equal(profile_make(d, &q, &p, NULL), ST_OK);
    assert_int_equal(p.events, 3);
    assert_true(p.weight == 4 && p.oldest == 10 * US_PER_SECOND && p.newest == 30 * US_PER_SECOND);
    assert_int_equal(p.ntastes, 2);
    assert_string_equal(p.tastes[0].category, "group 0"); /* 2 of 4; by name at a tie */
    assert_int_equal(p.tastes[0].items, 2);
    assert_true(p.tastes[0].share == .5 && p.tastes[1].share == .5);
    assert_true(fabs(p.tastes[0].usual - .4) < 1e-12 && fabs(p.tastes[1].usual - .6) < 1e-12);
    profile_clear(&p);
    q.n = 0;
    assert_int_equal(profile_make(d, &q, &p, NULL), ST_OK);
    assert_int_equal(p.ntastes, 0);
    profile_clear(&p);
    dataset_release(d);
}

/* Every claim of `why` is checked by asking the model again. */
static void check_why(const struct dataset *d, const struct model *m, uint32_t user, uint32_t item, bool seen)
{
    struct query_event *room = mem_new(d->events.n, sizeof *room, "", NULL), *less = mem_new(d->events.n, sizeof *less, "", NULL);
    struct query q = world_query(d, user, room);
    float *scores = mem_new(m->nitems, sizeof *scores, "", NULL);
    struct why w;
    assert_int_equal(why_make(m, &q, item, SEEN_HIDE, 4, &w, NULL), ST_OK);
    assert_int_equal(w.seen, seen);
    enum seen mask = seen ? SEEN_SHOW : SEEN_HIDE;
    assert_int_equal(rank_scores(m, &q, mask, scores, NULL), ST_OK);
    assert_true(w.score == scores[item]);
    assert_int_equal(w.rank, rank_of(scores, m->nitems, item));
    struct ranked_list l;
    assert_int_equal(rank_list(m, &q, m->nitems, mask, &l, NULL), ST_OK);
    assert_int_equal(w.ranked, l.n);
    assert_int_equal(w.above, w.rank > 1 ? l.entries[w.rank - 2].item : NO_ITEM);
    assert_int_equal(w.below, w.rank < l.n ? l.entries[w.rank].item : NO_ITEM);
    for (size_t p = 0; p < w.nparts; p++) {
        if (!w.parts[p].tried)
            continue;
        struct query fewer = q;
        fewer.events = less;
        fewer.n = 0;
        for (size_t i = 0; i < q.n; i++)
            if (room[i].item != w.parts[p].what.item)
                less[fewer.n++] = room[i];
        assert_int_equal(model_score(m, &fewer, 1, scores, NULL), ST_OK);
        size_t rank = 1; /* rivals: what may be listed with the whole history */
        for (size_t i = 0; i < l.n; i++) {
            uint32_t rival = l.entries[i].item;
            rank += scores[rival] > scores[item] || (scores[rival] == scores[item] && rival < item);
        }
        assert_int_equal(w.parts[p].rank_without, rank);
    }
    ranked_list_clear(&l);
    why_clear(&w);
    mem_free(room);
    mem_free(less);
    mem_free(scores);
}

static void test_why(void **state)
{
    (void)state;
    struct dataset *d = every_world(60, 50, 900, ODD_NOT);
    struct selection s = world_all(d);
    for (const struct model_class *const *c = model_classes; *c; c++) {
        struct model *m = every_model(*c, d);
        for (uint32_t u = 0; u < 5; u++) {
            struct history h;
            assert_int_equal(history_of_user(&s, u, &h, NULL), ST_OK);
            int64_t at;
            uint32_t times;
            struct query q = history_query(&h);
            for (uint32_t i = 0; i < d->items.n; i += 9)
                check_why(d, m, u, i, rank_seen(&q, i, &at, &times));
            history_clear(&h);
        }
        model_release(m);
    }
    dataset_release(d);
}

static void says(const struct why *w, const struct dataset *d, const char *sentence)
{
    struct str text = {0};
    why_sentence(w, d, &text);
    assert_string_equal(str_text(&text), sentence);
    str_free(&text);
}

/* What is said fits the place: nothing far down is recommended, nothing without a place has an ordinal, and what the item is to
 * everybody comes first where it weighs most. */
static void test_fitting(void **state)
{
    (void)state;
    struct dataset *d = world_tiny();
    struct why_part history = {.what = {.item = 2, .value = .2}, .tried = true, .rank_without = 60}, count = {.what = {NO_ITEM, 7, "7 click events"}};
    struct why w = {.item = 4, .rank = 48, .ranked = 90, .seen_at = NO_TIME, .parts = &history, .nparts = 1};
    says(&w, d, "It is 48th. What speaks for it most: c. Without c it would be 60th.");
    w.own = .5;
    w.own_is = "everybody rates it highly";
    says(&w, d, "It is 48th. What speaks for it most is that everybody rates it highly; of the history c. Without c it would be 60th.");
    w.rank = 2;
    says(&w, d, "Recommended mostly because everybody rates it highly; of the history c speaks for it most. Without c it would be 60th.");
    w.own = -.5;
    says(&w, d, "Recommended mostly because of c. Without c it would be 60th.");
    w.seen = true;
    says(&w, d, "In the history already; among all items it would be 2nd, mostly because of c. Without c it would be 60th.");
    w = (struct why){.rank = 1203, .ranked = 2000, .seen_at = NO_TIME, .parts = &count, .nparts = 1};
    says(&w, d, "It is 1,203rd, by how popular it is: 7 click events.");
    w.rank = 3;
    says(&w, d, "Recommended because it is popular: 7 click events.");
    w.rank = 0;
    w.nparts = 0;
    says(&w, d, "It has no place: nothing in the history speaks for it.");
    w.seen = true;
    says(&w, d, "In the history already: nothing in the history speaks for it.");
    w = (struct why){.rank = 3, .ranked = 9, .tied = 8, .blank = true, .seen_at = NO_TIME};
    says(&w, d, "It is 3rd: there is no history to go by. 8 others have the same score: the data's order decides.");
    dataset_release(d);
}

static void test_sentence(void **state)
{
    (void)state;
    struct dataset *d = world_tiny();
    struct model *m = world_train(d, &model_itemknn, (const char *[]){"weighting=none", "shrink=0", NULL});
    struct query_event room[8];
    struct query q = world_query(d, 0, room); /* a b c */
    struct why w;
    struct str text = {0};
    assert_int_equal(why_make(m, &q, 4, SEEN_HIDE, 3, &w, NULL), ST_OK); /* e: b .41, c .50; without c: d .82, e .41, h .41 */
    why_sentence(&w, d, &text);
    assert_string_equal(str_text(&text), "Recommended mostly because of c. Without c it would be 2nd.");
    why_clear(&w);
    str_clear(&text);
    assert_int_equal(why_make(m, &q, 6, SEEN_HIDE, 3, &w, NULL), ST_OK);
    why_sentence(&w, d, &text);
    assert_string_equal(str_text(&text), "It is 5th: nothing in the history speaks for it. 1 other has the same score: the data's order decides.");
    why_clear(&w);
    str_clear(&text);
    assert_int_equal(why_make(m, &q, 0, SEEN_HIDE, 3, &w, NULL), ST_OK);
    why_sentence(&w, d, &text);
    assert_memory_equal(str_text(&text), "In the history already (2023-11-14", 34);
    why_clear(&w);
    str_clear(&text);
    size_t n[] = {1, 2, 3, 4, 11, 12, 13, 21, 112, 1203};
    for (size_t i = 0; i < sizeof n / sizeof *n; i++) {
        put_ordinal(&text, n[i]);
        str_putc(&text, ' ');
    }
    assert_string_equal(str_text(&text), "1st 2nd 3rd 4th 11th 12th 13th 21st 112th 1,203rd ");
    str_free(&text);
    model_release(m);
    dataset_release(d);
}

static void test_whatif(void **state)
{
    (void)state;
    struct dataset *d = world_tiny();
    struct selection s = world_all(d);
    struct model *m = world_train(d, &model_itemknn, (const char *[]){"weighting=none", "shrink=0", NULL});
    struct history h, other;
    assert_int_equal(history_of_user(&s, 0, &h, NULL), ST_OK);
    assert_int_equal(history_of_user(&s, 0, &other, NULL), ST_OK);
    assert_int_equal(history_remove(&other, 0), 1);
    struct query before = history_query(&h), after = history_query(&other);
    struct whatif w;
    assert_int_equal(whatif_make(m, &before, &after, 2, SEEN_HIDE, &w, NULL), ST_OK);
    struct ranked_list l;
    assert_int_equal(rank_list(m, &after, 2, SEEN_HIDE, &l, NULL), ST_OK);
    assert_int_equal(w.listed, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(w.moves[i].item, l.entries[i].item);
        assert_int_equal(w.moves[i].after, i + 1);
        assert_true(w.moves[i].score_after == l.entries[i].score);
    }
    assert_int_equal(w.moves[0].item, 0); /* a is no longer seen, and b speaks for it */
    assert_int_equal(w.moves[0].before, 0);
    for (size_t i = w.listed; i < w.n; i++)
        assert_true(w.moves[i].before >= 1 && w.moves[i].before <= 2 && w.moves[i].after > 2);
    whatif_clear(&w);
    ranked_list_clear(&l);
    history_clear(&h);
    history_clear(&other);
    model_release(m);
    dataset_release(d);
}

static void test_find(void **state)
{
    (void)state;
    struct dataset *d = world_new(30, 40, 800, 9);
    struct found_list l;
    const char *words[] = {"ITEM 3", "group 1"};
    assert_int_equal(find_items(d, NO_TIME, words, 2, 2, &l, NULL), ST_OK);
    assert_true(l.n == 2 && l.all >= 2);
    assert_true(l.items[0].events >= l.items[1].events);
    for (size_t i = 0; i < l.n; i++) {
        assert_non_null(text_find(dataset_item_title(d, l.items[i].item), "item 3"));
        assert_string_equal(l.items[i].field, "category");
        assert_int_equal(atoi(dict_text(&d->items, l.items[i].item) + 1) % WORLD_GROUPS, 1);
    }
    found_list_clear(&l);
    words[0] = "no such thing";
    assert_int_equal(find_items(d, NO_TIME, words, 1, 5, &l, NULL), ST_OK);
    assert_int_equal(l.all, 0);
    found_list_clear(&l);
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_profile), cmocka_unit_test(test_why),  cmocka_unit_test(test_sentence), cmocka_unit_test(test_fitting),
        cmocka_unit_test(test_whatif),  cmocka_unit_test(test_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
