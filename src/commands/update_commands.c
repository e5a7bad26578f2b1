/* `update`: models that learn what came since they were trained. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "commands/families.h"
#include "commands/served_words.h"
#include "commands/parts.h"
#include "commands/renewal.h"
#include "data/grow.h"
#include "models/served.h"
#include "models/update.h"
#include "ranking/ranking.h"

enum { ON_SAME, ON_TRAIN, ON_ALL };
enum { CHECKED_USERS = 200, CHECKED_DEPTH = 20 };
static const double persistence = .9;   /* of the rank-biased overlap */
static const double slow_seconds = .1; /* from here on people are told how long it took */

/* One model on its way to be updated. */
struct order {
    struct workbench *wb;
    const struct call *call;
    struct dataset *d, *early; /* as it is; as it was when the model was trained, NULL: the same */
    struct split *s;           /* NULL: none */
    struct model *from, *to;
    const char *asked;         /* the name that people gave: its own, or that of an ensemble above it */
    struct selection before, after;
    struct update_report report;
};

static enum status choose_after(struct order *o, struct error *err)
{
    int64_t on = call_int(o->call, "on");
    o->after = (struct selection){.data = o->d, .parts = PART_TRAIN, .until = NO_TIME};
    if (on == ON_TRAIN && !o->s) {
        error_set(err, ST_STATE, "there is no split, so there is no train part");
        return error_at_option(ST_STATE, err, o->call, "on");
    }
    if (on == ON_TRAIN || (on == ON_SAME && o->from->record.split_fingerprint))
        o->after.split = o->s;
    return ST_OK;
}

/* Models of which the same is said: one line for all of them. */
struct names {
    struct str text;
    size_t n;
};

static void add_name(struct names *names, const struct model *m)
{
    str_printf(&names->text, "%s%s", names->n++ ? ", " : "", m->name);
}

/* For a model that is what it would become. */
static void say_same(const struct order *o, struct names *knowing, struct result *out)
{
    char events[32];
    uint64_t since = dataset_events_since(o->d, o->from->record.data_fingerprint);
    text_count(events, sizeof events, (int64_t)since);
    if (!o->after.split || !since)
        add_name(knowing, o->from);
    else
        result_message(
            out, MESSAGE_INFO,
            "%s knows the train part of the split already: %s event%s that came later %s in no part of it; "
            "`update %s on=all` learns from all events, a new `split` and `train` from the train part of all",
            o->from->name, events, since == 1 ? "" : "s", since == 1 ? "is" : "are", o->asked);
}

/* Is there nothing that its class could learn, whatever that is? */
static bool knows_all(const struct order *o)
{
    const struct model_record *r = &o->from->record;
    return r->split_fingerprint == (o->after.split ? o->after.split->fingerprint : 0) &&
           (o->after.split || r->data_fingerprint == o->d->fingerprint);
}

static bool is_same(const struct order *o)
{
    return !o->report.users && !o->report.new_items && knows_all(o);
}

/* ---- against training anew ---- */

struct comparison {
    const struct model *a, *b;
    const struct selection *selection;
    const uint32_t *users;
    double *overlap, *difference, *size; /* of each user: of lists; largest between two scores; largest score */
};

static enum status compare_user(const struct comparison *c, size_t i, struct error *err)
{
    struct history h = {0};
    struct scored best[2][CHECKED_DEPTH];
    size_t n = c->a->nitems, found[2];
    float *scores = mem_new_raw(2 * n, sizeof *scores, "scores", err);
    enum status st = scores ? history_of_user(c->selection, c->users[i], &h, err) : ST_NOMEM;
    struct query q = history_query(&h);
    for (int m = 0; m < 2 && !st; m++) {
        st = rank_scores(m ? c->b : c->a, &q, SEEN_HIDE, scores + (size_t)m * n, err);
        found[m] = st ? 0 : topk(scores + (size_t)m * n, n, CHECKED_DEPTH, best[m]);
    }
    c->difference[i] = c->size[i] = 0;
    for (size_t item = 0; item < n && !st; item++) {
        double a = (double)scores[item], b = (double)scores[n + item];
        if (isfinite(a) && isfinite(b)) {
            c->difference[i] = fmax(c->difference[i], fabs(a - b));
            c->size[i] = fmax(c->size[i], fabs(b));
        }
    }
    if (!st)
        c->overlap[i] = topk_overlap(best[0], found[0], best[1], found[1], persistence);
    history_clear(&h);
    mem_free(scores);
    return st;
}

/* Users with events, the same for the same seed. Returns how many. */
static size_t sample_users(const struct dataset *d, uint64_t seed, uint32_t *users)
{
    struct rng r = rng_stream(seed, "update check", 0);
    size_t n = 0;
    for (uint32_t u = 0; u < d->users.n; u++)
        if (d->user_begin[u + 1] > d->user_begin[u])
            users[n++] = u;
    rng_shuffle(&r, users, n);
    return n < CHECKED_USERS ? n : CHECKED_USERS;
}

static struct table *checks_table(struct result *out)
{
    static const struct column columns[] = {
        {.name = "model", .type = VALUE_TEXT},
        {.name = "users", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "rbo@20", .type = VALUE_REAL, .precision = 4},
        {.name = "lowest", .type = VALUE_REAL, .precision = 4},
        {.name = "max_difference", .type = VALUE_REAL, .precision = 6},
        {.name = "max_score", .type = VALUE_REAL, .precision = 4},
        {.name = "seconds", .type = VALUE_REAL, .precision = 3, .flags = COLUMN_HIDDEN},
        {.name = "training", .type = VALUE_REAL, .precision = 3, .flags = COLUMN_HIDDEN},
    };
    return result_table(out, "checks", "against the model that training anew gives", columns,
                        sizeof columns / sizeof *columns);
}

static void put_check(struct table *t, const struct comparison *c, size_t n)
{
    double sum = 0, lowest = 1, difference = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        sum += c->overlap[i];
        lowest = fmin(lowest, c->overlap[i]);
        difference = fmax(difference, c->difference[i]);
        size = fmax(size, c->size[i]);
    }
    table_text(t, c->a->name);
    table_int(t, (int64_t)n);
    table_real(t, n ? sum / (double)n : NAN);
    table_real(t, lowest);
    table_real(t, difference);
    table_real(t, size);
    table_real(t, c->a->record.seconds);
    table_real(t, c->b->record.seconds);
}

static enum status check(struct order *o, struct table *t, struct error *err)
{
    struct model *anew = NULL;
    struct selection all = {.data = o->d, .until = NO_TIME};
    uint32_t *users = mem_new_raw(o->d->users.n, sizeof *users, "users", err);
    double *room = users ? mem_new_raw(3 * CHECKED_USERS, sizeof *room, "differences of users", err) : NULL;
    enum status st = room ? model_train(o->to->class, o->to->name, o->to->values, &o->after, o->to->record.seed, NULL,
                                        &o->wb->job, &anew, err)
                          : ST_NOMEM;
    if (!st) {
        size_t n = sample_users(o->d, o->wb->seed, users);
        struct comparison c = {o->to, anew, &all, users, room, room + CHECKED_USERS, room + 2 * CHECKED_USERS};
        for (size_t i = 0; i < n && !st; i++)
            st = compare_user(&c, i, err);
        if (!st)
            put_check(t, &c, n);
    }
    model_release(anew);
    mem_free(room);
    mem_free(users);
    return st;
}

/* ---- the command ---- */

/* What people get. */
struct answer {
    struct result *out;
    struct table *updates, *checks; /* checks: NULL until there is one */
    bool check;                     /* check=yes */
    /* knew all; class takes no events in; too much had changed; check=yes has nothing to compare with */
    struct names knowing, plain, much, unchecked;
};

static struct table *updates_table(struct result *out)
{
    static const struct column columns[] = {
        {.name = "model", .type = VALUE_TEXT},
        {.name = "done", .type = VALUE_TEXT},
        {.name = "events_before", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "changed_users", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "new_users", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "new_items", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "until", .type = VALUE_TIME, .flags = COLUMN_COMPACT},
        {.name = "seconds", .type = VALUE_REAL, .precision = 3, .flags = COLUMN_HIDDEN},
    };
    return result_table(out, "updates", "", columns, sizeof columns / sizeof *columns);
}

/* report: NULL when nobody compared what was known with what is there. */
static void put_update(struct table *t, const struct model *from, const struct model *to,
                       const struct update_report *report, const char *done)
{
    table_text(t, from->name);
    table_text(t, done);
    table_int(t, (int64_t)(report ? report->events_before : from->record.events));
    table_int(t, (int64_t)(report ? report->events : to->record.events));
    if (report) {
        table_int(t, (int64_t)report->users);
        table_int(t, (int64_t)report->new_users);
        table_int(t, (int64_t)report->new_items);
    } else {
        for (int i = 0; i < 3; i++)
            table_null(t);
    }
    table_time(t, to->record.trained_until);
    table_real(t, to->record.seconds);
}

static void say_done(const struct order *o, struct answer *a)
{
    char took[32];
    double seconds = o->to->record.seconds;
    text_duration(took, sizeof took, seconds);
    if (o->report.trained)
        add_name(o->from->class->update ? &a->much : &a->plain, o->from);
    if (seconds >= slow_seconds)
        result_message(a->out, MESSAGE_INFO, "%s took %s", o->from->name, took);
}

static void say_reasons(const struct answer *a)
{
    if (a->knowing.n)
        result_message(a->out, MESSAGE_INFO, "%s know%s all of it already", str_text(&a->knowing.text),
                       a->knowing.n == 1 ? "s" : "");
    if (a->plain.n)
        result_message(a->out, MESSAGE_INFO, "%s: trained anew, as the class takes no events in",
                       str_text(&a->plain.text));
    if (a->much.n)
        result_message(a->out, MESSAGE_INFO, "%s: so much has changed that training anew was the quicker way",
                       str_text(&a->much.text));
    if (a->unchecked.n)
        result_message(a->out, MESSAGE_INFO, "check=yes compares what was updated, not what was trained anew: %s",
                       str_text(&a->unchecked.text));
}

static void forget_names(struct answer *a)
{
    str_free(&a->knowing.text);
    str_free(&a->plain.text);
    str_free(&a->much.text);
    str_free(&a->unchecked.text);
}

/* By what its class can do; *done says what that was. Nothing is trained that would be the same. */
static enum status update_model(struct order *o, const char **done, struct error *err)
{
    if (!o->from->class->update && knows_all(o)) {
        *done = "nothing";
        o->to = model_hold(o->from);
        o->report.events_before = o->report.events = o->from->record.events;
        return ST_OK;
    }
    enum status st = model_update(model_trained(o->from), &o->before, &o->after, &o->wb->job, &o->report, &o->to, err);
    *done = st || is_same(o) ? "nothing" : o->report.trained ? "trained anew" : "updated";
    return st;
}

/* check=yes, which has nothing to compare with what was itself trained anew. */
static enum status check_wanted(struct order *o, struct answer *a, struct error *err)
{
    if (a->check && !o->report.trained) {
        a->checks = a->checks ? a->checks : checks_table(a->out);
        return check(o, a->checks, err);
    }
    if (a->check)
        add_name(&a->unchecked, o->from);
    return ST_OK;
}

/* *to stays NULL when it would be the same. */
static enum status update_one(struct order *o, struct answer *a, struct model **to, struct error *err)
{
    const char *done;
    enum status st = model_learnt_from(o->from, o->d, o->s, &o->early, &o->before, err);
    if (!st)
        st = choose_after(o, err);
    if (!st)
        st = update_model(o, &done, err);
    if (st)
        return st;
    put_update(a->updates, o->from, o->to, &o->report, done);
    if (strcmp(done, "nothing") == 0) {
        say_same(o, &a->knowing, a->out);
        return ST_OK;
    }
    say_done(o, a);
    st = check_wanted(o, a, err);
    *to = model_hold(o->to);
    return st;
}

static enum status update_wanted(struct renewal *r, const struct call *call, size_t at, bool named, struct answer *a,
                                 struct error *err)
{
    struct order o = {.wb = r->wb, .call = call, .d = r->d, .s = r->s, .from = r->old[at]};
    o.asked = named ? o.from->name : call->args[0].text;
    enum status st = update_one(&o, a, &r->new[at], err);
    model_release(o.to);
    dataset_release(o.early);
    return st;
}

static bool is_ensemble(const struct model *m)
{
    return (m->class->capabilities & OF_MODELS) != 0;
}

/* All that are trained, and all ensembles: not lists that were served, nor what stands in for others as of the clock.
 */
static enum status mark_all(const struct renewal *r, bool *named, bool *wanted, struct error *err)
{
    bool any = false;
    for (size_t i = 0; i < r->n; i++)
        any |= named[i] = wanted[i] = !model_is_served(r->old[i]) && !workbench_is_then(r->old[i]);
    if (any)
        return ST_OK;
    error_set(err, ST_STATE, "no model is trained");
    error_hint(err, "train some: `train pop itemknn ease ials`");
    return ST_STATE;
}

static bool means_all(const struct call *call)
{
    return call->nargs == 1 && !call->args[0].quoted && text_same(call->args[0].text, "all");
}

/* Those that are named, and what the ensembles among them are made of. */
static enum status mark_wanted(const struct renewal *r, const struct call *call, bool *named, bool *wanted,
                               struct error *err)
{
    for (size_t i = 0; i < call->nargs; i++) {
        const char *name = call->args[i].text;
        struct model **list = NULL;
        size_t n = 0;
        enum status st = workbench_models(r->wb, &name, 1, &list, &n, err);
        if (st)
            return error_at_word(st, err, &call->args[i]);
        size_t at = renewal_find(r, list[0]->name);
        st = served_refuse(list[0], "cannot be updated", err);
        parts_free(list, n);
        if (st)
            return error_at_word(st, err, &call->args[i]);
        if (at < r->n)
            named[at] = true;
        renewal_mark(r, at, wanted);
    }
    return ST_OK;
}

/* Models first, then the ensembles above them. */
static enum status renew(struct renewal *r, const struct call *call, const bool *named, const bool *wanted,
                         struct answer *a, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < r->n && !st; i++)
        if (wanted[i] && !is_ensemble(r->old[i]))
            st = update_wanted(r, call, i, named[i], a, err);
    if (!st)
        st = renewal_rise(r, err);
    for (size_t i = 0; i < r->n && !st; i++)
        if (is_ensemble(r->old[i]) && (wanted[i] || r->new[i]))
            put_update(a->updates, r->old[i], r->new[i] ? r->new[i] : r->old[i], NULL,
                       r->new[i] ? "stands anew" : "nothing");
    if (!st) {
        say_reasons(a);
        renewal_say(r, a->out);
    }
    return st ? st : renewal_publish(r, a->out, err);
}

static enum status run_update(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct answer a = {.out = out, .updates = updates_table(out), .check = call_yes(call, "check")};
    struct renewal r;
    enum status st = renewal_open(&r, wb, err);
    bool *marks = st ? NULL : mem_new(2 * r.n, sizeof *marks, "models", err);
    if (!st && !marks)
        st = ST_NOMEM;
    if (!st)
        st = means_all(call) ? mark_all(&r, marks, marks + r.n, err) : mark_wanted(&r, call, marks, marks + r.n, err);
    if (!st)
        st = renew(&r, call, marks, marks + r.n, &a, err);
    forget_names(&a);
    mem_free(marks);
    renewal_close(&r);
    return st;
}

static const struct argument update_args[] = {
    {.name = "MODEL", .type = ARG_MODEL, .repeated = true, .doc = "trained models; `all` for all there are"},
};

static const struct param update_options[] = {
    {.name = "on",
     .type = PARAM_ENUM,
     .initial = "same",
     .choices = "same|train|all",
     .doc = "learn from what the model was trained on as it is now (all events, or the train part), the train part of "
            "the split, or all events"},
    {.name = "check",
     .type = PARAM_BOOL,
     .initial = "no",
     .doc = "also train anew, and tell how lists and scores of 200 users differ"},
};

static const struct command rows[] = {
    {.name = "update",
     .group = "learn",
     .summary = "teach models what came since they were trained",
     .arguments = update_args,
     .narguments = 1,
     .options = update_options,
     .noptions = sizeof update_options / sizeof *update_options,
     .flags = COMMAND_NEEDS_DATA | COMMAND_CHANGES | COMMAND_SEVERAL,
     .help = "After `append` or `follow` a model does not know the new events, users and items. `update` makes the "
             "model that training anew would give, or one near it, out of the old one and the difference, and puts it "
             "in its place; where that would take longer, or its class takes no events in, it trains anew. `help "
             "CLASS` tells how close a class comes.\n"
             "Events that were appended are in no part of a split made before, so a model trained on the train part "
             "stays as it is; on=all teaches it all events, to be served.\n"
             "Ensembles above a model that was updated stand on the new one with the weights they had, and so on "
             "upwards. An ensemble is updated by its models, each as it can: those that cannot be updated are trained "
             "anew. `train stack` fits weights anew. All of this happens, or nothing.\n"
             "check=yes trains anew too and tells the rank-biased overlap of the lists of 20 (persistence .9, "
             "extrapolated) and the largest difference between two scores, of 200 users drawn by the seed, for each "
             "model that was updated and not itself trained anew.",
     .examples = (const char *const[]){"update ease", "update all", "update ease on=all check=yes", NULL},
     .run = run_update},
};

const struct command_family update_commands = {rows, sizeof rows / sizeof *rows};
