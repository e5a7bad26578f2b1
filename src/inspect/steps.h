/* The arithmetic of one score, with the real numbers: terms that sum to it.
 *
 *   ensembles whose parts are summed   weight x value of each part (inspect/made_of.h)
 *   switches                           the steps of the part that answers
 *   classes with vectors               x[f] x y[f], component by component
 *   classes whose scores add up        v x w, item of the history by item
 *   all others                         what the explanation says, part by part
 *
 * Which it is follows from the slots and capabilities of the class, so a new class has its steps without another line; its
 * `formula` may say more of the last two. */
#ifndef TAILOR_INSPECT_STEPS_H
#define TAILOR_INSPECT_STEPS_H

#include "ranking/ranking.h"

struct step {
    uint32_t item;      /* of the history, or NO_ITEM: then the label says what it is */
    char label[96];
    double left, right; /* value = left x right; NaN where the term is no product */
    double value;
};

struct steps {
    const char *formula; /* static */
    struct step *terms;  /* largest |value| first; owned */
    size_t n;
    double sum;          /* of the terms, in their order */
    double score;        /* the float32 that lists go by */
    bool exact;
};

/* Digits behind the point that are shown. */
enum { STEP_DIGITS = 6 };

/* Clear it in every case. */
MUST_CHECK enum status steps_make(const struct model *m, const struct query *q, uint32_t item, struct steps *out, struct error *err);
void steps_clear(struct steps *s);

/* Do the sum and the score differ in the digits that are shown? Then the rounding of float32 is a term of its own: score - sum. */
bool steps_rounded(const struct steps *s);

#endif
