/* The body of the factor models of ratings, svd and svdpp:
 *
 *     r_ui = mean + deviation (b_u + b_i + q_i . (p_u + z_u)),    z_u = |N(u)|^-1/2 sum of y_j over N(u)
 *
 * N(u): what the user had, rated or not; without y_j (svd) z_u is 0. With ratings standardised to x_ui, minimised is
 *
 *     sum of (x_ui - b_u - b_i - q_i . (p_u + z_u))^2  +  lambda_bias (sum b_u^2 + sum b_i^2)
 *       +  lambda (sum n_u^nu |p_u|^2 + sum n_i^nu |q_i|^2)  +  lambda_implicit sum m_j^nu |y_j|^2
 *
 * over ratings, n of them at u or i, m_j users who had j. By turns: (p_u, b_u) of each user and (q_i, b_i) of each item
 * are small least squares, solved exactly; all y together take a few steps of conjugate gradients. Nothing is drawn but
 * the first q, and each sum has its order, so the bits do not depend on threads. The user of a history is solved from
 * its ratings by the turn of the users; so no user is kept. */
#ifndef TAILOR_MODELS_RATING_FACTORS_H
#define TAILOR_MODELS_RATING_FACTORS_H

#include "linalg/dense.h"
#include "models/ratings.h"

/* The parameters of both classes; svdpp has one in between. */
#define RATING_FACTORS_PARAMS(FACTORS, LAMBDA)                                                                         \
    {.name = "factors",                                                                                                \
     .type = PARAM_INT,                                                                                                \
     .initial = FACTORS,                                                                                               \
     .min = 1,                                                                                                         \
     .max = 500,                                                                                                       \
     .tune_min = 8,                                                                                                    \
     .tune_max = 128,                                                                                                  \
     .log_scale = true,                                                                                                \
     .doc = "length of the vectors"},                                                                                  \
        {.name = "epochs",                                                                                             \
         .type = PARAM_INT,                                                                                            \
         .initial = "16",                                                                                              \
         .min = 1,                                                                                                     \
         .max = 10000,                                                                                                 \
         .doc = "passes over users and items"},                                                                        \
        {.name = "lambda",                                                                                             \
         .type = PARAM_REAL,                                                                                           \
         .initial = LAMBDA,                                                                                            \
         .min = 1e-6,                                                                                                  \
         .max = 1e6,                                                                                                   \
         .tune_min = .1,                                                                                               \
         .tune_max = 10,                                                                                               \
         .log_scale = true,                                                                                            \
         .doc = "pull of vectors towards 0, for ratings of deviation 1"},                                              \
        {.name = "nu",                                                                                                 \
         .type = PARAM_REAL,                                                                                           \
         .initial = "0.5",                                                                                             \
         .min = 0,                                                                                                     \
         .max = 2,                                                                                                     \
         .tune_min = 0,                                                                                                \
         .tune_max = 1,                                                                                                \
         .doc = "how the pull grows with the number of ratings: 0 not at all, 1 in proportion"},                       \
    {                                                                                                                  \
        .name = "lambda_bias", .type = PARAM_REAL, .initial = "2", .min = 1e-6, .max = 1e6, .tune_min = 1,             \
        .tune_max = 50, .log_scale = true, .doc = "pull of biases towards 0, in ratings"                               \
    }
#define RATING_FACTORS_INIT                                                                                           \
    {.name = "init", .type = PARAM_REAL, .initial = "0.1", .min = 1e-6, .max = 10,                                    \
     .doc = "spread of the first vectors, times the root of factors"}

struct rating_factors {
    size_t nitems, f;
    double mean, deviation;
    double lambda, nu, lambda_bias, lambda_implicit;
    float *q;           /* nitems x (f + 1): q_i, then 1 */
    float *bias;        /* nitems */
    float *implied;     /* nitems x f: y_j; NULL for svd */
    float *vectors;     /* nitems x (f + 2): q_i, 1, b_i */
    struct dots panels; /* vectors, for scoring */
    struct rating_work *work; /* while training */
};

/* Slots of both classes; m->state is a struct rating_factors. Parameters: factors, epochs, lambda, nu, lambda_bias,
 * init, and for svdpp lambda_implicit. */
enum status rating_factors_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err);
enum status rating_factors_begin(struct model *m, const struct training *t, struct error *err);
enum status rating_factors_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                                 struct error *err);
enum status rating_factors_resume(struct model *m, const struct model *from, const struct training *t,
                                  struct blob_reader *r, bool *same, struct error *err);
enum status rating_factors_end(struct model *m, const struct training *t, struct error *err);
enum status rating_factors_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                                 struct error *err);
enum status rating_factors_fold(const struct model *m, const struct query *queries, size_t n, float *x,
                                struct error *err);
enum status rating_factors_native(const struct model *m, uint32_t user, float *scores, struct error *err);
enum status rating_factors_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                                   struct error *err);
enum status rating_factors_similar(const struct model *m, uint32_t item, float *similarity, struct error *err);
const float *rating_factors_vectors(const struct model *m, size_t *width);
enum status rating_factors_save(const struct model *m, struct blob_writer *w, struct error *err);
enum status rating_factors_load(struct model *m, struct blob_reader *r, struct error *err);
void rating_factors_free(struct model *m);

/* All of them. */
#define RATING_FACTORS_SLOTS                                                                                    \
    .check = rating_factors_check, .begin = rating_factors_begin, .epoch = rating_factors_epoch,                \
    .end = rating_factors_end, .score = rating_factors_score, .explain = rating_factors_explain,                \
    .similar = rating_factors_similar, .vectors = rating_factors_vectors, .fold = rating_factors_fold,          \
    .native = rating_factors_native, .resume = rating_factors_resume, .save = rating_factors_save,              \
    .load = rating_factors_load, .free = rating_factors_free

/* For tests: the objective above, and what stands in it while training. */
struct rating_work {
    struct ratings ratings;
    struct csr had, had_by; /* N(u), and who had an item; without values; empty for svd */
    float *p;               /* users x (f + 1): p_u, then 1 */
    float *x;               /* users x (f + 1): p_u + z_u, then 1: p itself for svd */
    float *user_bias;
    float *z;               /* users x f; NULL for svd */
};
double rating_factors_objective(const struct rating_factors *s);

#endif
