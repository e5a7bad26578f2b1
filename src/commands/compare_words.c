/* What `compare` found out, in words: no more than can be claimed. */
#include <math.h>

#include "commands/compare.h"

/* Rounded to what people see, so that nothing shows as minus zero. */
static double rounded(double x, int digits)
{
    double unit = pow(10, digits);
    return round(x * unit) / unit + 0.0;
}

/* A difference as people say it, the better model first: in shares where they mean something, else in points. */
struct lead {
    double value, low, high;
    const char *unit;
    int digits;
};

static struct lead lead_of(const struct difference *x, int sign)
{
    bool share = !isnan(x->share_interval.low);
    struct interval i = share ? x->share_interval : x->interval;
    double scale = (share ? 100 : 1) * (sign < 0 ? -1 : 1), ends[2] = {scale * i.low, scale * i.high};
    int digits = share ? 1 : 4;
    return (struct lead){rounded(scale * (share ? x->share : x->value), digits), rounded(fmin(ends[0], ends[1]), digits),
                         rounded(fmax(ends[0], ends[1]), digits), share ? " %" : "", digits};
}

void compare_say_lead(const struct compare *compare, struct result *out)
{
    const struct comparison *c = &compare->comparison;
    const char *metric = c->measures[0].at.name;
    struct difference x;
    if (c->n < 2 || !comparison_of_users(c) || comparison_difference(c, 0, 1, NULL, 0, &x, &out->failed) || isnan(x.interval.low))
        return;
    x.adjusted = c->entries[1].to.adjusted;
    struct lead lead = lead_of(&x, comparison_sign(c));
    if (difference_verdict(c, &x) > 0)
        result_message(out, MESSAGE_INFO, "%s leads %s by %.*f%s of %s (95 %% interval: %.*f to %.*f)", c->entries[0].name,
                       c->entries[1].name, lead.digits, lead.value, lead.unit, metric, lead.digits, lead.low, lead.digits, lead.high);
    else
        result_message(out, MESSAGE_INFO,
                       "%s and %s cannot be told apart by %s: a lead of %.*f%s may be chance (95 %% interval: %.*f to %.*f)",
                       c->entries[0].name, c->entries[1].name, metric, lead.digits, lead.value, lead.unit, lead.digits, lead.low,
                       lead.digits, lead.high);
}

/* ---- what is not in the numbers ---- */

static void say_repeats(const struct evaluation *e, struct result *out)
{
    char repeats[32], events[32];
    text_count(repeats, sizeof repeats, (int64_t)e->repeats);
    text_count(events, sizeof events, (int64_t)e->events);
    if (e->repeats)
        result_message(out, MESSAGE_INFO,
                       "%s of the %s test events repeat what the user has seen before and are not asked for; seen=show "
                       "asks for them",
                       repeats, events);
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
        result_message(out, MESSAGE_HINT, "none of these models predicts ratings: `train bias svd svdpp knnbaseline slopeone` do");
    else if (asked && !rated)
        result_message(out, MESSAGE_INFO, "the part holds no ratings to compare predictions with");
    say_lacks(compare, out);
}
