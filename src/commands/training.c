#include "commands/training.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "commands/parts.h"
#include "commands/publish.h"
#include "commands/renewal.h"
#include "models/history.h"

enum { SLOW_SECONDS = 1 /* from here on people are told how long it took */ };

/* ---- is it there already? ---- */

static bool same_value(const struct param *p, const struct param_value *a, const struct param_value *b)
{
    if (a->present != b->present || !a->present)
        return a->present == b->present;
    switch (p->type) {
    case PARAM_BOOL:
        return a->yes == b->yes;
    case PARAM_INT:
    case PARAM_ENUM:
    case PARAM_DURATION:
    case PARAM_TIME:
        return a->integer == b->integer;
    case PARAM_REAL:
    case PARAM_PERCENT:
        return !(a->real < b->real) && !(a->real > b->real);
    default:
        return strcmp(a->text, b->text) == 0;
    }
}

/* Would training give this model again? What ended early or was updated is never the same. */
static bool same_model(const struct training_order *o, const struct model *m)
{
    const struct model_record *r = &m->record;
    if (m->class != o->class || (o->watch && o->watch->validate) || r->ended != END_FINISHED || r->kept || r->departs ||
        !r->epochs || r->data_fingerprint != o->d->fingerprint || r->seed != o->wb->seed ||
        r->split_fingerprint != (o->s ? o->s->fingerprint : 0))
        return false;
    for (size_t i = 0; i < o->class->nparams; i++)
        if (!same_value(&o->class->params[i], &m->values[i], &o->values[i]))
            return false;
    m = model_trained(m);
    bool same = m->nparts == o->nparts && !o->refit;
    for (size_t i = 0; i < o->nparts && same; i++)
        same = model_is_part(m, i, o->parts[i]);
    return same;
}

/* The model that training would give, under the name that was asked for (any, when none was). */
static struct model *find_same(const struct training_order *o, const char *name)
{
    struct workbench *wb = o->wb;
    struct model *found = NULL;
    pthread_mutex_lock(&wb->lock);
    for (size_t i = 0; i < wb->nmodels && !found; i++)
        if (same_model(o, wb->models[i]) && (!name || strcmp(name, wb->models[i]->name) == 0))
            found = model_hold(wb->models[i]);
    pthread_mutex_unlock(&wb->lock);
    return found;
}

static bool taken(struct workbench *wb, const char *name)
{
    struct model *m = workbench_model(wb, name);
    model_release(m);
    return m != NULL;
}

static enum status choose_name(const struct training_order *o, char name[64], struct error *err)
{
    if (!o->as || !o->as->text) {
        snprintf(name, 64, "%s", o->base);
        for (unsigned n = 2; taken(o->wb, name); n++)
            snprintf(name, 64, "%.50s.%u", o->base, n);
        return ST_OK;
    }
    snprintf(name, 64, "%s", o->as->text);
    if (!taken(o->wb, name))
        return ST_OK;
    if (o->replace)
        return error_at_word(renewal_check(o->wb, name, o->parts, o->nparts, o->s, err), err, o->as);
    error_set(err, ST_USAGE, "there is a model %s already, trained otherwise", name);
    error_hint(err, "replace=yes puts the new one in its place");
    return error_at_word(ST_USAGE, err, o->as);
}

/* ---- what came of it ---- */

static void say_end(const struct training_order *o, struct result *out)
{
    const struct model_record *r = &o->model->record;
    const char *name = o->model->name;
    size_t kept = model_epochs(o->model);
    const char *goes_on = kept < r->planned ? result_textf(out, "; `resume %s` goes on", name) : "";
    switch (r->ended) {
    case END_CANCELLED:
        result_message(out, MESSAGE_INFO, "cancelled: %s keeps epoch %zu of %zu%s", name, kept, r->planned, goes_on);
        break;
    case END_TIME:
        result_message(out, MESSAGE_INFO, "the time was over after epoch %zu of %zu of %s%s", kept, r->planned, name,
                       goes_on);
        break;
    case END_PATIENCE:
        result_message(out, MESSAGE_INFO, "%s stopped after epoch %zu of %zu: the best was epoch %zu, %s %.4f", name,
                       r->epochs, r->planned, kept, r->metric, r->watched[kept - 1]);
        break;
    default:
        if (r->kept && r->watched)
            result_message(out, MESSAGE_INFO, "%s went back to epoch %zu, the best: %s %.4f", name, kept, r->metric,
                           r->watched[kept - 1]);
    }
}

static void say_time(const struct training_order *o, struct result *out)
{
    char took[32], all[32];
    double seconds = o->model->record.seconds;
    text_duration(took, sizeof took, seconds - o->before);
    text_duration(all, sizeof all, seconds);
    if (seconds >= SLOW_SECONDS)
        result_message(out, MESSAGE_INFO, "%s took %s%s", o->model->name, took,
                       o->before > 0 ? result_textf(out, " more, %s in all", all) : "");
}

/* ---- does it tell items apart? ---- */

static bool scored_alike(const float *scores, size_t n)
{
    const float *first = NULL;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(scores[i]))
            continue;
        if (first && (scores[i] < *first || scores[i] > *first))
            return false;
        first = first ? first : &scores[i];
    }
    return true;
}

/* *alike: that many users were asked and each finds all items equally good; 0: somebody does not. Whoever does ends it,
 * so that of a model which learnt something one user is asked. */
static enum status ask_alike(const struct model *m, const struct selection *s, size_t *alike, struct error *err)
{
    enum { USERS = 50 };
    uint32_t users[USERS];
    struct histories h = {0};
    size_t n = m->nusers < USERS ? m->nusers : USERS;
    *alike = 0;
    if (m->nitems < 2)
        return ST_OK;
    for (size_t i = 0; i < n; i++)
        users[i] = (uint32_t)(i * m->nusers / n);
    float *scores = mem_new_raw(m->nitems, sizeof *scores, "scores", err);
    enum status st = scores ? histories_of_users(s, users, n, &h, err) : ST_NOMEM;
    for (size_t i = 0; i < h.n && !st; i++) {
        if (!h.queries[i].n)
            continue;
        st = model_score(m, &h.queries[i], 1, scores, err);
        if (st || !scored_alike(scores, m->nitems)) {
            *alike = 0;
            break;
        }
        ++*alike;
    }
    mem_free(scores);
    histories_clear(&h);
    return st;
}

/* "l2=1000 (0.6 by default)", of all that was chosen otherwise. */
static void put_chosen(const struct model *m, struct str *out)
{
    const struct model_class *c = m->class;
    for (size_t i = 0; i < c->nparams; i++) {
        const struct param_value *v = &m->values[i];
        if (!v->present || !v->given || !c->params[i].initial || text_same(v->text, c->params[i].initial) ||
            !param_matters(c->params, c->nparams, i, param_value_text, m->values))
            continue;
        str_printf(out, "%s%s=%s (%s by default)", out->length ? ", " : "", c->params[i].name, v->text,
                   c->params[i].initial);
    }
}

/* Without memory for the question nothing is said: the model is trained all the same. */
static void say_alike(const struct training_order *o, struct result *out)
{
    const struct model *m = o->model;
    struct selection selection = {.data = o->d, .split = o->s, .parts = PART_TRAIN, .until = NO_TIME};
    struct str chosen = {0};
    struct error ignored;
    size_t users;
    if (ask_alike(m, &selection, &users, &ignored) || !users)
        return;
    put_chosen(m, &chosen);
    const char *whom = users == 1 ? "the only user" : result_textf(out, "each of %zu users", users);
    result_message(out, MESSAGE_WARNING, "%s tells no items apart: for %s asked all score the same", m->name, whom);
    if (chosen.length)
        result_message(out, MESSAGE_HINT, "it was trained with %s: try what is the default", result_str(out, &chosen));
    else
        result_message(out, MESSAGE_HINT,
                       "too few of the events have users and items in common: it needs more of them");
    str_free(&chosen);
}

void training_say(const struct training_order *o, struct result *out)
{
    say_time(o, out);
    say_end(o, out);
    say_alike(o, out);
}

enum status training_publish(const struct training_order *o, struct result *out, struct error *err)
{
    struct renewal r;
    if (o->reused)
        return result_status(out, err);
    enum status st = renewal_open(&r, o->wb, err);
    size_t at = st ? 0 : renewal_find(&r, o->model->name);
    if (!st && at == r.n) {
        st = publish_model(o->wb, o->d, o->model, out, err);
    } else if (!st) {
        r.new[at] = model_hold(o->model);
        st = renewal_rise(&r, err);
        if (!st)
            renewal_say(&r, out);
        if (!st)
            st = renewal_publish(&r, out, err);
    }
    renewal_close(&r);
    return st;
}

static enum status train_ensemble(struct training_order *o, const char *name, struct error *err)
{
    struct ground g = {.wb = o->wb, .d = o->d, .s = o->s, .until = NO_TIME};
    if (o->fit)
        g.metric = *o->fit;
    return ensemble_train(&g, o->class, name, o->values, o->parts, o->nparts, &o->model, err);
}

static enum status train_alone(struct training_order *o, const char *name, struct error *err)
{
    struct selection selection = {.data = o->d, .split = o->s, .parts = PART_TRAIN, .until = NO_TIME};
    return model_train(o->class, name, o->values, &selection, o->wb->seed, o->watch, &o->wb->job, &o->model, err);
}

enum status training_run(struct training_order *o, struct result *out, struct error *err)
{
    char name[64];
    o->model = find_same(o, o->as ? o->as->text : NULL);
    o->reused = o->model != NULL;
    if (o->reused) {
        result_message(out, MESSAGE_INFO, "%s was trained like this already, so it is used again", o->model->name);
        return ST_OK;
    }
    enum status st = choose_name(o, name, err);
    if (!st)
        st = o->class->capabilities & OF_MODELS ? train_ensemble(o, name, err) : train_alone(o, name, err);
    if (!st)
        training_say(o, out);
    return st;
}

/* ---- judging while it learns ---- */

enum status validation_open(struct validation *v, struct workbench *wb, const struct model_class *class,
                            struct dataset *d, const struct split *s, const char *metric, struct error *err)
{
    struct protocol protocol = {.on = PART_VALID, .hide_seen = wb->hide_seen};
    *v = (struct validation){.wb = wb, .s = s};
    enum status st = metric_parse(metric, 10, &v->metric, err);
    if (!st && v->metric.metric->errors && !(class->capabilities & CAN_RATE))
        st = error_set(err, ST_USAGE, "%s predicts no ratings, so %s cannot guide its training", class->name,
                       v->metric.name);
    else if (!st && !metric_of_users(v->metric.metric))
        st = error_set(err, ST_USAGE, "%s is no measure of single users, so it cannot guide training", v->metric.name);
    else if (!st && (v->metric.metric->neutral || v->metric.metric->needs & NEEDS_BEFORE))
        st = error_set(err, ST_USAGE, "%s does not tell good from bad, so it cannot guide training", v->metric.name);
    if (!st && !s) {
        st = error_set(err, ST_STATE, "judging while training needs a validation part");
        error_hint(err, "split with one: `split last 1 valid=yes`");
    }
    if (!st)
        st = test_set_new(d, s, &protocol, &v->set, err);
    if (!st && v->metric.metric->needs & NEEDS_FACTS)
        st = item_facts_new(d, s, &protocol, &v->facts, err);
    return st;
}

void validation_close(struct validation *v)
{
    test_set_free(v->set);
    item_facts_free(v->facts);
    *v = (struct validation){0};
}

enum status validation_ask(void *context, const struct model *m, size_t epoch, double *value, struct error *err)
{
    const struct validation *v = context;
    struct evaluation *e = NULL;
    (void)epoch;
    enum status st = (metric_of_lists(v->metric.metric) ? evaluation_run : evaluation_ranks)(
        m, v->set, v->s->fingerprint, v->metric.k, &v->wb->job, &e, err);
    if (!st && v->metric.metric->needs & NEEDS_PAIRS)
        st = evaluation_add_pairs(e, m, v->set, &v->wb->job, err);
    if (!st) {
        e->facts = v->facts;
        *value = evaluation_value(e, &v->metric, true);
    }
    evaluation_free(e);
    return st;
}

/* ---- curves ---- */

static void put_curve(struct result *out, const struct model *m, const char *what, const double *y)
{
    size_t n = 0;
    for (size_t i = 0; i < m->record.epochs; i++)
        n += isnan(y[i]) ? 0 : 1;
    if (n < 2)
        return;
    const char *name = result_textf(out, "%s_%s", what, m->name);
    struct series *s =
        result_series(out, name, result_textf(out, "%s of %s by epoch", what, m->name), VALUE_INT, n, false);
    if (!s)
        return;
    s->x_label = "epoch";
    s->y_label = result_text(out, what);
    s->style = "line";
    n = 0;
    for (size_t i = 0; i < m->record.epochs; i++)
        if (!isnan(y[i])) {
            s->x[n] = (double)i + 1;
            s->y[n++] = y[i];
        }
}

void training_curves(struct result *out, const struct model *m)
{
    if (!(m->class->capabilities & CAN_EPOCHS))
        return;
    put_curve(out, m, "loss", m->record.curve);
    if (m->record.watched)
        put_curve(out, m, m->record.metric, m->record.watched);
}
