#include "models/sgd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "data/dataset.h"

/* Groups of a large matrix, so many tasks of a round can run at once; the rows that a group of a small one has at
 * least; tiles a group is made of. */
enum { GROUPS_MOST = 16, GROUP_ROWS = 64, TILES = 4 };

/* The bit of an item in the signature of a user. */
static inline uint32_t sign_bit(const struct sgd *s, uint32_t user, uint32_t item)
{
    struct sgd_sign sign = s->sign[user];
    return sign.begin * 64 + (item * 0x9e3779b1u >> sign.shift);
}

void sgd_clear(struct sgd *s)
{
    mem_free(s->x);
    mem_free(s->y);
    mem_free(s->bias);
    mem_free(s->events);
    mem_free(s->event_begin);
    mem_free(s->tile_items);
    mem_free(s->tile_begin);
    mem_free(s->sign);
    mem_free(s->sign_words);
    memset(s, 0, sizeof *s);
}

size_t sgd_bytes(size_t users, size_t items, size_t k, size_t events)
{
    return (users + items) * step_width(k) * sizeof(float) + items * 3 * sizeof(float) +
           events * sizeof(struct sgd_event) + users * (sizeof(struct sgd_sign) + 8) + events * 4;
}

/* ---- the grid ---- */

struct degree {
    uint32_t row;
    size_t n;
};

static int by_degree(const void *pa, const void *pb)
{
    const struct degree *a = pa, *b = pb;
    return a->n != b->n ? (a->n < b->n) - (a->n > b->n) : (a->row > b->row) - (a->row < b->row);
}

/* part[row] = its place among the rows by number of entries, modulo `parts`. */
static enum status deal(const size_t *entries, size_t rows, size_t parts, uint32_t *part, struct error *err)
{
    struct degree *order = mem_new_raw(rows, sizeof *order, "blocks of rows", err);
    if (!order)
        return ST_NOMEM;
    for (size_t r = 0; r < rows; r++)
        order[r] = (struct degree){(uint32_t)r, entries[r]};
    qsort(order, rows, sizeof *order, by_degree);
    for (size_t i = 0; i < rows; i++)
        part[order[i].row] = (uint32_t)(i % parts);
    mem_free(order);
    return ST_OK;
}

static enum status deal_all(const struct sgd *s, uint32_t *block, uint32_t *tile, struct error *err)
{
    size_t most = s->users > s->items ? s->users : s->items;
    size_t *entries = mem_new(most, sizeof *entries, "blocks of rows", err);
    if (!entries)
        return ST_NOMEM;
    for (size_t u = 0; u < s->users; u++)
        entries[u] = s->seen->begin[u + 1] - s->seen->begin[u];
    enum status st = deal(entries, s->users, s->groups, block, err);
    memset(entries, 0, s->items * sizeof *entries);
    for (size_t e = 0; e < csr_count(s->seen); e++)
        entries[s->seen->index[e]]++;
    if (!st)
        st = deal(entries, s->items, s->groups * TILES, tile, err);
    mem_free(entries);
    return st;
}

static void fill_tiles(struct sgd *s, const uint32_t *tile)
{
    size_t tiles = s->groups * TILES;
    for (size_t i = 0; i < s->items; i++)
        s->tile_begin[tile[i] + 1]++;
    for (size_t t = 0; t < tiles; t++)
        s->tile_begin[t + 1] += s->tile_begin[t];
    for (size_t i = 0; i < s->items; i++)
        s->tile_items[s->tile_begin[tile[i]]++] = (uint32_t)i;
    for (size_t t = tiles; t > 0; t--)
        s->tile_begin[t] = s->tile_begin[t - 1];
    s->tile_begin[0] = 0;
}

static void shuffle_events(struct rng *r, struct sgd_event *e, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = rng_below(r, i);
        struct sgd_event other = e[i - 1];
        e[i - 1] = e[j];
        e[j] = other;
    }
}

static void fill_events(struct sgd *s, const uint32_t *block, const uint32_t *tile)
{
    size_t tiles = s->groups * TILES, buckets = s->groups * tiles, *begin = s->event_begin;
    const struct csr *m = s->seen;
    for (size_t u = 0; u < s->users; u++)
        for (size_t e = m->begin[u]; e < m->begin[u + 1]; e++)
            begin[block[u] * tiles + tile[m->index[e]] + 1]++;
    for (size_t b = 0; b < buckets; b++)
        begin[b + 1] += begin[b];
    for (size_t u = 0; u < s->users; u++)
        for (size_t e = m->begin[u]; e < m->begin[u + 1]; e++)
            s->events[begin[block[u] * tiles + tile[m->index[e]]]++] = (struct sgd_event){(uint32_t)u, m->index[e]};
    for (size_t b = buckets; b > 0; b--)
        begin[b] = begin[b - 1];
    begin[0] = 0;
    uint64_t purpose = rng_purpose(s->seed, "sgd buckets");
    for (size_t b = 0; b < buckets; b++) {
        struct rng r = rng_nth(purpose, b);
        shuffle_events(&r, s->events + begin[b], begin[b + 1] - begin[b]);
    }
}

/* 16 to 32 bits for each item of a user, so that few strange ones pass for theirs. */
static enum status sign_users(struct sgd *s, struct error *err)
{
    size_t words = 0;
    const size_t *begin = s->seen->begin;
    for (size_t u = 0; u < s->users; u++) {
        uint32_t log = 6;
        while (log < 26 && (UINT32_C(1) << log) < 16 * (begin[u + 1] - begin[u]))
            log++;
        s->sign[u] = (struct sgd_sign){(uint32_t)words, 32 - log};
        words += (size_t)1 << (log - 6);
    }
    s->sign_words = mem_new(words, sizeof *s->sign_words, "signatures of users", err);
    if (!s->sign_words)
        return ST_NOMEM;
    for (size_t u = 0; u < s->users; u++)
        for (size_t e = begin[u]; e < begin[u + 1]; e++) {
            size_t bit = sign_bit(s, (uint32_t)u, s->seen->index[e]);
            s->sign_words[bit / 64] |= UINT64_C(1) << bit % 64;
        }
    return ST_OK;
}

static enum status build_grid(struct sgd *s, struct error *err)
{
    size_t least = s->users < s->items ? s->users : s->items;
    s->groups = least / GROUP_ROWS < 1 ? 1 : least / GROUP_ROWS < GROUPS_MOST ? least / GROUP_ROWS : GROUPS_MOST;
    size_t tiles = s->groups * TILES;
    s->events = mem_new_raw(csr_count(s->seen), sizeof *s->events, "events in blocks", err);
    s->event_begin = mem_new(s->groups * tiles + 1, sizeof *s->event_begin, "events in blocks", err);
    s->tile_items = mem_new_raw(s->items, sizeof *s->tile_items, "items in tiles", err);
    s->tile_begin = mem_new(tiles + 1, sizeof *s->tile_begin, "items in tiles", err);
    s->sign = mem_new(s->users, sizeof *s->sign, "signatures of users", err);
    uint32_t *block = mem_new_raw(s->users, sizeof *block, "blocks of users", err);
    uint32_t *tile = mem_new_raw(s->items, sizeof *tile, "items in tiles", err);
    bool room = s->events && s->event_begin && s->tile_items && s->tile_begin && s->sign && block && tile;
    enum status st = room ? deal_all(s, block, tile, err) : ST_NOMEM;
    if (!st) {
        fill_tiles(s, tile);
        fill_events(s, block, tile);
        st = sign_users(s, err);
    }
    mem_free(block);
    mem_free(tile);
    return st;
}

/* ---- parameters ---- */

struct draw {
    float *rows;
    size_t k, width;
    double spread;
    uint64_t purpose;
};

static void draw_rows(void *context, size_t block, size_t begin, size_t end)
{
    (void)block;
    const struct draw *d = context;
    for (size_t i = begin; i < end; i++) {
        struct rng r = rng_nth(d->purpose, i);
        for (size_t f = 0; f < d->width; f++)
            d->rows[i * d->width + f] = f < d->k ? (float)(d->spread * rng_normal(&r)) : 0;
    }
}

enum status sgd_new(struct sgd *s, const struct csr *seen, size_t k, double spread, uint64_t seed, struct error *err)
{
    enum { BLOCK = 1024 };
    *s = (struct sgd){.users = seen->rows, .items = seen->cols, .k = k, .width = step_width(k), .seen = seen,
                      .kernels = step_kernels(), .seed = seed};
    s->x = mem_new_raw(s->users * s->width, sizeof *s->x, "user vectors", err);
    s->y = mem_new_raw(s->items * s->width, sizeof *s->y, "item vectors", err);
    s->bias = mem_new(s->items, sizeof *s->bias, "item biases", err);
    if (!s->x || !s->y || !s->bias)
        return ST_NOMEM;
    memset(s->x, 0, s->users * s->width * sizeof *s->x);
    struct draw d = {s->y, k, s->width, spread / sqrt((double)k), rng_purpose(seed, "sgd items")};
    parallel_blocks(s->items, BLOCK, draw_rows, &d);
    return build_grid(s, err);
}

/* ---- an epoch ---- */

struct round {
    struct sgd *s;
    sgd_learner *learner;
    const void *context;
    const uint32_t *order; /* tiles of the groups, one group after the other */
    const uint32_t *items; /* in that order */
    const size_t *items_begin; /* of the groups */
    uint64_t purpose;
    size_t epoch, number;
    float rate;
    double *loss; /* one a block */
    size_t *terms;
    struct job *job;
};

/* Asks for what the batch of events at e will read. */
static void look_ahead(const struct sgd *s, size_t e, size_t end)
{
    for (size_t n = 0; n < SGD_BATCH && e < end; n++, e++) {
        struct sgd_event event = s->events[e];
        __builtin_prefetch(s->sign_words + s->sign[event.user].begin);
        sgd_prefetch(s->x + event.user * s->width, s->width);
        sgd_prefetch(s->y + event.item * s->width, s->width);
    }
}

static void learn_block(void *context, size_t block, size_t begin, size_t end)
{
    (void)begin;
    (void)end;
    const struct round *r = context;
    struct sgd *s = r->s;
    size_t group = (block + r->number) % s->groups, tiles = s->groups * TILES;
    if (job_cancelled(r->job))
        return;
    struct sgd_task t = {.s = s, .context = r->context, .rate = r->rate};
    t.rng = rng_nth(r->purpose, (r->epoch * s->groups + r->number) * s->groups + block);
    t.items = r->items + r->items_begin[group];
    t.nitems = r->items_begin[group + 1] - r->items_begin[group];
    for (size_t i = 0; i < TILES; i++) {
        const size_t *bounds = s->event_begin + block * tiles + r->order[group * TILES + i];
        look_ahead(s, bounds[0], bounds[1]);
        for (size_t e = bounds[0]; e < bounds[1]; e += SGD_BATCH) {
            look_ahead(s, e + SGD_BATCH, bounds[1]);
            r->learner(&t, s->events + e, bounds[1] - e < SGD_BATCH ? bounds[1] - e : SGD_BATCH);
        }
    }
    r->loss[block] += t.loss;
    r->terms[block] += t.terms;
}

/* The groups of this epoch. */
static void draw_groups(const struct sgd *s, size_t epoch, uint32_t *order, uint32_t *items, size_t *items_begin)
{
    struct rng g = rng_stream(s->seed, "sgd groups", epoch);
    size_t n = 0, tiles = s->groups * TILES;
    for (size_t t = 0; t < tiles; t++)
        order[t] = (uint32_t)t;
    rng_shuffle(&g, order, tiles);
    for (size_t t = 0; t < tiles; t++) {
        size_t begin = s->tile_begin[order[t]], count = s->tile_begin[order[t] + 1] - begin;
        if (t % TILES == 0)
            items_begin[t / TILES] = n;
        memcpy(items + n, s->tile_items + begin, count * sizeof *items);
        n += count;
    }
    items_begin[s->groups] = n;
}

enum status sgd_epoch(struct sgd *s, sgd_learner *learner, const void *context, size_t epoch, double rate,
                      struct job *job, double *loss, struct error *err)
{
    uint32_t order[GROUPS_MOST * TILES];
    size_t items_begin[GROUPS_MOST + 1], terms[GROUPS_MOST] = {0}, count = 0;
    double part[GROUPS_MOST] = {0}, sum = 0;
    uint32_t *items = mem_new_raw(s->items, sizeof *items, "groups of items", err);
    if (!items)
        return ST_NOMEM;
    draw_groups(s, epoch, order, items, items_begin);
    struct round r = {s, learner, context, order, items, items_begin, rng_purpose(s->seed, "sgd events"), epoch, 0,
                      (float)rate, part, terms, job};
    for (; r.number < s->groups; r.number++)
        parallel_blocks(s->groups, 1, learn_block, &r);
    for (size_t b = 0; b < s->groups; b++) {
        sum += part[b];
        count += terms[b];
    }
    *loss = count ? sum / (double)count : NAN;
    mem_free(items);
    return job_check(job, err);
}

/* ---- for learners ---- */

static bool has(const struct sgd *s, uint32_t user, uint32_t item)
{
    size_t bit = sign_bit(s, user, item);
    if (!(s->sign_words[bit / 64] >> bit % 64 & 1))
        return false;
    return csr_find(s->seen, user, item) != SIZE_MAX;
}

uint32_t sgd_negative(struct sgd_task *t, uint32_t user)
{
    enum { DRAWS = 16 };
    for (int i = 0; i < DRAWS; i++) {
        if (!t->bits)
            t->bits = rng_next(&t->rng);
        uint32_t item = t->items[(t->bits & UINT32_MAX) * t->nitems >> 32];
        t->bits >>= 32;
        if (!has(t->s, user, item))
            return item;
    }
    return NO_ITEM;
}

