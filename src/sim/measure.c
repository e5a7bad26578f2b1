#include "sim/measure.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* ---- visits ---- */

/* Sums over one user's visits, for the regression within users of log gap on log(1 + clicks). */
struct within {
    double n, x, y, xx, xy;
};

struct visit_counter {
    const struct dataset *d;
    double *count, *days; /* visits and days observed, a user */
    double xx, xy;        /* pooled within users */
    struct visits *out;
};

static void next_visit(struct within *w, size_t clicks, int64_t gap)
{
    double x = log1p((double)clicks), y = log((double)gap / (double)US_PER_DAY);
    w->n++;
    w->x += x;
    w->y += y;
    w->xx += x * x;
    w->xy += x * y;
}

static void count_user(struct visit_counter *c, uint32_t user, int64_t newest)
{
    const struct events *e = &c->d->events;
    struct within w = {0};
    int64_t first = NO_TIME, last = NO_TIME;
    size_t clicks = 0;
    for (size_t i = c->d->user_begin[user]; i < c->d->user_begin[user + 1]; i++) {
        bool feedback = c->d->type_weight[e->type[i]] > 0;
        if (e->time[i] == NO_TIME)
            continue;
        int64_t now = e->time[i];
        if (first == NO_TIME)
            first = now;
        if (last == NO_TIME || now - last > VISIT_GAP) {
            c->count[user]++;
            if (last != NO_TIME)
                next_visit(&w, clicks, now - last);
            clicks = 0;
        }
        clicks += feedback;
        c->out->clicks += feedback;
        last = now;
    }
    if (first == NO_TIME)
        return;
    c->out->visits += (uint64_t)c->count[user];
    c->days[user] = fmax(1, (double)(newest - first) / (double)US_PER_DAY);
    if (w.n > 1) {
        c->xx += w.xx - w.x * w.x / w.n;
        c->xy += w.xy - w.x * w.y / w.n;
    }
}

/* Counts n_u ~ Poisson(rate_u days_u), rate_u ~ gamma(shape, mean m): m = sum n / sum days, and the variance beyond
 * Poisson's, sum (n - m days)^2 - n, is m^2 / shape * sum days^2. A user's own rate is then (shape + n) / (shape / m +
 * days). The first visit is not counted: it is why the user is in the data. */
static void gamma_rates(struct visit_counter *c)
{
    double n = 0, days = 0, days2 = 0, beyond = 0;
    uint32_t users = c->d->users.n;
    for (uint32_t u = 0; u < users; u++) {
        n += c->count[u] > 0 ? c->count[u] - 1 : 0;
        days += c->days[u];
        days2 += c->days[u] * c->days[u];
    }
    double mean = fmax(n, .5) / fmax(days, 1);
    for (uint32_t u = 0; u < users; u++) {
        double k = c->count[u] > 0 ? c->count[u] - 1 : 0, off = k - mean * c->days[u];
        beyond += off * off - k;
    }
    double shape = beyond > 0 ? mean * mean * days2 / beyond : 50;
    c->out->rate = mean;
    c->out->shape = shape = fmin(50, fmax(.02, shape));
    for (uint32_t u = 0; u < users; u++) {
        double k = c->count[u] > 0 ? c->count[u] - 1 : 0;
        c->out->user_rate[u] = (shape + k) / (shape / mean + c->days[u]);
    }
}

enum status measure_visits(const struct dataset *d, struct visits *out, struct error *err)
{
    int64_t oldest, newest;
    memset(out, 0, sizeof *out);
    if (!dataset_time_range(d, &oldest, &newest))
        return error_set(err, ST_UNSUPPORTED, "the data has no times, so nothing says how often people come");
    struct visit_counter c = {.d = d, .out = out};
    c.count = mem_new(d->users.n, sizeof *c.count, "visits", err);
    c.days = mem_new(d->users.n, sizeof *c.days, "visits", err);
    out->user_rate = mem_new(d->users.n, sizeof *out->user_rate, "rates of visits", err);
    enum status st = c.count && c.days && out->user_rate ? ST_OK : ST_NOMEM;
    if (!st) {
        for (uint32_t u = 0; u < d->users.n; u++)
            count_user(&c, u, newest);
        gamma_rates(&c);
        out->per_visit = out->visits ? (double)out->clicks / (double)out->visits : 0;
        out->return_gain = c.xx > 0 ? fmin(1, fmax(0, -c.xy / c.xx)) : 0;
    } else {
        mem_free(out->user_rate);
        out->user_rate = NULL;
    }
    mem_free(c.count);
    mem_free(c.days);
    return st;
}

/* ---- exposure ---- */

enum { POSITIONS = 50 };

struct positions {
    double shown[POSITIONS], clicked[POSITIONS];
};

static const struct field *position_field(const struct dataset *d)
{
    const struct field *f = fields_find(&d->events.context, "position");
    return f && f->type == FIELD_INT ? f : NULL;
}

/* Least squares of log click rate on log position, each position with the weight of its clicks. */
static double fit_decay(const struct positions *p)
{
    double w = 0, x = 0, y = 0, xx = 0, xy = 0;
    for (int k = 0; k < POSITIONS; k++) {
        if (p->clicked[k] < 10)
            continue;
        double a = log(k + 1), b = log(p->clicked[k] / p->shown[k]), c = p->clicked[k];
        w += c;
        x += c * a;
        y += c * b;
        xx += c * a * a;
        xy += c * a * b;
    }
    double spread = xx - (w > 0 ? x * x / w : 0);
    return spread > 1e-9 ? fmax(0, -(xy - x * y / w) / spread) : NAN;
}

enum status measure_exposure(const struct dataset *d, uint16_t click, struct exposure *out, struct error *err)
{
    const struct events *e = &d->events;
    const struct field *position = position_field(d);
    struct positions *p = mem_new(1, sizeof *p, "positions", err);
    uint64_t visits = 0;
    if (!p)
        return ST_NOMEM;
    *out = (struct exposure){.decay = NAN, .ctr = NAN, .length = NAN};
    for (size_t i = 0; i < e->n; i++) {
        bool shown = !(d->type_weight[e->type[i]] > 0), clicked = e->type[i] == click;
        bool first = i == 0 || e->user[i] != e->user[i - 1];
        visits += first || (e->time && e->time[i] != NO_TIME && e->time[i] - e->time[i - 1] > VISIT_GAP);
        out->impressions += shown;
        out->clicks += clicked;
        int64_t k = position ? position->integer[i] : NO_INT;
        if (k < 1 || k > POSITIONS)
            continue;
        p->shown[k - 1] += shown;
        p->clicked[k - 1] += clicked;
    }
    if (out->impressions) {
        out->ctr = (double)out->clicks / (double)out->impressions;
        out->length = (double)out->impressions / (double)visits;
        out->decay = fit_decay(p);
    }
    mem_free(p);
    return ST_OK;
}
