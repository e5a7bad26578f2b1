#include "inspect/profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "data/level_totals.h"

static int by_share(const void *pa, const void *pb)
{
    const struct taste *a = pa, *b = pb;
    if (a->share != b->share)
        return a->share > b->share ? -1 : 1;
    return strcmp(a->category, b->category);
}

/* What the history did with one level. */
struct own {
    double weight, value, valued;
    size_t items, events;
};

static void add_weights(const struct field *f, const struct query_item *items, size_t n, struct own *own, double *all)
{
    const uint32_t *codes;
    for (size_t i = 0; i < n; i++) {
        size_t levels = field_levels(f, items[i].item, &codes);
        for (size_t l = 0; l < levels; l++) {
            own[codes[l]].weight += (double)items[i].weight / (double)levels;
            own[codes[l]].items++;
        }
        *all += levels ? (double)items[i].weight : 0;
    }
}

static void add_values(const struct field *f, const struct query *q, struct own *own)
{
    const uint32_t *codes;
    for (size_t i = 0; i < q->n; i++) {
        size_t levels = field_levels(f, q->events[i].item, &codes);
        for (size_t l = 0; l < levels; l++) {
            struct own *o = &own[codes[l]];
            o->events++;
            if (isnan(q->events[i].value))
                continue;
            o->value += (double)q->events[i].value / (double)levels;
            o->valued += 1 / (double)levels;
        }
    }
}

static enum status find_tastes(struct dataset *d, const struct query *q, const struct query_item *items, size_t n,
                               struct profile *p, struct error *err)
{
    const struct field *f = p->category;
    const struct level_totals *usual = NULL;
    double all = 0;
    struct own *own = mem_new(f->levels.n, sizeof *own, "tastes", err);
    p->tastes = mem_new(f->levels.n, sizeof *p->tastes, "tastes", err);
    enum status st = own && p->tastes ? dataset_level_totals(d, f, q->as_of, &usual, err) : ST_NOMEM;
    if (st)
        goto out;
    add_weights(f, items, n, own, &all);
    add_values(f, q, own);
    for (size_t l = 0; l < f->levels.n; l++) {
        const struct own *o = &own[l];
        const struct level_total *u = &usual->level[l];
        if (!o->items)
            continue;
        struct taste t = {.category = dict_text(&f->levels, (uint32_t)l),
                          .weight = o->weight,
                          .share = o->weight / all,
                          .items = o->items,
                          .events = o->events,
                          .usual = usual->weight > 0 ? u->weight / usual->weight : 0};
        t.lift = t.usual > 0 ? t.share / t.usual : NAN;
        t.value = o->valued > 0 ? o->value / o->valued : NAN;
        t.usual_value = u->valued > 0 ? u->value / u->valued : NAN;
        p->tastes[p->ntastes++] = t;
    }
    qsort(p->tastes, p->ntastes, sizeof *p->tastes, by_share);
out:
    level_totals_release(usual);
    mem_free(own);
    return st;
}

enum status profile_make(struct dataset *d, const struct query *q, struct profile *out, struct error *err)
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
        st = find_tastes(d, q, f.items, out->items, out, err);
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
