/* Groups of items: why many of them are in a list, and who gets them, against explanations and lists made one by one. */
#include "tests/unit/every_model.h"

#include "features/condition.h"
#include "inspect/group.h"
#include "inspect/who.h"
#include "models/classes.h"

enum { DEPTH = 8 };

/* ---- which items ---- */

static void test_conditions(void **state)
{
    (void)state;
    struct dataset *d = every_world(20, 30, 300, ODD_NOT);
    uint8_t *chosen;
    size_t n, counted = 0;
    assert_int_equal(condition_items("category = 'group 1' and price >= 10", d, NO_TIME, &chosen, &n, NULL), ST_OK);
    const struct field *price = fields_find(&d->item_fields, "price");
    for (uint32_t i = 0; i < d->items.n; i++) {
        bool holds = atoi(dict_text(&d->items, i) + 1) % WORLD_GROUPS == 1 && price->real[i] >= 10;
        assert_int_equal(chosen[i], holds);
        counted += holds;
    }
    assert_true(n == counted && n > 0);
    mem_free(chosen);
    assert_int_equal(condition_items("item in ('i3', 'i7') or genres = 'noir'", d, NO_TIME, &chosen, &n, NULL), ST_OK);
    uint32_t three = dict_find(&d->items, "i3", 2);
    assert_true(chosen[three] && n > 2);
    mem_free(chosen);
    uint32_t *events = mem_new(d->items.n, sizeof *events, "", NULL);
    for (size_t e = 0; e < d->events.n; e++)
        events[d->events.item[e]]++;
    assert_int_equal(condition_items("events_per_item > 12", d, NO_TIME, &chosen, &n, NULL), ST_OK);
    for (uint32_t i = 0; i < d->items.n; i++)
        assert_int_equal(chosen[i], events[i] > 12);
    mem_free(chosen);
    mem_free(events);
    static const char *const of_no_item[] = {"type = 'buy'", "time > 0", "user = 'u1'", "country = 'NO'", "session = 'x'", "value > 3", "events_per_user > 2"};
    for (size_t i = 0; i < sizeof of_no_item / sizeof *of_no_item; i++) {
        struct error err = {0};
        assert_int_equal(condition_items(of_no_item[i], d, NO_TIME, &chosen, &n, &err), ST_USAGE);
        assert_non_null(strstr(err.message, "items have no column"));
    }
    dataset_release(d);
}

/* ---- why many ---- */

static double largest_of(const struct why_group *g)
{
    double size = fabs(g->base);
    for (size_t p = 0; p < g->nparts; p++)
        size += fabs(g->parts[p].what.value);
    return size;
}

static void check_group(const struct dataset *d, const struct model *m, uint32_t user, const uint8_t *chosen)
{
    struct query_event *room = mem_new(d->events.n, sizeof *room, "", NULL);
    struct query q = world_query(d, user, room);
    struct why_group g;
    struct ranked_list l;
    assert_int_equal(why_group_make(d, m, &q, chosen, DEPTH, SEEN_HIDE, &g, NULL), ST_OK);
    assert_int_equal(rank_list(m, &q, m->nitems, SEEN_HIDE, &l, NULL), ST_OK);
    assert_int_equal(g.listed, l.n < DEPTH ? l.n : DEPTH);
    size_t found = 0, next = 0;
    double score = 0, base = 0, *sum = mem_new(m->nitems, sizeof *sum, "", NULL);
    for (size_t r = 0; r < l.n; r++) {
        if (!chosen[l.entries[r].item])
            continue;
        if (r >= DEPTH) {
            next = next ? next : r + 1;
            continue;
        }
        struct explanation x;
        assert_true(found < g.nfound && g.found[found].item == l.entries[r].item && g.found[found].rank == r + 1);
        found++;
        assert_int_equal(model_explain(m, &q, l.entries[r].item, &x, NULL), ST_OK);
        score += x.score;
        base += x.base;
        for (size_t p = 0; p < x.nparts; p++)
            *(x.parts[p].item == NO_ITEM ? &base : &sum[x.parts[p].item]) += x.parts[p].value;
        explanation_clear(&x);
    }
    assert_int_equal(found, g.nfound);
    assert_int_equal(g.next.item == NO_ITEM ? 0 : g.next.rank, next);
    double size = largest_of(&g) + 1e-30, all = g.base, categories = 0, of_history = 0;
    assert_true(fabs(g.score - score) <= 1e-9 * (fabs(score) + 1) && fabs(g.base - base) <= 1e-9 * size);
    for (size_t p = 0; p < g.nparts; p++) {
        assert_true(fabs(g.parts[p].what.value - sum[g.parts[p].what.item]) <= 1e-9 * size);
        assert_true(p == 0 || fabs(g.parts[p].what.value) <= fabs(g.parts[p - 1].what.value));
        all += g.parts[p].what.value;
        of_history += g.parts[p].what.value;
    }
    for (size_t p = 0; p < g.npulls; p++)
        categories += g.pulls[p].value;
    assert_true(fabs(all - g.score) <= 1e-5 * size);
    assert_true(fabs(categories - of_history) <= 1e-9 * size); /* every item of the world has a category */
    mem_free(sum);
    mem_free(room);
    ranked_list_clear(&l);
    why_group_clear(&g);
}

static void test_groups(void **state)
{
    (void)state;
    struct dataset *d = every_world(40, 50, 700, ODD_NOT);
    uint8_t *chosen;
    size_t n;
    assert_int_equal(condition_items("category = 'group 2'", d, NO_TIME, &chosen, &n, NULL), ST_OK);
    for (const struct model_class *const *c = model_classes; *c; c++) {
        struct model *m = every_model(*c, d);
        for (uint32_t u = 0; u < 6; u++)
            check_group(d, m, u, chosen);
        model_release(m);
    }
    mem_free(chosen);
    dataset_release(d);
}

/* By hand: user 0 of the tiny world had a b c (type click, weight 1 each). */
static void test_shares(void **state)
{
    (void)state;
    struct dataset *d = world_tiny();
    struct model *m = world_train(d, &model_itemknn, (const char *[]){"weighting=none", "shrink=0", NULL});
    struct query_event room[8];
    struct query q = world_query(d, 0, room);
    uint8_t chosen[8] = {[2] = 1, [3] = 1, [4] = 1}; /* c d e */
    struct selection all = world_all(d);
    struct why_group g;
    struct str text = {0};
    assert_int_equal(why_group_make(d, m, &q, chosen, 3, SEEN_HIDE, &g, NULL), ST_OK);
    assert_int_equal(g.items, 3);
    assert_int_equal(g.nfound, 2); /* e: b .41, c .50; d: a .41, b .41 */
    assert_int_equal(g.history_items, 1);
    assert_true(fabs(g.of_history - 1. / 3) < 1e-12 && fabs(g.of_everybody - 6. / 17) < 1e-12);
    why_group_sentence(&g, d, "blue", &text);
    assert_string_equal(str_text(&text), "2 of 3 items are blue, mostly because of b (2023-11-14) and c.");
    assert_int_equal(why_group_lists(&g, m, &all, chosen, 100, SEEN_HIDE, NULL, NULL), ST_OK);
    assert_int_equal(g.lists, 6);
    size_t entries = 0, of_group = 0;
    for (uint32_t u = 0; u < 6; u++) {
        struct ranked_list l;
        struct query other = world_query(d, u, room);
        assert_int_equal(rank_list(m, &other, 3, SEEN_HIDE, &l, NULL), ST_OK);
        entries += l.n;
        for (size_t r = 0; r < l.n; r++)
            of_group += chosen[l.entries[r].item];
        ranked_list_clear(&l);
    }
    assert_true(fabs(g.of_lists - (double)of_group / (double)entries) < 1e-12);
    why_group_clear(&g);
    str_clear(&text);
    memset(chosen, 0, sizeof chosen);
    chosen[6] = 1; /* g */
    q = world_query(d, 0, room);
    assert_int_equal(why_group_make(d, m, &q, chosen, 2, SEEN_HIDE, &g, NULL), ST_OK);
    why_group_sentence(&g, d, "blue", &text);
    assert_string_equal(str_text(&text), "None of the 2 is blue; the first one is 5th: g.");
    why_group_clear(&g);
    str_free(&text);
    model_release(m);
    dataset_release(d);
}

/* ---- who ---- */

static void check_who(const struct dataset *d, const struct model *m, const uint8_t *chosen, enum seen seen)
{
    struct selection all = world_all(d);
    struct who w;
    size_t got = 0, had = 0, asked = 0;
    assert_int_equal(who_make(m, &all, chosen, DEPTH, seen, NULL, &w, NULL), ST_OK);
    struct query_event *room = mem_new(d->events.n, sizeof *room, "", NULL);
    for (uint32_t u = 0; u < d->users.n; u++) {
        struct query q = world_query(d, u, room);
        struct ranked_list l;
        bool has = false;
        for (size_t e = 0; e < q.n; e++)
            has |= chosen[room[e].item];
        asked += q.n > 0;
        had += has;
        if (!q.n)
            continue;
        assert_int_equal(rank_list(m, &q, DEPTH, seen, &l, NULL), ST_OK);
        const struct who_user *found = NULL;
        for (size_t i = 0; i < w.n; i++)
            found = w.users[i].user == u ? &w.users[i] : found;
        size_t count = 0, first = 0;
        for (size_t r = l.n; r-- > 0;) {
            count += chosen[l.entries[r].item];
            first = chosen[l.entries[r].item] ? r + 1 : first;
        }
        assert_int_equal(found != NULL, count > 0);
        if (found)
            assert_true(found->count == count && found->rank == first && found->item == l.entries[first - 1].item &&
                        found->score == l.entries[first - 1].score);
        got += count > 0;
        ranked_list_clear(&l);
    }
    assert_true(w.n == got && w.asked == asked && w.had == had);
    for (size_t i = 1; i < w.n; i++)
        assert_true(w.users[i].rank >= w.users[i - 1].rank);
    mem_free(room);
    who_clear(&w);
}

static void test_who(void **state)
{
    (void)state;
    struct dataset *d = every_world(60, 50, 900, ODD_NOT);
    uint8_t *chosen;
    size_t n;
    assert_int_equal(condition_items("category = 'group 2' and price > 8", d, NO_TIME, &chosen, &n, NULL), ST_OK);
    for (const struct model_class *const *c = model_classes; *c; c++) {
        struct model *m = every_model(*c, d);
        check_who(d, m, chosen, SEEN_HIDE);
        check_who(d, m, chosen, SEEN_SHOW);
        model_release(m);
    }
    mem_free(chosen);
    dataset_release(d);
}

/* Each segment has the users it says, and its share of those who get it is counted by hand. */
static void check_cut(const struct dataset *d, const struct model *m, const uint8_t *chosen, const char *by, size_t least)
{
    struct selection all = world_all(d);
    struct cohorts c;
    struct who w;
    uint32_t users[64];
    size_t got[64], n = 0, members = 0, sum = 0;
    uint32_t *lengths = mem_new(d->users.n, sizeof *lengths, "", NULL);
    history_lengths(&all, lengths);
    for (uint32_t u = 0; u < d->users.n; u++)
        if (lengths[u])
            users[n++] = u;
    assert_int_equal(cohorts_of_users(&all, users, n, by, &c, NULL), ST_OK);
    assert_int_equal(who_make(m, &all, chosen, DEPTH, SEEN_HIDE, NULL, &w, NULL), ST_OK);
    assert_int_equal(who_segments(&w, d, &c, users, got, NULL), ST_OK);
    assert_true(c.n >= least && w.asked == n);
    for (size_t g = 0; g < c.n; g++) {
        size_t mine = 0;
        members += c.list[g].n;
        sum += got[g];
        for (size_t i = 0; i < c.list[g].n; i++) {
            uint32_t u = users[c.list[g].users[i]];
            int low = 0, high = 1 << 30, age = (int)fields_find(&d->user_fields, "age")->integer[u];
            int numbers = sscanf(c.list[g].name, "%d-%d", &low, &high);
            for (size_t k = 0; k < w.n; k++)
                mine += w.users[k].user == u;
            if (strcmp(by, "history_length") == 0)
                assert_true(numbers >= 1 && (int)lengths[u] >= low && (int)lengths[u] <= high);
            else if (strcmp(by, "age") == 0)
                assert_true(numbers >= 1 && age >= low && age <= (numbers == 2 ? high : low));
            else
                assert_string_equal(c.list[g].name, dict_text(&fields_find(&d->user_fields, by)->levels, fields_find(&d->user_fields, by)->code[u]));
        }
        assert_int_equal(mine, got[g]);
    }
    assert_true(members == w.asked && sum == w.n);
    cohorts_clear(&c);
    who_clear(&w);
    mem_free(lengths);
}

static void test_segments(void **state)
{
    (void)state;
    struct dataset *d = every_world(60, 50, 900, ODD_NOT);
    struct model *m = every_model(&model_itemknn, d);
    uint8_t *chosen;
    size_t n;
    assert_int_equal(condition_items("category = 'group 2'", d, NO_TIME, &chosen, &n, NULL), ST_OK);
    check_cut(d, m, chosen, "country", 3);
    check_cut(d, m, chosen, "age", 5);
    check_cut(d, m, chosen, "history_length", 2);
    mem_free(chosen);
    model_release(m);
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions), cmocka_unit_test(test_groups),   cmocka_unit_test(test_shares),
        cmocka_unit_test(test_who),        cmocka_unit_test(test_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
