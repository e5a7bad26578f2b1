/* Owner and part of every array:
 *
 *   event                user item sequence type, and time and value when the data has them
 *   users items types    text, start (as in struct dict); types also weight
 *   context user item    a field: code (TEXT), real (REAL), integer (INT, TIME), or begin and list (LIST), and for TEXT
 *                        and LIST the text and start of its levels */
#include "store/columns.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

_Static_assert(sizeof(size_t) == 8, "offsets are stored as 64 bits");

static const char *const owner_names[OWNERS] = {"event", "users", "items", "types", "context", "user", "item"};

void columns_clear(struct columns *c)
{
    mem_free(c->column);
    *c = (struct columns){0};
}

void *column_data(const struct column *c)
{
    void *data;
    memcpy(&data, c->place, sizeof data);
    return data;
}

/* ---- the list ---- */

static enum status add(struct columns *out, struct column c, struct error *err)
{
    enum status st = mem_grow(&out->column, &out->capacity, out->n + 1, sizeof *out->column, err);
    if (!st)
        out->column[out->n++] = c;
    return st;
}

static enum status add_dict(struct columns *out, enum owner owner, const char *name, int kind, struct dict *d,
                            struct error *err)
{
    size_t starts = d->n ? (size_t)d->n + 1 : 0;
    struct column text = {owner, name, kind, "text", ELEMENT_U8, &d->bytes, d->nbytes, true, d, NULL};
    struct column start = {owner, name, kind, "start", ELEMENT_U64, &d->start, starts, true, d, NULL};
    enum status st = add(out, text, err);
    return st ? st : add(out, start, err);
}

static enum status add_field(struct columns *out, enum owner owner, struct field *f, struct error *err)
{
    struct column c = {owner, f->name, (int)f->type, "integer", ELEMENT_I64, &f->integer, f->n, true, NULL, f};
    enum status st;
    switch (f->type) {
    case FIELD_REAL:
        c.part = "real";
        c.element = ELEMENT_F64;
        c.place = &f->real;
        break;
    case FIELD_TEXT:
        c.part = "code";
        c.element = ELEMENT_U32;
        c.place = &f->code;
        break;
    case FIELD_LIST:
        c.part = "begin";
        c.element = ELEMENT_U64;
        c.place = &f->list_begin;
        c.count++;
        break;
    case FIELD_INT:
    case FIELD_TIME:
        break;
    }
    st = add(out, c, err);
    if (!st && f->type == FIELD_LIST) {
        c.part = "list";
        c.element = ELEMENT_U32;
        c.place = &f->list_code;
        c.count = f->list_begin[f->n];
        st = add(out, c, err);
    }
    if (!st && (f->type == FIELD_TEXT || f->type == FIELD_LIST))
        st = add_dict(out, owner, f->name, (int)f->type, &f->levels, err);
    return st;
}

static enum status add_fields(struct columns *out, enum owner owner, struct fields *set, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < set->n && !st; i++)
        st = add_field(out, owner, &set->field[i], err);
    return st;
}

enum status columns_of(struct dataset *d, struct columns *out, struct error *err)
{
    struct events *e = &d->events;
    const struct column fixed[] = {
        {OWNER_EVENT, "", -1, "user", ELEMENT_U32, &e->user, e->n, true, NULL, NULL},
        {OWNER_EVENT, "", -1, "item", ELEMENT_U32, &e->item, e->n, true, NULL, NULL},
        {OWNER_EVENT, "", -1, "time", ELEMENT_I64, &e->time, e->n, e->time != NULL, NULL, NULL},
        {OWNER_EVENT, "", -1, "sequence", ELEMENT_U64, &e->sequence, e->n, true, NULL, NULL},
        {OWNER_EVENT, "", -1, "type", ELEMENT_U16, &e->type, e->n, true, NULL, NULL},
        {OWNER_EVENT, "", -1, "value", ELEMENT_F32, &e->value, e->n, e->value != NULL, NULL, NULL},
        {OWNER_TYPES, "", -1, "weight", ELEMENT_F32, &d->type_weight, d->types.n, true, NULL, NULL},
    };
    enum status st = ST_OK;
    *out = (struct columns){0};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed && !st; i++)
        st = add(out, fixed[i], err);
    if (!st)
        st = add_dict(out, OWNER_USERS, "", -1, &d->users, err);
    if (!st)
        st = add_dict(out, OWNER_ITEMS, "", -1, &d->items, err);
    if (!st)
        st = add_dict(out, OWNER_TYPES, "", -1, &d->types, err);
    if (!st)
        st = add_fields(out, OWNER_CONTEXT, &e->context, err);
    if (!st)
        st = add_fields(out, OWNER_USER, &d->user_fields, err);
    if (!st)
        st = add_fields(out, OWNER_ITEM, &d->item_fields, err);
    return st;
}

/* ---- t_columns ---- */

static uint64_t add_to_sum(uint64_t sum, int64_t number, const char *owner, const char *name, int64_t kind,
                           const char *part, int64_t element, int64_t count)
{
    const int64_t numbers[] = {number, kind, element, count};
    sum = hash_bytes(numbers, sizeof numbers, sum);
    sum = hash_bytes(owner, strlen(owner), sum);
    sum = hash_bytes(name, strlen(name), sum);
    return hash_bytes(part, strlen(part), sum);
}

enum status columns_put(sqlite3 *db, int64_t dataset, const struct columns *c, uint64_t *sum, struct error *err)
{
    enum status st = ST_OK;
    int64_t number = 0;
    for (size_t i = 0; i < c->n && !st; i++) {
        const struct column *x = &c->column[i];
        if (!x->there)
            continue;
        st = sql_do(db, err,
                    "INSERT INTO t_columns (dataset, number, owner, name, kind, part, element, count)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    "iittitii", dataset, number, owner_names[x->owner], x->name, (int64_t)x->kind, x->part,
                    (int64_t)x->element, (int64_t)x->count);
        *sum =
            add_to_sum(*sum, number++, owner_names[x->owner], x->name, x->kind, x->part, x->element, (int64_t)x->count);
    }
    return st;
}

static enum status corrupt(struct error *err, const char *what)
{
    return error_set(err, ST_CORRUPT, "the data set is damaged: %s", what);
}

static struct fields *fields_of(struct dataset *d, const char *owner)
{
    if (strcmp(owner, owner_names[OWNER_CONTEXT]) == 0)
        return &d->events.context;
    if (strcmp(owner, owner_names[OWNER_USER]) == 0)
        return &d->user_fields;
    return strcmp(owner, owner_names[OWNER_ITEM]) == 0 ? &d->item_fields : NULL;
}

#define SELECT_COLUMNS                                                                                                 \
    "SELECT number, owner, name, kind, part, element, count FROM t_columns WHERE dataset = ? ORDER BY number"

/* First pass: the fields, so that their places do not move any more, and the sum. */
static enum status get_fields(sqlite3 *db, int64_t dataset, struct dataset *d, uint64_t *sum, struct error *err)
{
    sqlite3_stmt *s;
    enum status st = sql_query(db, &s, err, SELECT_COLUMNS, "i", dataset);
    for (bool row = true; !st && row;) {
        st = sql_step(s, &row, err);
        if (st || !row)
            break;
        const char *owner = sql_text(s, 1), *name = sql_text(s, 2);
        int64_t kind = sqlite3_column_int64(s, 3);
        *sum = add_to_sum(*sum, sqlite3_column_int64(s, 0), owner, name, kind, sql_text(s, 4),
                          sqlite3_column_int64(s, 5), sqlite3_column_int64(s, 6));
        struct fields *set = fields_of(d, owner);
        struct field *f;
        if (set && (kind < FIELD_TEXT || kind > FIELD_TIME))
            st = corrupt(err, "a field has no known type");
        else if (set && (set->n == 0 || strcmp(set->field[set->n - 1].name, name) != 0))
            st = fields_add(set, name, (enum field_type)kind, &f, err);
    }
    sqlite3_finalize(s);
    return st;
}

/* The column of `all` that a row of t_columns speaks of, or NULL. */
static const struct column *find_column(const struct columns *all, sqlite3_stmt *s)
{
    const char *owner = sql_text(s, 1), *name = sql_text(s, 2), *part = sql_text(s, 4);
    for (size_t i = 0; i < all->n; i++) {
        const struct column *c = &all->column[i];
        if (strcmp(owner_names[c->owner], owner) == 0 && strcmp(c->part, part) == 0 && strcmp(c->name, name) == 0 &&
            c->kind == sqlite3_column_int(s, 3) && (int)c->element == sqlite3_column_int(s, 5))
            return c;
    }
    return NULL;
}

static enum status get_columns(sqlite3 *db, int64_t dataset, struct columns *all, struct columns *out,
                               struct error *err)
{
    sqlite3_stmt *s;
    enum status st = sql_query(db, &s, err, SELECT_COLUMNS, "i", dataset);
    for (bool row = true; !st && row;) {
        st = sql_step(s, &row, err);
        if (st || !row)
            break;
        const struct column *known = find_column(all, s);
        int64_t count = sqlite3_column_int64(s, 6);
        if (!known || count < 0 || sqlite3_column_int64(s, 0) != (int64_t)out->n) {
            st = corrupt(err, "one of its columns is not known");
            break;
        }
        struct column c = *known;
        c.count = (size_t)count;
        c.there = true;
        st = add(out, c, err);
    }
    sqlite3_finalize(s);
    return st;
}

enum status columns_get(sqlite3 *db, int64_t dataset, struct dataset *d, struct columns *out, uint64_t *sum,
                        struct error *err)
{
    struct columns all = {0};
    *out = (struct columns){0};
    enum status st = get_fields(db, dataset, d, sum, err);
    if (!st)
        st = columns_of(d, &all, err);
    if (!st)
        st = get_columns(db, dataset, &all, out, err);
    columns_clear(&all);
    return st;
}

enum status column_make_room(struct column *c, struct error *err)
{
    void *data = mem_new_raw(c->count, element_size(c->element), "a column", err);
    if (!data)
        return ST_NOMEM;
    mem_free(column_data(c));
    memcpy(c->place, &data, sizeof data);
    return ST_OK;
}
