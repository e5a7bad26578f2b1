/* Popularity by segments of users, worked by hand. (What it has in common with other models: models_all, models_hard.) */
#include "tests/unit/world.h"

#include "models/classes.h"

/* The tiny world with countries: u1 u2 u3 are de, u4 u5 fr, of u6 nothing is known. a: 1 2 6, b: 1 2 3, d: 2 4, f: 4 5. */
static struct dataset *countries(void)
{
    static const char *const country[] = {"de", "de", "de", "fr", "fr", NULL};
    struct dataset *d = world_tiny();
    struct field *f;
    assert_int_equal(fields_add(&d->user_fields, "country", FIELD_TEXT, &f, NULL), ST_OK);
    for (size_t u = 0; u < 6; u++)
        assert_int_equal(field_push_text(f, country[u], country[u] ? 2 : 0, NULL), ST_OK);
    return d;
}

static void test_segments(void **state)
{
    (void)state;
    struct dataset *d = countries();
    struct query q[4] = {{.user = 0, .as_of = NO_TIME}, {.user = 3, .as_of = NO_TIME}, {.user = 5, .as_of = NO_TIME}, {.user = NO_USER, .as_of = NO_TIME}};
    float s[4][8];
    struct model *m = world_train(d, &model_pop, (const char *[]){"by=country", "prior=17", NULL}); /* of 17 events */
    assert_int_equal(model_score(m, q, 4, &s[0][0], NULL), ST_OK);
    assert_true(fabsf(s[0][0] - (2 + 3)) < 1e-6 && fabsf(s[0][1] - (3 + 3)) < 1e-6 && fabsf(s[0][5] - (0 + 2)) < 1e-6);
    assert_true(fabsf(s[1][0] - (0 + 3)) < 1e-6 && fabsf(s[1][5] - (2 + 2)) < 1e-6);
    assert_true(fabsf(s[2][0] - 3) < 1e-6 && fabsf(s[2][1] - 3) < 1e-6);
    assert_memory_equal(s[2], s[3], sizeof s[2]);
    struct explanation x;
    assert_int_equal(model_explain(m, &q[0], 0, &x, NULL), ST_OK);
    assert_int_equal(x.nparts, 2);
    assert_true(fabs(x.parts[0].value - 3) < 1e-6 && fabs(x.parts[1].value - 2) < 1e-6);
    assert_string_equal(x.parts[1].label, "events of users with country de");
    assert_string_equal(x.parts[0].label, "3 click events of all (scaled)");
    explanation_clear(&x);
    model_release(m);
    m = world_train(d, &model_pop, (const char *[]){"by=country", "prior=0", "count=users", NULL});
    assert_int_equal(model_score(m, q, 2, &s[0][0], NULL), ST_OK);
    assert_true(fabsf(s[0][1] - 3) < 1e-6 && !(fabsf(s[0][5]) > 0));
    assert_true(!(fabsf(s[1][1]) > 0) && fabsf(s[1][5] - 2) < 1e-6);
    model_release(m);
    world_check_model(d, &model_pop, (const char *[]){"by=country", NULL});
    dataset_release(d);
}

static void test_no_such_attribute(void **state)
{
    (void)state;
    struct dataset *d = countries();
    struct selection all = world_all(d);
    struct param_value values[16];
    struct model *m = NULL;
    struct error err;
    assert_int_equal(param_defaults(model_pop.params, model_pop.nparams, values, &err), ST_OK);
    size_t by = param_index(model_pop.params, model_pop.nparams, "by");
    assert_int_equal(param_parse(&model_pop.params[by], "town", &values[by], &err), ST_OK);
    assert_int_equal(model_train(&model_pop, "pop", values, &all, 1, NULL, NULL, &m, &err), ST_USAGE);
    assert_non_null(strstr(err.message, "town"));
    assert_non_null(strstr(err.hint, "country"));
    param_values_free(values, model_pop.nparams);
    dataset_release(d);
}

/* A file without types says of each row that it is an "event": the sentence does not say so twice. */
static void test_no_types(void **state)
{
    (void)state;
    struct dataset *d = world_empty(3);
    const struct { const char *user, *type; } rows[] = {{"u", "event"}, {"v", "event"}, {"w", "gift"}};
    for (size_t i = 0; i < 3; i++)
        world_event(d, rows[i].user, "a", rows[i].type, WORLD_START);
    assert_int_equal(dataset_finish(d, NULL), ST_OK);
    struct model *m = world_train(d, &model_pop, NULL);
    struct query q = {.user = NO_USER, .as_of = NO_TIME};
    struct explanation x;
    assert_int_equal(model_explain(m, &q, 0, &x, NULL), ST_OK);
    assert_string_equal(x.parts[0].label, "2 events");
    assert_string_equal(x.parts[1].label, "1 gift event");
    explanation_clear(&x);
    model_release(m);
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segments),
        cmocka_unit_test(test_no_types),
        cmocka_unit_test(test_no_such_attribute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
