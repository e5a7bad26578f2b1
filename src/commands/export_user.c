/* All that is known of one user, as a result: for requests of data subjects, and to look at. */
#include <math.h>

#include "base/mem.h"
#include "commands/export.h"
#include "commands/question.h"

static void put_attributes(const struct question *q, struct result *out)
{
    const struct fields *fields = &q->data->user_fields;
    struct column *columns = result_room(out, fields->n + 1, sizeof *columns);
    if (!columns)
        return;
    columns[0] = (struct column){.name = "user", .type = VALUE_TEXT};
    for (size_t i = 0; i < fields->n; i++)
        columns[i + 1] = field_column(&fields->field[i]);
    struct table *t = result_table(out, "user", "", columns, fields->n + 1);
    table_text(t, q->who);
    for (size_t i = 0; i < fields->n; i++)
        field_cell(t, &fields->field[i], q->user);
}

/* Every event of theirs up to the clock, whether it counts as feedback or not. */
static void put_events(const struct question *q, int64_t until, struct result *out)
{
    const struct dataset *d = q->data;
    const struct events *ev = &d->events;
    struct column *columns = result_room(out, ev->context.n + 5, sizeof *columns);
    size_t n = 0;
    if (!columns)
        return;
    columns[n++] = (struct column){.name = "type", .type = VALUE_TEXT};
    columns[n++] = (struct column){.name = "time", .type = VALUE_TIME};
    columns[n++] = (struct column){.name = "item", .type = VALUE_TEXT};
    columns[n++] = (struct column){.name = "title", .type = VALUE_TEXT, .flags = dataset_titles(d) ? 0 : COLUMN_HIDDEN};
    columns[n++] =
        (struct column){.name = "value", .type = VALUE_REAL, .precision = -1, .flags = ev->value ? 0 : COLUMN_HIDDEN};
    for (size_t i = 0; i < ev->context.n; i++)
        columns[n++] = field_column(&ev->context.field[i]);
    struct table *t = result_table(out, "events", "events", columns, n);
    for (size_t e = d->user_begin[q->user], end = user_end_before(d, q->user, until); e < end; e++) {
        table_text(t, dict_text(&d->types, ev->type[e]));
        table_time(t, ev->time ? ev->time[e] : NO_TIME);
        table_text(t, dict_text(&d->items, ev->item[e]));
        table_text(t, dataset_titles(d) ? dataset_item_title(d, ev->item[e]) : NULL);
        table_real(t, ev->value ? real_of_single(ev->value[e]) : NAN);
        for (size_t i = 0; i < ev->context.n; i++)
            field_cell(t, &ev->context.field[i], e);
    }
}

static enum status put_list(const struct question *q, const struct model *m, size_t k, struct table *t,
                            struct error *err)
{
    struct ranked_list l;
    struct query query = history_query(&q->history);
    enum status st = rank_list(m, &query, k, q->seen, &l, err);
    for (size_t i = 0; i < l.n && !st; i++) {
        table_text(t, m->name);
        table_int(t, (int64_t)i + 1);
        table_text(t, dict_text(&q->data->items, l.entries[i].item));
        table_text(t, dataset_titles(q->data) ? dataset_item_title(q->data, l.entries[i].item) : NULL);
        table_real(t, real_of_single(l.entries[i].score));
    }
    ranked_list_clear(&l);
    return st;
}

static enum status put_lists(struct workbench *wb, const struct call *call, const struct question *q,
                             struct result *out, struct error *err)
{
    static const struct column columns[] = {
        {.name = "model", .type = VALUE_TEXT}, {.name = "rank", .type = VALUE_INT},
        {.name = "item", .type = VALUE_TEXT},  {.name = "title", .type = VALUE_TEXT},
        {.name = "score", .type = VALUE_REAL, .flags = COLUMN_SCORE},
    };
    struct model **models = NULL;
    size_t n = 0;
    pthread_mutex_lock(&wb->lock);
    bool any = wb->nmodels > 0;
    pthread_mutex_unlock(&wb->lock);
    if (!any)
        return ST_OK;
    enum status st = workbench_models(wb, NULL, 0, &models, &n, err);
    struct table *t =
        st ? NULL : result_table(out, "lists", "what they would be shown", columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < n && !st; i++)
        st = put_list(q, models[i], (size_t)call_int(call, "k"), t, err);
    for (size_t i = 0; i < n; i++)
        model_release(models[i]);
    mem_free(models);
    return st;
}

enum status export_user(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct question q;
    enum status st = question_open_data(wb, call, &call->args[0], &q, err);
    if (!st && q.user == NO_USER)
        st = error_at_word(error_set(err, ST_USAGE, "the made-up user has no data to export"), err, &call->args[0]);
    if (!st) {
        put_attributes(&q, out);
        put_events(&q, wb->now, out);
        st = put_lists(wb, call, &q, out, err);
    }
    if (!st && wb->now != NO_TIME)
        result_message(out, MESSAGE_WARNING, "the clock is rewound: what %s did since then is left out", q.who);
    question_close(&q);
    return st;
}
