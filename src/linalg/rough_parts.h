/* What the files of the way of two passes share: items and queries as tiles (linalg/rough.h). */
#ifndef TAILOR_LINALG_ROUGH_PARTS_H
#define TAILOR_LINALG_ROUGH_PARTS_H

#include "linalg/rough.h"

/* A tile holds 16 rows of 64 bytes: 16 queries of 32 factors; 16 pairs of factors of 16 items; 16 x 16 sums. */
enum { ROWS = 16, STEP = 32, TILE = 512 /* bfloat16 in one */, SUMS = ROWS * ROWS };
/* Two tiles of queries meet two of items, so that each that is loaded is used twice. */
enum { PAIR = 2 * ROWS };

struct rough {
    size_t pairs, steps; /* pairs of panels of 16 items; tiles that hold all factors */
    uint16_t *panel;     /* panel p, step s: panel + (p * steps + s) * TILE: [f / 2][item][f % 2] */
    uint32_t *item;      /* which item stands where, longest first */
    uint32_t *place;     /* where each item stands */
    uint32_t last;       /* of the last pair: a bit for each place that has an item */
    float *longest;      /* per pair: largest |y| */
    float *residue;      /* per pair: largest |y - y'| + c |y| */
};

/* A float that is not below x. */
static inline float rough_above(double x)
{
    return (float)(x * (1 + 0x1p-20));
}

/* At least |v|, or infinity where the first look is not for it: longer than 1e15, so that its sums stay finite, or with
 * numbers that are not. */
float rough_length(const float *v, size_t k);
/* v', each number to the nearest of 8 bits; what tiles would take for zero is zero here too. Returns at least |v - v'|.
 * Only for a length that is finite. */
float rough_round(const float *v, size_t k, uint16_t *rounded);

#endif
