#include "inspect/panel.h"

#include <math.h>

#include "base/mem.h"
#include "inspect/diff.h"

static enum status measure(struct panel *p, struct error *err)
{
    size_t n = p->n, k = p->k;
    struct scored *list = mem_new(n * k, sizeof *list, "lists", err);
    if (!list)
        return ST_NOMEM;
    for (size_t m = 0; m < n; m++)
        for (size_t i = 0; i < p->lists[m].n; i++)
            list[m * k + i] = (struct scored){p->lists[m].entries[i].item, p->lists[m].entries[i].score};
    for (size_t a = 0; a < n; a++)
        for (size_t b = a; b < n; b++) {
            struct diff_user u = diff_lists(list + a * k, p->lists[a].n, list + b * k, p->lists[b].n);
            p->rbo[a * n + b] = p->rbo[b * n + a] = p->lists[a].n && p->lists[b].n ? u.rbo : NAN;
            p->shared[a * n + b] = p->shared[b * n + a] = u.shared;
        }
    mem_free(list);
    return ST_OK;
}

enum status panel_make(struct model *const *models, size_t n, const struct query *q, size_t k, enum seen seen,
                       struct panel *out, struct error *err)
{
    *out = (struct panel){.n = n, .k = 0};
    out->lists = mem_new(n, sizeof *out->lists, "lists", err);
    out->rbo = mem_new(n * n, sizeof *out->rbo, "overlaps", err);
    out->shared = mem_new(n * n, sizeof *out->shared, "overlaps", err);
    enum status st = out->lists && out->rbo && out->shared ? ST_OK : ST_NOMEM;
    for (size_t m = 0; m < n && !st; m++) {
        st = rank_list(models[m], q, k, seen, &out->lists[m], err);
        out->k = !st && out->lists[m].n > out->k ? out->lists[m].n : out->k;
    }
    if (!st)
        st = measure(out, err);
    if (st)
        panel_clear(out);
    return st;
}

void panel_clear(struct panel *p)
{
    for (size_t m = 0; p->lists && m < p->n; m++)
        ranked_list_clear(&p->lists[m]);
    mem_free(p->lists);
    mem_free(p->rbo);
    mem_free(p->shared);
    *p = (struct panel){0};
}

size_t panel_lists_with(const struct panel *p, uint32_t item)
{
    size_t n = 0;
    for (size_t m = 0; m < p->n; m++) {
        size_t i = 0;
        while (i < p->lists[m].n && p->lists[m].entries[i].item != item)
            i++;
        n += i < p->lists[m].n;
    }
    return n;
}

size_t panel_filled(const struct panel *p)
{
    size_t n = 0;
    for (size_t m = 0; m < p->n; m++)
        n += p->lists[m].n > 0;
    return n;
}

double panel_agreement(const struct panel *p, size_t list)
{
    double sum = 0;
    size_t n = 0;
    for (size_t b = 0; b < p->n; b++)
        if (b != list && !isnan(p->rbo[list * p->n + b])) {
            sum += (double)p->rbo[list * p->n + b];
            n++;
        }
    return n ? sum / (double)n : NAN;
}

bool panel_closest(const struct panel *p, size_t *a, size_t *b)
{
    bool any = false;
    for (size_t i = 0; i < p->n; i++)
        for (size_t j = i + 1; j < p->n; j++) {
            float rbo = p->rbo[i * p->n + j];
            if (isnan(rbo) || (any && rbo <= p->rbo[*a * p->n + *b]))
                continue;
            *a = i;
            *b = j;
            any = true;
        }
    return any;
}

size_t panel_farthest(const struct panel *p)
{
    size_t least = p->n;
    for (size_t m = 0; m < p->n; m++)
        if (p->lists[m].n && (least == p->n || panel_agreement(p, m) < panel_agreement(p, least)))
            least = m;
    return least;
}
