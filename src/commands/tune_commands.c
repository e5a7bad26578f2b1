/* `tune`: from a class to good parameters for these data; `trials`: what was tried. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "commands/class_words.h"
#include "commands/families.h"
#include "commands/leak.h"
#include "commands/parts.h"
#include "commands/tuning.h"
#include "eval/tune_effect.h"

enum { BEST_SHOWN = 5 };

/* Nothing, where there are none. */
static void put_count(struct table *t, size_t n)
{
    if (n)
        table_int(t, (int64_t)n);
    else
        table_null(t);
}

/* ---- the best trials ---- */

/* Indices of the trials, the best first, equal ones in their order. */
static size_t *order_trials(const struct study *s, struct result *out)
{
    size_t *order = result_room(out, s->trials.n, sizeof *order);
    for (size_t i = 0; order && i < s->trials.n; i++) {
        size_t at = i;
        for (; at && study_better(s, &s->trials.list[i], &s->trials.list[order[at - 1]]); at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    return order;
}

static void put_best(const struct study *s, struct result *out)
{
    const struct column columns[] = {
        {.name = "trial", .type = VALUE_INT},
        {.name = result_text(out, s->valid.metric.name), .type = VALUE_REAL, .precision = 4},
        {.name = "to_first", .type = VALUE_REAL, .unit = "%", .precision = 1},
        {.name = "epoch", .type = VALUE_INT, .flags = s->class->capabilities & CAN_EPOCHS ? 0 : COLUMN_HIDDEN},
        {.name = "status", .type = VALUE_TEXT},
        {.name = "parameters", .type = VALUE_TEXT, .flags = COLUMN_WRAP},
        {.name = "seconds", .type = VALUE_REAL, .unit = "s", .precision = 1, .flags = COLUMN_HIDDEN},
    };
    const char *title = result_textf(out, "the best of %zu trial%s, judged by the validation part", s->trials.n,
                                     s->trials.n == 1 ? "" : "s");
    struct table *t = result_table(out, "best", title, columns, sizeof columns / sizeof *columns);
    const size_t *order = order_trials(s, out);
    double base = s->trials.list[0].value;
    for (size_t i = 0; order && i < s->trials.n && i < BEST_SHOWN; i++) {
        const struct trial *x = &s->trials.list[order[i]];
        struct str parameters = {0};
        trial_describe(x, &parameters);
        table_int(t, (int64_t)x->number + 1);
        table_real(t, x->value);
        table_real(t, base > 0 ? x->value / base - 1 : NAN);
        put_count(t, x->epoch);
        table_text(t, trial_status_name(x->status));
        table_str(t, &parameters);
        table_real(t, x->seconds);
        str_free(&parameters);
    }
}

/* ---- what matters ---- */

static void describe_axis(const struct study *s, size_t axis, struct str *out)
{
    tune_axis_describe(&s->space.axes[axis], out);
    if (s->space.axes[axis].log)
        str_printf(out, ", log");
}

static void put_effect(const struct study *s, size_t axis, const struct tune_effect *e, struct table *t)
{
    const char *parameter = s->space.axes[axis].param->name;
    struct str searched = {0};
    char best[64];
    describe_axis(s, axis, &searched);
    table_text(t, parameter);
    table_str(t, &searched);
    table_text(t, trial_value(study_best(s), parameter, best, sizeof best) ? best : NULL);
    table_real(t, e->share);
    table_real(t, e->p);
    table_int(t, (int64_t)e->n);
    str_free(&searched);
}

/* *n: the axes that have an effect to tell. */
static enum status find_effects(const struct study *s, struct tune_effect *effects, size_t *n, struct error *err)
{
    double *x = mem_new(s->trials.n, sizeof *x, "trials", err),
           *value = mem_new(s->trials.n, sizeof *value, "trials", err);
    enum status st = x && value ? ST_OK : ST_NOMEM;
    for (size_t a = 0; a < s->space.n && !st; a++) {
        for (size_t i = 0; i < s->trials.n; i++) {
            x[i] = study_number(s, &s->trials.list[i], a);
            value[i] = s->trials.list[i].value;
        }
        st = tune_effect(x, value, s->trials.n, s->space.axes[a].values != NULL, s->wb->seed, &effects[a], err);
        *n += !st && !isnan(effects[a].share) ? 1 : 0;
    }
    mem_free(x);
    mem_free(value);
    return st;
}

static enum status put_importance(const struct study *s, struct result *out, struct error *err)
{
    static const struct column columns[] = {
        {.name = "parameter", .type = VALUE_TEXT},
        {.name = "searched", .type = VALUE_TEXT, .flags = COLUMN_COMPACT},
        {.name = "best", .type = VALUE_TEXT},
        {.name = "share", .type = VALUE_REAL, .unit = "%", .precision = 0, .flags = COLUMN_BAR},
        {.name = "p", .type = VALUE_REAL, .precision = 3},
        {.name = "trials", .type = VALUE_INT},
    };
    struct tune_effect effects[TUNE_AXES_MAX];
    size_t n = 0;
    enum status st = find_effects(s, effects, &n, err);
    if (st)
        return st;
    if (!n) {
        result_message(out, MESSAGE_INFO,
                       "how much each parameter matters is told from %d trials on, when their values differ",
                       EFFECT_FEWEST);
        return ST_OK;
    }
    const char *title = result_textf(out, "what matters: the share of the variance of %s that each parameter explains",
                                     s->valid.metric.name);
    struct table *t = result_table(out, "importance", title, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < s->space.n; i++)
        put_effect(s, i, &effects[i], t);
    return ST_OK;
}

/* ---- the winner ---- */

static enum status set_epochs(const struct study *s, size_t epochs, struct param_value *values, struct error *err)
{
    char text[32];
    size_t i = param_index(s->class->params, s->class->nparams, "epochs");
    snprintf(text, sizeof text, "%zu", epochs);
    param_values_free(&values[i], 1);
    return param_parse(&s->class->params[i], text, &values[i], err);
}

static void say_line(const struct study *s, const struct param_value *values, struct result *out)
{
    struct str line = {0};
    str_printf(&line, "train %s", s->class->name);
    for (size_t i = 0; i < s->nparts; i++)
        str_printf(&line, "%s%s", i ? " " : " with ", s->parts[i]->name);
    struct str parameters = {0};
    values_describe(s->class, values, true, &parameters);
    str_printf(&line, "%s%s", parameters.length ? " " : "", result_str(out, &parameters));
    if (s->fits && call_given(s->call, "metric"))
        str_printf(&line, " metric=%s", s->valid.metric.name);
    result_message(out, MESSAGE_HINT, "by hand: `%s`", result_str(out, &line));
    str_free(&parameters);
    str_free(&line);
}

/* On all of train: what was set aside for the search is learnt from too. */
static enum status train_winner(struct study *s, const struct param_value *values, struct result *out,
                                struct error *err)
{
    static const struct train_watch watch = {.keep = true};
    struct selection selection = {.data = s->d, .split = s->s, .parts = PART_TRAIN, .until = NO_TIME};
    char base[64];
    snprintf(base, sizeof base, "%s.tuned", s->class->name);
    struct training_order o = {.wb = s->wb,
                               .class = s->class,
                               .d = s->d,
                               .s = s->s,
                               .values = values,
                               .as = &s->call->as,
                               .base = base,
                               .replace = call_yes(s->call, "replace"),
                               .watch = &watch,
                               .parts = s->parts,
                               .nparts = s->nparts,
                               .fit = &s->valid.metric,
                               .refit = s->fits && call_given(s->call, "metric")};
    enum status st = training_run(&o, out, err);
    if (!st) {
        result_message(out, MESSAGE_INFO,
                       "%s has the parameters of trial %zu and is trained on all of the train part%s", o.model->name,
                       study_best(s)->number + 1, s->inner != s->s ? ", with what was set aside" : "");
        if (s->fits || !s->class->part_weights) /* weights that were searched are parameters */
            st = say_parts(out, o.model, &selection, err);
        say_line(s, values, out);
    }
    if (!st)
        st = training_publish(&o, out, err);
    model_release(o.model);
    return st;
}

static enum status finish(struct study *s, struct result *out, struct error *err)
{
    struct param_value *values = NULL;
    const struct trial *best = study_best(s);
    enum status st = study_values(s, best, &values, err);
    if (!st && s->by_epoch)
        st = set_epochs(s, best->epoch, values, err);
    if (!st && s->cancelled)
        say_line(s, values, out);
    else if (!st)
        st = train_winner(s, values, out, err);
    class_values_free(s->class, values);
    return st;
}

/* ---- what happened ---- */

static void say_trials(const struct study *s, struct result *out)
{
    char events[32], rest[32];
    size_t count[TRIAL_STATUSES] = {0};
    const struct trial *failed = NULL;
    for (size_t i = 0; i < s->trials.n; i++) {
        const struct trial *t = &s->trials.list[i];
        count[t->status]++;
        failed = t->status == TRIAL_FAILED && !failed ? t : failed;
    }
    if (s->resumed >= s->wanted)
        result_message(out, MESSAGE_INFO, "%s done before; a larger trials= tries more",
                       s->resumed == 1 ? "the one trial was" : result_textf(out, "all %zu trials were", s->resumed));
    else if (s->resumed)
        result_message(out, MESSAGE_INFO, "resuming: %zu of %zu trials %s done", s->resumed, s->wanted,
                       s->resumed == 1 ? "is" : "are");
    if (s->inner != s->s) {
        text_count(events, sizeof events, (int64_t)s->inner->nvalid);
        result_message(out, MESSAGE_INFO, "validation: %s event%s of train, set aside for the search", events,
                       s->inner->nvalid == 1 ? "" : "s");
    }
    if (s->fits) {
        text_count(events, sizeof events, (int64_t)s->fits->nvalid);
        text_count(rest, sizeof rest, (int64_t)s->judges->nvalid);
        result_message(out, MESSAGE_INFO,
                       "weights are fitted to %s validation event%s of every other user; the %s of the rest judge",
                       events, s->fits->nvalid == 1 ? "" : "s", rest);
    }
    if (count[TRIAL_STOPPED])
        result_message(out, MESSAGE_INFO, "%zu of %zu trial%s %s stopped early as hopeless", count[TRIAL_STOPPED],
                       s->trials.n, s->trials.n == 1 ? "" : "s", count[TRIAL_STOPPED] == 1 ? "was" : "were");
    if (failed)
        result_message(out, MESSAGE_WARNING, "%zu of %zu trial%s failed; trial %zu: %s", count[TRIAL_FAILED],
                       s->trials.n, s->trials.n == 1 ? "" : "s", failed->number + 1, failed->message);
    size_t room = 0, grid = s->search == TUNE_GRID ? tune_grid(&s->space, s->wanted, s->points, &room) : 0;
    if (grid > room && !s->exhausted)
        result_message(out, MESSAGE_INFO, "the coarsest grid has up to %zu settings: the trials are spread over it",
                       grid);
    if (s->exhausted)
        result_message(out, MESSAGE_INFO, "every setting of the search was tried after %zu trial%s", s->trials.n,
                       s->trials.n == 1 ? "" : "s");
    if (s->cancelled)
        result_message(out, MESSAGE_INFO,
                       "cancelled after %zu of %zu trials, which %s kept: the same line goes on from there",
                       s->trials.n, s->wanted, s->trials.n == 1 ? "is" : "are");
}

static enum status check_name(const struct study *s, struct error *err)
{
    const struct word *as = &s->call->as;
    return as->text ? error_at_word(workbench_model_name(as->text, s->class, err), err, as) : ST_OK;
}

static enum status all_failed(const struct study *s, struct error *err)
{
    const struct trial *first = &s->trials.list[0];
    error_set(err, ST_STATE, "none of %zu trial%s came to an end; trial 1: %s", s->trials.n,
              s->trials.n == 1 ? "" : "s", first->message);
    error_hint(err, "`trials %s` shows them all", s->class->name);
    return ST_STATE;
}

static enum status run_tune(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct study s;
    enum status st = study_open(&s, wb, call, err);
    if (!st)
        st = check_name(&s, err);
    if (!st)
        st = study_run(&s, err);
    if (!st && study_best(&s)->status == TRIAL_FAILED)
        st = all_failed(&s, err);
    if (!st) {
        put_best(&s, out);
        st = put_importance(&s, out, err);
    }
    if (!st) {
        say_trials(&s, out);
        st = finish(&s, out, err);
    }
    study_clear(&s);
    return st;
}

/* ---- trials ---- */

static void put_trial(const struct trial *x, struct table *t)
{
    struct str parameters = {0};
    trial_describe(x, &parameters);
    table_text(t, x->class);
    table_textf(t, "%06llx", (unsigned long long)x->study >> 40);
    table_int(t, (int64_t)x->number + 1);
    table_text(t, x->metric);
    table_real(t, x->value);
    table_text(t, trial_status_name(x->status));
    put_count(t, x->epoch);
    put_count(t, x->epochs);
    table_str(t, &parameters);
    table_text(t, *x->message ? x->message : NULL);
    table_real(t, x->seconds);
    table_time(t, x->created);
    str_free(&parameters);
}

static void put_trials(const struct trials *list, struct result *out)
{
    size_t failed = 0, learnt = 0;
    for (size_t i = 0; i < list->n; i++) {
        failed += list->list[i].status == TRIAL_FAILED;
        learnt += list->list[i].epochs > 0;
    }
    const struct column columns[] = {
        {.name = "class", .type = VALUE_TEXT},
        {.name = "study", .type = VALUE_TEXT, .flags = COLUMN_COMPACT},
        {.name = "trial", .type = VALUE_INT},
        {.name = "metric", .type = VALUE_TEXT, .flags = COLUMN_COMPACT},
        {.name = "value", .type = VALUE_REAL, .precision = 4},
        {.name = "status", .type = VALUE_TEXT},
        {.name = "epoch", .type = VALUE_INT, .flags = COLUMN_HIDDEN},
        {.name = "epochs", .type = VALUE_INT, .flags = learnt ? 0 : COLUMN_HIDDEN},
        {.name = "parameters", .type = VALUE_TEXT, .flags = COLUMN_WRAP},
        {.name = "message", .type = VALUE_TEXT, .flags = failed ? COLUMN_WRAP : COLUMN_HIDDEN},
        {.name = "seconds", .type = VALUE_REAL, .unit = "s", .precision = 1, .flags = COLUMN_HIDDEN},
        {.name = "created", .type = VALUE_TIME, .flags = COLUMN_HIDDEN},
    };
    struct table *t = result_table(out, "trials", "", columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < list->n; i++)
        put_trial(&list->list[i], t);
}

static enum status run_trials(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    const struct model_class *class = NULL;
    struct trials list = {0};
    struct dataset *d = workbench_data(wb);
    enum status st = call->nargs ? class_of_word(&call->args[0], &class, err) : ST_OK;
    if (!st)
        st = trials_recall(wb, d->name, class ? class->name : NULL, 0, &list, err);
    if (!st)
        put_trials(&list, out);
    if (!st && !list.n)
        result_message(out, MESSAGE_HINT, "nothing was tried yet: `tune %s`", class ? class->name : "ease");
    trials_clear(&list);
    dataset_release(d);
    return st;
}

/* ---- the rows ---- */

static const struct argument tune_args[] = {
    {.name = "CLASS", .type = ARG_MODEL_CLASS, .doc = "a class of models; `help CLASS` tells its parameters"},
};

static const struct argument trials_args[] = {
    {.name = "CLASS", .type = ARG_MODEL_CLASS, .optional = true, .doc = "only of this class"},
};

static const struct param tune_options[] = {
    {.name = "trials",
     .type = PARAM_INT,
     .initial = "20",
     .min = 1,
     .max = 100000,
     .doc = "how many settings are tried, those tried before included"},
    {.name = "metric", .type = PARAM_METRIC, .initial = "ndcg@10", .doc = "what the validation part is judged by"},
    {.name = "search",
     .type = PARAM_ENUM,
     .initial = "tpe",
     .choices = "random|grid|tpe",
     .doc = "how the next setting is found: at random, from a grid, or from the trials before it (tree-structured "
            "Parzen estimator)"},
    OPTION_LEAK,
    {.name = "replace", .type = PARAM_BOOL, .initial = "no", .doc = "as NAME may take the place of another model"},
};

static const struct command rows[] = {
    {.name = "tune",
     .group = "learn",
     .summary = "search for the parameters that judge best on a validation part",
     .arguments = tune_args,
     .narguments = 1,
     .options = tune_options,
     .noptions = sizeof tune_options / sizeof *tune_options,
     .flags = COMMAND_NEEDS_DATA | COMMAND_CHANGES | COMMAND_OPEN | COMMAND_SPACES | COMMAND_AS | COMMAND_WITH |
              COMMAND_SEVERAL,
     .more = class_params,
     .help = "Every other key=value is a parameter of the class: PARAM=low..high and PARAM=a|b|c are searched, "
             "PARAM=value is fixed; the rest is searched in the range of its table. Of an ensemble also what each "
             "model counts for against the first (weight.NAME) is searched, or the length of a history from which it "
             "is asked (from.NAME); stack fits its weights in each trial, to the validation events of every other "
             "user, and is judged by those of the rest. The first trial has the defaults, or what of the ranges given "
             "comes closest.\n"
             "Trials learn from a part of train and are judged by the validation part of the split, or, where it has "
             "none, by a tenth of train that is set aside by the rule of the split. The test part is never looked at. "
             "The winner is trained on all of the train part as NAME, or CLASS.tuned.\n"
             "Each trial is kept as it ends: after Ctrl-C or a crash the same line goes on where it was, and with more "
             "trials= it goes further. A setting that fails is a trial too. What learns in epochs is judged at nine "
             "epochs; a trial goes on past a ninth and a third of them when it is in the best third there (successive "
             "halving: Li et al., MLSys 2020). tpe: Bergstra et al., NIPS 2011, at random for the first eight.\n"
             "`share` is how much of the variance of the metric over the trials the value of a parameter explains "
             "(first-order index by bins: Plischke, Borgonovo and Smith, EJOR 2013), less what bins explain by chance; "
             "p: how often a permutation of the trials explains as much. Trials that were stopped count with what they "
             "had.",
     .examples = (const char *const[]){"tune ease trials=6", "tune ease lambda=1..100 trials=4 as good",
                                       "tune itemknn weighting=none|rows shrink=0 search=grid trials=8",
                                       "tune fuse with ease pop trials=3", NULL},
     .run = run_tune},
    {.name = "trials",
     .group = "learn",
     .summary = "the settings that `tune` has tried on this data set",
     .arguments = trials_args,
     .narguments = 1,
     .flags = COMMAND_NEEDS_DATA,
     .help = "Trials of one study belong together: one class, split, metric, search and space. `epochs` are those that "
             "were trained; a stopped trial was hopeless after so many.",
     .examples = (const char *const[]){"trials", "trials ease", NULL},
     .run = run_trials},
};

const struct command_family tune_commands = {rows, sizeof rows / sizeof *rows};
