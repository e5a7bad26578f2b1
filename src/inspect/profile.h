/* A profile: what a history amounts to, and what it is about. */
#ifndef TAILOR_INSPECT_PROFILE_H
#define TAILOR_INSPECT_PROFILE_H

#include "models/history.h"

/* One category of the items of a history. An item of several categories counts for each in equal parts. */
struct taste {
    const char *category; /* a level of the category field; lives as long as the data set */
    double share;         /* of the history's weight; all shares sum to 1 */
    double usual;         /* the same share over the feedback of all users up to the moment of the query */
    size_t items;         /* distinct items of the history in it */
};

struct profile {
    size_t events, items;  /* events and distinct items of the history */
    double weight;         /* summed type weights */
    int64_t oldest, newest;
    struct taste *tastes;  /* largest share first; owned */
    size_t ntastes;
    const struct field *category; /* the field they are of; NULL: the items have none */
};

MUST_CHECK enum status profile_make(const struct dataset *d, const struct query *q, struct profile *out,
                                    struct error *err);
void profile_clear(struct profile *p);

/* The levels that an item has in a field of texts or lists: codes[0..n), as long as the field. Returns n. */
size_t item_levels(const struct field *f, uint32_t item, const uint32_t **codes);

#endif
