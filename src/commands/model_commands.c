/* Which models there are, and which are meant. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/training.h"
#include "data/grow.h"
#include "models/served.h"
#include "models/update.h"

static const char *trained_on(const struct workbench *wb, const struct model *m, const struct dataset *d)
{
    const struct model_record *r = &m->record;
    if (!dataset_descends(d, r->data_fingerprint))
        return "other data";
    if (model_is_served(m))
        return "served";
    if (!r->split_fingerprint)
        return workbench_is_then(m) ? "what lay before" : model_events_since(m, d) ? "all events then" : "all events";
    return wb->split && wb->split->fingerprint == r->split_fingerprint ? "this split" : "another split";
}

/* Is it meant without `with`? A model trained anew as of the moment of the clock is, instead of the one it is named
 * after. */
static bool is_used(const struct workbench *wb, const struct model *m)
{
    size_t n = strcspn(m->name, "@");
    bool used = wb->nused == 0;
    for (size_t i = 0; i < wb->nused; i++)
        used |= strncmp(wb->used[i], m->name, n) == 0 && !wb->used[i][n];
    for (size_t i = 0; i < wb->nmodels && !workbench_is_then(m); i++)
        used &= strncmp(wb->models[i]->name, m->name, n) != 0 || wb->models[i]->name[n] != '@';
    return used;
}

static void put_model(struct workbench *wb, const struct model *m, const struct dataset *d, struct table *t)
{
    struct str parameters = {0};
    int64_t oldest, until = m->record.trained_until;
    model_describe(m, false, &parameters);
    if (model_is_served(m)) {
        char from[40] = "";
        served_span(m, &oldest, &until);
        if (oldest != NO_TIME)
            time_short(from, sizeof from, oldest);
        str_printf(&parameters, "%zu list%s of %zu user%s%s%s", served_count(m), served_count(m) == 1 ? "" : "s",
                   m->record.users, m->record.users == 1 ? "" : "s", from[0] ? " from " : "", from);
    }
    table_text(t, m->name);
    table_text(t, m->class->name);
    table_str(t, &parameters);
    table_text(t, trained_on(wb, m, d));
    table_int(t, (int64_t)m->record.events);
    table_time(t, until);
    table_int(t, (int64_t)model_events_since(m, d));
    table_int(t, (int64_t)m->record.seed);
    table_bool(t, is_used(wb, m));
    table_real(t, m->record.fold_in);
    str_free(&parameters);
}

/* The models that do not know the newest events: their names, and how many events the oldest of them does not know. */
static uint64_t say_since(const struct workbench *wb, const struct dataset *d, struct str *names)
{
    uint64_t most = 0;
    for (size_t i = 0; i < wb->nmodels; i++) {
        uint64_t since = model_events_since(wb->models[i], d);
        most = since > most ? since : most;
        if (since)
            str_printf(names, "%s%s", names->length ? ", " : "", wb->models[i]->name);
    }
    return most;
}

static enum status run_models(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    static const struct column columns[] = {
        {.name = "model", .type = VALUE_TEXT},
        {.name = "class", .type = VALUE_TEXT},
        {.name = "parameters", .type = VALUE_TEXT, .flags = COLUMN_COMPACT},
        {.name = "trained_on", .type = VALUE_TEXT},
        {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "until", .type = VALUE_TIME, .flags = COLUMN_COMPACT},
        {.name = "new_since", .type = VALUE_INT, .flags = COLUMN_COUNT | COLUMN_HIDDEN},
        {.name = "seed", .type = VALUE_INT, .flags = COLUMN_HIDDEN},
        {.name = "used", .type = VALUE_BOOL},
        {.name = "fold_in", .type = VALUE_REAL, .precision = 3, .flags = COLUMN_COMPACT},
    };
    (void)call;
    (void)err;
    struct str old = {0};
    struct dataset *d = workbench_data(wb);
    struct table *t = result_table(out, "models", "", columns, sizeof columns / sizeof *columns);
    pthread_mutex_lock(&wb->lock);
    for (size_t i = 0; i < wb->nmodels; i++)
        put_model(wb, wb->models[i], d, t);
    size_t n = wb->nmodels;
    uint64_t since = say_since(wb, d, &old);
    pthread_mutex_unlock(&wb->lock);
    if (since) {
        char events[32];
        text_count(events, sizeof events, (int64_t)since);
        result_message(out, MESSAGE_INFO, "trained before %s new event%s: %s", events, since == 1 ? "" : "s",
                       result_str(out, &old));
    }
    str_free(&old);
    if (!n)
        result_message(out, MESSAGE_HINT, "no model is trained yet: `train pop itemknn ease ials`");
    dataset_release(d);
    return ST_OK;
}

/* ---- use ---- */

static enum status check_trained(struct workbench *wb, const struct word *w, struct error *err)
{
    const char *name = w->text;
    struct model **list = NULL;
    size_t n = 0;
    enum status st = workbench_models(wb, &name, 1, &list, &n, err);
    if (st)
        return error_at_word(st, err, w);
    if (workbench_is_then(list[0])) {
        st = error_set(err, ST_USAGE,
                       "%s is there only while the clock is rewound, and stands in for the model it is of already",
                       name);
        st = error_at_word(st, err, w);
    }
    model_release(list[0]);
    mem_free(list);
    return st;
}

static enum status use_models(struct workbench *wb, const struct call *call, struct error *err)
{
    char **names = mem_new(call->nargs, sizeof *names, "names of models", err);
    enum status st = names ? words_differ(call->args, call->nargs, err) : ST_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < call->nargs && !st; i++) {
        st = check_trained(wb, &call->args[i], err);
        if (!st && !(names[n] = mem_strdup(call->args[i].text, err)))
            st = ST_NOMEM;
        n += !st;
    }
    if (!st)
        return workbench_use(wb, names, n, err);
    for (size_t i = 0; i < n; i++)
        mem_free(names[i]);
    mem_free(names);
    return st;
}

static enum status run_use(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    enum status st = ST_OK;
    if (call->nargs == 1 && text_same(call->args[0].text, "all") && !call->args[0].quoted)
        st = workbench_use(wb, NULL, 0, err);
    else if (call->nargs)
        st = use_models(wb, call, err);
    return st ? st : run_models(wb, call, out, err);
}

/* ---- curve ---- */

static enum status run_curve(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    static const struct column columns[] = {
        {.name = "model", .type = VALUE_TEXT}, {.name = "epoch", .type = VALUE_INT},
        {.name = "loss", .type = VALUE_REAL, .precision = 4}, {.name = "metric", .type = VALUE_TEXT},
        {.name = "value", .type = VALUE_REAL, .precision = 4}, {.name = "kept", .type = VALUE_BOOL},
    };
    const char *name = call->args[0].text;
    struct model **list = NULL;
    size_t n = 0;
    enum status st = workbench_models(wb, &name, 1, &list, &n, err);
    if (st)
        return error_at_word(st, err, &call->args[0]);
    const struct model_record *r = &list[0]->record;
    if (!(list[0]->class->capabilities & CAN_EPOCHS) || !r->epochs) {
        st = error_set(err, ST_STATE, "%s has no learning curve: it was not trained in epochs", name);
        st = error_at_word(st, err, &call->args[0]);
    } else {
        struct table *t = result_table(out, "curve", "", columns, sizeof columns / sizeof *columns);
        for (size_t e = 0; e < r->epochs; e++) {
            table_text(t, name);
            table_int(t, (int64_t)e + 1);
            table_real(t, r->curve[e]);
            table_text(t, r->watched ? r->metric : NULL);
            table_real(t, r->watched ? r->watched[e] : NAN);
            table_bool(t, e + 1 == (r->kept ? r->kept : r->epochs));
        }
        t->drawn = true;
        training_curves(out, list[0]);
    }
    model_release(list[0]);
    mem_free(list);
    return st;
}

static const struct argument curve_args[] = {
    {.name = "MODEL", .type = ARG_MODEL, .doc = "a trained model of a class that learns in epochs"},
};

static const struct argument use_args[] = {
    {.name = "MODEL", .type = ARG_MODEL, .optional = true, .repeated = true, .doc = "trained models, or all"},
};

static const struct command rows[] = {
    {.name = "models",
     .group = "learn",
     .summary = "the trained models",
     .flags = COMMAND_NEEDS_DATA,
     .help = "With what they were trained: parameters, events, up to which time. `used` says which ones a command "
             "without `with` means. `fold_in` was measured in training, for models that learn something of the users "
             "themselves: how close the lists of histories folded in come to those of what was learnt of the same "
             "users (rank-biased overlap of the first 20, p = .9; 1: equal lists).",
     .examples = (const char *const[]){"models", NULL},
     .run = run_models},
    {.name = "curve",
     .group = "learn",
     .summary = "the learning curve of a model: loss, and validation by epoch",
     .arguments = curve_args,
     .narguments = 1,
     .flags = COMMAND_NEEDS_DATA,
     .help = "The validation is there when the model was trained with patience= or metric=. `kept` marks the epoch "
             "whose parameters the model has: the best one, or the last one before training was stopped.",
     .examples = (const char *const[]){"curve ials", NULL},
     .run = run_curve},
    {.name = "use",
     .group = "learn",
     .summary = "choose the models that are meant without `with`",
     .arguments = use_args,
     .narguments = 1,
     .flags = COMMAND_NEEDS_DATA,
     .help = "`use all` means all of them again, as it is at the start. The choice is kept in the workspace with the "
             "data set.",
     .examples = (const char *const[]){"use ease", "use pop ease", "use all", NULL},
     .run = run_use},
};

const struct command_family model_commands = {rows, sizeof rows / sizeof *rows};
