/* `backtest`: every model trained and judged on every fold of the split. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "commands/class_words.h"
#include "commands/families.h"
#include "commands/judge.h"
#include "commands/leak.h"
#include "commands/parts.h"
#include "eval/evaluation.h"
#include "eval/folds.h"
#include "models/driver.h"

enum { METRICS_MAX = 16 };

/* One model: a class and what it is trained with. */
struct contender {
    char name[64];
    const struct model_class *class;
    struct param_value *values;
    struct model *like; /* behind `with`: trained again, with the models it is made of */
    double *value;      /* folds x metrics; NaN where nobody could be judged */
    struct fold_summary summary[METRICS_MAX];
    double to_best, p;
};

struct fold {
    size_t ntrain, ntest, users;
    int64_t test_from;
};

struct backtest {
    struct workbench *wb;
    const struct call *call;
    struct dataset *d;
    struct split *s; /* the present one: its spec says the family */
    size_t nfolds;
    struct fold *folds;
    struct contender *contenders;
    size_t ncontenders;
    struct metric_at metrics[METRICS_MAX];
    size_t nmetrics, depth;
    unsigned needs; /* of the metrics, or-ed */
    bool lists;     /* is one of them of whole lists? */
    struct protocol protocol;
};

/* ---- what was asked for ---- */

/* "ndcg@20,recall@20" */
static enum status read_metrics(struct backtest *b, struct error *err)
{
    enum status st = ST_OK;
    for (const char *list = call_text(b->call, "metric"); *list && !st;) {
        size_t n = strcspn(list, ",");
        char *one = mem_strndup(list, n, err);
        if (!one)
            return ST_NOMEM;
        st = b->nmetrics < METRICS_MAX
                 ? metric_parse(one, (size_t)call_int(b->call, "k"), &b->metrics[b->nmetrics], err)
                 : error_set(err, ST_USAGE, "more than %d metrics at once", METRICS_MAX);
        mem_free(one);
        if (!st && b->metrics[b->nmetrics].k > b->depth)
            b->depth = b->metrics[b->nmetrics].k;
        if (!st) {
            b->needs |= b->metrics[b->nmetrics].metric->needs;
            b->lists |= metric_of_lists(b->metrics[b->nmetrics].metric);
        }
        b->nmetrics += !st;
        list += n + (list[n] == ',');
    }
    if (!st && !b->nmetrics)
        st = error_set(err, ST_USAGE, "metric= names no metric");
    return error_at_option(st, err, b->call, "metric");
}

static enum status add_contender(struct backtest *b, const char *name, const struct model_class *class,
                                 struct model *like, struct error *err)
{
    struct contender *c = &b->contenders[b->ncontenders];
    for (size_t i = 0; i < b->ncontenders; i++)
        if (strcmp(b->contenders[i].name, name) == 0)
            return error_set(err, ST_USAGE, "%s is named twice", name);
    enum status st = class_values_new(b->wb, class, b->call, like ? like->values : NULL, &c->values, err);
    if (st)
        return st;
    c->like = model_hold(like);
    snprintf(c->name, sizeof c->name, "%s", name);
    c->class = class;
    b->ncontenders++;
    c->value = mem_new(b->nfolds * b->nmetrics, sizeof *c->value, "metrics of folds", err);
    if (!c->value)
        return ST_NOMEM;
    return call_int(b->call, "leak") ? ST_OK : leak_check_model(b->d, b->s, class, c->values, err);
}

/* Classes by the words, trained models (to be trained again with their parameters) by `with`. */
static enum status read_contenders(struct backtest *b, struct error *err)
{
    const struct call *call = b->call;
    enum status st = ST_OK;
    if (!(call->nargs + call->nmodels)) {
        st = error_set(err, ST_USAGE, "backtest needs to know which models");
        error_hint(err, "classes: backtest pop ease; or the parameters of trained models: backtest with ease.2");
        return st;
    }
    b->contenders = mem_new(call->nargs + call->nmodels, sizeof *b->contenders, "models", err);
    if (!b->contenders)
        return ST_NOMEM;
    for (size_t i = 0; i < call->nargs && !st; i++) {
        const struct model_class *class;
        st = class_of_word(&call->args[i], &class, err);
        if (!st && (st = add_contender(b, class->name, class, NULL, err)))
            error_at_word(st, err, &call->args[i]);
    }
    for (size_t i = 0; i < call->nmodels && !st; i++) {
        const char *name = call->models[i].text;
        struct model **m = NULL;
        size_t n = 0;
        st = workbench_models(b->wb, &name, 1, &m, &n, err);
        if (!st)
            st = add_contender(b, name, m[0]->class, m[0], err);
        if (st)
            error_at_word(st, err, &call->models[i]);
        for (size_t j = 0; j < n; j++)
            model_release(m[j]);
        mem_free(m);
    }
    return st;
}

/* folds=5: instead of the present split. */
static enum status deal_folds(struct backtest *b, struct error *err)
{
    struct split_spec spec = {.kind = SPLIT_FOLDS,
                              .at = NO_TIME,
                              .folds = (size_t)call_int(b->call, "folds"),
                              .fold = 1,
                              .seed = b->wb->seed};
    split_release(b->s);
    b->s = NULL;
    return split_new(b->d, &spec, &b->s, err);
}

static enum status read_family(struct backtest *b, struct error *err)
{
    const struct call *call = b->call;
    enum status st = call_given(call, "folds") ? deal_folds(b, err) : ST_OK;
    if (st)
        return st;
    if (!b->s || !b->s->spec.folds) {
        error_set(err, ST_STATE,
                  b->s ? "the split (%s) has no folds to go through" : "backtest needs a split with folds",
                  b->s ? b->s->description : "");
        error_hint(err, "`split rolling test=7d cuts=4` or `split folds 5`, or say folds=5%s",
                   b->s ? "; `compare` judges on a single split" : "");
        return ST_STATE;
    }
    b->protocol = judge_protocol(b->wb, call, call_int(call, "on") == 1 ? PART_VALID : PART_TEST);
    b->nfolds = b->s->spec.folds;
    b->folds = mem_new(b->nfolds, sizeof *b->folds, "folds", err);
    return b->folds ? ST_OK : ST_NOMEM;
}

/* ---- training and judging ---- */

static void take_values(struct backtest *b, struct contender *c, size_t fold, const struct evaluation *e)
{
    size_t users = 0;
    for (size_t u = 0; u < e->nusers; u++)
        users += e->warm[u];
    b->folds[fold].users = users;
    for (size_t m = 0; m < b->nmetrics; m++)
        c->value[fold * b->nmetrics + m] = evaluation_value(e, &b->metrics[m], true);
}

/* The model lives as long as it is judged: a backtest holds one at a time, and the workbench never sees it. */
static enum status run_one(struct backtest *b, struct contender *c, size_t fold, struct split *s,
                           const struct test_set *set, const struct item_facts *facts, struct error *err)
{
    struct selection train = {.data = b->d, .split = s, .parts = PART_TRAIN, .until = NO_TIME};
    struct model *m = NULL;
    struct evaluation *e = NULL;
    char name[112];
    snprintf(name, sizeof name, "%s, fold %zu of %zu", c->name, fold + 1, b->nfolds);
    const struct ground ground = {b->wb, b->d, s, b->metrics[0], NO_TIME};
    enum status st = c->like ? model_train_again(&ground, c->like, name, c->values, &m, err)
                             : model_train(c->class, name, c->values, &train, b->wb->seed, NULL, &b->wb->job, &m, err);
    if (!st)
        st = (b->lists ? evaluation_run : evaluation_ranks)(m, set, s->fingerprint, b->depth, &b->wb->job, &e, err);
    if (!st && b->needs & NEEDS_PAIRS)
        st = evaluation_add_pairs(e, m, set, &b->wb->job, err);
    if (!st) {
        e->facts = facts;
        take_values(b, c, fold, e);
    }
    evaluation_free(e);
    model_release(m);
    return st;
}

static enum status run_fold(struct backtest *b, size_t fold, struct error *err)
{
    struct split_spec spec = b->s->spec;
    struct split *s = NULL;
    struct test_set *set = NULL;
    struct item_facts *facts = NULL;
    spec.fold = fold + 1;
    enum status st = split_new(b->d, &spec, &s, err);
    if (!st)
        st = test_set_new(b->d, s, &b->protocol, &set, err);
    if (!st && b->needs & NEEDS_FACTS)
        st = item_facts_new(b->d, s, &b->protocol, &facts, err);
    if (!st)
        b->folds[fold] = (struct fold){s->ntrain, b->protocol.on == PART_TEST ? s->ntest : s->nvalid, 0, s->test_from};
    for (size_t i = 0; i < b->ncontenders && !st; i++)
        st = run_one(b, &b->contenders[i], fold, s, set, facts, err);
    if (st && st != ST_CANCELLED && err)
        error_source(err, "fold %zu of %zu", fold + 1, b->nfolds);
    item_facts_free(facts);
    test_set_free(set);
    split_release(s);
    return st;
}

/* Test events for each one that is learnt from, over all folds: folds that are drawn share what they learn from. */
static double ratio(const struct backtest *b)
{
    double test = 0, train = 0;
    for (size_t f = 0; f < b->nfolds; f++) {
        test += (double)b->folds[f].ntest;
        train += (double)b->folds[f].ntrain;
    }
    return b->s->spec.kind == SPLIT_ROLLING ? 0 : test / train;
}

/* Best first, those without a value last. */
static void order_contenders(struct backtest *b)
{
    for (size_t i = 1; i < b->ncontenders; i++) {
        struct contender x = b->contenders[i];
        size_t j = i;
        for (; j > 0; j--) {
            const struct contender *y = &b->contenders[j - 1];
            bool worse = metric_better(b->metrics[0].metric, y->summary[0].mean, x.summary[0].mean);
            bool better = metric_better(b->metrics[0].metric, x.summary[0].mean, y->summary[0].mean);
            if (worse || (!better && strcmp(y->name, x.name) < 0))
                break;
            b->contenders[j] = *y;
        }
        b->contenders[j] = x;
    }
}

static void column_of(const struct backtest *b, const struct contender *c, size_t metric, double *out)
{
    for (size_t f = 0; f < b->nfolds; f++)
        out[f] = c->value[f * b->nmetrics + metric];
}

static enum status summarize(struct backtest *b, struct error *err)
{
    double *x = mem_new(b->nfolds, sizeof *x, "metrics of folds", err),
           *best = mem_new(b->nfolds, sizeof *best, "metrics of folds", err);
    enum status st = x && best ? ST_OK : ST_NOMEM;
    for (size_t i = 0; i < b->ncontenders && !st; i++)
        for (size_t m = 0; m < b->nmetrics; m++) {
            column_of(b, &b->contenders[i], m, x);
            folds_summarize(x, b->nfolds, ratio(b), &b->contenders[i].summary[m]);
        }
    if (!st) {
        order_contenders(b);
        column_of(b, &b->contenders[0], 0, best);
    }
    for (size_t i = 0; i < b->ncontenders && !st; i++) {
        struct contender *c = &b->contenders[i];
        column_of(b, c, 0, x);
        c->to_best = i ? c->summary[0].mean / b->contenders[0].summary[0].mean - 1 : NAN;
        c->p = i ? folds_paired(x, best, b->nfolds, ratio(b)) : NAN;
    }
    mem_free(x);
    mem_free(best);
    return st;
}

/* ---- what came of it ---- */

static void put_means(const struct backtest *b, struct result *out)
{
    struct column columns[METRICS_MAX * 4 + 8];
    size_t n = 0;
    columns[n++] = (struct column){.name = "model", .type = VALUE_TEXT};
    for (size_t m = 0; m < b->nmetrics; m++) {
        const char *name = result_text(out, b->metrics[m].name);
        unsigned rest = m ? COLUMN_HIDDEN : 0;
        columns[n++] =
            (struct column){.name = name, .type = VALUE_REAL, .precision = 4, .flags = m ? COLUMN_COMPACT : 0};
        columns[n++] = (struct column){
            .name = m ? result_textf(out, "%s_sd", name) : "sd", .type = VALUE_REAL, .precision = 4, .flags = rest};
        columns[n++] = (struct column){
            .name = m ? result_textf(out, "%s_low", name) : "low", .type = VALUE_REAL, .precision = 4, .flags = rest};
        columns[n++] = (struct column){
            .name = m ? result_textf(out, "%s_high", name) : "high", .type = VALUE_REAL, .precision = 4, .flags = rest};
        if (m)
            continue;
        columns[n++] = (struct column){.name = "to_best", .type = VALUE_REAL, .unit = "%", .precision = 1};
        columns[n++] = (struct column){.name = "p", .type = VALUE_REAL, .precision = 4, .flags = COLUMN_P};
    }
    columns[n++] = (struct column){.name = "folds", .type = VALUE_INT, .flags = COLUMN_HIDDEN};
    columns[n++] = (struct column){.name = "parameters", .type = VALUE_TEXT, .flags = COLUMN_HIDDEN};
    const char *title =
        result_textf(out, "means over %zu fold%s: %s part, seen items %s%s", b->nfolds, b->nfolds == 1 ? "" : "s",
                     b->protocol.on == PART_TEST ? "test" : "validation", b->protocol.hide_seen ? "hidden" : "shown",
                     b->protocol.rolling ? ", history rolling" : "");
    struct table *t = result_table(out, "backtest", title, columns, n);
    for (size_t i = 0; i < b->ncontenders; i++) {
        const struct contender *c = &b->contenders[i];
        struct str parameters = {0};
        values_describe(c->class, c->values, false, &parameters);
        table_text(t, c->name);
        for (size_t m = 0; m < b->nmetrics; m++) {
            table_real(t, c->summary[m].mean);
            table_real(t, c->summary[m].sd);
            table_real(t, c->summary[m].interval.low);
            table_real(t, c->summary[m].interval.high);
            if (m)
                continue;
            table_real(t, c->to_best);
            table_real(t, c->p);
        }
        table_int(t, (int64_t)c->summary[0].n);
        table_str(t, &parameters);
        str_free(&parameters);
    }
}

static void put_folds(const struct backtest *b, struct result *out)
{
    struct column columns[METRICS_MAX + 8];
    size_t n = 0;
    columns[n++] = (struct column){.name = "fold", .type = VALUE_INT};
    columns[n++] = (struct column){
        .name = "test_from", .type = VALUE_TIME, .flags = b->folds[0].test_from == NO_TIME ? COLUMN_HIDDEN : 0};
    columns[n++] = (struct column){.name = "model", .type = VALUE_TEXT};
    for (size_t m = 0; m < b->nmetrics; m++)
        columns[n++] =
            (struct column){.name = result_text(out, b->metrics[m].name), .type = VALUE_REAL, .precision = 4};
    columns[n++] = (struct column){.name = "users", .type = VALUE_INT, .flags = COLUMN_COUNT};
    columns[n++] = (struct column){.name = "train_events", .type = VALUE_INT, .flags = COLUMN_COUNT | COLUMN_COMPACT};
    columns[n++] = (struct column){.name = "test_events", .type = VALUE_INT, .flags = COLUMN_COUNT | COLUMN_COMPACT};
    struct table *t = result_table(out, "folds", "fold by fold", columns, n);
    for (size_t f = 0; f < b->nfolds; f++)
        for (size_t i = 0; i < b->ncontenders; i++) {
            const struct contender *c = &b->contenders[i];
            table_int(t, (int64_t)f + 1);
            table_time(t, b->folds[f].test_from);
            table_text(t, c->name);
            for (size_t m = 0; m < b->nmetrics; m++)
                table_real(t, c->value[f * b->nmetrics + m]);
            table_int(t, (int64_t)b->folds[f].users);
            table_int(t, (int64_t)b->folds[f].ntrain);
            table_int(t, (int64_t)b->folds[f].ntest);
        }
}

/* A curve a model: over the cuts when they have moments, else over the numbers of the folds. */
static void put_curves(const struct backtest *b, struct result *out)
{
    bool timed = b->folds[0].test_from != NO_TIME;
    if (b->nfolds < 2)
        return;
    for (size_t i = 0; i < b->ncontenders; i++) {
        const struct contender *c = &b->contenders[i];
        const char *name = result_textf(out, "folds_%s", c->name);
        struct series *s =
            result_series(out, name, result_text(out, c->name), timed ? VALUE_TIME : VALUE_INT, b->nfolds, false);
        if (!s)
            return;
        s->group = result_textf(out, "%s by %s", b->metrics[0].name, timed ? "cut" : "fold");
        s->x_label = timed ? "test from" : "fold";
        s->y_label = result_text(out, b->metrics[0].name);
        s->style = "line";
        for (size_t f = 0; f < b->nfolds; f++) {
            s->x[f] = timed ? (double)b->folds[f].test_from : (double)f + 1;
            s->y[f] = c->value[f * b->nmetrics];
        }
    }
}

static void clear_backtest(struct backtest *b)
{
    for (size_t i = 0; b->contenders && i < b->ncontenders; i++) {
        class_values_free(b->contenders[i].class, b->contenders[i].values);
        model_release(b->contenders[i].like);
        mem_free(b->contenders[i].value);
    }
    mem_free(b->contenders);
    mem_free(b->folds);
    split_release(b->s);
    dataset_release(b->d);
}

static enum status run_backtest(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct backtest b = {.wb = wb, .call = call, .d = workbench_data(wb), .s = workbench_split(wb)};
    enum status st = read_metrics(&b, err);
    if (!st)
        st = read_family(&b, err);
    if (!st)
        st = read_contenders(&b, err);
    for (size_t f = 0; f < b.nfolds && !st; f++)
        st = run_fold(&b, f, err);
    if (!st)
        st = summarize(&b, err);
    if (!st) {
        put_means(&b, out);
        put_folds(&b, out);
        put_curves(&b, out);
    }
    clear_backtest(&b);
    return st;
}

static const struct argument backtest_args[] = {
    {.name = "CLASS",
     .type = ARG_MODEL_CLASS,
     .optional = true,
     .repeated = true,
     .doc = "classes of models; `with MODEL` takes the parameters of a trained one"},
};

static const struct param backtest_options[] = {
    {.name = "folds",
     .type = PARAM_INT,
     .min = 2,
     .max = SPLIT_FOLDS_MAX,
     .doc = "deal each user's items out over so many, whatever the present split"},
    {.name = "metric",
     .type = PARAM_METRIC,
     .initial = "ndcg",
     .doc = "what is measured, several as ndcg@20,recall@20; the first one decides"},
    {.name = "k",
     .type = PARAM_INT,
     .initial = "10",
     .min = 1,
     .max = METRIC_K_MAX,
     .doc = "length of the lists of metrics without @"},
    {.name = "on", .type = PARAM_ENUM, .initial = "test", .choices = "test|valid", .doc = "the part that judges"},
    {.name = "history",
     .type = PARAM_ENUM,
     .initial = "fixed",
     .choices = "fixed|rolling",
     .doc = "rolling folds in a user's events before each test event"},
    {.name = "seen",
     .type = PARAM_ENUM,
     .choices = "hide|show",
     .doc = "items of the history in the lists; the setting `seen` when left out"},
    OPTION_LEAK,
};

static const struct command rows[] = {
    {.name = "backtest",
     .group = "learn",
     .summary = "train and judge models on every fold of the split",
     .arguments = backtest_args,
     .narguments = 1,
     .options = backtest_options,
     .noptions = sizeof backtest_options / sizeof *backtest_options,
     .flags = COMMAND_NEEDS_DATA | COMMAND_OPEN | COMMAND_WITH | COMMAND_SEVERAL | COMMAND_TIMELESS,
     .more = class_and_model_params,
     .help = "For `split rolling` and `split folds` (or folds=): each model is trained on the train part of each fold "
             "and judged by its test part, as `compare` does. Trained models are left alone, and nothing is kept but "
             "the table. Every other key=value is a parameter of the classes, and goes to those for which it changes "
             "something.\n"
             "sd is between folds; low and high hold the mean with 95 % by Student's t; p tests the paired differences "
             "to the first row. Folds that are drawn share most of what they train on, which widens the interval "
             "(Nadeau and Bengio 2003).",
     .examples =
         (const char *const[]){"backtest pop ease folds=3", "backtest ease lambda=100 folds=3 metric=ndcg@5,recall@5",
                               "backtest with ease folds=2", "backtest pop half_life=3d folds=2 leak=allow", NULL},
     .run = run_backtest},
};

const struct command_family backtest_commands = {rows, sizeof rows / sizeof *rows};
