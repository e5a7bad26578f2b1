#include "data/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

struct dataset *dataset_new(const char *name, struct error *err)
{
    struct dataset *d = mem_new(1, sizeof *d, "a data set", err);
    if (!d)
        return NULL;
    atomic_init(&d->references, 1);
    d->name = mem_strdup(name, err);
    d->source = mem_strdup("", err);
    if (!d->name || !d->source) {
        dataset_release(d);
        return NULL;
    }
    return d;
}

struct dataset *dataset_hold(struct dataset *d)
{
    if (d)
        atomic_fetch_add(&d->references, 1);
    return d;
}

void dataset_release(struct dataset *d)
{
    if (!d || atomic_fetch_sub(&d->references, 1) > 1)
        return;
    mem_free(d->name);
    mem_free(d->source);
    dict_clear(&d->users);
    dict_clear(&d->items);
    dict_clear(&d->types);
    mem_free(d->events.user);
    mem_free(d->events.item);
    mem_free(d->events.time);
    mem_free(d->events.sequence);
    mem_free(d->events.type);
    mem_free(d->events.value);
    fields_clear(&d->events.context);
    mem_free(d->user_begin);
    fields_clear(&d->user_fields);
    fields_clear(&d->item_fields);
    mem_free(d->type_weight);
    mem_free(d->stages);
    mem_free(d);
}

/* What was only shown says nothing about liking. */
static float default_weight(const char *type)
{
    static const char *const shown[] = {"impression", "exposure", "display", "ad_view", "shown", "negative"};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (text_same(type, shown[i]))
            return 0;
    return 1;
}

/* ---- finishing: sort by (user, time, sequence) ---- */

static int64_t time_of(const struct events *e, uint64_t row)
{
    return e->time ? e->time[row] : NO_TIME;
}

static int by_time_and_sequence(const void *a, const void *b, void *events)
{
    const struct events *e = events;
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    int64_t tx = time_of(e, x), ty = time_of(e, y);
    if (tx != ty)
        return tx < ty ? -1 : 1;
    return e->sequence[x] < e->sequence[y] ? -1 : e->sequence[x] > e->sequence[y];
}

/* Order of rows by user (counting sort, stable), then each user's run by time and sequence. Logs usually come in
 * order of time already, so a run is checked before it is sorted. */
static enum status event_order(struct dataset *d, uint64_t *order, struct error *err)
{
    struct events *e = &d->events;
    size_t users = d->users.n;
    size_t *next = mem_new(users + 1, sizeof *next, "user starts", err);
    if (!next)
        return ST_NOMEM;
    for (size_t i = 0; i < e->n; i++)
        d->user_begin[e->user[i] + 1]++;
    for (size_t u = 0; u < users; u++)
        d->user_begin[u + 1] += d->user_begin[u];
    memcpy(next, d->user_begin, (users + 1) * sizeof *next);
    for (size_t i = 0; i < e->n; i++)
        order[next[e->user[i]]++] = i;
    mem_free(next);
    for (size_t u = 0; u < users; u++) {
        uint64_t *run = order + d->user_begin[u];
        size_t n = d->user_begin[u + 1] - d->user_begin[u];
        for (size_t i = 1; i < n; i++) {
            if (by_time_and_sequence(&run[i - 1], &run[i], e) > 0) {
                qsort_r(run, n, sizeof *run, by_time_and_sequence, e);
                break;
            }
        }
    }
    return ST_OK;
}

/* column[r] = column[order[r]] through a fresh block, which replaces *column. */
static enum status permute_column(void *column, size_t size, const uint64_t *order, size_t n, struct error *err)
{
    char *old, *sorted = mem_new_raw(n, size, "a sorted column", err);
    if (!sorted)
        return ST_NOMEM;
    memcpy(&old, column, sizeof old);
    switch (size) {
    case 2:
        for (size_t r = 0; r < n; r++)
            ((uint16_t *)(void *)sorted)[r] = ((uint16_t *)(void *)old)[order[r]];
        break;
    case 4:
        for (size_t r = 0; r < n; r++)
            ((uint32_t *)(void *)sorted)[r] = ((uint32_t *)(void *)old)[order[r]];
        break;
    default:
        for (size_t r = 0; r < n; r++)
            ((uint64_t *)(void *)sorted)[r] = ((uint64_t *)(void *)old)[order[r]];
        break;
    }
    mem_free(old);
    memcpy(column, &sorted, sizeof sorted);
    return ST_OK;
}

static bool in_order(const uint64_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (order[i] != i)
            return false;
    return true;
}

static enum status sort_events(struct dataset *d, struct error *err)
{
    struct events *e = &d->events;
    d->user_begin = mem_new((size_t)d->users.n + 1, sizeof *d->user_begin, "user starts", err);
    uint64_t *order = mem_new_raw(e->n, sizeof *order, "the order of events", err);
    enum status st = d->user_begin && order ? event_order(d, order, err) : ST_NOMEM;
    if (!st && !in_order(order, e->n)) {
        st = permute_column(&e->user, sizeof *e->user, order, e->n, err);
        if (!st)
            st = permute_column(&e->item, sizeof *e->item, order, e->n, err);
        if (!st && e->time)
            st = permute_column(&e->time, sizeof *e->time, order, e->n, err);
        if (!st)
            st = permute_column(&e->sequence, sizeof *e->sequence, order, e->n, err);
        if (!st)
            st = permute_column(&e->type, sizeof *e->type, order, e->n, err);
        if (!st && e->value)
            st = permute_column(&e->value, sizeof *e->value, order, e->n, err);
        for (size_t i = 0; i < e->context.n && !st; i++)
            st = field_permute(&e->context.field[i], order, e->n, err);
    }
    mem_free(order);
    return st;
}

/* ---- finishing: the fingerprint ---- */

static uint64_t hash_dict(const struct dict *d, uint64_t h)
{
    return hash_bytes(d->bytes, d->nbytes, h ^ d->n);
}

static uint64_t hash_fields(const struct fields *set, uint64_t h)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct field *f = &set->field[i];
        h = hash_bytes(f->name, strlen(f->name), h ^ (uint64_t)f->type);
        h = hash_dict(&f->levels, h);
        if (f->code)
            h = hash_bytes(f->code, f->n * sizeof *f->code, h);
        if (f->real)
            h = hash_bytes(f->real, f->n * sizeof *f->real, h);
        if (f->integer)
            h = hash_bytes(f->integer, f->n * sizeof *f->integer, h);
        if (f->list_begin) {
            h = hash_bytes(f->list_begin, (f->n + 1) * sizeof *f->list_begin, h);
            h = hash_bytes(f->list_code, f->list_begin[f->n] * sizeof *f->list_code, h);
        }
    }
    return h;
}

static uint64_t fingerprint(const struct dataset *d)
{
    const struct events *e = &d->events;
    uint64_t h = hash_dict(&d->types, hash_dict(&d->items, hash_dict(&d->users, 1)));
    h = hash_bytes(e->user, e->n * sizeof *e->user, h);
    h = hash_bytes(e->item, e->n * sizeof *e->item, h);
    h = hash_bytes(e->sequence, e->n * sizeof *e->sequence, h);
    h = hash_bytes(e->type, e->n * sizeof *e->type, h);
    if (e->time)
        h = hash_bytes(e->time, e->n * sizeof *e->time, h ^ 2);
    if (e->value)
        h = hash_bytes(e->value, e->n * sizeof *e->value, h ^ 3);
    h = hash_bytes(d->type_weight, d->types.n * sizeof *d->type_weight, h);
    return hash_fields(&d->item_fields, hash_fields(&d->user_fields, hash_fields(&e->context, h)));
}

static enum status pad_fields(struct fields *set, size_t rows, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < set->n && !st; i++)
        st = field_pad(&set->field[i], rows, err);
    return st;
}

enum status dataset_finish(struct dataset *d, struct error *err)
{
    enum status st = sort_events(d, err);
    if (!st)
        st = pad_fields(&d->events.context, d->events.n, err);
    if (!st)
        st = pad_fields(&d->user_fields, d->users.n, err);
    if (!st)
        st = pad_fields(&d->item_fields, d->items.n, err);
    if (!st && !d->type_weight) {
        d->type_weight = mem_new(d->types.n, sizeof *d->type_weight, "type weights", err);
        if (!d->type_weight)
            return ST_NOMEM;
        for (uint32_t t = 0; t < d->types.n; t++)
            d->type_weight[t] = default_weight(dict_text(&d->types, t));
    }
    if (!st)
        d->fingerprint = fingerprint(d);
    return st;
}

/* ---- reading ---- */

bool dataset_time_range(const struct dataset *d, int64_t *oldest, int64_t *newest)
{
    bool any = false;
    for (size_t i = 0; d->events.time && i < d->events.n; i++) {
        int64_t t = d->events.time[i];
        if (t == NO_TIME)
            continue;
        if (!any || t < *oldest)
            *oldest = t;
        if (!any || t > *newest)
            *newest = t;
        any = true;
    }
    return any;
}

static const struct field *first_of(const struct fields *set, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct field *f = fields_find(set, names[i]);
        if (f && (f->type == FIELD_TEXT || f->type == FIELD_LIST))
            return f;
    }
    return NULL;
}

const struct field *dataset_titles(const struct dataset *d)
{
    static const char *const names[] = {"title", "name"};
    const struct field *f = first_of(&d->item_fields, names, 2);
    return f && f->type == FIELD_TEXT ? f : NULL;
}

const char *dataset_item_title(const struct dataset *d, uint32_t item)
{
    const struct field *f = dataset_titles(d);
    if (f && item < f->n && f->code[item] != NO_CODE)
        return dict_text(&f->levels, f->code[item]);
    return dict_text(&d->items, item);
}

const struct field *dataset_item_category(const struct dataset *d)
{
    static const char *const names[] = {"category", "genres", "genre", "categories", "tags", "department", "brand"};
    return first_of(&d->item_fields, names, sizeof names / sizeof *names);
}
