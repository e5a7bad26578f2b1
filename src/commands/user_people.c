/* The users who are most like one. */
#include "commands/user_sections.h"
#include "inspect/neighbours.h"

static void add_shared(const struct dataset *d, const struct neighbour *n, struct table *t)
{
    struct str text = {0};
    for (size_t i = 0; i < NEIGHBOUR_ITEMS && n->most[i] != NO_ITEM; i++)
        str_printf(&text, "%s%s", i ? "; " : "", dataset_item_title(d, n->most[i]));
    if (n->shared > NEIGHBOUR_ITEMS)
        str_puts(&text, "; ...");
    table_text(t, text.failed || text.length ? result_str(t->result, &text) : NULL);
    str_free(&text);
}

static void put_people(const struct question *q, const struct neighbours *n, const char *by, struct result *out)
{
    static const struct column columns[] = {
        {.name = "user", .type = VALUE_TEXT},
        {.name = "similarity", .type = VALUE_REAL, .precision = 3, .flags = COLUMN_BAR},
        {.name = "shared", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "items", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "in_common", .type = VALUE_TEXT, .flags = COLUMN_COMPACT},
    };
    struct table *t = result_table(out, "neighbours", result_textf(out, "most similar users, by %s", by), columns, 5);
    for (size_t i = 0; i < n->n; i++) {
        table_text(t, dict_text(&q->data->users, n->list[i].user));
        table_real(t, real_of_single(n->list[i].similarity));
        table_int(t, (int64_t)n->list[i].shared);
        table_int(t, (int64_t)n->list[i].items);
        add_shared(q->data, &n->list[i], t);
    }
}

enum status user_put_neighbours(struct workbench *wb, const struct call *call, const struct question *q, size_t k,
                                struct result *out, struct error *err)
{
    struct neighbours n;
    struct selection s = question_selection(wb, call, q->data);
    struct query query = history_query(&q->history);
    if (!q->history.n)
        return ST_OK; /* said already */
    const struct model *m = NULL;
    for (size_t i = 0; i < call->nmodels && !m; i++)
        m = model_projects(q->models[i]) ? q->models[i] : NULL;
    enum status st = m ? neighbours_by_vectors(m, &s, &query, k, &wb->job, &n, err)
                       : neighbours_by_items(&s, &query, k, &wb->job, &n, err);
    if (st)
        return st;
    if (n.n)
        put_people(q, &n, m ? result_textf(out, "the vectors of %s", m->name) : "the cosine of their items", out);
    else
        result_message(out, MESSAGE_INFO, "nobody else has an item of %s", q->who);
    neighbours_clear(&n);
    return ST_OK;
}
