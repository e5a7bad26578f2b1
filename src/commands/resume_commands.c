/* `resume`: training that was stopped goes on. */
#include <math.h>

#include "base/clock.h"
#include "base/mem.h"
#include "commands/families.h"
#include "commands/parts.h"
#include "commands/training.h"

/* One model on its way to more epochs. */
struct further {
    struct workbench *wb;
    const struct call *call;
    struct model *from;
    struct dataset *d;
    struct split *s; /* its train part is what the model was trained on; NULL: all events */
    size_t epochs;   /* there are to be */
    struct train_watch watch;
    struct validation valid;
};

/* ---- can it go on? ---- */

static enum status check_class(const struct further *f, struct error *err)
{
    const struct model *m = f->from;
    if (!m->class->resume) {
        error_set(err, ST_STATE, "%s does not learn in epochs, so its training has nothing to go on with", m->name);
        return error_at_word(ST_STATE, err, &f->call->args[0]);
    }
    if (m->record.epochs)
        return ST_OK;
    error_set(err, ST_STATE, "%s was updated since it was trained, so its training cannot go on", m->name);
    error_hint(err, "train it anew: train %s as %s replace=yes", m->class->name, m->name);
    return error_at_word(ST_STATE, err, &f->call->args[0]);
}

static enum status check_data(struct further *f, struct error *err)
{
    const struct model_record *r = &f->from->record;
    const char *name = f->from->name;
    if (r->data_fingerprint != f->d->fingerprint || f->from->trained) {
        error_set(err, ST_STATE, "the data have changed since %s was trained, so its training cannot go on", name);
        error_hint(err, "train it anew: train %s as %s replace=yes", f->from->class->name, name);
        return error_at_word(ST_STATE, err, &f->call->args[0]);
    }
    if (!r->split_fingerprint) { /* trained on all events */
        split_release(f->s);
        f->s = NULL;
        return ST_OK;
    }
    if (f->s && f->s->fingerprint == r->split_fingerprint)
        return ST_OK;
    error_set(err, ST_STATE, "%s was trained on another split than the present one, so its training cannot go on",
              name);
    error_hint(err, "split as it was then, or train it on the present split: train %s as %s replace=yes",
               f->from->class->name, name);
    return error_at_word(ST_STATE, err, &f->call->args[0]);
}

static enum status choose_epochs(struct further *f, struct error *err)
{
    const struct model_record *r = &f->from->record;
    const char *name = f->from->name;
    size_t there = model_epochs(f->from);
    f->epochs = call_given(f->call, "epochs") ? (size_t)call_int(f->call, "epochs") : r->planned;
    if (f->epochs > there)
        return ST_OK;
    if (call_given(f->call, "epochs")) {
        error_set(err, ST_USAGE, "%s has had %zu epoch%s already", name, there, there == 1 ? "" : "s");
        return error_at_option(ST_USAGE, err, f->call, "epochs");
    }
    error_set(err, ST_STATE, "%s has had all of %zu epoch%s", name, there, there == 1 ? "" : "s");
    error_hint(err, "`resume %s epochs=%zu` makes them more", name, 2 * there);
    return error_at_word(ST_STATE, err, &f->call->args[0]);
}

/* ---- going on ---- */

/* A training that was judged goes on being judged, by the same metric. */
static enum status prepare_watch(struct further *f, struct error *err)
{
    const struct model_record *r = &f->from->record;
    f->watch = (struct train_watch){.keep = true};
    if (call_given(f->call, "time"))
        f->watch.seconds = (double)call_int(f->call, "time") / US_PER_SECOND;
    if (!r->watched || !r->metric[0])
        return ST_OK;
    enum status st = validation_open(&f->valid, f->wb, f->from->class, f->d, f->s, r->metric, err);
    if (st)
        return st;
    f->watch.validate = validation_ask;
    f->watch.context = &f->valid;
    f->watch.metric = f->valid.metric.name;
    f->watch.lower = f->valid.metric.metric->lower;
    return ST_OK;
}

/* What is not the same as training at one go is not passed off as that. */
static void say_departs(const struct further *f, const struct model *m, struct result *out)
{
    const struct model *from = f->from;
    size_t first = model_epochs(from);
    if (!m->record.departs || from->record.departs)
        return;
    result_message(out, MESSAGE_INFO, "from epoch %zu on %s is not what %zu epochs at one go give: %s",
                   m->record.departs, m->name, f->epochs,
                   from->paused.n ? result_textf(out, "until epoch %zu the learning rate fell as for %zu", first,
                                                 from->record.planned)
                                  : "the vectors of users were let go when it ended, and are solved for anew");
}

static void put_further(struct result *out, const struct further *f, const struct model *m)
{
    static const struct column columns[] = {
        {.name = "model", .type = VALUE_TEXT},
        {.name = "epochs_before", .type = VALUE_INT},
        {.name = "epochs", .type = VALUE_INT},
        {.name = "loss", .type = VALUE_REAL, .precision = 4},
        {.name = "departs", .type = VALUE_INT, .flags = COLUMN_HIDDEN},
    };
    struct table *t = result_table(out, "resumed", "", columns, sizeof columns / sizeof *columns);
    table_text(t, m->name);
    table_int(t, (int64_t)model_epochs(f->from));
    table_int(t, (int64_t)model_epochs(m));
    table_real(t, m->record.curve[model_epochs(m) - 1]);
    table_int(t, (int64_t)m->record.departs);
}

static enum status go_on(struct further *f, struct result *out, struct error *err)
{
    struct selection selection = {.data = f->d, .split = f->s, .parts = PART_TRAIN, .until = NO_TIME};
    struct training_order o = {
        .wb = f->wb, .class = f->from->class, .d = f->d, .s = f->s, .before = f->from->record.seconds};
    enum status st = model_resume(f->from, f->epochs, &selection, &f->watch, &f->wb->job, &o.model, err);
    if (!st) {
        training_say(&o, out);
        say_departs(f, o.model, out);
        put_further(out, f, o.model);
        training_curves(out, o.model);
        st = training_publish(&o, out, err);
    }
    model_release(o.model);
    return st;
}

static enum status run_resume(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    const char *name = call->args[0].text;
    struct model **list = NULL;
    size_t n = 0;
    enum status st = workbench_models(wb, &name, 1, &list, &n, err);
    if (st)
        return error_at_word(st, err, &call->args[0]);
    struct further f = {.wb = wb, .call = call, .from = list[0], .d = workbench_data(wb), .s = workbench_split(wb)};
    mem_free(list);
    st = check_class(&f, err);
    if (!st)
        st = check_data(&f, err);
    if (!st)
        st = choose_epochs(&f, err);
    if (!st)
        st = prepare_watch(&f, err);
    if (!st)
        st = go_on(&f, out, err);
    validation_close(&f.valid);
    model_release(f.from);
    dataset_release(f.d);
    split_release(f.s);
    return st;
}

static const struct argument resume_args[] = {
    {.name = "MODEL", .type = ARG_MODEL, .doc = "a trained model of a class that learns in epochs"},
};

static const struct param resume_options[] = {
    {.name = "epochs",
     .type = PARAM_INT,
     .min = 1,
     .max = 1e6,
     .doc = "how many there are to be in all; left out: as many as were planned"},
    {.name = "time",
     .type = PARAM_DURATION,
     .doc = "begin no epoch after so long: 30s, 10m; what was learnt until then is the model"},
};

static const struct command rows[] = {
    {.name = "resume",
     .group = "learn",
     .summary = "go on with a training that was stopped",
     .arguments = resume_args,
     .narguments = 1,
     .options = resume_options,
     .noptions = sizeof resume_options / sizeof *resume_options,
     .flags = COMMAND_NEEDS_DATA | COMMAND_CHANGES | COMMAND_SEVERAL,
     .help = "After Ctrl-C, time= or patience= a model has the epochs up to the one that was kept. `resume` makes the "
             "rest, with the parameters and the seed of then and on the same data and split, and puts the model in the "
             "place of the old one: to the bit what training at one go gives. The learning curve goes on; a training "
             "that was judged is judged on, without patience. Ensembles above it stand on the new model, with the "
             "weights they had.\n"
             "Until then ials (with cg), ialspp, nmf, bpr, warp and lmf keep 4 bytes a user and factor more, with the "
             "model, in memory and in the workspace; they go when training ends, or with the model.\n"
             "epochs= also takes a training further than was planned. svd, svdpp and ials with solver=cholesky then "
             "are what one go gives. ials (with cg), ialspp and nmf solve for the users anew when training had ended, "
             "which gives a model as good but not the same; bpr, warp and lmf cannot go on after their end, and where "
             "they were stopped before it their learning rate has fallen as for the epochs that were planned, unless "
             "schedule=constant. A message says so.",
     .examples = (const char *const[]){"resume ials epochs=20", NULL},
     .run = run_resume},
};

const struct command_family resume_commands = {rows, sizeof rows / sizeof *rows};
