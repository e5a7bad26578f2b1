/* The body of implicit alternating least squares: a vector for each user and item, whose products tell who will like
 * what.
 *
 * Minimised, over user vectors x_u and item vectors y_i of k factors (S: the observed pairs, w: 1 or their weight):
 *
 *     sum over S of w_ui (1 - x_u.y_i)^2  +  alpha0 * sum over all pairs of (x_u.y_i)^2
 *       +  lambda * [ sum_u (n_u + alpha0 I)^nu |x_u|^2  +  sum_i (n_i + alpha0 U)^nu |y_i|^2 ]
 *
 * With one side fixed, each row of the other has the normal equations of linalg/normal.h, with G = alpha0 Y'Y and
 * ridge = lambda (n_u + alpha0 I)^nu; the classes differ in how they solve them. A row is solved by one worker and Y'Y
 * is summed over fixed chunks, so the bits do not depend on threads. Users are not kept: a history, known or not, gets
 * its vector from the same equations, solved exactly (linalg/ridge.h). */
#ifndef TAILOR_MODELS_ALS_H
#define TAILOR_MODELS_ALS_H

#include "linalg/normal.h"
#include "linalg/ridge.h"
#include "models/factors.h"

/* The parameters of the objective: the same in all classes. */
#define ALS_PARAMS                                                                                                            \
    {.name = "factors",                                                                                                       \
     .type = PARAM_INT,                                                                                                       \
     .initial = "64",                                                                                                         \
     .min = 1,                                                                                                                \
     .max = 512,                                                                                                              \
     .tune_min = 16,                                                                                                          \
     .tune_max = 256,                                                                                                         \
     .log_scale = true,                                                                                                       \
     .doc = "length of the vectors"},                                                                                         \
        {.name = "epochs",                                                                                                    \
         .type = PARAM_INT,                                                                                                   \
         .initial = "16",                                                                                                     \
         .min = 1,                                                                                                            \
         .max = 10000,                                                                                                        \
         .doc = "passes over users and items"},                                                                               \
        {.name = "lambda",                                                                                                    \
         .type = PARAM_REAL,                                                                                                  \
         .initial = "0.005",                                                                                                  \
         .min = 0,                                                                                                            \
         .max = 1e9,                                                                                                          \
         .tune_min = 1e-4,                                                                                                    \
         .tune_max = .1,                                                                                                      \
         .log_scale = true,                                                                                                   \
         .doc = "pull of vectors towards 0"},                                                                                 \
        {.name = "alpha0",                                                                                                    \
         .type = PARAM_REAL,                                                                                                  \
         .min = 1e-6,                                                                                                         \
         .max = 1e6,                                                                                                          \
         .tune_min = .003,                                                                                                    \
         .tune_max = 1,                                                                                                       \
         .log_scale = true,                                                                                                   \
         .doc =                                                                                                               \
             "weight of all pairs, observed or not, against 1 for an observed one; left out: the share of observed pairs to " \
             "the power of 0.6"},                                                                                             \
        {.name = "nu",                                                                                                        \
         .type = PARAM_REAL,                                                                                                  \
         .initial = "1",                                                                                                      \
         .min = 0,                                                                                                            \
         .max = 2,                                                                                                            \
         .tune_min = 0,                                                                                                       \
         .tune_max = 1,                                                                                                       \
         .when = "lambda>0",                                                                                                  \
         .doc = "how the pull grows with the number of events: 0 not at all, 1 in proportion"},                               \
        {.name = "init",                                                                                                      \
         .type = PARAM_REAL,                                                                                                  \
         .initial = "0.1",                                                                                                    \
         .min = 1e-6,                                                                                                         \
         .max = 10,                                                                                                           \
         .doc = "spread of the first vectors, times the root of factors"},                                                    \
    {                                                                                                                         \
        .name = "values", .type = PARAM_ENUM, .initial = "binary", .choices = "binary|weight",                                \
        .doc = "observed pairs weigh 1 each, or the summed weight of their events"                                            \
    }

/* How a row is solved in training. */
enum als_solver { ALS_EXACT, ALS_CONJUGATE, ALS_SWEEP };
struct als_way {
    enum als_solver solver;
    size_t amount; /* ALS_CONJUGATE: steps; ALS_SWEEP: components of a block */
};

/* The state of a model. */
struct als {
    struct factors items;
    struct ridge fold; /* of items.y: how histories are folded in */
    bool stale;        /* fold and the packed items are not yet those of items.y */
    double lambda, alpha0, nu;
    bool weigh; /* values=weight */
    /* while training */
    struct als_way way;
    struct normal users; /* the equations of users */
    float *g, *x;        /* their G; users x k */
    struct csr by_item;  /* items x users */
};

/* The slots of a class; begin takes the way, too. */
MUST_CHECK enum status als_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err);
MUST_CHECK enum status als_begin(struct model *m, const struct training *t, struct als_way way, struct error *err);
MUST_CHECK enum status als_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                                 struct error *err);
MUST_CHECK enum status als_ready(struct model *m, struct error *err);
MUST_CHECK enum status als_end(struct model *m, const struct training *t, struct error *err);
MUST_CHECK enum status als_pause(const struct model *m, struct blob_writer *w, struct error *err);
MUST_CHECK enum status als_resume(struct model *m, const struct model *from, const struct training *t,
                                  struct blob_reader *r, bool *same, struct error *err);
MUST_CHECK enum status als_update(struct model *m, const struct update *u, bool *worth, struct error *err);
MUST_CHECK enum status als_fold(const struct model *m, const struct query *queries, size_t n, float *x,
                                struct error *err);
MUST_CHECK enum status als_native(const struct model *m, uint32_t user, float *scores, struct error *err);
MUST_CHECK enum status als_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                                 struct error *err);
MUST_CHECK enum status als_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                                   struct error *err);
MUST_CHECK enum status als_similar(const struct model *m, uint32_t item, float *similarity, struct error *err);
MUST_CHECK enum status als_save(const struct model *m, struct blob_writer *w, struct error *err);
MUST_CHECK enum status als_load(struct model *m, struct blob_reader *r, struct error *err);
const float *als_vectors(const struct model *m, size_t *width);
void als_free(struct model *m);
/* All slots but begin. */
#define ALS_SLOTS                                                                                                      \
    .check = als_check, .epoch = als_epoch, .end = als_end, .ready = als_ready, .score = als_score,                    \
    .explain = als_explain, .similar = als_similar, .vectors = als_vectors, .fold = als_fold, .native = als_native,    \
    .pause = als_pause, .resume = als_resume, .update = als_update, .save = als_save, .load = als_load,                \
    .free = als_free,                                                                                                  \
    .updated =                                                                                                         \
        "solves for all users, then for the items of changed ones; other items stay as they are, so it comes near to " \
        "training but not up to it: check=yes tells how near; where a quarter of the users have changed, it trains anew"

#endif
