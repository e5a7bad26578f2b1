#include "data/dataset.h"

#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/text.h"
#include "data/by_item.h"
#include "data/level_totals.h"
#include "data/order.h"

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
    by_item_free(atomic_load(&d->by_item));
    level_totals_free_all(atomic_load(&d->level_totals));
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

/* user_begin of events that are in order. */
static void find_runs(struct dataset *d)
{
    const struct events *e = &d->events;
    for (size_t r = 0; r < e->n; r++)
        d->user_begin[e->user[r] + 1]++;
    for (size_t u = 0; u < d->users.n; u++)
        d->user_begin[u + 1] += d->user_begin[u];
}

/* The users of the events, from their runs. */
static void fill_users(struct dataset *d)
{
    for (uint32_t u = 0; u < d->users.n; u++)
        for (size_t r = d->user_begin[u]; r < d->user_begin[u + 1]; r++)
            d->events.user[r] = u;
}

/* Fresh from a file: the sequence is the number of the row. */
static bool is_numbered(const struct events *e)
{
    uint64_t other = 0;
    for (size_t r = 0; r < e->n; r++)
        other |= e->sequence[r] ^ r;
    return other == 0;
}

static enum status sort_events(struct dataset *d, struct job *job, struct error *err)
{
    struct events *e = &d->events;
    d->user_begin = mem_new((size_t)d->users.n + 1, sizeof *d->user_begin, "user starts", err);
    if (!d->user_begin)
        return ST_NOMEM;
    if (order_holds(e)) {
        find_runs(d);
        return ST_OK;
    }
    uint64_t *order = mem_new_raw(e->n, sizeof *order, "the order of events", err);
    enum status st = order ? order_events(e, d->users.n, d->user_begin, order, job, err) : ST_NOMEM;
    bool numbered = is_numbered(e);
    if (!st) {
        fill_users(d);
        st = job_check(job, err);
    }
    if (!st)
        st = order_column(&e->item, sizeof *e->item, order, e->n, job, err);
    if (!st && e->time)
        st = order_column(&e->time, sizeof *e->time, order, e->n, job, err);
    if (!st && !numbered)
        st = order_column(&e->sequence, sizeof *e->sequence, order, e->n, job, err);
    if (!st)
        st = order_column(&e->type, sizeof *e->type, order, e->n, job, err);
    if (!st && e->value)
        st = order_column(&e->value, sizeof *e->value, order, e->n, job, err);
    for (size_t i = 0; i < e->context.n && !st; i++) {
        st = job_check(job, err);
        if (!st)
            st = field_permute(&e->context.field[i], order, e->n, err);
    }
    if (!st && numbered) { /* the sequence in order is the order */
        mem_free(e->sequence);
        e->sequence = order;
        return ST_OK;
    }
    mem_free(order);
    return st;
}

/* ---- finishing: the fingerprint ---- */

enum { HASH_BLOCK = 1 << 20, HASHES = 1024 };

struct hashing {
    const char *bytes;
    uint64_t hash[HASHES];
};

static void hash_block(void *context, size_t i, size_t begin, size_t end)
{
    struct hashing *h = context;
    h->hash[i] = hash_bytes(h->bytes + begin, end - begin, i);
}

/* Hashes of blocks on all threads, and the hash of these. */
static uint64_t hash_array(const void *array, size_t count, size_t size, uint64_t h)
{
    size_t bytes = count * size;
    struct hashing x;
    for (size_t at = 0; at < bytes; at += (size_t)HASHES * HASH_BLOCK) {
        size_t n = bytes - at < (size_t)HASHES * HASH_BLOCK ? bytes - at : (size_t)HASHES * HASH_BLOCK;
        x.bytes = (const char *)array + at;
        parallel_blocks(n, HASH_BLOCK, hash_block, &x);
        h = hash_bytes(x.hash, parallel_count(n, HASH_BLOCK) * sizeof *x.hash, h);
    }
    return hash_bytes(&bytes, sizeof bytes, h);
}

static uint64_t hash_dict(const struct dict *d, uint64_t h)
{
    return hash_array(d->bytes, d->nbytes, 1, h ^ d->n);
}

static uint64_t hash_fields(const struct fields *set, uint64_t h)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct field *f = &set->field[i];
        h = hash_bytes(f->name, strlen(f->name), h ^ (uint64_t)f->type);
        h = hash_dict(&f->levels, h);
        if (f->code)
            h = hash_array(f->code, f->n, sizeof *f->code, h);
        if (f->real)
            h = hash_array(f->real, f->n, sizeof *f->real, h);
        if (f->integer)
            h = hash_array(f->integer, f->n, sizeof *f->integer, h);
        if (f->list_begin) {
            h = hash_array(f->list_begin, (f->n + 1), sizeof *f->list_begin, h);
            h = hash_array(f->list_code, f->list_begin[f->n], sizeof *f->list_code, h);
        }
    }
    return h;
}

static uint64_t fingerprint(const struct dataset *d)
{
    const struct events *e = &d->events;
    uint64_t h = hash_dict(&d->types, hash_dict(&d->items, hash_dict(&d->users, 1)));
    h = hash_array(e->user, e->n, sizeof *e->user, h);
    h = hash_array(e->item, e->n, sizeof *e->item, h);
    h = hash_array(e->sequence, e->n, sizeof *e->sequence, h);
    h = hash_array(e->type, e->n, sizeof *e->type, h);
    if (e->time)
        h = hash_array(e->time, e->n, sizeof *e->time, h ^ 2);
    if (e->value)
        h = hash_array(e->value, e->n, sizeof *e->value, h ^ 3);
    h = hash_array(d->type_weight, d->types.n, sizeof *d->type_weight, h);
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
    return dataset_finish_job(d, NULL, err);
}

enum status dataset_finish_job(struct dataset *d, struct job *job, struct error *err)
{
    enum status st = sort_events(d, job, err);
    if (!st)
        st = job_check(job, err);
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
