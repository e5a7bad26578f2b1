#include "models/user_vectors.h"

#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/text.h"
#include "models/history.h"

enum { MOST_BYTES = 1 << 26, PIECE = 4096, BLOCK = 64 };

/* ---- finding ---- */

/* All of a history that a class may read to fold it in. */
static void key_of(const struct query *q, uint64_t key[2])
{
    enum { TOGETHER = 32 };
    struct {
        int64_t time;
        float value, weight;
        uint32_t item, type;
    } said[TOGETHER];
    key[0] = q->n;
    key[1] = ~key[0];
    for (size_t begin = 0; begin < q->n; begin += TOGETHER) {
        size_t n = q->n - begin < TOGETHER ? q->n - begin : TOGETHER;
        for (size_t i = 0; i < n; i++) {
            const struct query_event *e = &q->events[begin + i];
            said[i].time = e->time;
            said[i].value = e->value;
            said[i].weight = e->weight;
            said[i].item = e->item;
            said[i].type = e->type;
        }
        key[0] = hash_bytes(said, n * sizeof *said, key[0]);
        key[1] = hash_bytes(said, n * sizeof *said, key[1]);
    }
}

/* Where the key is, or else the free slot where it would be. */
static uint32_t *slot_of(const struct user_vectors *v, const uint64_t key[2])
{
    size_t at = key[0] & (v->slots - 1);
    while (v->slot[at] && memcmp(v->key[v->slot[at] - 1], key, sizeof *v->key) != 0)
        at = (at + 1) & (v->slots - 1);
    return &v->slot[at];
}

/* ---- taking ---- */

struct taking {
    const struct user_vectors *v;
    const struct query *queries;
    float *x;
    bool *missing; /* per query */
};

static void take_block(void *context, size_t block, size_t begin, size_t end)
{
    const struct taking *t = context;
    const struct user_vectors *v = t->v;
    (void)block;
    for (size_t q = begin; q < end; q++) {
        uint64_t key[2];
        key_of(&t->queries[q], key);
        uint32_t found = *slot_of(v, key);
        t->missing[q] = !found;
        if (found)
            memcpy(t->x + q * v->width, v->x + (found - 1) * v->width, v->width * sizeof *t->x);
    }
}

/* Folds in those that are missing, together. */
static enum status fold_missing(const struct taking *t, const struct model *m, size_t n, struct error *err)
{
    size_t width = t->v->width, missing = 0, at = 0;
    for (size_t q = 0; q < n; q++)
        missing += t->missing[q];
    if (!missing)
        return ST_OK;
    if (missing == n)
        return m->class->fold(m, t->queries, n, t->x, err);
    struct query *some = mem_new_raw(missing, sizeof *some, "histories", err);
    float *x = mem_new_raw(missing * width, sizeof *x, "vectors of histories", err);
    for (size_t q = 0; some && q < n; q++)
        if (t->missing[q])
            some[at++] = t->queries[q];
    enum status st = some && x ? m->class->fold(m, some, missing, x, err) : ST_NOMEM;
    for (size_t q = n; q-- > 0 && !st;)
        if (t->missing[q])
            memcpy(t->x + q * width, x + --at * width, width * sizeof *x);
    mem_free(some);
    mem_free(x);
    return st;
}

uint64_t user_vectors_bytes(const struct user_vectors *v)
{
    return v->n * (v->width * sizeof *v->x + sizeof *v->key) + v->slots * sizeof *v->slot;
}

enum status user_vectors_fold(const struct user_vectors *v, const struct model *m, const struct query *queries,
                              size_t n, float *x, struct error *err)
{
    struct taking t = {v, queries, x, NULL};
    if (!v->n)
        return m->class->fold(m, queries, n, x, err);
    t.missing = mem_new_raw(n, sizeof *t.missing, "histories", err);
    if (!t.missing)
        return ST_NOMEM;
    parallel_blocks(n, BLOCK, take_block, &t);
    enum status st = fold_missing(&t, m, n, err);
    mem_free(t.missing);
    return st;
}

/* ---- filling ---- */

static enum status make_room(struct user_vectors *v, size_t most, struct error *err)
{
    for (v->slots = 2; v->slots < 2 * most; v->slots *= 2)
        ;
    v->x = mem_new_raw(most * v->width, sizeof *v->x, "vectors of users", err);
    v->key = mem_new_raw(most, sizeof *v->key, "vectors of users", err);
    v->slot = mem_new(v->slots, sizeof *v->slot, "vectors of users", err);
    return v->x && v->key && v->slot ? ST_OK : ST_NOMEM;
}

/* Users who did the same share a vector. */
static void enter(struct user_vectors *v, const struct query *queries, size_t n)
{
    size_t first = v->n;
    for (size_t q = 0; q < n; q++) {
        key_of(&queries[q], v->key[v->n]);
        uint32_t *slot = slot_of(v, v->key[v->n]);
        if (*slot)
            continue;
        memmove(v->x + v->n * v->width, v->x + (first + q) * v->width, v->width * sizeof *v->x);
        *slot = (uint32_t)++v->n;
    }
}

static enum status fill_piece(struct user_vectors *v, const struct model *m, const struct training *t,
                              const uint32_t *users, size_t n, struct error *err)
{
    struct histories h = {0};
    enum status st = job_check(t->job, err);
    if (!st)
        st = histories_of_users(t->selection, users, n, &h, err);
    if (!st)
        st = m->class->fold(m, h.queries, n, v->x + v->n * v->width, err);
    if (!st)
        enter(v, h.queries, n);
    histories_clear(&h);
    job_step(t->job, n);
    return st;
}

/* Those who have a history. */
static size_t find_users(const struct csr *seen, uint32_t *users)
{
    size_t n = 0;
    for (size_t u = 0; u < seen->rows; u++)
        if (seen->begin[u + 1] > seen->begin[u])
            users[n++] = (uint32_t)u;
    return n;
}

void user_vectors_fill(struct user_vectors *v, const struct model *m, const struct training *t)
{
    struct error ignored;
    const struct csr *seen = &t->interactions->matrix;
    *v = (struct user_vectors){0};
    if (!m->class->fold || m->class->reads || !model_vectors(m, &v->width))
        return;
    if (seen->rows * v->width * sizeof *v->x > MOST_BYTES)
        return;
    uint32_t *users = mem_new_raw(seen->rows, sizeof *users, "users", &ignored);
    size_t n = users ? find_users(seen, users) : 0;
    enum status st = users ? make_room(v, n, &ignored) : ST_NOMEM;
    job_begin(t->job, n, "users", "train %s: vectors of users", m->name);
    for (size_t at = 0; at < n && !st; at += PIECE)
        st = fill_piece(v, m, t, users + at, n - at < PIECE ? n - at : PIECE, &ignored);
    mem_free(users);
    if (st)
        user_vectors_clear(v);
}

void user_vectors_clear(struct user_vectors *v)
{
    mem_free(v->x);
    mem_free(v->key);
    mem_free(v->slot);
    *v = (struct user_vectors){0};
}
