/* An ensemble's score by the models it is made of: what each says of an item, where it has it, and what that adds to
 * the score. A part that is an ensemble itself counts as one model here. */
#ifndef TAILOR_INSPECT_MADE_OF_H
#define TAILOR_INSPECT_MADE_OF_H

#include "ranking/ranking.h"

struct made_part {
    const struct model *model; /* lives as long as the ensemble */
    struct part_share share;
    size_t rank;               /* its own place of the item; 0: in no list */
};

struct made_of {
    struct made_part *parts; /* in the order of the ensemble; owned */
    size_t n;                /* 0: the model is no ensemble */
    size_t alone;            /* the part that answers for all; n: they are summed */
    size_t items;            /* distinct ones in the history, by which a switch chooses */
};

/* Places are those of why.h: with SEEN_HIDE items of the history are in no list, unless `item` is one itself. Clear it
 * in every case. */
MUST_CHECK enum status made_of_make(const struct model *m, const struct query *q, uint32_t item, enum seen seen,
                                    struct made_of *out, struct error *err);
void made_of_clear(struct made_of *x);

/* Of a switch: "ana has 12 items in the history, so ease answers." Nothing of others. Appends. */
void made_of_choice(const struct made_of *x, const char *who, struct str *out);
/* "ease has it 2nd and pop 3rd": the parts that speak for it; nothing when none does. Appends. */
void made_of_places(const struct made_of *x, struct str *out);

#endif
