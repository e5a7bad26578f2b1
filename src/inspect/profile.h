/* A profile: what a history amounts to, and what it is about. */
#ifndef TAILOR_INSPECT_PROFILE_H
#define TAILOR_INSPECT_PROFILE_H

#include "models/history.h"

/* One category of the items of a history. An item of several categories counts for each in equal parts. */
struct taste {
    const char *category; /* a level of the category field; lives as long as the data set */
    double weight;        /* of the history's feedback: type weights, decayed where weights decay */
    double share;         /* of the weight of all categories; all shares sum to 1 */
    double usual;         /* the same share over the feedback of all users up to the moment of the query */
    double lift;          /* share / usual: 2 is twice as much as everybody; NaN where nobody has any */
    size_t items, events; /* distinct items of the history in it, and events with them */
    double value;         /* mean value (rating, amount) of those events; NaN: none has one */
    double usual_value;   /* the same over all users */
};

struct profile {
    size_t events, items;  /* events and distinct items of the history */
    double weight;         /* summed type weights */
    int64_t oldest, newest;
    struct taste *tastes;  /* largest share first; owned */
    size_t ntastes;
    const struct field *category; /* the field they are of; NULL: the items have none */
};

/* What everybody likes is summed over all events once and stays with the data set (data/level_totals.h). */
MUST_CHECK enum status profile_make(struct dataset *d, const struct query *q, struct profile *out, struct error *err);
void profile_clear(struct profile *p);

#endif
