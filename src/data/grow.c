#include "data/grow.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "data/runs.h"

/* ---- events ---- */

static int64_t time_of(const struct events *e, size_t row)
{
    return e->time ? e->time[row] : NO_TIME;
}

/* One user: both sides are in order; at the same moment the base comes first. */
static enum status merge_user(struct runs *r, const struct dataset *base, size_t b, size_t b_end,
                              const struct dataset *batch, size_t l, size_t l_end, struct error *err)
{
    enum status st = ST_OK;
    while (l < l_end && !st) {
        size_t begin = b;
        while (b < b_end && time_of(&base->events, b) <= time_of(&batch->events, l))
            b++;
        st = runs_add(r, false, begin, b, err);
        begin = l;
        while (l < l_end && (b == b_end || time_of(&batch->events, l) < time_of(&base->events, b)))
            l++;
        if (!st)
            st = runs_add(r, true, begin, l, err);
    }
    return st ? st : runs_add(r, false, b, b_end, err);
}

/* users[u] = the user of the batch who is user u of the grown data, or NO_USER; map the other way. */
static enum status merge_users(struct dataset *d, const struct dataset *base, const struct dataset *batch,
                               const uint32_t *map, struct runs *r, struct error *err)
{
    enum status st = ST_OK;
    uint32_t *late = mem_new_raw(d->users.n, sizeof *late, "a map of users", err);
    d->user_begin = mem_new((size_t)d->users.n + 1, sizeof *d->user_begin, "user starts", err);
    if (!late || !d->user_begin) {
        mem_free(late);
        return ST_NOMEM;
    }
    memset(late, 0xff, d->users.n * sizeof *late);
    for (uint32_t u = 0; u < batch->users.n; u++)
        late[map[u]] = u;
    for (uint32_t u = 0; u < d->users.n && !st; u++) {
        bool known = u < base->users.n;
        size_t b = known ? base->user_begin[u] : 0, b_end = known ? base->user_begin[u + 1] : 0;
        size_t l = late[u] == NO_USER ? 0 : batch->user_begin[late[u]];
        size_t l_end = late[u] == NO_USER ? 0 : batch->user_begin[late[u] + 1];
        st = merge_user(r, base, b, b_end, batch, l, l_end, err);
        d->user_begin[u + 1] = r->rows;
    }
    mem_free(late);
    return st;
}

/* Sequence numbers of events that come later begin here. */
static uint64_t next_sequence(const struct events *e)
{
    uint64_t next = 0;
    for (size_t i = 0; i < e->n; i++)
        next = e->sequence[i] >= next ? e->sequence[i] + 1 : next;
    return next;
}

/* The columns of the batch in the indices of the grown data. */
struct mapped {
    uint32_t *user, *item;
    uint64_t *sequence;
    uint16_t *type;
};

static enum status map_batch(const struct events *e, const uint32_t *users, const uint32_t *items,
                             const uint32_t *types, uint64_t sequence, struct mapped *m, struct error *err)
{
    enum status st = runs_codes(e->user, e->n, users, &m->user, err);
    if (!st)
        st = runs_codes(e->item, e->n, items, &m->item, err);
    m->sequence = mem_new_raw(e->n, sizeof *m->sequence, "a column", err);
    m->type = mem_new_raw(e->n, sizeof *m->type, "a column", err);
    if (st || !m->sequence || !m->type)
        return ST_NOMEM;
    for (size_t i = 0; i < e->n; i++) {
        m->sequence[i] = sequence + e->sequence[i];
        m->type[i] = (uint16_t)types[e->type[i]];
    }
    return ST_OK;
}

static void free_mapped(struct mapped *m)
{
    mem_free(m->user);
    mem_free(m->item);
    mem_free(m->sequence);
    mem_free(m->type);
}

static enum status join_events(struct events *to, const struct events *base, const struct events *batch,
                               const struct mapped *m, const struct runs *r, struct error *err)
{
    static const int64_t no_time = NO_TIME;
    static const float no_value = NAN;
    to->n = r->rows;
    enum status st = runs_column(&to->user, r, base->user, m->user, sizeof *to->user, NULL, err);
    if (!st)
        st = runs_column(&to->item, r, base->item, m->item, sizeof *to->item, NULL, err);
    if (!st)
        st = runs_column(&to->sequence, r, base->sequence, m->sequence, sizeof *to->sequence, NULL, err);
    if (!st)
        st = runs_column(&to->type, r, base->type, m->type, sizeof *to->type, NULL, err);
    if (!st && (base->time || batch->time))
        st = runs_column(&to->time, r, base->time, batch->time, sizeof *to->time, &no_time, err);
    if (!st && (base->value || batch->value))
        st = runs_column(&to->value, r, base->value, batch->value, sizeof *to->value, &no_value, err);
    return st;
}

/* Fields of events: the rows are those of the events. */
static enum status join_context(struct fields *to, const struct fields *base, const struct fields *batch,
                                const struct runs *r, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < base->n && !st; i++)
        st = runs_field(to, r, &base->field[i], fields_find(batch, base->field[i].name), err);
    for (size_t i = 0; i < batch->n && !st; i++)
        if (!fields_find(base, batch->field[i].name))
            st = runs_field(to, r, NULL, &batch->field[i], err);
    return st;
}

/* ---- attributes ---- */

/* Rows of one attribute: what the batch says, else what the base has. */
static enum status attribute_runs(struct runs *r, const struct field *batch, size_t known, const uint32_t *late,
                                  size_t rows, struct error *err)
{
    enum status st = ST_OK;
    for (size_t row = 0; row < rows && !st; row++) {
        uint32_t from = late[row];
        bool says = from != NO_CODE && (row >= known || (batch && !field_missing(batch, from)));
        st = says ? runs_add(r, true, from, from + (size_t)1, err) : runs_add(r, false, row, row + 1, err);
    }
    return st;
}

static enum status join_attribute(struct fields *to, const struct field *base, const struct field *batch, size_t known,
                                  const uint32_t *late, size_t rows, struct error *err)
{
    struct runs r = {0};
    enum status st = attribute_runs(&r, batch, known, late, rows, err);
    if (!st)
        st = runs_field(to, &r, base, batch, err);
    runs_clear(&r);
    return st;
}

/* Fields of users or items: `map` leads from those of the batch to those of the grown data, of which the first `known`
 * are of the base. */
static enum status join_attributes(struct fields *to, const struct fields *base, const struct fields *batch,
                                   const uint32_t *map, size_t nbatch, size_t known, size_t rows, struct error *err)
{
    enum status st = ST_OK;
    if (!base->n && !batch->n)
        return ST_OK;
    uint32_t *late = mem_new_raw(rows, sizeof *late, "a map of ids", err);
    if (!late)
        return ST_NOMEM;
    memset(late, 0xff, rows * sizeof *late);
    for (uint32_t i = 0; i < nbatch; i++)
        late[map[i]] = i;
    for (size_t i = 0; i < base->n && !st; i++)
        st = join_attribute(to, &base->field[i], fields_find(batch, base->field[i].name), known, late, rows, err);
    for (size_t i = 0; i < batch->n && !st; i++)
        if (!fields_find(base, batch->field[i].name))
            st = join_attribute(to, NULL, &batch->field[i], known, late, rows, err);
    mem_free(late);
    return st;
}

/* ---- all of it ---- */

static enum status join_weights(struct dataset *d, const struct dataset *base, const struct dataset *batch,
                                const uint32_t *types, struct error *err)
{
    d->type_weight = mem_new_raw(d->types.n, sizeof *d->type_weight, "type weights", err);
    if (!d->type_weight)
        return ST_NOMEM;
    for (uint32_t t = 0; t < batch->types.n; t++)
        d->type_weight[types[t]] = batch->type_weight[t];
    if (base->types.n)
        memcpy(d->type_weight, base->type_weight, base->types.n * sizeof *d->type_weight);
    return ST_OK;
}

static enum status add_stage(struct dataset *d, const struct dataset *base, uint64_t sequence, struct error *err)
{
    d->stages = mem_new_raw(base->nstages + 1, sizeof *d->stages, "the stages of a data set", err);
    if (!d->stages)
        return ST_NOMEM;
    if (base->nstages)
        memcpy(d->stages, base->stages, base->nstages * sizeof *d->stages);
    d->stages[base->nstages] = (struct data_stage){.fingerprint = base->fingerprint,
                                              .events = base->events.n,
                                              .sequence = sequence,
                                              .users = base->users.n,
                                              .items = base->items.n,
                                              .types = base->types.n};
    d->nstages = base->nstages + 1;
    return ST_OK;
}

struct maps {
    uint32_t *users, *items, *types;
};

static enum status join_ids(struct dataset *d, const struct dataset *base, const struct dataset *batch, struct maps *m,
                            struct error *err)
{
    enum status st = runs_dict(&d->users, &base->users, &batch->users, &m->users, err);
    if (!st)
        st = runs_dict(&d->items, &base->items, &batch->items, &m->items, err);
    if (!st)
        st = runs_dict(&d->types, &base->types, &batch->types, &m->types, err);
    if (!st && d->types.n > (size_t)UINT16_MAX + 1)
        st = error_set(err, ST_FORMAT, "more than 65,536 types of events");
    return st;
}

static enum status join_all(struct dataset *d, const struct dataset *base, const struct dataset *batch,
                            struct error *err)
{
    struct maps m = {0};
    struct mapped columns = {0};
    struct runs r = {0};
    uint64_t sequence = next_sequence(&base->events);
    enum status st = join_ids(d, base, batch, &m, err);
    if (!st)
        st = merge_users(d, base, batch, m.users, &r, err);
    if (!st)
        st = map_batch(&batch->events, m.users, m.items, m.types, sequence, &columns, err);
    if (!st)
        st = join_events(&d->events, &base->events, &batch->events, &columns, &r, err);
    if (!st)
        st = join_context(&d->events.context, &base->events.context, &batch->events.context, &r, err);
    if (!st)
        st = join_attributes(&d->user_fields, &base->user_fields, &batch->user_fields, m.users, batch->users.n,
                             base->users.n, d->users.n, err);
    if (!st)
        st = join_attributes(&d->item_fields, &base->item_fields, &batch->item_fields, m.items, batch->items.n,
                             base->items.n, d->items.n, err);
    if (!st)
        st = join_weights(d, base, batch, m.types, err);
    if (!st)
        st = add_stage(d, base, sequence, err);
    free_mapped(&columns);
    runs_clear(&r);
    mem_free(m.users);
    mem_free(m.items);
    mem_free(m.types);
    return st;
}

enum status dataset_grow(const struct dataset *base, const struct dataset *batch, struct dataset **out,
                         struct error *err)
{
    const uint64_t prints[] = {base->fingerprint, batch->fingerprint};
    struct dataset *d = dataset_new(base->name, err);
    if (!d)
        return ST_NOMEM;
    mem_free(d->source);
    d->source = mem_strdup(base->source, err);
    enum status st = d->source ? join_all(d, base, batch, err) : ST_NOMEM;
    if (st) {
        dataset_release(d);
        return st;
    }
    d->rows_read = base->rows_read + batch->rows_read;
    d->rows_kept = base->rows_kept + batch->rows_kept;
    d->rows_rejected = base->rows_rejected + batch->rows_rejected;
    d->fingerprint = hash_bytes(prints, sizeof prints, d->nstages);
    *out = d;
    return ST_OK;
}

/* ---- stages ---- */

const struct data_stage *dataset_stage(const struct dataset *d, uint64_t fingerprint)
{
    for (size_t i = d->nstages; i-- > 0;)
        if (d->stages[i].fingerprint == fingerprint)
            return &d->stages[i];
    return NULL;
}

bool dataset_descends(const struct dataset *d, uint64_t fingerprint)
{
    return d->fingerprint == fingerprint || dataset_stage(d, fingerprint);
}

uint64_t dataset_events_since(const struct dataset *d, uint64_t fingerprint)
{
    const struct data_stage *s = d->fingerprint == fingerprint ? NULL : dataset_stage(d, fingerprint);
    return s ? d->events.n - s->events : 0;
}

/* The first n strings of a dictionary. */
static enum status first_ids(struct dict *to, const struct dict *from, uint32_t n, struct error *err)
{
    enum status st = ST_OK;
    uint32_t code;
    for (uint32_t i = 0; i < n && !st; i++)
        st = dict_add(to, dict_text(from, i), dict_length(from, i), &code, err);
    return st;
}

static enum status early_fields(struct fields *to, const struct fields *from, const struct runs *r, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < from->n && !st; i++)
        st = runs_field(to, r, &from->field[i], NULL, err);
    return st;
}

static enum status early_attributes(struct fields *to, const struct fields *from, size_t rows, struct error *err)
{
    struct runs first = {0};
    enum status st = runs_add(&first, false, 0, rows, err);
    if (!st)
        st = early_fields(to, from, &first, err);
    runs_clear(&first);
    return st;
}

static enum status early_events(struct dataset *e, const struct dataset *d, const struct data_stage *stage,
                                struct error *err)
{
    struct runs r = {0};
    struct mapped none = {0};
    enum status st = ST_OK;
    e->user_begin = mem_new((size_t)stage->users + 1, sizeof *e->user_begin, "user starts", err);
    if (!e->user_begin)
        return ST_NOMEM;
    for (uint32_t u = 0; u < stage->users && !st; u++) {
        for (size_t i = d->user_begin[u]; i < d->user_begin[u + 1] && !st; i++)
            if (d->events.sequence[i] < stage->sequence)
                st = runs_add(&r, false, i, i + 1, err);
        e->user_begin[u + 1] = r.rows;
    }
    if (!st)
        st = join_events(&e->events, &d->events, &d->events, &none, &r, err);
    if (!st)
        st = early_fields(&e->events.context, &d->events.context, &r, err);
    runs_clear(&r);
    return st;
}

enum status dataset_at_stage(const struct dataset *d, const struct data_stage *stage, struct dataset **out,
                             struct error *err)
{
    struct dataset *e = dataset_new(d->name, err);
    if (!e)
        return ST_NOMEM;
    enum status st = first_ids(&e->users, &d->users, stage->users, err);
    if (!st)
        st = first_ids(&e->items, &d->items, stage->items, err);
    if (!st)
        st = first_ids(&e->types, &d->types, stage->types, err);
    if (!st)
        st = early_events(e, d, stage, err);
    if (!st)
        st = early_attributes(&e->user_fields, &d->user_fields, stage->users, err);
    if (!st)
        st = early_attributes(&e->item_fields, &d->item_fields, stage->items, err);
    if (!st && !(e->type_weight = mem_new_raw(stage->types, sizeof *e->type_weight, "type weights", err)))
        st = ST_NOMEM;
    if (st) {
        dataset_release(e);
        return st;
    }
    if (stage->types)
        memcpy(e->type_weight, d->type_weight, stage->types * sizeof *e->type_weight);
    e->fingerprint = stage->fingerprint;
    *out = e;
    return ST_OK;
}

/* ---- splits ---- */

static void count_parts(struct split *s, const struct dataset *d)
{
    s->ntrain = s->nvalid = s->ntest = s->nhistory = s->nnone = 0;
    for (size_t e = 0; e < d->events.n; e++) {
        s->ntrain += s->part[e] == PART_TRAIN;
        s->nvalid += s->part[e] == PART_VALID;
        s->ntest += s->part[e] == PART_TEST;
        s->nhistory += s->part[e] == PART_HISTORY;
        s->nnone += s->part[e] == PART_NONE && d->type_weight[d->events.type[e]] > 0;
    }
}

/* Events of one user keep their order, so the old ones are met one after the other. */
static void carry_user(struct split *s, const struct split *old, const struct dataset *from, const struct dataset *to,
                       uint32_t user)
{
    size_t b = from->user_begin[user], b_end = from->user_begin[user + 1];
    uint64_t newest = 0;
    for (size_t e = b; e < b_end; e++)
        newest = from->events.sequence[e] > newest ? from->events.sequence[e] : newest;
    for (size_t e = to->user_begin[user]; e < to->user_begin[user + 1]; e++) {
        size_t at = to->events.sequence[e] > newest ? b_end : b;
        while (at < b_end && from->events.sequence[at] != to->events.sequence[e])
            at++;
        if (at == b_end)
            continue; /* new */
        s->part[e] = old->part[at];
        b = at + 1;
    }
}

enum status split_carry(const struct split *s, const struct dataset *from, const struct dataset *to,
                        struct split **out, struct error *err)
{
    struct split *c = mem_new(1, sizeof *c, "a split", err);
    if (!c)
        return ST_NOMEM;
    *c = *s;
    atomic_init(&c->references, 1);
    split_list_hold(c->spec.list);
    c->part = mem_new(to->events.n, sizeof *c->part, "the parts of a split", err);
    c->held_out = s->held_out ? mem_new(to->users.n, sizeof *c->held_out, "held-out users", err) : NULL;
    if (!c->part || (s->held_out && !c->held_out)) {
        split_release(c);
        return ST_NOMEM;
    }
    uint32_t known = from->users.n < to->users.n ? from->users.n : to->users.n;
    if (s->held_out)
        memcpy(c->held_out, s->held_out, known * sizeof *c->held_out);
    for (uint32_t u = 0; u < known; u++)
        carry_user(c, s, from, to, u);
    count_parts(c, to);
    *out = c;
    return ST_OK;
}
