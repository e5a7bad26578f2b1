/* Two models side by side: for one user item by item, and over all users. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/lex.h"
#include "commands/question.h"
#include "commands/served_words.h"
#include "eval/cohorts.h"
#include "inspect/diff.h"
#include "inspect/whatif.h"
#include "models/served.h"

/* ---- one user ---- */

/* What the lists share; unknown where one of them is empty. */
static void put_overlap(const struct question *q, const struct diff_user *u, size_t k, struct result *out)
{
    static const struct column columns[] = {
        {.name = "user", .type = VALUE_TEXT},
        {.name = "a", .type = VALUE_TEXT},
        {.name = "b", .type = VALUE_TEXT},
        {.name = "k", .type = VALUE_INT},
        {.name = "shared", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "rbo", .type = VALUE_REAL, .precision = 3},
    };
    struct table *t = result_table(out, "overlap", "", columns, 6);
    table_text(t, q->who);
    table_text(t, q->models[0]->name);
    table_text(t, q->models[1]->name);
    table_int(t, (int64_t)k);
    if (u->length)
        table_int(t, u->shared);
    else
        table_null(t);
    table_real(t, u->length ? real_of_single(u->rbo) : NAN);
}

static void put_rank(struct table *t, size_t rank)
{
    if (rank)
        table_int(t, (int64_t)rank);
    else
        table_null(t);
}

/* The list of b with the places that a gives its items, and below it what is in the list of a alone. */
static void put_moves(const struct question *q, const struct whatif *w, size_t k, struct result *out)
{
    enum { RANK_A, RANK_B, MOVE, ITEM, CHANGE = ITEM + ITEM_COLUMNS, SCORE_A, SCORE_B, COLUMNS };
    struct column columns[COLUMNS] = {
        [RANK_A] = {.name = "rank_a", .type = VALUE_INT},
        [RANK_B] = {.name = "rank_b", .type = VALUE_INT},
        [MOVE] = {.name = "move", .type = VALUE_INT, .flags = COLUMN_MOVE | COLUMN_GAPS},
        [CHANGE] = {.name = "change", .type = VALUE_TEXT},
        [SCORE_A] = {.name = "score_a", .type = VALUE_REAL, .flags = COLUMN_SCORE | COLUMN_HIDDEN},
        [SCORE_B] = {.name = "score_b", .type = VALUE_REAL, .flags = COLUMN_SCORE | COLUMN_HIDDEN},
    };
    item_columns(q->data, columns + ITEM);
    const char *title = result_textf(out, "for %s: a is %s, b is %s", q->who, q->models[0]->name, q->models[1]->name);
    struct table *t = result_table(out, "lists", title, columns, COLUMNS);
    for (size_t i = 0; i < w->n; i++) {
        const struct move *m = &w->moves[i];
        bool in_a = m->before && m->before <= k, in_b = m->after && m->after <= k;
        put_rank(t, m->before);
        put_rank(t, m->after);
        if (m->before && m->after)
            table_int(t, (int64_t)m->before - (int64_t)m->after);
        else
            table_null(t);
        item_cells(q->data, m->item, t);
        table_text(t, in_a && in_b ? NULL : in_b ? "gained" : "lost");
        table_real(t, m->before ? m->score_before : NAN);
        table_real(t, m->after ? m->score_after : NAN);
    }
}

/* The two lists out of the moves; nothing of them when one is empty. */
static enum status overlap_of(const struct whatif *w, size_t k, struct diff_user *out, struct error *err)
{
    struct scored *a = mem_new(2 * w->n, sizeof *a, "lists", err), *b = a ? a + w->n : NULL;
    size_t na = 0, nb = 0;
    if (!a)
        return ST_NOMEM;
    for (size_t i = 0; i < w->n; i++) {
        const struct move *m = &w->moves[i];
        if (m->before && m->before <= k) {
            a[m->before - 1] = (struct scored){m->item, m->score_before};
            na++;
        }
        if (m->after && m->after <= k) {
            b[m->after - 1] = (struct scored){m->item, m->score_after};
            nb++;
        }
    }
    *out = na && nb ? diff_lists(a, na, b, nb) : (struct diff_user){.length = 0};
    mem_free(a);
    return ST_OK;
}

static enum status remember_moves(struct workbench *wb, const struct whatif *w, struct error *err)
{
    uint32_t *items = mem_new(w->listed, sizeof *items, "a list", err);
    if (!items)
        return ST_NOMEM;
    for (size_t i = 0; i < w->listed; i++)
        items[i] = w->moves[i].item;
    enum status st = remember_list(wb, items, w->listed, err);
    mem_free(items);
    return st;
}

static enum status diff_one(struct workbench *wb, const struct question *q, size_t k, struct result *out,
                            struct error *err)
{
    struct whatif w;
    struct diff_user u;
    struct query query = history_query(&q->history);
    enum status st = whatif_between(q->models[0], &query, q->models[1], &query, k, q->seen, &w, err);
    if (st)
        return st;
    st = overlap_of(&w, k, &u, err);
    if (!st) {
        put_overlap(q, &u, k, out);
        put_moves(q, &w, k, out);
        st = remember_moves(wb, &w, err);
    }
    whatif_clear(&w);
    for (size_t m = 0; !st && m < q->nmodels; m++)
        if (model_is_served(q->models[m]))
            served_say_list(q, q->models[m], out);
    if (!st && q->history.n == 0)
        result_message(out, MESSAGE_INFO, "the history of %s is empty%s", q->who,
                       q->history.as_of == NO_TIME ? "" : " at that moment");
    if (!st)
        wb->user = q->user;
    return st;
}

/* ---- all users ---- */

static void put_summary_cells(struct table *t, const struct diff_summary *s)
{
    table_int(t, (int64_t)s->users);
    table_real(t, s->rbo);
    table_real(t, s->overlap);
    table_real(t, s->users ? (double)s->same / (double)s->users : NAN);
    table_real(t, s->users ? (double)s->apart / (double)s->users : NAN);
}

enum { SUMMARY_COLUMNS = 5 };
static void summary_columns(struct column out[SUMMARY_COLUMNS])
{
    out[0] = (struct column){.name = "users", .type = VALUE_INT, .flags = COLUMN_COUNT};
    out[1] = (struct column){.name = "rbo", .type = VALUE_REAL, .precision = 3};
    out[2] = (struct column){.name = "overlap", .type = VALUE_REAL, .unit = "%", .precision = 1};
    out[3] = (struct column){.name = "same_list", .type = VALUE_REAL, .unit = "%", .precision = 1};
    out[4] = (struct column){.name = "nothing_shared", .type = VALUE_REAL, .unit = "%", .precision = 1};
}

static void put_summary(const struct question *q, const struct diff *d, struct result *out)
{
    enum { A, B, K, FIXED };
    struct column columns[FIXED + SUMMARY_COLUMNS] = {[A] = {.name = "a", .type = VALUE_TEXT},
                                                      [B] = {.name = "b", .type = VALUE_TEXT},
                                                      [K] = {.name = "k", .type = VALUE_INT}};
    struct diff_summary s = diff_summarize(d, NULL);
    summary_columns(columns + FIXED);
    struct table *t = result_table(out, "diff", "", columns, FIXED + SUMMARY_COLUMNS);
    table_text(t, q->models[0]->name);
    table_text(t, q->models[1]->name);
    table_int(t, (int64_t)d->k);
    put_summary_cells(t, &s);
}

/* How many items the lists share: each number, or ranges of them where lists are long. */
static enum status put_shared(const struct diff *d, struct result *out, struct error *err)
{
    enum { BARS = 11, EACH = 20 };
    static const struct column columns[] = {
        {.name = "shared", .type = VALUE_TEXT},
        {.name = "from", .type = VALUE_INT, .flags = COLUMN_HIDDEN},
        {.name = "to", .type = VALUE_INT, .flags = COLUMN_HIDDEN},
        {.name = "users", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "share", .type = VALUE_REAL, .unit = "%", .precision = 1, .flags = COLUMN_BAR},
    };
    size_t *count = mem_new(d->k + 1, sizeof *count, "shared items", err),
           width = d->k <= EACH ? 1 : (d->k + BARS) / BARS;
    if (!count)
        return ST_NOMEM;
    diff_shared(d, count);
    struct table *t = result_table(out, "shared", "items that both lists have", columns, 5);
    for (size_t from = 0; from <= d->k; from += width) {
        size_t to = from + width - 1 < d->k ? from + width - 1 : d->k, users = 0;
        for (size_t i = from; i <= to; i++)
            users += count[i];
        if (to > from)
            table_textf(t, "%zu-%zu", from, to);
        else
            table_textf(t, "%zu", from);
        table_int(t, (int64_t)from);
        table_int(t, (int64_t)to);
        table_int(t, (int64_t)users);
        table_real(t, d->nusers ? (double)users / (double)d->nusers : NAN);
    }
    mem_free(count);
    return ST_OK;
}

static void put_item_row(const struct question *q, const struct diff *d, const struct diff_item *i, struct table *t)
{
    item_cells(q->data, i->item, t);
    table_int(t, i->lists_a);
    table_int(t, i->lists_b);
    table_int(t, (int64_t)i->lists_b - (int64_t)i->lists_a);
    table_real(t, ((double)i->lists_b - (double)i->lists_a) / (double)d->nusers);
}

/* Those that gain most, then those that lose most, the worst last. */
static void put_items(const struct question *q, const struct diff *d, size_t most, struct result *out)
{
    enum { ITEM, A = ITEM + ITEM_COLUMNS, B, CHANGE, SHARE, COLUMNS };
    struct column columns[COLUMNS] = {
        [A] = {.name = "lists_a", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [B] = {.name = "lists_b", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [CHANGE] = {.name = "change", .type = VALUE_INT, .flags = COLUMN_MOVE},
        [SHARE] = {.name = "of_users", .type = VALUE_REAL, .unit = "%", .precision = 1},
    };
    size_t gain = 0, lose = 0;
    while (gain < d->nitems && gain < most && d->items[gain].lists_b > d->items[gain].lists_a)
        gain++;
    while (lose < d->nitems && lose < most &&
           d->items[d->nitems - 1 - lose].lists_b < d->items[d->nitems - 1 - lose].lists_a)
        lose++;
    if (!gain && !lose)
        return;
    item_columns(q->data, columns + ITEM);
    struct table *t = result_table(out, "items", "items in more lists, and in fewer", columns, COLUMNS);
    for (size_t i = 0; i < gain; i++)
        put_item_row(q, d, &d->items[i], t);
    for (size_t i = d->nitems - lose; i < d->nitems; i++)
        put_item_row(q, d, &d->items[i], t);
}

static void put_users(const struct question *q, const struct selection *s, const struct diff *d, size_t most,
                      struct result *out)
{
    static const struct column columns[] = {
        {.name = "user", .type = VALUE_TEXT},
        {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "shared", .type = VALUE_INT},
        {.name = "rbo", .type = VALUE_REAL, .precision = 3},
    };
    if (!most)
        return;
    struct table *t = result_table(out, "users", "users whose lists differ most", columns, 4);
    for (size_t i = 0; i < d->nusers && i < most; i++) {
        const struct diff_user *u = &d->users[i];
        table_text(t, dict_text(&q->data->users, u->user));
        table_int(t, (int64_t)(user_end_before(q->data, u->user, s->until) - q->data->user_begin[u->user]));
        table_int(t, u->shared);
        table_real(t, real_of_single(u->rbo));
    }
    struct str user = {0};
    lex_quote(&user, dict_text(&q->data->users, d->users[0].user));
    result_message(out, MESSAGE_HINT, "`diff %s with %s %s` opens one", result_str(out, &user), q->models[0]->name,
                   q->models[1]->name);
    str_free(&user);
}

/* The same of each segment by one thing. */
static enum status put_segments_by(const struct cohorts *c, const struct dataset *data, const uint32_t *users,
                                   const struct diff *d, struct table *t, struct error *err)
{
    uint8_t *chosen = mem_new_raw(data->users.n, sizeof *chosen, "users of a segment", err);
    if (!chosen)
        return ST_NOMEM;
    for (size_t i = 0; i < c->n; i++) {
        memset(chosen, 0, data->users.n);
        for (size_t u = 0; u < c->list[i].n; u++)
            chosen[users[c->list[i].users[u]]] = 1;
        struct diff_summary sum = diff_summarize(d, chosen);
        if (!sum.users) /* all of them are left out */
            continue;
        table_text(t, c->by);
        table_text(t, c->list[i].name);
        put_summary_cells(t, &sum);
    }
    mem_free(chosen);
    return ST_OK;
}

/* by=: in the order of cohorts. */
static enum status put_segments(const struct call *call, const struct selection *s, const uint32_t *users, size_t n,
                                const struct diff *d, struct result *out, struct error *err)
{
    struct cohorts *c;
    size_t nc;
    struct column columns[2 + SUMMARY_COLUMNS];
    const char *by = call_text(call, "by");
    if (!by)
        return ST_OK;
    enum status st = cohorts_of_users_by(s, users, n, by, &c, &nc, err);
    if (st)
        error_at_option(st, err, call, "by");
    columns[0] = (struct column){.name = "by", .type = VALUE_TEXT, .flags = nc == 1 ? COLUMN_HIDDEN : 0};
    columns[1] = (struct column){.name = "segment", .type = VALUE_TEXT};
    summary_columns(columns + 2);
    struct table *t = st ? NULL
                         : result_table(out, "segments", nc == 1 ? result_textf(out, "by %s", c[0].by) : "by segment",
                                        columns, 2 + SUMMARY_COLUMNS);
    for (size_t i = 0; i < nc && !st; i++)
        st = put_segments_by(&c[i], s->data, users, d, t, err);
    cohorts_free(c, nc);
    return st;
}

/* Those who are left out: of an empty list there is nothing to say. */
static void say_left_out(const struct question *q, const struct diff *d, size_t n, struct result *out)
{
    char without[24], of[24];
    text_count(of, sizeof of, (int64_t)n);
    for (size_t m = 0; m < 2; m++) {
        text_count(without, sizeof without, (int64_t)d->without[m]);
        if (d->without[m])
            result_message(out, MESSAGE_INFO, "%s lists nothing for %s of %s user%s%s: left out",
                           q->models[m]->name, without, of, n == 1 ? "" : "s",
                           q->history.as_of == NO_TIME ? "" : " by then");
    }
}

/* Of the n users, all in one order of index. */
static enum status put_all(const struct call *call, const struct question *q, const struct selection *s,
                           const uint32_t *users, size_t n, const struct diff *d, struct result *out, struct error *err)
{
    say_left_out(q, d, n, out);
    if (d->nusers == 0)
        return ST_OK;
    put_summary(q, d, out);
    enum status st = put_shared(d, out, err);
    if (!st)
        st = put_segments(call, s, users, n, d, out, err);
    if (st)
        return st;
    put_items(q, d, (size_t)call_int(call, "items"), out);
    put_users(q, s, d, (size_t)call_int(call, "users"), out);
    return ST_OK;
}

/* Those who have a history. */
static enum status users_of(const struct selection *s, uint32_t **out, size_t *n, struct error *err)
{
    const struct dataset *d = s->data;
    *n = 0;
    *out = mem_new_raw(d->users.n, sizeof **out, "users", err);
    for (uint32_t u = 0; *out && u < d->users.n; u++) {
        size_t e = d->user_begin[u], end = user_end_before(d, u, s->until);
        while (e < end && !selection_has(s, e))
            e++;
        if (e < end)
            (*out)[(*n)++] = u;
    }
    return *out ? ST_OK : ST_NOMEM;
}

static enum status diff_all(struct workbench *wb, const struct call *call, struct question *q, struct result *out,
                            struct error *err)
{
    struct selection s = question_selection(wb, call, q->data);
    struct diff d = {0};
    uint32_t *users = NULL;
    size_t n = 0;
    enum status st = users_of(&s, &users, &n, err);
    if (!st && n == 0)
        st = error_set(err, ST_STATE, "nobody has a history%s", s.until == NO_TIME ? "" : " at that moment");
    if (!st)
        st = diff_make(q->models[0], q->models[1], &s, users, n, (size_t)call_int(call, "k"), q->seen, &wb->job, &d,
                       err);
    if (!st)
        st = put_all(call, q, &s, users, n, &d, out, err);
    diff_clear(&d);
    mem_free(users);
    return st;
}

/* ---- the command ---- */

static enum status check_two(const struct call *call, const struct question *q, struct error *err)
{
    if (q->nmodels == 2)
        return ST_OK;
    enum status st =
        error_set(err, ST_USAGE, "diff is of two models, and %zu %s meant", q->nmodels, q->nmodels == 1 ? "is" : "are");
    error_hint(err, "name both: diff%s%.*s with %s B", call->nargs ? " " : "",
               call->nargs ? (int)call->args[0].length : 0, call->nargs ? call->text + call->args[0].offset : "",
               q->nmodels ? q->models[0]->name : "A");
    return call->nmodels > 2 ? error_at_word(st, err, &call->models[2]) : st;
}

/* Of one user there is nothing to group or to choose from. */
static enum status check_options(const struct call *call, struct error *err)
{
    static const char *const of_all[] = {"by", "items", "users"};
    for (size_t i = 0; i < 3; i++)
        if (call->nargs && call_given(call, of_all[i])) {
            error_set(err, ST_USAGE, "%s= is about all users, and %s is one", of_all[i], call->args[0].text);
            return error_at_option(ST_USAGE, err, call, of_all[i]);
        }
    return ST_OK;
}

static enum status run_diff(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct question q;
    struct str line = {0};
    enum status st = question_open(wb, call, call->nargs ? &call->args[0] : NULL, &q, err);
    if (!st)
        st = check_two(call, &q, err);
    if (!st)
        st = check_options(call, err);
    if (!st)
        st = call->nargs ? diff_one(wb, &q, (size_t)call_int(call, "k"), out, err) : diff_all(wb, call, &q, out, err);
    if (!st) {
        warn_of_future(&q, out);
        str_puts(&line, "diff");
        if (call->nargs)
            put_user(&line, &q);
        put_end(&line, call, &q);
        put_command(&line, out);
    }
    str_free(&line);
    question_close(&q);
    return st;
}

static const struct argument diff_args[] = {
    {.name = "USER",
     .type = ARG_USER,
     .optional = true,
     .doc = "an id, . for the current user, new for the made-up one; without it all who have a history"},
};
static const struct param diff_options[] = {
    {.name = "k", .type = PARAM_INT, .initial = "10", .min = 1, .max = 1000, .doc = "length of the lists"},
    {.name = "by",
     .type = PARAM_SEGMENT,
     .doc = "of all users: the same for each segment: " COHORTS_BY_USERS "; several: by=country,taste"},
    {.name = "items",
     .type = PARAM_INT,
     .initial = "5",
     .min = 0,
     .max = 1e9,
     .doc = "of all users: items shown that gain most, and that lose most"},
    {.name = "users",
     .type = PARAM_INT,
     .initial = "10",
     .min = 0,
     .max = 1e9,
     .doc = "of all users: users shown whose lists differ most"},
    OPTION_SEEN,
    OPTION_AT,
};

static const struct command rows[] = {
    {.name = "diff",
     .group = "inspect",
     .summary = "what changes in the lists from one model to another",
     .arguments = diff_args,
     .narguments = 1,
     .options = diff_options,
     .noptions = sizeof diff_options / sizeof *diff_options,
     .flags = COMMAND_WITH | COMMAND_NEEDS_DATA | COMMAND_SEVERAL,
     .help = "Of one user: the list of the second model with the places that the first gives its items, then what only "
             "the first has. Of all: how much the lists have in common, which items come into more of them and into "
             "fewer, and whose differ most. Users for whom one of the two lists nothing, as production may, are left "
             "out and counted apart.\n"
             "rbo is rank-biased overlap (Webber, Moffat and Zobel, TOIS 2010) with p = .9: 1 for the same list, 0 for "
             "nothing in common; the top counts most. overlap is the share of the items that both have. Any two models "
             "will do: two classes, two settings, and after `rewind TIME retrain=yes` a model and itself as of then "
             "(ease ease@2025-03-01).",
     .examples = (const char *const[]){"diff ana with pop ease", "diff with pop ease k=3 by=country",
                                       "diff with itemknn ease items=2 users=3 at=2025-05-06", NULL},
     .run = run_diff},
};

const struct command_family diff_commands = {rows, sizeof rows / sizeof *rows};
