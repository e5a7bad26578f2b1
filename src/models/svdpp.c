/* SVD++: the factors of ratings, and what users had without a word about it. The work is rating_factors.c. */
#include "models/classes.h"
#include "models/rating_factors.h"

static const struct param params[] = {
    {.name = "factors", .type = PARAM_INT, .initial = "32", .min = 1, .max = 500, .tune_min = 8, .tune_max = 128, .log_scale = true,
     .doc = "length of the vectors"},
    {.name = "epochs", .type = PARAM_INT, .initial = "16", .min = 1, .max = 10000, .doc = "passes over users and items"},
    {.name = "lambda", .type = PARAM_REAL, .initial = "1.5", .min = 1e-6, .max = 1e6, .tune_min = .1, .tune_max = 10, .log_scale = true,
     .doc = "pull of vectors towards 0, for ratings of deviation 1"},
    {.name = "nu", .type = PARAM_REAL, .initial = "0.5", .min = 0, .max = 2, .tune_min = 0, .tune_max = 1,
     .doc = "how the pull grows with the number of ratings: 0 not at all, 1 in proportion"},
    {.name = "lambda_bias", .type = PARAM_REAL, .initial = "2", .min = 1e-6, .max = 1e6, .tune_min = 1, .tune_max = 50, .log_scale = true,
     .doc = "pull of biases towards 0, in ratings"},
    {.name = "lambda_implicit", .type = PARAM_REAL, .initial = "5", .min = 1e-6, .max = 1e6, .tune_min = .5, .tune_max = 50, .log_scale = true,
     .doc = "pull of the vectors of what users had towards 0"},
    {.name = "init", .type = PARAM_REAL, .initial = "0.1", .min = 1e-6, .max = 10, .doc = "spread of the first vectors, times the root of factors"},
};

const struct model_class model_svdpp = {
    .name = "svdpp",
    .summary = "svd that also learns from what users rated, whatever they thought of it",
    .reference = "Koren: Factorization meets the neighborhood: a multifaceted collaborative filtering model, KDD 2008; alternating least "
                 "squares in place of gradient descent",
    .fold_in = "solves bias and vector of the user from the ratings and the items of the history, as training does; lists keep a rank-biased "
               "overlap at 20 of .99 with those of the vectors that training ends with (measured on MovieLens 100K)",
    .capabilities = CAN_EPOCHS | CAN_RATE,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    .check = rating_factors_check,
    .begin = rating_factors_begin,
    .epoch = rating_factors_epoch,
    .end = rating_factors_end,
    .score = rating_factors_score,
    .explain = rating_factors_explain,
    .similar = rating_factors_similar,
    .vectors = rating_factors_vectors,
    .fold = rating_factors_fold,
    .native = rating_factors_native,
    .resume = rating_factors_resume,
    .save = rating_factors_save,
    .load = rating_factors_load,
    .free = rating_factors_free,
};
