/* What every model class must keep on ordinary data, whatever it computes. Classes come from the registry. */
#include "tests/unit/every_model.h"

#include <malloc.h>

#include "linalg/dense.h"
#include "models/classes.h"
#include "models/update.h"

enum { USERS = 41, ITEMS = 50, EVENTS = 1100 };

static void test_complete(void **state)
{
    const struct model_class *c = *state;
    assert_true(c->name && c->summary && c->reference && c->fold_in && c->epoch && c->score && c->explain && c->save && c->load && c->free);
    assert_true(c->summary[0] && c->reference[0] && c->fold_in[0]);
    assert_ptr_equal(model_class_find(c->name), c);
    for (size_t i = 0; i < c->nparams; i++) {
        const struct param *p = &c->params[i];
        if (!p->doc || !p->doc[0])
            fail_msg("%s: %s says nothing of itself", c->name, p->name);
        if (p->tune_min != p->tune_max && (p->max > p->min) && (p->tune_min < p->min || p->tune_max > p->max || p->tune_min > p->tune_max))
            fail_msg("%s: %s is tuned outside its range", c->name, p->name);
        if (p->log_scale && p->tune_max != 0 && p->tune_min <= 0)
            fail_msg("%s: %s has a logarithmic scale that begins at %g", c->name, p->name, p->tune_min);
    }
}

/* NAME=VALUE for a parameter named in `when` such that its condition does not hold; "" when it is enough to leave it out. */
static void put_off(const struct model_class *c, const char *when, const char *condition, char *out, size_t size)
{
    char name[32], choice[32];
    size_t end = strcspn(condition, "=> ");
    snprintf(name, sizeof name, "%.*s", (int)end, condition);
    size_t at = param_index(c->params, c->nparams, name);
    if (at == c->nparams)
        fail_msg("%s: no parameter %s, as in %s", c->name, name, when);
    const struct param *p = &c->params[at];
    if (condition[end] == '>')
        snprintf(out, size, "%s=%g", name, strtod(condition + end + 1, NULL));
    else
        snprintf(out, size, "%s=no", name);
    for (size_t i = 0; p->type == PARAM_ENUM && param_choice(p, i, choice, sizeof choice); i++)
        if (!strstr(when, choice))
            snprintf(out, size, "%s=%s", name, choice);
    if (condition[end] != '=' && condition[end] != '>')
        *out = 0;
}

/* Where its description says that a parameter matters only elsewhere, it changes no bit: it may be refused. */
static void test_idle(void **state)
{
    const struct model_class *c = *state;
    static const char *const one[] = {"auto", "1", ".25"}, *const another[] = {"genres", "2", ".75"};
    struct dataset *d = every_world(USERS, ITEMS, EVENTS, ODD_NOT);
    struct every_queries s;
    every_queries_new(&s, d);
    for (size_t i = 0; i < c->nparams; i++) {
        const struct param *p = &c->params[i];
        char text[8][96], choice[64];
        const char *options[9] = {text[0]};
        size_t n = 1;
        for (const char *at = p->when; at && *at; at += strcspn(at, " "), at += strspn(at, " ")) {
            if (strncmp(at, "or ", 3) == 0 || strncmp(at, "and ", 4) == 0)
                continue;
            put_off(c, p->when, at, text[n], sizeof *text);
            if (*text[n])
                options[n] = text[n], n++;
        }
        if (!p->when || c->capabilities & OF_MODELS)
            continue;
        if (param_index(c->params, c->nparams, "factors") < c->nparams && !strstr(p->when, "factors") && strcmp(p->name, "factors") != 0)
            options[n++] = "factors=4"; /* fewer than items: without a penalty, too, there is one solution */
        for (size_t turn = 0; turn < 2; turn++) {
            snprintf(text[0], sizeof text[0], "%s=%s", p->name, (turn ? another : one)[p->type == PARAM_TEXT ? 0 : p->type == PARAM_INT ? 1 : 2]);
            if (p->type == PARAM_ENUM && param_choice(p, turn, choice, sizeof choice))
                snprintf(text[0], sizeof text[0], "%s=%s", p->name, choice);
            struct model *m = world_train(d, c, options);
            assert_false(param_matters(c->params, c->nparams, i, param_value_text, m->values));
            assert_int_equal(model_score(m, s.q, EVERY_QUERIES, turn ? s.again : s.scores, NULL), ST_OK);
            model_release(m);
        }
        if (memcmp(s.scores, s.again, EVERY_QUERIES * s.nitems * sizeof *s.scores) != 0)
            fail_msg("%s: %s matters not only with %s", c->name, p->name, p->when);
    }
    every_queries_clear(&s);
    dataset_release(d);
}

/* A query alone, and anywhere in a batch, gets the same bits. */
static void test_batch(void **state)
{
    struct dataset *d = every_world(USERS, ITEMS, EVENTS, ODD_NOT);
    struct model *m = every_model(*state, d);
    struct every_queries s;
    every_queries_new(&s, d);
    every_ask(m, &s, "plain data");
    for (size_t i = 0; i < EVERY_QUERIES; i++)
        assert_int_equal(model_score(m, &s.q[i], 1, s.again + i * s.nitems, NULL), ST_OK);
    assert_memory_equal(s.scores, s.again, EVERY_QUERIES * s.nitems * sizeof *s.scores);
    assert_int_equal(model_score(m, s.q + 2, EVERY_QUERIES - 2, s.again, NULL), ST_OK);
    assert_memory_equal(s.scores + 2 * s.nitems, s.again, (EVERY_QUERIES - 2) * s.nitems * sizeof *s.scores);
    every_queries_clear(&s);
    model_release(m);
    dataset_release(d);
}

/* Where scores add up: those of a history are those of an empty one and what each of its items adds alone. */
static void test_adds_up(void **state)
{
    const struct model_class *class = *state;
    struct dataset *d = every_world(USERS, ITEMS, EVENTS, ODD_NOT);
    struct model *m = every_model(class, d);
    struct every_queries s;
    every_queries_new(&s, d);
    float *base = mem_new(s.nitems, sizeof *base, "", NULL);
    double *sum = mem_new(s.nitems, sizeof *sum, "", NULL), *size = mem_new(s.nitems, sizeof *size, "", NULL);
    assert_int_equal(model_score(m, s.q, EVERY_QUERIES, s.scores, NULL), ST_OK);
    for (size_t i = 0; i < EVERY_QUERIES; i++) {
        struct query_event room[64];
        struct query q = s.q[i], alone = {.events = room, .user = q.user, .as_of = q.as_of};
        assert_int_equal(model_score(m, &alone, 1, base, NULL), ST_OK);
        for (size_t j = 0; j < s.nitems; j++)
            size[j] = fabs(sum[j] = (double)base[j]);
        for (uint32_t item = 0; item < s.nitems; item++) {
            alone.n = 0;
            for (size_t e = 0; e < q.n; e++)
                if (q.events[e].item == item)
                    room[alone.n++] = q.events[e];
            if (!alone.n)
                continue;
            assert_int_equal(model_score(m, &alone, 1, s.again, NULL), ST_OK);
            for (size_t j = 0; j < s.nitems; j++) {
                sum[j] += (double)s.again[j] - (double)base[j];
                size[j] += fabs((double)s.again[j] - (double)base[j]);
            }
        }
        for (size_t j = 0; j < s.nitems; j++)
            if (fabs(sum[j] - (double)s.scores[i * s.nitems + j]) > 1e-5 * size[j] + 1e-7)
                fail_msg("%s: parts sum to %.9g of %.9g", class->name, sum[j], (double)s.scores[i * s.nitems + j]);
    }
    mem_free(base);
    mem_free(sum);
    mem_free(size);
    every_queries_clear(&s);
    model_release(m);
    dataset_release(d);
}

/* Who does not look at the history gives a user the same scores with another one. */
static void test_ignores(void **state)
{
    struct dataset *d = every_world(USERS, ITEMS, EVENTS, ODD_NOT);
    struct model *m = every_model(*state, d);
    struct every_queries s;
    every_queries_new(&s, d);
    for (size_t i = 0; i < EVERY_QUERIES; i++) {
        struct query q = s.q[i];
        q.user = (uint32_t)i;
        assert_int_equal(model_score(m, &q, 1, s.scores, NULL), ST_OK);
        for (; q.n; q.n /= 2) {
            q.events = q.n % 2 ? q.events + 1 : q.events;
            q.n -= q.n % 2;
            assert_int_equal(model_score(m, &q, 1, s.again, NULL), ST_OK);
            assert_memory_equal(s.scores, s.again, s.nitems * sizeof *s.scores);
        }
    }
    every_queries_clear(&s);
    model_release(m);
    dataset_release(d);
}

/* Parts and base sum to the score; the score is the one of the list. */
static void test_explanations(void **state)
{
    const struct model_class *class = *state;
    struct dataset *d = every_world(USERS, ITEMS, EVENTS, ODD_NOT);
    struct model *m = every_model(class, d);
    struct every_queries s;
    every_queries_new(&s, d);
    assert_int_equal(model_score(m, s.q, EVERY_QUERIES, s.scores, NULL), ST_OK);
    for (size_t i = 0; i < EVERY_QUERIES; i++) {
        for (uint32_t item = 0; item < s.nitems; item += 4) {
            struct explanation x;
            struct error err;
            enum status st = model_explain(m, &s.q[i], item, &x, &err);
            if (st) /* no class may refuse */
                fail_msg("%s: %s", class->name, err.message);
            double sum = x.base, size = fabs(x.base);
            for (size_t p = 0; p < x.nparts; p++) {
                sum += x.parts[p].value;
                size += fabs(x.parts[p].value);
            }
            if ((float)x.score != s.scores[i * s.nitems + item])
                fail_msg("%s: why says %.9g, the list %.9g", class->name, x.score, (double)s.scores[i * s.nitems + item]);
            if (x.exact && isfinite(x.score) && fabs(sum - x.score) > 1e-5 * size)
                fail_msg("%s: parts sum to %.9g of %.9g, their sizes to %.9g", class->name, sum, x.score, size);
            assert_true(x.method && x.method[0]);
            explanation_clear(&x);
        }
    }
    every_queries_clear(&s);
    model_release(m);
    dataset_release(d);
}

/* Where there are vectors of histories, their products are the scores, to the bit: lists are made of them. */
static void test_vectors(void **state)
{
    const struct model_class *class = *state;
    struct dataset *d = every_world(USERS, ITEMS, EVENTS, ODD_NOT);
    struct model *m = every_model(class, d);
    struct every_queries s;
    size_t width = 0;
    every_queries_new(&s, d);
    const float *y = class->vectors ? class->vectors(m, &width) : NULL;
    for (size_t i = 0; y && i < s.nitems * width; i++)
        assert_true(isfinite(y[i]));
    if (y && class->fold) {
        struct dots panels;
        float *x = mem_new(EVERY_QUERIES * width, sizeof *x, "", NULL);
        assert_int_equal(model_fold(m, s.q, EVERY_QUERIES, x, NULL), ST_OK);
        assert_int_equal(dots_pack(&panels, y, s.nitems, width, NULL), ST_OK);
        dots_score(&panels, x, EVERY_QUERIES, s.again);
        assert_int_equal(model_score(m, s.q, EVERY_QUERIES, s.scores, NULL), ST_OK);
        assert_memory_equal(s.scores, s.again, EVERY_QUERIES * s.nitems * sizeof *s.scores);
        dots_clear(&panels);
        mem_free(x);
    }
    every_queries_clear(&s);
    model_release(m);
    dataset_release(d);
}

/* Where a class has scores of its own for users, lists of folded histories are like the lists of these. */
static void test_fold_in(void **state)
{
    const struct model_class *class = *state;
    const double least = .5; /* few epochs on little data: a wrong fold-in gives .1 and less */
    struct dataset *d = every_world(USERS, ITEMS, EVENTS, ODD_NOT);
    struct model *m = every_model(class, d);
    if (class->native && !(m->record.fold_in >= least))
        fail_msg("%s: lists overlap by %.3f with the native ones, %.3f at least is wanted", class->name, m->record.fold_in, least);
    if (!class->native)
        assert_true(isnan(m->record.fold_in));
    model_release(m);
    dataset_release(d);
}

static void save(const struct model *m, struct snapshot *out)
{
    struct blob_writer w = snapshot_writer(out);
    assert_int_equal(model_save(m, &w, NULL), ST_OK);
}

/* What is read again scores the same bits, and is written as the same bytes. */
static void test_saved(void **state)
{
    struct dataset *d = every_world(USERS, ITEMS, EVENTS, ODD_NOT);
    struct model *m = every_model(*state, d), *again = NULL;
    struct snapshot first = {0}, second = {0};
    struct every_queries s;
    struct error err;
    every_queries_new(&s, d);
    save(m, &first);
    struct blob_reader r = snapshot_reader(&first);
    if (every_load(&r, m, &again, &err))
        fail_msg("%s cannot be read again: %s", m->class->name, err.message);
    assert_int_equal(first.at, first.n);
    save(again, &second);
    assert_int_equal(first.n, second.n);
    assert_memory_equal(first.bytes, second.bytes, first.n);
    assert_int_equal(model_score(m, s.q, EVERY_QUERIES, s.scores, NULL), ST_OK);
    assert_int_equal(model_score(again, s.q, EVERY_QUERIES, s.again, NULL), ST_OK);
    assert_memory_equal(s.scores, s.again, EVERY_QUERIES * s.nitems * sizeof *s.scores);
    snapshot_clear(&first);
    snapshot_clear(&second);
    every_queries_clear(&s);
    model_release(again);
    model_release(m);
    dataset_release(d);
}

/* One thread and two, and the same thing twice. What differs in the blob is the wall clock alone, so scores are compared. */
static void test_threads(void **state)
{
    struct dataset *d = every_world(USERS * 3, ITEMS * 4, EVENTS * 4, ODD_NOT);
    struct every_queries s;
    int threads = omp_get_max_threads();
    every_queries_new(&s, d);
    for (int n = 2; n >= 1; n--) {
        omp_set_num_threads(n);
        struct model *m = every_model(*state, d);
        assert_int_equal(model_score(m, s.q, EVERY_QUERIES, n == 2 ? s.scores : s.again, NULL), ST_OK);
        model_release(m);
    }
    omp_set_num_threads(threads);
    assert_memory_equal(s.scores, s.again, EVERY_QUERIES * s.nitems * sizeof *s.scores);
    every_queries_clear(&s);
    dataset_release(d);
}

/* Where nothing is drawn or cut by index, other labels permute the scores. */
static void test_relabelled(void **state)
{
    const struct model_class *class = *state;
    struct dataset *d[2] = {every_world(USERS, ITEMS, EVENTS, ODD_NOT), every_world(USERS, ITEMS, EVENTS, ODD_RELABELLED)};
    struct every_queries s[2];
    uint32_t at = 0;
    for (int i = 0; i < 2; i++) {
        struct model *m = every_model(class, d[i]);
        every_queries_new(&s[i], d[i]);
        for (uint32_t u = 0; u < EVERY_USERS; u++) { /* by name, not by index */
            char name[16];
            snprintf(name, sizeof name, "u%u", u);
            at = dict_find_text(&d[i]->users, name);
            s[i].q[u] = world_query(d[i], at, s[i].room);
            assert_int_equal(model_score(m, &s[i].q[u], 1, s[i].scores + u * s[i].nitems, NULL), ST_OK);
        }
        model_release(m);
    }
    for (uint32_t u = 0; u < EVERY_USERS; u++) {
        const float *x = s[0].scores + u * s[0].nitems, *y = s[1].scores + u * s[1].nitems;
        double size = 0;
        for (uint32_t i = 0; i < s[0].nitems; i++)
            size = isfinite(x[i]) ? fmax(size, fabs((double)x[i])) : size;
        for (uint32_t i = 0; i < s[0].nitems; i++) {
            const char *name = dict_text(&d[0]->items, i);
            at = dict_find_text(&d[1]->items, name);
            if (x[i] != y[at] && !(fabs((double)x[i] - y[at]) <= 1e-4 * size))
                fail_msg("%s: item %s scores %.9g, and %.9g under another number", class->name, name, (double)x[i], (double)y[at]);
        }
    }
    for (int i = 0; i < 2; i++) {
        every_queries_clear(&s[i]);
        dataset_release(d[i]);
    }
}

/* What there was to learn from, and what there is. */
struct change {
    const char *what;
    struct dataset *before, *after;
    bool dense; /* the few who changed have nearly all items: classes of rows of items have nothing to save */
};

static struct model *train_with(const struct model_class *class, const struct dataset *d, bool weigh)
{
    struct param_value values[EVERY_PARAMS];
    struct selection all = world_all(d);
    struct error err = {0};
    struct model *m = NULL;
    size_t i = param_index(class->params, class->nparams, "values");
    every_values(class, values);
    if (weigh && i < class->nparams)
        assert_int_equal(param_parse(&class->params[i], "weight", &values[i], NULL), ST_OK);
    if (every_fit(class, values, &all, 7, NULL, &m, &err))
        fail_msg("%s: %s", class->name, err.message);
    param_values_free(values, class->nparams);
    return m;
}

/* The largest difference between scores, relative to the largest score; infinite where one of them is none. */
static double distance(const struct every_queries *s)
{
    double most = 0, size = 0;
    for (size_t i = 0; i < EVERY_QUERIES * s->nitems; i++) {
        double a = (double)s->scores[i], b = (double)s->again[i];
        if (isfinite(a) != isfinite(b))
            return INFINITY;
        most = isfinite(a) ? fmax(most, fabs(a - b)) : most;
        size = isfinite(b) ? fmax(size, fabs(b)) : size;
    }
    return size > 0 ? most / size : most;
}

static void check_update(const struct model_class *class, const struct change *c, bool weigh)
{
    const double rounding = 1e-4; /* of what is exact but for rounding */
    struct selection before = world_all(c->before), after = world_all(c->after);
    struct model *old = train_with(class, c->before, weigh), *anew = train_with(class, c->after, weigh);
    struct snapshot was = {0}, is = {0};
    struct every_queries s;
    struct update_report report;
    int threads = omp_get_max_threads();
    every_queries_new(&s, c->after);
    save(old, &was);
    for (int n = 2; n >= 1; n--) {
        struct model *m = NULL;
        struct error err = {0};
        omp_set_num_threads(n);
        if (model_update(old, &before, &after, NULL, &report, &m, &err))
            fail_msg("%s, %s: %s", class->name, c->what, err.message);
        assert_int_equal(m->record.data_fingerprint, c->after->fingerprint);
        assert_int_equal(m->record.events, anew->record.events);
        every_ask(m, &s, c->what);
        assert_int_equal(model_score(m, s.q, EVERY_QUERIES, n == 2 ? s.scores : s.again, NULL), ST_OK);
        model_release(m);
    }
    omp_set_num_threads(threads);
    assert_memory_equal(s.scores, s.again, EVERY_QUERIES * s.nitems * sizeof *s.scores);
    assert_int_equal(model_score(anew, s.q, EVERY_QUERIES, s.again, NULL), ST_OK);
    if (class->capabilities & CLOSED_FORM && !(distance(&s) <= rounding))
        fail_msg("%s, %s: an update is %g away from training anew", class->name, c->what, distance(&s));
    if (c->dense && (class == &model_itemknn || class == &model_p3alpha) && !report.trained)
        fail_msg("%s, %s: updated where training anew is cheaper", class->name, c->what);
    if (!class->update && !report.trained)
        fail_msg("%s, %s: neither updated nor trained anew", class->name, c->what);
    if ((report.trained || class == &model_userknn) && distance(&s) > 0)
        fail_msg("%s, %s: trained anew, and yet %g away from that", class->name, c->what, distance(&s));
    save(old, &is);
    assert_int_equal(was.n, is.n);
    assert_memory_equal(was.bytes, is.bytes, was.n);
    snapshot_clear(&was);
    snapshot_clear(&is);
    every_queries_clear(&s);
    model_release(old);
    model_release(anew);
}

static void check_no_update(const struct model_class *class, const struct dataset *d)
{
    struct selection all = world_all(d);
    struct update_report report;
    struct model *m = every_model(class, d), *out = NULL;
    assert_int_equal(model_update(m, &all, &all, NULL, &report, &out, NULL), ST_UNSUPPORTED);
    assert_null(out);
    model_release(m);
}

/* With and without new users and items, with fewer events, with none: an update is what training anew gives, or comes near; the
 * same bits by any number of threads; and the old model stays as it was. A class without the slot trains
 * anew, and an ensemble stands on what its models are. */
static void test_updated(void **state)
{
    enum { LATE = 8 };
    const struct model_class *class = *state;
    assert_true(!class->update == !class->updated || class->capabilities & OF_MODELS);
    struct dataset *many = every_world(USERS, ITEMS, EVENTS, ODD_NOT), *few = every_world(USERS, ITEMS, EVENTS - LATE, ODD_NOT);
    struct dataset *grown = world_new(3000, 900, 5000, 5), *small = world_first(grown, 5000 - LATE);
    struct dataset *dense = world_new(50, 20, 4000, 5), *less = world_first(dense, 4000 - LATE);
    assert_true(small->users.n < grown->users.n || small->items.n < grown->items.n);
    const struct change changes[] = {
        {"more events", few, many, false}, {"fewer events", many, few, false}, {"the same events", many, many, false},
        {"a grown data set", small, grown, false}, {"a dense data set", less, dense, true}};
    if (class->capabilities & OF_MODELS)
        check_no_update(class, many);
    size_t n = class->update ? sizeof changes / sizeof *changes : class->capabilities & OF_MODELS ? 0 : 3;
    for (size_t i = 0; i < n; i++)
        for (int weigh = 0; weigh < 2; weigh++)
            check_update(class, &changes[i], weigh);
    dataset_release(small);
    dataset_release(grown);
    dataset_release(less);
    dataset_release(dense);
    dataset_release(many);
    dataset_release(few);
}

/* A history of items that training did not have is refused; a data set that has grown since is answered. */
static void test_strange_items(void **state)
{
    enum { MORE = 4 };
    struct dataset *d = every_world(USERS, ITEMS, EVENTS, ODD_NOT);
    struct model *m = every_model(*state, d);
    size_t n = d->items.n;
    struct query_event strange[2] = {{.item = 0, .value = NAN, .weight = 1, .time = NO_TIME, .event = UINT64_MAX}};
    strange[1] = strange[0];
    strange[1].item = (uint32_t)n;
    struct query q = {.events = strange, .n = 2, .user = NO_USER, .as_of = NO_TIME}, known = {.events = strange, .n = 1, .user = NO_USER, .as_of = NO_TIME};
    float *scores = mem_new(n + MORE, sizeof *scores, "", NULL), *wide_scores = mem_new(n + MORE, sizeof *wide_scores, "", NULL);
    struct explanation x;
    struct error err = {0};
    assert_int_equal(model_score(m, &q, 1, scores, &err), ST_STATE);
    assert_int_equal(model_explain(m, &q, 0, &x, &err), ST_STATE);
    assert_int_equal(model_similar(m, (uint32_t)n, scores, &err), ST_STATE);
    struct model *wide = model_widen(m, d->users.n + MORE, n + MORE, NULL);
    assert_int_equal(model_score(wide, &q, 1, wide_scores, NULL), ST_OK);
    assert_int_equal(model_score(m, &known, 1, scores, NULL), ST_OK);
    assert_memory_equal(scores, wide_scores, n * sizeof *scores);
    for (size_t i = n; i < n + MORE; i++)
        assert_true(wide_scores[i] == -INFINITY);
    q.user = (uint32_t)d->users.n; /* came later too */
    assert_int_equal(model_score(wide, &q, 1, wide_scores, NULL), ST_OK);
    assert_true(every_sane(wide_scores, n));
    mem_free(scores);
    mem_free(wide_scores);
    model_release(wide);
    model_release(m);
    dataset_release(d);
}

/* What the heap held most, seen before each allocation. */
struct peak {
    size_t before;
    atomic_size_t most;
};

static size_t heap_in_use(void)
{
    struct mallinfo2 i = mallinfo2();
    return i.uordblks + i.hblkhd;
}

static bool watch_heap(void *context, size_t bytes)
{
    struct peak *p = context;
    size_t now = heap_in_use() + bytes, most = atomic_load(&p->most);
    now = now > p->before ? now - p->before : 0;
    while (now > most && !atomic_compare_exchange_weak(&p->most, &most, now)) {}
    return true;
}

/* What `check` says that training takes is right within a factor of 2, from a few megabytes on. */
static void test_memory(void **state)
{
    enum { SMALL = 3 << 20 };
    const struct model_class *class = *state;
    if (class->capabilities & OF_MODELS)
        return; /* their models take it */
    struct dataset *d = every_world(801, 1001, 9000, ODD_NOT);
    struct param_value values[EVERY_PARAMS];
    struct selection all = world_all(d);
    struct interactions x;
    struct error err = {0};
    struct training t = {.selection = &all, .interactions = &x, .seed = 1};
    double loss;
    bool done = false;
    size_t said = 0;
    every_values(class, values);
    struct model *m = model_new(class, class->name, values, d->users.n, d->items.n, NULL);
    param_values_free(values, class->nparams);
    assert_int_equal(interactions_build(&all, &x, NULL), ST_OK);
    struct peak peak = {.before = heap_in_use()};
    mem_set_hook(watch_heap, &peak);
    enum status st = class->check ? class->check(m, &t, &said, &err) : ST_OK;
    if (!st && class->begin)
        st = class->begin(m, &t, &err);
    for (size_t epoch = 0; !st && epoch < 2 && !done; epoch++)
        st = class->epoch(m, &t, epoch, &done, &loss, &err);
    if (!st && class->ready)
        st = class->ready(m, &err);
    mem_set_hook(NULL, NULL);
    if (st)
        fail_msg("%s: %s", class->name, err.message);
    size_t took = atomic_load(&peak.most);
    if (peak.before && /* sanitizers bring an allocator that does not say */
        (took > 2 * said + SMALL || said > 2 * took + SMALL))
        fail_msg("%s: check says %.1f MB, training takes %.1f MB", class->name, (double)said / 1e6, (double)took / 1e6);
    model_release(m);
    interactions_clear(&x);
    dataset_release(d);
}

int main(void)
{
    static struct every_tests t;
    every_class(&t, 0, "says what it is", test_complete);
    every_class(&t, 0, "idle parameters", test_idle);
    every_class(&t, 0, "a batch is its queries", test_batch);
    every_class(&t, 0, "explanations sum up", test_explanations);
    every_class(&t, ADDS_UP, "scores add up", test_adds_up);
    every_class(&t, IGNORES_HISTORY, "ignores the history", test_ignores);
    every_class(&t, 0, "vectors", test_vectors);
    every_class(&t, 0, "fold-in", test_fold_in);
    every_class(&t, 0, "saved and read", test_saved);
    every_class(&t, 0, "threads", test_threads);
    every_class(&t, CLOSED_FORM, "other labels", test_relabelled);
    every_class(&t, 0, "updated", test_updated);
    every_class(&t, 0, "strange items", test_strange_items);
    every_class(&t, 0, "memory foretold", test_memory);
    return _cmocka_run_group_tests("models_all", t.test, t.n, NULL, NULL);
}
