/* The promise of `why`: what the score is made of sums to the score, for every class, on 1,000 random pairs of a user and an item of
 * the bundled shop, and of MovieLens 100K where $TAILOR_DATA has it. (Lists merged by place sum too, by a division that is named as
 * approximate.) */
#include "tests/unit/every_model.h"

#include <unistd.h>

#include "ingest/ingest.h"
#include "inspect/why.h"
#include "models/classes.h"

enum { PAIRS = 1000, ASKED_IN_FULL = 20 };

static struct dataset *with(struct dataset *d, enum attribute_target target, const char *path)
{
    const struct mapping id = {"id", "id"};
    struct ingest_report report;
    struct dataset *next;
    struct error err;
    if (ingest_attributes(d, target, path, &id, 1, NULL, NULL, &next, &report, &err))
        fail_msg("%s: %s", path, err.message);
    dataset_release(d);
    return next;
}

/* The shop has no ratings, so some are made up, for the models that learn from nothing else. */
static struct dataset *rate(struct dataset *d)
{
    d->events.value = mem_new(d->events.n, sizeof *d->events.value, "", NULL);
    for (size_t e = 0; e < d->events.n; e++)
        d->events.value[e] = (float)(1 + (d->events.user[e] % 3 + d->events.item[e] % 4 + d->events.type[e]) % 5);
    return d;
}

static struct dataset *load(const char *path)
{
    struct ingest_report report;
    struct dataset *d;
    struct error err;
    if (ingest_events(&path, 1, NULL, 0, "exact", NULL, NULL, &d, &report, &err))
        fail_msg("%s: %s", path, err.message);
    return d;
}

static struct dataset *load_shop(void)
{
    static const char *const names[] = {"events.csv.zst", "items.csv", "users.csv"};
    const char *bundled = getenv("DATASETS_DIR");
    char path[3][512];
    for (int i = 0; i < 3; i++)
        snprintf(path[i], sizeof path[i], "%s/shop/%s", bundled ? bundled : "", names[i]);
    return with(with(rate(load(path[0])), ATTRIBUTES_OF_ITEMS, path[1]), ATTRIBUTES_OF_USERS, path[2]);
}

/* NULL: it is not there. */
static struct dataset *load_movies(void)
{
    const char *root = getenv("TAILOR_DATA");
    char path[512];
    snprintf(path, sizeof path, "%s/ml-100k", root ? root : "");
    return root && access(path, R_OK) == 0 ? load(path) : NULL;
}

/* The whole of `why` must say the same as the explanation. */
static void check_whole(const struct model *m, const struct query *q, uint32_t item, double score)
{
    struct why w;
    assert_int_equal(why_make(m, q, item, SEEN_HIDE, 0, &w, NULL), ST_OK);
    assert_true((double)w.score == score || w.seen);
    why_clear(&w);
}

static struct dataset *shop, *movies;

static void check_pair(const struct model *m, const struct query *q, uint32_t item, size_t *finite, bool whole)
{
    struct explanation x;
    struct error err;
    enum status st = model_explain(m, q, item, &x, &err);
    if (st)
        fail_msg("%s: %s", m->name, err.message);
    double sum = x.base, size = fabs(x.base);
    for (size_t p = 0; p < x.nparts; p++) {
        sum += x.parts[p].value;
        size += fabs(x.parts[p].value);
    }
    assert_true(x.method && (x.exact == !strstr(x.method, "approximate")));
    if (isfinite(x.score)) {
        ++*finite;
        if (fabs(sum - x.score) > 1e-5 * size)
            fail_msg("%s: the parts sum to %.9g, the score is %.9g; their sizes sum to %.9g", m->name, sum, x.score, size);
        if (whole)
            check_whole(m, q, item, x.score);
    }
    explanation_clear(&x);
}

static void check_class(const struct model_class *class, const struct dataset *data)
{
    struct model *m = every_model(class, data);
    struct rng r = rng_stream(5, "pairs", 0);
    struct selection all = world_all(data);
    size_t finite = 0;
    for (size_t i = 0; i < PAIRS; i++) {
        struct history h;
        assert_int_equal(history_of_user(&all, (uint32_t)rng_below(&r, data->users.n), &h, NULL), ST_OK);
        struct query q = history_query(&h);
        check_pair(m, &q, (uint32_t)rng_below(&r, data->items.n), &finite, i < ASKED_IN_FULL);
        history_clear(&h);
    }
    assert_true(finite > PAIRS * 9 / 10);
    model_release(m);
}

static void test_shop(void **state)
{
    check_class(*state, shop);
}

static void test_movies(void **state)
{
    check_class(*state, movies);
}

int main(void)
{
    static struct every_tests tests;
    shop = load_shop();
    movies = load_movies();
    every_class(&tests, 0, "parts sum to the score in the shop", test_shop);
    if (movies)
        every_class(&tests, 0, "parts sum to the score of movies", test_movies);
    int failed = _cmocka_run_group_tests("inspect_exact", tests.test, tests.n, NULL, NULL);
    dataset_release(shop);
    dataset_release(movies);
    return failed;
}
