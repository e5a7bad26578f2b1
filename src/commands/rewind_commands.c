/* `rewind`: the clock of the workbench, and the models as of then. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "commands/clock.h"
#include "commands/families.h"
#include "commands/parts.h"
#include "commands/question.h"

enum { BEFORE = 1, SINCE = 2 }; /* when an item was met */

struct rewind {
    struct workbench *wb;
    const struct call *call;
    struct dataset *d;
    int64_t now;
    uint8_t *met;          /* of each item: BEFORE and SINCE */
    size_t events, users, items; /* before the moment */
    struct model **then;   /* trained anew */
    size_t nthen;
    struct result *out;
    struct table *trained;
};

/* ---- what there was ---- */

static enum status count(struct rewind *r, struct error *err)
{
    const struct dataset *d = r->d;
    r->met = mem_new(d->items.n, 1, "items", err);
    if (!r->met)
        return ST_NOMEM;
    for (size_t u = 0; u < d->users.n; u++) {
        size_t begin = d->user_begin[u], end = user_end_before(d, u, r->now);
        r->users += end > begin;
        r->events += end - begin;
        for (size_t e = begin; e < d->user_begin[u + 1]; e++)
            r->met[d->events.item[e]] |= e < end ? BEFORE : SINCE;
    }
    for (size_t i = 0; i < d->items.n; i++)
        r->items += r->met[i] & BEFORE;
    return ST_OK;
}

static void put_clock(const struct rewind *r)
{
    static const struct column columns[] = {
        {.name = "clock", .type = VALUE_TIME},
        {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "later_events", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "users", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "items", .type = VALUE_INT, .flags = COLUMN_COUNT},
    };
    char words[48];
    clock_words(words, sizeof words, r->now);
    bool past = r->now != NO_TIME;
    struct column shown[5];
    memcpy(shown, columns, sizeof shown);
    shown[0].flags = shown[2].flags |= past ? 0 : COLUMN_HIDDEN;
    struct table *t = result_table(r->out, "clock", past ? result_text(r->out, words) : "the present", shown, 5);
    table_time(t, r->now);
    table_int(t, (int64_t)r->events);
    table_int(t, (int64_t)(r->d->events.n - r->events));
    table_int(t, (int64_t)r->users);
    table_int(t, (int64_t)r->items);
    if (past && !r->events)
        result_message(r->out, MESSAGE_WARNING, "nothing had happened yet");
}

/* ---- models as of then ---- */

/* Instead of models of an earlier `then` those that they are made of. */
static enum status go_back(const struct rewind *r, struct model **out, size_t n, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < n && !st; i++) {
        struct model *then = out[i];
        char *name = workbench_is_then(then) ? mem_strndup(then->name, strcspn(then->name, "@"), err) : NULL;
        if (!workbench_is_then(then))
            continue;
        struct model *m = name ? workbench_model(r->wb, name) : NULL;
        st = m ? ST_OK : ST_NOMEM;
        out[i] = m ? m : then;
        model_release(m ? then : NULL);
        mem_free(name);
    }
    return st;
}

/* The models that are meant, as they are at present. */
static enum status originals(const struct rewind *r, struct model ***out, size_t *n, struct error *err)
{
    if (!r->call->nmodels)
        return workbench_models_at_present(r->wb, out, n, err);
    const char **names = mem_new(r->call->nmodels, sizeof *names, "model names", err);
    if (!names)
        return ST_NOMEM;
    for (size_t i = 0; i < r->call->nmodels; i++)
        names[i] = r->call->models[i].text;
    enum status st = workbench_models(r->wb, names, r->call->nmodels, out, n, err);
    mem_free(names);
    return st ? st : go_back(r, *out, *n, err);
}

/* Why it cannot be trained anew from what lay before; NULL: it can. */
static const char *hindrance(const struct model *m, const struct split *s)
{
    if (m->record.split_fingerprint && (!s || s->fingerprint != m->record.split_fingerprint))
        return "the split that it was trained on is not there any more";
    return NULL;
}

static void put_trained(struct rewind *r, const struct model *m)
{
    static const struct column columns[] = {
        {.name = "model", .type = VALUE_TEXT},
        {.name = "class", .type = VALUE_TEXT, .flags = COLUMN_HIDDEN},
        {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "users", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "items", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "until", .type = VALUE_TIME},
    };
    if (!r->trained)
        r->trained = result_table(r->out, "models", "trained anew as of then", columns, 6);
    table_text(r->trained, m->name);
    table_text(r->trained, m->class->name);
    table_int(r->trained, (int64_t)m->record.events);
    table_int(r->trained, (int64_t)m->record.users);
    table_int(r->trained, (int64_t)m->record.items);
    table_time(r->trained, m->record.trained_until);
}

/* Out of lists: what was met only since. The parts of an ensemble were trained for it just now and are its own. */
static enum status forget_later(const struct rewind *r, struct model *m, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < m->nparts && !st; i++)
        st = forget_later(r, m->parts[i].model, err);
    if (st)
        return st;
    uint8_t *later = mem_new(r->d->items.n, 1, "items", err);
    if (!later)
        return ST_NOMEM;
    for (size_t i = 0; i < r->d->items.n; i++)
        later[i] = r->met[i] == SINCE;
    model_forget(m, later);
    return ST_OK;
}

static enum status train_one(struct rewind *r, const struct model *m, struct split *s, struct error *err)
{
    const struct ground g = {.wb = r->wb, .d = r->d, .s = m->record.split_fingerprint ? s : NULL, .until = r->now};
    struct model *then = NULL;
    char *name = clock_model_name(m, r->now, err);
    if (!name)
        return ST_NOMEM;
    enum status st = model_train_again(&g, m, name, m->values, &then, err);
    mem_free(name);
    if (!st)
        st = forget_later(r, then, err);
    if (st) {
        model_release(then);
        return st;
    }
    r->then[r->nthen++] = then;
    put_trained(r, then);
    if (model_fits_weights(m))
        result_message(r->out, MESSAGE_WARNING,
                       "%s has the fitted weights of %s, and the lists that they were fitted to came later", then->name,
                       m->name);
    return ST_OK;
}

/* What one model cannot do is said; the others are trained. Those that know nothing later stay as they are. */
static enum status train_all(struct rewind *r, struct model *const *models, size_t n, struct error *err)
{
    struct split *s = workbench_split(r->wb);
    enum status st = ST_OK;
    job_begin(&r->wb->job, n, "models", "rewind");
    for (size_t i = 0; i < n && !st; i++) {
        const struct model *m = models[i];
        const char *why = model_sees_future(m, r->now) ? hindrance(m, s) : "it knows nothing later";
        struct error own = {0};
        if (!why) {
            job_enter(&r->wb->job);
            st = train_one(r, m, s, &own);
            job_leave(&r->wb->job);
        }
        if (st == ST_STATE || st == ST_USAGE || st == ST_UNSUPPORTED) {
            why = own.message;
            st = ST_OK;
        } else if (st && err) {
            *err = own;
        }
        if (why)
            result_message(r->out, MESSAGE_INFO, "%s stays as it is: %s", m->name, why);
        job_step(&r->wb->job, 1);
    }
    split_release(s);
    return st;
}

static enum status retrain(struct rewind *r, struct error *err)
{
    struct model **models = NULL;
    size_t n = 0;
    enum status st = originals(r, &models, &n, err);
    if (!st && !(r->then = mem_new(n, sizeof(struct model *), "models", err)))
        st = ST_NOMEM;
    if (!st)
        st = train_all(r, models, n, err);
    for (size_t i = 0; i < n; i++)
        model_release(models[i]);
    mem_free(models);
    return st;
}

/* Is there one as of then, just trained? */
static bool stands_in(const struct rewind *r, const struct model *m)
{
    size_t n = strlen(m->name);
    for (size_t i = 0; i < r->nthen; i++)
        if (strncmp(r->then[i]->name, m->name, n) == 0 && r->then[i]->name[n] == '@')
            return true;
    return false;
}

/* The models in use that will know what is still to come when the clock stands there. */
static enum status say_future(const struct rewind *r, const char *moment, struct error *err)
{
    struct model **models = NULL;
    struct str names = {0};
    size_t n = 0, know = 0;
    bool moves = r->call->nargs > 0;
    enum status st = moves ? workbench_models_at_present(r->wb, &models, &n, err)
                           : workbench_models(r->wb, NULL, 0, &models, &n, err);
    if (st)
        return st == ST_STATE ? ST_OK : st; /* there are no models */
    for (size_t i = 0; i < n; i++) {
        if (!stands_in(r, models[i]) && model_sees_future(models[i], r->now))
            str_printf(&names, "%s%s", know++ ? ", " : "", models[i]->name);
        model_release(models[i]);
    }
    mem_free(models);
    if (know && !st && r->nthen)
        result_message(r->out, MESSAGE_INFO, "%s %s trained on later events too, and answer%s only when named (with)",
                       result_str(r->out, &names), know > 1 ? "were" : "was", know > 1 ? "" : "s");
    else if (know && !st)
        result_message(r->out, MESSAGE_WARNING, "%s %s trained on later events too, which every answer says",
                       result_str(r->out, &names), know > 1 ? "were" : "was");
    if (know && !r->nthen && !st)
        result_message(r->out, MESSAGE_HINT, "`rewind %s retrain=yes` trains anew as of then", moment);
    if (!st && names.failed)
        st = error_nomem(err, names.length, "names of models");
    str_free(&names);
    return st;
}

/* ---- the command ---- */

/* Where to; without a word where it stands. */
static enum status read_moment(struct rewind *r, struct error *err)
{
    r->now = r->wb->now;
    if (!r->call->nargs)
        return ST_OK;
    enum status st = clock_read(r->wb, r->d, r->call->args[0].text, &r->now, err);
    if (!st && r->now == NO_TIME && call_yes(r->call, "retrain")) {
        st = error_set(err, ST_USAGE, "at present there is nothing to train anew: the models are there as they were");
        return error_at_option(st, err, r->call, "retrain");
    }
    return st ? error_at_word(st, err, &r->call->args[0]) : ST_OK;
}

static void put_line(const struct rewind *r, const char *moment)
{
    struct str line = {0};
    str_printf(&line, "rewind %s", moment);
    for (size_t i = 0; i < r->call->nmodels; i++)
        str_printf(&line, "%s %s", i ? "" : " with", r->call->models[i].text);
    put_options(&line, r->call);
    put_command(&line, r->out);
}

/* Moves the clock when all has been told: what fails changes nothing. */
static enum status tell_and_move(struct rewind *r, struct error *err)
{
    char moment[40] = "now";
    enum status st = ST_OK;
    if (r->now != NO_TIME)
        clock_short(moment, sizeof moment, r->now);
    put_clock(r);
    if (r->call->nargs && call_yes(r->call, "retrain"))
        st = retrain(r, err);
    if (!st && r->call->nargs)
        put_line(r, moment);
    if (!st && r->now != NO_TIME)
        st = say_future(r, moment, err);
    if (!st)
        st = result_status(r->out, err);
    if (st || !r->call->nargs)
        return st;
    st = clock_set(r->wb, r->now, r->then, r->nthen, err);
    r->then = st ? r->then : NULL; /* they are the workbench's now */
    return st;
}

static enum status run_rewind(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct rewind r = {.wb = wb, .call = call, .d = workbench_data(wb), .out = out};
    enum status st = read_moment(&r, err);
    if (!st)
        st = count(&r, err);
    if (!st)
        st = tell_and_move(&r, err);
    for (size_t i = 0; r.then && i < r.nthen; i++)
        model_release(r.then[i]);
    mem_free(r.then);
    mem_free(r.met);
    dataset_release(r.d);
    return st;
}

static const struct argument rewind_args[] = {
    {.name = "TIME",
     .type = ARG_TEXT,
     .optional = true,
     .doc = "2025-03-01, 2025-03-01T12:00, a step from where the clock stands (-30d, +12h), or now"},
};
static const struct param rewind_options[] = {
    {.name = "retrain",
     .type = PARAM_BOOL,
     .initial = "no",
     .doc = "train the models of `with` (else those in use) anew on what lies before"},
};

static const struct command rows[] = {
    {.name = "rewind",
     .group = "inspect",
     .summary = "set the clock back: everything as of then, never an event later",
     .arguments = rewind_args,
     .narguments = 1,
     .options = rewind_options,
     .noptions = 1,
     .flags = COMMAND_WITH | COMMAND_NEEDS_DATA,
     .help = "What follows the clock: histories, and so every question about a user or a list (recommend, why, whatif, "
             "user, similar users, maps, bisect, diff); counts of events; features; `events`; and in SQL events, "
             "users, items, sessions, interactions, features, recommend(), score() and explain(). Events at the very "
             "moment of TIME are out.\n"
             "What does not: attributes of users and items. They have no time, so they are as known today, whoever "
             "reads them: `user`, by= and where, models that learn from them. Only what is counted from events, "
             "features above all, is as of then. Names stay too: who and what comes later can be found, and has no "
             "events; and steps such as kcore and filter, which were taken on all the data.\n"
             "`backtest`, `simulate`, `audit` and `export` of all data are about everything and say so. `compare` and "
             "`fairness`, whose split is that of the present, and whatever would change the data or the models are "
             "refused until `rewind now`, and what is followed waits.\n"
             "Models stay the same ones, and answers of those that were trained on later events are marked. "
             "retrain=yes trains them anew on what lies before, as ease@2025-03-01 beside ease: with the same "
             "parameters and split, without items that nobody had met yet. Ensembles are put together from models of "
             "then; the weights of a stack stay as they were fitted. Without `with` these answer, and those that know "
             "nothing later. They are in memory only and go with `rewind now`; nothing else was changed.\n"
             "Without TIME it says where the clock stands. A workspace always opens at the present. at=TIME asks one "
             "question at another time.",
     .examples = (const char *const[]){"rewind 2025-05-05", "rewind -7d with pop ease retrain=yes", "rewind",
                                       "rewind now", NULL},
     .run = run_rewind},
};

const struct command_family rewind_commands = {rows, sizeof rows / sizeof *rows};
