/* Why so many items of a group are in a user's list. */
#include <math.h>

#include "base/mem.h"
#include "commands/why_tables.h"
#include "inspect/group.h"

/* Lists of others that are made to see how usual the group is. */
enum { OTHERS = 500 };

enum {
    SUM_MODEL,
    SUM_IN_LIST,
    SUM_OF,
    SUM_SHARE,
    SUM_EVERYBODY_LISTS,
    SUM_HISTORY,
    SUM_EVERYBODY,
    SUM_ITEMS,
    SUM_SCORE,
    SUM_BASE,
    SUM_LISTS,
    SUM_EXACT,
    SUM_SENTENCE,
    SUM_COLUMNS
};
enum { FOUND_MODEL, FOUND_RANK, FOUND_ITEM, FOUND_SCORE = FOUND_ITEM + ITEM_COLUMNS, FOUND_COLUMNS };
enum { PART_MODEL, PART_REASON, PART_CONTRIBUTION = PART_REASON + REASON_COLUMNS, PART_SHARE, PART_TIME, PART_COLUMNS };
enum { PULL_MODEL, PULL_CATEGORY, PULL_ITEMS, PULL_CONTRIBUTION, PULL_SHARE, PULL_COLUMNS };

struct tables {
    struct table *sums, *found, *parts, *pulls;
};

/* Where no list has any of the group, one table says it all. */
static struct tables new_tables(const struct question *q, const char *what, bool any, struct result *out)
{
    unsigned model = q->nmodels == 1 ? COLUMN_HIDDEN : 0;
    const struct column sums[SUM_COLUMNS] = {
        [SUM_MODEL] = {.name = "model", .type = VALUE_TEXT, .flags = COLUMN_SCALE},
        [SUM_IN_LIST] = {.name = "in_list", .type = VALUE_INT},
        [SUM_OF] = {.name = "of", .type = VALUE_INT},
        [SUM_SHARE] = {.name = "of_list", .type = VALUE_REAL, .unit = "%"},
        [SUM_EVERYBODY_LISTS] = {.name = "of_lists_of_all", .type = VALUE_REAL, .unit = "%", .precision = 1},
        [SUM_HISTORY] = {.name = "of_history", .type = VALUE_REAL, .unit = "%", .precision = 1},
        [SUM_EVERYBODY] = {.name = "of_all_events", .type = VALUE_REAL, .unit = "%", .precision = 1},
        [SUM_ITEMS] = {.name = "items", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [SUM_SCORE] = {.name = "score", .type = VALUE_REAL, .flags = COLUMN_SCORE | COLUMN_HIDDEN},
        [SUM_BASE] = {.name = "base", .type = VALUE_REAL, .flags = COLUMN_SCORE | COLUMN_HIDDEN},
        [SUM_LISTS] = {.name = "lists", .type = VALUE_INT, .flags = COLUMN_HIDDEN},
        [SUM_EXACT] = {.name = "exact", .type = VALUE_BOOL, .flags = COLUMN_HIDDEN},
        [SUM_SENTENCE] = {.name = "sentence", .type = VALUE_TEXT, .flags = COLUMN_HIDDEN},
    };
    struct column found[FOUND_COLUMNS] = {
        [FOUND_MODEL] = {.name = "model", .type = VALUE_TEXT, .flags = COLUMN_SCALE | model},
        [FOUND_RANK] = {.name = "rank", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [FOUND_SCORE] = {.name = "score", .type = VALUE_REAL, .flags = COLUMN_SCORE},
    };
    struct column parts[PART_COLUMNS] = {
        [PART_MODEL] = {.name = "model", .type = VALUE_TEXT, .flags = COLUMN_SCALE | model},
        [PART_CONTRIBUTION] = {.name = "contribution", .type = VALUE_REAL, .flags = COLUMN_SCORE},
        [PART_SHARE] = {.name = "share", .type = VALUE_REAL, .unit = "%", .flags = COLUMN_BAR},
        [PART_TIME] = {.name = "time", .type = VALUE_TIME, .flags = q->data->events.time ? 0 : COLUMN_HIDDEN},
    };
    const struct column pulls[PULL_COLUMNS] = {
        [PULL_MODEL] = {.name = "model", .type = VALUE_TEXT, .flags = COLUMN_SCALE | model},
        [PULL_CATEGORY] = {.name = "history", .type = VALUE_TEXT},
        [PULL_ITEMS] = {.name = "items", .type = VALUE_INT},
        [PULL_CONTRIBUTION] = {.name = "contribution", .type = VALUE_REAL, .flags = COLUMN_SCORE},
        [PULL_SHARE] = {.name = "share", .type = VALUE_REAL, .unit = "%", .flags = COLUMN_BAR},
    };
    item_columns(q->data, found + FOUND_ITEM);
    reason_columns(parts + PART_REASON);
    struct tables t = {.sums =
                           result_table(out, "group", result_textf(out, "%s for %s", what, q->who), sums, SUM_COLUMNS)};
    if (!any)
        return t;
    t.found = result_table(out, "found", "which of them", found, FOUND_COLUMNS);
    t.parts = result_table(out, "why", "what the sum of their scores is made of", parts, PART_COLUMNS);
    if (dataset_item_category(q->data))
        t.pulls = result_table(out, "categories", "the same, by category of the history", pulls, PULL_COLUMNS);
    return t;
}

static void add_sums(const struct model *m, const struct why_group *g, const char *sentence, struct table *t)
{
    table_text(t, m->name);
    table_int(t, (int64_t)g->nfound);
    table_int(t, (int64_t)g->listed);
    table_real(t, g->listed ? (double)g->nfound / (double)g->listed : (double)NAN);
    table_real(t, g->of_lists);
    table_real(t, g->of_history);
    table_real(t, g->of_everybody);
    table_int(t, (int64_t)g->items);
    table_real(t, g->score);
    table_real(t, g->base);
    table_int(t, (int64_t)g->lists);
    table_bool(t, g->exact);
    table_text(t, sentence);
}

static void add_reason(const struct question *q, const struct model *m, uint32_t item, const char *label, double value,
                       double size, int64_t time, struct table *t)
{
    table_text(t, m->name);
    reason_cells(q->data, item, label, t);
    table_real(t, value);
    table_real(t, value / size);
    table_time(t, time);
}

/* As many rows as k; what is left is one row, so that all sum to the scores. */
static void add_parts(const struct question *q, const struct model *m, const struct why_group *g, struct table *t,
                      struct result *out)
{
    double size = fabs(g->base), rest = 0;
    size_t shown = g->nparts < g->k ? g->nparts : g->k;
    for (size_t i = 0; i < g->nparts; i++)
        size += fabs(g->parts[i].what.value);
    for (size_t i = 0; i < g->nparts; i++) {
        if (i < shown)
            add_reason(q, m, g->parts[i].what.item, "", g->parts[i].what.value, size, g->parts[i].time, t);
        else
            rest += g->parts[i].what.value;
    }
    if (shown < g->nparts)
        add_reason(q, m, NO_ITEM, result_textf(out, "%zu more", g->nparts - shown), rest, size, NO_TIME, t);
    if (g->base != 0)
        add_reason(q, m, NO_ITEM, "no item of the history", g->base, size, NO_TIME, t);
}

static void add_pulls(const struct model *m, const struct why_group *g, struct table *t)
{
    double size = 0;
    for (size_t i = 0; i < g->npulls; i++)
        size += fabs(g->pulls[i].value);
    for (size_t i = 0; i < g->npulls; i++) {
        if (g->pulls[i].value == 0)
            continue;
        table_text(t, m->name);
        table_text(t, g->pulls[i].category);
        table_int(t, (int64_t)g->pulls[i].items);
        table_real(t, g->pulls[i].value);
        table_real(t, g->pulls[i].value / size);
    }
}

static void add_group(const struct question *q, const struct model *m, const struct why_group *g, const char *what,
                      struct tables *t, struct result *out)
{
    struct str sentence = {0};
    why_group_sentence(g, q->data, what, &sentence);
    add_sums(m, g, result_str(out, &sentence), t->sums);
    for (size_t i = 0; i < g->nfound; i++) {
        table_text(t->found, m->name);
        table_int(t->found, (int64_t)g->found[i].rank);
        item_cells(q->data, g->found[i].item, t->found);
        table_real(t->found, (double)g->found[i].score);
    }
    if (g->nfound)
        add_parts(q, m, g, t->parts, out);
    if (g->nfound && t->pulls)
        add_pulls(m, g, t->pulls);
    say_of_model(q, m, result_str(out, &sentence), out);
    if (!g->exact)
        result_message(out, MESSAGE_WARNING, "%s takes its scores apart only approximately", m->name);
    str_free(&sentence);
}

enum status why_of_group(struct workbench *wb, const struct call *call, const struct question *q, struct result *out,
                         struct error *err)
{
    uint8_t *chosen = NULL;
    struct str what = {0};
    struct query query = history_query(&q->history);
    struct selection everybody = question_selection(wb, call, q->data);
    enum status st = name_group(wb, call, q->data, &chosen, err);
    if (st)
        return st;
    put_group(call->where.text, &what);
    job_begin(&wb->job, q->nmodels * OTHERS, "lists", "why");
    struct why_group *g = mem_new(q->nmodels, sizeof *g, "explanations", err);
    bool any = false;
    st = g ? ST_OK : ST_NOMEM;
    for (size_t i = 0; i < q->nmodels && !st; i++) {
        st = why_group_make(q->data, q->models[i], &query, chosen, (size_t)call_int(call, "k"), q->seen, &g[i], err);
        if (!st)
            st = why_group_lists(&g[i], q->models[i], &everybody, chosen, OTHERS, q->seen, &wb->job, err);
        any |= g[i].nfound > 0;
    }
    if (!st) {
        struct tables t = new_tables(q, result_text(out, result_str(out, &what)), any, out);
        for (size_t i = 0; i < q->nmodels; i++)
            add_group(q, q->models[i], &g[i], result_str(out, &what), &t, out);
    }
    for (size_t i = 0; g && i < q->nmodels; i++)
        why_group_clear(&g[i]);
    mem_free(g);
    mem_free(chosen);
    str_free(&what);
    return st;
}
