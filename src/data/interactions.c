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
    enum {
        FARTHEST = 40
    }; /* halvings: a weight stays above 0, and so does its square; what a rolling history adds is newer */
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

struct gather {
    const struct selection *selection;
    int64_t moment;
    struct interactions *out;
    struct desk {
        uint64_t *key;  /* room for the longest user: item << 32 | place of the event among the user's */
        uint32_t *last; /* items: the last user who was seen to have each, plus 1 */
    } *desks;           /* one a thread */
};

static int by_key(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static void count_users(void *context, size_t block, size_t begin, size_t end)
{
    struct gather *g = context;
    const struct dataset *d = g->selection->data;
    uint32_t *last = g->desks[parallel_thread()].last;
    (void)block;
    for (size_t u = begin; u < end; u++) {
        size_t n = 0;
        for (size_t e = d->user_begin[u]; e < d->user_begin[u + 1]; e++) {
            if (last[d->events.item[e]] == u + 1 || !selection_has(g->selection, e))
                continue;
            last[d->events.item[e]] = (uint32_t)u + 1;
            n++;
        }
        g->out->matrix.begin[u + 1] = n;
    }
}

/* The row of a user, ascending by item. Sums of weights must not depend on how a sort treats equal items, so the place
 * of the event breaks the tie. */
static void fill_user(const struct gather *g, size_t user, uint64_t *key)
{
    const struct dataset *d = g->selection->data;
    struct interactions *x = g->out;
    size_t n = 0, at = x->matrix.begin[user];
    for (size_t e = d->user_begin[user]; e < d->user_begin[user + 1]; e++)
        if (selection_has(g->selection, e))
            key[n++] = (uint64_t)d->events.item[e] << 32 | (e - d->user_begin[user]);
    qsort(key, n, sizeof *key, by_key);
    for (size_t i = 0; i < n; i++) {
        size_t e = d->user_begin[user] + (uint32_t)key[i];
        int64_t time = d->events.time ? d->events.time[e] : NO_TIME;
        float weight = event_weight(d, e, g->moment);
        if (i && key[i] >> 32 == key[i - 1] >> 32) {
            x->count[at - 1]++;
            x->matrix.value[at - 1] += weight;
            if (time > x->time[at - 1])
                x->time[at - 1] = time;
            continue;
        }
        x->matrix.index[at] = d->events.item[e];
        x->matrix.value[at] = weight;
        x->time[at] = time;
        x->count[at++] = 1;
    }
}

static void fill_users(void *context, size_t block, size_t begin, size_t end)
{
    const struct gather *g = context;
    (void)block;
    for (size_t u = begin; u < end; u++)
        fill_user(g, u, g->desks[parallel_thread()].key);
}

static struct desk *desks_new(const struct dataset *d, size_t threads, struct error *err)
{
    struct desk *desks = mem_new(threads, sizeof *desks, "scratch", err);
    size_t longest = 0;
    for (size_t u = 0; u < d->users.n; u++)
        if (d->user_begin[u + 1] - d->user_begin[u] > longest)
            longest = d->user_begin[u + 1] - d->user_begin[u];
    for (size_t t = 0; desks && t < threads; t++) {
        desks[t].key = mem_new_raw(longest, sizeof *desks->key, "one user's items", err);
        desks[t].last = mem_new(d->items.n, sizeof *desks->last, "item marks", err);
    }
    return desks;
}

static bool desks_whole(const struct desk *desks, size_t threads)
{
    bool whole = desks != NULL;
    for (size_t t = 0; t < threads && whole; t++)
        whole = desks[t].key && desks[t].last;
    return whole;
}

static void desks_free(struct desk *desks, size_t threads)
{
    for (size_t t = 0; desks && t < threads; t++) {
        mem_free(desks[t].key);
        mem_free(desks[t].last);
    }
    mem_free(desks);
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
    enum { BLOCK = 32 };
    const struct dataset *d = s->data;
    size_t users = d->users.n, threads = (size_t)parallel_threads();
    memset(out, 0, sizeof *out);
    enum status st = ST_NOMEM;
    uint8_t *seen = mem_new(d->items.n, 1, "item marks", err);
    struct desk *desks = desks_new(d, threads, err);
    size_t *begin = mem_new(users + 1, sizeof *begin, "row starts", err);
    if (!seen || !desks_whole(desks, threads) || !begin)
        goto out;
    out->matrix.begin = begin;
    struct gather g = {s, selection_moment(s), out, desks};
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
    desks_free(desks, threads);
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
