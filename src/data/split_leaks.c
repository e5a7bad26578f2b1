/* What a split lets through: events that a model learns from or is told although they come after what it is judged by.
 */
#include <math.h>

#include "base/mem.h"
#include "data/split_rule.h"

static int64_t time_of(const struct dataset *d, size_t e)
{
    return d->events.time ? d->events.time[e] : NO_TIME;
}

static bool test_event(const struct dataset *d, const struct split *s, size_t e)
{
    return s->part[e] == PART_TEST && carve_counts(d, e);
}

/* One user: what is known of them beside and after the first event they are tested by. */
static void look_at_user(const struct dataset *d, const struct split *s, uint32_t u, struct split_leaks *out)
{
    size_t e = d->user_begin[u], end = d->user_begin[u + 1], late = out->late_events;
    unsigned known = split_history(s, u, PART_TEST);
    while (e < end && !test_event(d, s, e))
        e++;
    if (e == end)
        return;
    int64_t first = time_of(d, e);
    out->past_users += first != NO_TIME && first < out->last_train;
    /* The run is in the order of time: what shares the instant may stand before or behind the test event. */
    for (size_t i = e; i > d->user_begin[u] && first != NO_TIME && time_of(d, i - 1) == first; i--)
        out->tied_events += (s->part[i - 1] & known) != 0;
    for (; e < end; e++) {
        if (!(s->part[e] & known))
            continue;
        if (first != NO_TIME && time_of(d, e) == first)
            out->tied_events++;
        else
            out->late_events++;
    }
    out->late_users += out->late_events > late;
}

/* Distinct items of the user's test part, and how many of them the history holds. mark: per item, 2 u + 1 known, 2 u +
 * 2 counted; the marks of users before are smaller. */
static void look_at_pairs(const struct dataset *d, const struct split *s, uint32_t u, uint64_t *mark,
                          struct split_leaks *out)
{
    unsigned known = split_history(s, u, PART_TEST);
    uint64_t seen = 2 * (uint64_t)u + 1;
    size_t begin = d->user_begin[u], end = d->user_begin[u + 1];
    for (size_t e = begin; e < end; e++)
        if (s->part[e] & known)
            mark[d->events.item[e]] = seen;
    for (size_t e = begin; e < end; e++) {
        uint64_t *m = &mark[d->events.item[e]];
        if (!test_event(d, s, e) || *m == seen + 1)
            continue;
        out->pairs++;
        out->known_pairs += *m == seen;
        *m = seen + 1;
    }
}

enum status split_leaks_find(const struct dataset *d, const struct split *s, struct split_leaks *out, struct error *err)
{
    int64_t oldest, newest;
    *out = (struct split_leaks){.timed = d->events.time && dataset_time_range(d, &oldest, &newest),
                                .first_test = NO_TIME,
                                .last_train = NO_TIME};
    uint64_t *mark = mem_new(d->items.n, sizeof *mark, "item marks", err);
    if (!mark)
        return ST_NOMEM;
    for (size_t e = 0; e < d->events.n; e++) {
        int64_t t = time_of(d, e);
        if (s->part[e] == PART_TRAIN && t > out->last_train)
            out->last_train = t;
        if (t != NO_TIME && test_event(d, s, e) && (out->first_test == NO_TIME || t < out->first_test))
            out->first_test = t;
    }
    for (size_t e = 0; e < d->events.n && out->first_test != NO_TIME; e++)
        out->later_train += s->part[e] == PART_TRAIN && time_of(d, e) > out->first_test;
    for (uint32_t u = 0; u < d->users.n; u++) {
        look_at_user(d, s, u, out);
        look_at_pairs(d, s, u, mark, out);
    }
    mem_free(mark);
    return ST_OK;
}

/* ---- attributes made of the events ---- */

/* What the events say of one user or item. */
struct tally {
    size_t events, tested;
    double sum; /* of values */
    size_t values;
};

static double number_at(const struct field *f, size_t row)
{
    return f->type == FIELD_REAL ? f->real[row] : f->integer[row] == NO_INT ? NAN : (double)f->integer[row];
}

/* Written with no, one, two or three digits after the point, or in full? */
static bool same_number(double written, double exact)
{
    for (double unit = 1; unit <= 1000; unit *= 10)
        if (fabs(written - round(exact * unit) / unit) <= 1e-9 * (1 + fabs(exact)))
            return unit >= 100 || fabs(exact - round(exact)) < 1e-9;
    return fabs(written - exact) <= 1e-6 * (1 + fabs(exact));
}

enum { FEWEST_VALUES = 10 };
static const double most_agree = .95;

static void judge_field(const struct field *f, const struct tally *t, size_t n, struct split_derived *out)
{
    size_t counted = 0, counts = 0, averaged = 0, means = 0;
    for (size_t i = 0; i < n; i++) {
        double x = number_at(f, i);
        if (isnan(x) || !t[i].tested)
            continue; /* what has no test event says nothing about them */
        counted++;
        counts += fabs(x - (double)t[i].events) < .5;
        averaged += t[i].values > 0;
        means += t[i].values > 0 && same_number(x, t[i].sum / (double)t[i].values);
    }
    if (counted >= FEWEST_VALUES && (double)counts >= most_agree * (double)counted)
        *out = (struct split_derived){"number", counts, counted};
    else if (averaged >= FEWEST_VALUES && (double)means >= most_agree * (double)averaged)
        *out = (struct split_derived){"mean value", means, averaged};
}

enum status split_derived_find(const struct dataset *d, const struct split *s, const struct field *f, bool of_items,
                               struct split_derived *out, struct error *err)
{
    size_t n = of_items ? d->items.n : d->users.n;
    *out = (struct split_derived){0};
    if (f->type != FIELD_REAL && f->type != FIELD_INT)
        return ST_OK;
    struct tally *t = mem_new(n, sizeof *t, "tallies", err);
    if (!t)
        return ST_NOMEM;
    for (size_t e = 0; e < d->events.n; e++) {
        struct tally *x = &t[of_items ? d->events.item[e] : d->events.user[e]];
        if (!carve_counts(d, e))
            continue;
        x->events++;
        x->tested += s->part[e] == PART_TEST;
        if (d->events.value && !isnan(d->events.value[e])) {
            x->values++;
            x->sum += (double)d->events.value[e];
        }
    }
    judge_field(f, t, n, out);
    mem_free(t);
    return ST_OK;
}
