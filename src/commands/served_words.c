#include "commands/served_words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "inspect/opinion.h"
#include "models/served.h"

enum status served_refuse(const struct model *m, const char *what, struct error *err)
{
    if (!model_is_served(m))
        return ST_OK;
    error_set(err, ST_USAGE, "%s is lists that were served: it %s", m->name, what);
    error_hint(err, "`models` tells which were trained here; `import` with replace=yes reads other lists");
    return ST_USAGE;
}

static bool list_of(const struct question *q, const struct model *m, struct served_list *l)
{
    struct query query = history_query(&q->history);
    return served_find(m, q->user, query.as_of, l);
}

/* "on 2025-05-08 06:00", or "". */
static const char *when(int64_t time, char text[48])
{
    char date[40];
    text[0] = 0;
    if (time != NO_TIME) {
        time_short(date, sizeof date, time);
        snprintf(text, 48, " on %s", date);
    }
    return text;
}

void served_say_list(const struct question *q, const struct model *m, struct result *out)
{
    struct served_list l;
    char at[48];
    if (!list_of(q, m, &l))
        result_message(out, MESSAGE_INFO, "%s served nothing to %s%s", m->name, q->who,
                       q->history.as_of == NO_TIME ? "" : " by then");
    else if (l.n == 0)
        result_message(out, MESSAGE_INFO, "what %s served to %s%s is not in the data", m->name, q->who,
                       when(l.time, at));
    else if (l.time != NO_TIME)
        result_message(out, MESSAGE_INFO, "%s served its list%s", m->name, when(l.time, at));
}

/* ---- beside what can be opened ---- */

static void say_closed(const struct question *q, const struct model *m, const uint32_t *items, size_t n,
                       struct result *out)
{
    struct served_list l;
    char at[48];
    size_t shown = 0, place = 0;
    if (!list_of(q, m, &l)) {
        result_message(out, MESSAGE_INFO,
                       "%s is a list that was served; it cannot be opened, and it served nothing to %s", m->name,
                       q->who);
        return;
    }
    for (size_t i = 0; i < l.n; i++)
        for (size_t j = 0; j < n; j++)
            if (l.item[i] == items[j]) {
                place = place ? place : l.place[i];
                shown++;
            }
    when(l.time, at);
    if (!n)
        result_message(out, MESSAGE_INFO, "%s is a list that was served%s; it cannot be opened%s", m->name, at,
                       items ? ". None of these items is in it" : ", and an edited history does not change it");
    else if (!shown)
        result_message(out, MESSAGE_INFO, "%s is a list that was served%s; it cannot be opened. %s not in it", m->name,
                       at,
                       n == 1 ? result_textf(out, "%s is", dataset_item_title(q->data, items[0])) : "These items are");
    else if (n == 1)
        result_message(out, MESSAGE_INFO, "%s is a list that was served%s; it cannot be opened. %s stood at place %zu",
                       m->name, at, dataset_item_title(q->data, items[0]), place);
    else
        result_message(
            out, MESSAGE_INFO,
            "%s is a list that was served%s; it cannot be opened. %zu of these items stood in it, the first at place "
            "%zu",
            m->name, at, shown, place);
}

enum {
    OPINION_MODEL,
    OPINION_ITEM,
    OPINION_RANK = OPINION_ITEM + ITEM_COLUMNS,
    OPINION_SCORE,
    OPINION_SEEN,
    OPINION_COLUMNS
};

static enum status put_opinions(const struct question *q, const struct model *m, const uint32_t *items, size_t n,
                                struct table *t, struct error *err)
{
    struct query query = history_query(&q->history);
    struct opinion *x = mem_new(n, sizeof *x, "places of items", err);
    enum status st = x ? opinion_make(m, &query, items, n, q->seen, x, err) : ST_NOMEM;
    for (size_t i = 0; i < n && !st; i++) {
        table_text(t, m->name);
        item_cells(q->data, items[i], t);
        if (x[i].rank)
            table_int(t, (int64_t)x[i].rank);
        else
            table_null(t);
        table_real(t, isfinite(x[i].score) ? (double)x[i].score : NAN);
        table_bool(t, x[i].seen);
    }
    mem_free(x);
    return st;
}

/* The served lists first, then the others that were asked; where only served lists were, all others of the session. */
static enum status put_beside(struct workbench *wb, const struct question *q, const uint32_t *items, size_t n,
                              struct result *out, struct error *err)
{
    struct column columns[OPINION_COLUMNS] = {
        [OPINION_MODEL] = {.name = "model", .type = VALUE_TEXT, .flags = COLUMN_SCALE},
        [OPINION_RANK] = {.name = "rank", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [OPINION_SCORE] = {.name = "score", .type = VALUE_REAL, .flags = COLUMN_SCORE},
        [OPINION_SEEN] = {.name = "seen", .type = VALUE_BOOL, .flags = COLUMN_COMPACT},
    };
    struct model **all = NULL;
    size_t nall = 0;
    item_columns(q->data, columns + OPINION_ITEM);
    for (size_t i = 0; i < ITEM_COLUMNS && n == 1; i++)
        columns[OPINION_ITEM + i].flags |= COLUMN_HIDDEN;
    const char *title = n == 1
                            ? result_textf(out, "what each model thinks of %s", dataset_item_title(q->data, items[0]))
                            : "what each model thinks of these items";
    struct table *t = result_table(out, "opinions", title, columns, OPINION_COLUMNS);
    enum status st = q->nmodels ? ST_OK : workbench_models(wb, NULL, 0, &all, &nall, err);
    for (size_t i = 0; i < q->nserved && !st; i++)
        st = put_opinions(q, q->served[i], items, n, t, err);
    for (size_t i = 0; i < q->nmodels && !st; i++)
        st = put_opinions(q, q->models[i], items, n, t, err);
    for (size_t i = 0; i < nall && !st; i++)
        if (!model_is_served(all[i]))
            st = put_opinions(q, all[i], items, n, t, err);
    for (size_t i = 0; i < nall; i++)
        model_release(all[i]);
    mem_free(all);
    return st;
}

enum status served_aside(struct workbench *wb, struct question *q, const uint32_t *items, size_t n, struct result *out,
                         struct error *err)
{
    size_t kept = 0;
    q->served = mem_new(q->nmodels, sizeof(struct model *), "models", err);
    if (!q->served)
        return ST_NOMEM;
    for (size_t i = 0; i < q->nmodels; i++)
        if (model_is_served(q->models[i]))
            q->served[q->nserved++] = q->models[i];
        else
            q->models[kept++] = q->models[i];
    q->nmodels = kept;
    for (size_t i = 0; i < q->nserved; i++)
        say_closed(q, q->served[i], items, n, out);
    return q->nserved && n ? put_beside(wb, q, items, n, out, err) : ST_OK;
}

enum status served_chosen(const struct question *q, const uint8_t *chosen, uint32_t **items, size_t *n,
                          struct error *err)
{
    uint8_t *left = mem_new_raw(q->data->items.n, sizeof *left, "items", err);
    struct served_list l;
    *n = 0;
    *items = mem_new_raw(q->data->items.n, sizeof **items, "items", err);
    enum status st = left && *items ? ST_OK : ST_NOMEM;
    if (!st)
        memcpy(left, chosen, q->data->items.n);
    for (size_t i = 0; i < q->nmodels && !st; i++) {
        if (!model_is_served(q->models[i]) || !list_of(q, q->models[i], &l))
            continue;
        for (size_t j = 0; j < l.n; j++) {
            if (left[l.item[j]])
                (*items)[(*n)++] = l.item[j];
            left[l.item[j]] = 0;
        }
    }
    mem_free(left);
    return st;
}

/* ---- judged ---- */

enum status served_say_judged(struct judge *j, const struct model *m, struct result *out, struct error *err)
{
    size_t without = 0, later = 0, untimed = 0;
    if (!model_is_served(m))
        return ST_OK;
    enum status st = judge_questions(j, err);
    for (size_t i = 0; !st && i < j->set->nqueries; i++) {
        const struct query *q = &j->set->query[i];
        struct served_list l;
        bool found = served_find(m, q->user, q->as_of, &l);
        without += !found;
        later += !found && served_at(m, q->user, 0, &l);
        untimed += found && (l.time == NO_TIME || q->as_of == NO_TIME);
    }
    if (st)
        return st;
    const char *what = j->protocol.rolling ? "event" : "user";
    char n[24], of[24];
    text_count(of, sizeof of, (int64_t)j->set->nqueries);
    result_message(
        out, MESSAGE_INFO,
        "%s was not trained on this split: its lists are judged as they were served, the latest before the %s events",
        m->name, j->protocol.on == PART_VALID ? "validation" : "test");
    text_count(n, sizeof n, (int64_t)without);
    if (without)
        result_message(out, MESSAGE_WARNING, "%s: %s of %s %s%s found no list by then%s, which counts as an empty one",
                       m->name, n, of, what, j->set->nqueries == 1 ? "" : "s",
                       later ? result_textf(out, " (%zu only one that was served later)", later) : "");
    text_count(n, sizeof n, (int64_t)untimed);
    if (untimed)
        result_message(out, MESSAGE_WARNING,
                       "%s: it is not told whether lists of %s %s%s were served before or after the events that judge "
                       "them: they may know the answers",
                       m->name, n, what, untimed == 1 ? "" : "s");
    return ST_OK;
}
