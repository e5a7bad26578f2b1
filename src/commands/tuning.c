/* Opening a search: its words, the trials that are there, which of them is better. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "commands/class_words.h"
#include "commands/parts.h"
#include "commands/study.h"
#include "models/ratings.h"

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
    return st ? st
              : tune_space_new(s->each.params, s->each.nparams, given, fix_ages(s, given, call->nopen), &s->space, err);
}

const char *study_given(const struct study *s, const char *name)
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

/* How the number of epochs is found. Where it shapes the training (a schedule), it is a parameter of the search;
 * elsewhere the best epoch of a training is what so many epochs give. */
static bool counts_by_epoch(const struct study *s)
{
    size_t i = param_index(s->class->params, s->class->nparams, "epochs");
    if (!(s->class->capabilities & CAN_EPOCHS) || i == s->class->nparams)
        return false;
    const char *given = study_given(s, "epochs");
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
        const char *given = study_given(s, s->class->params[i].name);
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

static enum status check_class(const struct study *s, struct error *err)
{
    struct selection selection = {.data = s->d, .split = s->s, .parts = PART_TRAIN, .until = NO_TIME};
    if (s->s && s->class->capabilities & CAN_RATE)
        return ratings_there(s->class, &selection, err);
    if (s->s)
        return ST_OK;
    error_set(err, ST_STATE,
              "there is no split: `tune` learns from a part of train and judges by another, and leaves test alone");
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

enum status study_add_point(struct study *s, size_t i, struct error *err)
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
            st = study_add_point(s, i, err);
    }
    s->resumed = s->trials.n;
    return st;
}

/* What judges the trials; and where they fit weights, other users' events for that. */
static enum status set_aside(struct study *s, struct error *err)
{
    enum status st = split_to_validate(s->d, s->s, &s->inner, err);
    if (st || !(s->class->capabilities & FITS_WEIGHTS))
        return st;
    st = split_valid_half(s->d, s->inner, 0, &s->fits, err);
    return st ? st : split_valid_half(s->d, s->inner, 1, &s->judges, err);
}

static enum status open_validation(struct study *s, struct error *err)
{
    const struct split *judges = s->judges ? s->judges : s->inner;
    enum status st = validation_open(&s->valid, s->wb, s->class, s->d, judges, call_text(s->call, "metric"), err);
    return st || !s->fits ? st : fit_check_metric(&s->valid.metric, err);
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
        st = set_aside(s, err);
    if (!st)
        st = error_at_option(open_validation(s, err), err, call, "metric");
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
    split_release(s->fits);
    split_release(s->judges);
    split_release(s->inner);
    split_release(s->s);
    dataset_release(s->d);
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
        const char *given = study_given(s, class->params[i].name);
        const char *text = given && !is_searched(given) ? given : NULL;
        if (trial_value(t, class->params[i].name, said, sizeof said) ||
            part_axes_text(&s->each, i, t, said, sizeof said))
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
