/* What the tests of every model class share: data sets that have all that a class may ask for, and ways to train on them.
 *
 * No list of names: classes come from the registry. A class added there is tested without another line. */
#ifndef TAILOR_TESTS_UNIT_EVERY_MODEL_H
#define TAILOR_TESTS_UNIT_EVERY_MODEL_H

#include "tests/unit/world.h"

/* How a data set is strange. */
enum oddity {
    ODD_NOT,
    ODD_RELABELLED,   /* as ODD_NOT, but users and items get other indices */
    ODD_ONE_EVENT,    /* one user, one item, one event */
    ODD_ONE_USER,
    ODD_ONE_ITEM,
    ODD_SAME_USERS,   /* all users did the same */
    ODD_EVERYTHING,   /* one user had every item, and every item one user */
    ODD_EQUAL_VALUES,
    ODD_NAN_VALUES,
    ODD_NO_VALUES,
    ODD_NO_TIMES,
    ODD_SAME_TIME,    /* all events in one instant */
    ODD_DUPLICATES,   /* every event four times */
    ODD_HEAVY,        /* weights of a million */
    ODD_LIGHT,        /* weights of a millionth */
    ODD_DECAY,        /* weights that halve every hour */
    ODD_KINDS
};

static const char *const odd_names[ODD_KINDS] = {
    "plain", "relabelled", "one event", "one user", "one item", "users who did the same", "a user of everything", "equal values",
    "missing values", "no values", "no times", "one instant", "duplicates", "heavy weights", "light weights", "decay"};

/* Users and items that no event has stand at the end of the dictionaries, or anywhere when relabelled. */
enum { LONELY_USERS = 2, LONELY_ITEMS = 3 };

static inline void every_name(struct dict *names, char letter, size_t n, bool shuffled)
{
    char text[16];
    uint32_t code;
    for (size_t i = 0; i < n; i++) {
        size_t id = shuffled ? (i * 7 + 3) % n : i; /* n is no multiple of 7 */
        snprintf(text, sizeof text, "%c%zu", letter, id);
        assert_int_equal(dict_add(names, text, strlen(text), &code, NULL), ST_OK);
    }
}

static inline void every_event(struct dataset *d, size_t user, size_t item, const char *type, int64_t seconds, float value)
{
    char u[16], i[16], session[32];
    snprintf(u, sizeof u, "u%zu", user);
    snprintf(i, sizeof i, "i%zu", item);
    snprintf(session, sizeof session, "%zu-%lld", user, (long long)(seconds / 86400));
    d->events.value[d->events.n] = value;
    world_event(d, u, i, type, seconds);
    assert_int_equal(field_push_text(&d->events.context.field[0], session, strlen(session), NULL), ST_OK);
}

/* Attributes that follow from the id. Items: world_describe, genres (a list), price. Users: country, age. */
static inline void every_describe(struct dataset *d)
{
    static const char *const genres[] = {"drama", "comedy", "war", "noir", "crime"}, *const countries[] = {"NO", "PT", "JP"};
    struct field *f;
    world_describe(d);
    assert_int_equal(fields_add(&d->item_fields, "genres", FIELD_LIST, &f, NULL), ST_OK);
    for (uint32_t i = 0; i < d->items.n; i++) {
        size_t id = (size_t)atoi(dict_text(&d->items, i) + 1);
        const char *const two[] = {genres[id % 5], genres[(id / 2 + 1) % 5]};
        const size_t length[] = {strlen(two[0]), strlen(two[1])};
        assert_int_equal(field_push_list(f, two, length, id % 11 == 10 ? 0 : id % 5 == (id / 2 + 1) % 5 ? 1 : 2, NULL), ST_OK);
    }
    assert_int_equal(fields_add(&d->item_fields, "price", FIELD_REAL, &f, NULL), ST_OK);
    for (uint32_t i = 0; i < d->items.n; i++) {
        int id = atoi(dict_text(&d->items, i) + 1);
        assert_int_equal(field_push_real(f, id % 9 == 8 ? (double)NAN : 3. + id % 17, NULL), ST_OK);
    }
    assert_int_equal(fields_add(&d->user_fields, "country", FIELD_TEXT, &f, NULL), ST_OK);
    for (uint32_t u = 0; u < d->users.n; u++) {
        const char *country = countries[(size_t)atoi(dict_text(&d->users, u) + 1) % 3];
        assert_int_equal(field_push_text(f, country, strlen(country), NULL), ST_OK);
    }
    assert_int_equal(fields_add(&d->user_fields, "age", FIELD_INT, &f, NULL), ST_OK);
    for (uint32_t u = 0; u < d->users.n; u++)
        assert_int_equal(field_push_int(f, 18 + atoi(dict_text(&d->users, u) + 1) % 50, NULL), ST_OK);
}

/* Ratings, times, sessions, two types of events, attributes of users and items; groups of users like groups of items. */
static inline struct dataset *every_world(size_t users, size_t items, size_t events, enum oddity odd)
{
    struct rng r = rng_stream(11, "every model", 0);
    size_t repeat = odd == ODD_DUPLICATES ? 4 : 1;
    struct field *session;
    users = odd == ODD_ONE_EVENT || odd == ODD_ONE_USER ? 1 : users;
    items = odd == ODD_ONE_EVENT || odd == ODD_ONE_ITEM ? 1 : items;
    events = odd == ODD_ONE_EVENT ? 1 : odd == ODD_SAME_USERS ? users * 3 : odd == ODD_EVERYTHING ? items * 2 : events;
    struct dataset *d = world_empty(events * repeat);
    d->events.value = mem_new(events * repeat, sizeof *d->events.value, "", NULL);
    assert_int_equal(fields_add(&d->events.context, "session", FIELD_TEXT, &session, NULL), ST_OK);
    if (odd != ODD_ONE_EVENT && odd != ODD_ONE_USER)
        every_name(&d->users, 'u', users + LONELY_USERS, odd == ODD_RELABELLED);
    if (odd != ODD_ONE_EVENT && odd != ODD_ONE_ITEM)
        every_name(&d->items, 'i', items + LONELY_ITEMS, odd == ODD_RELABELLED);
    for (size_t e = 0; e < events; e++) {
        size_t u = rng_below(&r, users), i = (size_t)((double)items * rng_real(&r) * rng_real(&r));
        bool fits = rng_real(&r) < .8;
        if (fits && items > 1)
            i = i / WORLD_GROUPS * WORLD_GROUPS + u % WORLD_GROUPS;
        if (odd == ODD_SAME_USERS)
            u = e / 3, i = e % 3;
        if (odd == ODD_EVERYTHING)
            u = e < items ? 0 : 1 + e % (users - 1), i = e % items;
        float value = odd == ODD_NAN_VALUES ? NAN : odd == ODD_EQUAL_VALUES ? 3 : (float)(fits ? 3 + rng_below(&r, 3) : 1 + rng_below(&r, 4));
        int64_t at = WORLD_START + (odd == ODD_SAME_TIME ? 0 : (int64_t)e * 1800);
        const char *type = rng_real(&r) < .3 ? "buy" : "click";
        for (size_t n = 0; n < repeat; n++)
            every_event(d, u, i < items ? i : items - 1, type, at, value);
    }
    if (odd == ODD_NO_VALUES) {
        mem_free(d->events.value);
        d->events.value = NULL;
    }
    if (odd == ODD_NO_TIMES) {
        mem_free(d->events.time);
        d->events.time = NULL;
    }
    every_describe(d);
    d->halflife = odd == ODD_DECAY ? 3600 * (int64_t)US_PER_SECOND : 0;
    assert_int_equal(dataset_finish(d, NULL), ST_OK);
    for (size_t t = 0; t < d->types.n && (odd == ODD_HEAVY || odd == ODD_LIGHT); t++)
        d->type_weight[t] = odd == ODD_HEAVY ? 1e6f : 1e-6f;
    return d;
}

/* The defaults, with few epochs: what must hold holds from the first one on. */
enum { EVERY_EPOCHS = 3, EVERY_PARAMS = 64 };

static inline void every_values(const struct model_class *class, struct param_value *values)
{
    char epochs[16];
    assert_true(class->nparams <= EVERY_PARAMS);
    assert_int_equal(param_defaults(class->params, class->nparams, values, NULL), ST_OK);
    size_t i = param_index(class->params, class->nparams, "epochs");
    if (i == class->nparams)
        return;
    snprintf(epochs, sizeof epochs, "%d", class->params[i].min > EVERY_EPOCHS ? (int)class->params[i].min : EVERY_EPOCHS);
    assert_int_equal(param_parse(&class->params[i], epochs, &values[i], NULL), ST_OK);
}

/* Lists for weights to be fitted to: each user's last item, to be found from what came before. */
struct every_fitting {
    struct query q[64];
    struct query_event room[2048];
    size_t right_begin[65];
    uint32_t right[64];
    struct fitting fitting;
};

static inline double every_reciprocal(const void *metric, const uint32_t *rank, size_t nhits, size_t relevant)
{
    (void)metric;
    (void)relevant;
    return nhits ? 1. / (1 + rank[0]) : 0;
}

static inline void every_fitting_make(struct every_fitting *f, const struct dataset *d)
{
    size_t n = 0, used = 0;
    for (uint32_t u = 0; u < d->users.n && n < 64; u++) {
        size_t events = d->user_begin[u + 1] - d->user_begin[u];
        if (!events || used + events > sizeof f->room / sizeof *f->room)
            continue;
        f->q[n] = world_query(d, u, f->room + used);
        f->right[n] = f->room[used + events - 1].item;
        f->q[n].n--;
        used += events;
        n++;
        f->right_begin[n] = n;
    }
    f->right_begin[0] = 0;
    f->fitting = (struct fitting){NULL, f->q, n, f->right_begin, f->right, true, every_reciprocal, NULL, 10};
}

/* model_train; an ensemble is made of two simple models, trained for it. */
static inline enum status every_fit(const struct model_class *class, const struct param_value *values,
                                    const struct selection *s, uint64_t seed, struct job *job, struct model **out,
                                    struct error *err)
{
    static const char *const names[] = {"pop", "itemknn"};
    struct model *part[2] = {0};
    static struct every_fitting f;
    enum status st = ST_OK;
    if (!(class->capabilities & OF_MODELS))
        return model_train(class, class->name, values, s, seed, NULL, job, out, err);
    for (int i = 0; i < 2 && !st; i++) {
        const struct model_class *simple = model_class_find(names[i]);
        struct param_value defaults[EVERY_PARAMS] = {0};
        st = param_defaults(simple->params, simple->nparams, defaults, err);
        if (!st)
            st = model_train(simple, simple->name, defaults, s, seed, NULL, job, &part[i], err);
        param_values_free(defaults, simple->nparams);
    }
    every_fitting_make(&f, s->data);
    if (!st)
        st = model_train_of(class, class->name, values, part, 2, class->capabilities & FITS_WEIGHTS ? &f.fitting : NULL, s,
                            seed, job, out, err);
    for (int i = 0; i < 2; i++)
        model_release(part[i]);
    return st;
}

/* model_load; an ensemble gets the models of `like` again. */
static inline enum status every_load(struct blob_reader *r, const struct model *like, struct model **out, struct error *err)
{
    enum status st = model_load(r, out, err);
    for (size_t i = 0; !st && i < (*out)->nparts; i++) {
        assert_true(model_is_part(*out, i, like->parts[i].model));
        st = model_attach(*out, i, like->parts[i].model, err);
    }
    return st;
}

static inline enum status every_train(const struct model_class *class, const struct dataset *d, struct job *job,
                                      struct model **out, struct error *err)
{
    struct param_value values[EVERY_PARAMS];
    struct selection all = world_all(d);
    every_values(class, values);
    *err = (struct error){0};
    *out = NULL;
    enum status st = every_fit(class, values, &all, 7, job, out, err);
    param_values_free(values, class->nparams);
    if (st && (*out || !err->message[0]))
        fail_msg("%s: status %d %s", class->name, st, *out ? "and yet a model" : "and no message");
    return st;
}

/* Trains where that must be possible. */
static inline struct model *every_model(const struct model_class *class, const struct dataset *d)
{
    struct error err;
    struct model *m;
    if (every_train(class, d, NULL, &m, &err))
        fail_msg("%s cannot be trained on a plain data set: %s (%s)", class->name, err.message, err.hint);
    return m;
}

/* Histories to ask about: those of users, of nobody, of one made-up event, of a repeated item, of an item without events. */
enum { EVERY_QUERIES = 9, EVERY_USERS = 5 };

struct every_queries {
    struct query q[EVERY_QUERIES];
    struct query_event *room;
    size_t nitems;
    float *scores, *again; /* EVERY_QUERIES x nitems */
};

static inline void every_queries_new(struct every_queries *s, const struct dataset *d)
{
    static const size_t made_up[] = {0, 1, 2, 1};
    size_t used = 0;
    s->nitems = d->items.n;
    s->room = mem_new(d->events.n * EVERY_USERS + 8, sizeof *s->room, "", NULL);
    s->scores = mem_new(EVERY_QUERIES * s->nitems, sizeof *s->scores, "", NULL);
    s->again = mem_new(EVERY_QUERIES * s->nitems, sizeof *s->again, "", NULL);
    for (uint32_t u = 0; u < EVERY_USERS; u++) {
        s->q[u] = world_query(d, u % d->users.n, s->room + used);
        for (size_t e = 0; e < s->q[u].n; e++)
            s->room[used + e].value = d->events.value ? d->events.value[s->room[used + e].event] : NAN;
        used += s->q[u].n;
    }
    for (size_t i = 0; i < 4; i++) {
        uint32_t item = i == 3 ? (uint32_t)s->nitems - 1 : (uint32_t)(i * 5 % s->nitems);
        for (size_t e = 0; e < made_up[i]; e++)
            s->room[used + e] = (struct query_event){.item = item, .value = NAN, .weight = 1, .time = NO_TIME, .event = UINT64_MAX};
        s->q[EVERY_USERS + i] = (struct query){.events = s->room + used, .n = made_up[i], .user = NO_USER, .as_of = NO_TIME};
        used += made_up[i];
    }
}

static inline void every_queries_clear(struct every_queries *s)
{
    mem_free(s->room);
    mem_free(s->scores);
    mem_free(s->again);
}

/* A number, or -inf: what may stand among scores and similarities. */
static inline bool every_sane(const float *x, size_t n)
{
    bool sane = true;
    for (size_t i = 0; i < n && sane; i++)
        sane = isfinite(x[i]) || x[i] == -INFINITY;
    return sane;
}

/* Asks all that can be asked: every answer is sane, or a status with a message. */
static inline void every_ask(const struct model *m, struct every_queries *s, const char *where)
{
    struct error err = {0};
    enum status st = model_score(m, s->q, EVERY_QUERIES, s->scores, &err);
    if (st || !every_sane(s->scores, EVERY_QUERIES * s->nitems))
        fail_msg("%s, %s: %s", m->class->name, where, st ? err.message : "a score is NaN or +inf");
    for (size_t i = 0; i < EVERY_QUERIES; i++) {
        for (uint32_t item = 0; item < s->nitems; item += 1 + (uint32_t)s->nitems / 5) {
            struct explanation x;
            st = model_explain(m, &s->q[i], item, &x, &err);
            if (st && (st != ST_UNSUPPORTED || !err.message[0]))
                fail_msg("%s, %s: why item %u: %s", m->class->name, where, item, err.message);
            bool sane = !isnan(x.base) && !isnan(x.score);
            for (size_t p = 0; p < x.nparts; p++)
                sane = sane && !isnan(x.parts[p].value);
            if (!sane)
                fail_msg("%s, %s: an explanation of item %u has NaN", m->class->name, where, item);
            explanation_clear(&x);
        }
    }
    for (uint32_t item = 0; item < s->nitems; item += 1 + (uint32_t)s->nitems / 7) {
        st = model_similar(m, item, s->again, &err);
        if (st ? st != ST_UNSUPPORTED || !err.message[0] : !every_sane(s->again, s->nitems) || s->again[item] != -INFINITY)
            fail_msg("%s, %s: similar to item %u: %s", m->class->name, where, item, st ? err.message : "NaN, +inf, or itself");
    }
}

/* The tests of a program: one for each class, so that each failure has its name. */
struct every_tests {
    struct CMUnitTest test[1024];
    char name[1024][64];
    size_t n;
};

/* A test that failed in the middle leaves no hook behind. */
static inline int every_unhook(void **state)
{
    (void)state;
    mem_set_hook(NULL, NULL);
    return 0;
}

/* `run` for every class that has these capabilities. */
static inline void every_class(struct every_tests *t, unsigned capabilities, const char *what, CMUnitTestFunction run)
{
    for (const struct model_class *const *c = model_classes; *c; c++) {
        if (((*c)->capabilities & capabilities) != capabilities)
            continue;
        assert_true(t->n < sizeof t->test / sizeof *t->test);
        char *name = t->name[t->n];
        snprintf(name, sizeof *t->name, "%s: %s", (*c)->name, what);
        union {
            const void *in;
            void *out;
        } class = {*c}; /* cmocka hands on what it does not touch */
        t->test[t->n++] = (struct CMUnitTest){name, run, NULL, every_unhook, class.out};
    }
}

#endif
