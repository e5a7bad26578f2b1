#include "inspect/bisect.h"

#include "base/mem.h"

struct asked {
    struct bisect *b;
    uint32_t item;
    size_t nitems;
};

/* Are there two scores that differ? Where there are not, ranks are the order of the items. */
static bool has_opinion(const float *scores, size_t n)
{
    size_t first = 0;
    while (first < n && !(scores[first] > -INFINITY))
        first++;
    for (size_t i = first; i < n; i++)
        if (scores[i] > -INFINITY && (scores[i] > scores[first] || scores[i] < scores[first]))
            return true;
    return false;
}

static void take_rank(void *context, size_t i, const struct query *q, const float *scores)
{
    struct asked *a = context;
    (void)q;
    a->b->rank[i] = has_opinion(scores, a->nitems) ? (uint32_t)rank_of(scores, a->nitems, a->item) : 0;
}

static enum status find_crossings(struct bisect *b, struct error *err)
{
    size_t capacity = 0;
    enum status st = ST_OK;
    for (size_t i = 0; i < b->n && !st; i++) {
        bool in = bisect_in(b, i), then = bisect_in(b, i + 1);
        if (in == then)
            continue;
        st = mem_grow(&b->crossings, &capacity, b->ncrossings + 1, sizeof *b->crossings, err);
        if (!st)
            b->crossings[b->ncrossings++] = (struct crossing){.event = i,
                                                              .before = b->rank[i],
                                                              .after = b->rank[i + 1],
                                                              .entered = then,
                                                              .had = !then && b->hidden == i + 1};
    }
    return st;
}

enum status bisect_make(const struct model *m, const struct query *q, uint32_t item, size_t k, enum seen seen,
                        struct job *job, struct bisect *out, struct error *err)
{
    *out = (struct bisect){.k = k, .n = q->n, .hidden = SIZE_MAX};
    out->rank = mem_new(q->n + 1, sizeof *out->rank, "ranks", err);
    struct query *prefixes = mem_new_raw(q->n + 1, sizeof *prefixes, "histories", err);
    enum status st = out->rank && prefixes ? ST_OK : ST_NOMEM;
    for (size_t i = 0; i <= q->n && !st; i++) {
        prefixes[i] = *q;
        prefixes[i].n = i;
    }
    for (size_t i = 0; i < q->n && seen == SEEN_HIDE && out->hidden == SIZE_MAX; i++)
        if (q->events[i].item == item && rank_hides(q, i))
            out->hidden = i + 1;
    struct asked a = {out, item, m->nitems};
    job_begin(job, q->n + 1, "histories", "bisect");
    if (!st)
        st = rank_each(m, prefixes, q->n + 1, seen, job, take_rank, &a, err);
    if (!st)
        st = find_crossings(out, err);
    mem_free(prefixes);
    if (st)
        bisect_clear(out);
    return st;
}

void bisect_clear(struct bisect *b)
{
    mem_free(b->rank);
    mem_free(b->crossings);
    *b = (struct bisect){0};
}
