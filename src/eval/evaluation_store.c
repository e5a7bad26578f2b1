/* Evaluations as they are kept.
 *
 *   evaluation  u64  version, part, hide seen, rolling, split, model, depth, items, users, queries, hits, events,
 * repeats, predicts ratings, listed, right items, entries of lists, grades are ratings, has pairs, candidates user u32
 * users warm        u8   users queries     u64  users + 1 rights      u64  queries + 1 right       u32  right items
 *   grade       f32  right items
 *   hits        u64  queries + 1
 *   rank        u32  hits
 *   length      u32  queries
 *   list        u32  entries: of each query as many as its length
 *   first       u32  items
 *   won         f64  queries          when it has pairs
 *   squared, absolute  f64  users     when the model predicts ratings
 *   rated       u32  users            likewise */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "eval/evaluation_parts.h"

enum {
    VERSION = 5
}; /* 1: before only the target of the split hid items; 2: without ratings; 3: without lists; 4: without candidates */
enum {
    HEAD_VERSION,
    HEAD_ON,
    HEAD_HIDE,
    HEAD_ROLLING,
    HEAD_SPLIT,
    HEAD_MODEL,
    HEAD_DEPTH,
    HEAD_ITEMS,
    HEAD_USERS,
    HEAD_QUERIES,
    HEAD_HITS,
    HEAD_EVENTS,
    HEAD_REPEATS,
    HEAD_RATES,
    HEAD_LISTED,
    HEAD_RIGHT,
    HEAD_ENTRIES,
    HEAD_VALUED,
    HEAD_PAIRS,
    HEAD_AMONG,
    HEAD_SIZE
};

/* The lists one after the other, without the room that short ones leave. */
static enum status put_lists(const struct evaluation *e, size_t entries, struct blob_writer *w, struct error *err)
{
    enum status st = blob_put(w, "length", BLOB_U32, e->length, e->nqueries, err);
    uint32_t *packed = st ? NULL : mem_new_raw(entries, sizeof *packed, "lists to keep", err);
    if (st || !packed)
        return st ? st : ST_NOMEM;
    for (size_t q = 0, at = 0; q < e->nqueries; at += e->length[q++])
        if (e->length[q])
            memcpy(packed + at, e->list + q * e->listed, e->length[q] * sizeof *packed);
    st = blob_put(w, "list", BLOB_U32, packed, entries, err);
    mem_free(packed);
    return st;
}

static enum status put_arrays(const struct evaluation *e, size_t entries, struct blob_writer *w, struct error *err)
{
    size_t right = e->right_begin[e->nqueries], hits = e->hit_begin[e->nqueries];
    enum status st = blob_put(w, "user", BLOB_U32, e->user, e->nusers, err);
    if (!st)
        st = blob_put(w, "warm", BLOB_U8, e->warm, e->nusers, err);
    if (!st)
        st = blob_put(w, "queries", BLOB_U64, e->query_begin, e->nusers + 1, err);
    if (!st)
        st = blob_put(w, "rights", BLOB_U64, e->right_begin, e->nqueries + 1, err);
    if (!st)
        st = blob_put(w, "right", BLOB_U32, e->right, right, err);
    if (!st)
        st = blob_put(w, "grade", BLOB_F32, e->grade, right, err);
    if (!st)
        st = blob_put(w, "hits", BLOB_U64, e->hit_begin, e->nqueries + 1, err);
    if (!st)
        st = blob_put(w, "rank", BLOB_U32, e->hit_rank, hits, err);
    if (!st)
        st = put_lists(e, entries, w, err);
    return st ? st : blob_put(w, "first", BLOB_U32, e->first_rank, e->nitems, err);
}

enum status evaluation_save(const struct evaluation *e, struct blob_writer *w, struct error *err)
{
    size_t entries = 0;
    for (size_t q = 0; q < e->nqueries; q++)
        entries += e->length[q];
    uint64_t head[HEAD_SIZE] = {
        [HEAD_VERSION] = VERSION,
        [HEAD_ON] = e->protocol.on,
        [HEAD_HIDE] = e->protocol.hide_seen,
        [HEAD_ROLLING] = e->protocol.rolling,
        [HEAD_SPLIT] = e->split_fingerprint,
        [HEAD_MODEL] = e->model_created,
        [HEAD_DEPTH] = e->depth,
        [HEAD_ITEMS] = e->nitems,
        [HEAD_USERS] = e->nusers,
        [HEAD_QUERIES] = e->nqueries,
        [HEAD_HITS] = e->hit_begin[e->nqueries],
        [HEAD_EVENTS] = e->events,
        [HEAD_REPEATS] = e->repeats,
        [HEAD_RATES] = e->rated != NULL,
        [HEAD_LISTED] = e->listed,
        [HEAD_RIGHT] = e->right_begin[e->nqueries],
        [HEAD_ENTRIES] = entries,
        [HEAD_VALUED] = e->valued,
        [HEAD_PAIRS] = e->won != NULL,
        [HEAD_AMONG] = e->protocol.among,
    };
    enum status st = blob_put(w, "evaluation", BLOB_U64, head, HEAD_SIZE, err);
    if (!st)
        st = put_arrays(e, entries, w, err);
    if (!st && e->won)
        st = blob_put(w, "won", BLOB_F64, e->won, e->nqueries, err);
    if (st || !e->rated)
        return st;
    st = blob_put(w, "squared", BLOB_F64, e->squared, e->nusers, err);
    if (!st)
        st = blob_put(w, "absolute", BLOB_F64, e->absolute, e->nusers, err);
    return st ? st : blob_put(w, "rated", BLOB_U32, e->rated, e->nusers, err);
}

static enum status damaged(struct error *err)
{
    return error_set(err, ST_CORRUPT, "a saved evaluation is damaged");
}

/* Starts that begin at 0, never go back and end at `total`. */
static bool starts_hold(const size_t *start, size_t n, size_t total)
{
    bool good = start[0] == 0 && start[n] == total;
    for (size_t i = 0; i < n && good; i++)
        good = start[i] <= start[i + 1];
    return good;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* Right items ascend, hits do too, and where a list is known its hits are right items. */
static bool query_holds(const struct evaluation *e, size_t q)
{
    const uint32_t *right = e->right + e->right_begin[q], *list = e->list + q * e->listed;
    size_t nright = evaluation_relevant(e, q);
    bool good = nright > 0 && e->hit_begin[q + 1] - e->hit_begin[q] <= nright;
    for (size_t i = 0; i < nright && good; i++)
        good = right[i] < e->nitems && (!i || right[i - 1] < right[i]);
    for (size_t i = 0; i < e->length[q] && good; i++)
        good = list[i] < e->nitems || list[i] == NO_ITEM;
    for (size_t i = e->hit_begin[q]; i < e->hit_begin[q + 1] && good; i++) {
        uint32_t rank = e->hit_rank[i];
        good = rank < e->depth && (i == e->hit_begin[q] || e->hit_rank[i - 1] < rank) &&
               (rank >= e->listed ||
                (rank < e->length[q] && bsearch(&list[rank], right, nright, sizeof *right, by_number)));
    }
    return good;
}

static bool lists_hold(const struct evaluation *e)
{
    bool good = true;
    for (size_t u = 0; u < e->nusers && good; u++)
        good = e->query_begin[u] < e->query_begin[u + 1];
    for (size_t q = 0; q < e->nqueries && good; q++)
        good = query_holds(e, q);
    return good;
}

/* One section of exactly `count` elements; nothing is allocated before the section says so itself. */
static enum status get(struct blob_reader *r, const char *name, enum blob_type type, size_t count, void *array,
                       struct error *err)
{
    void *data = NULL;
    size_t n = 0;
    enum status st = blob_get_new(r, name, type, count, &data, &n, err);
    if (st)
        return st;
    if (n != count) {
        mem_free(data);
        return damaged(err);
    }
    memcpy(array, &data, sizeof data);
    return ST_OK;
}

static enum status load_errors(struct evaluation *e, struct blob_reader *r, struct error *err)
{
    enum status st = get(r, "squared", BLOB_F64, e->nusers, &e->squared, err);
    if (!st)
        st = get(r, "absolute", BLOB_F64, e->nusers, &e->absolute, err);
    return st ? st : get(r, "rated", BLOB_U32, e->nusers, &e->rated, err);
}

static enum status load_lists(struct evaluation *e, size_t entries, struct blob_reader *r, struct error *err)
{
    uint32_t *packed = NULL;
    size_t sum = 0;
    enum status st = get(r, "length", BLOB_U32, e->nqueries, &e->length, err);
    if (!st)
        st = get(r, "list", BLOB_U32, entries, &packed, err);
    for (size_t q = 0; q < e->nqueries && !st; q++) {
        if (e->length[q] > e->listed || (sum += e->length[q]) > entries)
            st = damaged(err);
    }
    if (!st && sum != entries)
        st = damaged(err);
    /* Lists of one length have that much to them, but for a few: a wrong size does not take much memory. */
    if (!st)
        e->list = mem_new_raw(e->nqueries * e->listed, sizeof *e->list, "lists", err);
    if (!st && !e->list)
        st = ST_NOMEM;
    for (size_t q = 0, at = 0; q < e->nqueries && !st; at += e->length[q++]) {
        uint32_t *to = e->list + q * e->listed;
        memset(to, 0xff, e->listed * sizeof *to); /* NO_ITEM */
        if (e->length[q])
            memcpy(to, packed + at, e->length[q] * sizeof *to);
    }
    mem_free(packed);
    return st;
}

static enum status load_arrays(struct evaluation *e, const uint64_t *head, struct blob_reader *r, struct error *err)
{
    size_t nright = (size_t)head[HEAD_RIGHT], hits = (size_t)head[HEAD_HITS];
    enum status st = get(r, "user", BLOB_U32, e->nusers, &e->user, err);
    if (!st)
        st = get(r, "warm", BLOB_U8, e->nusers, &e->warm, err);
    if (!st)
        st = get(r, "queries", BLOB_U64, e->nusers + 1, &e->query_begin, err);
    if (!st)
        st = get(r, "rights", BLOB_U64, e->nqueries + 1, &e->right_begin, err);
    if (!st)
        st = get(r, "right", BLOB_U32, nright, &e->right, err);
    if (!st)
        st = get(r, "grade", BLOB_F32, nright, &e->grade, err);
    if (!st)
        st = get(r, "hits", BLOB_U64, e->nqueries + 1, &e->hit_begin, err);
    if (!st)
        st = get(r, "rank", BLOB_U32, hits, &e->hit_rank, err);
    if (!st && !(starts_hold(e->query_begin, e->nusers, e->nqueries) &&
                 starts_hold(e->right_begin, e->nqueries, nright) && starts_hold(e->hit_begin, e->nqueries, hits)))
        st = damaged(err);
    if (!st)
        st = load_lists(e, (size_t)head[HEAD_ENTRIES], r, err);
    if (!st)
        st = get(r, "first", BLOB_U32, e->nitems, &e->first_rank, err);
    if (!st && !lists_hold(e))
        st = damaged(err);
    if (!st && head[HEAD_PAIRS])
        st = get(r, "won", BLOB_F64, e->nqueries, &e->won, err);
    if (!st && head[HEAD_RATES])
        st = load_errors(e, r, err);
    return st ? st : evaluation_prepare(e, err);
}

/* Are the numbers such that sizes can be reckoned with? */
static bool head_holds(const uint64_t *head)
{
    return head[HEAD_USERS] < NO_USER && head[HEAD_ITEMS] < NO_ITEM && head[HEAD_QUERIES] < SIZE_MAX / 16 &&
           (head[HEAD_ON] == PART_TEST || head[HEAD_ON] == PART_VALID) && head[HEAD_ROLLING] <= ROLLING_ANYHOW &&
           head[HEAD_DEPTH] <= head[HEAD_ITEMS] &&
           head[HEAD_LISTED] == evaluation_listed((size_t)head[HEAD_DEPTH], (size_t)head[HEAD_QUERIES]);
}

enum status evaluation_load(struct blob_reader *r, struct evaluation **out, struct error *err)
{
    uint64_t head[HEAD_SIZE];
    enum status st = blob_get(r, "evaluation", BLOB_U64, head, HEAD_SIZE, err);
    if (st)
        return st;
    if (head[HEAD_VERSION] != VERSION)
        return error_set(err, ST_UNSUPPORTED, "this evaluation was saved by another version");
    if (!head_holds(head))
        return damaged(err);
    struct evaluation *e = mem_new(1, sizeof *e, "an evaluation", err);
    if (!e)
        return ST_NOMEM;
    e->protocol = (struct protocol){(enum part)head[HEAD_ON], head[HEAD_HIDE] != 0, (enum rolling)head[HEAD_ROLLING],
                                    head[HEAD_AMONG]};
    e->split_fingerprint = head[HEAD_SPLIT];
    e->model_created = head[HEAD_MODEL];
    e->depth = (size_t)head[HEAD_DEPTH];
    e->listed = (size_t)head[HEAD_LISTED];
    e->nitems = (size_t)head[HEAD_ITEMS];
    e->nusers = (size_t)head[HEAD_USERS];
    e->nqueries = (size_t)head[HEAD_QUERIES];
    e->events = (size_t)head[HEAD_EVENTS];
    e->repeats = (size_t)head[HEAD_REPEATS];
    e->valued = head[HEAD_VALUED] != 0;
    st = load_arrays(e, head, r, err);
    if (st)
        evaluation_free(e);
    else
        *out = e;
    return st;
}
