/* Biased matrix factorization of ratings, called SVD since the Netflix prize. The work is rating_factors.c. */
#include "models/classes.h"
#include "models/rating_factors.h"

static const struct param params[] = {
    RATING_FACTORS_PARAMS("64", "1.2"),
    RATING_FACTORS_INIT,
};

const struct model_class model_svd = {
    .name = "svd",
    .summary = "biased matrix factorization: predicts ratings by vectors of users and items",
    .reference = "Koren, Bell, Volinsky: Matrix factorization techniques for recommender systems, IEEE Computer 2009; "
                 "alternating least squares with the pull of Zhou et al.: Large-scale parallel collaborative filtering "
                 "for the Netflix prize, AAIM 2008",
    .fold_in = "solves bias and vector of the user from the ratings, as training does; lists keep a rank-biased "
               "overlap at 20 of .99 with those of the vectors that training ends with (measured on MovieLens 100K)",
    .capabilities = CAN_EPOCHS | CAN_RATE,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    RATING_FACTORS_SLOTS,
};
