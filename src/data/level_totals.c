#include "data/level_totals.h"

#include <math.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "data/interactions.h"

/* Events are summed by item first: that is the same few instructions for every kind of field, and what follows is as
 * long as the catalogue. */
enum { MOST_KEPT = 8, MOST_PARTS = 16 };

struct summing {
    struct selection selection;
    int64_t moment;           /* that ages are measured from */
    bool plain;               /* an event weighs what its type weighs, whenever it was */
    struct level_total *part; /* parts x items.n */
};

static inline void add_event(const struct dataset *d, size_t e, double weight, struct level_total *sum)
{
    struct level_total *t = &sum[d->events.item[e]];
    t->weight += weight;
    if (d->events.value && !isnan(d->events.value[e])) {
        t->value += (double)d->events.value[e];
        t->valued++;
    }
}

static void sum_part(void *context, size_t part, size_t begin, size_t end)
{
    const struct summing *s = context;
    const struct dataset *d = s->selection.data;
    struct level_total *sum = s->part + part * d->items.n;
    for (size_t e = begin; e < end; e++) {
        if (s->plain) {
            double weight = (double)d->type_weight[d->events.type[e]];
            if (weight > 0)
                add_event(d, e, weight, sum);
        } else if (selection_has(&s->selection, e)) {
            add_event(d, e, (double)event_weight(d, e, s->moment), sum);
        }
    }
}

/* From items to levels: of an item part by part, so that the sums have the same bits with any number of threads. */
static void sum_levels(const struct summing *s, size_t parts, struct level_totals *t)
{
    size_t items = s->selection.data->items.n;
    for (size_t i = 0; i < items; i++) {
        const uint32_t *codes;
        size_t n = field_levels(t->field, i, &codes);
        struct level_total sum = {0, 0, 0};
        for (size_t p = 0; p < parts; p++) {
            const struct level_total *part = &s->part[p * items + i];
            sum.weight += part->weight;
            sum.value += part->value;
            sum.valued += part->valued;
        }
        for (size_t l = 0; l < n; l++) {
            t->level[codes[l]].weight += sum.weight / (double)n;
            t->level[codes[l]].value += sum.value / (double)n;
            t->level[codes[l]].valued += sum.valued / (double)n;
        }
        t->weight += n ? sum.weight : 0;
    }
}

static void free_one(struct level_totals *t)
{
    if (t)
        mem_free(t->level);
    mem_free(t);
}

static enum status totals_make(const struct dataset *d, const struct field *field, int64_t until,
                               struct level_totals **out, struct error *err)
{
    size_t n = d->events.n, items = d->items.n, parts = n / (4 * (items + 1));
    parts = parts < 1 ? 1 : parts > MOST_PARTS ? MOST_PARTS : parts;
    size_t length = parallel_count(n, parts);
    struct summing s = {.selection = {.data = d, .until = until}};
    struct level_totals *t = mem_new(1, sizeof *t, "what everybody likes", err);
    if (!t)
        return ST_NOMEM;
    *t = (struct level_totals){.field = field, .until = until};
    t->level = mem_new(field->levels.n, sizeof *t->level, "what everybody likes", err);
    s.part = mem_new(parts * items, sizeof *s.part, "what everybody likes", err);
    enum status st = t->level && s.part ? ST_OK : ST_NOMEM;
    if (!st && n) {
        s.moment = selection_moment(&s.selection);
        s.plain = until == NO_TIME && !d->repeats && s.moment == NO_TIME;
        parallel_blocks(n, length, sum_part, &s);
    }
    if (!st)
        sum_levels(&s, n ? parallel_count(n, length) : 0, t);
    mem_free(s.part);
    if (st)
        free_one(t);
    else
        *out = t;
    return st;
}

/* The one that is kept, or NULL; how many other moments than the present are kept in *n. */
static struct level_totals *kept(struct level_totals *first, const struct field *field, int64_t until, size_t *n)
{
    *n = 0;
    for (struct level_totals *t = first; t; t = t->next) {
        if (t->field == field && t->until == until)
            return t;
        *n += t->until != NO_TIME;
    }
    return NULL;
}

enum status dataset_level_totals(struct dataset *d, const struct field *field, int64_t until,
                                 const struct level_totals **out, struct error *err)
{
    size_t others;
    struct level_totals *first = atomic_load(&d->level_totals), *t = kept(first, field, until, &others);
    *out = t;
    if (t)
        return ST_OK;
    enum status st = totals_make(d, field, until, &t, err);
    if (st)
        return st;
    t->kept = until == NO_TIME || others < MOST_KEPT;
    t->next = first;
    while (t->kept && !atomic_compare_exchange_weak(&d->level_totals, &t->next, t))
        ; /* another thread was faster: its entry comes behind this one, which does no harm when it is of the same
             moment */
    *out = t;
    return ST_OK;
}

void level_totals_release(const struct level_totals *t)
{
    if (t && !t->kept)
        free_one((struct level_totals *)t);
}

void level_totals_free_all(struct level_totals *t)
{
    while (t) {
        struct level_totals *next = t->next;
        free_one(t);
        t = next;
    }
}
