/* Updating: a new model out of a trained one and what has changed since in what it learns from.
 *
 * The driver builds what the model was trained on and what is there now, finds the users whose rows differ, and asks
 * the class for the rest. A class says in its slot when training anew is the cheaper way; the driver takes it then, and
 * for a class without the slot. Ensembles stand on what their models are now (model_stand_on). */
#ifndef TAILOR_MODELS_UPDATE_H
#define TAILOR_MODELS_UPDATE_H

#include "models/driver.h"

/* What was done. */
struct update_report {
    bool trained;                  /* anew: it was the cheaper way, or the class's only one */
    size_t users, new_users;       /* whose rows differ; of them, unknown before */
    size_t new_items;
    size_t events_before, events;  /* that the models learnt from */
};

/* *out: `from` as training on `after` would make it, under the same name, unpublished, with its record filled; `before`
 * is what it was trained on. The users and items of before are the first ones of after. ST_UNSUPPORTED for ensembles.
 */
MUST_CHECK enum status model_update(const struct model *from, const struct selection *before,
                                    const struct selection *after, struct job *job, struct update_report *report,
                                    struct model **out, struct error *err);

/* *out: an ensemble like `from` over parts[0..from->nparts), which stand for its own in their order, with what it has
 * learnt (weights) as it was, for a data set of so many users and items. It has no record. */
MUST_CHECK enum status model_over(const struct model *from, struct model *const *parts, size_t nusers, size_t nitems,
                                  struct model **out, struct error *err);
/* The same with its record: *out: the ensemble `from` over parts[0..from->nparts), under the same name, unpublished.
 * selection: what the parts have learnt from, for the record. */
MUST_CHECK enum status model_stand_on(const struct model *from, struct model *const *parts,
                                      const struct selection *selection, struct model **out, struct error *err);

/* Events of d that came after m was trained, or after any of the models that it is made of was: the most. 0 for lists
 * that were served. */
uint64_t model_events_since(const struct model *m, const struct dataset *d);

/* What m was trained on, found again: in the data set d, or in what it was then (*early, for the caller to release;
 * else NULL). s: the present split, or NULL. ST_STATE with a hint when m was trained on another split. */
MUST_CHECK enum status model_learnt_from(const struct model *m, const struct dataset *d, const struct split *s,
                                         struct dataset **early, struct selection *out, struct error *err);

/* The hint of an error, whose status it hands on: how to train m anew in its place. */
enum status model_train_hint(const struct model *m, enum status st, struct error *err);

#endif
