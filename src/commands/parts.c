#include "commands/parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "commands/served_words.h"
#include "eval/protocol.h"
#include "models/ensemble.h"
#include "models/update.h"

/* ---- the models behind `with` ---- */

static enum status check_part(const struct model_class *class, const struct dataset *d, const struct split *s,
                              const struct model *part, struct error *err)
{
    const struct model_record *r = &part->record;
    uint64_t split = s ? s->fingerprint : 0;
    enum status st = served_refuse(part, "cannot be a part of other models", err);
    if (st)
        return st;
    if (r->split_fingerprint == split &&
        (split || (r->data_fingerprint == d->fingerprint && !model_events_since(part, d))))
        return ST_OK;
    error_set(err, ST_STATE, "%s was trained on other events than the %s would be", part->name, class->name);
    error_hint(err, "train it again: train %s", part->class->name);
    return ST_STATE;
}

static enum status take_part(struct workbench *wb, const char *name, struct model **parts, size_t *n, struct error *err)
{
    struct model **one = NULL;
    size_t found = 0;
    enum status st = workbench_models(wb, &name, 1, &one, &found, err);
    if (!st)
        parts[(*n)++] = one[0];
    mem_free(one);
    return st;
}

enum status call_parts(struct workbench *wb, const struct call *call, const struct model_class *class,
                       const struct dataset *d, const struct split *s, struct model ***out, size_t *n,
                       struct error *err)
{
    enum status st = ST_OK;
    *out = NULL;
    *n = 0;
    if (!(class->capabilities & OF_MODELS)) {
        if (!call->nmodels)
            return ST_OK;
        error_set(err, ST_USAGE, "%s is not made of other models", class->name);
        error_hint(err, "leave `with %s ...` out, or train a blend, stack, fuse or switch", call->models[0].text);
        return error_at_word(ST_USAGE, err, &call->models[0]);
    }
    if (!(*out = mem_new(call->nmodels, sizeof **out, "the models of an ensemble", err)))
        return ST_NOMEM;
    for (size_t i = 0; i < call->nmodels && !st; i++) {
        st = take_part(wb, call->models[i].text, *out, n, err);
        if (!st)
            st = check_part(class, d, s, (*out)[i], err);
        if (st)
            error_at_word(st, err, &call->models[i]);
    }
    return st;
}

void parts_free(struct model **parts, size_t n)
{
    for (size_t i = 0; parts && i < n; i++)
        model_release(parts[i]);
    mem_free(parts);
}

/* ---- fitting ---- */

/* The share of train that is set aside where the split has no validation part. */
static const double set_aside = .1;

enum status split_to_validate(const struct dataset *d, struct split *s, struct split **out, struct error *err)
{
    if (s->nvalid) {
        *out = split_hold(s);
        return ST_OK;
    }
    struct split_spec spec = s->spec;
    spec.valid_share = set_aside;
    enum status st = split_new(d, &spec, out, err);
    if (st || (*out)->nvalid)
        return st;
    st = error_set(err, ST_STATE, "no validation part can be set aside from this split (%s)", s->description);
    error_hint(err, "split with one: `split last 1 valid=yes`");
    split_release(*out);
    *out = NULL;
    return st;
}

/* What weights are fitted to, and all that has to live meanwhile. */
struct fit {
    struct split *s;       /* the one whose validation part is asked */
    struct test_set *set;
    struct model **parts;  /* trained without it; NULL: the ensemble's own are */
    size_t nparts;
    struct metric_at metric;
    struct fitting fitting;
};

static void fit_clear(struct fit *f)
{
    parts_free(f->parts, f->nparts);
    test_set_free(f->set);
    split_release(f->s);
}

/* The parts again, on what the new split leaves of train. */
static enum status train_apart(const struct ground *g, struct model *const *parts, size_t n, struct fit *f,
                               struct error *err)
{
    enum status st = ST_OK;
    if (!(f->parts = mem_new(n, sizeof(struct model *), "the models of an ensemble", err)))
        st = ST_NOMEM;
    struct ground inner = {g->wb, g->d, f->s, g->metric, g->until};
    for (; f->nparts < n && !st; f->nparts += !st)
        st = model_train_again(&inner, parts[f->nparts], parts[f->nparts]->name, parts[f->nparts]->values,
                               &f->parts[f->nparts], err);
    return st;
}

enum status fit_check_metric(const struct metric_at *m, struct error *err)
{
    if (metric_of_ranks(m->metric))
        return ST_OK;
    return error_set(err, ST_USAGE, "%s takes more than the ranks of what is right, so no weights can be fitted to it",
                     m->name);
}

static enum status fit_new(const struct ground *g, struct model *const *parts, size_t n, struct fit *f,
                           struct error *err)
{
    struct protocol protocol = {.on = PART_VALID, .hide_seen = g->wb->hide_seen};
    if (!g->s) {
        error_set(err, ST_STATE, "weights are fitted to events that the models have not seen, and there is no split");
        error_hint(err, "split and train the models first: `split last 1 valid=yes`; or give weights to a `blend`");
        return ST_STATE;
    }
    enum status st = split_to_validate(g->d, g->s, &f->s, err);
    if (!st && f->s != g->s)
        st = train_apart(g, parts, n, f, err);
    if (!st)
        st = test_set_new(g->d, f->s, &protocol, &f->set, err);
    f->metric = g->metric;
    if (!metric_of_ranks(f->metric.metric)) /* it takes more than ranks: the usual one stands in for it */
        f->metric.metric = metrics[0];
    if (!st)
        f->fitting = (struct fitting){.parts = f->parts,
                                      .queries = f->set->query,
                                      .n = f->set->nqueries,
                                      .right_begin = f->set->right_begin,
                                      .right = f->set->right,
                                      .hide_seen = g->wb->hide_seen,
                                      .judge = metric_at_ranks,
                                      .metric = &f->metric,
                                      .k = f->metric.k};
    return st;
}

/* ---- training ---- */

enum status ensemble_train(const struct ground *g, const struct model_class *class, const char *name,
                           const struct param_value *values, struct model *const *parts, size_t n, struct model **out,
                           struct error *err)
{
    struct selection selection = {.data = g->d, .split = g->s, .parts = PART_TRAIN, .until = g->until};
    struct fit f = {0};
    bool fits = (class->capabilities & FITS_WEIGHTS) != 0;
    enum status st = fits ? fit_new(g, parts, n, &f, err) : ST_OK;
    if (!st)
        st = model_train_of(class, name, values, parts, n, fits ? &f.fitting : NULL, &selection, g->wb->seed,
                            &g->wb->job, out, err);
    fit_clear(&f);
    return st;
}

bool model_fits_weights(const struct model *m)
{
    const struct model *trained = model_trained(m);
    bool fits = (m->class->capabilities & FITS_WEIGHTS) != 0;
    for (size_t i = 0; i < trained->nparts && !fits; i++)
        fits = trained->parts[i].model && model_fits_weights(trained->parts[i].model);
    return fits;
}

/* Over other parts, with the weights that it has. */
static enum status keep_weights(const struct ground *g, const struct model *m, const char *name,
                                struct model *const *parts, struct model **out, struct error *err)
{
    struct selection selection = {.data = g->d, .split = g->s, .parts = PART_TRAIN, .until = g->until};
    struct model *over = NULL;
    char *own = mem_strdup(name, err);
    enum status st = own ? model_stand_on(m, parts, &selection, &over, err) : ST_NOMEM;
    if (st) {
        mem_free(own);
        return st;
    }
    mem_free(over->name);
    over->name = own;
    *out = over;
    return ST_OK;
}

static enum status ensemble_again(const struct ground *g, const struct model *m, const char *name,
                                  const struct param_value *values, struct model **out, struct error *err)
{
    const struct model *trained = model_trained(m);
    struct model **parts = mem_new(trained->nparts, sizeof(struct model *), "the models of an ensemble", err);
    enum status st = parts ? ST_OK : ST_NOMEM;
    for (size_t i = 0; i < trained->nparts && !st; i++) {
        const struct model *part = trained->parts[i].model;
        st = model_train_again(g, part, part->name, part->values, &parts[i], err);
    }
    if (!st && m->class->capabilities & FITS_WEIGHTS && g->until != NO_TIME)
        st = keep_weights(g, trained, name, parts, out, err);
    else if (!st)
        st = ensemble_train(g, m->class, name, values, parts, trained->nparts, out, err);
    parts_free(parts, trained->nparts);
    return st;
}

enum status model_train_again(const struct ground *g, const struct model *m, const char *name,
                              const struct param_value *values, struct model **out, struct error *err)
{
    struct selection selection = {.data = g->d, .split = g->s, .parts = PART_TRAIN, .until = g->until};
    enum status st = served_refuse(m, "cannot be trained", err);
    if (st)
        return st;
    if (m->class->capabilities & OF_MODELS)
        return ensemble_again(g, m, name, values, out, err);
    return model_train(m->class, name, values, &selection, g->wb->seed, NULL, &g->wb->job, out, err);
}

/* ---- the workbench's ensembles ---- */

static bool holds(const struct model *m, const struct model *part)
{
    const struct model *trained = model_trained(m);
    for (size_t i = 0; i < trained->nparts; i++)
        if (model_is_part(trained, i, part))
            return true;
    return false;
}

enum status workbench_check_no_part(struct workbench *wb, const char *name, struct error *err)
{
    struct model *part = workbench_model(wb, name), *of = NULL;
    pthread_mutex_lock(&wb->lock);
    for (size_t i = 0; part && i < wb->nmodels && !of; i++)
        if (holds(wb->models[i], part))
            of = model_hold(wb->models[i]);
    pthread_mutex_unlock(&wb->lock);
    model_release(part);
    if (!of)
        return ST_OK;
    error_set(err, ST_BUSY, "%s is made of %s", of->name, name);
    error_hint(err, "drop %s first", of->name);
    model_release(of);
    return ST_BUSY;
}

/* Its parts from those before it in the list: an ensemble is made after them. */
static enum status attach(struct model **models, size_t at, struct error *err)
{
    struct model *m = models[at]->trained ? models[at]->trained : models[at];
    enum status st = ST_OK;
    for (size_t p = 0; p < m->nparts; p++)
        for (size_t i = 0; i < at && !m->parts[p].model && !st; i++)
            if (model_is_part(m, p, models[i]))
                st = model_attach(m, p, models[i], err);
    return st;
}

static bool is_whole(const struct model *m)
{
    const struct model *trained = model_trained(m);
    for (size_t p = 0; p < trained->nparts; p++)
        if (!trained->parts[p].model)
            return false;
    return true;
}

static int by_creation(const void *pa, const void *pb)
{
    const struct model *const *a = pa, *const *b = pb;
    int64_t x = (*a)->record.created, y = (*b)->record.created;
    return x != y ? (x > y) - (x < y) : strcmp((*a)->name, (*b)->name);
}

enum status workbench_attach_parts(struct workbench *wb, struct error *err)
{
    enum status st = ST_OK;
    size_t kept = 0;
    pthread_mutex_lock(&wb->lock);
    if (wb->nmodels)
        qsort(wb->models, wb->nmodels, sizeof(struct model *), by_creation);
    for (size_t i = 0; i < wb->nmodels && !st; i++)
        st = attach(wb->models, i, err);
    for (size_t i = 0; i < wb->nmodels; i++) {
        if (is_whole(wb->models[i]))
            wb->models[kept++] = wb->models[i];
        else
            model_release(wb->models[i]);
    }
    wb->nmodels = kept;
    pthread_mutex_unlock(&wb->lock);
    return st;
}

/* ---- in words ---- */

static void say_weights(struct result *out, const struct model *m)
{
    const struct model *trained = model_trained(m);
    struct str text = {0};
    const float *weight = m->class->part_weights(trained);
    for (size_t p = 0; p < trained->nparts; p++)
        if (weight[p] != 0)
            str_printf(&text, "%s%.3g %s", text.length ? " + " : "", (double)weight[p], trained->parts[p].name);
    result_message(out, MESSAGE_INFO, "%s = %s", m->name, result_str(out, &text));
    str_free(&text);
}

/* users[p]: with so many items that part p answers. Returns how many there are in all. */
static size_t count_users(const struct interactions *x, const double *from, size_t nparts, size_t *users)
{
    size_t all = 0;
    for (size_t u = 0; u < x->matrix.rows; u++) {
        size_t items = x->matrix.begin[u + 1] - x->matrix.begin[u], p = 0;
        while (p + 1 < nparts && (double)items >= from[p])
            p++;
        users[p] += items > 0;
        all += items > 0;
    }
    return all;
}

static void put_users(struct str *out, size_t users, size_t all)
{
    char n[32], of[32];
    text_count(n, sizeof n, (int64_t)users);
    text_count(of, sizeof of, (int64_t)all);
    str_printf(out, !all ? " (%s)" : all == 1 ? " (%s of %s user)" : " (%s of %s users)", n, of);
}

static enum status say_lengths(struct result *out, const struct model *m, const char *lengths,
                               const struct selection *s, struct error *err)
{
    const struct model *trained = model_trained(m);
    double from[PARTS_MAX];
    size_t users[PARTS_MAX] = {0};
    struct interactions x = {0};
    struct str text = {0};
    if (!ensemble_numbers(lengths, trained->nparts - 1, from))
        return ST_OK;
    enum status st = interactions_build(s, &x, err);
    if (st)
        return st;
    size_t all = count_users(&x, from, trained->nparts, users);
    for (size_t p = 0; p < trained->nparts; p++) {
        str_printf(&text, p ? ", %s from %g on" : "%s below %g items", trained->parts[p].name, from[p ? p - 1 : 0]);
        put_users(&text, users[p], p ? 0 : all);
    }
    result_message(out, MESSAGE_INFO, "%s: %s", m->name, result_str(out, &text));
    str_free(&text);
    interactions_clear(&x);
    return ST_OK;
}

enum status say_parts(struct result *out, const struct model *m, const struct selection *s, struct error *err)
{
    const struct model_class *class = m->class;
    if (class->part_weights)
        say_weights(out, m);
    for (size_t i = 0; i < class->nparams; i++)
        if (class->params[i].type == PARAM_LENGTHS)
            return say_lengths(out, m, model_text(m, class->params[i].name), s, err);
    return ST_OK;
}
