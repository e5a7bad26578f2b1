#include "linalg/topk.h"

#include <stdbool.h>
#include <string.h>

/* Indices that stand `stride` bytes apart. */
struct ids {
    const char *first;
    size_t n, stride;
};

static uint32_t id_at(const struct ids *x, size_t i)
{
    uint32_t id;
    memcpy(&id, x->first + i * x->stride, sizeof id);
    return id;
}

static bool has(const struct ids *x, size_t n, uint32_t index)
{
    for (size_t i = 0; i < n && i < x->n; i++)
        if (id_at(x, i) == index)
            return true;
    return false;
}

/* a is the shorter list. */
static double overlap(const struct ids *a, const struct ids *b, double p)
{
    if (!a->n)
        return b->n ? 0 : 1;
    size_t common = 0, common_short = 0;
    double sum = 0, weight = 1;
    for (size_t depth = 1; depth <= b->n; depth++) {
        uint32_t next = id_at(b, depth - 1);
        common += has(a, depth, next);
        if (depth <= a->n)
            common += id_at(a, depth - 1) != next && has(b, depth, id_at(a, depth - 1));
        if (depth == a->n)
            common_short = common;
        double agreed = (double)common;
        if (depth > a->n) /* past the end of the shorter list it is taken to agree as much as before */
            agreed += (double)common_short * (double)(depth - a->n) / (double)a->n;
        weight *= p;
        sum += agreed / (double)depth * weight;
    }
    double tail = (double)(common - common_short) / (double)b->n + (double)common_short / (double)a->n;
    return (1 - p) / p * sum + tail * weight;
}

static double overlap_of(struct ids a, struct ids b, double p)
{
    return a.n <= b.n ? overlap(&a, &b, p) : overlap(&b, &a, p);
}

double topk_overlap(const struct scored *a, size_t na, const struct scored *b, size_t nb, double p)
{
    return overlap_of((struct ids){(const char *)(na ? &a->index : NULL), na, sizeof *a},
                      (struct ids){(const char *)(nb ? &b->index : NULL), nb, sizeof *b}, p);
}

double index_overlap(const uint32_t *a, size_t na, const uint32_t *b, size_t nb, double p)
{
    return overlap_of((struct ids){(const char *)a, na, sizeof *a}, (struct ids){(const char *)b, nb, sizeof *b}, p);
}
