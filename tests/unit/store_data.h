/* Made-up data sets for the tests of the store, and a comparison that looks at every cell. */
#ifndef TAILOR_TESTS_UNIT_STORE_DATA_H
#define TAILOR_TESTS_UNIT_STORE_DATA_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "data/dataset.h"
#include "store/workspace.h"

enum { WITH_TIMES = 1, WITH_VALUES = 2, WITH_FIELDS = 4, WITH_ALL = 7 };

static inline enum status add_ids(struct dict *d, const char *prefix, size_t n, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < n && !st; i++) {
        char id[32];
        uint32_t code;
        int length = snprintf(id, sizeof id, "%s%zu", prefix, i);
        st = dict_add(d, id, (size_t)length, &code, err);
    }
    return st;
}

/* One field of every type; every third row is missing. */
static inline enum status add_test_fields(struct fields *set, size_t rows, struct rng *r, struct error *err)
{
    static const char *const names[] = {"word", "list", "real", "count", "moment"};
    enum status st = ST_OK;
    for (int type = FIELD_TEXT; type <= FIELD_TIME && !st; type++) {
        struct field *f;
        st = fields_add(set, names[type], (enum field_type)type, &f, err);
        for (size_t row = 0; row < rows && !st; row++) {
            static const char *const words[] = {"red", "green", "blue", "a longer word", ""};
            const char *text[2] = {words[rng_below(r, 5)], words[rng_below(r, 5)]};
            size_t length[2] = {strlen(text[0]), strlen(text[1])};
            bool missing = rng_below(r, 3) == 0;
            if (type == FIELD_TEXT)
                st = field_push_text(f, missing ? NULL : text[0], length[0], err);
            else if (type == FIELD_LIST)
                st = field_push_list(f, text, length, missing ? 0 : 1 + rng_below(r, 2), err);
            else if (type == FIELD_REAL)
                st = field_push_real(f, missing ? NAN : rng_normal(r), err);
            else
                st = field_push_int(f, missing ? NO_INT : (int64_t)rng_next(r) >> rng_below(r, 60), err);
        }
    }
    return st;
}

static inline enum status fill_events(struct dataset *d, size_t n, unsigned with, struct rng *r, struct error *err)
{
    struct events *e = &d->events;
    e->n = n;
    e->user = mem_new(n, sizeof *e->user, "test", err);
    e->item = mem_new(n, sizeof *e->item, "test", err);
    e->sequence = mem_new(n, sizeof *e->sequence, "test", err);
    e->type = mem_new(n, sizeof *e->type, "test", err);
    e->time = with & WITH_TIMES ? mem_new(n, sizeof *e->time, "test", err) : NULL;
    e->value = with & WITH_VALUES ? mem_new(n, sizeof *e->value, "test", err) : NULL;
    if (!e->user || !e->item || !e->sequence || !e->type || (with & WITH_TIMES && !e->time) ||
        (with & WITH_VALUES && !e->value))
        return ST_NOMEM;
    for (size_t i = 0; i < n; i++) {
        e->user[i] = (uint32_t)rng_below(r, d->users.n);
        e->item[i] = (uint32_t)rng_below(r, d->items.n);
        e->sequence[i] = i;
        e->type[i] = (uint16_t)rng_below(r, d->types.n);
        if (e->time)
            e->time[i] = rng_below(r, 50) == 0 ? NO_TIME : 1700000000 * US_PER_SECOND + (int64_t)rng_below(r, 1u << 24) * US_PER_SECOND;
        if (e->value)
            e->value[i] = rng_below(r, 9) == 0 ? NAN : (float)(1 + rng_below(r, 5));
    }
    return ST_OK;
}

/* A finished data set that (name, seed, n, with) tell all of; NULL when memory ran out. */
static inline struct dataset *make_data(const char *name, uint64_t seed, size_t n, unsigned with, struct error *err)
{
    struct rng r = rng_stream(seed, "store test", 0);
    struct dataset *d = dataset_new(name, err);
    if (!d)
        return NULL;
    enum status st = add_ids(&d->users, "user ", n / 20 + 1, err);
    if (!st)
        st = add_ids(&d->items, "item ", n / 50 + 3, err);
    if (!st)
        st = add_ids(&d->types, "type ", 3, err);
    if (!st)
        st = fill_events(d, n, with, &r, err);
    if (!st && with & WITH_FIELDS)
        st = add_test_fields(&d->events.context, n, &r, err);
    if (!st && with & WITH_FIELDS)
        st = add_test_fields(&d->user_fields, d->users.n, &r, err);
    if (!st && with & WITH_FIELDS)
        st = add_test_fields(&d->item_fields, d->items.n, &r, err);
    d->rows_read = n + 2;
    d->rows_kept = n;
    d->rows_rejected = 2;
    if (!st)
        st = dataset_finish(d, err);
    if (!st)
        return d;
    dataset_release(d);
    return NULL;
}

static inline bool same_bytes(const void *a, const void *b, size_t n)
{
    return n == 0 || (a && b ? memcmp(a, b, n) == 0 : a == b);
}

static inline bool same_dict(const struct dict *a, const struct dict *b)
{
    bool same = a->n == b->n && same_bytes(a->bytes, b->bytes, a->nbytes) && a->nbytes == b->nbytes &&
                (a->n == 0 || same_bytes(a->start, b->start, (a->n + (size_t)1) * sizeof *a->start));
    for (uint32_t i = 0; i < a->n && same; i++)
        same = dict_find(b, dict_text(a, i), dict_length(a, i)) == i;
    return same;
}

static inline bool same_fields(const struct fields *a, const struct fields *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; i < a->n && same; i++) {
        const struct field *f = &a->field[i], *g = &b->field[i];
        same = strcmp(f->name, g->name) == 0 && f->type == g->type && f->n == g->n && same_dict(&f->levels, &g->levels) &&
               same_bytes(f->code, g->code, f->n * sizeof *f->code) && same_bytes(f->real, g->real, f->n * sizeof *f->real) &&
               same_bytes(f->integer, g->integer, f->n * sizeof *f->integer);
        if (same && f->type == FIELD_LIST)
            same = same_bytes(f->list_begin, g->list_begin, (f->n + 1) * sizeof *f->list_begin) &&
                   same_bytes(f->list_code, g->list_code, f->list_begin[f->n] * sizeof *f->list_code);
    }
    return same;
}

static inline bool same_data(const struct dataset *a, const struct dataset *b)
{
    const struct events *e = &a->events, *f = &b->events;
    return e->n == f->n && a->fingerprint == b->fingerprint && a->rows_read == b->rows_read && a->rows_kept == b->rows_kept &&
           a->rows_rejected == b->rows_rejected && strcmp(a->source, b->source) == 0 && same_dict(&a->users, &b->users) &&
           same_dict(&a->items, &b->items) && same_dict(&a->types, &b->types) && !e->time == !f->time &&
           !e->value == !f->value && same_bytes(e->user, f->user, e->n * sizeof *e->user) &&
           same_bytes(e->item, f->item, e->n * sizeof *e->item) &&
           same_bytes(e->sequence, f->sequence, e->n * sizeof *e->sequence) &&
           same_bytes(e->type, f->type, e->n * sizeof *e->type) && same_bytes(e->time, f->time, e->n * sizeof *e->time) &&
           same_bytes(e->value, f->value, e->n * sizeof *e->value) &&
           same_bytes(a->type_weight, b->type_weight, a->types.n * sizeof *a->type_weight) &&
           same_bytes(a->user_begin, b->user_begin, (a->users.n + (size_t)1) * sizeof *a->user_begin) &&
           same_fields(&e->context, &f->context) && same_fields(&a->user_fields, &b->user_fields) &&
           same_fields(&a->item_fields, &b->item_fields);
}

/* Removes a workspace and its helpers. */
static inline void remove_space(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-lock"};
    char name[512];
    for (size_t i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        unlink(name);
    }
}

#endif
