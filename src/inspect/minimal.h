/* The smallest removal that drops an item out of the first k: which items of the history, with all their events, must
 * go.
 *
 * What is hidden stays hidden: an item that is taken out does not come back as a rival (as in why.h and bring.h). An
 * item that was seen, or any where everything is shown, is placed among all items, and then all are rivals. */
#ifndef TAILOR_INSPECT_MINIMAL_H
#define TAILOR_INSPECT_MINIMAL_H

#include "inspect/bring.h"

struct minimal {
    bool ignores;     /* the model does not look at the history */
    uint32_t item;
    size_t k;
    size_t rank;            /* with the whole history; 0: it has no place */
    bool needless;          /* it is not among the first k as it is */
    struct brought
        removed; /* .rank: with the set taken out, 0: it has no place then. Proved where the search could prove it. */
};

/* seconds: then the best set found and the bound proved so far; 0: no limit. Clear it in every case. */
MUST_CHECK enum status minimal_make(const struct model *m, const struct query *q, uint32_t item, enum seen seen,
                                    size_t k, double seconds, struct job *job, struct minimal *out, struct error *err);
void minimal_clear(struct minimal *x);

/* "Without Kolya and Fargo it would be 12th, out of the first 10. No smaller set does it (proved)." Appends. */
void minimal_sentence(const struct minimal *x, const struct dataset *d, struct str *out);

#endif
