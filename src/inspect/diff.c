#include "inspect/diff.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "ranking/lists.h"

/* Users whose lists are held at a time. */
enum { PIECE = 1024, BLOCK = 64 };

struct pair {
    struct scored *list[2];
    size_t *count[2], k;
    struct diff_user *out;
    const uint32_t *users;
};

static size_t count_shared(const struct scored *a, size_t na, const struct scored *b, size_t nb)
{
    size_t shared = 0;
    for (size_t i = 0; i < na; i++)
        for (size_t j = 0; j < nb; j++)
            shared += a[i].index == b[j].index;
    return shared;
}

static bool same_lists(const struct scored *a, size_t na, const struct scored *b, size_t nb)
{
    bool same = na == nb;
    for (size_t i = 0; i < na && same; i++)
        same = a[i].index == b[i].index;
    return same;
}

struct diff_user diff_lists(const struct scored *a, size_t na, const struct scored *b, size_t nb)
{
    return (struct diff_user){.user = NO_USER,
                              .length = (uint32_t)(na > nb ? na : nb),
                              .shared = (uint32_t)count_shared(a, na, b, nb),
                              .rbo = (float)topk_overlap(a, na, b, nb, DIFF_PERSISTENCE),
                              .same = same_lists(a, na, b, nb)};
}

static void compare_block(void *context, size_t block, size_t begin, size_t end)
{
    struct pair *p = context;
    (void)block;
    for (size_t i = begin; i < end; i++) {
        p->out[i] = diff_lists(p->list[0] + i * p->k, p->count[0][i], p->list[1] + i * p->k, p->count[1][i]);
        p->out[i].user = p->users[i];
    }
}

/* Takes in the users of one piece who have both lists, and counts the items of these. */
static void take_users(const struct pair *p, size_t n, struct diff *d)
{
    for (size_t i = 0; i < n; i++) {
        d->without[0] += !p->count[0][i];
        d->without[1] += !p->count[1][i];
        if (!p->count[0][i] || !p->count[1][i])
            continue;
        d->users[d->nusers++] = p->out[i];
        for (size_t j = 0; j < p->count[0][i]; j++)
            d->items[p->list[0][i * p->k + j].index].lists_a++;
        for (size_t j = 0; j < p->count[1][i]; j++)
            d->items[p->list[1][i * p->k + j].index].lists_b++;
    }
}

static enum status take_pieces(const struct ranker rankers[2], struct pair *p, const struct selection *s, size_t n,
                               struct job *job, struct diff *d, struct error *err)
{
    enum status st = ST_OK;
    job_begin(job, n * 2, "lists", "diff");
    for (size_t at = 0; at < n && !st; at += PIECE) {
        size_t here = n - at < PIECE ? n - at : PIECE;
        for (int m = 0; m < 2 && !st; m++)
            st = ranker_users(&rankers[m], s, p->users, here, job, p->list[m], p->count[m], err);
        if (st)
            break;
        p->out = d->users + at;
        parallel_blocks(here, BLOCK, compare_block, p);
        take_users(p, here, d);
        p->users += here;
    }
    return st;
}

/* ---- order ---- */

static int by_difference(const void *pa, const void *pb)
{
    const struct diff_user *a = pa, *b = pb;
    if (a->rbo < b->rbo || a->rbo > b->rbo)
        return a->rbo < b->rbo ? -1 : 1;
    if (a->shared != b->shared)
        return a->shared < b->shared ? -1 : 1;
    return (a->user > b->user) - (a->user < b->user);
}

static int by_gain(const void *pa, const void *pb)
{
    const struct diff_item *a = pa, *b = pb;
    int64_t x = (int64_t)a->lists_b - a->lists_a, y = (int64_t)b->lists_b - b->lists_a;
    return x != y ? (x < y) - (x > y) : (a->item > b->item) - (a->item < b->item);
}

static void order(struct diff *d, size_t nitems)
{
    for (uint32_t i = 0; i < nitems; i++)
        if (d->items[i].lists_a || d->items[i].lists_b)
            d->items[d->nitems++] = (struct diff_item){i, d->items[i].lists_a, d->items[i].lists_b};
    qsort(d->items, d->nitems, sizeof *d->items, by_gain);
    qsort(d->users, d->nusers, sizeof *d->users, by_difference);
}

enum status diff_make(const struct model *a, const struct model *b, const struct selection *s, const uint32_t *users,
                      size_t n, size_t k, enum seen seen, struct job *job, struct diff *out, struct error *err)
{
    size_t nitems = a->nitems, room = n < PIECE ? n : PIECE;
    k = k < nitems ? k : nitems;
    struct pair p = {.k = k, .users = users};
    struct ranker rankers[2] = {{0}, {0}};
    *out = (struct diff){.k = k};
    out->users = mem_new(n, sizeof *out->users, "differences of users", err);
    out->items = mem_new(nitems, sizeof *out->items, "differences of items", err);
    enum status st = out->users && out->items ? ST_OK : ST_NOMEM;
    for (int m = 0; m < 2 && !st; m++) {
        p.list[m] = mem_new_raw(room * k, sizeof *p.list[m], "lists", err);
        p.count[m] = mem_new(room, sizeof *p.count[m], "lists", err);
        st = p.list[m] && p.count[m] ? ranker_new(&rankers[m], m ? b : a, k, seen, n, err) : ST_NOMEM;
    }
    if (!st)
        st = take_pieces(rankers, &p, s, n, job, out, err);
    for (int m = 0; m < 2; m++) {
        ranker_clear(&rankers[m]);
        mem_free(p.list[m]);
        mem_free(p.count[m]);
    }
    if (st)
        diff_clear(out);
    else
        order(out, nitems);
    return st;
}

void diff_clear(struct diff *d)
{
    mem_free(d->users);
    mem_free(d->items);
    *d = (struct diff){0};
}

/* ---- sums ---- */

struct diff_summary diff_summarize(const struct diff *d, const uint8_t *chosen)
{
    struct diff_summary s = {0};
    double rbo = 0, overlap = 0;
    for (size_t i = 0; i < d->nusers; i++) {
        const struct diff_user *u = &d->users[i];
        if (chosen && !chosen[u->user])
            continue;
        s.users++;
        s.same += u->same;
        s.apart += !u->shared;
        rbo += (double)u->rbo;
        overlap += (double)u->shared / u->length;
    }
    s.rbo = s.users ? rbo / (double)s.users : NAN;
    s.overlap = s.users ? overlap / (double)s.users : NAN;
    return s;
}

void diff_shared(const struct diff *d, size_t *count)
{
    for (size_t i = 0; i <= d->k; i++)
        count[i] = 0;
    for (size_t i = 0; i < d->nusers; i++)
        count[d->users[i].shared]++;
}
