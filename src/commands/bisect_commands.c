/* The event that brought an item into a user's list, or took it out. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "commands/families.h"
#include "commands/question.h"
#include "commands/served_words.h"
#include "inspect/bisect.h"

/* One model's answer. */
struct answer {
    const struct question *q;
    const struct model *m;
    uint32_t item;
    const struct bisect *b;
};

static const char *title_of(const struct answer *a, size_t event)
{
    return dataset_item_title(a->q->data, a->q->history.events[event].item);
}

/* " on 2025-05-08 20:00, after Camping stove". */
static void put_when(const struct answer *a, size_t event, struct str *out)
{
    int64_t time = a->q->history.events[event].time;
    char when[40];
    if (time != NO_TIME) {
        time_short(when, sizeof when, time);
        str_printf(out, " on %s,", when);
    }
    str_printf(out, " after \"%s\"", title_of(a, event));
}

/* " (rank 12 -> 3)"; without a rank an item is hidden, or beyond what the model knows. */
static void put_crossing(const struct crossing *c, struct str *out)
{
    if (c->before && c->after)
        str_printf(out, " (rank %zu -> %zu)", c->before, c->after);
    else if (c->after)
        str_printf(out, " (at rank %zu; before, it had none)", c->after);
    else if (c->before)
        str_printf(out, c->had ? " (from rank %zu)" : " (from rank %zu; since then it has none)", c->before);
}

/* The prefix with the best rank, the first of them; 0 events when it has none anywhere. */
static size_t best_prefix(const struct bisect *b)
{
    size_t best = 0;
    for (size_t i = 1; i <= b->n; i++)
        if (b->rank[i] && (!b->rank[best] || b->rank[i] < b->rank[best]))
            best = i;
    return best;
}

/* "; ana has had it since 2025-05-08, so it is not listed" */
static void put_had(const struct answer *a, struct str *out)
{
    int64_t time = a->q->history.events[a->b->hidden - 1].time;
    char when[40];
    str_printf(out, "; %s has had it", a->q->who);
    if (time != NO_TIME) {
        time_short(when, sizeof when, time);
        str_printf(out, " since %s", when);
    }
    str_puts(out, ", so it is not listed");
}

static void say_no_crossing(const struct answer *a, const char *list, struct str *out)
{
    const struct bisect *b = a->b;
    const char *item = dataset_item_title(a->q->data, a->item);
    size_t best = best_prefix(b);
    if (bisect_in(b, 0)) {
        str_printf(out, "\"%s\" is in %s from the beginning: at rank %u without any history", item, list, b->rank[0]);
        return;
    }
    str_printf(out, "\"%s\" was never in %s", item, list);
    if (b->rank[best]) {
        str_printf(out, ": its best rank was %u,", b->rank[best]);
        if (best)
            put_when(a, best - 1, out);
        else
            str_puts(out, " without any history");
    }
}

/* The last change in words: what one wants to know. */
static void say(const struct answer *a, struct str *out)
{
    const struct bisect *b = a->b;
    const struct crossing *c = b->ncrossings ? &b->crossings[b->ncrossings - 1] : NULL;
    struct str list = {0};
    str_printf(&list, "%s's top %zu with %s", a->q->who, b->k, a->m->name);
    if (!c) {
        say_no_crossing(a, str_text(&list), out);
    } else {
        str_printf(out, "\"%s\" %s %s", dataset_item_title(a->q->data, a->item), c->entered ? "entered" : "left",
                   str_text(&list));
        put_when(a, c->event, out);
        put_crossing(c, out);
    }
    if (b->hidden != SIZE_MAX)
        put_had(a, out);
    out->failed |= list.failed;
    str_free(&list);
}

/* ---- tables ---- */

static void put_rank(struct table *t, size_t rank)
{
    if (rank)
        table_int(t, (int64_t)rank);
    else
        table_null(t);
}

enum {
    SUM_MODEL,
    SUM_RANK = SUM_MODEL + 1 + ITEM_COLUMNS,
    SUM_LISTED,
    SUM_BEST,
    SUM_EVENTS,
    SUM_CHANGES,
    SUM_SENTENCE,
    SUM_COLUMNS
};

static struct table *new_summary(const struct question *q, uint32_t item, size_t k, struct result *out)
{
    struct column columns[SUM_COLUMNS] = {
        [SUM_MODEL] = {.name = "model", .type = VALUE_TEXT},
        [SUM_RANK] = {.name = "rank", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [SUM_LISTED] = {.name = "listed", .type = VALUE_BOOL},
        [SUM_BEST] = {.name = "best_rank", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [SUM_EVENTS] = {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [SUM_CHANGES] = {.name = "changes", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [SUM_SENTENCE] = {.name = "sentence", .type = VALUE_TEXT, .flags = COLUMN_HIDDEN},
    };
    item_columns(q->data, columns + SUM_MODEL + 1);
    for (size_t i = 0; i < ITEM_COLUMNS; i++)
        columns[SUM_MODEL + 1 + i].flags |= COLUMN_HIDDEN; /* people read it in the title */
    return result_table(out, "bisect",
                        result_textf(out, "%s in the top %zu of %s", dataset_item_title(q->data, item), k, q->who),
                        columns, SUM_COLUMNS);
}

static void add_summary(const struct answer *a, const char *sentence, struct table *t)
{
    const struct bisect *b = a->b;
    table_text(t, a->m->name);
    item_cells(a->q->data, a->item, t);
    put_rank(t, b->rank[b->n]);
    table_bool(t, bisect_in(b, b->n));
    put_rank(t, b->rank[best_prefix(b)]);
    table_int(t, (int64_t)b->n);
    table_int(t, (int64_t)b->ncrossings);
    table_text(t, sentence);
}

enum {
    CROSS_MODEL,
    CROSS_CHANGE,
    CROSS_TIME,
    CROSS_AFTER,
    CROSS_TYPE = CROSS_AFTER + ITEM_COLUMNS,
    CROSS_BEFORE,
    CROSS_RANK,
    CROSS_EVENT,
    CROSS_COLUMNS
};

static struct table *new_crossings(const struct question *q, struct result *out)
{
    const struct dataset *d = q->data;
    struct column columns[CROSS_COLUMNS] = {
        [CROSS_MODEL] = {.name = "model", .type = VALUE_TEXT, .flags = q->nmodels == 1 ? COLUMN_HIDDEN : 0},
        [CROSS_CHANGE] = {.name = "change", .type = VALUE_TEXT},
        [CROSS_TIME] = {.name = "time", .type = VALUE_TIME, .flags = d->events.time ? 0 : COLUMN_HIDDEN},
        [CROSS_TYPE] = {.name = "type", .type = VALUE_TEXT, .flags = COLUMN_HIDDEN},
        [CROSS_BEFORE] = {.name = "before", .type = VALUE_INT},
        [CROSS_RANK] = {.name = "rank", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [CROSS_EVENT] = {.name = "event", .type = VALUE_INT, .flags = COLUMN_COUNT | COLUMN_HIDDEN},
    };
    item_columns(d, columns + CROSS_AFTER);
    columns[CROSS_AFTER + 1].name = "after";
    columns[CROSS_AFTER + 2].flags |= COLUMN_HIDDEN;
    return result_table(out, "changes", "in and out, oldest first", columns, CROSS_COLUMNS);
}

static void add_crossing(const struct answer *a, const struct crossing *c, struct table *t)
{
    const struct query_event *e = &a->q->history.events[c->event];
    table_text(t, a->m->name);
    table_text(t, c->entered ? "entered" : c->had ? "had" : "left");
    table_time(t, e->time);
    table_text(t, dict_text(&a->q->data->items, e->item));
    table_text(t, title_of(a, c->event));
    table_null(t);
    table_text(t, dict_text(&a->q->data->types, e->type));
    put_rank(t, c->before);
    put_rank(t, c->after);
    table_int(t, (int64_t)c->event + 1);
}

static enum status answer_all(struct workbench *wb, const struct call *call, const struct question *q, uint32_t item,
                              struct result *out, struct error *err)
{
    size_t k = (size_t)call_int(call, "k"), last = (size_t)call_int(call, "last");
    struct query query = history_query(&q->history);
    struct table *summary = new_summary(q, item, k, out), *changes = NULL;
    enum status st = ST_OK;
    for (size_t i = 0; i < q->nmodels && !st; i++) {
        struct bisect b;
        struct answer a = {q, q->models[i], item, &b};
        struct str sentence = {0};
        st = bisect_make(q->models[i], &query, item, k, q->seen, &wb->job, &b, err);
        if (st)
            break;
        say(&a, &sentence);
        add_summary(&a, result_str(out, &sentence), summary);
        result_message(out, MESSAGE_INFO, "%s", result_str(out, &sentence));
        size_t first = b.ncrossings > last ? b.ncrossings - last : 0;
        for (size_t c = first; c < b.ncrossings; c++) {
            changes = changes ? changes : new_crossings(q, out);
            add_crossing(&a, &b.crossings[c], changes);
        }
        if (first)
            result_message(out, MESSAGE_INFO, "%zu earlier change%s with %s; last=%zu shows all", first,
                           first == 1 ? "" : "s", a.m->name, b.ncrossings);
        str_free(&sentence);
        bisect_clear(&b);
    }
    return st;
}

static enum status run_bisect(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    return ask_of_item(wb, call, answer_all, out, err);
}

static const struct argument bisect_args[] = {
    {.name = "USER", .type = ARG_USER, .doc = "an id, . for the current user, new for the made-up one"},
    {.name = "ITEM", .type = ARG_ITEM, .doc = "an id, a title, or #3 of the last list"},
};
static const struct param bisect_options[] = {
    {.name = "k", .type = PARAM_INT, .initial = "10", .min = 1, .max = 1e9, .doc = "length of the list"},
    {.name = "last",
     .type = PARAM_INT,
     .initial = "10",
     .min = 1,
     .max = 1e9,
     .doc = "changes shown, the last ones of each model"},
    OPTION_SEEN,
    OPTION_AT,
};

static const struct command rows[] = {
    {.name = "bisect",
     .group = "inspect",
     .summary = "the event after which an item came into a user's list, or left it",
     .arguments = bisect_args,
     .narguments = 2,
     .options = bisect_options,
     .noptions = sizeof bisect_options / sizeof *bisect_options,
     .flags = COMMAND_WITH | COMMAND_NEEDS_DATA | COMMAND_SEVERAL,
     .help = "The same model is asked about the history as it was after each event, from the first on; nothing is "
             "skipped, since an item may come and go more than once. The last change is said in words, all of them "
             "stand in the table. Events of the same second are taken in the order of the file. Once the user has had "
             "the item it is listed no more (`had`), unless seen=show. A rank is missing where the item is not listed, "
             "or where all scores are the same.\n"
             "This is about the history alone: what a model trained at that time would have said, `rewind TIME "
             "retrain=yes` tells.",
     .examples =
         (const char *const[]){"bisect ana pan with itemknn k=2", "bisect chloe boots k=3 with ease itemknn", NULL},
     .run = run_bisect},
};

const struct command_family bisect_commands = {rows, sizeof rows / sizeof *rows};
