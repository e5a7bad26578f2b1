/* The smallest removal from the history that drops an item out of a list. */
#include "base/mem.h"
#include "commands/why_tables.h"
#include "inspect/minimal.h"

enum {
    SUM_MODEL,
    SUM_RANK,
    SUM_K,
    SUM_TAKE_OUT,
    SUM_LEAST,
    SUM_AFTER,
    SUM_PROVED,
    SUM_OF,
    SUM_ASKED,
    SUM_SENTENCE,
    SUM_COLUMNS
};
enum { OUT_MODEL, OUT_ITEM, OUT_EVENTS = OUT_ITEM + ITEM_COLUMNS, OUT_TIME, OUT_COLUMNS };

static struct table *new_sums(const struct question *q, uint32_t item, struct result *out)
{
    const struct column columns[SUM_COLUMNS] = {
        [SUM_MODEL] = {.name = "model", .type = VALUE_TEXT},
        [SUM_RANK] = {.name = "rank", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [SUM_K] = {.name = "k", .type = VALUE_INT, .flags = COLUMN_HIDDEN},
        [SUM_TAKE_OUT] = {.name = "take_out", .type = VALUE_INT},
        [SUM_LEAST] = {.name = "at_least", .type = VALUE_INT},
        [SUM_AFTER] = {.name = "rank_after", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [SUM_PROVED] = {.name = "proved", .type = VALUE_BOOL},
        [SUM_OF] = {.name = "of_history", .type = VALUE_INT},
        [SUM_ASKED] = {.name = "lists_made", .type = VALUE_INT, .flags = COLUMN_COUNT | COLUMN_COMPACT},
        [SUM_SENTENCE] = {.name = "sentence", .type = VALUE_TEXT, .flags = COLUMN_HIDDEN},
    };
    return result_table(
        out, "minimal",
        result_textf(out, "what must go for %s to leave the list of %s", dataset_item_title(q->data, item), q->who),
        columns, SUM_COLUMNS);
}

static struct table *new_removed(const struct question *q, struct result *out)
{
    struct column columns[OUT_COLUMNS] = {
        [OUT_MODEL] = {.name = "model", .type = VALUE_TEXT, .flags = q->nmodels == 1 ? COLUMN_HIDDEN : 0},
        [OUT_EVENTS] = {.name = "events", .type = VALUE_INT},
        [OUT_TIME] = {.name = "time", .type = VALUE_TIME, .flags = q->data->events.time ? 0 : COLUMN_HIDDEN},
    };
    item_columns(q->data, columns + OUT_ITEM);
    return result_table(out, "removed", "the smallest set that was found", columns, OUT_COLUMNS);
}

static void add_count(size_t n, bool known, struct table *t)
{
    if (known)
        table_int(t, (int64_t)n);
    else
        table_null(t);
}

static void add_sums(const struct model *m, const struct minimal *x, const char *sentence, struct table *t)
{
    const struct brought *b = &x->removed;
    table_text(t, m->name);
    add_count(x->rank, x->rank > 0, t);
    table_int(t, (int64_t)x->k);
    add_count(b->n, b->found || x->needless, t);
    add_count(b->at_least, !x->needless && !b->none, t);
    add_count(b->rank, b->found && b->rank, t);
    table_bool(t, x->needless || b->none || brought_smallest(b));
    add_count(b->tried, !x->needless, t);
    table_int(t, (int64_t)b->asked);
    table_text(t, sentence);
}

static void add_removed(const struct question *q, const struct model *m, const struct minimal *x, struct table *t)
{
    for (size_t i = 0; i < x->removed.n; i++) {
        uint32_t item = x->removed.items[i];
        size_t events = 0;
        int64_t latest = NO_TIME;
        for (size_t e = 0; e < q->history.n; e++) {
            const struct query_event *h = &q->history.events[e];
            events += h->item == item;
            latest = h->item == item && h->time > latest ? h->time : latest;
        }
        table_text(t, m->name);
        item_cells(q->data, item, t);
        table_int(t, (int64_t)events);
        table_time(t, latest);
    }
}

static void show(const struct question *q, const struct minimal *all, uint32_t item, struct result *out)
{
    bool any = false;
    for (size_t i = 0; i < q->nmodels; i++)
        any |= all[i].removed.found;
    struct table *sums = new_sums(q, item, out), *removed = any ? new_removed(q, out) : NULL;
    for (size_t i = 0; i < q->nmodels; i++) {
        struct str sentence = {0};
        minimal_sentence(&all[i], q->data, &sentence);
        add_sums(q->models[i], &all[i], result_str(out, &sentence), sums);
        if (removed)
            add_removed(q, q->models[i], &all[i], removed);
        say_of_model(q, q->models[i], result_str(out, &sentence), out);
        str_free(&sentence);
    }
}

enum status why_of_removal(struct workbench *wb, const struct call *call, const struct question *q, uint32_t item,
                           struct result *out, struct error *err)
{
    struct query query = history_query(&q->history);
    struct minimal *all = mem_new(q->nmodels, sizeof *all, "smallest removals", err);
    double seconds = (double)call_int(call, "time") / 1e6;
    enum status st = all ? ST_OK : ST_NOMEM;
    job_begin(&wb->job, q->nmodels, "models", "why: the smallest removal");
    for (size_t i = 0; i < q->nmodels && !st; i++) {
        st = minimal_make(q->models[i], &query, item, q->seen, (size_t)call_int(call, "k"), seconds, &wb->job, &all[i],
                          err);
        if (seconds == 0 && all[i].removed.late)
            seconds = BRING_AFTER_STOP;
        job_step(&wb->job, 1);
    }
    if (!st)
        show(q, all, item, out);
    for (size_t i = 0; all && i < q->nmodels; i++)
        minimal_clear(&all[i]);
    mem_free(all);
    return st;
}
