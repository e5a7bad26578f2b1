#include "models/driver.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "linalg/dense.h"
#include "models/fold_in.h"
#include "models/snapshot.h"

static const double WORTH_SAYING = 5; /* seconds that training is expected to take */

/* An epoch to go back to. */
struct kept {
    double value;
    size_t epoch, waited; /* epoch: from 1; 0: none is kept */
    struct snapshot blob;
};

struct run {
    struct model *m;
    struct training t;
    const struct train_watch *watch;
    struct kept best; /* while the caller validates with patience */
    struct kept last; /* while a cancel leaves something */
    const struct model *from; /* whose training goes on; NULL: none */
    double keeping, kept_at;  /* seconds that keeping `last` takes, and when that was */
    double started;
    size_t curve_capacity, watched_capacity;
};

/* The parameters, and behind them what going on from here needs. */
static enum status keep_epoch(struct run *r, struct kept *k, size_t epoch, struct error *err)
{
    k->epoch = 0; /* until it is whole */
    snapshot_empty(&k->blob);
    struct blob_writer out = snapshot_writer(&k->blob);
    enum status st = r->m->class->save(r->m, &out, err);
    if (!st && r->m->class->pause)
        st = r->m->class->pause(r->m, &out, err);
    if (!st)
        k->epoch = epoch;
    return st;
}

static enum status go_back(struct run *r, struct kept *k, struct error *err)
{
    struct blob_reader in = snapshot_reader(&k->blob);
    r->m->class->free(r->m);
    r->m->state = NULL;
    r->m->record.kept = k->epoch;
    enum status st = r->m->class->load(r->m, &in, err);
    if (st)
        return st;
    snapshot_cut(&k->blob);
    r->m->paused = k->blob;
    k->blob = (struct snapshot){0};
    return ST_OK;
}

/* What is left for going on later, while training still has it. Without memory for it the model is there all the same.
 */
static void pause_training(struct run *r)
{
    struct model *m = r->m;
    bool goes_on = m->record.ended == END_CANCELLED || m->record.ended == END_TIME || m->record.ended == END_PATIENCE;
    struct blob_writer out = snapshot_writer(&m->paused);
    if (!goes_on)
        snapshot_clear(&m->paused);
    else if (!m->record.kept && m->class->pause && m->class->pause(m, &out, NULL))
        snapshot_clear(&m->paused);
}

/* The last whole epoch, for a cancel; as often as that costs a fiftieth of the time. Without memory for it training
 * goes on. */
static void keep_last(struct run *r)
{
    double now = clock_seconds();
    if (!r->watch || !r->watch->keep || now - r->kept_at < 50 * r->keeping)
        return;
    if (keep_epoch(r, &r->last, r->m->record.epochs, NULL))
        snapshot_clear(&r->last.blob);
    r->kept_at = clock_seconds();
    r->keeping = r->kept_at - now;
}

static enum status make_ready(struct run *r, struct error *err)
{
    return r->m->class->ready ? r->m->class->ready(r->m, err) : ST_OK;
}

/* Is it one that nobody will ask? */
static bool is_trial(const struct run *r)
{
    return r->watch && r->watch->hopeless;
}

/* How close folding in comes. */
static enum status measure_fold_in(struct run *r, struct error *err)
{
    enum status st = is_trial(r) ? ST_OK : make_ready(r, err);
    return is_trial(r) || st ? st : fold_in_measure(r->m, &r->t, &r->m->record.fold_in, err);
}

/* Asks the caller how good the model is, and remembers the best. */
static enum status validate(struct run *r, bool last, bool *stop, struct error *err)
{
    const struct train_watch *w = r->watch;
    struct model_record *record = &r->m->record;
    size_t epoch = record->epochs;
    double value = NAN;
    if (!w || !w->validate || (w->every > 1 && epoch % w->every && !last))
        return ST_OK;
    enum status st = make_ready(r, err);
    if (st)
        return st;
    job_enter(r->t.job);
    st = w->validate(w->context, r->m, epoch - 1, &value, err);
    job_leave(r->t.job);
    if (st)
        return st;
    record->watched[epoch - 1] = value;
    job_report(r->t.job, w->metric, (double)epoch, value);
    if (w->hopeless && !last && w->hopeless(w->context, epoch - 1, value)) {
        record->ended = END_HOPELESS;
        *stop = true;
    }
    if (!w->patience)
        return ST_OK;
    if (r->best.epoch && !(w->lower ? value < r->best.value : value > r->best.value)) {
        if (++r->best.waited < w->patience)
            return ST_OK;
        record->ended = last ? END_FINISHED : END_PATIENCE;
        *stop = true;
        return ST_OK;
    }
    r->best.value = value;
    r->best.waited = 0;
    st = keep_epoch(r, &r->best, epoch, err);
    return st ? st : measure_fold_in(r, err); /* what training alone has is not kept */
}

/* Room for one more point of the curves. */
static enum status grow_curves(struct run *r, struct error *err)
{
    struct model_record *record = &r->m->record;
    size_t n = record->epochs + 1;
    enum status st = mem_grow(&record->curve, &r->curve_capacity, n, sizeof *record->curve, err);
    if (!st && r->watch && r->watch->validate)
        st = mem_grow(&record->watched, &r->watched_capacity, n, sizeof *record->watched, err);
    if (st)
        return st;
    record->curve[n - 1] = NAN;
    if (record->watched && r->watched_capacity >= n)
        record->watched[n - 1] = NAN;
    return ST_OK;
}

static enum status one_epoch(struct run *r, bool *done, bool *stop, struct error *err)
{
    struct model *m = r->m;
    double loss = NAN;
    enum status st = m->class->epoch(m, &r->t, m->record.epochs, done, &loss, err);
    if (st)
        return st;
    m->record.curve[m->record.epochs++] = loss;
    if (!isnan(loss))
        job_report(r->t.job, "loss", (double)m->record.epochs, loss);
    if (m->class->capabilities & CAN_EPOCHS)
        keep_last(r);
    return validate(r, *done, stop, err);
}

/* A cancel between two epochs, or in a validation, leaves the model as it is; one within an epoch goes back to the last
 * that was kept. Without any the cancel stands. */
static enum status keep_cancelled(struct run *r, bool within, struct error *err)
{
    struct model_record *record = &r->m->record;
    size_t before = r->from ? model_epochs(r->from) : 0;
    if (!r->watch || !r->watch->keep || record->epochs == before || (within && !r->last.epoch))
        return ST_CANCELLED;
    job_stopped(r->t.job);
    record->ended = END_CANCELLED;
    return within ? go_back(r, &r->last, err) : ST_OK;
}

static bool time_is_over(const struct run *r)
{
    return r->watch && r->watch->seconds > 0 && r->m->record.epochs > (r->from ? model_epochs(r->from) : 0) &&
           clock_seconds() - r->started >= r->watch->seconds;
}

static size_t epochs_param(const struct model_class *class)
{
    return param_index(class->params, class->nparams, "epochs");
}

/* Sets the parameter `epochs`, where there is one. */
static enum status set_epochs(struct model *m, size_t epochs, struct error *err)
{
    char text[32];
    struct param_value v = {0};
    size_t i = epochs_param(m->class);
    if (i == m->class->nparams)
        return ST_OK;
    snprintf(text, sizeof text, "%zu", epochs);
    enum status st = param_parse(&m->class->params[i], text, &v, err);
    if (st)
        return st;
    param_values_free(&m->values[i], 1);
    v.given = !m->class->params[i].initial || strcmp(m->class->params[i].initial, text) != 0;
    m->values[i] = v;
    return ST_OK;
}

static enum status run_epochs(struct run *r, struct error *err)
{
    struct model *m = r->m;
    bool done = false, stop = false;
    enum status st = ST_OK;
    if (m->class->capabilities & CAN_EPOCHS) {
        size_t i = epochs_param(m->class);
        m->record.planned = i < m->class->nparams ? (size_t)m->values[i].integer : 0;
        job_begin(r->t.job, m->record.planned, "epochs", "train %s", m->name);
        job_step(r->t.job, m->record.epochs);
    }
    while (!done && !stop && !st) {
        size_t before = m->record.epochs;
        if (time_is_over(r)) {
            m->record.ended = END_TIME;
            break;
        }
        st = grow_curves(r, err);
        if (!st)
            st = job_check(r->t.job, err);
        bool between = st;
        if (!st)
            st = one_epoch(r, &done, &stop, err);
        if (!st && (m->class->capabilities & CAN_EPOCHS))
            job_step(r->t.job, 1);
        if (st == ST_CANCELLED) {
            st = keep_cancelled(r, !between && m->record.epochs == before, err);
            break;
        }
    }
    if (!st && m->record.ended != END_CANCELLED && !r->best.epoch)
        st = measure_fold_in(r, err);
    if (!st && m->record.ended != END_CANCELLED && r->best.epoch && r->best.epoch < m->record.epochs)
        st = go_back(r, &r->best, err);
    return st;
}

/* A model that ended early is what so many epochs give: its parameter says so. */
static enum status say_epochs(struct model *m, struct error *err)
{
    if (m->record.ended == END_FINISHED && !m->record.kept)
        return ST_OK;
    if (!m->record.kept)
        m->record.kept = m->record.epochs;
    return set_epochs(m, m->record.kept, err);
}

/* What the parameters take, by writing them nowhere. */
static enum status count_bytes(void *context, const void *bytes, size_t n, struct error *err)
{
    (void)bytes;
    (void)err;
    *(size_t *)context += n;
    return ST_OK;
}

enum status driver_fill_record(struct model *m, const struct training *t, double started, struct error *err)
{
    const struct selection *s = t->selection;
    const struct interactions *x = t->interactions;
    struct model_record *record = &m->record;
    size_t bytes = 0;
    struct blob_writer counter = {&bytes, count_bytes};
    enum status st = m->class->save(m, &counter, err);
    if (st)
        return st;
    record->seconds += clock_seconds() - started;
    record->data_fingerprint = s->data->fingerprint;
    record->split_fingerprint = s->split ? s->split->fingerprint : 0;
    record->trained_until = x->newest;
    record->seed = t->seed;
    record->created = clock_now_us();
    record->events = x->events;
    record->users = x->users;
    record->items = x->items;
    record->bytes = bytes;
    snprintf(record->kernel, sizeof record->kernel, "%s", linalg_kernel_name());
    return ST_OK;
}

/* The record and the state of the training that goes on, as they were after its last kept epoch. */
static enum status go_on(struct run *r, struct error *err)
{
    struct model *m = r->m;
    struct model_record *record = &m->record;
    const struct model_record *old = &r->from->record;
    struct snapshot paused = r->from->paused; /* only looked at */
    struct blob_reader in = snapshot_reader(&paused);
    bool same = true;
    for (size_t epoch = model_epochs(r->from); record->epochs < epoch; record->epochs++) {
        enum status st = grow_curves(r, err);
        if (st)
            return st;
        record->curve[record->epochs] = old->curve[record->epochs];
        if (record->watched && old->watched)
            record->watched[record->epochs] = old->watched[record->epochs];
    }
    paused.at = 0;
    record->seconds = old->seconds;
    enum status st = m->class->resume(m, r->from, &r->t, paused.n ? &in : NULL, &same, err);
    record->departs = old->departs || same ? old->departs : record->epochs + 1;
    return st;
}

static enum status train(struct run *r, struct error *err)
{
    struct model *m = r->m;
    r->started = r->kept_at = clock_seconds();
    double seconds = 0;
    size_t bytes = 0;
    enum status st = driver_check(m, &r->t, &bytes, err);
    if (!st && r->t.job && m->class->estimate)
        st = m->class->estimate(m, &seconds, err);
    if (seconds > WORTH_SAYING)
        job_expect(r->t.job, seconds);
    if (!st)
        driver_say_memory(m, &r->t, bytes, seconds);
    if (!st && m->class->begin)
        st = m->class->begin(m, &r->t, err);
    if (!st && r->from)
        st = go_on(r, err);
    if (!st)
        st = run_epochs(r, err);
    if (!st)
        pause_training(r);
    if (!st && m->class->end)
        st = m->class->end(m, &r->t, err);
    if (!st && !is_trial(r))
        user_vectors_fill(&m->users, m, &r->t);
    if (!st)
        st = say_epochs(m, err);
    if (!st && r->watch && r->watch->validate)
        snprintf(m->record.metric, sizeof m->record.metric, "%s", r->watch->metric);
    return st ? st : driver_fill_record(m, &r->t, r->started, err);
}

/* `x` is what is selected; NULL: it is built here. */
static enum status train_model(struct run *r, const struct interactions *x, struct error *err)
{
    struct interactions own = {0};
    enum status st = x ? ST_OK : interactions_build(r->t.selection, &own, err);
    r->t.interactions = x ? x : &own;
    if (!st)
        st = train(r, err);
    interactions_clear(&own);
    snapshot_clear(&r->best.blob);
    snapshot_clear(&r->last.blob);
    if (st)
        model_release(r->m);
    return st;
}

static enum status train_on(struct run *r, const struct model_class *class, const char *name,
                            const struct param_value *values, const struct interactions *x, struct model **out,
                            struct error *err)
{
    const struct dataset *d = r->t.selection->data;
    r->m = model_new(class, name, values, d->users.n, d->items.n, err);
    enum status st = r->m ? train_model(r, x, err) : ST_NOMEM;
    if (!st)
        *out = r->m;
    return st;
}

enum status model_train(const struct model_class *class, const char *name, const struct param_value *values,
                        const struct selection *selection, uint64_t seed, const struct train_watch *watch,
                        struct job *job, struct model **out, struct error *err)
{
    struct run r = {.t = {.selection = selection, .seed = seed, .job = job}, .watch = watch};
    return train_on(&r, class, name, values, NULL, out, err);
}

enum status driver_train_like(const struct model *m, const struct training *t, struct model **out, struct error *err)
{
    struct run r = {.t = {.selection = t->selection, .seed = t->seed, .job = t->job}};
    return train_on(&r, m->class, m->name, m->values, t->interactions, out, err);
}

enum status model_resume(const struct model *from, size_t epochs, const struct selection *selection,
                         const struct train_watch *watch, struct job *job, struct model **out, struct error *err)
{
    const struct dataset *d = selection->data;
    struct run r = {.t = {.selection = selection, .seed = from->record.seed, .job = job}, .watch = watch, .from = from};
    if (!from->class->resume || from->nusers != d->users.n || from->nitems != d->items.n)
        return error_set(err, ST_UNSUPPORTED, "the training of %s cannot go on", from->name);
    r.m = model_new(from->class, from->name, from->values, d->users.n, d->items.n, err);
    if (!r.m)
        return ST_NOMEM;
    enum status st = set_epochs(r.m, epochs, err);
    if (st)
        model_release(r.m);
    else
        st = train_model(&r, NULL, err);
    if (!st)
        *out = r.m;
    return st;
}

enum status model_train_of(const struct model_class *class, const char *name, const struct param_value *values,
                           struct model *const *parts, size_t nparts, const struct fitting *fitting,
                           const struct selection *selection, uint64_t seed, struct job *job, struct model **out,
                           struct error *err)
{
    const struct dataset *d = selection->data;
    struct run r = {.t = {.selection = selection, .fitting = fitting, .seed = seed, .job = job}};
    r.m = model_new(class, name, values, d->users.n, d->items.n, err);
    if (!r.m)
        return ST_NOMEM;
    enum status st = model_set_parts(r.m, parts, nparts, err);
    if (st)
        model_release(r.m);
    else
        st = train_model(&r, NULL, err);
    if (!st)
        *out = r.m;
    return st;
}
