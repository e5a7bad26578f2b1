#include "data/subset.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "data/copy.h"

enum { USER_BLOCK = 1024, EVENT_BLOCK = 1 << 16 };

/* Who is left of the users or of the items: old[new] = their index before, in their new order. */
struct left {
    uint32_t n, before; /* how many are left, of how many */
    uint64_t *old;
    uint32_t *new_of;   /* NO_CODE: gone */
    uint64_t *first, *first_kept; /* sequence of the first event, and of the first that is kept; UINT64_MAX: none */
    bool same;          /* all are left and in their old order */
};

struct subset {
    const struct dataset *d;
    const uint8_t *keep;
    struct left users, items;
    uint64_t *order; /* row of d of each event that is kept */
    struct dataset *out;
};

static void left_clear(struct left *l)
{
    mem_free(l->old);
    mem_free(l->new_of);
    mem_free(l->first);
    mem_free(l->first_kept);
}

static enum status left_new(struct left *l, uint32_t n, struct error *err)
{
    *l = (struct left){.before = n};
    l->old = mem_new_raw(n, sizeof *l->old, "new indices", err);
    l->new_of = mem_new_raw(n, sizeof *l->new_of, "new indices", err);
    l->first = mem_new_raw(n, sizeof *l->first, "first events", err);
    l->first_kept = mem_new_raw(n, sizeof *l->first_kept, "first events", err);
    if (!l->old || !l->new_of || !l->first || !l->first_kept)
        return ST_NOMEM;
    for (uint32_t i = 0; i < n; i++)
        l->first[i] = l->first_kept[i] = UINT64_MAX;
    return ST_OK;
}

/* ---- who is left, and in which order ---- */

static void see(struct left *l, uint32_t i, uint64_t sequence, bool kept)
{
    if (sequence < l->first[i])
        l->first[i] = sequence;
    if (kept && sequence < l->first_kept[i])
        l->first_kept[i] = sequence;
}

struct place {
    uint64_t sequence;
    uint32_t index;
};

static int by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->sequence != y->sequence)
        return x->sequence < y->sequence ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static bool in_places(const struct place *p, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (by_place(&p[i - 1], &p[i]) > 0)
            return false;
    return true;
}

static enum status left_order(struct left *l, bool cold_go, struct error *err)
{
    struct place *p = mem_new_raw(l->before, sizeof *p, "the order of first events", err);
    uint64_t latest = 0;
    if (!p)
        return ST_NOMEM;
    for (uint32_t i = 0; i < l->before; i++) {
        bool cold = l->first[i] == UINT64_MAX;
        l->new_of[i] = NO_CODE;
        if (!cold && l->first[i] > latest)
            latest = l->first[i];
        if (cold ? !cold_go : l->first_kept[i] != UINT64_MAX)
            p[l->n++] = (struct place){cold ? latest : l->first_kept[i], i};
    }
    if (!in_places(p, l->n))
        qsort(p, l->n, sizeof *p, by_place);
    l->same = l->n == l->before;
    for (uint32_t i = 0; i < l->n; i++) {
        l->old[i] = p[i].index;
        l->new_of[p[i].index] = i;
        l->same &= p[i].index == i;
    }
    mem_free(p);
    return ST_OK;
}

static enum status find_left(struct subset *s, enum subset_cold cold, struct job *job, struct error *err)
{
    const struct events *e = &s->d->events;
    enum status st = left_new(&s->users, s->d->users.n, err);
    if (!st)
        st = left_new(&s->items, s->d->items.n, err);
    for (size_t i = 0; i < e->n && !st; i++) {
        see(&s->users, e->user[i], e->sequence[i], s->keep[i]);
        see(&s->items, e->item[i], e->sequence[i], s->keep[i]);
        if (i % EVENT_BLOCK == 0)
            st = job_check(job, err);
    }
    if (!st)
        st = left_order(&s->users, cold & COLD_USERS_GO, err);
    return st ? st : left_order(&s->items, cold & COLD_ITEMS_GO, err);
}

/* ---- events ---- */

static void count_events(void *context, size_t block, size_t begin, size_t end)
{
    const struct subset *s = context;
    (void)block;
    for (size_t u = begin; u < end; u++) {
        size_t old = s->users.old[u], n = 0;
        for (size_t e = s->d->user_begin[old]; e < s->d->user_begin[old + 1]; e++)
            n += s->keep[e] != 0;
        s->out->user_begin[u + 1] = n;
    }
}

static void order_events(void *context, size_t block, size_t begin, size_t end)
{
    const struct subset *s = context;
    (void)block;
    for (size_t u = begin; u < end; u++) {
        size_t old = s->users.old[u], at = s->out->user_begin[u];
        for (size_t e = s->d->user_begin[old]; e < s->d->user_begin[old + 1]; e++)
            if (s->keep[e])
                s->order[at++] = e;
    }
}

static void gather_events(void *context, size_t block, size_t begin, size_t end)
{
    const struct subset *s = context;
    const struct events *from = &s->d->events;
    struct events *to = &s->out->events;
    (void)block;
    for (size_t r = begin; r < end; r++) {
        uint64_t e = s->order[r];
        to->user[r] = s->users.new_of[from->user[e]];
        to->item[r] = s->items.new_of[from->item[e]];
        to->sequence[r] = from->sequence[e];
        to->type[r] = from->type[e];
    }
    for (size_t r = begin; r < end && from->time; r++)
        to->time[r] = from->time[s->order[r]];
    for (size_t r = begin; r < end && from->value; r++)
        to->value[r] = from->value[s->order[r]];
}

static enum status room_for_events(struct subset *s, size_t n, struct error *err)
{
    const struct events *from = &s->d->events;
    struct events *to = &s->out->events;
    s->order = mem_new_raw(n, sizeof *s->order, "the order of events", err);
    to->user = mem_new_raw(n, sizeof *to->user, "events", err);
    to->item = mem_new_raw(n, sizeof *to->item, "events", err);
    to->sequence = mem_new_raw(n, sizeof *to->sequence, "events", err);
    to->type = mem_new_raw(n, sizeof *to->type, "events", err);
    to->time = from->time ? mem_new_raw(n, sizeof *to->time, "events", err) : NULL;
    to->value = from->value ? mem_new_raw(n, sizeof *to->value, "events", err) : NULL;
    bool all = s->order && to->user && to->item && to->sequence && to->type && (to->time || !from->time) &&
               (to->value || !from->value);
    to->n = n;
    return all ? ST_OK : ST_NOMEM;
}

static enum status take_events(struct subset *s, struct job *job, struct error *err)
{
    struct dataset *out = s->out;
    uint32_t users = s->users.n;
    out->user_begin = mem_new((size_t)users + 1, sizeof *out->user_begin, "user starts", err);
    if (!out->user_begin)
        return ST_NOMEM;
    parallel_blocks(users, USER_BLOCK, count_events, s);
    for (uint32_t u = 0; u < users; u++)
        out->user_begin[u + 1] += out->user_begin[u];
    enum status st = room_for_events(s, out->user_begin[users], err);
    if (!st)
        st = job_check(job, err);
    if (st)
        return st;
    parallel_blocks(users, USER_BLOCK, order_events, s);
    parallel_blocks(out->events.n, EVENT_BLOCK, gather_events, s);
    return job_check(job, err);
}

/* ---- fields and ids ---- */

struct cells {
    const struct field *from;
    struct field *to;
    const uint64_t *order;
};

static void gather_cells(void *context, size_t block, size_t begin, size_t end)
{
    const struct cells *c = context;
    (void)block;
    for (size_t r = begin; r < end; r++) {
        if (c->to->code)
            c->to->code[r] = c->from->code[c->order[r]];
        else if (c->to->real)
            c->to->real[r] = c->from->real[c->order[r]];
        else
            c->to->integer[r] = c->from->integer[c->order[r]];
    }
}

static enum status take_list(const struct field *from, struct field *to, const uint64_t *order, size_t n,
                             struct error *err)
{
    mem_free(to->list_begin);
    to->list_begin = mem_new(n + 1, sizeof *to->list_begin, "a list column", err);
    if (!to->list_begin)
        return ST_NOMEM;
    for (size_t r = 0; r < n; r++)
        to->list_begin[r + 1] = to->list_begin[r] + from->list_begin[order[r] + 1] - from->list_begin[order[r]];
    to->list_code = mem_new_raw(to->list_begin[n], sizeof *to->list_code, "a list column", err);
    if (!to->list_code)
        return ST_NOMEM;
    to->list_capacity = to->list_begin[n];
    for (size_t r = 0; r < n; r++)
        memcpy(to->list_code + to->list_begin[r], from->list_code + from->list_begin[order[r]],
               (to->list_begin[r + 1] - to->list_begin[r]) * sizeof *to->list_code);
    return ST_OK;
}

/* A field with the rows order[0..n) of another. */
static enum status take_field(const struct field *from, struct fields *set, const uint64_t *order, size_t n,
                              struct error *err)
{
    struct field *to;
    enum status st = fields_add(set, from->name, from->type, &to, err);
    if (!st)
        st = dict_copy(&to->levels, &from->levels, err);
    if (!st && from->type == FIELD_LIST)
        st = take_list(from, to, order, n, err);
    else if (!st && from->type == FIELD_TEXT)
        st = (to->code = mem_new_raw(n, sizeof *to->code, "a column", err)) ? ST_OK : ST_NOMEM;
    else if (!st && from->type == FIELD_REAL)
        st = (to->real = mem_new_raw(n, sizeof *to->real, "a column", err)) ? ST_OK : ST_NOMEM;
    else if (!st)
        st = (to->integer = mem_new_raw(n, sizeof *to->integer, "a column", err)) ? ST_OK : ST_NOMEM;
    if (st)
        return st;
    struct cells cells = {from, to, order};
    if (from->type != FIELD_LIST)
        parallel_blocks(n, EVENT_BLOCK, gather_cells, &cells);
    to->n = to->capacity = n;
    return ST_OK;
}

static enum status take_fields(const struct fields *from, struct fields *to, const uint64_t *order, size_t n,
                               struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < from->n && !st; i++)
        st = take_field(&from->field[i], to, order, n, err);
    return st;
}

/* Ids and attributes of the users or items that are left. */
static enum status take_entities(const struct left *l, const struct dict *ids, const struct fields *fields,
                                 struct dict *to_ids, struct fields *to_fields, struct error *err)
{
    if (l->same) {
        enum status same = dict_copy(to_ids, ids, err);
        return same ? same : copy_fields(to_fields, fields, err);
    }
    enum status st = ST_OK;
    for (uint32_t i = 0; i < l->n && !st; i++) {
        uint32_t old = (uint32_t)l->old[i], code;
        st = dict_add(to_ids, dict_text(ids, old), dict_length(ids, old), &code, err);
    }
    return st ? st : take_fields(fields, to_fields, l->old, l->n, err);
}

static enum status take_rest(struct subset *s, struct job *job, struct error *err)
{
    const struct dataset *d = s->d;
    struct dataset *out = s->out;
    enum status st = take_fields(&d->events.context, &out->events.context, s->order, out->events.n, err);
    if (!st)
        st = job_check(job, err);
    if (!st)
        st = take_entities(&s->users, &d->users, &d->user_fields, &out->users, &out->user_fields, err);
    if (!st)
        st = take_entities(&s->items, &d->items, &d->item_fields, &out->items, &out->item_fields, err);
    if (!st)
        st = dict_copy(&out->types, &d->types, err);
    if (!st)
        st = copy_bytes(&out->type_weight, d->type_weight, d->types.n, sizeof *d->type_weight, err);
    if (!st && !((out->source = mem_strdup(d->source, err))))
        st = ST_NOMEM;
    out->halflife = d->halflife;
    out->repeats = d->repeats;
    out->rows_read = d->rows_read;
    out->rows_kept = d->rows_kept;
    out->rows_rejected = d->rows_rejected;
    out->fingerprint = d->fingerprint;
    return st;
}

enum status dataset_subset(const struct dataset *d, const uint8_t *keep, enum subset_cold cold, struct job *job,
                           struct dataset **out, struct error *err)
{
    struct subset s = {.d = d, .keep = keep, .out = dataset_new(d->name, err)};
    enum status st = s.out ? find_left(&s, cold, job, err) : ST_NOMEM;
    if (!st)
        st = take_events(&s, job, err);
    if (!st) {
        mem_free(s.out->source);
        s.out->source = NULL;
        st = take_rest(&s, job, err);
    }
    left_clear(&s.users);
    left_clear(&s.items);
    mem_free(s.order);
    if (st)
        dataset_release(s.out);
    else
        *out = s.out;
    return st;
}
