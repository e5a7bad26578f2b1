/* Ensembles as commands see them: the models behind `with`, and how each is trained again elsewhere. */
#ifndef TAILOR_COMMANDS_PARTS_H
#define TAILOR_COMMANDS_PARTS_H

#include "commands/command.h"
#include "eval/metric.h"
#include "models/driver.h"

/* What models learn from here: the train part of a split (NULL: everything). */
struct ground {
    struct workbench *wb;
    struct dataset *d;
    struct split *s;
    struct metric_at metric; /* that weights are fitted for */
    int64_t until;           /* and nothing at or after this moment; NO_TIME: no limit */
};

/* A model of this class out of parts[0..n). For a class that FITS_WEIGHTS the validation part of the split is asked;
 * without one a tenth of train is set aside by the rule of the split and the parts are trained again without it. */
MUST_CHECK enum status ensemble_train(const struct ground *g, const struct model_class *class, const char *name,
                                      const struct param_value *values, struct model *const *parts, size_t n,
                                      struct model **out, struct error *err);
/* ST_USAGE when weights cannot be fitted to this metric. */
MUST_CHECK enum status fit_check_metric(const struct metric_at *m, struct error *err);
/* Has it, or a model that it is made of, weights that were fitted? */
bool model_fits_weights(const struct model *m);
/* The same model, an ensemble or not, trained anew on this ground: its parts first. Of the past (until) weights stay as
 * they are: the lists that they are fitted to came later. */
MUST_CHECK enum status model_train_again(const struct ground *g, const struct model *m, const char *name,
                                         const struct param_value *values, struct model **out, struct error *err);
/* The models behind `with`, for a class that is OF_MODELS (ST_USAGE for another): all trained on the train part of s,
 * or on all of d. Free with parts_free. */
MUST_CHECK enum status call_parts(struct workbench *wb, const struct call *call, const struct model_class *class,
                                  const struct dataset *d, const struct split *s, struct model ***out, size_t *n,
                                  struct error *err);
void parts_free(struct model **parts, size_t n);
/* The split itself when it has a validation part, else the same with a tenth of train set aside. ST_STATE when none can
 * be. */
MUST_CHECK enum status split_to_validate(const struct dataset *d, struct split *s, struct split **out,
                                         struct error *err);
/* ST_BUSY when an ensemble is made of this model, which must then stay as it is. */
MUST_CHECK enum status workbench_check_no_part(struct workbench *wb, const char *name, struct error *err);
/* Gives the ensembles among the models their parts. Those whose parts are not there leave the list. */
MUST_CHECK enum status workbench_attach_parts(struct workbench *wb, struct error *err);
/* What each model of an ensemble does, into the messages: "mix = 0.62 bspm + 0.38 ease" for a class with weights, "mix:
 * pop below 5 items (12 of 44 users), ease from 5 on (32)" for one that goes by the length of a history, counted in
 * what it was trained on. */
MUST_CHECK enum status say_parts(struct result *out, const struct model *m, const struct selection *s,
                                 struct error *err);

#endif
