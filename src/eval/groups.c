#include "eval/groups.h"

#include <math.h>

#include "base/mem.h"

void group_means(const struct evaluation *e, const double *value, const struct cohorts *c, struct group_mean *out)
{
    for (size_t g = 0; g < c->n; g++) {
        out[g] = (struct group_mean){0, 0};
        for (size_t i = 0; i < c->list[g].n; i++) {
            uint32_t u = c->list[g].users[i];
            if (!e->warm[u] || isnan(value[u]))
                continue;
            out[g].users++;
            out[g].mean += value[u];
        }
        out[g].mean = out[g].users ? out[g].mean / (double)out[g].users : NAN;
    }
}

/* What each item has: of what was right, and of the places in lists. */
static void count_items(const struct evaluation *e, size_t k, double *relevant, double *exposure)
{
    for (size_t at = 0; at < e->right_begin[e->nqueries]; at++)
        relevant[e->right[at]]++;
    for (size_t q = 0; q < e->nqueries; q++)
        for (size_t r = 0; r < e->length[q] && r < k; r++)
            if (e->list[q * e->listed + r] != NO_ITEM)
                exposure[e->list[q * e->listed + r]] += 1 / log2((double)r + 2);
}

enum status group_exposures(const struct evaluation *e, const struct cohorts *c, size_t k, struct group_exposure *out,
                            struct error *err)
{
    size_t n = e->nitems;
    double all[3] = {0}, *relevant = mem_new(3 * n, sizeof *relevant, "exposures of items", err);
    double *exposure = relevant + n, *groups = exposure + n;
    if (!relevant)
        return ST_NOMEM;
    count_items(e, k, relevant, exposure);
    for (size_t g = 0; g < c->n; g++)
        for (size_t i = 0; i < c->list[g].n; i++)
            groups[c->list[g].items[i]]++;
    for (size_t g = 0; g < c->n; g++) {
        out[g] = (struct group_exposure){.items = 0};
        for (size_t i = 0; i < c->list[g].n; i++) {
            uint32_t item = c->list[g].items[i];
            out[g].items += 1 / groups[item];
            out[g].relevant += relevant[item] / groups[item];
            out[g].exposure += exposure[item] / groups[item];
        }
        all[0] += out[g].items, all[1] += out[g].relevant, all[2] += out[g].exposure;
    }
    for (size_t g = 0; g < c->n; g++) {
        out[g].catalogue = all[0] > 0 ? out[g].items / all[0] : NAN;
        out[g].relevant = all[1] > 0 ? out[g].relevant / all[1] : NAN;
        out[g].exposure = all[2] > 0 ? out[g].exposure / all[2] : NAN;
    }
    mem_free(relevant);
    return ST_OK;
}

struct group_gap group_gap_of(const double *value, size_t n)
{
    struct group_gap g = {n, n, NAN, NAN};
    for (size_t i = 0; i < n; i++) {
        if (isnan(value[i]))
            continue;
        if (g.lowest == n || value[i] < value[g.lowest])
            g.lowest = i;
        if (g.highest == n || value[i] > value[g.highest])
            g.highest = i;
    }
    if (g.lowest == n)
        return g;
    g.gap = value[g.highest] - value[g.lowest];
    g.ratio = value[g.highest] > 0 ? value[g.lowest] / value[g.highest] : NAN;
    return g;
}
