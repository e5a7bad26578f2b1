/* The body of the models that learn vectors of users and items by stochastic gradient descent (sgd.h) and fold
 * histories in by least squares on the item vectors (least_squares.h) or by the logistic objective itself (logistic.h).
 * A class of this kind is its parameters and what it learns from an event. */
#ifndef TAILOR_MODELS_GRADIENT_H
#define TAILOR_MODELS_GRADIENT_H

#include "models/factors.h"
#include "models/least_squares.h"
#include "models/logistic.h"
#include "models/sgd.h"

/* The parameters that all of them have; the class says its defaults. Those that fold in by least squares have two more.
 */
#define GRADIENT_PARAMS(FACTORS, EPOCHS, RATE, L2, INIT)                                                               \
    {.name = "factors",                                                                                                \
     .type = PARAM_INT,                                                                                                \
     .initial = FACTORS,                                                                                               \
     .min = 1,                                                                                                         \
     .max = 512,                                                                                                       \
     .tune_min = 16,                                                                                                   \
     .tune_max = 256,                                                                                                  \
     .log_scale = true,                                                                                                \
     .doc = "length of the vectors"},                                                                                  \
        {.name = "epochs",                                                                                             \
         .type = PARAM_INT,                                                                                            \
         .initial = EPOCHS,                                                                                            \
         .min = 1,                                                                                                     \
         .max = 10000,                                                                                                 \
         .tune_min = 10,                                                                                               \
         .tune_max = 100,                                                                                              \
         .log_scale = true,                                                                                            \
         .doc = "passes over the observed pairs"},                                                                     \
        {.name = "rate",                                                                                               \
         .type = PARAM_REAL,                                                                                           \
         .initial = RATE,                                                                                              \
         .min = 1e-6,                                                                                                  \
         .max = 10,                                                                                                    \
         .tune_min = .01,                                                                                              \
         .tune_max = .3,                                                                                               \
         .log_scale = true,                                                                                            \
         .doc = "learning rate of the first epoch"},                                                                   \
        {.name = "schedule",                                                                                           \
         .type = PARAM_ENUM,                                                                                           \
         .initial = "linear",                                                                                          \
         .choices = "linear|cosine|constant",                                                                          \
         .doc = "how the learning rate falls to 0 over the epochs, if it does"},                                       \
        {.name = "l2",                                                                                                 \
         .type = PARAM_REAL,                                                                                           \
         .initial = L2,                                                                                                \
         .min = 0,                                                                                                     \
         .max = 10,                                                                                                    \
         .tune_min = .001,                                                                                             \
         .tune_max = .1,                                                                                               \
         .log_scale = true,                                                                                            \
         .doc = "pull of vectors and biases towards 0, at each step that changes them"},                               \
        {.name = "bias", .type = PARAM_BOOL, .initial = "no", .doc = "learn a bias of each item too"},                 \
    {                                                                                                                  \
        .name = "init", .type = PARAM_REAL, .initial = INIT, .min = 1e-6, .max = 10,                                   \
        .doc = "spread of the first vectors, times the root of factors"                                                \
    }
#define LEAST_SQUARES_PARAMS                                                                                            \
    {.name = "fold_alpha0",                                                                                             \
     .type = PARAM_REAL,                                                                                                \
     .min = 1e-9,                                                                                                       \
     .max = 1e6,                                                                                                        \
     .doc =                                                                                                             \
         "folding in: weight of all items against 1 for one of the history; left out: fitted to the vectors of users"}, \
    {                                                                                                                   \
        .name = "fold_lambda", .type = PARAM_REAL, .min = 1e-6, .max = 1e6,                                             \
        .doc = "folding in: pull of the vector of a history towards 0; left out: fitted to the vectors of users"        \
    }

/* What the slot `update` of all of them does. */
#define GRADIENT_UPDATED                                                                                                          \
    "draws vectors of new items and learns ten epochs from the users who changed and ten others for each: its lists are as far "  \
    "from those of training anew as two trainings with other seeds are from each other (measured on MovieLens 100K); where that " \
    "is half the work of training, it trains anew"

struct gradient {
    struct factors items; /* k components, and the bias when there is one */
    bool stale;           /* they are not yet packed */
    struct least_squares fold;
    struct logistic logistic; /* instead, of classes without LEAST_SQUARES_PARAMS; else empty */
    /* while training */
    struct sgd sgd;
    struct csr sample; /* rows of some users, by which folding in is fitted */
    uint32_t *sampled; /* these users */
    double going[2];   /* the weights of fold without what is fitted to the last epoch alone */
};

/* One epoch by the learner; then the items are ready to be asked. ST_FORMAT when the vectors have grown without bound.
 */
MUST_CHECK enum status gradient_epoch(struct model *m, const struct training *t, size_t epoch, sgd_learner *learner,
                                      const void *context, bool *done, double *loss, struct error *err);

/* For the slot `update`, by the learner of the epochs: users who changed, and some of the others, learn with the items
 * once more. The random streams follow from the seed and the number of events. */
MUST_CHECK enum status gradient_update(struct model *m, const struct update *u, sgd_learner *learner,
                                       const void *context, bool *worth, struct error *err);

/* While training: the vector that the user has by now, of k components; up to `steps` steps towards the weights of
 * folding in whose scores are most like those of such vectors (gradient_fold.c). */
void gradient_trained_vector(const struct gradient *g, uint32_t user, float *x);
MUST_CHECK enum status gradient_fit_fold(struct gradient *g, const struct model *m, size_t steps, struct error *err);

/* Slots of the class. */
enum status gradient_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err);
enum status gradient_begin(struct model *m, const struct training *t, struct error *err);
enum status gradient_pause(const struct model *m, struct blob_writer *w, struct error *err);
enum status gradient_resume(struct model *m, const struct model *from, const struct training *t, struct blob_reader *r,
                            bool *same, struct error *err);
enum status gradient_ready(struct model *m, struct error *err);
enum status gradient_end(struct model *m, const struct training *t, struct error *err);
enum status gradient_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                           struct error *err);
enum status gradient_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                             struct error *err);
enum status gradient_similar(const struct model *m, uint32_t item, float *similarity, struct error *err);
const float *gradient_vectors(const struct model *m, size_t *width);
enum status gradient_fold(const struct model *m, const struct query *queries, size_t n, float *x, struct error *err);
enum status gradient_native(const struct model *m, uint32_t user, float *scores, struct error *err);
enum status gradient_save(const struct model *m, struct blob_writer *w, struct error *err);
enum status gradient_load(struct model *m, struct blob_reader *r, struct error *err);
void gradient_free(struct model *m);
/* All slots but epoch and update, which name the learner. */
#define GRADIENT_SLOTS                                                                                          \
    .check = gradient_check, .begin = gradient_begin, .end = gradient_end, .ready = gradient_ready,             \
    .score = gradient_score, .explain = gradient_explain, .similar = gradient_similar,                          \
    .vectors = gradient_vectors, .fold = gradient_fold, .native = gradient_native, .pause = gradient_pause,     \
    .resume = gradient_resume, .save = gradient_save, .load = gradient_load, .free = gradient_free

#endif
