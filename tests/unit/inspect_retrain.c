/* Retraining without some events, or with others: against training on the data as they would have been. */
#include "tests/unit/every_model.h"

#include "inspect/retrain.h"
#include "inspect/whatif.h"
#include "models/classes.h"
#include "tests/unit/memory.h"

enum { REMOVALS = 100, LISTED = 20 };

/* The model trained on d without the events of `user` with `item`: a copy of d whose weights of those events are nothing, by a
 * split that knows them not. */
static struct model *train_without(const struct dataset *d, const struct model *m, uint32_t user, uint32_t item)
{
    struct model *anew;
    struct split s = {.references = 1, .part = mem_new(d->events.n, 1, "", NULL)};
    struct selection selection = {.data = d, .split = &s, .parts = PART_TRAIN, .until = NO_TIME};
    struct error err;
    for (size_t e = 0; e < d->events.n; e++)
        s.part[e] = d->events.user[e] == user && d->events.item[e] == item ? PART_NONE : PART_TRAIN;
    if (model_train(m->class, m->name, m->values, &selection, m->record.seed, NULL, NULL, &anew, &err))
        fail_msg("%s", err.message);
    mem_free(s.part);
    return anew;
}

/* An ensemble out of the same models, trained without those events. A stack is the blend with the weights that it has. */
static struct model *rebuild_without(const struct dataset *d, const struct model *m, uint32_t user, uint32_t item)
{
    enum { PARTS = 4 };
    struct param_value values[EVERY_PARAMS], *given = m->values;
    const struct model_class *class = m->class;
    struct selection all = world_all(d);
    struct model *parts[PARTS], *over;
    struct error err;
    if (!m->nparts)
        return train_without(d, m, user, item);
    for (size_t p = 0; p < m->nparts; p++)
        parts[p] = rebuild_without(d, m->parts[p].model, user, item);
    if (class == &model_stack) {
        char weights[128];
        const float *w = class->part_weights(m);
        assert_int_equal(m->nparts, 2);
        snprintf(weights, sizeof weights, "%.9g,%.9g", (double)w[0], (double)w[1]);
        class = &model_blend;
        given = values;
        assert_int_equal(param_defaults(class->params, class->nparams, values, &err), ST_OK);
        size_t at = param_index(class->params, class->nparams, "weights");
        assert_int_equal(param_parse(&class->params[at], weights, &values[at], &err), ST_OK);
    }
    if (model_train_of(class, m->name, given, parts, m->nparts, NULL, &all, m->record.seed, NULL, &over, &err))
        fail_msg("%s", err.message);
    for (size_t p = 0; p < m->nparts; p++)
        model_release(parts[p]);
    if (given == values)
        param_values_free(values, class->nparams);
    return over;
}

/* A user with at least two items, and one of the items. */
static void draw(const struct dataset *d, struct rng *r, uint32_t *user, uint32_t *item)
{
    size_t n;
    do {
        *user = (uint32_t)rng_below(r, d->users.n);
        n = d->user_begin[*user + 1] - d->user_begin[*user];
    } while (n < 2);
    *item = d->events.item[d->user_begin[*user] + rng_below(r, n)];
}

/* The lists of both must be the same; where neighbours in them are no farther apart than float32 tells, they may change places. */
static void compare(const float *a, const float *b, size_t n, double *difference, size_t *swapped)
{
    struct scored x[LISTED], y[LISTED];
    size_t nx = topk(a, n, LISTED, x), ny = topk(b, n, LISTED, y);
    assert_int_equal(nx, ny);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(isfinite(a[i]), isfinite(b[i]));
        if (isfinite(a[i]))
            *difference = fmax(*difference, fabs((double)a[i] - (double)b[i]));
    }
    for (size_t i = 0; i < nx; i++) {
        if (x[i].index == y[i].index)
            continue;
        ++*swapped;
        if (fabsf(b[x[i].index] - y[i].score) > 2e-6F)
            fail_msg("place %zu: item %u scores %.9g, item %u %.9g", i, x[i].index, (double)b[x[i].index], y[i].index, (double)y[i].score);
    }
}

static void check_removals(const struct dataset *d, const struct model *m, size_t removals, enum retrain_way way, double tolerance)
{
    struct rng r = rng_stream(7, "removals", 0);
    struct selection all = world_all(d);
    float *truth = mem_new(m->nitems, sizeof *truth, "", NULL);
    double difference = 0, effect = 0;
    size_t swapped = 0, nothing = 0;
    for (size_t i = 0; i < removals; i++) {
        uint32_t user, item;
        struct history before, after;
        struct retrained x;
        struct error err;
        draw(d, &r, &user, &item);
        assert_int_equal(history_of_user(&all, user, &before, NULL), ST_OK);
        assert_int_equal(history_of_user(&all, user, &after, NULL), ST_OK);
        size_t removed = history_remove(&after, item);
        struct query p = history_query(&before), q = history_query(&after);
        struct retrain how = {.m = m, .data = d, .before = &p, .after = &q};
        if (retrain_make(&how, &x, &err))
            fail_msg("%s: %s", m->name, err.message);
        assert_int_equal(x.way, way);
        assert_int_equal(x.removed, removed);
        assert_int_equal(x.added, 0);
        struct model *anew = rebuild_without(d, m, user, item);
        assert_int_equal(rank_scores(anew, &q, SEEN_HIDE, truth, NULL), ST_OK);
        rank_hide(&q, x.scores);
        compare(x.scores, truth, m->nitems, &difference, &swapped);
        assert_int_equal(rank_scores(m, &q, SEEN_HIDE, truth, NULL), ST_OK);
        for (size_t j = 0; j < m->nitems; j++)
            effect = isfinite(truth[j]) ? fmax(effect, fabs((double)truth[j] - (double)x.scores[j])) : effect;
        nothing += removed == 0;
        retrained_clear(&x);
        model_release(anew);
        history_clear(&before);
        history_clear(&after);
    }
    printf("%s, %u users, %u items: largest difference %.2g (retraining moves scores by up to %.2g), %zu places swapped within 2e-6\n", m->name,
           d->users.n, d->items.n, difference, effect, swapped);
    assert_true(difference <= tolerance && nothing == 0);
    assert_true(swapped <= removals / 20);
    assert_true(effect > 10 * difference && effect > 0); /* it tells something */
    mem_free(truth);
}

static void test_ease(void **state)
{
    (void)state;
    struct dataset *d = every_world(90, 60, 1600, ODD_NOT);
    static const char *const settings[][3] = {{"lambda=20", NULL}, {"lambda=20", "values=weight", NULL}};
    for (size_t i = 0; i < 2; i++) {
        struct model *m = world_train(d, &model_ease, settings[i]);
        check_removals(d, m, REMOVALS, RETRAIN_UPDATE, 1e-5);
        model_release(m);
    }
    struct model *m = world_train(d, &model_cease, NULL);
    check_removals(d, m, REMOVALS, RETRAIN_UPDATE, 1e-5);
    model_release(m);
    dataset_release(d);
}

static void test_movielens(void **state)
{
    (void)state;
    struct dataset *d = world_movielens();
    if (!d)
        skip();
    struct model *m = world_train(d, &model_ease, NULL);
    check_removals(d, m, REMOVALS, RETRAIN_UPDATE, 1e-4);
    model_release(m);
    dataset_release(d);
}

/* The others are trained: the same bits as by hand. */
static void test_anew(void **state)
{
    (void)state;
    static const struct {
        const struct model_class *class;
        enum retrain_way way;
    } classes[] = {{&model_itemknn, RETRAIN_ANEW}, {&model_pop, RETRAIN_ANEW}, {&model_slim, RETRAIN_ANEW}, {&model_ials, RETRAIN_CHANCE}};
    struct dataset *d = every_world(60, 40, 700, ODD_NOT);
    for (size_t c = 0; c < 4; c++) {
        struct model *m = every_model(classes[c].class, d);
        check_removals(d, m, 5, classes[c].way, 0);
        model_release(m);
    }
    dataset_release(d);
}

/* The world, with `more` events besides: u1 with i5 and i9, of the commonest type, at the time of the newest. */
static struct dataset *with_more(bool more)
{
    struct dataset *d = world_empty(1000);
    struct rng r = rng_stream(5, "edited", 0);
    char user[16], item[16];
    int64_t at = WORLD_START;
    for (size_t e = 0; e < 900; e++) {
        size_t u = rng_below(&r, 50), i = (u % 4) * 8 + rng_below(&r, 12);
        if (u == 1 && (i == 5 || i == 9))
            i = 8;
        snprintf(user, sizeof user, "u%zu", u);
        snprintf(item, sizeof item, "i%zu", i % 36);
        world_event(d, user, item, e % 3 ? "click" : "buy", at = WORLD_START + (int64_t)e * 60);
    }
    for (size_t i = 5; more && i < 10; i += 4) {
        snprintf(item, sizeof item, "i%zu", i);
        world_event(d, "u1", item, "click", at);
    }
    assert_int_equal(dataset_finish(d, NULL), ST_OK);
    return d;
}

static uint32_t item_named(const struct dataset *d, const char *id)
{
    uint32_t item;
    assert_int_equal(dataset_find_item(d, id, &item, NULL), ST_OK);
    return item;
}

/* What is added: against training on a data set that has it. And what is taken out at the same time. */
static void check_added(const struct model_class *class, bool weigh, double tolerance)
{
    const char *const settings[] = {weigh ? "values=weight" : NULL, NULL};
    struct dataset *d = with_more(false), *more = with_more(true);
    uint32_t user;
    d->type_weight[1] = more->type_weight[1] = 3;
    assert_int_equal(dataset_find_user(d, "u1", &user, NULL), ST_OK);
    struct selection all = world_all(d);
    struct history before, after;
    assert_int_equal(history_of_user(&all, user, &before, NULL), ST_OK);
    assert_int_equal(history_of_user(&all, user, &after, NULL), ST_OK);
    uint32_t gone = before.events[0].item;
    size_t removed = history_remove(&after, gone);
    assert_int_equal(history_add(&after, d, item_named(d, "i5"), NULL), ST_OK);
    assert_int_equal(history_add(&after, d, item_named(d, "i9"), NULL), ST_OK);
    struct model *m = world_train(d, class, settings), *truth = world_train(more, class, settings);
    struct model *without = train_without(more, truth, user, gone);
    struct query p = history_query(&before), q = history_query(&after);
    struct retrain how = {.m = m, .data = d, .before = &p, .after = &q};
    struct retrained x;
    float *scores = mem_new(m->nitems, sizeof *scores, "", NULL);
    double difference = 0;
    size_t swapped = 0;
    assert_int_equal(retrain_make(&how, &x, NULL), ST_OK);
    assert_true(x.removed == removed && x.added == 2);
    assert_int_equal(rank_scores(without, &q, SEEN_HIDE, scores, NULL), ST_OK);
    rank_hide(&q, x.scores);
    compare(x.scores, scores, m->nitems, &difference, &swapped);
    if (difference > tolerance || swapped)
        fail_msg("%s: %.9g off, %zu swapped", class->name, difference, swapped);
    retrained_clear(&x);
    mem_free(scores);
    history_clear(&before);
    history_clear(&after);
    model_release(without);
    model_release(truth);
    model_release(m);
    dataset_release(more);
    dataset_release(d);
}

static void test_added(void **state)
{
    (void)state;
    check_added(&model_ease, false, 1e-5);
    check_added(&model_ease, true, 1e-5);
    check_added(&model_itemknn, false, 0);
    check_added(&model_pop, false, 0);
    check_added(&model_puresvd, true, 1e-5);
}

/* Trained on a part: what the part has not, training does not lose. Lists of what if stand beside those of the retrained model. */
static void test_split(void **state)
{
    (void)state;
    struct dataset *d = every_world(60, 200, 900, ODD_NOT);
    struct split *s;
    struct split_spec spec = {.kind = SPLIT_LAST, .last = 1};
    struct model *m;
    struct param_value values[EVERY_PARAMS];
    assert_int_equal(split_new(d, &spec, &s, NULL), ST_OK);
    struct selection train = {.data = d, .split = s, .parts = PART_TRAIN, .until = NO_TIME}, all = world_all(d);
    every_values(&model_ease, values);
    assert_int_equal(model_train(&model_ease, "ease", values, &train, 7, NULL, NULL, &m, NULL), ST_OK);
    size_t same = 0, changed = 0;
    float *scores = mem_new(m->nitems, sizeof *scores, "", NULL);
    for (uint32_t u = 0; u < 40; u++) {
        struct history before, after;
        struct retrained x;
        struct whatif w;
        assert_int_equal(history_of_user(&all, u, &before, NULL), ST_OK);
        assert_int_equal(history_of_user(&all, u, &after, NULL), ST_OK);
        if (before.n < 2) {
            history_clear(&before);
            history_clear(&after);
            continue;
        }
        uint32_t item = before.events[u % 2 ? before.n - 1 : 0].item;
        history_remove(&after, item);
        struct query p = history_query(&before), q = history_query(&after);
        struct retrain how = {.m = m, .data = d, .split = s, .before = &p, .after = &q};
        size_t learnt = 0;
        for (size_t e = d->user_begin[u]; e < d->user_begin[u + 1]; e++)
            learnt += d->events.item[e] == item && s->part[e] == PART_TRAIN;
        assert_int_equal(retrain_make(&how, &x, NULL), ST_OK);
        assert_int_equal(x.removed, learnt);
        assert_int_equal(x.way, learnt ? RETRAIN_UPDATE : RETRAIN_SAME);
        same += !learnt;
        changed += learnt > 0;
        assert_int_equal(model_score(m, &q, 1, scores, NULL), ST_OK);
        if (!learnt)
            assert_memory_equal(scores, x.scores, m->nitems * sizeof *scores);
        assert_int_equal(whatif_beside(m, &p, &q, x.scores, 5, SEEN_HIDE, &w, NULL), ST_OK);
        rank_hide(&q, x.scores);
        for (size_t i = 0; i < w.n; i++) {
            assert_int_equal(w.moves[i].retrained, rank_of(x.scores, m->nitems, w.moves[i].item));
            assert_true(w.moves[i].score_retrained == x.scores[w.moves[i].item]);
            assert_true(i < w.listed ? w.moves[i].after == i + 1 : w.moves[i].after == 0 || w.moves[i].after > 5);
        }
        for (uint32_t i = 0; i < m->nitems; i++) { /* the first of each list are there */
            size_t rank = rank_of(x.scores, m->nitems, i), found = 0;
            for (size_t j = 0; j < w.n; j++)
                found += w.moves[j].item == i;
            assert_true(found <= 1 && (found || rank == 0 || rank > 5));
        }
        whatif_clear(&w);
        retrained_clear(&x);
        history_clear(&before);
        history_clear(&after);
    }
    assert_true(same > 5 && changed > 5);
    mem_free(scores);
    param_values_free(values, model_ease.nparams);
    model_release(m);
    split_release(s);
    dataset_release(d);
}

/* What cannot be retrained says why; without memory and cancelled it says so, and nothing leaks. */
static void test_refused(void **state)
{
    (void)state;
    struct dataset *d = every_world(30, 20, 300, ODD_NOT);
    struct selection all = world_all(d);
    struct history before, after;
    struct error err;
    struct retrained x;
    assert_int_equal(history_of_user(&all, 0, &before, NULL), ST_OK);
    assert_int_equal(history_of_user(&all, 0, &after, NULL), ST_OK);
    history_remove(&after, before.events[0].item);
    assert_int_equal(history_add(&after, d, 3, NULL), ST_OK);
    struct query p = history_query(&before), q = history_query(&after), nobody = p;
    nobody.user = NO_USER;
    struct model *ease = every_model(&model_ease, d), *blend = every_model(&model_blend, d), *pop = every_model(&model_pop, d);
    struct retrain how = {.m = ease, .data = d, .before = &nobody, .after = &q};
    assert_int_equal(retrain_make(&how, &x, &err), ST_UNSUPPORTED);
    assert_non_null(strstr(err.message, "made-up"));
    how.before = &p;
    ease->record.split_fingerprint = 77;
    assert_int_equal(retrain_make(&how, &x, &err), ST_STATE);
    assert_non_null(strstr(err.message, "another split"));
    ease->record.split_fingerprint = 0;
    
    blend->parts[1].model->record.split_fingerprint = 77; /* of a part */
    how.m = blend;
    assert_int_equal(retrain_make(&how, &x, &err), ST_STATE);
    assert_non_null(strstr(err.message, blend->parts[1].name));
    blend->parts[1].model->record.split_fingerprint = 0;
    for (int i = 0; i < 3; i++) {
        how.m = i == 2 ? blend : i ? pop : ease;
        enum status st = ST_NOMEM;
        for (size_t fail = 0; st && fail < 2000; fail++) {
            atomic_long left = (long)fail;
            mem_set_hook(fail_one, &left);
            st = retrain_make(&how, &x, &err);
            mem_set_hook(NULL, NULL);
            assert_true(st == ST_OK || st == ST_NOMEM);
            retrained_clear(&x);
        }
        assert_int_equal(st, ST_OK);
    }
    struct job job;
    job_init(&job);
    job_cancel(&job);
    how.job = &job;
    assert_int_equal(retrain_make(&how, &x, &err), ST_CANCELLED);
    job_destroy(&job);
    model_release(ease);
    model_release(blend);
    model_release(pop);
    history_clear(&before);
    history_clear(&after);
    dataset_release(d);
}

/* An attribute that is said to be another: the list of those who have it. */
static void test_attributes(void **state)
{
    (void)state;
    struct dataset *d = every_world(30, 20, 300, ODD_NOT);
    struct model *by = world_train(d, &model_pop, (const char *[]){"by=country", NULL}), *pop = world_train(d, &model_pop, NULL), *wide;
    const struct field *country = fields_find(&d->user_fields, "country");
    float *said = mem_new(d->items.n, sizeof *said, "", NULL), *theirs = mem_new(d->items.n, sizeof *theirs, "", NULL);
    assert_true(model_reads(by, "country") && !model_reads(by, "age") && !model_reads(pop, "country"));
    wide = model_widen(by, d->users.n, d->items.n + 1, NULL);
    assert_true(model_reads(wide, "country"));
    for (uint32_t u = 0; u + 1 < d->users.n; u++) {
        struct query_attribute a = {"country", dict_text(&country->levels, country->code[u + 1])}, age = {"age", "30"};
        struct query q = {.user = u, .as_of = NO_TIME, .attributes = &a, .nattributes = 1}, other = {.user = u + 1, .as_of = NO_TIME};
        struct explanation x;
        assert_int_equal(model_score(by, &q, 1, said, NULL), ST_OK);
        assert_int_equal(model_score(by, &other, 1, theirs, NULL), ST_OK);
        assert_memory_equal(said, theirs, d->items.n * sizeof *said);
        assert_int_equal(model_explain(by, &q, 3, &x, NULL), ST_OK);
        assert_true((float)x.score == said[3]);
        explanation_clear(&x);
        a.value = "nowhere"; /* like one of whom nothing is known */
        other.user = NO_USER;
        assert_int_equal(model_score(by, &q, 1, said, NULL), ST_OK);
        assert_int_equal(model_score(by, &other, 1, theirs, NULL), ST_OK);
        assert_memory_equal(said, theirs, d->items.n * sizeof *said);
        other.user = u;
        q.attributes = &age; /* not read */
        assert_int_equal(model_score(by, &q, 1, said, NULL), ST_OK);
        assert_int_equal(model_score(by, &other, 1, theirs, NULL), ST_OK);
        assert_memory_equal(said, theirs, d->items.n * sizeof *said);
    }
    mem_free(said);
    mem_free(theirs);
    model_release(wide);
    model_release(by);
    model_release(pop);
    dataset_release(d);
}

/* The data with another country for one user, made by hand. */
static struct dataset *with_country(const struct dataset *d, uint32_t user, const char *value)
{
    struct dataset *c;
    assert_int_equal(dataset_again(d, &c, NULL), ST_OK);
    struct field *f = fields_find(&c->user_fields, "country");
    assert_int_equal(dict_add(&f->levels, value, strlen(value), &f->code[user], NULL), ST_OK);
    return c;
}

/* Retrained with another attribute, alone and with an event less: as training on the data with that attribute. */
static void test_retrained_attributes(void **state)
{
    (void)state;
    struct dataset *d = every_world(30, 20, 300, ODD_NOT);
    struct selection all = world_all(d);
    struct model *by = world_train(d, &model_pop, (const char *[]){"by=country", "prior=2", NULL}), *ease = every_model(&model_ease, d);
    float *truth = mem_new(d->items.n, sizeof *truth, "", NULL), *asked = mem_new(d->items.n, sizeof *asked, "", NULL);
    const struct field *country = fields_find(&d->user_fields, "country");
    struct query_attribute a[] = {{"country", "nowhere yet"}, {"age", "30"}};
    size_t moved = 0;
    for (uint32_t u = 0; u < 20; u++) {
        struct history before, after;
        assert_int_equal(history_of_user(&all, u, &before, NULL), ST_OK);
        assert_int_equal(history_of_user(&all, u, &after, NULL), ST_OK);
        size_t removed = u % 2 && before.n ? history_remove(&after, before.events[0].item) : 0;
        a[0].value = u % 3 == 0 || country->code[u + 1] == NO_CODE ? "nowhere yet" : dict_text(&country->levels, country->code[u + 1]);
        struct query p = history_query(&before), q = history_query(&after);
        q.attributes = a;
        q.nattributes = 2;
        struct retrain how = {.m = by, .data = d, .before = &p, .after = &q};
        struct retrained x;
        assert_int_equal(retrain_make(&how, &x, NULL), ST_OK);
        bool other = country->code[u] == NO_CODE || strcmp(dict_text(&country->levels, country->code[u]), a[0].value) != 0;
        assert_true(x.removed == removed && x.attributes == other && x.way == (removed || other ? RETRAIN_ANEW : RETRAIN_SAME));
        struct dataset *edited = with_country(d, u, a[0].value);
        struct model *anew = train_without(edited, by, removed ? u : NO_USER, removed ? before.events[0].item : NO_ITEM);
        assert_int_equal(model_score(anew, &q, 1, truth, NULL), ST_OK);
        assert_memory_equal(truth, x.scores, d->items.n * sizeof *truth);
        assert_int_equal(model_score(by, &q, 1, asked, NULL), ST_OK);
        moved += memcmp(asked, x.scores, d->items.n * sizeof *asked) != 0;
        assert_true(!other || strcmp(dict_text(&country->levels, country->code[u]), a[0].value) != 0); /* the data stay as they are */
        model_release(anew);
        dataset_release(edited);
        retrained_clear(&x);
        how.m = ease; /* which reads none of them */
        assert_int_equal(retrain_make(&how, &x, NULL), ST_OK);
        assert_true(x.attributes == 0 && x.way == (removed ? RETRAIN_UPDATE : RETRAIN_SAME));
        retrained_clear(&x);
        how.m = by;
        enum status st = ST_NOMEM;
        for (size_t fail = 0; st && u == 0 && fail < 2000; fail++) {
            atomic_long left = (long)fail;
            mem_set_hook(fail_one, &left);
            st = retrain_make(&how, &x, NULL);
            mem_set_hook(NULL, NULL);
            assert_true(st == ST_OK || st == ST_NOMEM);
            retrained_clear(&x);
        }
        history_clear(&before);
        history_clear(&after);
    }
    assert_true(moved > 10);
    mem_free(truth);
    mem_free(asked);
    model_release(by);
    model_release(ease);
    dataset_release(d);
}

/* ---- ensembles ---- */

static struct model *together(const struct dataset *d, const struct model_class *class, const char *const *settings, struct model *a, struct model *b)
{
    struct param_value values[EVERY_PARAMS];
    struct selection all = world_all(d);
    struct model *parts[] = {a, b}, *m;
    struct error err;
    assert_int_equal(param_defaults(class->params, class->nparams, values, &err), ST_OK);
    for (; settings && *settings; settings++) {
        const char *value = strchr(*settings, '=') + 1;
        char key[32];
        snprintf(key, sizeof key, "%.*s", (int)(value - *settings - 1), *settings);
        size_t at = param_index(class->params, class->nparams, key);
        assert_int_equal(param_parse(&class->params[at], value, &values[at], &err), ST_OK);
    }
    if (model_train_of(class, class->name, values, parts, 2, NULL, &all, 7, NULL, &m, &err))
        fail_msg("%s", err.message);
    param_values_free(values, class->nparams);
    return m;
}

/* The bits of models trained by hand and put together by hand; nested ones too. */
static void test_ensembles(void **state)
{
    (void)state;
    struct dataset *d = every_world(60, 40, 700, ODD_NOT);
    struct model *pop = every_model(&model_pop, d), *knn = every_model(&model_itemknn, d), *als = every_model(&model_ials, d);
    struct model *stack = every_model(&model_stack, d);
    struct model *blend = together(d, &model_blend, (const char *const[]){"weights=0.7,0.3", "normalize=minmax", NULL}, pop, knn);
    struct model *chance = together(d, &model_fuse, NULL, knn, als);
    struct model *nested = together(d, &model_blend, NULL, stack, chance);
    struct model *many = together(d, &model_switch, (const char *const[]){"from=12", NULL}, knn, blend);
    assert_true(stack->class->part_weights(stack)[0] != stack->class->part_weights(stack)[1]); /* it has learnt something */
    check_removals(d, blend, 10, RETRAIN_ANEW, 0);
    check_removals(d, stack, 10, RETRAIN_ANEW, 0);
    check_removals(d, many, 10, RETRAIN_ANEW, 0);
    check_removals(d, nested, 5, RETRAIN_CHANCE, 0);
    check_removals(d, chance, 5, RETRAIN_CHANCE, 0);
    model_release(many);
    model_release(nested);
    model_release(chance);
    model_release(blend);
    model_release(stack);
    model_release(als);
    model_release(knn);
    model_release(pop);
    dataset_release(d);
}

/* Parts in their own ways: what the ensemble adds up is what each part gives when it is retrained by itself. The part of a switch that
 * does not answer, and one without weight, stay alone; an ensemble for grown data answers alike; nothing that is asked is changed. */
static void test_parts(void **state)
{
    (void)state;
    struct dataset *d = every_world(60, 40, 700, ODD_NOT);
    struct model *ease = world_train(d, &model_ease, (const char *[]){"lambda=20", NULL}), *knn = every_model(&model_itemknn, d);
    struct model *by = world_train(d, &model_pop, (const char *[]){"by=country", NULL});
    struct model *sum = together(d, &model_blend, (const char *const[]){"weights=1,1", "normalize=none", NULL}, ease, knn);
    struct model *one = together(d, &model_blend, (const char *const[]){"weights=1,0", "normalize=none", NULL}, ease, knn);
    struct model *other = together(d, &model_switch, (const char *const[]){"from=2", NULL}, knn, ease);
    struct model *place = together(d, &model_blend, (const char *const[]){"weights=1,1", "normalize=none", NULL}, ease, by);
    struct model *wide = model_widen(sum, d->users.n, d->items.n + 2, NULL);
    struct selection all = world_all(d);
    struct history before, after;
    struct retrained x, e, k;
    uint32_t user = 0;
    size_t n = d->items.n;
    float *was = mem_new(n, sizeof *was, "", NULL), *is = mem_new(n, sizeof *is, "", NULL);
    while (d->user_begin[user + 1] - d->user_begin[user] < 8)
        user++;
    assert_int_equal(history_of_user(&all, user, &before, NULL), ST_OK);
    assert_int_equal(history_of_user(&all, user, &after, NULL), ST_OK);
    size_t removed = history_remove(&after, before.events[0].item);
    assert_int_equal(history_add(&after, d, 3, NULL), ST_OK);
    struct query p = history_query(&before), q = history_query(&after);
    assert_int_equal(model_score(sum, &q, 1, was, NULL), ST_OK);
    struct retrain how = {.m = ease, .data = d, .before = &p, .after = &q};
    assert_int_equal(retrain_make(&how, &e, NULL), ST_OK);
    how.m = knn;
    assert_int_equal(retrain_make(&how, &k, NULL), ST_OK);
    for (int i = 0; i < 2; i++) {
        how.m = i ? wide : sum;
        assert_int_equal(retrain_make(&how, &x, NULL), ST_OK);
        assert_true(x.way == RETRAIN_ANEW && x.removed == removed && x.added == 1 && x.nparts == 2);
        assert_string_equal(x.parts[0].name, ease->name);
        assert_true(x.parts[0].way == RETRAIN_UPDATE && x.parts[1].way == RETRAIN_ANEW);
        for (size_t j = 0; j < n; j++)
            assert_true(x.scores[j] == e.scores[j] + k.scores[j]);
        assert_true(!i || (isinf(x.scores[n]) && isinf(x.scores[n + 1])));
        retrained_clear(&x);
    }
    assert_int_equal(model_score(sum, &q, 1, is, NULL), ST_OK);
    assert_memory_equal(was, is, n * sizeof *was);
    for (int i = 0; i < 2; i++) {
        how.m = i ? other : one;
        assert_int_equal(retrain_make(&how, &x, NULL), ST_OK);
        assert_true(x.way == RETRAIN_UPDATE && x.nparts == 1);
        assert_string_equal(x.parts[0].name, ease->name);
        assert_memory_equal(x.scores, e.scores, n * sizeof *x.scores);
        retrained_clear(&x);
    }
    struct query_attribute a = {"country", "nowhere"}; /* one part reads it, and the other stays */
    struct query said = p;
    said.attributes = &a;
    said.nattributes = 1;
    how = (struct retrain){.m = place, .data = d, .before = &p, .after = &said};
    assert_int_equal(retrain_make(&how, &x, NULL), ST_OK);
    assert_true(x.way == RETRAIN_ANEW && x.attributes == 1 && x.nparts == 2);
    assert_true(x.parts[0].way == RETRAIN_SAME && x.parts[1].way == RETRAIN_ANEW);
    retrained_clear(&x);
    how.after = &p; /* nothing */
    assert_int_equal(retrain_make(&how, &x, NULL), ST_OK);
    assert_true(x.way == RETRAIN_SAME && x.nparts == 2);
    retrained_clear(&x);
    retrained_clear(&e);
    retrained_clear(&k);
    history_clear(&before);
    history_clear(&after);
    mem_free(was);
    mem_free(is);
    model_release(wide);
    model_release(place);
    model_release(other);
    model_release(one);
    model_release(sum);
    model_release(by);
    model_release(knn);
    model_release(ease);
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ease),
        cmocka_unit_test(test_movielens),
        cmocka_unit_test(test_anew),
        cmocka_unit_test(test_added),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_ensembles),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_retrained_attributes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
