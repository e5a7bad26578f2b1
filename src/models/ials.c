/* iALS: implicit alternating least squares, each row solved exactly by Cholesky or almost by conjugate gradients. */
#include "models/als.h"
#include "models/classes.h"

enum { SOLVER_AUTO, SOLVER_CHOLESKY, SOLVER_CG };
/* Up to so many factors a Cholesky factor costs about what the steps would. */
enum { FACTORS_CHOLESKY = 32 };

static const struct param params[] = {
    ALS_PARAMS,
    {.name = "solver", .type = PARAM_ENUM, .initial = "auto", .choices = "auto|cholesky|cg",
     .doc = "how a vector is solved for: exactly, or by a few steps of conjugate gradients, faster with many factors; "
            "auto: cg from 33 factors on"},
    {.name = "steps", .type = PARAM_INT, .initial = "3", .min = 1, .max = 100,
     .when = "solver=cg or solver=auto and factors>32", .doc = "steps of conjugate gradients a vector and epoch"},
};

static enum status ials_begin(struct model *m, const struct training *t, struct error *err)
{
    int64_t solver = model_int(m, "solver");
    bool exact = solver == SOLVER_CHOLESKY || (solver == SOLVER_AUTO && model_int(m, "factors") <= FACTORS_CHOLESKY);
    return als_begin(
        m, t, exact ? (struct als_way){ALS_EXACT, 0} : (struct als_way){ALS_CONJUGATE, (size_t)model_int(m, "steps")},
        err);
}

const struct model_class model_ials = {
    .name = "ials",
    .summary = "implicit alternating least squares: vectors of users and items",
    .reference = "Hu, Koren, Volinsky: Collaborative filtering for implicit feedback datasets, ICDM 2008; "
                 "regularisation of Rendle, Krichene, Zhang, Koren: Revisiting the performance of iALS on item "
                 "recommendation benchmarks, RecSys 2022; conjugate gradients of Takacs, Pilaszy, Tikk, RecSys 2011",
    .fold_in = "solves the user's row of training from the final item vectors, exactly; lists keep a rank-biased "
               "overlap at 20 of .98 with those of the user vectors that training itself ends with (measured on "
               "MovieLens 100K; `models` shows that of yours)",
    .capabilities = CAN_EPOCHS,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    .begin = ials_begin,
    ALS_SLOTS,
};
