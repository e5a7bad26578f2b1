/* One moment for all, and several of them: the cuts of time and of rolling splits. */
#include "base/mem.h"
#include "base/rng.h"
#include "data/split_rule.h"

/* The value that `rank` others come before, if x[0..n) were in order; x is shuffled about (Hoare 1961). */
static int64_t nth(int64_t *x, size_t n, size_t rank)
{
    struct rng r = rng_stream(0, "nth", n);
    ptrdiff_t low = 0, high = (ptrdiff_t)n - 1, want = (ptrdiff_t)rank;
    while (low < high) {
        int64_t pivot = x[low + (ptrdiff_t)rng_below(&r, (uint64_t)(high - low) + 1)];
        ptrdiff_t i = low, j = high;
        while (i <= j) {
            while (x[i] < pivot)
                i++;
            while (x[j] > pivot)
                j--;
            if (i > j)
                break;
            int64_t swap = x[i];
            x[i++] = x[j];
            x[j--] = swap;
        }
        if (want <= j)
            high = j;
        else if (want >= i)
            low = i;
        else
            break; /* between the two all are the pivot */
    }
    return x[rank];
}

/* The border between two instants that leaves nearest to `share` of the train events at or after it; NO_TIME when all
 * share one instant. */
static enum status border_of_share(const struct carver *c, double share, int64_t *cut)
{
    const struct events *ev = &c->d->events;
    int64_t *times = mem_new_raw(ev->n, sizeof *times, "event times", c->err);
    size_t n = 0;
    if (!times)
        return ST_NOMEM;
    for (size_t e = 0; e < ev->n; e++)
        if (carve_train(c, e))
            times[n++] = ev->time[e];
    *cut = NO_TIME;
    if (n) {
        size_t want = n - carve_share(share, n), low = 0, high = 0;
        want = want < n ? want : n - 1;
        int64_t here = nth(times, n, want), after = INT64_MAX;
        for (size_t i = 0; i < n; i++) {
            low += times[i] < here;
            high += times[i] <= here;
            if (times[i] > here && times[i] < after)
                after = times[i];
        }
        if (low > 0 && (want - low <= high - want || high == n))
            *cut = here;
        else if (high < n)
            *cut = after;
    }
    mem_free(times);
    return ST_OK;
}

static void carve_from(struct carver *c, enum part part, int64_t cut)
{
    const struct events *ev = &c->d->events;
    for (size_t e = 0; e < ev->n; e++)
        if (carve_train(c, e) && ev->time[e] >= cut)
            c->s->part[e] = (uint8_t)(carve_judged(c, e) ? part : carve_between(part));
}

static enum status carve_valid(struct carver *c)
{
    int64_t cut;
    if (!(c->s->spec.valid_share > 0))
        return ST_OK;
    enum status st = border_of_share(c, c->s->spec.valid_share, &cut);
    if (!st && cut != NO_TIME)
        carve_from(c, PART_VALID, cut);
    c->s->valid_from = st ? NO_TIME : cut;
    return st;
}

/* Events without a time are in no part. */
static enum status leave_timeless_out(struct carver *c, int64_t *oldest, int64_t *newest)
{
    if (!c->d->events.time || !dataset_time_range(c->d, oldest, newest)) {
        error_set(c->err, ST_USAGE, "this data has no times, so it cannot be split by time");
        error_hint(c->err, "try `split last 1` (by order), `split random 20%%` or `split users 20%%`");
        return ST_USAGE;
    }
    for (size_t e = 0; e < c->d->events.n; e++)
        if (c->d->events.time[e] == NO_TIME)
            c->s->part[e] = PART_NONE;
    return ST_OK;
}

static enum status nothing_there(struct carver *c, const char *where, int64_t oldest, int64_t newest)
{
    char from[40], to[40];
    time_iso(from, sizeof from, oldest);
    time_iso(to, sizeof to, newest);
    error_set(c->err, ST_USAGE, "a split at that time leaves no events %s it", where);
    error_hint(c->err, "the events reach from %s to %s", from, to);
    return ST_USAGE;
}

/* ---- one cut ---- */

static enum status check_cut(const struct split_spec *spec, struct error *err)
{
    return spec->at == NO_TIME && spec->duration <= 0 ? carve_check_share(spec->share, err) : ST_OK;
}

static enum status carve_time(struct carver *c)
{
    const struct split_spec *spec = &c->s->spec;
    int64_t oldest, newest, cut = spec->at;
    enum status st = leave_timeless_out(c, &oldest, &newest);
    if (!st && cut == NO_TIME && spec->duration > 0)
        cut = newest - spec->duration;
    else if (!st && cut == NO_TIME)
        st = border_of_share(c, spec->share, &cut);
    if (st)
        return st;
    if (cut == NO_TIME || cut <= oldest || cut > newest)
        return nothing_there(c, cut > newest ? "after" : "before", oldest, newest);
    c->s->test_from = cut;
    carve_from(c, PART_TEST, cut);
    return carve_valid(c);
}

static void describe_time(const struct split *s, struct str *out)
{
    char moment[40];
    time_short(moment, sizeof moment, s->test_from);
    str_printf(out, "from %s on", moment);
}

const struct split_rule split_rule_time = {
    .name = "time",
    .in_order = true,
    .check = check_cut,
    .carve = carve_time,
    .describe = describe_time,
};

/* ---- several cuts ---- */

static enum status check_rolling(const struct split_spec *spec, struct error *err)
{
    if (spec->folds < 1 || spec->folds > SPLIT_FOLDS_MAX)
        return error_set(err, ST_USAGE, "a rolling split has 1 to %d cuts", SPLIT_FOLDS_MAX);
    if (spec->fold < 1 || spec->fold > spec->folds)
        return error_set(err, ST_USAGE, "there is no fold %zu: the cuts are 1 to %zu", spec->fold, spec->folds);
    if (spec->window < 0)
        return error_set(err, ST_USAGE, "a window of training is longer than nothing");
    if (spec->duration > 0)
        return ST_OK;
    enum status st = carve_check_share(spec->share, err);
    if (!st && spec->share * (double)spec->folds >= 1) {
        st = error_set(err, ST_USAGE, "%zu cut%s of %g %% leave%s nothing to learn from", spec->folds,
                       spec->folds == 1 ? "" : "s", spec->share * 100, spec->folds == 1 ? "s" : "");
        error_hint(err, "take fewer cuts, or a smaller share between them");
    }
    return st;
}

/* Where fold `fold` (from 1) begins; INT64_MAX for the one after the last. */
static enum status cut_of(const struct carver *c, size_t fold, int64_t newest, int64_t *cut)
{
    const struct split_spec *spec = &c->s->spec;
    size_t back = spec->folds + 1 - fold;
    *cut = INT64_MAX;
    if (!back)
        return ST_OK;
    if (spec->duration <= 0)
        return border_of_share(c, spec->share * (double)back, cut);
    int64_t length;
    if (__builtin_mul_overflow(spec->duration, (int64_t)back, &length) ||
        __builtin_sub_overflow(newest, length, cut))
        *cut = INT64_MIN + 1;
    return ST_OK;
}

static enum status carve_rolling(struct carver *c)
{
    const struct split_spec *spec = &c->s->spec;
    const int64_t *time = c->d->events.time;
    int64_t oldest, newest, cut, end;
    enum status st = leave_timeless_out(c, &oldest, &newest);
    if (!st)
        st = cut_of(c, spec->fold, newest, &cut);
    if (!st)
        st = cut_of(c, spec->fold + 1, newest, &end);
    if (st)
        return st;
    if (cut == NO_TIME || cut <= oldest)
        return nothing_there(c, "before", oldest, newest);
    for (size_t e = 0; e < c->d->events.n; e++) {
        if (carve_train(c, e) && time[e] >= end)
            c->s->part[e] = PART_NONE;
        else if (carve_train(c, e) && spec->window > 0 && time[e] < cut && cut - time[e] > spec->window)
            c->s->part[e] = PART_HISTORY;
    }
    c->s->test_from = cut;
    carve_from(c, PART_TEST, cut);
    return carve_valid(c);
}

static void describe_rolling(const struct split *s, struct str *out)
{
    const struct split_spec *spec = &s->spec;
    char moment[40], length[40];
    time_short(moment, sizeof moment, s->test_from);
    str_printf(out, "rolling, cut %zu of %zu: ", spec->fold, spec->folds);
    if (spec->duration > 0) {
        text_duration(length, sizeof length, (double)spec->duration / (double)US_PER_SECOND);
        str_printf(out, "%s", length);
    } else {
        carve_put_percent(out, spec->share);
    }
    str_printf(out, " from %s on", moment);
    if (spec->window > 0) {
        text_duration(length, sizeof length, (double)spec->window / (double)US_PER_SECOND);
        str_printf(out, ", learning from the %s before", length);
    }
}

const struct split_rule split_rule_rolling = {
    .name = "rolling",
    .in_order = true,
    .check = check_rolling,
    .carve = carve_rolling,
    .describe = describe_rolling,
};
