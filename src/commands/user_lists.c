/* The lists of all models for one user side by side, how far they agree, and how good each is for this user. */
#include <math.h>

#include "base/mem.h"
#include "commands/served_words.h"
#include "commands/user_sections.h"
#include "data/grow.h"
#include "eval/evaluation.h"
#include "inspect/panel.h"
#include "models/served.h"

/* ---- side by side ---- */

/* "*": in another list too; "**": in all of three or more. */
static const char *mark(const struct panel *p, uint32_t item)
{
    size_t n = panel_lists_with(p, item);
    return n < 2 ? "" : n == p->n && n > 2 ? " **" : " *";
}

static void put_cells(const struct question *q, const struct panel *p, size_t m, size_t rank, struct table *t)
{
    const struct ranked_list *l = &p->lists[m];
    if (rank >= l->n) {
        table_null(t);
        table_null(t);
        table_null(t);
        table_null(t);
        return;
    }
    const struct ranked *r = &l->entries[rank];
    table_textf(t, "%s%s", dataset_item_title(q->data, r->item), mark(p, r->item));
    table_text(t, dict_text(&q->data->items, r->item));
    table_real(t, real_of_single(r->score));
    table_int(t, (int64_t)panel_lists_with(p, r->item));
}

static void put_side_by_side(const struct question *q, const struct panel *p, struct result *out)
{
    enum { EACH = 4 };
    size_t n = 1 + EACH * p->n;
    struct column *columns = result_room(out, n, sizeof *columns);
    if (!columns)
        return;
    columns[0] = (struct column){.name = "rank", .type = VALUE_INT, .flags = COLUMN_COUNT};
    for (size_t m = 0; m < p->n; m++) {
        struct column *c = columns + 1 + EACH * m;
        const char *name = q->models[m]->name;
        c[0] = (struct column){.name = result_text(out, name), .type = VALUE_TEXT, .flags = m ? COLUMN_COMPACT : 0};
        c[1] = (struct column){.name = result_textf(out, "%s_item", name), .type = VALUE_TEXT, .flags = COLUMN_HIDDEN};
        c[2] = (struct column){
            .name = result_textf(out, "%s_score", name), .type = VALUE_REAL, .flags = COLUMN_SCORE | COLUMN_HIDDEN};
        c[3] = (struct column){.name = result_textf(out, "%s_lists", name), .type = VALUE_INT, .flags = COLUMN_HIDDEN};
    }
    const char *marks = p->n > 2 ? ": * is in another list too, ** in all" : p->n == 2 ? ": * is in both" : "";
    struct table *t = result_table(out, "lists", result_textf(out, "lists for %s%s", q->who, marks), columns, n);
    for (size_t rank = 0; rank < p->k; rank++) {
        table_int(t, (int64_t)rank + 1);
        for (size_t m = 0; m < p->n; m++)
            put_cells(q, p, m, rank, t);
    }
}

/* ---- how good each is for this user ---- */

/* value[m]: the metric of this user by the test part, for models that learnt from the train part of the present split;
 * NaN for others. *n: how many items there were to be found; 0: nothing to judge by. */
static enum status judge_user(struct workbench *wb, const struct question *q, const struct metric_at *at, double *value,
                              size_t *n, struct error *err)
{
    struct split *s = workbench_split(wb);
    struct test_set *set = NULL;
    const struct protocol protocol = {.on = PART_TEST, .hide_seen = q->seen == SEEN_HIDE};
    struct error why = {0};
    enum status st = ST_OK;
    *n = 0;
    for (size_t m = 0; m < q->nmodels; m++)
        value[m] = NAN;
    if (!s || q->user == NO_USER || q->history.as_of != NO_TIME)
        goto out;
    st = test_set_of_user(q->data, s, &protocol, q->user, &set, &why);
    if (st == ST_STATE || st == ST_USAGE) { /* nothing of theirs is in the test part: that is no failure here */
        st = ST_OK;
        goto out;
    }
    if (st) {
        *err = why;
        goto out;
    }
    *n = set->right_begin[set->nqueries];
    for (size_t m = 0; m < q->nmodels && !st; m++) {
        const struct model_record *r = &q->models[m]->record;
        struct evaluation *e = NULL;
        if (r->split_fingerprint != s->fingerprint || !dataset_descends(q->data, r->data_fingerprint))
            continue;
        st = evaluation_run(q->models[m], set, s->fingerprint, at->k, &wb->job, &e, err);
        if (!st)
            evaluation_users(e, at, &value[m]);
        evaluation_free(e);
    }
out:
    test_set_free(set);
    split_release(s);
    return st;
}

/* ---- agreement ---- */

static void put_agreement(const struct question *q, const struct panel *p, const char *metric, const double *value,
                          bool judged, struct result *out)
{
    enum { MODEL, VALUE, MEAN, FIXED, SHOWN = 8 };
    size_t n = FIXED + p->n;
    struct column *columns = result_room(out, n, sizeof *columns);
    if (!columns)
        return;
    columns[MODEL] = (struct column){.name = "model", .type = VALUE_TEXT};
    columns[VALUE] = (struct column){
        .name = result_text(out, metric), .type = VALUE_REAL, .precision = 3, .flags = judged ? 0 : COLUMN_HIDDEN};
    columns[MEAN] = (struct column){
        .name = "with_others", .type = VALUE_REAL, .precision = 2, .flags = p->n > 2 ? 0 : COLUMN_HIDDEN};
    for (size_t m = 0; m < p->n; m++)
        columns[FIXED + m] = (struct column){.name = result_text(out, q->models[m]->name),
                                             .type = VALUE_REAL,
                                             .precision = 2,
                                             .flags = p->n < 2 || p->n > SHOWN ? COLUMN_HIDDEN : COLUMN_COMPACT};
    const char *title = p->n > 1 ? "agreement of the lists: 1 is the same list, 0 nothing in common (RBO)" : "";
    struct table *t = result_table(out, "agreement", title, columns, n);
    for (size_t a = 0; a < p->n; a++) {
        table_text(t, q->models[a]->name);
        table_real(t, value[a]);
        table_real(t, panel_agreement(p, a));
        for (size_t b = 0; b < p->n; b++)
            table_real(t, real_of_single(p->rbo[a * p->n + b]));
    }
}

/* A list that has less than this in common with the others, on average, is another opinion. */
#define APART .5

static void say_agreement(const struct question *q, const struct panel *p, struct result *out)
{
    size_t a, b, apart = 0;
    if (!panel_closest(p, &a, &b))
        return;
    double closest = (double)p->rbo[a * p->n + b];
    const char *name_a = q->models[a]->name, *name_b = q->models[b]->name;
    if (panel_filled(p) == 2) {
        result_message(out, MESSAGE_INFO, "%s and %s share %u of %zu item%s (RBO %.2f)", name_a, name_b,
                       p->shared[a * p->n + b], p->k, p->k == 1 ? "" : "s", closest);
        return;
    }
    apart = panel_farthest(p);
    double least = panel_agreement(p, apart);
    if (least < closest && apart != a && apart != b)
        result_message(out, MESSAGE_INFO, "%s and %s agree most (RBO %.2f); %s %s (%.2f on average)", name_a, name_b,
                       closest, q->models[apart]->name, least < APART ? "stands apart" : "agrees least with the others",
                       least);
    else
        result_message(out, MESSAGE_INFO, "%s and %s agree most (RBO %.2f)", name_a, name_b, closest);
}

enum status user_put_lists(struct workbench *wb, const struct question *q, size_t k, struct result *out,
                           struct error *err)
{
    struct panel p;
    struct metric_at at;
    size_t right;
    struct query query = history_query(&q->history);
    enum status st = metric_parse("ndcg@10", 10, &at, err);
    double *value = st ? NULL : mem_new(q->nmodels, sizeof *value, "lists", err);
    if (!value)
        return st ? st : ST_NOMEM;
    st = panel_make(q->models, q->nmodels, &query, k, q->seen, &p, err);
    if (!st) {
        st = judge_user(wb, q, &at, value, &right, err);
        if (!st) {
            bool judged = false;
            for (size_t m = 0; m < q->nmodels; m++)
                judged |= !isnan(value[m]);
            put_side_by_side(q, &p, out);
            if (judged || panel_filled(&p) > 1)
                put_agreement(q, &p, at.name, value, judged, out);
            say_agreement(q, &p, out);
            for (size_t m = 0; m < q->nmodels; m++)
                if (model_is_served(q->models[m]))
                    served_say_list(q, q->models[m], out);
            if (judged)
                result_message(out, MESSAGE_INFO, "%s is judged by the test part: %zu item%s of %s", at.name, right,
                               right == 1 ? "" : "s", q->who);
        }
        panel_clear(&p);
    }
    mem_free(value);
    return st;
}
