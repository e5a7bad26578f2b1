/* The arithmetic of one score, with the real numbers: terms that sum to it.
 *
 *   ensembles whose parts are summed   weight x value of each part (inspect/made_of.h)
 *   switches                           the steps of the part that answers
 *   classes that tell their own        as of their formula: ratings, deviations, neighbours (the slot `steps`)
 *   classes with vectors               x[f] x y[f], component by component
 *   classes whose scores add up        v x w, item of the history by item
 *   all others                         what the explanation says, part by part
 *
 * Which it is follows from the slots and capabilities of the class, so a new class has its steps without another line;
 * its `formula` may say more of the last two. */
#ifndef TAILOR_INSPECT_STEPS_H
#define TAILOR_INSPECT_STEPS_H

#include "ranking/ranking.h"

/* Digits behind the point that are shown. */
enum { STEP_DIGITS = 6 };

/* Clear it in every case. */
MUST_CHECK enum status steps_make(const struct model *m, const struct query *q, uint32_t item, struct steps *out,
                                  struct error *err);

/* Do the sum and the score differ in the digits that are shown? Then the rounding of float32 is a term of its own:
 * score - sum. */
bool steps_rounded(const struct steps *s);

#endif
