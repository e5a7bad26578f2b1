#include "data/shape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "data/interactions.h"
#include "base/parallel.h"
#include "data/copy.h"
#include "data/subset.h"

enum { USER_BLOCK = 512, EVENT_BLOCK = 1 << 16 };

static bool is_feedback(const struct dataset *d, size_t e)
{
    return d->type_weight[d->events.type[e]] > 0;
}

void count_feedback(const struct dataset *d, int64_t until, uint32_t *users, uint32_t *items)
{
    if (users)
        memset(users, 0, d->users.n * sizeof *users);
    if (items)
        memset(items, 0, d->items.n * sizeof *items);
    for (size_t e = 0; e < d->events.n; e++) {
        uint32_t n = is_feedback(d, e) && event_before(d, e, until);
        if (users)
            users[d->events.user[e]] += n;
        if (items)
            items[d->events.item[e]] += n;
    }
}

/* ---- by time, by user ---- */

/* What chooses events, and the choice. */
struct choosing {
    const struct dataset *d;
    int64_t from, until;
    const uint8_t *user; /* keep this one's events? */
    uint8_t *keep;
};

static void choose_by_time(void *context, size_t block, size_t begin, size_t end)
{
    const struct choosing *c = context;
    const int64_t *time = c->d->events.time;
    (void)block;
    for (size_t e = begin; e < end; e++)
        c->keep[e] = time[e] != NO_TIME && (c->from == NO_TIME || time[e] >= c->from) &&
                     (c->until == NO_TIME || time[e] < c->until);
}

static void choose_by_user(void *context, size_t block, size_t begin, size_t end)
{
    const struct choosing *c = context;
    (void)block;
    for (size_t u = begin; u < end; u++)
        memset(c->keep + c->d->user_begin[u], c->user[u], c->d->user_begin[u + 1] - c->d->user_begin[u]);
}

static enum status without_times(const struct dataset *d, const char *what, struct error *err)
{
    error_set(err, ST_STATE, "no event of %s has a time, which %s", d->name, what);
    error_hint(err, "`load ... time=COLUMN` names the column of the time");
    return ST_STATE;
}

enum status shape_between(const struct dataset *d, int64_t from, int64_t until, struct job *job, struct dataset **out,
                          struct error *err)
{
    if (!d->events.time)
        return without_times(d, "a range of dates goes by", err);
    struct choosing c = {
        .d = d, .from = from, .until = until, .keep = mem_new_raw(d->events.n, 1, "a choice of events", err)};
    if (!c.keep)
        return ST_NOMEM;
    parallel_blocks(d->events.n, EVENT_BLOCK, choose_by_time, &c);
    enum status st = dataset_subset(d, c.keep, COLD_STAY, job, out, err);
    mem_free(c.keep);
    return st;
}

static enum status keep_users(const struct dataset *d, const uint8_t *user, enum subset_cold cold, struct job *job,
                              struct dataset **out, struct error *err)
{
    struct choosing c = {.d = d, .user = user, .keep = mem_new_raw(d->events.n, 1, "a choice of events", err)};
    if (!c.keep)
        return ST_NOMEM;
    parallel_blocks(d->users.n, USER_BLOCK, choose_by_user, &c);
    enum status st = dataset_subset(d, c.keep, cold, job, out, err);
    mem_free(c.keep);
    return st;
}

enum status shape_sample_users(const struct dataset *d, double share, uint64_t seed, struct job *job,
                               struct dataset **out, struct error *err)
{
    uint8_t *user = mem_new_raw(d->users.n, 1, "a choice of users", err);
    if (!user)
        return ST_NOMEM;
    for (uint32_t u = 0; u < d->users.n; u++) {
        uint64_t h = hash_bytes(dict_text(&d->users, u), dict_length(&d->users, u), seed ^ UINT64_C(0x73616d706c65));
        user[u] = (double)(h >> 11) * 0x1p-53 < share;
    }
    enum status st = keep_users(d, user, COLD_USERS_GO, job, out, err);
    mem_free(user);
    return st;
}

/* ---- repeats ---- */

/* One event of a user while repeats are looked for. */
struct deed {
    uint64_t key;   /* item and type */
    int64_t time;   /* ONCE only, as is the value; else 0: any */
    uint64_t value; /* its bits */
    uint32_t place; /* in the user's run */
};

struct repeats {
    const struct dataset *d;
    enum repeat_policy policy;
    const int64_t *before; /* what events stand for already; NULL: one each */
    struct deed **scratch; /* one a thread, room for the longest user */
    uint8_t *keep;
    int64_t *stands_for;   /* COUNT only */
};

static int by_key(const void *a, const void *b)
{
    const struct deed *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

static bool is_repeat(const struct deed *a, const struct deed *b)
{
    return a->key == b->key && a->time == b->time && a->value == b->value;
}

/* Event e as a deed; false when nothing repeats it. Numbers that are equal have the same bits but for 0 and -0. */
static bool is_deed(const struct repeats *r, size_t e, struct deed *out)
{
    const struct events *events = &r->d->events;
    out->key = (uint64_t)events->item[e] << 16 | events->type[e];
    if (r->policy != REPEAT_ONCE)
        return is_feedback(r->d, e);
    out->time = events->time[e];
    if (events->value && !isnan(events->value[e])) {
        double value = (double)events->value[e] + 0.0;
        memcpy(&out->value, &value, sizeof out->value);
    } else {
        out->value = UINT64_MAX; /* no number has these bits */
    }
    return out->time != NO_TIME;
}

/* The deeds [0, n) are repeats of one another, oldest first. */
static void settle_repeats(const struct repeats *r, size_t begin, const struct deed *deed, size_t n)
{
    size_t kept = begin + deed[r->policy == REPEAT_FIRST || r->policy == REPEAT_ONCE ? 0 : n - 1].place;
    int64_t all = 0;
    for (size_t i = 0; i < n; i++) {
        size_t e = begin + deed[i].place;
        int64_t stands_for = r->before ? r->before[e] : 1;
        r->keep[e] = e == kept;
        all += stands_for > 1 ? stands_for : 1;
    }
    if (r->stands_for)
        r->stands_for[kept] = all;
}

static void find_repeats(void *context, size_t block, size_t begin, size_t end)
{
    const struct repeats *r = context;
    const struct dataset *d = r->d;
    struct deed *deed = r->scratch[parallel_thread()];
    (void)block;
    for (size_t u = begin; u < end; u++) {
        size_t first = d->user_begin[u], n = 0;
        for (size_t e = first; e < d->user_begin[u + 1]; e++) {
            r->keep[e] = 1;
            if (r->stands_for)
                r->stands_for[e] = 1;
            deed[n] = (struct deed){.place = (uint32_t)(e - first)};
            n += is_deed(r, e, &deed[n]);
        }
        qsort(deed, n, sizeof *deed, by_key);
        for (size_t i = 0, next; i < n; i = next) {
            for (next = i + 1; next < n && is_repeat(&deed[next], &deed[i]);)
                next++;
            settle_repeats(r, first, deed + i, next - i);
        }
    }
}

static size_t longest_run(const struct dataset *d)
{
    size_t longest = 0;
    for (uint32_t u = 0; u < d->users.n; u++)
        if (d->user_begin[u + 1] - d->user_begin[u] > longest)
            longest = d->user_begin[u + 1] - d->user_begin[u];
    return longest;
}

/* Writes what kept events stand for into the column "repeats", which becomes part of the weights. */
static enum status put_repeats(const struct repeats *r, struct dataset *to, struct error *err)
{
    struct field *f = fields_find(&to->events.context, "repeats");
    size_t at = 0;
    enum status st = ST_OK;
    if (f && to->repeats != 1 + (size_t)(f - to->events.context.field)) {
        error_set(err, ST_STATE, "the data has a column \"repeats\" of its own");
        error_hint(err, "`load ... NAME=repeats` gives it another name");
        return ST_STATE;
    }
    if (!f)
        st = fields_add(&to->events.context, "repeats", FIELD_INT, &f, err);
    if (!st && !f->integer)
        st = (f->integer = mem_new_raw(to->events.n, sizeof *f->integer, "a column", err)) ? ST_OK : ST_NOMEM;
    if (st)
        return st;
    f->n = f->capacity = to->events.n;
    /* The order of users may be another one; inside a user it is not. */
    for (uint32_t u = 0; u < to->users.n; u++) {
        uint32_t old = dict_find(&r->d->users, dict_text(&to->users, u), dict_length(&to->users, u));
        for (size_t e = r->d->user_begin[old]; e < r->d->user_begin[old + 1]; e++)
            if (r->keep[e])
                f->integer[at++] = r->stands_for[e];
    }
    to->repeats = 1 + (size_t)(f - to->events.context.field);
    return ST_OK;
}

enum status shape_repeat(const struct dataset *d, enum repeat_policy policy, struct job *job, struct dataset **out,
                         struct error *err)
{
    if (policy == REPEAT_KEEP)
        return dataset_again(d, out, err);
    if (policy == REPEAT_ONCE && !d->events.time)
        return without_times(d, "tells a copy from a repeat", err);
    int threads = parallel_threads();
    size_t longest = longest_run(d);
    struct repeats r = {.d = d, .policy = policy};
    enum status st = ST_NOMEM;
    if (d->repeats)
        r.before = d->events.context.field[d->repeats - 1].integer;
    r.keep = mem_new_raw(d->events.n, 1, "a choice of events", err);
    r.scratch = mem_new((size_t)threads, sizeof *r.scratch, "scratch", err);
    if (!r.keep || !r.scratch)
        goto out;
    if (policy == REPEAT_COUNT &&
        !(r.stands_for = mem_new_raw(d->events.n, sizeof *r.stands_for, "counts of repeats", err)))
        goto out;
    for (int t = 0; t < threads; t++)
        if (!(r.scratch[t] = mem_new_raw(longest, sizeof **r.scratch, "the events of a user", err)))
            goto out;
    parallel_blocks(d->users.n, USER_BLOCK, find_repeats, &r);
    st = dataset_subset(d, r.keep, COLD_STAY, job, out, err);
    if (!st && policy == REPEAT_COUNT && (st = put_repeats(&r, *out, err)))
        dataset_release(*out);
out:
    for (int t = 0; r.scratch && t < threads; t++)
        mem_free(r.scratch[t]);
    mem_free(r.scratch);
    mem_free(r.keep);
    mem_free(r.stands_for);
    return st;
}

/* ---- bots ---- */

struct pacing {
    const struct dataset *d;
    struct pace *pace;
};

static int64_t hour_of(int64_t time)
{
    const int64_t hour = 3600 * US_PER_SECOND;
    return time / hour - (time % hour < 0);
}

static struct pace pace_of(const struct dataset *d, size_t begin, size_t end)
{
    struct pace p = {0};
    const int64_t *time = d->events.time;
    size_t tail = begin, inside = 0; /* the hour that ends at e begins at tail */
    int64_t day = INT64_MIN, last_hour = INT64_MIN;
    uint8_t hours = 0;
    for (size_t e = begin; e < end; e++) {
        if (time[e] == NO_TIME || !is_feedback(d, e))
            continue;
        for (inside++; time[tail] == NO_TIME || !is_feedback(d, tail) || time[e] - time[tail] >= 3600 * US_PER_SECOND;
             tail++)
            inside -= time[tail] != NO_TIME && is_feedback(d, tail);
        int64_t hour = hour_of(time[e]), today = hour / 24 - (hour % 24 < 0);
        hours = today != day ? 1 : (uint8_t)(hours + (hour != last_hour));
        day = today;
        last_hour = hour;
        if (inside > p.busiest_hour)
            p.busiest_hour = (uint32_t)inside;
        if (hours > p.longest_day)
            p.longest_day = hours;
    }
    return p;
}

static void measure_block(void *context, size_t block, size_t begin, size_t end)
{
    const struct pacing *p = context;
    (void)block;
    for (size_t u = begin; u < end; u++)
        p->pace[u] = pace_of(p->d, p->d->user_begin[u], p->d->user_begin[u + 1]);
}

enum status measure_pace(const struct dataset *d, struct pace *pace, struct error *err)
{
    if (!d->events.time)
        return without_times(d, "the pace of a user is measured by", err);
    struct pacing p = {d, pace};
    parallel_blocks(d->users.n, USER_BLOCK, measure_block, &p);
    return ST_OK;
}

enum status shape_drop_bots(const struct dataset *d, uint32_t rate, uint8_t hours, struct job *job, uint32_t *bots,
                            struct dataset **out, struct error *err)
{
    struct pace *pace = mem_new(d->users.n, sizeof *pace, "the pace of users", err);
    uint8_t *user = mem_new_raw(d->users.n, 1, "a choice of users", err);
    enum status st = pace && user ? measure_pace(d, pace, err) : ST_NOMEM;
    *bots = 0;
    for (uint32_t u = 0; u < d->users.n && !st; u++) {
        user[u] = !is_bot(&pace[u], rate, hours);
        *bots += !user[u];
    }
    if (!st)
        st = keep_users(d, user, COLD_STAY, job, out, err);
    mem_free(pace);
    mem_free(user);
    return st;
}
