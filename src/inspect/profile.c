#include "inspect/profile.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

size_t item_levels(const struct field *f, uint32_t item, const uint32_t **codes)
{
    if (f->type == FIELD_LIST) {
        *codes = f->list_code + f->list_begin[item];
        return f->list_begin[item + 1] - f->list_begin[item];
    }
    *codes = &f->code[item];
    return f->code[item] != NO_CODE;
}

static double add_levels(const struct field *f, uint32_t item, double weight, double *sum)
{
    const uint32_t *codes;
    size_t n = item_levels(f, item, &codes);
    for (size_t i = 0; i < n; i++)
        sum[codes[i]] += weight / (double)n;
    return n ? weight : 0;
}

/* Weight of each level over all feedback before a moment; returns their sum. */
static double weigh_everybody(const struct dataset *d, const struct field *f, int64_t as_of, double *sum)
{
    double all = 0;
    for (size_t e = 0; e < d->events.n; e++)
        if (d->type_weight[d->events.type[e]] > 0 && event_before(d, e, as_of))
            all += add_levels(f, d->events.item[e], d->type_weight[d->events.type[e]], sum);
    return all;
}

static int by_share(const void *pa, const void *pb)
{
    const struct taste *a = pa, *b = pb;
    if (a->share != b->share)
        return a->share > b->share ? -1 : 1;
    return strcmp(a->category, b->category);
}

static enum status find_tastes(const struct dataset *d, int64_t as_of, const struct query_item *items, size_t n,
                               struct profile *p, struct error *err)
{
    const struct field *f = p->category;
    size_t nlevels = f->levels.n;
    enum status st = ST_NOMEM;
    double *own = mem_new(nlevels, sizeof *own, "tastes", err), *usual = mem_new(nlevels, sizeof *usual, "tastes", err);
    size_t *count = mem_new(nlevels, sizeof *count, "tastes", err);
    p->tastes = mem_new(nlevels, sizeof *p->tastes, "tastes", err);
    if (!own || !usual || !count || !p->tastes)
        goto out;
    double all = weigh_everybody(d, f, as_of, usual), sum = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t *codes;
        sum += add_levels(f, items[i].item, items[i].weight, own);
        for (size_t l = item_levels(f, items[i].item, &codes); l-- > 0;)
            count[codes[l]]++;
    }
    for (size_t l = 0; l < nlevels; l++)
        if (count[l])
            p->tastes[p->ntastes++] = (struct taste){dict_text(&f->levels, (uint32_t)l), own[l] / sum, all > 0 ? usual[l] / all : 0, count[l]};
    qsort(p->tastes, p->ntastes, sizeof *p->tastes, by_share);
    st = ST_OK;
out:
    mem_free(own);
    mem_free(usual);
    mem_free(count);
    return st;
}

enum status profile_make(const struct dataset *d, const struct query *q, struct profile *out, struct error *err)
{
    struct folded f;
    *out = (struct profile){.events = q->n, .oldest = NO_TIME, .newest = NO_TIME, .category = dataset_item_category(d)};
    enum status st = folded_new(&f, q, 1, err);
    if (st)
        return st;
    out->items = f.begin[1];
    for (size_t i = 0; i < q->n; i++) {
        int64_t time = q->events[i].time;
        out->weight += q->events[i].weight;
        if (time == NO_TIME)
            continue;
        if (out->oldest == NO_TIME || time < out->oldest)
            out->oldest = time;
        if (time > out->newest)
            out->newest = time;
    }
    if (out->category && (out->category->type == FIELD_TEXT || out->category->type == FIELD_LIST))
        st = find_tastes(d, q->as_of, f.items, out->items, out, err);
    folded_clear(&f);
    if (st)
        profile_clear(out);
    return st;
}

void profile_clear(struct profile *p)
{
    mem_free(p->tastes);
    *p = (struct profile){.oldest = NO_TIME, .newest = NO_TIME};
}
