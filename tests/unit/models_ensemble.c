/* Ensembles against sums by hand, a search over a grid of weights, and lists merged by hand. */
#include "tests/unit/every_model.h"

#include "models/classes.h"
#include "models/ensemble.h"
#include "models/update.h"

enum { PARTS = 3 };

struct made {
    struct dataset *d;
    struct model *part[PARTS];
};

/* What parts are made of: in one step, and in epochs. */
static const struct model_class *const solved[PARTS] = {&model_pop, &model_itemknn, &model_ease};
static const struct model_class *const learnt[PARTS] = {&model_ials, &model_bpr, &model_pop};

static void made_new_like(struct made *x, size_t events, const struct model_class *const *classes)
{
    x->d = every_world(41, 50, events, ODD_NOT);
    for (size_t p = 0; p < PARTS; p++)
        x->part[p] = every_model(classes[p], x->d);
}

static void made_new_of(struct made *x, size_t events)
{
    made_new_like(x, events, solved);
}

static void made_new(struct made *x)
{
    made_new_of(x, 1100);
}

static void made_clear(struct made *x)
{
    for (int i = 0; i < PARTS; i++)
        model_release(x->part[i]);
    dataset_release(x->d);
}

/* An ensemble of the first `nparts` parts, with one setting. */
static enum status ensemble(const struct made *x, const struct model_class *class, size_t nparts, const char *setting,
                            const struct fitting *fitting, struct model **out, struct error *err)
{
    struct param_value values[EVERY_PARAMS];
    struct selection all = world_all(x->d);
    char key[32];
    every_values(class, values);
    if (setting) {
        snprintf(key, sizeof key, "%.*s", (int)strcspn(setting, "="), setting);
        size_t i = param_index(class->params, class->nparams, key);
        assert_true(i < class->nparams);
        assert_int_equal(param_parse(&class->params[i], strchr(setting, '=') + 1, &values[i], NULL), ST_OK);
    }
    enum status st = model_train_of(class, class->name, values, x->part, nparts, fitting, &all, 7, NULL, out, err);
    param_values_free(values, class->nparams);
    return st;
}

static void test_lines(void **state)
{
    (void)state;
    const float s[] = {1, 3, NAN, 5, -INFINITY, 7}; /* mean 4, sd sqrt(5) */
    struct line z = normalizer_line(NORMALIZE_ZSCORE, s, 6), m = normalizer_line(NORMALIZE_MINMAX, s, 6);
    struct line x = normalizer_line(NORMALIZE_MAX, s, 6), n = normalizer_line(NORMALIZE_NONE, s, 6);
    assert_true(fabs((double)z.scale - 1 / sqrt(5)) < 1e-7 && fabs((double)(z.scale * 7 + z.offset) - 3 / sqrt(5)) < 1e-6);
    assert_true(fabs((double)z.lowest + 3 / sqrt(5)) < 1e-6);
    assert_true(fabsf(m.scale * 3 + m.offset - 1.F / 3) < 1e-6F && fabsf(m.lowest) < 1e-7F);
    assert_true(fabsf(x.scale - 1.F / 7) < 1e-7F && x.offset == 0 && fabsf(x.lowest - 1.F / 7) < 1e-7F);
    assert_true(n.scale == 1 && n.offset == 0 && n.lowest == 1);
    const float same[] = {2, 2, 2}, none[] = {NAN, -INFINITY};
    for (enum normalizer how = NORMALIZE_ZSCORE; how <= NORMALIZE_MINMAX; how++) {
        struct line flat = normalizer_line(how, same, 3), empty = normalizer_line(how, none, 2);
        assert_true(flat.scale == 0 && flat.offset == 0 && empty.lowest == 0);
    }
}

/* Items of the history do not count for the scale, wherever and however often they stand. */
static void test_taken_out(void **state)
{
    (void)state;
    struct query_event h[] = {{.item = 2}, {.item = 0}, {.item = 2}};
    struct query q = {.events = h, .n = 3};
    float s[] = {9, 1, 8, 3}, kept[3];
    history_take_out(&q, s, kept);
    assert_true(isnan(s[0]) && isnan(s[2]) && s[1] == 1 && s[3] == 3);
    history_put_back(&q, s, kept);
    assert_true(s[0] == 9 && s[1] == 1 && s[2] == 8 && s[3] == 3);
}

static void test_blend(void **state)
{
    static const double weight[] = {.5, .2, .3};
    struct made x;
    struct every_queries s;
    struct model *m = NULL;
    made_new_like(&x, 1100, *state);
    every_queries_new(&s, x.d);
    assert_int_equal(ensemble(&x, &model_blend, PARTS, "weights=0.5,0.2,0.3", NULL, &m, NULL), ST_OK);
    assert_int_equal(model_score(m, s.q, EVERY_QUERIES, s.scores, NULL), ST_OK);
    double *want = mem_new(EVERY_QUERIES * s.nitems, sizeof *want, "", NULL);
    for (int p = 0; p < PARTS; p++) {
        assert_int_equal(model_score(x.part[p], s.q, EVERY_QUERIES, s.again, NULL), ST_OK);
        for (size_t q = 0; q < EVERY_QUERIES; q++) {
            bool held[64] = {0};
            double n = 0, sum = 0, squares = 0;
            for (size_t e = 0; e < s.q[q].n; e++)
                held[s.q[q].events[e].item] = true;
            for (size_t i = 0; i < s.nitems; i++) {
                double v = held[i] ? 0 : (double)s.again[q * s.nitems + i];
                n += !held[i], sum += v, squares += v * v;
            }
            double sd = sqrt(fmax(0, squares / n - sum / n * (sum / n)));
            for (size_t i = 0; i < s.nitems && sd > 1e-9; i++)
                want[q * s.nitems + i] += weight[p] * ((double)s.again[q * s.nitems + i] - sum / n) / sd;
        }
    }
    for (size_t i = 0; i < EVERY_QUERIES * s.nitems; i++)
        assert_true(fabs((double)s.scores[i] - want[i]) < 1e-4);
    mem_free(want);
    model_release(m);
    every_queries_clear(&s);
    made_clear(&x);
}

static void test_bad_words(void **state)
{
    (void)state;
    static const char *const weights[] = {"weights=1", "weights=1,2", "weights=1,2,3,4", "weights=0,0,0", "weights=1,x,2",
                                          "weights=1,2,", "weights=", "weights=1e400,1,1", "weights=nan,1,1"};
    static const char *const from[] = {"from=5", "from=5,5", "from=9,3", "from=0,3", "from=3,x", "from=1,2,3"};
    struct made x;
    struct model *m = NULL;
    made_new(&x);
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++) {
        struct error err = {0};
        assert_int_equal(ensemble(&x, &model_blend, PARTS, weights[i], NULL, &m, &err), ST_USAGE);
        assert_true(err.message[0] && err.hint[0]);
    }
    static const char *const fuse_weights[] = {"weights=-1,1,2", "weights=1,0,-0.1", "weights=2e6,1,1", "weights=0,0,0"};
    for (size_t i = 0; i < sizeof fuse_weights / sizeof *fuse_weights; i++)
        assert_int_equal(ensemble(&x, &model_fuse, PARTS, fuse_weights[i], NULL, &m, NULL), ST_USAGE);
    struct error signs = {0};
    assert_int_equal(ensemble(&x, &model_fuse, PARTS, "weights=1,-1,1", NULL, &m, &signs), ST_USAGE);
    assert_non_null(strstr(signs.message, "below 0"));
    assert_int_equal(ensemble(&x, &model_blend, PARTS, "weights=1,-1,1", NULL, &m, NULL), ST_OK); /* it has scores of all items */
    model_release(m);
    for (size_t i = 0; i < sizeof from / sizeof *from; i++)
        assert_int_equal(ensemble(&x, &model_switch, PARTS, from[i], NULL, &m, NULL), ST_USAGE);
    assert_int_equal(ensemble(&x, &model_blend, 1, NULL, NULL, &m, NULL), ST_USAGE);
    assert_int_equal(ensemble(&x, &model_stack, PARTS, NULL, NULL, &m, NULL), ST_STATE);
    made_clear(&x);
}

/* RRF and Borda by the places in the parts' own lists. */
static void test_fuse(void **state)
{
    enum { DEPTH = 12 };
    struct made x;
    struct every_queries s;
    made_new_like(&x, 1100, *state);
    every_queries_new(&s, x.d);
    for (int borda = 0; borda < 2; borda++) {
        struct model *m = NULL;
        struct param_value values[EVERY_PARAMS];
        struct selection all = world_all(x.d);
        double *want = mem_new(EVERY_QUERIES * s.nitems, sizeof *want, "", NULL);
        every_values(&model_fuse, values);
        assert_int_equal(param_parse(&model_fuse.params[0], borda ? "borda" : "rrf", &values[0], NULL), ST_OK);
        assert_int_equal(param_parse(&model_fuse.params[1], "12", &values[1], NULL), ST_OK);
        assert_int_equal(model_train_of(&model_fuse, "f", values, x.part, PARTS, NULL, &all, 7, NULL, &m, NULL), ST_OK);
        param_values_free(values, model_fuse.nparams);
        assert_int_equal(model_score(m, s.q, EVERY_QUERIES, s.scores, NULL), ST_OK);
        for (int p = 0; p < PARTS; p++) {
            assert_int_equal(model_score(x.part[p], s.q, EVERY_QUERIES, s.again, NULL), ST_OK);
            for (size_t q = 0; q < EVERY_QUERIES; q++) {
                bool held[64] = {0};
                const float *v = s.again + q * s.nitems;
                for (size_t e = 0; e < s.q[q].n; e++)
                    held[s.q[q].events[e].item] = true;
                for (size_t i = 0; i < s.nitems; i++) {
                    size_t above = 0;
                    for (size_t j = 0; j < s.nitems; j++)
                        above += !held[j] && j != i && (v[j] > v[i] || (!(v[j] < v[i]) && j < i));
                    if (above < DEPTH)
                        want[q * s.nitems + i] += (borda ? (double)(DEPTH - above) / DEPTH : 1. / (60. + (double)above + 1)) / PARTS;
                }
            }
        }
        for (size_t i = 0; i < EVERY_QUERIES * s.nitems; i++)
            assert_true(fabs((double)s.scores[i] - want[i]) < 1e-6);
        mem_free(want);
        model_release(m);
    }
    every_queries_clear(&s);
    made_clear(&x);
}

/* What list p, of the best DEPTH of `scores` that the history does not hold, adds to `item` in rrf; 0: it is not in it. */
static double rrf_share(const struct query *q, const float *scores, size_t nitems, uint32_t item, size_t depth)
{
    bool held[64] = {0};
    size_t above = 0;
    for (size_t e = 0; e < q->n; e++)
        held[q->events[e].item] = true;
    for (size_t j = 0; j < nitems; j++)
        above += !held[j] && j != item && (scores[j] > scores[item] || (!(scores[j] < scores[item]) && j < item));
    return above < depth ? 1. / (60. + (double)above + 1) / PARTS : 0;
}

/* By item of the history, [nitems] for what is none, what rrf is made of: the share of each list divided among what speaks for the item. */
static void rrf_credit(const struct made *x, const struct query *q, const struct every_queries *s, uint32_t item, size_t depth, double *credit)
{
    memset(credit, 0, (s->nitems + 1) * sizeof *credit);
    for (int p = 0; p < PARTS; p++) {
        struct explanation y;
        double share, positive = 0;
        assert_int_equal(model_score(x->part[p], q, 1, s->again, NULL), ST_OK);
        share = rrf_share(q, s->again, s->nitems, item, depth);
        assert_int_equal(model_explain(x->part[p], q, item, &y, NULL), ST_OK);
        for (size_t i = 0; i < y.nparts; i++)
            positive += y.parts[i].value > 0 ? y.parts[i].value : 0;
        for (size_t i = 0; i < y.nparts; i++)
            if (y.parts[i].value > 0)
                credit[y.parts[i].item == NO_ITEM ? s->nitems : y.parts[i].item] += share * y.parts[i].value / positive;
        if (!(positive > 0))
            credit[s->nitems] += share;
        explanation_clear(&y);
    }
}

static void check_credit(const struct explanation *x, const struct every_queries *s, const double *credit)
{
    double found[65] = {x->base ? NAN : 0}; /* these models have no base of their own */
    for (size_t i = 0; i < x->nparts; i++)
        found[x->parts[i].item == NO_ITEM ? s->nitems : x->parts[i].item] += x->parts[i].value;
    for (size_t i = 0; i <= s->nitems; i++)
        if (!(fabs(found[i] - credit[i]) < 1e-7))
            fail_msg("of item %zu %.9g, and not %.9g", i, found[i], credit[i]);
}

/* Lists merged by place: every share goes to what speaks for the item, which is named an approximation. Merged by score they are sums. */
static void test_fuse_explained(void **state)
{
    static const struct {
        const char *setting;
        bool exact;
    } ways[] = {{"depth=12", false}, {"method=borda", false}, {"method=combsum", true}, {"method=combmnz", true}};
    struct made x;
    struct every_queries s;
    made_new_like(&x, 1100, *state);
    every_queries_new(&s, x.d);
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        struct model *m = NULL;
        size_t of_history = 0;
        assert_int_equal(ensemble(&x, &model_fuse, PARTS, ways[w].setting, NULL, &m, NULL), ST_OK);
        for (size_t q = 0; q < EVERY_QUERIES; q++) {
            assert_int_equal(model_score(m, &s.q[q], 1, s.scores, NULL), ST_OK);
            for (uint32_t item = 0; item < s.nitems; item++) {
                struct explanation e;
                double credit[65], sum, size;
                assert_int_equal(model_explain(m, &s.q[q], item, &e, NULL), ST_OK);
                sum = e.base;
                size = fabs(e.base);
                for (size_t i = 0; i < e.nparts; i++) {
                    sum += e.parts[i].value;
                    size += fabs(e.parts[i].value);
                    of_history += e.parts[i].item != NO_ITEM;
                    assert_true(ways[w].exact || e.parts[i].value > 0);
                }
                assert_true((float)e.score == s.scores[item]);
                if (isfinite(e.score) && !(fabs(sum - e.score) <= 1e-5 * size))
                    fail_msg("%s: parts sum to %.9g of %.9g", ways[w].setting, sum, e.score);
                assert_true(ways[w].exact ? e.exact : !e.exact || e.nparts <= PARTS);
                if (w == 0 && isfinite(e.score)) {
                    rrf_credit(&x, &s.q[q], &s, item, 12, credit);
                    check_credit(&e, &s, credit);
                }
                explanation_clear(&e);
            }
        }
        assert_true(of_history > 100);
        model_release(m);
    }
    every_queries_clear(&s);
    made_clear(&x);
}

static void test_switch(void **state)
{
    struct made x;
    struct every_queries s;
    struct model *m = NULL;
    made_new_like(&x, 1100, *state);
    every_queries_new(&s, x.d);
    assert_int_equal(ensemble(&x, &model_switch, PARTS, "from=2,10", NULL, &m, NULL), ST_OK);
    assert_int_equal(model_score(m, s.q, EVERY_QUERIES, s.scores, NULL), ST_OK);
    for (size_t q = 0; q < EVERY_QUERIES; q++) {
        bool held[64] = {0};
        size_t items = 0;
        for (size_t e = 0; e < s.q[q].n; e++) {
            items += !held[s.q[q].events[e].item];
            held[s.q[q].events[e].item] = true;
        }
        assert_int_equal(model_score(x.part[items < 2 ? 0 : items < 10 ? 1 : 2], &s.q[q], 1, s.again, NULL), ST_OK);
        assert_memory_equal(s.scores + q * s.nitems, s.again, s.nitems * sizeof(float));
    }
    model_release(m);
    every_queries_clear(&s);
    made_clear(&x);
}

/* The mean of the fitting's metric under these weights, from whole lists. */
static double judged(const struct made *x, const struct every_fitting *f, const char *weights)
{
    size_t n = f->fitting.n, nitems = x->d->items.n;
    float *scores = mem_new(n * nitems, sizeof *scores, "", NULL);
    struct model *m = NULL;
    double sum = 0;
    assert_int_equal(ensemble(x, &model_blend, 2, weights, NULL, &m, NULL), ST_OK);
    assert_int_equal(model_score(m, f->q, n, scores, NULL), ST_OK);
    for (size_t q = 0; q < n; q++) {
        float *v = scores + q * nitems;
        uint32_t above = 0, right = f->right[q];
        for (size_t e = 0; e < f->q[q].n; e++)
            v[f->q[q].events[e].item] = -INFINITY;
        for (uint32_t j = 0; j < nitems; j++)
            above += v[j] > v[right] || (!(v[j] < v[right]) && j < right);
        sum += v[right] > -INFINITY ? every_reciprocal(NULL, &above, above < 10, 1) : 0;
    }
    mem_free(scores);
    model_release(m);
    return sum / (double)n;
}

/* No weights of a grid do better than those that were fitted, and what is fitted is what the lists then show. */
static void test_stack(void **state)
{
    (void)state;
    struct made x;
    static struct every_fitting f;
    struct model *m = NULL;
    char text[64];
    made_new(&x);
    every_fitting_make(&f, x.d);
    assert_int_equal(ensemble(&x, &model_stack, 2, "pool=1000", &f.fitting, &m, NULL), ST_OK);
    const float *w = m->class->part_weights(m);
    snprintf(text, sizeof text, "weights=%.9g,%.9g", (double)w[0], (double)w[1]);
    double best = judged(&x, &f, text);
    assert_true(fabs(w[0] + w[1] - 1) < 1e-5F && w[0] >= 0 && w[1] >= 0);
    assert_true(fabs(1 - m->record.curve[0] - best) < 1e-6);
    for (int i = 0; i <= 20; i++) {
        snprintf(text, sizeof text, "weights=%g,%g", i / 20., 1 - i / 20.);
        assert_true(judged(&x, &f, text) <= best * 1.02 + 1e-9);
    }
    model_release(m);
    made_clear(&x);
}

/* A loaded ensemble knows its models by name and time of training, and says when one is missing. */
static void test_attach(void **state)
{
    (void)state;
    struct made x;
    struct every_queries s;
    struct model *m = NULL, *again = NULL;
    struct snapshot blob = {0};
    struct blob_writer w = snapshot_writer(&blob);
    struct blob_reader r = snapshot_reader(&blob);
    struct error err = {0};
    made_new(&x);
    every_queries_new(&s, x.d);
    assert_int_equal(ensemble(&x, &model_blend, PARTS, NULL, NULL, &m, NULL), ST_OK);
    assert_int_equal(model_save(m, &w, NULL), ST_OK);
    assert_int_equal(model_load(&r, &again, NULL), ST_OK);
    assert_int_equal(again->nparts, PARTS);
    assert_int_equal(model_score(again, s.q, 1, s.again, &err), ST_STATE);
    assert_non_null(strstr(err.message, "pop"));
    assert_true(model_is_part(again, 1, x.part[1]) && !model_is_part(again, 1, x.part[0]));
    for (size_t i = 0; i < PARTS; i++)
        assert_int_equal(model_attach(again, i, x.part[i], NULL), ST_OK);
    assert_int_equal(model_score(again, s.q, EVERY_QUERIES, s.again, NULL), ST_OK);
    assert_int_equal(model_score(m, s.q, EVERY_QUERIES, s.scores, NULL), ST_OK);
    assert_memory_equal(s.scores, s.again, EVERY_QUERIES * s.nitems * sizeof(float));
    snapshot_clear(&blob);
    model_release(again);
    model_release(m);
    every_queries_clear(&s);
    made_clear(&x);
}

/* Weights that were fitted go on to the models as they are later: the same bits as a blend of those with these weights. */
static void test_stand_on(void **state)
{
    (void)state;
    struct made x, later;
    static struct every_fitting f;
    struct every_queries s;
    struct model *old = NULL, *stands = NULL, *fresh = NULL;
    char text[64];
    made_new(&x);
    made_new_of(&later, 1300);
    every_fitting_make(&f, x.d);
    every_queries_new(&s, later.d);
    struct selection all = world_all(later.d);
    assert_int_equal(ensemble(&x, &model_stack, 2, "pool=1000", &f.fitting, &old, NULL), ST_OK);
    const float *w = old->class->part_weights(old);
    snprintf(text, sizeof text, "weights=%.9g,%.9g", (double)w[0], (double)w[1]);
    assert_int_equal(ensemble(&later, &model_blend, 2, text, NULL, &fresh, NULL), ST_OK);
    assert_int_equal(model_stand_on(old, later.part, &all, &stands, NULL), ST_OK);
    assert_string_equal(stands->name, old->name);
    assert_true(model_is_part(stands, 0, later.part[0]) && model_is_part(stands, 1, later.part[1]));
    assert_true(stands->record.data_fingerprint == later.d->fingerprint && stands->record.events == fresh->record.events);
    assert_int_equal(model_score(stands, s.q, EVERY_QUERIES, s.again, NULL), ST_OK);
    assert_int_equal(model_score(fresh, s.q, EVERY_QUERIES, s.scores, NULL), ST_OK);
    assert_memory_equal(s.scores, s.again, EVERY_QUERIES * s.nitems * sizeof(float));
    assert_int_equal(model_score(old, s.q, EVERY_QUERIES, s.again, NULL), ST_OK);
    assert_memory_not_equal(s.scores, s.again, EVERY_QUERIES * s.nitems * sizeof(float));
    model_release(old);
    model_release(stands);
    model_release(fresh);
    every_queries_clear(&s);
    made_clear(&x);
    made_clear(&later);
}

/* Twice: of parts in one step and of parts in epochs. */
#define WITH_PARTS(f)                                                                                                          \
    {#f " of solved parts", f, NULL, NULL, (void *)solved}, {#f " of parts learnt in epochs", f, NULL, NULL, (void *)learnt}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines), cmocka_unit_test(test_taken_out), WITH_PARTS(test_blend),
        cmocka_unit_test(test_bad_words), WITH_PARTS(test_fuse), WITH_PARTS(test_fuse_explained), WITH_PARTS(test_switch),
        cmocka_unit_test(test_stack), cmocka_unit_test(test_attach), cmocka_unit_test(test_stand_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
