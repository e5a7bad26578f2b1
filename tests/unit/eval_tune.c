/* Searching for parameters: the space, the three searches on known functions, the rule that stops, the share that is explained. */
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "eval/tune_effect.h"
#include "eval/tune_search.h"

static const struct param params[] = {
    {.name = "x", .type = PARAM_REAL, .initial = "1", .min = -100, .max = 100, .tune_min = -5, .tune_max = 10},
    {.name = "y", .type = PARAM_REAL, .initial = "1", .min = -100, .max = 100, .tune_min = 0, .tune_max = 15},
    {.name = "k", .type = PARAM_INT, .initial = "10", .min = 1, .max = 1e6, .tune_min = 1, .tune_max = 1000, .log_scale = true},
    {.name = "kind", .type = PARAM_ENUM, .initial = "none", .choices = "none|bm25|tfidf", .tune_max = 1},
    {.name = "k1", .type = PARAM_REAL, .initial = "1.2", .max = 1e6, .tune_min = 0, .tune_max = 3, .when = "kind=bm25"},
    {.name = "flag", .type = PARAM_BOOL, .initial = "no"},
    {.name = "fixed", .type = PARAM_REAL, .initial = "3", .max = 9},
};
enum { NPARAMS = sizeof params / sizeof *params };

static void make(struct tune_space *s, const struct tune_given *given, size_t n)
{
    struct error err;
    assert_int_equal(tune_space_new(params, NPARAMS, given, n, s, &err), ST_OK);
}

static void test_space(void **state)
{
    (void)state;
    struct tune_space s;
    struct error err;
    char text[64];
    make(&s, NULL, 0);
    assert_int_equal(s.n, 5); /* x, y, k, kind, k1 */
    assert_string_equal(s.axes[4].param->name, "k1");
    double asleep[] = {0, 0, 0, 0, 0}, awake[] = {0, 0, 0, 1, 0};
    assert_false(tune_awake(&s, asleep, 4));
    assert_true(tune_awake(&s, awake, 4));
    tune_text(&s.axes[2], 0, text, sizeof text);
    assert_string_equal(text, "1");
    tune_text(&s.axes[2], 1, text, sizeof text);
    assert_string_equal(text, "1000");
    for (double at = 0; at <= 1; at += 1. / 64) { /* what is typed is where it came from, as near as it can be */
        tune_text(&s.axes[2], at, text, sizeof text);
        char again[64];
        tune_text(&s.axes[2], tune_place(&s.axes[2], text), again, sizeof again);
        assert_string_equal(text, again);
    }
    assert_true(isnan(tune_place(&s.axes[3], "rows")));
    assert_true(tune_space_size(&s) == SIZE_MAX);
    tune_space_clear(&s);

    struct tune_given given[] = {{"x", "2"}, {"y", "1|2|4"}, {"k", "5..8"}, {"kind", "none"}, {"flag", "yes|no"}};
    make(&s, given, 5);
    assert_int_equal(s.n, 3); /* k1 never matters with kind=none */
    assert_int_equal(tune_space_size(&s), 3 * 4 * 2);
    struct str described = {0};
    tune_space_describe(&s, &described);
    assert_string_equal(str_text(&described), "y=1|2|4 k=5..8 flag=yes|no");
    str_free(&described);
    tune_space_clear(&s);
    struct tune_given idle[] = {{"kind", "none|tfidf"}, {"k1", "1..2"}}; /* refused: no point of the search wakes it */
    assert_int_equal(tune_space_new(params, NPARAMS, idle, 2, &s, &err), ST_USAGE);
    assert_non_null(strstr(err.message, "kind=bm25"));
    idle[1].text = "2";
    assert_int_equal(tune_space_new(params, NPARAMS, idle, 2, &s, &err), ST_USAGE);
    idle[0].text = "none|bm25";
    make(&s, idle, 2);
    tune_space_clear(&s);
    assert_int_equal(tune_space_new(params, NPARAMS, &(struct tune_given){"x", "4..2"}, 1, &s, &err), ST_USAGE);
    assert_int_equal(tune_space_new(params, NPARAMS, &(struct tune_given){"kind", "a..b"}, 1, &s, &err), ST_USAGE);
    assert_int_equal(tune_space_new(params, NPARAMS, &(struct tune_given){"kind", "none|bm52"}, 1, &s, &err), ST_USAGE);
    assert_int_equal(tune_space_new(params, NPARAMS, &(struct tune_given){"x", "1..1e9"}, 1, &s, &err), ST_USAGE);
    assert_int_equal(tune_space_new(params + 5, 2, NULL, 0, &s, &err), ST_USAGE); /* nothing to vary */
}

/* A parameter that waits for another to be given, and an age, searched in days. */
static void test_ages(void **state)
{
    (void)state;
    static const struct param ages[] = {
        {.name = "by", .type = PARAM_COLUMN},
        {.name = "prior", .type = PARAM_REAL, .max = 100, .tune_min = 1, .tune_max = 9, .when = "by"},
        {.name = "half_life", .type = PARAM_DURATION, .tune_min = 1, .tune_max = 100, .log_scale = true},
    };
    struct tune_space s;
    struct error err;
    char text[64];
    assert_int_equal(tune_space_new(ages, 3, NULL, 0, &s, &err), ST_OK);
    assert_int_equal(s.n, 1); /* prior says nothing without by */
    tune_text(&s.axes[0], .5, text, sizeof text);
    assert_string_equal(text, "10d");
    assert_true(fabs(tune_place(&s.axes[0], "240h") - .5) < 1e-12);
    assert_true(fabs(tune_number(&s.axes[0], "36h") - 1.5) < 1e-12);
    tune_space_clear(&s);
    struct tune_given given[] = {{"by", "country"}, {"half_life", "12h..2w"}};
    assert_int_equal(tune_space_new(ages, 3, given, 2, &s, &err), ST_OK);
    assert_int_equal(s.n, 2);
    double point[] = {0, 0};
    assert_true(tune_awake(&s, point, 0) && tune_awake(&s, point, 1));
    struct str described = {0};
    tune_space_describe(&s, &described);
    assert_string_equal(str_text(&described), "half_life=0.5d..14d prior=1..9");
    str_free(&described);
    tune_space_clear(&s);
}

/* What decides may be a number, several parameters, or one that comes later. */
static void test_conditions(void **state)
{
    (void)state;
    static const struct param table[] = {
        {.name = "factors", .type = PARAM_INT, .min = 0, .max = 100, .tune_min = 1, .tune_max = 64, .when = "beta>0"},
        {.name = "beta", .type = PARAM_REAL, .initial = "1", .max = 9, .when = "factors>0"},
        {.name = "solver", .type = PARAM_ENUM, .initial = "auto", .choices = "auto|exact|cg", .tune_max = 1},
        {.name = "steps", .type = PARAM_INT, .initial = "3", .min = 1, .max = 9, .tune_min = 1, .tune_max = 5,
         .when = "solver=cg or solver=auto and factors>32"},
    };
    enum { N = 4 };
    static const struct { const char *factors, *beta, *solver; bool factors_matter, beta_matters, steps_matter; } cases[] = {
        {NULL, "1", "auto", true, true, true}, /* chosen by the data */
        {"0", "1", "auto", true, false, false}, {"32", "1", "auto", true, true, false},  {"33", "1", "AUTO", true, true, true},
        {"64", "0", "exact", false, true, false}, {"2", "0.5", "cg", true, true, true},  {"0|40", "1", "auto", true, true, true},
        {"0..9", "0", "exact|auto", false, true, true}, {"0|8", "1", "exact|auto", true, true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct param_value values[N] = {{.present = cases[i].factors, .text = (char *)cases[i].factors},
                                        {.present = true, .text = (char *)cases[i].beta},
                                        {.present = true, .text = (char *)cases[i].solver}};
        assert_int_equal(param_matters(table, N, 0, param_value_text, values), cases[i].factors_matter);
        assert_int_equal(param_matters(table, N, 1, param_value_text, values), cases[i].beta_matters);
        assert_true(param_matters(table, N, 2, param_value_text, values));
        assert_int_equal(param_matters(table, N, 3, param_value_text, values), cases[i].steps_matter);
    }
    struct tune_space s;
    struct error err;
    struct tune_given given[] = {{"factors", "0..40"}, {"beta", "0|1"}};
    assert_int_equal(tune_space_new(table, N, given, 2, &s, &err), ST_OK);
    assert_int_equal(s.n, 4); /* solver, factors, beta, steps */
    double few[] = {0, 0, 0, 0}, many[] = {0, 1, 0, 0}, exact[] = {1, 1, 0, 0};
    assert_true(tune_awake(&s, few, 1)); /* beta is yet to be chosen */
    assert_false(tune_awake(&s, few, 2));
    assert_false(tune_awake(&s, few, 3));
    assert_true(tune_awake(&s, many, 2) && tune_awake(&s, many, 3));
    assert_false(tune_awake(&s, exact, 3));
    tune_space_clear(&s);
}

/* Branin's function, turned round; its best value is -0.397887. */
static double branin(const struct tune_space *s, const double *p)
{
    char x1[64], x2[64];
    tune_text(&s->axes[0], p[0], x1, sizeof x1);
    tune_text(&s->axes[1], p[1], x2, sizeof x2);
    double x = atof(x1), y = atof(x2), b = y - 5.1 / (4 * M_PI * M_PI) * x * x + 5 / M_PI * x - 6;
    return -(b * b + 10 * (1 - 1 / (8 * M_PI)) * cos(x) + 10);
}

/* Only one kind is any good, and then k1 counts; k has a best value of 50 in either case. */
static double conditional(const struct tune_space *s, const double *p)
{
    char k[64];
    tune_text(&s->axes[0], p[0], k, sizeof k);
    double miss = log(atof(k) / 50), depth = isnan(p[2]) ? 0 : p[2] - .3;
    return -miss * miss + ((int)p[1] == 1 ? 3 - 20 * depth * depth : 0);
}

enum { TRIALS = 48, SEEDS = 15 };

static double best_of(const struct tune_space *s, double (*f)(const struct tune_space *, const double *), enum tune_search search,
                      uint64_t seed, size_t trials)
{
    double *points = mem_new(trials * s->n, sizeof *points, "points", NULL), best = -INFINITY;
    struct tune_seen *seen = mem_new(trials, sizeof *seen, "trials", NULL);
    for (size_t i = 0; i < trials; i++) {
        bool done;
        double *p = points + i * s->n;
        tune_next(s, search, seed, i, trials, seen, i, p, &done);
        assert_false(done);
        for (size_t a = 0; a < s->n; a++)
            assert_int_equal(isnan(p[a]), !tune_awake(s, p, a));
        seen[i] = (struct tune_seen){p, f(s, p), 1};
        best = seen[i].value > best ? seen[i].value : best;
    }
    mem_free(points);
    mem_free(seen);
    return best;
}

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double median(const struct tune_space *s, double (*f)(const struct tune_space *, const double *), enum tune_search search)
{
    double best[SEEDS];
    for (size_t i = 0; i < SEEDS; i++)
        best[i] = best_of(s, f, search, i + 1, TRIALS);
    qsort(best, SEEDS, sizeof *best, by_size);
    return best[SEEDS / 2];
}

static void test_searches(void **state)
{
    (void)state;
    struct tune_space s;
    struct tune_given plane[] = {{"k", "10"}, {"kind", "none"}};
    make(&s, plane, 2);
    assert_int_equal(s.n, 2);
    double by_chance = median(&s, branin, TUNE_RANDOM), by_model = median(&s, branin, TUNE_TPE);
    print_message("Branin after %d trials, medians of %d seeds: random %.3f, tpe %.3f, best -0.398\n", TRIALS, SEEDS, by_chance, by_model);
    assert_true(by_model > by_chance);
    assert_true(by_model > -1);
    assert_true(best_of(&s, branin, TUNE_TPE, 7, TRIALS) == best_of(&s, branin, TUNE_TPE, 7, TRIALS));
    tune_space_clear(&s);

    struct tune_given family[] = {{"x", "0"}, {"y", "0"}};
    make(&s, family, 2);
    assert_int_equal(s.n, 3);
    by_chance = median(&s, conditional, TUNE_RANDOM);
    by_model = median(&s, conditional, TUNE_TPE);
    print_message("conditional: random %.3f, tpe %.3f, best 3\n", by_chance, by_model);
    assert_true(by_model > by_chance);
    tune_space_clear(&s);
}

/* A first trial beside the grid leaves room for the rest of it, both ends included; one on it takes no room. A grid
 * that is too large is tried all over, not from one corner. */
static void test_grid_room(void **state)
{
    (void)state;
    struct tune_space s;
    struct tune_given line[] = {{"x", "0..1"}, {"y", "0"}, {"k", "10"}, {"kind", "none"}};
    struct tune_given wide[] = {{"x", "0..1"}, {"y", "0..1"}, {"k", "1..100"}, {"kind", "none"}};
    static const double firsts[] = {.43, 1. / 3}, ends[2][4] = {{.43, 0, .5, 1}, {1. / 3, 0, 2. / 3, 1}};
    bool done;
    size_t room, low[3] = {0};
    make(&s, line, 4);
    assert_int_equal(s.n, 1);
    for (int f = 0; f < 2; f++) {
        double points[4] = {firsts[f]};
        struct tune_seen seen[4] = {{&points[0], 0, 1}};
        for (size_t n = 1; n < 4; n++) {
            tune_next(&s, TUNE_GRID, 1, n, 4, seen, n, &points[n], &done);
            assert_false(done);
            assert_true(fabs(points[n] - ends[f][n]) < 1e-9);
            seen[n] = (struct tune_seen){&points[n], 0, 1};
        }
        assert_int_equal(tune_grid(&s, 4, points, &room), f ? 4 : 3);
        assert_int_equal(room, f ? 4 : 3);
    }
    tune_space_clear(&s);
    make(&s, wide, 4);
    assert_int_equal(tune_grid(&s, 4, NULL, &room), 8);
    double points[4][TUNE_AXES_MAX];
    struct tune_seen seen[4];
    for (size_t n = 0; n < 4; n++) {
        tune_next(&s, TUNE_GRID, 1, n, 4, seen, n, points[n], &done);
        assert_false(done);
        seen[n] = (struct tune_seen){points[n], 0, 1};
        for (size_t a = 0; a < 3; a++)
            low[a] += points[n][a] < .5;
    }
    for (size_t a = 0; a < 3; a++)
        assert_in_range(low[a], 1, 3); /* both ends of each range came up */
    tune_space_clear(&s);
}

static void test_grid(void **state)
{
    (void)state;
    struct tune_space s;
    struct tune_given given[] = {{"x", "0"}, {"y", "0..1"}, {"k", "1..2"}};
    double points[64][TUNE_AXES_MAX];
    struct tune_seen seen[64];
    bool done = false;
    size_t n = 0;
    make(&s, given, 3); /* y, k, kind, k1: k1 counts with one of three kinds */
    for (; n < 64; n++) {
        tune_next(&s, TUNE_GRID, 1, n, 24, seen, n, points[n], &done);
        if (done)
            break;
        seen[n] = (struct tune_seen){points[n], 0, 1};
    }
    assert_int_equal(n, 2 * 2 * (2 + 2)); /* 2 x 2 x 3 x 2 cells, of which those where k1 sleeps are one setting each */
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < a; b++)
            assert_false(tune_same(&s, points[a], points[b]));
    tune_space_clear(&s);
    make(&s, (struct tune_given[]){{"x", "1|2"}, {"y", "1|2|3"}, {"k", "1"}, {"kind", "none"}}, 4);
    for (n = 0; n < 64; n++) { /* a search by chance ends when everything was tried */
        tune_next(&s, TUNE_TPE, 1, n, 64, seen, n, points[n], &done);
        if (done)
            break;
        seen[n] = (struct tune_seen){points[n], (double)n, 1};
    }
    assert_int_equal(n, 6);
    tune_space_clear(&s);
}

static void test_stopping(void **state)
{
    (void)state;
    double before[] = {.1, .2, .3, .4, .5};
    assert_false(tune_hopeless(0, before, 1)); /* the first two go on */
    assert_true(tune_hopeless(.05, before, 2));
    assert_false(tune_hopeless(.25, before, 2));
    assert_false(tune_hopeless(.45, before, 5)); /* second of six: two places */
    assert_true(tune_hopeless(.35, before, 5));
    for (size_t e = 1; e <= 16; e++)
        assert_int_equal(tune_rung(e, 16), e == 2 ? 0 : e == 6 ? 1 : TUNE_RUNGS);
    for (size_t epochs = 1; epochs < 200; epochs++)
        for (size_t e = 1; e <= epochs; e++)
            assert_true(tune_rung(e, epochs) == TUNE_RUNGS || e % tune_every(epochs) == 0);
    assert_int_equal(tune_rung(1, 1), TUNE_RUNGS);
}

static void test_effect(void **state)
{
    (void)state;
    enum { N = 60 };
    double x[N], y[N], noise[N];
    struct rng r = rng_stream(1, "test", 0);
    struct tune_effect e;
    for (size_t i = 0; i < N; i++) {
        x[i] = rng_real(&r);
        noise[i] = rng_real(&r);
        y[i] = 4 * (x[i] - .5) * (x[i] - .5) + .1 * noise[i];
    }
    assert_int_equal(tune_effect(x, y, N, false, 1, &e, NULL), ST_OK);
    assert_true(e.share > .8 && e.p < .01 && e.n == N);
    assert_int_equal(tune_effect(noise, y, N, false, 1, &e, NULL), ST_OK);
    assert_true(e.share < .2);
    for (size_t i = 0; i < N; i++)
        x[i] = (double)(i % 3), y[i] = i % 3 == 1 ? 1 : 0;
    assert_int_equal(tune_effect(x, y, N, true, 1, &e, NULL), ST_OK);
    assert_true(fabs(e.share - 1) < 1e-9);
    for (size_t i = 0; i < N; i++)
        y[i] = 1;
    assert_int_equal(tune_effect(x, y, N, true, 1, &e, NULL), ST_OK);
    assert_true(isnan(e.share));
    assert_int_equal(tune_effect(x, y, 3, true, 1, &e, NULL), ST_OK);
    assert_true(isnan(e.share));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_space),    cmocka_unit_test(test_ages), cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_searches), cmocka_unit_test(test_grid), cmocka_unit_test(test_grid_room),
        cmocka_unit_test(test_stopping), cmocka_unit_test(test_effect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
