/* A search for good parameters of one class: what `tune` does between its words and its tables. */
#ifndef TAILOR_COMMANDS_TUNING_H
#define TAILOR_COMMANDS_TUNING_H

#include "commands/part_axes.h"
#include "commands/training.h"
#include "commands/trials.h"

struct study {
    struct workbench *wb;
    const struct call *call;
    const struct model_class *class;
    struct dataset *d;
    struct split *s;          /* the split in use */
    struct split *inner;      /* what trials learn from and are judged by: s, or s with a tenth of train set aside */
    struct split *fits; /* where weights are fitted: inner with the validation events of every other user; NULL: nothing
                           is fitted */
    struct split *judges;     /* inner with those of the rest; NULL: all of inner's judge */
    struct model **parts;     /* of an ensemble: behind `with`, trained on s */
    size_t nparts;
    struct model **inner_parts; /* the same trained on inner; NULL: they are `parts` */
    struct part_axes each;    /* of an ensemble: its parameters, and a number for each part */
    struct tune_space space;
    enum tune_search search;
    size_t wanted;            /* trials there shall be */
    bool by_epoch;            /* the best epoch counts: how many there are is no parameter of the search */
    struct validation valid;
    uint64_t id;              /* of all that decides what trials come and what they give */
    struct trials trials;
    double *points;           /* of each trial, space.n */
    size_t points_capacity;
    size_t resumed;           /* trials that were there already */
    bool exhausted;           /* every setting was tried */
    bool cancelled;
};

/* Reads the words of the command, sets a validation part aside, finds the trials that are there. Clear it in any case.
 */
MUST_CHECK enum status study_open(struct study *s, struct workbench *wb, const struct call *call, struct error *err);
void study_clear(struct study *s);
/* The trials that are missing, each kept as it ends. A trial that fails is a trial; a cancel is none, and ends it. */
MUST_CHECK enum status study_run(struct study *s, struct error *err);
/* Is a better than b? What failed comes last; what was stopped behind what was not, unless the best
 * epoch counts. */
bool study_better(const struct study *s, const struct trial *a, const struct trial *b);
/* The best there is, the first of equals; NULL without trials. */
const struct trial *study_best(const struct study *s);
/* What a class is trained with in this trial: the defaults, what the command line fixes, what the trial says. Free with
 * class_values_free. */
MUST_CHECK enum status study_values(const struct study *s, const struct trial *t, struct param_value **out,
                                    struct error *err);
/* The coordinate of a trial on an axis, for charts and effects; NaN where it says nothing. */
double study_number(const struct study *s, const struct trial *t, size_t axis);

#endif
