#include "inspect/find.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "data/interactions.h"

struct search {
    const struct dataset *d;
    const struct field *titles;
    const char *const *words;
    size_t nwords;
};

static bool level_has(const struct field *f, uint32_t item, const char *word)
{
    if (f->type == FIELD_TEXT)
        return f->code[item] != NO_CODE && text_find(dict_text(&f->levels, f->code[item]), word);
    for (size_t i = f->list_begin[item]; i < f->list_begin[item + 1]; i++)
        if (text_find(dict_text(&f->levels, f->list_code[i]), word))
            return true;
    return false;
}

/* Where the item has the word; NULL: nowhere. */
static const char *where(const struct search *s, uint32_t item, const char *word)
{
    const struct fields *fields = &s->d->item_fields;
    if (s->titles && text_find(dataset_item_title(s->d, item), word))
        return "title";
    if (text_find(dict_text(&s->d->items, item), word))
        return "id";
    for (size_t f = 0; f < fields->n; f++)
        if ((fields->field[f].type == FIELD_TEXT || fields->field[f].type == FIELD_LIST) &&
            level_has(&fields->field[f], item, word))
            return fields->field[f].name;
    return NULL;
}

static const char *fits(const struct search *s, uint32_t item)
{
    const char *place = NULL;
    for (size_t w = 0; w < s->nwords; w++) {
        place = where(s, item, s->words[w]);
        if (!place)
            return NULL;
    }
    return place;
}

struct ordered {
    struct found found;
    bool first; /* its title begins with the first word */
};

static int by_worth(const void *pa, const void *pb)
{
    const struct ordered *a = pa, *b = pb;
    if (a->first != b->first)
        return a->first ? -1 : 1;
    if (a->found.events != b->found.events)
        return a->found.events > b->found.events ? -1 : 1;
    return a->found.item < b->found.item ? -1 : a->found.item > b->found.item;
}

enum status find_items(const struct dataset *d, int64_t as_of, const char *const *words, size_t nwords, size_t most,
                       struct found_list *out, struct error *err)
{
    struct search s = {d, dataset_titles(d), words, nwords};
    enum status st = ST_NOMEM;
    *out = (struct found_list){0};
    size_t *events = mem_new(d->items.n, sizeof *events, "item counts", err);
    struct ordered *all = mem_new_raw(d->items.n, sizeof *all, "items found", err);
    if (!events || !all)
        goto out;
    for (size_t e = 0; e < d->events.n; e++)
        events[d->events.item[e]] += d->type_weight[d->events.type[e]] > 0 && event_before(d, e, as_of);
    for (uint32_t i = 0; i < d->items.n; i++) {
        const char *place = fits(&s, i);
        if (place)
            all[out->all++] =
                (struct ordered){{i, events[i], place}, nwords && text_starts(dataset_item_title(d, i), words[0])};
    }
    qsort(all, out->all, sizeof *all, by_worth);
    size_t n = out->all < most ? out->all : most;
    out->items = mem_new(n, sizeof *out->items, "items found", err);
    if (!out->items)
        goto out;
    for (; out->n < n; out->n++)
        out->items[out->n] = all[out->n].found;
    st = ST_OK;
out:
    mem_free(events);
    mem_free(all);
    return st;
}

void found_list_clear(struct found_list *l)
{
    mem_free(l->items);
    *l = (struct found_list){0};
}
