#include "eval/item_segments.h"

#include <string.h>

#include "base/mem.h"

/* ---- which right items are in the lists ---- */

/* hit[at]: is right[at] in the first k of its list? */
static void mark_hits(const struct evaluation *e, size_t k, uint8_t *hit)
{
    memset(hit, 0, e->right_begin[e->nqueries]);
    for (size_t q = 0; q < e->nqueries; q++) {
        for (size_t r = 0; r < e->length[q] && r < k; r++) {
            size_t at = index_find(e->right, e->right_begin[q], e->right_begin[q + 1], e->list[q * e->listed + r]);
            if (at != SIZE_MAX)
                hit[at] = 1;
        }
    }
}

/* ---- one group of items ---- */

struct sorting {
    struct comparison of_group; /* borrowed, but for the values of users: recall among the items of the group */
    const uint8_t *hit;         /* of each entry, one after the other */
    uint8_t *inside;            /* of each item: is it in the group? */
};

/* Recall of user u among the right items of the group, the mean over the queries that have such; how many these are in
 * all. */
static size_t user_recall(const struct evaluation *e, const uint8_t *hit, const uint8_t *inside, size_t u,
                          double *recall)
{
    double sum = 0, queries = 0;
    size_t all = 0;
    for (size_t q = e->query_begin[u]; q < e->query_begin[u + 1]; q++) {
        size_t right = 0, found = 0;
        for (size_t at = e->right_begin[q]; at < e->right_begin[q + 1]; at++) {
            right += inside[e->right[at]];
            found += inside[e->right[at]] && hit[at];
        }
        if (!right)
            continue;
        sum += (double)found / (double)right;
        queries++;
        all += right;
    }
    *recall = all ? sum / queries : 0;
    return all;
}

/* Fills the values of all entries; users[]: those who count; returns how many. */
static size_t take_group(struct sorting *s, uint32_t *users, size_t *right)
{
    struct comparison *c = &s->of_group;
    size_t nright = c->entries[0].e->right_begin[c->entries[0].e->nqueries], n = 0;
    *right = 0;
    for (size_t i = 0; i < c->n; i++)
        for (size_t u = 0; u < c->nusers; u++) {
            size_t at = i * c->nusers + u,
                   some = user_recall(c->entries[i].e, s->hit + i * nright, s->inside, u, &c->sum[at]);
            c->count[at] = some > 0;
            if (i || !some || !c->warm[u])
                continue;
            users[n++] = (uint32_t)u;
            *right += some;
        }
    return n;
}

/* ---- all groups ---- */

const struct metric_at *item_segments_measure(const struct comparison *c)
{
    for (size_t m = 0; m < c->nmeasures; m++)
        if (strcmp(c->measures[m].at.metric->name, "recall") == 0)
            return &c->measures[m].at;
    return NULL;
}

static enum status find_measure(const struct comparison *c, const char *by, struct item_segments *out,
                                struct error *err)
{
    const struct metric_at *at = item_segments_measure(c);
    const struct evaluation *e = c->entries[0].e;
    if (!at) {
        error_set(err, ST_USAGE, "by=%s tells items apart: that goes by recall alone", by);
        error_hint(err, "ask for it too: metric=%s recall@%zu", c->measures[0].at.name,
                   metric_uncut(c->measures[0].at.metric) ? (size_t)10 : c->measures[0].at.k);
        return ST_USAGE;
    }
    out->at = *at;
    if (at->k <= e->listed || e->listed >= e->nitems)
        return ST_OK;
    error_set(err, ST_STATE, "by=%s: lists are kept to rank %zu, and %s goes deeper", by, e->listed, at->name);
    error_hint(err, "metric=recall@%zu", e->listed);
    return ST_STATE;
}

static enum status make_room(const struct comparison *c, struct cohorts *groups, struct item_segments *out,
                             struct error *err)
{
    out->users.by = groups->by;
    groups->by = NULL;
    out->users.list = mem_new(groups->n, sizeof *out->users.list, "segments", err);
    out->users.users = mem_new_raw(groups->n * c->nwarm, sizeof *out->users.users, "users of segments", err);
    out->right = mem_new(groups->n, sizeof *out->right, "segments", err);
    out->mean = mem_new(groups->n * c->n, sizeof *out->mean, "segments", err);
    out->difference = mem_new(groups->n, sizeof *out->difference, "segments", err);
    return out->users.list && out->users.users && out->right && out->mean && out->difference ? ST_OK : ST_NOMEM;
}

/* The next segment, of a group of items; none where nobody has a right one. */
static enum status add_segment(struct sorting *s, size_t x, size_t y, struct cohort *items, uint32_t **next,
                               struct item_segments *out, struct error *err)
{
    struct comparison *c = &s->of_group;
    size_t at = out->users.n;
    memset(s->inside, 0, c->entries[0].e->nitems);
    for (size_t i = 0; i < items->n; i++)
        s->inside[items->items[i]] = 1;
    size_t n = take_group(s, *next, &out->right[at]);
    if (!n)
        return ST_OK;
    out->users.list[at] = (struct cohort){.name = items->name, .users = *next, .n = n};
    items->name = NULL;
    out->users.n++;
    for (size_t i = 0; i < c->n; i++)
        out->mean[at * c->n + i] = comparison_mean(c, i, *next, n);
    *next += n;
    return comparison_difference(c, x, y, out->users.list[at].users, n, &out->difference[at], err);
}

static enum status add_segments(struct sorting *s, size_t x, size_t y, struct cohorts *groups,
                                struct item_segments *out, struct error *err)
{
    enum status st = make_room(&s->of_group, groups, out, err);
    uint32_t *next = out->users.users;
    for (size_t g = 0; g < groups->n && !st; g++)
        st = add_segment(s, x, y, &groups->list[g], &next, out, err);
    return st ? st : differences_adjust(&s->of_group, out->difference, out->users.n, err);
}

enum status item_segments_make(struct dataset *d, const struct split *s, const struct protocol *p,
                               const struct comparison *c, size_t x, size_t y, const char *by,
                               struct item_segments *out, struct error *err)
{
    const struct evaluation *e = c->entries[0].e;
    size_t nright = e->right_begin[e->nqueries];
    struct cohorts groups = {.by = NULL};
    struct sorting sorting = {.of_group = *c};
    uint8_t *hit = NULL;
    *out = (struct item_segments){.right = NULL};
    sorting.of_group.sum = sorting.of_group.count = NULL;
    enum status st = find_measure(c, by, out, err);
    if (!st)
        st = cohorts_of_items(d, s, p, by, &groups, err);
    if (st)
        goto out;
    st = ST_NOMEM;
    sorting.of_group.measures[0].at = out->at;
    sorting.of_group.sum = mem_new_raw(c->n * c->nusers, sizeof *c->sum, "recall of users", err);
    sorting.of_group.count = mem_new_raw(c->n * c->nusers, sizeof *c->count, "recall of users", err);
    sorting.inside = mem_new_raw(e->nitems, sizeof *sorting.inside, "items of a group", err);
    sorting.hit = hit = mem_new_raw(c->n * nright, sizeof *hit, "right items in lists", err);
    if (!sorting.of_group.sum || !sorting.of_group.count || !sorting.inside || !hit)
        goto out;
    for (size_t i = 0; i < c->n; i++)
        mark_hits(c->entries[i].e, out->at.k, hit + i * nright);
    st = add_segments(&sorting, x, y, &groups, out, err);
out:
    cohorts_clear(&groups);
    mem_free(sorting.of_group.sum);
    mem_free(sorting.of_group.count);
    mem_free(sorting.inside);
    mem_free(hit);
    if (st)
        item_segments_clear(out);
    return st;
}

void item_segments_clear(struct item_segments *s)
{
    cohorts_clear(&s->users);
    mem_free(s->right);
    mem_free(s->mean);
    mem_free(s->difference);
    *s = (struct item_segments){.right = NULL};
}
