/* What models answer: the functions recommend(), similar(), explain() and score(), with the same numbers as the
 * commands `recommend`, `similar` and `why`, also with their at=. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "commands/held.h"
#include "models/served.h"

/* ---- what is asked ---- */

/* A model's answer about one user: kept, since score() is asked about many items of one user in a row. */
static enum status find_model(const struct pinned *p, const char *name, const struct model **out, struct error *err)
{
    const char *names[64];
    size_t n = 0;
    for (size_t i = 0; i < p->nmodels; i++) {
        if (strcmp(p->models[i]->name, name) == 0) {
            *out = p->models[i];
            return ST_OK;
        }
        if (n < 64)
            names[n++] = p->models[i]->name;
    }
    error_set(err, ST_NOT_FOUND, "no trained model \"%s\"", name);
    const char *near = text_nearest(name, names, n);
    if (near)
        error_hint(err, "did you mean %s?", near);
    else
        error_hint(err, n ? "`models` lists those there are" : "train one first: `train ease`");
    return ST_NOT_FOUND;
}

/* The moment of asking: the clock, or the argument `at` where there is one, which cannot lie behind it. */
static enum status moment_of(const struct pinned *p, int64_t at, int64_t *out, struct error *err)
{
    char clock[40];
    *out = at == NO_TIME ? p->now : at;
    if (at != NO_TIME && !p->data->events.time) {
        error_set(err, ST_STATE, "the argument at needs to know when events happened, and no event of %s has a time",
                  p->data->name);
        error_hint(err, "load the data with time=COLUMN");
        return ST_STATE;
    }
    if (at == NO_TIME || p->now == NO_TIME || at <= p->now)
        return ST_OK;
    time_short(clock, sizeof clock, p->now);
    error_set(err, ST_USAGE, "the argument at lies after the clock, which is rewound to %s", clock);
    error_hint(err, "`rewind now` goes back to the present");
    return ST_USAGE;
}

/* The history that m is asked about; p remembers when m knows what came after. */
static enum status history_of(struct pinned *p, const struct model *m, const char *user, int64_t at,
                              struct history *out, struct error *err)
{
    struct selection s = {.data = p->data, .hides = split_hides(p->split, p->data)};
    uint32_t u;
    enum status st = moment_of(p, at, &s.until, err);
    if (!st)
        st = dataset_find_user(p->data, user, &u, err);
    if (!st)
        pinned_foresaw(p, m, s.until);
    return st ? st : history_of_user(&s, u, out, err);
}

/* An id, else a title as commands take it. */
static enum status find_item(const struct pinned *p, const char *text, uint32_t *item, struct error *err)
{
    *item = dict_find_text(&p->data->items, text);
    return *item != NO_ITEM ? ST_OK : dataset_find_item(p->data, text, item, err);
}

static enum status check_k(int64_t k, struct error *err)
{
    return k < 0 ? error_set(err, ST_USAGE, "a list of %lld items", (long long)k) : ST_OK;
}

static void put_item_cells(const struct dataset *d, uint32_t item, struct table *out)
{
    table_text(out, dict_text(&d->items, item));
    table_text(out, dataset_item_title(d, item));
}

/* ---- recommend(model, user, k) ---- */

#define AT_COLUMN                                                                                                      \
    {                                                                                                                  \
        "at", SQL_TIME, SQL_ARGUMENT | SQL_OPTIONAL,                                                                   \
            "only the history before this moment, with the same model; the clock without it"                           \
    }

enum { A_RANK, A_ITEM, A_TITLE, A_SCORE, A_SEEN, A_MODEL, A_USER, A_K, A_AT, A_COLUMNS };

static const struct held_column recommend_columns[A_COLUMNS] = {
    {"rank", SQL_INT, SQL_PUSH, "1 is the best"},
    {"item", SQL_TEXT, SQL_PUSH, "id"},
    {"title", SQL_TEXT, 0, "title, or the id"},
    {"score", SQL_REAL, SQL_PUSH, "of the model"},
    {"seen", SQL_TIME, 0, "when the user had it last; only with `set seen show`"},
    {"model", SQL_TEXT, SQL_ARGUMENT, "a trained model"},
    {"user", SQL_TEXT, SQL_ARGUMENT, "an id"},
    {"k", SQL_INT, SQL_ARGUMENT | SQL_OPTIONAL, "length of the list, 10 without it"},
    AT_COLUMN,
};

/* Arguments that are null give no rows. */
static bool asked(const struct held_cursor *c, size_t from, size_t n)
{
    for (size_t i = from; i < from + n; i++)
        if (!held_text(c, i))
            return false;
    return true;
}

static enum status fill_recommend(struct held_cursor *c, size_t piece, struct table *out, struct error *err)
{
    struct pinned *p = c->pinned;
    const struct model *m;
    struct history h = {0};
    struct ranked_list l = {0};
    int64_t k = held_int(c, A_K, 10);
    (void)piece;
    if (!asked(c, A_MODEL, 2))
        return ST_OK;
    enum status st = find_model(p, held_text(c, A_MODEL), &m, err);
    if (!st)
        st = check_k(k, err);
    if (!st)
        st = history_of(p, m, held_text(c, A_USER), held_int(c, A_AT, NO_TIME), &h, err);
    struct query q = history_query(&h);
    if (!st)
        st = rank_list(m, &q, (size_t)k, p->seen, &l, err);
    for (size_t i = 0; i < l.n && !st; i++) {
        table_int(out, (int64_t)i + 1);
        put_item_cells(p->data, l.entries[i].item, out);
        table_real(out, model_shown_score(m, l.entries[i].score));
        table_time(out, l.entries[i].seen_at);
        for (size_t a = A_MODEL; a < A_COLUMNS; a++)
            table_null(out);
    }
    ranked_list_clear(&l);
    history_clear(&h);
    return st;
}

static const struct held recommend = {.columns = recommend_columns,
                                      .ncolumns = A_COLUMNS,
                                      .rows = 10,
                                      .needs_data = true,
                                      .user_column = SIZE_MAX,
                                      .fill = fill_recommend};

const struct sql_table table_recommend = {.own = &recommend,
                                          .name = "recommend",
                                          .summary = "recommend(model, user, k, at): the list a user would see",
                                          .function = true,
                                          HELD_SLOTS};

/* ---- similar(model, item, k) ---- */

enum { L_RANK, L_ITEM, L_TITLE, L_SIMILARITY, L_MODEL, L_TO, L_K, L_COLUMNS };

static const struct held_column similar_columns[L_COLUMNS] = {
    {"rank", SQL_INT, SQL_PUSH, "1 is the most alike"},
    {"item", SQL_TEXT, SQL_PUSH, "id"},
    {"title", SQL_TEXT, 0, "title, or the id"},
    {"similarity", SQL_REAL, SQL_PUSH, "what it means depends on the model"},
    {"model", SQL_TEXT, SQL_ARGUMENT, "a trained model"},
    {"like_item", SQL_TEXT, SQL_ARGUMENT, "an id or a title"},
    {"k", SQL_INT, SQL_ARGUMENT | SQL_OPTIONAL, "length of the list, 10 without it"},
};

static enum status fill_similar(struct held_cursor *c, size_t piece, struct table *out, struct error *err)
{
    const struct pinned *p = c->pinned;
    const struct model *m;
    uint32_t item = 0;
    int64_t k = held_int(c, L_K, 10);
    (void)piece;
    if (!asked(c, L_MODEL, 2))
        return ST_OK;
    enum status st = find_model(p, held_text(c, L_MODEL), &m, err);
    if (!st)
        st = check_k(k, err);
    if (!st)
        st = find_item(p, held_text(c, L_TO), &item, err);
    if (st)
        return st;
    size_t most = (uint64_t)k < m->nitems ? (size_t)k : m->nitems;
    float *similarity = mem_new_raw(m->nitems, sizeof *similarity, "similarities", err);
    struct scored *best = mem_new_raw(most, sizeof *best, "a list", err);
    st = similarity && best ? model_similar(m, item, similarity, err) : ST_NOMEM;
    size_t n = st ? 0 : topk(similarity, m->nitems, most, best);
    for (size_t i = 0; i < n; i++) {
        table_int(out, (int64_t)i + 1);
        put_item_cells(p->data, best[i].index, out);
        table_real(out, best[i].score);
        for (size_t a = L_MODEL; a < L_COLUMNS; a++)
            table_null(out);
    }
    mem_free(similarity);
    mem_free(best);
    return st;
}

static const struct held similar = {.columns = similar_columns,
                                    .ncolumns = L_COLUMNS,
                                    .rows = 10,
                                    .needs_data = true,
                                    .user_column = SIZE_MAX,
                                    .fill = fill_similar};

const struct sql_table table_similar = {.own = &similar,
                                        .name = "similar",
                                        .summary = "similar(model, item, k): items that a model takes for alike",
                                        .function = true,
                                        HELD_SLOTS};

/* ---- explain(model, user, item) ---- */

enum { E_BECAUSE, E_TITLE, E_PART, E_LABEL, E_EXACT, E_METHOD, E_MODEL, E_USER, E_ITEM, E_AT, E_COLUMNS };

static const struct held_column explain_columns[E_COLUMNS] = {
    {"because", SQL_TEXT, SQL_PUSH, "item of the history; null for what is owed to none"},
    {"title", SQL_TEXT, 0, "its title"},
    {"part", SQL_REAL, SQL_PUSH, "of the score; all parts sum to it"},
    {"label", SQL_TEXT, 0, "what a part without an item is"},
    {"exact", SQL_INT, 0, "1: exact, 0: an approximation"},
    {"method", SQL_TEXT, 0, "how it was taken apart"},
    {"model", SQL_TEXT, SQL_ARGUMENT, "a trained model"},
    {"user", SQL_TEXT, SQL_ARGUMENT, "an id"},
    {"item", SQL_TEXT, SQL_ARGUMENT, "an id or a title"},
    AT_COLUMN,
};

static void put_part(const struct pinned *p, const struct explanation *x, uint32_t item, double value,
                     const char *label, struct table *out)
{
    table_text(out, item == NO_ITEM ? NULL : dict_text(&p->data->items, item));
    table_text(out, item == NO_ITEM ? NULL : dataset_item_title(p->data, item));
    table_real(out, value);
    table_text(out, *label ? label : NULL);
    table_int(out, x->exact);
    table_text(out, x->method);
    for (size_t a = E_MODEL; a < E_COLUMNS; a++)
        table_null(out);
}

static enum status fill_explain(struct held_cursor *c, size_t piece, struct table *out, struct error *err)
{
    struct pinned *p = c->pinned;
    const struct model *m;
    struct history h = {0};
    struct explanation x = {0};
    uint32_t item = 0;
    (void)piece;
    if (!asked(c, E_MODEL, 3))
        return ST_OK;
    enum status st = find_model(p, held_text(c, E_MODEL), &m, err);
    if (!st)
        st = find_item(p, held_text(c, E_ITEM), &item, err);
    if (!st)
        st = history_of(p, m, held_text(c, E_USER), held_int(c, E_AT, NO_TIME), &h, err);
    struct query q = history_query(&h);
    if (!st)
        st = model_explain(m, &q, item, &x, err);
    for (size_t i = 0; i < x.nparts && !st; i++)
        put_part(p, &x, x.parts[i].item, x.parts[i].value, x.parts[i].label, out);
    if (!st && x.base != 0)
        put_part(p, &x, NO_ITEM, x.base, "for everybody", out);
    explanation_clear(&x);
    history_clear(&h);
    return st;
}

static const struct held explain = {.columns = explain_columns,
                                    .ncolumns = E_COLUMNS,
                                    .rows = 10,
                                    .needs_data = true,
                                    .user_column = SIZE_MAX,
                                    .fill = fill_explain};

const struct sql_table table_explain = {.own = &explain,
                                        .name = "explain",
                                        .summary = "explain(model, user, item, at): a score taken apart",
                                        .function = true,
                                        HELD_SLOTS};

/* ---- score(model, user, item) ---- */

/* Scores of the pair asked about last. */
static enum status score_all(struct pinned *p, const struct model *m, const char *user, int64_t at, struct error *err)
{
    struct history h = {0};
    if (p->scored == m && p->scored_at == at && p->scored_user && strcmp(p->scored_user, user) == 0)
        return ST_OK;
    mem_free(p->scores);
    mem_free(p->scored_user);
    p->scored = NULL;
    p->scores = mem_new_raw(m->nitems, sizeof *p->scores, "scores", err);
    p->scored_user = mem_strdup(user, err);
    enum status st = p->scores && p->scored_user ? history_of(p, m, user, at, &h, err) : ST_NOMEM;
    struct query q = history_query(&h);
    if (!st)
        st = model_score(m, &q, 1, p->scores, err);
    if (!st) {
        p->scored = m;
        p->scored_at = at;
    }
    history_clear(&h);
    return st;
}

enum { S_ITEM, S_TITLE, S_SCORE, S_MODEL, S_USER, S_AT, S_COLUMNS };

static const struct held_column score_columns[S_COLUMNS] = {
    {"item", SQL_TEXT, SQL_PUSH, "id"},
    {"title", SQL_TEXT, 0, "title, or the id"},
    {"score", SQL_REAL, SQL_PUSH, "of the model"},
    {"model", SQL_TEXT, SQL_ARGUMENT, "a trained model"},
    {"user", SQL_TEXT, SQL_ARGUMENT, "an id"},
    AT_COLUMN,
};

static enum status fill_score(struct held_cursor *c, size_t piece, struct table *out, struct error *err)
{
    struct pinned *p = c->pinned;
    const struct model *m;
    (void)piece;
    if (!asked(c, S_MODEL, 2))
        return ST_OK;
    enum status st = find_model(p, held_text(c, S_MODEL), &m, err);
    if (!st)
        st = score_all(p, m, held_text(c, S_USER), held_int(c, S_AT, NO_TIME), err);
    for (uint32_t i = 0; !st && i < m->nitems; i++) {
        if (isinf(p->scores[i]) || !held_wants(c, S_ITEM, dict_text(&p->data->items, i)))
            continue;
        put_item_cells(p->data, i, out);
        table_real(out, p->scores[i]);
        for (size_t a = S_MODEL; a < S_COLUMNS; a++)
            table_null(out);
    }
    return st;
}

static const struct held score = {.columns = score_columns,
                                  .ncolumns = S_COLUMNS,
                                  .rows = 1e4,
                                  .needs_data = true,
                                  .user_column = SIZE_MAX,
                                  .fill = fill_score};

const struct sql_table table_score = {.own = &score,
                                      .name = "score",
                                      .summary = "score(model, user, at): what a model gives every item",
                                      .function = true,
                                      HELD_SLOTS};

/* The fourth argument: a time as texts have it, or seconds since 1970. */
static enum status read_moment(const struct sql_value *v, int64_t *out, struct error *err)
{
    char number[32];
    const char *text = v->text;
    if (v->kind == SQL_IS_INT) {
        snprintf(number, sizeof number, "%" PRId64, v->integer);
        text = number;
    }
    if ((v->kind == SQL_IS_TEXT || v->kind == SQL_IS_INT) && time_parse(text, strlen(text), 0, out))
        return ST_OK;
    error_set(err, ST_USAGE, "the moment of score() is no time");
    error_hint(err,
               "write times as '2025-03-01', '2025-03-01 14:30', '2025-03-01T14:30:00Z', or as seconds since 1970");
    return ST_USAGE;
}

static enum status call_score(void *context, const struct sql_value *args, size_t n, struct sql_cell *out,
                              struct error *err)
{
    struct pinned *p = context;
    const struct model *m;
    uint32_t item = 0;
    int64_t at = NO_TIME;
    enum status st = pinned_need_data(p, "score()", err);
    for (size_t i = 0; i < n && !st; i++) {
        if (args[i].kind == SQL_NULL)
            return ST_OK;
        if (i == 3)
            st = read_moment(&args[i], &at, err);
        else if (args[i].kind != SQL_IS_TEXT)
            st = error_set(err, ST_USAGE, "score() takes names in quotes: score('ease', '42', '17')");
    }
    if (!st)
        st = find_model(p, args[0].text, &m, err);
    if (!st)
        st = find_item(p, args[2].text, &item, err);
    if (!st)
        st = score_all(p, m, args[1].text, at, err);
    if (!st && item < m->nitems && !isinf(p->scores[item]))
        sql_put_real(out, p->scores[item]);
    return st;
}

const struct sql_function function_score = {.name = "score",
                                            .usage = "score(model, user, item, at)",
                                            .summary = "what a model gives an item for a user's history",
                                            .min = 3,
                                            .max = 4,
                                            .call = call_score};
