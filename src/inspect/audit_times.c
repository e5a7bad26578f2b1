/* Facts of the audit about times: a few parallel passes over the column. */
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "inspect/audit_parts.h"

enum { EVENTS_A_BLOCK = 1 << 16, BUCKETS = 1 << 22, CANDIDATES = 128 };

#define HOUR (INT64_C(3600) * US_PER_SECOND)
#define EPOCH_1971 (INT64_C(365) * US_PER_DAY)

/* What one thread counts; the last cache line keeps neighbours apart. */
struct time_tally {
    struct time_facts facts;
    char apart[64];
};

struct time_walk {
    const struct dataset *data;
    struct audit *audit;
    struct time_facts *all;
    struct time_tally *tallies;
    int64_t width;           /* of a bucket */
    uint32_t *buckets;
    const int32_t *candidate; /* of a bucket: which one it is, or -1 */
    uint32_t *seconds;       /* of the candidates, width / 1 s each */
};

static bool is_usual(const struct time_walk *w, int64_t t)
{
    return t >= EPOCH_1971 && t <= w->audit->now + US_PER_DAY;
}

static void classify(void *context, size_t block, size_t begin, size_t end)
{
    const struct time_walk *w = context;
    struct time_facts *f = &w->tallies[parallel_thread()].facts;
    (void)block;
    if (job_cancelled(w->audit->job))
        return;
    for (size_t e = begin; e < end; e++) {
        int64_t t = w->data->events.time[e];
        if (t == NO_TIME) {
            f->untimed++;
            continue;
        }
        f->timed++;
        f->oldest = t < f->oldest ? t : f->oldest;
        f->newest = t > f->newest ? t : f->newest;
        if (!is_usual(w, t)) {
            f->ancient += t < 0;
            f->epoch += t >= 0 && t < US_PER_DAY;
            f->year_1970 += t >= US_PER_DAY && t < EPOCH_1971;
            f->future += t >= EPOCH_1971;
            continue;
        }
        f->usual++;
        f->midnight += t % US_PER_DAY == 0;
        f->whole_minute += t % (60 * US_PER_SECOND) == 0;
        f->whole_second += t % US_PER_SECOND == 0;
    }
    job_step(w->audit->job, end - begin);
}

/* A user's events lie together in order of time. */
static bool is_first_of_day(const struct dataset *d, size_t e)
{
    return e == 0 || d->events.user[e - 1] != d->events.user[e] ||
           d->events.time[e - 1] / US_PER_DAY != d->events.time[e] / US_PER_DAY;
}

/* Days and hours, once the range is known. */
static void sort_into(void *context, size_t block, size_t begin, size_t end)
{
    const struct time_walk *w = context;
    struct time_facts *f = &w->tallies[parallel_thread()].facts, *all = w->all;
    int64_t start = all->first_day * US_PER_DAY;
    (void)block;
    if (job_cancelled(w->audit->job))
        return;
    for (size_t e = begin; e < end; e++) {
        int64_t t = w->data->events.time[e];
        if (t == NO_TIME || !is_usual(w, t))
            continue;
        size_t day = (size_t)((t - start) / US_PER_DAY);
        int hour = (int)(t % US_PER_DAY / HOUR);
        if (is_first_of_day(w->data, e))
            __atomic_fetch_add(&all->days[day], 1, __ATOMIC_RELAXED);
        f->hours[day * SLICES / all->ndays][hour]++;
        if (w->data->events.type[e] < TYPES_CLOCKED)
            f->type_hours[w->data->events.type[e]][hour]++;
        __atomic_fetch_add(&w->buckets[(t - start) / w->width], 1, __ATOMIC_RELAXED);
    }
    job_step(w->audit->job, end - begin);
}

/* Seconds, in the buckets that might hold a busy one. */
static void count_seconds(void *context, size_t block, size_t begin, size_t end)
{
    const struct time_walk *w = context;
    int64_t start = w->all->first_day * US_PER_DAY, a_bucket = w->width / US_PER_SECOND;
    (void)block;
    for (size_t e = begin; e < end; e++) {
        int64_t t = w->data->events.time[e];
        if (t == NO_TIME || !is_usual(w, t))
            continue;
        int64_t bucket = (t - start) / w->width;
        if (w->candidate[bucket] >= 0)
            __atomic_fetch_add(&w->seconds[w->candidate[bucket] * a_bucket + (t - start) % w->width / US_PER_SECOND], 1,
                               __ATOMIC_RELAXED);
    }
}

static void merge_ranges(struct time_facts *all, const struct time_facts *f)
{
    all->timed += f->timed;
    all->untimed += f->untimed;
    all->future += f->future;
    all->epoch += f->epoch;
    all->year_1970 += f->year_1970;
    all->ancient += f->ancient;
    all->midnight += f->midnight;
    all->whole_minute += f->whole_minute;
    all->whole_second += f->whole_second;
    all->usual += f->usual;
    all->oldest = f->timed && f->oldest < all->oldest ? f->oldest : all->oldest;
    all->newest = f->timed && f->newest > all->newest ? f->newest : all->newest;
}

static void merge_hours(struct time_facts *all, const struct time_facts *f)
{
    for (int h = 0; h < 24; h++) {
        for (int s = 0; s < SLICES; s++)
            all->hours[s][h] += f->hours[s][h];
        for (int k = 0; k < TYPES_CLOCKED; k++)
            all->type_hours[k][h] += f->type_hours[k][h];
    }
}

static uint64_t users_of_second(const struct dataset *d, int64_t second)
{
    uint64_t users = 0;
    uint32_t last = NO_USER;
    for (size_t e = 0; e < d->events.n; e++) {
        int64_t t = d->events.time[e];
        if (t < second || t >= second + US_PER_SECOND || d->events.user[e] == last)
            continue;
        last = d->events.user[e];
        users++;
    }
    return users;
}

/* The busiest second, exactly: it can only lie in a bucket that has as many events as the bar asks for. */
static enum status find_busiest(struct time_walk *w, size_t nbuckets, struct error *err)
{
    struct time_facts *all = w->all;
    uint64_t bar = all->usual / CANDIDATES + 1;
    size_t a_bucket = (size_t)(w->width / US_PER_SECOND), n = 0;
    int64_t start = all->first_day * US_PER_DAY;
    int32_t *candidate = mem_new_raw(nbuckets, sizeof *candidate, "buckets of time", err);
    int64_t begins[CANDIDATES];
    if (!candidate)
        return ST_NOMEM;
    for (size_t i = 0; i < nbuckets; i++) {
        candidate[i] = w->buckets[i] >= bar && n < CANDIDATES ? (int32_t)n : -1;
        if (candidate[i] >= 0)
            begins[n++] = start + (int64_t)i * w->width;
    }
    w->candidate = candidate;
    w->seconds = mem_new(n * a_bucket, sizeof *w->seconds, "seconds", err);
    enum status st = w->seconds ? ST_OK : ST_NOMEM;
    if (!st && n)
        parallel_blocks(w->data->events.n, EVENTS_A_BLOCK, count_seconds, w);
    for (size_t i = 0; !st && i < n * a_bucket; i++) {
        if (w->seconds[i] <= all->busiest_events)
            continue;
        all->busiest_events = w->seconds[i];
        all->busiest = begins[i / a_bucket] + (int64_t)(i % a_bucket) * US_PER_SECOND;
    }
    if (!st && all->busiest_events)
        all->busiest_users = users_of_second(w->data, all->busiest);
    mem_free(w->seconds);
    mem_free(candidate);
    return st;
}

/* Oldest and newest of the usual range: the ends of the histogram. */
static bool usual_range(const struct time_walk *w, int64_t *oldest, int64_t *newest)
{
    const struct events *e = &w->data->events;
    *oldest = INT64_MAX;
    *newest = INT64_MIN;
    if (is_usual(w, w->all->oldest) && is_usual(w, w->all->newest)) {
        *oldest = w->all->oldest;
        *newest = w->all->newest;
        return true;
    }
    for (size_t i = 0; i < e->n; i++) {
        if (e->time[i] == NO_TIME || !is_usual(w, e->time[i]))
            continue;
        *oldest = e->time[i] < *oldest ? e->time[i] : *oldest;
        *newest = e->time[i] > *newest ? e->time[i] : *newest;
    }
    return *newest >= *oldest;
}

static enum status gather_histograms(struct time_walk *w, struct error *err)
{
    struct time_facts *all = w->all;
    int64_t oldest, newest;
    if (!usual_range(w, &oldest, &newest))
        return ST_OK;
    all->first_day = oldest / US_PER_DAY;
    all->ndays = (size_t)(newest / US_PER_DAY - all->first_day + 1);
    int64_t seconds = (int64_t)all->ndays * 86400, a_bucket = (seconds + BUCKETS - 1) / BUCKETS;
    size_t nbuckets = (size_t)((seconds + a_bucket - 1) / a_bucket);
    w->width = a_bucket * US_PER_SECOND;
    all->days = mem_new(all->ndays, sizeof *all->days, "users a day", err);
    w->buckets = mem_new(nbuckets, sizeof *w->buckets, "buckets of time", err);
    enum status st = all->days && w->buckets ? ST_OK : ST_NOMEM;
    if (!st) {
        job_begin(w->audit->job, w->data->events.n, "events", "audit: days and hours");
        parallel_blocks(w->data->events.n, EVENTS_A_BLOCK, sort_into, w);
        st = job_check(w->audit->job, err);
    }
    for (int i = 0; !st && i < parallel_threads(); i++)
        merge_hours(all, &w->tallies[i].facts);
    if (!st)
        st = find_busiest(w, nbuckets, err);
    mem_free(w->buckets);
    return st;
}

enum status audit_gather_times(struct audit *a, struct error *err)
{
    struct time_walk w = {.data = a->data, .audit = a, .all = &a->facts->times};
    int threads = parallel_threads();
    w.tallies = mem_new((size_t)threads, sizeof *w.tallies, "facts about times", err);
    if (!w.tallies)
        return ST_NOMEM;
    w.all->oldest = INT64_MAX;
    w.all->newest = INT64_MIN;
    for (int i = 0; i < threads; i++) {
        w.tallies[i].facts.oldest = INT64_MAX;
        w.tallies[i].facts.newest = INT64_MIN;
    }
    job_begin(a->job, a->data->events.n, "events", "audit: times");
    parallel_blocks(a->data->events.n, EVENTS_A_BLOCK, classify, &w);
    enum status st = job_check(a->job, err);
    for (int i = 0; !st && i < threads; i++)
        merge_ranges(w.all, &w.tallies[i].facts);
    if (!st && w.all->usual)
        st = gather_histograms(&w, err);
    mem_free(w.tallies);
    return st;
}
