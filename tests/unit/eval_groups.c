/* Groups of items: what is in which; and how groups of users and items fare, by hand. */
#include "tests/unit/rows.h"

#include <math.h>

#include "eval/groups.h"
#include "eval/item_segments.h"
#include "tests/unit/memory.h"

/* Users 0 and 1 are of group 0, users 2 and 3 of group 1, 4 of both, 3 is cold, 1 has no value. */
static void test_means(void **state)
{
    (void)state;
    struct cohort list[] = {{.users = (uint32_t[]){0, 1, 4}, .n = 3}, {.users = (uint32_t[]){2, 3, 4}, .n = 3}, {.n = 0}};
    struct cohorts g = {.list = list, .n = 3};
    struct evaluation e = {.nusers = 5, .user = (uint32_t[]){0, 1, 2, 3, 4}, .warm = (uint8_t[]){1, 1, 1, 0, 1}};
    struct group_mean mean[3];
    group_means(&e, (double[]){.2, NAN, .6, 1, .4}, &g, mean);
    assert_int_equal(mean[0].users, 2);
    assert_near(mean[0].mean, .3, 1e-12);
    assert_int_equal(mean[1].users, 2);
    assert_near(mean[1].mean, .5, 1e-12);
    assert_true(mean[2].users == 0 && isnan(mean[2].mean));
    struct group_gap gap = group_gap_of((double[]){mean[0].mean, mean[1].mean, mean[2].mean}, 3);
    assert_true(gap.lowest == 0 && gap.highest == 1);
    assert_near(gap.gap, .2, 1e-12);
    assert_near(gap.ratio, .6, 1e-12);
    gap = group_gap_of((double[]){NAN, NAN}, 2);
    assert_true(gap.lowest == 2 && isnan(gap.gap));
}

/* Items 0 and 1 are drama, 2 is drama and comedy, 3 is neither. Lists 2 0 and 3 1; right are 1 and 2. */
static void test_exposure(void **state)
{
    (void)state;
    struct cohort list[] = {{.items = (uint32_t[]){0, 1, 2}, .n = 3}, {.items = (uint32_t[]){2}, .n = 1}};
    struct cohorts g = {.list = list, .n = 2};
    struct evaluation e = {.nitems = 4,
                           .nqueries = 2,
                           .listed = 3,
                           .right_begin = (size_t[]){0, 1, 2},
                           .right = (uint32_t[]){1, 2},
                           .length = (uint32_t[]){2, 2},
                           .list = (uint32_t[]){2, 0, NO_ITEM, 3, 1, NO_ITEM}};
    struct group_exposure x[2];
    double second = 1 / log2(3), all = 1 + 2 * second; /* item 3 is in no group */
    assert_int_equal(group_exposures(&e, &g, 2, x, NULL), ST_OK);
    assert_near(x[0].items, 2.5, 1e-12);
    assert_near(x[0].catalogue, 2.5 / 3, 1e-12);
    assert_near(x[1].relevant, .25, 1e-12);
    assert_near(x[0].exposure, (.5 + 2 * second) / all, 1e-12);
    assert_near(x[1].exposure, .5 / all, 1e-12);
    assert_int_equal(group_exposures(&e, &g, 1, x, NULL), ST_OK);
    assert_near(x[0].exposure, .5, 1e-12);
}

/* "head: x; tail: y z" */
static void assert_items(struct dataset *d, const struct split *s, const char *by, const char *expected)
{
    struct protocol p = {.on = PART_TEST, .hide_seen = true};
    struct cohorts c;
    struct str text = {0};
    assert_int_equal(cohorts_of_items(d, s, &p, by, &c, NULL), ST_OK);
    for (size_t g = 0; g < c.n; g++) {
        str_printf(&text, "%s%s:", g ? "; " : "", c.list[g].name);
        for (size_t i = 0; i < c.list[g].n; i++)
            str_printf(&text, " %s", dict_text(&d->items, c.list[g].items[i]));
    }
    assert_string_equal(str_text(&text), expected);
    str_free(&text);
    cohorts_clear(&c);
}

/* Of 10 train pairs x has 3 (0 to .3), y 2 and z 2 (to .7), v 1 (to .8), w 1 and t 1 (from .8 on); s is in the test part alone. */
static void test_items(void **state)
{
    (void)state;
    static const struct row rows[] = {{"a", "x", NULL, 1, NULL}, {"b", "x", NULL, 1, NULL}, {"c", "x", NULL, 1, NULL}, {"a", "y", NULL, 1, NULL},
                                      {"b", "y", NULL, 1, NULL}, {"a", "z", NULL, 1, NULL}, {"b", "z", NULL, 1, NULL}, {"a", "v", NULL, 1, NULL},
                                      {"a", "w", NULL, 1, NULL}, {"a", "t", NULL, 1, NULL}, {"a", "s", NULL, 9, NULL}};
    struct dataset *d = rows_dataset(ROWS(rows), true);
    struct split *s = NULL;
    struct field *f;
    struct cohorts c;
    struct error err;
    assert_int_equal(fields_add(&d->item_fields, "size", FIELD_INT, &f, NULL), ST_OK);
    for (size_t i = 0; i < d->items.n; i++)
        assert_int_equal(field_push_int(f, i == 6 ? NO_INT : (int64_t)(i % 2), NULL), ST_OK);
    assert_int_equal(split_new(d, &(struct split_spec){.kind = SPLIT_TIME, .at = 5}, &s, NULL), ST_OK);
    assert_items(d, s, "popularity", "head: x; mid: y z v; tail: w t s");
    assert_items(d, s, "size", "0: x z w; 1: y v t; none: s");
    assert_items(d, s, "item.size", "0: x z w; 1: y v t; none: s");
    assert_true(cohorts_are_of_items(d, "size") && cohorts_are_of_items(d, "popularity") && !cohorts_are_of_items(d, "taste"));
    assert_int_equal(cohorts_of_items(d, s, &(struct protocol){.on = PART_TEST, .hide_seen = true}, "sise", &c, &err), ST_USAGE);
    assert_non_null(strstr(err.hint, "did you mean size"));
    split_release(s);
    dataset_release(d);
}

/* Items 0 and 1 are tea, 2 is tea and cups, 3 is cups, 4 is neither and right for nobody. Users: 0 asks twice, 2 is cold.
 *
 *            right   a lists   b lists   tea a    tea b   cups a   cups b
 *   0 first  0 1 3   0 4       3 1       1/2      1/2     0        1
 *   0 second 2       2         4         1        0       1        0
 *   1        1 2     4 2       1 4       1/2      1/2     1        0
 *   2        0       0 4       0 4       cold
 *   3        3       4 0       3 -       none     none    0        1 */
struct two {
    struct dataset *d;
    struct split *s;
    struct evaluation *e[2];
    struct comparison c;
};

static const struct protocol fixed = {.on = PART_TEST, .hide_seen = true};

static void open_two(struct two *t, const char *metric, const char *also)
{
    static const struct row rows[] = {{"u", "0", NULL, 1, NULL}, {"v", "1", NULL, 1, NULL}, {"w", "2", NULL, 1, NULL},
                                      {"x", "3", NULL, 1, NULL}, {"x", "4", NULL, 9, NULL}};
    static uint32_t user[] = {0, 1, 2, 3}, right[] = {0, 1, 3, 2, 1, 2, 0, 3};
    static uint8_t warm[] = {1, 1, 0, 1};
    static float weight[] = {1, 1, 1, 1, 1, 1, 1, 1};
    static size_t query_begin[] = {0, 2, 3, 4, 5}, right_begin[] = {0, 3, 4, 6, 7, 8};
    static const uint32_t list[2][9] = {{0, 4, 2, 4, 2, 0, 4, 4, 0}, {3, 1, 4, 1, 4, 0, 4, 3}};
    static const size_t begin[2][6] = {{0, 2, 3, 5, 7, 9}, {0, 2, 3, 5, 7, 8}}, length[] = {3, 4};
    static const char *const kinds[] = {"tea", "cups"}, *const names[] = {"a", "b"};
    const struct test_set set = {.protocol = fixed, .nitems = 5, .nusers = 4, .nqueries = 5, .user = user, .warm = warm,
                                 .query_begin = query_begin, .right_begin = right_begin, .right = right, .weight = weight};
    struct field *f;
    *t = (struct two){.d = rows_dataset(ROWS(rows), true), .c = {.test = TEST_RANDOMIZATION, .adjust = ADJUST_NONE, .resamples = 50}};
    assert_int_equal(split_new(t->d, &(struct split_spec){.kind = SPLIT_TIME, .at = 5}, &t->s, NULL), ST_OK);
    assert_int_equal(fields_add(&t->d->item_fields, "kind", FIELD_LIST, &f, NULL), ST_OK);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(field_push_list(f, kinds + (i == 3), length + (i == 3), i == 2 ? 2 : i < 4, NULL), ST_OK);
    for (int m = 0; m < 2; m++)
        assert_int_equal(evaluation_of_lists(&set, 7, 2, begin[m], list[m], &t->e[m], NULL), ST_OK);
    assert_int_equal(comparison_measure(&t->c, metric, 2, true, NULL), ST_OK);
    assert_int_equal(comparison_measure(&t->c, also, 2, true, NULL), ST_OK);
    assert_int_equal(comparison_make(&t->c, (const struct evaluation *const *)t->e, names, 2, 2, NULL, NULL), ST_OK);
}

static void close_two(struct two *t)
{
    comparison_clear(&t->c);
    evaluation_free(t->e[0]);
    evaluation_free(t->e[1]);
    split_release(t->s);
    dataset_release(t->d);
}

static void assert_segment(const struct item_segments *s, size_t at, const char *name, size_t users, size_t right, double x, double y)
{
    assert_string_equal(s->users.list[at].name, name);
    assert_int_equal(s->users.list[at].n, users);
    assert_int_equal(s->right[at], right);
    assert_near(s->mean[at * 2], x, 1e-12);
    assert_near(s->mean[at * 2 + 1], y, 1e-12);
    assert_int_equal(s->difference[at].users, users);
    assert_near(s->difference[at].value, x - y, 1e-12);
    assert_true(s->difference[at].interval.low <= x - y && s->difference[at].interval.high >= x - y);
}

static void test_goods(void **state)
{
    (void)state;
    struct two t;
    struct item_segments s;
    open_two(&t, "recall@2", "mrr@2");
    assert_string_equal(t.c.entries[0].name, "b");
    assert_int_equal(item_segments_make(t.d, t.s, &fixed, &t.c, 0, 1, "kind", &s, NULL), ST_OK);
    assert_int_equal(s.users.n, 2); /* nobody has a right one without a kind */
    assert_segment(&s, 0, "tea", 2, 5, .375, .625);
    assert_segment(&s, 1, "cups", 3, 4, .5, .5);
    assert_near(s.difference[0].p, 1, 1e-12); /* one user differs */
    assert_near(s.difference[1].effect.above, 1. / 3, 1e-12);
    item_segments_clear(&s);
    for (long after = 0;; after++) {
        atomic_long left = after;
        mem_set_hook(fail_from, &left);
        enum status st = item_segments_make(t.d, t.s, &fixed, &t.c, 1, 0, "kind", &s, NULL);
        mem_set_hook(NULL, NULL);
        if (!st)
            break;
        assert_int_equal(st, ST_NOMEM);
    }
    item_segments_clear(&s);
    close_two(&t);
    open_two(&t, "mrr@2", "recall@1"); /* the recall that is there, wherever it stands */
    assert_int_equal(item_segments_make(t.d, t.s, &fixed, &t.c, 0, 1, "item.kind", &s, NULL), ST_OK);
    assert_string_equal(s.at.name, "recall@1");
    bool b = strcmp(t.c.entries[0].name, "b") == 0;
    assert_segment(&s, 0, "tea", 2, 5, b ? .25 : .375, b ? .375 : .25);
    item_segments_clear(&s);
    close_two(&t);
}

static void test_no_goods(void **state)
{
    (void)state;
    struct two t;
    struct item_segments s;
    struct error err = {0};
    open_two(&t, "mrr@2", "ndcg@2");
    assert_int_equal(item_segments_make(t.d, t.s, &fixed, &t.c, 0, 1, "kind", &s, &err), ST_USAGE);
    assert_non_null(strstr(err.hint, "metric=mrr@2 recall@2"));
    close_two(&t);
    open_two(&t, "recall@3", "mrr@2"); /* lists were kept to rank 2 */
    assert_int_equal(item_segments_make(t.d, t.s, &fixed, &t.c, 0, 1, "kind", &s, &err), ST_STATE);
    assert_non_null(strstr(err.hint, "recall@2"));
    close_two(&t);
    open_two(&t, "recall@2", "mrr@2");
    assert_int_equal(item_segments_make(t.d, t.s, &fixed, &t.c, 0, 1, "kidn", &s, &err), ST_USAGE);
    close_two(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_means),
        cmocka_unit_test(test_exposure),
        cmocka_unit_test(test_items),
        cmocka_unit_test(test_goods),
        cmocka_unit_test(test_no_goods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
