/* The tables `metrics` and `user_metrics`: what `compare` found out, from the evaluations that the workspace keeps.
 * Every metric at every k is there up to the depth of an evaluation; without a condition on the metric, at 5, 10, 20,
 * 50 and 100 (those that are not cut once). A piece is one metric at one k of one evaluation. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "commands/held.h"
#include "eval/evaluation.h"
#include "models/snapshot.h"

static const size_t usual_k[] = {5, 10, 20, 50, 100};
enum { METRICS_MAX = 256 };

/* An evaluation and the model that it is of. */
struct judged {
    const struct model *model;
    struct evaluation *e;
    bool before; /* of the previous training of this name */
};

/* Facts about items, by what they depend on: the part that is judged, and whether seen items are hidden. */
enum { FACTS = 4 };

struct asked {
    struct judged *judged;
    size_t n, capacity;
    struct metric_at metric[METRICS_MAX];
    size_t nmetrics;
    struct item_facts *facts[FACTS];
    const struct pinned *pinned;
    const struct held_cursor *cursor;
};

/* Columns that both tables begin with. */
enum { MODEL, METRIC, PART, HISTORY, SEEN, FIRST_OWN };

/* ---- what is there ---- */

/* "MODEL test hide fixed": of a model and a split that are still those of the workbench. */
static enum status add_note(void *context, const char *name, const void *value, size_t n, struct error *err)
{
    struct asked *a = context;
    char model[64];
    const struct model *m = NULL;
    snprintf(model, sizeof model, "%.*s", (int)strcspn(name, " "), name);
    for (size_t i = 0; i < a->pinned->nmodels; i++)
        if (strcmp(a->pinned->models[i]->name, model) == 0)
            m = a->pinned->models[i];
    if (!m || !held_wants(a->cursor, MODEL, model))
        return ST_OK;
    union {
        const void *in;
        char *bytes;
    } u = {value}; /* only read */
    struct snapshot blob = {.bytes = u.bytes, .n = n};
    struct blob_reader r = snapshot_reader(&blob);
    struct evaluation *e = NULL;
    if (evaluation_load(&r, &e, NULL))
        return ST_OK; /* damaged: `compare` makes it again */
    enum status st = ST_OK;
    bool before = text_ends(name, " before");
    if ((e->model_created != (uint64_t)m->record.created) == before && a->pinned->split &&
        e->split_fingerprint == a->pinned->split->fingerprint && e->nitems <= a->pinned->data->items.n)
        st = mem_grow(&a->judged, &a->capacity, a->n + 1, sizeof *a->judged, err);
    else
        st = ST_NOT_FOUND;
    if (st)
        evaluation_free(e);
    else
        a->judged[a->n++] = (struct judged){m, e, before};
    return st == ST_NOT_FOUND ? ST_OK : st;
}

/* Hands what previous trainings answered to those that followed them. */
static void join_previous(struct asked *a)
{
    size_t kept = 0;
    for (size_t i = 0; i < a->n; i++) {
        struct judged *x = &a->judged[i];
        for (size_t j = 0; j < a->n && x->before && x->e; j++) {
            struct judged *y = &a->judged[j];
            if (y->before || y->model != x->model || y->e->before || !evaluation_alike(x->e, y->e))
                continue;
            y->e->before = x->e;
            x->e = NULL;
        }
    }
    for (size_t i = 0; i < a->n; i++) {
        if (a->judged[i].before)
            evaluation_free(a->judged[i].e);
        else
            a->judged[kept++] = a->judged[i];
    }
    a->n = kept;
}

/* Those named, else all at the usual k. */
static enum status choose_metrics(struct asked *a, struct error *err)
{
    const struct sql_test *t = sql_test_of(a->cursor->tests, a->cursor->ntests, METRIC);
    enum status st = ST_OK;
    for (size_t i = 0; t && i < t->ntexts && a->nmetrics < METRICS_MAX && !st; i++)
        if ((st = metric_parse(t->texts[i].text, 10, &a->metric[a->nmetrics], err)) == ST_OK)
            a->nmetrics++;
    for (size_t i = 0; !t && metrics[i]; i++)
        for (size_t k = 0;
             k < (metric_uncut(metrics[i]) ? 1 : sizeof usual_k / sizeof *usual_k) && a->nmetrics < METRICS_MAX && !st;
             k++)
            if ((st = metric_parse(metrics[i]->name, usual_k[k], &a->metric[a->nmetrics], err)) == ST_OK)
                a->nmetrics++;
    return st;
}

static void end(struct held_cursor *c)
{
    struct asked *a = c->own;
    for (size_t i = 0; a && i < a->n; i++)
        evaluation_free(a->judged[i].e);
    for (size_t i = 0; a && i < FACTS; i++)
        item_facts_free(a->facts[i]);
    if (a)
        mem_free(a->judged);
    mem_free(a);
}

static enum status begin(struct held_cursor *c, size_t *pieces, struct error *err)
{
    struct asked *a = mem_new(1, sizeof *a, "metrics", err);
    if (!a)
        return ST_NOMEM;
    c->own = a;
    a->pinned = c->pinned;
    a->cursor = c;
    enum status st = choose_metrics(a, err);
    if (!st)
        st = workspace_list_notes(c->pinned->wb->space, c->pinned->data->name, "evaluation", add_note, a, err);
    join_previous(a);
    *pieces = a->n * a->nmetrics;
    return st;
}

static void put_common(const struct judged *j, const struct metric_at *m, struct table *out)
{
    static const char *const histories[] = {
        [ROLLING_NOT] = "fixed", [ROLLING_IN_ORDER] = "rolling", [ROLLING_ANYHOW] = "rolling"};
    table_text(out, j->model->name);
    table_text(out, m->name);
    table_text(out, j->e->protocol.on == PART_VALID ? "valid" : "test");
    table_text(out, histories[j->e->protocol.rolling]);
    table_text(out, j->e->protocol.hide_seen ? "hide" : "show");
}

/* What a measurement is of. */
#define OF_A_MEASUREMENT                                                                                            \
    {"model", SQL_TEXT, SQL_PUSH, "a trained model that `compare` has judged on the present split"},                \
    {"metric", SQL_TEXT, SQL_PUSH, "ndcg@10, rmse, ...; any k when compared with ="},                               \
    {"part", SQL_TEXT, SQL_PUSH, "of the split: test or valid"},                                                    \
    {"history", SQL_TEXT, SQL_PUSH, "fixed, or rolling"},                                                           \
    {"seen", SQL_TEXT, SQL_PUSH, "hide: what the user had is not listed; show"}

static const struct held_column columns[] = {
    OF_A_MEASUREMENT,
    {"mean", SQL_REAL, SQL_PUSH, "over the users with a history; rmse and mae over their ratings"},
    {"sd", SQL_REAL, SQL_PUSH, "standard deviation between them"},
    {"users", SQL_INT, SQL_PUSH, "how many they are"},
    {"mean_cold", SQL_REAL, SQL_PUSH, "over the users without"},
    {"users_cold", SQL_INT, SQL_PUSH, "how many they are"},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* Puts at hand what the metric needs to know of items; made when the first metric asks. */
static enum status make_ready(struct held_cursor *c, struct evaluation *e, const struct metric *m, struct error *err)
{
    struct asked *a = c->own;
    struct item_facts **facts = &a->facts[2 * (e->protocol.on == PART_VALID) + e->protocol.hide_seen];
    enum status st = ST_OK;
    if (m->needs & NEEDS_FACTS && !*facts)
        st = item_facts_new(c->pinned->data, c->pinned->split, &e->protocol, facts, err);
    e->facts = *facts;
    return st;
}

/* The evaluation and the metric of a piece; *has is false where it cannot be taken: lists too short, no ratings
 * predicted. */
static enum status piece_of(struct held_cursor *c, size_t piece, const struct judged **j, const struct metric_at **m,
                            bool *has, struct error *err)
{
    const struct asked *a = c->own;
    *j = &a->judged[piece / a->nmetrics];
    *m = &a->metric[piece % a->nmetrics];
    *has = (*m)->k <= (*j)->e->depth || (*j)->e->depth >= (*j)->e->nitems;
    enum status st = *has ? make_ready(c, (*j)->e, (*m)->metric, err) : ST_OK;
    *has = *has && !st && !evaluation_lacks((*j)->e, *m);
    return st;
}

static double deviation(const struct evaluation *e, const double *value, double mean, size_t n)
{
    double squares = 0;
    for (size_t i = 0; i < e->nusers; i++)
        squares += e->warm[i] && !isnan(value[i]) ? (value[i] - mean) * (value[i] - mean) : 0;
    return n > 1 ? sqrt(squares / (double)(n - 1)) : NAN;
}

static enum status fill_metrics(struct held_cursor *c, size_t piece, struct table *out, struct error *err)
{
    const struct judged *j;
    const struct metric_at *m;
    bool has;
    enum status st = piece_of(c, piece, &j, &m, &has, err);
    if (st || !has)
        return st;
    double *value = mem_new_raw(j->e->nusers, sizeof *value, "metrics", err), mean = NAN, sd = NAN;
    size_t nwarm = 0, ncold = 0;
    if (!value)
        return ST_NOMEM;
    if (metric_of_users(m->metric)) {
        evaluation_users(j->e, m, value);
        mean = evaluation_mean(j->e, value, true, &nwarm);
        sd = deviation(j->e, value, mean, nwarm);
        evaluation_mean(j->e, value, false, &ncold);
    }
    put_common(j, m, out);
    table_real(out, evaluation_value(j->e, m, true));
    table_real(out, sd);
    table_int(out, (int64_t)nwarm);
    table_real(out, ncold ? evaluation_value(j->e, m, false) : NAN);
    table_int(out, (int64_t)ncold);
    mem_free(value);
    return ST_OK;
}

static const struct held held_metrics = {.columns = columns,
                                         .ncolumns = COLUMNS,
                                         .needs_data = true,
                                         .rows = 100,
                                         .user_column = SIZE_MAX,
                                         .begin = begin,
                                         .fill = fill_metrics,
                                         .end = end};

const struct sql_table table_metrics = {.own = &held_metrics,
                                        .name = "metrics",
                                        .summary = "what `compare` found out, a row for each model and metric",
                                        HELD_SLOTS};

/* ---- user by user ---- */

static const struct held_column user_columns[] = {
    OF_A_MEASUREMENT,
    {"user", SQL_TEXT, SQL_PUSH, "whose lists were judged"},
    {"value", SQL_REAL, SQL_PUSH, "of the metric"},
    {"cold", SQL_INT, SQL_PUSH, "1: the user had no history"},
};
enum { USER_COLUMNS = sizeof user_columns / sizeof *user_columns };

/* A byte for each user asked about, or NULL: all. */
static enum status choose_users(const struct held_cursor *c, uint8_t **chosen, struct error *err)
{
    const struct sql_test *t = sql_test_of(c->tests, c->ntests, FIRST_OWN);
    const struct dict *users = &c->pinned->data->users;
    *chosen = t ? mem_new(users->n, 1, "users", err) : NULL;
    for (size_t i = 0; *chosen && i < t->ntexts; i++) {
        uint32_t user = dict_find(users, t->texts[i].text, t->texts[i].length);
        if (user != NO_USER)
            (*chosen)[user] = 1;
    }
    return t && !*chosen ? ST_NOMEM : ST_OK;
}

static enum status fill_users(struct held_cursor *c, size_t piece, struct table *out, struct error *err)
{
    const struct judged *j;
    const struct metric_at *m;
    bool has;
    enum status st = piece_of(c, piece, &j, &m, &has, err);
    if (st || !has || !metric_of_users(m->metric))
        return st;
    const struct evaluation *e = j->e;
    uint8_t *chosen = NULL;
    double *value = mem_new_raw(e->nusers, sizeof *value, "metrics", err);
    st = value ? choose_users(c, &chosen, err) : ST_NOMEM;
    if (!st)
        evaluation_users(e, m, value);
    for (size_t i = 0; i < e->nusers && !st; i++) {
        if (chosen && !chosen[e->user[i]])
            continue;
        put_common(j, m, out);
        table_text(out, dict_text(&c->pinned->data->users, e->user[i]));
        table_real(out, value[i]);
        table_int(out, !e->warm[i]);
    }
    mem_free(value);
    mem_free(chosen);
    return st;
}

static const struct held held_users = {.columns = user_columns,
                                       .ncolumns = USER_COLUMNS,
                                       .needs_data = true,
                                       .rows = 1e6,
                                       .user_column = SIZE_MAX,
                                       .begin = begin,
                                       .fill = fill_users,
                                       .end = end};

const struct sql_table table_user_metrics = {
    .own = &held_users, .name = "user_metrics", .summary = "the same for each user", HELD_SLOTS};
