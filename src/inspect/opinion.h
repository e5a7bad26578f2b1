/* What a model thinks of some items, for one history: their place and score. Beside a list that nobody can open, this
 * is what can be said of the same items. */
#ifndef TAILOR_INSPECT_OPINION_H
#define TAILOR_INSPECT_OPINION_H

#include "ranking/ranking.h"

struct opinion {
    size_t rank;  /* 1: the best; 0: in no list */
    float score;  /* -inf: in no list */
    bool seen;    /* the history hides it: the rank is that among all items */
};

/* out[0..n) for items[0..n). Scores the history once. */
MUST_CHECK enum status opinion_make(const struct model *m, const struct query *q, const uint32_t *items, size_t n,
                                    enum seen seen, struct opinion *out, struct error *err);

#endif
