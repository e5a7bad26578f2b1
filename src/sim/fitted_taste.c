/* What people of a log like: a factorization of what they did, and a regression of what each did last on its scores and
 * on popularity. */
#include "sim/fitted.h"

#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "models/driver.h"

enum { TASTE_SAMPLE = 4000, NEGATIVES = 4, LEVEL_USERS = 300, LEVEL_ITEMS = 60 };

static enum status train_taste(struct fitted *f, const struct selection *known, uint64_t seed, struct job *job,
                               struct error *err)
{
    const struct model_class *class = model_class_find("ials");
    struct param_value values[32] = {0};
    char factors[16];
    if (!class || class->nparams > sizeof values / sizeof *values)
        return error_set(err, ST_UNSUPPORTED, "a fitted world needs the model class ials");
    size_t k = param_index(class->params, class->nparams, "factors");
    snprintf(factors, sizeof factors, "%d", TASTE_FACTORS);
    enum status st = param_defaults(class->params, class->nparams, values, err);
    if (!st && k < class->nparams) {
        param_values_free(&values[k], 1);
        st = param_parse(&class->params[k], factors, &values[k], err);
    }
    if (!st)
        st = model_train(class, "world", values, known, seed, NULL, job, &f->taste, err);
    param_values_free(values, class->nparams);
    return st;
}

/* One row of the regression: a pair of user and item, and whether it was the user's last event. */
struct pair {
    double x[3]; /* 1, standardised score, fame */
    double label;
};

/* Newton's method for a logistic regression with a little ridge: 3 unknowns, so a few steps are all. */
static enum status regress(const struct pair *pair, size_t n, double *beta, struct error *err)
{
    double h[9], g[3];
    beta[0] = beta[1] = beta[2] = 0;
    for (int step = 0; step < 30; step++) {
        memset(h, 0, sizeof h);
        for (int a = 0; a < 3; a++) {
            g[a] = -1e-3 * beta[a];
            h[4 * a] = 1e-3;
        }
        for (size_t k = 0; k < n; k++) {
            const double *x = pair[k].x;
            double p = logistic(beta[0] * x[0] + beta[1] * x[1] + beta[2] * x[2]);
            for (int a = 0; a < 3; a++) {
                g[a] += (pair[k].label - p) * x[a];
                for (int b = 0; b < 3; b++)
                    h[3 * a + b] += p * (1 - p) * x[a] * x[b];
            }
        }
        gsl_matrix_view hessian = gsl_matrix_view_array(h, 3, 3);
        gsl_vector_view change = gsl_vector_view_array(g, 3);
        if (gsl_linalg_cholesky_decomp1(&hessian.matrix) || gsl_linalg_cholesky_svx(&hessian.matrix, &change.vector))
            return error_set(err, ST_INTERNAL, "the regression of the fitted world did not settle");
        for (int a = 0; a < 3; a++)
            beta[a] += g[a];
        if (fabs(g[0]) + fabs(g[1]) + fabs(g[2]) < 1e-8)
            break;
    }
    return ST_OK;
}

/* Mean and deviation of the scores that users give to all items, over a sample. */
static void standardise(struct fitted *f, const struct guest *g, double *sum, double *square, double *n)
{
    for (uint32_t i = 0; i < f->d->items.n; i++) {
        *sum += (double)g->score[i];
        *square += (double)g->score[i] * (double)g->score[i];
    }
    *n += f->d->items.n;
}

static void add_pair(struct pair *pair, size_t *n, const struct fitted *f, const struct guest *g, uint32_t item,
                     bool last)
{
    pair[(*n)++] = (struct pair){{1, (double)g->score[item], (double)f->fame[item]}, last};
}

/* The user's last event against items at random. */
static enum status gather_pairs(struct fitted *f, const struct split *split, struct guest *g, uint64_t seed,
                                struct pair *pair, size_t *npairs, struct job *job, struct error *err)
{
    const struct dataset *d = f->d;
    struct selection known = {.data = d, .split = split, .parts = PART_TRAIN, .until = NO_TIME};
    struct rng r = rng_stream(seed, "fitted pairs", 0);
    double sum = 0, square = 0, n = 0;
    enum status st = ST_OK;
    for (uint32_t k = 0; k < TASTE_SAMPLE && !st; k++) {
        uint32_t user = d->users.n <= TASTE_SAMPLE ? k : (uint32_t)rng_below(&r, d->users.n);
        if (user >= d->users.n)
            break;
        uint32_t last = NO_ITEM;
        for (size_t e = d->user_begin[user]; e < d->user_begin[user + 1]; e++)
            if (split->part[e] == PART_TEST)
                last = d->events.item[e];
        if (last == NO_ITEM)
            continue;
        st = job_check(job, err);
        if (!st)
            st = fitted_score(f, g, &known, user, err);
        if (st)
            break;
        add_pair(pair, npairs, f, g, last, true);
        for (int j = 0; j < NEGATIVES; j++)
            add_pair(pair, npairs, f, g, (uint32_t)rng_below(&r, d->items.n), false);
        standardise(f, g, &sum, &square, &n);
    }
    f->mean = n > 0 ? sum / n : 0;
    f->deviation = n > 0 ? sqrt(fmax(1e-12, square / n - f->mean * f->mean)) : 1;
    for (size_t k = 0; k < *npairs; k++)
        pair[k].x[1] = (pair[k].x[1] - f->mean) / f->deviation;
    return st;
}

/* Makes slates drawn by popularity get the click rate of the log: solved by halving. */
static enum status find_level(struct fitted *f, struct guest *g, unsigned slate, uint64_t seed, struct error *err)
{
    struct selection all = everything(f->d);
    struct rng r = rng_stream(seed, "fitted level", 0);
    double looked = 0, *x = mem_new((size_t)LEVEL_USERS * LEVEL_ITEMS, sizeof *x, "sample of tastes", err);
    size_t n = 0;
    enum status st = x ? ST_OK : ST_NOMEM;
    for (int k = 0; k < LEVEL_USERS && !st; k++) {
        st = fitted_score(f, g, &all, (uint32_t)rng_below(&r, f->d->users.n), err);
        for (int j = 0; j < LEVEL_ITEMS && !st; j++)
            x[n++] = fitted_odds(f, g->score, rng_weighted(&r, f->cumulative, f->d->items.n));
    }
    for (unsigned k = 0; k < slate; k++)
        looked += f->examined[k] / slate;
    double low = -40, high = 40, target = fmin(.95, f->ctr / looked);
    for (int step = 0; step < 60 && !st; step++) {
        double mid = (low + high) / 2, mean = 0;
        for (size_t k = 0; k < n; k++)
            mean += logistic(mid + x[k]) / (double)n;
        *(mean > target ? &high : &low) = mid;
    }
    f->level = (low + high) / 2;
    mem_free(x);
    return st;
}

enum status fitted_taste(struct environment *e, const struct fit_options *o, struct job *job, struct error *err)
{
    struct fitted *f = e->state;
    struct split_spec last = {.kind = SPLIT_LAST, .last = 1, .at = NO_TIME, .seed = o->seed};
    struct split *split = NULL;
    struct guest *g = NULL;
    size_t npairs = 0;
    double beta[3];
    struct pair *pair = mem_new((size_t)TASTE_SAMPLE * (1 + NEGATIVES), sizeof *pair, "pairs to learn from", err);
    enum status st = pair ? split_new(f->d, &last, &split, err) : ST_NOMEM;
    struct selection known = {.data = f->d, .split = split, .parts = PART_TRAIN, .until = NO_TIME};
    if (!st)
        st = train_taste(f, &known, o->seed, job, err);
    if (!st)
        st = fitted_guest_new(e, &g, err);
    if (!st)
        st = gather_pairs(f, split, g, o->seed, pair, &npairs, job, err);
    if (!st && npairs < 2 * (1 + NEGATIVES))
        st = error_set(err, ST_STATE, "fitting a world needs at least two users with two events or more");
    if (!st)
        st = regress(pair, npairs, beta, err);
    if (!st) {
        f->slope = fmax(0, beta[1]);
        f->fame_slope = beta[2];
        st = find_level(f, g, o->slate, o->seed, err);
    }
    fitted_guest_free(g);
    split_release(split);
    mem_free(pair);
    return st;
}
