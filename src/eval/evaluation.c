#include "eval/evaluation.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/topk.h"

enum { USER_BLOCK = 64 };

void evaluation_free(struct evaluation *e)
{
    if (!e)
        return;
    mem_free(e->user);
    mem_free(e->warm);
    mem_free(e->query_begin);
    mem_free(e->right_begin);
    mem_free(e->right);
    mem_free(e->grade);
    mem_free(e->ideal);
    mem_free(e->hit_begin);
    mem_free(e->hit_rank);
    mem_free(e->length);
    mem_free(e->list);
    mem_free(e->first_rank);
    mem_free(e->won);
    mem_free(e->squared);
    mem_free(e->absolute);
    mem_free(e->rated);
    mem_free(e->count);
    evaluation_free(e->before);
    mem_free(e);
}

size_t evaluation_listed(size_t depth, size_t nqueries)
{
    size_t fit = nqueries ? EVALUATION_ENTRIES / nqueries : depth;
    fit = fit < EVALUATION_LISTED_LEAST ? EVALUATION_LISTED_LEAST : fit;
    return depth < fit ? depth : fit;
}

bool evaluation_alike(const struct evaluation *a, const struct evaluation *b)
{
    return a->split_fingerprint == b->split_fingerprint && a->protocol.on == b->protocol.on &&
           a->protocol.hide_seen == b->protocol.hide_seen && a->protocol.rolling == b->protocol.rolling &&
           a->protocol.among == b->protocol.among && a->nitems == b->nitems && a->nusers == b->nusers &&
           a->nqueries == b->nqueries && memcmp(a->user, b->user, a->nusers * sizeof *a->user) == 0 &&
           memcmp(a->query_begin, b->query_begin, (a->nusers + 1) * sizeof *a->query_begin) == 0;
}

const char *evaluation_lacks(const struct evaluation *e, const struct metric_at *metric)
{
    unsigned needs = metric->metric->needs;
    if (metric->metric->errors)
        return e->rated ? NULL : "the model predicts no ratings";
    if (metric_of_lists(metric->metric) && !e->first_rank)
        return "lists are not kept";
    if (needs & NEEDS_ITEMS && metric->k > e->listed && e->listed < e->nitems)
        return "so long lists are not kept";
    if (needs & NEEDS_PAIRS && !e->won)
        return "it was not asked for";
    if (needs & NEEDS_BEFORE && !e->before)
        return "there is no earlier training of this name";
    if (needs & NEEDS_FACTS && !e->facts)
        return "facts about the items are not at hand";
    if (needs & NEEDS_CATEGORIES && !e->facts->category)
        return "the items have no categories";
    if (needs & NEEDS_AMOUNTS && !e->facts->price && !e->valued)
        return "neither items nor events have a price";
    return NULL;
}

struct judged_list evaluation_list(const struct evaluation *e, const struct metric_at *metric, size_t u, size_t q)
{
    const struct evaluation *before = e->before;
    size_t right = e->right_begin[q], k = metric->k;
    struct judged_list l = {
        .k = k,
        .parameter = metric->parameter,
        .rank = e->hit_rank + e->hit_begin[q],
        .nhits = e->hit_begin[q + 1] - e->hit_begin[q],
        .relevant = evaluation_relevant(e, q),
        .right = e->right + right,
        .grade = e->grade + right,
        .ideal = e->ideal + right,
        .item = e->list + q * e->listed,
        .n = e->length[q] < k ? e->length[q] : k,
        .facts = e->facts,
        .user = e->user[u],
        .catalogue = e->nitems,
        .won = e->won ? e->won[q] : NAN,
        .valued = e->valued,
    };
    while (l.nhits && l.rank[l.nhits - 1] >= k)
        l.nhits--;
    if (before) {
        l.before = before->list + q * before->listed;
        l.nbefore = before->length[q] < k ? before->length[q] : k;
    }
    return l;
}

double evaluation_errors(const struct evaluation *e, const struct metric *metric, size_t u, double *n)
{
    *n = e->rated ? e->rated[u] : 0;
    return !e->rated ? 0 : metric->errors == ERRORS_SQUARED ? e->squared[u] : e->absolute[u];
}

static double of_user(const struct evaluation *e, const struct metric_at *metric, size_t u)
{
    double sum = 0, n;
    size_t queries = 0;
    if (metric->metric->errors) {
        sum = evaluation_errors(e, metric->metric, u, &n);
        return metric_of_errors(metric->metric, sum, n);
    }
    for (size_t q = e->query_begin[u]; q < e->query_begin[u + 1]; q++) {
        struct judged_list l = evaluation_list(e, metric, u, q);
        double value = metric->metric->of_list(&l);
        if (isnan(value))
            continue;
        sum += value;
        queries++;
    }
    return queries ? sum / (double)queries : NAN;
}

struct taking {
    const struct evaluation *e;
    const struct metric_at *metric;
    double *value;
};

static void take_block(void *context, size_t block, size_t begin, size_t end)
{
    const struct taking *t = context;
    (void)block;
    for (size_t u = begin; u < end; u++)
        t->value[u] = of_user(t->e, t->metric, u);
}

void evaluation_users(const struct evaluation *e, const struct metric_at *metric, double *value)
{
    struct taking t = {e, metric, value};
    if (!evaluation_lacks(e, metric))
        parallel_blocks(e->nusers, USER_BLOCK, take_block, &t);
    else
        for (size_t u = 0; u < e->nusers; u++)
            value[u] = NAN;
}

/* A metric of all lists out of how often each item stands in one. */
static double of_counts(const struct evaluation *e, const struct metric_at *metric)
{
    if (!metric->metric->of_counts)
        return evaluation_coverage(e, metric->k);
    memset(e->count, 0, e->nitems * sizeof *e->count);
    for (size_t q = 0; q < e->nqueries; q++)
        for (size_t i = 0; i < e->length[q] && i < metric->k; i++)
            if (e->list[q * e->listed + i] != NO_ITEM)
                e->count[e->list[q * e->listed + i]]++;
    return metric->metric->of_counts(e->count, e->nitems);
}

double evaluation_value(const struct evaluation *e, const struct metric_at *metric, bool warm)
{
    const struct metric *m = metric->metric;
    double sum = 0, n = 0;
    if (evaluation_lacks(e, metric))
        return NAN;
    if (!metric_of_users(m))
        return of_counts(e, metric);
    for (size_t u = 0; u < e->nusers; u++) {
        if ((e->warm[u] != 0) != warm)
            continue;
        double count = 1, value = m->pooled ? evaluation_errors(e, m, u, &count) : of_user(e, metric, u);
        if (isnan(value))
            continue;
        sum += value;
        n += count;
    }
    return m->pooled ? metric_of_errors(m, sum, n) : n > 0 ? sum / n : NAN;
}

double evaluation_coverage(const struct evaluation *e, size_t k)
{
    size_t listed = 0;
    for (size_t i = 0; i < e->nitems; i++)
        listed += e->first_rank[i] < k;
    return e->nitems ? (double)listed / (double)e->nitems : NAN;
}

double evaluation_mean(const struct evaluation *e, const double *value, bool warm, size_t *n)
{
    double sum = 0;
    size_t users = 0;
    for (size_t u = 0; u < e->nusers; u++) {
        if ((e->warm[u] != 0) != warm || isnan(value[u]))
            continue;
        sum += value[u];
        users++;
    }
    if (n)
        *n = users;
    return users ? sum / (double)users : NAN;
}

struct pairing {
    const struct evaluation *a, *b;
    size_t k;
    double p, *value;
};

static void overlap_block(void *context, size_t block, size_t begin, size_t end)
{
    const struct pairing *x = context;
    const struct evaluation *a = x->a, *b = x->b;
    (void)block;
    for (size_t u = begin; u < end; u++) {
        double sum = 0;
        for (size_t q = a->query_begin[u]; q < a->query_begin[u + 1]; q++)
            sum += index_overlap(a->list + q * a->listed, a->length[q] < x->k ? a->length[q] : x->k,
                                 b->list + q * b->listed, b->length[q] < x->k ? b->length[q] : x->k, x->p);
        x->value[u] = sum / (double)(a->query_begin[u + 1] - a->query_begin[u]);
    }
}

void evaluation_overlap(const struct evaluation *a, const struct evaluation *b, size_t k, double p, double *value)
{
    struct pairing x = {a, b, k, p, value};
    parallel_blocks(a->nusers, USER_BLOCK, overlap_block, &x);
}
