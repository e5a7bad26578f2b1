/* Lists: what a user would see, what is like an item, what fits some words. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/question.h"
#include "commands/served_words.h"
#include "inspect/find.h"
#include "models/served.h"
#include "ranking/lists.h"

/* ---- recommend USER ---- */

enum { LIST_MODEL, LIST_RANK, LIST_ITEM, LIST_SCORE = LIST_ITEM + ITEM_COLUMNS, LIST_SEEN, LIST_SERVED, LIST_COLUMNS };

static bool any_served(const struct question *q)
{
    bool any = false;
    for (size_t i = 0; i < q->nmodels; i++)
        any |= model_is_served(q->models[i]);
    return any;
}

/* Does one of the models say more than places? */
static bool any_scores(const struct question *q)
{
    bool any = false;
    for (size_t i = 0; i < q->nmodels; i++)
        any |= !isnan(model_shown_score(q->models[i], 0));
    return any;
}

static struct table *new_list(const struct question *q, struct result *out)
{
    bool served = any_served(q);
    struct column columns[LIST_COLUMNS] = {
        [LIST_MODEL] = {.name = "model",
                        .type = VALUE_TEXT,
                        .flags = COLUMN_SCALE | (q->nmodels == 1 ? COLUMN_HIDDEN : 0)},
        [LIST_RANK] = {.name = "rank", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [LIST_SCORE] = {.name = "score",
                        .type = VALUE_REAL,
                        .flags = any_scores(q) ? COLUMN_SCORE : COLUMN_SCORE | COLUMN_HIDDEN},
        [LIST_SEEN] = {.name = "seen",
                       .type = VALUE_TIME,
                       .flags = q->seen == SEEN_HIDE && !served ? COLUMN_HIDDEN : 0},
        [LIST_SERVED] = {.name = "served", .type = VALUE_TIME, .flags = served ? 0 : COLUMN_HIDDEN},
    };
    item_columns(q->data, columns + LIST_ITEM);
    const char *title = q->nmodels == 1 ? result_textf(out, "for %s, by %s", q->who, q->models[0]->name)
                                        : result_textf(out, "for %s", q->who);
    return result_table(out, "list", title, columns, LIST_COLUMNS);
}

static bool all_alike(const struct ranked_list *l)
{
    return l->n > 1 && l->entries[0].score == l->entries[l->n - 1].score;
}

/* A list of n equal scores stands in the order of the items. Either the model has nothing to say, or more items are as
 * good. */
static enum status say_alike(const struct question *q, const struct model *m, const struct query *query, size_t n,
                             float score, struct result *out, struct error *err)
{
    size_t items = 0, alike = 0;
    float *scores = mem_new_raw(m->nitems, sizeof *scores, "scores", err);
    enum status st = scores ? rank_scores(m, query, q->seen, scores, err) : ST_NOMEM;
    for (size_t i = 0; i < m->nitems && !st; i++) {
        items += scores[i] > -INFINITY;
        alike += scores[i] == score;
    }
    mem_free(scores);
    if (st)
        return st;
    if (alike == items)
        result_message(out, MESSAGE_WARNING, "%s has no opinion about this history: all scores are %g", m->name,
                       (double)score);
    else if (alike > n)
        result_message(out, MESSAGE_WARNING,
                       "%s scores the best %zu items alike (%g): listed are the first of them in the order of the data",
                       m->name, alike, (double)score);
    return ST_OK;
}

/* `first`: of the models asked. The list of the last one that has any is the one that #3 is about. */
static enum status add_list(struct workbench *wb, const struct question *q, const struct model *m, bool first, size_t k,
                            struct table *t, struct result *out, struct error *err)
{
    struct ranked_list l;
    struct query query = history_query(&q->history);
    struct served_list served = {.time = NO_TIME};
    if (model_is_served(m) && !served_find(m, query.user, query.as_of, &served))
        served.time = NO_TIME;
    enum status st = rank_list(m, &query, k, q->seen, &l, err);
    uint32_t *items = st ? NULL : mem_new(l.n, sizeof *items, "a list", err);
    if (!items) {
        ranked_list_clear(&l);
        return st ? st : ST_NOMEM;
    }
    for (size_t i = 0; i < l.n; i++) {
        const struct ranked *r = &l.entries[i];
        items[i] = r->item;
        table_text(t, m->name);
        table_int(t, (int64_t)i + 1);
        item_cells(q->data, r->item, t);
        table_real(t, model_shown_score(m, r->score));
        table_time(t, r->seen_at);
        table_time(t, served.time);
    }
    if (model_is_served(m))
        served_say_list(q, m, out);
    else if (!l.n && q->history.n)
        result_message(out, MESSAGE_INFO, "%s has nothing to list: %s knows every item it could%s", m->name, q->who,
                       q->seen == SEEN_HIDE ? "; `seen=show` lists these too" : "");
    else if (q->history.n && all_alike(&l))
        st = say_alike(q, m, &query, l.n, l.entries[0].score, out, err);
    if (!st && (first || l.n))
        st = remember_list(wb, items, l.n, err);
    mem_free(items);
    ranked_list_clear(&l);
    return st;
}

static enum status recommend_one(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct question q;
    enum status st = question_open(wb, call, &call->args[0], &q, err);
    if (st)
        goto out;
    struct table *t = new_list(&q, out);
    for (size_t i = 0; i < q.nmodels && !st; i++)
        st = add_list(wb, &q, q.models[i], i == 0, (size_t)call_int(call, "k"), t, out, err);
    if (st)
        goto out;
    if (q.history.n == 0)
        result_message(out, MESSAGE_INFO, "the history of %s is empty%s", q.who,
                       q.history.as_of == NO_TIME ? "" : " at that moment");
    question_end(wb, call, &q, NO_ITEM, out);
out:
    question_close(&q);
    return st;
}

/* ---- recommend all ---- */

enum { ALL_MODEL, ALL_USER, ALL_RANK, ALL_ITEM, ALL_TITLE, ALL_SCORE, ALL_COLUMNS };

/* A block is so many users, if their lists have no more entries than that. Scoring makes its own, smaller batches. */
enum { ALL_USERS = 2048, ALL_ENTRIES = 1 << 16 };

/* Lists of everybody, a block of users at a time, one model after the other. */
struct everybody {
    struct question q;
    struct selection selection;
    uint32_t *users; /* those with a history */
    size_t nusers, k, model, at, block;
    struct ranker ranker; /* of the model whose lists are made: ranker.m is NULL before the first */
    struct scored *best;
    size_t *counts;
    struct job *job;
};

static void add_row(const struct everybody *e, const struct model *m, uint32_t user, size_t rank, struct scored s,
                    struct table *t)
{
    const struct dataset *d = e->q.data;
    table_text(t, m->name);
    table_text(t, dict_text(&d->users, user));
    table_int(t, (int64_t)rank);
    table_text(t, dict_text(&d->items, s.index));
    table_text(t, dataset_titles(d) ? dataset_item_title(d, s.index) : NULL);
    table_real(t, model_shown_score(m, s.score));
}

static enum status everybody_next(void *context, struct table *block, struct error *err)
{
    struct everybody *e = context;
    if (e->at == e->nusers) {
        e->model++;
        e->at = 0;
        ranker_clear(&e->ranker);
    }
    if (e->model >= e->q.nmodels || e->nusers == 0)
        return ST_OK;
    const struct model *m = e->q.models[e->model];
    size_t n = e->nusers - e->at < e->block ? e->nusers - e->at : e->block;
    enum status st = e->ranker.m ? ST_OK : ranker_new(&e->ranker, m, e->k, e->q.seen, e->nusers, err);
    if (!st)
        st = ranker_users(&e->ranker, &e->selection, e->users + e->at, n, e->job, e->best, e->counts, err);
    for (size_t i = 0; i < n && !st; i++)
        for (size_t r = 0; r < e->counts[i]; r++)
            add_row(e, m, e->users[e->at + i], r + 1, e->best[i * e->k + r], block);
    e->at += n;
    return st;
}

static enum status everybody_rewind(void *context, struct error *err)
{
    (void)err;
    struct everybody *e = context;
    e->model = e->at = 0;
    ranker_clear(&e->ranker);
    return ST_OK;
}

static void everybody_close(void *context)
{
    struct everybody *e = context;
    ranker_clear(&e->ranker);
    question_close(&e->q);
    mem_free(e->users);
    mem_free(e->best);
    mem_free(e->counts);
    mem_free(e);
}

static bool has_history(const struct selection *s, uint32_t user)
{
    for (size_t e = s->data->user_begin[user]; e < s->data->user_begin[user + 1]; e++)
        if (selection_has(s, e))
            return true;
    return false;
}

static enum status find_everybody(struct workbench *wb, const struct call *call, struct everybody *e, struct error *err)
{
    enum status st = question_open(wb, call, NULL, &e->q, err);
    if (st)
        return st;
    const struct dataset *d = e->q.data;
    e->selection = question_selection(wb, call, d);
    e->q.history.as_of = e->selection.until;
    e->k = (size_t)call_int(call, "k");
    e->k = e->k < d->items.n ? e->k : d->items.n;
    e->job = &wb->job;
    e->block = e->k ? ALL_ENTRIES / e->k : ALL_USERS;
    e->block = e->block < 1 ? 1 : e->block < ALL_USERS ? e->block : ALL_USERS;
    e->users = mem_new_raw(d->users.n, sizeof *e->users, "users", err);
    e->best = mem_new_raw(e->block * e->k, sizeof *e->best, "lists", err);
    e->counts = mem_new(e->block, sizeof *e->counts, "lists", err);
    if (!e->users || !e->best || !e->counts)
        return ST_NOMEM;
    for (uint32_t u = 0; u < d->users.n; u++)
        if (has_history(&e->selection, u))
            e->users[e->nusers++] = u;
    return ST_OK;
}

static enum status recommend_all(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct everybody *e = mem_new(1, sizeof *e, "lists of all users", err);
    enum status st = e ? find_everybody(wb, call, e, err) : ST_NOMEM;
    if (st) {
        if (e)
            everybody_close(e);
        return st;
    }
    size_t without = e->q.data->users.n - e->nusers;
    bool titles = dataset_titles(e->q.data);
    const struct column columns[ALL_COLUMNS] = {
        [ALL_MODEL] = {.name = "model",
                       .type = VALUE_TEXT,
                       .flags = COLUMN_SCALE | (e->q.nmodels == 1 ? COLUMN_HIDDEN : 0)},
        [ALL_USER] = {.name = "user", .type = VALUE_TEXT},
        [ALL_RANK] = {.name = "rank", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [ALL_ITEM] = {.name = "item", .type = VALUE_TEXT, .flags = titles ? COLUMN_COMPACT : 0},
        [ALL_TITLE] = {.name = "title", .type = VALUE_TEXT, .flags = titles ? 0 : COLUMN_HIDDEN},
        [ALL_SCORE] = {.name = "score", .type = VALUE_REAL, .flags = COLUMN_SCORE},
    };
    char left_out[32];
    text_count(left_out, sizeof left_out, (int64_t)without);
    if (without)
        result_message(out, MESSAGE_INFO, "%s user%s without a history %s left out", left_out, without == 1 ? "" : "s",
                       without == 1 ? "is" : "are");
    warn_of_future(&e->q, out);
    job_begin(e->job, e->nusers * e->q.nmodels, "users", "recommend all");
    result_cursor(out, "lists", "lists of all users", columns, ALL_COLUMNS, everybody_next, everybody_rewind,
                  everybody_close, e);
    return ST_OK;
}

static enum status run_recommend(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    bool all = !call->args[0].quoted && strcmp(call->args[0].text, "all") == 0;
    return all ? recommend_all(wb, call, out, err) : recommend_one(wb, call, out, err);
}

/* ---- similar ITEM ---- */

enum { SIMILAR_MODEL, SIMILAR_RANK, SIMILAR_ITEM, SIMILAR_VALUE = SIMILAR_ITEM + ITEM_COLUMNS, SIMILAR_COLUMNS };

static enum status add_similar(struct workbench *wb, const struct question *q, const struct model *m, uint32_t item,
                               size_t k, struct table *t, struct error *err)
{
    k = k < m->nitems ? k : m->nitems;
    float *similarity = mem_new_raw(m->nitems, sizeof *similarity, "similarities", err);
    struct scored *best = mem_new_raw(k, sizeof *best, "a list", err);
    uint32_t *items = mem_new(k, sizeof *items, "a list", err);
    enum status st = similarity && best && items ? model_similar(m, item, similarity, err) : ST_NOMEM;
    size_t n = st ? 0 : topk(similarity, m->nitems, k, best);
    for (size_t i = 0; i < n; i++) {
        items[i] = best[i].index;
        table_text(t, m->name);
        table_int(t, (int64_t)i + 1);
        item_cells(q->data, best[i].index, t);
        table_real(t, best[i].score);
    }
    if (!st)
        st = remember_list(wb, items, n, err);
    mem_free(similarity);
    mem_free(best);
    mem_free(items);
    return st;
}

static void leave_out(struct question *q, size_t model)
{
    model_release(q->models[model]);
    q->nmodels--;
    memmove(q->models + model, q->models + model + 1, (q->nmodels - model) * sizeof *q->models);
}

static enum status run_similar(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct question q;
    uint32_t item = 0;
    struct str line = {0};
    enum status st = question_open(wb, call, NULL, &q, err);
    if (!st)
        st = name_item(wb, q.data, &call->args[0], &item, err);
    if (st)
        goto out;
    struct column columns[SIMILAR_COLUMNS] = {
        [SIMILAR_MODEL] = {.name = "model", .type = VALUE_TEXT, .flags = q.nmodels == 1 ? COLUMN_HIDDEN : 0},
        [SIMILAR_RANK] = {.name = "rank", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [SIMILAR_VALUE] = {.name = "similarity", .type = VALUE_REAL, .precision = 4, .flags = COLUMN_BAR},
    };
    item_columns(q.data, columns + SIMILAR_ITEM);
    const char *title = result_textf(out, "like %s%s%s", dataset_item_title(q.data, item),
                                     q.nmodels == 1 ? ", by " : "", q.nmodels == 1 ? q.models[0]->name : "");
    struct table *t = result_table(out, "similar", title, columns, SIMILAR_COLUMNS);
    for (size_t i = 0; i < q.nmodels && !st;) {
        st = add_similar(wb, &q, q.models[i], item, (size_t)call_int(call, "k"), t, err);
        if (st == ST_UNSUPPORTED && call->nmodels == 0 && q.nmodels > 1) {
            leave_out(&q, i); /* not asked for by name, and others can answer */
            st = ST_OK;
        } else {
            i++;
        }
    }
    if (st)
        goto out;
    str_puts(&line, "similar");
    put_item(&line, q.data, item);
    put_end(&line, call, &q);
    put_command(&line, out);
out:
    str_free(&line);
    question_close(&q);
    return st;
}

/* ---- find WORDS ---- */

enum { FIND_ITEM, FIND_EVENTS = FIND_ITEM + ITEM_COLUMNS, FIND_FIELD, FIND_COLUMNS };

static enum status add_found(struct workbench *wb, const struct question *q, const struct found_list *l,
                             struct result *out, struct error *err)
{
    struct column columns[FIND_COLUMNS] = {
        [FIND_EVENTS] = {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [FIND_FIELD] = {.name = "found_in", .type = VALUE_TEXT, .flags = COLUMN_COMPACT},
    };
    item_columns(q->data, columns + FIND_ITEM);
    columns[FIND_ITEM].flags = 0; /* who searches wants the id */
    struct table *t = result_table(out, "items", "", columns, FIND_COLUMNS);
    uint32_t *items = mem_new(l->n, sizeof *items, "a list", err);
    if (!items)
        return ST_NOMEM;
    for (size_t i = 0; i < l->n; i++) {
        items[i] = l->items[i].item;
        item_cells(q->data, l->items[i].item, t);
        table_int(t, (int64_t)l->items[i].events);
        table_text(t, l->items[i].field);
    }
    enum status st = remember_list(wb, items, l->n, err);
    mem_free(items);
    if (l->all > l->n)
        result_message(out, MESSAGE_INFO, "%zu more fit%s; k=%zu shows all", l->all - l->n,
                       l->all - l->n == 1 ? "s" : "", l->all);
    return st;
}

static enum status run_find(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct question q;
    struct found_list l = {0};
    enum status st = question_open_data(wb, call, NULL, &q, err);
    const char **words = st ? NULL : mem_new(call->nargs, sizeof *words, "words", err);
    if (!words) {
        question_close(&q);
        return st ? st : ST_NOMEM;
    }
    for (size_t i = 0; i < call->nargs; i++)
        words[i] = call->args[i].text;
    st = find_items(q.data, wb->now, words, call->nargs, (size_t)call_int(call, "k"), &l, err);
    if (!st && l.all == 0) {
        st = error_set(err, ST_NOT_FOUND, "no item has %s \"%s\"%s in its id, title or attributes",
                       call->nargs > 1 ? "all of" : "the word", words[0], call->nargs > 1 ? ", ..." : "");
        error_hint(err, "try fewer letters: parts of words are found too");
        error_at_word(st, err, &call->args[0]);
    }
    if (!st)
        st = add_found(wb, &q, &l, out, err);
    mem_free(words);
    found_list_clear(&l);
    question_close(&q);
    return st;
}

/* ---- the rows ---- */

static const struct argument recommend_args[] = {
    {.name = "USER|all", .type = ARG_USER, .doc = "an id, . for the current user, new for the made-up one, or all"}};
static const struct argument similar_args[] = {
    {.name = "ITEM", .type = ARG_ITEM, .doc = "an id, a title, or #3 of the last list"}};
static const struct argument find_args[] = {
    {.name = "WORD", .type = ARG_TEXT, .repeated = true, .doc = "letters that must be in the id, title or attributes"}};

static const struct param recommend_options[] = {
    {.name = "k", .type = PARAM_INT, .initial = "10", .min = 1, .max = 1e9, .doc = "length of a list"},
    OPTION_SEEN,
    OPTION_AT,
};
static const struct param similar_options[] = {
    {.name = "k", .type = PARAM_INT, .initial = "10", .min = 1, .max = 1e9, .doc = "length of a list"}};
static const struct param find_options[] = {
    {.name = "k", .type = PARAM_INT, .initial = "20", .min = 1, .max = 1e9, .doc = "items shown"}};

static const struct command rows[] = {
    {.name = "recommend",
     .group = "inspect",
     .summary = "the list a user would see",
     .arguments = recommend_args,
     .narguments = 1,
     .options = recommend_options,
     .noptions = 3,
     .flags = COMMAND_WITH | COMMAND_NEEDS_DATA,
     .help = "Scores all items for the user's history up to now (or at=) and lists the best, without what they have "
             "had already (seen=show leaves it in). Where the split has a target, as in `split last 1 "
             "target=purchase`, only events of that type hide their items, here as in `compare`: who is asked what "
             "they will buy may be shown what they have looked at. `recommend all` makes the lists of everybody who "
             "has a history; with `> lists.csv` it streams to a file. In the next command #3 means the third item of "
             "this list.",
     .examples = (const char *const[]){"recommend ana", "recommend ana with ease k=3",
                                       "recommend ana with ease pop seen=show", "recommend all with ease k=2", NULL},
     .run = run_recommend},
    {.name = "similar",
     .group = "inspect",
     .summary = "items that a model takes for alike",
     .arguments = similar_args,
     .narguments = 1,
     .options = similar_options,
     .noptions = 1,
     .flags = COMMAND_WITH | COMMAND_NEEDS_DATA,
     .help = "What it means depends on the model: shared users for itemknn, weights for ease, the angle between "
             "vectors for ials.",
     .examples = (const char *const[]){"similar tent with itemknn", "similar \"Spice set\"", NULL},
     .run = run_similar},
    {.name = "find",
     .group = "inspect",
     .summary = "items by words",
     .arguments = find_args,
     .narguments = 1,
     .options = find_options,
     .noptions = 1,
     .flags = COMMAND_NEEDS_DATA,
     .help = "Looks for all the words in ids, titles and text attributes, without regard to case. Titles that begin "
             "with the first word come first, then the most used items.",
     .examples = (const char *const[]){"find camping", "find pan k=3", NULL},
     .run = run_find},
};

const struct command_family recommend_commands = {rows, sizeof rows / sizeof *rows};
