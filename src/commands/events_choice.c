/* Which events pass the tests of a statement: a scan of columns over the runs of users or over a list of items' events.
 */
#include "commands/events_cursor.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "data/interactions.h"

/* ---- from tests to a scan ---- */

/* A zeroed byte for each code, owned by the cursor. */
static uint8_t *new_set(struct events_cursor *c, size_t n, struct error *err)
{
    if (mem_grow(&c->sets, &c->sets_capacity, c->nsets + 1, sizeof *c->sets, err))
        return NULL;
    uint8_t *set = mem_new(n + 1, 1, "a condition", err);
    if (set)
        c->sets[c->nsets++] = set;
    return set;
}

/* Codes of a dictionary that the test allows: one alone by its code, several as a set. */
static enum status add_codes(struct events_cursor *c, const struct sql_test *t, const struct dict *dict,
                             enum scan_kind kind, const void *column, struct error *err)
{
    uint32_t one = NO_CODE;
    size_t found = 0;
    uint8_t *set = t->ntexts > 1 || kind != SCAN_SET32 ? new_set(c, dict->n, err) : NULL;
    if (!set && (t->ntexts > 1 || kind != SCAN_SET32))
        return ST_NOMEM;
    for (size_t i = 0; i < t->ntexts; i++) {
        uint32_t code = dict_find(dict, t->texts[i].text, t->texts[i].length);
        if (code == NO_CODE)
            continue;
        one = code;
        found++;
        if (set)
            set[code] = 1;
    }
    c->nothing |= found == 0;
    if (found == 1 && kind == SCAN_SET32)
        return scan_add(&c->scan, (struct scan_test){.kind = SCAN_CODE32, .column = column, .code = one}, err);
    return scan_add(&c->scan, (struct scan_test){.kind = kind, .column = column, .chosen = set, .ncodes = dict->n},
                    err);
}

static enum status add_parts(struct events_cursor *c, const struct sql_test *t, struct error *err)
{
    static const struct {
        const char *name;
        enum part part;
    } parts[] = {{"train", PART_TRAIN}, {"valid", PART_VALID}, {"test", PART_TEST}, {"history", PART_HISTORY}};
    uint8_t *set = new_set(c, UINT8_MAX, err);
    if (!set)
        return ST_NOMEM;
    for (size_t i = 0; i < t->ntexts; i++)
        for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
            if (strcmp(t->texts[i].text, parts[k].name) == 0)
                set[parts[k].part] = 1;
    return scan_add(&c->scan, (struct scan_test){.kind = SCAN_SET8, .column = c->pinned->split->part, .chosen = set},
                    err);
}

static enum status add_whole(struct events_cursor *c, const void *column, const struct sql_test *t, struct error *err)
{
    return scan_add(&c->scan, (struct scan_test){.kind = SCAN_WHOLE, .column = column, .low = t->low, .high = t->high},
                    err);
}

static enum status add_field(struct events_cursor *c, const struct field *f, const struct sql_test *t,
                             struct error *err)
{
    switch (f->type) {
    case FIELD_TEXT:
        return add_codes(c, t, &f->levels, SCAN_SET32, f->code, err);
    case FIELD_REAL:
        return scan_add(&c->scan,
                        (struct scan_test){
                            .kind = SCAN_REAL, .column = f->real, .real_low = t->real_low, .real_high = t->real_high},
                        err);
    case FIELD_INT:
    case FIELD_TIME:
        return add_whole(c, f->integer, t, err);
    default:
        return error_set(err, ST_INTERNAL, "a list is compared");
    }
}

static enum status add_test(struct events_cursor *c, const struct sql_test *t, struct error *err)
{
    const struct events *e = &c->data->events;
    size_t first = events_first_field(c->pinned);
    switch (t->column) {
    case EVENT:
    case USER:
        return ST_OK; /* they are the runs */
    case ITEM:
        return add_codes(c, t, &c->data->items, SCAN_SET32, e->item, err);
    case TYPE:
        return add_codes(c, t, &c->data->types, SCAN_SET16, e->type, err);
    case TIME:
        c->nothing |= !e->time;
        return e->time ? add_whole(c, e->time, t, err) : ST_OK;
    case VALUE:
        c->nothing |= !e->value;
        return e->value ? scan_add(&c->scan, scan_single(e->value, t->real_low, t->real_high), err) : ST_OK;
    case SEQUENCE: /* below 2^63 */
        return add_whole(c, e->sequence, t, err);
    default:
        return t->column < first ? add_parts(c, t, err) : add_field(c, &e->context.field[t->column - first], t, err);
    }
}

/* ---- runs ---- */

/* The events of a user that the tests of time and of the number let through. */
static struct run run_of_user(const struct dataset *d, uint32_t user, const struct sql_test *time)
{
    struct run r = {d->user_begin[user], d->user_begin[user + 1]};
    if (time && d->events.time) {
        if (time->low > NO_TIME)
            r.begin = user_end_before(d, user, time->low);
        if (time->high < INT64_MAX)
            r.end = user_end_before(d, user, time->high + 1);
    }
    return r;
}

static enum status push_run(struct events_cursor *c, struct run r, const struct sql_test *number, struct error *err)
{
    int64_t n = (int64_t)c->data->events.n;
    int64_t low = number && number->low > 1 ? number->low : 1, high = number && number->high < n ? number->high : n;
    if (low > high)
        return ST_OK;
    if (r.begin < (size_t)low - 1)
        r.begin = (size_t)low - 1;
    if (r.end > (size_t)high)
        r.end = (size_t)high;
    if (r.begin >= r.end)
        return ST_OK;
    enum status st = mem_grow(&c->runs, &c->runs_capacity, c->nruns + 1, sizeof *c->runs, err);
    if (!st)
        c->runs[c->nruns++] = r;
    return st;
}

static int by_begin(const void *a, const void *b)
{
    size_t x = ((const struct run *)a)->begin, y = ((const struct run *)b)->begin;
    return (x > y) - (x < y);
}

/* Ascending, each once: a user may have been named twice. */
static void order_runs(struct events_cursor *c)
{
    size_t kept = 0;
    if (c->nruns)
        qsort(c->runs, c->nruns, sizeof *c->runs, by_begin);
    for (size_t i = 0; i < c->nruns; i++)
        if (kept == 0 || c->runs[i].begin != c->runs[kept - 1].begin)
            c->runs[kept++] = c->runs[i];
    c->nruns = kept;
}

static enum status choose_runs(struct events_cursor *c, const struct sql_test *tests, size_t n, struct error *err)
{
    const struct dataset *d = c->data;
    const struct sql_test *users = sql_test_of(tests, n, USER), *number = sql_test_of(tests, n, EVENT),
                          *time = sql_test_of(tests, n, TIME);
    enum status st = ST_OK;
    c->nruns = 0;
    if (!users)
        return push_run(c, (struct run){0, d->events.n}, number, err);
    for (size_t i = 0; i < users->ntexts && !st; i++) {
        uint32_t user = dict_find(&d->users, users->texts[i].text, users->texts[i].length);
        if (user != NO_USER)
            st = push_run(c, run_of_user(d, user, time), number, err);
    }
    order_runs(c);
    return st;
}

/* ---- lists ---- */

/* Beyond this share of all events a scan for several items is sooner done than putting their events in order. */
enum { LISTED_AT_MOST = 128 };

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The events of several items, some perhaps named twice, in order. */
static enum status merge_lists(struct events_cursor *c, const struct by_item *by, const struct sql_test *items,
                               struct error *err)
{
    const struct dataset *d = c->data;
    size_t all = 0, n = 0;
    for (size_t i = 0; i < items->ntexts; i++) {
        uint32_t item = dict_find(&d->items, items->texts[i].text, items->texts[i].length);
        all += item == NO_ITEM ? 0 : by->begin[item + 1] - by->begin[item];
    }
    c->listed = all <= d->events.n / LISTED_AT_MOST;
    if (!c->listed || all == 0)
        return ST_OK;
    enum status st = mem_grow(&c->merged, &c->merged_capacity, all, sizeof *c->merged, err);
    if (st)
        return st;
    for (size_t i = 0; i < items->ntexts; i++) {
        uint32_t item = dict_find(&d->items, items->texts[i].text, items->texts[i].length);
        for (size_t k = item == NO_ITEM ? 0 : by->begin[item]; item != NO_ITEM && k < by->begin[item + 1]; k++)
            c->merged[n++] = by->event[k];
    }
    qsort(c->merged, n, sizeof *c->merged, by_number);
    for (size_t i = 0; i < n; i++)
        if (c->nlist == 0 || c->merged[i] != c->merged[c->nlist - 1])
            c->merged[c->nlist++] = c->merged[i];
    c->list = c->merged;
    return ST_OK;
}

/* Cuts the list to the events with numbers that pass. */
static void cut_list(struct events_cursor *c, const struct sql_test *number)
{
    while (number && c->nlist && (int64_t)c->list[0] + 1 < number->low) {
        c->list++;
        c->nlist--;
    }
    while (number && c->nlist && (int64_t)c->list[c->nlist - 1] + 1 > number->high)
        c->nlist--;
}

static enum status choose_list(struct events_cursor *c, const struct sql_test *tests, size_t n, struct error *err)
{
    const struct sql_test *items = sql_test_of(tests, n, ITEM);
    const struct by_item *by = NULL;
    enum status st = ST_OK;
    if (!items || sql_test_of(tests, n, USER)) /* a user's events are fewer */
        return ST_OK;
    st = dataset_by_item(c->pinned->data, &c->pinned->wb->job, &by, err);
    if (st || !by)
        return st;
    if (items->ntexts > 1) {
        st = merge_lists(c, by, items, err);
    } else {
        uint32_t item = dict_find(&c->data->items, items->texts[0].text, items->texts[0].length);
        c->listed = true;
        c->list = item == NO_ITEM ? NULL : by->event + by->begin[item];
        c->nlist = item == NO_ITEM ? 0 : by->begin[item + 1] - by->begin[item];
    }
    cut_list(c, sql_test_of(tests, n, EVENT));
    return st;
}

/* ---- all of them ---- */

void events_nothing(struct events_cursor *c)
{
    for (size_t i = 0; i < c->nsets; i++)
        mem_free(c->sets[i]);
    c->nsets = 0;
    c->scan.n = 0;
    c->nothing = false;
    c->nruns = c->run = c->at = c->nplaces = c->nth = 0;
    c->listed = false;
    c->list = NULL;
    c->nlist = c->nth_listed = 0;
}

enum status events_choose(void *cursor, const struct sql_test *tests, size_t n, uint64_t used, struct error *err)
{
    struct events_cursor *c = cursor;
    enum status st = ST_OK;
    (void)used;
    events_nothing(c);
    st = choose_list(c, tests, n, err);
    const struct sql_test *listed = c->listed ? sql_test_of(tests, n, ITEM) : NULL;
    for (size_t i = 0; i < n && !st; i++)
        if (&tests[i] != listed)
            st = add_test(c, &tests[i], err);
    if (!st && !c->nothing && !c->listed)
        st = choose_runs(c, tests, n, err);
    if (!st && c->pinned->now != NO_TIME && c->data->events.time)
        st = scan_add(
            &c->scan,
            (struct scan_test){
                .kind = SCAN_WHOLE, .column = c->data->events.time, .low = INT64_MIN, .high = c->pinned->now - 1},
            err);
    /* Two different users at once: the second test is none of the runs'. */
    for (size_t i = 0, seen = 0; i < n && !st; i++)
        if (tests[i].column == USER && seen++)
            st = add_codes(c, &tests[i], &c->data->users, SCAN_SET32, c->data->events.user, err);
    if (c->nothing)
        c->nruns = c->nlist = 0;
    c->at = c->nruns ? c->runs[0].begin : 0;
    return st;
}
