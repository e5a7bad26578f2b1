#include "commands/metric_help.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "commands/judge.h"
#include "commands/question.h"
#include "data/grow.h"
#include "eval/evaluation.h"
#include "models/served.h"

static const char *better(const struct metric *m)
{
    static const char *const words[] = {
        [HIGHER_IS_BETTER] = "higher", [LOWER_IS_BETTER] = "lower", [NEITHER_IS_BETTER] = "neither"};
    return words[metric_direction(m)];
}

void metric_help_all(struct result *out)
{
    static const struct column columns[] = {{.name = "metric", .type = VALUE_TEXT},
                                            {.name = "better", .type = VALUE_TEXT},
                                            {.name = "what", .type = VALUE_TEXT, .flags = COLUMN_WRAP}};
    struct table *t = result_table(out, "metrics", "", columns, 3);
    for (size_t i = 0; metrics[i]; i++) {
        table_text(t, metrics[i]->name);
        table_text(t, better(metrics[i]));
        table_text(t, metrics[i]->summary);
    }
    result_message(out, MESSAGE_HINT, "`help ndcg` has the definition, and works it on a list of the current user");
}

/* ---- the definition ---- */

static struct table *prose(struct result *out, const char *name, const char *title)
{
    static const struct column columns[] = {{.name = "text", .type = VALUE_TEXT}};
    struct table *t = result_table(out, name, title, columns, 1);
    t->prose = true;
    return t;
}

static void define(const struct metric *m, struct result *out)
{
    static const char *const directions[] = {[HIGHER_IS_BETTER] = "Higher is better.",
                                             [LOWER_IS_BETTER] = "Lower is better.",
                                             [NEITHER_IS_BETTER] =
                                                 "Neither higher nor lower is better: it tells models apart."};
    const char *scope = m->pooled ? "One value for all ratings together."
                        : metric_of_users(m) ? "Each user has a value; the mean over users is shown."
                                             : "One value for all lists together.";
    struct table *t = prose(out, "help", "");
    table_textf(t, "%s: %s.", m->name, m->summary);
    table_text(t, m->doc);
    if (m->source)
        table_textf(t, "Source: %s.", m->source);
    table_textf(t, "%s %s", directions[metric_direction(m)], scope);
    struct table *e = prose(out, "examples", "Examples");
    table_textf(e, metric_uncut(m) ? "    compare metric=%s" : "    compare metric=%s@20", m->name);
    if (m->parameter > 0)
        table_textf(e, "    compare metric=%s:%g@20", m->name, (m->parameter + 1) / 2);
}

/* ---- worked ---- */

struct worked {
    struct dataset *d;
    struct split *s;
    struct model *m; /* whose list it is */
    struct test_set *set;
    struct item_facts *facts;
    struct evaluation *e; /* of the current user alone, or of all users that were judged twice */
    size_t user, query;   /* theirs in it */
};

static void worked_clear(struct worked *w)
{
    evaluation_free(w->e);
    item_facts_free(w->facts);
    test_set_free(w->set);
    model_release(w->m);
    split_release(w->s);
    dataset_release(w->d);
}

/* Asks a model about the current user, as `compare` would. */
static enum status ask(struct workbench *wb, struct model *m, const struct metric_at *at, struct worked *w,
                       struct error *err)
{
    unsigned needs = at->metric->needs;
    size_t depth = at->k > EVALUATION_DEPTH ? at->k : EVALUATION_DEPTH;
    struct evaluation *e = NULL;
    enum status st = evaluation_run(m, w->set, w->s->fingerprint, depth, &wb->job, &e, err);
    if (!st && needs & NEEDS_PAIRS)
        st = evaluation_add_pairs(e, m, w->set, &wb->job, err);
    if (st) {
        evaluation_free(e);
        return st;
    }
    e->facts = w->facts;
    evaluation_free(w->e);
    model_release(w->m);
    w->e = e;
    w->m = model_hold(m);
    return ST_OK;
}

/* Is there something to see: a right item in the list, or a prediction? */
static bool tells(const struct worked *w, const struct metric_at *at)
{
    if (evaluation_lacks(w->e, at))
        return false;
    return metric_uncut(at->metric) || evaluation_list(w->e, at, 0, 0).nhits;
}

/* The first of the models in use that the split can judge and whose answer tells something, or simply the first: w->m
 * stays NULL where there is none. */
static enum status ask_models(struct workbench *wb, const struct metric_at *at, struct worked *w, struct error *err)
{
    const struct protocol p = {.on = PART_TEST, .hide_seen = wb->hide_seen};
    struct model **models = NULL, *first = NULL;
    size_t n = 0;
    bool told = false;
    enum status st = test_set_of_user(w->d, w->s, &p, wb->user, &w->set, err);
    if (!st && at->metric->needs & NEEDS_FACTS)
        st = item_facts_new(w->d, w->s, &p, &w->facts, err);
    if (!st)
        st = workbench_models(wb, NULL, 0, &models, &n, err);
    for (size_t i = 0; i < n && !st && !told; i++) {
        if (!judge_can(w->d, w->s, models[i]))
            continue;
        first = first ? first : models[i];
        st = ask(wb, models[i], at, w, err);
        told = !st && tells(w, at);
    }
    if (!st && !told && first)
        st = ask(wb, first, at, w, err);
    for (size_t i = 0; i < n && models; i++)
        model_release(models[i]);
    mem_free(models);
    return st;
}

/* Lists of a model that was judged, trained anew and judged again, are kept. */
static enum status find_twice(struct workbench *wb, const struct metric_at *at, struct worked *w, struct error *err)
{
    struct judge j = {.wb = wb, .d = w->d, .s = w->s, .depth = at->k, .protocol = {.on = PART_TEST}};
    struct model **models = NULL;
    size_t n = 0;
    j.protocol.hide_seen = wb->hide_seen;
    enum status st = workbench_models(wb, NULL, 0, &models, &n, err);
    for (size_t i = 0; i < n && !st && !w->m; i++) {
        struct evaluation *e = judge_can(w->d, w->s, models[i]) ? judge_kept_twice(&j, models[i]) : NULL;
        for (size_t u = 0; e && u < e->nusers && !w->m; u++)
            if (e->user[u] == wb->user && e->query_begin[u + 1] > e->query_begin[u]) {
                w->e = e;
                w->m = model_hold(models[i]);
                w->user = u;
                w->query = e->query_begin[u];
            }
        if (w->e != e)
            evaluation_free(e);
    }
    for (size_t i = 0; i < n && models; i++)
        model_release(models[i]);
    mem_free(models);
    if (!st && !w->m)
        return error_set(err, ST_STATE, "no model in use was judged, trained anew under its name and judged again");
    return st;
}

static const float *grade_of(const struct judged_list *l, uint32_t item)
{
    for (size_t i = 0; i < l->relevant; i++)
        if (l->right[i] == item)
            return &l->grade[i];
    return NULL;
}

static void put_list(const struct worked *w, const struct judged_list *l, struct result *out)
{
    struct column columns[ITEM_COLUMNS + 3] = {{.name = "rank", .type = VALUE_INT}};
    bool graded = l->valued;
    item_columns(w->d, columns + 1);
    columns[ITEM_COLUMNS + 1] = (struct column){.name = "right", .type = VALUE_TEXT};
    columns[ITEM_COLUMNS + 2] =
        (struct column){.name = "grade", .type = VALUE_REAL, .precision = 1, .flags = graded ? 0 : COLUMN_HIDDEN};
    struct table *t = result_table(out, "list",
                                   result_textf(out, "what %s %s %s before the test part (%s)", w->m->name,
                                                model_is_served(w->m) ? "showed" : "would have shown",
                                                dict_text(&w->d->users, l->user), w->s->description),
                                   columns, ITEM_COLUMNS + 3);
    for (size_t i = 0; i < l->n; i++) {
        const float *grade = grade_of(l, l->item[i]);
        table_int(t, (int64_t)i + 1);
        item_cells(w->d, l->item[i], t);
        table_text(t, grade ? "right" : NULL);
        table_real(t, grade ? (double)*grade : NAN);
    }
}

static void put_errors(const struct worked *w, const struct metric *m, struct result *out)
{
    double n, sum = evaluation_errors(w->e, m, 0, &n), value = metric_of_errors(m, sum, n);
    struct table *t = prose(out, "worked", "");
    const char *who = dict_text(&w->d->users, w->e->user[0]);
    if (isnan(value))
        table_textf(t, "%s has no ratings in the test part.", who);
    else if (m->errors == ERRORS_SQUARED)
        table_textf(t, "By %s for %s: square root of (%.4f, the sum of squared errors, / %.0f rating%s) = %.4f",
                    w->m->name, who, sum, n, n == 1 ? "" : "s", value);
    else
        table_textf(t, "By %s for %s: %.4f, the sum of errors, / %.0f rating%s = %.4f", w->m->name, who, sum, n,
                    n == 1 ? "" : "s", value);
}

static enum status put_worked(const struct worked *w, const struct metric_at *at, struct result *out, struct error *err)
{
    const char *lacks = evaluation_lacks(w->e, at);
    struct str text = {0};
    if (lacks) {
        result_message(out, MESSAGE_INFO, "not worked on a list: %s", lacks);
        return ST_OK;
    }
    if (at->metric->errors) {
        put_errors(w, at->metric, out);
        return ST_OK;
    }
    struct judged_list l = evaluation_list(w->e, at, w->user, w->query);
    if (!metric_uncut(at->metric))
        put_list(w, &l, out);
    at->metric->work(&l, &text);
    struct table *t = prose(out, "worked", "");
    table_textf(t, metric_of_users(at->metric) ? "%s of %s by %s: %s" : "%s if %s alone had a list by %s: %s", at->name,
                dict_text(&w->d->users, l.user), w->m->name, result_str(out, &text));
    enum status st = text.failed ? error_nomem(err, 256, "help on a metric") : ST_OK;
    str_free(&text);
    return st;
}

/* Users without anything in the test part are no failure of help. */
static enum status work(struct workbench *wb, const struct metric_at *at, struct result *out, struct error *err)
{
    struct worked w = {.d = workbench_data(wb), .s = workbench_split(wb)};
    struct error why = {0};
    enum status st = ST_OK;
    if (!w.d || !w.s || !wb->nmodels)
        goto out;
    if (wb->user == NO_USER) {
        result_message(out, MESSAGE_HINT, "with a current user (`user %s`) it is worked on their list",
                       dict_text(&w.d->users, 0));
        goto out;
    }
    st = at->metric->needs & NEEDS_BEFORE ? find_twice(wb, at, &w, &why) : ask_models(wb, at, &w, &why);
    if (st == ST_STATE) {
        result_message(out, MESSAGE_INFO, "not worked on a list: %s", why.message);
        st = ST_OK;
    } else if (st) {
        *err = why;
    } else if (w.m) {
        st = put_worked(&w, at, out, err);
    }
out:
    worked_clear(&w);
    return st;
}

enum status metric_help(struct workbench *wb, const struct metric_at *at, struct result *out, struct error *err)
{
    const struct metric *m = at->metric;
    define(m, out);
    return wb ? work(wb, at, out, err) : ST_OK;
}
