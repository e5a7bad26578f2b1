/* What if: the same question with another history. */
#ifndef TAILOR_INSPECT_WHATIF_H
#define TAILOR_INSPECT_WHATIF_H

#include "inspect/retrain.h"
#include "ranking/ranking.h"

struct move {
    uint32_t item;
    size_t before, after; /* ranks among all items that may be listed; 0: may not (seen) */
    float score_before, score_after;
    size_t retrained;     /* the same by the model retrained, when it was */
    float score_retrained;
};

struct whatif {
    struct move *moves; /* the new list, best first; then what the retrained model lists besides; then what fell out of
                           the old one; owned */
    size_t n;
    size_t listed;      /* the first so many are the new list */
};

/* Lists of length k for two histories of one user. */
MUST_CHECK enum status whatif_make(const struct model *m, const struct query *before, const struct query *after,
                                   size_t k, enum seen seen, struct whatif *out, struct error *err);
/* The same of two models for the same items, each asked its own way. */
MUST_CHECK enum status whatif_between(const struct model *m, const struct query *before, const struct model *other,
                                      const struct query *after, size_t k, enum seen seen, struct whatif *out,
                                      struct error *err);
/* The same of one model beside the scores of the retrained model for `after` (m->nitems; NULL: it was not retrained).
 */
MUST_CHECK enum status whatif_beside(const struct model *m, const struct query *before, const struct query *after,
                                     const float *retrained, size_t k, enum seen seen, struct whatif *out,
                                     struct error *err);
void whatif_clear(struct whatif *w);

#endif
