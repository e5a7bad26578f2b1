/* The k-core: peeling with a stack of those that fell below their bound. Every edge is looked at once from either end.
 */
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "data/shape.h"
#include "data/subset.h"

enum { USER_BLOCK = 512, EVENT_BLOCK = 1 << 16 };

/* One side of the graph: the neighbours of x are to[begin[x] .. begin[x + 1]). */
struct side {
    uint32_t n, bound;
    size_t *begin;
    uint32_t *to;
    uint32_t *degree; /* neighbours that are left */
    uint8_t *gone;
};

struct graph {
    const struct dataset *d;
    struct side users, items;
    uint32_t **seen; /* one a thread: user + 1 who was seen with this item last */
    uint32_t *stack; /* items come behind the users */
    uint8_t *keep;
};

static void side_clear(struct side *s)
{
    mem_free(s->begin);
    mem_free(s->to);
    mem_free(s->degree);
    mem_free(s->gone);
}

static enum status side_new(struct side *s, uint32_t n, uint32_t bound, struct error *err)
{
    s->n = n;
    s->bound = bound;
    s->begin = mem_new((size_t)n + 1, sizeof *s->begin, "the graph", err);
    s->degree = mem_new(n, sizeof *s->degree, "the graph", err);
    s->gone = mem_new(n, 1, "the graph", err);
    return s->begin && s->degree && s->gone ? ST_OK : ST_NOMEM;
}

/* The distinct items of a user's feedback, in the order of their first event; out NULL only counts. */
static size_t distinct_items(const struct graph *g, uint32_t user, uint32_t *out)
{
    const struct dataset *d = g->d;
    uint32_t *seen = g->seen[parallel_thread()];
    size_t n = 0;
    for (size_t e = d->user_begin[user]; e < d->user_begin[user + 1]; e++) {
        uint32_t item = d->events.item[e];
        if (!(d->type_weight[d->events.type[e]] > 0) || seen[item] == user + 1)
            continue;
        seen[item] = user + 1;
        if (out)
            out[n] = item;
        n++;
    }
    return n;
}

static void count_edges(void *context, size_t block, size_t begin, size_t end)
{
    struct graph *g = context;
    (void)block;
    for (size_t u = begin; u < end; u++)
        g->users.begin[u + 1] = g->users.degree[u] = (uint32_t)distinct_items(g, (uint32_t)u, NULL);
}

static void fill_edges(void *context, size_t block, size_t begin, size_t end)
{
    struct graph *g = context;
    (void)block;
    for (size_t u = begin; u < end; u++)
        (void)distinct_items(g, (uint32_t)u, g->users.to + g->users.begin[u]);
}

static void forget_seen(struct graph *g)
{
    for (int t = 0; t < parallel_threads(); t++)
        memset(g->seen[t], 0, g->items.n * sizeof **g->seen);
}

static enum status build(struct graph *g, struct job *job, struct error *err)
{
    struct side *users = &g->users, *items = &g->items;
    parallel_blocks(users->n, USER_BLOCK, count_edges, g);
    for (uint32_t u = 0; u < users->n; u++)
        users->begin[u + 1] += users->begin[u];
    size_t edges = users->begin[users->n];
    users->to = mem_new_raw(edges, sizeof *users->to, "the graph", err);
    items->to = mem_new_raw(edges, sizeof *items->to, "the graph", err);
    if (!users->to || !items->to)
        return ST_NOMEM;
    forget_seen(g);
    parallel_blocks(users->n, USER_BLOCK, fill_edges, g);
    enum status st = job_check(job, err);
    if (st)
        return st;
    for (size_t i = 0; i < edges; i++)
        items->degree[users->to[i]]++;
    for (uint32_t i = 0; i < items->n; i++)
        items->begin[i + 1] = items->begin[i] + items->degree[i];
    for (uint32_t u = users->n; u-- > 0;) /* from the end: begin[i + 1] walks down to where the item begins */
        for (size_t i = users->begin[u]; i < users->begin[u + 1]; i++)
            items->to[--items->begin[users->to[i] + 1]] = u;
    memmove(items->begin, items->begin + 1, items->n * sizeof *items->begin);
    items->begin[items->n] = edges;
    return job_check(job, err);
}

/* Everybody below the bound onto the stack. */
static size_t condemn(struct side *s, uint32_t offset, uint32_t *stack, size_t top)
{
    for (uint32_t x = 0; x < s->n; x++) {
        if (s->degree[x] < s->bound) {
            s->gone[x] = 1;
            stack[top++] = offset + x;
        }
    }
    return top;
}

/* `x` is gone: its neighbours have one less. */
static size_t release(const struct side *from, uint32_t x, struct side *to, uint32_t offset, uint32_t *stack,
                      size_t top)
{
    for (size_t i = from->begin[x]; i < from->begin[x + 1]; i++) {
        uint32_t y = from->to[i];
        if (!to->gone[y] && --to->degree[y] < to->bound) {
            to->gone[y] = 1;
            stack[top++] = offset + y;
        }
    }
    return top;
}

static enum status peel(struct graph *g, struct job *job, struct error *err)
{
    struct side *users = &g->users, *items = &g->items;
    size_t top = condemn(users, 0, g->stack, 0);
    enum status st = ST_OK;
    top = condemn(items, users->n, g->stack, top);
    for (size_t steps = 0; top && !st; steps++) {
        uint32_t x = g->stack[--top];
        top = x < users->n ? release(users, x, items, users->n, g->stack, top)
                           : release(items, x - users->n, users, 0, g->stack, top);
        if (steps % 4096 == 0)
            st = job_check(job, err);
    }
    return st;
}

static void choose(void *context, size_t block, size_t begin, size_t end)
{
    const struct graph *g = context;
    const struct events *e = &g->d->events;
    (void)block;
    for (size_t i = begin; i < end; i++)
        g->keep[i] = !g->users.gone[e->user[i]] && !g->items.gone[e->item[i]];
}

static enum status nothing_left(const struct dataset *d, uint32_t users, uint32_t items, struct error *err)
{
    error_set(err, ST_STATE,
              "%s has no core where every user has %u item%s and every item %u user%s: nothing would be left", d->name,
              users, users == 1 ? "" : "s", items, items == 1 ? "" : "s");
    error_hint(err, "try a smaller bound");
    return ST_STATE;
}

enum status shape_kcore(const struct dataset *d, uint32_t users, uint32_t items, struct job *job, struct dataset **out,
                        struct error *err)
{
    struct graph g = {.d = d};
    int threads = parallel_threads();
    enum status st = ST_NOMEM;
    enum subset_cold cold = (users ? COLD_USERS_GO : COLD_STAY) | (items ? COLD_ITEMS_GO : COLD_STAY);
    g.seen = mem_new((size_t)threads, sizeof *g.seen, "scratch", err);
    g.keep = mem_new_raw(d->events.n, 1, "a choice of events", err);
    g.stack = mem_new_raw((size_t)d->users.n + d->items.n, sizeof *g.stack, "the graph", err);
    if (!g.seen || !g.keep || !g.stack || side_new(&g.users, d->users.n, users, err) ||
        side_new(&g.items, d->items.n, items, err))
        goto out;
    for (int t = 0; t < threads; t++)
        if (!(g.seen[t] = mem_new(d->items.n, sizeof **g.seen, "scratch", err)))
            goto out;
    st = build(&g, job, err);
    if (!st)
        st = peel(&g, job, err);
    if (st)
        goto out;
    parallel_blocks(d->events.n, EVENT_BLOCK, choose, &g);
    st = dataset_subset(d, g.keep, cold, job, out, err);
    if (!st && !(*out)->events.n) {
        dataset_release(*out);
        st = nothing_left(d, users, items, err);
    }
out:
    for (int t = 0; g.seen && t < threads; t++)
        mem_free(g.seen[t]);
    mem_free(g.seen);
    mem_free(g.keep);
    mem_free(g.stack);
    side_clear(&g.users);
    side_clear(&g.items);
    return st;
}
