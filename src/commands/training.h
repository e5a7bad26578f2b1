/* From parameters to a published model: what `train` and `tune` share. */
#ifndef TAILOR_COMMANDS_TRAINING_H
#define TAILOR_COMMANDS_TRAINING_H

#include "commands/command.h"
#include "eval/evaluation.h"
#include "models/driver.h"

/* One model that is wanted, and in the end is there. */
struct training_order {
    struct workbench *wb;
    const struct model_class *class;
    struct dataset *d;
    struct split *s;                  /* its train part; NULL: all events */
    const struct param_value *values; /* class->nparams */
    const struct word *as;            /* the name asked for; text NULL: `base`, or base.2, base.3 when that is taken */
    const char *base;                 /* "ials", "ials.tuned" */
    bool replace;                     /* `as` may take the place of another model */
    const struct train_watch *watch;  /* may be NULL */
    struct model *const *parts;       /* what an ensemble is made of */
    size_t nparts;
    const struct metric_at *fit;      /* what an ensemble's weights are fitted for */
    double before;                    /* seconds that the training took which this one goes on with */
    bool refit;                       /* a record does not hold what weights were fitted for: never the same */
    struct model *model;              /* what came of it; the order holds it */
    bool reused;                      /* it was there already */
};

/* Trains and says what the user should know of it; or finds the model that training would give again (never with a
 * validation in the watch). */
MUST_CHECK enum status training_run(struct training_order *o, struct result *out, struct error *err);
/* How long it took, why it ended, and whether it has learnt nothing that tells items apart. */
void training_say(const struct training_order *o, struct result *out);
/* Puts the model that was trained in the place of the one of its name, and the ensembles above that on it: after all
 * that is told of it, as publish_model. */
MUST_CHECK enum status training_publish(const struct training_order *o, struct result *out, struct error *err);

/* Judging a model while it learns: the context of a train_watch. */
struct validation {
    struct workbench *wb;
    const struct split *s;
    struct test_set *set;
    struct item_facts *facts; /* NULL: the metric needs none */
    struct metric_at metric;
};
MUST_CHECK enum status validation_open(struct validation *v, struct workbench *wb, const struct model_class *class,
                                       struct dataset *d, const struct split *s, const char *metric, struct error *err);
void validation_close(struct validation *v);
/* train_watch.validate */
MUST_CHECK enum status validation_ask(void *context, const struct model *m, size_t epoch, double *value,
                                      struct error *err);

/* Loss and validation by epoch, as charts. */
void training_curves(struct result *out, const struct model *m);

#endif
