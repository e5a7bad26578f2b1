#include "data/split_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum status split_list_new(const char *name, struct split_list **out, struct error *err)
{
    struct split_list *l = mem_new(1, sizeof *l, "a list of test events", err);
    if (!l)
        return ST_NOMEM;
    atomic_init(&l->references, 1);
    l->name = mem_strdup(name, err);
    if (!l->name) {
        mem_free(l);
        return ST_NOMEM;
    }
    *out = l;
    return ST_OK;
}

enum status split_list_add(struct split_list *l, const struct split_row *row, struct error *err)
{
    enum status st = mem_grow(&l->rows, &l->capacity, l->n + 1, sizeof *l->rows, err);
    if (st)
        return st;
    l->rows[l->n++] = *row;
    if (row->fold > l->folds)
        l->folds = row->fold;
    return ST_OK;
}

static int by_row(const void *a, const void *b)
{
    const struct split_row *x = a, *y = b;
    if (x->user != y->user)
        return x->user < y->user ? -1 : 1;
    if (x->item != y->item)
        return x->item < y->item ? -1 : 1;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return (x->fold > y->fold) - (x->fold < y->fold);
}

void split_list_sort(struct split_list *l)
{
    size_t kept = 0;
    uint64_t hash = l->folds;
    if (l->n)
        qsort(l->rows, l->n, sizeof *l->rows, by_row);
    for (size_t i = 0; i < l->n; i++) {
        if (kept && by_row(&l->rows[kept - 1], &l->rows[i]) == 0)
            continue;
        struct split_row r = l->rows[kept++] = l->rows[i];
        int64_t words[4] = {r.user, r.item, r.fold, r.time}; /* a struct has holes */
        hash = hash_bytes(words, sizeof words, hash);
    }
    l->n = kept;
    l->fingerprint = hash;
}

struct split_list *split_list_hold(struct split_list *l)
{
    if (l)
        atomic_fetch_add(&l->references, 1);
    return l;
}

void split_list_release(struct split_list *l)
{
    if (!l || atomic_fetch_sub(&l->references, 1) > 1)
        return;
    mem_free(l->rows);
    mem_free(l->name);
    mem_free(l);
}

/* The first row of the pair, or where it would stand. */
static size_t place(const struct split_list *l, uint32_t user, uint32_t item)
{
    const struct split_row key = {.user = user, .item = item, .time = NO_TIME};
    size_t low = 0, high = l->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_row(&l->rows[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool same_pair(const struct split_row *r, uint32_t user, uint32_t item)
{
    return r->user == user && r->item == item;
}

static bool names(const struct split_row *r, int64_t time)
{
    return r->time == NO_TIME || r->time == time;
}

unsigned split_list_find(const struct split_list *l, uint32_t user, uint32_t item, int64_t time, size_t fold)
{
    unsigned found = 0;
    for (size_t i = place(l, user, item); i < l->n && same_pair(&l->rows[i], user, item); i++)
        if (names(&l->rows[i], time))
            found |= l->rows[i].fold == fold ? LIST_TESTED : l->rows[i].fold == 0 ? LIST_VALID : 0U;
    return found;
}

static int64_t time_of(const struct dataset *d, size_t e)
{
    return d->events.time ? d->events.time[e] : NO_TIME;
}

static bool named(const struct split_list *l, const struct dataset *d, uint32_t user, size_t e)
{
    uint32_t item = d->events.item[e];
    for (size_t i = place(l, user, item); i < l->n && same_pair(&l->rows[i], user, item); i++)
        if (names(&l->rows[i], time_of(d, e)))
            return true;
    return false;
}

static bool names_any(const struct split_row *r, const struct dataset *d)
{
    if (r->user >= d->users.n)
        return false;
    for (size_t e = d->user_begin[r->user]; e < d->user_begin[r->user + 1]; e++)
        if (d->events.item[e] == r->item && names(r, time_of(d, e)))
            return true;
    return false;
}

void split_list_match(const struct split_list *l, const struct dataset *d, size_t *events, size_t *strangers)
{
    *events = *strangers = 0;
    for (uint32_t u = 0; u < d->users.n; u++)
        for (size_t e = d->user_begin[u]; e < d->user_begin[u + 1]; e++)
            *events += named(l, d, u, e);
    for (size_t i = 0; i < l->n; i++)
        *strangers += !names_any(&l->rows[i], d);
}

/* ---- kept: the name, a zero byte, the number of folds and of rows, then each row as numbers of 7 bits a byte, low
 * ones first. A row is its user less the one before, item, fold, and 0 or 1 + twice its time, with the sign turned
 * about. ---- */

static void put(struct str *out, uint64_t x)
{
    for (; x >= 0x80; x >>= 7)
        str_putc(out, (char)(x | 0x80));
    str_putc(out, (char)x);
}

static bool take(const char **at, const char *end, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        uint8_t byte = (uint8_t)*(*at)++;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

/* Times lie within 2^62 microseconds of 1970 (base/clock.h), which leaves room for the 1. */
static uint64_t fold_time(int64_t t)
{
    return t == NO_TIME ? 0 : 1 + (t < 0 ? ~((uint64_t)t << 1) : (uint64_t)t << 1);
}

static int64_t unfold_time(uint64_t x)
{
    if (!x)
        return NO_TIME;
    x--;
    return (int64_t)(x & 1 ? ~(x >> 1) : x >> 1);
}

void split_list_write(const struct split_list *l, struct str *out)
{
    uint32_t user = 0;
    str_append(out, l->name, strlen(l->name) + 1);
    put(out, l->folds);
    put(out, l->n);
    for (size_t i = 0; i < l->n; i++) {
        const struct split_row *r = &l->rows[i];
        put(out, r->user - user);
        put(out, r->item);
        put(out, r->fold);
        put(out, fold_time(r->time));
        user = r->user;
    }
}

static enum status unreadable(struct error *err)
{
    return error_set(err, ST_CORRUPT, "the kept list of test events cannot be read");
}

static enum status read_rows(const char *at, const char *end, struct split_list *l, struct error *err)
{
    uint64_t folds, n, user = 0, step, item, fold, time;
    enum status st = ST_OK;
    if (!take(&at, end, &folds) || !take(&at, end, &n))
        return unreadable(err);
    for (; n && !st; n--) {
        if (!take(&at, end, &step) || !take(&at, end, &item) || !take(&at, end, &fold) || !take(&at, end, &time) ||
            step > UINT32_MAX - user || item > UINT32_MAX || fold > folds)
            return unreadable(err);
        user += step;
        st = split_list_add(l, &(struct split_row){(uint32_t)user, (uint32_t)item, (uint32_t)fold, unfold_time(time)},
                            err);
    }
    l->folds = folds;
    return st || at == end ? st : unreadable(err);
}

enum status split_list_read(const char *bytes, size_t n, struct split_list **out, struct error *err)
{
    struct split_list *l = NULL;
    const char *name_end = memchr(bytes, 0, n);
    if (!name_end)
        return unreadable(err);
    enum status st = split_list_new(bytes, &l, err);
    if (!st)
        st = read_rows(name_end + 1, bytes + n, l, err);
    if (st) {
        split_list_release(l);
        return st;
    }
    split_list_sort(l);
    *out = l;
    return ST_OK;
}
