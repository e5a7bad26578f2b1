/* Simulation: who must win wins, the same seed gives the same bits, and intervals are those of the formulas. */
#include "tests/unit/unit.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/mem.h"
#include "models/driver.h"
#include "sim/generate.h"
#include "sim/measure.h"
#include "sim/simulate.h"
#include "tests/unit/memory.h"

static struct dataset *make_shop(uint64_t seed, bool impressions, double *return_gain)
{
    struct world_spec spec = world_spec_default();
    struct world *w = NULL;
    struct dataset *d = NULL;
    struct str source = {0};
    spec.users = 500;
    spec.items = 400;
    spec.days = 90;
    spec.seed = seed;
    if (return_gain)
        spec.truth.return_gain = *return_gain;
    assert_int_equal(world_new(&spec, &w, NULL), ST_OK);
    assert_int_equal(world_dataset(w, impressions, "shop", NULL, &d, NULL), ST_OK);
    str_puts(&source, "generate ");
    world_spec_format(&spec, &source);
    mem_free(d->source);
    d->source = mem_strdup(str_text(&source), NULL);
    str_free(&source);
    world_free(w);
    return d;
}

static struct model *train(struct dataset *d, const char *name)
{
    const struct model_class *class = model_class_find(name);
    struct param_value values[32] = {0};
    struct selection all = {.data = d, .parts = PART_TRAIN, .until = NO_TIME};
    struct model *m = NULL;
    assert_non_null(class);
    assert_int_equal(param_defaults(class->params, class->nparams, values, NULL), ST_OK);
    assert_int_equal(model_train(class, name, values, &all, 1, NULL, NULL, &m, NULL), ST_OK);
    param_values_free(values, class->nparams);
    return m;
}

static struct sim_outcome *run(const struct environment *e, const struct policy *policies, size_t n, uint64_t seed)
{
    struct sim_spec spec = {.users = 500, .days = 42, .slate = 8, .seen = SEEN_SHOW, .seed = seed};
    struct sim_outcome *o = NULL;
    struct error err;
    if (simulate(e, policies, n, &spec, NULL, &o, &err))
        fail_msg("%s", err.message);
    return o;
}

struct fixture {
    struct dataset *data;
    struct environment *shop;
    struct model *pop, *knn;
};

static int open_shop(void **state)
{
    static struct fixture f;
    struct error err;
    f.data = make_shop(3, false, NULL);
    if (environment_shop(f.data, &f.shop, &err))
        fail_msg("%s", err.message);
    f.pop = train(f.data, "pop");
    f.knn = train(f.data, "itemknn");
    *state = &f;
    return 0;
}

static int close_shop(void **state)
{
    struct fixture *f = *state;
    model_release(f->pop);
    model_release(f->knn);
    environment_free(f->shop);
    dataset_release(f->data);
    return 0;
}

static bool surely_better(const struct sim_outcome *o, size_t a, size_t b, enum sim_metric metric)
{
    struct estimate d = sim_difference(o, a, b, metric);
    return d.low > 0 && d.value > d.low && d.value < d.high;
}

static void knowledge_pays(void **state)
{
    struct fixture *f = *state;
    struct policy policies[] = {{"oracle", POLICY_ORACLE, NULL},
                                {"itemknn", POLICY_MODEL, f->knn},
                                {"pop", POLICY_MODEL, f->pop},
                                {"random", POLICY_RANDOM, NULL}};
    struct sim_outcome *o = run(f->shop, policies, 4, 1);
    assert_true(surely_better(o, 0, 1, SIM_CTR));
    assert_true(surely_better(o, 1, 2, SIM_CTR));
    assert_true(surely_better(o, 2, 3, SIM_CTR));
    assert_true(surely_better(o, 1, 3, SIM_REVENUE));
    /* Pleasant visits bring people back. */
    assert_true(surely_better(o, 0, 3, SIM_RETURN));
    sim_outcome_free(o);
}

static void the_same_policy_twice_differs_by_nothing(void **state)
{
    struct fixture *f = *state;
    struct policy policies[] = {{"a", POLICY_MODEL, f->knn}, {"b", POLICY_MODEL, f->knn}};
    struct sim_outcome *o = run(f->shop, policies, 2, 1);
    for (int m = 0; m < SIM_METRICS; m++) {
        struct estimate d = sim_difference(o, 0, 1, (enum sim_metric)m);
        assert_true(d.value == 0 && d.low == 0 && d.high == 0);
        assert_true(sim_value(o, 0, (enum sim_metric)m).value > 0);
    }
    sim_outcome_free(o);
}

static void bits_follow_the_seed_not_the_threads(void **state)
{
    struct fixture *f = *state;
    struct policy policies[] = {{"knn", POLICY_MODEL, f->knn}, {"random", POLICY_RANDOM, NULL}};
    int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    struct sim_outcome *a = run(f->shop, policies, 2, 1);
    omp_set_num_threads(2);
    struct sim_outcome *b = run(f->shop, policies, 2, 1);
    omp_set_num_threads(threads);
    struct sim_outcome *c = run(f->shop, policies, 2, 2);
    assert_memory_equal(a->totals, b->totals, 2 * a->spec.users * sizeof *a->totals);
    assert_memory_equal(a->day, b->day, 2 * a->spec.days * sizeof *a->day);
    assert_memory_not_equal(a->totals, c->totals, 2 * a->spec.users * sizeof *a->totals);
    sim_outcome_free(a);
    sim_outcome_free(b);
    sim_outcome_free(c);
}

static void days_add_up_to_totals(void **state)
{
    struct fixture *f = *state;
    struct policy policy = {"knn", POLICY_MODEL, f->knn};
    struct sim_outcome *o = run(f->shop, &policy, 1, 1);
    struct sim_totals sum = {0};
    double clicks = 0, active = 0;
    for (uint32_t u = 0; u < o->spec.users; u++) {
        sum.clicks += o->totals[u].clicks;
        sum.active_days += o->totals[u].active_days;
        sum.impressions += o->totals[u].impressions;
        assert_true(o->totals[u].clicks <= o->totals[u].impressions);
        assert_true(o->totals[u].purchases <= o->totals[u].clicks);
        assert_true(o->totals[u].active_days <= o->totals[u].visits);
    }
    for (uint32_t d = 0; d < o->spec.days; d++) {
        clicks += o->day[d].clicks;
        active += o->day[d].active;
        struct estimate e = sim_daily(o, 0, d, SIM_CTR);
        assert_true(e.low < e.value && e.value < e.high);
    }
    assert_true(clicks == sum.clicks && active == sum.active_days);
    assert_near(sim_value(o, 0, SIM_CTR).value, sum.clicks / sum.impressions, 1e-15);
    sim_outcome_free(o);
}

/* Twelve people by hand: four times the same three. */
static void intervals_are_those_of_the_formulas(void **state)
{
    (void)state;
    static const struct sim_totals three[6] = {{.clicks = 1, .impressions = 10, .active_days = 1},
                                               {.clicks = 3, .impressions = 10, .active_days = 2},
                                               {.clicks = 2, .impressions = 20, .active_days = 3},
                                               {.clicks = 0, .impressions = 10},
                                               {.clicks = 1, .impressions = 10},
                                               {.clicks = 2, .impressions = 10}};
    struct sim_totals t[24];
    for (int k = 0; k < 12; k++) {
        t[k] = three[k % 3];
        t[12 + k] = three[3 + k % 3];
    }
    struct sim_outcome o = {.spec = {.users = 12, .days = 4}, .npolicies = 2, .totals = t};
    double q = gsl_cdf_tdist_Pinv(.975, 11);
    struct estimate clicks = sim_value(&o, 0, SIM_CLICKS);
    assert_near(clicks.value, 2, 1e-12);
    assert_near(clicks.high, 2 + q * sqrt(8. / 11 / 12), 1e-12); /* squares: 4 * (1 + 1 + 0) */
    struct estimate ctr = sim_value(&o, 0, SIM_CTR);
    /* ratio .15; residuals -.5, 1.5, -1 over mean impressions 40/3 */
    double square = 4 * (.25 + 2.25 + 1) / (40. / 3) / (40. / 3);
    assert_near(ctr.value, .15, 1e-12);
    assert_near(ctr.high, .15 + q * sqrt(square / 11 / 12), 1e-12);
    struct estimate d = sim_difference(&o, 0, 1, SIM_CLICKS); /* 1, 2, 0 */
    assert_near(d.value, 1, 1e-12);
    assert_near(d.low, 1 - q * sqrt(8. / 11 / 12), 1e-12);
    assert_near(sim_value(&o, 0, SIM_RETURN).value, .5, 1e-12);
    o.spec.users = 3; /* too few for the interval of a ratio */
    assert_true(isnan(sim_value(&o, 0, SIM_CTR).low));
}

/* Nobody of 20 came: Wilson's interval ends at z^2 / (n + z^2). */
static void a_day_without_visits_is_not_certain(void **state)
{
    (void)state;
    struct sim_day day = {0};
    struct sim_outcome o = {.spec = {.users = 20, .days = 1}, .npolicies = 1, .day = &day};
    struct estimate e = sim_daily(&o, 0, 0, SIM_RETURN);
    double z2 = pow(gsl_cdf_ugaussian_Pinv(.975), 2);
    assert_true(e.value == 0 && e.low == 0);
    assert_near(e.high, z2 / (20 + z2), 1e-12);
    assert_true(isnan(sim_daily(&o, 0, 0, SIM_CTR).value));
}

static void other_data_is_not_taken_for_the_shop(void **state)
{
    (void)state;
    struct dataset *d = make_shop(4, false, NULL);
    struct environment *e = NULL;
    struct error err;
    mem_free(d->source);
    d->source = mem_strdup("generate users=500 items=400 days=90 seed=5", NULL);
    assert_int_equal(environment_shop(d, &e, &err), ST_UNSUPPORTED);
    assert_non_null(strstr(err.hint, "fitted"));
    dataset_release(d);
}

/* ---- the fitted world ---- */

static struct environment *fit(struct dataset *d, const struct fit_options *o)
{
    struct environment *e = NULL;
    struct error err;
    if (environment_fit(d, o, NULL, &e, &err))
        fail_msg("%s", err.message);
    return e;
}

static void logs_are_measured(void **state)
{
    (void)state;
    double no_gain = 0;
    struct dataset *d = make_shop(5, true, &no_gain);
    struct world_spec spec = world_spec_default();
    struct visits v;
    struct exposure x;
    assert_int_equal(measure_visits(d, &v, NULL), ST_OK);
    assert_true(fabs(v.rate / spec.truth.sessions - 1) < .25); /* who has left is still counted as there */
    assert_true(fabs(v.shape - spec.truth.activity_shape) < .4);
    assert_true(v.return_gain < .1);
    assert_int_equal(measure_exposure(d, (uint16_t)dict_find_text(&d->types, "click"), &x, NULL), ST_OK);
    assert_true(x.impressions > 50000);
    assert_true(fabs(x.decay - spec.truth.decay) < .1);
    mem_free(v.user_rate);
    dataset_release(d);
}

static void a_fitted_world_ranks_policies_as_the_truth_does(void **state)
{
    struct fixture *f = *state;
    struct fit_options options = {.visits = NAN, .ctr = NAN, .decay = NAN, .slate = 8, .seed = 1};
    struct environment *e = fit(f->data, &options);
    struct policy policies[] = {{"oracle", POLICY_ORACLE, NULL},
                                {"itemknn", POLICY_MODEL, f->knn},
                                {"pop", POLICY_MODEL, f->pop},
                                {"random", POLICY_RANDOM, NULL}};
    struct sim_outcome *o = run(e, policies, 4, 1);
    assert_true(surely_better(o, 0, 1, SIM_CTR));
    assert_true(surely_better(o, 1, 2, SIM_CTR));
    assert_true(surely_better(o, 2, 3, SIM_CTR));
    sim_outcome_free(o);
    environment_free(e);
}

/* Slates drawn by popularity get the click rate that was asked for; the best by popularity are near it. */
static void the_click_rate_is_as_told(void **state)
{
    struct fixture *f = *state;
    struct fit_options options = {.visits = .5, .ctr = .02, .decay = 1, .slate = 8, .seed = 1};
    struct environment *e = fit(f->data, &options);
    struct policy random = {"random", POLICY_RANDOM, NULL};
    struct sim_outcome *o = run(e, &random, 1, 1);
    double ctr = sim_value(o, 0, SIM_CTR).value, returns = sim_value(o, 0, SIM_RETURN).value;
    assert_true(ctr > .005 && ctr < .02);
    assert_true(returns > .2 && returns < .5);
    sim_outcome_free(o);
    environment_free(e);
}

static void data_without_times_needs_a_word(void **state)
{
    (void)state;
    struct dataset *d = make_shop(6, false, NULL);
    struct environment *e = NULL;
    struct error err;
    struct fit_options options = {.visits = NAN, .ctr = NAN, .decay = NAN, .slate = 8, .seed = 1};
    mem_free(d->events.time);
    d->events.time = NULL;
    assert_int_equal(environment_fit(d, &options, NULL, &e, &err), ST_UNSUPPORTED);
    assert_non_null(strstr(err.hint, "visits="));
    options.visits = .3;
    e = fit(d, &options);
    assert_true(e->start == NO_TIME);
    struct policy random = {"random", POLICY_RANDOM, NULL};
    sim_outcome_free(run(e, &random, 1, 1));
    environment_free(e);
    dataset_release(d);
}

/* ---- memory ---- */

/* Everything from the catalogue to the outcome, small. */
static enum status whole_way(bool fitted)
{
    struct world_spec spec = world_spec_default();
    struct world *w = NULL;
    struct dataset *d = NULL;
    struct environment *e = NULL;
    struct sim_outcome *o = NULL;
    struct policy random = {"random", POLICY_RANDOM, NULL};
    struct sim_spec trial = {.users = 20, .days = 3, .slate = 4, .seed = 1};
    struct fit_options options = {.visits = NAN, .ctr = NAN, .decay = NAN, .slate = 4, .seed = 1};
    struct error err;
    spec.users = 20;
    spec.items = 40;
    spec.days = 30;
    enum status st = world_new(&spec, &w, &err);
    if (!st)
        st = world_dataset(w, false, "generate users=20 items=40 days=30", NULL, &d, &err);
    if (!st) {
        mem_free(d->source);
        d->source = mem_strdup("generate users=20 items=40 days=30", &err);
        st = d->source ? ST_OK : ST_NOMEM;
    }
    if (!st)
        st = fitted ? environment_fit(d, &options, NULL, &e, &err) : environment_shop(d, &e, &err);
    if (!st)
        st = simulate(e, &random, 1, &trial, NULL, &o, &err);
    sim_outcome_free(o);
    environment_free(e);
    dataset_release(d);
    world_free(w);
    return st;
}

static void no_memory_unwinds(void **state)
{
    (void)state;
    int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    for (int fitted = 0; fitted < 2; fitted++) {
        enum status st = ST_NOMEM;
        long n = 0;
        for (; st == ST_NOMEM; n += 1 + n / 50) {
            atomic_long left = n;
            mem_set_hook(fail_one, &left);
            st = whole_way(fitted);
            mem_set_hook(NULL, NULL);
        }
        assert_int_equal(st, ST_OK);
        assert_true(n > 100);
    }
    omp_set_num_threads(threads);
}

static void a_cancelled_run_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct policy policy = {"knn", POLICY_MODEL, f->knn};
    struct sim_spec spec = {.users = 500, .days = 42, .slate = 8, .seed = 1};
    struct sim_outcome *o = NULL;
    struct job job;
    struct error err;
    job_init(&job);
    job_cancel(&job);
    assert_int_equal(simulate(f->shop, &policy, 1, &spec, &job, &o, &err), ST_CANCELLED);
    assert_null(o);
    job_destroy(&job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knowledge_pays),
        cmocka_unit_test(the_same_policy_twice_differs_by_nothing),
        cmocka_unit_test(bits_follow_the_seed_not_the_threads),
        cmocka_unit_test(days_add_up_to_totals),
        cmocka_unit_test(intervals_are_those_of_the_formulas),
        cmocka_unit_test(a_day_without_visits_is_not_certain),
        cmocka_unit_test(other_data_is_not_taken_for_the_shop),
        cmocka_unit_test(logs_are_measured),
        cmocka_unit_test(a_fitted_world_ranks_policies_as_the_truth_does),
        cmocka_unit_test(the_click_rate_is_as_told),
        cmocka_unit_test(data_without_times_needs_a_word),
        cmocka_unit_test(no_memory_unwinds),
        cmocka_unit_test(a_cancelled_run_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, open_shop, close_shop);
}
