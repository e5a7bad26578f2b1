/* Training that was stopped goes on: what every class that learns in epochs must keep, in every mode that it has. Classes come from the
 * registry, modes from their parameters: the defaults, and each choice of each parameter that is a choice. */
#include "tests/unit/every_model.h"

#include <omp.h>

enum { USERS = 61, ITEMS = 70, EVENTS = 1600, EPOCHS = 7, STOP = 3, MODES = 32 };

struct mode {
    size_t param; /* nparams: the defaults */
    char text[64];
};

static size_t modes(const struct model_class *class, struct mode *out)
{
    size_t n = 0;
    out[n++].param = class->nparams;
    for (size_t i = 0; i < class->nparams; i++) {
        const struct param *p = &class->params[i];
        size_t choices = p->type == PARAM_BOOL ? 2 : p->type == PARAM_ENUM ? param_choice_count(p) : 0;
        for (size_t c = 0; c < choices; c++) {
            assert_true(n < MODES);
            out[n].param = i;
            if (p->type == PARAM_BOOL)
                snprintf(out[n++].text, sizeof out->text, "%s", c ? "yes" : "no");
            else
                param_choice(p, c, out[n++].text, sizeof out->text);
        }
    }
    return n;
}

/* When training is stopped: after an epoch, or at an allocation of the next one. */
struct stop {
    size_t epoch; /* from 1; 0: never */
    bool within;
    struct job *job;
};

static atomic_long allocations_left;

static bool cancel_then(void *job, size_t bytes)
{
    (void)bytes;
    if (atomic_fetch_sub(&allocations_left, 1) == 0)
        job_cancel(job);
    return true;
}

static enum status judge(void *context, const struct model *m, size_t epoch, double *value, struct error *err)
{
    const struct stop *s = context;
    (void)m;
    (void)err;
    *value = -fabs((double)epoch - 4.5);
    if (epoch + 1 != s->epoch)
        return ST_OK;
    if (s->within) {
        atomic_store(&allocations_left, 5);
        mem_set_hook(cancel_then, s->job);
    } else {
        job_cancel(s->job);
    }
    return ST_OK;
}

/* Everything that training in one world is told, and the two ways through it. */
struct course {
    const struct model_class *class;
    struct dataset *d;
    struct selection all;
    struct param_value values[EVERY_PARAMS];
    struct job job;
    const char *mode;
    struct error err;
};

static void course_new(struct course *c, const struct model_class *class, const struct mode *mode)
{
    *c = (struct course){.class = class, .d = every_world(USERS, ITEMS, EVENTS, ODD_NOT), .mode = mode->text};
    c->all = world_all(c->d);
    every_values(class, c->values);
    if (mode->param < class->nparams)
        assert_int_equal(param_parse(&class->params[mode->param], mode->text, &c->values[mode->param], NULL), ST_OK);
    job_init(&c->job);
}

static void course_clear(struct course *c)
{
    param_values_free(c->values, c->class->nparams);
    job_destroy(&c->job);
    dataset_release(c->d);
}

static struct train_watch watching(struct stop *s)
{
    return (struct train_watch){.validate = judge, .context = s, .metric = "ndcg@10", .keep = true};
}

static void set_epochs(struct course *c, size_t epochs)
{
    char text[16];
    size_t i = param_index(c->class->params, c->class->nparams, "epochs");
    assert_true(i < c->class->nparams);
    snprintf(text, sizeof text, "%zu", epochs);
    param_values_free(&c->values[i], 1);
    assert_int_equal(param_parse(&c->class->params[i], text, &c->values[i], NULL), ST_OK);
}

static struct model *train(struct course *c, size_t epochs, size_t stop, bool within)
{
    struct stop s = {stop, within, &c->job};
    struct train_watch w = watching(&s);
    struct model *m = NULL;
    set_epochs(c, epochs);
    job_reset(&c->job);
    if (model_train(c->class, "a", c->values, &c->all, 7, &w, &c->job, &m, &c->err))
        fail_msg("%s %s: %s", c->class->name, c->mode, c->err.message);
    mem_set_hook(NULL, NULL);
    return m;
}

static enum status try_resume(struct course *c, const struct model *from, size_t epochs, size_t stop, struct model **m)
{
    struct stop s = {stop, false, &c->job};
    struct train_watch w = watching(&s);
    *m = NULL;
    job_reset(&c->job);
    return model_resume(from, epochs, &c->all, &w, &c->job, m, &c->err);
}

static struct model *resume(struct course *c, const struct model *from, size_t epochs, size_t stop)
{
    struct model *m;
    if (try_resume(c, from, epochs, stop, &m))
        fail_msg("%s %s: %s", c->class->name, c->mode, c->err.message);
    return m;
}

/* As closing and opening a workspace does it. */
static struct model *through_a_blob(struct model *m)
{
    struct snapshot blob = {0};
    struct model *back = NULL;
    struct error err;
    struct blob_writer w = snapshot_writer(&blob);
    struct blob_reader r = snapshot_reader(&blob);
    assert_int_equal(model_save(m, &w, NULL), ST_OK);
    if (model_load(&r, &back, &err))
        fail_msg("%s: %s", m->class->name, err.message);
    assert_int_equal(back->paused.n, m->paused.n);
    snapshot_clear(&blob);
    model_release(m);
    return back;
}

static bool same_parameters(const struct model *a, const struct model *b)
{
    struct snapshot x = {0}, y = {0};
    struct blob_writer wx = snapshot_writer(&x), wy = snapshot_writer(&y);
    assert_int_equal(a->class->save(a, &wx, NULL), ST_OK);
    assert_int_equal(b->class->save(b, &wy, NULL), ST_OK);
    bool same = x.n == y.n && memcmp(x.bytes, y.bytes, x.n) == 0;
    snapshot_clear(&x);
    snapshot_clear(&y);
    return same;
}

static void assert_same_model(const struct course *c, const struct model *whole, const struct model *m)
{
    const struct model_record *a = &whole->record, *b = &m->record;
    struct str x = {0}, y = {0};
    if (!same_parameters(whole, m))
        fail_msg("%s %s: other bits than one go", c->class->name, c->mode);
    assert_int_equal(b->epochs, a->epochs);
    assert_int_equal(b->ended, END_FINISHED);
    assert_int_equal(b->kept, 0);
    assert_int_equal(b->planned, a->planned);
    assert_int_equal(b->departs, 0);
    assert_int_equal(m->paused.n, 0);
    assert_memory_equal(a->curve, b->curve, a->epochs * sizeof *a->curve);
    assert_memory_equal(a->watched, b->watched, a->epochs * sizeof *a->watched);
    assert_memory_equal(&a->fold_in, &b->fold_in, sizeof a->fold_in);
    model_describe(whole, false, &x);
    model_describe(m, false, &y);
    assert_string_equal(str_text(&x), str_text(&y));
    str_free(&x);
    str_free(&y);
}

static void each_mode(const struct model_class *class, void (*run)(struct course *c))
{
    struct mode mode[MODES] = {0};
    size_t n = modes(class, mode);
    for (size_t i = 0; i < n; i++) {
        struct course c;
        course_new(&c, class, &mode[i]);
        run(&c);
        course_clear(&c);
    }
}

/* Stopped twice, each time saved and loaded, with another number of threads: the bits of one go. */
static void stops_between(struct course *c)
{
    omp_set_num_threads(1);
    struct model *whole = train(c, EPOCHS, 0, false);
    omp_set_num_threads(2);
    struct model *m = through_a_blob(train(c, EPOCHS, STOP, false));
    assert_int_equal(m->record.ended, END_CANCELLED);
    assert_int_equal(model_epochs(m), STOP);
    assert_int_equal(m->record.planned, EPOCHS);
    struct model *further = through_a_blob(resume(c, m, EPOCHS, STOP + 2));
    assert_int_equal(model_epochs(further), STOP + 2);
    struct model *finished = resume(c, further, EPOCHS, 0);
    assert_same_model(c, whole, finished);
    model_release(m);
    m = resume(c, further, EPOCHS, 0); /* what was gone on with is as it was */
    assert_same_model(c, whole, m);
    model_release(m);
    model_release(further);
    model_release(finished);
    model_release(whole);
}

static void test_between(void **state)
{
    each_mode(*state, stops_between);
}

/* Stopped in the middle of an epoch: goes on from the last one that was kept. */
static void stops_within(struct course *c)
{
    struct model *whole = train(c, EPOCHS, 0, false);
    struct model *m = through_a_blob(train(c, EPOCHS, STOP, true));
    assert_int_equal(m->record.ended, END_CANCELLED);
    assert_true(model_epochs(m) >= 1 && model_epochs(m) < EPOCHS);
    struct model *finished = resume(c, m, EPOCHS, 0);
    assert_same_model(c, whole, finished);
    model_release(m);
    model_release(finished);
    model_release(whole);
}

static void test_within(void **state)
{
    each_mode(*state, stops_within);
}

/* More epochs than were planned: the bits of one go, or the record tells from where on they are others. */
static void goes_further(struct course *c)
{
    struct model *whole = train(c, EPOCHS, 0, false), *ended[] = {train(c, STOP, 0, false), train(c, EPOCHS - 2, STOP, false)}, *m;
    for (size_t i = 0; i < 2; i++) {
        enum status st = try_resume(c, ended[i], EPOCHS, 0, &m);
        if (st) { /* only what has ended may have lost what is needed */
            assert_int_equal(i, 0);
            assert_int_equal(st, ST_STATE);
            assert_true(c->err.message[0] && c->err.hint[0]);
            continue;
        }
        assert_int_equal(m->record.epochs, EPOCHS);
        assert_int_equal(m->record.departs, same_parameters(whole, m) ? 0 : STOP + 1);
        assert_memory_equal(m->record.curve, ended[i]->record.curve, STOP * sizeof *m->record.curve);
        m = through_a_blob(m);
        assert_true(m->record.departs == 0 || m->record.departs == STOP + 1);
        model_release(m);
    }
    model_release(ended[0]);
    model_release(ended[1]);
    model_release(whole);
}

static void test_further(void **state)
{
    each_mode(*state, goes_further);
}

/* The best epoch of a training that was stopped for want of patience goes on, too. */
static void test_patience(void **state)
{
    struct course c;
    struct mode mode = {.param = ((const struct model_class *)*state)->nparams};
    struct stop never = {0};
    struct model *m = NULL;
    course_new(&c, *state, &mode);
    struct train_watch w = watching(&never);
    w.patience = 2;
    set_epochs(&c, 12);
    assert_int_equal(model_train(c.class, "a", c.values, &c.all, 7, &w, &c.job, &m, &c.err), ST_OK);
    assert_int_equal(m->record.ended, END_PATIENCE);
    assert_int_equal(model_epochs(m), 5);
    struct model *whole = train(&c, 12, 0, false), *finished = resume(&c, m, 12, 0);
    assert_same_model(&c, whole, finished);
    model_release(m);
    model_release(whole);
    model_release(finished);
    course_clear(&c);
}

/* What the file lost or changed is an error, and nothing is made of it. */
static void test_damage(void **state)
{
    struct course c;
    struct mode mode = {.param = ((const struct model_class *)*state)->nparams};
    course_new(&c, *state, &mode);
    struct model *m = train(&c, EPOCHS, STOP, false), *other;
    struct snapshot blob = {0};
    struct blob_writer w = snapshot_writer(&blob);
    assert_int_equal(model_save(m, &w, NULL), ST_OK);
    for (size_t i = 0; i < m->paused.n; i += 1 + m->paused.n / 40) {
        struct blob_reader r = snapshot_reader(&blob);
        blob.bytes[blob.n - 1 - i] ^= 4;
        blob.at = 0;
        other = NULL;
        assert_int_equal(model_load(&r, &other, &c.err), ST_CORRUPT);
        assert_null(other);
        blob.bytes[blob.n - 1 - i] ^= 4;
    }
    snapshot_clear(&blob);
    /* sums that hold, over bytes that are wrong */
    size_t n = m->paused.n;
    for (size_t keep = 1; keep < n; keep += 1 + n / 40) {
        m->paused.n = keep;
        assert_int_equal(try_resume(&c, m, EPOCHS, 0, &other), ST_CORRUPT);
        assert_null(other);
    }
    m->paused.n = n;
    for (size_t i = 0; i < n; i += 1 + n / 40) {
        m->paused.bytes[i] ^= 4;
        assert_int_equal(try_resume(&c, m, EPOCHS, 0, &other), ST_CORRUPT);
        m->paused.bytes[i] ^= 4;
    }
    struct model *finished = resume(&c, m, EPOCHS, 0);
    model_release(finished);
    model_release(m);
    course_clear(&c);
}

static atomic_long left;

static bool fail_then(void *context, size_t bytes)
{
    (void)context;
    (void)bytes;
    return atomic_fetch_sub(&left, 1) != 0;
}

/* Without memory nothing leaks, and what there was can go on later. */
static void test_no_memory(void **state)
{
    struct course c;
    struct mode mode = {.param = ((const struct model_class *)*state)->nparams};
    course_new(&c, *state, &mode);
    omp_set_num_threads(1);
    struct model *whole = train(&c, EPOCHS, 0, false), *m = train(&c, EPOCHS, STOP, false), *other;
    for (long n = 0; n < 200; n += 7) {
        atomic_store(&left, n);
        mem_set_hook(fail_then, NULL);
        enum status st = try_resume(&c, m, EPOCHS, 0, &other);
        mem_set_hook(NULL, NULL);
        if (st)
            assert_int_equal(st, ST_NOMEM);
        else
            assert_true(same_parameters(whole, other));
        model_release(other);
    }
    omp_set_num_threads(2);
    other = resume(&c, m, EPOCHS, 0);
    assert_same_model(&c, whole, other);
    model_release(other);
    model_release(m);
    model_release(whole);
    course_clear(&c);
}

/* A cancel before the first new epoch leaves what there was. */
static void test_cancelled_at_once(void **state)
{
    struct course c;
    struct mode mode = {.param = ((const struct model_class *)*state)->nparams};
    struct stop never = {0};
    struct train_watch w = watching(&never);
    course_new(&c, *state, &mode);
    struct model *m = train(&c, EPOCHS, STOP, false), *other = NULL;
    job_reset(&c.job);
    job_cancel(&c.job);
    assert_int_equal(model_resume(m, EPOCHS, &c.all, &w, &c.job, &other, &c.err), ST_CANCELLED);
    assert_null(other);
    model_release(m);
    course_clear(&c);
}

int main(void)
{
    static struct every_tests t;
    every_class(&t, CAN_EPOCHS, "stopped between epochs", test_between);
    every_class(&t, CAN_EPOCHS, "stopped within an epoch", test_within);
    every_class(&t, CAN_EPOCHS, "more epochs", test_further);
    every_class(&t, CAN_EPOCHS, "patience", test_patience);
    every_class(&t, CAN_EPOCHS, "damage", test_damage);
    every_class(&t, CAN_EPOCHS, "no memory", test_no_memory);
    every_class(&t, CAN_EPOCHS, "cancelled at once", test_cancelled_at_once);
    return _cmocka_run_group_tests("models_resume", t.test, t.n, NULL, NULL);
}
