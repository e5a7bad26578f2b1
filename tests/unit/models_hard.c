/* What every model class must survive: strange data, extreme parameters, damaged blobs, no memory, a cancel at any moment. */
#include "tests/unit/every_model.h"
#include "tests/unit/memory.h"

#include <limits.h>

enum { USERS = 15, ITEMS = 18, EVENTS = 130 };

/* Trained, or refused with a message; and then every answer is sane, also after saving. */
static void test_odd_data(void **state)
{
    for (enum oddity odd = ODD_NOT; odd < ODD_KINDS; odd++) {
        struct dataset *d = every_world(USERS, ITEMS, EVENTS, odd);
        struct every_queries s;
        struct model *m, *again = NULL;
        struct error err;
        every_queries_new(&s, d);
        if (!every_train(*state, d, NULL, &m, &err)) {
            struct snapshot blob = {0};
            struct blob_writer w = snapshot_writer(&blob);
            every_ask(m, &s, odd_names[odd]);
            assert_int_equal(model_save(m, &w, NULL), ST_OK);
            struct blob_reader r = snapshot_reader(&blob);
            if (every_load(&r, m, &again, &err))
                fail_msg("%s, %s: %s", m->class->name, odd_names[odd], err.message);
            assert_int_equal(model_score(m, s.q, EVERY_QUERIES, s.scores, NULL), ST_OK);
            assert_int_equal(model_score(again, s.q, EVERY_QUERIES, s.again, NULL), ST_OK);
            assert_memory_equal(s.scores, s.again, EVERY_QUERIES * s.nitems * sizeof *s.scores);
            snapshot_clear(&blob);
            model_release(again);
            model_release(m);
        } else if (err.code == ST_INTERNAL || odd == ODD_NOT || odd == ODD_RELABELLED) {
            fail_msg("%s, %s: %s", ((const struct model_class *)*state)->name, odd_names[odd], err.message);
        }
        every_queries_clear(&s);
        dataset_release(d);
    }
}

static void test_no_events(void **state)
{
    const struct model_class *class = *state;
    struct dataset *d = every_world(USERS, ITEMS, EVENTS, ODD_NOT);
    struct selection none = {.data = d, .until = 0};
    struct param_value values[EVERY_PARAMS];
    struct model *m = NULL;
    struct error err;
    every_values(class, values);
    assert_int_equal(every_fit(class, values, &none, 1, NULL, &m, &err), ST_STATE);
    assert_null(m);
    param_values_free(values, class->nparams);
    dataset_release(d);
}

/* ---- parameters ---- */

/* Extremes of one parameter as one would type them; returns how many. Larger numbers than these would only take longer. */
enum { EXTREMES = 16, LARGEST = 96 };

static double clipped(const struct param *p, double x)
{
    double largest = strcmp(p->name, "epochs") == 0 ? EVERY_EPOCHS : LARGEST;
    return p->type == PARAM_INT && x > largest ? fmax(largest, p->min) : x;
}

static size_t extremes(const struct param *p, char (*out)[64])
{
    bool unlimited = p->min == 0 && p->max == 0;
    const double numbers[] = {unlimited ? 0 : p->min, unlimited ? 1e6 : p->max, p->tune_min, p->tune_max};
    size_t n = 0;
    switch (p->type) {
    case PARAM_BOOL:
        snprintf(out[n++], sizeof *out, "yes");
        snprintf(out[n++], sizeof *out, "no");
        break;
    case PARAM_ENUM:
        for (size_t c = 0; c < param_choice_count(p) && c < EXTREMES; c++)
            n += param_choice(p, c, out[n], sizeof *out);
        break;
    case PARAM_INT:
    case PARAM_REAL:
        for (size_t i = 0; i < (p->tune_max != 0 ? 4 : 2); i++)
            snprintf(out[n++], sizeof *out, "%.17g", clipped(p, numbers[i]));
        break;
    case PARAM_PERCENT:
        snprintf(out[n++], sizeof *out, "0%%");
        snprintf(out[n++], sizeof *out, "100%%");
        break;
    case PARAM_DURATION:
        snprintf(out[n++], sizeof *out, "1s");
        snprintf(out[n++], sizeof *out, "10000d");
        break;
    default: /* names of columns and the like have no extremes */
        break;
    }
    return n;
}

/* One parameter after the other at the ends of its range: a message, or sane answers. */
static void test_extremes(void **state)
{
    const struct model_class *class = *state;
    struct dataset *d = every_world(USERS, ITEMS, EVENTS, ODD_NOT);
    struct selection all = world_all(d);
    struct every_queries s;
    char text[EXTREMES][64], where[128];
    every_queries_new(&s, d);
    for (size_t p = 0; p < class->nparams; p++) {
        size_t n = extremes(&class->params[p], text);
        for (size_t i = 0; i < n; i++) {
            struct param_value values[EVERY_PARAMS];
            struct model *m = NULL;
            struct error err = {0};
            every_values(class, values);
            snprintf(where, sizeof where, "%s=%s", class->params[p].name, text[i]);
            if (param_parse(&class->params[p], text[i], &values[p], &err))
                fail_msg("%s: %s: %s", class->name, where, err.message);
            enum status st = every_fit(class, values, &all, 3, NULL, &m, &err);
            if (!st)
                every_ask(m, &s, where);
            else if (!err.message[0] || st == ST_INTERNAL || m)
                fail_msg("%s: %s: status %d: %s", class->name, where, st, err.message);
            model_release(m);
            param_values_free(values, class->nparams);
        }
    }
    every_queries_clear(&s);
    dataset_release(d);
}

/* ---- damage ---- */

/* Sections as blob.c lays them out. */
struct section {
    char name[32];
    enum blob_type type;
    uint64_t count;
    size_t at, bytes; /* of its data */
};

enum { HEADER = 64, SECTIONS = 4096 };

static size_t size_of(enum blob_type type)
{
    return type == BLOB_U8 ? 1 : type == BLOB_U32 || type == BLOB_F32 ? 4 : 8;
}

static size_t sections_of(const struct snapshot *s, struct section *out)
{
    size_t n = 0;
    for (size_t at = 0; at < s->n; n++) {
        assert_true(n < SECTIONS && s->n - at >= HEADER);
        struct section *x = &out[n];
        x->type = (enum blob_type)s->bytes[at + 5];
        memcpy(x->name, s->bytes + at + 8, sizeof x->name);
        memcpy(&x->count, s->bytes + at + 40, sizeof x->count);
        x->at = at + HEADER;
        x->bytes = (size_t)x->count * size_of(x->type);
        at = x->at + x->bytes;
    }
    return n;
}

/* Copies all sections, with the data of section `which` replaced: its checksums hold. */
static void reseal(const struct snapshot *s, const struct section *list, size_t n, size_t which, const void *data, uint64_t count,
                   struct snapshot *out)
{
    struct blob_writer w = snapshot_writer(out);
    snapshot_empty(out);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(blob_put(&w, list[i].name, list[i].type, i == which ? data : s->bytes + list[i].at,
                                  (size_t)(i == which ? count : list[i].count), NULL),
                         ST_OK);
}

/* Whatever it says, it says it without a crash. */
static void read_damaged(struct snapshot *s, struct every_queries *q)
{
    struct blob_reader r = snapshot_reader(s);
    struct model *m = NULL;
    struct error err = {0};
    s->at = 0;
    enum status st = model_load(&r, &m, &err);
    if (st) {
        assert_null(m);
        assert_true(err.message[0]);
        return;
    }
    if (m->nitems == q->nitems) {
        struct explanation x;
        st = model_score(m, q->q, EVERY_QUERIES, q->scores, &err);
        st = model_similar(m, 0, q->scores, &err);
        st = model_explain(m, &q->q[0], 1 % (uint32_t)q->nitems, &x, &err);
        if (!st)
            explanation_clear(&x);
    }
    model_release(m);
}

/* Puts element `i` of a section to an extreme. */
static void twist(const struct section *x, char *data, size_t i, size_t how)
{
    static const uint64_t wholes[] = {0, UINT64_MAX, UINT64_MAX / 2, 1ULL << 31, 1ULL << 40};
    static const double reals[] = {0, NAN, INFINITY, -INFINITY, 3e38};
    size_t size = size_of(x->type);
    uint64_t whole = wholes[how];
    if (how == 2) { /* the next number: an order or a range that just fails */
        whole = 0;
        memcpy(&whole, data + i * size, size);
        whole++;
    }
    float single = (float)reals[how];
    memcpy(data + i * size, x->type == BLOB_F32 ? (void *)&single : x->type == BLOB_F64 ? (void *)&reals[how] : (void *)&whole, size);
}

static void twist_sections(struct snapshot *blob, struct every_queries *q, const struct section *list, size_t n)
{
    struct snapshot bad = {0};
    for (size_t i = 0; i < n; i++) {
        const struct section *x = &list[i];
        if (strcmp(x->name, "counts") == 0) /* how many items there are is believed: all sizes follow from it */
            continue;
        char *data = mem_new(x->bytes + 8, 1, "", NULL);
        size_t elements[] = {0, (size_t)x->count / 2, (size_t)x->count - 1};
        for (size_t e = 0; e < 3 && x->count; e++) {
            for (size_t how = 0; how < 5; how++) {
                memcpy(data, blob->bytes + x->at, x->bytes);
                twist(x, data, elements[e], how);
                reseal(blob, list, n, i, data, x->count, &bad);
                read_damaged(&bad, q);
            }
        }
        memcpy(data, blob->bytes + x->at, x->bytes);
        uint64_t counts[] = {0, x->count ? x->count - 1 : 0, x->count + 1};
        for (size_t c = 0; c < 3; c++) {
            reseal(blob, list, n, i, data, counts[c], &bad);
            read_damaged(&bad, q);
        }
        mem_free(data);
    }
    snapshot_clear(&bad);
}

static void test_damage(void **state)
{
    static struct section list[SECTIONS];
    struct dataset *d = every_world(USERS, ITEMS, EVENTS, ODD_NOT);
    struct model *m = every_model(*state, d), *again = NULL;
    struct rng r = rng_stream(3, "damage", 0);
    struct snapshot blob = {0};
    struct blob_writer w = snapshot_writer(&blob);
    struct blob_reader in = snapshot_reader(&blob);
    struct every_queries q;
    every_queries_new(&q, d);
    assert_int_equal(model_save(m, &w, NULL), ST_OK);
    for (int i = 0; i < 200; i++) { /* any bit: the checksums find it */
        char *byte = blob.bytes + rng_below(&r, blob.n), bit = (char)(1 << rng_below(&r, 8));
        *byte = (char)(*byte ^ bit);
        blob.at = 0;
        assert_int_not_equal(model_load(&in, &again, NULL), ST_OK);
        assert_null(again);
        *byte = (char)(*byte ^ bit);
    }
    size_t whole = blob.n;
    for (size_t cut = 0; cut < whole; cut += 1 + whole / 61) {
        blob.n = cut;
        blob.at = 0;
        assert_int_not_equal(model_load(&in, &again, NULL), ST_OK);
        assert_null(again);
    }
    blob.n = whole;
    twist_sections(&blob, &q, list, sections_of(&blob, list));
    snapshot_clear(&blob);
    every_queries_clear(&q);
    model_release(m);
    dataset_release(d);
}

/* ---- memory and cancel ---- */

/* Runs `work` with the n-th allocation failing, for about `tries` n, until one run needs fewer. */
typedef enum status work(void *context, struct error *err);

static long allocations_of(work *run, void *context)
{
    atomic_long left = LONG_MAX;
    struct error err;
    mem_set_hook(fail_one, &left);
    enum status st = run(context, &err);
    mem_set_hook(NULL, NULL);
    if (st)
        fail_msg("%s", err.message);
    return LONG_MAX - atomic_load(&left);
}

static void fail_each(const char *name, const char *what, work *run, void *context, long tries)
{
    long total = allocations_of(run, context);
    for (long n = 0; n < total; n += 1 + total / tries) {
        atomic_long left = n;
        struct error err = {0};
        mem_set_hook(n % 2 ? fail_one : fail_from, &left);
        enum status st = run(context, &err);
        mem_set_hook(NULL, NULL);
        if (st != ST_NOMEM || !err.message[0])
            fail_msg("%s: %s without allocation %ld of %ld: status %d %s", name, what, n + 1, total, st, err.message);
    }
}

struct asked {
    const struct model_class *class;
    struct dataset *d;
    struct param_value values[EVERY_PARAMS];
    struct model *m;
    struct every_queries s;
    struct snapshot blob;
    struct job *job;
};

/* A model that only lacks the vectors of its users is whole (models/user_vectors.h). Here it counts as one that memory
 * failed, unless it was cancelled. */
static enum status train_once(void *context, struct error *err)
{
    struct asked *a = context;
    struct selection all = world_all(a->d);
    struct model *m = NULL;
    enum status st = every_fit(a->class, a->values, &all, 7, a->job, &m, err);
    assert_true(!m == (st != ST_OK));
    if (m && !a->job && a->class->fold && !a->class->reads && !m->users.n)
        st = error_set(err, ST_NOMEM, "no vectors of users");
    model_release(m);
    return st;
}

static enum status score_once(void *context, struct error *err)
{
    struct asked *a = context;
    return model_score(a->m, a->s.q, EVERY_QUERIES, a->s.scores, err);
}

static enum status explain_once(void *context, struct error *err)
{
    struct asked *a = context;
    struct explanation x;
    enum status st = model_explain(a->m, &a->s.q[0], 2, &x, err);
    explanation_clear(&x);
    return st == ST_UNSUPPORTED ? ST_OK : st;
}

static enum status similar_once(void *context, struct error *err)
{
    struct asked *a = context;
    enum status st = model_similar(a->m, 2, a->s.scores, err);
    return st == ST_UNSUPPORTED ? ST_OK : st;
}

static enum status save_once(void *context, struct error *err)
{
    struct asked *a = context;
    struct blob_writer w = snapshot_writer(&a->blob);
    snapshot_empty(&a->blob);
    return model_save(a->m, &w, err);
}

static enum status load_once(void *context, struct error *err)
{
    struct asked *a = context;
    struct blob_reader r = snapshot_reader(&a->blob);
    struct model *m = NULL;
    a->blob.at = 0;
    enum status st = model_load(&r, &m, err);
    assert_true(!m == (st != ST_OK));
    model_release(m);
    return st;
}

static void asked_new(struct asked *a, const struct model_class *class)
{
    struct dataset *d = every_world(USERS, ITEMS, EVENTS, ODD_NOT);
    *a = (struct asked){.class = class, .d = d};
    every_values(class, a->values);
    a->m = every_model(class, d);
    every_queries_new(&a->s, d);
}

static void asked_clear(struct asked *a)
{
    param_values_free(a->values, a->class->nparams);
    snapshot_clear(&a->blob);
    every_queries_clear(&a->s);
    model_release(a->m);
    dataset_release(a->d);
}

static void test_no_memory(void **state)
{
    const struct model_class *class = *state;
    struct asked a;
    asked_new(&a, class);
    fail_each(class->name, "training", train_once, &a, 40);
    fail_each(class->name, "scoring", score_once, &a, 40);
    fail_each(class->name, "explaining", explain_once, &a, 20);
    fail_each(class->name, "finding similar items", similar_once, &a, 20);
    assert_int_equal(save_once(&a, NULL), ST_OK);
    fail_each(class->name, "reading", load_once, &a, 40);
    snapshot_clear(&a.blob); /* so that room for it must be made again */
    atomic_long left = 0;
    mem_set_hook(fail_from, &left);
    struct error err = {0};
    enum status st = save_once(&a, &err);
    mem_set_hook(NULL, NULL);
    assert_int_equal(st, ST_NOMEM);
    asked_clear(&a);
}

/* Cancels the job at an allocation: a moment that each run has. */
struct cancel {
    atomic_long left;
    struct job *job;
};

static bool cancel_then(void *context, size_t bytes)
{
    struct cancel *c = context;
    (void)bytes;
    if (atomic_fetch_sub(&c->left, 1) == 0)
        job_cancel(c->job);
    return true;
}

static void test_cancelled(void **state)
{
    const struct model_class *class = *state;
    struct job job;
    struct asked a;
    struct error err;
    job_init(&job);
    asked_new(&a, class);
    a.job = &job;
    long total = allocations_of(train_once, &a);
    for (long n = 0; n < total; n += 1 + total / 25) {
        struct cancel c = {.left = n, .job = &job};
        job_reset(&job);
        err = (struct error){0};
        mem_set_hook(cancel_then, &c);
        enum status st = train_once(&a, &err);
        mem_set_hook(NULL, NULL);
        if (st != ST_CANCELLED && st != ST_OK)
            fail_msg("%s: cancelled at allocation %ld of %ld: status %d %s", class->name, n + 1, total, st, err.message);
        if (!n)
            assert_int_equal(st, ST_CANCELLED);
    }
    job_destroy(&job);
    asked_clear(&a);
}

int main(void)
{
    static struct every_tests t;
    omp_set_num_threads(1); /* so that each run allocates in the same order */
    every_class(&t, 0, "strange data", test_odd_data);
    every_class(&t, 0, "no events", test_no_events);
    every_class(&t, 0, "extreme parameters", test_extremes);
    every_class(&t, 0, "damaged", test_damage);
    every_class(&t, 0, "no memory", test_no_memory);
    every_class(&t, 0, "cancelled", test_cancelled);
    return _cmocka_run_group_tests("models_hard", t.test, t.n, NULL, NULL);
}
