#include "models/ratings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- of a data set ---- */

/* Events of one user are a run in the order of time: the last rating of an item is the one that stays. */
struct reading {
    const struct selection *selection;
    float *latest;   /* per item */
    uint32_t *whose; /* per item: user + 1 who rated it */
    uint32_t *items; /* of the user at hand, in no order */
};

static size_t read_user(struct reading *r, uint32_t user)
{
    const struct dataset *d = r->selection->data;
    size_t n = 0;
    for (size_t e = d->user_begin[user]; e < d->user_begin[user + 1]; e++) {
        uint32_t item = d->events.item[e];
        if (!isfinite(d->events.value[e]) || !selection_has(r->selection, e))
            continue;
        if (r->whose[item] != user + 1)
            r->items[n++] = item;
        r->whose[item] = user + 1;
        r->latest[item] = d->events.value[e];
    }
    return n;
}

static enum status reading_new(struct reading *r, const struct selection *s, struct error *err)
{
    size_t items = s->data->items.n;
    *r = (struct reading){.selection = s};
    r->latest = mem_new_raw(items, sizeof *r->latest, "ratings", err);
    r->whose = mem_new(items, sizeof *r->whose, "ratings", err);
    r->items = mem_new_raw(items, sizeof *r->items, "ratings", err);
    return r->latest && r->whose && r->items ? ST_OK : ST_NOMEM;
}

static void reading_clear(struct reading *r)
{
    mem_free(r->latest);
    mem_free(r->whose);
    mem_free(r->items);
}

/* Rows in the order of users, columns in no order: turned twice, they ascend. */
static enum status read_rows(struct reading *r, struct csr *out, struct error *err)
{
    const struct dataset *d = r->selection->data;
    size_t count = 0;
    for (uint32_t u = 0; u < d->users.n; u++)
        count += read_user(r, u);
    enum status st = csr_new(out, d->users.n, d->items.n, count, true, err);
    if (st)
        return st;
    memset(r->whose, 0, d->items.n * sizeof *r->whose);
    for (uint32_t u = 0; u < d->users.n; u++) {
        size_t at = out->begin[u], n = read_user(r, u);
        out->begin[u + 1] = at + n;
        for (size_t i = 0; i < n; i++) {
            out->index[at + i] = r->items[i];
            out->value[at + i] = r->latest[r->items[i]];
        }
    }
    return ST_OK;
}

/* Mean and deviation, taken off the values. */
static void centre(struct ratings *r)
{
    size_t n = csr_count(&r->by_item);
    double sum = 0, squares = 0;
    for (size_t a = 0; a < n; a++)
        sum += r->by_item.value[a];
    r->mean = n ? sum / (double)n : 0;
    for (size_t a = 0; a < n; a++) {
        double x = r->by_item.value[a] - r->mean;
        squares += x * x;
        r->by_item.value[a] = (float)x;
    }
    r->deviation = n ? sqrt(squares / (double)n) : 0;
    if (!(r->deviation > 1e-6 * fabs(r->mean) && r->deviation > 0))
        r->deviation = 1;
}

enum status ratings_build(const struct selection *s, struct ratings *out, struct error *err)
{
    struct reading r = {0};
    struct csr rows = {0};
    *out = (struct ratings){.deviation = 1};
    if (!s->data->events.value) {
        enum status empty = csr_new(&out->by_user, s->data->users.n, s->data->items.n, 0, true, err);
        return empty ? empty : csr_transpose(&out->by_user, &out->by_item, err);
    }
    enum status st = reading_new(&r, s, err);
    if (!st)
        st = read_rows(&r, &rows, err);
    if (!st)
        st = csr_transpose(&rows, &out->by_item, err);
    if (!st) {
        centre(out);
        st = csr_transpose(&out->by_item, &out->by_user, err);
    }
    reading_clear(&r);
    csr_clear(&rows);
    if (st)
        ratings_clear(out);
    return st;
}

void ratings_clear(struct ratings *r)
{
    csr_clear(&r->by_user);
    csr_clear(&r->by_item);
}

enum status ratings_check(const struct model *m, const struct training *t, struct error *err)
{
    return ratings_there(m->class, t->selection, err);
}

enum status ratings_there(const struct model_class *class, const struct selection *s, struct error *err)
{
    const struct dataset *d = s->data;
    for (size_t e = 0; d->events.value && e < d->events.n; e++)
        if (isfinite(d->events.value[e]) && selection_has(s, e))
            return ST_OK;
    error_set(err, ST_STATE, "%s predicts ratings, and no event that it would learn from has a rating (a value)",
              class->name);
    error_hint(
        err, "load with value=COLUMN when the file has one; itemknn, ease and ials learn from events without ratings");
    return ST_STATE;
}

/* ---- of histories ---- */

struct read_event {
    uint32_t item, place;
    float value;
};

static int by_item_and_place(const void *pa, const void *pb)
{
    const struct read_event *a = pa, *b = pb;
    if (a->item != b->item)
        return a->item < b->item ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

/* Appends one row at out->begin[row]; `room` holds the events of the query. */
static void read_query(const struct query *q, size_t row, double mean, bool unrated, struct read_event *room,
                       struct csr *out)
{
    size_t begin = out->begin[row], n = begin;
    for (size_t i = 0; i < q->n; i++)
        room[i] = (struct read_event){q->events[i].item, (uint32_t)i, q->events[i].value};
    qsort(room, q->n, sizeof *room, by_item_and_place);
    for (size_t i = 0; i < q->n; i++) {
        bool rated = isfinite(room[i].value), again = n > begin && out->index[n - 1] == room[i].item;
        if (!rated && (!unrated || again))
            continue;
        n += !again;
        out->index[n - 1] = room[i].item;
        out->value[n - 1] = rated ? (float)(room[i].value - mean) : NAN;
    }
    out->begin[row + 1] = n;
}

enum status ratings_of_queries(const struct query *queries, size_t n, size_t nitems, double mean, bool unrated,
                               struct csr *out, struct error *err)
{
    size_t events = 0, longest = 0;
    for (size_t q = 0; q < n; q++) {
        events += queries[q].n;
        longest = queries[q].n > longest ? queries[q].n : longest;
    }
    struct read_event *room = mem_new_raw(longest, sizeof *room, "a history", err);
    enum status st = room ? csr_new(out, n, nitems, events, true, err) : ST_NOMEM;
    for (size_t q = 0; q < n && !st; q++)
        read_query(&queries[q], q, mean, unrated, room, out);
    mem_free(room);
    return st;
}
