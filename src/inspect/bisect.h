/* Which event of a history brought an item into the list, and which took it out.
 *
 * A rank is no monotone function of the history, so nothing is halved: the model is asked about every prefix of the
 * history, from the empty one to the whole, and every change is reported. The model is the same all along, as of the
 * moment of asking. */
#ifndef TAILOR_INSPECT_BISECT_H
#define TAILOR_INSPECT_BISECT_H

#include "ranking/ranking.h"

/* From the prefix of `event` events to the one that has event number `event` (from 0) too. */
struct crossing {
    size_t event;
    size_t before, after; /* ranks; 0: not listed: hidden, or no opinion */
    bool entered;         /* else it left */
    bool had;             /* it left because this event is the user having it: seen items are hidden */
};

struct bisect {
    size_t k, n;         /* events of the history */
    uint32_t *rank;      /* of the item with the first i events, i = 0..n; 0: not listed: hidden, or the model has no
                            opinion, all scores      being the same */
    struct crossing *crossings; /* oldest first */
    size_t ncrossings;
    size_t hidden;       /* events until it is hidden for good, the one that hides it included; SIZE_MAX: it never is */
};

MUST_CHECK enum status bisect_make(const struct model *m, const struct query *q, uint32_t item, size_t k,
                                   enum seen seen, struct job *job, struct bisect *out, struct error *err);
void bisect_clear(struct bisect *b);

/* Is it in the list with the first i events? */
static inline bool bisect_in(const struct bisect *b, size_t i)
{
    return b->rank[i] && b->rank[i] <= b->k;
}

#endif
