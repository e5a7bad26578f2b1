#include "data/interactions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"

bool event_before(const struct dataset *d, size_t e, int64_t moment)
{
    return moment == NO_TIME || !d->events.time || d->events.time[e] == NO_TIME || d->events.time[e] < moment;
}

size_t user_end_before(const struct dataset *d, size_t user, int64_t moment)
{
    size_t begin = d->user_begin[user], end = d->user_begin[user + 1];
    if (moment == NO_TIME || !d->events.time)
        return end;
    while (begin < end) { /* NO_TIME is the smallest */
        size_t middle = begin + (end - begin) / 2;
        if (d->events.time[middle] < moment)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

bool selection_has(const struct selection *s, size_t e)
{
    const struct events *events = &s->data->events;
    if (!(s->data->type_weight[events->type[e]] > 0))
        return false;
    if (s->split && !(s->split->part[e] & s->parts))
        return false;
    return event_before(s->data, e, s->until);
}

void history_lengths(const struct selection *s, uint32_t *lengths)
{
    const struct dataset *d = s->data;
    for (size_t u = 0; u < d->users.n; u++) {
        lengths[u] = 0;
        for (size_t e = d->user_begin[u]; e < d->user_begin[u + 1]; e++)
            lengths[u] += selection_has(s, e);
    }
}

/* ---- weights ---- */

struct newest {
    const struct selection *selection;
    int64_t *time; /* one a thread */
};

static void find_newest(void *context, size_t block, size_t begin, size_t end)
{
    const struct newest *n = context;
    const int64_t *time = n->selection->data->events.time;
    int64_t best = n->time[parallel_thread()];
    (void)block;
    for (size_t e = begin; e < end; e++)
        if (time[e] > best && selection_has(n->selection, e))
            best = time[e];
    n->time[parallel_thread()] = best;
}

int64_t selection_moment(const struct selection *s)
{
    enum { BLOCK = 1 << 16, THREADS = 256 };
    int64_t time[THREADS], best = NO_TIME;
    const struct dataset *d = s->data;
    if (!d->halflife || !d->events.time)
        return NO_TIME;
    for (size_t t = 0; t < THREADS; t++)
        time[t] = NO_TIME;
    struct newest n = {s, time};
    if (parallel_threads() <= THREADS)
        parallel_blocks(d->events.n, BLOCK, find_newest, &n);
    else
        find_newest(&n, 0, 0, d->events.n);
    for (size_t t = 0; t < THREADS; t++)
        best = time[t] > best ? time[t] : best;
    return best;
}

float decayed_weight(const struct dataset *d, double weight, int64_t time, int64_t moment)
{
    enum { FARTHEST = 40 }; /* halvings: a weight stays above 0, and so does its square; what a rolling history adds is newer */
    if (moment != NO_TIME && time != NO_TIME && d->halflife) {
        double halvings = ((double)moment - (double)time) / (double)d->halflife;
        weight *= exp2(-fmin(fmax(halvings, -FARTHEST), FARTHEST));
    }
    return (float)weight;
}

float event_weight(const struct dataset *d, size_t e, int64_t moment)
{
    double weight = (double)d->type_weight[d->events.type[e]];
    if (d->repeats) {
        int64_t times = d->events.context.field[d->repeats - 1].integer[e];
        weight *= times > 1 ? (double)times : 1;
    }
    return decayed_weight(d, weight, d->events.time ? d->events.time[e] : NO_TIME, moment);
}

/* ---- the matrix ---- */

/* One user's distinct items while they are gathered. */
struct entry {
    uint32_t item, count;
    float weight;
    int64_t time;
    size_t event;
};

static int by_item(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->item != y->item)
        return x->item < y->item ? -1 : 1;
    return x->event < y->event ? -1 : x->event > y->event;
}

/* Entries of one user, ascending by item. Sums of weights must not depend on how a sort treats equal items, so the
 * position of the event breaks the tie. */
static size_t gather_user(const struct selection *s, int64_t moment, size_t user, struct entry *out)
{
    const struct dataset *d = s->data;
    size_t n = 0;
    for (size_t e = d->user_begin[user]; e < d->user_begin[user + 1]; e++) {
        if (!selection_has(s, e))
            continue;
        int64_t time = d->events.time ? d->events.time[e] : NO_TIME;
        out[n++] = (struct entry){d->events.item[e], 1, event_weight(d, e, moment), time, e};
    }
    qsort(out, n, sizeof *out, by_item);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept && out[kept - 1].item == out[i].item) {
            struct entry *e = &out[kept - 1];
            e->count += out[i].count;
            e->weight += out[i].weight;
            if (out[i].time > e->time)
                e->time = out[i].time;
        } else {
            out[kept++] = out[i];
        }
    }
    return kept;
}

struct gather {
    const struct selection *selection;
    int64_t moment;
    struct interactions *out;
    struct entry **scratch; /* one a thread, room for the longest user */
};

static void count_users(void *context, size_t block, size_t begin, size_t end)
{
    struct gather *g = context;
    (void)block;
    for (size_t u = begin; u < end; u++)
        g->out->matrix.begin[u + 1] = gather_user(g->selection, g->moment, u, g->scratch[parallel_thread()]);
}

static void fill_users(void *context, size_t block, size_t begin, size_t end)
{
    struct gather *g = context;
    struct interactions *x = g->out;
    struct entry *row = g->scratch[parallel_thread()];
    (void)block;
    for (size_t u = begin; u < end; u++) {
        size_t n = gather_user(g->selection, g->moment, u, row), at = x->matrix.begin[u];
        for (size_t i = 0; i < n; i++) {
            x->matrix.index[at + i] = row[i].item;
            x->matrix.value[at + i] = row[i].weight;
            x->time[at + i] = row[i].time;
            x->count[at + i] = row[i].count;
        }
    }
}

static void summarize(struct interactions *x, uint8_t *item_seen)
{
    const struct csr *m = &x->matrix;
    x->newest = NO_TIME;
    for (size_t u = 0; u < m->rows; u++)
        x->users += m->begin[u + 1] > m->begin[u];
    for (size_t i = 0; i < csr_count(m); i++) {
        x->items += !item_seen[m->index[i]];
        item_seen[m->index[i]] = 1;
        x->events += x->count[i];
        if (x->time[i] > x->newest)
            x->newest = x->time[i];
    }
}

enum status interactions_build(const struct selection *s, struct interactions *out, struct error *err)
{
    enum { BLOCK = 256 };
    const struct dataset *d = s->data;
    size_t users = d->users.n, longest = 0;
    for (size_t u = 0; u < users; u++)
        if (d->user_begin[u + 1] - d->user_begin[u] > longest)
            longest = d->user_begin[u + 1] - d->user_begin[u];
    memset(out, 0, sizeof *out);
    enum status st = ST_NOMEM;
    int threads = parallel_threads();
    uint8_t *seen = mem_new(d->items.n, 1, "item marks", err);
    struct entry **scratch = mem_new((size_t)threads, sizeof *scratch, "scratch", err);
    size_t *begin = mem_new(users + 1, sizeof *begin, "row starts", err);
    if (!seen || !scratch || !begin)
        goto out;
    for (int t = 0; t < threads; t++)
        if (!(scratch[t] = mem_new_raw(longest, sizeof **scratch, "one user's items", err)))
            goto out;
    out->matrix.begin = begin;
    struct gather g = {s, selection_moment(s), out, scratch};
    parallel_blocks(users, BLOCK, count_users, &g);
    for (size_t u = 0; u < users; u++)
        begin[u + 1] += begin[u];
    out->matrix.begin = NULL;
    st = csr_new(&out->matrix, users, d->items.n, begin[users], 1, err);
    if (st)
        goto out;
    memcpy(out->matrix.begin, begin, (users + 1) * sizeof *begin);
    out->time = mem_new_raw(begin[users], sizeof *out->time, "interaction times", err);
    out->count = mem_new_raw(begin[users], sizeof *out->count, "interaction counts", err);
    st = out->time && out->count ? ST_OK : ST_NOMEM;
    if (st)
        goto out;
    parallel_blocks(users, BLOCK, fill_users, &g);
    summarize(out, seen);
out:
    for (int t = 0; scratch && t < threads; t++)
        mem_free(scratch[t]);
    mem_free(scratch);
    mem_free(seen);
    mem_free(begin);
    if (st)
        interactions_clear(out);
    return st;
}

void interactions_clear(struct interactions *x)
{
    csr_clear(&x->matrix);
    mem_free(x->time);
    mem_free(x->count);
    memset(x, 0, sizeof *x);
}
