/* Comparisons of models by hand-worked cases, by all ways to swap, and by how often equal models are told apart; and the
 * segments of users. Evaluations hold errors of ratings only: of each user a sum and a number. */
#include "tests/unit/rows.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

#include "base/rng.h"
#include "eval/cohorts.h"
#include "tests/unit/memory.h"

enum { USERS = 60, MODELS = 4 };

/* ---- models that are nothing but what they got wrong ---- */

struct guesses {
    struct evaluation e;
    double squared[USERS], absolute[USERS];
    uint32_t rated[USERS], user[USERS];
    uint8_t warm[USERS];
};

static void fill(struct guesses *g, size_t n, const double *absolute, const double *squared, const uint32_t *rated)
{
    g->e = (struct evaluation){.nusers = n, .user = g->user, .warm = g->warm, .squared = g->squared, .absolute = g->absolute, .rated = g->rated};
    for (size_t u = 0; u < n; u++) {
        g->user[u] = (uint32_t)u;
        g->warm[u] = 1;
        g->absolute[u] = absolute[u];
        g->squared[u] = squared[u];
        g->rated[u] = rated ? rated[u] : 1;
    }
}

static void compare(struct comparison *c, const char *metric, struct guesses *g, size_t n, size_t baseline)
{
    static const char *const names[MODELS] = {"a", "b", "c", "d"};
    const struct evaluation *e[MODELS];
    for (size_t i = 0; i < n; i++)
        e[i] = &g[i].e;
    assert_int_equal(comparison_measure(c, metric, 10, true, NULL), ST_OK);
    assert_int_equal(comparison_make(c, e, names, n, baseline, NULL, NULL), ST_OK);
}

static const double mae_a[5] = {1, 2, 1, 4, 2}, mae_b[5] = {2, 2, 3, 3, 6}, nothing[USERS];
static const uint32_t counts[5] = {1, 2, 1, 2, 2}; /* means of a: 1 1 1 2 1, of b: 2 1 3 1.5 3 */

static void test_by_hand(void **state)
{
    static struct guesses g[2];
    static const uint32_t two[] = {2, 3};
    struct comparison c = {.test = TEST_WILCOXON, .resamples = 200};
    struct difference x;
    uint32_t order[5];
    size_t n;
    (void)state;
    fill(&g[0], 5, mae_b, nothing, counts);
    fill(&g[1], 5, mae_a, nothing, counts);
    compare(&c, "user_mae", g, 2, 2);
    assert_string_equal(c.entries[0].name, "b"); /* the one with the smaller errors is first */
    assert_near(c.entries[0].mean[0], 6. / 5, 1e-12);
    assert_near(c.entries[1].mean[0], 10.5 / 5, 1e-12);
    assert_near(c.entries[1].to.value, 4.5 / 5, 1e-12);
    assert_near(c.entries[1].to.share, 10.5 / 6 - 1, 1e-12);
    assert_near(c.entries[1].to.effect.above, 3. / 5, 1e-12);
    assert_near(c.entries[1].to.effect.below, 1. / 5, 1e-12);
    assert_near(c.entries[1].to.effect.equal, 1. / 5, 1e-12);
    /* 1, 2, -.5, 2: ranks 2, 3.5, 1, 3.5; above 9 of 10 */
    assert_near(c.entries[1].to.effect.rank_biserial, .8, 1e-12);
    assert_true(comparison_sign(&c) == -1);
    assert_int_equal(comparison_difference(&c, 0, 1, two, 2, &x, NULL), ST_OK);
    assert_near(x.value, 1.5 - 4.5 / 2, 1e-12);
    assert_int_equal(x.users, 2);
    assert_near(comparison_mean(&c, 1, two, 2), 4.5 / 2, 1e-12);
    /* Who loses by the first model: only user 3 has more errors by it. */
    assert_int_equal(comparison_order_users(&c, 0, 1, order, &n, NULL), ST_OK);
    assert_int_equal(n, 5);
    assert_int_equal(order[0], 3);
    assert_int_equal(order[1], 1);
    assert_true(order[3] == 2 && order[4] == 4); /* ties by index */
    comparison_clear(&c);
}

/* rmse over all ratings: users count by their ratings, and swapping users is swapping their ratings. */
static void test_pooled(void **state)
{
    enum { N = 9 };
    static struct guesses g[2];
    struct comparison c = {.test = TEST_RANDOMIZATION, .resamples = 200};
    double a[N], b[N], sum[2] = {0}, ratings = 0;
    uint32_t n[N];
    size_t far = 0;
    struct rng r = rng_stream(1, "pooled", 0);
    (void)state;
    for (size_t u = 0; u < N; u++) {
        n[u] = 1 + (uint32_t)rng_below(&r, 20);
        a[u] = n[u] * rng_real(&r);
        b[u] = n[u] * (rng_real(&r) + .4);
        sum[0] += a[u], sum[1] += b[u], ratings += n[u];
    }
    fill(&g[0], N, nothing, a, n);
    fill(&g[1], N, nothing, b, n);
    compare(&c, "rmse", g, 2, 2);
    double difference = sqrt(sum[1] / ratings) - sqrt(sum[0] / ratings);
    assert_near(c.entries[1].to.value, difference, 1e-12);
    for (unsigned swap = 0; swap < 1 << N; swap++) {
        double s[2] = {0};
        for (size_t u = 0; u < N; u++) {
            s[swap >> u & 1] += a[u];
            s[!(swap >> u & 1)] += b[u];
        }
        far += fabs(sqrt(s[1] / ratings) - sqrt(s[0] / ratings)) >= fabs(difference) - 1e-12;
    }
    assert_near(c.entries[1].to.p, (double)far / (1 << N), 1e-12);
    assert_true(c.entries[1].to.interval.low <= difference && c.entries[1].to.interval.high >= difference);
    comparison_clear(&c);
}

/* ---- intervals, by drawing and differentiating plainly ---- */

enum { VALUE, SHARE };

/* The difference of two mean errors, or their ratio less 1, with a weight a user. */
static double statistic(const struct guesses *x, const struct guesses *y, bool root, int what, const double *weight, size_t n)
{
    double sx = 0, sy = 0, nx = 0, ny = 0;
    for (size_t u = 0; u < n; u++) {
        sx += weight[u] * (root ? x->squared[u] : x->absolute[u]), nx += weight[u] * x->rated[u];
        sy += weight[u] * (root ? y->squared[u] : y->absolute[u]), ny += weight[u] * y->rated[u];
    }
    double a = root ? sqrt(sx / nx) : sx / nx, b = root ? sqrt(sy / ny) : sy / ny;
    return what == VALUE ? a - b : a / b - 1;
}

static struct interval plainly(const struct guesses *x, const struct guesses *y, bool root, int what, size_t n, size_t resamples)
{
    enum { MOST = 500 };
    double weight[USERS], influence[USERS], drawn[MOST], step = 1e-5;
    for (size_t u = 0; u < n; u++)
        weight[u] = 1;
    double estimate = statistic(x, y, root, what, weight, n);
    for (size_t u = 0; u < n; u++) {
        weight[u] = 1 + step;
        influence[u] = statistic(x, y, root, what, weight, n);
        weight[u] = 1 - step;
        influence[u] = (influence[u] - statistic(x, y, root, what, weight, n)) / (2 * step);
        weight[u] = 1;
    }
    for (size_t i = 0; i < resamples; i++) {
        struct rng r = rng_stream(3, "bootstrap", i);
        double times[USERS] = {0};
        for (size_t u = 0; u < n; u++)
            times[rng_below(&r, n)]++;
        drawn[i] = statistic(x, y, root, what, times, n);
    }
    return bca_interval(drawn, resamples, estimate, acceleration_of(influence, n), .95);
}

static void test_intervals(void **state)
{
    enum { N = 40, RESAMPLES = 500 };
    static struct guesses g[2];
    double a[N], b[N];
    uint32_t n[N];
    struct rng r = rng_stream(2, "intervals", 0);
    (void)state;
    for (size_t u = 0; u < N; u++) {
        n[u] = 1 + (uint32_t)rng_below(&r, 20);
        a[u] = n[u] * pow(rng_real(&r), 3);
        b[u] = n[u] * pow(rng_real(&r), 2);
    }
    fill(&g[0], N, a, a, n);
    fill(&g[1], N, b, b, n);
    for (int root = 0; root < 2; root++) {
        struct comparison c = {.test = TEST_T, .resamples = RESAMPLES, .seed = 3};
        compare(&c, root ? "rmse" : "mae", g, 2, 1);
        const struct difference *x = &c.entries[!c.reference].to;
        struct interval value = plainly(&g[0], &g[1], root, VALUE, N, RESAMPLES), share = plainly(&g[0], &g[1], root, SHARE, N, RESAMPLES);
        assert_near(x->interval.low, value.low, 1e-7);
        assert_near(x->interval.high, value.high, 1e-7);
        assert_near(x->share_interval.low, share.low, 1e-7);
        assert_near(x->share_interval.high, share.high, 1e-7);
        comparison_clear(&c);
    }
}

/* A user without a value under one of the two is in no pair. */
static void test_pairs(void **state)
{
    static struct guesses g[2];
    struct comparison c = {.test = TEST_T};
    (void)state;
    fill(&g[0], 5, mae_a, nothing, counts);
    fill(&g[1], 5, mae_b, nothing, counts);
    g[1].rated[4] = 0;
    g[0].warm[0] = g[1].warm[0] = 0;
    compare(&c, "user_mae", g, 2, 0);
    const struct difference *x = &c.entries[c.reference == 0].to;
    assert_string_equal(c.entries[c.reference].name, "a");
    assert_int_equal(x->users, 3);
    assert_near(x->value, (0 + 2 - .5) / 3, 1e-12);
    assert_near(x->y, 4. / 3, 1e-12);
    comparison_clear(&c);
}

/* ---- equal models ---- */

enum { NULLS = 1000 };

/* In how many comparisons of equal models any of them is told from the reference. */
static size_t false_claims(enum adjustment adjust, size_t baseline)
{
    static struct guesses g[MODELS];
    size_t claims = 0;
    for (uint64_t i = 0; i < NULLS; i++) {
        struct rng r = rng_stream(21, "equal", i);
        struct comparison c = {.test = TEST_T, .adjust = adjust};
        double hard[USERS], wrong[USERS];
        bool any = false;
        for (size_t u = 0; u < USERS; u++)
            hard[u] = rng_real(&r);
        for (size_t m = 0; m < MODELS; m++) {
            for (size_t u = 0; u < USERS; u++)
                wrong[u] = hard[u] + .5 * rng_real(&r);
            fill(&g[m], USERS, wrong, nothing, NULL);
        }
        compare(&c, "user_mae", g, MODELS, baseline);
        for (size_t m = 0; m < MODELS; m++)
            any |= difference_verdict(&c, &c.entries[m].to) != 0;
        claims += any;
        comparison_clear(&c);
    }
    return claims;
}

/* Choosing the best first and testing then cries wolf too often; adjusted for all pairs it does not, nor against a baseline. */
static void test_equal_models(void **state)
{
    size_t plain = false_claims(ADJUST_NONE, MODELS), best = false_claims(ADJUST_HOLM, MODELS), baseline = false_claims(ADJUST_HOLM, 0);
    (void)state;
    if (gsl_cdf_binomial_Q((unsigned)plain - 1, .05, NULLS) > 1e-6)
        fail_msg("%zu claims without adjustment: there is nothing to adjust for", plain);
    if (gsl_cdf_binomial_Q((unsigned)best - 1, .05, NULLS) < .0005 || best < 10)
        fail_msg("%zu false claims against the best among %d", best, NULLS);
    if (gsl_cdf_binomial_Q((unsigned)baseline - 1, .05, NULLS) < .0005 || gsl_cdf_binomial_P((unsigned)baseline, .05, NULLS) < .0005)
        fail_msg("%zu false claims against a baseline among %d", baseline, NULLS);
}

static void test_memory(void **state)
{
    static struct guesses g[2];
    static const char *const names[] = {"a", "b"};
    const struct evaluation *e[] = {&g[0].e, &g[1].e};
    long after = 0;
    (void)state;
    fill(&g[0], 5, mae_a, nothing, counts);
    fill(&g[1], 5, mae_b, nothing, counts);
    for (atomic_long left = -1; left < 0; after++) {
        struct comparison c = {.test = TEST_RANDOMIZATION, .resamples = 200};
        assert_int_equal(comparison_measure(&c, "user_mae", 1, true, NULL), ST_OK);
        left = after;
        mem_set_hook(fail_one, &left);
        enum status st = comparison_make(&c, e, names, 2, 2, NULL, NULL);
        mem_set_hook(NULL, NULL);
        assert_int_equal(st, left < 0 ? ST_NOMEM : ST_OK);
        comparison_clear(&c);
    }
    assert_true(after > 8);
}

/* ---- segments ---- */

#define DAY (INT64_C(86400) * 1000000)

/* Train before day 10. a: 1 event two days before; b: 5, the last 9 days before; c is cold; d: 6 of the popular x. */
static const struct row rows[] = {
    {"a", "x", NULL, 8 * DAY, NULL},  {"a", "y", NULL, 11 * DAY, NULL}, {"b", "x", NULL, 1 * DAY, NULL}, {"b", "y", NULL, 1 * DAY, NULL},
    {"b", "z", NULL, 1 * DAY, NULL},  {"b", "v", NULL, 1 * DAY, NULL},  {"b", "w", NULL, 1 * DAY, NULL}, {"b", "x", NULL, 12 * DAY, NULL},
    {"c", "x", NULL, 13 * DAY, NULL}, {"d", "x", NULL, 1 * DAY, NULL},  {"d", "x", NULL, 1 * DAY, NULL}, {"d", "x", NULL, 1 * DAY, NULL},
    {"d", "x", NULL, 1 * DAY, NULL},  {"d", "x", NULL, 1 * DAY, NULL},  {"d", "x", NULL, 1 * DAY, NULL}, {"d", "z", NULL, 14 * DAY, NULL},
};

/* "1-4: a; 5-9: b d" */
static void assert_cohorts(const struct dataset *d, const struct split *s, const struct comparison *c, const char *by, const char *expected)
{
    struct cohorts x;
    struct error err;
    struct str text = {0};
    if (cohorts_make(d, s, PART_TEST, c, by, &x, &err))
        fail_msg("%s", err.message);
    for (size_t i = 0; i < x.n; i++) {
        str_printf(&text, "%s%s:", i ? "; " : "", x.list[i].name);
        for (size_t u = 0; u < x.list[i].n; u++)
            str_printf(&text, " %s", dict_text(&d->users, c->user[x.list[i].users[u]]));
    }
    assert_string_equal(str_text(&text), expected);
    str_free(&text);
    cohorts_clear(&x);
}

static void test_cohorts(void **state)
{
    static const char *const kind[] = {"F", "M", "F", NULL};
    static const int64_t ages[] = {18, 40, 30, NO_INT};
    static uint32_t user[] = {0, 1, 2, 3};
    static uint8_t warm[] = {1, 1, 0, 1};
    struct comparison c = {.nusers = 4, .user = user, .warm = warm};
    struct dataset *d = rows_dataset(ROWS(rows), true);
    struct split_spec spec = {.kind = SPLIT_TIME, .at = 10 * DAY};
    struct split *s;
    struct field *f;
    struct cohorts none;
    struct error err;
    (void)state;
    assert_int_equal(fields_add(&d->user_fields, "sex", FIELD_TEXT, &f, NULL), ST_OK);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(field_push_text(f, kind[i], kind[i] ? 1 : 0, NULL), ST_OK);
    assert_int_equal(fields_add(&d->user_fields, "age", FIELD_INT, &f, NULL), ST_OK);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(field_push_int(f, ages[i], NULL), ST_OK);
    assert_int_equal(split_new(d, &spec, &s, NULL), ST_OK);
    assert_cohorts(d, s, &c, "history_length", "1-4: a; 5-9: b d; none: c");
    assert_cohorts(d, s, &c, "recency", "1d to 7d: a; 7d to 30d: b d");
    assert_cohorts(d, s, &c, "cold", "warm: a b d; cold: c");
    assert_cohorts(d, s, &c, "taste", "niche: b; mainstream: a d");
    assert_cohorts(d, s, &c, "user.sex", "F: a; M: b; none: d");
    assert_cohorts(d, s, &c, "age", "18: a; 40: b; none: d");
    assert_int_equal(cohorts_make(d, s, PART_TEST, &c, "sx", &none, &err), ST_USAGE);
    assert_non_null(strstr(err.hint, "did you mean sex"));
    split_release(s);
    dataset_release(d);
}

/* Many numbers are cut so that each segment has about as many users; names say what is in it. */
static void test_numbers(void **state)
{
    static uint32_t user[50];
    static uint8_t warm[50];
    static struct row many[51];
    static char names[50][8];
    struct comparison c = {.nusers = 50, .user = user, .warm = warm};
    struct split_spec spec = {.kind = SPLIT_TIME, .at = 3};
    struct field *f;
    struct split *s;
    struct cohorts x;
    (void)state;
    for (uint32_t u = 0; u < 50; u++) {
        snprintf(names[u], sizeof names[u], "u%u", u);
        many[u] = (struct row){names[u], "x", NULL, 5, NULL};
        user[u] = u, warm[u] = 1;
    }
    many[50] = (struct row){"u0", "x", NULL, 1, NULL};
    struct dataset *d = rows_dataset(many, 51, true);
    assert_int_equal(fields_add(&d->user_fields, "age", FIELD_INT, &f, NULL), ST_OK);
    for (uint32_t u = 0; u < 50; u++)
        assert_int_equal(field_push_int(f, 10 + 7 * u % 50, NULL), ST_OK); /* 10 .. 59, each once */
    assert_int_equal(split_new(d, &spec, &s, NULL), ST_OK);
    assert_int_equal(cohorts_make(d, s, PART_TEST, &c, "age", &x, NULL), ST_OK);
    assert_int_equal(x.n, 5);
    assert_string_equal(x.list[0].name, "10-19");
    assert_string_equal(x.list[4].name, "50-59");
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(x.list[i].n, 10);
    cohorts_clear(&x);
    split_release(s);
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),      cmocka_unit_test(test_pooled), cmocka_unit_test(test_intervals), cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_equal_models), cmocka_unit_test(test_memory), cmocka_unit_test(test_cohorts),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests_name("eval_comparison", tests, NULL, NULL);
}
