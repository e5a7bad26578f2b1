/* GF-CF: a linear filter of the item graph plus an ideal low-pass one, in closed form.
 *
 *     score(h) = h P + alpha * h D_I^-1/2 V V' D_I^1/2        P, V, D: models/graph_filter.h
 *
 * What linear autoencoders, neighbourhoods and untrained graph convolutions have in common, without any training. */
#include "models/classes.h"
#include "models/graph_filter.h"

enum { VALUES_BINARY, VALUES_WEIGHT };

static const struct param params[] = {
    FILTER_FACTORS_PARAM("alpha>0"),
    {.name = "alpha",
     .type = PARAM_REAL,
     .initial = "0.3",
     .min = 0,
     .max = 1000,
     .tune_min = .01,
     .tune_max = 10,
     .log_scale = true,
     .when = "factors>0",
     .doc = "weight of the low-pass filter against the linear one"},
    {.name = "values",
     .type = PARAM_ENUM,
     .initial = "binary",
     .choices = "binary|weight",
     .doc = "count an item of a history once, or by the summed weight of its events"},
};

static struct filter_shape shape_of(const struct model *m)
{
    return (struct filter_shape){.p = {1, {0, 1}}, .q = {0, {1}}, .k = graph_filter_factors(m),
                                 .beta = model_real(m, "alpha"), .weigh = model_int(m, "values") == VALUES_WEIGHT};
}

static enum status gfcf_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    (void)err;
    *bytes = graph_filter_bytes(m, t, graph_filter_factors(m));
    return ST_OK;
}

static enum status gfcf_begin(struct model *m, const struct training *t, struct error *err)
{
    (void)t;
    struct filter_shape shape = shape_of(m);
    return graph_filter_new(m, &shape, err);
}

static enum status gfcf_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                              struct error *err)
{
    (void)epoch;
    (void)loss;
    *done = true;
    return graph_filter_train(m, t, err);
}

static enum status gfcf_load(struct model *m, struct blob_reader *r, struct error *err)
{
    enum status st = gfcf_begin(m, NULL, err);
    return st ? st : graph_filter_load(m, r, err);
}

const struct model_class model_gfcf = {
    .name = "gfcf",
    .summary = "graph filters in closed form: a linear and an ideal low-pass one",
    .reference = "Shen, Wu, Zhang, Shan, Zhang, Letaief, Li: How powerful is graph convolution for recommendation?, "
                 "CIKM 2021",
    .fold_in = "scores any history the same way as a known one: exactly the native score",
    .capabilities = CLOSED_FORM | ADDS_UP,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    .check = gfcf_check,
    .begin = gfcf_begin,
    .epoch = gfcf_epoch,
    .score = graph_filter_score,
    .explain = graph_filter_explain,
    .vectors = graph_filter_vectors,
    .project = graph_filter_project,
    .scale = graph_filter_scale,
    .save = graph_filter_save,
    .load = gfcf_load,
    .free = graph_filter_free,
};
