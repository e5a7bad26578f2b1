/* BSPM: blur a history by diffusion on the item graph, then sharpen it again; each is a differential equation solved in
 * a few steps, so that the whole is a polynomial of the item-item matrix P (models/graph_filter.h).
 *
 *     blurring     dh/dt = h (P - I)    from 0 to blur_time, by Euler steps; one step of length 1 is h P
 *     ideal        h D^-1/2 V V' D^1/2  the low-pass filter of GF-CF
 *     sharpening   dh/dt = -h P         from 0 to sharpen_time, by steps of Euler or Runge and Kutta
 *
 * A step of length s multiplies each frequency x by 1 - s x (Euler) or by 1 - s x + ... + (s x)^4 / 24 (Runge-Kutta).
 * Early merge sharpens blurred + beta * ideal; late merge adds beta * ideal to the sharpened. combine=yes takes the
 * mean over all points of time on the way in place of the last one (as the authors do for Yelp). */
#include "models/classes.h"
#include "models/graph_filter.h"

enum { VALUES_BINARY, VALUES_WEIGHT };
enum { SOLVER_EULER, SOLVER_RK4 };
enum { MERGE_EARLY, MERGE_LATE };
enum { STEPS_MOST = 4 };

static const struct param params[] = {
    FILTER_FACTORS_PARAM("beta>0"),
    {.name = "beta",
     .type = PARAM_REAL,
     .initial = "0.2",
     .min = 0,
     .max = 1000,
     .tune_min = .01,
     .tune_max = 5,
     .log_scale = true,
     .when = "factors>0",
     .doc = "weight of the ideal low-pass filter"},
    {.name = "sharpen_time",
     .type = PARAM_REAL,
     .initial = "2",
     .min = 0,
     .max = 5,
     .tune_min = .2,
     .tune_max = 4,
     .doc = "how long to sharpen; 0: not at all"},
    {.name = "sharpen_steps",
     .type = PARAM_INT,
     .initial = "1",
     .min = 1,
     .max = STEPS_MOST,
     .when = "sharpen_time>0",
     .doc = "steps of the sharpening"},
    {.name = "solver",
     .type = PARAM_ENUM,
     .initial = "rk4",
     .choices = "euler|rk4",
     .when = "sharpen_time>0",
     .doc = "how a step of the sharpening is taken"},
    {.name = "blur_time",
     .type = PARAM_REAL,
     .initial = "1",
     .min = 0,
     .max = 4,
     .doc = "how long to blur; 1 in one step is the linear filter h P"},
    {.name = "blur_steps",
     .type = PARAM_INT,
     .initial = "1",
     .min = 1,
     .max = STEPS_MOST,
     .when = "blur_time>0 or combine=yes",
     .doc = "Euler steps of the blurring"},
    {.name = "merge",
     .type = PARAM_ENUM,
     .initial = "early",
     .choices = "early|late",
     .when = "factors>0 and beta>0 and sharpen_time>0",
     .doc = "add the ideal filter before the sharpening, or after it"},
    {.name = "combine",
     .type = PARAM_BOOL,
     .initial = "no",
     .doc = "take the mean over the points of time instead of the last one"},
    {.name = "values",
     .type = PARAM_ENUM,
     .initial = "binary",
     .choices = "binary|weight",
     .doc = "count an item of a history once, or by the summed weight of its events"},
};

/* One step of dh/dt = -h P of length s. */
static struct polynomial sharpening_step(double s, bool rk4)
{
    return rk4 ? (struct polynomial){4, {1, -s, s * s / 2, -s * s * s / 6, s * s * s * s / 24}}
               : (struct polynomial){1, {1, -s}};
}

static void add(struct polynomial *sum, const struct polynomial *p)
{
    for (size_t n = 0; n <= p->degree; n++)
        sum->c[n] += p->c[n];
    if (p->degree > sum->degree)
        sum->degree = p->degree;
}

static void scale(struct polynomial *p, double by)
{
    for (size_t n = 0; n <= p->degree; n++)
        p->c[n] *= by;
}

/* p and q of the head of graph_filter.h. */
static struct filter_shape shape_of(const struct model *m)
{
    size_t blurs = (size_t)model_int(m, "blur_steps"), sharpens = (size_t)model_int(m, "sharpen_steps"), points = 0;
    double time = model_real(m, "sharpen_time"), s = model_real(m, "blur_time") / (double)blurs;
    bool combine = model_int(m, "combine"), early = model_int(m, "merge") == MERGE_EARLY;
    struct polynomial step = {1, {1 - s, s}}, at = {0, {1}}, sharp = {0, {1}}, mean_p = {0}, mean_q = {0};
    for (size_t i = 0; i < blurs; i++, points++) {
        at = polynomial_times(&at, &step);
        add(&mean_p, &at);
    }
    step = sharpening_step(time / (double)sharpens, model_int(m, "solver") == SOLVER_RK4);
    for (size_t i = 0; i < sharpens && time > 0; i++, points++) {
        at = polynomial_times(&at, &step);
        sharp = polynomial_times(&sharp, &step);
        add(&mean_p, &at);
        add(&mean_q, &sharp);
    }
    scale(&mean_p, 1 / (double)points);
    scale(&mean_q, 1 / (double)points);
    struct polynomial one = {0, {1}};
    return (struct filter_shape){.p = combine ? mean_p : at,
                                 .q = !early || !(time > 0) ? one
                                      : combine             ? mean_q
                                                            : sharp,
                                 .k = graph_filter_factors(m),
                                 .beta = model_real(m, "beta"),
                                 .weigh = model_int(m, "values") == VALUES_WEIGHT};
}

static enum status bspm_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err)
{
    (void)err;
    *bytes = graph_filter_bytes(m, t, graph_filter_factors(m));
    return ST_OK;
}

static enum status bspm_begin(struct model *m, const struct training *t, struct error *err)
{
    (void)t;
    struct filter_shape shape = shape_of(m);
    return graph_filter_new(m, &shape, err);
}

static enum status bspm_epoch(struct model *m, const struct training *t, size_t epoch, bool *done, double *loss,
                              struct error *err)
{
    (void)epoch;
    (void)loss;
    *done = true;
    return graph_filter_train(m, t, err);
}

static enum status bspm_load(struct model *m, struct blob_reader *r, struct error *err)
{
    enum status st = bspm_begin(m, NULL, err);
    return st ? st : graph_filter_load(m, r, err);
}

const struct model_class model_bspm = {
    .name = "bspm",
    .summary = "blurring and sharpening of a history on the graph of items",
    .reference = "Choi, Hong, Park, Cho: Blurring-sharpening process models for collaborative filtering, SIGIR 2023",
    .fold_in = "scores any history the same way as a known one: exactly the native score",
    .capabilities = CLOSED_FORM | ADDS_UP,
    .params = params,
    .nparams = sizeof params / sizeof *params,
    .check = bspm_check,
    .begin = bspm_begin,
    .epoch = bspm_epoch,
    .score = graph_filter_score,
    .explain = graph_filter_explain,
    .vectors = graph_filter_vectors,
    .project = graph_filter_project,
    .scale = graph_filter_scale,
    .save = graph_filter_save,
    .load = bspm_load,
    .free = graph_filter_free,
};
