/* iALS++: implicit alternating least squares by Newton steps on blocks of components, for many factors. */
#include "models/als.h"
#include "models/classes.h"

static const struct param params[] = {
    ALS_PARAMS,
    {.name = "block", .type = PARAM_INT, .initial = "64", .min = 1, .max = 512,
     .doc = "components solved for together; with all of them in one block it is ials"},
};

static enum status ialspp_begin(struct model *m, const struct training *t, struct error *err)
{
    int64_t k = model_int(m, "factors"), block = model_int(m, "block");
    return als_begin(m, t, (struct als_way){ALS_SWEEP, (size_t)(block < k ? block : k)}, err);
}

const struct model_class model_ialspp = {
    .name = "ialspp",
    .summary = "iALS++: implicit alternating least squares on blocks of components",
    .reference = "Rendle, Krichene, Zhang, Koren: iALS++: speeding up matrix factorization with subspace optimization, "
                 "arXiv 2110.14044, 2021",
    .fold_in = "solves the user's row of training from the final item vectors, exactly: where sweeps over the blocks "
               "arrive, too; lists keep a rank-biased overlap at 20 of .98 with those of the user vectors that "
               "training itself ends with (measured on MovieLens 100K; `models` shows that of yours)",
    .capabilities = CAN_EPOCHS,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    .begin = ialspp_begin,
    ALS_SLOTS,
};
