/* The made-up shop: the same bytes from the same seed, and logs from which the truth can be read back. */
#include "tests/unit/unit.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dict.h"
#include "base/file.h"
#include "base/mem.h"
#include "ingest/ingest.h"
#include "sim/world_files.h"

static struct world_spec small_spec(void)
{
    struct world_spec spec = world_spec_default();
    spec.users = 150;
    spec.items = 300;
    spec.days = 60;
    return spec;
}

static struct world *make(const struct world_spec *spec)
{
    struct world *w = NULL;
    struct error err;
    assert_int_equal(world_new(spec, &w, &err), ST_OK);
    return w;
}

static uint64_t file_hash(const char *path)
{
    char *data;
    size_t n;
    assert_int_equal(file_read(path, SIZE_MAX / 2, &data, &n, NULL), ST_OK);
    assert_true(n > 100);
    uint64_t h = hash_bytes(data, n, 0);
    mem_free(data);
    return h;
}

static void files_depend_on_the_seed_alone(void **state)
{
    (void)state;
    static const char *const names[] = {"a.csv", "b.csv", "c.csv"};
    char folder[] = "/tmp/tailor-sim-XXXXXX", path[3][64];
    uint64_t hash[3];
    assert_non_null(mkdtemp(folder));
    for (size_t k = 0; k < 3; k++) {
        struct world_spec spec = small_spec();
        spec.seed = k == 2 ? 2 : 1;
        struct world *w = make(&spec);
        struct world_files_made made;
        snprintf(path[k], sizeof path[k], "%s/%s", folder, names[k]);
        struct world_files how = {.path = path[k], .impressions = true, .columns = LOG_COLUMNS_CORE};
        int threads = omp_get_max_threads();
        omp_set_num_threads(k == 0 ? 1 : 2);
        assert_int_equal(world_set_rows(w, true, 20000, NULL, NULL), ST_OK);
        assert_int_equal(world_write(w, &how, NULL, &made, NULL), ST_OK);
        omp_set_num_threads(threads);
        hash[k] = file_hash(made.events);
        struct error err;
        assert_int_equal(world_write(w, &how, NULL, &made, &err), ST_USAGE); /* they are there already */
        unlink(made.events);
        unlink(made.items);
        unlink(made.users);
        world_free(w);
    }
    rmdir(folder);
    assert_true(hash[0] == hash[1]);
    assert_true(hash[0] != hash[2]);
}

static void strange_names_are_refused(void **state)
{
    (void)state;
    struct world_spec spec = small_spec();
    struct world *w = make(&spec);
    struct world_files how = {.path = "/tmp/shop.parquet"};
    struct world_files_made made;
    struct error err;
    assert_int_equal(world_write(w, &how, NULL, &made, &err), ST_USAGE);
    assert_non_null(strstr(err.hint, ".csv"));
    world_free(w);
}

static void titles_do_not_repeat(void **state)
{
    (void)state;
    struct world_spec spec = small_spec();
    spec.items = 30000;
    struct world *w = make(&spec);
    struct dict titles = {0};
    for (uint32_t i = 0; i < spec.items; i++) {
        char title[256];
        uint32_t code;
        int n = world_item_title(w, i, title, sizeof title);
        assert_true(n > 10 && n < 120);
        assert_int_equal(dict_add(&titles, title, (size_t)n, &code, NULL), ST_OK);
        assert_int_equal(code, i);
    }
    dict_clear(&titles);
    world_free(w);
}

static void propensities_are_the_chances_of_the_draw(void **state)
{
    (void)state;
    enum { DRAWS = 200000, PAGE = 3 };
    struct world_spec spec = small_spec();
    struct world *w = make(&spec);
    double *count = test_calloc(spec.items, sizeof *count), total = 0, second = 0;
    struct rng r = rng_stream(7, "test", 0);
    for (size_t k = 0; k < DRAWS; k++) {
        struct slate s;
        world_log_slate(w, PAGE, 30, &r, &s);
        assert_int_equal(s.n, spec.slate);
        count[s.item[0]]++;
        double p = world_draw_probability(w, PAGE, 30, s.item[0]), q = world_draw_probability(w, PAGE, 30, s.item[1]);
        assert_true(fabs(s.propensity[0] - p) < 1e-12);
        assert_true(fabs(s.propensity[1] - q / (1 - p)) < 1e-12);
        second += 1 / s.propensity[1];
    }
    uint32_t n = world_stocked(w, PAGE, 30);
    for (uint32_t i = 0; i < spec.items; i++) {
        double p = world_draw_probability(w, PAGE, 30, i);
        total += p;
        assert_true(fabs(count[i] / DRAWS - p) < 5 * sqrt(p / DRAWS) + 1e-9);
    }
    assert_true(fabs(total - 1) < 1e-9);
    /* Given the first, the inverse propensities of the second count the items that are left. */
    assert_true(fabs(second / DRAWS - (n - 1)) < .02 * n);
    test_free(count);
    world_free(w);
}

/* ---- recovering the truth from a log ---- */

struct gather {
    const struct world *w;
    double weight[MAX_SLATE], clicks[MAX_SLATE], square[MAX_SLATE]; /* a position: sums of w, w click, (w click)^2 */
    double shown[MAX_SLATE];
    double last[MAX_SLATE]; /* weights of the slate being read */
    uint64_t sessions;
    double *user_sessions;
    double *user_price, *user_clicks; /* summed relative price of what was clicked */
    bool ok;
};

static enum status gather_rows(void *context, size_t slot, const struct log *block, struct error *err)
{
    struct gather *g = context;
    (void)slot;
    (void)err;
    uint64_t session = UINT64_MAX;
    int64_t time = 0;
    uint32_t user = UINT32_MAX;
    for (size_t i = 0; i < block->n; i++) {
        const struct log_row *row = &block->row[i];
        unsigned k = row->position - 1u;
        g->ok &= row->user != user || row->time >= time;
        g->ok &= g->w->item[row->item].arrives <= (row->time - g->w->spec.start / US_PER_SECOND) / 86400;
        user = row->user;
        time = row->time;
        if (row->session != session)
            g->user_sessions[user]++;
        session = row->session;
        if (row->type == LOG_IMPRESSION) {
            g->ok &= row->propensity > 0 && row->propensity <= 1;
            g->last[k] = 1 / row->propensity;
            g->weight[k] += g->last[k];
            g->shown[k]++;
        } else if (row->type == LOG_CLICK) {
            g->clicks[k] += g->last[k];
            g->square[k] += g->last[k] * g->last[k];
            g->user_price[user] += (double)g->w->item[row->item].relative_price;
            g->user_clicks[user]++;
        }
    }
    return ST_OK;
}

static struct gather read_log(const struct world *w)
{
    struct gather g = {.w = w, .ok = true};
    struct log_sink sink = {&g, NULL, gather_rows};
    g.user_sessions = test_calloc(w->spec.users, sizeof(double));
    g.user_price = test_calloc(w->spec.users, sizeof(double));
    g.user_clicks = test_calloc(w->spec.users, sizeof(double));
    assert_int_equal(log_generate(w, true, &sink, NULL, NULL), ST_OK);
    assert_true(g.ok);
    return g;
}

static void gather_free(struct gather *g)
{
    test_free(g->user_sessions);
    test_free(g->user_price);
    test_free(g->user_clicks);
}

/* Clicks weighted by 1 / propensity are those of a policy that shows every item alike often at every position, so their
 * ratio is the ratio of examination alone. */
static void position_bias_is_recovered(void **state)
{
    (void)state;
    struct world_spec spec = world_spec_default();
    spec.users = 3000;
    spec.days = 90;
    spec.truth.home = 1; /* one large page: leaving out the few items above changes nothing */
    spec.truth.decay = .7;
    struct world *w = make(&spec);
    struct gather g = read_log(w);
    double first = g.clicks[0] / g.weight[0], first_error = g.square[0] / (g.clicks[0] * g.clicks[0]);
    assert_true(g.shown[0] > 30000);
    for (unsigned k = 1; k < spec.slate; k++) {
        double ratio = g.clicks[k] / g.weight[k] / first, truth = pow(k + 1, -spec.truth.decay);
        double sigma = ratio * sqrt(first_error + g.square[k] / (g.clicks[k] * g.clicks[k]));
        assert_true(fabs(ratio - truth) < 3.5 * sigma);
        assert_true(sigma < .1 * truth); /* and it can tell: .5 would be far outside */
    }
    gather_free(&g);
    world_free(w);
}

static void activity_is_recovered(void **state)
{
    (void)state;
    struct world_spec spec = world_spec_default();
    spec.users = 3000;
    spec.days = 56;
    spec.truth.new_users = spec.truth.leave = spec.truth.return_gain = 0;
    struct world *w = make(&spec);
    struct gather g = read_log(w);
    double mean = gsl_stats_mean(g.user_sessions, 1, spec.users),
           var = gsl_stats_variance(g.user_sessions, 1, spec.users);
    double expected = spec.truth.sessions * spec.days;
    assert_true(fabs(mean - expected) < 4 * sqrt(var / spec.users));
    /* Poisson with a gamma rate: variance = mean + mean^2 / shape. */
    double shape = mean * mean / (var - mean);
    assert_true(fabs(shape - spec.truth.activity_shape) < .2);
    gather_free(&g);
    world_free(w);
}

static void price_sensitivity_shows(void **state)
{
    (void)state;
    struct world_spec spec = world_spec_default();
    struct world *w = make(&spec);
    struct gather g = read_log(w);
    struct shopper s;
    assert_int_equal(shopper_new(w, &s, NULL), ST_OK);
    double *trait = test_calloc(spec.users, sizeof *trait), *paid = test_calloc(spec.users, sizeof *paid);
    size_t n = 0;
    for (uint32_t u = 0; u < spec.users; u++) {
        shopper_born(w, &s, u);
        if (g.user_clicks[u] < 10)
            continue;
        trait[n] = (double)s.price;
        paid[n++] = g.user_price[u] / g.user_clicks[u];
    }
    assert_true(n > 500);
    assert_true(gsl_stats_correlation(trait, 1, paid, 1, n) < -.3);
    test_free(trait);
    test_free(paid);
    shopper_clear(&s);
    gather_free(&g);
    world_free(w);
}

static void rows_can_be_asked_for(void **state)
{
    (void)state;
    struct world_spec spec = small_spec();
    spec.users = 600;
    static const uint64_t wanted[] = {50000, 777, 4321, 1};
    for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++) {
        bool impressions = k != 2;
        struct world *w = make(&spec);
        struct dataset *d = NULL;
        assert_int_equal(world_set_rows(w, impressions, wanted[k], NULL, NULL), ST_OK);
        assert_int_equal(world_dataset(w, impressions, "shop", NULL, &d, NULL), ST_OK);
        assert_int_equal(d->events.n, wanted[k]);
        dataset_release(d);
        world_free(w);
    }
    spec.users = 1;
    spec.days = 1;
    struct world *w = make(&spec);
    assert_int_equal(world_set_rows(w, true, 1000000, NULL, NULL), ST_USAGE);
    world_free(w);
}

static void the_data_set_is_whole(void **state)
{
    (void)state;
    struct world_spec spec = small_spec();
    struct world *w = make(&spec);
    struct dataset *d = NULL;
    assert_int_equal(world_dataset(w, true, "shop", NULL, &d, NULL), ST_OK);
    assert_int_equal(d->users.n, spec.users);
    assert_int_equal(d->items.n, spec.items);
    assert_int_equal(d->types.n, LOG_TYPES);
    assert_true(d->type_weight[dict_find_text(&d->types, "impression")] == 0);
    assert_true(d->type_weight[dict_find_text(&d->types, "purchase")] > 0);
    uint32_t item = dict_find_text(&d->items, "p001");
    char title[256];
    world_item_title(w, 0, title, sizeof title);
    assert_string_equal(dataset_item_title(d, item), title);
    assert_non_null(dataset_item_category(d));
    const struct field *quantity = fields_find(&d->events.context, "quantity");
    const struct field *propensity = fields_find(&d->events.context, "propensity");
    for (size_t e = 0; e < d->events.n; e++) {
        const char *type = dict_text(&d->types, d->events.type[e]);
        assert_int_equal(field_missing(quantity, e), strcmp(type, "purchase") != 0);
        assert_int_equal(field_missing(propensity, e), strcmp(type, "impression") != 0);
    }
    dataset_release(d);
    world_free(w);
}

static enum status no_reject(void *context, const char *file, uint64_t line, const char *reason, const char *text,
                             size_t n, struct error *err)
{
    (void)context;
    (void)text;
    (void)n;
    return error_set(err, ST_FORMAT, "%s:%llu: %s", file, (unsigned long long)line, reason);
}

static void same_fields(const struct fields *a, const struct fields *b)
{
    struct str x = {0}, y = {0};
    assert_int_equal(a->n, b->n);
    for (size_t f = 0; f < a->n; f++) {
        assert_string_equal(a->field[f].name, b->field[f].name);
        assert_int_equal(a->field[f].type, b->field[f].type);
        assert_int_equal(a->field[f].n, b->field[f].n);
        for (size_t row = 0; row < a->field[f].n; row++) {
            str_clear(&x);
            str_clear(&y);
            field_format(&a->field[f], row, &x);
            field_format(&b->field[f], row, &y);
            if (strcmp(str_text(&x), str_text(&y)) != 0)
                fail_msg("%s, row %zu: %s and %s", a->field[f].name, row, str_text(&x), str_text(&y));
        }
    }
    str_free(&x);
    str_free(&y);
}

/* Written and read, the world is the one that was made in memory, to the last attribute. */
static void files_read_back_as_the_data_set(void **state)
{
    (void)state;
    char folder[] = "/tmp/tailor-sim-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct world_spec spec = small_spec();
    struct world *w = make(&spec);
    struct world_files how = {.path = folder, .impressions = true};
    struct world_files_made made;
    struct dataset *made_here = NULL, *read = NULL;
    struct reject_sink rejects = {.reject = no_reject};
    struct ingest_report report = {0};
    struct error err;
    const char *path = folder;
    assert_int_equal(world_write(w, &how, NULL, &made, NULL), ST_OK);
    if (ingest_events(&path, 1, NULL, 0, "shop", &rejects, NULL, &read, &report, &err))
        fail_msg("%s", err.message);
    assert_int_equal(world_dataset(w, true, "shop", NULL, &made_here, NULL), ST_OK);
    size_t n = made_here->events.n;
    assert_int_equal(read->events.n, n);
    assert_memory_equal(read->events.user, made_here->events.user, n * sizeof *read->events.user);
    assert_memory_equal(read->events.item, made_here->events.item, n * sizeof *read->events.item);
    assert_memory_equal(read->events.time, made_here->events.time, n * sizeof *read->events.time);
    assert_memory_equal(read->events.type, made_here->events.type, n * sizeof *read->events.type);
    same_fields(&read->events.context, &made_here->events.context);
    same_fields(&read->item_fields, &made_here->item_fields);
    same_fields(&read->user_fields, &made_here->user_fields);
    dataset_release(read);
    dataset_release(made_here);
    unlink(made.events);
    unlink(made.items);
    unlink(made.users);
    rmdir(folder);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_depend_on_the_seed_alone), cmocka_unit_test(strange_names_are_refused),
        cmocka_unit_test(titles_do_not_repeat),           cmocka_unit_test(propensities_are_the_chances_of_the_draw),
        cmocka_unit_test(position_bias_is_recovered),     cmocka_unit_test(activity_is_recovered),
        cmocka_unit_test(price_sensitivity_shows),        cmocka_unit_test(rows_can_be_asked_for),
        cmocka_unit_test(the_data_set_is_whole),          cmocka_unit_test(files_read_back_as_the_data_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
