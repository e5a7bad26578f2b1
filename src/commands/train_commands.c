/* `train`: from classes to models. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "commands/class_words.h"
#include "commands/families.h"
#include "commands/leak.h"
#include "commands/parts.h"
#include "commands/training.h"

/* One class of the command line. */
struct wish {
    const struct call *call;
    struct training_order order;
    struct param_value *values;
    struct model **parts; /* behind `with`: what an ensemble is made of */
    size_t nparts;
    struct metric_at fit; /* what its weights are fitted for */
    struct train_watch watch;
    struct validation valid;
};

/* The validation part is asked after every epoch when patience or a metric to watch was given. */
static enum status prepare_watch(struct wish *w, struct error *err)
{
    const struct call *call = w->call;
    struct training_order *o = &w->order;
    bool judged = (o->class->capabilities & CAN_EPOCHS) && (call_int(call, "patience") || call_given(call, "metric"));
    w->watch = (struct train_watch){.patience = (size_t)call_int(call, "patience"), .keep = true};
    if (call_given(call, "time"))
        w->watch.seconds = (double)call_int(call, "time") / US_PER_SECOND;
    o->watch = &w->watch;
    if (!judged)
        return ST_OK;
    enum status st = validation_open(&w->valid, o->wb, o->class, o->d, o->s, call_text(call, "metric"), err);
    if (st)
        return st == ST_USAGE ? error_at_option(st, err, call, "metric") : st;
    w->watch.validate = validation_ask;
    w->watch.context = &w->valid;
    w->watch.metric = w->valid.metric.name;
    w->watch.lower = w->valid.metric.metric->lower;
    return ST_OK;
}

/* What an ensemble's weights are fitted for. */
static enum status prepare_fit(struct wish *w, struct error *err)
{
    if (!(w->order.class->capabilities & OF_MODELS))
        return ST_OK;
    enum status st = metric_parse(call_text(w->call, "metric"), 10, &w->fit, err);
    if (!st)
        st = fit_check_metric(&w->fit, err);
    w->order.refit = (w->order.class->capabilities & FITS_WEIGHTS) && call_given(w->call, "metric");
    return error_at_option(st, err, w->call, "metric");
}

static enum status fulfil(struct wish *w, struct result *out, struct error *err)
{
    struct training_order *o = &w->order;
    enum status st = call_parts(o->wb, w->call, o->class, o->d, o->s, &w->parts, &w->nparts, err);
    if (!st)
        st = class_values_new(o->wb, o->class, w->call, NULL, &w->values, err);
    if (!st)
        st = prepare_fit(w, err);
    o->parts = w->parts;
    o->nparts = w->nparts;
    o->fit = &w->fit;
    o->values = w->values;
    if (!st && !call_int(w->call, "leak"))
        st = leak_check_model(o->d, o->s, o->class, o->values, err);
    if (!st)
        st = prepare_watch(w, err);
    return st ? st : training_run(o, out, err);
}

static void clear_wish(struct wish *w)
{
    class_values_free(w->order.class, w->values);
    validation_close(&w->valid);
    model_release(w->order.model);
    parts_free(w->parts, w->nparts);
}

/* Is there a class behind the command that has one of the capabilities? */
static bool any_can(const struct call *call, unsigned capabilities)
{
    for (size_t i = 0; i < call->nargs; i++)
        if (model_class_find(call->args[i].text)->capabilities & capabilities)
            return true;
    return false;
}

/* What watches epochs is refused where there are none, rather than ignored. */
static enum status check_watched(const struct call *call, struct error *err)
{
    static const struct {
        const char *name;
        unsigned capabilities;
    } options[] = {{"patience", CAN_EPOCHS}, {"time", CAN_EPOCHS}, {"metric", CAN_EPOCHS | OF_MODELS}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (!call_given(call, options[i].name) || any_can(call, options[i].capabilities))
            continue;
        error_set(err, ST_USAGE, "%s= watches a training by its epochs, and %s learn%s in one go", options[i].name,
                  call->nargs == 1 ? call->args[0].text : "these", call->nargs == 1 ? "s" : "");
        error_hint(err, "`help train` tells what it does; ials, bpr and svd learn in epochs");
        return error_at_option(ST_USAGE, err, call, options[i].name);
    }
    return ST_OK;
}

/* ---- what came of it ---- */

static void put_model(struct table *t, const struct training_order *o)
{
    const struct model_record *r = &o->model->record;
    size_t kept = r->kept ? r->kept : r->epochs;
    struct str parameters = {0};
    model_describe(o->model, false, &parameters);
    table_text(t, o->model->name);
    table_text(t, o->class->name);
    table_str(t, &parameters);
    table_int(t, (int64_t)r->events);
    table_int(t, (int64_t)r->users);
    table_int(t, (int64_t)r->items);
    if (o->class->capabilities & CAN_EPOCHS)
        table_int(t, (int64_t)kept);
    else
        table_null(t);
    table_real(t, kept ? r->curve[kept - 1] : NAN);
    table_bool(t, o->reused);
    str_free(&parameters);
}

static enum status check_words(const struct call *call, struct error *err)
{
    const struct model_class *class = NULL;
    enum status st = ST_OK;
    for (size_t i = 0; i < call->nargs && !st; i++)
        st = class_of_word(&call->args[i], &class, err);
    if (st || !call->as.text)
        return st;
    if (call->nargs > 1) {
        error_set(err, ST_USAGE, "%zu models cannot have one name", call->nargs);
        error_hint(err, "a line each: train %s as %s", call->args[0].text, call->as.text);
        return error_at_word(ST_USAGE, err, &call->as);
    }
    st = workbench_model_name(call->as.text, class, err);
    return st ? error_at_word(st, err, &call->as) : ST_OK;
}

static struct table *models_table(struct result *out, const char *title)
{
    static const struct column columns[] = {
        {.name = "model", .type = VALUE_TEXT},
        {.name = "class", .type = VALUE_TEXT, .flags = COLUMN_HIDDEN},
        {.name = "parameters", .type = VALUE_TEXT, .flags = COLUMN_COMPACT},
        {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "users", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "items", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "epochs", .type = VALUE_INT},
        {.name = "loss", .type = VALUE_REAL, .precision = 4},
        {.name = "reused", .type = VALUE_BOOL, .flags = COLUMN_HIDDEN},
    };
    return result_table(out, "models", title, columns, sizeof columns / sizeof *columns);
}

/* alone: no other class is trained by the command. The curves of many would bury the table; `curve` has them. */
static enum status put_trained(struct table *t, const struct training_order *o, bool alone, struct result *out,
                               struct error *err)
{
    struct selection selection = {.data = o->d, .split = o->s, .parts = PART_TRAIN, .until = NO_TIME};
    put_model(t, o);
    if (alone)
        training_curves(out, o->model);
    return say_parts(out, o->model, &selection, err);
}

static void say_next(const struct split *s, bool all, struct result *out)
{
    if (s)
        result_message(out, MESSAGE_HINT, "`compare` judges them");
    else if (!all)
        result_message(out, MESSAGE_HINT, "`split last 1` before training keeps events to judge the models by");
}

static enum status run_train(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    enum status st = check_words(call, err);
    if (!st)
        st = check_watched(call, err);
    if (st)
        return st;
    bool all = call_int(call, "on") == 1;
    struct dataset *d = workbench_data(wb);
    struct split *s = all ? NULL : workbench_split(wb);
    struct table *t = models_table(out, s ? result_textf(out, "trained on the train part: %s", s->description)
                                          : "trained on all events");
    bool going = true;
    for (size_t i = 0; i < call->nargs && going && !st; i++) {
        struct wish w = {.call = call,
                         .order = {.wb = wb,
                                   .class = model_class_find(call->args[i].text),
                                   .d = d,
                                   .s = s,
                                   .as = &call->as,
                                   .base = call->args[i].text,
                                   .replace = call_yes(call, "replace")}};
        st = fulfil(&w, out, err);
        if (!st) {
            going = w.order.reused || w.order.model->record.ended != END_CANCELLED;
            st = put_trained(t, &w.order, call->nargs == 1, out, err);
            if (!going || i + 1 == call->nargs)
                say_next(s, all, out);
        }
        if (!st)
            st = training_publish(&w.order, out, err);
        clear_wish(&w);
    }
    split_release(s);
    dataset_release(d);
    return st;
}

static const struct argument train_args[] = {
    {.name = "CLASS",
     .type = ARG_MODEL_CLASS,
     .repeated = true,
     .doc = "classes of models; `help CLASS` tells their parameters"},
};

static const struct param train_options[] = {
    {.name = "on",
     .type = PARAM_ENUM,
     .initial = "train",
     .choices = "train|all",
     .doc = "learn from the train part of the split, or from all events"},
    {.name = "patience",
     .type = PARAM_INT,
     .initial = "0",
     .min = 0,
     .max = 1e6,
     .doc = "stop after so many epochs without a better validation value, and go back to the best; 0: never"},
    {.name = "metric",
     .type = PARAM_METRIC,
     .initial = "ndcg@10",
     .doc = "what the validation part is judged by after each epoch, when patience= or this is given; what `stack` "
            "fits weights for"},
    OPTION_LEAK,
    {.name = "time",
     .type = PARAM_DURATION,
     .doc = "begin no epoch after so long: 30s, 10m; what was learnt until then is the model"},
    {.name = "replace", .type = PARAM_BOOL, .initial = "no", .doc = "as NAME may take the place of another model"},
};

static const struct command rows[] = {
    {.name = "train",
     .group = "learn",
     .summary = "train models",
     .arguments = train_args,
     .narguments = 1,
     .options = train_options,
     .noptions = sizeof train_options / sizeof *train_options,
     .flags = COMMAND_NEEDS_DATA | COMMAND_CHANGES | COMMAND_OPEN | COMMAND_AS | COMMAND_SEVERAL | COMMAND_WITH,
     .more = class_params,
     .help = "Every other key=value is a parameter of the classes: with several classes it goes to those for which it "
             "changes something, and is refused when there is none.\n"
             "A model gets the name of its class, or ease.2, ease.3 when that is taken; `as NAME` gives it another. "
             "Training the same again (data, split, parameters, seed) uses the model there is.\n"
             "After `split` models learn from the train part only. Ctrl-C stops the training: models that were "
             "finished stay, and one that learns in epochs is kept as it was after its last whole epoch: `resume` goes "
             "on from there; `curve` shows how it learnt. One that takes 1 GiB of memory, or a quarter of what is free, says "
             "so before it does.\n"
             "Ensembles are made of trained models, named behind `with`: blend (a weighted sum), stack (the same, with "
             "weights fitted for metric= on the validation part, or on a tenth of train that is set aside), fuse (by "
             "rank), switch (by the length of the history). With replace=yes the ensembles above a model stand on the "
             "new one, with the weights they had.",
     .examples =
         (const char *const[]){"train pop itemknn ease ials", "train ease lambda=100 as ease100", "train pop on=all",
                               "train blend with ease itemknn weights=0.7,0.3 as mix", NULL},
     .run = run_train},
};

const struct command_family train_commands = {rows, sizeof rows / sizeof *rows};
