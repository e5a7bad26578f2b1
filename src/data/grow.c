#include "data/grow.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* ---- runs: where the rows of a grown column come from ---- */

struct run {
    bool late; /* from the batch, else from the base */
    size_t begin, end;
};

struct runs {
    struct run *run;
    size_t n, capacity, rows;
};

static enum status add_run(struct runs *r, bool late, size_t begin, size_t end, struct error *err)
{
    if (begin == end)
        return ST_OK;
    r->rows += end - begin;
    struct run *last = r->n ? &r->run[r->n - 1] : NULL;
    if (last && last->late == late && last->end == begin) {
        last->end = end;
        return ST_OK;
    }
    enum status st = mem_grow(&r->run, &r->capacity, r->n + 1, sizeof *r->run, err);
    if (!st)
        r->run[r->n++] = (struct run){late, begin, end};
    return st;
}

static void clear_runs(struct runs *r)
{
    mem_free(r->run);
    *r = (struct runs){0};
}

/* *out = the rows of base and batch in the order of the runs; a side that is NULL has `missing` everywhere. */
static enum status join_column(void *out, const struct runs *r, const void *base, const void *batch, size_t size,
                               const void *missing, struct error *err)
{
    char *column = mem_new_raw(r->rows, size, "a column", err), *at = column;
    if (!column)
        return ST_NOMEM;
    for (size_t i = 0; i < r->n; i++) {
        const char *from = r->run[i].late ? batch : base;
        size_t rows = r->run[i].end - r->run[i].begin;
        if (from)
            memcpy(at, from + r->run[i].begin * size, rows * size);
        for (size_t k = 0; !from && k < rows; k++)
            memcpy(at + k * size, missing, size);
        at += rows * size;
    }
    memcpy(out, &column, sizeof column);
    return ST_OK;
}

/* ---- ids ---- */

/* to = base and what is new in batch; map[code of the batch] = code of to. */
static enum status join_dict(struct dict *to, const struct dict *base, const struct dict *batch, uint32_t **map,
                             struct error *err)
{
    enum status st = dict_copy(to, base, err);
    *map = mem_new_raw(batch->n, sizeof **map, "a map of ids", err);
    if (!*map)
        return ST_NOMEM;
    for (uint32_t i = 0; i < batch->n && !st; i++)
        st = dict_add(to, dict_text(batch, i), dict_length(batch, i), &(*map)[i], err);
    return st;
}

static enum status map_codes(const uint32_t *codes, size_t n, const uint32_t *map, uint32_t **out, struct error *err)
{
    *out = mem_new_raw(n, sizeof **out, "a column", err);
    if (!*out)
        return ST_NOMEM;
    for (size_t i = 0; i < n; i++)
        (*out)[i] = codes[i] == NO_CODE ? NO_CODE : map[codes[i]];
    return ST_OK;
}

/* ---- fields ---- */

/* The type that holds values of both. */
static enum field_type common_type(enum field_type a, enum field_type b)
{
    if (a == b)
        return a;
    if (a == FIELD_LIST || b == FIELD_LIST)
        return FIELD_LIST;
    bool numbers = (a == FIELD_REAL || a == FIELD_INT) && (b == FIELD_REAL || b == FIELD_INT);
    return numbers ? FIELD_REAL : FIELD_TEXT;
}

/* `out` = the field with another type, one that common_type gave. */
static enum status convert(const struct field *f, enum field_type type, struct fields *out, struct error *err)
{
    struct field *to;
    struct str text = {0};
    enum status st = fields_add(out, f->name, type, &to, err);
    for (size_t row = 0; row < f->n && !st; row++) {
        bool missing = field_missing(f, row);
        str_clear(&text);
        if (type == FIELD_REAL) {
            st = field_push_real(to, missing ? NAN : (double)f->integer[row], err);
            continue;
        }
        field_format(f, row, &text);
        st = text.failed ? error_nomem(err, text.length, "a value")
                         : field_push_text(to, missing ? NULL : str_text(&text), text.length, err);
    }
    str_free(&text);
    return st;
}

static size_t list_end(const struct field *f, const struct run *r)
{
    return f ? f->list_begin[r->end] : 0;
}

static size_t list_start(const struct field *f, const struct run *r)
{
    return f ? f->list_begin[r->begin] : 0;
}

static enum status join_lists(struct field *to, const struct runs *r, const struct field *base,
                              const struct field *batch, const uint32_t *map, struct error *err)
{
    size_t total = 0, row = 0;
    for (size_t i = 0; i < r->n; i++) {
        const struct field *from = r->run[i].late ? batch : base;
        total += list_end(from, &r->run[i]) - list_start(from, &r->run[i]);
    }
    mem_free(to->list_begin);
    to->list_begin = mem_new_raw(r->rows + 1, sizeof *to->list_begin, "a list column", err);
    to->list_code = mem_new_raw(total, sizeof *to->list_code, "a list column", err);
    if (!to->list_begin || !to->list_code)
        return ST_NOMEM;
    to->list_capacity = total;
    to->list_begin[0] = total = 0;
    for (size_t i = 0; i < r->n; i++) {
        const struct field *from = r->run[i].late ? batch : base;
        for (size_t k = r->run[i].begin; k < r->run[i].end; k++) {
            for (size_t l = from ? from->list_begin[k] : 0; from && l < from->list_begin[k + 1]; l++)
                to->list_code[total++] = r->run[i].late ? map[from->list_code[l]] : from->list_code[l];
            to->list_begin[++row] = total;
        }
    }
    return ST_OK;
}

static enum status join_texts(struct field *to, const struct runs *r, const struct field *base,
                              const struct field *batch, const uint32_t *map, struct error *err)
{
    static const uint32_t missing = NO_CODE;
    uint32_t *codes = NULL;
    enum status st = batch ? map_codes(batch->code, batch->n, map, &codes, err) : ST_OK;
    if (!st)
        st = join_column(&to->code, r, base ? base->code : NULL, codes, sizeof *to->code, &missing, err);
    mem_free(codes);
    return st;
}

/* Both sides, where there are two, have the type of `to`, which is empty. */
static enum status join_same(struct field *to, const struct runs *r, const struct field *base,
                             const struct field *batch, struct error *err)
{
    static const double no_real = NAN;
    static const int64_t no_int = NO_INT;
    static const struct dict nothing = {0};
    uint32_t *map = NULL;
    enum status st = ST_OK;
    if (to->type == FIELD_TEXT || to->type == FIELD_LIST)
        st = join_dict(&to->levels, base ? &base->levels : &nothing, batch ? &batch->levels : &nothing, &map, err);
    if (!st && to->type == FIELD_TEXT)
        st = join_texts(to, r, base, batch, map, err);
    else if (!st && to->type == FIELD_LIST)
        st = join_lists(to, r, base, batch, map, err);
    else if (!st && to->type == FIELD_REAL)
        st = join_column(&to->real, r, base ? base->real : NULL, batch ? batch->real : NULL, sizeof *to->real, &no_real,
                         err);
    else if (!st)
        st = join_column(&to->integer, r, base ? base->integer : NULL, batch ? batch->integer : NULL,
                         sizeof *to->integer, &no_int, err);
    mem_free(map);
    if (!st)
        to->n = to->capacity = r->rows;
    return st;
}

/* Appends to `out` the field that base and batch (either may be NULL) have together. */
static enum status join_field(struct fields *out, const struct runs *r, const struct field *base,
                              const struct field *batch, struct error *err)
{
    const struct field *any = base ? base : batch;
    enum field_type type = base && batch ? common_type(base->type, batch->type) : any->type;
    struct fields converted = {0};
    struct field *to;
    enum status st = fields_add(out, any->name, type, &to, err);
    if (!st && base && base->type != type)
        st = convert(base, type, &converted, err);
    if (!st && base && base->type != type)
        base = &converted.field[0];
    else if (!st && batch && batch->type != type && !(st = convert(batch, type, &converted, err)))
        batch = &converted.field[0];
    if (!st && batch && batch->type != type) { /* neither has it: an integer and a moment become text */
        struct fields other = {0};
        st = convert(batch, type, &other, err);
        if (!st)
            st = join_same(to, r, base, &other.field[0], err);
        fields_clear(&other);
    } else if (!st) {
        st = join_same(to, r, base, batch, err);
    }
    fields_clear(&converted);
    return st;
}

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
        st = add_run(r, false, begin, b, err);
        begin = l;
        while (l < l_end && (b == b_end || time_of(&batch->events, l) < time_of(&base->events, b)))
            l++;
        if (!st)
            st = add_run(r, true, begin, l, err);
    }
    return st ? st : add_run(r, false, b, b_end, err);
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
    enum status st = map_codes(e->user, e->n, users, &m->user, err);
    if (!st)
        st = map_codes(e->item, e->n, items, &m->item, err);
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
    enum status st = join_column(&to->user, r, base->user, m->user, sizeof *to->user, NULL, err);
    if (!st)
        st = join_column(&to->item, r, base->item, m->item, sizeof *to->item, NULL, err);
    if (!st)
        st = join_column(&to->sequence, r, base->sequence, m->sequence, sizeof *to->sequence, NULL, err);
    if (!st)
        st = join_column(&to->type, r, base->type, m->type, sizeof *to->type, NULL, err);
    if (!st && (base->time || batch->time))
        st = join_column(&to->time, r, base->time, batch->time, sizeof *to->time, &no_time, err);
    if (!st && (base->value || batch->value))
        st = join_column(&to->value, r, base->value, batch->value, sizeof *to->value, &no_value, err);
    return st;
}

/* Fields of events: the rows are those of the events. */
static enum status join_context(struct fields *to, const struct fields *base, const struct fields *batch,
                                const struct runs *r, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < base->n && !st; i++)
        st = join_field(to, r, &base->field[i], fields_find(batch, base->field[i].name), err);
    for (size_t i = 0; i < batch->n && !st; i++)
        if (!fields_find(base, batch->field[i].name))
            st = join_field(to, r, NULL, &batch->field[i], err);
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
        st = says ? add_run(r, true, from, from + (size_t)1, err) : add_run(r, false, row, row + 1, err);
    }
    return st;
}

static enum status join_attribute(struct fields *to, const struct field *base, const struct field *batch, size_t known,
                                  const uint32_t *late, size_t rows, struct error *err)
{
    struct runs r = {0};
    enum status st = attribute_runs(&r, batch, known, late, rows, err);
    if (!st)
        st = join_field(to, &r, base, batch, err);
    clear_runs(&r);
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
    enum status st = join_dict(&d->users, &base->users, &batch->users, &m->users, err);
    if (!st)
        st = join_dict(&d->items, &base->items, &batch->items, &m->items, err);
    if (!st)
        st = join_dict(&d->types, &base->types, &batch->types, &m->types, err);
    if (!st && d->types.n > (size_t)UINT16_MAX + 1)
        st = error_set(err, ST_FORMAT, "more than 65,536 types of events");
    return st;
}

static enum status join_all(struct dataset *d, const struct dataset *base, const struct dataset *batch, struct error *err)
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
    clear_runs(&r);
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
        st = join_field(to, r, &from->field[i], NULL, err);
    return st;
}

static enum status early_attributes(struct fields *to, const struct fields *from, size_t rows, struct error *err)
{
    struct runs first = {0};
    enum status st = add_run(&first, false, 0, rows, err);
    if (!st)
        st = early_fields(to, from, &first, err);
    clear_runs(&first);
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
                st = add_run(&r, false, i, i + 1, err);
        e->user_begin[u + 1] = r.rows;
    }
    if (!st)
        st = join_events(&e->events, &d->events, &d->events, &none, &r, err);
    if (!st)
        st = early_fields(&e->events.context, &d->events.context, &r, err);
    clear_runs(&r);
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
