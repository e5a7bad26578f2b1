#include "eval/comparison.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const double claim = .05; /* adjusted p below this may be claimed */

/* ---- measures ---- */

/* A metric that not every user has is resampled as a sum (of ratings: of errors) and a number of what it is over: two
 * columns. */
static size_t width(const struct metric *m)
{
    return m->partial ? 2 : metric_of_users(m) ? 1 : 0;
}

enum status comparison_measure(struct comparison *c, const char *text, size_t k, bool shown, struct error *err)
{
    struct measure *m = &c->measures[c->nmeasures];
    if (c->nmeasures == MEASURES_MAX)
        return error_set(err, ST_USAGE, "more than %d metrics at once", MEASURES_MAX);
    enum status st = metric_parse(text, k, &m->at, err);
    if (st)
        return st;
    for (size_t i = 0; i < c->nmeasures; i++)
        if (strcmp(c->measures[i].at.name, m->at.name) == 0)
            return ST_OK;
    m->shown = shown;
    m->column = c->ncolumns;
    c->ncolumns += width(m->at.metric);
    c->nmeasures++;
    return ST_OK;
}

bool comparison_of_users(const struct comparison *c)
{
    return metric_of_users(c->measures[0].at.metric);
}

int comparison_sign(const struct comparison *c)
{
    const struct metric *m = c->measures[0].at.metric;
    return m->neutral ? 0 : m->lower ? -1 : 1;
}

/* ---- values of users ---- */

/* What user u has of a measure: its sum and over how many. */
static double user_sum(const struct evaluation *e, const struct metric_at *at, const double *users, size_t u,
                       double *count)
{
    if (at->metric->pooled)
        return evaluation_errors(e, at->metric, u, count);
    *count = !isnan(users[u]);
    return *count > 0 ? users[u] : 0;
}

/* A measure out of sums and counts, or means of them. */
static double measure_of(const struct metric *m, double sum, double count)
{
    return m->pooled ? metric_of_errors(m, sum, count) : sum / count;
}

double comparison_user(const struct comparison *c, size_t entry, size_t user)
{
    size_t at = entry * c->nusers + user;
    return measure_of(c->measures[0].at.metric, c->sum[at], c->count[at]);
}

double comparison_mean(const struct comparison *c, size_t entry, const uint32_t *users, size_t n)
{
    double sum = 0, count = 0;
    for (size_t i = 0; i < n; i++) {
        sum += c->sum[entry * c->nusers + users[i]];
        count += c->count[entry * c->nusers + users[i]];
    }
    return measure_of(c->measures[0].at.metric, sum, count);
}

/* How a measure moves with the weight of a user who has these parts of it. */
static double influence_of(const struct metric *m, double value, double sum, double count)
{
    return sum - (m->errors == ERRORS_SQUARED ? value * value : value) * count;
}

/* ---- one model ---- */

/* What is needed for some models that are resampled together, one set of columns each. */
struct desk {
    struct bootstrap_set *sets;
    double *users;     /* nusers: of one measure */
    double *value;     /* of each model nwarm x ncolumns */
    double *resampled; /* of each model resamples x ncolumns */
    double *room;      /* resamples */
    double *influence; /* nwarm */
};

/* The measure of all, out of the values of users where it is their mean: those are dear. */
static double mean_of(const struct evaluation *e, const struct metric_at *at, const double *users, bool warm)
{
    return metric_of_users(at->metric) && !at->metric->pooled ? evaluation_mean(e, users, warm, NULL)
                                                              : evaluation_value(e, at, warm);
}

/* Means of one measure of a model, what its warm users have among the columns to be resampled, and all users of the
 * first. */
static void take_measure(struct comparison *c, size_t entry, size_t measure, struct desk *desk, double *value)
{
    struct compared *x = &c->entries[entry];
    const struct measure *m = &c->measures[measure];
    size_t row = 0, columns = width(m->at.metric);
    x->interval[measure] = (struct interval){NAN, NAN};
    if (columns)
        evaluation_users(x->e, &m->at, desk->users);
    x->mean[measure] = mean_of(x->e, &m->at, desk->users, true);
    x->cold[measure] = columns ? mean_of(x->e, &m->at, desk->users, false) : NAN;
    if (!columns)
        return;
    for (size_t u = 0; u < c->nusers; u++) {
        double count, sum = user_sum(x->e, &m->at, desk->users, u, &count);
        if (measure == 0) {
            c->sum[entry * c->nusers + u] = sum;
            c->count[entry * c->nusers + u] = count;
        }
        if (!x->e->warm[u])
            continue;
        double *at = &value[row++ * c->ncolumns + m->column];
        at[0] = sum;
        if (columns == 2)
            at[1] = count;
    }
}

static void take_interval(struct comparison *c, size_t entry, size_t measure, struct desk *desk,
                          const struct bootstrap_set *set)
{
    const struct measure *m = &c->measures[measure];
    size_t columns = width(m->at.metric);
    double mean = c->entries[entry].mean[measure];
    if (!columns || isnan(mean))
        return;
    for (size_t r = 0; r < c->resamples; r++) {
        const double *at = set->mean + r * c->ncolumns + m->column;
        desk->room[r] = columns == 2 ? measure_of(m->at.metric, at[0], at[1]) : at[0];
    }
    for (size_t u = 0; u < c->nwarm; u++) {
        const double *at = set->value + u * c->ncolumns + m->column;
        desk->influence[u] = influence_of(m->at.metric, mean, at[0], columns == 2 ? at[1] : 1);
    }
    c->entries[entry].interval[measure] =
        bca_interval(desk->room, c->resamples, mean, acceleration_of(desk->influence, c->nwarm), .95);
}

/* Values, means and intervals of n entries from the first on. */
static enum status take_entries(struct comparison *c, size_t first, size_t n, struct desk *desk, struct job *job,
                                struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        double *value = desk->value + i * c->nwarm * c->ncolumns;
        desk->sets[i] = (struct bootstrap_set){value, c->ncolumns, desk->resampled + i * c->resamples * c->ncolumns};
        for (size_t m = 0; m < c->nmeasures; m++)
            take_measure(c, first + i, m, desk, value);
    }
    if (!c->ncolumns || !c->nwarm || !c->resamples)
        return ST_OK;
    enum status st = bootstrap_means(desk->sets, n, c->nwarm, c->resamples, c->seed, job, err);
    for (size_t i = 0; i < n && !st; i++)
        for (size_t m = 0; m < c->nmeasures; m++)
            take_interval(c, first + i, m, desk, &desk->sets[i]);
    return st;
}

/* As many models as have room for their values in 64 MiB. */
static size_t models_together(const struct comparison *c)
{
    enum { VALUES = 8 << 20 };
    size_t values = (c->nwarm + c->resamples) * c->ncolumns, fit = values ? VALUES / values : c->n;
    return fit < 1 ? 1 : fit < c->n ? fit : c->n;
}

static enum status take_all(struct comparison *c, struct job *job, struct error *err)
{
    struct desk *desk = mem_new(1, sizeof *desk, "a comparison", err);
    enum status st = desk ? ST_OK : ST_NOMEM;
    if (st)
        return st;
    size_t together = models_together(c);
    desk->sets = mem_new_raw(together, sizeof *desk->sets, "a comparison", err);
    desk->users = mem_new_raw(c->nusers, sizeof *desk->users, "metrics of users", err);
    desk->value = mem_new_raw(together * c->nwarm * c->ncolumns, sizeof *desk->value, "metrics of users", err);
    desk->resampled =
        mem_new_raw(together * c->resamples * c->ncolumns, sizeof *desk->resampled, "resampled means", err);
    desk->room = mem_new_raw(c->resamples, sizeof *desk->room, "resampled means", err);
    desk->influence = mem_new_raw(c->nwarm, sizeof *desk->influence, "metrics of users", err);
    if (!desk->sets || !desk->users || !desk->value || !desk->resampled || !desk->room || !desk->influence)
        st = ST_NOMEM;
    job_begin(job, c->n * c->resamples, "resamples", "confidence intervals");
    for (size_t i = 0; i < c->n && !st; i += together)
        st = take_entries(c, i, c->n - i < together ? c->n - i : together, desk, job, err);
    mem_free(desk->sets);
    mem_free(desk->users);
    mem_free(desk->value);
    mem_free(desk->resampled);
    mem_free(desk->room);
    mem_free(desk->influence);
    mem_free(desk);
    return st;
}

/* ---- two models ---- */

enum { SUM_X, COUNT_X, SUM_Y, COUNT_Y, PAIR };

/* The users of a subset who have a value under both, PAIR numbers each; returns how many. */
static size_t take_pairs(const struct comparison *c, size_t x, size_t y, const uint32_t *users, size_t n, double *pair)
{
    const double *sx = c->sum + x * c->nusers, *nx = c->count + x * c->nusers, *sy = c->sum + y * c->nusers,
                 *ny = c->count + y * c->nusers;
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        size_t u = users ? users[i] : i;
        if ((!users && !c->warm[u]) || !(nx[u] > 0) || !(ny[u] > 0))
            continue;
        double *at = pair + PAIR * found++;
        at[SUM_X] = sx[u], at[COUNT_X] = nx[u], at[SUM_Y] = sy[u], at[COUNT_Y] = ny[u];
    }
    return found;
}

/* The parts that users have in the difference: their mean is that of the two means. */
static void take_parts(const double *pair, size_t n, const double total[PAIR], double *part)
{
    double x = (double)n / total[COUNT_X], y = (double)n / total[COUNT_Y];
    for (size_t i = 0; i < n; i++, pair += PAIR)
        part[i] = pair[SUM_X] * x - pair[SUM_Y] * y;
}

/* How skew the difference of the two means is, and their ratio: influences of users on both. A mean error moves by half
 * the mean squared one, over itself. */
static void take_accelerations(const struct metric *m, const double *pair, size_t n, const double total[PAIR],
                               const struct difference *x, double *influence, double *difference, double *share)
{
    bool half = m->errors == ERRORS_SQUARED;
    double scale_x = (half ? 2 * x->x : 1) * total[COUNT_X], scale_y = (half ? 2 * x->y : 1) * total[COUNT_Y];
    for (int ratio = 0; ratio < 2; ratio++) {
        for (size_t i = 0; i < n; i++) {
            const double *at = pair + PAIR * i;
            influence[i] = influence_of(m, x->x, at[SUM_X], at[COUNT_X]) / scale_x -
                           (ratio ? x->x / x->y : 1) * influence_of(m, x->y, at[SUM_Y], at[COUNT_Y]) / scale_y;
        }
        *(ratio ? share : difference) = acceleration_of(influence, n);
    }
}

/* influence: n numbers of room. */
static enum status resample(const struct comparison *c, const double *pair, size_t n, const double total[PAIR],
                            double *influence, struct difference *out, struct error *err)
{
    const struct metric *m = c->measures[0].at.metric;
    double *mean = mem_new_raw(c->resamples * (PAIR + 2), sizeof *mean, "resampled means", err), skew, share_skew;
    if (!mean)
        return ST_NOMEM;
    double *difference = mean + c->resamples * PAIR, *share = difference + c->resamples;
    enum status st = bootstrap_means(&(struct bootstrap_set){pair, PAIR, mean}, 1, n, c->resamples, c->seed, NULL, err);
    bool shares = true;
    for (size_t r = 0; r < c->resamples && !st; r++) {
        const double *at = mean + PAIR * r;
        double x = measure_of(m, at[SUM_X], at[COUNT_X]), y = measure_of(m, at[SUM_Y], at[COUNT_Y]);
        difference[r] = x - y;
        share[r] = x / y - 1;
        shares &= y > 0;
    }
    take_accelerations(m, pair, n, total, out, influence, &skew, &share_skew);
    if (!st)
        out->interval = bca_interval(difference, c->resamples, out->value, skew, .95);
    if (!st && shares)
        out->share_interval = bca_interval(share, c->resamples, out->share, share_skew, .95);
    mem_free(mean);
    return st;
}

static const struct difference no_difference = {.x = NAN,
                                                .y = NAN,
                                                .value = NAN,
                                                .share = NAN,
                                                .interval = {NAN, NAN},
                                                .share_interval = {NAN, NAN},
                                                .p = NAN,
                                                .adjusted = NAN,
                                                .effect = {NAN, NAN, NAN, NAN, NAN}};

enum status comparison_difference(const struct comparison *c, size_t x, size_t y, const uint32_t *users, size_t n,
                                  struct difference *out, struct error *err)
{
    const struct metric *m = c->measures[0].at.metric;
    double total[PAIR] = {0};
    *out = no_difference;
    if (!users)
        n = c->nusers;
    double *pair = mem_new_raw(n * (PAIR + 1), sizeof *pair, "pairs of values", err), *part = pair + n * PAIR;
    if (!pair)
        return ST_NOMEM;
    enum status st = ST_OK;
    out->users = take_pairs(c, x, y, users, n, pair);
    for (size_t i = 0; i < out->users * PAIR; i++)
        total[i % PAIR] += pair[i];
    if (!out->users)
        goto out;
    out->x = measure_of(m, total[SUM_X], total[COUNT_X]);
    out->y = measure_of(m, total[SUM_Y], total[COUNT_Y]);
    out->value = out->x - out->y;
    out->share = out->y > 0 ? out->x / out->y - 1 : NAN;
    st = c->resamples ? resample(c, pair, out->users, total, part, out, err) : ST_OK;
    take_parts(pair, out->users, total, part);
    if (!st)
        st = paired_test(c->test, part, out->users, c->seed, &out->p, err);
    if (!st)
        st = effect_of(part, out->users, &out->effect, err);
    out->adjusted = out->p;
out:
    mem_free(pair);
    return st;
}

int difference_verdict(const struct comparison *c, const struct difference *x)
{
    if (!(x->adjusted < claim))
        return 0;
    return comparison_sign(c) * ((x->value > 0) - (x->value < 0));
}

enum status differences_adjust(const struct comparison *c, struct difference *x, size_t n, struct error *err)
{
    double *p = mem_new_raw(2 * n, sizeof *p, "p-values", err), *adjusted = p + n;
    if (!p)
        return ST_NOMEM;
    for (size_t i = 0; i < n; i++)
        p[i] = x[i].p;
    enum status st = adjust_p(c->adjust, p, n, 0, adjusted, err);
    for (size_t i = 0; i < n && !st; i++)
        x[i].adjusted = adjusted[i];
    mem_free(p);
    return st;
}

/* ---- all of them ---- */

/* Best first, those without a value last; ties by name. */
static bool stands_before(const struct comparison *c, const struct compared *x, const struct compared *y)
{
    const struct metric *first = c->measures[0].at.metric;
    if (metric_better(first, x->mean[0], y->mean[0]))
        return true;
    return !metric_better(first, y->mean[0], x->mean[0]) && strcmp(x->name, y->name) < 0;
}

/* Entries in order, each with its place: before values of users are taken, which follow it. */
static void order_entries(struct comparison *c)
{
    for (size_t i = 0; i < c->n; i++)
        c->entries[i].mean[0] = evaluation_value(c->entries[i].e, &c->measures[0].at, true);
    for (size_t i = 1; i < c->n; i++) {
        struct compared x = c->entries[i];
        size_t j = i;
        for (; j > 0 && stands_before(c, &x, &c->entries[j - 1]); j--)
            c->entries[j] = c->entries[j - 1];
        c->entries[j] = x;
    }
}

static enum status compare_with_reference(struct comparison *c, struct job *job, struct error *err)
{
    double *p = mem_new_raw(2 * c->n, sizeof *p, "p-values", err), *adjusted = p + c->n;
    enum status st = p ? ST_OK : ST_NOMEM;
    for (size_t i = 0; i < c->n && !st; i++) {
        struct compared *x = &c->entries[i];
        x->to = no_difference;
        if (i != c->reference && comparison_of_users(c))
            st = comparison_difference(c, i, c->reference, NULL, 0, &x->to, err);
        if (!st)
            st = job_check(job, err);
        p[i] = x->to.p;
    }
    if (!st)
        st = adjust_p(c->adjust, p, c->n, c->best ? c->n * (c->n - 1) / 2 : 0, adjusted, err);
    for (size_t i = 0; i < c->n && !st; i++)
        c->entries[i].to.adjusted = adjusted[i];
    mem_free(p);
    return st;
}

enum status comparison_make(struct comparison *c, const struct evaluation *const *e, const char *const *names, size_t n,
                            size_t baseline, struct job *job, struct error *err)
{
    c->n = n;
    c->nusers = e[0]->nusers;
    c->user = e[0]->user;
    c->warm = e[0]->warm;
    c->nwarm = 0;
    for (size_t u = 0; u < c->nusers; u++)
        c->nwarm += c->warm[u] != 0;
    c->ncold = c->nusers - c->nwarm;
    c->entries = mem_new(n, sizeof *c->entries, "a leaderboard", err);
    c->sum = mem_new(n * c->nusers, sizeof *c->sum, "metrics of users", err);
    c->count = mem_new(n * c->nusers, sizeof *c->count, "metrics of users", err);
    if (!c->entries || !c->sum || !c->count)
        return ST_NOMEM;
    for (size_t i = 0; i < n; i++) {
        c->entries[i].name = names[i];
        c->entries[i].e = e[i];
        c->entries[i].given = i;
    }
    order_entries(c);
    c->best = baseline >= n;
    c->reference = 0;
    for (size_t i = 0; i < n && !c->best; i++)
        if (c->entries[i].given == baseline)
            c->reference = i;
    enum status st = take_all(c, job, err);
    return st ? st : compare_with_reference(c, job, err);
}

void comparison_clear(struct comparison *c)
{
    mem_free(c->entries);
    mem_free(c->sum);
    mem_free(c->count);
    c->entries = NULL;
    c->sum = c->count = NULL;
}

/* ---- who loses ---- */

struct loss {
    double value;
    uint32_t user;
};

static int by_loss(const void *a, const void *b)
{
    const struct loss *x = a, *y = b;
    return x->value != y->value ? (x->value > y->value) - (x->value < y->value)
                                : (x->user > y->user) - (x->user < y->user);
}

enum status comparison_order_users(const struct comparison *c, size_t x, size_t y, uint32_t *out, size_t *n,
                                   struct error *err)
{
    struct loss *losses = mem_new_raw(c->nusers, sizeof *losses, "differences of users", err);
    double sign = comparison_sign(c) < 0 ? -1 : 1;
    *n = 0;
    if (!losses)
        return ST_NOMEM;
    for (uint32_t u = 0; u < c->nusers; u++) {
        double value = sign * (comparison_user(c, x, u) - comparison_user(c, y, u));
        if (!isnan(value))
            losses[(*n)++] = (struct loss){value, u};
    }
    qsort(losses, *n, sizeof *losses, by_loss);
    for (size_t i = 0; i < *n; i++)
        out[i] = losses[i].user;
    mem_free(losses);
    return ST_OK;
}
