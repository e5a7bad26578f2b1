#include "data/by_item.h"

#include "base/mem.h"
#include "base/parallel.h"

/* A scan for one item costs an eighth of making the list. */
enum { SCANS_BEFORE = 8, MOST_PARTS = 16, TILE = 1 << 16 };

/* A counting sort in parts that lie behind one another, so that each item's events stay in order. */
struct sorting {
    const struct dataset *data;
    struct job *job;
    uint32_t *next; /* a part and an item: how many there are, then where the next one goes */
    uint32_t *event;
    size_t part;    /* events of a part */
};

static void count_part(void *context, size_t part, size_t begin, size_t end)
{
    struct sorting *s = context;
    uint32_t *next = s->next + part * s->data->items.n;
    const uint32_t *item = s->data->events.item;
    for (size_t e = begin; e < end; e++) {
        if (e % TILE == 0 && job_cancelled(s->job))
            return;
        next[item[e]]++;
    }
}

static void place_part(void *context, size_t part, size_t begin, size_t end)
{
    struct sorting *s = context;
    uint32_t *next = s->next + part * s->data->items.n;
    const uint32_t *item = s->data->events.item;
    for (size_t e = begin; e < end; e++) {
        if (e % TILE == 0 && job_cancelled(s->job))
            return;
        s->event[next[item[e]]++] = (uint32_t)e;
    }
}

/* From counts to places: item by item, and of an item part by part. */
static void settle_places(struct sorting *s, size_t parts, uint32_t *begin)
{
    size_t items = s->data->items.n;
    uint32_t at = 0;
    for (size_t i = 0; i < items; i++) {
        begin[i] = at;
        for (size_t p = 0; p < parts; p++) {
            uint32_t n = s->next[p * items + i];
            s->next[p * items + i] = at;
            at += n;
        }
    }
    begin[items] = at;
}

enum status by_item_make(const struct dataset *d, struct job *job, struct by_item **out, struct error *err)
{
    size_t n = d->events.n, items = d->items.n, parts = n / (4 * (items + 1));
    parts = parts < 1 ? 1 : parts > MOST_PARTS ? MOST_PARTS : parts;
    struct sorting s = {.data = d, .job = job, .part = parallel_count(n, parts)};
    struct by_item *b = mem_new(1, sizeof *b, "the events of each item", err);
    if (!b)
        return ST_NOMEM;
    b->begin = mem_new(items + 1, sizeof *b->begin, "the events of each item", err);
    b->event = mem_new_raw(n, sizeof *b->event, "the events of each item", err);
    s.next = mem_new(items * parts, sizeof *s.next, "the events of each item", err);
    s.event = b->event;
    enum status st = b->begin && b->event && s.next ? ST_OK : ST_NOMEM;
    if (!st && n) {
        parallel_blocks(n, s.part, count_part, &s);
        settle_places(&s, parts, b->begin);
        if (!job_cancelled(job)) /* else the counts are not whole */
            parallel_blocks(n, s.part, place_part, &s);
        st = job_check(job, err);
    }
    mem_free(s.next);
    if (st)
        by_item_free(b);
    else
        *out = b;
    return st;
}

void by_item_free(struct by_item *b)
{
    if (!b)
        return;
    mem_free(b->begin);
    mem_free(b->event);
    mem_free(b);
}

enum status dataset_by_item(struct dataset *d, struct job *job, const struct by_item **out, struct error *err)
{
    struct by_item *made = NULL, *there = atomic_load(&d->by_item);
    *out = there;
    if (there || d->events.n > UINT32_MAX || atomic_fetch_add(&d->item_questions, 1) < SCANS_BEFORE)
        return ST_OK;
    enum status st = by_item_make(d, job, &made, err);
    if (st == ST_NOMEM) { /* it only saves time: after some more questions, again */
        atomic_store(&d->item_questions, 0);
        return ST_OK;
    }
    if (st)
        return st;
    if (!atomic_compare_exchange_strong(&d->by_item, &there, made))
        by_item_free(made); /* another thread was faster */
    *out = atomic_load(&d->by_item);
    return ST_OK;
}
