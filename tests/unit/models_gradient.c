/* What the models learned by gradient steps share: the grid of tasks, folding in, learning at all. */
#include "tests/unit/world.h"

#include "data/interactions.h"
#include "models/classes.h"
#include "models/gradient.h"
#include "models/update.h"

static const struct model_class *const classes[] = {&model_bpr, &model_warp, &model_lmf};
enum { CLASSES = sizeof classes / sizeof *classes };

/* Every event is learnt from once an epoch; no negative is an item of the user; no two tasks of a round share a row. */
struct audit {
    uint32_t *seen;          /* users x items */
    atomic_int *user, *item; /* tasks that touch the row now */
    atomic_size_t events, negatives, wrong;
};

static void touch(struct audit *a, atomic_int *row)
{
    a->wrong += atomic_fetch_add(row, 1) != 0;
    atomic_fetch_sub(row, 1);
}

static void audit(struct sgd_task *t, const struct sgd_event *events, size_t n)
{
    struct audit *a = *(struct audit *const *)t->context;
    for (size_t e = 0; e < n; e++) {
        uint32_t u = events[e].user, i = events[e].item, j = sgd_negative(t, u);
        a->seen[u * t->s->items + i]++;
        a->events++;
        touch(a, &a->user[u]);
        touch(a, &a->item[i]);
        if (j == NO_ITEM)
            continue;
        for (size_t p = t->s->seen->begin[u]; p < t->s->seen->begin[u + 1]; p++)
            a->wrong += t->s->seen->index[p] == j;
        touch(a, &a->item[j]);
        a->negatives++;
    }
}

static void check_grid(size_t users, size_t items, size_t events)
{
    struct dataset *d = world_new(users, items, events, 5);
    struct selection all = world_all(d);
    struct interactions x;
    struct sgd s;
    double loss;
    assert_int_equal(interactions_build(&all, &x, NULL), ST_OK);
    assert_int_equal(sgd_new(&s, &x.matrix, 5, .1, 3, NULL), ST_OK);
    struct audit a = {mem_new(s.users * s.items, sizeof *a.seen, "", NULL), mem_new(s.users, sizeof *a.user, "", NULL),
                      mem_new(s.items, sizeof *a.item, "", NULL), 0, 0, 0};
    struct audit *context = &a;
    for (size_t epoch = 0; epoch < 3; epoch++)
        assert_int_equal(sgd_epoch(&s, audit, &context, epoch, .1, NULL, &loss, NULL), ST_OK);
    assert_int_equal(a.events, 3 * csr_count(&x.matrix));
    for (size_t u = 0; u < s.users; u++)
        for (size_t p = x.matrix.begin[u]; p < x.matrix.begin[u + 1]; p++)
            assert_int_equal(a.seen[u * s.items + x.matrix.index[p]], 3);
    assert_true(a.negatives > a.events / 2);
    assert_int_equal(a.wrong, 0);
    mem_free(a.seen);
    mem_free(a.user);
    mem_free(a.item);
    sgd_clear(&s);
    interactions_clear(&x);
    dataset_release(d);
}

static void test_grid(void **state)
{
    (void)state;
    check_grid(40, 50, 600);     /* one group */
    check_grid(700, 400, 9000);  /* several */
    check_grid(1500, 2000, 9000);
}

/* The loss falls, and items of the user's own group come before others: in both, more than by chance. */
static void test_learns(void **state)
{
    (void)state;
    struct dataset *d = world_new(300, 240, 9000, 3);
    struct query_event *room = mem_new(d->events.n, sizeof *room, "", NULL);
    float *scores = mem_new(d->items.n, sizeof *scores, "", NULL);
    for (size_t c = 0; c < CLASSES; c++) {
        struct model *m = world_train(d, classes[c], (const char *[]){"factors=16", "epochs=30", NULL});
        const double *curve = m->record.curve;
        assert_true(curve[29] < .8 * curve[0]);
        size_t right = 0, pairs = 0;
        for (uint32_t u = 0; u < d->users.n; u += 7) {
            size_t group = (size_t)atoi(dict_text(&d->users, u) + 1) % WORLD_GROUPS;
            struct query q = world_query(d, u, room);
            assert_int_equal(model_score(m, &q, 1, scores, NULL), ST_OK);
            for (uint32_t i = 0; i + 1 < d->items.n; i++) {
                size_t own = (size_t)atoi(dict_text(&d->items, i) + 1) % WORLD_GROUPS == group;
                size_t next = (size_t)atoi(dict_text(&d->items, i + 1) + 1) % WORLD_GROUPS == group;
                if (own == next)
                    continue;
                right += (scores[i] > scores[i + 1]) == (own > next);
                pairs++;
            }
        }
        print_message("# %s: %.3f of pairs in order, fold-in %.3f\n", m->class->name, (double)right / (double)pairs, m->record.fold_in);
        assert_true(right > .75 * (double)pairs);
        assert_true(m->record.fold_in > .3);
        model_release(m);
    }
    mem_free(room);
    mem_free(scores);
    dataset_release(d);
}

/* d, and a new item of group 0 that some users of this group take. */
static struct dataset *with_new_item(const struct dataset *d, size_t takers)
{
    struct dataset *e = world_empty(d->events.n + takers);
    for (uint64_t s = 0; s < d->events.n; s++) {
        size_t i = 0;
        while (d->events.sequence[i] != s)
            i++;
        world_event(e, dict_text(&d->users, d->events.user[i]), dict_text(&d->items, d->events.item[i]),
                    dict_text(&d->types, d->events.type[i]), d->events.time[i] / US_PER_SECOND);
    }
    for (size_t n = 0; n < takers; n++) {
        char user[16];
        snprintf(user, sizeof user, "u%zu", n * WORLD_GROUPS);
        world_event(e, user, "i1000", "click", WORLD_START + 1000000);
    }
    world_describe(e);
    assert_int_equal(dataset_finish(e, NULL), ST_OK);
    return e;
}

/* Share of the items that stand below the new one, on average over users of group 0 who do not have it, or over those of others. */
static double standing(const struct dataset *d, const struct model *m, uint32_t item, size_t takers, bool own)
{
    struct query_event *room = mem_new(d->events.n, sizeof *room, "", NULL);
    float *scores = mem_new(d->items.n, sizeof *scores, "", NULL);
    size_t below = 0, all = 0;
    for (uint32_t u = 0; u < d->users.n; u++) {
        size_t id = (size_t)atoi(dict_text(&d->users, u) + 1);
        if ((id % WORLD_GROUPS == 0) != own || (own && id < takers * WORLD_GROUPS))
            continue;
        struct query q = world_query(d, u, room);
        assert_int_equal(model_score(m, &q, 1, scores, NULL), ST_OK);
        for (uint32_t i = 0; i < d->items.n; i++)
            below += scores[i] < scores[item];
        all += d->items.n;
    }
    mem_free(room);
    mem_free(scores);
    return (double)below / (double)all;
}

/* An update knows whom a new item is for, and what was known stays known. */
static void test_update(void **state)
{
    (void)state;
    enum { TAKERS = 12 };
    struct dataset *then = world_new(1200, 120, 18000, 3), *now = with_new_item(then, TAKERS);
    struct selection before = world_all(then), after = world_all(now);
    uint32_t item = dict_find_text(&now->items, "i1000");
    assert_int_equal(item, then->items.n);
    for (size_t c = 0; c < CLASSES; c++) {
        struct model *old = world_train(then, classes[c], (const char *[]){"factors=16", "epochs=20", NULL}), *m = NULL, *same = NULL;
        struct update_report report;
        size_t width;
        assert_int_equal(model_update(old, &before, &after, NULL, &report, &m, NULL), ST_OK);
        assert_false(report.trained);
        assert_int_equal(report.users, TAKERS);
        double own = standing(now, m, item, TAKERS, true), other = standing(now, m, item, TAKERS, false), moved = 0, size = 0;
        const float *y = old->class->vectors(old, &width), *z = m->class->vectors(m, &width);
        for (size_t i = 0; i < old->nitems * width; i++) {
            moved += (double)(y[i] - z[i]) * (double)(y[i] - z[i]);
            size += (double)y[i] * (double)y[i];
        }
        print_message("# %s: a new item stands above %.2f of the items for its group, %.2f for others; others moved by %.3f\n",
                      classes[c]->name, own, other, sqrt(moved / size));
        assert_true(own > .6 && own > other + .1);
        assert_true(moved > 0 && sqrt(moved / size) < .2);
        assert_int_equal(model_update(old, &before, &before, NULL, &report, &same, NULL), ST_OK); /* nothing has come */
        assert_memory_equal(same->class->vectors(same, &width), y, old->nitems * width * sizeof *y);
        model_release(same);
        model_release(m);
        model_release(old);
    }
    dataset_release(now);
    dataset_release(then);
}

/* Folding in solves what its header says: the gradient of that objective is zero at the vector, by finite differences. */
static double fold_objective(const struct least_squares *s, const float *y, const uint32_t *index, size_t n, const double *x)
{
    double sum = 0, length = 0, square = 0;
    for (size_t i = 0; i < s->items; i++) {
        double p = 0;
        for (size_t f = 0; f < s->k; f++) {
            p += x[f] * y[i * s->k + f];
            length += (double)y[i * s->k + f] * y[i * s->k + f];
        }
        sum += s->alpha0 * p * p;
        for (size_t j = 0; j < n; j++)
            sum += index[j] == i ? (1 - p) * (1 - p) : 0;
    }
    for (size_t f = 0; f < s->k; f++)
        square += x[f] * x[f];
    length /= (double)s->items;
    return sum + s->lambda * length / (double)s->k * ((double)n + s->alpha0 * (double)s->items) * square;
}

static void test_fold(void **state)
{
    (void)state;
    enum { K = 7, N = 5, ITEMS = 40 };
    float y[ITEMS * K], x[K];
    struct rng r = rng_stream(2, "fold", 0);
    for (size_t i = 0; i < ITEMS * K; i++)
        y[i] = (float)rng_normal(&r);
    struct least_squares s = {.alpha0 = .02, .lambda = .7};
    assert_int_equal(least_squares_set(&s, y, ITEMS, K, NULL), ST_OK);
    struct query_event events[N];
    uint32_t index[N];
    for (uint32_t j = 0; j < N; j++)
        events[j] = (struct query_event){.item = index[j] = j * 7 + 1, .value = NAN, .weight = 1, .time = NO_TIME, .event = UINT64_MAX};
    struct query q = {.events = events, .n = N, .user = NO_USER, .as_of = NO_TIME};
    assert_int_equal(least_squares_fold(&s, &q, 1, x, NULL), ST_OK);
    double at[K], h = 1e-4;
    for (size_t f = 0; f < K; f++)
        at[f] = x[f];
    for (size_t f = 0; f < K; f++) {
        at[f] += h;
        double up = fold_objective(&s, y, index, N, at);
        at[f] -= 2 * h;
        double down = fold_objective(&s, y, index, N, at);
        at[f] += h;
        assert_true(fabs(up - down) / (2 * h) < 1e-3);
        assert_true(up > fold_objective(&s, y, index, N, at) - 1e-7);
    }
    least_squares_clear(&s);
}

/* The same of logistic regression, with M recovered from the header: all items here, but those of the history. */
static double logistic_objective(const struct logistic *s, const uint32_t *index, size_t n, const double *x)
{
    double sum = 0, square = 0;
    for (size_t i = 0; i < s->items; i++) {
        double score = s->width > s->k ? (double)s->y[i * s->width + s->k] : 0;
        bool taken = false;
        for (size_t f = 0; f < s->k; f++)
            score += x[f] * (double)s->y[i * s->width + f];
        for (size_t j = 0; j < n; j++)
            taken = taken || index[j] == i;
        sum += taken ? s->alpha * log1p(exp(-score)) : s->negatives * (double)n / (double)(s->items - n) * log1p(exp(score));
    }
    for (size_t f = 0; f < s->k; f++)
        square += x[f] * x[f];
    return sum + .5 * s->l2 * (double)n * (1 + s->negatives) * square;
}

static void check_logistic(size_t width, double size, double l2)
{
    enum { K = 7, N = 5, ITEMS = 300 };
    float y[ITEMS * (K + 1)], x[K + 1];
    struct rng r = rng_stream(4, "fold", 0);
    for (size_t i = 0; i < ITEMS * width; i++)
        y[i] = (float)(size * rng_normal(&r));
    struct logistic s;
    assert_int_equal(logistic_new(&s, y, ITEMS, K, width, NULL), ST_OK);
    assert_int_equal(s.nsample, ITEMS);
    s.alpha = 1.5;
    s.negatives = 4;
    s.l2 = l2;
    struct query_event events[N];
    uint32_t index[N];
    for (uint32_t j = 0; j < N; j++)
        events[j] = (struct query_event){.item = index[j] = j * 41 + 1, .value = NAN, .weight = 1, .time = NO_TIME, .event = UINT64_MAX};
    struct query q = {.events = events, .n = N, .user = NO_USER, .as_of = NO_TIME};
    assert_int_equal(logistic_fold(&s, &q, 1, x, NULL), ST_OK);
    assert_true(width == K || x[K] == 1);
    double at[K], h = 1e-4;
    for (size_t f = 0; f < K; f++)
        at[f] = (double)x[f];
    for (size_t f = 0; f < K; f++) {
        at[f] += h;
        double up = logistic_objective(&s, index, N, at);
        at[f] -= 2 * h;
        double slope = (up - logistic_objective(&s, index, N, at)) / (2 * h);
        at[f] += h;
        assert_true(fabs(slope) < 1e-3);
    }
    logistic_clear(&s);
}

static void test_logistic(void **state)
{
    (void)state;
    check_logistic(7, 1, .02);
    check_logistic(8, .3, .5);  /* with biases */
    check_logistic(7, 8, .001); /* whole steps would overshoot */
}

static void test_contract(void **state)
{
    (void)state;
    struct dataset *d = world_new(150, 120, 4000, 3);
    for (size_t c = 0; c < CLASSES; c++) {
        world_check_model(d, classes[c], (const char *[]){"factors=16", "epochs=4", NULL});
        world_check_model(d, classes[c], (const char *[]){"factors=7", "epochs=3", "bias=yes", "schedule=cosine",
                                                              classes[c] == &model_lmf ? "alpha=2" : "fold_lambda=2", NULL});
    }
    dataset_release(d);
    struct dataset *big = world_new(900, 800, 9000, 3); /* several groups: tasks run at once */
    for (size_t c = 0; c < CLASSES; c++)
        world_check_model(big, classes[c], (const char *[]){"factors=20", "epochs=3", NULL});
    dataset_release(big);
}

static void test_diverges(void **state)
{
    (void)state;
    struct dataset *d = world_new(150, 120, 4000, 3);
    struct param_value values[32];
    struct selection all = world_all(d);
    struct error err;
    struct model *m = NULL;
    for (size_t c = 0; c < CLASSES; c++) {
        size_t rate = param_index(classes[c]->params, classes[c]->nparams, "rate");
        size_t l2 = param_index(classes[c]->params, classes[c]->nparams, "l2");
        assert_int_equal(param_defaults(classes[c]->params, classes[c]->nparams, values, NULL), ST_OK);
        assert_int_equal(param_parse(&classes[c]->params[rate], "10", &values[rate], NULL), ST_OK);
        assert_int_equal(param_parse(&classes[c]->params[l2], "10", &values[l2], NULL), ST_OK);
        assert_int_equal(model_train(classes[c], "m", values, &all, 1, NULL, NULL, &m, &err), ST_FORMAT);
        assert_non_null(strstr(err.message, "without bound"));
        assert_true(err.hint[0]);
        param_values_free(values, classes[c]->nparams);
    }
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grid),   cmocka_unit_test(test_learns),   cmocka_unit_test(test_fold),
        cmocka_unit_test(test_logistic), cmocka_unit_test(test_update),
        cmocka_unit_test(test_contract), cmocka_unit_test(test_diverges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
