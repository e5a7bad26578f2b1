/* simulate: policies tried on simulated people, and what came of it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/served_words.h"
#include "sim/simulate.h"

/* What stands in the tables, in this order, with plus or minus how much (half of the 95 % interval). */
static const struct {
    enum sim_metric metric;
    const char *name, *pm, *low, *high, *unit;
    int precision;
} shown[] = {
    {SIM_CTR, "ctr", "ctr_pm", "ctr_low", "ctr_high", "%", 2},
    {SIM_REVENUE, "revenue", "revenue_pm", "revenue_low", "revenue_high", "", 2},
    {SIM_RETURN, "return_rate", "return_pm", "return_low", "return_high", "%", 2},
    {SIM_PURCHASES, "purchases", "purchases_pm", "purchases_low", "purchases_high", "", 3},
};
enum { SHOWN = sizeof shown / sizeof *shown, EACH = 4 };

/* ---- who is tried ---- */

struct contest {
    struct policy *policy;
    struct model **model; /* held */
    size_t n, nmodels;
};

static void contest_clear(struct contest *c)
{
    for (size_t i = 0; i < c->nmodels; i++)
        model_release(c->model[i]);
    mem_free(c->model);
    mem_free(c->policy);
}

/* A trained model of that name comes before a built-in policy. */
static bool built_in(struct workbench *wb, const char *name, enum policy_kind *kind)
{
    struct model *m = workbench_model(wb, name);
    model_release(m);
    if (m || (strcmp(name, "random") != 0 && strcmp(name, "oracle") != 0))
        return false;
    *kind = *name == 'r' ? POLICY_RANDOM : POLICY_ORACLE;
    return true;
}

static enum status named_policies(struct workbench *wb, const struct call *call, struct contest *c, struct error *err)
{
    c->policy = mem_new(call->nmodels, sizeof *c->policy, "policies", err);
    c->model = mem_new(call->nmodels, sizeof *c->model, "policies", err);
    if (!c->policy || !c->model)
        return ST_NOMEM;
    for (size_t i = 0; i < call->nmodels; i++) {
        const struct word *word = &call->models[i];
        struct policy *p = &c->policy[c->n++];
        p->name = word->text;
        if (built_in(wb, word->text, &p->kind))
            continue;
        const char *name = word->text;
        struct model **one = NULL;
        size_t n;
        enum status st = workbench_models(wb, &name, 1, &one, &n, err);
        if (st)
            return error_at_word(st, err, word);
        p->model = c->model[c->nmodels++] = one[0];
        mem_free(one);
        st = served_refuse(p->model, "cannot answer people who go on to do other things", err);
        if (st)
            return error_at_word(st, err, word);
    }
    return ST_OK;
}

static enum status all_policies(struct workbench *wb, struct contest *c, struct error *err)
{
    enum status st = workbench_models(wb, NULL, 0, &c->model, &c->nmodels, err);
    if (st)
        return st;
    c->policy = mem_new(c->nmodels, sizeof *c->policy, "policies", err);
    if (!c->policy)
        return ST_NOMEM;
    for (size_t i = 0; i < c->nmodels; i++) /* what was served does not answer those who go on to do other things */
        if (c->model[i]->class->capabilities & SERVED)
            model_release(c->model[i]);
        else
            c->model[c->n++] = c->model[i];
    c->nmodels = c->n;
    if (!c->n) {
        error_set(err, ST_STATE,
                  "no model is trained: lists that were served do not answer who goes on to do other things");
        error_hint(err, "train some: `train pop itemknn ease ials`");
        return ST_STATE;
    }
    for (c->n = 0; c->n < c->nmodels; c->n++)
        c->policy[c->n] = (struct policy){.name = c->model[c->n]->name, .model = c->model[c->n]};
    return ST_OK;
}

/* ---- on whom ---- */

static double given_real(const struct call *call, const char *option)
{
    return call_given(call, option) ? call_real(call, option) : NAN;
}

static enum status find_world(struct workbench *wb, const struct call *call, struct dataset *d,
                              struct environment **out, struct error *err)
{
    const char *world = call_text(call, "world");
    struct fit_options fit = {.visits = given_real(call, "visits"),
                              .ctr = given_real(call, "ctr"),
                              .decay = given_real(call, "decay"),
                              .slate = (unsigned)call_int(call, "slate"),
                              .seed = wb->seed};
    bool told = call_given(call, "visits") || call_given(call, "ctr") || call_given(call, "decay");
    if (strcmp(world, "fitted") != 0 && !(told && strcmp(world, "auto") == 0)) {
        enum status st = environment_shop(d, out, err);
        if (st != ST_UNSUPPORTED || strcmp(world, "shop") == 0)
            return st;
        memset(err, 0, sizeof *err);
    }
    return environment_fit(d, &fit, &wb->job, out, err);
}

/* ---- what came of it ---- */

/* People are not shown columns of what is not known in this world; programs get nulls. */
static size_t put_columns(const struct sim_outcome *o, struct column *columns, size_t n)
{
    for (size_t k = 0; k < SHOWN; k++) {
        const char *const names[EACH] = {shown[k].name, shown[k].pm, shown[k].low, shown[k].high};
        bool known = sim_metric_known(o, shown[k].metric);
        unsigned spare = shown[k].metric == SIM_PURCHASES ? COLUMN_COMPACT : 0; /* revenue says as much */
        for (size_t j = 0; j < EACH; j++)
            columns[n++] = (struct column){.name = names[j],
                                           .type = VALUE_REAL,
                                           .unit = shown[k].unit,
                                           .precision = shown[k].precision,
                                           .flags = j >= 2 || !known ? COLUMN_HIDDEN : spare};
    }
    return n;
}

static void put_estimate(struct table *t, bool known, struct estimate e)
{
    /* The wider side: a rate near 0 has no room below. */
    double pm = e.high - e.value > e.value - e.low ? e.high - e.value : e.value - e.low;
    table_real(t, known ? e.value : NAN);
    table_real(t, known ? pm : NAN);
    table_real(t, known ? e.low : NAN);
    table_real(t, known ? e.high : NAN);
}

static void put_policies(const struct sim_outcome *o, const struct contest *c, struct result *out)
{
    struct column columns[1 + SHOWN * EACH] = {{.name = "policy", .type = VALUE_TEXT}};
    struct table *t = result_table(out, "policies", "a user, over all days; _pm: half of a 95 % interval over users",
                                   columns, put_columns(o, columns, 1));
    for (size_t p = 0; p < c->n; p++) {
        table_text(t, c->policy[p].name);
        for (size_t k = 0; k < SHOWN; k++)
            put_estimate(t, sim_metric_known(o, shown[k].metric), sim_value(o, p, shown[k].metric));
    }
}

static void put_differences(const struct sim_outcome *o, const struct contest *c, struct result *out)
{
    struct column columns[2 + SHOWN * EACH] = {{.name = "policy", .type = VALUE_TEXT},
                                               {.name = "minus", .type = VALUE_TEXT}};
    struct table *t =
        result_table(out, "differences", "differences, paired by user; beyond its _pm one is more than luck", columns,
                     put_columns(o, columns, 2));
    for (size_t a = 0; a < c->n; a++)
        for (size_t b = a + 1; b < c->n; b++) {
            table_text(t, c->policy[a].name);
            table_text(t, c->policy[b].name);
            for (size_t k = 0; k < SHOWN; k++)
                put_estimate(t, sim_metric_known(o, shown[k].metric), sim_difference(o, a, b, shown[k].metric));
        }
}

static int64_t date_of(const struct sim_outcome *o, uint32_t day)
{
    return o->start == NO_TIME ? NO_TIME : o->start + (int64_t)day * US_PER_DAY;
}

static void put_days(const struct sim_outcome *o, const struct contest *c, struct result *out)
{
    struct column columns[3 + SHOWN * EACH] = {{.name = "policy", .type = VALUE_TEXT},
                                               {.name = "day", .type = VALUE_INT},
                                               {.name = "date", .type = VALUE_TIME}};
    struct table *t = result_table(out, "days", "a user, day by day", columns, put_columns(o, columns, 3));
    t->drawn = true;
    for (size_t p = 0; p < c->n; p++)
        for (uint32_t day = 0; day < o->spec.days; day++) {
            table_text(t, c->policy[p].name);
            table_int(t, day + 1);
            table_time(t, date_of(o, day));
            for (size_t k = 0; k < SHOWN; k++)
                put_estimate(t, sim_metric_known(o, shown[k].metric), sim_daily(o, p, day, shown[k].metric));
        }
}

static void put_curve(const struct sim_outcome *o, const struct contest *c, size_t policy, size_t k, struct result *out)
{
    const char *name = result_textf(out, "%s_%s", shown[k].name, c->policy[policy].name);
    struct series *s =
        result_series(out, name, result_text(out, c->policy[policy].name), VALUE_INT, o->spec.days, true);
    if (!s)
        return;
    s->group = result_textf(out, "%s by day", shown[k].name);
    s->x_label = "day";
    s->y_label = shown[k].name;
    s->style = "line";
    for (uint32_t day = 0; day < o->spec.days; day++) {
        struct estimate e = sim_daily(o, policy, day, shown[k].metric);
        s->x[day] = day + 1;
        s->y[day] = e.value;
        s->low[day] = e.low;
        s->high[day] = e.high;
    }
}

static void report(const struct environment *e, const struct sim_outcome *o, const struct contest *c, bool days,
                   struct result *out)
{
    put_policies(o, c, out);
    if (c->n > 1)
        put_differences(o, c, out);
    if (days) {
        put_days(o, c, out);
        for (size_t k = 0; k < SHOWN; k++)
            for (size_t p = 0; p < c->n; p++)
                if (shown[k].metric != SIM_PURCHASES && sim_metric_known(o, shown[k].metric))
                    put_curve(o, c, p, k, out);
    }
    for (size_t k = 0; k < e->nnotes; k++)
        result_message(out, MESSAGE_INFO, "%s", e->note[k]);
    if (!o->revenue)
        result_message(out, MESSAGE_INFO, "no revenue: %s",
                       o->purchases ? "nothing in the data has a price" : "nobody buys in this data");
    if (o->spec.users > e->data->users.n)
        result_message(out, MESSAGE_INFO, "there %s %u user%s: each takes part several times, with luck of their own",
                       e->data->users.n == 1 ? "is" : "are", e->data->users.n, e->data->users.n == 1 ? "" : "s");
}

static enum status run_simulate(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct contest c = {0};
    struct environment *e = NULL;
    struct sim_outcome *o = NULL;
    struct dataset *d = workbench_data(wb);
    const char *seen = call_text(call, "seen");
    struct sim_spec spec = {
        .users = (uint32_t)call_int(call, "users"),
        .days = (uint32_t)call_int(call, "days"),
        .slate = (unsigned)call_int(call, "slate"),
        .seed = call_given(call, "seed") ? (uint64_t)call_int(call, "seed") : wb->seed,
        .seen = (seen ? strcmp(seen, "hide") == 0 : wb->hide_seen) ? SEEN_HIDE : SEEN_SHOW,
        .hides = workbench_hides(wb),
    };
    enum status st = call->nmodels ? named_policies(wb, call, &c, err) : all_policies(wb, &c, err);
    if (!st)
        st = find_world(wb, call, d, &e, err);
    if (!st)
        st = simulate(e, c.policy, c.n, &spec, &wb->job, &o, err);
    if (!st)
        report(e, o, &c, strcmp(call_text(call, "by"), "day") == 0, out);
    sim_outcome_free(o);
    environment_free(e);
    contest_clear(&c);
    dataset_release(d);
    return st;
}

static const struct param simulate_options[] = {
    {.name = "users", .type = PARAM_INT, .initial = "1000", .min = 2, .max = 1e7, .doc = "people, drawn from the data"},
    {.name = "days",
     .type = PARAM_INT,
     .initial = "28",
     .min = 1,
     .max = 10000,
     .doc = "days after the end of the data"},
    {.name = "slate", .type = PARAM_INT, .initial = "8", .min = 1, .max = MAX_SLATE, .doc = "items shown at a time"},
    {.name = "seed",
     .type = PARAM_INT,
     .min = 0,
     .max = 9e15,
     .doc = "who is drawn, and their luck (else that of the workbench)"},
    {.name = "seen",
     .type = PARAM_ENUM,
     .choices = "hide|show",
     .doc = "may items of the history be shown again? (else as set)"},
    {.name = "world",
     .type = PARAM_ENUM,
     .initial = "auto",
     .choices = "auto|shop|fitted",
     .doc =
         "shop: the truth behind `shop` and `generate`; fitted: estimated from the data; auto: shop where it can be"},
    {.name = "by", .type = PARAM_ENUM, .initial = "day", .choices = "day|none", .doc = "also day by day?"},
    {.name = "visits",
     .type = PARAM_REAL,
     .min = 1e-6,
     .max = 24,
     .doc = "fitted: visits a user a day (else measured)"},
    {.name = "ctr", .type = PARAM_PERCENT, .doc = "fitted: clicks an impression (else measured, or assumed 5 %)"},
    {.name = "decay",
     .type = PARAM_REAL,
     .min = 0,
     .max = 5,
     .doc = "fitted: position k is looked at with k^-decay (else measured, or assumed 0.5)"},
};

static const struct command rows[] = {
    {.name = "simulate",
     .group = "world",
     .summary = "try policies on simulated people: click rate, revenue and returns by day",
     .options = simulate_options,
     .noptions = sizeof simulate_options / sizeof *simulate_options,
     .flags = COMMAND_WITH | COMMAND_NEEDS_DATA | COMMAND_SEVERAL | COMMAND_TIMELESS,
     .help =
         "People of the data come back for some days and browse slates under a position-bias click model. Each policy "
         "sees "
         "their histories only, answers with its best items, and what people do then is folded into their histories. "
         "Every "
         "policy meets the same people with the same luck, so differences are paired; revenue (in the currency of the "
         "data) and "
         "purchases are a user, and _pm is half of a 95 % interval over users.\n"
         "A policy is a trained model, or one of two built in: `random`, any item alike, and `oracle`, the best by the "
         "true click "
         "probabilities of the world. The oracle knows what no model can: it says how much there is to gain.\n"
         "On the bundled shop and on data of `generate` the world is the one that made the data, and its truth is "
         "known. For "
         "other data it is fitted to the log; what was measured and what was assumed is said. A fitted world leans "
         "towards models "
         "that resemble its own factorization: read its verdict as a rehearsal, not a proof.\n"
         "return_rate is the share of users that come on a day.",
     .examples = (const char *const[]){"simulate with pop random users=50 days=5 by=none", NULL},
     .run = run_simulate},
};

const struct command_family simulate_commands = {rows, sizeof rows / sizeof *rows};
