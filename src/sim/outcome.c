/* Reading a simulation: means, ratios and differences over users, with intervals. */
#include <gsl/gsl_cdf.h>
#include <math.h>

#include "sim/simulate.h"

bool sim_metric_known(const struct sim_outcome *o, enum sim_metric metric)
{
    return metric == SIM_PURCHASES ? o->purchases : metric == SIM_REVENUE ? o->revenue : true;
}

static struct estimate interval(double value, double variance_of_mean, double n)
{
    if (n < 2 || isnan(value))
        return (struct estimate){value, NAN, NAN};
    double half = gsl_cdf_tdist_Pinv(.975, n - 1) * sqrt(fmax(0, variance_of_mean));
    return (struct estimate){value, value - half, value + half};
}

/* A value that cannot be below 0, or above 1 when it is a rate. */
static struct estimate bounded(struct estimate e, bool rate)
{
    if (e.low < 0)
        e.low = 0;
    if (rate && e.high > 1)
        e.high = 1;
    return e;
}

/* A share of n people (Wilson 1927): says something even when none or all of them did. */
static struct estimate share(double yes, double n)
{
    double z = gsl_cdf_ugaussian_Pinv(.975), p = yes / n, z2 = z * z / n;
    double middle = (p + z2 / 2) / (1 + z2), half = z / (1 + z2) * sqrt(p * (1 - p) / n + z2 / n / 4);
    return (struct estimate){p, fmax(0, middle - half), fmin(1, middle + half)};
}

/* The interval of a ratio leans on many people having seen something. */
enum { ENOUGH_PEOPLE = 10 };

static struct estimate enough(struct estimate e, double people)
{
    return people < ENOUGH_PEOPLE ? (struct estimate){e.value, NAN, NAN} : e;
}

/* What one person adds to a metric, so that the metric is the mean of it. A ratio is linearised around `ratio`: its
 * value is clicks / impressions, and the mean of (c - ratio * m) / mean(m) varies as the ratio does. */
struct lens {
    enum sim_metric metric;
    double value, mean_impressions, days;
    double people; /* who saw something */
};

static double part(const struct lens *l, const struct sim_totals *t)
{
    switch (l->metric) {
    case SIM_CTR:
        return (t->clicks - l->value * t->impressions) / l->mean_impressions;
    case SIM_CLICKS:
        return t->clicks;
    case SIM_PURCHASES:
        return t->purchases;
    case SIM_REVENUE:
        return t->revenue;
    case SIM_RETURN:
        return t->active_days / l->days;
    case SIM_METRICS:
        break;
    }
    return NAN;
}

static struct lens focus(const struct sim_outcome *o, size_t policy, enum sim_metric metric)
{
    const struct sim_totals *t = o->totals + policy * o->spec.users;
    struct lens l = {.metric = metric, .days = o->spec.days};
    double n = o->spec.users, clicks = 0, impressions = 0, sum = 0;
    for (uint32_t u = 0; u < o->spec.users; u++) {
        clicks += t[u].clicks;
        impressions += t[u].impressions;
        l.people += t[u].impressions > 0;
        if (metric != SIM_CTR)
            sum += part(&l, &t[u]);
    }
    l.mean_impressions = impressions / n;
    l.value = metric == SIM_CTR ? clicks / impressions : sum / n;
    return l;
}

struct estimate sim_value(const struct sim_outcome *o, size_t policy, enum sim_metric metric)
{
    struct lens l = focus(o, policy, metric);
    const struct sim_totals *t = o->totals + policy * o->spec.users;
    double n = o->spec.users, mean = metric == SIM_CTR ? 0 : l.value, square = 0;
    for (uint32_t u = 0; u < o->spec.users; u++) {
        double x = part(&l, &t[u]) - mean;
        square += x * x;
    }
    struct estimate e = bounded(interval(l.value, square / (n - 1) / n, n), metric == SIM_CTR || metric == SIM_RETURN);
    return metric == SIM_CTR ? enough(e, l.people) : e;
}

struct estimate sim_difference(const struct sim_outcome *o, size_t policy, size_t baseline, enum sim_metric metric)
{
    struct lens a = focus(o, policy, metric), b = focus(o, baseline, metric);
    const struct sim_totals *s = o->totals + policy * o->spec.users, *t = o->totals + baseline * o->spec.users;
    double n = o->spec.users, value = a.value - b.value, mean = metric == SIM_CTR ? 0 : value, square = 0;
    for (uint32_t u = 0; u < o->spec.users; u++) {
        double x = part(&a, &s[u]) - part(&b, &t[u]) - mean;
        square += x * x;
    }
    struct estimate e = interval(value, square / (n - 1) / n, n);
    return metric == SIM_CTR ? enough(e, fmin(a.people, b.people)) : e;
}

/* Mean of n people from their sum and sum of squares. */
static struct estimate mean_of(double sum, double squares, double n)
{
    double mean = sum / n;
    return bounded(interval(mean, (squares - n * mean * mean) / (n - 1) / n, n), false);
}

struct estimate sim_daily(const struct sim_outcome *o, size_t policy, uint32_t day, enum sim_metric metric)
{
    const struct sim_day *d = &o->day[policy * o->spec.days + day];
    double n = o->spec.users, r = d->clicks / d->impressions, m = d->impressions / n;
    switch (metric) {
    case SIM_CTR: {
        if (!(d->impressions > 0))
            return (struct estimate){NAN, NAN, NAN};
        double squares = d->clicks2 - 2 * r * d->impressions_clicks + r * r * d->impressions2;
        return enough(bounded(interval(r, squares / (m * m) / (n - 1) / n, n), true), d->active);
    }
    case SIM_CLICKS:
        return mean_of(d->clicks, d->clicks2, n);
    case SIM_PURCHASES:
        return mean_of(d->purchases, d->purchases2, n);
    case SIM_REVENUE:
        return mean_of(d->revenue, d->revenue2, n);
    case SIM_RETURN:
        return share(d->active, n);
    case SIM_METRICS:
        break;
    }
    return (struct estimate){NAN, NAN, NAN};
}
