/* SVD++: the factors of ratings, and what users had without a word about it. The work is rating_factors.c. */
#include "models/classes.h"
#include "models/rating_factors.h"

static const struct param params[] = {
    RATING_FACTORS_PARAMS("32", "1.5"),
    {.name = "lambda_implicit",
     .type = PARAM_REAL,
     .initial = "5",
     .min = 1e-6,
     .max = 1e6,
     .tune_min = .5,
     .tune_max = 50,
     .log_scale = true,
     .doc = "pull of the vectors of what users had towards 0"},
    RATING_FACTORS_INIT,
};

const struct model_class model_svdpp = {
    .name = "svdpp",
    .summary = "svd that also learns from what users rated, whatever they thought of it",
    .reference = "Koren: Factorization meets the neighborhood: a multifaceted collaborative filtering model, KDD 2008; "
                 "alternating least squares in place of gradient descent",
    .fold_in = "solves bias and vector of the user from the ratings and the items of the history, as training does; "
               "lists keep a rank-biased overlap at 20 of .99 with those of the vectors that training ends with "
               "(measured on MovieLens 100K)",
    .capabilities = CAN_EPOCHS | CAN_RATE,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    RATING_FACTORS_SLOTS,
};
