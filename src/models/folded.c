/* Histories as models read them: the events of an item are one, and the items are in order. */
#include "models/model.h"

#include <string.h>

#include "base/mem.h"
#include "base/numbers.h"
#include "base/parallel.h"

/* Up to so many events have their order made on the stack: an item and a place in the history are one number. */
enum { ON_STACK = 1024 };

/* Shell's sort with Ciura's gaps: in place, for long histories. By item, then by place, which waits in `count`. */
static bool comes_before(const struct query_item *a, const struct query_item *b)
{
    return a->item < b->item || (a->item == b->item && a->count < b->count);
}

static void sort_by_item(struct query_item *a, size_t n)
{
    static const size_t gaps[] = {86961, 33936, 13776, 4592, 1750, 701, 301, 132, 57, 23, 10, 4, 1};
    for (size_t g = 0; g < sizeof gaps / sizeof *gaps; g++) {
        for (size_t i = gaps[g]; i < n; i++) {
            struct query_item x = a[i];
            size_t j = i;
            for (; j >= gaps[g] && comes_before(&x, &a[j - gaps[g]]); j -= gaps[g])
                a[j] = a[j - gaps[g]];
            a[j] = x;
        }
    }
}

static struct query_item alone(const struct query_event *e, size_t place)
{
    return (struct query_item){e->item, (uint32_t)place, e->weight, e->time};
}

/* out[0..q->n): the events by item, then by place. */
static void order_events(const struct query *q, struct query_item *out)
{
    enum { FEW = 40 }; /* counting bytes costs more */
    uint64_t keys[2][ON_STACK];
    uint32_t largest = 0;
    if (q->n < FEW || q->n > ON_STACK) {
        for (size_t i = 0; i < q->n; i++)
            out[i] = alone(&q->events[i], i);
        sort_by_item(out, q->n);
        return;
    }
    for (size_t i = 0; i < q->n; i++) {
        keys[0][i] = (uint64_t)q->events[i].item << 32 | i;
        largest = q->events[i].item > largest ? q->events[i].item : largest;
    }
    const uint64_t *sorted = numbers_sort_keys(keys[0], keys[1], q->n, largest);
    for (size_t i = 0; i < q->n; i++)
        out[i] = alone(&q->events[(uint32_t)sorted[i]], (uint32_t)sorted[i]);
}

/* A repeat. */
static void add_event(struct query_item *x, float weight, int64_t time)
{
    x->count++;
    x->weight += weight;
    if (time > x->time) /* NO_TIME is the smallest */
        x->time = time;
}

size_t query_items(const struct query *q, struct query_item *out)
{
    order_events(q, out);
    size_t n = 0;
    for (size_t i = 0; i < q->n; i++) {
        if (n && out[n - 1].item == out[i].item) {
            add_event(&out[n - 1], out[i].weight, out[i].time);
        } else {
            out[n] = out[i];
            out[n++].count = 1;
        }
    }
    return n;
}

/* The history goes on where another one ended: what that amounts to is taken over, and the few events more are put in.
 */
static size_t items_after(const struct query *before, const struct query_item *items, size_t n, const struct query *q,
                          struct query_item *out)
{
    memcpy(out, items, n * sizeof *out);
    for (size_t e = before->n; e < q->n; e++) {
        const struct query_event *v = &q->events[e];
        size_t low = 0, high = n;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (out[middle].item < v->item)
                low = middle + 1;
            else
                high = middle;
        }
        if (low < n && out[low].item == v->item) {
            add_event(&out[low], v->weight, v->time);
            continue;
        }
        memmove(out + low + 1, out + low, (n - low) * sizeof *out);
        out[low] = (struct query_item){v->item, 1, v->weight, v->time};
        n++;
    }
    return n;
}

/* Histories folded together, and the events of one more than of the last for which putting them in is less work than
 * sorting. */
enum { FOLD_BLOCK = 32, FOLD_MORE = 4 };

struct folding {
    const struct query *queries;
    struct folded *f; /* begin: with room for every event of a history */
    size_t *length;
};

static void fold_block(void *context, size_t block, size_t begin, size_t end)
{
    const struct folding *g = context;
    (void)block;
    for (size_t i = begin; i < end; i++) {
        const struct query *q = &g->queries[i], *before = q - 1;
        struct query_item *out = g->f->items + g->f->begin[i];
        bool more = i > begin && before->events == q->events && before->n <= q->n && q->n - before->n <= FOLD_MORE;
        g->length[i] = more ? items_after(before, g->f->items + g->f->begin[i - 1], g->length[i - 1], q, out)
                            : query_items(q, out);
    }
}

/* What repeats of an item left free goes. */
static void close_gaps(struct folded *f, const size_t *length)
{
    size_t at = 0;
    for (size_t i = 0; i < f->n; i++) {
        if (at < f->begin[i])
            memmove(f->items + at, f->items + f->begin[i], length[i] * sizeof *f->items);
        f->begin[i] = at;
        at += length[i];
    }
    f->begin[f->n] = at;
}

enum status folded_new(struct folded *f, const struct query *queries, size_t n, struct error *err)
{
    size_t events = 0;
    for (size_t q = 0; q < n; q++)
        events += queries[q].n;
    f->n = n;
    f->begin = mem_new(n + 1, sizeof *f->begin, "history starts", err);
    f->items = mem_new_raw(events, sizeof *f->items, "histories", err);
    struct folding g = {queries, f, mem_new_raw(n, sizeof *g.length, "history lengths", err)};
    if (!f->begin || !f->items || !g.length) {
        mem_free(g.length);
        folded_clear(f);
        return ST_NOMEM;
    }
    for (size_t q = 0; q < n; q++)
        f->begin[q + 1] = f->begin[q] + queries[q].n;
    parallel_blocks(n, FOLD_BLOCK, fold_block, &g);
    close_gaps(f, g.length);
    mem_free(g.length);
    return ST_OK;
}

void folded_clear(struct folded *f)
{
    mem_free(f->begin);
    mem_free(f->items);
    *f = (struct folded){0};
}

enum status folded_rows(const struct query *queries, size_t n, size_t nitems, bool weigh, struct csr *out,
                        struct error *err)
{
    struct folded f;
    *out = (struct csr){0};
    enum status st = folded_new(&f, queries, n, err);
    if (st)
        return st;
    st = csr_new(out, n, nitems, f.begin[n], weigh, err);
    if (!st)
        memcpy(out->begin, f.begin, (n + 1) * sizeof *f.begin);
    for (size_t i = 0; !st && i < f.begin[n]; i++) {
        out->index[i] = f.items[i].item;
        if (weigh)
            out->value[i] = f.items[i].weight;
    }
    folded_clear(&f);
    return st;
}
