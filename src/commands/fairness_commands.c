/* `fairness`: how groups of users fare under each model, and how much of the lists goes to groups of items. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/judge.h"
#include "commands/served_words.h"
#include "eval/groups.h"

struct fairness {
    struct workbench *wb;
    const struct call *call;
    struct dataset *d;
    struct split *s;
    struct model **models;
    size_t nmodels;
    struct judge judge;
    struct metric_at metric;
    struct evaluation **e; /* nmodels */
    struct cohorts groups;
    bool of_items;
};

/* ---- what is asked ---- */

/* Before any work; what it says of items also says that lists are all that is needed. */
static enum status check_by(struct fairness *f, struct error *err)
{
    const char *by = call_text(f->call, "by");
    f->of_items = cohorts_are_of_items(f->d, by);
    if (f->of_items || cohorts_are_of_users(f->d, by))
        return ST_OK;
    return error_at_option(cohorts_unknown(f->d, by, true, err), err, f->call, "by");
}

static enum status find_groups(struct fairness *f, struct error *err)
{
    const char *by = call_text(f->call, "by");
    enum status st = f->of_items ? cohorts_of_items(f->d, f->s, &f->judge.protocol, by, &f->groups, err)
                                 : cohorts_of_evaluation(f->d, f->s, f->e[0], by, &f->groups, err);
    return error_at_option(st, err, f->call, "by");
}

static enum status read_metric(struct fairness *f, struct error *err)
{
    enum status st = metric_parse(call_text(f->call, "metric"), (size_t)call_int(f->call, "k"), &f->metric, err);
    if (!st && !metric_of_users(f->metric.metric))
        st = error_set(err, ST_USAGE, "%s is no measure of single users, so groups of them have none", f->metric.name);
    return error_at_option(st, err, f->call, "metric");
}

static enum status judge_all(struct fairness *f, struct result *out, struct error *err)
{
    const struct call *call = f->call;
    bool hide = call_given(call, "seen") ? call_int(call, "seen") == 0 : f->wb->hide_seen;
    f->judge =
        (struct judge){.wb = f->wb,
                       .d = f->d,
                       .s = f->s,
                       .depth = f->metric.k > EVALUATION_DEPTH ? f->metric.k : EVALUATION_DEPTH,
                       .protocol = {.on = call_int(call, "on") == 1 ? PART_VALID : PART_TEST, .hide_seen = hide}};
    enum status st = check_by(f, err);
    f->judge.needs = f->of_items ? 0 : f->metric.metric->needs;
    if (!st && !(f->e = mem_new(f->nmodels, sizeof(struct evaluation *), "evaluations", err)))
        st = ST_NOMEM;
    for (size_t i = 0; i < f->nmodels && !st; i++)
        st = judge_model(&f->judge, f->models[i], &f->e[i], err);
    for (size_t i = 0; i < f->nmodels && !st; i++)
        st = served_say_judged(&f->judge, f->models[i], out, err);
    return st ? st : find_groups(f, err);
}

/* ---- groups of users ---- */

enum { USER_COLUMNS = 5, ITEM_SHARES = 7 };

/* The two ends of each model; below 30 users a mean is mostly chance. */
static void put_gaps(const struct fairness *f, const double *value, const char *what, struct result *out)
{
    const struct column columns[] = {{.name = "model", .type = VALUE_TEXT},
                                     {.name = "lowest", .type = VALUE_TEXT},
                                     {.name = "highest", .type = VALUE_TEXT},
                                     {.name = "gap", .type = VALUE_REAL, .precision = 4},
                                     {.name = "ratio", .type = VALUE_REAL, .precision = 2}};
    struct table *t = result_table(out, "gaps", result_textf(out, "lowest and highest by %s", what), columns, 5);
    for (size_t i = 0; i < f->nmodels; i++) {
        struct group_gap g = group_gap_of(value + i * f->groups.n, f->groups.n);
        table_text(t, f->models[i]->name);
        table_text(t, g.lowest < f->groups.n ? f->groups.list[g.lowest].name : NULL);
        table_text(t, g.highest < f->groups.n ? f->groups.list[g.highest].name : NULL);
        table_real(t, g.gap);
        table_real(t, g.ratio);
    }
}

static enum status put_users(const struct fairness *f, struct result *out, struct error *err)
{
    const struct column columns[] = {{.name = "model", .type = VALUE_TEXT},
                                     {.name = result_text(out, call_text(f->call, "by")), .type = VALUE_TEXT},
                                     {.name = "users", .type = VALUE_INT, .flags = COLUMN_COUNT},
                                     {.name = result_text(out, f->metric.name), .type = VALUE_REAL, .precision = 4},
                                     {.name = "to_all", .type = VALUE_REAL, .precision = 4}};
    size_t nusers = f->e[0]->nusers, n = f->groups.n, smallest = SIZE_MAX;
    double *value = mem_new_raw(nusers, sizeof *value, "metrics of users", err);
    double *mean = mem_new_raw(n * f->nmodels, sizeof *mean, "means of groups", err);
    struct group_mean *group = mem_new_raw(n, sizeof *group, "means of groups", err);
    enum status st = value && mean && group ? ST_OK : ST_NOMEM;
    struct table *t = result_table(
        out, "groups", result_textf(out, "%s of users by %s", f->metric.name, columns[1].name), columns, USER_COLUMNS);
    for (size_t i = 0; i < f->nmodels && !st; i++) {
        evaluation_users(f->e[i], &f->metric, value);
        group_means(f->e[i], value, &f->groups, group);
        double all = evaluation_mean(f->e[i], value, true, NULL);
        for (size_t g = 0; g < n; g++) {
            mean[i * n + g] = group[g].mean;
            if (!group[g].users)
                continue;
            smallest = group[g].users < smallest ? group[g].users : smallest;
            table_text(t, f->models[i]->name);
            table_text(t, f->groups.list[g].name);
            table_int(t, (int64_t)group[g].users);
            table_real(t, group[g].mean);
            table_real(t, group[g].mean - all);
        }
    }
    if (!st)
        put_gaps(f, mean, f->metric.name, out);
    if (smallest < 30)
        result_message(out, MESSAGE_INFO, "the smallest group has %zu user%s: gaps to it may be chance", smallest,
                       smallest == 1 ? "" : "s");
    mem_free(value);
    mem_free(mean);
    mem_free(group);
    return st;
}

/* ---- groups of items ---- */

static enum status put_items(const struct fairness *f, struct result *out, struct error *err)
{
    const struct column columns[] = {{.name = "model", .type = VALUE_TEXT},
                                     {.name = result_text(out, call_text(f->call, "by")), .type = VALUE_TEXT},
                                     {.name = "items", .type = VALUE_REAL, .precision = 1},
                                     {.name = "catalogue", .type = VALUE_REAL, .unit = "%", .precision = 1},
                                     {.name = "relevant", .type = VALUE_REAL, .unit = "%", .precision = 1},
                                     {.name = "exposure", .type = VALUE_REAL, .unit = "%", .precision = 1},
                                     {.name = "parity", .type = VALUE_REAL, .precision = 2}};
    size_t n = f->groups.n, k = (size_t)call_int(f->call, "k");
    double *parity = mem_new_raw(n * f->nmodels, sizeof *parity, "exposures", err);
    struct group_exposure *group = mem_new_raw(n, sizeof *group, "exposures", err);
    enum status st = parity && group ? ST_OK : ST_NOMEM;
    struct table *t = result_table(
        out, "exposure", result_textf(out, "exposure in the first %zu of all lists by %s", k, columns[1].name), columns,
        ITEM_SHARES);
    for (size_t i = 0; i < f->nmodels && !st; i++) {
        st = group_exposures(f->e[i], &f->groups, k, group, err);
        for (size_t g = 0; g < n && !st; g++) {
            const struct group_exposure *x = &group[g];
            parity[i * n + g] = x->relevant > 0 ? x->exposure / x->relevant : NAN;
            if (!(x->items > 0))
                continue;
            table_text(t, f->models[i]->name);
            table_text(t, f->groups.list[g].name);
            table_real(t, x->items);
            table_real(t, x->catalogue);
            table_real(t, x->relevant);
            table_real(t, x->exposure);
            table_real(t, parity[i * n + g]);
        }
    }
    if (!st)
        put_gaps(f, parity, "parity (exposure / relevant)", out);
    mem_free(parity);
    mem_free(group);
    return st;
}

/* ---- the command ---- */

static void clear(struct fairness *f)
{
    for (size_t i = 0; f->e && i < f->nmodels; i++)
        evaluation_free(f->e[i]);
    mem_free(f->e);
    for (size_t i = 0; f->models && i < f->nmodels; i++)
        model_release(f->models[i]);
    mem_free(f->models);
    cohorts_clear(&f->groups);
    judge_clear(&f->judge);
    split_release(f->s);
    dataset_release(f->d);
}

static enum status check_lists(const struct fairness *f, struct error *err)
{
    const char *lacks = f->of_items ? NULL : evaluation_lacks(f->e[0], &f->metric);
    if (lacks)
        return error_set(err, ST_STATE, "%s: %s", f->metric.name, lacks);
    if (f->of_items && (size_t)call_int(f->call, "k") > f->e[0]->listed && f->e[0]->listed < f->e[0]->nitems)
        return error_set(err, ST_STATE, "so long lists are not kept: k is at most %zu here", f->e[0]->listed);
    return ST_OK;
}

static enum status run_fairness(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct fairness f = {.wb = wb, .call = call, .d = workbench_data(wb), .s = workbench_split(wb)};
    enum status st = read_metric(&f, err);
    if (!st && !call_text(call, "by")) {
        st = error_set(err, ST_USAGE, "fairness between which groups?");
        error_hint(err, "by=" COHORTS_BY_USERS ", " COHORTS_BY_ITEMS);
    }
    if (!st && !f.s) {
        st = error_set(err, ST_STATE, "fairness needs a split: models are judged by events they have not seen");
        error_hint(err, "`split last 1`, then train");
    }
    if (!st)
        st = judge_models(wb, call, f.d, f.s, &f.models, &f.nmodels, out, err);
    if (!st)
        st = judge_all(&f, out, err);
    if (!st)
        st = check_lists(&f, err);
    if (!st)
        st = f.of_items ? put_items(&f, out, err) : put_users(&f, out, err);
    clear(&f);
    return st;
}

static const struct param options[] = {
    {.name = "by", .type = PARAM_SEGMENTS, .doc = COHORTS_BY_USERS "; " COHORTS_BY_ITEMS},
    {.name = "metric",
     .type = PARAM_METRIC,
     .initial = "ndcg",
     .doc = "what groups of users are compared by; it needs a value a user"},
    {.name = "k", .type = PARAM_INT, .initial = "10", .min = 1, .max = METRIC_K_MAX, .doc = "length of the lists"},
    {.name = "on", .type = PARAM_ENUM, .initial = "test", .choices = "test|valid", .doc = "the part that judges"},
    {.name = "seen",
     .type = PARAM_ENUM,
     .choices = "hide|show",
     .doc = "items of the history; the setting `seen` when left out"},
};

static const struct command rows[] = {
    {.name = "fairness",
     .group = "learn",
     .summary = "how groups of users fare, and how much of the lists goes to groups of items",
     .options = options,
     .noptions = sizeof options / sizeof *options,
     .flags = COMMAND_NEEDS_DATA | COMMAND_WITH | COMMAND_SEVERAL | COMMAND_PRESENT,
     .help = "by= groups of users: the metric in each, over users with a history; `to_all` is the distance to the mean "
             "of all. The groups are those of compare by= (`help compare`).\n"
             "by= groups of items: what each group has of the places in all lists (`exposure`, place r counting 1 / "
             "log2(r + 1): Singh and Joachims, KDD 2018), of the catalogue, and of what was right (`relevant`). "
             "`parity` is exposure / relevant: below 1 a group is shown less than users want it. An item in several "
             "groups counts in parts.\n"
             "The second table has the two ends of each model, their distance and their ratio.",
     .examples = (const char *const[]){"fairness by=country", "fairness with ease by=category k=3",
                                       "fairness by=history_length metric=recall@5", NULL},
     .run = run_fairness},
};

const struct command_family fairness_commands = {rows, sizeof rows / sizeof *rows};
