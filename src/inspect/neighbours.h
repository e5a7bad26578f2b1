/* Neighbours: the users whose histories are most like one. */
#ifndef TAILOR_INSPECT_NEIGHBOURS_H
#define TAILOR_INSPECT_NEIGHBOURS_H

#include "models/history.h"

enum { NEIGHBOUR_ITEMS = 3 };

struct neighbour {
    uint32_t user;
    float similarity;  /* cosine, > 0 */
    size_t items;      /* distinct items of their history */
    size_t shared;     /* of them in the history asked about */
    uint32_t most[NEIGHBOUR_ITEMS]; /* shared items that weigh most in both together (product of the weights), ties by
                                       index; NO_ITEM */
};

struct neighbours {
    struct neighbour *list; /* most similar first, ties by index; owned */
    size_t n;
};

/* The k users with the largest cosine between their rows of the interaction matrix of the selection (summed weights by
 * item) and that of the history; q->user is left out. One pass over the events on all threads; the job may cancel. */
MUST_CHECK enum status neighbours_by_items(const struct selection *s, const struct query *q, size_t k, struct job *job,
                                           struct neighbours *out, struct error *err);
/* The same by the vectors that a model has of histories (model_project). Only for a model that has them. */
MUST_CHECK enum status neighbours_by_vectors(const struct model *m, const struct selection *s, const struct query *q,
                                             size_t k, struct job *job, struct neighbours *out, struct error *err);
void neighbours_clear(struct neighbours *n);

#endif
