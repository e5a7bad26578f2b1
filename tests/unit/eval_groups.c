/* Groups of items: what is in which; and how groups of users and items fare, by hand. */
#include "tests/unit/rows.h"

#include <math.h>

#include "eval/groups.h"

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
    struct protocol p = {PART_TEST, true, ROLLING_NOT};
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
    assert_int_equal(cohorts_of_items(d, s, &(struct protocol){PART_TEST, true, ROLLING_NOT}, "sise", &c, &err), ST_USAGE);
    assert_non_null(strstr(err.hint, "did you mean size"));
    split_release(s);
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_means),
        cmocka_unit_test(test_exposure),
        cmocka_unit_test(test_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
