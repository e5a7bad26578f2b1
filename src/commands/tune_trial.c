/* The trials of a search: the next setting, training and judging it, and keeping what came of it. */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "commands/class_words.h"
#include "commands/leak.h"
#include "commands/parts.h"
#include "commands/study.h"

/* ---- the next setting ---- */

static void say(struct str *out, const char *name, const char *text)
{
    str_printf(out, "%s%s=%s", out->length ? "\n" : "", name, text);
}

/* The first trial is the class as it comes, as far as what was typed lets it. */
static void first_setting(const struct study *s, struct str *out)
{
    double point[TUNE_AXES_MAX];
    char text[TEXT_MAX];
    for (size_t i = 0; i < s->space.n; i++) {
        const struct tune_axis *a = &s->space.axes[i];
        const char *initial = a->param->initial;
        point[i] = NAN;
        if (!tune_awake(&s->space, point, i))
            continue;
        point[i] = initial ? tune_place(a, initial) : NAN;
        if (study_given(s, a->param->name)) {
            point[i] = isnan(point[i]) ? 0 : point[i];
            tune_text(a, point[i], text, sizeof text);
            say(out, a->param->name, text);
        } else if (initial) {
            say(out, a->param->name, initial);
        }
    }
}

static enum status search_setting(struct study *s, struct str *out, struct error *err)
{
    size_t n = s->trials.n;
    double point[TUNE_AXES_MAX];
    char text[TEXT_MAX];
    struct tune_seen *seen = mem_new(n, sizeof *seen, "trials", err);
    if (!seen)
        return ST_NOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct trial *t = &s->trials.list[i];
        double share = t->status == TRIAL_STOPPED && !s->by_epoch ? (double)t->epochs / (double)t->planned : 1;
        double value = s->valid.metric.metric->lower ? -t->value : t->value;
        seen[i] = (struct tune_seen){&s->points[i * s->space.n], t->status == TRIAL_FAILED ? NAN : value, share};
    }
    tune_next(&s->space, s->search, s->wb->seed, n, s->wanted, seen, n, point, &s->exhausted);
    for (size_t i = 0; i < s->space.n && !s->exhausted; i++) {
        if (isnan(point[i]))
            continue;
        tune_text(&s->space.axes[i], point[i], text, sizeof text);
        say(out, s->space.axes[i].param->name, text);
    }
    mem_free(seen);
    return ST_OK;
}

static enum status next_trial(struct study *s, struct trial *t, struct error *err)
{
    struct str setting = {0};
    enum status st = ST_OK;
    *t = (struct trial){.study = s->id,
                        .number = s->trials.n,
                        .split = s->s->fingerprint,
                        .set_aside = s->inner != s->s,
                        .value = NAN,
                        .rung = {NAN, NAN}};
    snprintf(t->class, sizeof t->class, "%s", s->class->name);
    snprintf(t->metric, sizeof t->metric, "%s", s->valid.metric.name);
    if (t->number)
        st = search_setting(s, &setting, err);
    else
        first_setting(s, &setting);
    if (!st && (setting.failed || !(t->parameters = mem_strdup(str_text(&setting), err))))
        st = error_nomem(err, setting.length, "a setting");
    str_free(&setting);
    return st;
}

/* ---- training and judging it ---- */

struct running {
    struct study *s;
    struct trial *t;
    double best; /* of its values so far; NaN: none */
};

static enum status ask(void *context, const struct model *m, size_t epoch, double *value, struct error *err)
{
    const struct running *r = context;
    return validation_ask(&r->s->valid, m, epoch, value, err);
}

/* By what the trials before had where this one stands. */
static bool is_hopeless(void *context, size_t epoch, double value)
{
    struct running *r = context;
    const struct metric *metric = r->s->valid.metric.metric;
    size_t rung = tune_rung(epoch + 1, r->t->planned), n = 0;
    bool lower = metric->lower;
    if (!r->s->by_epoch || metric_better(metric, value, r->best))
        r->best = value;
    if (rung == TUNE_RUNGS)
        return false;
    value = r->t->rung[rung] = r->best;
    double *before = mem_new(r->s->trials.n, sizeof *before, "trials", NULL);
    for (size_t i = 0; before && i < r->s->trials.n; i++) {
        double x = r->s->trials.list[i].rung[rung];
        if (!isnan(x))
            before[n++] = lower ? -x : x;
    }
    bool is = before && tune_hopeless(lower ? -value : value, before, n);
    mem_free(before);
    return is;
}

/* The value of what learnt in epochs: at its best epoch, or at its last. */
static void read_curve(const struct study *s, const struct model *m, struct trial *t)
{
    const struct metric *metric = s->valid.metric.metric;
    t->epochs = m->record.epochs;
    for (size_t e = 0; m->record.watched && e < m->record.epochs; e++) {
        double x = m->record.watched[e];
        if (isnan(x) || (s->by_epoch && t->epoch && !metric_better(metric, x, t->value)))
            continue;
        t->value = x;
        t->epoch = e + 1;
    }
    t->status = m->record.ended == END_HOPELESS ? TRIAL_STOPPED : TRIAL_COMPLETE;
}

static enum status learn(struct study *s, struct trial *t, const struct param_value *values, struct model **out,
                         struct error *err)
{
    struct running r = {s, t, NAN};
    struct train_watch watch = {.hopeless = is_hopeless, .context = &r, .metric = s->valid.metric.name,
                                .lower = s->valid.metric.metric->lower};
    struct selection selection = {.data = s->d, .split = s->inner, .parts = PART_TRAIN, .until = NO_TIME};
    size_t epochs = param_index(s->class->params, s->class->nparams, "epochs");
    char name[TEXT_MAX];
    snprintf(name, sizeof name, "%s.%zu", s->class->name, t->number + 1);
    if (s->class->capabilities & OF_MODELS) {
        struct ground g = {
            .wb = s->wb, .d = s->d, .s = s->fits ? s->fits : s->inner, .metric = s->valid.metric, .until = NO_TIME};
        return ensemble_train(&g, s->class, name, values, s->inner_parts ? s->inner_parts : s->parts, s->nparts, out,
                              err);
    }
    if (s->class->capabilities & CAN_EPOCHS) {
        t->planned = epochs < s->class->nparams ? (size_t)values[epochs].integer : 0;
        watch.every = tune_every(t->planned);
        watch.validate = ask;
    }
    return model_train(s->class, name, values, &selection, s->wb->seed, &watch, &s->wb->job, out, err);
}

static enum status try_setting(struct study *s, struct trial *t, struct error *err)
{
    struct param_value *values = NULL;
    struct model *m = NULL;
    enum status st = study_values(s, t, &values, err);
    if (!st && !call_int(s->call, "leak"))
        st = leak_check_model(s->d, s->s, s->class, values, err);
    if (!st)
        st = learn(s, t, values, &m, err);
    if (!st && m->record.watched)
        read_curve(s, m, t);
    else if (!st)
        st = validation_ask(&s->valid, m, 0, &t->value, err);
    if (!st && isnan(t->value))
        st = error_set(err, ST_STATE, "%s has no value: nobody in the validation part has a history", t->metric);
    model_release(m);
    class_values_free(s->class, values);
    return st;
}

/* What goes wrong with a setting is what came of it. */
static enum status run_trial(struct study *s, struct trial *t, struct error *err)
{
    struct error failed = {.code = ST_OK};
    double started = clock_seconds();
    job_enter(&s->wb->job);
    enum status st = try_setting(s, t, &failed);
    job_leave(&s->wb->job);
    if (st == ST_CANCELLED) {
        if (err)
            *err = failed;
        return st;
    }
    if (st) {
        t->status = TRIAL_FAILED;
        t->value = NAN;
    }
    t->seconds = clock_seconds() - started;
    t->created = clock_now_us();
    t->message = mem_strdup(st ? failed.message : "", err);
    return t->message ? ST_OK : ST_NOMEM;
}

/* ---- all of them ---- */

static enum status keep_trial(struct study *s, struct trial *t, struct error *err)
{
    enum status st = trial_keep(s->wb, s->d->name, t, err);
    if (!st)
        st = trials_add(&s->trials, t, err);
    if (!st)
        st = study_add_point(s, s->trials.n - 1, err);
    const struct trial *best = st ? NULL : study_best(s);
    if (best && best->status != TRIAL_FAILED)
        job_report(&s->wb->job, "best", (double)s->trials.n, best->value);
    job_step(&s->wb->job, 1);
    return st;
}

static enum status one_trial(struct study *s, struct error *err)
{
    struct trial t = {.number = 0};
    enum status st = job_check(&s->wb->job, err);
    if (!st)
        st = next_trial(s, &t, err);
    if (!st && !s->exhausted) {
        st = run_trial(s, &t, err);
        if (!st)
            st = keep_trial(s, &t, err);
    }
    trial_clear(&t);
    return st;
}

static enum status train_parts(struct study *s, struct error *err)
{
    struct ground g = {.wb = s->wb, .d = s->d, .s = s->inner, .metric = s->valid.metric, .until = NO_TIME};
    enum status st = ST_OK;
    if (!s->nparts || s->inner == s->s)
        return ST_OK;
    if (!(s->inner_parts = mem_new(s->nparts, sizeof(struct model *), "the models of an ensemble", err)))
        return ST_NOMEM;
    for (size_t i = 0; i < s->nparts && !st; i++)
        st = model_train_again(&g, s->parts[i], s->parts[i]->name, s->parts[i]->values, &s->inner_parts[i], err);
    return st;
}

enum status study_run(struct study *s, struct error *err)
{
    struct job *job = &s->wb->job;
    enum status st = ST_OK;
    job_begin(job, s->wanted, "trials", "tune %s", s->class->name);
    job_set(job, s->trials.n);
    if (s->trials.n < s->wanted) {
        job_enter(job);
        st = train_parts(s, err);
        job_leave(job);
    }
    while (s->trials.n < s->wanted && !st && !s->exhausted)
        st = one_trial(s, err);
    s->cancelled = st == ST_CANCELLED && s->trials.n;
    if (!s->cancelled)
        return st;
    job_stopped(job);
    return ST_OK;
}
