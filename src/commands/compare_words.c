/* What `compare` found out, in words: no more than can be claimed. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "commands/compare.h"

/* Rounded to what people see, so that nothing shows as minus zero. */
static double rounded(double x, int digits)
{
    double unit = pow(10, digits);
    return round(x * unit) / unit + 0.0;
}

/* A difference as people say it, the better model first: in shares where they mean something, as a factor where a share
 * would have too many digits to mean anything, else in points. */
struct lead {
    double value, low, high;
    const char *unit;
    int digits;
    bool times;      /* a factor */
    bool may_be_none; /* the interval has no difference in it, whatever the test says */
};

enum { SHARE_TOO_LARGE = 200 };

static struct lead lead_of(const struct difference *x, int sign)
{
    bool share = !isnan(x->share_interval.low);
    struct interval i = share ? x->share_interval : x->interval;
    double scale = (share ? 100 : 1) * (sign < 0 ? -1 : 1), ends[2] = {scale * i.low, scale * i.high};
    int digits = share ? 1 : 4;
    struct lead lead = {.value = scale * (share ? x->share : x->value),
                        .low = fmin(ends[0], ends[1]),
                        .high = fmax(ends[0], ends[1]),
                        .unit = share ? " %" : "",
                        .digits = digits};
    lead.may_be_none = lead.low <= 0;
    lead.times = share && lead.value >= SHARE_TOO_LARGE;
    for (double *part[] = {&lead.value, &lead.low, &lead.high}, **p = part; p < part + 3; p++)
        **p = rounded(lead.times ? 1 + **p / 100 : **p, digits);
    return lead;
}

/* "by 3.1 % ndcg@10", "by a factor of 4.2 in ndcg@10" */
static void put_lead(struct str *s, const struct lead *lead, const char *metric)
{
    if (lead->times)
        str_printf(s, " by a factor of %.*f%s%s", lead->digits, lead->value, metric ? " in " : "",
                   metric ? metric : "");
    else
        str_printf(s, " %s %.*f%s%s%s", metric ? "by" : "of", lead->digits, lead->value, lead->unit, metric ? " " : "",
                   metric ? metric : "");
}

/* "p < .0001", "p = .012": as many digits as mean something. */
static void put_p(struct str *s, double p)
{
    char digits[32];
    if (p < 1e-4) {
        str_puts(s, "p < .0001");
        return;
    }
    if (p == 1) {
        str_puts(s, "p = 1");
        return;
    }
    snprintf(digits, sizeof digits, "%.*f", p < 1e-3 ? 4 : p < .1 ? 3 : 2, p);
    str_printf(s, "p = %s", digits + (*digits == '0'));
}

enum { NAMES_MOST = 5 };

/* "ease, pop and random"; of many the first, which are the best: the table has them all. */
static void put_names(struct str *s, const char *const *names, size_t n)
{
    size_t named = n > NAMES_MOST ? NAMES_MOST - 1 : n;
    for (size_t i = 0; i < named; i++)
        str_printf(s, "%s%s", !i ? "" : i + 1 == n ? " and " : ", ", names[i]);
    if (named < n)
        str_printf(s, " and %zu others", n - named);
}

/* Of the models beside the two: those for which it comes out like this. */
static size_t others(const struct compare *compare, int verdict, const char **names)
{
    const struct comparison *c = &compare->comparison;
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++)
        if (i != compare->x && i != compare->y && c->entries[i].to.users &&
            difference_verdict(c, &c->entries[i].to) == verdict)
            names[n++] = c->entries[i].name;
    return n;
}

/* "; it beats itemknn and pop too": against the best, or against the baseline. */
static void put_others(struct str *s, const struct compare *compare, const char **names)
{
    const struct comparison *c = &compare->comparison;
    bool clear = difference_verdict(c, &compare->pair) > 0;
    const char *reference = c->entries[c->reference].name;
    size_t n = others(compare, -1, names);
    if (n) {
        str_printf(s, clear && compare->x == c->reference ? ", and " : "; %s beats ", reference);
        put_names(s, names, n);
        str_puts(s, clear && compare->x == c->reference ? " too" : "");
    }
    n = others(compare, 1, names);
    if (n) {
        str_puts(s, "; ");
        put_names(s, names, n);
        str_printf(s, " beat%s %s too", n == 1 ? "s" : "", reference);
    }
    n = others(compare, 0, names);
    if (n && (c->n > 2)) {
        str_puts(s, "; ");
        put_names(s, names, n);
        str_printf(s, " cannot be told from %s", c->reference == compare->x && clear ? "it" : reference);
    }
}

/* ---- for whom ---- */

enum { LOOKED_AT_MAX = 16, TEXTS_WORTH = 40 };

/* Segments that words look at by themselves: by the length of the history and by what is known of users, unless hardly
 * any two have the same. */
static enum status look_at(const struct compare *compare, struct cohorts *list, size_t *n, struct error *err)
{
    const struct fields *fields = &compare->d->user_fields;
    const struct comparison *c = &compare->comparison;
    enum part on = compare->judge.protocol.on;
    enum status st = cohorts_make(compare->d, compare->s, on, c, "history_length", &list[(*n)++], err);
    for (size_t i = 0; i < fields->n && *n < LOOKED_AT_MAX && !st; i++)
        if (!fields->field[i].levels.n || fields->field[i].levels.n <= TEXTS_WORTH)
            st = cohorts_make(compare->d, compare->s, on, c, fields->field[i].name, &list[(*n)++], err);
    return st;
}

/* Is it the segment of those who have none of what it is about? */
static bool is_without(const struct cohort *s)
{
    return strcmp(s->name, "none") == 0;
}

/* "users with 1-4 or 5-9 events, and users without events", "items with category Tea": segments of one kind with the
 * same verdict. */
static bool put_segments(struct str *s, const struct comparison *c, const char *who, const struct cohorts *segments,
                         const struct difference *x, int verdict, bool more)
{
    size_t n = 0, all = 0, without = 0;
    bool length = strcmp(segments->by, "history_length") == 0;
    for (size_t i = 0; i < segments->n; i++)
        if (difference_verdict(c, &x[i]) == verdict)
            ++*(is_without(&segments->list[i]) ? &without : &all);
    for (size_t i = 0; i < segments->n; i++) {
        if (difference_verdict(c, &x[i]) != verdict || is_without(&segments->list[i]))
            continue;
        if (n)
            str_puts(s, n + 1 == all ? " or " : ", ");
        else
            str_printf(s, "%s%s with %s%s", more ? ", and " : "", who, length ? "" : segments->by, length ? "" : " ");
        str_puts(s, segments->list[i].name);
        n++;
    }
    if (n && length)
        str_puts(s, " events");
    if (without)
        str_printf(s, "%s%s without %s", more || n ? ", and " : "", who, length ? "events" : segments->by);
    return n || without;
}

/* "; it is worse for users with 1-4 events": where a segment contradicts the whole. */
static void put_exceptions(struct str *s, const struct compare *compare, const struct cohorts *list, size_t n,
                           const struct difference *x)
{
    const struct comparison *c = &compare->comparison;
    struct comparison of_items = *c; /* borrowed: recall decides there */
    bool clear = difference_verdict(c, &compare->pair) > 0;
    for (int verdict = clear ? -1 : 1; verdict >= -1; verdict -= 2) {
        struct str who = {0};
        const struct difference *at = x;
        for (size_t i = 0; i < n; at += list[i].n, i++)
            put_segments(&who, c, "users", &list[i], at, verdict, who.length > 0);
        for (size_t i = 0; i < compare->ngoods; i++) {
            of_items.measures[0].at = compare->goods[i].at;
            put_segments(&who, &of_items, "items", &compare->goods[i].users, compare->goods[i].difference, verdict,
                         who.length > 0);
        }
        if (who.length)
            str_printf(s, "; %s is %s for %s", clear ? "it" : c->entries[compare->x].name,
                       verdict > 0 ? "better" : "worse", str_text(&who));
        s->failed |= who.failed;
        str_free(&who);
    }
}

/* Segments that by= shows are spoken of as their table has them; else those that words look at by themselves are
 * tested. */
static enum status put_for_whom(struct str *s, const struct compare *compare, struct error *err)
{
    struct cohorts list[LOOKED_AT_MAX] = {{.by = NULL}};
    struct comparison c = compare->comparison; /* borrowed: without intervals */
    size_t n = 0, total = 0;
    if (compare->nsegments) {
        put_exceptions(s, compare, compare->segments, compare->nsegments, compare->in_segment);
        return ST_OK;
    }
    c.resamples = 0;
    enum status st = look_at(compare, list, &n, err);
    for (size_t i = 0; i < n && !st; i++)
        total += list[i].n;
    struct difference *x = st ? NULL : mem_new(total, sizeof *x, "segments", err);
    if (!st)
        st = x ? cohorts_compare(&c, compare->x, compare->y, list, n, x, err) : ST_NOMEM;
    if (!st)
        put_exceptions(s, compare, list, n, x);
    for (size_t i = 0; i < n; i++)
        cohorts_clear(&list[i]);
    mem_free(x);
    return st;
}

/* ---- the claim ---- */

static void put_pair(struct str *s, const struct compare *compare)
{
    const struct comparison *c = &compare->comparison;
    const char *x = c->entries[compare->x].name, *y = c->entries[compare->y].name, *metric = c->measures[0].at.name;
    struct lead lead = lead_of(&compare->pair, comparison_sign(c));
    bool clear = difference_verdict(c, &compare->pair) > 0;
    char users[32];
    text_count(users, sizeof users, (int64_t)compare->pair.users);
    if (compare->pair.effect.equal == 1) {
        str_printf(s, "%s and %s are alike: no user's %s differs", x, y, metric);
        return;
    }
    if (clear) {
        str_printf(s, "%s beats %s", x, y);
        put_lead(s, &lead, metric);
    } else {
        str_printf(s, "%s and %s cannot be told apart by %s: a lead", x, y, metric);
        put_lead(s, &lead, NULL);
        if (!lead.may_be_none) /* an interval of few users, or for one test alone, promises more than can be held */
            str_printf(s, " over %s user%s", users, compare->pair.users == 1 ? "" : "s");
        str_puts(s, " may be chance");
    }
    if (clear || lead.may_be_none)
        str_printf(s, " (%.*f to %.*f)", lead.digits, lead.low, lead.digits, lead.high);
    str_puts(s, ", ");
    put_p(s, compare->pair.adjusted);
    if (clear && lead.may_be_none)
        str_puts(s, " (a close call: the interval includes zero)");
}

enum status compare_say_claims(const struct compare *compare, struct result *out, struct error *err)
{
    const struct comparison *c = &compare->comparison;
    struct str s = {0};
    if (compare->x == compare->y || isnan(compare->pair.value) || !comparison_sign(c))
        return ST_OK;
    const char **names = mem_new(c->n, sizeof *names, "names of models", err);
    enum status st = names ? ST_OK : ST_NOMEM;
    if (!st) {
        put_pair(&s, compare);
        put_others(&s, compare, names);
        st = put_for_whom(&s, compare, err);
    }
    if (!st)
        result_message(out, MESSAGE_INFO, "%s", result_str(out, &s));
    mem_free(names);
    str_free(&s);
    return st;
}

/* ---- what is not in the numbers ---- */

static void say_repeats(const struct evaluation *e, struct result *out)
{
    char repeats[32], events[32];
    text_count(repeats, sizeof repeats, (int64_t)e->repeats);
    text_count(events, sizeof events, (int64_t)e->events);
    if (e->repeats)
        result_message(out, MESSAGE_INFO,
                       "%s of the %s test event%s %s what the user has seen before and %s not asked for; seen=show "
                       "asks for %s",
                       repeats, events, e->events == 1 ? "" : "s", e->repeats == 1 ? "repeats" : "repeat",
                       e->repeats == 1 ? "is" : "are", e->repeats == 1 ? "it" : "them");
}

/* What was asked for by name and no model has, and why. */
static void say_lacks(const struct compare *c, struct result *out)
{
    for (size_t m = 0; m < c->comparison.nmeasures; m++) {
        const struct measure *x = &c->comparison.measures[m];
        const char *why = NULL;
        size_t lacking = 0;
        for (size_t i = 0; i < c->nmodels && x->shown && !x->at.metric->errors; i++) {
            const char *this = evaluation_lacks(c->evaluations[i], &x->at);
            lacking += this != NULL;
            why = this ? this : why;
        }
        if (why && lacking == c->nmodels)
            result_message(out, MESSAGE_INFO, "%s: %s", x->at.name, why);
    }
}

void compare_say_limits(const struct compare *compare, struct result *out)
{
    const struct comparison *c = &compare->comparison;
    bool asked = false, can = false, rated = false;
    say_repeats(compare->evaluations[0], out);
    for (size_t m = 0; m < c->nmeasures; m++)
        asked |= c->measures[m].at.metric->errors != ERRORS_NONE;
    for (size_t i = 0; i < compare->nmodels; i++) {
        can |= (compare->models[i]->class->capabilities & CAN_RATE) != 0;
        rated |= compare->evaluations[i]->rated != NULL;
    }
    if (asked && !can)
        result_message(out, MESSAGE_HINT,
                       "none of these models predicts ratings: `train bias svd svdpp knnbaseline slopeone` do");
    else if (asked && !rated)
        result_message(out, MESSAGE_INFO, "the part holds no ratings to compare predictions with");
    say_lacks(compare, out);
}
