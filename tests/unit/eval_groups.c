/* Groups of users and items: who is in which, and how they fare, by hand. */
#include "tests/unit/rows.h"

#include <math.h>

#include "eval/groups.h"

static struct field *field_new(struct fields *set, const char *name, enum field_type type)
{
    struct field *f;
    assert_int_equal(fields_add(set, name, type, &f, NULL), ST_OK);
    return f;
}

static size_t group_of(const struct grouping *g, size_t row)
{
    return g->begin[row + 1] > g->begin[row] ? g->group[g->begin[row]] : 999;
}

static void test_grouping(void **state)
{
    (void)state;
    struct fields set = {.n = 0};
    struct grouping g;
    struct field *words = field_new(&set, "country", FIELD_TEXT);
    static const char *const countries[] = {"DE", "FR", NULL, "DE"};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(field_push_text(words, countries[i], countries[i] ? 2 : 0, NULL), ST_OK);
    assert_int_equal(grouping_of_field(words, 4, &g, NULL), ST_OK);
    assert_true(g.n == 2 && group_of(&g, 0) == 0 && group_of(&g, 1) == 1 && group_of(&g, 2) == 999 && group_of(&g, 3) == 0);
    assert_string_equal(g.name[1], "FR");
    grouping_clear(&g);

    struct field *few = field_new(&set, "stars", FIELD_REAL);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(field_push_real(few, i == 2 ? NAN : 5 - (double)i, NULL), ST_OK);
    assert_int_equal(grouping_of_field(few, 4, &g, NULL), ST_OK);
    assert_true(g.n == 3 && group_of(&g, 0) == 2 && group_of(&g, 1) == 1 && group_of(&g, 2) == 999 && group_of(&g, 3) == 0);
    assert_string_equal(g.name[0], "2");
    grouping_clear(&g);

    struct fields many = {.n = 0};
    struct field *age = field_new(&many, "age", FIELD_INT);
    for (int64_t i = 0; i < 40; i++)
        assert_int_equal(field_push_int(age, i, NULL), ST_OK);
    assert_int_equal(grouping_of_field(age, 40, &g, NULL), ST_OK);
    assert_int_equal(g.n, 4);
    assert_string_equal(g.name[0], "0 to below 10");
    assert_string_equal(g.name[3], "30 and more");
    for (size_t i = 0; i < 40; i++)
        assert_int_equal(group_of(&g, i), i / 10);
    grouping_clear(&g);
    fields_clear(&set);
    fields_clear(&many);
}

/* Users 0 and 1 are of group 0, users 2 and 3 of group 1, 4 of both, 3 is cold, 1 has no value. */
static void test_means(void **state)
{
    (void)state;
    struct grouping g = {.rows = 5, .n = 3, .begin = (size_t[]){0, 1, 2, 3, 4, 6}, .group = (uint32_t[]){0, 0, 1, 1, 0, 1}};
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
    struct grouping g = {.rows = 4, .n = 2, .begin = (size_t[]){0, 1, 2, 4, 4}, .group = (uint32_t[]){0, 0, 0, 1}};
    struct evaluation e = {.nitems = 4,
                           .nqueries = 2,
                           .listed = 3,
                           .right_begin = (size_t[]){0, 1, 2},
                           .right = (uint32_t[]){1, 2},
                           .length = (uint32_t[]){2, 2},
                           .list = (uint32_t[]){2, 0, NO_ITEM, 3, 1, NO_ITEM}};
    struct group_exposure x[2];
    double second = 1 / log2(3), all = 1 + 2 * second; /* item 3 is in no group */
    group_exposures(&e, &g, 2, x);
    assert_near(x[0].items, 2.5, 1e-12);
    assert_near(x[0].catalogue, 2.5 / 3, 1e-12);
    assert_near(x[1].relevant, .25, 1e-12);
    assert_near(x[0].exposure, (.5 + 2 * second) / all, 1e-12);
    assert_near(x[1].exposure, .5 / all, 1e-12);
    group_exposures(&e, &g, 1, x);
    assert_near(x[0].exposure, .5, 1e-12);
}

static void test_histories(void **state)
{
    (void)state;
    static const struct row rows[] = {{"a", "x", NULL, 1, NULL}, {"a", "y", NULL, 9, NULL}, {"b", "x", NULL, 9, NULL}};
    struct dataset *d = rows_dataset(ROWS(rows), true);
    struct split *s = NULL;
    struct grouping g;
    assert_int_equal(split_new(d, &(struct split_spec){.kind = SPLIT_TIME, .at = 5}, &s, NULL), ST_OK);
    assert_int_equal(grouping_of_histories(d, s, PART_TEST, &g, NULL), ST_OK);
    assert_string_equal(g.name[group_of(&g, 0)], "1 to 4 events");
    assert_string_equal(g.name[group_of(&g, 1)], "no events");
    grouping_clear(&g);
    split_release(s);
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grouping),
        cmocka_unit_test(test_means),
        cmocka_unit_test(test_exposure),
        cmocka_unit_test(test_histories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
