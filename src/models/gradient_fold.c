/* Fitting how histories are folded in: the weights of the least squares whose scores are most like those of the vectors
 * that users have while training. */
#include "models/gradient.h"

#include "base/mem.h"

struct fit {
    struct gradient *g;
    float *x, *meant;
    double likeness; /* of g->fold as it stands */
};

/* Takes other weights when they are better. */
static enum status try_weights(struct fit *f, double alpha0, double lambda, bool *better, struct error *err)
{
    struct least_squares other = f->g->fold;
    other.alpha0 = alpha0;
    other.lambda = lambda;
    double likeness = 0;
    enum status st = least_squares_solve(&other, &f->g->sample, f->x, err);
    if (!st)
        st = least_squares_likeness(&other, f->x, f->meant, f->g->sample.rows, &likeness, err);
    if (!st && likeness > f->likeness) {
        f->g->fold = other;
        f->likeness = likeness;
        *better = true;
    }
    return st;
}

/* One step up the hill: each weight a factor up or down. The hill moves little from epoch to epoch. */
static enum status climb(struct fit *f, const struct model *m, bool *better, struct error *err)
{
    const struct least_squares *fold = &f->g->fold;
    double alpha0 = fold->alpha0, lambda = fold->lambda, all = alpha0 * (double)m->nitems;
    enum status st = ST_OK;
    *better = false;
    if (!model_has(m, "fold_lambda") && lambda < 1e3)
        st = try_weights(f, alpha0, lambda * 2, better, err);
    if (!st && !model_has(m, "fold_lambda") && lambda > 1e-2)
        st = try_weights(f, alpha0, lambda / 2, better, err);
    if (!st && !model_has(m, "fold_alpha0") && all < 1e5)
        st = try_weights(f, alpha0 * 2, lambda, better, err);
    if (!st && !model_has(m, "fold_alpha0") && all > 8)
        st = try_weights(f, alpha0 / 2, lambda, better, err);
    return st;
}

enum status gradient_fit_fold(struct gradient *g, const struct model *m, size_t steps, struct error *err)
{
    size_t rows = g->sample.rows, k = g->items.k;
    bool better = true;
    struct fit f = {.g = g, .likeness = -2};
    f.x = mem_new_raw(rows * k, sizeof *f.x, "vectors of histories", err);
    f.meant = mem_new_raw(rows * k, sizeof *f.meant, "vectors of users", err);
    enum status st = f.x && f.meant ? ST_OK : ST_NOMEM;
    for (size_t r = 0; r < rows && !st; r++)
        gradient_trained_vector(g, g->sampled[r], f.meant + r * k);
    if (!st)
        st = try_weights(&f, g->fold.alpha0, g->fold.lambda, &better, err);
    for (size_t i = 0; i < steps && better && !st; i++) {
        st = climb(&f, m, &better, err);
        if (!i) {
            g->going[0] = g->fold.alpha0;
            g->going[1] = g->fold.lambda;
        }
    }
    mem_free(f.x);
    mem_free(f.meant);
    return st;
}
