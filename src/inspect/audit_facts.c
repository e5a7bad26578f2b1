/* Facts of the audit that come from walking every user's run of events once, in parallel.
 *
 * Each thread has a mark for every item: which user it was last seen with, in which types, and that user's last event
 * with it. So pairs, repeats and copies are found without a sort, in time linear in the events. All sums are of whole
 * numbers, so they do not depend on the order in which threads finish. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "inspect/audit_parts.h"

enum { USERS_A_BLOCK = 1024, CHAIN_MOST = 4096, LEAST_INTERVALS = 30 };

struct mark {
    uint32_t user;  /* whose; NO_USER: nobody's yet */
    uint32_t types; /* seen in these, one bit each (type modulo 32) */
    uint32_t twice; /* and more than once in these */
    uint32_t last;  /* of the user's run: the last event with the item */
};

/* What one thread counts. */
struct tally {
    struct mark *marks;   /* items.n */
    uint32_t *before;     /* longest run: the event before with the same item, or NO_ITEM */
    int64_t *intervals;   /* longest run */
    uint64_t *type_events;
    uint64_t pairs, repeats, repeated, feedback, copies, copy_groups, near, ties, tie_groups, unordered;
    char apart[64];       /* neighbours do not share a cache line */
};

struct walk {
    const struct dataset *data;
    struct audit_facts *facts;
    struct job *job;
    bool runs;
    struct tally *tallies;
};

/* ---- one user ---- */

static bool same_value(const struct events *e, size_t a, size_t b)
{
    return !e->value || e->value[a] == e->value[b] || (isnan(e->value[a]) && isnan(e->value[b]));
}

/* Is event i of the run a copy of an earlier one, or nearly? Only events with the same item are looked at. */
static void look_back(const struct events *e, size_t begin, uint32_t i, struct tally *t)
{
    size_t now = begin + i, equal = 0;
    bool first = true;
    if (e->time[now] == NO_TIME)
        return;
    uint32_t steps = 0;
    for (uint32_t j = t->before[i]; j != NO_ITEM && equal < 2 && steps++ < CHAIN_MOST; j = t->before[j]) {
        size_t then = begin + j;
        if (e->time[then] == NO_TIME || e->time[now] - e->time[then] > US_PER_SECOND)
            break;
        if (e->type[then] != e->type[now])
            continue;
        if (e->time[then] != e->time[now]) {
            t->near += first;
            break;
        }
        first = false;
        equal += same_value(e, then, now);
    }
    t->copies += equal > 0;
    t->copy_groups += equal == 1;
}

static void count_events(const struct walk *w, struct tally *t, uint32_t user, size_t begin, size_t end)
{
    const struct dataset *d = w->data;
    const struct events *e = &d->events;
    for (size_t k = begin; k < end; k++) {
        struct mark *m = &t->marks[e->item[k]];
        uint32_t bit = UINT32_C(1) << (e->type[k] & 31), i = (uint32_t)(k - begin);
        bool known = m->user == user, counts = d->type_weight[e->type[k]] > 0;
        if (!known)
            *m = (struct mark){.user = user, .last = NO_ITEM};
        t->pairs += !known;
        t->feedback += counts;
        t->repeats += counts && m->types & bit;
        t->repeated += counts && m->types & bit && !(m->twice & bit);
        m->twice |= m->types & bit;
        t->type_events[e->type[k]]++;
        __atomic_fetch_add(&w->facts->item_events[e->item[k]], 1, __ATOMIC_RELAXED);
        if (w->runs) {
            t->before[i] = m->last;
            if (e->time)
                look_back(e, begin, i, t);
            m->last = i;
        }
        m->types |= bit;
    }
}

static void count_instants(const struct dataset *d, struct tally *t, size_t begin, size_t end)
{
    const struct events *e = &d->events;
    for (size_t k = begin, next; k < end; k = next) {
        size_t n = 0;
        for (next = k; next < end && e->time[next] == e->time[k]; next++)
            n += d->type_weight[e->type[next]] > 0;
        if (n > 1 && e->time[k] != NO_TIME) {
            t->ties += n;
            t->tie_groups++;
        }
        if (k > begin)
            t->unordered += e->sequence[k] < e->sequence[k - 1];
    }
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* How even the intervals are, between events at different times. */
static float regularity(const struct events *e, int64_t *intervals, size_t begin, size_t end)
{
    size_t n = 0;
    if (end - begin <= LEAST_INTERVALS)
        return NAN;
    for (size_t k = begin + 1; k < end; k++)
        if (e->time[k] > e->time[k - 1] && e->time[k - 1] != NO_TIME)
            intervals[n++] = e->time[k] - e->time[k - 1];
    if (n < LEAST_INTERVALS)
        return NAN;
    qsort(intervals, n, sizeof *intervals, by_size);
    int64_t median = intervals[n / 2];
    for (size_t i = 0; i < n; i++)
        intervals[i] = intervals[i] < median ? median - intervals[i] : intervals[i] - median;
    qsort(intervals, n, sizeof *intervals, by_size);
    return (float)((double)intervals[n / 2] / (double)median);
}

static void walk_users(void *context, size_t block, size_t first, size_t last)
{
    struct walk *w = context;
    const struct dataset *d = w->data;
    struct tally *t = &w->tallies[parallel_thread()];
    (void)block;
    if (job_cancelled(w->job))
        return;
    for (size_t u = first; u < last; u++) {
        size_t begin = d->user_begin[u], end = d->user_begin[u + 1];
        count_events(w, t, (uint32_t)u, begin, end);
        if (!w->runs || !d->events.time)
            continue;
        count_instants(d, t, begin, end);
        w->facts->regular[u] = regularity(&d->events, t->intervals, begin, end);
    }
    job_step(w->job, d->user_begin[last] - d->user_begin[first]);
}

/* ---- all users ---- */

static void tallies_free(struct tally *tallies, int n)
{
    for (int i = 0; tallies && i < n; i++) {
        mem_free(tallies[i].marks);
        mem_free(tallies[i].before);
        mem_free(tallies[i].intervals);
        mem_free(tallies[i].type_events);
    }
    mem_free(tallies);
}

static enum status tallies_new(const struct dataset *d, bool runs, int n, struct tally **out, struct error *err)
{
    size_t longest = 1;
    struct tally *all = mem_new((size_t)n, sizeof *all, "the audit", err);
    for (uint32_t u = 0; u < d->users.n; u++)
        longest = user_events(d, u) > longest ? user_events(d, u) : longest;
    for (int i = 0; all && i < n; i++) {
        struct tally *t = &all[i];
        t->marks = mem_new_raw(d->items.n, sizeof *t->marks, "marks of items", err);
        t->type_events = mem_new(d->types.n, sizeof *t->type_events, "counts of types", err);
        if (runs) {
            t->before = mem_new_raw(longest, sizeof *t->before, "a run of events", err);
            t->intervals = mem_new_raw(longest, sizeof *t->intervals, "intervals", err);
        }
        if (!t->marks || !t->type_events || (runs && (!t->before || !t->intervals))) {
            tallies_free(all, n);
            return ST_NOMEM;
        }
        for (uint32_t m = 0; m < d->items.n; m++)
            t->marks[m].user = NO_USER;
    }
    *out = all;
    return all ? ST_OK : ST_NOMEM;
}

static void add_tally(struct audit_facts *f, const struct tally *t, uint32_t types)
{
    f->pairs += t->pairs;
    f->repeats += t->repeats;
    f->repeated += t->repeated;
    f->feedback += t->feedback;
    f->copies += t->copies;
    f->copy_groups += t->copy_groups;
    f->near += t->near;
    f->ties += t->ties;
    f->tie_groups += t->tie_groups;
    f->unordered += t->unordered;
    for (uint32_t i = 0; i < types; i++)
        f->type_events[i] += t->type_events[i];
}

static int by_count(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Median of the positive counts; *known is how many there are, *single how many are 1. Sorts counts[0..n). */
static uint32_t sum_up(uint32_t *counts, size_t n, uint32_t *known, uint32_t *single)
{
    size_t zero = 0, one;
    qsort(counts, n, sizeof *counts, by_count);
    while (zero < n && counts[zero] == 0)
        zero++;
    for (one = zero; one < n && counts[one] == 1;)
        one++;
    *known = (uint32_t)(n - zero);
    *single = (uint32_t)(one - zero);
    return zero < n ? counts[zero + (n - zero) / 2] : 0;
}

static enum status sum_up_counts(const struct dataset *d, struct audit_facts *f, struct error *err)
{
    size_t n = d->users.n > d->items.n ? d->users.n : d->items.n;
    uint32_t *counts = mem_new_raw(n, sizeof *counts, "counts of events", err);
    if (!counts)
        return ST_NOMEM;
    f->largest_user = NO_USER;
    for (uint32_t u = 0; u < d->users.n; u++) {
        counts[u] = (uint32_t)user_events(d, u);
        if (counts[u] && (f->largest_user == NO_USER || counts[u] > user_events(d, f->largest_user)))
            f->largest_user = u;
    }
    f->median_user = sum_up(counts, d->users.n, &f->users, &f->single_users);
    memcpy(counts, f->item_events, d->items.n * sizeof *counts);
    f->median_item = sum_up(counts, d->items.n, &f->items, &f->single_items);
    mem_free(counts);
    return ST_OK;
}

static enum status gather_runs(struct audit *a, bool runs, struct error *err)
{
    const struct dataset *d = a->data;
    struct audit_facts *f = a->facts;
    struct walk w = {.data = d, .facts = f, .job = a->job, .runs = runs};
    int threads = parallel_threads();
    f->item_events = mem_new(d->items.n, sizeof *f->item_events, "events of items", err);
    f->type_events = mem_new(d->types.n, sizeof *f->type_events, "events of types", err);
    f->regular = runs ? mem_new(d->users.n, sizeof *f->regular, "the intervals of users", err) : NULL;
    if (!f->item_events || !f->type_events || (runs && !f->regular))
        return ST_NOMEM;
    enum status st = tallies_new(d, runs, threads, &w.tallies, err);
    if (st)
        return st;
    job_begin(a->job, d->events.n, "events", "audit: users");
    parallel_blocks(d->users.n, USERS_A_BLOCK, walk_users, &w);
    for (int i = 0; i < threads; i++)
        add_tally(f, &w.tallies[i], d->types.n);
    tallies_free(w.tallies, threads);
    st = job_check(a->job, err);
    return st ? st : sum_up_counts(d, f, err);
}

enum status audit_gather(struct audit *a, unsigned needs, struct error *err)
{
    a->facts = mem_new(1, sizeof *a->facts, "facts", err);
    enum status st = a->facts ? ST_OK : ST_NOMEM;
    if (!st && needs & (NEED_COUNTS | NEED_RUNS))
        st = gather_runs(a, needs & NEED_RUNS, err);
    if (!st && needs & NEED_TIMES && a->data->events.time)
        st = audit_gather_times(a, err);
    return st;
}

void audit_facts_free(struct audit_facts *f)
{
    if (!f)
        return;
    mem_free(f->item_events);
    mem_free(f->type_events);
    mem_free(f->regular);
    mem_free(f->times.days);
    mem_free(f);
}
