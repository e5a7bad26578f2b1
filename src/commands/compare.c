#include "commands/compare.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "commands/leak.h"
#include "commands/served_words.h"
#include "commands/trials.h"

/* ---- metrics ---- */

/* "ndcg@20,recall@20" */
static enum status add_list(struct comparison *c, const char *list, size_t k, struct error *err)
{
    enum status st = ST_OK;
    while (*list && !st) {
        size_t n = strcspn(list, ",");
        char *one = mem_strndup(list, n, err);
        st = one ? comparison_measure(c, one, k, true, err) : ST_NOMEM;
        mem_free(one);
        list += n + (list[n] == ',');
    }
    return st;
}

static enum status not_a_metric(struct workbench *wb, const struct word *w, enum status st, struct error *err)
{
    struct model *m = workbench_model(wb, w->text);
    if (m || model_class_find(w->text)) {
        st = error_set(err, ST_USAGE, "compare: models stand behind `with`");
        error_hint(err, "compare with %s", w->text);
    }
    model_release(m);
    return error_at_word(st, err, w);
}

/* metric= and the words behind it. */
static enum status read_measures(struct compare *c, const struct call *call, struct error *err)
{
    const char *list = call_text(call, "metric");
    size_t k = (size_t)call_int(call, "k");
    enum status st = list ? error_at_option(add_list(&c->comparison, list, k, err), err, call, "metric") : ST_OK;
    for (size_t i = 0; i < call->nargs && !st; i++)
        if ((st = comparison_measure(&c->comparison, call->args[i].text, k, true, err)))
            st = not_a_metric(c->wb, &call->args[i], st, err);
    return st;
}

static bool any_rates(const struct compare *c)
{
    bool any = false;
    for (size_t i = 0; i < c->nmodels; i++)
        any |= (c->models[i]->class->capabilities & CAN_RATE) != 0;
    return any;
}

/* Without a word of the user: all metrics that come for nothing, those of ratings where a model predicts them. */
static enum status add_usual(struct compare *c, const struct call *call, struct error *err)
{
    enum status st = ST_OK;
    bool given = c->comparison.nmeasures;
    for (size_t i = 0; metrics[i] && !st && !given; i++)
        if (!metric_costly(metrics[i]) && (!metrics[i]->errors || any_rates(c)))
            st = comparison_measure(&c->comparison, metrics[i]->name, (size_t)call_int(call, "k"), metrics[i]->common,
                                    err);
    return st;
}

/* ---- judging ---- */

/* Has `tune` searched by the validation part of this split? Who has begun to choose by it goes on until test is asked
 * for. */
static enum status tuned_here(const struct compare *c, bool *tuned, struct error *err)
{
    struct trials list = {0};
    *tuned = false;
    if (!c->s->nvalid)
        return ST_OK;
    enum status st = trials_recall(c->wb, c->d->name, NULL, 0, &list, err);
    for (size_t i = 0; i < list.n; i++)
        *tuned |= list.list[i].split == c->s->fingerprint && !list.list[i].set_aside;
    trials_clear(&list);
    return st;
}

static enum status choose_part(const struct compare *c, const struct call *call, enum part *on, struct result *out,
                               struct error *err)
{
    bool valid = false;
    enum status st = ST_OK;
    if (call_given(call, "on"))
        valid = call_int(call, "on") == 1;
    else
        st = tuned_here(c, &valid, err);
    if (valid && !call_given(call, "on"))
        result_message(out, MESSAGE_HINT,
                       "judged by the validation part, as `tune` has done; on=test looks at the test part");
    *on = valid ? PART_VALID : PART_TEST;
    return st;
}

static enum status judge_all(struct compare *c, const struct call *call, struct result *out, struct error *err)
{
    enum part on;
    enum status st = choose_part(c, call, &on, out, err);
    if (st)
        return st;
    c->judge = (struct judge){
        .wb = c->wb, .d = c->d, .s = c->s, .depth = EVALUATION_DEPTH, .protocol = judge_protocol(c->wb, call, on)};
    st = compare_read_among(c, call, err);
    if (st)
        return st;
    for (size_t i = 0; i < c->comparison.nmeasures; i++) {
        if (c->comparison.measures[i].at.k > c->judge.depth)
            c->judge.depth = c->comparison.measures[i].at.k;
        c->judge.needs |= c->comparison.measures[i].at.metric->needs;
    }
    c->evaluations = mem_new(c->nmodels, sizeof *c->evaluations, "a leaderboard", err);
    st = c->evaluations ? ST_OK : ST_NOMEM;
    for (size_t i = 0; i < c->nmodels && !st; i++)
        st = judge_model(&c->judge, c->models[i], &c->evaluations[i], err);
    return st;
}

enum status compare_say_how(struct compare *c, struct result *out, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < c->nmodels && !st; i++)
        st = served_say_judged(&c->judge, c->models[i], out, err);
    return st ? st : compare_say_among(c, out, err);
}

/* ---- comparing ---- */

/* The place of baseline= among the models; nmodels when it was not given. */
static enum status find_baseline(const struct compare *c, const struct call *call, size_t *at, struct error *err)
{
    const char *name = call_text(call, "baseline");
    *at = c->nmodels;
    for (size_t i = 0; i < c->nmodels && name; i++)
        if (strcmp(c->models[i]->name, name) == 0)
            *at = i;
    if (!name || *at < c->nmodels)
        return ST_OK;
    error_set(err, ST_USAGE, "baseline=%s is not among the models compared", name);
    error_hint(err, "name it behind `with` too, or train it on this split");
    return error_at_option(ST_USAGE, err, call, "baseline");
}

/* The best model and the second; with a baseline the best one beside it, and the baseline. */
static enum status choose_pair(struct compare *c, struct error *err)
{
    const struct comparison *all = &c->comparison;
    c->x = c->y = 0;
    if (all->n < 2 || !comparison_of_users(all))
        return ST_OK;
    c->y = all->reference ? all->reference : 1;
    enum status st = comparison_difference(all, c->x, c->y, NULL, 0, &c->pair, err);
    c->pair.adjusted = all->entries[all->reference == c->x ? c->y : c->x].to.adjusted;
    return st;
}

static enum status compare_all(struct compare *c, const struct call *call, struct error *err)
{
    size_t baseline = 0;
    const char **names = mem_new(c->nmodels, sizeof *names, "names of models", err);
    enum status st = names ? find_baseline(c, call, &baseline, err) : ST_NOMEM;
    for (size_t i = 0; i < c->nmodels && names; i++)
        names[i] = c->models[i]->name;
    c->comparison.seed = c->wb->seed;
    c->comparison.resamples = BOOTSTRAP_RESAMPLES;
    c->comparison.test = (enum paired_test)call_int(call, "test");
    c->comparison.adjust = (enum adjustment)call_int(call, "adjust");
    if (!st)
        st = comparison_make(&c->comparison, (const struct evaluation *const *)c->evaluations, names, c->nmodels,
                             baseline, &c->wb->job, err);
    mem_free(names);
    return st ? st : choose_pair(c, err);
}

static enum status add_segments(struct compare *c, const char *by, const struct call *call, struct error *err)
{
    const struct protocol *p = &c->judge.protocol;
    bool items = cohorts_are_of_items(c->d, by);
    if (!items && !cohorts_are_of_users(c->d, by))
        return error_at_option(cohorts_unknown(c->d, by, true, err), err, call, "by");
    enum status st = items
                         ? item_segments_make(c->d, c->s, p, &c->comparison, c->x, c->y, by, &c->goods[c->ngoods], err)
                         : cohorts_make(c->d, c->s, p->on, &c->comparison, by, &c->segments[c->nsegments], err);
    if (st)
        return error_at_option(st, err, call, "by");
    c->ngoods += items;
    c->nsegments += !items;
    return ST_OK;
}

/* Segments of users and of items are adjusted for each other. */
static enum status adjust_together(struct compare *c, size_t users, struct error *err)
{
    size_t total = users, at = users;
    for (size_t i = 0; i < c->ngoods; i++)
        total += c->goods[i].users.n;
    struct difference *all = mem_new(total, sizeof *all, "segments", err);
    if (!all)
        return ST_NOMEM;
    memcpy(all, c->in_segment, users * sizeof *all);
    for (size_t i = 0; i < c->ngoods; at += c->goods[i++].users.n)
        memcpy(all + at, c->goods[i].difference, c->goods[i].users.n * sizeof *all);
    enum status st = differences_adjust(&c->comparison, all, total, err);
    for (size_t i = 0; i < users && !st; i++)
        c->in_segment[i].adjusted = all[i].adjusted;
    at = users;
    for (size_t i = 0; i < c->ngoods && !st; i++)
        for (size_t g = 0; g < c->goods[i].users.n; g++)
            c->goods[i].difference[g].adjusted = all[at++].adjusted;
    mem_free(all);
    return st;
}

/* by=gender,history_length */
static enum status make_segments(struct compare *c, const struct call *call, struct error *err)
{
    const char *list = call_text(call, "by");
    size_t wanted = 1, total = 0;
    enum status st = ST_OK;
    if (!list)
        return ST_OK;
    if (c->x == c->y) {
        st = error_set(err, ST_USAGE, "by= compares two models user by user: %s",
                       c->nmodels < 2 ? "there is one" : "the first metric has no users");
        return error_at_option(st, err, call, "by");
    }
    for (const char *p = list; *p; p++)
        wanted += *p == ',';
    c->segments = mem_new(wanted, sizeof *c->segments, "segments", err);
    c->goods = mem_new(wanted, sizeof *c->goods, "segments", err);
    st = c->segments && c->goods ? ST_OK : ST_NOMEM;
    while (*list && !st) {
        size_t n = strcspn(list, ",");
        char *one = mem_strndup(list, n, err);
        st = one ? add_segments(c, one, call, err) : ST_NOMEM;
        mem_free(one);
        list += n + (list[n] == ',');
    }
    for (size_t i = 0; i < c->nsegments; i++)
        total += c->segments[i].n;
    if (!st)
        c->in_segment = mem_new(total, sizeof *c->in_segment, "segments", err);
    if (!st && !c->in_segment)
        st = ST_NOMEM;
    if (!st)
        st = cohorts_compare(&c->comparison, c->x, c->y, c->segments, c->nsegments, c->in_segment, err);
    return st || !c->ngoods ? st : adjust_together(c, total, err);
}

static enum status no_split(struct error *err)
{
    error_set(err, ST_STATE, "compare needs a split: models are judged by events they have not seen");
    error_hint(err, "`split last 1`, then train, then compare");
    return ST_STATE;
}

enum status compare_open(struct workbench *wb, const struct call *call, struct compare *out, struct result *notes,
                         struct error *err)
{
    *out = (struct compare){.wb = wb, .d = workbench_data(wb), .s = workbench_split(wb)};
    enum status st = read_measures(out, call, err);
    if (!st)
        st = compare_read_checks(call, err);
    if (!st && !out->s)
        st = no_split(err);
    if (!st)
        st = judge_models(wb, call, out->d, out->s, &out->models, &out->nmodels, notes, err);
    if (!st)
        st = add_usual(out, call, err);
    if (!st)
        st = judge_all(out, call, notes, err);
    if (!st)
        st = compare_all(out, call, err);
    return st ? st : make_segments(out, call, err);
}

void compare_close(struct compare *c)
{
    for (size_t i = 0; c->evaluations && i < c->nmodels; i++)
        evaluation_free(c->evaluations[i]);
    for (size_t i = 0; c->models && i < c->nmodels; i++)
        model_release(c->models[i]);
    for (size_t i = 0; i < c->nsegments; i++)
        cohorts_clear(&c->segments[i]);
    for (size_t i = 0; i < c->ngoods; i++)
        item_segments_clear(&c->goods[i]);
    mem_free(c->segments);
    mem_free(c->in_segment);
    mem_free(c->goods);
    mem_free(c->evaluations);
    mem_free(c->models);
    comparison_clear(&c->comparison);
    judge_clear(&c->judge);
    model_release(c->among);
    split_release(c->s);
    dataset_release(c->d);
}
