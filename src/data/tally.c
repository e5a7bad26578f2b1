#include "data/tally.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"

enum { MOST_GROUPS = 1 << 22, PARTS = 64 };

/* One thread's counts. The events of a user stand together, so a change of user is a new user. */
struct cell {
    uint64_t events;
    uint32_t users, last_user;
};

struct tallying {
    const struct dataset *data;
    const struct scan *scan;
    struct tally *tally;
    size_t begin, end;
    size_t cuts[PARTS + 1];  /* no user lies on both sides of a cut */
    struct cell **cells;     /* a thread's, or NULL when it had nothing to do */
    uint64_t *all;
    uint32_t *code_of_day;   /* WEEK, MONTH, YEAR: from first_day on */
    int64_t first_day;
    struct job *job;
    bool nomem;              /* written by any thread */
};

/* ---- groups of times ---- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t unit_of(enum tally_by by)
{
    return by == TALLY_HOUR ? 3600 * US_PER_SECOND : US_PER_DAY;
}

/* Number of a day's week, month or year. 1970-01-01 was a Thursday. */
static int64_t number_of_day(enum tally_by by, int64_t day)
{
    int64_t year;
    int month, date;
    if (by == TALLY_WEEK)
        return floor_div(day + 3, 7);
    time_civil(day, &year, &month, &date);
    return by == TALLY_YEAR ? year - 1970 : (year - 1970) * 12 + month - 1;
}

int64_t tally_number(enum tally_by by, int64_t time)
{
    return by == TALLY_HOUR || by == TALLY_DAY ? floor_div(time, unit_of(by))
                                               : number_of_day(by, floor_div(time, US_PER_DAY));
}

int64_t tally_moment(enum tally_by by, int64_t n)
{
    switch (by) {
    case TALLY_HOUR:
    case TALLY_DAY:
        return n * unit_of(by);
    case TALLY_WEEK:
        return (n * 7 - 3) * US_PER_DAY;
    case TALLY_MONTH:
        return time_days(1970 + floor_div(n, 12), (int)(n - floor_div(n, 12) * 12) + 1, 1) * US_PER_DAY;
    case TALLY_YEAR:
        return time_days(1970 + n, 1, 1) * US_PER_DAY;
    default:
        return NO_TIME;
    }
}

int64_t tally_time(const struct tally *t, size_t group)
{
    return tally_moment(t->by, t->first + (int64_t)group);
}

static enum status too_many(struct error *err)
{
    error_set(err, ST_UNSUPPORTED, "the values lie too far apart to be counted one by one");
    error_hint(err, "by=year and by=month have fewer groups; a wrong time, far off, is mostly the cause: `audit`");
    return ST_UNSUPPORTED;
}

/* Smallest and largest number, missing ones aside; false when all are missing. */
static bool range_of(const int64_t *column, size_t begin, size_t end, int64_t *low, int64_t *high)
{
    *low = INT64_MAX;
    *high = INT64_MIN;
    for (size_t e = begin; e < end; e++) {
        int64_t x = column[e], seen = x == INT64_MIN ? INT64_MAX : x;
        *low = seen < *low ? seen : *low;
        *high = x > *high ? x : *high;
    }
    return *high != INT64_MIN;
}

static enum status number_times(struct tallying *w, struct error *err)
{
    struct tally *t = w->tally;
    int64_t low, high, unit = unit_of(t->by);
    t->n = 0;
    if (!range_of(w->data->events.time, w->begin, w->end, &low, &high))
        return ST_OK;
    int64_t first = floor_div(low, unit), last = floor_div(high, unit);
    if (last - first >= MOST_GROUPS)
        return too_many(err);
    w->first_day = first;
    t->first = first;
    t->n = (size_t)(last - first) + 1;
    if (t->by == TALLY_HOUR || t->by == TALLY_DAY)
        return ST_OK;
    w->code_of_day = mem_new_raw(t->n, sizeof *w->code_of_day, "days", err);
    if (!w->code_of_day)
        return ST_NOMEM;
    t->first = t->by == TALLY_WEEKDAY ? 0 : number_of_day(t->by, first);
    for (int64_t day = first; day <= last; day++)
        w->code_of_day[day - first] = t->by == TALLY_WEEKDAY ? (uint32_t)(day + 3 - floor_div(day + 3, 7) * 7)
                                                             : (uint32_t)(number_of_day(t->by, day) - t->first);
    t->n = t->by == TALLY_WEEKDAY ? 7 : (size_t)(number_of_day(t->by, last) - t->first) + 1;
    return ST_OK;
}

static enum status number_field(struct tallying *w, struct error *err)
{
    struct tally *t = w->tally;
    int64_t low, high;
    t->n = t->field->levels.n;
    if (t->field->type == FIELD_TEXT)
        return ST_OK;
    t->n = 0;
    if (!range_of(t->field->integer, w->begin, w->end, &low, &high))
        return ST_OK;
    if ((uint64_t)high - (uint64_t)low >= MOST_GROUPS)
        return too_many(err);
    t->first = low;
    t->n = (size_t)(high - low) + 1;
    return ST_OK;
}

static enum status number_groups(struct tallying *w, struct error *err)
{
    const struct dataset *d = w->data;
    switch (w->tally->by) {
    case TALLY_TYPE:
        w->tally->n = d->types.n;
        return ST_OK;
    case TALLY_USER:
        w->tally->n = d->users.n;
        return ST_OK;
    case TALLY_ITEM:
        w->tally->n = d->items.n;
        return ST_OK;
    case TALLY_FIELD:
        return number_field(w, err);
    default:
        return number_times(w, err);
    }
}

/* ---- one pass ---- */

/* The whole units in x: by a double's product, made right where that is off by one. */
static int64_t units_in(int64_t x, int64_t unit, double inverse)
{
    int64_t n = (int64_t)floor((double)x * inverse);
    n += (n + 1) * unit <= x;
    n -= n * unit > x;
    return n;
}

/* Codes of the chosen places of a block; NO_CODE: in no group. */
static void find_codes(const struct tallying *w, size_t begin, const uint16_t *place, size_t n, uint32_t *code)
{
    const struct events *e = &w->data->events;
    const struct tally *t = w->tally;
    switch (t->by) {
    case TALLY_TYPE:
        for (size_t i = 0; i < n; i++)
            code[i] = e->type[begin + place[i]];
        break;
    case TALLY_USER:
    case TALLY_ITEM:
        for (size_t i = 0; i < n; i++)
            code[i] = (t->by == TALLY_USER ? e->user : e->item)[begin + place[i]];
        break;
    case TALLY_FIELD:
        for (size_t i = 0; i < n; i++) {
            size_t row = begin + place[i];
            if (t->field->type == FIELD_TEXT)
                code[i] = t->field->code[row];
            else
                code[i] = t->field->integer[row] == NO_INT ? NO_CODE : (uint32_t)(t->field->integer[row] - t->first);
        }
        break;
    default: {
        int64_t unit = unit_of(t->by);
        double inverse = 1 / (double)unit;
        for (size_t i = 0; i < n; i++) {
            int64_t time = e->time[begin + place[i]];
            code[i] = time == NO_TIME ? NO_CODE : (uint32_t)(units_in(time, unit, inverse) - w->first_day);
        }
        for (size_t i = 0; w->code_of_day && i < n; i++)
            code[i] = code[i] == NO_CODE ? NO_CODE : w->code_of_day[code[i]];
    }
    }
}

static void count_codes(struct cell *cells, const uint32_t *user, const uint16_t *place, const uint32_t *code, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (code[i] == NO_CODE)
            continue;
        struct cell *c = &cells[code[i]];
        uint32_t u = user[place[i]];
        c->events++;
        c->users += c->last_user != u;
        c->last_user = u;
    }
}

static struct cell *cells_of_thread(struct tallying *w)
{
    struct cell **own = &w->cells[parallel_thread()];
    if (!*own && (*own = mem_new(w->tally->n, sizeof **own, "counts", NULL)))
        for (size_t i = 0; i < w->tally->n; i++)
            (*own)[i].last_user = NO_USER;
    return *own;
}

static void tally_part(void *context, size_t part, size_t from, size_t to)
{
    struct tallying *w = context;
    uint16_t place[SCAN_BLOCK];
    uint32_t code[SCAN_BLOCK];
    struct cell *cells = cells_of_thread(w);
    (void)from;
    (void)to;
    if (!cells) {
        __atomic_store_n(&w->nomem, true, __ATOMIC_RELAXED);
        return;
    }
    for (size_t at = w->cuts[part], end = w->cuts[part + 1]; at < end && !job_cancelled(w->job); at += SCAN_BLOCK) {
        size_t n = scan_block(w->scan, at, end - at < SCAN_BLOCK ? end - at : SCAN_BLOCK, place);
        w->all[part] += n;
        find_codes(w, at, place, n, code);
        count_codes(cells, w->data->events.user + at, place, code, n);
    }
}

static void cut_parts(struct tallying *w)
{
    const struct dataset *d = w->data;
    for (size_t i = 0; i <= PARTS; i++) {
        size_t at = w->begin + (w->end - w->begin) / PARTS * i;
        if (i == PARTS)
            at = w->end;
        else if (i > 0 && at < w->end)
            at = d->user_begin[d->events.user[at]]; /* the user's first event, which may lie before the cut of the user
                                                       before */
        w->cuts[i] = at < w->begin ? w->begin : at;
    }
}

static void add_up(struct tallying *w)
{
    struct tally *t = w->tally;
    for (int k = 0; k < parallel_threads(); k++)
        for (size_t i = 0; w->cells[k] && i < t->n; i++) {
            t->groups[i].events += w->cells[k][i].events;
            t->groups[i].users += w->cells[k][i].users;
        }
    for (size_t i = 0; i < PARTS; i++)
        t->all += w->all[i];
}

enum status tally_make(const struct dataset *d, enum tally_by by, const struct field *field, const struct scan *scan,
                       size_t begin, size_t end, struct job *job, struct tally *out, struct error *err)
{
    *out = (struct tally){.by = by, .field = field};
    struct tallying w = {.data = d, .scan = scan, .tally = out, .begin = begin, .end = end, .job = job};
    enum status st = number_groups(&w, err);
    if (!st) {
        w.cells = mem_new((size_t)parallel_threads(), sizeof *w.cells, "counts", err);
        w.all = mem_new(PARTS, sizeof *w.all, "counts", err);
        out->groups = mem_new(out->n, sizeof *out->groups, "counts", err);
        st = w.cells && w.all && out->groups ? ST_OK : ST_NOMEM;
    }
    if (!st) {
        cut_parts(&w);
        parallel_blocks(PARTS, 1, tally_part, &w);
        st = w.nomem ? error_nomem(err, out->n * sizeof(struct cell), "counts") : job_check(job, err);
    }
    if (!st)
        add_up(&w);
    for (int k = 0; w.cells && k < parallel_threads(); k++)
        mem_free(w.cells[k]);
    mem_free(w.cells);
    mem_free(w.all);
    mem_free(w.code_of_day);
    if (st)
        tally_clear(out);
    return st;
}

void tally_clear(struct tally *t)
{
    mem_free(t->groups);
    t->groups = NULL;
}
