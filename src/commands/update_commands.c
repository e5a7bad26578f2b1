/* `update`: models that learn what came since they were trained. */
#include <math.h>

#include "base/mem.h"
#include "base/rng.h"
#include "commands/families.h"
#include "commands/served_words.h"
#include "commands/parts.h"
#include "commands/publish.h"
#include "data/grow.h"
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

/* The message for a model that is what it would become. */
static void say_same(const struct order *o, struct result *out)
{
    char events[32];
    uint64_t since = dataset_events_since(o->d, o->from->record.data_fingerprint);
    text_count(events, sizeof events, (int64_t)since);
    if (!o->after.split || !since)
        result_message(out, MESSAGE_INFO, "%s knows all of it already", o->from->name);
    else
        result_message(out, MESSAGE_INFO,
                       "%s knows the train part of the split already: %s event%s that came later %s in no part of it; `update "
                       "%s on=all` learns from all events, a new `split` and `train` from the train part of all",
                       o->from->name, events, since == 1 ? "" : "s", since == 1 ? "is" : "are", o->from->name);
}

static bool is_same(const struct order *o)
{
    const struct model_record *r = &o->from->record;
    return !o->report.users && !o->report.new_items && r->split_fingerprint == o->to->record.split_fingerprint &&
           (o->after.split || r->data_fingerprint == o->d->fingerprint);
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

static void put_update(struct table *t, const struct order *o, const char *done)
{
    const struct update_report *r = &o->report;
    table_text(t, o->from->name);
    table_text(t, done);
    table_int(t, (int64_t)r->events_before);
    table_int(t, (int64_t)r->events);
    table_int(t, (int64_t)r->users);
    table_int(t, (int64_t)r->new_users);
    table_int(t, (int64_t)r->new_items);
    table_time(t, o->to->record.trained_until);
    table_real(t, o->to->record.seconds);
}

static void say_done(const struct order *o, struct result *out)
{
    char took[32];
    double seconds = o->to->record.seconds;
    text_duration(took, sizeof took, seconds);
    if (o->report.trained)
        result_message(out, MESSAGE_INFO, "%s: so much has changed that training anew was the quicker way", o->from->name);
    if (seconds >= slow_seconds)
        result_message(out, MESSAGE_INFO, "%s took %s", o->from->name, took);
}

static enum status update_one(struct order *o, struct table *updates, struct table *checks, struct result *out,
                              struct error *err)
{
    enum status st = workbench_check_no_part(o->wb, o->from->name, err);
    if (!st)
        st = model_learnt_from(o->from, o->d, o->s, &o->early, &o->before, err);
    if (!st)
        st = choose_after(o, err);
    if (!st)
        st = model_update(model_trained(o->from), &o->before, &o->after, &o->wb->job, &o->report, &o->to, err);
    if (st)
        return st;
    if (is_same(o)) {
        put_update(updates, o, "nothing");
        say_same(o, out);
        return ST_OK;
    }
    put_update(updates, o, o->report.trained ? "trained anew" : "updated");
    say_done(o, out);
    if (checks)
        st = check(o, checks, err);
    return st ? st : publish_model(o->wb, o->d, o->to, out, err);
}

static enum status run_update(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    enum status st = ST_OK;
    struct table *updates = updates_table(out), *checks = call_yes(call, "check") ? checks_table(out) : NULL;
    for (size_t i = 0; i < call->nargs && !st; i++) {
        const char *name = call->args[i].text;
        struct model **list = NULL;
        size_t n = 0;
        st = workbench_models(wb, &name, 1, &list, &n, err);
        if (st)
            return error_at_word(st, err, &call->args[i]);
        struct order o = {.wb = wb, .call = call, .d = workbench_data(wb), .s = workbench_split(wb), .from = list[0]};
        mem_free(list);
        st = served_refuse(o.from, "cannot be updated", err);
        st = st ? error_at_word(st, err, &call->args[i]) : update_one(&o, updates, checks, out, err);
        model_release(o.to);
        model_release(o.from);
        dataset_release(o.early);
        dataset_release(o.d);
        split_release(o.s);
    }
    return st;
}

static const struct argument update_args[] = {
    {.name = "MODEL", .type = ARG_MODEL, .repeated = true, .doc = "trained models"},
};

static const struct param update_options[] = {
    {.name = "on",
     .type = PARAM_ENUM,
     .initial = "same",
     .choices = "same|train|all",
     .doc = "learn from what the model was trained on as it is now (all events, or the train part), the train part of the "
            "split, or all events"},
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
     .help = "After `append` or `follow` a model does not know the new events, users and items. `update` makes the model that "
             "training anew would give, or one near it, out of the old one and the difference, and puts it in its place; where that "
             "would take longer it trains anew. `help MODEL` tells how close a class comes.\n"
             "Events that were appended are in no part of a split made before, so a model trained on the train part stays as it is; "
             "on=all teaches it all events, to be served.\n"
             "check=yes trains anew too and tells the rank-biased overlap of the lists of 20 (persistence .9, extrapolated) "
             "and the largest difference between two scores, of 200 users drawn by the seed.",
     .examples = (const char *const[]){"update ease", "update ease on=all check=yes", NULL},
     .run = run_update},
};

const struct command_family update_commands = {rows, sizeof rows / sizeof *rows};
