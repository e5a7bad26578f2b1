/* A weighted sum of the scores of trained models, each put on a common scale first (ensemble.h). */
#include "models/classes.h"
#include "models/ensemble.h"

static const struct param params[] = {
    {.name = "weights", .type = PARAM_WEIGHTS, .initial = "equal", .tune_min = .05, .tune_max = 20, .log_scale = true,
     .doc = "a weight for each model, in their order: 0.5,0.3,0.2; or equal; below 0: lowers what that model likes. "
            "`stack` fits them"},
    PARAM_NORMALIZE,
};

static enum status blend_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    (void)t;
    *bytes = 0;
    return ensemble_check(m, 2, err);
}

const struct model_class model_blend = {
    .name = "blend",
    .summary = "weighted sum of the scores of trained models",
    .reference = "Fox, Shaw: Combination of multiple searches, TREC-2, 1994",
    .fold_in = "asks its models; as close to the native score as they are",
    .capabilities = OF_MODELS,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    .check = blend_check,
    .begin = ensemble_begin,
    .epoch = ensemble_epoch,
    .score = ensemble_score,
    .explain = ensemble_explain,
    .part_weights = ensemble_weights,
    .shares = ensemble_shares,
    .formula = ENSEMBLE_FORMULA,
    .updated = ENSEMBLE_UPDATED("weights"),
    .save = ensemble_save,
    .load = ensemble_load,
    .free = ensemble_free,
};
