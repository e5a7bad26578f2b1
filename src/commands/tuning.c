#include "commands/tuning.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "commands/class_words.h"
#include "commands/leak.h"
#include "commands/parts.h"

enum { TEXT_MAX = 64 };

/* ---- the words ---- */

static bool is_searched(const char *text)
{
    return strchr(text, '|') || strstr(text, "..");
}

/* Each value alone, so that what is wrong with it is marked. */
static enum status check_given(const struct study *s, const struct call_option *o, struct error *err)
{
    const struct param *p = &s->class->params[param_index(s->class->params, s->class->nparams, o->key.text)];
    struct tune_given given = {o->key.text, o->value.text};
    struct tune_space space = {.n = 0};
    struct param_value v = {0};
    enum status st;
    if (is_searched(o->value.text))
        st = tune_space_new(p, 1, &given, 1, &space, err);
    else
        st = param_parse(p, o->value.text, &v, err);
    tune_space_clear(&space);
    param_values_free(&v, 1);
    return st ? error_at_word(st, err, &o->value) : ST_OK;
}

/* An age is none of anything that could be chosen where nothing has a time. */
static size_t fix_ages(const struct study *s, struct tune_given *given, size_t n)
{
    for (size_t i = 0; i < s->class->nparams && n < COMMAND_MORE_MAX && s->d->events.time == NULL; i++)
        if (s->class->params[i].type == PARAM_DURATION)
            given[n++] = (struct tune_given){s->class->params[i].name, ""};
    return n;
}

static enum status read_space(struct study *s, struct error *err)
{
    const struct call *call = s->call;
    struct tune_given given[COMMAND_MORE_MAX];
    enum status st = part_axes_new(s->class, s->parts, s->nparts, call, &s->each, err);
    if (st)
        return st;
    if (call->nopen > COMMAND_MORE_MAX)
        return error_set(err, ST_USAGE, "more than %d parameters at once", COMMAND_MORE_MAX);
    for (size_t i = 0; i < call->nopen && !st; i++) {
        given[i] = (struct tune_given){call->open[i].key.text, call->open[i].value.text};
        st = check_given(s, &call->open[i], err);
    }
    return st ? st : tune_space_new(s->each.params, s->each.nparams, given, fix_ages(s, given, call->nopen), &s->space, err);
}

static const char *given_text(const struct study *s, const char *name)
{
    for (size_t i = 0; i < s->call->nopen; i++)
        if (strcmp(s->call->open[i].key.text, name) == 0)
            return s->call->open[i].value.text;
    return NULL;
}

static bool tuned(const struct param *p)
{
    return p->tune_min < p->tune_max;
}

/* How the number of epochs is found. Where it shapes the training (a schedule), it is a parameter of the search; elsewhere the
 * best epoch of a training is what so many epochs give. */
static bool counts_by_epoch(const struct study *s)
{
    size_t i = param_index(s->class->params, s->class->nparams, "epochs");
    if (!(s->class->capabilities & CAN_EPOCHS) || i == s->class->nparams)
        return false;
    const char *given = given_text(s, "epochs");
    return !tuned(&s->class->params[i]) && !(given && is_searched(given));
}

static void add_number(struct str *text, uint64_t x)
{
    str_printf(text, " %llx", (unsigned long long)x);
}

/* Two searches with one id try the same settings and find the same values. */
static enum status identify(struct study *s, struct error *err)
{
    struct str text = {0};
    str_printf(&text, "%s %s %d %d ", s->class->name, s->valid.metric.name, (int)s->search, s->wb->hide_seen);
    tune_space_describe(&s->space, &text);
    for (size_t i = 0; i < s->class->nparams; i++) {
        const char *given = given_text(s, s->class->params[i].name);
        if (given)
            str_printf(&text, "\n%s=%s", s->class->params[i].name, given);
    }
    for (size_t i = 0; i < s->nparts; i++) {
        str_printf(&text, "\n%s ", s->parts[i]->name);
        model_describe(s->parts[i], false, &text);
    }
    add_number(&text, s->d->fingerprint);
    add_number(&text, s->s->fingerprint);
    add_number(&text, s->inner->fingerprint);
    add_number(&text, s->wb->seed);
    s->id = hash_bytes(str_text(&text), text.length, 0);
    s->id += !s->id;
    enum status st = text.failed ? error_nomem(err, 1024, "the search") : ST_OK;
    str_free(&text);
    return st;
}

static enum status train_parts(struct study *s, struct error *err)
{
    struct ground g = {.wb = s->wb, .d = s->d, .s = s->inner, .until = NO_TIME};
    enum status st = ST_OK;
    if (!s->nparts || s->inner == s->s)
        return ST_OK;
    if (!(s->inner_parts = mem_new(s->nparts, sizeof(struct model *), "the models of an ensemble", err)))
        return ST_NOMEM;
    for (size_t i = 0; i < s->nparts && !st; i++)
        st = model_train_again(&g, s->parts[i], s->parts[i]->name, s->parts[i]->values, &s->inner_parts[i], err);
    return st;
}

static enum status check_class(const struct study *s, struct error *err)
{
    const struct word *w = &s->call->args[0];
    if (s->class->capabilities & FITS_WEIGHTS) {
        error_set(err, ST_UNSUPPORTED, "%s fits its weights to the validation part, which could not judge it then", s->class->name);
        error_hint(err, "train it as it is, or tune the models it is made of");
        return error_at_word(ST_UNSUPPORTED, err, w);
    }
    if (s->s)
        return ST_OK;
    error_set(err, ST_STATE, "there is no split: `tune` learns from a part of train and judges by another, and leaves test alone");
    error_hint(err, "`split last 1` first; a tenth of train is set aside by itself");
    return ST_STATE;
}

/* ---- the trials that are there ---- */

static void place(const struct study *s, const struct trial *t, double *point)
{
    char text[TEXT_MAX];
    for (size_t i = 0; i < s->space.n; i++) {
        const struct tune_axis *a = &s->space.axes[i];
        point[i] = trial_value(t, a->param->name, text, sizeof text) ? tune_place(a, text) : NAN;
    }
}

double study_number(const struct study *s, const struct trial *t, size_t axis)
{
    char text[TEXT_MAX];
    const struct tune_axis *a = &s->space.axes[axis];
    return trial_value(t, a->param->name, text, sizeof text) ? tune_number(a, text) : NAN;
}

static enum status add_point(struct study *s, size_t i, struct error *err)
{
    size_t n = s->space.n;
    enum status st = mem_grow(&s->points, &s->points_capacity, (i + 1) * n, sizeof *s->points, err);
    if (!st)
        place(s, &s->trials.list[i], &s->points[i * n]);
    return st;
}

static enum status recall(struct study *s, struct error *err)
{
    enum status st = trials_recall(s->wb, s->d->name, s->class->name, s->id, &s->trials, err);
    for (size_t i = 0; i < s->trials.n && !st; i++) {
        if (s->trials.list[i].number != i)
            st = error_set(err, ST_CORRUPT, "trial %zu of this search is missing", i + 1);
        if (!st)
            st = add_point(s, i, err);
    }
    s->resumed = s->trials.n;
    return st;
}

enum status study_open(struct study *s, struct workbench *wb, const struct call *call, struct error *err)
{
    *s = (struct study){.wb = wb, .call = call, .wanted = (size_t)call_int(call, "trials"),
                        .search = (enum tune_search)call_int(call, "search")};
    enum status st = class_of_word(&call->args[0], &s->class, err);
    if (st)
        return st;
    s->d = workbench_data(wb);
    s->s = workbench_split(wb);
    s->by_epoch = counts_by_epoch(s);
    st = check_class(s, err);
    if (!st)
        st = call_parts(wb, call, s->class, s->d, s->s, &s->parts, &s->nparts, err);
    if (!st)
        st = read_space(s, err);
    if (!st)
        st = split_to_validate(s->d, s->s, &s->inner, err);
    if (!st)
        st = error_at_option(validation_open(&s->valid, wb, s->class, s->d, s->inner, call_text(call, "metric"), err), err, call, "metric");
    if (!st)
        st = identify(s, err);
    if (!st)
        st = recall(s, err);
    return st;
}

void study_clear(struct study *s)
{
    validation_close(&s->valid);
    tune_space_clear(&s->space);
    part_axes_clear(&s->each);
    trials_clear(&s->trials);
    mem_free(s->points);
    parts_free(s->inner_parts, s->inner_parts ? s->nparts : 0);
    parts_free(s->parts, s->nparts);
    split_release(s->inner);
    split_release(s->s);
    dataset_release(s->d);
}

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
        if (given_text(s, a->param->name)) {
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
    *t = (struct trial){.study = s->id, .number = s->trials.n, .split = s->s->fingerprint, .set_aside = s->inner != s->s,
                        .value = NAN, .rung = {NAN, NAN}};
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

enum status study_values(const struct study *s, const struct trial *t, struct param_value **out, struct error *err)
{
    const struct model_class *class = s->class;
    struct param_value *values = mem_new(class->nparams, sizeof *values, "model parameters", err);
    char said[PART_NUMBERS_MAX];
    if (!values)
        return ST_NOMEM;
    enum status st = param_defaults(class->params, class->nparams, values, err);
    for (size_t i = 0; i < class->nparams && !st; i++) {
        const char *given = given_text(s, class->params[i].name);
        const char *text = given && !is_searched(given) ? given : NULL;
        if (trial_value(t, class->params[i].name, said, sizeof said) || part_axes_text(&s->each, i, t, said, sizeof said))
            text = said;
        if (text) {
            param_values_free(&values[i], 1);
            st = param_parse(&class->params[i], text, &values[i], err);
        }
    }
    if (st)
        class_values_free(class, values);
    else
        *out = values;
    return st;
}

/* ---- which is better ---- */

/* Where the best epoch counts, one that was stopped has what it had. */
static int place_of(const struct study *s, const struct trial *t)
{
    return t->status == TRIAL_STOPPED && s->by_epoch ? TRIAL_COMPLETE : (int)t->status;
}

bool study_better(const struct study *s, const struct trial *a, const struct trial *b)
{
    if (place_of(s, a) != place_of(s, b))
        return place_of(s, a) < place_of(s, b);
    return a->status != TRIAL_FAILED && metric_better(s->valid.metric.metric, a->value, b->value);
}

const struct trial *study_best(const struct study *s)
{
    const struct trial *best = s->trials.n ? &s->trials.list[0] : NULL;
    for (size_t i = 1; i < s->trials.n; i++)
        if (study_better(s, &s->trials.list[i], best))
            best = &s->trials.list[i];
    return best;
}

/* ---- a trial ---- */

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

static enum status learn(struct study *s, struct trial *t, const struct param_value *values, struct model **out, struct error *err)
{
    struct running r = {s, t, NAN};
    struct train_watch watch = {.hopeless = is_hopeless, .context = &r, .metric = s->valid.metric.name,
                                .lower = s->valid.metric.metric->lower};
    struct selection selection = {.data = s->d, .split = s->inner, .parts = PART_TRAIN, .until = NO_TIME};
    size_t epochs = param_index(s->class->params, s->class->nparams, "epochs");
    char name[TEXT_MAX];
    snprintf(name, sizeof name, "%s.%zu", s->class->name, t->number + 1);
    if (s->class->capabilities & OF_MODELS) {
        struct ground g = {.wb = s->wb, .d = s->d, .s = s->inner, .until = NO_TIME};
        return ensemble_train(&g, s->class, name, values, s->inner_parts ? s->inner_parts : s->parts, s->nparts, out, err);
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

static enum status keep_trial(struct study *s, struct trial *t, struct error *err)
{
    enum status st = trial_keep(s->wb, s->d->name, t, err);
    if (!st)
        st = trials_add(&s->trials, t, err);
    if (!st)
        st = add_point(s, s->trials.n - 1, err);
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
