/* EASE: a linear autoencoder with a closed form, and hard to beat.
 *
 *     min over B of |X - X B|^2 + lambda |B|^2  with  diag B = 0
 *
 * See ease_body.h for the solution, and for what is kept of it. */
#include <stdio.h>
#include <string.h>

#include "base/parallel.h"
#include "linalg/factor.h"
#include "models/classes.h"
#include "models/ease_body.h"
#include "models/item_weights.h"

enum { BAND = 256 }; /* rows that are copied together */

static const struct param params[] = {
    {.name = "lambda", .type = PARAM_REAL, .initial = "150", .min = 1e-3, .max = 1e9, .tune_min = 1, .tune_max = 5000,
     .log_scale = true, .doc = "ridge penalty: larger draws all weights towards 0; 50 to 100 suit sparse data with "
                               "many items, 300 to 1000 dense ones"},
    VALUES_PARAM,
};

static enum status ease_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    (void)err;
    *bytes = ease_body_bytes(m->nitems, csr_count(&t->interactions->matrix));
    return ST_OK;
}

static enum status ease_begin(struct model *m, const struct training *t, struct error *err)
{
    (void)t;
    return ease_body_new(m, err);
}

static enum status ease_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                              struct error *err)
{
    (void)epoch;
    (void)loss;
    struct csr x = t->interactions->matrix;
    if (!((const struct ease *)m->state)->weigh)
        x.value = NULL;
    *done = true;
    return ease_body_fit(m, &x, t->job, err);
}

/* ---- updating ---- */

struct widening {
    const struct ease *from;
    float *p;
    size_t known, n; /* items before and now */
    float alone;     /* P_ii of an item without events */
};

/* P with its diagonal, and new items as if nobody had touched them. */
static void widen_rows(void *context, size_t i, size_t begin, size_t end)
{
    (void)i;
    const struct widening *w = context;
    for (size_t r = begin; r < end; r++) {
        float *row = w->p + r * w->n;
        size_t copied = r < w->known ? w->known : 0;
        if (copied)
            memcpy(row, w->from->p + r * w->known, copied * sizeof *row);
        memset(row + copied, 0, (w->n - copied) * sizeof *row);
        row[r] = copied ? -1 / w->from->scale[r] : w->alone;
    }
}

static enum status ease_update(struct model *m, const struct update *u, bool *worth, struct error *err)
{
    char what[96];
    struct csr before = u->before->interactions->matrix, after = u->after->interactions->matrix;
    if (model_int(m, "values") == VALUES_BINARY)
        before.value = after.value = NULL;
    *worth = symmetric_inverse_update_rank(&before, &after, u->users, u->nusers) < m->nitems / 4;
    enum status st = *worth ? ease_body_new(m, err) : ST_OK;
    if (st || !*worth)
        return st;
    struct ease *s = m->state;
    struct widening w = {u->from->state, s->p, u->from->nitems, m->nitems, 1 / (float)model_real(m, "lambda")};
    parallel_blocks(m->nitems, BAND, widen_rows, &w);
    snprintf(what, sizeof what, "update %s", m->name);
    st = symmetric_inverse_update(s->p, m->nitems, &before, &after, u->users, u->nusers, u->after->job, what, err);
    *worth = st != ST_FORMAT && (st || ease_body_scale(s, m->nitems)); /* training says what is wrong, if anything is */
    if (!*worth)
        ease_body_free(m);
    return *worth ? st : ST_OK;
}

const struct model_class model_ease = {
    .name = "ease",
    .summary = "linear item-item weights in closed form",
    .reference = "Steck: Embarrassingly shallow autoencoders for sparse data, WWW 2019",
    .fold_in = "scores any history the same way as a known one: exactly the native score",
    .formula = "score = sum over the history of v x B[j][i]; B[j][i] = -P[j][i] / P[i][i], P = (X'X + lambda)^-1",
    .capabilities = CLOSED_FORM | ADDS_UP,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    .sibling = "sansa",
    .check = ease_check,
    .estimate = ease_body_estimate,
    .begin = ease_begin,
    .epoch = ease_epoch,
    .score = ease_body_score,
    .explain = ease_body_explain,
    .similar = ease_body_similar,
    .update = ease_update,
    .updated = "changes the inverse by the rows of changed users: what training makes, up to rounding; where their "
               "rank is above a quarter of the number of items, it trains anew",
    .retrained = ease_body_retrained,
    .save = ease_body_save,
    .load = ease_body_load,
    .free = ease_body_free,
};
