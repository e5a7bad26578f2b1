#include "inspect/neighbours.h"

#include <math.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/topk.h"

/* ---- rows of items ---- */

/* Another user's row while it is summed, one a thread. */
struct desk {
    float *sum;      /* items.n, all 0 between users */
    uint32_t *touched;
};

struct comparing {
    const struct selection *selection;
    int64_t moment;
    const float *own;  /* items.n: weights of the history asked about */
    double length;     /* of it as a vector */
    uint32_t user;     /* who is not their own neighbour */
    struct desk *desks;
    struct job *job;
    float *similarity; /* users.n */
};

static bool meets(const struct comparing *c, size_t user)
{
    const struct dataset *d = c->selection->data;
    for (size_t e = d->user_begin[user]; e < d->user_begin[user + 1]; e++)
        if (c->own[d->events.item[e]] > 0 && selection_has(c->selection, e))
            return true;
    return false;
}

/* The user's row into the desk; returns how many items. */
static size_t sum_row(const struct comparing *c, size_t user, struct desk *desk)
{
    const struct dataset *d = c->selection->data;
    size_t n = 0;
    for (size_t e = d->user_begin[user]; e < d->user_begin[user + 1]; e++) {
        uint32_t item = d->events.item[e];
        if (!selection_has(c->selection, e))
            continue;
        if (desk->sum[item] == 0)
            desk->touched[n++] = item;
        desk->sum[item] += event_weight(d, e, c->moment);
    }
    return n;
}

static void clear_row(struct desk *desk, size_t n)
{
    for (size_t t = 0; t < n; t++)
        desk->sum[desk->touched[t]] = 0;
}

static float cosine(const struct comparing *c, size_t user, struct desk *desk)
{
    double dot = 0, square = 0;
    size_t n = sum_row(c, user, desk);
    for (size_t t = 0; t < n; t++) {
        double x = (double)desk->sum[desk->touched[t]];
        dot += x * (double)c->own[desk->touched[t]];
        square += x * x;
    }
    clear_row(desk, n);
    return dot > 0 ? (float)(dot / (sqrt(square) * c->length)) : -INFINITY;
}

static void compare_users(void *context, size_t block, size_t begin, size_t end)
{
    const struct comparing *c = context;
    struct desk *desk = &c->desks[parallel_thread()];
    (void)block;
    if (job_cancelled(c->job))
        return;
    for (size_t u = begin; u < end; u++)
        c->similarity[u] = u != c->user && meets(c, u) ? cosine(c, u, desk) : -INFINITY;
    job_step(c->job, end - begin);
}

/* What is shared with one neighbour. */
static void describe(const struct comparing *c, struct neighbour *out)
{
    struct desk *desk = &c->desks[0];
    struct scored room[NEIGHBOUR_ITEMS];
    struct best best = {.list = room, .k = NEIGHBOUR_ITEMS};
    out->items = sum_row(c, out->user, desk);
    for (size_t t = 0; t < out->items; t++) {
        uint32_t item = desk->touched[t];
        if (!(c->own[item] > 0))
            continue;
        out->shared++;
        best_offer(&best, item, c->own[item] * desk->sum[item]);
    }
    clear_row(desk, out->items);
    size_t n = best_finish(&best);
    for (size_t i = 0; i < NEIGHBOUR_ITEMS; i++)
        out->most[i] = i < n ? room[i].index : NO_ITEM;
}

static void close_comparing(struct comparing *c)
{
    for (int t = 0; c->desks && t < parallel_threads(); t++) {
        mem_free(c->desks[t].sum);
        mem_free(c->desks[t].touched);
    }
    mem_free(c->desks);
    mem_free(c->similarity);
    mem_free((float *)c->own);
    *c = (struct comparing){0};
}

static enum status open_comparing(const struct selection *s, const struct query *q, struct job *job,
                                  struct comparing *c, struct error *err)
{
    const struct dataset *d = s->data;
    size_t threads = (size_t)parallel_threads(), longest = 0;
    struct folded f;
    double square = 0;
    for (size_t u = 0; u < d->users.n; u++)
        longest = d->user_begin[u + 1] - d->user_begin[u] > longest ? d->user_begin[u + 1] - d->user_begin[u] : longest;
    float *own = mem_new(d->items.n, sizeof *own, "neighbours", err);
    *c = (struct comparing){.selection = s, .moment = selection_moment(s), .own = own, .user = q->user, .job = job};
    c->desks = mem_new(threads, sizeof *c->desks, "neighbours", err);
    c->similarity = mem_new_raw(d->users.n, sizeof *c->similarity, "neighbours", err);
    bool good = own && c->desks && c->similarity;
    for (size_t t = 0; t < threads && good; t++) {
        c->desks[t].sum = mem_new(d->items.n, sizeof *c->desks[t].sum, "neighbours", err);
        c->desks[t].touched = mem_new_raw(longest, sizeof *c->desks[t].touched, "neighbours", err);
        good = c->desks[t].sum && c->desks[t].touched;
    }
    enum status st = good ? folded_new(&f, q, 1, err) : ST_NOMEM;
    if (st) {
        close_comparing(c);
        return st;
    }
    for (size_t i = 0; i < f.begin[1]; i++) {
        own[f.items[i].item] = f.items[i].weight;
        square += (double)f.items[i].weight * (double)f.items[i].weight;
    }
    c->length = sqrt(square);
    folded_clear(&f);
    return ST_OK;
}

/* The best of c->similarity, with what they share. */
static enum status take_best(const struct comparing *c, size_t k, struct neighbours *out, struct error *err)
{
    size_t users = c->selection->data->users.n;
    k = k < users ? k : users;
    struct scored *best = mem_new_raw(k, sizeof *best, "neighbours", err);
    out->list = mem_new(k, sizeof *out->list, "neighbours", err);
    enum status st = best && out->list ? ST_OK : ST_NOMEM;
    size_t n = st ? 0 : topk(c->similarity, users, k, best);
    for (size_t i = 0; i < n; i++) {
        struct neighbour *to = &out->list[out->n++];
        *to = (struct neighbour){.user = best[i].index, .similarity = best[i].score};
        describe(c, to);
    }
    mem_free(best);
    return st;
}

enum status neighbours_by_items(const struct selection *s, const struct query *q, size_t k, struct job *job,
                                struct neighbours *out, struct error *err)
{
    enum { BLOCK = 256 };
    struct comparing c;
    *out = (struct neighbours){0};
    enum status st = open_comparing(s, q, job, &c, err);
    if (st)
        return st;
    job_begin(job, s->data->users.n, "users", "neighbours");
    parallel_blocks(s->data->users.n, BLOCK, compare_users, &c);
    st = job_check(job, err);
    if (!st)
        st = take_best(&c, k, out, err);
    close_comparing(&c);
    if (st)
        neighbours_clear(out);
    return st;
}

/* ---- vectors of a model ---- */

static double length_of(const float *x, size_t width)
{
    double square = 0;
    for (size_t i = 0; i < width; i++)
        square += (double)x[i] * (double)x[i];
    return sqrt(square);
}

/* Users users[0..n) against the vector `own`. */
static enum status compare_batch(const struct comparing *c, const struct model *m, const float *own, size_t width,
                                 const uint32_t *users, size_t n, float *vectors, struct error *err)
{
    struct histories h;
    enum status st = histories_of_users(c->selection, users, n, &h, err);
    if (st)
        return st;
    st = model_project(m, h.queries, n, vectors, err);
    double length = length_of(own, width);
    for (size_t i = 0; i < n && !st; i++) {
        const float *x = vectors + i * width;
        double dot = 0, product = length * length_of(x, width);
        for (size_t j = 0; j < width; j++)
            dot += (double)x[j] * (double)own[j];
        if (users[i] != c->user && h.queries[i].n && product > 0 && dot > 0)
            c->similarity[users[i]] = (float)(dot / product);
    }
    histories_clear(&h);
    return st;
}

static enum status compare_vectors(const struct comparing *c, const struct model *m, const struct query *q,
                                   struct error *err)
{
    enum { BATCH = 512 };
    size_t users = c->selection->data->users.n, width = 0;
    uint32_t batch[BATCH];
    model_vectors(m, &width);
    float *own = mem_new_raw(width, sizeof *own, "vectors", err);
    float *vectors = mem_new_raw(BATCH * width, sizeof *vectors, "vectors", err);
    enum status st = own && vectors ? model_project(m, q, 1, own, err) : ST_NOMEM;
    for (size_t u = 0; u < users; u++)
        c->similarity[u] = -INFINITY;
    for (size_t from = 0; from < users && !st; from += BATCH) {
        size_t n = users - from < BATCH ? users - from : BATCH;
        for (size_t i = 0; i < n; i++)
            batch[i] = (uint32_t)(from + i);
        st = compare_batch(c, m, own, width, batch, n, vectors, err);
        job_step(c->job, n);
        if (!st)
            st = job_check(c->job, err);
    }
    mem_free(own);
    mem_free(vectors);
    return st;
}

enum status neighbours_by_vectors(const struct model *m, const struct selection *s, const struct query *q, size_t k,
                                  struct job *job, struct neighbours *out, struct error *err)
{
    struct comparing c;
    *out = (struct neighbours){0};
    enum status st = open_comparing(s, q, job, &c, err);
    if (st)
        return st;
    job_begin(job, s->data->users.n, "users", "neighbours by %s", m->name);
    st = compare_vectors(&c, m, q, err);
    if (!st)
        st = take_best(&c, k, out, err);
    close_comparing(&c);
    if (st)
        neighbours_clear(out);
    return st;
}

void neighbours_clear(struct neighbours *n)
{
    mem_free(n->list);
    *n = (struct neighbours){0};
}
