/* Interactions: the user-item matrix that models learn from, and the same reading of one history.
 *
 * A selection says which events count: those with a positive type weight, in the wanted parts, strictly
 * before `until`. Repeats of one (user, item) pair become one entry; weight is the sum of type weights,
 * time the latest, count how many. */
#ifndef TAILOR_DATA_INTERACTIONS_H
#define TAILOR_DATA_INTERACTIONS_H

#include "data/dataset.h"
#include "data/split.h"
#include "linalg/sparse.h"

struct selection {
    const struct dataset *data;
    const struct split *split; /* NULL: all events */
    unsigned parts;            /* or-ed enum part; ignored without a split */
    int64_t until;             /* exclusive; NO_TIME: no limit. Events without a time always count. */
};

/* Does event e count as feedback in this selection? */
bool selection_has(const struct selection *s, size_t e);

struct interactions {
    struct csr matrix;  /* users.n x items.n; value = summed weight */
    int64_t *time;      /* per entry: latest time, NO_TIME when unknown */
    uint32_t *count;    /* per entry: events */
    int64_t newest;     /* newest time of all, NO_TIME when none: training reaches up to here */
    size_t users, items; /* rows and columns with at least one entry */
    size_t events;
};

MUST_CHECK enum status interactions_build(const struct selection *s, struct interactions *out, struct error *err);
void interactions_clear(struct interactions *x);

#endif
