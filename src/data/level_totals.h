/* What all users together did with each level of a field of the items (each category), up to a moment.
 *
 * One pass over the events. The totals of the present and of the first few other moments asked about stay with the data
 * set, so that opening one user after another costs nothing in events. */
#ifndef TAILOR_DATA_LEVEL_TOTALS_H
#define TAILOR_DATA_LEVEL_TOTALS_H

#include "data/dataset.h"

/* An item of several levels counts for each of them in equal parts. */
struct level_total {
    double weight; /* summed weights of the feedback */
    double value;  /* summed values (ratings, amounts) of the feedback that has one, */
    double valued; /* and how much of it there is */
};

struct level_totals {
    struct level_totals *next; /* the data set's; NULL for the last one */
    const struct field *field;
    int64_t until;             /* NO_TIME: all events */
    double weight;             /* of all feedback of items that have a level */
    struct level_total *level; /* field->levels.n */
    bool kept;                 /* by the data set */
};

/* Of a TEXT or LIST field of d->item_fields. Any thread may ask. Give it back with level_totals_release. */
MUST_CHECK enum status dataset_level_totals(struct dataset *d, const struct field *field, int64_t until,
                                            const struct level_totals **out, struct error *err);
void level_totals_release(const struct level_totals *t); /* NULL is fine */
/* For the data set, when it goes. */
void level_totals_free_all(struct level_totals *t);

#endif
