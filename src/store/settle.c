/* What was read becomes a data set: nothing is believed that the rest of the program relies on. Sums have told already
 * that the bytes are those once written; this holds even if somebody computed the sums anew. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "store/columns.h"

enum { BLOCK = 1 << 16 };

static enum status damaged(struct error *err, const char *what)
{
    return error_set(err, ST_CORRUPT, "the data set is damaged: %s", what);
}

/* ---- ranges of codes, all blocks at once ---- */

struct range_check {
    const uint32_t *wide; /* one of the two */
    const uint16_t *slim;
    uint32_t below;
    bool missing; /* NO_CODE is fine */
    atomic_bool bad;
};

static void check_block(void *context, size_t i, size_t begin, size_t end)
{
    struct range_check *c = context;
    (void)i;
    bool bad = false;
    for (size_t at = begin; at < end; at++) {
        uint32_t code = c->wide ? c->wide[at] : c->slim[at];
        bad |= code >= c->below && !(c->missing && code == NO_CODE);
    }
    if (bad)
        atomic_store(&c->bad, true);
}

static bool in_range(const uint32_t *wide, const uint16_t *slim, size_t n, uint32_t below, bool missing)
{
    struct range_check c = {.wide = wide, .slim = slim, .below = below, .missing = missing};
    parallel_blocks(n, BLOCK, check_block, &c);
    return !atomic_load(&c.bad);
}

struct order_check {
    const struct events *events;
    atomic_bool bad;
};

/* Strictly ascending by (user, time, sequence)? */
static void check_order(void *context, size_t i, size_t begin, size_t end)
{
    struct order_check *c = context;
    const struct events *e = c->events;
    (void)i;
    bool bad = false;
    for (size_t at = begin ? begin : 1; at < end; at++) {
        int64_t before = e->time ? e->time[at - 1] : 0, now = e->time ? e->time[at] : 0;
        bool later = before < now || (before == now && e->sequence[at - 1] < e->sequence[at]);
        bad |= e->user[at - 1] > e->user[at] || (e->user[at - 1] == e->user[at] && !later);
    }
    if (bad)
        atomic_store(&c->bad, true);
}

/* ---- parts ---- */

/* Counts and capacities of one array's container. */
static enum status adopt_count(const struct column *c, struct error *err)
{
    struct field *f = c->field;
    if (c->dict && strcmp(c->part, "text") == 0) {
        c->dict->nbytes = c->dict->bytes_capacity = c->count;
    } else if (c->dict) {
        if (c->count > NO_CODE)
            return damaged(err, "a dictionary is too long");
        c->dict->n = c->count ? (uint32_t)(c->count - 1) : 0;
        c->dict->start_capacity = c->count;
    } else if (f && strcmp(c->part, "list") == 0) {
        f->list_capacity = c->count;
    } else if (f && strcmp(c->part, "begin") == 0) {
        if (c->count == 0)
            return damaged(err, "a list column has no beginning");
        f->n = f->capacity = c->count - 1;
    } else if (f) {
        f->n = f->capacity = c->count;
    }
    return ST_OK;
}

/* Offsets that never fall, from 0 to `end`; each step at least `step`. */
static bool rising(const size_t *at, size_t n, size_t end, size_t step)
{
    bool good = at[0] == 0 && at[n] == end;
    for (size_t i = 0; i < n && good; i++)
        good = at[i + 1] >= at[i] + step && at[i + 1] <= end;
    return good;
}

static enum status settle_dict(struct dict *d, struct error *err)
{
    if (d->n == 0)
        return d->nbytes == 0 ? ST_OK : damaged(err, "a dictionary has text but no entries");
    bool good = rising(d->start, d->n, d->nbytes, 1);
    for (uint32_t i = 0; i < d->n && good; i++)
        good = d->bytes[d->start[i + 1] - 1] == 0;
    return good ? dict_reindex(d, err) : damaged(err, "a dictionary makes no sense");
}

static enum status settle_fields(struct fields *set, size_t rows, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < set->n && !st; i++) {
        struct field *f = &set->field[i];
        if (f->n != rows)
            return damaged(err, "a field has another number of rows");
        if (f->type == FIELD_TEXT || f->type == FIELD_LIST)
            st = settle_dict(&f->levels, err);
        if (!st && f->type == FIELD_LIST && !rising(f->list_begin, f->n, f->list_capacity, 0))
            st = damaged(err, "a list column makes no sense");
        if (!st && !in_range(f->type == FIELD_LIST ? f->list_code : f->code, NULL,
                             f->type == FIELD_LIST   ? f->list_capacity
                             : f->type == FIELD_TEXT ? f->n
                                                     : 0,
                             f->levels.n, f->type == FIELD_TEXT))
            st = damaged(err, "a field has a value that is not among its levels");
    }
    return st;
}

/* Every array must be there once, but for the optional ones. */
static enum status check_whole(struct dataset *d, const struct columns *c, struct error *err)
{
    struct columns all;
    enum status st = columns_of(d, &all, err);
    for (size_t i = 0; i < all.n && !st; i++) {
        size_t found = 0;
        for (size_t j = 0; j < c->n; j++)
            found += c->column[j].place == all.column[i].place;
        if (found > 1 || (found == 0 && all.column[i].there))
            st = damaged(err, "a column is missing");
    }
    columns_clear(&all);
    return st;
}

static enum status settle_events(struct dataset *d, const struct columns *c, struct error *err)
{
    struct events *e = &d->events;
    for (size_t i = 0; i < c->n; i++) {
        const struct column *x = &c->column[i];
        if (x->owner == OWNER_EVENT && x->count != e->n)
            return damaged(err, "its columns differ in length");
        if (x->place == &d->type_weight && x->count != d->types.n)
            return damaged(err, "its event types have no weights");
    }
    for (uint32_t t = 0; t < d->types.n; t++)
        if (!isfinite(d->type_weight[t]))
            return damaged(err, "a weight is not a number");
    if (!in_range(e->user, NULL, e->n, d->users.n, false) || !in_range(e->item, NULL, e->n, d->items.n, false) ||
        !in_range(NULL, e->type, e->n, d->types.n, false))
        return damaged(err, "an event names a user, item or type that is not there");
    struct order_check order = {.events = e};
    parallel_blocks(e->n, BLOCK, check_order, &order);
    return atomic_load(&order.bad) ? damaged(err, "its events are not in order") : ST_OK;
}

enum status columns_settle(struct dataset *d, const struct columns *c, struct error *err)
{
    enum status st = check_whole(d, c, err);
    for (size_t i = 0; i < c->n && !st; i++)
        st = adopt_count(&c->column[i], err);
    if (!st)
        st = settle_dict(&d->users, err);
    if (!st)
        st = settle_dict(&d->items, err);
    if (!st)
        st = settle_dict(&d->types, err);
    if (!st)
        st = settle_events(d, c, err);
    if (!st)
        st = settle_fields(&d->events.context, d->events.n, err);
    if (!st)
        st = settle_fields(&d->user_fields, d->users.n, err);
    if (!st)
        st = settle_fields(&d->item_fields, d->items.n, err);
    if (st)
        return st;
    d->user_begin = mem_new((size_t)d->users.n + 1, sizeof *d->user_begin, "user starts", err);
    if (!d->user_begin)
        return ST_NOMEM;
    for (size_t i = 0; i < d->events.n; i++)
        d->user_begin[d->events.user[i] + 1]++;
    for (size_t u = 0; u < d->users.n; u++)
        d->user_begin[u + 1] += d->user_begin[u];
    return ST_OK;
}
