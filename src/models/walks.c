/* Walks of three steps over the graph of users and items: from an item of the history to a user, to an item of theirs.
 *
 *     score(h, i) = sum over j in h of  v_j * W[j][i]
 *     W[j][i]     = sum over users u of  p(j -> u)^alpha * p(u -> i)^alpha / n_i^beta
 *
 * p(j -> u) = x_uj / sum over users, p(u -> i) = x_ui / sum over items, n_i the users of i. P3alpha has beta 0; RP3beta
 * damps popular items. A weight is multiplied by c / (c + shrink) for the c users it rests on; each row keeps its
 * `neighbours` largest, and is divided by their sum with normalize=yes. The powers come apart into an entry, a user, a
 * source and a target: X^alpha' D X^alpha, scaled. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "models/classes.h"
#include "models/item_weights.h"

#define WALK_PARAMS                                                                                                    \
    {.name = "neighbours",                                                                                             \
     .type = PARAM_INT,                                                                                                \
     .initial = "200",                                                                                                 \
     .min = 1,                                                                                                         \
     .max = 1e6,                                                                                                       \
     .tune_min = 50,                                                                                                   \
     .tune_max = 1000,                                                                                                 \
     .log_scale = true,                                                                                                \
     .doc = "likeliest items kept for each item"},                                                                     \
    {                                                                                                                  \
        .name = "alpha", .type = PARAM_REAL, .initial = "0.6", .min = 0, .max = 10, .tune_min = .2, .tune_max = 1.6,   \
        .doc = "power of the probabilities of a step; 1 is the plain walk"                                             \
    }

#define WALK_ENDING_PARAMS                                                                                             \
    {.name = "shrink",                                                                                                 \
     .type = PARAM_REAL,                                                                                               \
     .initial = "0",                                                                                                   \
     .min = 0,                                                                                                         \
     .max = 1e9,                                                                                                       \
     .tune_min = .1,                                                                                                   \
     .tune_max = 10,                                                                                                   \
     .log_scale = true,                                                                                                \
     .doc = "draws weights that rest on few walks towards 0; 0: the plain walk"},                                      \
        {.name = "normalize",                                                                                          \
         .type = PARAM_BOOL,                                                                                           \
         .initial = "no",                                                                                              \
         .doc = "let the weights of each item's neighbours sum to 1"},                                                 \
        VALUES_PARAM

static const struct param p3alpha_params[] = {
    WALK_PARAMS,
    WALK_ENDING_PARAMS,
};

static const struct param rp3beta_params[] = {
    WALK_PARAMS,
    {.name = "beta", .type = PARAM_REAL, .initial = "0.4", .min = 0, .max = 10, .tune_min = .05, .tune_max = 1,
     .doc = "how much popular items are damped: divided by their number of users to this power"},
    WALK_ENDING_PARAMS,
};

static enum status walk_begin(struct model *m, const struct training *t, struct error *err)
{
    (void)t;
    return item_weights_new(m, err);
}

/* (sum of each row)^-power, 0 for an empty one. */
static float *row_scales(const struct csr *m, double power, bool count, struct error *err)
{
    float *scale = mem_new_raw(m->rows, sizeof *scale, "steps of a walk", err);
    for (size_t r = 0; scale && r < m->rows; r++) {
        double sum = (double)(m->begin[r + 1] - m->begin[r]);
        if (m->value && !count) {
            sum = 0;
            for (size_t e = m->begin[r]; e < m->begin[r + 1]; e++)
                sum += (double)m->value[e];
        }
        scale[r] = sum > 0 ? (float)pow(sum, -power) : 0;
    }
    return scale;
}

static void raise(struct csr *m, double power)
{
    for (size_t e = 0; m->value && e < csr_count(m); e++)
        m->value[e] = (float)pow((double)m->value[e], power);
}

/* X^alpha both ways, and what users, sources and targets divide by. */
static enum status make_graph(const struct model *m, const struct interactions *in, struct item_product *g,
                              struct error *err)
{
    double alpha = model_real(m, "alpha");
    bool damped = param_index(m->class->params, m->class->nparams, "beta") < m->class->nparams;
    enum status st = item_product_copy(in, ((const struct item_weights *)m->state)->weigh, g, err);
    if (!st)
        st = csr_transpose(&g->x, &g->xt, err);
    if (st)
        return st;
    g->user = row_scales(&g->x, alpha, false, err);
    g->source = row_scales(&g->xt, alpha, false, err);
    g->target = row_scales(&g->xt, damped ? model_real(m, "beta") : 0, true, err);
    raise(&g->x, alpha);
    raise(&g->xt, alpha);
    g->product = (struct sparse_product){.a = &g->xt,
                                         .b = &g->x,
                                         .inner = g->user,
                                         .row = g->source,
                                         .column = g->target,
                                         .shrink = (float)model_real(m, "shrink"),
                                         .kept = (size_t)model_int(m, "neighbours")};
    return g->user && g->source && g->target ? ST_OK : ST_NOMEM;
}

static void normalize(struct csr *rows)
{
    for (size_t r = 0; r < rows->rows; r++) {
        double sum = 0;
        for (size_t e = rows->begin[r]; e < rows->begin[r + 1]; e++)
            sum += (double)rows->value[e];
        for (size_t e = rows->begin[r]; e < rows->begin[r + 1]; e++)
            rows->value[e] = (float)((double)rows->value[e] / sum);
    }
}

static enum status walk_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                              struct error *err)
{
    (void)epoch;
    (void)loss;
    job_begin(t->job, m->nitems, "items", "train %s: walking", m->name);
    enum status st = item_weights_train(m, t, make_graph, err);
    if (!st && model_int(m, "normalize"))
        normalize(&((struct item_weights *)m->state)->rows);
    *done = true;
    return st;
}

/* Of a row that was normalized the weights before are gone. */
static enum status walk_update(struct model *m, const struct update *u, bool *worth, struct error *err)
{
    *worth = !model_int(m, "normalize");
    return *worth ? item_weights_update(m, u, make_graph, worth, err) : ST_OK;
}

#define WALK_SLOTS                                                                                                                  \
    .fold_in = "scores any history the same way as a known one: exactly the native score",                                          \
    .capabilities = CLOSED_FORM | SCORES_APART | ADDS_UP, .check = item_weights_check, .begin = walk_begin,                         \
    .epoch = walk_epoch, .score = item_weights_score, .rows = item_weights_rows,                                                    \
    .explain = item_weights_explain, .similar = item_weights_similar, .update = walk_update,                                        \
    .updated =                                                                                                                      \
        "makes the rows of items anew that changed users have or had, and in the other rows what lies on items with more or fewer " \
        "users: the same bits as training; with normalize=yes, or where that is most of the work, it trains anew",                  \
    .save = item_weights_save, .load = item_weights_load, .free = item_weights_free

const struct model_class model_p3alpha = {
    .name = "p3alpha",
    .summary = "where a random walk of three steps from the history's items ends",
    .reference = "Cooper, Lee, Radzik, Siantos: Random walks in recommender systems: exact computation and "
                 "simulations, WWW 2014",
    .params = p3alpha_params,
    .nparams = sizeof p3alpha_params / sizeof *p3alpha_params,
    WALK_SLOTS,
};

const struct model_class model_rp3beta = {
    .name = "rp3beta",
    .summary = "where a random walk of three steps ends, popular items damped",
    .reference = "Paudel, Christoffel, Newell, Bernstein: Updatable, accurate, diverse, and scalable recommendations "
                 "for interactive applications, ACM TiiS 7(1), 2017",
    .params = rp3beta_params,
    .nparams = sizeof rp3beta_params / sizeof *rp3beta_params,
    WALK_SLOTS,
};
