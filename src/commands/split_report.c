#include "commands/split_report.h"

#include <string.h>

#include "base/mem.h"

struct part_size {
    size_t events, users, items, cold_users, cold_items;
    int64_t first, last;
};

/* Sizes of one part. Cold are users without a history before it, and items without a training event. */
static void measure(const struct dataset *d, const struct split *s, enum part part, const uint8_t *trained,
                    uint8_t *mark, struct part_size *out)
{
    *out = (struct part_size){.first = NO_TIME, .last = NO_TIME};
    memset(mark, 0, d->items.n);
    for (uint32_t u = 0; u < d->users.n; u++) {
        unsigned history = split_history(s, u, part);
        bool here = false, known = false;
        for (size_t e = d->user_begin[u]; e < d->user_begin[u + 1]; e++) {
            known |= (s->part[e] & history) != 0;
            if (s->part[e] != part || !(d->type_weight[d->events.type[e]] > 0))
                continue;
            int64_t t = d->events.time ? d->events.time[e] : NO_TIME;
            uint32_t i = d->events.item[e];
            here = true;
            out->events++;
            out->items += !mark[i];
            out->cold_items += !mark[i] && !trained[i];
            mark[i] = 1;
            if (t != NO_TIME && (out->first == NO_TIME || t < out->first))
                out->first = t;
            if (t > out->last)
                out->last = t;
        }
        out->users += here;
        out->cold_users += here && !known;
    }
}

static void put_part(struct table *t, const struct split *s, enum part part, const char *name,
                     const struct part_size *size)
{
    bool is_judged = part == PART_TEST || part == PART_VALID;
    size_t all = s->ntrain + s->nvalid + s->ntest + s->nhistory + s->nnone;
    table_text(t, name);
    table_int(t, (int64_t)size->events);
    table_real(t, all ? (double)size->events / (double)all : 0);
    table_int(t, (int64_t)size->users);
    table_int(t, (int64_t)size->items);
    if (is_judged) {
        table_int(t, (int64_t)size->cold_users);
        table_int(t, (int64_t)size->cold_items);
    } else {
        table_null(t);
        table_null(t);
    }
    table_time(t, size->first);
    table_time(t, size->last);
}

enum status split_put(const struct dataset *d, const struct split *s, struct result *out, struct error *err)
{
    static const struct column columns[] = {
        {.name = "part", .type = VALUE_TEXT},
        {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "share", .type = VALUE_REAL, .unit = "%", .precision = 1},
        {.name = "users", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "items", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "cold_users", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "cold_items", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "first", .type = VALUE_TIME, .flags = COLUMN_COMPACT},
        {.name = "last", .type = VALUE_TIME, .flags = COLUMN_COMPACT},
    };
    static const struct {
        enum part part;
        const char *name;
    } parts[] = {{PART_TRAIN, "train"},
                 {PART_VALID, "valid"},
                 {PART_TEST, "test"},
                 {PART_HISTORY, "history"},
                 {PART_NONE, "left out"}};
    struct table *t = result_table(out, "parts", result_textf(out, "split: %s", s->description), columns,
                                   sizeof columns / sizeof *columns);
    uint8_t *trained = mem_new(d->items.n, 1, "item marks", err), *mark = mem_new(d->items.n, 1, "item marks", err);
    enum status st = trained && mark ? ST_OK : ST_NOMEM;
    for (size_t e = 0; e < d->events.n && !st; e++)
        if (s->part[e] == PART_TRAIN)
            trained[d->events.item[e]] = 1;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !st; i++) {
        struct part_size size;
        measure(d, s, parts[i].part, trained, mark, &size);
        if (size.events)
            put_part(t, s, parts[i].part, parts[i].name, &size);
    }
    mem_free(trained);
    mem_free(mark);
    return st;
}
