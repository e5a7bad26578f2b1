/* Segments that are not attributes: of users by what is known of them, of items by how popular they are. */
#include "eval/cohorts_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "eval/facts.h"

const char *const cohorts_built_in[] = {"history_length", "recency", "taste", "cold", NULL};

/* ---- what is known of a user ---- */

/* Calls for each event of the user's history would be much for little: callers loop over these. */
static bool known(const struct asking *a, uint32_t user, size_t e)
{
    return a->selection ? selection_has(a->selection, e) : (a->s->part[e] & split_history(a->s, user, a->on)) != 0;
}

static double history_length(const struct asking *a, uint32_t user)
{
    size_t n = 0;
    for (size_t e = a->d->user_begin[user]; e < a->d->user_begin[user + 1]; e++)
        n += known(a, user, e);
    return (double)n;
}

/* From the last known event to the moment of asking: the cut when there is one for all, else the first event judged.
 * Seconds; NaN where nothing is known or has a time. */
static double recency(const struct asking *a, uint32_t user)
{
    const int64_t *time = a->d->events.time;
    int64_t last = NO_TIME,
            moment = a->selection         ? a->selection->until
                     : a->on == PART_TEST ? a->s->test_from
                                          : a->s->valid_from,
            oldest;
    if (moment == NO_TIME && a->selection)
        dataset_time_range(a->d, &oldest, &moment);
    for (size_t e = a->d->user_begin[user]; e < a->d->user_begin[user + 1]; e++) {
        if (known(a, user, e) && time[e] != NO_TIME && (last == NO_TIME || time[e] > last))
            last = time[e];
        if (moment == NO_TIME && a->s && a->s->part[e] == a->on)
            moment = time[e];
    }
    return last == NO_TIME || moment == NO_TIME ? NAN : (double)(moment - last) / 1e6;
}

/* popular[item]: among the fifth of the items with the most train events. */
static enum status find_popular(const struct asking *a, uint8_t *popular, struct error *err)
{
    size_t items = a->d->items.n, most = 0, left = items / 5;
    uint32_t *count = mem_new(items, sizeof *count, "counts of items", err);
    if (!count)
        return ST_NOMEM;
    for (size_t e = 0; e < a->d->events.n; e++)
        if ((a->selection ? selection_has(a->selection, e) : a->s->part[e] == PART_TRAIN) &&
            ++count[a->d->events.item[e]] > most)
            most = count[a->d->events.item[e]];
    size_t *with = mem_new(most + 2, sizeof *with, "counts of items", err);
    for (size_t i = 0; i < items && with; i++)
        with[count[i]]++;
    size_t least = most;
    for (; with && least > 0 && with[least] <= left; least--)
        left -= with[least];
    for (size_t i = 0; i < items && with; i++) /* of those as popular as the last one, the first */
        popular[i] = count[i] > least || (count[i] == least && left && left--);
    mem_free(count);
    mem_free(with);
    return with ? ST_OK : ST_NOMEM;
}

static double popular_share(const struct asking *a, uint32_t user, const uint8_t *popular)
{
    size_t n = 0, head = 0;
    for (size_t e = a->d->user_begin[user]; e < a->d->user_begin[user + 1]; e++) {
        if (known(a, user, e)) {
            n++;
            head += popular[a->d->events.item[e]];
        }
    }
    return n ? (double)head / (double)n : NAN;
}

/* ---- built in ---- */

static enum status by_history(const struct asking *a, double *x, struct cohorts *s, struct error *err)
{
    static const double bound[] = {1, 5, 10, 20, 50, 100, 200, 500, 1000};
    static const char *const names[] = {"1-4",     "5-9",     "10-19",   "20-49",       "50-99",
                                        "100-199", "200-499", "500-999", "1000 or more"};
    for (size_t u = 0; u < a->n; u++)
        x[u] = history_length(a, asking_row(a, u));
    enum status st = cohorts_add_all(s, names, sizeof bound / sizeof *bound, "none", err);
    return st ? st : cohorts_deal(s, x, a->n, bound, sizeof bound / sizeof *bound, NULL, err);
}

static enum status by_recency(const struct asking *a, double *x, struct cohorts *s, struct error *err)
{
    enum { HOUR = 3600, DAY = 24 * HOUR };
    static const double bound[] = {-INFINITY, HOUR, DAY, 7 * DAY, 30 * DAY, 90 * DAY, 365 * DAY};
    static const char *const names[] = {"under 1h",   "1h to 1d",  "1d to 7d",  "7d to 30d",
                                        "30d to 90d", "90d to 1y", "1y or more"};
    if (!a->d->events.time)
        return error_set(err, ST_STATE, "by=recency: no event has a time");
    for (size_t u = 0; u < a->n; u++)
        x[u] = recency(a, asking_row(a, u));
    enum status st = cohorts_add_all(s, names, sizeof bound / sizeof *bound, "unknown", err);
    return st ? st : cohorts_deal(s, x, a->n, bound, sizeof bound / sizeof *bound, a->counted, err);
}

static enum status by_taste(const struct asking *a, double *x, struct cohorts *s, struct error *err)
{
    static const char *const names[] = {"niche", "mixed", "mainstream"};
    size_t n = a->n, some = 0;
    uint8_t *popular = mem_new(a->d->items.n, sizeof *popular, "popular items", err);
    double *sorted = mem_new_raw(n, sizeof *sorted, "tastes", err);
    enum status st = popular && sorted ? find_popular(a, popular, err) : ST_NOMEM;
    for (size_t u = 0; u < n && !st; u++) {
        x[u] = popular_share(a, asking_row(a, u), popular);
        if (!isnan(x[u]))
            sorted[some++] = x[u];
    }
    if (!st) {
        qsort(sorted, some, sizeof *sorted, number_order);
        double low = some ? sorted[some / 5] : 0, high = some ? sorted[some - 1 - some / 5] : 0;
        bool same = low == high; /* then those are mixed */
        double bound[] = {-INFINITY, same ? low : nextafter(low, INFINITY), same ? nextafter(high, INFINITY) : high};
        st = cohorts_add_all(s, names, 3, "unknown", err);
        if (!st)
            st = cohorts_deal(s, x, n, bound, 3, a->counted, err);
    }
    mem_free(popular);
    mem_free(sorted);
    return st;
}

static enum status by_cold(const struct asking *a, double *x, struct cohorts *s, struct error *err)
{
    static const double bound[] = {1};
    static const char *const names[] = {"warm"};
    for (size_t u = 0; u < a->n; u++)
        x[u] = asking_counts(a, u) != 0;
    enum status st = cohorts_add_all(s, names, 1, "cold", err);
    return st ? st : cohorts_deal(s, x, a->n, bound, 1, NULL, err);
}

enum status cohorts_by_built_in(const struct asking *a, const char *by, struct cohorts *s, struct error *err)
{
    static enum status (*const make[])(const struct asking *, double *, struct cohorts *,
                                       struct error *) = {by_history, by_recency, by_taste, by_cold};
    double *x = mem_new_raw(a->n, sizeof *x, "segments", err);
    enum status st = x ? ST_OK : ST_NOMEM;
    for (size_t i = 0; cohorts_built_in[i] && !st; i++)
        if (strcmp(by, cohorts_built_in[i]) == 0)
            st = make[i](a, x, s, err);
    mem_free(x);
    return st;
}

/* ---- items ---- */

/* The tail is that of item_facts; the head is what has the first fifth of all pairs, as the tail has the last one. */
enum status cohorts_by_popularity(struct dataset *d, const struct split *s, const struct protocol *p,
                                  struct cohorts *out, struct error *err)
{
    static const char *const names[] = {"head", "mid", "tail"};
    static const double bound[] = {0, 1, 2};
    struct item_facts *f = NULL;
    size_t n = d->items.n;
    double all = 0, before = 0, *x = mem_new_raw(n, sizeof *x, "popularity", err);
    uint32_t *order = mem_new_raw(n, sizeof *order, "popularity", err);
    enum status st = x && order ? item_facts_new(d, s, p, &f, err) : ST_NOMEM;
    for (uint32_t i = 0; i < n && !st; i++) {
        order[f->place[i]] = i;
        all += f->popularity[i];
    }
    for (size_t r = 0; r < n && !st; r++) { /* 0, 1, 2: in which the item begins */
        uint32_t i = order[r];
        x[i] = f->tail[i] ? 2 : before >= (1 - FACTS_HEAD_SHARE) * all ? 1 : 0;
        before += f->popularity[i];
    }
    if (!st)
        st = cohorts_add_all(out, names, 3, "unknown", err);
    if (!st)
        st = cohorts_deal(out, x, n, bound, 3, NULL, err);
    item_facts_free(f);
    mem_free(order);
    mem_free(x);
    return st;
}
