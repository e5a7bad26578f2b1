/* A weighted sum of the scores of trained models, with the weights that put what users chose highest (ensemble.h).
 *
 * The weights are fitted to the validation part of the split. Where it has none, a part of train is set aside, the
 * models are trained again without it for the fitting, and the weights go to the models as they are. */
#include "models/classes.h"
#include "models/ensemble.h"

static const struct param params[] = {
    PARAM_NORMALIZE,
    {.name = "pool", .type = PARAM_INT, .initial = "100", .min = 1, .max = 1e6, .tune_min = 20, .tune_max = 500,
     .log_scale = true, .doc = "fitted on the items that any model has among its so many best"},
    {.name = "users", .type = PARAM_INT, .initial = "5000", .min = 1, .max = 1e9,
     .doc = "fitted on at most so many histories, drawn at random"},
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static enum status stack_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    enum status st = ensemble_check(m, 2, err);
    if (st)
        return st;
    size_t users = least((size_t)model_int(m, "users"), t->fitting->n);
    size_t pool = least(least((size_t)model_int(m, "pool"), m->nitems) * m->nparts, m->nitems);
    *bytes = users * pool * (m->nparts * sizeof(float) + sizeof(uint32_t) + 1) + m->nparts * m->nitems * sizeof(float);
    return ST_OK;
}

/* The loss is what the metric falls short of 1 by. */
static enum status stack_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                               struct error *err)
{
    struct ensemble *s = m->state;
    double value;
    (void)epoch;
    enum status st = ensemble_fit(m, t, (enum normalizer)model_int(m, "normalize"), (size_t)model_int(m, "pool"),
                                  (size_t)model_int(m, "users"), s->weight, &value, err);
    if (!st)
        *loss = 1 - value;
    *done = true;
    return st;
}

const struct model_class model_stack = {
    .name = "stack",
    .summary = "weighted sum of the scores of trained models, with weights fitted on the validation part",
    .reference = "Metzler, Croft: Linear feature-based models for information retrieval, Information Retrieval 10, "
                 "2007; Wolpert: Stacked generalization, Neural Networks 5, 1992",
    .fold_in = "asks its models; as close to the native score as they are",
    .capabilities = OF_MODELS | FITS_WEIGHTS,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    .check = stack_check,
    .begin = ensemble_begin,
    .epoch = stack_epoch,
    .score = ensemble_score,
    .explain = ensemble_explain,
    .part_weights = ensemble_weights,
    .shares = ensemble_shares,
    .formula = ENSEMBLE_FORMULA,
    .updated = ENSEMBLE_UPDATED("fitted weights"),
    .save = ensemble_save,
    .load = ensemble_load,
    .free = ensemble_free,
};
