/* The training driver: one loop for all models. */
#ifndef TAILOR_MODELS_DRIVER_H
#define TAILOR_MODELS_DRIVER_H

#include "models/model.h"

/* What the caller asks of training in epochs: a validation curve, early stopping, what a cancel leaves. */
struct train_watch {
    /* value of the model as it stands; NULL: do not validate */
    enum status (*validate)(void *context, const struct model *m, size_t epoch, double *value, struct error *err);
    /* Asked after each validation: is it given up? May be NULL. */
    bool (*hopeless)(void *context, size_t epoch, double value);
    void *context;
    const char *metric; /* its name for the curve: "ndcg@10" */
    bool lower;         /* a lower value is better */
    size_t patience;    /* stop after this many validations without a better value, and go back to the best; 0: never */
    size_t every;       /* validate after every so many epochs, and after the last; 0: after each */
    double seconds;     /* begin no epoch later than this; 0: no limit */
    bool keep; /* a cancel leaves the last whole epoch (END_CANCELLED) instead of ST_CANCELLED, when there was one */
};

/* Trains: check, begin, epochs, end. On ST_CANCELLED nothing is kept. The result is unpublished, with its record
 * filled. A model that ended early says so in its record, and its parameter `epochs` is the number of those it has. */
MUST_CHECK enum status model_train(const struct model_class *class, const char *name, const struct param_value *values,
                                   const struct selection *selection, uint64_t seed, const struct train_watch *watch,
                                   struct job *job, struct model **out, struct error *err);

/* The training of `from` goes on, from its last kept epoch up to `epochs`, which are more than it has, with its
 * parameters and seed. selection: what it was trained on; the caller has compared the fingerprints. `from` stays as it
 * is. Unless record.departs says otherwise the model has the bits that training at one go gives. A cancel in the first
 * epoch is ST_CANCELLED. */
MUST_CHECK enum status model_resume(const struct model *from, size_t epochs, const struct selection *selection,
                                    const struct train_watch *watch, struct job *job, struct model **out,
                                    struct error *err);

/* The same for a class that is OF_MODELS: made of parts[0..n), which it holds; `fitting` for one that FITS_WEIGHTS,
 * else NULL. */
MUST_CHECK enum status model_train_of(const struct model_class *class, const char *name,
                                      const struct param_value *values, struct model *const *parts, size_t nparts,
                                      const struct fitting *fitting, const struct selection *selection, uint64_t seed,
                                      struct job *job, struct model **out, struct error *err);

/* Bytes that training takes, as `check` says; 0 when the class does not say. */
MUST_CHECK enum status model_needs(const struct model_class *class, const struct param_value *values,
                                   const struct interactions *x, size_t *bytes, struct error *err);

/* Within this room, what update.c shares: a model of the class, name and parameters of m on interactions that are
 * there; will this data and memory do, and what it takes (*bytes; 0: the class does not say); the same said to who
 * waits for t->job when that is sizeable, with what a class that needs less would take (seconds: how long training will
 * take, 0: not known); and what is to be remembered of work that started then. */
MUST_CHECK enum status driver_train_like(const struct model *m, const struct training *t, struct model **out,
                                         struct error *err);
MUST_CHECK enum status driver_check(const struct model *m, const struct training *t, size_t *bytes, struct error *err);
void driver_say_memory(const struct model *m, const struct training *t, size_t bytes, double seconds);
MUST_CHECK enum status driver_fill_record(struct model *m, const struct training *t, double started, struct error *err);

/* Whole model as one blob (header, values, record, class's own sections), and back. Of the models that it
 * is made of only their names are in it: model_attach gives them back. */
MUST_CHECK enum status model_save(const struct model *m, struct blob_writer *w, struct error *err);
MUST_CHECK enum status model_load(struct blob_reader *r, struct model **out, struct error *err);

#endif
